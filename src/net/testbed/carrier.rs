//! What carries the nodes of a testbed: where their tasks run, what connects them, and what can be done to that.
//!
//! [`Wire`](super::Wire) is this machine's own memory or loopback, in real time. Another program can bring a
//! world of its own, with virtual time, links and a trace; the testbed is the same on it.
//!
//! # Order of calls
//!
//! [`Carrier::runtime`] once, first. For each node [`Carrier::spawned`], [`Carrier::keypair`] and
//! [`Carrier::address`] once, and [`Carrier::transport`] at the beginning of each of its lives. Every fault that is
//! sound is handed to [`Carrier::apply`] before the testbed does its own part of it. All is called on the
//! thread of the testbed.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::time::Duration;
use std::io;

use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use tokio::runtime::Runtime;

use crate::net::transport::BoxedTransport;
use crate::testbed::{Fault, NodeId, NodeSpec, TestbedError};

/// How long a connection that nobody uses is kept: longer than most runs, as a node has few neighbours.
const IDLE: Duration = Duration::from_secs(60);

/// What a node does for others, that takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    /// A step of a walk: closer peers, a record, providers.
    Lookup,
    /// Keeping a record.
    Store,
    /// Answering a question.
    Question,
}

/// When an answer leaves that is made now.
pub enum Service {
    /// At once.
    Now,
    /// When this is over.
    Later(Pin<Box<dyn Future<Output = ()> + Send>>),
    /// Never: too much waits at the node. A question is refused as busy, anything else breaks off.
    Busy,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Now => "Now",
            Self::Later(_) => "Later",
            Self::Busy => "Busy",
        })
    }
}

/// How the starting network comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Each node joins by two others. The time of the run passes meanwhile.
    Joining {
        /// The longest that it may take.
        within: Duration,
    },
    /// As if the network had been up for long: everybody's table is full of whom it belongs, applications are
    /// connected to some, and announcements have neighbours to go by. The time of the run begins when this stands.
    Standing {
        /// How long it takes before the time of the run begins: enough for dials and a few heartbeats.
        takes: Duration,
        /// What is drawn from, who is connected to whom.
        seed: u64,
    },
}

/// What carries the nodes of a testbed.
pub trait Carrier: fmt::Debug + Send + Sync {
    /// What a network on it is called in reports: `swarm`.
    fn network(&self) -> &str;

    /// Where everything of the testbed runs: a runtime of this thread, with timers.
    fn runtime(&self) -> io::Result<Runtime>;

    /// How the starting network comes to be.
    fn start(&self) -> Start;

    /// How long a connection that nobody uses is kept.
    fn idle(&self) -> Duration {
        IDLE
    }

    /// A node was made.
    fn spawned(&self, node: NodeId, spec: &NodeSpec) {
        let _ = (node, spec);
    }

    /// The key of a node.
    fn keypair(&self, node: NodeId) -> Keypair;

    /// Where a node is to listen.
    fn address(&self, node: NodeId) -> Multiaddr;

    /// The transport of a node with this key, for its next life.
    fn transport(&self, node: NodeId, keypair: &Keypair) -> Result<BoxedTransport, TestbedError>;

    /// A fault is about to be applied. [`Fault::Cut`], [`Fault::Heal`] and [`Fault::Links`] are the carrier's alone;
    /// of the others it does what the testbed cannot, as it knows nothing of links.
    fn apply(&self, fault: &Fault) -> Result<(), TestbedError> {
        match fault {
            Fault::Cut { .. } | Fault::Heal { .. } => Err(TestbedError::Unsupported { what: "a partition" }),
            Fault::Links { .. } => Err(TestbedError::Unsupported { what: "a change of links" }),
            _ => Ok(()),
        }
    }

    /// Whether nothing is cut between two nodes.
    fn reaches(&self, one: NodeId, other: NodeId) -> bool {
        let _ = (one, other);
        true
    }

    /// When an answer of `node` leaves, which is `factor` times as slow as it was made. `None` when peers take the
    /// time that they take: then the testbed delays each answer of a slow node for itself.
    fn service(&self, node: NodeId, served: Served, factor: u32) -> Option<Service> {
        let _ = (node, served, factor);
        None
    }

    /// Events that were processed so far; 0 where nobody counts them.
    fn events(&self) -> u64 {
        0
    }

    /// Put something of the layers above into the trace.
    fn note(&self, bytes: &[u8]) {
        let _ = bytes;
    }

    /// The hash over everything that happened so far, in hexadecimal; empty where nothing can be traced.
    fn trace_hash(&self) -> String {
        String::new()
    }
}
