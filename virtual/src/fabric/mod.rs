//! The network between nodes: seeded links, connections and faults, in virtual time.
//!
//! A [`Fabric`] gives each node a libp2p transport, and carries what the nodes' swarms send over the links of a
//! [`Profile`], by the same code and the same draws as the model's world. It is made for one thread: a
//! simulation's, which [`simulate`](crate::simulate) begins.
//!
//! # Order of calls
//!
//! [`Fabric::spawn`] makes a node; then [`Fabric::transport`] gives the transport of its present life. After
//! [`Fabric::kill`] the swarm of that life is dropped by its owner, and after [`Fabric::restart`] there is a new
//! transport. Time moves while a runtime made by [`Fabric::runtime`] runs, and at no other time.
//!
//! # The model
//!
//! - A dial takes the profile's round trips, and fails as the profile and faults say.
//! - What is written to a stream until it is flushed is one message. It takes its own draw of its link, and does
//!   not overtake what is before it in its stream. Streams are opened by their first message; what it costs to
//!   agree on a protocol is libp2p's own doing.
//! - A stream that is closed or dropped, and a connection that is, is seen by the other end later.
//! - A cut both ways and a reset end connections at once; a cut one way ends a connection when something is lost
//!   on it; a node's death is seen after half a usual round trip.
//! - Not modelled: windows of flow control cost no round trips, and messages do not wait for one another at a
//!   node's line.
//!
//! # What the trace holds
//!
//! The model's events ([`TraceEvent`]): a message's identity is a digest of its bytes,
//! and its kind 64, or 65 and 66 for the end and the reset of a stream.

mod account;
mod channel;
mod connections;
mod messages;
mod nap;
mod pump;
mod queue;
mod state;
mod stream;
mod transport;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;

use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId, Transport as _};
use swarmproof::sim::{Checkpoint, Profile, ProfileError, Seed, TraceEvent, TraceSink};
use swarmproof::testbed::{Fault, Keep, LinkChange, NodeId, TestbedError};
use swarmproof::time::Timestamp;
use tokio::runtime::Runtime;

pub use account::Account;
pub use nap::Nap;
pub(crate) use pump::{Progress, Shared};
use state::State;
use transport::VirtualTransport;

use crate::control;

/// The network between nodes. A clone is the same network.
#[derive(Clone, Debug)]
pub struct Fabric {
    shared: Arc<Shared>,
}

impl Fabric {
    pub(crate) fn new(seed: u64, profile: &Profile, progress: Arc<Progress>) -> Result<Self, ProfileError> {
        profile.check()?;
        Ok(Self { shared: Arc::new(Shared::new(State::new(seed, profile), progress)) })
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// A runtime whose clock is paused, and moved to what happens on this fabric. One runs at a time. It is to be
    /// dropped on this thread and outside of itself.
    pub fn runtime(&self) -> io::Result<Runtime> {
        self.shared.runtime()
    }

    /// Let go of what belongs to a runtime of this fabric that has ended.
    pub(crate) fn rest(&self) {
        self.shared.rest();
    }

    /// The seed of the run.
    pub fn seed(&self) -> u64 {
        self.shared.with(|state| state.number)
    }

    /// The same, for draws of the caller's own.
    pub fn draws(&self) -> Seed {
        self.shared.with(|state| state.seed)
    }

    /// Virtual time.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_nanos(control::now())
    }

    /// Wait until `at`, to the nanosecond.
    pub fn sleep_until(&self, at: Timestamp) -> Nap {
        Nap::new(Arc::clone(&self.shared), at)
    }

    /// The next node is there from now on, in `region` or in one that is drawn: node 0, then 1, and so on.
    pub fn spawn(&self, region: Option<u16>, dialable: bool) -> Result<NodeId, TestbedError> {
        self.shared.with(|state| state.spawn(region, dialable))
    }

    /// The key of `node`: the same under one seed, in all its lives, whether it is there yet or not.
    pub fn keypair(&self, node: NodeId) -> Keypair {
        let seed = self.draws();
        state::keypair(&seed, node)
    }

    /// The name that the network knows `node` by.
    pub fn peer(&self, node: NodeId) -> Option<PeerId> {
        self.shared.with(|state| state.node(node.0).map(|node| node.peer))
    }

    /// The address of `node`, in all its lives.
    pub fn address(&self, node: NodeId) -> Multiaddr {
        transport::address(node)
    }

    /// The transport of `node` in its present life.
    pub fn transport(&self, node: NodeId) -> Result<Boxed<(PeerId, StreamMuxerBox)>, TestbedError> {
        let life = self.shared.with(|state| state.node(node.0).filter(|node| node.up).map(|node| node.life));
        let life = life.ok_or(TestbedError::NoSuchNode { node, wanted: "a node that is up" })?;
        Ok(VirtualTransport::new(Arc::clone(&self.shared), node, life).boxed())
    }

    /// The node stops, as far as others can see; `keep` is for the trace. Its owner drops its swarm.
    pub fn kill(&self, node: NodeId, keep: Keep) -> Result<(), TestbedError> {
        self.shared.with(|state| state.kill(node, keep))
    }

    /// The node is there again, with a new transport.
    pub fn restart(&self, node: NodeId) -> Result<(), TestbedError> {
        self.shared.with(|state| state.restart(node))
    }

    /// Apply a fault of the network: cuts and their healing, changes of links, whether a node can be dialled; and,
    /// as far as others can see, death and restart. What a node does to its answers is [`TestbedError::Unsupported`].
    pub fn apply(&self, fault: &Fault) -> Result<(), TestbedError> {
        self.shared.with(|state| state.apply(fault))
    }

    /// A fault that is not the network's was applied by whoever owns the nodes: for the trace.
    pub fn faulted(&self, fault: &Fault) {
        self.shared.with(|state| state.note(TraceEvent::of_fault(fault)));
    }

    /// The links of one node change; [`LinkChange::default`] takes the changes back.
    pub fn change_links(&self, node: NodeId, change: LinkChange) -> Result<(), TestbedError> {
        self.shared.with(|state| state.change_links(node, change))
    }

    /// Whether `node` is up.
    pub fn is_up(&self, node: NodeId) -> bool {
        self.shared.with(|state| state.node(node.0).is_some_and(|node| node.up))
    }

    /// Whether a connection stands between two nodes.
    pub fn connected(&self, a: NodeId, b: NodeId) -> bool {
        self.shared.with(|state| {
            let own = state.node(a.0).into_iter().flat_map(|node| &node.connections);
            own.filter_map(|c| state.connections.get(c)).any(|c| c.other(a.0) == b.0)
        })
    }

    /// Whether both nodes are up and nothing is cut between them.
    pub fn reaches(&self, a: NodeId, b: NodeId) -> bool {
        let up = self.is_up(a) && self.is_up(b);
        up && self.shared.with(|state| !state.links.parts(a.0, b.0))
    }

    /// What has happened so far, counted.
    pub fn account(&self) -> Account {
        self.shared.with(|state| state.account)
    }

    /// The hash of everything that has happened so far.
    pub fn trace_hash(&self) -> u128 {
        self.shared.with(|state| state.trace.hash())
    }

    /// The hash after every so many events, to find where two runs part.
    pub fn checkpoints(&self) -> Vec<Checkpoint> {
        self.shared.with(|state| state.trace.checkpoints().to_vec())
    }

    /// How many events the trace has so far.
    pub fn trace_events(&self) -> u64 {
        self.shared.with(|state| state.trace.events())
    }

    /// Show every event from now on to `sink`.
    pub fn show_trace_to(&self, sink: Box<dyn TraceSink + Send>) {
        self.shared.with(|state| state.trace.show_to(Some(sink)));
    }

    /// Put something of the caller's into the trace: a verdict, a result. `kind` says what it is.
    pub fn note(&self, kind: u32, bytes: &[u8]) {
        self.shared.with(|state| state.trace.note(control::now(), kind, bytes));
    }
}
