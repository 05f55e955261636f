//! Real libp2p swarms in virtual time: seeded links, partitions and churn for any `NetworkBehaviour`.
//!
//! [`simulate`] begins a simulation: one thread of this process whose clock is virtual and whose entropy comes from
//! a seed. In it, a [`World`] holds swarms of anyone's behaviour, unchanged, and the network between them; a
//! [`Fabric`] is that network alone, for whoever owns swarms of their own. The same seed gives the same run to the
//! last byte, in any process; another seed gives another.
//!
//! ```rust,standalone_crate
//! use std::time::Duration;
//!
//! use libp2p::ping;
//! use swarmproof_virtual::swarmproof::sim::Profile;
//! use swarmproof_virtual::{Options, World, simulate};
//!
//! let outcome = simulate(Options::new(7, Profile::internet()), |simulation| {
//!     let mut world = World::new(simulation)?;
//!     let config = || ping::Config::new().with_interval(Duration::from_secs(1));
//!     let a = world.spawn(move |_| ping::Behaviour::new(config()))?;
//!     let b = world.spawn(move |_| ping::Behaviour::new(config()))?;
//!     let hour = Duration::from_secs(3600);
//!
//!     world.connect(a, b)?;
//!     let pinged = |world: &mut World<ping::Behaviour>| world.events().iter().any(|told| told.event.result.is_ok());
//!     assert!(world.run_until(hour, pinged));
//!
//!     world.cut([a], [b])?;
//!     world.run_for(Duration::from_secs(10));
//!     world.events();
//!     assert!(!world.run_until(hour, pinged));
//!
//!     world.heal([a], [b])?;
//!     world.connect(a, b)?;
//!     assert!(world.run_until(hour, pinged));
//!     Ok::<_, swarmproof_virtual::WorldError>(world.trace_hash())
//! })?;
//! println!("{:032x}", outcome.value?);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a workspace needs
//!
//! libp2p's timers come from futures-timer, which keeps a thread that reads the system's clock. The crate beside
//! this one takes its place:
//!
//! ```toml
//! [dev-dependencies]
//! swarmproof-virtual = { path = "PATH-TO/virtual" }
//!
//! [patch.crates-io]
//! futures-timer = { path = "PATH-TO/virtual/futures-timer" }
//! ```
//!
//! Where there is a Cargo.lock already, `cargo update -p futures-timer` has it taken up. [`simulate`] says so when
//! it is missing, before anything runs.
//!
//! # Limits
//!
//! Linux with glibc, on x86_64 and aarch64. One simulation a process, as libp2p counts connections and listeners for
//! the whole process. One thread: what a behaviour does on threads of its own, or with sockets, is neither in
//! virtual time nor repeatable; threads that are there at the end are named in the [`Outcome`]. Code that asks the
//! system for time or entropy by instructions of its own is not under control. A run that does not move is ended by
//! a watchdog with the state of each node, exit code 3.

mod control;
pub mod fabric;
#[cfg(feature = "registry")]
pub mod judge;
mod parted;
#[cfg(feature = "registry")]
pub mod registry;
mod seeds;
mod simulation;
mod watchdog;
pub mod world;

pub use control::Uncontrolled;
pub use fabric::Fabric;
pub use seeds::Seeds;
pub use simulation::{Options, Outcome, Simulation, SimulationError, simulate};
pub use swarmproof;
pub use swarmproof::sim::Profile;
pub use swarmproof::testbed::{Fault, LinkChange, NodeId, Way};
pub use world::{NodeInfo, World, WorldError};
