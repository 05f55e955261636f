use std::path::Path;

use proptest::prelude::*;

use super::declare::{Kind, Need, Section};
use super::model::{Weather, When, Work};
use super::sections::SCENARIO;
use crate::scenario::Scenario;
use crate::scenario::words::Lie;
use crate::testbed::Garble;

const GOOD: &str = r#"description = "d"
duration = "10m"

[network]
peers = 50
registries = 3

[catalogue]
packages = 100

[[workload]]
search = { rate = "2/s", from = "5s", until = "9m" }

[[fault]]
at = "1m"
until = "2m"
silent = { share = 0.1 }

[expect]
recall = ">= 0.99"
"#;

fn read(text: &str) -> Result<Scenario, String> {
    Scenario::parse(text, Path::new("s.toml")).map_err(|error| error.to_string())
}

/// What is said when `find` in the good file is replaced.
fn said(find: &str, put: &str) -> String {
    assert!(GOOD.contains(find), "{find}");
    read(&GOOD.replacen(find, put, 1)).expect_err(put)
}

#[test]
fn a_good_file_is_read_with_its_defaults() {
    let scenario = read(GOOD).unwrap();
    assert_eq!(scenario.seeds, [0, 1, 2]);
    assert_eq!((scenario.network.peers, scenario.network.undialable), (50, 0.0));
    assert_eq!(scenario.workloads.len(), 1);
    let When::Rate { rate, even, .. } = scenario.workloads[0].when else { panic!("at a rate") };
    assert_eq!((rate, even), (2.0, false));
    assert!(matches!(scenario.workloads[0].what, Work::Search { cancel_after: None, .. }));
    assert!(matches!(scenario.faults[0].what, Weather::Silent(whom) if whom.share == 0.1));
    assert_eq!(scenario.expect.len(), 1);
}

#[test]
fn kinds_of_malformed_are_told_apart() {
    let text = GOOD.replace(
        "silent = { share = 0.1 }",
        "malformed = { share = 0.5, kinds = [\"two-bodies\", \"noise\", \"noise\"] }",
    );
    let Weather::Malformed { garbles, lies, .. } = &read(&text).unwrap().faults[0].what else {
        panic!("malformed")
    };
    assert_eq!((garbles.as_slice(), lies.as_slice()), (&[Garble::Noise][..], &[Lie::TwoBodies][..]));
}

#[test]
fn each_fault_is_told_with_its_place_and_what_would_be_right() {
    let table: &[(&str, &str, &str, &[&str])] = &[
        // An unknown key, at each depth.
        (
            "peers = 50",
            "perrs = 50",
            "s.toml:5:1: ",
            &["unknown key \"perrs\" in [network]", "did you mean \"peers\"?", "Allowed: peers, registries"],
        ),
        ("duration =", "durration =", "s.toml:2:1: ", &["did you mean \"duration\"?"]),
        (
            "rate = \"2/s\"",
            "rtae = \"2/s\"",
            "s.toml:12:12: ",
            &["unknown key \"rtae\" in search", "did you mean \"rate\"?"],
        ),
        ("recall =", "recal =", "s.toml:20:1: ", &["did you mean \"recall\"?"]),
        (
            "[expect]",
            "[zzzzzzzzzz]",
            "s.toml:19:2: ",
            &["unknown key \"zzzzzzzzzz\"", ". Allowed: description"],
        ),
        // Wrong kinds and units.
        (
            "\"10m\"",
            "10",
            "s.toml:2:12: ",
            &["\"duration\" in the scenario must be a duration with its unit", "found the number 10"],
        ),
        ("\"10m\"", "\"10 minutes\"", "s.toml:2:12: ", &["found the text \"10 minutes\""]),
        (
            "peers = 50",
            "peers = \"50\"",
            "s.toml:5:9: ",
            &["a whole number from 1 to 1000000", "found the text"],
        ),
        ("peers = 50", "peers = 50.0", "s.toml:5:9: ", &["found the number 50.0"]),
        ("\"2/s\"", "\"2\"", "s.toml:12:19: ", &["a rate with its unit"]),
        ("\">= 0.99\"", "0.99", "s.toml:20:10: ", &["a comparison"]),
        ("\">= 0.99\"", "\">= 99\"", "s.toml:20:10: ", &["share"]),
        ("\">= 0.99\"", "\"<= 2s\"", "s.toml:20:10: ", &["share"]),
        (
            "{ share = 0.1 }",
            "0.1",
            "s.toml:17:10: ",
            &["\"silent\" in [[fault]] must be a table: among, share"],
        ),
        // Ranges.
        ("share = 0.1", "share = -0.1", "s.toml:17:20: ", &["a share from 0 to 1", "found the number -0.1"]),
        ("share = 0.1", "share = nan", "s.toml:17:20: ", &["a share from 0 to 1"]),
        ("\"2/s\"", "\"1e12/s\"", "s.toml:12:19: ", &["at most 100000/s", "1e12/s"]),
        ("\"2/s\"", "\"90000/s\"", "s.toml:12:19: ", &["about 48150000 operations, over 1000000"]),
        (
            "peers = 50",
            "peers = 1000000000",
            "s.toml:5:9: ",
            &["from 1 to 1000000", "found the number 1000000000"],
        ),
        ("peers = 50", "peers = -5", "s.toml:5:9: ", &["found the number -5"]),
        ("peers = 50", "peers = 0", "s.toml:5:9: ", &["found the number 0"]),
        (
            "packages = 100",
            "packages = 100_000\nversions = 100",
            "s.toml:10:12: ",
            &["are over 200000 releases"],
        ),
        // What does not go together.
        ("registries = 3", "registries = 51", "s.toml:6:14: ", &["51 registries cannot be among 50 peers"]),
        (
            "until = \"2m\"",
            "until = \"30s\"",
            "s.toml:16:9: ",
            &["the fault ends at 30s, no later than it begins at 1m"],
        ),
        ("until = \"2m\"", "for = \"20m\"", "s.toml:16:7: ", &["after the end of the run at 10m"]),
        ("until = \"2m\"", "until = \"2m\"\nfor = \"2m\"", "s.toml:17:7: ", &["not both"]),
        ("at = \"1m\"", "at = \"11m\"", "s.toml:15:6: ", &["when the run has ended at 10m"]),
        ("until = \"9m\"", "until = \"4s\"", "s.toml:12:47: ", &["no later than it begins at 5s"]),
        ("until = \"9m\"", "until = \"19m\"", "s.toml:12:47: ", &["after the end of the run at 10m"]),
        (
            "until = \"9m\"",
            "at = \"9m\"",
            "s.toml:12:44: ",
            &["search needs exactly one of at, rate; found at and rate"],
        ),
        ("rate = \"2/s\", ", "", "s.toml:12:10: ", &["search needs exactly one of at, rate; found none"]),
        ("search = {", "registry = {", "s.toml:12:1: ", &["unknown key \"registry\" in [[workload]]"]),
        ("from = \"5s\"", "registry = 3", "s.toml:12:37: ", &["there is no registry 3: the scenario has 3"]),
        (
            "from = \"5s\"",
            "count = 3",
            "s.toml:12:34: ",
            &["\"count\" is for a workload that is done \"at\" a time"],
        ),
        ("silent = { share = 0.1 }", "", "s.toml:14:1: ", &["[[fault]] needs exactly one of churn, crash"]),
        ("silent = { share = 0.1 }", "silent = {}\nstall = {}", "s.toml:18:9: ", &["found silent and stall"]),
        (
            "silent = { share = 0.1 }",
            "malformed = { kinds = [\"trunkated\"] }",
            "s.toml:17:24: ",
            &["\"trunkated\"", "did you mean \"truncated\"?"],
        ),
        (
            "silent = { share = 0.1 }",
            "malformed = { kinds = [] }",
            "s.toml:17:23: ",
            &["a list of some of truncated"],
        ),
        ("silent = { share = 0.1 }", "partition = {}", "s.toml:17:13: ", &["a partition needs two sides"]),
        (
            "silent = { share = 0.1 }",
            "rollback = { package = 100 }",
            "s.toml:17:24: ",
            &["there is no package 100: the catalogue has 100"],
        ),
        (
            "silent = { share = 0.1 }",
            "churn = { session = {} }",
            "s.toml:17:21: ",
            &["exactly one of weibull, exponential, fixed"],
        ),
        (
            "search = { rate = \"2/s\", from = \"5s\", until = \"9m\" }",
            "yank = { at = \"1m\" }",
            "s.toml:12:8: ",
            &["add a publish workload"],
        ),
        (
            "[catalogue]",
            "profile = \"explicit\"\n[catalogue]",
            "s.toml:8:11: ",
            &["needs [network.explicit]"],
        ),
        (
            "[catalogue]",
            "profile = \"intranet\"\n[catalogue]",
            "s.toml:8:11: ",
            &["did you mean \"internet\"?"],
        ),
        ("packages = 100", "source = \"file\"", "s.toml:9:10: ", &["needs \"path\""]),
        (
            "packages = 100",
            "source = \"file\"\npath = \"no/such.jsonl\"",
            "s.toml:10:8: ",
            &["the catalogue file no/such.jsonl cannot be read"],
        ),
        (
            "packages = 100",
            "source = \"file\"\nlarge = 0.5\npath = \"x\"",
            "s.toml:10:9: ",
            &["\"large\" is for a synthetic catalogue"],
        ),
        (
            "[network]",
            "[registry]\ntimeout = \"1s\"\nrequest_timeout = \"2s\"\n[network]",
            "s.toml:6:19: ",
            &["longer than the query's \"timeout\""],
        ),
        // What is missing.
        (
            "description = \"d\"",
            "",
            "s.toml:1:1: ",
            &["the scenario needs \"description\": text of 1 to 2000 bytes"],
        ),
        ("peers = 50", "", "s.toml:4:2: ", &["[network] needs \"peers\": a whole number"]),
        ("packages = 100", "", "s.toml:8:2: ", &["needs \"packages\""]),
        // What is no TOML.
        ("peers = 50", "peers = = 50", "s.toml:5:9: ", &[]),
        ("peers = 50", "peers = 50\npeers = 51", "s.toml:6:1: ", &["duplicate key"]),
    ];
    for (find, put, place, words) in table {
        let said = said(find, put);
        assert!(said.starts_with(place), "{put}: wanted {place}, got {said}");
        for word in *words {
            assert!(said.contains(word), "{put}: wanted {word:?} in {said}");
        }
    }
}

#[test]
fn files_that_are_none_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.toml");
    let said = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Scenario::read(&path).unwrap_err().to_string()
    };
    assert!(said(b"").ends_with("s.toml: is empty; a scenario begins with `description = \"\u{2026}\"`"));
    assert!(said(b" \n\t\n").contains("is empty"));
    assert!(said(&[0x7f, b'E', b'L', b'F', 0xff, 0xfe]).contains("is not text: byte 4 is not UTF-8"));
    assert!(said(&vec![b'#'; 2 << 20]).contains("has 2097152 bytes, at most 1048576 are allowed"));
    assert!(
        Scenario::read(folder.path().join("none.toml")).unwrap_err().to_string().contains("cannot be read")
    );
    assert!(Scenario::read(folder.path()).unwrap_err().to_string().contains("it is a folder"));
}

#[test]
fn nesting_without_end_is_refused() {
    let deep = format!("description = {}", "[".repeat(100_000));
    assert!(read(&deep).is_err());
    let tables = format!("{}\n", (0..5_000).map(|_| "a").collect::<Vec<_>>().join("."));
    assert!(read(&format!("{tables} = 1")).is_err());
}

fn sections(section: &'static Section, seen: &mut Vec<&'static Section>) {
    if seen.iter().any(|known| core::ptr::eq(*known, section)) {
        return;
    }
    seen.push(section);
    for key in section.keys {
        if let Kind::Table(inner) | Kind::Tables(inner) = key.kind {
            sections(inner, seen);
        }
    }
}

/// A default that did not fit its own declaration would be an error in every file.
#[test]
fn each_default_fits_its_declaration_and_each_key_is_described() {
    let mut seen = Vec::new();
    sections(&SCENARIO, &mut seen);
    assert!(seen.len() > 20);
    for section in seen {
        assert!(!section.doc.is_empty());
        for key in section.keys {
            assert!(key.doc.ends_with('.'), "{} in {}", key.name, section.name);
            if let Need::Default(_) = key.need {
                super::validate::filled(section, key).unwrap_or_else(|error| panic!("{error}"));
            }
        }
        for name in section.one_of {
            assert!(section.key(name).is_some(), "{name} in {}", section.name);
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(?s).{0,400}") {
        let _ = read(&text);
    }

    /// Nearly good files reach further than noise does.
    #[test]
    fn no_damaged_file_makes_the_reader_panic(at in 0..GOOD.len(), with in "[-+.=\\[\\]{}\"'0-9a-z\\n#é]{0,12}", cut in 0usize..30) {
        let mut end = (at + cut).min(GOOD.len());
        while !GOOD.is_char_boundary(end) { end += 1; }
        let _ = read(&format!("{}{with}{}", &GOOD[..at], &GOOD[end..]));
    }
}
