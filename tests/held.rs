//! What 20,000 records that a node holds for others take in memory when their values are on a disk.

#![cfg(all(feature = "net", feature = "disk", target_os = "linux"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "a disk takes real time")]
#![allow(clippy::print_stdout, reason = "the figures are what this is for")]

use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;
use std::sync::Arc;

use swarmproof::net::{Keypair, Libp2pNetwork, NetConfig, held_limits};
use swarmproof::network::Choice;
use swarmproof::store::Disk;
use swarmproof::testbed::stand_in::AcceptAll;

/// What of this process is in memory, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn twenty_thousand_records_on_a_disk_take_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let config = NetConfig::default();
    let keypair = Keypair::generate_ed25519();
    let life = |disk: &Disk| {
        let store = disk.store("held", held_limits(&config)).unwrap();
        let builder = Libp2pNetwork::builder(keypair.clone(), Arc::new(AcceptAll(Choice::Offered)))
            .config(config.clone());
        builder.held(Box::new(store)).build().unwrap()
    };
    let disk = Disk::open(&folder.path().join("it.redb")).unwrap();
    let mut network = life(&disk);
    let before = resident();
    let mut kept = 0;
    for number in 0..20_000u32 {
        let key = format!("/swarmproof/{}/package-{number}/1.0.0", "k".repeat(43));
        let mut value = vec![0; 600];
        value[..4].copy_from_slice(&number.to_be_bytes());
        while !network.keep(key.as_bytes(), &value, Duration::from_secs(86_400)) {
            // What waits for the disk is bounded.
            tokio::time::sleep(Duration::from_millis(1)).await;
            poll_fn(|cx| Poll::Ready(network.poll_work(cx))).await.is_ready();
        }
        kept += 1;
        if number % 100 == 0 {
            poll_fn(|cx| Poll::Ready(network.poll_work(cx))).await.is_ready();
        }
    }
    let after = resident();
    let took = after.saturating_sub(before);
    println!("{kept} records: {took} KiB more than the {before} KiB before");
    assert!(kept == 20_000 && took < 40 * 1024, "{took} KiB");
    drop((network, disk));
    let file = std::fs::metadata(folder.path().join("it.redb")).unwrap().len();
    let disk = Disk::open(&folder.path().join("it.redb")).unwrap();
    let mut network = life(&disk);
    println!("the file has {} KiB; open again: {} KiB in memory", file / 1024, resident());
    assert_eq!(network.held(), (20_000, 0), "all of them are held again");
}
