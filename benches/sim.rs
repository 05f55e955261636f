//! What a simulated message costs in wall time.
//!
//! - `sim::messages`: lookups of records on the `internet` profile; per message delivered.
//! - `sim::questions`: questions of 200 bytes to random peers, and their answers; per message delivered.
//! - `sim::bare`: applications that each keep one question of 200 bytes to a random other in flight, as datagrams over
//!   links of 10 to 120 ms, with no lookup, no connection and no time to serve; per message delivered.
//! - `sim::floor`: what cannot be left out of a message: into a heap and out, half a block of draws (an
//!   exchange of two messages has one), one touch of a peer's memory; per message. Its heap holds as many as
//!   `sim::messages` has under way: a walk that no longer comes closer asks twenty peers at once.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]
#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "wall time is what it measures")]

use core::future::poll_fn;
use core::hint::black_box;
use core::time::Duration;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use swarmproof::network::{Choice, Event, Limits, Network, Request, RequestId};
use swarmproof::sim::{
    Concern, Dist, Profile, Seed, Service, SimConfig, SimNetwork, SimPeer, SimTestbed, mix,
};
use swarmproof::testbed::stand_in::{AcceptAll, Echo};
use swarmproof::testbed::{NodeId, NodeSpec, Testbed};

const PEERS: [u32; 4] = [100, 1_000, 10_000, 100_000];
const APPLICATIONS: u32 = 20;
const KEYS: u64 = 1_000;
/// Requests that each application keeps in flight.
const EACH: u32 = 20;

#[derive(Clone, Copy)]
enum Work {
    Lookups,
    Questions,
}

impl Work {
    fn request(self, draw: u64, peers: u32) -> Request<SimPeer> {
        match self {
            Self::Lookups => Request::GetRecord { key: Bytes::from(format!("key {}", draw % KEYS)) },
            Self::Questions => question((draw % u64::from(peers)) as u32),
        }
    }
}

/// Keep so many requests in flight for ever, each made of a draw of its own, and answer what others ask.
async fn busy(mut net: SimNetwork, in_flight: u32, request: impl Fn(u64) -> Request<SimPeer>) {
    let mut next = 0u64;
    let mut submit = |net: &mut SimNetwork| {
        let draw = mix(next << 32 | u64::from(net.local_peer().0));
        let deadline = net.now().after(Duration::from_secs(60));
        net.submit(RequestId(next), request(draw), Limits { deadline, bytes: 65_536 });
        next += 1;
    };
    (0..in_flight).for_each(|_| submit(&mut net));
    loop {
        match poll_fn(|cx| net.poll_event(cx, None)).await {
            Event::Finished { .. } => submit(&mut net),
            Event::Question { to, body, .. } => net.reply(to, Ok(body)),
            Event::Closed => return,
            _ => {}
        }
    }
}

/// A question of 200 bytes to `peer`.
fn question(peer: u32) -> Request<SimPeer> {
    Request::Ask { peer: SimPeer(peer), question: Bytes::from_static(&[7; 200]) }
}

fn world(work: Work, peers: u32) -> SimTestbed {
    let mut bed =
        SimTestbed::new(SimConfig::new(1, Profile::internet(), Arc::new(AcceptAll(Choice::Held)))).unwrap();
    for _ in 0..APPLICATIONS {
        bed.spawn(NodeSpec::application()).unwrap();
    }
    for _ in APPLICATIONS..peers {
        bed.spawn(NodeSpec::served(Box::new(Echo))).unwrap();
    }
    for key in 0..KEYS {
        let value = Bytes::from(vec![1; 200]);
        bed.preload(Bytes::from(format!("key {key}")), value, Duration::from_secs(1 << 30)).unwrap();
    }
    for app in 0..APPLICATIONS {
        let net = bed.network(NodeId(app)).unwrap();
        bed.run(Some(NodeId(app)), Box::pin(busy(net, EACH, move |draw| work.request(draw, peers))));
    }
    bed.run_until(bed.now().after(Duration::from_secs(5)));
    bed
}

/// Wall time of `wanted` messages, by running until there were at least as many.
fn deliver(bed: &mut SimTestbed, wanted: u64) -> Duration {
    let (before, began) = (bed.account().messages, Instant::now());
    loop {
        bed.run_until(bed.now().after(Duration::from_millis(20)));
        let delivered = bed.account().messages - before;
        if delivered >= wanted {
            return began.elapsed().mul_f64(wanted as f64 / delivered as f64);
        }
    }
}

fn floor(peers: u32, under_way: u64, wanted: u64) -> Duration {
    let seed = Seed::new(1);
    let mut heap = BinaryHeap::new();
    let mut memory = vec![[0u64; 8]; peers as usize];
    for i in 0..under_way {
        heap.push(Reverse((mix(i) >> 40, i, i as u32)));
    }
    let began = Instant::now();
    for i in 0..wanted {
        let Some(Reverse((at, identity, _))) = heap.pop() else { break };
        let draw = if i % 2 == 0 { seed.draw(Concern(1000), identity, i).wide(0) } else { mix(i) };
        let peer = draw as usize % memory.len();
        memory[peer][0] += at;
        heap.push(Reverse((at + (draw >> 40), i, peer as u32)));
    }
    black_box(&memory);
    began.elapsed()
}

fn bare(hosts: u32) -> SimTestbed {
    let profile = Profile {
        service: Service { question: Dist::Constant(Duration::ZERO), ..Service::default() },
        ..Profile::flat(Dist::Uniform(Duration::from_millis(10), Duration::from_millis(120)))
    };
    let config =
        SimConfig { datagrams: true, ..SimConfig::new(1, profile, Arc::new(AcceptAll(Choice::Held))) };
    let mut bed = SimTestbed::new(config).unwrap();
    for _ in 0..hosts {
        bed.spawn(NodeSpec::application()).unwrap();
    }
    for node in (0..hosts).map(NodeId) {
        let net = bed.network(node).unwrap();
        let other = move |draw| (node.0 + 1 + (draw % u64::from(hosts - 1)) as u32) % hosts;
        bed.run(Some(node), Box::pin(busy(net, 1, move |draw| question(other(draw)))));
    }
    bed.run_until(bed.now().after(Duration::from_secs(1)));
    bed
}

fn messages(c: &mut Criterion) {
    for (name, work) in [("sim::messages", Work::Lookups), ("sim::questions", Work::Questions)] {
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements(1)).sample_size(10);
        for peers in PEERS {
            let mut bed = None;
            group.bench_function(BenchmarkId::from_parameter(format!("peers={peers}")), |b| {
                let bed = bed.get_or_insert_with(|| world(work, peers));
                b.iter_custom(|wanted| deliver(bed, wanted));
            });
        }
        group.finish();
    }
    let mut group = c.benchmark_group("sim::bare");
    group.throughput(Throughput::Elements(1)).sample_size(10);
    for hosts in [10, 100, 1_000, 5_000] {
        let mut bed = None;
        group.bench_function(BenchmarkId::from_parameter(format!("peers={hosts}")), |b| {
            let bed = bed.get_or_insert_with(|| bare(hosts));
            b.iter_custom(|wanted| deliver(bed, wanted));
        });
    }
    group.finish();
    let mut group = c.benchmark_group("sim::floor");
    group.throughput(Throughput::Elements(1)).sample_size(10);
    for peers in PEERS {
        let mut under_way = None;
        group.bench_function(BenchmarkId::from_parameter(format!("peers={peers}")), |b| {
            let under_way =
                *under_way.get_or_insert_with(|| world(Work::Lookups, peers).under_way().exchanges as u64);
            b.iter_custom(|wanted| floor(peers, under_way, wanted));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    // A second each is enough to tell two of them apart, and all benches together are to take minutes.
    config = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    targets = messages
}
criterion_main!(benches);
