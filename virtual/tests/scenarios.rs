//! The program as whoever runs it sees it: scenarios on real nodes hold, and come out alike in every process.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::{Command, Output};

use swarmproof::scenario::report::{RunReport, Verdict};

/// `swarmproof-virtual run FILE --seed 0 --format json`.
fn run(file: &Path) -> Output {
    let program = env!("CARGO_BIN_EXE_swarmproof-virtual");
    let asked = ["--seed", "0", "--format", "json"];
    Command::new(program).arg("run").arg(file).args(asked).output().unwrap()
}

/// The one report of a run in which all held.
fn report(file: &str) -> RunReport {
    let output = run(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(file));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    let mut lines = out.lines();
    let report = serde_json::from_str(lines.next().expect("a report")).unwrap();
    assert_eq!(lines.next(), None, "one run has one report");
    report
}

/// All holds on real nodes, and no process has another hash than the others: the program makes each run in two
/// and says of a difference that it is a violation; this is a third and a fourth.
fn holds_and_repeats(file: &str) {
    let [first, second] = [report(file), report(file)];
    assert_eq!((first.network.as_str(), first.verdict), ("virtual", Verdict::Pass), "{first:?}");
    assert_eq!(first.violations, [], "{first:?}");
    assert_eq!(first.seed, 0);
    assert!(first.searches.started > 0 && first.found > 0, "nothing was searched for: {first:?}");
    assert_eq!(first.trace_hash.len(), 32, "a hash of 128 bits in hex: {:?}", first.trace_hash);
    assert_eq!(first.trace_hash, second.trace_hash);
    assert_eq!(first.events, second.events);
}

#[test]
fn a_network_without_faults() {
    holds_and_repeats("real/baseline.toml");
}

#[test]
fn a_registry_that_is_cut_off_for_a_while() {
    holds_and_repeats("fidelity/faulty/partition.toml");
}

#[test]
fn a_file_that_is_no_scenario_is_refused() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join("no-scenario.toml");
    std::fs::write(&file, "pears = 10\n").unwrap();
    let output = run(&file);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("no-scenario.toml:1:1") && said.contains("\"pears\""), "{said}");
    assert!(output.stdout.is_empty(), "nothing was run");
}
