//! The registry in virtual time: scenarios of swarmproof on real libp2p nodes, over the links of its model.
//!
//! [`run_virtual`] follows a plan on a [`SwarmTestbed`](swarmproof::net::SwarmTestbed) that a [`VirtualCarrier`]
//! carries: every node is a `Libp2pNetwork` as it ships. What the simulator's world has and libp2p has not, the
//! carrier adds in the same way: links and their faults, the time that peers take to serve, and a network that has been
//! up for long when time begins.
//!
//! One run is one simulation, so it is one process: [`simulate`](crate::simulate) refuses a second.

mod carrier;
mod run;

pub use carrier::VirtualCarrier;
pub use run::{MOST_NODES, on_fabric, run_virtual, unfit};
