use core::time::Duration;

use super::*;
use crate::scenario::{Plan, RunOptions, Scenario, run};
use crate::testbed::NodeId;

/// A network in which peers fall silent and crash, one of the registries among them.
const WEATHER: &str = r#"
description = "Peers fall silent, and crash."
duration = "30s"
[network]
peers = 16
registries = 3
profile = "internet"
[catalogue]
packages = 30
publishers = 4
[[workload]]
search = { rate = "3/s", from = "1s", until = "25s" }
[[workload]]
get = { rate = "1/s", from = "1s", until = "25s" }
[[fault]]
at = "8s"
silent = { share = 0.4 }
[[fault]]
at = "12s"
crash = { registry = 1, keep = "nothing" }
"#;

fn plan(text: &str) -> Plan {
    Plan::make(&Scenario::parse(text, std::path::Path::new("s.toml")).unwrap(), 7)
}

fn recorded(plan: &Plan, chronicle: &Chronicle) -> (crate::scenario::report::RunReport, History) {
    let options = RunOptions { chronicle: Some(chronicle.clone()), why: true, ..RunOptions::default() };
    let report = run(plan, options).unwrap();
    (report, chronicle.history())
}

#[test]
fn going_along_changes_nothing() {
    let plan = plan(WEATHER);
    let alone = run(&plan, RunOptions::default()).unwrap();
    let (report, history) = recorded(&plan, &Chronicle::default());
    assert_eq!(report.trace_hash, alone.trace_hash);
    assert!(history.events_in_all > 1000, "{}", history.events_in_all);
    // Every event of the trace is there, as often as `--trace` writes a line.
    let lines = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let trace = Some(Box::new(Lines(lines.clone())) as Box<dyn std::io::Write + Send>);
    let chronicle = Chronicle::default();
    let both = RunOptions { trace, chronicle: Some(chronicle.clone()), ..RunOptions::default() };
    assert_eq!(run(&plan, both).unwrap().trace_hash, alone.trace_hash);
    let written = lines.lock().unwrap().iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(written as u64, chronicle.history().events_in_all);
}

struct Lines(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn spans_are_what_the_run_counted() {
    let (report, history) = recorded(&plan(WEATHER), &Chronicle::default());
    let searches: Vec<&Query> = history.queries.iter().filter(|it| it.search).collect();
    assert_eq!(searches.len() as u64, report.searches.started);
    assert_eq!((history.queries.len() - searches.len()) as u64, report.gets.started);
    let how =
        |ending| searches.iter().filter(|it| it.ended.is_some_and(|(_, how)| how == ending)).count() as u64;
    assert_eq!(how(Ending::Complete), report.searches.complete);
    assert_eq!(how(Ending::Enough), report.searches.enough);
    assert_eq!(how(Ending::Partial), report.searches.partial);
    assert_eq!(how(Ending::Failed), report.searches.failed);
    assert_eq!(how(Ending::Died) + how(Ending::Cancelled), report.searches.cancelled);
    // A span begins and ends when the run says: its length is the query's latency.
    let ended = searches.iter().filter(|it| !matches!(it.ended, Some((_, Ending::Died | Ending::Cancelled))));
    let lengths: Vec<Duration> = ended.map(|it| it.ended.unwrap().0.since(it.begun)).collect();
    assert_eq!(crate::scenario::report::Latency::of(lengths), report.latency_ms);
    let of_queries = history.requests.iter().filter(|it| it.query.is_some()).count();
    assert_eq!(of_queries as u64, report.requests);
    for request in history.requests.iter().filter(|it| it.query.is_some()) {
        let query = &history.queries[request.query.unwrap()];
        assert_eq!(query.node, request.node);
        assert!(query.begun <= request.begun && query.ended.is_none_or(|(end, _)| request.begun <= end));
    }
}

#[test]
fn accounts_tell_who_was_silent() {
    let (_, history) = recorded(&plan(WEATHER), &Chronicle::default());
    for it in &history.accounts {
        let ended = it.answered + it.timed_out + it.refused + it.failed + it.given_up;
        assert!(ended <= it.asked, "{it:?}");
    }
    let asked: u64 = history.accounts.iter().map(|it| it.asked).sum();
    let questions = history.requests.iter().filter(|it| matches!(it.wants, Wants::Answer(_))).count();
    assert_eq!(asked, questions as u64);
    assert!(history.accounts.iter().any(|it| it.timed_out > 0), "nobody timed out in {:?}", history.accounts);
}

#[test]
fn lives_end_with_a_crash() {
    let (_, history) = recorded(&plan(WEATHER), &Chronicle::default());
    let of = |node| history.lives.iter().filter(|it| it.node == NodeId(node)).copied().collect::<Vec<_>>();
    let crash = Timestamp::ZERO.after(Duration::from_secs(12));
    assert_eq!(of(0), [Life { node: NodeId(0), from: Timestamp::ZERO, until: None }]);
    assert_eq!(of(1)[0], Life { node: NodeId(1), from: Timestamp::ZERO, until: Some(crash) });
    assert_eq!(of(1).len(), 1, "it does not come back");
    // Nothing that its registry did goes on after that.
    let ends = |it: &Query| it.ended.is_some_and(|(at, _)| at <= crash);
    assert!(history.queries.iter().filter(|it| it.node == NodeId(1)).all(ends));
    assert!(history.requests.iter().filter(|it| it.node == NodeId(1)).all(|it| it.ended.unwrap().0 <= crash));
}

#[test]
fn scores_are_what_registries_tell() {
    let (_, history) = recorded(&plan(WEATHER), &Chronicle::default());
    assert!(history.scores.iter().any(|it| it.cause == Cause::TimedOut && it.score < 0.5));
    assert!(history.settled.iter().any(|it| it.told < 0.5) && history.settled.iter().any(|it| it.told > 0.6));
    for settled in &history.settled {
        assert!((settled.told - settled.summed).abs() < 1e-9, "{settled:?}");
    }
}

/// So many events, one each millisecond, in a chronicle that keeps those around these milliseconds.
fn long(events: u64, around: &[u64]) -> History {
    let chronicle =
        Chronicle::around(around.iter().map(|it| Timestamp::ZERO.after(Duration::from_millis(*it))));
    let mut sink =
        Recorded::<crate::sim::JsonLines<Vec<u8>>> { inner: None, chronicle: Some(chronicle.clone()) };
    for number in 1..=events {
        let at = Timestamp::ZERO.after(Duration::from_millis(number));
        crate::sim::TraceSink::event(&mut sink, at, &crate::sim::TraceEvent::Dropped { node: 1 });
    }
    chronicle.history()
}

#[test]
fn what_is_beyond_the_bound_is_told_and_what_failed_is_kept() {
    let most = MOST_EVENTS as u64;
    let all = long(most, &[]);
    assert_eq!((all.left_out.events, all.events.len() as u64), (0, most));

    let history = long(most * 3, &[most * 2]);
    let kept = |number| history.events.iter().any(|it| it.number == number);
    let near = AROUND as u64;
    assert!(kept(1) && kept(most), "the first are kept");
    assert!(!kept(most + 1) && !kept(most * 2 - near - 1), "then there is a gap");
    assert!(
        kept(most * 2 - near) && kept(most * 2) && kept(most * 2 + near - 1),
        "then those around the instant"
    );
    assert!(!kept(most * 2 + near) && !kept(most * 3 - near), "then a gap again");
    assert!(kept(most * 3 - near + 1) && kept(most * 3), "then the last");
    assert_eq!(history.left_out.events, most * 3 - history.events.len() as u64);
    assert_eq!(history.events_in_all, most * 3);
    assert!(history.events.is_sorted_by_key(|it| it.number));
}
