//! The simulator against real nodes: the same requests in networks of the same shape cost the same messages.
//!
//! How many requests a walk sends depends on the order in which answers come: a real clock on a busy machine changes
//! it, so the real nodes are in virtual time. One process has one such network, so it makes more lookups; each network
//! draws its own keys, so averages are compared.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "the figures are worth reading")]
#![allow(clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

use core::fmt;
use core::future::poll_fn;
use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;
use swarmproof::net::{MemoryLimit, NetConfig, SwarmSetup, SwarmTestbed};
use swarmproof::network::{Choice, Done, Event, Failure, Limits, Network, Request, RequestId, RequestStats};
use swarmproof::sim::{Profile, SimConfig, SimTestbed};
use swarmproof::testbed::stand_in::{AcceptAll, Echo};
use swarmproof::testbed::{NodeId, NodeSpec, Testbed};
use swarmproof_virtual::registry::VirtualCarrier;
use swarmproof_virtual::{Options, simulate};

/// The longest that one request takes.
const PATIENCE: Duration = Duration::from_secs(60);
/// Nodes in one network. Not all have room in each table, and a lookup need not ask all.
const NODES: u32 = 32;
/// Lookups of each kind in one modelled network.
const LOOKUPS: u32 = 6;
/// Modelled networks.
const NETWORKS: u32 = 10;
/// Lookups of each kind in the one network of real nodes.
const REAL_LOOKUPS: u32 = 2 * LOOKUPS;

/// What requests of one kind cost, summed.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    requests: u32,
    sent: u32,
    answered: u32,
}

impl Cost {
    fn add(&mut self, stats: RequestStats) {
        self.requests += 1;
        self.sent += stats.sent;
        self.answered += stats.answered;
    }

    fn sent(self) -> f64 {
        f64::from(self.sent) / f64::from(self.requests)
    }

    fn answered(self) -> f64 {
        f64::from(self.answered) / f64::from(self.requests)
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} sent, {:.1} answered", self.sent(), self.answered())
    }
}

const KINDS: [&str; 5] = ["put", "put and read back", "get", "get of nothing", "ask"];

/// What requests of each kind cost, in the order of [`KINDS`].
type Costs = [Cost; KINDS.len()];

/// Make the requests of one network, and add up what they cost.
fn measure<B: Testbed>(mut bed: B, lookups: u32, costs: &mut Costs) {
    let asker = bed.spawn(NodeSpec::application()).unwrap();
    for _ in 1..NODES {
        bed.spawn(NodeSpec::served(Box::new(Echo))).unwrap();
    }
    let mut net = bed.network(asker).unwrap();
    // Real nodes find one another in a second; then all know each other whose table has room for them.
    bed.block_on(PATIENCE, async {
        let until = net.now().after(Duration::from_secs(3));
        while poll_fn(|cx| net.poll_event(cx, Some(until))).await != Event::Deadline {}
    });
    let peers: Vec<_> = (1..NODES).map(|node| bed.peer(NodeId(node)).unwrap()).collect();
    bed.block_on(PATIENCE * 5 * lookups, async {
        let mut next = 0;
        for number in 0..lookups {
            let key = |what: &str| Bytes::from(format!("/{what}/{number}"));
            let put = |what, read_back| {
                let (key, value) = (key(what), Bytes::from_static(b"value"));
                Request::PutRecord { key, value, ttl: PATIENCE * 60, read_back }
            };
            let requests = [
                put("put", false),
                put("back", true),
                Request::GetRecord { key: key("put") },
                Request::GetRecord { key: key("nothing") },
                Request::Ask {
                    peer: peers[number as usize * 5 % peers.len()],
                    question: Bytes::from_static(b"?"),
                },
            ];
            for (place, request) in requests.into_iter().enumerate() {
                let id = RequestId(next);
                next += 1;
                net.submit(id, request, Limits { deadline: net.now().after(PATIENCE), bytes: 1 << 16 });
                let (result, stats) = loop {
                    match poll_fn(|cx| net.poll_event(cx, None)).await {
                        Event::Finished { id: of, result, stats } if of == id => break (result, stats),
                        _ => {}
                    }
                };
                let wanted = match place {
                    0 | 1 => matches!(result, Ok(Done::Stored { .. })),
                    2 => result == Ok(Done::Looked),
                    3 => result == Err(Failure::NotFound),
                    _ => result == Ok(Done::Answered),
                };
                assert!(wanted, "{}: {result:?} {stats:?}", KINDS[place]);
                costs[place].add(stats);
            }
        }
    })
    .expect("it took too long");
}

fn apart(one: f64, other: f64) -> f64 {
    (one / other - 1.0).abs()
}

#[test]
fn requests_cost_as_many_messages_as_on_real_nodes() {
    let mut modelled = Costs::default();
    for seed in 0..NETWORKS {
        let config = SimConfig::new(u64::from(seed), Profile::lan(), Arc::new(AcceptAll(Choice::Offered)));
        measure(SimTestbed::new(config).unwrap(), LOOKUPS, &mut modelled);
    }
    let profile = Profile::lan();
    let links = profile.clone();
    let simulated = simulate(Options::new(0, profile), move |simulation| {
        let carrier = VirtualCarrier::new(simulation.fabric().clone(), &links);
        let mut setup = SwarmSetup::new(carrier, Arc::new(AcceptAll(Choice::Offered)), Vec::new());
        setup.neighbours = NODES as usize;
        setup.tick = Duration::from_millis(2);
        setup.config = NetConfig { memory: MemoryLimit::Unlimited, ..NetConfig::default() };
        let mut real = Costs::default();
        measure(SwarmTestbed::new(setup).unwrap(), REAL_LOOKUPS, &mut real);
        real
    });
    let real = simulated.unwrap().value;
    for ((kind, modelled), real) in KINDS.iter().zip(modelled).zip(real) {
        println!("{kind}: {modelled} in the simulation, {real} on real nodes");
    }
    for ((kind, modelled), real) in KINDS.iter().zip(modelled).zip(real) {
        assert!(apart(modelled.sent(), real.sent()) < 0.1, "{kind}: {modelled} for {real}");
        assert!(apart(modelled.answered(), real.answered()) < 0.1, "{kind}: {modelled} for {real}");
    }
}
