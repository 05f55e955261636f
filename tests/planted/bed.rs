//! A simulated network on which a fault is planted: below whatever watches it, above that, or in what a registry
//! says of itself.

use core::future::Future;
use core::time::Duration;

use bytes::Bytes;
use swarmproof::network::Responder;
use swarmproof::registry::Snapshot;
use swarmproof::scenario::{DynNetwork, Figures, Measured, Outfit};
use swarmproof::sim::{SimPeer, SimStore, SimTestbed};
use swarmproof::testbed::{Fault, LocalTask, NodeId, NodeSpec, Testbed, TestbedError};
use swarmproof::time::{Timestamp, WallTime};

/// The network of one registry.
pub type Net = DynNetwork<SimPeer>;

/// One way to break what is right. Each part left out leaves that part right.
pub trait Plant {
    /// Break the network, so that the witness sees it broken.
    fn below(&self, network: Net) -> Net {
        network
    }

    /// Break the registry: between what the witness sees and what the registry sees and does, or in what it tells of
    /// its doings.
    fn outfit(&self, outfit: Outfit<SimPeer>) -> Outfit<SimPeer> {
        outfit
    }

    /// Break what the registry says of itself when all is done.
    fn account(&self, snapshot: Snapshot<SimPeer>) -> Snapshot<SimPeer> {
        snapshot
    }
}

/// Nothing is broken.
pub struct Sound;

impl Plant for Sound {}

/// A simulated network with a fault planted.
pub struct Bed {
    pub inner: SimTestbed,
    pub plant: Box<dyn Plant>,
}

impl Testbed for Bed {
    type Network = Net;
    type Store = SimStore;

    fn spawn(&mut self, spec: NodeSpec) -> Result<NodeId, TestbedError> {
        self.inner.spawn(spec)
    }

    fn peer(&self, node: NodeId) -> Option<SimPeer> {
        self.inner.peer(node)
    }

    fn network(&mut self, node: NodeId) -> Option<Net> {
        Some(self.plant.below(Box::new(self.inner.network(node)?)))
    }

    fn store(&mut self, node: NodeId) -> Option<SimStore> {
        self.inner.store(node)
    }

    fn run(&mut self, owner: Option<NodeId>, task: LocalTask) {
        self.inner.run(owner, task);
    }

    fn preload(&mut self, key: Bytes, value: Bytes, ttl: Duration) -> Result<(), TestbedError> {
        self.inner.preload(key, value, ttl)
    }

    fn apply(&mut self, fault: Fault) -> Result<(), TestbedError> {
        self.inner.apply(fault)
    }

    fn impersonate(&mut self, node: NodeId, responder: Box<dyn Responder>) -> Result<(), TestbedError> {
        self.inner.impersonate(node, responder)
    }

    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    fn wall(&self) -> WallTime {
        self.inner.wall()
    }

    fn tick(&self) -> Duration {
        self.inner.tick()
    }

    fn run_until(&mut self, until: Timestamp) {
        self.inner.run_until(until);
    }

    fn block_on<T>(&mut self, limit: Duration, task: impl Future<Output = T>) -> Option<T> {
        self.inner.block_on(limit, task)
    }
}

impl Measured for Bed {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn figures(&self) -> Figures {
        self.inner.figures()
    }

    fn outfit(&self, _: NodeId, outfit: Outfit<SimPeer>) -> Outfit<SimPeer> {
        self.plant.outfit(outfit)
    }

    fn account(&self, _: NodeId, snapshot: Snapshot<SimPeer>) -> Snapshot<SimPeer> {
        self.plant.account(snapshot)
    }

    fn note(&mut self, bytes: &[u8]) {
        Measured::note(&mut self.inner, bytes);
    }

    fn trace_hash(&self) -> String {
        Measured::trace_hash(&self.inner)
    }
}
