//! The simulated world as a [`Testbed`], with what only a simulation can say.

use core::cell::RefCell;
use core::fmt;
use core::future::Future;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;
use std::rc::Rc;

use bytes::Bytes;

use super::account::{Account, Footprint};
use super::config::SimConfig;
use super::executor::{Executor, ROOT, Root};
use super::network::SimNetwork;
use super::peer::SimPeer;
use super::profile::ProfileError;
use super::store::SimStore;
use super::trace::{Checkpoint, TraceSink};
use super::world::World;
use crate::network::{Gauges, Responder};
use crate::testbed::{Fault, LocalTask, NodeId, NodeSpec, Testbed, TestbedError};
use crate::time::{Timestamp, WallTime, nanos};

/// Polls of tasks at one instant of virtual time, after which the world goes on without those that are
/// still woken. Whoever reaches it wakes itself for ever; [`SimTestbed::runaways`] counts it.
const POLLS_AN_INSTANT: u32 = 10_000_000;

/// A simulated world, and the tasks that run in it.
pub struct SimTestbed {
    // Tasks go first, as they hold networks of the world.
    executor: Executor,
    world: Rc<RefCell<World>>,
    polls: u32,
    polled_at: u64,
    runaways: u64,
}

impl fmt::Debug for SimTestbed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let world = self.world.borrow();
        f.debug_struct("SimTestbed")
            .field("now", &world.now)
            .field("nodes", &world.nodes.len())
            .field("tasks", &self.executor.len())
            .finish_non_exhaustive()
    }
}

impl SimTestbed {
    /// An empty world.
    pub fn new(config: SimConfig) -> Result<Self, ProfileError> {
        config.profile.check()?;
        Ok(Self {
            executor: Executor::default(),
            world: Rc::new(RefCell::new(World::new(config))),
            polls: 0,
            polled_at: 0,
            runaways: 0,
        })
    }

    /// What has happened so far, counted.
    pub fn account(&self) -> Account {
        self.world.borrow().account
    }

    /// The hash of everything that has happened so far.
    pub fn trace_hash(&self) -> u128 {
        self.world.borrow().trace.hash()
    }

    /// The hash after every so many events, to find where two runs part.
    pub fn checkpoints(&self) -> Vec<Checkpoint> {
        self.world.borrow().trace.checkpoints().to_vec()
    }

    /// How many events the trace has so far.
    pub fn trace_events(&self) -> u64 {
        self.world.borrow().trace.events()
    }

    /// Show every event from now on to `sink`.
    pub fn show_trace_to(&mut self, sink: Box<dyn TraceSink>) {
        self.world.borrow_mut().trace.show_to(Some(sink));
    }

    /// Put something of the caller's into the trace: a verdict, a result. `kind` says what it is.
    pub fn note(&mut self, kind: u32, bytes: &[u8]) {
        let world = &mut *self.world.borrow_mut();
        let now = world.now;
        world.trace.note(now, kind, bytes);
    }

    /// Whether a node is up now.
    pub fn is_up(&self, node: NodeId) -> bool {
        self.world.borrow().is_up(node.0)
    }

    /// What is held for the application of a node that is up. `None` for others.
    pub fn gauges(&self, node: NodeId) -> Option<Gauges> {
        self.is_up(node).then(|| self.world.borrow_mut().gauges(node.0))
    }

    /// Whether `a` and `b` are up and nothing between them is cut, either way.
    pub fn connects(&self, a: NodeId, b: NodeId) -> bool {
        let world = self.world.borrow();
        world.is_up(a.0) && world.is_up(b.0) && !world.links.parts(a.0, b.0)
    }

    /// The nodes that hold a record under `key` for the DHT now, and have not let it expire. Those that
    /// are down count too.
    pub fn holders(&self, key: &[u8]) -> Vec<NodeId> {
        let world = self.world.borrow();
        let Some(number) = world.keys.known(key) else { return Vec::new() };
        let wall = world.wall();
        (0..world.nodes.len() as u32)
            .filter(|n| world.node(*n).records.get(number, wall).is_some())
            .map(NodeId)
            .collect()
    }

    /// The servers that are truly closest to `key` now, closest first.
    pub fn closest(&self, key: &[u8], count: usize) -> Vec<NodeId> {
        let world = self.world.borrow();
        let mut keys = super::keys::Keys::default();
        let Some(number) = keys.number(&Bytes::copy_from_slice(key)) else { return Vec::new() };
        world.closest_servers(keys.position(number), count).into_iter().map(NodeId).collect()
    }

    /// Bytes of memory that the world holds.
    pub fn footprint(&self) -> Footprint {
        self.world.borrow().footprint()
    }

    /// Requests, messages, dials and tasks that are under way: zero when all is done. Upkeep that nodes
    /// do of themselves (joining) counts too.
    pub fn under_way(&self) -> UnderWay {
        let world = self.world.borrow();
        UnderWay {
            requests: world.ops.len(),
            exchanges: world.exchanges.len(),
            dials: world.dials.len(),
            announcements: world.announcements.len(),
            tasks: self.executor.len(),
        }
    }

    /// How often the tasks of one instant had to be left behind because they woke themselves for ever.
    pub fn runaways(&self) -> u64 {
        self.runaways
    }

    /// Begin the run now: the nodes spawned so far form the starting network. The first `run_until` or
    /// `block_on` does it too.
    pub fn start(&mut self) {
        self.world.borrow_mut().start();
    }

    /// Poll every task that was woken, until none is. Returns whether the root was among them.
    fn poll_tasks(&mut self, mut root: impl FnMut() -> bool) -> bool {
        while let Some(task) = self.executor.woken() {
            let now = self.world.borrow().now;
            if now != self.polled_at {
                self.polled_at = now;
                self.polls = 0;
            }
            self.polls += 1;
            if self.polls > POLLS_AN_INSTANT {
                self.runaways += 1;
                self.polls = 0;
                return false;
            }
            if task == ROOT {
                if root() {
                    return true;
                }
            } else {
                self.executor.poll(task);
            }
        }
        false
    }

    fn application(&self, node: NodeId) -> Result<(), TestbedError> {
        let world = self.world.borrow();
        match world.nodes.get(node.0 as usize) {
            Some(_) => Ok(()),
            None => Err(TestbedError::NoSuchNode { node, wanted: "a node of this network" }),
        }
    }
}

/// What is under way in a world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnderWay {
    /// Requests of applications, and joins.
    pub requests: usize,
    /// Requests to peers whose answers are not in.
    pub exchanges: usize,
    /// Dials.
    pub dials: usize,
    /// Announcements that are passed on, or remembered.
    pub announcements: usize,
    /// Tasks that have not ended.
    pub tasks: usize,
}

impl Testbed for SimTestbed {
    type Network = SimNetwork;
    type Store = SimStore;

    fn spawn(&mut self, spec: NodeSpec) -> Result<NodeId, TestbedError> {
        let world = &mut *self.world.borrow_mut();
        if world.nodes.len() >= u32::MAX as usize - 1 {
            return Err(TestbedError::Start("too many nodes".to_owned()));
        }
        Ok(NodeId(world.spawn(spec)))
    }

    fn peer(&self, node: NodeId) -> Option<SimPeer> {
        ((node.0 as usize) < self.world.borrow().nodes.len()).then_some(SimPeer(node.0))
    }

    fn network(&mut self, node: NodeId) -> Option<SimNetwork> {
        let life = {
            let world = &mut *self.world.borrow_mut();
            if !world.is_up(node.0) {
                return None;
            }
            let life = world.standing(node.0).life;
            let app = world.app(node.0)?;
            if app.network_taken == Some(life) {
                return None;
            }
            app.network_taken = Some(life);
            life
        };
        Some(SimNetwork::new(Rc::clone(&self.world), node.0, life))
    }

    fn store(&mut self, node: NodeId) -> Option<SimStore> {
        let (life, disk) = {
            let world = &mut *self.world.borrow_mut();
            if !world.is_up(node.0) {
                return None;
            }
            let life = world.standing(node.0).life;
            let app = world.app(node.0)?;
            if app.store_taken == Some(life) {
                return None;
            }
            app.store_taken = Some(life);
            (life, Rc::clone(&app.disk))
        };
        Some(SimStore::new(Rc::clone(&self.world), disk, node.0, life))
    }

    fn run(&mut self, owner: Option<NodeId>, task: LocalTask) {
        self.executor.spawn(owner.map(|n| n.0), task);
    }

    fn preload(&mut self, key: Bytes, value: Bytes, ttl: Duration) -> Result<(), TestbedError> {
        let world = &mut *self.world.borrow_mut();
        let ttl = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        let expires = world.wall().saturating_add(ttl);
        if world.started {
            world.place(&key, &value, expires);
        } else {
            world.preloads.push((key, value, expires));
        }
        Ok(())
    }

    fn apply(&mut self, fault: Fault) -> Result<(), TestbedError> {
        let killed = match &fault {
            Fault::Kill { node, .. } => Some(*node),
            _ => None,
        };
        self.world.borrow_mut().apply(fault)?;
        if let Some(node) = killed {
            self.executor.end(node.0);
        }
        Ok(())
    }

    fn impersonate(&mut self, node: NodeId, responder: Box<dyn Responder>) -> Result<(), TestbedError> {
        self.application(node)?;
        let world = &mut *self.world.borrow_mut();
        let held = world.node_mut(node.0);
        if held.app.is_some() {
            return Err(TestbedError::NoSuchNode { node, wanted: "run by the network itself" });
        }
        held.responder = Some(responder);
        Ok(())
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.world.borrow().now)
    }

    fn wall(&self) -> WallTime {
        self.world.borrow().wall_time()
    }

    fn tick(&self) -> Duration {
        Duration::ZERO
    }

    fn run_until(&mut self, until: Timestamp) {
        let until = until.as_nanos();
        self.start();
        loop {
            self.poll_tasks(|| false);
            if !self.world.borrow_mut().step(until) {
                break;
            }
        }
        let world = &mut *self.world.borrow_mut();
        world.now = world.now.max(until);
    }

    fn block_on<T>(&mut self, limit: Duration, task: impl Future<Output = T>) -> Option<T> {
        self.start();
        let until = self.world.borrow().now.saturating_add(nanos(limit));
        let mut task = pin!(task);
        let root: Root = self.executor.root();
        let mut result = None;
        loop {
            let done = self.poll_tasks(|| match root.poll(|cx| task.as_mut().poll(cx)) {
                Poll::Ready(value) => {
                    result = Some(value);
                    true
                }
                Poll::Pending => false,
            });
            if done {
                return result;
            }
            if !self.world.borrow_mut().step(until) {
                break;
            }
        }
        let world = &mut *self.world.borrow_mut();
        world.now = world.now.max(until);
        None
    }
}
