//! The real network: one node on a libp2p swarm, as a [`Network`](crate::network::Network).
//!
//! [`Libp2pNetwork`] owns its swarm and polls it only in `poll_event`: one task, no lock. It is made by a
//! [`NetBuilder`], within a tokio runtime:
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use swarmproof::network::Validator;
//! use swarmproof::net::{Keypair, Libp2pNetwork};
//!
//! # fn f(validator: Arc<dyn Validator>) -> Result<(), Box<dyn std::error::Error>> {
//! let network = Libp2pNetwork::builder(Keypair::generate_ed25519(), validator)
//!     .listen("/ip4/0.0.0.0/tcp/4801".parse()?)
//!     .listen("/ip4/0.0.0.0/udp/4801/quic-v1".parse()?)
//!     .bootstrap("/ip4/192.0.2.1/tcp/4801/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp".parse()?)
//!     .build()?; // TCP and QUIC; `build_on` takes any transport and any executor
//! # Ok(())
//! # }
//! ```
//!
//! It must be polled to do anything: a registry's driver does so. An unpolled swarm stalls every protocol.
//!
//! # What it is made of
//!
//! - Kademlia carries records and providers. Its own republishing is off; values that peers ask this node
//!   to store pass the application's validator first.
//! - Questions go over request-response with a length-prefixed codec that checks lengths before it
//!   allocates, carries the asker's patience, and ends a stream as soon as its question is given up.
//! - Announcements go over gossipsub, which passes on only what the validator let pass.
//! - Identify tells which peers speak the application's protocol, and where they listen; ping measures the way.
//! - An address book remembers where peers are said to be, and serves every dial.
//! - A node comes back to the peers it was told to join by while it has too few.
//!
//! # What it trusts
//!
//! Nobody. In this order: a blocked peer's connections are closed and refused. Connections are limited in all, from
//! outside, and to one peer, and none is made when memory is short. What a peer sends is within its allowance (bytes
//! a second, questions in flight), or refused as busy or dropped unread. It is within its size. It is good in the eyes
//! of the validator. What is ill-made is reported as [`Rejected`](crate::network::Event::Rejected) of who sent it;
//! whom to block, and for how long, is for the application to say.
//!
//! Every limit is in [`NetConfig`]. Deadlines are this module's own: a library's timeouts are only set
//! longer than any of them.

mod address;
mod allowances;
mod announcements;
mod behaviour;
mod book;
mod builder;
mod clock;
mod codec;
mod config;
mod error;
mod flights;
mod held;
mod inbox;
mod joining;
mod lookups;
#[cfg(feature = "node")]
mod metrics;
mod neighbours;
mod network;
mod node;
mod observed;
mod peers;
mod questions;
mod reach;
mod stopper;
mod testbed;
pub mod transport;

pub use address::{PeerAddress, PeerAddressError};
pub use builder::NetBuilder;
pub use clock::Clock;
pub use config::{ASK_PROTOCOL, ConfigError, DHT_PROTOCOL, FAMILY, MemoryLimit, NetConfig, Protocols};
pub use error::BuildError;
pub use held::{Lend, held_limits};
pub use libp2p::identity::Keypair;
pub use libp2p::{Multiaddr, PeerId};
pub use network::Libp2pNetwork;
pub use stopper::Stopper;
pub use testbed::{
    Carrier, Depths, Served, Service, Start, SwarmCounts, SwarmSetup, SwarmStore, SwarmTestbed, Wire,
};
