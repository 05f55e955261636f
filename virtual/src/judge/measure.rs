//! What two networks are compared by: one number of a run's report each.

use swarmproof::scenario::report::RunReport;

/// A number of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// The mean number of hops of a lookup in the DHT.
    Hops,
    /// Requests and answers of lookups and questions.
    Messages,
    /// Requests that queries made.
    Requests,
    /// The median latency of searches, in ms.
    P50,
    /// The 95th percentile of the latency of searches, in ms.
    P95,
    /// Dials that were begun.
    Dials,
    /// Packages that searches delivered.
    Found,
    /// Queries that ended with all they should have.
    Whole,
    /// Queries that ended with something missing, or with nothing.
    Short,
}

impl Measure {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 9] = [
        Self::Hops,
        Self::Messages,
        Self::Requests,
        Self::P50,
        Self::P95,
        Self::Dials,
        Self::Found,
        Self::Whole,
        Self::Short,
    ];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hops => "hops",
            Self::Messages => "messages",
            Self::Requests => "requests",
            Self::P50 => "p50 ms",
            Self::P95 => "p95 ms",
            Self::Dials => "dials",
            Self::Found => "found",
            Self::Whole => "whole",
            Self::Short => "short",
        }
    }

    /// Whether the model is held to it.
    pub fn is_held(self) -> bool {
        matches!(self, Self::Hops | Self::Messages | Self::P50 | Self::P95)
    }

    /// Whether it means the same on sockets, whose links have no profile.
    pub fn is_for_sockets(self) -> bool {
        matches!(self, Self::Found | Self::Whole | Self::Short)
    }

    /// The number in `report`; `None` when the run had nothing to measure it by.
    #[expect(clippy::cast_precision_loss, reason = "counts of one run are far below 2^53")]
    pub fn of(self, report: &RunReport) -> Option<f64> {
        let (searches, gets) = (&report.searches, &report.gets);
        match self {
            Self::Hops => report.traffic.hops,
            Self::Messages => {
                Some((report.traffic.lookup_messages + report.traffic.question_messages) as f64)
            }
            Self::Requests => Some(report.requests as f64),
            Self::P50 => report.latency_ms.p50,
            Self::P95 => report.latency_ms.p95,
            Self::Dials => Some(report.traffic.dials as f64),
            Self::Found => Some(report.found as f64),
            Self::Whole => {
                let whole = searches.complete + searches.enough + gets.complete + gets.enough;
                Some(whole as f64)
            }
            Self::Short => Some((searches.partial + searches.failed + gets.partial + gets.failed) as f64),
        }
    }
}
