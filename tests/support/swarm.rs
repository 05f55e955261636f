//! A set of real swarms over libp2p's memory transport, as a [`Testbed`].
//!
//! Everything runs on one thread, in real time. A node keeps its key, its address and its store over all
//! its lives; what others stored at it is lost with a life. A starting network joins before anybody takes
//! a network: each node dials the first and the one spawned before it. A later node joins by the first
//! two that are up.

use core::cell::{Cell, RefCell};
use core::future::{Future, poll_fn};
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::{Context, Poll};
use core::time::Duration;
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use libp2p::core::transport::MemoryTransport;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{self, Swarm};
use libp2p::{Multiaddr, PeerId, Transport};
use swarmproof::conformance::Setup;
use swarmproof::net::{Behaviour, Clock, Lend, Libp2pNetwork, NetConfig, Stopper};
use swarmproof::network::{AnswerLimits, Event, Limits, Network, Request, RequestId, Responder};
use swarmproof::store::{Batch, MemoryStore, Store, StoreError, StoreLimits, WriteId};
use swarmproof::testbed::{Fault, Keep, LocalTask, NodeId, NodeSpec, Role, Testbed, TestbedError};
use swarmproof::time::{Timestamp, WallTime};
use tokio::runtime::Runtime;
use tokio::task::{JoinHandle, LocalSet};

thread_local! {
    /// The responders of the nodes that testbeds of this thread run, by the address of the node. Kad's
    /// store must be `Send`, which a responder need not be: so the store knows only the address.
    static PARTS: RefCell<BTreeMap<u64, Box<dyn Responder>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Memory addresses are shared by the whole process, so no two nodes may have the same.
static NEXT_ADDRESS: AtomicU64 = AtomicU64::new(1);

/// The longest that a starting network takes to join.
const JOINING: Duration = Duration::from_secs(5);

/// A set of swarms.
pub(crate) struct SwarmTestbed {
    runtime: Runtime,
    local: LocalSet,
    clock: Clock,
    setup: Setup,
    nodes: Vec<Node>,
    started: bool,
}

struct Node {
    keypair: Keypair,
    peer: PeerId,
    address: u64,
    server: bool,
    served: bool,
    silent: Rc<Cell<bool>>,
    store: SwarmStore,
    /// The present life's network, until it is taken or runs.
    network: Option<Libp2pNetwork>,
    /// What ends the present life.
    stopper: Option<Stopper>,
    tasks: Vec<JoinHandle<()>>,
}

impl SwarmTestbed {
    /// No nodes yet.
    pub(crate) fn new(setup: Setup) -> Result<Self, TestbedError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|error| TestbedError::Start(error.to_string()))?;
        let clock = Clock::start();
        Ok(Self { runtime, local: LocalSet::new(), clock, setup, nodes: Vec::new(), started: false })
    }

    /// Begin a life of `node`.
    fn begin(&mut self, node: NodeId) -> Result<(), TestbedError> {
        let _context = self.runtime.enter();
        let it = &mut self.nodes[node.0 as usize];
        let config =
            NetConfig { serves: it.server, heartbeat: Duration::from_millis(200), ..NetConfig::default() };
        let address = it.address;
        let lend: Lend = Box::new(move |key| {
            PARTS.with_borrow_mut(|parts| parts.get_mut(&address).and_then(|part| part.record(key)))
        });
        let behaviour = Behaviour::new(&it.keypair, &config, it.served.then_some(lend))
            .map_err(|error| TestbedError::Start(error.to_string()))?;
        let transport = MemoryTransport::default()
            .upgrade(Version::V1)
            .authenticate(
                libp2p::noise::Config::new(&it.keypair)
                    .map_err(|error| TestbedError::Start(error.to_string()))?,
            )
            .multiplex(libp2p::yamux::Config::default())
            .timeout(Duration::from_secs(10))
            .boxed();
        let settings =
            swarm::Config::with_tokio_executor().with_idle_connection_timeout(Duration::from_secs(60));
        let swarm = Swarm::new(transport, behaviour, it.peer, settings);
        let mut network = Libp2pNetwork::new(swarm, config, self.clock, self.setup.validator.clone());
        network.listen_on(multiaddr(address)).map_err(|error| TestbedError::Start(format!("{error:?}")))?;
        it.stopper = Some(network.stopper());
        it.network = Some(network);
        if self.started {
            let up =
                |other: &&Node| other.peer != self.nodes[node.0 as usize].peer && other.stopper.is_some();
            let (served, others): (Vec<&Node>, Vec<&Node>) =
                self.nodes.iter().filter(up).partition(|other| other.served);
            let known: Vec<_> =
                served.into_iter().chain(others).take(2).map(|o| (o.peer, multiaddr(o.address))).collect();
            self.introduce(node, known);
            self.serve(node);
        }
        Ok(())
    }

    /// Have `node` dial the peers that it is to join by.
    fn introduce(&mut self, node: NodeId, known: Vec<(PeerId, Multiaddr)>) {
        let _context = self.runtime.enter();
        if let Some(network) = &mut self.nodes[node.0 as usize].network {
            for (peer, address) in known {
                network.add_address(peer, address);
                network.connect(peer);
            }
        }
    }

    /// Have the testbed run `node`, when it is one that the testbed runs.
    fn serve(&mut self, node: NodeId) {
        let _context = self.runtime.enter();
        let it = &mut self.nodes[node.0 as usize];
        if it.served
            && let Some(network) = it.network.take()
        {
            let task = serve(network, it.address, it.silent.clone(), self.setup.topics.clone());
            self.local.spawn_local(task);
        }
    }

    /// Join the starting network, once.
    fn start(&mut self) {
        if core::mem::replace(&mut self.started, true) {
            return;
        }
        let names: Vec<(PeerId, Multiaddr)> =
            self.nodes.iter().map(|n| (n.peer, multiaddr(n.address))).collect();
        let mut wanted = Vec::new();
        for at in 1..self.nodes.len() {
            let mut known = vec![0, at - 1];
            known.dedup();
            wanted.extend(known.iter().map(|to| (at, names[*to].0)));
            self.introduce(NodeId(at as u32), known.into_iter().map(|to| names[to].clone()).collect());
        }
        let nodes = &mut self.nodes;
        let joined = poll_fn(|cx| {
            for node in nodes.iter_mut() {
                if let Some(network) = &mut node.network {
                    let _working = network.poll_work(cx);
                }
            }
            let up = |at: usize, peer| nodes[at].network.as_ref().is_none_or(|network| network.is_up(peer));
            let back = |at: usize, peer: PeerId| {
                let other = names.iter().position(|(name, _)| *name == peer);
                other.is_none_or(|other| up(other, names[at].0))
            };
            match wanted.iter().all(|(at, peer)| up(*at, *peer) && back(*at, *peer)) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        });
        let joined = self.runtime.block_on(async { tokio::time::timeout(JOINING, joined).await });
        assert!(joined.is_ok(), "the starting network did not join within {JOINING:?}");
        for at in 0..self.nodes.len() {
            self.serve(NodeId(at as u32));
        }
    }

    fn node(&mut self, node: NodeId) -> Result<&mut Node, TestbedError> {
        self.nodes.get_mut(node.0 as usize).ok_or(TestbedError::NoSuchNode { node, wanted: "a node" })
    }

    fn kill(&mut self, node: NodeId, keep: Keep) -> Result<(), TestbedError> {
        let it = self.node(node)?;
        let Some(stopper) = it.stopper.take() else {
            return Err(TestbedError::NoSuchNode { node, wanted: "up" });
        };
        stopper.stop();
        it.network = None;
        it.tasks.drain(..).for_each(|task| task.abort());
        it.store.end_life(keep);
        if keep == Keep::Nothing {
            let address = it.address;
            PARTS.with_borrow_mut(|parts| parts.get_mut(&address).map(|part| part.forget()));
        }
        Ok(())
    }
}

impl Drop for SwarmTestbed {
    fn drop(&mut self) {
        PARTS.with_borrow_mut(|parts| self.nodes.iter().for_each(|node| drop(parts.remove(&node.address))));
    }
}

fn multiaddr(address: u64) -> Multiaddr {
    Multiaddr::empty().with(Protocol::Memory(address))
}

/// Answer for a node that the testbed runs, until it is stopped.
async fn serve(mut network: Libp2pNetwork, address: u64, silent: Rc<Cell<bool>>, topics: Vec<Bytes>) {
    let limits = Limits { deadline: Timestamp::MAX, bytes: 0 };
    for (id, topic) in topics.into_iter().enumerate() {
        network.submit(RequestId(id as u64), Request::Subscribe { topic }, limits);
    }
    loop {
        match poll_fn(|cx| network.poll_event(cx, None)).await {
            Event::Closed => return,
            Event::Question { to, body, .. } if !silent.get() => {
                let limits = AnswerLimits { bytes: 64 << 10, now: network.now(), wall: network.wall() };
                let answer = PARTS
                    .with_borrow_mut(|parts| parts.get_mut(&address).map(|part| part.answer(&body, limits)));
                if let Some(answer) = answer {
                    network.reply(to, answer);
                }
            }
            Event::Announcement { topic, payload, .. } => PARTS.with_borrow_mut(|parts| {
                if let Some(part) = parts.get_mut(&address) {
                    part.announced(&topic, &payload, network.wall());
                }
            }),
            _ => {}
        }
    }
}

impl Testbed for SwarmTestbed {
    type Network = Libp2pNetwork;
    type Store = SwarmStore;

    fn spawn(&mut self, spec: NodeSpec) -> Result<NodeId, TestbedError> {
        if !spec.dialable {
            return Err(TestbedError::Unsupported { what: "an undialable node" });
        }
        let node = NodeId(self.nodes.len() as u32);
        let keypair = Keypair::generate_ed25519();
        let peer = keypair.public().to_peer_id();
        let address = NEXT_ADDRESS.fetch_add(1, Ordering::Relaxed);
        let served = match spec.role {
            Role::Application => false,
            Role::Served(responder) => {
                PARTS.with_borrow_mut(|parts| parts.insert(address, responder));
                true
            }
        };
        self.nodes.push(Node {
            keypair,
            peer,
            address,
            server: spec.server,
            served,
            silent: Rc::default(),
            store: SwarmStore::default(),
            network: None,
            stopper: None,
            tasks: Vec::new(),
        });
        self.begin(node)?;
        Ok(node)
    }

    fn peer(&self, node: NodeId) -> Option<PeerId> {
        self.nodes.get(node.0 as usize).map(|node| node.peer)
    }

    fn network(&mut self, node: NodeId) -> Option<Libp2pNetwork> {
        self.start();
        let it = self.nodes.get_mut(node.0 as usize)?;
        if it.served { None } else { it.network.take() }
    }

    fn store(&mut self, node: NodeId) -> Option<SwarmStore> {
        let it = self.nodes.get(node.0 as usize)?;
        (!it.served && it.stopper.is_some()).then(|| it.store.clone())
    }

    fn run(&mut self, owner: Option<NodeId>, task: LocalTask) {
        let _context = self.runtime.enter();
        let handle = self.local.spawn_local(task);
        if let Some(owner) = owner.and_then(|owner| self.nodes.get_mut(owner.0 as usize)) {
            owner.tasks.push(handle);
        }
    }

    fn preload(&mut self, key: Bytes, value: Bytes, ttl: Duration) -> Result<(), TestbedError> {
        if self.started {
            return Err(TestbedError::Unsupported { what: "preloading after the start" });
        }
        for network in self.nodes.iter_mut().filter_map(|node| node.network.as_mut()) {
            if !network.keep(&key, &value, ttl) {
                return Err(TestbedError::Start("a preloaded record was refused".to_owned()));
            }
        }
        Ok(())
    }

    fn apply(&mut self, fault: Fault) -> Result<(), TestbedError> {
        match fault {
            Fault::Kill { node, keep } => self.kill(node, keep),
            Fault::Restart { node } => match self.node(node)?.stopper {
                Some(_) => Err(TestbedError::NoSuchNode { node, wanted: "down" }),
                None => self.begin(node),
            },
            Fault::Silent { node, silent } => {
                self.node(node)?.silent.set(silent);
                Ok(())
            }
            Fault::Cut { .. } | Fault::Heal { .. } => Err(TestbedError::Unsupported { what: "a partition" }),
            Fault::Links { .. } => Err(TestbedError::Unsupported { what: "a change of links" }),
            Fault::Slow { .. } => Err(TestbedError::Unsupported { what: "a slow node" }),
            Fault::Stall { .. } => Err(TestbedError::Unsupported { what: "a stall" }),
            Fault::Garbles { .. } => Err(TestbedError::Unsupported { what: "garbling" }),
            Fault::Dialable { .. } => Err(TestbedError::Unsupported { what: "an undialable node" }),
        }
    }

    fn impersonate(&mut self, node: NodeId, responder: Box<dyn Responder>) -> Result<(), TestbedError> {
        let it = self.node(node)?;
        if !it.served {
            return Err(TestbedError::NoSuchNode { node, wanted: "run by the testbed" });
        }
        let address = it.address;
        PARTS.with_borrow_mut(|parts| parts.insert(address, responder));
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn wall(&self) -> WallTime {
        self.clock.wall()
    }

    fn tick(&self) -> Duration {
        // What a loaded machine may take to get back to a task whose timer fired.
        Duration::from_millis(250)
    }

    fn run_until(&mut self, until: Timestamp) {
        self.start();
        let span = until.since(self.clock.now());
        self.runtime.block_on(self.local.run_until(async { tokio::time::sleep(span).await }));
    }

    fn block_on<T>(&mut self, limit: Duration, task: impl Future<Output = T>) -> Option<T> {
        self.start();
        self.runtime.block_on(self.local.run_until(async { tokio::time::timeout(limit, task).await.ok() }))
    }
}

/// A node's store: in memory, and kept by the testbed between lives.
#[derive(Clone, Default)]
pub(crate) struct SwarmStore {
    shared: Rc<RefCell<MemoryStore>>,
}

impl SwarmStore {
    fn end_life(&self, keep: Keep) {
        let mut store = self.shared.borrow_mut();
        match keep {
            Keep::All => while store.sync_next().is_some() {},
            Keep::Synced => store.crash(),
            Keep::Nothing => *store = MemoryStore::new(StoreLimits::default()),
        }
    }
}

impl Store for SwarmStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.shared.borrow().get(key)
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        self.shared.borrow().range(from, to, limit)
    }

    fn submit(&mut self, batch: Batch) -> Result<WriteId, StoreError> {
        self.shared.borrow_mut().submit(batch)
    }

    fn poll_synced(&mut self, cx: &mut Context<'_>) -> Poll<(WriteId, Result<(), StoreError>)> {
        self.shared.borrow_mut().poll_synced(cx)
    }

    fn pending(&self) -> usize {
        self.shared.borrow().pending()
    }
}
