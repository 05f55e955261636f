//! Real libp2p swarms in virtual time: seeded links, partitions and churn for any `NetworkBehaviour`.
#![doc = ""]

mod control;
pub mod fabric;
mod simulation;
mod watchdog;
pub mod world;

pub use control::Uncontrolled;
pub use fabric::Fabric;
pub use simulation::{Options, Outcome, Simulation, SimulationError, simulate};
pub use swarmproof;
pub use world::{NodeInfo, World, WorldError};
