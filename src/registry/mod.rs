//! The registry: one node's packages, on any network.
//!
//! [`P2PRegistry::new`] makes a handle and a [`Driver`]. The handle is cheap, cloneable and goes to any
//! thread; it implements [`Registry`]. The driver owns the network and the store; its
//! [`Driver::run`] is one future that must be run for anything to happen. It needs no runtime and no
//! timer: the network is the only place where it waits for time to pass.
//!
//! # What it promises
//!
//! - A query ends once, by its deadline, with what it found so far. Dropping a [`QueryHandle`], or any
//!   future of [`Registry`], cancels the work at the network, also when the command channel is full.
//! - Whatever is delivered was signed by its publisher; whatever a peer sent unsigned or ill-made is
//!   refused, counted, and charged to that peer.
//! - A publication is durable before anything of it is sent. A number is never given twice, and a list
//!   once seen verified is never gone back from.
//! - Every queue, map and buffer has a bound, in [`RegistryConfig`].
//! - When the network closes or the last handle is dropped, every query ends and every caller is told.
//!
//! # Inside
//!
//! Pure machines say what to do: the [engine](crate::engine) for queries, `publishing`, `upkeep`,
//! `catch_up`, `questions`, `quota`, `lists`, `journal`. The driver (`state`, `queries`, `carry`, `serve`,
//! `driver`, each above the one before) hands them what happens and does what they say.

mod api;
mod carry;
pub mod catalogue;
mod catch_up;
mod command;
mod config;
mod driver;
mod error;
mod handle;
mod journal;
mod keep;
mod link;
mod lists;
mod observe;
mod outcome;
mod publishing;
mod queries;
mod questions;
mod quota;
mod requests;
pub mod responder;
mod serve;
mod snapshot;
mod state;
#[cfg(test)]
mod tests;
mod upkeep;

pub use api::Registry;
pub use catalogue::{Bounds, Catalogue, Learned, Pool, Proof};
pub use config::{CatchUpConfig, PublishConfig, RegistryConfig, ServeConfig};
pub use error::{PublishError, RegistryError, Unanswered};
pub use handle::P2PRegistry;
pub use observe::{Asked, Behalf, Observed, Observer, Rejection, Via};
pub use outcome::{Hit, Metadata, PendingOutcome, Published, QueryHandle, SearchOutcome, Stored, Versions};
pub use quota::Quota;
pub use requests::Purpose;
pub use responder::RegistryResponder;
pub use snapshot::{Counters, KnownPeer, Snapshot};
pub use state::Driver;
