use std::path::Path;

use serde_json::Value;

use super::*;
use crate::scenario::history::Chronicle;
use crate::scenario::report::{Verdict, Violation};
use crate::scenario::{RunOptions, Scenario, run};

const SILENCE: &str = r#"
description = "Peers fall silent </script><script>alert(1)</script> and \u2028 speak again."
duration = "20s"
[network]
peers = 12
registries = 2
profile = "lan"
[catalogue]
packages = 20
publishers = 3
[[workload]]
search = { rate = "2/s", from = "1s", until = "15s" }
[[fault]]
at = "5s"
for = "4s"
silent = { share = 0.5 }
[[fault]]
at = "6s"
for = "10s"
crash = { registry = 1, keep = "all" }
[expect]
searches = "<= 2"
"#;

struct Ran {
    plan: Plan,
    history: History,
    report: RunReport,
}

impl Ran {
    fn shown(&self) -> Shown<'_> {
        Shown {
            title: "a & b.toml, seed 3",
            replay: "swarmproof run 'a & b.toml' --seed 3",
            plan: &self.plan,
            history: &self.history,
            report: Some(&self.report),
            broke: None,
        }
    }
}

fn ran() -> Ran {
    let plan = Plan::make(&Scenario::parse(SILENCE, Path::new("a & b.toml")).unwrap(), 3);
    let chronicle = Chronicle::default();
    let options = RunOptions { chronicle: Some(chronicle.clone()), why: true, ..RunOptions::default() };
    let report = run(&plan, options).unwrap();
    Ran { plan, history: chronicle.history(), report }
}

/// The JSON in a page, as a browser would read it.
fn read(page: &str) -> Value {
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    let (json, _) = rest.split_once("</script>").unwrap();
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_page_holds_all_of_it_and_asks_nobody() {
    let ran = ran();
    let page = page(ran.shown());
    assert!(page.contains("<title>a &amp; b.toml, seed 3</title>"));
    // What came from outside is no tag: the page has the two scripts of its template.
    assert_eq!(page.matches("<script").count(), 2, "a stranger's words became a tag");
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(!page.contains('\u{2028}'));
    assert!(page.contains("default-src 'none'"));
    for from_elsewhere in ["src=", "@import", "url(", "fetch(", "import("] {
        assert!(
            !page.contains(from_elsewhere),
            "{from_elsewhere} asks for something that is not in the page"
        );
    }
    let urls: Vec<&str> =
        page.match_indices("://").map(|(at, _)| &page[at.saturating_sub(5)..at + 20]).collect();
    assert!(urls.iter().all(|url| url.contains("www.w3.org")), "{urls:?}");
    let run = &read(&page)["runs"][0];
    assert!(run["description"].as_str().unwrap().contains("</script><script>alert(1)"));
    assert_eq!(run["report"]["trace_hash"].as_str().unwrap(), ran.report.trace_hash);
    assert_eq!(run["queries"].as_array().unwrap().len(), ran.history.queries.len());
    assert_eq!(run["requests"].as_array().unwrap().len(), ran.history.requests.len() * 9);
    assert_eq!(run["events"].as_array().unwrap().len(), ran.history.events.len() * 7);
    assert_eq!(run["accounts"].as_array().unwrap().len(), ran.history.accounts.len() * 8);
    assert_eq!(run["scores"].as_array().unwrap().len(), ran.history.scores.len() * 5);
}

#[test]
fn the_script_takes_as_many_numbers_of_each_as_there_are() {
    let script = SCRIPTS.concat();
    for row in [
        "const [node, id, query, peer, begun, ended, how, items, size] = data.requests.slice(i, i + 9)",
        "const [peer, asked, answered, timedOut, refused, failed, givenUp, micros] = run.accounts.slice(i, i + 8)",
        "const [at, node, peer, why, score] = run.scores.slice(i, i + 5)",
        "const many = row.length / 7",
    ] {
        assert!(script.contains(row), "{row}");
    }
}

#[test]
fn events_are_told_as_differences_that_add_up() {
    let ran = ran();
    let page = read(&page(ran.shown()));
    let row: Vec<u64> =
        page["runs"][0]["events"].as_array().unwrap().iter().map(|it| it.as_u64().unwrap()).collect();
    let (mut number, mut at) = (0, 0);
    for (event, told) in ran.history.events.iter().zip(row.chunks(7)) {
        number += told[0];
        at += told[1];
        assert_eq!((number, at), (event.number, event.at.as_nanos() / 1000));
        assert_eq!((told[2], &told[3..]), (u64::from(event.kind), &event.fields[..]));
        assert!((told[2] as usize) < WORDS.len());
    }
}

#[test]
fn faults_are_bands_with_a_beginning_and_an_end() {
    let page = read(&page(ran().shown()));
    let bands = page["runs"][0]["bands"].as_array().unwrap();
    let of = |kind: &str| {
        let band =
            bands.iter().find(|it| it["kind"] == kind).unwrap_or_else(|| panic!("no {kind} in {bands:?}"));
        (band["from"].as_u64().unwrap(), band["until"].as_u64().unwrap(), band["count"].as_u64().unwrap())
    };
    let (from, until, count) = of("silent");
    assert_eq!((from, until), (5_000_000, 9_000_000));
    assert!(count >= 4, "half of the peers are silent, not {count}");
    assert_eq!(of("down"), (6_000_000, 16_000_000, 1));
    assert_eq!(bands.len(), 2);
}

#[test]
fn what_failed_is_there_with_its_place() {
    let mut ran = ran();
    // An oracle speaks of a query by its registry's name for it.
    let query = ran.history.queries.iter().rposition(|it| it.search && it.ended.is_some()).unwrap();
    let it = &ran.history.queries[query];
    ran.report.violations.push(Violation {
        oracle: "ends-once".to_owned(),
        at_ms: it.ended.unwrap().0.as_millis(),
        detail: format!("{}: {} ended late", it.node, it.id),
    });
    ran.report.why.push(format!("{} {} at {}: search partial", it.node, it.id, it.ended.unwrap().0));
    let end = it.ended.unwrap().0.as_millis();
    assert_eq!(ran.report.verdict, Verdict::Fail, "more searches than were expected");
    let page = read(&page(ran.shown()));
    let wrongs = page["runs"][0]["wrongs"].as_array().unwrap();
    assert_eq!(wrongs.len(), 2);
    assert_eq!(wrongs[0]["oracle"], "ends-once");
    assert_eq!(wrongs[0]["query"].as_u64(), Some(query as u64));
    assert_eq!(wrongs[0]["at"].as_u64(), Some(end * 1000));
    assert_eq!(wrongs[1]["oracle"], "expect.searches");
    assert!(wrongs[1]["detail"].as_str().unwrap().starts_with("searches <= 2 was expected, and "));
    let why = page["runs"][0]["why"].as_array().unwrap();
    assert_eq!(why.last().unwrap()["query"].as_u64(), Some(query as u64));
}

#[test]
fn two_runs_tell_where_they_part() {
    let ran = ran();
    let lines = |last: &str| format!("{{\"at_ns\":1000,\"event\":\"dropped\",\"node\":1}}\n{last}\n");
    let (one, other) = (
        lines("{\"at_ns\":2000000,\"event\":\"dropped\",\"node\":1}"),
        lines("{\"at_ns\":2000000,\"event\":\"dropped\",\"node\":2}"),
    );
    let compared = crate::scenario::report::compare_traces(one.as_bytes(), other.as_bytes()).unwrap();
    let page = read(&page_of_two(ran.shown(), ran.shown(), &compared, false));
    assert_eq!(page["runs"].as_array().unwrap().len(), 2);
    assert_eq!(page["parting"]["event"], 2);
    assert_eq!(page["parting"]["at"], 2000);
    assert_eq!(page["parting"]["one"][0], "0.002000000 s  dropped node=1");
    assert_eq!(page["parting"]["other"][0], "0.002000000 s  dropped node=2");
    let same = crate::scenario::report::compare_traces(one.as_bytes(), one.as_bytes()).unwrap();
    assert_eq!(read(&page_of_two(ran.shown(), ran.shown(), &same, true))["parting"]["same"], 2);
}
