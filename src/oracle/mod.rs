//! The checks that run in every run, under every seed, whatever a scenario expects.
//!
//! An oracle compares what was seen ([`Fact`]s, in the order in which they happened) with what is true
//! ([`Truth`], which only the world knows). It never guesses: where the truth cannot be told, an oracle
//! is silent.
//!
//! # Order of calls
//!
//! [`Judge::observe`] once for each fact, in order; [`Judge::finish`] once, with what every node holds when
//! all is done. Violations come back from both.
//!
//! The oracles in `general` hold for any application on [`Network`](crate::network::Network); those in
//! `registry` are the registry's own.

mod fact;
mod general;
mod judge;
mod limits;
mod liveness;
mod recall;
mod registry;
#[cfg(test)]
mod tests;
mod truth;
mod verdict;

pub use fact::{Asked, Budget, Fact, Holding, Seen, Wanted};
pub use general::{General, Sent};
pub use judge::Judge;
pub use liveness::Liveness;
pub use recall::{Judgement, Missed};
pub use truth::Truth;
pub use verdict::{Oracle, Violation};
