//! What handles ask of the driver, with where the answer goes.

use tokio::sync::{mpsc, oneshot};

use crate::engine::{Lookup, QueryConfig, QueryId, QueryMetrics, QueryOutcome};
use crate::package::{Package, Query, ReleaseId};
use crate::registry::error::PublishError;
use crate::registry::link::Ended;
use crate::registry::outcome::{Hit, Published, SearchOutcome};
use crate::registry::snapshot::Snapshot;

/// Where a publication's end is reported.
pub(super) type PublishReply = oneshot::Sender<Result<Published, PublishError>>;

/// One thing that a handle asks of the driver.
#[derive(Debug)]
pub(super) enum Command<P> {
    /// Find packages.
    Search { id: QueryId, query: Query, config: QueryConfig, to: SearchReply },
    /// Get one thing.
    Get { id: QueryId, what: Lookup, config: QueryConfig, to: GetReply },
    /// Publish a release.
    Publish { package: Box<Package>, reply: PublishReply },
    /// Take a release back.
    Yank { release: ReleaseId, reply: PublishReply },
    /// Tell the queries' counters.
    Metrics { reply: oneshot::Sender<QueryMetrics> },
    /// Tell everything.
    Inspect { reply: oneshot::Sender<Snapshot<P>> },
}

/// Where a search's results and end go.
#[derive(Debug)]
pub(super) struct SearchReply {
    /// Has room for every result that the search may have.
    pub(super) results: mpsc::Sender<Hit>,
    pub(super) outcome: oneshot::Sender<SearchOutcome>,
    pub(super) ended: Ended,
}

/// Where a get's end goes.
#[derive(Debug)]
pub(super) struct GetReply {
    pub(super) outcome: oneshot::Sender<QueryOutcome>,
    pub(super) ended: Ended,
}
