//! What the registry says, as the interface shows it.

use core::time::Duration;

use crate::api::{
    CoverageView, EndView, MissingView, OutcomeView, PeerView, PublishedView, ReasonView, ReleaseView,
    StoredView, VersionView, VersionsView,
};
use crate::engine::{Coverage, Outcome, Reason};
use crate::net::PeerId;
use crate::network::Failure;
use crate::package::ReleaseId;
use crate::record::{ListEntry, Record};
use crate::registry::{Hit, KnownPeer, Published, SearchOutcome, Stored, Versions};

/// Milliseconds with their fractions, to the microsecond.
fn millis(span: Duration) -> f64 {
    (span.as_secs_f64() * 1e6).round() / 1e3
}

/// A release.
pub(super) fn release(hit: &Hit) -> ReleaseView {
    ReleaseView::from(&hit.package)
}

/// The end of a search.
pub(super) fn end(ended: &SearchOutcome) -> EndView {
    let (outcome, missing, reason) = match ended.outcome {
        Outcome::Complete => (OutcomeView::Complete, None, None),
        Outcome::Enough => (OutcomeView::Enough, None, None),
        Outcome::Partial(missing) => {
            let missing =
                MissingView { answers: missing.answers, names: missing.names, deadline: missing.deadline };
            (OutcomeView::Partial, Some(missing), None)
        }
        Outcome::Failed(reason) => (OutcomeView::Failed, None, Some(why(reason))),
        Outcome::Cancelled => (OutcomeView::Cancelled, None, None),
    };
    EndView {
        query: ended.query.to_string(),
        outcome,
        missing,
        reason,
        ranked: ended.packages.iter().map(|hit| hit.package.release.to_string()).collect(),
        conflicts: ended.conflicts.iter().map(|conflict| conflict.release.to_string()).collect(),
        coverage: coverage(&ended.coverage),
        elapsed_ms: millis(ended.elapsed),
    }
}

const fn why(reason: Reason) -> ReasonView {
    match reason {
        Reason::NoPeers => ReasonView::NoPeers,
        Reason::NoAnswer => ReasonView::NoAnswer,
        Reason::Deadline => ReasonView::Deadline,
        Reason::NotFound => ReasonView::NotFound,
        Reason::Conflict => ReasonView::Conflict,
        Reason::Busy => ReasonView::Busy,
    }
}

const fn coverage(coverage: &Coverage) -> CoverageView {
    CoverageView {
        asked: coverage.asked,
        adequate: coverage.adequate,
        inadequate: coverage.inadequate,
        failed: coverage.failed,
        timed_out: coverage.timed_out,
        refused: coverage.refused,
        abandoned: coverage.abandoned,
        resolved: coverage.resolved,
        unresolved: coverage.unresolved,
        lookups: coverage.lookups,
        messages: coverage.messages,
    }
}

/// The releases of a package.
pub(super) fn versions(versions: Versions) -> VersionsView {
    let entry = |entry: ListEntry| VersionView {
        version: entry.version,
        yanked: entry.yanked,
        record: entry.digest.to_string(),
    };
    VersionsView {
        publisher: versions.package.publisher,
        name: versions.package.name,
        sequence: versions.sequence,
        valid_until_ms: versions.valid_until,
        stale: versions.stale,
        versions: versions.entries.into_iter().map(entry).collect(),
    }
}

/// A publication of `release`, or its yank.
pub(super) fn published(release: ReleaseId, done: &Published) -> PublishedView {
    PublishedView {
        publisher: release.package.publisher,
        name: release.package.name,
        version: release.version,
        yanked: matches!(&*done.statement, Record::Notice(_)),
        number: done.number,
        sequence: done.sequence,
        release_stored: done.release_stored.map(stored),
        list_stored: stored(done.list_stored),
        announced: done.announced.ok(),
    }
}

fn stored(result: Result<Stored, Failure>) -> StoredView {
    match result {
        Ok(Stored { acked, verified }) => StoredView { acked, verified, failure: None },
        Err(failure) => StoredView { acked: 0, verified: None, failure: Some(failed(failure).to_owned()) },
    }
}

const fn failed(failure: Failure) -> &'static str {
    match failure {
        Failure::Local => "this node's own limits stood against it",
        Failure::Unreachable => "no peer could be reached",
        Failure::Unsupported => "no peer speaks the protocol",
        Failure::TimedOut => "no peer answered in time",
        Failure::NotFound => "no peer took it",
        _ => "the connection broke",
    }
}

/// A peer.
pub(super) fn peer(known: &KnownPeer<PeerId>) -> PeerView {
    PeerView { peer: known.peer.to_string(), score: known.score, latency_ms: known.latency.map(millis) }
}
