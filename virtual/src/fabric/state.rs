//! Everything that a fabric holds: nodes, connections, dials, and what will happen.
//!
//! Its methods stand in three files: who is there here, dials and connections in `connections.rs`, messages in
//! `messages.rs`. It is borrowed for one call at a time; whom to wake is collected and woken afterwards.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::task::Waker;
use std::time::Duration;

use libp2p::PeerId;
use libp2p::core::transport::ListenerId;
use libp2p::identity::Keypair;
use swarmproof::sim::{Concern, Links, Profile, Seed, Trace, TraceEvent, TraceSink, digest};
use swarmproof::testbed::{Fault, Keep, LinkChange, NodeId, TestbedError};
use swarmproof::time::Timestamp;

use super::account::Account;
use super::connections::{Connection, Dial};
use super::queue::{Queue, What};
use crate::control;

/// The keys of nodes.
const KEYS: Concern = Concern(2002);
/// The most nodes of one fabric.
const NODES: usize = 1 << 16;

/// Why a message was lost, as [`TraceEvent::Lost`] counts it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Loss {
    Cut = 0,
    Reset = 1,
    Gone = 2,
}

/// A node, as its network sees it.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) peer: PeerId,
    pub(super) up: bool,
    pub(super) dialable: bool,
    /// Rises with each restart.
    pub(super) life: u32,
    pub(super) listener: Option<ListenerId>,
    /// Connections that its listener has not taken yet, and who dialled them.
    pub(super) incoming: VecDeque<u64>,
    /// Who takes them.
    pub(super) waker: Option<Waker>,
    /// Those of its connections that stand.
    pub(super) connections: BTreeSet<u64>,
    /// The last thing that happened to it.
    pub(super) last: (u64, &'static str),
}

/// See the module.
pub(super) struct State {
    pub(super) number: u64,
    pub(super) seed: Seed,
    pub(super) links: Links,
    pub(super) dead_dial: Duration,
    pub(super) queue: Queue,
    pub(super) nodes: Vec<Node>,
    pub(super) connections: BTreeMap<u64, Connection>,
    pub(super) next_connection: u64,
    pub(super) dials: BTreeMap<u64, Dial>,
    pub(super) next_dial: u64,
    /// Who waits on the fabric's clock. Each has its place in the queue, whose bound is theirs.
    pub(super) naps: BTreeMap<u64, Waker>,
    pub(super) next_nap: u64,
    /// How often one node has dialled another.
    pub(super) dialled: BTreeMap<(u32, u32), u64>,
    /// Streams with something written that may not have been flushed.
    pub(super) unsent: Vec<(super::channel::ChannelId, usize)>,
    pub(super) trace: Trace<dyn TraceSink + Send>,
    pub(super) account: Account,
    pub(super) wakers: Vec<Waker>,
}

impl State {
    pub(super) fn new(number: u64, profile: &Profile) -> Self {
        Self {
            number,
            seed: Seed::new(number),
            links: Links::new(profile),
            dead_dial: profile.dead_dial,
            queue: Queue::new(number),
            nodes: Vec::new(),
            connections: BTreeMap::new(),
            next_connection: 0,
            dials: BTreeMap::new(),
            next_dial: 0,
            naps: BTreeMap::new(),
            next_nap: 0,
            dialled: BTreeMap::new(),
            unsent: Vec::new(),
            trace: Trace::default(),
            account: Account::default(),
            wakers: Vec::new(),
        }
    }

    pub(super) fn note(&mut self, event: TraceEvent) {
        self.trace.add(control::now(), event);
    }

    pub(super) fn node(&self, node: u32) -> Option<&Node> {
        self.nodes.get(node as usize)
    }

    pub(super) fn node_mut(&mut self, node: u32) -> Option<&mut Node> {
        self.nodes.get_mut(node as usize)
    }

    /// Remember what happened to `node` last.
    pub(super) fn mark(&mut self, node: u32, what: &'static str) {
        let now = control::now();
        if let Some(node) = self.node_mut(node) {
            node.last = (now, what);
        }
    }

    fn existing(&mut self, node: NodeId, wanted: &'static str) -> Result<&mut Node, TestbedError> {
        self.nodes.get_mut(node.0 as usize).ok_or(TestbedError::NoSuchNode { node, wanted })
    }

    /// The next node is there from now on.
    pub(super) fn spawn(&mut self, region: Option<u16>, dialable: bool) -> Result<NodeId, TestbedError> {
        if self.nodes.len() >= NODES {
            return Err(TestbedError::Start(format!("there are {NODES} nodes, and there can be no more")));
        }
        let (node, region) = self.links.join(&self.seed, region);
        let peer = keypair(&self.seed, NodeId(node)).public().to_peer_id();
        self.nodes.push(Node {
            peer,
            up: true,
            dialable,
            life: 0,
            listener: None,
            incoming: VecDeque::new(),
            waker: None,
            connections: BTreeSet::new(),
            last: (control::now(), "spawned"),
        });
        self.note(TraceEvent::Spawned { node, position: digest(0, &peer.to_bytes()), region });
        Ok(NodeId(node))
    }

    /// The node stops. Its peers see their connections end after half a usual round trip.
    pub(super) fn kill(&mut self, node: NodeId, keep: Keep) -> Result<(), TestbedError> {
        let held = self.existing(node, "a node of this network")?;
        if !held.up {
            return Err(TestbedError::NoSuchNode { node, wanted: "a node that is up" });
        }
        held.up = false;
        held.listener = None;
        self.note(TraceEvent::Killed { node: node.0, keep: keep as u8 });
        self.mark(node.0, "killed");
        self.forsake_incoming(node.0);
        let own: Vec<u64> =
            self.node(node.0).map(|n| n.connections.iter().copied().collect()).unwrap_or_default();
        for connection in own {
            self.die(connection, node.0);
        }
        Ok(())
    }

    /// The node starts again.
    pub(super) fn restart(&mut self, node: NodeId) -> Result<(), TestbedError> {
        let held = self.existing(node, "a node of this network")?;
        if held.up {
            return Err(TestbedError::NoSuchNode { node, wanted: "a node that is down" });
        }
        held.up = true;
        held.life += 1;
        let life = held.life;
        self.note(TraceEvent::Restarted { node: node.0, life });
        self.mark(node.0, "restarted");
        Ok(())
    }

    /// See [`super::Fabric::apply`].
    pub(super) fn apply(&mut self, fault: &Fault) -> Result<(), TestbedError> {
        let concerned: Vec<NodeId> = match fault {
            Fault::Cut { from, to, .. } | Fault::Heal { from, to } => {
                from.iter().chain(to).copied().collect()
            }
            Fault::Links { nodes, .. } => nodes.iter().copied().collect(),
            Fault::Kill { node, .. } | Fault::Restart { node } | Fault::Dialable { node, .. } => vec![*node],
            Fault::Slow { .. }
            | Fault::Silent { .. }
            | Fault::Stall { .. }
            | Fault::Garbles { .. }
            | Fault::Full { .. }
            | Fault::Forgets { .. }
            | Fault::Late { .. }
            | Fault::Skew { .. }
            | Fault::Announces { .. }
            | Fault::Colludes { .. } => {
                let what = "what a node answers: a fabric carries bytes, and knows no answers";
                return Err(TestbedError::Unsupported { what });
            }
        };
        for node in concerned {
            self.existing(node, "a node of this network")?;
        }
        self.note(TraceEvent::of_fault(fault));
        match fault {
            Fault::Kill { node, keep } => self.kill(*node, *keep)?,
            Fault::Restart { node } => self.restart(*node)?,
            Fault::Cut { from, to, way } => {
                let pairs = {
                    let Self { nodes, connections, links, .. } = &mut *self;
                    let peers = |node: u32| {
                        let own = nodes.get(node as usize).into_iter().flat_map(|n| &n.connections);
                        let other = |c: &u64| connections.get(c).map(|c| c.other(node));
                        own.filter_map(other).collect::<BTreeSet<u32>>().into_iter().collect()
                    };
                    links.cut(from.clone(), to.clone(), *way, peers)
                };
                for (a, b) in pairs {
                    self.end_between(a, b);
                }
            }
            Fault::Heal { from, to } => self.links.heal(from.clone(), to.clone()),
            Fault::Links { nodes, change } => {
                nodes.iter().for_each(|node| self.links.change(node.0, *change))
            }
            Fault::Dialable { node, dialable } => {
                self.existing(*node, "a node of this network")?.dialable = *dialable;
            }
            _ => {}
        }
        Ok(())
    }

    /// Change the links of one node.
    pub(super) fn change_links(&mut self, node: NodeId, change: LinkChange) -> Result<(), TestbedError> {
        self.apply(&Fault::Links { nodes: [node].into(), change })
    }

    /// Let the next thing happen that is due. False when nothing is.
    pub(super) fn step(&mut self) -> bool {
        let Some(what) = self.queue.pop(control::now()) else { return false };
        self.account.events += 1;
        match what {
            What::Arrives { channel, side } => self.arrives(channel, side),
            What::Ended { connection, side } => self.sees_end(connection, side),
            What::Rested(nap) => self.wakers.extend(self.naps.remove(&nap)),
            What::Dialled(dial) => self.over(dial),
        }
        true
    }

    /// What each node is doing, for a person to read.
    pub(super) fn describe(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        for (number, node) in self.nodes.iter().enumerate() {
            let up = if node.up { "up" } else { "down" };
            let channels = || {
                let own = node.connections.iter().filter_map(|c| self.connections.get(c));
                own.flat_map(|c| c.channels.values())
            };
            let waiting: usize = channels().flat_map(|c| &c.halves).map(|half| half.held).sum();
            let at = Timestamp::from_nanos(node.last.0);
            let _infallible = writeln!(
                text,
                "  n{number}: {up} (life {}), {} connections, {} streams, {waiting} bytes waiting; last: {} at {at}",
                node.life,
                node.connections.len(),
                channels().count(),
                node.last.1,
            );
        }
        let next =
            self.queue.next_at().map_or("nothing".to_owned(), |at| Timestamp::from_nanos(at).to_string());
        let _infallible = writeln!(text, "  {} dials under way; next arrival: {next}", self.dials.len());
        text
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("nodes", &self.nodes.len())
            .field("connections", &self.connections.len())
            .field("dials", &self.dials.len())
            .finish_non_exhaustive()
    }
}

/// The key of a node: the same under one seed, in all its lives.
pub(super) fn keypair(seed: &Seed, node: NodeId) -> Keypair {
    let mut stream = seed.stream(KEYS, u64::from(node.0));
    loop {
        let mut secret = [0u8; 32];
        for chunk in secret.chunks_exact_mut(8) {
            chunk.copy_from_slice(&stream.wide().to_le_bytes());
        }
        // Any 32 bytes are a key; should that ever change, the next are tried.
        if let Ok(keypair) = Keypair::ed25519_from_bytes(secret) {
            return keypair;
        }
    }
}
