//! Publishing: what is durable before it is sent, what survives a crash, what is refused.

use core::pin::pin;
use core::task::Poll;
use core::time::Duration;

use super::harness::{Bench, SlowStore, config, package, poll_once, publisher, verifier};
use crate::network::{Failure, Request};
use crate::record::{Record, Says};
use crate::registry::{PublishError, Registry, RegistryError, Stored};

fn publishing_bench(seed: u8) -> Bench {
    let mut bench = Bench::new(config().with_publisher(publisher(seed)));
    bench.at(20_000); // Nobody to catch up with: from here on it is settled.
    bench
}

#[test]
fn a_publication_goes_to_the_dht_and_to_neighbours() {
    let mut bench = publishing_bench(1);
    let (registry, by) = (bench.registry(), publisher(1).id());
    let done = bench.wait(registry.publish(package(by, "ink", "1.0.0", "Writes"))).unwrap();
    assert_eq!((done.number, done.sequence), (1, 1));
    assert_eq!(done.release_stored, Some(Ok(Stored { acked: 3, verified: None })));
    assert_eq!(done.list_stored, Ok(Stored { acked: 3, verified: None }));
    assert_eq!(done.announced, Ok(5));
    let second = bench.wait(registry.publish(package(by, "ink", "1.1.0", "Writes"))).unwrap();
    assert_eq!((second.number, second.sequence), (2, 2));
    assert_eq!(bench.network.wire().dht.len(), 3, "two releases and one list");
    let list = second.list.as_list().unwrap();
    let versions: Vec<String> = list.entries.iter().map(|entry| entry.version.to_string()).collect();
    assert_eq!(versions, ["1.0.0", "1.1.0"]);
    let snapshot = bench.wait(registry.inspect()).unwrap();
    assert_eq!((snapshot.own_requests, snapshot.publications, snapshot.waiters), (0, 0, 0));
}

#[test]
fn nothing_is_sent_before_it_is_durable() {
    let store = SlowStore::default();
    let mut bench = Bench::with(config().with_publisher(publisher(1)), store.clone());
    bench.at(20_000);
    let registry = bench.registry();
    let mut task = pin!(registry.publish(package(publisher(1).id(), "ink", "1.0.0", "Writes")));
    assert!(poll_once(task.as_mut()).is_pending());
    bench.serve();
    let sent = |bench: &Bench| {
        let log = bench.network.wire().log.clone();
        log.into_iter().filter(|line| line.contains("put") || line.contains("announce")).collect::<Vec<_>>()
    };
    assert_eq!(sent(&bench), Vec::<String>::new(), "the batch is not durable yet");
    store.allow(1);
    bench.serve();
    assert_eq!(sent(&bench), ["submit announce", "submit put release", "submit put list"]);
    assert!(matches!(poll_once(task.as_mut()), Poll::Ready(Ok(_))));
}

#[test]
fn a_batch_that_fails_is_told_and_its_number_is_given_again() {
    let store = SlowStore::default();
    let mut bench = Bench::with(config().with_publisher(publisher(1)), store.clone());
    bench.at(20_000);
    let (registry, by) = (bench.registry(), publisher(1).id());
    store.fail(true);
    store.allow(usize::MAX);
    let failed = bench.wait(registry.publish(package(by, "ink", "1.0.0", "Writes")));
    assert!(matches!(failed, Err(PublishError::Store(_))), "{failed:?}");
    assert!(bench.network.wire().dht.is_empty());
    store.fail(false);
    let done = bench.wait(registry.publish(package(by, "ink", "1.0.0", "Writes"))).unwrap();
    assert_eq!((done.number, done.sequence), (1, 1), "nothing was sent, so nothing was used up");
}

#[test]
fn a_yank_is_signed_numbered_listed_and_announced() {
    let mut bench = publishing_bench(1);
    let (registry, by) = (bench.registry(), publisher(1).id());
    let ink = package(by, "ink", "1.0.0", "Writes");
    bench.wait(registry.publish(ink.clone())).unwrap();
    let done = bench.wait(registry.delete(&ink.release)).unwrap();
    assert_eq!((done.number, done.sequence, done.release_stored), (2, 2, None));
    assert!(matches!(&*done.statement, Record::Notice(notice) if notice.says == Says::Yanked));
    assert!(done.list.as_list().unwrap().entries[0].yanked);
    let again = bench.wait(registry.delete(&ink.release));
    assert_eq!(again, Err(PublishError::AlreadyYanked(ink.release.clone())));
    let still = bench.wait(registry.get_package_version(&ink.release)).unwrap();
    assert_eq!(still.map(|hit| hit.package.clone()), Some(ink), "who depends on it still gets it");
}

#[test]
fn what_cannot_be_published_is_refused_with_the_reason() {
    let mut bench = publishing_bench(1);
    let (registry, by) = (bench.registry(), publisher(1).id());
    let ink = package(by, "ink", "1.0.0", "Writes");
    bench.wait(registry.publish(ink.clone())).unwrap();
    let twice = bench.wait(registry.publish(package(by, "ink", "1.0.0", "Other words")));
    assert_eq!(twice, Err(PublishError::AlreadyPublished(ink.release.clone())));
    let never = package(by, "ink", "3.0.0", "").release;
    assert_eq!(bench.wait(registry.delete(&never)), Err(PublishError::NotPublished(never)));
    let strange = package(publisher(2).id(), "ink", "1.0.0", "");
    assert!(matches!(bench.wait(registry.publish(strange)), Err(PublishError::Sign(_))));
    let mut keyless = Bench::new(config());
    let registry = keyless.registry();
    assert_eq!(keyless.wait(registry.publish(ink)), Err(PublishError::NoKey));
}

#[test]
fn a_crash_keeps_what_was_acknowledged_and_the_restart_stores_it_again() {
    let mut bench = publishing_bench(1);
    let (registry, by) = (bench.registry(), publisher(1).id());
    let ink = package(by, "ink", "1.0.0", "Writes");
    bench.wait(registry.publish(ink.clone())).unwrap();
    let store = bench.store.clone();
    drop(bench);
    store.crash();
    let mut bench = Bench::with(config().with_publisher(publisher(1)), store);
    let registry = bench.registry();
    bench.serve();
    assert!(bench.network.wire().dht.is_empty());
    bench.at(6_000);
    bench.serve();
    assert_eq!(bench.network.wire().dht.len(), 2, "release and list are stored again");
    let snapshot = bench.wait(registry.inspect()).unwrap();
    assert_eq!((snapshot.catalogue, snapshot.counters.refreshed), (1, 2));
    let next = bench.wait(registry.publish(package(by, "ink", "2.0.0", "Writes"))).unwrap();
    assert_eq!((next.number, next.sequence), (2, 2), "numbers and sequences go on");
}

#[test]
fn a_store_of_another_key_is_refused() {
    let mut bench = publishing_bench(1);
    let registry = bench.registry();
    bench.wait(registry.publish(package(publisher(1).id(), "ink", "1.0.0", ""))).unwrap();
    let other = config().with_publisher(publisher(2));
    let made = crate::registry::P2PRegistry::new(bench.network.clone(), bench.store.clone(), other);
    let wanted = RegistryError::OtherKey { stored: publisher(1).id(), given: publisher(2).id() };
    assert_eq!(made.err(), Some(wanted));
}

#[test]
fn after_a_lost_disk_the_sequence_goes_on_above_what_the_network_knows() {
    let mut first = publishing_bench(1);
    let (registry, by) = (first.registry(), publisher(1).id());
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        first.wait(registry.publish(package(by, "ink", version, "Writes"))).unwrap();
    }
    let mut second = publishing_bench(1);
    second.network.wire().dht = first.network.wire().dht.clone();
    let registry = second.registry();
    let twice = second.wait(registry.publish(package(by, "ink", "1.1.0", "Again")));
    assert!(matches!(twice, Err(PublishError::AlreadyPublished(_))), "{twice:?}");
    let done = second.wait(registry.publish(package(by, "ink", "2.0.0", "Writes"))).unwrap();
    assert_eq!(done.sequence, 4);
    assert_eq!(done.list.as_list().unwrap().entries.len(), 4, "what was published before is still listed");
}

#[test]
fn what_could_not_be_stored_is_tried_again_soon() {
    let mut bench = publishing_bench(1);
    let (registry, by) = (bench.registry(), publisher(1).id());
    let mut task = pin!(registry.publish(package(by, "ink", "1.0.0", "Writes")));
    let done = loop {
        if let Poll::Ready(done) = poll_once(task.as_mut()) {
            break done.unwrap();
        }
        bench.turn();
        let open = bench.network.wire().requests();
        for (id, request) in open {
            match request {
                Request::PutRecord { .. } => bench.network.wire().finish(id, Err(Failure::Unreachable)),
                other => bench.serve_one(id, other),
            }
        }
    };
    assert_eq!(done.release_stored, Some(Err(Failure::Unreachable)));
    assert_eq!(done.list_stored, Err(Failure::Unreachable));
    bench.at(20_000 + 31_000);
    bench.serve();
    assert_eq!(bench.network.wire().dht.len(), 2);
}

#[test]
fn lists_are_signed_anew_before_their_validity_ends() {
    let mut config = config().with_publisher(publisher(1));
    config.publish.validity = Duration::from_secs(3600);
    config.publish.refresh_every = Duration::from_secs(2000);
    let mut bench = Bench::new(config);
    bench.at(20_000);
    let registry = bench.registry();
    let done = bench.wait(registry.publish(package(publisher(1).id(), "ink", "1.0.0", ""))).unwrap();
    let key = crate::record::keys::list(&done.list.as_list().unwrap().package);
    bench.at(2_100_000);
    bench.serve();
    let newest = verifier().check(&bench.network.wire().dht[&key]).unwrap();
    let newest = newest.as_list().unwrap();
    assert_eq!(newest.sequence, 2);
    assert!(newest.valid_until > done.list.as_list().unwrap().valid_until);
}
