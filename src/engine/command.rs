//! What a caller asks of the engine.

use core::fmt;

use bytes::Bytes;

use super::config::QueryConfig;
use crate::package::{PackageId, Query, ReleaseId};
use crate::record::Checked;

/// The caller's name for one query. Never used twice on one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub u64);

impl fmt::Display for QueryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "q{}", self.0)
    }
}

/// One thing to do.
#[derive(Clone, Debug)]
pub enum Command {
    /// Find packages.
    Search {
        /// The query's name.
        id: QueryId,
        /// What is looked for; already checked.
        query: Query,
        /// How; already checked.
        config: QueryConfig,
        /// What the caller's own catalogue matches.
        local: Local,
    },
    /// Get one thing by its name.
    Get {
        /// The query's name.
        id: QueryId,
        /// What.
        what: Lookup,
        /// How; already checked. `answers_wanted` and `fan_out` do not apply.
        config: QueryConfig,
        /// Verified records that the caller holds and that may answer it: the release, the newest list seen.
        local: Vec<Checked>,
    },
    /// Give a query up.
    Cancel {
        /// Which. One that has ended, or never was, is ignored.
        id: QueryId,
    },
}

/// What the caller's own catalogue says to a search.
#[derive(Clone, Debug, Default)]
pub struct Local {
    /// Verified releases that match, best first.
    pub releases: Vec<Checked>,
    /// Keys of releases that match, as far as their notices tell, and that are not held.
    pub names: Vec<Bytes>,
    /// Releases that are never to be delivered by this search: known to be yanked, or of which the caller
    /// holds two different signed records.
    pub yanked: Vec<ReleaseId>,
}

/// What a get looks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lookup {
    /// This release. Ends at the first valid record, since a release does not change.
    Release(ReleaseId),
    /// The package's list of releases: the highest sequence of at least three distinct answers.
    List(PackageId),
    /// The newest release that is not yanked and no pre-release, or failing that the newest pre-release:
    /// the list, then the release.
    Latest(PackageId),
}
