//! The query-collection engine: it fans a search or a lookup out to many peers and collects what
//! comes back.
//!
//! A pure state machine: no clock, no entropy, no I/O, no async, no order of a hash map. Time is handed
//! in and never goes back; random choices come from a generator handed in at construction.
//!
//! # Order of calls
//!
//! 1. `handle_command`, `handle_event` and `handle_deadline` hand something in, in any order.
//! 2. After each of them, `poll_action` is called until it returns `None`.
//! 3. [`Engine::next_deadline`] then says by when [`Engine::handle_deadline`] must be called at the latest; it may change
//!    with every call of 1.
//!
//! [`Engine::set_local_peer`] goes before all of them.
//!
//! # What it promises
//!
//! - Each query is finished exactly once, at its deadline at the latest, and as soon as nothing is
//!   outstanding. What was found before a deadline or a cancel is kept. Nothing is delivered after the end,
//!   and never more than the query's limit.
//! - Each request that is submitted is ended by the network or cancelled, exactly once. A query's requests do
//!   not outlive it; a lookup that several gets share does not outlive the last of them.
//! - A request is known before it is submitted, so an answer cannot come too early. What comes for a request
//!   that is over is counted and changes nothing.
//! - Every record is verified, then filtered, then deduplicated by release and digest, then counted.
//! - A peer is charged only for what itself did in a request that was out, with the cause.
//! - Everything is bounded ([`EngineConfig`]), and nothing grows with the number of queries that ended.
//!
//! # Where things are
//!
//! `machine` takes things in and hands them to the query they are for. A query's own state is in `search`
//! (with `collected`, `names`, `held` and `fan_out`) or `get` (with `flight` and `cache`); what all share is in
//! `desk` (with `requests`, `reputation`, `timeouts`, `pace` and `metrics`). A new strategy of fan-out is a variant of
//! [`FanOut`] and its rule in `fan_out`; what it learns is in `pace`.

mod action;
mod cache;
mod collected;
mod command;
mod config;
mod desk;
mod fan_out;
mod flight;
mod get;
mod held;
mod machine;
mod metrics;
mod names;
mod outcome;
mod pace;
mod remembered;
mod reputation;
mod requests;
mod search;
mod timeouts;

pub use action::{Action, Cause, Charge};
pub use command::{Command, Local, Lookup, QueryId};
pub use config::{ConfigError, EngineConfig, FanOut, QueryConfig};
pub use machine::{Engine, InFlight};
pub use metrics::{Histogram, QueryMetrics};
pub use outcome::{Conflict, Coverage, Found, Missing, Outcome, QueryOutcome, Reason};
pub use reputation::{Reputation, Standing};

#[cfg(test)]
mod tests;
