//! Scenarios: what a file says, what a seed makes of it, and what a run of it comes to.
//!
//! [`Scenario`] is read from a file and checked; [`Plan`] is what a seed makes of it, explicit, with
//! times; whoever runs it only follows it, and reports.

mod asking;
pub mod catalogue_file;
pub mod chaos;
pub mod compare;
mod draw;
mod expect;
pub mod file;
pub mod history;
pub mod hostile;
mod listing;
mod nodes;
pub mod page;
pub mod plan;
pub mod report;
mod run;
mod schema;
#[cfg(test)]
mod shipped;
pub mod shrink;
pub mod synthetic;
mod units;
mod words;

pub use draw::{Concern, Draws};
pub use expect::{Amount, Comparator, Comparison, Measure, Scale};
pub(crate) use file::bounds::{MAX_OPERATIONS, MAX_PEERS, MAX_SPAN};
pub(crate) use file::error::{Source, read_text};
pub use file::model::Scenario;
pub(crate) use file::plain::Plain;
pub use file::{FileError, Place, Problem};
pub use listing::Listing;
pub use nodes::{MAX_NODES, NodeSet, NodeSetError};
pub use plan::Plan;
pub(crate) use plan::{Climate, check_events, written};
pub(crate) use run::{Asked, Watched, Witness, wanted};
pub use run::{
    DynNetwork, Figures, Measured, Meter, Outfit, PeerOf, RunError, RunOptions, Until, Watch, profile, run,
    run_on, simulated, verifier,
};
#[cfg(feature = "net")]
pub use run::{Unfit, run_on_swarms, swarm_setup, unfit};
pub use schema::schema;
pub use units::{Rate, Seeds, Size, Span, UnitError};
pub use words::{Among, By, Family, Lie, Profile, Wanted};
