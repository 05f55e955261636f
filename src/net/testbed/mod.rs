//! A set of real swarms in one process, as a [`Testbed`](crate::testbed::Testbed): over memory, or TCP or QUIC on
//! loopback, or whatever else a [`Carrier`] is.
//!
//! Everything of one testbed runs on one thread, in its carrier's time, in a runtime of its own; several testbeds
//! may run on several threads. A node keeps its key, its address and its store over all its lives; what
//! others stored at it for the DHT is lost with a life.
//!
//! # The start
//!
//! The starting network stands before anybody takes a network: the first `run_until`, `block_on` or
//! [`Testbed::network`](crate::testbed::Testbed::network) waits for it. When it does not come to be, no network can be
//! taken and no fault be applied. On a [`Wire`] it is made by joining ([`Start::Joining`]): each node dials the first
//! and the one spawned before it. On a carrier that asks for it ([`Start::Standing`]) it is as if it had been up for
//! long when the run's time begins. A later node joins by some that are up.
//!
//! # What can be done to a node
//!
//! Kill and restart; and by its line, which stands between it and its connections so that the very protocols
//! are spoken: make it silent, stall after the first byte of an answer, answer later, ruin answers and records
//! in every way of [`Garble`](crate::testbed::Garble), or let nobody in. A node that the testbed runs itself
//! can answer with another responder. A silent or stalled node still passes announcements on.
//!
//! A carrier may say when each answer leaves ([`Carrier::service`]): then a slow node takes its factor of that. On one
//! that does not, it answers its factor times [`SwarmSetup::service`] later, each answer for itself.
//!
//! Cuts between sets of nodes and changes of links are the carrier's; on a [`Wire`] they are
//! [`Unsupported`](crate::testbed::TestbedError::Unsupported).

mod bed;
mod carrier;
mod depths;
mod frame;
mod gate;
mod line;
mod node;
mod serve;
mod setup;
mod standing;
mod store;
mod stream;
mod tap;
mod wire;

pub use bed::SwarmTestbed;
pub use carrier::{Carrier, Served, Service, Start};
pub use depths::Depths;
pub use line::Counts as SwarmCounts;
pub use setup::SwarmSetup;
pub use store::SwarmStore;
pub use wire::Wire;

#[cfg(test)]
mod tests;
