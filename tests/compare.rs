//! `swarmproof compare`, as somebody types it: what it tells, draws and refuses, and that it is the same every time.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![cfg(feature = "cli")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const SCENARIO: &str = r#"
description = "Small enough to be compared while somebody waits."
seeds = "0..2"
duration = "15s"

[network]
peers = 24
registries = 2
profile = "mobile"

[catalogue]
packages = 30

[registry]
answers_wanted = 2
holds = 5

[[workload]]
search = { rate = "4/s", from = "1s", until = "10s", by = "words" }

[[fault]]
at = "0s"
slow = { share = 0.1, factor = 200 }

# A comparison is not held to what the file expects of its own strategy.
[expect]
latency_max = "<= 1ms"
"#;

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("small.toml"), SCENARIO).unwrap();
        Self { folder }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn compare(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_swarmproof"));
        command.current_dir(self.folder.path()).env("NO_COLOR", "1").arg("compare").args(arguments);
        command.output().unwrap()
    }

    /// Compare, and read the one line that comes of it.
    fn json(&self, arguments: &[&str]) -> (Output, Value) {
        let output = self.compare(&[arguments, &["--format", "json"]].concat());
        let line = serde_json::from_slice(&output.stdout).unwrap();
        (output, line)
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn rows(line: &Value) -> Vec<(String, f64, f64, bool)> {
    let figure = |row: &Value, name: &str| row[name].as_f64().unwrap();
    (line["rows"].as_array().unwrap().iter())
        .map(|row| {
            let name = row["fan_out"].as_str().unwrap().to_owned();
            let front = row["on_front"].as_bool().unwrap();
            (name, figure(row, "p99_ms"), figure(row, "requests_per_search"), front)
        })
        .collect()
}

#[test]
fn however_many_run_at_once_it_tells_and_draws_the_same() {
    let bench = Bench::new();
    let compare = |jobs: &str, svg: &str| {
        let output = bench.compare(&[
            "small.toml",
            "--fan-out",
            "1,2,4,hedged",
            "--seeds",
            "3..6",
            "--jobs",
            jobs,
            "--svg",
            svg,
        ]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        (output.stdout, fs::read(bench.at(svg)).unwrap())
    };
    // A longer picture that was there before leaves nothing behind.
    fs::write(bench.at("b.svg"), "x".repeat(100_000)).unwrap();
    let (one, three) = (compare("1", "a.svg"), compare("3", "b.svg"));
    assert!(one == three, "{}\n{}", String::from_utf8_lossy(&one.0), String::from_utf8_lossy(&three.0));
    let (text, svg) = (String::from_utf8(one.0).unwrap(), String::from_utf8(one.1).unwrap());
    assert!(text.starts_with("small.toml: 3 seeds, ") && text.contains("answers wanted 2"), "{text}");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    for name in ["1", "2", "4", "hedged"] {
        assert!(svg.contains(&format!(">{name}</text>")), "{name} is not in the picture");
    }
}

#[test]
fn strategies_differ_in_cost_and_the_front_is_who_is_not_beaten() {
    let bench = Bench::new();
    let (output, line) = bench.json(&["small.toml", "--fan-out", "1,2,6,adaptive", "--seeds", "0..4"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let rows = rows(&line);
    assert_eq!(rows.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), ["1", "2", "6", "adaptive"]);
    assert!(rows[0].1 > rows[1].1 && rows[2].2 > rows[1].2 * 2.0, "one waits, six cost: {rows:?}");
    for (name, p99, requests, front) in &rows {
        let beats = |it: &(String, f64, f64, bool)| {
            it.1 <= *p99 && it.2 <= *requests && (it.1 < *p99 || it.2 < *requests)
        };
        assert_eq!(*front, !rows.iter().any(beats), "{name}: {rows:?}");
    }
    // Seeds are pooled: both halves together have the searches of the whole, and not the mean of their quantiles.
    let searches = |seeds: &str| {
        let (_, line) = bench.json(&["small.toml", "--fan-out", "1", "--seeds", seeds]);
        line["rows"][0]["searches"].as_u64().unwrap()
    };
    assert_eq!(searches("0..4"), searches("0..2") + searches("2..4"));
    assert!(line["rows"][2]["bytes_per_search"].as_f64() > line["rows"][1]["bytes_per_search"].as_f64());
}

#[test]
fn the_figures_of_one_run_are_those_of_its_report() {
    let bench = Bench::new();
    let (_, line) = bench.json(&["small.toml", "--fan-out", "3", "--seeds", "1..2"]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_swarmproof"));
    let run = ["run", "small.toml", "--seed", "1", "--alone", "--format", "json"];
    let output = command.current_dir(bench.folder.path()).args(run).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "the file's own expectation does not hold");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let row = &line["rows"][0];
    // The file's strategy is that of its preset, three at once.
    for (own, of_report) in [("p50_ms", "p50"), ("p95_ms", "p95"), ("p99_ms", "p99")] {
        assert_eq!(row[own], report["latency_ms"][of_report], "{own}");
    }
    assert_eq!(row["searches"], report["searches"]["started"]);
    assert_eq!(row["recall"], report["recall"]);
    let each = report["search_requests"].as_f64().unwrap() / report["searches"]["started"].as_f64().unwrap();
    assert_eq!(row["requests_per_search"].as_f64(), Some(each));
}

#[test]
fn what_cannot_be_compared_is_refused_before_anything_is_run() {
    let bench = Bench::new();
    let path = |name: &str| bench.at(name).display().to_string();
    let nowhere = path("no/such/folder/x.svg");
    for (arguments, wanted) in [
        (&["--fan-out", "0"][..], "no strategy"),
        (&["--fan-out", ""], "no strategy"),
        (&["--fan-out", "1,,2"], "no strategy"),
        (&["--fan-out", "hegded"], "`hegded` is no strategy"),
        (&["--fan-out", "257"], "from 1 to 256"),
        (&["--fan-out", "2,hedged,2"], "names `2` twice"),
        (&["--seeds", "3..3"], "holds no seed"),
        (&["--seeds", "0..1000000000"], "more than"),
        (&["--svg", &nowhere], "cannot be written"),
        (&["--jobs", "0"], "0 is not in"),
    ] {
        let output = bench.compare(&[&["small.toml"], arguments].concat());
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(wanted), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    let none = bench.compare(&["none.toml"]);
    assert_eq!(none.status.code(), Some(2), "{}", said(&none));
    fs::write(bench.at("bad.toml"), "descriptoin = 'x'\n").unwrap();
    let bad = bench.compare(&["bad.toml", "--svg", "new.svg"]);
    assert_eq!(bad.status.code(), Some(2), "{}", said(&bad));
    assert!(!bench.at("new.svg").exists(), "nothing is written where a file is bad");
}

#[test]
fn what_the_documents_show_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    for profile in ["internet", "mobile", "lan"] {
        assert!(root.join(format!("scenarios/compare/{profile}.toml")).exists());
        assert!(readme.contains(&format!("scenarios/compare/{profile}.toml: ")), "the table of {profile}");
    }
    let picture = fs::read_to_string(root.join("docs/compare-internet.svg")).unwrap();
    assert!(
        readme.contains("](docs/compare-internet.svg)")
            && picture.contains("scenarios/compare/internet.toml")
    );
}
