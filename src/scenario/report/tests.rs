//! The report's fields and words.

use super::*;

/// A run that held.
fn good() -> RunReport {
    RunReport {
        scenario: "scenarios/baseline/small.toml".into(),
        seed: 3,
        network: "sim".into(),
        verdict: Verdict::Pass,
        trace_hash: "0123456789abcdef0123456789abcdef".into(),
        peers: 50,
        events: 1_234_567,
        messages: 98_765,
        virtual_ms: 600_000,
        wall_ms: 480.0,
        recall: 1.0,
        recall_over: 120,
        searches: Endings { started: 120, complete: 100, enough: 20, ..Endings::default() },
        gets: Endings::default(),
        publishes: Publishes { started: 5, published: 5, failed: 0 },
        found: 260,
        get_latency_ms: Latency::default(),
        latency_ms: Latency { p50: Some(4.25), p95: Some(312.4), p99: Some(1875.0), max: Some(2000.125) },
        requests: 500,
        search_requests: 372,
        traffic: Traffic::default(),
        malformed: Malformed { sent: 40, rejected: 40, delivered: 0 },
        violations: vec![],
        expectations: vec![expectation(true)],
        why: vec![],
        replay: String::new(),
        probes: [("hedge-fired".to_owned(), 2)].into(),
        results: Results::default(),
    }
}

fn expectation(held: bool) -> Expectation {
    Expectation { name: "recall".into(), wanted: ">= 0.99".into(), got: "0.98765".into(), held }
}

/// A run that did not.
fn bad() -> RunReport {
    let mut report = RunReport {
        seed: 4,
        recall: 0.999_96,
        violations: vec![Violation {
            oracle: "ends-once".into(),
            at_ms: 12_045,
            detail: "search 7 of n3 ended twice".into(),
        }],
        expectations: vec![expectation(false)],
        why: vec!["search 9 missed serde 1.0.0: its holder n12 was down since 41 s".into()],
        replay: "swarmproof run scenarios/baseline/small.toml --seed 4".into(),
        ..good()
    };
    report.verdict = report.judge();
    report
}

fn marked(tone: Tone, text: &str) -> String {
    match tone {
        Tone::Good => format!("<good>{text}</>"),
        Tone::Bad => format!("<bad>{text}</>"),
        _ => text.to_owned(),
    }
}

#[test]
fn json_has_every_field_that_programs_read() {
    let value = serde_json::to_value(bad()).unwrap();
    let keys = |value: &serde_json::Value| -> Vec<String> {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect()
    };
    let found = keys(&value);
    for key in [
        "scenario",
        "seed",
        "network",
        "verdict",
        "trace_hash",
        "peers",
        "events",
        "messages",
        "virtual_ms",
        "wall_ms",
        "recall",
        "searches",
        "latency_ms",
        "requests",
        "malformed",
        "violations",
        "expectations",
    ] {
        assert!(found.iter().any(|it| it == key), "{key} is missing");
    }
    assert_eq!(value["verdict"], "fail");
    assert_eq!(
        keys(&value["searches"]),
        ["cancelled", "complete", "enough", "failed", "in_flight", "partial", "started"]
    );
    assert_eq!(keys(&value["latency_ms"]), ["max", "p50", "p95", "p99"]);
    assert_eq!(keys(&value["malformed"]), ["delivered", "rejected", "sent"]);
    assert_eq!(keys(&value["violations"][0]), ["at_ms", "detail", "oracle"]);
    assert_eq!(keys(&value["expectations"][0]), ["got", "held", "name", "wanted"]);
    let back: RunReport = serde_json::from_value(value).unwrap();
    assert_eq!(back, bad());
}

#[test]
fn the_verdict_fails_with_either_kind_of_fault() {
    assert_eq!(good().judge(), Verdict::Pass);
    let report = RunReport { violations: bad().violations, ..good() };
    assert_eq!(report.judge(), Verdict::Fail);
    let report = RunReport { expectations: vec![expectation(true), expectation(false)], ..good() };
    assert_eq!(report.judge(), Verdict::Fail);
}

#[test]
fn endings_add_up_or_not() {
    assert!(good().searches.add_up());
    assert!(!Endings { started: 3, complete: 1, failed: 1, ..Endings::default() }.add_up());
    let wrapped = Endings { started: 0, complete: u64::MAX, failed: 1, ..Endings::default() };
    assert!(!wrapped.add_up(), "a sum that overflows does not add up");
}

#[test]
fn a_line_tells_the_run() {
    assert_eq!(
        line(&good(), &plain),
        "pass scenarios/baseline/small.toml seed 3: recall 1.000, p95 312 ms, 98,765 messages, \
         600 s in 480 ms (1250x)"
    );
    assert_eq!(
        line(&bad(), &marked),
        "<bad>fail</> scenarios/baseline/small.toml seed 4: recall 0.999, p95 312 ms, 98,765 messages, \
         600 s in 480 ms (1250x), <bad>1 violation</>, <bad>not as expected: recall</>"
    );
}

#[test]
fn the_table_has_a_row_a_run() {
    let nothing = RunReport { recall_over: 0, latency_ms: Latency::default(), wall_ms: 0.0, ..good() };
    let nothing = RunReport { searches: Endings::default(), seed: 1000, ..nothing };
    assert_eq!(
        summary(&[good(), bad(), nothing], &plain),
        "\
scenario                       seed  verdict  recall     p50     p95     p99  req/search  mal. sent  rejected  speed  trace
scenarios/baseline/small.toml     3  pass      1.000  4.2 ms  312 ms  1.88 s         3.1         40        40  1250x  0123456789ab
scenarios/baseline/small.toml     4  fail      0.999  4.2 ms  312 ms  1.88 s         3.1         40        40  1250x  0123456789ab
scenarios/baseline/small.toml  1000  pass          -       -       -       -           -         40        40      -  0123456789ab
"
    );
}

#[test]
fn a_failure_names_what_why_and_how_to_replay() {
    assert_eq!(
        failure(&bad(), &plain),
        "\
fail scenarios/baseline/small.toml seed 4 (trace 0123456789abcdef0123456789abcdef)
  violated ends-once at 12.045s: search 7 of n3 ended twice
  expected recall >= 0.99, got 0.98765
  why      search 9 missed serde 1.0.0: its holder n12 was down since 41 s
  replay   swarmproof run scenarios/baseline/small.toml --seed 4
"
    );
}

#[test]
fn the_stable_text_knows_no_wall_time() {
    let slow = RunReport { wall_ms: 99_999.0, replay: "elsewhere".into(), ..good() };
    assert_eq!(stable(&[good()]), stable(&[slow]));
    assert_ne!(stable(&[good()]), stable(&[bad()]));
    let text = stable(&[bad()]);
    for part in [
        "  verdict      fail\n",
        "  events       1,234,567\n",
        "  virtual time 600 s\n",
        "  recall       0.999960 over 120\n",
        "  searches     120: 100 complete, 20 enough, 0 partial, 0 failed, 0 cancelled, 0 in flight\n",
        "  latency      p50 4.250 ms, p95 312.400 ms, p99 1875.000 ms, max 2000.125 ms\n",
        "  expectation  recall >= 0.99: 0.98765, missed\n",
        "  violation    ends-once at 12045 ms: search 7 of n3 ended twice\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}
