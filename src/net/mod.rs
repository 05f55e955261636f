//! The real network: one node on a libp2p swarm, as a [`Network`](crate::network::Network).
//!
//! [`Libp2pNetwork`] owns its swarm and polls it only in `poll_event`: one task, no lock. Whoever makes
//! one builds the swarm as they like (transports, keys), with the
//! behaviour that [`Behaviour::new`] gives, hands it over, and
//! says where to listen and whom to join by:
//!
//! ```text
//! let behaviour = Behaviour::new(&keypair, &config, lend)?;
//! let swarm = Swarm::new(transport, behaviour, keypair.public().to_peer_id(), swarm_config);
//! let mut network = Libp2pNetwork::new(swarm, config, clock, validator);
//! network.listen_on(address)?;
//! network.add_address(peer, address);
//! ```
//!
//! # What it is made of
//!
//! - Kademlia carries records and providers. Its own republishing is off; values that peers ask this node
//!   to store pass the application's validator first.
//! - Questions go over request-response with a length-prefixed codec that checks lengths before it
//!   allocates, carries the asker's patience, and ends a stream as soon as its question is given up.
//! - Announcements go over gossipsub, which passes on only what the validator let pass.
//! - Identify tells which peers speak the application's protocol, and where they listen.
//!
//! Every limit is in [`NetConfig`]. Deadlines are this module's own: a library's timeouts are only set
//! longer than any of them.

mod announcements;
mod behaviour;
mod clock;
mod codec;
mod config;
mod flights;
mod inbox;
mod lookups;
mod network;
mod node;
mod questions;
mod stopper;
mod store;
mod testbed;

pub use behaviour::{Behaviour, BuildError};
pub use clock::Clock;
pub use config::{ASK_PROTOCOL, DHT_PROTOCOL, FAMILY, NetConfig};
pub use network::Libp2pNetwork;
pub use stopper::Stopper;
pub use store::Lend;
pub use testbed::{SwarmSetup, SwarmStore, SwarmTestbed, Wire};
