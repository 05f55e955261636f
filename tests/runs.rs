//! What a run says of itself: the same twice, why it missed what it missed, and that it can be stopped.

#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::sync::atomic::Ordering;

use swarmproof::scenario::report::{RunReport, Verdict};
use swarmproof::scenario::{Plan, RunError, RunOptions, Scenario, run};

fn plan(text: &str, seed: u64) -> Plan {
    Plan::make(&Scenario::parse(text, Path::new("test.toml")).unwrap(), seed)
}

fn told(text: &str, seed: u64) -> RunReport {
    run(&plan(text, seed), RunOptions { why: true, ..RunOptions::default() }).unwrap()
}

/// Registry 0 is cut off from everyone, and its own catalogue is empty.
const CUT_OFF: &str = r#"
description = "One registry is alone."
duration = "60s"
[network]
peers = 20
registries = 2
[catalogue]
packages = 30
registries_start = "empty"
[registry]
holds = 1
[[workload]]
search = { rate = "1/s", from = "20s", until = "40s", registry = 0 }
[[fault]]
at = "15s"
partition = { registries = [0] }
"#;

#[test]
fn the_same_plan_gives_the_same_report() {
    let (first, second) = (told(CUT_OFF, 3), told(CUT_OFF, 3));
    assert_eq!(first, second);
    assert_ne!(first.trace_hash, told(CUT_OFF, 4).trace_hash);
}

#[test]
fn a_plan_that_was_written_and_read_runs_the_same() {
    let plan = plan(CUT_OFF, 5);
    let read = Plan::parse(&plan.to_toml().unwrap(), "plan.toml").unwrap();
    let hash = |plan: &Plan| run(plan, RunOptions::default()).unwrap().trace_hash;
    assert_eq!(hash(&plan), hash(&read));
}

#[test]
fn each_bad_ending_is_explained_by_its_cause() {
    let report = told(CUT_OFF, 1);
    assert_eq!(report.verdict, Verdict::Pass, "{:?}", report.violations);
    let bad = report.searches.partial + report.searches.failed;
    assert!(bad > 0, "nobody can be reached: {:?}", report.searches);
    assert!(report.why.len() as u64 >= bad, "{} reasons for {bad} bad endings", report.why.len());
    let reasons = ["timed out", "failed", "no peer is known", "its time was up", "nobody was left to ask"];
    for why in &report.why {
        assert!(why.starts_with("n0 q"), "{why}");
        assert!(reasons.iter().any(|reason| why.contains(reason)), "{why}");
    }
}

#[test]
fn an_expectation_that_does_not_hold_fails_the_run_and_says_what_came() {
    let report = told(&format!("{CUT_OFF}\n[expect]\ncomplete = \">= 100%\"\n"), 1);
    assert_eq!(report.verdict, Verdict::Fail);
    let expectation = &report.expectations[0];
    assert_eq!((expectation.name.as_str(), expectation.wanted.as_str()), ("complete", ">= 100%"));
    assert!(!expectation.held && expectation.got.contains(" of "), "{expectation:?}");
}

#[test]
fn a_run_that_is_told_to_stop_stops() {
    let options = RunOptions::default();
    options.stop.store(true, Ordering::Relaxed);
    assert_eq!(run(&plan(CUT_OFF, 1), options), Err(RunError::Stopped));
}

#[test]
fn malformed_answers_are_counted_refused_and_never_delivered() {
    let report = told(
        r#"
description = "Every modelled peer sends noise."
duration = "60s"
[network]
peers = 20
registries = 2
[catalogue]
packages = 30
[registry]
holds = 1
[[workload]]
search = { rate = "1/s", from = "5s", until = "50s" }
[[fault]]
at = "1s"
malformed = { share = 1.0, kinds = ["noise", "truncated", "bad-signature"] }
"#,
        1,
    );
    assert_eq!(report.verdict, Verdict::Pass, "{:?}", report.violations);
    let malformed = report.malformed;
    assert!(malformed.sent > 0 && malformed.rejected > 0 && malformed.delivered == 0, "{malformed:?}");
}
