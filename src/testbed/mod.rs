//! What a scenario, or the conformance suite, does to a network: a [`Testbed`].
//!
//! The simulator implements it, and so does a set of real swarms; whoever drives one cannot tell which.
//!
//! # Order of calls
//!
//! [`Testbed::spawn`] makes a node. An application node's [`Testbed::network`] and [`Testbed::store`] are
//! taken once in each of its lives, and handed to a task given to [`Testbed::run`], which ends with that
//! life. Nodes spawned before the first `run_until` or `block_on` form the starting network, already
//! joined; nodes spawned later join through it. Time moves only within `run_until` and `block_on`.

#[cfg(any(feature = "sim", feature = "net"))]
pub mod draw;
#[cfg(any(feature = "sim", feature = "net"))]
pub(crate) mod garble;
pub mod stand_in;

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::time::Duration;
use std::collections::BTreeSet;

use bytes::Bytes;

use crate::network::{Network, Responder};
use crate::store::Store;
use crate::time::{Timestamp, WallTime};

/// A testbed's name for a node: 0 for the first that was spawned, and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u32);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

/// A task on a testbed: single-threaded, polled in a fixed order.
pub type LocalTask = Pin<Box<dyn Future<Output = ()>>>;

/// What kind of node to spawn.
pub struct NodeSpec {
    /// What drives it.
    pub role: Role,
    /// Whether it serves the DHT and is found by walks, or only asks.
    pub server: bool,
    /// Whether others can dial it.
    pub dialable: bool,
    /// The region it is in, an index into the profile's; drawn when `None`.
    pub region: Option<u16>,
    /// The key beside which it stands in the DHT, nearer than any whose identity was not chosen for it; drawn when `None`.
    pub near: Option<Bytes>,
}

impl NodeSpec {
    /// A dialable server run by an application through its `Network`.
    pub fn application() -> Self {
        Self { role: Role::Application, server: true, dialable: true, region: None, near: None }
    }

    /// A dialable server that the testbed runs itself, with `responder`.
    pub fn served(responder: Box<dyn Responder>) -> Self {
        Self { role: Role::Served(responder), server: true, dialable: true, region: None, near: None }
    }
}

impl fmt::Debug for NodeSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeSpec")
            .field("role", &self.role)
            .field("server", &self.server)
            .field("dialable", &self.dialable)
            .field("region", &self.region)
            .field("near", &self.near)
            .finish()
    }
}

/// What drives a node.
pub enum Role {
    /// An application that takes the node's `Network`.
    Application,
    /// The testbed, which answers with this responder.
    Served(Box<dyn Responder>),
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Application => "Application",
            Self::Served(_) => "Served",
        })
    }
}

/// What a node keeps when it dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// Everything, also what was accepted and not yet synced: a clean stop.
    All,
    /// What was synced: a crash.
    Synced,
    /// Nothing: a new disk.
    Nothing,
}

/// Which way traffic between two sets of nodes is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Both ways.
    Both,
    /// Only what the first set sends to the second.
    OneWay,
}

/// What a hostile or broken node does to bytes it sends as answers and records.
///
/// These know no application. What a hostile node means by its answers is its [`Responder`]'s part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Garble {
    /// Cut off after some bytes.
    Truncated,
    /// One bit flipped.
    BitFlipped,
    /// Random bytes of the same length.
    Noise,
    /// Larger than any limit.
    Oversized,
    /// A header that claims lengths which are not there.
    HostileLengths,
    /// Nested as deep as the size allows.
    HostileNesting,
    /// A good value, of another key.
    WrongKey,
    /// The same answer again and again, within one answer or as many items.
    Repeated,
}

/// Something done to the network while it runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The node stops.
    Kill {
        /// Which node.
        node: NodeId,
        /// What it keeps.
        keep: Keep,
    },
    /// The node starts again with what it kept. An application node's tasks are started by its owner.
    Restart {
        /// Which node.
        node: NodeId,
    },
    /// Traffic between two sets is cut until healed. Connections between them end.
    Cut {
        /// One side.
        from: BTreeSet<NodeId>,
        /// The other side.
        to: BTreeSet<NodeId>,
        /// Which way.
        way: Way,
    },
    /// Every cut that was made with exactly these sets is healed.
    Heal {
        /// One side.
        from: BTreeSet<NodeId>,
        /// The other side.
        to: BTreeSet<NodeId>,
    },
    /// The links of these nodes change; `LinkChange::default()` takes the changes back.
    Links {
        /// Whose links.
        nodes: BTreeSet<NodeId>,
        /// How.
        change: LinkChange,
    },
    /// The node serves `factor` times slower; 1 takes it back.
    Slow {
        /// Which node.
        node: NodeId,
        /// The factor, at least 1.
        factor: u32,
    },
    /// The node accepts what comes and never answers; or answers again.
    Silent {
        /// Which node.
        node: NodeId,
        /// Whether it is silent from now on.
        silent: bool,
    },
    /// The node sends the first byte of each answer and then nothing; or answers again.
    Stall {
        /// Which node.
        node: NodeId,
        /// Whether it stalls from now on.
        stalled: bool,
    },
    /// The node garbles what it sends in these ways, drawn anew for each; an empty list ends it.
    Garbles {
        /// Which node.
        node: NodeId,
        /// The ways.
        ways: Vec<Garble>,
    },
    /// Others can dial the node, or no longer can. Connections that stand are kept.
    Dialable {
        /// Which node.
        node: NodeId,
        /// Whether others can dial it from now on.
        dialable: bool,
    },
    /// The node's share of the DHT is full: it keeps no key that it does not hold yet, and acknowledges what it
    /// is asked to keep all the same, as Kademlia does. What it holds it serves and renews. Or it has room again.
    Full {
        /// Which node.
        node: NodeId,
        /// Whether it is full from now on.
        full: bool,
    },
    /// The node acknowledges what others ask it to keep for the DHT, and keeps none of it; or keeps it again.
    Forgets {
        /// Which node.
        node: NodeId,
        /// Whether it forgets from now on.
        forgets: bool,
    },
    /// The node serves as fast as ever, and lets each answer go only so much later; zero takes it back.
    Late {
        /// Which node.
        node: NodeId,
        /// How much later.
        by: Duration,
    },
    /// The node's calendar is wrong by this much; zero takes it back. Time as the run counts it goes on as ever.
    Skew {
        /// Which node.
        node: NodeId,
        /// How much.
        by: Duration,
        /// Whether it is behind, and otherwise ahead.
        behind: bool,
    },
    /// The node, asked on a walk through the DHT, names its accomplices alone, as many as an answer has room for, and
    /// gives no record; with none it is honest again. What its application says is not touched.
    ///
    /// An accomplice may be a node that is down: a name alone, which costs whoever believes it a dial.
    Colludes {
        /// Which node.
        node: NodeId,
        /// Its accomplices.
        with: BTreeSet<NodeId>,
    },
    /// A node that the testbed runs itself announces this, as if it were its own.
    Announces {
        /// Which node.
        node: NodeId,
        /// Under which topic.
        topic: Bytes,
        /// What.
        payload: Bytes,
    },
}

/// What is changed about links, on top of the profile. The default changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkChange {
    /// Added to each one-way delay.
    pub extra_delay: Duration,
    /// The most by which each one-way delay varies besides, drawn for each message.
    pub extra_jitter: Duration,
    /// Bytes a second; 0 leaves the profile's.
    pub bandwidth: u64,
    /// The share of messages whose connection is reset, from 0 to 1.
    pub resets: f64,
    /// The share of dials that are refused at once, from 0 to 1.
    pub refused_dials: f64,
    /// The share of dials that nobody answers, from 0 to 1.
    pub dead_dials: f64,
}

/// Why a testbed did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TestbedError {
    /// This testbed cannot do that: real nodes cannot be slowed or cut at will.
    #[error("this network cannot apply {what}")]
    Unsupported {
        /// What was asked.
        what: &'static str,
    },
    /// No node has this id, or it is not of the role that is needed.
    #[error("{node} is not {wanted}")]
    NoSuchNode {
        /// The id.
        node: NodeId,
        /// What was needed.
        wanted: &'static str,
    },
    /// The network could not be made, in the words of whoever reported it.
    #[error("the network could not be started: {0}")]
    Start(String),
}

/// A network that a test holds in its hand.
pub trait Testbed {
    /// What an application node is given.
    type Network: Network + 'static;
    /// What an application node keeps its state in.
    type Store: Store + 'static;

    /// Make a node and start it.
    fn spawn(&mut self, spec: NodeSpec) -> Result<NodeId, TestbedError>;

    /// The name that the network knows `node` by. The same in all its lives.
    fn peer(&self, node: NodeId) -> Option<<Self::Network as Network>::Peer>;

    /// The network of an application node in its present life. `None` when it was taken, or the node is
    /// down, or is not an application's.
    fn network(&mut self, node: NodeId) -> Option<Self::Network>;

    /// The store of an application node, as its last life left it.
    fn store(&mut self, node: NodeId) -> Option<Self::Store>;

    /// Run `task` until it ends, or until `owner` dies.
    fn run(&mut self, owner: Option<NodeId>, task: LocalTask);

    /// Place a record where publishing would have placed it, as if that had happened before the start.
    fn preload(&mut self, key: Bytes, value: Bytes, ttl: Duration) -> Result<(), TestbedError>;

    /// Apply a fault now.
    fn apply(&mut self, fault: Fault) -> Result<(), TestbedError>;

    /// From now on `node`, which the testbed runs itself, answers with `responder`.
    fn impersonate(&mut self, node: NodeId, responder: Box<dyn Responder>) -> Result<(), TestbedError>;

    /// The time of the run.
    fn now(&self) -> Timestamp;

    /// Calendar time at this instant.
    fn wall(&self) -> WallTime;

    /// How late a deadline may be reported: zero in virtual time.
    fn tick(&self) -> Duration;

    /// Let the network run until `until`.
    fn run_until(&mut self, until: Timestamp);

    /// Let the network run until `task` is done, or `limit` has passed: then `None`.
    fn block_on<T>(&mut self, limit: Duration, task: impl Future<Output = T>) -> Option<T>;
}
