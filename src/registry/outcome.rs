//! What the registry hands to its callers: results of searches, versions, publications.

use core::future::Future;
use core::ops::Deref;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use futures_core::Stream;
use tokio::sync::{mpsc, oneshot};

use crate::engine::{Conflict, Coverage, Found, Outcome, QueryId, QueryOutcome};
use crate::network::Failure;
use crate::package::{PackageId, Version};
use crate::record::{Checked, ListEntry, Record, Release, ReleaseList};
use crate::registry::error::RegistryError;
use crate::registry::link::Interest;
use crate::time::WallTime;

/// A verified release, shared and cheap to clone. It derefs to the [`Release`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit(Checked);

impl Hit {
    /// The record, if it is a release.
    pub fn new(record: Checked) -> Option<Self> {
        matches!(&*record, Record::Release(_)).then_some(Self(record))
    }

    /// The record as it was verified.
    pub const fn record(&self) -> &Checked {
        &self.0
    }
}

impl Deref for Hit {
    type Target = Release;

    fn deref(&self) -> &Release {
        match &*self.0 {
            Record::Release(release) => release,
            _ => unreachable!("a hit is made of a release alone"),
        }
    }
}

/// All that a search found, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchOutcome {
    /// The search.
    pub query: QueryId,
    /// What it found, best first, each release once.
    pub packages: Vec<Hit>,
    /// How it ended.
    pub outcome: Outcome,
    /// Who was asked, and what came of it.
    pub coverage: Coverage,
    /// Releases of which two different records turned up. None of them is in `packages`.
    pub conflicts: Vec<Conflict>,
    /// From the command to the end.
    pub elapsed: Duration,
}

impl From<QueryOutcome> for SearchOutcome {
    fn from(ended: QueryOutcome) -> Self {
        let found = match ended.found {
            Found::Releases(found) => found,
            Found::Release(found) => found.into_iter().collect(),
            Found::List { .. } => Vec::new(),
        };
        Self {
            query: ended.query,
            packages: found.into_iter().filter_map(Hit::new).collect(),
            outcome: ended.outcome,
            coverage: ended.coverage,
            conflicts: ended.conflicts,
            elapsed: ended.elapsed,
        }
    }
}

/// A search in flight: a [`Stream`] of its results as they come, and a future of its [`SearchOutcome`].
///
/// It may be read as a stream and then awaited; the outcome holds everything again, ranked. The channel
/// behind it has room for every result that the search may have, so a slow reader holds up nobody.
/// Dropping it cancels the search at the network.
#[derive(Debug)]
#[must_use = "a search whose handle is dropped is cancelled"]
pub struct QueryHandle {
    interest: Interest,
    results: mpsc::Receiver<Hit>,
    outcome: oneshot::Receiver<SearchOutcome>,
}

impl QueryHandle {
    pub(super) const fn new(
        interest: Interest,
        results: mpsc::Receiver<Hit>,
        outcome: oneshot::Receiver<SearchOutcome>,
    ) -> Self {
        Self { interest, results, outcome }
    }

    /// The search's name.
    pub const fn id(&self) -> QueryId {
        self.interest.query()
    }

    /// The next result; `None` when the search has ended and all were read.
    pub async fn next(&mut self) -> Option<Hit> {
        self.results.recv().await
    }

    /// Wait for the end. Fails only when the driver stopped without ending its queries.
    pub const fn outcome(self) -> PendingOutcome {
        PendingOutcome(self)
    }
}

impl Stream for QueryHandle {
    type Item = Hit;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Hit>> {
        self.results.poll_recv(cx)
    }
}

impl IntoFuture for QueryHandle {
    type Output = Result<SearchOutcome, RegistryError>;
    type IntoFuture = PendingOutcome;

    fn into_future(self) -> PendingOutcome {
        self.outcome()
    }
}

/// The end of a search, as a future. Dropping it cancels the search.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct PendingOutcome(QueryHandle);

impl Future for PendingOutcome {
    type Output = Result<SearchOutcome, RegistryError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0.outcome).poll(cx).map(|ended| ended.map_err(|_| RegistryError::Closed))
    }
}

/// A package's releases, as its newest verified list tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions {
    /// Which package.
    pub package: PackageId,
    /// The list's sequence.
    pub sequence: u64,
    /// The list's end of validity.
    pub valid_until: WallTime,
    /// That end has passed: a newer list may be held back.
    pub stale: bool,
    /// The releases, in ascending order of version, with those taken back.
    pub entries: Vec<ListEntry>,
}

impl Versions {
    pub(super) fn new(list: &ReleaseList, stale: bool) -> Self {
        Self {
            package: list.package.clone(),
            sequence: list.sequence,
            valid_until: list.valid_until,
            stale,
            entries: list.entries.clone(),
        }
    }

    /// The versions that are not taken back, in ascending order.
    pub fn current(&self) -> impl Iterator<Item = &Version> {
        self.entries.iter().filter(|entry| !entry.yanked).map(|entry| &entry.version)
    }
}

/// What is known of a package: its releases, and the newest of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Its releases.
    pub versions: Versions,
    /// The newest release that is not taken back; `None` when all are, or its record did not come.
    pub latest: Option<Hit>,
}

/// What came of storing one record in the DHT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Peers that acknowledged it: claims, not proofs.
    pub acked: u32,
    /// Peers that returned it when it was read back; `None` where that was not asked for.
    pub verified: Option<u32>,
}

/// A publication, or a yank, that is durable at this node and was sent.
///
/// What could not be stored or announced now is tried again on the registry's schedule of upkeep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The statement: a release, or the notice of a yank.
    pub statement: Checked,
    /// The publisher's number for it.
    pub number: u64,
    /// The package's list with the change.
    pub list: Checked,
    /// The sequence of that list.
    pub sequence: u64,
    /// Storing the release; `None` for a yank, which has no record of its own in the DHT.
    pub release_stored: Option<Result<Stored, Failure>>,
    /// Storing the list.
    pub list_stored: Result<Stored, Failure>,
    /// To how many neighbours it was announced.
    pub announced: Result<u32, Failure>,
}
