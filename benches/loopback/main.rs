//! Twenty registries over TCP on loopback, in one process, beside the same work done with bare Kademlia.
//!
//! `cargo bench --bench loopback` publishes 1,000 packages, looks each of them up from every other node and from one that joined
//! afterwards, then measures searches and gets, and prints a table. It ends with 1 when a target is missed.
//!
//! *Warm* is a node as it runs: it hears announcements and catches up. *Cold* is one that knows nothing of
//! what is published, so that everything is asked of others. Bare Kademlia knows no search: for each search it
//! is asked for the keys of as many records as the search found, all at once, and is done when it has the
//! first value of each. Its lookups are measured up to the first value.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench")]
#![allow(clippy::print_stdout, reason = "its table is what it is for")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "real nodes live in real time"
)]

mod bare;
mod nodes;
mod table;

use core::time::Duration;
use std::time::Instant;

use futures::StreamExt as _;
use swarmproof::embed::Service;
use swarmproof::package::{Query, ReleaseId};
use swarmproof::record::keys;
use swarmproof::registry::Registry as _;

use self::bare::Bare;
use self::table::Table;

const NODES: u8 = 20;
const PACKAGES: usize = 1000;
const SEARCHES: usize = 500;
const GETS: usize = 500;
const RESULTS: usize = 20;
/// Searches a second, and for how long, of the sustained load.
const RATE: u32 = 120;
const SUSTAINED: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> std::process::ExitCode {
    let mut table = Table::default();
    let nodes = nodes::network(NODES).await;
    tokio::time::sleep(Duration::from_secs(3)).await;

    let begun = Instant::now();
    let releases = nodes::publish(&nodes[..5], PACKAGES, 32).await;
    println!("published {PACKAGES} packages from 5 of {NODES} nodes in {:.1?}", begun.elapsed());

    let known: Vec<_> = nodes[..2].iter().map(nodes::address).collect();
    let late = nodes::start(101, &known, true).await;
    let cold = nodes::start(102, &known, false).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let mut missing = 0;
    for node in nodes.iter().chain([&late]) {
        missing += lost(node, &releases).await;
    }
    table.at_most("releases not found from 21 nodes (one joined afterwards)", missing as f64, "", 0.0);

    let (warm, _) = searches(&nodes).await;
    table.quantiles("search, warm", &warm, Some((50.0, 200.0)));
    let (cold_searches, sizes) = searches(core::slice::from_ref(&cold)).await;
    table.quantiles("search, cold", &cold_searches, Some((50.0, 200.0)));
    let (rate, under_load) = sustained(&nodes).await;
    table.at_least("searches a second, sustained for 10 s", rate, "/s", 100.0);
    table.quantiles("search, under that load", &under_load, None);

    let warm = gets(&nodes, &releases).await;
    table.quantiles("get, warm", &warm, Some((20.0, f64::INFINITY)));
    let cold_gets = gets(core::slice::from_ref(&cold), &releases).await;
    table.quantiles("get, cold", &cold_gets, Some((20.0, f64::INFINITY)));
    for node in nodes {
        node.stop().await.unwrap();
    }
    late.stop().await.unwrap();
    cold.stop().await.unwrap();

    let bare = Bare::network(usize::from(NODES)).await;
    let stored = store_bare(&bare, &releases).await;
    println!("bare Kademlia took {stored} of {PACKAGES} records");
    let bare_gets = gets_bare(&bare, &releases).await;
    table.quantiles("bare get_record, up to the first value", &bare_gets, None);
    let bare_searches = searches_bare(&bare, &releases, &sizes).await;
    table.quantiles("as many bare get_records as a search found", &bare_searches, None);
    table.ratio("search, cold : bare, at the median", &cold_searches, &bare_searches);
    table.ratio("get, cold : bare, at the median", &cold_gets, &bare_gets);
    table.print()
}

/// How many of the releases this node cannot get.
async fn lost(node: &Service, releases: &[ReleaseId]) -> usize {
    let gets = releases.iter().map(|release| async move {
        let got = node.registry().get_package_version(release).await;
        usize::from(!matches!(got, Ok(Some(hit)) if hit.package.release == *release))
    });
    futures::stream::iter(gets).buffer_unordered(16).fold(0, |sum, one| async move { sum + one }).await
}

/// Search after search, from one node after the other: how long each took, and how much it found.
async fn searches(nodes: &[Service]) -> (Vec<f64>, Vec<usize>) {
    let (mut times, mut sizes) = (Vec::new(), Vec::new());
    for index in 0..SEARCHES {
        let begun = Instant::now();
        let found = search(&nodes[index % nodes.len()], index).await;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
        sizes.push(found);
    }
    (times, sizes)
}

async fn search(node: &Service, index: usize) -> usize {
    let query = Query::text(nodes::words(index), RESULTS);
    let found = node.registry().search(query).await.unwrap().packages.len();
    assert!(found > 0, "a search that finds nothing measures nothing");
    found
}

/// Searches begun at a fixed rate, whatever becomes of the earlier ones: how many ended a second, and how long each took.
async fn sustained(nodes: &[Service]) -> (f64, Vec<f64>) {
    let count = RATE * u32::try_from(SUSTAINED.as_secs()).unwrap();
    let begun = Instant::now();
    let all = (0..count).map(|index| async move {
        let due = SUSTAINED * index / count;
        tokio::time::sleep_until((begun + due).into()).await;
        search(&nodes[index as usize % nodes.len()], index as usize).await;
        // From when it was due: one that had to wait for its turn took that long too.
        (begun.elapsed() - due).as_secs_f64() * 1000.0
    });
    let times: Vec<f64> = futures::future::join_all(all).await;
    (f64::from(count) / begun.elapsed().as_secs_f64(), times)
}

async fn gets(nodes: &[Service], releases: &[ReleaseId]) -> Vec<f64> {
    let mut times = Vec::new();
    for index in 0..GETS {
        let begun = Instant::now();
        let release = &releases[index * 7 % releases.len()];
        let got = nodes[index % nodes.len()].registry().get_package_version(release).await.unwrap();
        assert!(got.is_some());
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    times
}

async fn store_bare(bare: &[Bare], releases: &[ReleaseId]) -> usize {
    let puts = releases.iter().enumerate().map(|(index, release)| async move {
        usize::from(bare[index % 5].put(keys::release(release).to_vec(), vec![7; 700]).await)
    });
    futures::stream::iter(puts).buffer_unordered(32).fold(0, |sum, one| async move { sum + one }).await
}

async fn gets_bare(bare: &[Bare], releases: &[ReleaseId]) -> Vec<f64> {
    let mut times = Vec::new();
    for index in 0..GETS {
        let key = keys::release(&releases[index * 7 % releases.len()]).to_vec();
        let (found, took) = bare[index % bare.len()].get(key).await;
        assert!(found);
        times.push(took.as_secs_f64() * 1000.0);
    }
    times
}

async fn searches_bare(bare: &[Bare], releases: &[ReleaseId], sizes: &[usize]) -> Vec<f64> {
    let mut times = Vec::new();
    for (index, size) in sizes.iter().enumerate() {
        let begun = Instant::now();
        let node = &bare[index % bare.len()];
        let wanted = (0..*size)
            .map(|n| node.get(keys::release(&releases[(index * 31 + n) % releases.len()]).to_vec()));
        assert!(futures::future::join_all(wanted).await.iter().all(|(found, _)| *found));
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    times
}
