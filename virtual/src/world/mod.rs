//! Anyone's protocol on virtual nodes: a [`World`] of swarms with one kind of behaviour.
//!
//! # Order of calls
//!
//! [`World::new`] within a simulation; then [`World::spawn`] for each node. Time moves only within
//! [`World::run_for`] and [`World::run_until`]; everything else happens at once, at the present instant. Nothing
//! that a node does is seen before time is let run.

mod drive;
mod node;

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{self, DialError, NetworkBehaviour, Swarm};
use libp2p::{Multiaddr, PeerId};
use swarmproof::sim::Checkpoint;
use swarmproof::testbed::{Fault, Keep, LinkChange, NodeId, TestbedError, Way};
use swarmproof::time::Timestamp;
use tokio::runtime::Runtime;
use tokio::task::LocalSet;

pub use node::NodeInfo;
use node::{Node, Shape};

use crate::fabric::{Account, Fabric};
use crate::simulation::Simulation;

/// Events of behaviours that wait to be taken. When there are more the oldest are dropped and counted.
const EVENTS: usize = 1 << 16;

/// What a world was asked and did not do.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The network did not do it.
    #[error(transparent)]
    Network(#[from] TestbedError),
    /// A runtime in virtual time could not be made.
    #[error("the runtime could not be made: {0}")]
    Runtime(#[from] std::io::Error),
    /// A node does not listen.
    #[error("{node} cannot listen: {why}")]
    Listen {
        /// Which.
        node: NodeId,
        /// In the words of its swarm.
        why: String,
    },
    /// A node does not dial.
    #[error("{node} cannot dial: {why}")]
    Dial {
        /// Which.
        node: NodeId,
        /// In the words of its swarm.
        why: DialError,
    },
}

/// Something that a behaviour told its node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<E> {
    /// When.
    pub at: Timestamp,
    /// Which node's behaviour.
    pub node: NodeId,
    /// What.
    pub event: E,
}

/// Swarms of one kind of behaviour, and the network between them.
pub struct World<B: NetworkBehaviour> {
    // Dropped in this order: what runs, then where it runs.
    nodes: Vec<Node<B>>,
    local: LocalSet,
    runtime: Runtime,
    fabric: Fabric,
    told: Rc<RefCell<drive::Heard<B::ToSwarm>>>,
    shape: Shape,
}

impl<B: NetworkBehaviour> fmt::Debug for World<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("nodes", &self.nodes.len())
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}

impl<B: NetworkBehaviour + 'static> World<B> {
    /// A world without nodes.
    pub fn new(simulation: &Simulation) -> Result<Self, WorldError> {
        let fabric = simulation.fabric().clone();
        Ok(Self {
            nodes: Vec::new(),
            local: LocalSet::new(),
            runtime: fabric.runtime()?,
            fabric,
            told: Rc::new(RefCell::new(drive::Heard::new(EVENTS))),
            shape: Rc::new(|config| config),
        })
    }

    /// Shape the configuration of the swarms that are made from now on: idle timeouts, sizes of buffers.
    pub fn configure(&mut self, shape: impl Fn(swarm::Config) -> swarm::Config + 'static) {
        self.shape = Rc::new(shape);
    }

    /// A node with the behaviour that `make` makes, listening, in a region that is drawn. `make` is kept, and makes
    /// a new behaviour when the node is restarted.
    pub fn spawn(&mut self, make: impl FnMut(&NodeInfo) -> B + 'static) -> Result<NodeId, WorldError> {
        self.spawn_in(None, make)
    }

    /// The same, in a region of the profile.
    pub fn spawn_in(
        &mut self,
        region: Option<u16>,
        make: impl FnMut(&NodeInfo) -> B + 'static,
    ) -> Result<NodeId, WorldError> {
        let id = self.fabric.spawn(region, true)?;
        self.nodes.push(Node::new(id, Box::new(make)));
        self.live(id)?;
        Ok(id)
    }

    fn node(&self, node: NodeId) -> Result<&Node<B>, TestbedError> {
        self.nodes
            .get(node.0 as usize)
            .ok_or(TestbedError::NoSuchNode { node, wanted: "a node of this world" })
    }

    /// Begin a life of `node`.
    fn live(&mut self, node: NodeId) -> Result<(), WorldError> {
        let _context = self.runtime.enter();
        let no_such = TestbedError::NoSuchNode { node, wanted: "a node of this world" };
        let it = self.nodes.get_mut(node.0 as usize).ok_or(no_such)?;
        let task = it.live(&self.fabric, self.runtime.handle(), &self.shape, &self.told)?;
        self.local.spawn_local(task);
        Ok(())
    }

    /// Do something with the swarm of `node`, which then looks whether there is something to do. `None` when it is
    /// down or there is no such node.
    pub fn with<T>(&self, node: NodeId, act: impl FnOnce(&mut Swarm<B>) -> T) -> Option<T> {
        let _context = self.runtime.enter();
        self.node(node).ok()?.with(act)
    }

    /// Have `a` dial `b`.
    pub fn connect(&self, a: NodeId, b: NodeId) -> Result<(), WorldError> {
        let peer =
            self.peer(b).ok_or(TestbedError::NoSuchNode { node: b, wanted: "a node of this world" })?;
        let dial = DialOpts::peer_id(peer).addresses(vec![self.address(b)]).build();
        let dialled = self.with(a, |swarm| swarm.dial(dial));
        let dialled = dialled.ok_or(TestbedError::NoSuchNode { node: a, wanted: "a node that is up" })?;
        dialled.map_err(|why| WorldError::Dial { node: a, why })
    }

    /// Apply a fault now. What a node does to its answers is [`TestbedError::Unsupported`].
    pub fn apply(&mut self, fault: Fault) -> Result<(), WorldError> {
        self.fabric.apply(&fault)?;
        match fault {
            Fault::Kill { node, .. } => {
                let _context = self.runtime.enter();
                self.node(node)?.die();
                Ok(())
            }
            Fault::Restart { node } => self.live(node),
            _ => Ok(()),
        }
    }

    /// Cut all traffic between two sets of nodes, both ways. Connections between them end at once.
    pub fn cut(
        &mut self,
        from: impl IntoIterator<Item = NodeId>,
        to: impl IntoIterator<Item = NodeId>,
    ) -> Result<(), WorldError> {
        let (from, to) = (from.into_iter().collect(), to.into_iter().collect());
        self.apply(Fault::Cut { from, to, way: Way::Both })
    }

    /// Heal every cut that was made with exactly these sets.
    pub fn heal(
        &mut self,
        from: impl IntoIterator<Item = NodeId>,
        to: impl IntoIterator<Item = NodeId>,
    ) -> Result<(), WorldError> {
        self.apply(Fault::Heal { from: from.into_iter().collect(), to: to.into_iter().collect() })
    }

    /// Change the links of these nodes; [`LinkChange::default`] takes the changes back.
    pub fn links(
        &mut self,
        nodes: impl IntoIterator<Item = NodeId>,
        change: LinkChange,
    ) -> Result<(), WorldError> {
        self.apply(Fault::Links { nodes: nodes.into_iter().collect(), change })
    }

    /// Stop a node as a crash does: its swarm is gone, and others see it after half a round trip.
    pub fn kill(&mut self, node: NodeId) -> Result<(), WorldError> {
        self.apply(Fault::Kill { node, keep: Keep::Nothing })
    }

    /// Start a node again, with a new behaviour under the same key and address.
    pub fn restart(&mut self, node: NodeId) -> Result<(), WorldError> {
        self.apply(Fault::Restart { node })
    }

    /// Let `span` of virtual time pass.
    pub fn run_for(&mut self, span: Duration) {
        self.drive_for(span);
    }

    /// Let time pass until `reached` holds, or `limit` has passed. Returns whether it holds. It is asked whenever a
    /// swarm has done something.
    pub fn run_until(&mut self, limit: Duration, mut reached: impl FnMut(&mut Self) -> bool) -> bool {
        let end = self.now().after(limit);
        loop {
            if reached(self) {
                return true;
            }
            let left = end.since(self.now());
            if left.is_zero() {
                return false;
            }
            self.drive_until_something(left);
        }
    }

    /// What behaviours have told since this was last called, in the order in which they did.
    pub fn events(&mut self) -> Vec<Told<B::ToSwarm>> {
        self.told.borrow_mut().take()
    }

    /// Events that were dropped since nobody took them.
    pub fn dropped(&self) -> u64 {
        self.told.borrow().dropped()
    }

    /// Virtual time.
    pub fn now(&self) -> Timestamp {
        self.fabric.now()
    }

    /// The nodes so far.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<B> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    /// The name that the network knows `node` by.
    pub fn peer(&self, node: NodeId) -> Option<PeerId> {
        self.fabric.peer(node)
    }

    /// The address of `node`.
    pub fn address(&self, node: NodeId) -> Multiaddr {
        self.fabric.address(node)
    }

    /// Whether `node` is up.
    pub fn is_up(&self, node: NodeId) -> bool {
        self.fabric.is_up(node)
    }

    /// Whether a connection stands between two nodes.
    pub fn connected(&self, a: NodeId, b: NodeId) -> bool {
        self.fabric.connected(a, b)
    }

    /// The network between the nodes.
    pub fn fabric(&self) -> &Fabric {
        &self.fabric
    }

    /// What has happened on the network, counted.
    pub fn account(&self) -> Account {
        self.fabric.account()
    }

    /// The hash of everything that has happened on the network, and of what was noted.
    pub fn trace_hash(&self) -> u128 {
        self.fabric.trace_hash()
    }

    /// The hash after every so many events, to find where two runs part.
    pub fn checkpoints(&self) -> Vec<Checkpoint> {
        self.fabric.checkpoints()
    }

    /// Put something into the trace: a result, a verdict. Two runs with different notes have different hashes.
    pub fn note(&self, bytes: &[u8]) {
        self.fabric.note(drive::NOTED, bytes);
    }
}

impl<B: NetworkBehaviour> Drop for World<B> {
    fn drop(&mut self) {
        // Behaviours may hold what wants a runtime when it is dropped.
        let _context = self.runtime.enter();
        for node in &self.nodes {
            node.die();
        }
    }
}
