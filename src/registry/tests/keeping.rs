//! What outlives a registry's process beside its publications, and what is provided.

use super::harness::{Bench, SlowStore, config, package, publisher, verifier};
use crate::network::{Event, Failure, Invalid, Request, Ware};
use crate::record::keys;
use crate::registry::{Bounds, Catalogue, Pool, Registry};

fn durable() -> SlowStore {
    let store = SlowStore::default();
    store.allow(usize::MAX);
    store
}

fn provides(bench: &Bench) -> usize {
    bench.network.wire().log.iter().filter(|line| *line == "submit provide").count()
}

#[test]
fn a_package_is_provided_once_and_again_after_a_restart_and_on_the_schedule() {
    let store = durable();
    let mut bench = Bench::with(config().with_publisher(publisher(1)), store.clone());
    bench.at(20_000);
    let (registry, by) = (bench.registry(), publisher(1).id());
    for (name, version) in [("ink", "1.0.0"), ("ink", "1.1.0"), ("pen", "1.0.0")] {
        bench.wait(registry.publish(package(by, name, version, ""))).unwrap();
    }
    bench.serve();
    assert_eq!(provides(&bench), 2, "one for each package, not for each release");
    let snapshot = bench.wait(registry.inspect()).unwrap();
    assert_eq!((snapshot.counters.provided, snapshot.own_requests), (2, 0));
    bench.at(20_000 + 12 * 3_600_000 + 1000);
    bench.serve();
    assert_eq!(provides(&bench), 4, "with every refresh");
    drop(bench);
    store.crash();
    let mut bench = Bench::with(config().with_publisher(publisher(1)), store.clone());
    bench.at(6_000);
    bench.serve();
    assert_eq!(provides(&bench), 2, "after a restart");

    drop(bench);
    let mut config = config().with_publisher(publisher(1));
    config.publish.provide = false;
    let mut bench = Bench::with(config, store);
    bench.at(6_000);
    bench.serve();
    assert_eq!(provides(&bench), 0, "only when it is wanted");
}

#[test]
fn what_could_not_be_provided_is_tried_again_soon() {
    let mut bench = Bench::with(config().with_publisher(publisher(1)), durable());
    bench.at(20_000);
    let (registry, by) = (bench.registry(), publisher(1).id());
    let ink = package(by, "ink", "1.0.0", "");
    let mut task = core::pin::pin!(registry.publish(ink.clone()));
    let (mut failed, mut through) = (Vec::new(), false);
    for _ in 0..20 {
        through = through || super::harness::poll_once(task.as_mut()).is_ready();
        bench.turn();
        let open = bench.network.wire().requests();
        for (id, request) in open {
            match request {
                Request::Provide { key } => {
                    failed.push(key);
                    bench.network.wire().finish(id, Err(Failure::Unreachable));
                }
                other => bench.serve_one(id, other),
            }
        }
    }
    assert!(through, "the publication does not wait for it");
    assert_eq!(failed, [keys::list(&ink.release.package)], "under the key of its list");
    bench.at(20_000 + 31_000);
    bench.serve();
    assert_eq!(provides(&bench), 2);
}

/// The score of `peer`, which is met again.
fn met_again(store: &SlowStore, peer: u32) -> f64 {
    let mut bench = Bench::with(config(), store.clone());
    let registry = bench.registry();
    bench.network.wire().up(peer);
    bench.serve();
    let snapshot = bench.wait(registry.inspect()).unwrap();
    snapshot.peers.into_iter().find(|known| known.peer == peer).unwrap().score
}

fn spoil(bench: &mut Bench, peer: u32) {
    bench.network.wire().up(peer);
    let event = Event::Rejected { from: peer, what: Ware::Announcement, why: Invalid::UNREADABLE };
    bench.network.wire().push(event);
    bench.serve();
}

#[test]
fn how_a_peer_stood_is_saved_at_the_end() {
    let store = durable();
    let mut bench = Bench::with(config(), store.clone());
    spoil(&mut bench, 7);
    bench.registry = None;
    bench.serve();
    assert!(bench.done, "the last handle is gone");
    drop(bench);
    assert_eq!(met_again(&store, 7), 0.166, "one malformed thing: (0 + 1) / (4 + 2)");
    assert_eq!(met_again(&store, 8), 0.5);
}

#[test]
fn how_a_peer_stood_is_saved_now_and_then() {
    let store = durable();
    let mut bench = Bench::with(config(), store.clone());
    spoil(&mut bench, 7);
    bench.at(299_000);
    bench.serve();
    let writes = |bench: &mut Bench| {
        let registry = bench.registry();
        bench.wait(registry.inspect()).unwrap().unsynced
    };
    assert_eq!(writes(&mut bench), 0);
    store.crash();
    assert_eq!(met_again(&store, 7), 0.5, "not yet");
    bench.at(301_000);
    bench.serve();
    drop(bench);
    store.crash();
    let score = met_again(&store, 7);
    assert!((0.16..0.3).contains(&score), "it had five minutes to fade: {score}");
}

#[test]
fn a_restart_checks_no_signature_of_what_was_checked_before() {
    let store = durable();
    let mut bench = Bench::with(config().with_publisher(publisher(1)), store.clone());
    bench.at(20_000);
    let (registry, by) = (bench.registry(), publisher(1).id());
    for number in 0..20 {
        bench.wait(registry.publish(package(by, &format!("ink-{number}"), "1.0.0", ""))).unwrap();
    }
    drop(bench);
    let fresh = verifier();
    let mut config = config().with_publisher(publisher(1));
    config.verifier = fresh.clone();
    let mut bench = Bench::with(config, store);
    let registry = bench.registry();
    let snapshot = bench.wait(registry.inspect()).unwrap();
    assert_eq!((snapshot.catalogue, snapshot.counters.unreadable), (20, 0));
    assert_eq!(fresh.signatures_checked(), 0);
}

#[test]
fn a_full_catalogue_still_lists_ones_own() {
    let mut full = config().with_publisher(publisher(1));
    full.catalogue = Catalogue::new(Pool::new(), Bounds { entries: 0, lists: 0, ..Bounds::default() });
    let mut bench = Bench::with(full, durable());
    bench.at(20_000);
    let (registry, by) = (bench.registry(), publisher(1).id());
    bench.wait(registry.publish(package(by, "ink", "1.0.0", ""))).unwrap();
    let snapshot = bench.wait(registry.inspect()).unwrap();
    assert_eq!((snapshot.catalogue, snapshot.counters.no_room), (1, 0));
}
