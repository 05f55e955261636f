//! [`SwarmTestbed`]: the nodes, their runtime, and what is done to them.

use core::fmt;
use core::future::{Future, poll_fn};
use core::task::Poll;
use core::time::Duration;
use std::collections::BTreeMap;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use libp2p::kad::{K_VALUE, KBucketKey};
use libp2p::{Multiaddr, PeerId};
use tokio::runtime::Runtime;
use tokio::task::LocalSet;

use super::carrier::{Carrier, Start};
use super::depths::Depths;
use super::line::{Counts, Line};
use super::node::Node;
use super::serve::serve;
use super::setup::SwarmSetup;
use super::standing::{Member, weave};
use super::store::SwarmStore;
use crate::net::clock::Clock;
use crate::net::network::Libp2pNetwork;
use crate::network::Responder;
use crate::testbed::draw::mix;
use crate::testbed::{Fault, Keep, LocalTask, NodeId, NodeSpec, Testbed, TestbedError};
use crate::time::{Timestamp, WallTime};

/// The longest that the socket of a node's last life takes to close: QUIC first drains its connections.
const CLOSING: Duration = Duration::from_secs(15);
/// By how many peers a node joins that comes later: on a carrier where the network stands from the beginning, and
/// where it has joined itself.
const JOINS_BY: (usize, usize) = (3, 2);
/// How often something that takes its time is tried again.
const AGAIN: Duration = Duration::from_millis(5);

/// A set of swarms.
pub struct SwarmTestbed {
    runtime: Runtime,
    local: LocalSet,
    clock: Clock,
    setup: SwarmSetup,
    nodes: Vec<Node>,
    started: bool,
    /// Why the starting network did not come to be.
    failed: Option<TestbedError>,
}

impl fmt::Debug for SwarmTestbed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SwarmTestbed")
            .field("setup", &self.setup)
            .field("nodes", &self.nodes.len())
            .field("started", &self.started)
            .finish_non_exhaustive()
    }
}

impl SwarmTestbed {
    /// No nodes yet.
    pub fn new(setup: SwarmSetup) -> Result<Self, TestbedError> {
        let runtime = setup.carrier.runtime().map_err(|error| TestbedError::Start(error.to_string()))?;
        let clock = {
            let _context = runtime.enter();
            let clock = setup.wall.map_or_else(Clock::start, Clock::start_at);
            match setup.carrier.start() {
                Start::Joining { .. } => clock,
                Start::Standing { takes, .. } => clock.later(takes),
            }
        };
        let local = LocalSet::new();
        Ok(Self { runtime, local, clock, setup, nodes: Vec::new(), started: false, failed: None })
    }

    fn at(&self, node: NodeId) -> Option<&Node> {
        self.nodes.get(usize::try_from(node.0).ok()?)
    }

    fn node(&mut self, node: NodeId) -> Result<&mut Node, TestbedError> {
        let at = usize::try_from(node.0).ok();
        at.and_then(|at| self.nodes.get_mut(at)).ok_or(TestbedError::NoSuchNode { node, wanted: "a node" })
    }

    /// What carries the nodes.
    pub fn carrier(&self) -> &dyn Carrier {
        &*self.setup.carrier
    }

    /// How deep the lookups of a node go.
    pub fn depths(&self, node: NodeId) -> Option<Depths> {
        self.at(node).map(|node| node.line.depths().clone())
    }

    /// Let everything run for a moment.
    #[expect(clippy::disallowed_methods, reason = "sockets close in real time")]
    fn breathe(&self) {
        self.runtime.block_on(self.local.run_until(async { tokio::time::sleep(AGAIN).await }));
    }

    /// Begin a life of `node`.
    fn begin(&mut self, node: NodeId) -> Result<(), TestbedError> {
        let give_up = self.now().after(CLOSING);
        loop {
            let (setup, clock) = (self.setup.clone(), self.clock);
            let handle = self.runtime.handle().clone();
            let lives = {
                let _context = handle.enter();
                self.node(node)?.live(&setup, clock)
            };
            match lives {
                Ok(()) => break,
                // Its last life may still have the port.
                Err(_busy) if self.now() < give_up => self.breathe(),
                Err(error) => return Err(error),
            }
        }
        self.listens(node)?;
        if self.started {
            let joins = self.joins_by(node);
            self.introduce(node, joins)?;
            self.serve(node)?;
        }
        Ok(())
    }

    /// Wait until `node` knows the address that it listens on.
    fn listens(&mut self, node: NodeId) -> Result<(), TestbedError> {
        let runtime = &self.runtime;
        let at = usize::try_from(node.0).ok();
        let Some(it) = at.and_then(|at| self.nodes.get_mut(at)) else {
            return Err(TestbedError::NoSuchNode { node, wanted: "a node" });
        };
        let known = poll_fn(|cx| it.poll_address(cx));
        match runtime.block_on(async { tokio::time::timeout(CLOSING, known).await }) {
            Ok(()) => Ok(()),
            Err(_late) => Err(TestbedError::Start(format!("{node} does not listen"))),
        }
    }

    /// Peers by which `node` can join: of a network that has joined itself, two that the testbed runs first, as they
    /// stay; of one that stands, any that it can reach.
    fn joins_by(&self, node: NodeId) -> Vec<(PeerId, Multiaddr)> {
        let carrier = &self.setup.carrier;
        let up = |other: &&Node| {
            other.id != node && other.is_up() && other.line.dialable() && carrier.reaches(node, other.id)
        };
        if let Start::Standing { seed, .. } = carrier.start() {
            let draw = |other: &Node| mix(mix(seed ^ u64::from(node.0)) ^ u64::from(other.id.0));
            let mut others: Vec<&Node> = self.nodes.iter().filter(up).collect();
            others.sort_by_key(|other| (draw(other), other.id));
            return others.into_iter().take(JOINS_BY.0).map(Node::named).collect();
        }
        let (served, others): (Vec<&Node>, Vec<&Node>) =
            self.nodes.iter().filter(up).partition(|other| other.part.is_some());
        served.into_iter().chain(others).take(JOINS_BY.1).map(Node::named).collect()
    }

    /// Have `node` dial the peers that it is to join by.
    fn introduce(&mut self, node: NodeId, known: Vec<(PeerId, Multiaddr)>) -> Result<(), TestbedError> {
        let context = self.runtime.handle().clone();
        let _context = context.enter();
        if let Some(network) = &mut self.node(node)?.network {
            for (peer, address) in known {
                network.add_address(peer, address);
                network.connect(peer);
            }
        }
        Ok(())
    }

    /// Have the testbed run `node`, when it is one that the testbed runs.
    fn serve(&mut self, node: NodeId) -> Result<(), TestbedError> {
        let (topics, bytes) = (self.setup.topics.clone(), self.setup.config.answer_bytes);
        let context = self.runtime.handle().clone();
        let _context = context.enter();
        let it = self.node(node)?;
        if let Some(part) = it.part.clone()
            && let Some(network) = it.network.take()
        {
            let task = serve(network, part, topics, bytes);
            self.local.spawn_local(task);
        }
        Ok(())
    }

    /// Join the starting network, once.
    fn start(&mut self) {
        if !core::mem::replace(&mut self.started, true) {
            let stands = match self.setup.carrier.start() {
                Start::Joining { within } => self.join(within),
                Start::Standing { seed, .. } => self.stand(seed),
            };
            self.failed = stands.err();
            // What it took is no part of the run.
            self.nodes.iter().for_each(|node| node.line.count_anew());
        }
    }

    /// Have the nodes be a network that has been up for long, when the time of the run begins.
    fn stand(&mut self, seed: u64) -> Result<(), TestbedError> {
        let members: Vec<Member> = self.nodes.iter().map(Member::of).collect();
        let woven = weave(&members, seed);
        let named = |places: &[usize]| -> Vec<(PeerId, Multiaddr)> {
            places.iter().filter_map(|place| self.nodes.get(*place)).map(Node::named).collect()
        };
        let woven: Vec<_> = woven.iter().map(|it| (named(&it.known), named(&it.dials))).collect();
        let context = self.runtime.handle().clone();
        let _context = context.enter();
        for (node, (known, dials)) in self.nodes.iter_mut().zip(&woven) {
            if let Some(network) = &mut node.network {
                network.stand(known, dials);
            }
        }
        for id in 0..self.nodes.len() {
            self.serve(self.nodes.get(id).map_or(NodeId(u32::MAX), |node| node.id))?;
        }
        let begins = self.clock.instant(Timestamp::ZERO);
        let working: FuturesUnordered<_> = self
            .nodes
            .iter_mut()
            .filter_map(|node| node.network.as_mut())
            .map(|network| poll_fn(|cx| network.poll_work(cx)))
            .collect();
        let all = working.for_each(|()| core::future::pending());
        let over = self.local.run_until(async { tokio::time::timeout_at(begins, all).await });
        let _time_has_come = self.runtime.block_on(over);
        for (node, (_, dials)) in self.nodes.iter().zip(&woven) {
            let Some(network) = &node.network else { continue };
            if let Some((missing, _)) = dials.iter().find(|(peer, _)| !network.is_up(*peer)) {
                let other = self.nodes.iter().find(|other| other.peer == *missing).map(|other| other.id);
                let other = other.unwrap_or(NodeId(u32::MAX));
                let why = format!("{} was not connected to {other} when its time began", node.id);
                return Err(TestbedError::Start(why));
            }
        }
        Ok(())
    }

    fn join(&mut self, within: Duration) -> Result<(), TestbedError> {
        let names: Vec<(bool, (PeerId, Multiaddr))> =
            self.nodes.iter().map(|node| (node.line.dialable(), node.named())).collect();
        let first = names.iter().find(|(dialable, _)| *dialable).map(|(_, named)| named);
        let neighbours = self.setup.neighbours;
        let mut wanted = Vec::new();
        let mut before = first;
        for ((dialable, own), id) in names.iter().zip(0..) {
            let mut known: BTreeMap<PeerId, Multiaddr> = first.into_iter().chain(before).cloned().collect();
            if self.node(NodeId(id))?.part.is_none() {
                let behind = names.iter().cycle().skip(id as usize + 1).take(names.len() - 1);
                let dialable = behind.filter(|(dialable, _)| *dialable);
                known.extend(dialable.take(neighbours).map(|(_, named)| named.clone()));
            }
            known.remove(&own.0);
            wanted.extend(known.keys().map(|peer| (own.0, *peer)));
            self.introduce(NodeId(id), known.into_iter().collect())?;
            if *dialable {
                before = Some(own);
            }
        }
        let mut networks: BTreeMap<PeerId, &mut Libp2pNetwork> = BTreeMap::new();
        for node in &mut self.nodes {
            networks.extend(node.network.as_mut().map(|network| (node.peer, network)));
        }
        let joined = poll_fn(|cx| {
            for network in networks.values_mut() {
                let _working = network.poll_work(cx);
            }
            let sees = |one: &PeerId, other: &PeerId| networks.get(one).is_none_or(|it| it.is_up(*other));
            wanted.retain(|(one, other)| !sees(one, other) || !sees(other, one));
            if wanted.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        });
        let joined = self.runtime.block_on(async { tokio::time::timeout(within, joined).await });
        if joined.is_err() {
            return Err(TestbedError::Start(format!("its nodes were not connected within {within:?}")));
        }
        for (_, id) in names.iter().zip(0..) {
            self.serve(NodeId(id))?;
        }
        Ok(())
    }

    /// Do something to a node's line.
    fn strike(&mut self, node: NodeId, act: impl FnOnce(&Line)) -> Result<(), TestbedError> {
        act(&self.node(node)?.line);
        Ok(())
    }

    /// What went over all lines since the starting network stood.
    pub fn counts(&self) -> Counts {
        let counts = self.nodes.iter().map(|node| node.line.counts());
        counts.fold(Counts::default(), |sum, it| Counts {
            messages: sum.messages + it.messages,
            garbled: sum.garbled + it.garbled,
            dials: sum.dials + it.dials,
            failed_dials: sum.failed_dials + it.failed_dials,
        })
    }

    /// Whether a fault can be applied as things are.
    fn is_sound(&mut self, fault: &Fault) -> Result<(), TestbedError> {
        let up = |node| TestbedError::NoSuchNode { node, wanted: "up" };
        let down = |node| TestbedError::NoSuchNode { node, wanted: "down" };
        match fault {
            Fault::Kill { node, .. } => self.node(*node)?.is_up().then_some(()).ok_or(up(*node)),
            Fault::Restart { node } => (!self.node(*node)?.is_up()).then_some(()).ok_or(down(*node)),
            Fault::Silent { node, .. }
            | Fault::Stall { node, .. }
            | Fault::Slow { node, .. }
            | Fault::Garbles { node, .. }
            | Fault::Dialable { node, .. } => self.node(*node).map(|_| ()),
            Fault::Cut { from: one, to: other, .. } | Fault::Heal { from: one, to: other } => {
                one.iter().chain(other).try_for_each(|node| self.node(*node).map(|_| ()))
            }
            Fault::Links { nodes, .. } => nodes.iter().try_for_each(|node| self.node(*node).map(|_| ())),
            // A node's store and its answers' times are its own, and no hook is in it.
            Fault::Full { .. } => Err(TestbedError::Unsupported { what: "a full store" }),
            Fault::Forgets { .. } => Err(TestbedError::Unsupported { what: "lying acknowledgements" }),
            Fault::Late { .. } => Err(TestbedError::Unsupported { what: "answers that are held back" }),
            Fault::Skew { .. } => Err(TestbedError::Unsupported { what: "a wrong calendar" }),
            Fault::Colludes { .. } => Err(TestbedError::Unsupported { what: "colluding peers" }),
            Fault::Announces { .. } => Err(TestbedError::Unsupported { what: "a storm of announcements" }),
        }
    }

    fn kill(&mut self, node: NodeId, keep: Keep) -> Result<(), TestbedError> {
        let context = self.runtime.handle().clone();
        let _context = context.enter();
        self.node(node)?.die(keep).then_some(()).ok_or(TestbedError::NoSuchNode { node, wanted: "up" })
    }
}

impl Testbed for SwarmTestbed {
    type Network = Libp2pNetwork;
    type Store = SwarmStore;

    fn spawn(&mut self, spec: NodeSpec) -> Result<NodeId, TestbedError> {
        if spec.near.is_some() {
            return Err(TestbedError::Unsupported { what: "a chosen place in the DHT" });
        }
        let number = u32::try_from(self.nodes.len());
        let node = NodeId(number.map_err(|_| TestbedError::Start("too many nodes".to_owned()))?);
        self.nodes.push(Node::new(&self.setup, node, spec));
        self.begin(node)?;
        Ok(node)
    }

    fn peer(&self, node: NodeId) -> Option<PeerId> {
        self.at(node).map(|node| node.peer)
    }

    fn network(&mut self, node: NodeId) -> Option<Libp2pNetwork> {
        self.start();
        if self.failed.is_some() {
            return None;
        }
        let it = self.node(node).ok()?;
        if it.part.is_some() { None } else { it.network.take() }
    }

    fn store(&mut self, node: NodeId) -> Option<SwarmStore> {
        let it = self.at(node)?;
        (it.part.is_none() && it.is_up()).then(|| it.store.clone())
    }

    fn run(&mut self, owner: Option<NodeId>, task: LocalTask) {
        let handle = {
            let _context = self.runtime.enter();
            self.local.spawn_local(task)
        };
        if let Some(owner) = owner.and_then(|owner| self.node(owner).ok()) {
            owner.owns(handle);
        }
    }

    fn preload(&mut self, key: Bytes, value: Bytes, ttl: Duration) -> Result<(), TestbedError> {
        if self.started {
            return Err(TestbedError::Unsupported { what: "preloading after the start" });
        }
        let context = self.runtime.handle().clone();
        let _context = context.enter();
        let target = KBucketKey::new(key.to_vec());
        let mut servers: Vec<&mut Node> = self.nodes.iter_mut().filter(|node| node.server).collect();
        servers.sort_by_key(|node| target.distance(&KBucketKey::from(node.peer)));
        for network in servers.into_iter().take(K_VALUE.get()).filter_map(|node| node.network.as_mut()) {
            if !network.keep(&key, &value, ttl) {
                return Err(TestbedError::Start("a preloaded record was refused".to_owned()));
            }
        }
        Ok(())
    }

    fn apply(&mut self, fault: Fault) -> Result<(), TestbedError> {
        if let Some(why) = &self.failed {
            return Err(why.clone());
        }
        self.is_sound(&fault)?;
        self.setup.carrier.apply(&fault)?;
        match fault {
            Fault::Kill { node, keep } => self.kill(node, keep),
            Fault::Restart { node } => self.begin(node),
            Fault::Silent { node, silent } => self.strike(node, |line| line.set_silent(silent)),
            Fault::Stall { node, stalled } => self.strike(node, |line| line.set_stalled(stalled)),
            Fault::Slow { node, factor } => self.strike(node, |line| line.set_slow(factor)),
            Fault::Garbles { node, ways } => self.strike(node, |line| line.set_garbles(ways)),
            Fault::Dialable { node, dialable } => self.strike(node, |line| line.set_dialable(dialable)),
            Fault::Cut { .. } | Fault::Heal { .. } | Fault::Links { .. } => Ok(()),
            // Refused above.
            Fault::Full { .. }
            | Fault::Forgets { .. }
            | Fault::Late { .. }
            | Fault::Skew { .. }
            | Fault::Announces { .. }
            | Fault::Colludes { .. } => Ok(()),
        }
    }

    fn impersonate(&mut self, node: NodeId, responder: Box<dyn Responder>) -> Result<(), TestbedError> {
        let Some(part) = &self.node(node)?.part else {
            return Err(TestbedError::NoSuchNode { node, wanted: "run by the testbed" });
        };
        part.replace(responder);
        Ok(())
    }

    fn now(&self) -> Timestamp {
        // Outside of it the clock would be another.
        let _context = self.runtime.enter();
        self.clock.now()
    }

    fn wall(&self) -> WallTime {
        let _context = self.runtime.enter();
        self.clock.wall()
    }

    fn tick(&self) -> Duration {
        self.setup.tick
    }

    #[expect(clippy::disallowed_methods, reason = "real time moves by being waited for")]
    fn run_until(&mut self, until: Timestamp) {
        self.start();
        let span = until.since(self.now());
        self.runtime.block_on(self.local.run_until(async { tokio::time::sleep(span).await }));
    }

    fn block_on<T>(&mut self, limit: Duration, task: impl Future<Output = T>) -> Option<T> {
        self.start();
        self.runtime.block_on(self.local.run_until(async { tokio::time::timeout(limit, task).await.ok() }))
    }
}
