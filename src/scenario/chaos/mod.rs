//! Chaos: each seed draws a scenario of its own.
//!
//! A scenario file with a section `[chaos]` is a frame. What a seed makes of it is a scenario without that section, from
//! which a plan is made as from any other; so it can be printed, replayed and shrunk like any other. The frame's own
//! values stay in force so:
//!
//! | In the frame | What a seed makes of it |
//! |---|---|
//! | `[network]` `peers`, `registries` | the most: sizes are log-uniform up to them; so many with `sizes = "fixed"` |
//! | `[network]` `profile`, `undialable`, `clients` | an explicit profile is kept, the rest is drawn |
//! | `[catalogue]` `packages` of a synthetic one | the most; coverage, versions and who holds what are drawn |
//! | `[registry]` | the preset, coverage and fan-out are drawn; what else the frame says is kept |
//! | `[[workload]]` | the alphabet: each is left out with a chance of a half, the rate of the others is changed up to fourfold; without any there is one of all kinds |
//! | `[[fault]]` | kept as it is, in addition to the families |
//! | `families` | each is fully off with a chance of a half (swarm testing: Groce and others, ISSTA 2012); the shares, chances and times of those that are on are log-uniform |
//!
//! Every other seed asks for liveness as well, unless the frame says how: a drawn core of the nodes must work again after the
//! end.
//!
//! A share of the seeds, `quiet`, has no fault at all, since what only faults trigger hides what needs none; another,
//! `steady`, stops nothing and restarts nothing. Every drawn fault is over by `calm` before the end.
//!
//! Every draw is a function of (seed, what it is for), so another family leaves the draws of the others as they are.

mod dice;
mod families;
mod frame;

use std::path::Path;

pub(crate) use frame::concrete;

use super::Scenario;
use super::file::FileError;

/// The built-in frame: what is explored where no file says what to explore.
pub const EXPLORE: &str = include_str!("explore.toml");
/// What the built-in frame is called in reports.
pub const EXPLORE_NAME: &str = "explore";

impl Scenario {
    /// The built-in frame of chaos.
    pub fn explore() -> Result<Self, FileError> {
        Self::parse(EXPLORE, Path::new(EXPLORE_NAME))
    }
}

#[cfg(test)]
mod tests;
