//! How a query ended, and what it found.

use core::time::Duration;

use super::command::QueryId;
use crate::package::{Package, ReleaseId};
use crate::record::Checked;

/// The one ending of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryOutcome {
    /// The query.
    pub query: QueryId,
    /// How it ended.
    pub outcome: Outcome,
    /// What it found.
    pub found: Found,
    /// Who was asked, and what came of it.
    pub coverage: Coverage,
    /// Releases of which two different, validly signed records turned up. None of them is in `found`.
    pub conflicts: Vec<Conflict>,
    /// From the command to the end.
    pub elapsed: Duration,
}

/// What a query found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A search: verified releases, best first, each release once.
    Releases(Vec<Checked>),
    /// A get of a release, or of the latest one.
    Release(Option<Checked>),
    /// A get of a list.
    List {
        /// The highest verified sequence, if any list was found.
        list: Option<Checked>,
        /// Its validity has passed: a newer one may be held back.
        stale: bool,
    },
}

impl Found {
    /// How many results it holds.
    pub fn len(&self) -> usize {
        match self {
            Self::Releases(found) => found.len(),
            Self::Release(found) => usize::from(found.is_some()),
            Self::List { list, .. } => usize::from(list.is_some()),
        }
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The packages in it, best first.
    pub fn packages(&self) -> impl Iterator<Item = &Package> {
        let records: &[Checked] = match self {
            Self::Releases(found) => found,
            Self::Release(Some(found)) => core::slice::from_ref(found),
            Self::Release(None) | Self::List { .. } => &[],
        };
        records.iter().filter_map(|record| match &**record {
            crate::record::Record::Release(release) => Some(&release.package),
            _ => None,
        })
    }
}

/// How a query ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All that it should cover is covered.
    Complete,
    /// The limit of results was reached.
    Enough,
    /// Something is missing.
    Partial(Missing),
    /// Nothing was found, and nobody could say that there is nothing.
    Failed(Reason),
    /// The caller gave it up.
    Cancelled,
}

/// What a partial outcome lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Adequate answers short of `answers_wanted`.
    pub answers: u32,
    /// Releases known by name whose records did not come.
    pub names: u32,
    /// Whether the deadline ended it; otherwise nobody was left to ask.
    pub deadline: bool,
}

/// Why a query failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// No peer is known.
    NoPeers,
    /// Every peer asked failed, refused, was silent or had nothing adequate to say.
    NoAnswer,
    /// The deadline came before any adequate answer.
    Deadline,
    /// A lookup was answered, and what it looked for does not exist.
    NotFound,
    /// Two different records for the one release: neither is told as truth.
    Conflict,
    /// Too many queries are in flight; this one was never started.
    Busy,
}

/// Who was asked, and what came of it. `asked = adequate + inadequate + failed + timed_out + refused +
/// abandoned` when the query has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Questions put to peers.
    pub asked: u32,
    /// Answers that count towards `answers_wanted`.
    pub adequate: u32,
    /// Answers from catalogues too empty, or ill-made.
    pub inadequate: u32,
    /// Peers that could not be reached or broke off, and requests that this node's limits refused.
    pub failed: u32,
    /// Peers silent until the request's deadline.
    pub timed_out: u32,
    /// Peers that refused.
    pub refused: u32,
    /// Requests still out when the query ended.
    pub abandoned: u32,
    /// Releases first known by name whose record came.
    pub resolved: u32,
    /// Releases known by name whose record did not come.
    pub unresolved: u32,
    /// Lookups in the DHT.
    pub lookups: u32,
    /// Messages that all of it sent, as far as the network told.
    pub messages: u32,
}

/// Two records for one release, both validly signed: the proof of an equivocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Which release.
    pub release: ReleaseId,
    /// The one seen first.
    pub first: Checked,
    /// The other.
    pub second: Checked,
}
