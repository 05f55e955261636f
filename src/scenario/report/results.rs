//! What each operation of a run came to, as its caller was told, and what was refused from whom: what runs
//! of one plan on two networks are compared by. And what runs of one plan by several strategies are.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use crate::engine::Outcome;
use crate::network::Ware;
use crate::package::ReleaseId;
use crate::registry::SearchOutcome;

/// How a search ended, without its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// It covered all that it should.
    Complete,
    /// It reached its limit of results.
    Enough,
    /// It ended with something missing.
    Partial,
    /// It found nothing, and nobody could say that there is nothing.
    Failed,
    /// It was given up.
    Cancelled,
}

impl From<Outcome> for Ending {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Complete => Self::Complete,
            Outcome::Enough => Self::Enough,
            Outcome::Partial(_) => Self::Partial,
            Outcome::Failed(_) => Self::Failed,
            Outcome::Cancelled => Self::Cancelled,
        }
    }
}

/// What the caller of one operation was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Of a search.
    Search {
        /// How it ended.
        ending: Ending,
        /// What it found.
        found: BTreeSet<ReleaseId>,
    },
    /// Of a get, or a listing.
    Get {
        /// Whether it was answered truly.
        right: bool,
    },
    /// Of a publication, or of taking one back.
    Published {
        /// Whether a peer acknowledged it.
        acked: bool,
    },
}

/// A way in which something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refused {
    /// By the network, with the validator's verdict or its own.
    AtTheNetwork(Ware, &'static str),
    /// By the registry, which read it and could not make it out, or was answered something else.
    Malformed,
    /// By the registry, to which a signature, a key or a content was wrong.
    Forged,
}

/// What a run came to, one operation at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// By the number of the operation. One whose registry was down, or that nobody waited for, is not here.
    pub told: BTreeMap<u32, Told>,
    /// What registries refused, and how often.
    pub refused: BTreeMap<Refused, u64>,
    /// From the asking to the end of each search that was not given up, in the order in which they ended.
    pub latencies: Vec<Duration>,
    /// Bytes that searches cost: their questions, what came for these and for their lookups, and answers to questions
    /// that came when nobody waited for them any more, where the network sees that.
    pub search_bytes: u64,
}

impl From<&SearchOutcome> for Told {
    fn from(outcome: &SearchOutcome) -> Self {
        let found = outcome.packages.iter().map(|hit| hit.package.release.clone()).collect();
        Self::Search { ending: outcome.outcome.into(), found }
    }
}
