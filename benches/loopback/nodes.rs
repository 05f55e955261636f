//! The registries under measure: real nodes over TCP on loopback.

use core::time::Duration;

use swarmproof::embed::{Builder, Service};
use swarmproof::net::PeerAddress;
use swarmproof::package::{Package, PackageId, PackageName, PublisherId, ReleaseId, Version};
use swarmproof::record::Publisher;
use swarmproof::registry::catalogue::Bounds;
use swarmproof::registry::{PublishError, Registry as _};
use swarmproof::time::WallTime;

/// Start a node that joins by `known`; it catches up with others or, as `learns` says, knows nothing of them.
pub(crate) async fn start(number: u8, known: &[PeerAddress], learns: bool) -> Service {
    let mut builder = Builder::new()
        .listen("/ip4/127.0.0.1/tcp/0".parse().unwrap())
        .publisher(Publisher::from_seed([number; 32]))
        .registry(move |config| {
            config.publish.settle = Duration::from_millis(1);
            if learns {
                config.catch_up.every = Duration::from_secs(5);
                config.catch_up.jitter = Duration::from_secs(1);
            } else {
                config.catch_up.at_start = 0;
                config.catch_up.every = Duration::from_secs(86_400);
            }
        });
    if !learns {
        // Nor does it remember what it was told: every question is as good as its first.
        builder = builder.bounds(Bounds { entries: 1, lists: 1, ..Bounds::default() });
    }
    for peer in known {
        builder = builder.bootstrap(peer.clone());
    }
    builder.start().await.unwrap()
}

/// Where others find this node.
pub(crate) fn address(node: &Service) -> PeerAddress {
    PeerAddress { peer: node.peer(), address: node.addresses()[0].clone() }
}

/// `count` nodes, each of which joins by the first and the one before it.
pub(crate) async fn network(count: u8) -> Vec<Service> {
    let mut nodes: Vec<Service> = Vec::new();
    for number in 1..=count {
        let mut known: Vec<PeerAddress> =
            nodes.first().into_iter().chain(nodes.last()).map(address).collect();
        known.dedup_by_key(|known| known.peer);
        nodes.push(start(number, &known, true).await);
    }
    nodes
}

const SUBJECTS: [&str; 8] = ["json", "http", "cache", "matrix", "queue", "archive", "image", "clock"];
const KINDS: [&str; 5] = ["parser", "client", "server", "toolkit", "bindings"];

/// The words of some package, and of a fortieth of all.
pub(crate) fn words(index: usize) -> String {
    format!("{} {}", SUBJECTS[index % SUBJECTS.len()], KINDS[index / SUBJECTS.len() % KINDS.len()])
}

/// The package with this number.
pub(crate) fn package(publisher: PublisherId, index: usize) -> Package {
    let name = PackageName::new(format!("{}-{index}", words(index).replace(' ', "-"))).unwrap();
    Package {
        release: ReleaseId { package: PackageId { publisher, name }, version: Version::new(1, 0, 0) },
        title: format!("A {} for everybody", words(index)),
        description: "What it does, in as many words as such things mostly have, and a few more.".repeat(3),
        categories: vec!["development".to_owned()],
        tags: vec![SUBJECTS[index % SUBJECTS.len()].to_owned()],
        licence: "MIT".to_owned(),
        digest: [1; 32],
        size: 1000 + index as u64,
        created: WallTime::EPOCH,
    }
}

/// Publish `count` packages, so many at once, from the first nodes in turn.
pub(crate) async fn publish(nodes: &[Service], count: usize, at_once: usize) -> Vec<ReleaseId> {
    use futures::StreamExt as _;
    let work = (0..count).map(|index| {
        let node = nodes[index % nodes.len()].registry().clone();
        async move {
            let package = package(node.publisher().unwrap(), index);
            let release = package.release.clone();
            loop {
                match node.publish(package.clone()).await {
                    Ok(_) => return release,
                    Err(PublishError::Busy { .. }) => tokio::time::sleep(Duration::from_millis(10)).await,
                    Err(error) => panic!("{release}: {error}"),
                }
            }
        }
    });
    futures::stream::iter(work).buffer_unordered(at_once).collect().await
}
