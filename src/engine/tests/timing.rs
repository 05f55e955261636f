//! How long requests are given, and that nothing grows.

use core::time::Duration;

use super::rig::*;
use crate::engine::{Cause, EngineConfig, InFlight, Outcome, QueryConfig, Reason};
use crate::network::{Event, Failure, PeerChange, RequestId};
use crate::time::Timestamp;

fn adaptive() -> QueryConfig {
    QueryConfig { adaptive_timeout: true, request_timeout: Duration::from_secs(4), ..config(1, 1) }
}

/// The time that the one question which is out was given.
fn given(rig: &Rig) -> Duration {
    let (request, ..) = rig.asks()[0];
    rig.out[&request].2.deadline.since(rig.now)
}

#[test]
fn a_fixed_timeout_is_what_was_configured_within_the_querys_deadline() {
    let mut rig = Rig::with_peers(1);
    let id = rig.search(config(1, 1));
    assert_eq!(given(&rig), Duration::from_secs(1));
    rig.cancel(id);
    let short = QueryConfig { timeout: Duration::from_millis(700), ..config(1, 1) };
    let _ = rig.search(short);
    assert_eq!(given(&rig), Duration::from_millis(700));
    let request = rig.asks()[0].0;
    rig.end(request, Err(Failure::TimedOut));
    assert!(rig.charges.is_empty(), "it was cut short: its silence says nothing");
}

#[test]
fn an_adaptive_timeout_follows_the_peers_answers_and_its_silence() {
    let mut rig = Rig::with_peers(1);
    let _ = rig.search(adaptive());
    assert_eq!(given(&rig), Duration::from_secs(4), "nothing is known");
    rig.ms(200);
    rig.answer(rig.asks()[0].0, found(9, &[]));
    let _ = rig.search(adaptive());
    assert_eq!(given(&rig), Duration::from_millis(600), "s + 4 s/2");
    rig.ms(600);
    rig.end(rig.asks()[0].0, Err(Failure::TimedOut));
    assert_eq!(rig.charged()[1..], [(1, Cause::TimedOut)]);
    let _ = rig.search(adaptive());
    assert_eq!(given(&rig), Duration::from_millis(1200), "a timeout is a censored sample");
    rig.ms(100);
    rig.answer(rig.asks()[0].0, found(9, &[]));
    let _ = rig.search(adaptive());
    assert!((300..700).contains(&given(&rig).as_millis()), "{:?}", given(&rig));
}

#[test]
fn strangers_are_given_what_others_take_and_dialling_is_counted_apart() {
    let mut rig = Rig::with_peers(1);
    let _ = rig.search(adaptive());
    rig.ms(100);
    rig.answer(rig.asks()[0].0, found(9, &[]));
    rig.event(Event::Peer { peer: 2, change: PeerChange::Up });
    (0..3).for_each(|_| rig.reject(1, 1)); // It is blocked, so that 2 is asked.
    let id = rig.search(adaptive());
    assert_eq!((rig.asks()[0].1, given(&rig)), (2, Duration::from_millis(300)));
    rig.cancel(id);
    rig.event(Event::Peer { peer: 2, change: PeerChange::Down });
    let _ = rig.search(adaptive());
    assert_eq!((rig.asks()[0].1, given(&rig)), (2, Duration::from_secs(4)), "nobody was ever dialled");
    rig.ms(900);
    rig.answer(rig.asks()[0].0, found(9, &[]));
    let _ = rig.search(adaptive());
    assert_eq!((rig.asks()[0].1, given(&rig)), (2, Duration::from_millis(2700)), "and now it was");
}

#[test]
fn the_load_of_a_peer_is_counted_up_and_down_once() {
    let mut rig = Rig::with_peers(1);
    let load = |rig: &Rig| rig.engine.reputation().get(&1).unwrap().in_flight;
    let first = rig.search(config(1, 1));
    let _second = rig.search(config(1, 1));
    assert_eq!(load(&rig), 2);
    let request = rig.asks()[1].0;
    rig.cancel(first);
    rig.cancel(first);
    assert_eq!(load(&rig), 1);
    rig.end(request, Err(Failure::Broken));
    rig.end(request, Err(Failure::Broken));
    assert_eq!(load(&rig), 0);
    rig.assert_idle();
}

#[test]
fn the_next_deadline_is_the_earliest_of_queries_and_overdue_requests() {
    let mut rig = Rig::with_peers(1);
    assert_eq!(rig.engine.next_deadline(), None);
    let id = rig.search(config(1, 1));
    assert_eq!(rig.engine.next_deadline(), Some(rig.now.after(Duration::from_millis(1500))));
    let short = QueryConfig { timeout: Duration::from_millis(1200), ..config(1, 1) };
    let _ = rig.search(short);
    assert_eq!(rig.engine.next_deadline(), Some(rig.now.after(Duration::from_millis(1200))));
    let early = Timestamp::ZERO;
    rig.engine.handle_deadline(early, rig.wall);
    assert!(!rig.ended(id), "time never goes back, and nothing is due");
}

#[test]
fn nothing_grows_with_the_queries_that_ended() {
    let mut rig = Rig::with_peers(3);
    let a = widget("a");
    for round in 0..300 {
        let id = rig.search(config(2, 2));
        for (request, _, _) in rig.asks() {
            rig.answer(request, found(9, &[&a]));
        }
        assert!(rig.ended(id), "round {round}");
        rig.seen.remove(&id);
        rig.learned.clear();
        rig.charges.clear();
    }
    let live = rig.engine.in_flight();
    assert_eq!(live, InFlight::default());
    assert_eq!(rig.engine.next_deadline(), None);
}

#[test]
fn a_thousand_queries_at_once_end_each_by_itself() {
    let mut rig = Rig::new(EngineConfig { explore_permille: 0, ..EngineConfig::default() });
    (1..=40).for_each(|peer| _ = rig.event(Event::Peer { peer, change: PeerChange::Up }));
    let records = [widget("a"), widget("b")];
    let mut ids = Vec::new();
    for _ in 0..200 {
        ids.push(rig.search(config(3, 3)));
    }
    assert_eq!(rig.asks().len(), 600);
    let loads: Vec<u32> = rig.engine.reputation().peers().map(|(_, standing)| standing.in_flight).collect();
    assert!(loads.iter().all(|load| (8..=24).contains(load)), "load is spread: {loads:?}");
    // The first query's answers carry a; nobody else may be given it.
    let of_first: Vec<RequestId> =
        rig.out.iter().filter(|(_, (query, ..))| *query == ids[0]).map(|(id, _)| *id).collect();
    for request in of_first {
        rig.answer(request, found(9, &[&records[0]]));
    }
    assert_eq!(rig.names(ids[0]), ["a"]);
    assert!(ids[1..].iter().all(|id| rig.seen[id].delivered.is_empty()));
    for (request, _, _) in rig.asks() {
        rig.answer(request, found(9, &[&records[1]]));
    }
    assert!(ids[1..].iter().all(|id| rig.names(*id) == ["b"]));
    rig.assert_idle();
}

#[test]
fn metrics_show_distributions_and_not_the_last_value() {
    let mut rig = Rig::with_peers(1);
    for millis in [10, 100, 1] {
        let _ = rig.search(config(1, 1));
        rig.ms(millis);
        rig.answer(rig.asks()[0].0, found(9, &[&widget("a")]));
    }
    let latency = &rig.engine.metrics().latency;
    assert_eq!(latency.mean(), Some(37_000_000));
    assert_eq!((latency.least(), latency.most()), (Some(1_000_000), Some(100_000_000)));
    assert_eq!(rig.engine.metrics().results.mean(), Some(1));
    assert_eq!(rig.engine.metrics().requests_per_query.quantile(990), Some(1));
    assert_eq!(rig.engine.metrics().delivered, 3);
}

#[test]
fn configurations_out_of_range_name_the_field() {
    assert!(QueryConfig::balanced().check().is_ok());
    assert!(QueryConfig::low_latency().check().is_ok());
    assert!(QueryConfig::high_throughput().check().is_ok());
    assert!(EngineConfig::default().check().is_ok());
    let balanced = QueryConfig::balanced;
    let broken = [
        ("timeout", QueryConfig { timeout: Duration::ZERO, ..balanced() }),
        ("timeout", QueryConfig { timeout: Duration::from_secs(3601), ..balanced() }),
        ("max_results", QueryConfig { max_results: 0, ..balanced() }),
        ("max_results", QueryConfig { max_results: 1001, ..balanced() }),
        ("answers_wanted", QueryConfig { answers_wanted: 0, ..balanced() }),
        ("answers_wanted", QueryConfig { answers_wanted: 257, ..balanced() }),
        ("fan_out", QueryConfig { fan_out: crate::engine::FanOut::Fixed(0), ..balanced() }),
        ("fan_out", QueryConfig { fan_out: crate::engine::FanOut::Fixed(257), ..balanced() }),
        ("request_timeout", QueryConfig { request_timeout: Duration::ZERO, ..balanced() }),
        ("fetch_concurrency", QueryConfig { fetch_concurrency: 0, ..balanced() }),
    ];
    for (field, config) in broken {
        assert_eq!(config.check().unwrap_err().field, field);
    }
    let error = QueryConfig { max_results: 0, ..balanced() }.check().unwrap_err();
    assert_eq!(error.to_string(), "max_results must be from 1 to 1000, found 0");
    let config = EngineConfig { most_peers: 0, ..EngineConfig::default() };
    assert_eq!(config.check().unwrap_err().field, "most_peers");
    let config = EngineConfig { explore_permille: 1001, ..EngineConfig::default() };
    assert_eq!(config.check().unwrap_err().field, "explore_permille");
}

#[test]
fn a_search_waits_while_everybody_has_their_fill_of_questions() {
    let mut rig = Rig::new(EngineConfig { asks_per_peer: 2, ..EngineConfig::default() });
    (1..=2).for_each(|peer| _ = rig.event(Event::Peer { peer, change: PeerChange::Up }));
    let ids: Vec<_> = (0..5).map(|_| rig.search(config(2, 2))).collect();
    assert_eq!(rig.asks().len(), 4, "two questions to each of two");
    assert!(ids.iter().all(|id| !rig.ended(*id)), "who waits has not failed");
    let mut answered = 0;
    while let Some((request, _, _)) = rig.asks().first().cloned() {
        rig.answer(request, found(9, &[]));
        answered += 1;
        for peer in 1..=2 {
            assert!(rig.asks().iter().filter(|ask| ask.1 == peer).count() <= 2);
        }
    }
    assert_eq!(answered, 10);
    assert!(ids.iter().all(|id| rig.outcome(*id).outcome == Outcome::Complete));
    rig.assert_idle();
}

#[test]
fn a_search_that_waits_ends_at_its_deadline_or_when_given_up() {
    let mut rig = Rig::new(EngineConfig { asks_per_peer: 1, ..EngineConfig::default() });
    rig.event(Event::Peer { peer: 1, change: PeerChange::Up });
    let long = QueryConfig { request_timeout: Duration::from_secs(60), ..config(1, 1) };
    let _first = rig.search(long.clone());
    let late = rig.search(QueryConfig { timeout: Duration::from_secs(5), ..long.clone() });
    let given_up = rig.search(long.clone());
    let last = rig.search(long);
    rig.cancel(given_up);
    rig.ms(5_000);
    assert_eq!(rig.outcome(late).outcome, Outcome::Failed(Reason::Deadline));
    assert_eq!(rig.asks().len(), 1);
    rig.end(rig.asks()[0].0, Err(Failure::Broken));
    rig.answer(rig.asks()[0].0, found(9, &[]));
    assert_eq!(rig.outcome(last).outcome, Outcome::Complete);
    rig.assert_idle();
}

#[test]
fn those_who_wait_are_all_served_when_the_peer_is_lost() {
    let mut rig = Rig::new(EngineConfig { asks_per_peer: 1, ..EngineConfig::default() });
    rig.event(Event::Peer { peer: 1, change: PeerChange::Up });
    let ids: Vec<_> = (0..40).map(|_| rig.search(config(1, 1))).collect();
    rig.reject(1, 100);
    rig.reject(1, 100); // Blocked.
    rig.end(rig.asks()[0].0, Err(Failure::Broken));
    assert!(ids.iter().all(|id| rig.ended(*id)), "nobody is left to ask, for any of them");
    rig.assert_idle();
}
