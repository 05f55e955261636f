//! Queries through the handle: streamed, awaited, dropped, refused, ended with the network.

use core::pin::pin;
use core::task::Poll;

use super::harness::{Bench, config, package, poll_once, publisher, verifier};
use crate::engine::{Lookup, Outcome, QueryConfig, Reason};
use crate::network::Event;
use crate::package::Query;
use crate::record::Checked;
use crate::registry::{Bounds, Catalogue, Pool, Registry, RegistryError, RegistryResponder, Unanswered};
use crate::time::WallTime;

fn releases(seed: u8, names: &[&str]) -> Vec<Checked> {
    let key = publisher(seed);
    let sign = |(at, name): (usize, &&str)| {
        let release = key.release(&package(key.id(), name, "1.0.0", "ink and paper"), at as u64 + 1).unwrap();
        verifier().trust(release.into())
    };
    names.iter().enumerate().map(sign).collect()
}

pub(super) fn responder(records: &[Checked]) -> RegistryResponder {
    let mut catalogue = Catalogue::new(Pool::new(), Bounds::default());
    for record in records {
        catalogue.learn(record, WallTime::EPOCH);
    }
    RegistryResponder::new(catalogue, verifier())
}

fn bench_with_peers(peers: u32) -> Bench {
    let mut bench = Bench::new(config());
    for peer in 1..=peers {
        bench.peers.insert(peer, responder(&releases(1, &["ink", "pen", "paper"])));
        bench.network.wire().up(peer);
    }
    bench
}

#[test]
fn a_search_streams_and_then_tells_the_whole() {
    let mut bench = bench_with_peers(4);
    let registry = bench.registry();
    let mut handle = bench.wait(registry.search_stream(Query::text("ink paper", 10))).unwrap();
    let mut streamed = Vec::new();
    while let Some(hit) = bench.wait(handle.next()) {
        streamed.push(hit.package.release.package.name.to_string());
    }
    let outcome = bench.wait_alone(handle.outcome()).unwrap();
    assert_eq!(outcome.outcome, Outcome::Complete);
    let mut whole: Vec<String> =
        outcome.packages.iter().map(|hit| hit.package.release.package.name.to_string()).collect();
    assert_eq!(whole.len(), 3);
    whole.sort();
    streamed.sort();
    assert_eq!(streamed, whole);
    let snapshot = bench.wait(registry.inspect()).unwrap();
    assert_eq!((snapshot.queries, snapshot.waiters, snapshot.requests, snapshot.buffered), (0, 0, 0, 0));
    assert_eq!(snapshot.peers.len(), 4);
}

#[test]
fn a_search_may_only_be_awaited() {
    let mut bench = bench_with_peers(4);
    let registry = bench.registry();
    let outcome = bench.wait(registry.search(Query::text("ink paper", 2))).unwrap();
    assert_eq!((outcome.outcome, outcome.packages.len()), (Outcome::Enough, 2));
}

#[test]
fn a_dropped_handle_cancels_at_the_network_also_when_the_channel_is_full() {
    let mut few = config();
    few.channel = 1;
    let mut bench = Bench::new(few);
    (1..=4).for_each(|peer| bench.network.wire().up(peer));
    bench.turn();
    // Catching up is not this test's matter.
    let open = bench.network.wire().requests();
    for (id, request) in open {
        bench.serve_one(id, request);
    }
    bench.turn();
    let registry = bench.registry();
    let handle = bench.wait_alone(registry.search_stream(Query::text("ink", 5))).unwrap();
    bench.turn();
    let before = bench.wait_alone(registry.inspect()).unwrap();
    assert!(before.requests > 0, "peers are being asked");
    // The channel is full now, and the driver has not been polled since.
    let mut stuck = pin!(registry.search_stream(Query::text("pen", 5)));
    let Poll::Ready(Ok(second)) = poll_once(stuck.as_mut()) else { panic!("there was room for one") };
    let mut third = pin!(registry.query_metrics());
    assert!(poll_once(third.as_mut()).is_pending(), "the channel is full");
    drop(handle);
    drop(second);
    bench.turn();
    let engines = bench.network.wire().open.keys().filter(|id| id.0 >> 63 == 0).count();
    assert_eq!(engines, 0, "what was being asked is given up");
    let metrics = bench.wait_alone(third).unwrap();
    let after = bench.wait_alone(registry.inspect()).unwrap();
    assert_eq!((after.queries, after.waiters, after.requests), (0, 0, 0));
    assert_eq!((metrics.started, metrics.cancelled), (1, 1), "the second was dropped before it began");
}

#[test]
fn a_dropped_get_is_cancelled_too() {
    let mut bench = bench_with_peers(0);
    let registry = bench.registry();
    bench.serve();
    {
        let release = package(publisher(1).id(), "ink", "1.0.0", "").release;
        let mut task = pin!(registry.get_package_version(&release));
        assert!(poll_once(task.as_mut()).is_pending());
        bench.turn();
        assert!(poll_once(task.as_mut()).is_pending());
        assert_eq!(bench.network.wire().open.len(), 1, "the DHT is asked");
    }
    bench.turn();
    let wire = bench.network.wire();
    assert_eq!((wire.open.len(), wire.cancelled.len()), (0, 1));
}

#[test]
fn what_is_not_there_is_an_answer_and_what_cannot_be_told_is_an_error() {
    let mut bench = bench_with_peers(0);
    let registry = bench.registry();
    let ink = package(publisher(1).id(), "ink", "1.0.0", "");
    assert_eq!(bench.wait(registry.get_package_version(&ink.release)), Ok(None));
    assert_eq!(bench.wait(registry.list_versions(&ink.release.package)), Ok(None));
    assert_eq!(bench.wait(registry.exists(&ink.release.package)), Ok(false));
    assert_eq!(bench.wait(registry.metadata(&ink.release.package)), Ok(None));
    let pen = package(publisher(1).id(), "pen", "1.0.0", "").release;
    let mut task = pin!(registry.get_package_version(&pen));
    assert!(poll_once(task.as_mut()).is_pending());
    bench.turn();
    bench.at(10_001);
    let Poll::Ready(ended) = poll_once(task.as_mut()) else { panic!("past its deadline") };
    assert_eq!(ended, Err(RegistryError::Unanswered(Unanswered::Deadline)));
}

#[test]
fn a_query_that_cannot_be_asked_and_a_setting_out_of_range_are_typed_errors() {
    let mut bench = bench_with_peers(0);
    let registry = bench.registry();
    let empty = bench.wait(registry.search(Query::text(" ", 5)));
    assert!(matches!(empty, Err(RegistryError::Query(_))));
    let bad = QueryConfig { max_results: 0, ..QueryConfig::balanced() };
    assert_eq!(registry.with_query_config(bad).unwrap_err().field, "max_results");
    let mut few = config();
    few.channel = 0;
    assert_eq!(few.check().unwrap_err().field, "channel");
    few.channel = 1;
    few.publish.ttl = core::time::Duration::from_secs(1);
    assert_eq!(few.check().unwrap_err().field, "publish.refresh_every");
}

#[test]
fn when_the_network_closes_callers_get_what_was_found_and_then_are_told() {
    let mut bench = bench_with_peers(0);
    let registry = bench.registry();
    (1..=4).for_each(|peer| bench.network.wire().up(peer));
    let mut search = pin!(registry.search(Query::text("ink", 5)));
    let what = Lookup::Release(package(publisher(1).id(), "ink", "1.0.0", "").release);
    let mut get = pin!(registry.lookup(what));
    let mut publish = pin!(registry.publish(package(publisher(1).id(), "ink", "1.0.0", "")));
    assert!(poll_once(search.as_mut()).is_pending() && poll_once(get.as_mut()).is_pending());
    bench.turn();
    assert!(poll_once(publish.as_mut()).is_ready(), "there is no key");
    bench.network.wire().push(Event::Closed);
    bench.turn();
    assert!(bench.done);
    let Poll::Ready(Ok(ended)) = poll_once(search.as_mut()) else { panic!("the search hangs") };
    assert_eq!(ended.outcome, Outcome::Failed(Reason::NoAnswer));
    let Poll::Ready(Ok(ended)) = poll_once(get.as_mut()) else { panic!("the get hangs") };
    assert_eq!(ended.outcome, Outcome::Failed(Reason::NoAnswer));
    let late = bench.wait_alone(registry.search(Query::text("ink", 5)));
    assert_eq!(late, Err(RegistryError::Closed));
}

#[test]
fn when_the_last_handle_goes_the_driver_stops_and_ends_what_is_in_flight() {
    let mut bench = bench_with_peers(0);
    (1..=4).for_each(|peer| bench.network.wire().up(peer));
    let registry = bench.registry();
    let handle = bench.wait_alone(registry.search_stream(Query::text("ink", 5))).unwrap();
    bench.turn();
    assert!(!bench.done);
    drop(registry);
    bench.registry = None;
    bench.turn();
    assert!(bench.done && bench.network.wire().open.is_empty());
    let ended = bench.wait_alone(handle.outcome()).unwrap();
    assert_eq!(ended.outcome, Outcome::Cancelled);
}

#[test]
fn many_commands_and_events_in_one_poll_leave_room_for_others() {
    let mut bench = bench_with_peers(0);
    let registry = bench.registry();
    bench.turn();
    for peer in 1..=5000 {
        bench.network.wire().up(peer);
    }
    let mut metrics = pin!(registry.query_metrics());
    assert!(poll_once(metrics.as_mut()).is_pending());
    bench.turn_once();
    assert!(poll_once(metrics.as_mut()).is_ready(), "the flood of news does not hold up the command");
    assert!(bench.network.wire().waiting() > 4000, "one poll takes a bounded number");
    bench.turn();
    assert_eq!(bench.network.wire().waiting(), 0, "the driver wakes itself until all are taken");
}
