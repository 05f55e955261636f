//! What a registry tells whoever watches it: the oracles, a trace, a log.
//!
//! The driver calls the [`Observer`] at the moment a thing happens, in the order in which things happen.
//! An observer changes nothing and must return at once.

use crate::engine::{Charge, Lookup, QueryConfig, QueryId, QueryOutcome};
use crate::network::{Done, Failure, Item, Limits, Refusal, Request, RequestId, RequestStats};
use crate::package::{PackageId, Query, ReleaseId};
use crate::record::Checked;
use crate::registry::catalogue::Proof;
use crate::registry::outcome::Hit;
use crate::registry::requests::Purpose;
use crate::time::Timestamp;

/// Watches one registry.
pub trait Observer<P>: Send {
    /// `what` happened at `now`.
    fn observe(&mut self, now: Timestamp, what: Observed<'_, P>);
}

impl<P, F: FnMut(Timestamp, Observed<'_, P>) + Send> Observer<P> for F {
    fn observe(&mut self, now: Timestamp, what: Observed<'_, P>) {
        self(now, what);
    }
}

/// What a query asks.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'a> {
    /// A search.
    Search(&'a Query),
    /// A get.
    Get(&'a Lookup),
    /// The registry's own look at the newest list before it changes it.
    OwnList(&'a PackageId),
}

/// On whose behalf a request goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behalf {
    /// A query's; of several that share it, the first.
    Query(QueryId),
    /// The registry's own.
    Own(Purpose),
}

/// How the catalogue learned something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    /// It was published here.
    Own,
    /// It was announced.
    Announcement,
    /// By catching up.
    CatchUp,
    /// It came in for a query.
    Query,
    /// It was read from the store at the start.
    Store,
}

/// One thing that happened.
#[derive(Clone, Copy, Debug)]
pub enum Observed<'a, P> {
    /// A query was handed to the engine.
    QueryStarted {
        /// Its name.
        query: QueryId,
        /// What it asks.
        asked: Asked<'a>,
        /// How it is run.
        config: &'a QueryConfig,
    },
    /// A request was handed to the network.
    Submitted {
        /// Its name.
        request: RequestId,
        /// On whose behalf.
        behalf: Behalf,
        /// What.
        what: &'a Request<P>,
        /// Within which bounds.
        limits: Limits,
    },
    /// A request was cancelled at the network.
    Cancelled {
        /// Its name.
        request: RequestId,
    },
    /// The network reported progress of a request.
    Received {
        /// Its name.
        request: RequestId,
        /// Who sent it.
        from: P,
        /// What came.
        item: &'a Item<P>,
    },
    /// The network reported the end of a request.
    Ended {
        /// Its name.
        request: RequestId,
        /// How.
        result: Result<Done, Failure>,
        /// What it cost.
        stats: RequestStats,
    },
    /// A search delivered a result.
    Delivered {
        /// The query.
        query: QueryId,
        /// The result.
        release: &'a Hit,
        /// Who gave it; `None` from the own catalogue.
        from: Option<P>,
    },
    /// A query ended, as the engine tells it. A get of a release that the catalogue knows to be contradicted
    /// is told to its caller as a conflict.
    Finished {
        /// How.
        outcome: &'a QueryOutcome,
    },
    /// A peer's reputation changed.
    Charged(Charge<P>),
    /// The catalogue learned a statement that it did not know.
    Learned {
        /// The statement.
        record: &'a Checked,
        /// How it came.
        via: Via,
    },
    /// A publisher was found to have signed two statements, or two lists, that contradict each other.
    Equivocation {
        /// Both.
        proof: &'a Proof,
    },
    /// A verified list of a package is now the newest seen.
    ListSeen {
        /// Which package.
        package: &'a PackageId,
        /// Its sequence; never lower than one seen before.
        sequence: u64,
    },
    /// Something that a peer sent was refused.
    Rejected {
        /// Who sent it.
        from: P,
        /// Why.
        why: Rejection,
    },
    /// A question was answered.
    Answered {
        /// Who asked.
        to: P,
        /// The bytes of the answer, or why there is none.
        result: Result<usize, Refusal>,
    },
    /// Something of one's own became durable, and is now sent.
    Durable {
        /// About which release.
        release: &'a ReleaseId,
        /// Under which number.
        number: u64,
    },
}

/// Why something that a peer sent was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rejection {
    /// It was ill-made; the code of the [`Invalid`](crate::network::Invalid) that says how.
    Invalid(u16),
    /// The peer passes on more announcements than its quota allows.
    PeerQuota,
    /// The publisher announces more than its quota allows.
    PublisherQuota,
    /// The catalogue has no room for it.
    Full,
}
