//! What a node's network shows to whoever watches: libp2p's own metrics, and what this module holds.

use core::fmt;

use libp2p::metrics::{Metrics, Recorder};
use libp2p::swarm::SwarmEvent;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::behaviour::BehaviourEvent;
use crate::network::Gauges;

/// The metrics of one network: registered once, brought up to date while the network is polled.
pub(super) struct NetMetrics {
    libp2p: Metrics,
    requests: Gauge,
    questions: Gauge,
    waiting: Gauge,
    dropped: Counter,
    peers: Gauge,
    blocked: Gauge,
    held: Gauge,
    own: Gauge,
}

impl fmt::Debug for NetMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetMetrics").finish_non_exhaustive()
    }
}

impl NetMetrics {
    /// Register everything with `registry`.
    pub(super) fn new(registry: &mut Registry) -> Self {
        let libp2p = Metrics::new(registry);
        let network = registry.sub_registry_with_prefix("swarmproof_network");
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            network.register(name, help, gauge.clone());
            gauge
        };
        let requests = gauge("requests", "Requests in flight");
        let questions = gauge("questions", "Questions of peers that wait for a reply");
        let waiting = gauge("events_waiting", "Events that wait to be polled");
        let peers = gauge("peers", "Peers that are connected and speak the protocol");
        let blocked = gauge("peers_blocked", "Peers that are refused for a time");
        let held = gauge("records_held", "Records held for others");
        let own = gauge("records_own", "Records of this node's own that it serves");
        let dropped = Counter::default();
        network.register(
            "dropped",
            "Events and messages dropped because a queue or an allowance was full",
            dropped.clone(),
        );
        Self { libp2p, requests, questions, waiting, dropped, peers, blocked, held, own }
    }

    /// Count an event of the swarm.
    pub(super) fn record(&self, event: &SwarmEvent<BehaviourEvent>) {
        self.libp2p.record(event);
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Kad(event)) => self.libp2p.record(event),
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) => self.libp2p.record(event),
            SwarmEvent::Behaviour(BehaviourEvent::Identify(event)) => self.libp2p.record(event),
            SwarmEvent::Behaviour(BehaviourEvent::Ping(event)) => self.libp2p.record(event),
            _ => {}
        }
    }

    /// Show what is held now; `records` for others, and of this node's own.
    pub(super) fn show(&self, held: Gauges, peers: usize, blocked: usize, records: (usize, usize)) {
        let set = |gauge: &Gauge, held: usize| {
            gauge.set(i64::try_from(held).unwrap_or(i64::MAX));
        };
        set(&self.requests, held.requests);
        set(&self.questions, held.questions);
        set(&self.waiting, held.waiting);
        set(&self.peers, peers);
        set(&self.blocked, blocked);
        set(&self.held, records.0);
        set(&self.own, records.1);
        self.dropped.inc_by(held.dropped.saturating_sub(self.dropped.get()));
    }
}
