//! Plans: what a seed makes of a scenario, explicit and with times, so that a run only follows it.
//!
//! [`Plan::make`] draws; [`Plan::to_toml`] and [`Plan::read`] write and read one. The same scenario and
//! seed make the same plan on every machine; a plan that was written and read back is equal.

mod catalogue;
mod check;
mod failure;
mod joining;
mod lift;
mod liveness;
mod make;
mod nodes;
mod operations;
#[cfg(test)]
mod tests;
mod text;
mod turn;
mod types;
mod weather;

pub use catalogue::{CREATED, CatalogueError, Released};
pub(crate) use check::events as check_events;
pub use failure::{Failure, FailureKind};
pub use liveness::LivenessPlan;
pub(crate) use make::Climate;
pub use text::WriteError;
pub(crate) use text::written;
pub use turn::{LinkPlan, Turn};
pub(crate) use types::seed;
pub use types::{
    Act, CataloguePlan, NetworkPlan, NodeRole, NodesPlan, Operation, Placed, Plan, PlannedEvent,
    RegistryPlan, ServicePlan, SourcePlan, Timeline, VERSION,
};
