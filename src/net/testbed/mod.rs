//! A set of real swarms in one process, as a [`Testbed`]: over memory, or TCP or QUIC on loopback.
//!
//! Everything of one testbed runs on one thread, in real time, in a runtime of its own; several testbeds
//! may run on several threads. A node keeps its key, its address and its store over all its lives; what
//! others stored at it for the DHT is lost with a life.
//!
//! # Joining
//!
//! A starting network joins before anybody takes a network: each node dials the first and the one spawned
//! before it, and the first `run_until`, `block_on` or [`Testbed::network`] waits until all of these are
//! connected. When they are not within 10 s, no network can be taken and no fault be applied. A later
//! node joins by two that are up.
//!
//! # What it can do
//!
//! Kill and restart nodes, make one silent, and have a node that it runs itself answer with another
//! responder. What it cannot do to real nodes is [`TestbedError::Unsupported`].

mod bed;
mod node;
mod serve;
mod setup;
mod store;
mod wire;

pub use bed::SwarmTestbed;
pub use setup::SwarmSetup;
pub use store::SwarmStore;
pub use wire::Wire;
