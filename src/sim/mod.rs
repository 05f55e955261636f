//! A simulated world of peers: deterministic, in virtual time, for any application on a Kademlia DHT.
//!
//! [`SimTestbed`] is the whole of it: spawn nodes, take an application's [`SimNetwork`] and [`SimStore`],
//! run. It knows nothing of what keys, values, questions and answers mean; an application lends it a
//! validator and, for the peers that the world runs itself, responders.
//!
//! # How it stays the same
//!
//! 1. One queue of events, in the order of (time, seeded tie, sequence); the clock jumps to the next.
//!    Time is whole nanoseconds.
//! 2. Every draw is a function of the seed, what it is for, and whom it concerns, so nothing that is added
//!    re-rolls anything else.
//! 3. Tasks are polled by one executor, in the order in which they were woken; the world is borrowed for
//!    one call at a time.
//! 4. Everything that is walked through has an order that does not depend on memory addresses or hashes.
//!
//! # The model
//!
//! Peers are plain data. A request costs two events: it arrives and is answered then; the answer leaves
//! when its service ends and arrives after its own delay. Loss is a reset connection or a delay, never a
//! damaged or doubled message: only peers that are told to garble what they send.
//!
//! What is modelled is what a node of `net/` shows of libp2p 0.57, with its limits and protocols:
//!
//! | Here | What it follows |
//! |---|---|
//! | a dial takes `dial_round_trips`, 2 | TCP, then Noise and yamux without waiting for a choice (multistream-select 0.14 `V1Lazy`, libp2p-core 0.44) |
//! | a request opens a stream, so an exchange takes 2 round trips | libp2p-swarm 0.48 `connection.rs`, multistream-select `V1` |
//! | service begins when a request has arrived and all that arrived before it is served; only a request and its answer are served, neither dials nor streams | measured times, see [`Service`] |
//! | a connection is never idle | libp2p-gossipsub 0.50 `handler.rs` holds a stream on each |
//! | the walk: whom it asks, when it is over | libp2p-kad 0.49 `query/peers/closest.rs` |
//! | a record is put to all of the k closest at once, and read back by one more walk | `net/lookups.rs`, libp2p-kad `query/peers/fixed.rs` |
//! | an answer names the k closest of the table without the asker; a table keeps who is dead while it has room | libp2p-kad `behaviour.rs`, `kbucket/bucket.rs` |
//! | who asks a peer that it cannot dial looks for it once, by a whole walk | `net/questions.rs` |
//! | an announcement goes to all that are connected, and is passed on by a mesh | libp2p-gossipsub `behaviour.rs`, `flood_publish` |
//! | an application's node is connected to whom it lists and who lists it | libp2p-kad `bootstrap.rs`, `net/joining.rs` |
//!
//! `tests/net/trips.rs` and `virtual/tests/fidelity.rs` hold the first of these on real nodes.

mod account;
mod alarm;
mod announcement;
mod config;
mod connections;
mod conns;
mod cut;
mod delays;
mod dialling;
mod disk;
mod event;
mod executor;
mod few;
mod gallop;
mod kad;
mod keys;
mod links;
mod membership;
mod mesh;
mod network;
mod node;
mod op;
mod peer;
mod population;
mod profile;
mod records;
mod requests;
mod resets;
mod returns;
mod rng;
mod sample;
mod serve;
mod slab;
mod step;
mod store;
mod testbed;
mod trace;
mod transport;
mod weather;
mod wire;
mod world;

#[cfg(test)]
mod tests;

pub use account::{Account, Footprint, garble_index};
pub use config::{SimConfig, SimLimits};
pub use links::{Dialling, Links};
pub use network::SimNetwork;
pub use peer::SimPeer;
pub use population::{Change, Population};
pub use profile::{Profile, ProfileError, Service};
pub use rng::{Concern, Draw, Seed, Stream, below, digest, mix};
pub use sample::{Dist, unit};
pub use store::SimStore;
pub use testbed::{SimTestbed, UnderWay};
pub use trace::{Checkpoint, JsonLines, Trace, TraceEvent, TraceSink, parted};
