//! What modelled peers take of a process's memory: 100,000 of them at most 300 MiB, a million at most 3 GiB, with their
//! tables, the mesh, 1,000 records, and lookups that are answered.
//!
//! It is a program that prints its figures and fails where one is over its bound. `VmHWM` is the most that the process
//! has ever held, so the smaller network goes first.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]
#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "wall time is what it shows")]

use core::future::poll_fn;
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use swarmproof::network::{Choice, Event, Limits, Network, Request, RequestId};
use swarmproof::sim::{Profile, SimConfig, SimNetwork, SimTestbed};
use swarmproof::testbed::stand_in::{AcceptAll, Deaf};
use swarmproof::testbed::{NodeSpec, Testbed};

const KEYS: u64 = 1_000;

fn key(number: u64) -> Bytes {
    Bytes::from(format!("key {number}"))
}

/// Look each record up, ten at once. Returns how many were found.
async fn find_all(mut net: SimNetwork) -> u64 {
    let (mut next, mut found) = (0, 0);
    let submit = |net: &mut SimNetwork, number| {
        let deadline = net.now().after(Duration::from_secs(60));
        net.submit(
            RequestId(number),
            Request::GetRecord { key: key(number) },
            Limits { deadline, bytes: 65_536 },
        );
    };
    let mut ended = 0;
    while ended < KEYS {
        while next < KEYS && next < ended + 10 {
            submit(&mut net, next);
            next += 1;
        }
        if let Event::Finished { result, .. } = poll_fn(|cx| net.poll_event(cx, None)).await {
            ended += 1;
            found += u64::from(result.is_ok());
        }
    }
    found
}

/// The most memory that this process has held, in MiB.
fn most_held() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

fn measure(peers: u32, bound: u64) {
    let began = Instant::now();
    let mut bed =
        SimTestbed::new(SimConfig::new(1, Profile::internet(), Arc::new(AcceptAll(Choice::Held)))).unwrap();
    let asker = bed.spawn(NodeSpec::application()).unwrap();
    for _ in 1..peers {
        bed.spawn(NodeSpec::served(Box::new(Deaf))).unwrap();
    }
    for number in 0..KEYS {
        bed.preload(key(number), Bytes::from(vec![1; 200]), Duration::from_secs(1 << 30)).unwrap();
    }
    let net = bed.network(asker).unwrap();
    bed.start();
    let started = began.elapsed();
    let found = bed.block_on(Duration::from_secs(3_600), find_all(net)).unwrap();
    let (footprint, held) = (bed.footprint(), most_held());
    let each = (footprint.peers + footprint.rest) / footprint.nodes;
    println!(
        "{peers} peers: started in {:.1} s, {found} of {KEYS} records found in {:.1} s more; {held} MiB held at most, \
         {each} bytes a peer beside its records",
        started.as_secs_f64(),
        (began.elapsed() - started).as_secs_f64(),
    );
    assert_eq!(found, KEYS);
    assert!(held <= bound, "{held} MiB are over the {bound} MiB that {peers} peers may take");
}

fn main() {
    measure(100_000, 300);
    measure(1_000_000, 3 << 10);
}
