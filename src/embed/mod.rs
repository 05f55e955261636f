//! The registry as a service embeds it: keys, network, store and registry put together, with sound defaults.
//!
//! ```no_run
//! # async fn service() -> Result<(), Box<dyn std::error::Error>> {
//! use swarmproof::embed::Builder;
//! use swarmproof::package::Query;
//! use swarmproof::registry::Registry as _;
//!
//! let service = Builder::new()
//!     .listen("/ip4/127.0.0.1/tcp/0".parse()?)
//!     .bootstrap("/dns4/seed.example.org/tcp/4801/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN".parse()?)
//!     .start()
//!     .await?;
//! let found = service.registry().search(Query::text("json parser", 20)).await?;
//! println!("{} packages, {:?}", found.packages.len(), found.outcome);
//! service.stop().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Contract
//!
//! - [`Builder::start`] is called within a tokio runtime whose timers and I/O are on. It returns when every
//!   address is listened on; joining goes on by itself.
//! - The driver runs as a task of that runtime, and with it the swarm: one task owns both, there is no lock.
//! - [`Service::stop`] ends what is in flight with what it has found, and returns when everything accepted is
//!   durable. Dropping a [`Service`] and the last handle to its registry does the same without waiting.
//! - Nothing is kept beyond the process unless a store is handed in.
//!
//! Whoever needs another transport, another executor or another order of things puts the parts together
//! by hand: [`Libp2pNetwork::builder`](crate::net::Libp2pNetwork::builder), then
//! [`P2PRegistry::new`](crate::registry::P2PRegistry::new).

mod builder;
mod error;
mod service;

pub use builder::Builder;
pub use error::StartError;
pub use service::Service;
