//! The harness for any application on [`Network`](crate::network::Network): scenarios, sweeps, shrinking, and the
//! oracles that need to know nothing of what runs. No registry is in it. `HARNESS.md` shows it by an example.
//!
//! # How it goes
//!
//! 1. A [`Climate`] is read from a file: peers, links, how much is done, faults, chaos. A seed makes a [`Plan`] of it,
//!    explicit, with what the application is asked to do: [`Application::act`].
//! 2. [`run`] follows a plan on the simulated network. Every node runs the application. Each of its lives is one task,
//!    given by [`Application::start`], which takes what it is asked and what its network reports from its [`Life`], and
//!    tells what each operation came to.
//! 3. The general oracles watch each node's network and each operation; at the end the application's own look at what was
//!    asked and told: [`Application::judge`].
//! 4. [`sweep`] does that for many seeds, each twice, and [`shrink`] makes a failing plan small. [`Plan::to_toml`] writes
//!    it, [`Plan::read`] reads it, and [`run`] makes the same of it, bit for bit.
//!
//! # What is judged
//!
//! - `own-answers`: an item comes for a request that is open, from whom it asked; what an operation is said to have
//!   [taken](Life::took) came for its own requests.
//! - `ends-once`: every request ends once and by its deadline; every operation is told once, within
//!   [`Application::WITHIN`], unless its node dies; nothing is sent for an operation that has been told.
//! - `nothing-left`: after the end there is a moment at which no request, question or event is held for any node.
//! - `repeatable`: the same plan gives the same trace hash.
//! - `panicked`: it does not panic.
//! - Whatever [`Application::judge`] finds, under names of its own.

mod application;
mod deed;
mod ledger;
mod life;
mod plan;
mod run;
mod shrink;
mod sweep;

pub use application::{Application, Greatest};
pub use deed::Deed;
pub use life::{Desk, Input, Life};
pub use plan::{Climate, Operation, Plan, Timeline};
pub use run::{HarnessError, Report, prove, run};
pub use shrink::shrink;
pub use sweep::{Failure, Swept, sweep};

pub use crate::scenario::report::Violation;
