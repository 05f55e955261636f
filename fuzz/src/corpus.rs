//! Writes the seeds of the corpus: `cargo run --bin corpus`, in this folder. What fuzzing found stays where it is.

mod targets;

use std::path::Path;

use swarmproof::message::{Answer, AnswerBody, Cursor, Name, Question};
use swarmproof::package::Query;
use swarmproof::record::keys;
use swarmproof::scenario::{Plan, Scenario};
use swarmproof::time::WallTime;

use self::targets::samples::{LISTS, RELEASES, notice, package, publisher};

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let put = |target: &str, name: &str, bytes: &[u8]| {
        let folder = corpus.join(target);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(name), bytes)
    };
    put("record", "release", RELEASES[0].bytes())?;
    put("record", "list", LISTS[2].bytes())?;
    put("record", "notice", notice().bytes())?;
    put("record", "key", &keys::list(&package("w0")))?;

    let query = Query { categories: vec!["tools".to_owned()], ..Query::text("widget", 20) };
    let after = Some(Cursor(b"further"[..].into()));
    let asked = Question::Search { query, after };
    put("message", "search", &asked.encode())?;
    let all = RELEASES.iter().filter_map(|record| keys::of(record)).collect();
    put("message", "records", &Question::Records { keys: all }.encode())?;
    put("message", "heads", &Question::Heads { after: Some(publisher().id()) }.encode())?;
    put("message", "page", &Question::Page { publisher: publisher().id(), from: 3 }.encode())?;
    let records: Vec<_> = RELEASES.iter().take(2).map(|record| record.bytes().clone()).collect();
    let names = vec![Name { key: keys::of(&RELEASES[3]).unwrap_or_default(), held: true }];
    let bodies = [
        (
            "found",
            AnswerBody::Found {
                held: 9,
                fresh: WallTime::EPOCH,
                records: records.clone(),
                names,
                next: None,
            },
        ),
        ("records-found", AnswerBody::Records { records: records.clone() }),
        ("heads-told", AnswerBody::Heads { heads: vec![(publisher().id(), 8)], more: false }),
        ("page-told", AnswerBody::Page { statements: records, more: true }),
    ];
    for (name, body) in bodies {
        put("message", name, &Answer { to: Question::tag(&asked.encode()), body }.encode())?;
    }

    for (name, text) in SCENARIOS {
        put("scenario", name, text.as_bytes())?;
        let scenario = Scenario::parse(text, Path::new(name)).unwrap_or_else(|error| panic!("{error}"));
        let plan = Plan::make(&scenario, 1).to_toml().unwrap_or_else(|error| panic!("{error}"));
        put("plan", name, plan.as_bytes())?;
    }

    // What each step of the engine's target takes, in its order: see there.
    for at in 0..8u8 {
        let steps: Vec<u8> = (0..120u32).map(|step| (step * (7 + 4 * u32::from(at)) % 251) as u8).collect();
        put("engine", &format!("mixed-{at}"), &steps)?;
    }
    let search = [0, 100, 2, 2, 3, 1, 50, 1, 0x07, 5];
    let answered = [4, 0, 1, 1, 2, 0, 1, 0, 9, 1];
    let waits = [10, 200, 50];
    let lookups = [2, 90, 3, 1, 2, 1, 200, 1, 0, 1, 6, 3, 0, 2, 7, 0, 2];
    let plain: Vec<u8> = [[7, 6].as_slice(), &search, &answered, &answered, &lookups, &waits].concat();
    put("engine", "search-and-get", &plain)?;
    Ok(())
}

const SCENARIOS: [(&str, &str); 3] = [
    (
        "plain",
        r#"description = "A search."
duration = "5s"
[network]
peers = 5
registries = 1
profile = "lan"
[catalogue]
packages = 3
[[workload]]
search = { at = "2s" }
[expect]
recall = ">= 0.9"
"#,
    ),
    (
        "faults",
        r#"description = "Faults of each kind."
seeds = "0..2"
duration = "20s"
[network]
peers = 9
registries = 2
undialable = 0.2
[catalogue]
packages = 4
versions = 2
[registry]
preset = "low-latency"
fan_out = "hedged"
catch_up = "5s"
[[workload]]
search = { rate = "1/s", from = "2s", until = "15s" }
[[workload]]
publish = { rate = "6/m", from = "1s", until = "9s" }
[[fault]]
at = "3s"
for = "2s"
partition = { share = 0.5, registries = [0] }
[[fault]]
at = "4s"
malformed = { share = 0.3, kinds = ["bad-signature", "truncated"] }
[[fault]]
at = "5s"
churn = { share = 0.3, session = { weibull = { shape = 0.6, scale = "9s" } }, gap = { fixed = "1s" } }
[liveness]
within = "9m"
"#,
    ),
    (
        "chaos",
        r#"description = "Whatever a seed draws."
duration = "9s"
[chaos]
families = ["latency", "lies"]
calm = "2s"
[network]
peers = 8
registries = 2
profile = "explicit"
[network.explicit]
delays = [["2ms", "60ms"], ["60ms", "3ms"]]
[catalogue]
packages = 5
"#,
    ),
];
