//! Whole registries on the simulated network: publish, find, get, list, yank, crash, catch up.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![cfg(feature = "sim")]

use std::sync::Arc;
use std::time::Duration;

use swarmproof::engine::{Outcome, QueryConfig};
use swarmproof::network::Network;
use swarmproof::package::{Package, PackageId, PackageName, PublisherId, Query, ReleaseId, Version};
use swarmproof::record::{Publisher, Verifier};
use swarmproof::registry::{
    Bounds, Catalogue, P2PRegistry, Pool, Registry, RegistryConfig, RegistryResponder, Snapshot,
};
use swarmproof::sim::{Profile, SimConfig, SimNetwork, SimTestbed};
use swarmproof::testbed::{Fault, Keep, NodeId, NodeSpec, Testbed};
use swarmproof::time::{Timestamp, WallTime};

type Handle = P2PRegistry<SimNetwork>;
type SimPeer = <SimNetwork as Network>::Peer;

const LIMIT: Duration = Duration::from_secs(120);

struct World {
    testbed: SimTestbed,
    verifier: Verifier,
    nodes: Vec<NodeId>,
}

fn key(seed: u8) -> Publisher {
    Publisher::from_seed([seed; 32])
}

fn package(by: PublisherId, name: &str, version: &str) -> Package {
    Package {
        release: ReleaseId {
            package: PackageId { publisher: by, name: PackageName::new(name).unwrap() },
            version: Version::parse(version).unwrap(),
        },
        title: format!("The {name} of the ink trade"),
        description: "Ink on paper.".to_owned(),
        categories: vec!["stationery".to_owned()],
        tags: vec!["ink".to_owned()],
        licence: "MIT".to_owned(),
        digest: [3; 32],
        size: 10,
        created: WallTime::EPOCH,
    }
}

impl World {
    /// `peers` modelled peers that hold twenty releases of publisher 9, and `registries` applications.
    fn new(seed: u64, peers: usize, registries: usize) -> Self {
        let verifier = Verifier::new(10_000);
        let config = SimConfig::new(seed, Profile::internet(), Arc::new(verifier.clone()));
        let mut testbed = SimTestbed::new(config).unwrap();
        let mut held = Catalogue::new(Pool::new(), Bounds::default());
        for number in 1..=20 {
            let release = key(9).release(&package(key(9).id(), &format!("old-{number}"), "1.0.0"), number);
            held.learn(&verifier.trust(release.unwrap().into()), WallTime::EPOCH);
        }
        for _ in 0..peers {
            let responder = RegistryResponder::new(held.clone(), verifier.clone());
            testbed.spawn(NodeSpec::served(Box::new(responder))).unwrap();
        }
        let spawn = |_| testbed.spawn(NodeSpec::application()).unwrap();
        let nodes = (0..registries).map(spawn).collect();
        Self { testbed, verifier, nodes }
    }

    fn start(&mut self, at: usize, publishes: bool) -> Handle {
        let node = self.nodes[at];
        let (network, store) = (self.testbed.network(node).unwrap(), self.testbed.store(node).unwrap());
        let seed = [u8::try_from(at).unwrap() + 1; 32];
        let catalogue = Catalogue::new(Pool::new(), Bounds::default());
        let mut config = RegistryConfig::<SimPeer>::new(self.verifier.clone(), catalogue, seed);
        if publishes {
            config = config.with_publisher(Publisher::from_seed(seed));
        }
        let (handle, driver) = P2PRegistry::new(network, store, config).unwrap();
        self.testbed.run(Some(node), Box::pin(driver.run()));
        handle
    }

    fn wait<T>(&mut self, task: impl Future<Output = T>) -> T {
        self.testbed.block_on(LIMIT, task).expect("nobody answers within two minutes")
    }

    fn pass(&mut self, seconds: u64) {
        let until = self.testbed.now().after(Duration::from_secs(seconds));
        self.testbed.run_until(until);
    }
}

fn is_idle(snapshot: &Snapshot<SimPeer>) -> bool {
    let Snapshot { queries, waiters, requests, own_requests, buffered, questions, publications, .. } =
        snapshot;
    [queries, waiters, requests, own_requests, buffered, questions, publications].into_iter().all(|n| *n == 0)
}

/// Everything once, in one world; what came of it, to be compared between runs.
fn whole_life(seed: u64) -> (u128, Vec<String>) {
    let mut world = World::new(seed, 17, 3);
    let handles: Vec<Handle> = (0..3).map(|at| world.start(at, true)).collect();
    let mut told = Vec::new();
    let by = handles[0].publisher().unwrap();
    world.pass(5);

    let first = world.wait(handles[0].publish(package(by, "nib", "1.0.0"))).unwrap();
    assert!(first.release_stored.unwrap().unwrap().acked > 0, "{first:?}");
    assert!(first.list_stored.unwrap().acked > 0, "{first:?}");
    let second = world.wait(handles[0].publish(package(by, "nib", "1.1.0"))).unwrap();
    assert_eq!((second.number, second.sequence), (2, 2));
    world.pass(5);

    for handle in &handles {
        let found = world.wait(handle.search(Query::text("nib ink", 10))).unwrap();
        assert_eq!(found.packages.len(), 2, "{found:?}");
        let all = world.wait(handle.search(Query::text("ink", 100))).unwrap();
        told.push(format!("{:?} {}", all.outcome, all.packages.len()));
        let nib = package(by, "nib", "1.1.0").release;
        let latest = world.wait(handle.get_package(&nib.package)).unwrap().unwrap();
        assert_eq!(latest.package.release, nib);
        let exact = world.wait(handle.get_package_version(&package(by, "nib", "1.0.0").release)).unwrap();
        assert!(exact.is_some());
        let versions = world.wait(handle.list_versions(&nib.package)).unwrap().unwrap();
        assert_eq!((versions.sequence, versions.entries.len(), versions.stale), (2, 2, false));
        assert!(world.wait(handle.exists(&nib.package)).unwrap());
        let metadata = world.wait(handle.metadata(&nib.package)).unwrap().unwrap();
        assert_eq!(metadata.latest.unwrap().package.release, nib);
        let nothing = package(by, "nothing", "1.0.0").release;
        assert_eq!(world.wait(handle.get_package_version(&nothing)), Ok(None));
    }

    world.wait(handles[0].delete(&package(by, "nib", "1.1.0").release)).unwrap();
    world.pass(5);
    for handle in &handles {
        let found = world.wait(handle.search(Query::text("nib", 10))).unwrap();
        let versions: Vec<String> =
            found.packages.iter().map(|hit| hit.package.release.version.to_string()).collect();
        assert_eq!(versions, ["1.0.0"], "a yanked release is no longer found");
    }
    let snapshots: Vec<_> = handles.iter().map(|handle| world.wait(handle.inspect()).unwrap()).collect();
    for snapshot in &snapshots {
        assert!(is_idle(snapshot), "{snapshot:?}");
        assert!(snapshot.catalogue >= 22, "the catalogue has caught up: {}", snapshot.catalogue);
        told.push(format!("{:?}", snapshot.counters));
    }
    (world.testbed.trace_hash(), told)
}

#[test]
fn twenty_peers_and_everything_that_a_registry_does() {
    whole_life(1);
}

#[test]
fn the_same_seed_is_the_same_life() {
    assert_eq!(whole_life(2), whole_life(2));
    assert_ne!(whole_life(2).0, whole_life(3).0);
}

#[test]
fn a_crash_keeps_the_catalogue_and_what_was_published() {
    let mut world = World::new(4, 17, 2);
    let (first, second) = (world.start(0, true), world.start(1, false));
    world.pass(10);
    let by = first.publisher().unwrap();
    world.wait(first.publish(package(by, "nib", "1.0.0"))).unwrap();
    world.pass(1);
    let node = world.nodes[0];
    world.testbed.apply(Fault::Kill { node, keep: Keep::Synced }).unwrap();
    world.pass(20);
    world.testbed.apply(Fault::Restart { node }).unwrap();
    let first = world.start(0, true);
    let snapshot = world.wait(first.inspect()).unwrap();
    assert_eq!(snapshot.catalogue, 21, "read from the store before anyone was asked");
    world.pass(60);
    let snapshot = world.wait(first.inspect()).unwrap();
    assert_eq!(snapshot.counters.refreshed, 2, "release and list were stored again");
    let next = world.wait(first.publish(package(by, "nib", "2.0.0"))).unwrap();
    assert_eq!((next.number, next.sequence), (2, 2));
    let found = world.wait(second.search(Query::text("nib", 5))).unwrap();
    assert_eq!(found.packages.len(), 2);
}

#[test]
fn a_thousand_searches_at_once_end_in_time_and_leave_nothing() {
    let mut world = World::new(5, 17, 1);
    let handle = world.start(0, false);
    world.pass(2);
    let handle = handle.with_query_config(QueryConfig::high_throughput()).unwrap();
    let begun = world.testbed.now();
    let outcomes = world.wait(async {
        let mut searches = Vec::new();
        for at in 0..1000 {
            let text = format!("old-{}", at % 20 + 1);
            searches.push(handle.search_stream(Query::text(text, 5)).await.unwrap());
        }
        let mut outcomes = Vec::new();
        for search in searches {
            outcomes.push(search.await.unwrap());
        }
        outcomes
    });
    assert!(world.testbed.now().since(begun) <= Duration::from_secs(6));
    assert_eq!(outcomes.len(), 1000);
    let found = outcomes.iter().filter(|outcome| !outcome.packages.is_empty()).count();
    assert_eq!(found, 1000, "every one finds what is in the own catalogue by now");
    let cancelled = outcomes.iter().filter(|outcome| outcome.outcome == Outcome::Cancelled).count();
    assert_eq!(cancelled, 0);
    let snapshot = world.wait(handle.inspect()).unwrap();
    assert!(is_idle(&snapshot), "{snapshot:?}");
    let metrics = snapshot.queries_so_far;
    let ended = metrics.complete + metrics.enough + metrics.partial + metrics.failed + metrics.cancelled;
    assert_eq!((metrics.started, ended), (1000, 1000));
    assert!(world.testbed.now() > Timestamp::ZERO);
}
