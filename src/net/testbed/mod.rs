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
//! # What can be done to a node
//!
//! Kill and restart; and by its line, which stands between it and its connections so that the very protocols
//! are spoken: make it silent, stall after the first byte of an answer, answer later, ruin answers and records
//! in every way of [`Garble`](crate::testbed::Garble), or let nobody in. A node that the testbed runs itself
//! can answer with another responder. A slow node answers its factor times [`SwarmSetup::service`] later, each
//! answer for itself. A silent or stalled node still passes announcements on.
//!
//! Cuts between sets of nodes and changes of links are
//! [`Unsupported`](crate::testbed::TestbedError::Unsupported).

mod bed;
mod frame;
mod gate;
mod line;
mod node;
mod serve;
mod setup;
mod store;
mod stream;
mod wire;

pub use bed::SwarmTestbed;
pub use setup::SwarmSetup;
pub use store::SwarmStore;
pub use wire::Wire;

#[cfg(test)]
mod tests;
