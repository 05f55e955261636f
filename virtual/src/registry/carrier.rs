//! A fabric as what carries a testbed of swarms.
//!
//! Serving takes time as in the model: a node serves one thing at a time, in the order in which its answers are made,
//! for a span that is drawn from the profile; with too much waiting, a question is refused as busy and anything else
//! breaks off. Answers leave to the nanosecond. What the model does and this does not: being told of a provider,
//! which nobody answers, takes no time; and the backlog is looked at when the answer is made, so a node has done its
//! work on what it then refuses.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use swarmproof::net::transport::BoxedTransport;
use swarmproof::net::{Carrier, Served, Service, Start};
use swarmproof::sim::{Concern, Dist, Profile};
use swarmproof::testbed::{Fault, NodeId, NodeSpec, TestbedError};
use swarmproof::time::Timestamp;
use tokio::runtime::Runtime;

use crate::Fabric;

/// How long peers take to serve.
const SERVICE: Concern = Concern(2003);
/// As `Libp2pNetwork` has it, where nothing else is said.
const IDLE: Duration = Duration::from_secs(120);
/// What a note in the trace is: the hash of every result of the run. The same as the model's.
const RESULTS: u32 = 1;

/// Before the run's time begins: a few heartbeats, and so many of the longest round trips, for dials and what is
/// said on new connections.
const SETTLING: Duration = Duration::from_secs(5);
const ROUND_TRIPS: u32 = 16;
/// The longest that it takes.
const LONGEST_START: Duration = Duration::from_secs(120);

/// A fabric that carries a testbed.
#[derive(Debug)]
pub struct VirtualCarrier {
    fabric: Fabric,
    service: swarmproof::sim::Service,
    takes: Duration,
    /// Of each node that has served: until when it is busy, and how often it has served. One entry a node.
    busy: Mutex<BTreeMap<NodeId, Busy>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Busy {
    until: u64,
    served: u64,
}

impl VirtualCarrier {
    /// `fabric`, which was made with `profile` and has no nodes yet.
    pub fn new(fabric: Fabric, profile: &Profile) -> Self {
        let takes = start_takes(profile);
        Self { fabric, service: profile.service, takes, busy: Mutex::default() }
    }
}

/// How long it takes until a starting network of `profile` stands, in whole seconds.
fn start_takes(profile: &Profile) -> Duration {
    // One in a thousand messages takes longer.
    let long = |dist: &Dist| dist.at(u64::MAX / 1000 * 999);
    let line = long(&profile.home_access).max(long(&profile.centre_access));
    let way = profile.one_way.iter().flatten().map(long).max().unwrap_or_default();
    let round_trip = way.saturating_add(line.saturating_mul(2)).saturating_mul(2);
    let takes = SETTLING.saturating_add(round_trip.saturating_mul(ROUND_TRIPS));
    Duration::from_secs(takes.as_secs().saturating_add(1)).min(LONGEST_START)
}

impl Carrier for VirtualCarrier {
    fn network(&self) -> &str {
        "virtual"
    }

    fn runtime(&self) -> io::Result<Runtime> {
        self.fabric.runtime()
    }

    fn start(&self) -> Start {
        Start::Standing { takes: self.takes, seed: self.fabric.seed() }
    }

    fn idle(&self) -> Duration {
        IDLE
    }

    fn spawned(&self, node: NodeId, spec: &NodeSpec) {
        let spawned = self.fabric.spawn(spec.region, spec.dialable);
        // One that there is no room for has no transport, and so no life.
        debug_assert!(spawned.is_err() || spawned == Ok(node), "nodes are numbered alike");
    }

    fn keypair(&self, node: NodeId) -> Keypair {
        self.fabric.keypair(node)
    }

    fn address(&self, node: NodeId) -> Multiaddr {
        self.fabric.address(node)
    }

    fn transport(&self, node: NodeId, _: &Keypair) -> Result<BoxedTransport, TestbedError> {
        self.fabric.transport(node)
    }

    fn apply(&self, fault: &Fault) -> Result<(), TestbedError> {
        match fault {
            // What a node does to its answers is the testbed's.
            Fault::Slow { .. } | Fault::Silent { .. } | Fault::Stall { .. } | Fault::Garbles { .. } => {
                self.fabric.faulted(fault);
                Ok(())
            }
            Fault::Restart { node } => {
                let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(busy) = busy.get_mut(node) {
                    busy.until = 0;
                }
                self.fabric.apply(fault)
            }
            _ => self.fabric.apply(fault),
        }
    }

    fn reaches(&self, one: NodeId, other: NodeId) -> bool {
        self.fabric.reaches(one, other)
    }

    fn service(&self, node: NodeId, served: Served, factor: u32) -> Option<Service> {
        let dist = match served {
            Served::Lookup => self.service.lookup,
            Served::Store => self.service.store,
            Served::Question => self.service.question,
        };
        let nanos = |span: Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        let now = self.fabric.now().as_nanos();
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let busy = busy.entry(node).or_default();
        let begins = busy.until.max(now);
        if begins - now > nanos(self.service.backlog) {
            return Some(Service::Busy);
        }
        busy.served = busy.served.saturating_add(1);
        let draw = self.fabric.draws().draw(SERVICE, u64::from(node.0), busy.served).wide(0);
        let takes = nanos(dist.at(draw)).saturating_mul(u64::from(factor));
        busy.until = begins.saturating_add(takes);
        if busy.until == now {
            return Some(Service::Now);
        }
        Some(Service::Later(Box::pin(self.fabric.sleep_until(Timestamp::from_nanos(busy.until)))))
    }

    fn events(&self) -> u64 {
        self.fabric.account().events
    }

    fn note(&self, bytes: &[u8]) {
        self.fabric.note(RESULTS, bytes);
    }

    fn trace_hash(&self) -> String {
        format!("{:032x}", self.fabric.trace_hash())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_takes_longer_where_links_are_longer() {
        let (lan, internet) = (start_takes(&Profile::lan()), start_takes(&Profile::internet()));
        assert_eq!(lan, Duration::from_secs(6));
        assert!(internet > 3 * lan && internet < LONGEST_START, "{internet:?}");
        let moon = Profile::flat(Dist::Constant(Duration::from_secs(60)));
        assert_eq!(start_takes(&moon), LONGEST_START);
    }
}
