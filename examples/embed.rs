//! A service with the registry inside: `cargo run --example embed`.
//!
//! Two services start in this process, on loopback. The first publishes a package under its own key; the second
//! joins by the first, finds the package by its words, gets it by its name, and both stop in order.

#![allow(clippy::print_stdout, reason = "an example tells what it does")]

use std::error::Error;

use swarmproof::embed::{Builder, Service};
use swarmproof::engine::QueryConfig;
use swarmproof::net::PeerAddress;
use swarmproof::package::{Package, PackageId, PackageName, Query, ReleaseId, Version};
use swarmproof::record::Publisher;
use swarmproof::registry::Registry as _;
use swarmproof::time::WallTime;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // A service keeps its publisher's secret; this one is for show.
    let publisher = Publisher::from_seed([7; 32]);
    let release = ReleaseId {
        package: PackageId { publisher: publisher.id(), name: PackageName::new("left-pad")? },
        version: Version::new(1, 0, 0),
    };
    let first = Builder::new()
        .listen("/ip4/127.0.0.1/tcp/0".parse()?)
        .publisher(publisher)
        // Nothing was published with this key in an earlier life, so there is nothing to wait for.
        .registry(|config| config.publish.settle = core::time::Duration::from_millis(1))
        .start()
        .await?;
    let published = first.registry().publish(package(release.clone())).await?;
    println!("published {release} under number {}", published.number);

    let second = Builder::new()
        .listen("/ip4/127.0.0.1/udp/0/quic-v1".parse()?)
        .bootstrap(address(&first)?)
        .query(QueryConfig::low_latency())
        .start()
        .await?;
    let found = joined(&second).await?;
    println!("{} found: {} ({})", found, release.package.name, release.version);

    // By name: from what it knows, from the peers that it asks, from the DHT, whichever is first.
    let hit = second.registry().get_package_version(&release).await?.ok_or("not found")?;
    println!("{}: {}", hit.package.title, hit.package.description);

    second.stop().await?;
    first.stop().await?;
    Ok(())
}

/// Search until the network was joined: a node that knows nobody yet says so at once.
#[expect(clippy::disallowed_methods, reason = "a service lives in real time")]
async fn joined(service: &Service) -> Result<usize, Box<dyn Error>> {
    for _ in 0..50 {
        let mut results = service.registry().search_stream(Query::text("pad strings", 10)).await?;
        // Results can be used as they come; awaiting the handle gives all of them, ranked, and how it ended.
        if let Some(first) = results.next().await {
            println!("first result: {}", first.package.release);
            return Ok(results.await?.packages.len());
        }
        tokio::time::sleep(core::time::Duration::from_millis(100)).await;
    }
    Err("nothing found within five seconds".into())
}

fn address(service: &Service) -> Result<PeerAddress, Box<dyn Error>> {
    let address = service.addresses().first().ok_or("it listens nowhere")?.clone();
    Ok(PeerAddress { peer: service.peer(), address })
}

fn package(release: ReleaseId) -> Package {
    Package {
        release,
        title: "Pads strings".to_owned(),
        description: "Adds to the left of a string what is missing.".to_owned(),
        categories: vec!["text-processing".to_owned()],
        tags: vec!["strings".to_owned()],
        licence: "MIT".to_owned(),
        digest: [0; 32],
        size: 11,
        created: WallTime::EPOCH,
    }
}
