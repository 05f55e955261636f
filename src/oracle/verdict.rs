//! The names of the oracles, and what one says when it finds something.

use core::fmt;

use serde::Serialize;

use crate::time::Timestamp;

/// One check that runs in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Oracle {
    /// 1. A query gets only answers to its own requests.
    OwnAnswers,
    /// 2. Every query, and every request, ends once and by its deadline. A query ends as soon as nothing is
    ///    outstanding; the end of a request is taken in when it comes, and no request times out early.
    EndsOnce,
    /// 3. No release twice in one outcome.
    NoDuplicates,
    /// 4. Nothing is delivered that its publisher did not sign and publish.
    Authentic,
    /// 5. Without faults everything is found; with faults, what honest answerers told in time is.
    Recall,
    /// 6. When all is done, nothing is in flight.
    NothingLeft,
    /// 7. Metrics add up, and agree with what was seen: how many ended, and how long they took.
    MetricsAddUp,
    /// 8. Reputation stays in 0 to 1; each charge names its cause, and the cause is true. A stranger's is neutral.
    FairReputation,
    /// 9. A sequence once seen verified is never gone back from.
    NoRollback,
    /// 10. The same plan gives the same trace hash in another process.
    Repeatable,
    /// 11. After the faults heal, the network works again within a bound.
    Liveness,
    /// 12. A query asks no more at once, no more in all and nothing twice, as it is configured.
    WithinLimits,
}

impl Oracle {
    /// Every oracle, in the order of its number.
    pub const ALL: [Self; 12] = [
        Self::OwnAnswers,
        Self::EndsOnce,
        Self::NoDuplicates,
        Self::Authentic,
        Self::Recall,
        Self::NothingLeft,
        Self::MetricsAddUp,
        Self::FairReputation,
        Self::NoRollback,
        Self::Repeatable,
        Self::Liveness,
        Self::WithinLimits,
    ];

    /// Its name in reports, stable.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OwnAnswers => "own-answers",
            Self::EndsOnce => "ends-once",
            Self::NoDuplicates => "no-duplicates",
            Self::Authentic => "authentic",
            Self::Recall => "recall",
            Self::NothingLeft => "nothing-left",
            Self::MetricsAddUp => "metrics-add-up",
            Self::FairReputation => "fair-reputation",
            Self::NoRollback => "no-rollback",
            Self::Repeatable => "repeatable",
            Self::Liveness => "liveness",
            Self::WithinLimits => "within-limits",
        }
    }
}

impl fmt::Display for Oracle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something that must not happen, and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which check says so.
    pub oracle: Oracle,
    /// When it showed.
    pub at: Timestamp,
    /// What was seen and what would have been right, in a sentence.
    pub detail: String,
}
