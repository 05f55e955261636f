//! What the oracles see: what was asked and what came, one fact at a time.

use core::time::Duration;

use bytes::Bytes;

use crate::engine::{Cause, Lookup, QueryId, QueryOutcome};
use crate::network::{Done, Failure, Gauges, RequestId};
use crate::package::{PackageId, Query};
use crate::record::Checked;
use crate::testbed::NodeId;
use crate::time::Timestamp;

/// One fact, with when and where.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When it happened.
    pub at: Timestamp,
    /// At which node.
    pub node: NodeId,
    /// What happened.
    pub fact: Fact,
}

/// What happened at one node. The first five hold for any application; the rest are the registry's.
#[derive(Clone, Debug)]
pub enum Fact {
    /// The application handed a request to its network.
    Submitted {
        /// The request.
        request: RequestId,
        /// The query on whose behalf, if any.
        query: Option<QueryId>,
        /// What it asks for.
        wanted: Wanted,
        /// The question's bytes; empty for what is no question.
        question: Bytes,
        /// By when it must end.
        deadline: Timestamp,
    },
    /// The application gave a request up.
    Cancelled {
        /// The request.
        request: RequestId,
    },
    /// The network reported an item.
    Came {
        /// The request.
        request: RequestId,
        /// Who gave it.
        from: NodeId,
        /// Its bytes; empty for a provider.
        item: Bytes,
    },
    /// The network reported the end of a request.
    Ended {
        /// The request.
        request: RequestId,
        /// How.
        result: Result<Done, Failure>,
        /// How long it took, as the network says.
        elapsed: Duration,
    },
    /// The node's life ended: what it had begun ends with it.
    Died,
    /// A query began.
    Began {
        /// The query.
        query: QueryId,
        /// What it asks.
        asked: Asked,
        /// By when it must end.
        deadline: Timestamp,
        /// What its configuration allows it.
        budget: Budget,
    },
    /// A query delivered a release.
    Delivered {
        /// The query.
        query: QueryId,
        /// The release.
        release: Checked,
        /// Who gave it; `None` from the node's own catalogue.
        from: Option<NodeId>,
    },
    /// A query ended.
    Finished {
        /// The query.
        query: QueryId,
        /// How.
        outcome: Box<QueryOutcome>,
    },
    /// A peer's reputation was changed.
    Charged {
        /// The peer.
        peer: NodeId,
        /// Why.
        cause: Cause,
        /// The request in which it happened.
        request: Option<RequestId>,
    },
    /// A verified list of releases was seen.
    ListSeen {
        /// Whose.
        package: PackageId,
        /// Its sequence.
        sequence: u64,
    },
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// An answer of this node.
    Answer(NodeId),
    /// Values under this key.
    Value(Bytes),
    /// Something else.
    Other,
}

/// What a query asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A search, with the most results that it may have.
    Search(Query, usize),
    /// A get.
    Get(Lookup),
}

/// What a query may do at the network, by its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Questions that it may have out at once.
    pub questions_at_once: usize,
    /// Lookups in the DHT that it may make in all.
    pub lookups: usize,
}

impl Budget {
    /// For a query of which nothing is configured.
    pub const UNBOUNDED: Self = Self { questions_at_once: usize::MAX, lookups: usize::MAX };
}

/// What one node still holds when all is done, and what it says of itself.
#[derive(Clone, Debug, Default)]
pub struct Holding {
    /// Which node.
    pub node: u32,
    /// Queries that its engine counts as in flight.
    pub queries: usize,
    /// Requests in its own maps.
    pub requests: usize,
    /// Results buffered for somebody.
    pub buffered: usize,
    /// What its network holds.
    pub gauges: Gauges,
    /// Each known peer's reputation.
    pub scores: Vec<(NodeId, f64)>,
    /// Queries started, as its metrics count them in this life.
    pub started: u64,
    /// Queries ended, by kind, as its metrics count them: complete, enough, partial, failed, cancelled.
    pub ended: [u64; 5],
    /// How many queries its metrics have timed, and their times summed, in nanoseconds; `None` where that is not told.
    pub timed: Option<(u64, u128)>,
}
