//! What the log says of queries and of what peers did: a span for each query, with its end.
//!
//! A query's words are counted, not told: what somebody looks for is theirs.

use std::collections::BTreeMap;

use tracing::{Span, debug, info, info_span, warn};

use crate::engine::{Lookup, Outcome, QueryId};
use crate::net::PeerId;
use crate::registry::{Asked, Observed, Observer};
use crate::time::Timestamp;

/// The most spans open at once. As many queries as that are never in flight.
const MOST: usize = 1 << 17;

/// Tells of the registry's doings.
#[derive(Debug, Default)]
pub(super) struct Watch {
    open: BTreeMap<QueryId, Span>,
}

impl Observer<PeerId> for Watch {
    fn observe(&mut self, _: Timestamp, what: Observed<'_, PeerId>) {
        match what {
            Observed::QueryStarted { query, asked, .. } if self.open.len() < MOST => {
                self.open.insert(query, span(query, asked));
            }
            Observed::Delivered { query, release, from } => {
                if let Some(span) = self.open.get(&query) {
                    let from = from.map(tracing::field::display);
                    span.in_scope(|| debug!(release = %release.package.release, from, "found"));
                }
            }
            Observed::Finished { outcome } => {
                let span = self.open.remove(&outcome.query).unwrap_or_else(Span::none);
                let coverage = &outcome.coverage;
                span.in_scope(|| {
                    info!(
                        outcome = word(&outcome.outcome),
                        found = outcome.found.len(),
                        asked = coverage.asked,
                        answered = coverage.adequate + coverage.inadequate,
                        elapsed_ms = u64::try_from(outcome.elapsed.as_millis()).unwrap_or(u64::MAX),
                        "query ended"
                    );
                });
            }
            Observed::Durable { release, number } => info!(%release, number, "published"),
            Observed::Equivocation { proof } => {
                warn!(publisher = %proof.first.publisher(), "a publisher contradicts itself");
            }
            Observed::Rejected { from, why } => debug!(%from, ?why, "refused what a peer sent"),
            _ => {}
        }
    }
}

fn span(query: QueryId, asked: Asked<'_>) -> Span {
    match asked {
        Asked::Search(search) => info_span!(
            "query",
            id = %query,
            kind = "search",
            words = search.words().len(),
            labels = search.categories.len() + search.tags.len(),
            limit = search.limit,
        ),
        Asked::Get(Lookup::Release(release)) => {
            info_span!("query", id = %query, kind = "release", %release)
        }
        Asked::Get(Lookup::List(package)) => info_span!("query", id = %query, kind = "list", %package),
        Asked::Get(Lookup::Latest(package)) => info_span!("query", id = %query, kind = "latest", %package),
        Asked::OwnList(package) => info_span!("query", id = %query, kind = "own-list", %package),
    }
}

const fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Complete => "complete",
        Outcome::Enough => "enough",
        Outcome::Partial(_) => "partial",
        Outcome::Failed(_) => "failed",
        Outcome::Cancelled => "cancelled",
    }
}
