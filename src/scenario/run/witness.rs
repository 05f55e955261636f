//! How what a registry does and what its network reports become facts of the journal.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::journal::{Journal, get_of, wanted};
use super::watched::{self, Witness};
use crate::engine::{FanOut, Lookup, QueryConfig};
use crate::network::{Event, Item, Peer, Request, RequestStats};
use crate::oracle::{Asked, Budget, Fact};
use crate::record::Record;
use crate::registry::{self, Behalf, Observed, Observer};
use crate::testbed::NodeId;
use crate::time::Timestamp;

/// A journal that several hands write in, never at once: a run is single-threaded.
pub(super) type SharedJournal = Arc<Mutex<Journal>>;

/// The names of peers.
pub(super) type Names<P> = Arc<Mutex<BTreeMap<P, NodeId>>>;

/// Open the journal.
pub(super) fn open(journal: &SharedJournal) -> MutexGuard<'_, Journal> {
    journal.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes what one node sees and does into the journal.
pub(super) struct Scribe<P> {
    pub(super) journal: SharedJournal,
    pub(super) names: Names<P>,
    pub(super) node: NodeId,
}

impl<P> Clone for Scribe<P> {
    fn clone(&self) -> Self {
        Self { journal: self.journal.clone(), names: self.names.clone(), node: self.node }
    }
}

impl<P: Peer> Scribe<P> {
    fn name(&self, peer: &P) -> NodeId {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        // Every node is named when it is spawned; a stranger would be a fault of the network.
        names.get(peer).copied().unwrap_or(NodeId(u32::MAX))
    }

    fn write(&self, at: Timestamp, fact: Fact) {
        open(&self.journal).saw(at, self.node, fact);
    }
}

impl<P: Peer> Witness<P> for Scribe<P> {
    fn witness(&mut self, now: Timestamp, event: &Event<P>) {
        match event {
            Event::Progress { id, from, item } => {
                let item = match item {
                    Item::Record { value: bytes } | Item::Answer { body: bytes } => bytes.clone(),
                    Item::Provider { .. } => Bytes::new(),
                };
                self.write(now, Fact::Came { request: *id, from: self.name(from), item });
            }
            Event::Finished { id, result, stats } => {
                self.write(now, Fact::Ended { request: *id, result: *result, elapsed: stats.elapsed });
            }
            Event::Rejected { what, why, .. } => open(&self.journal).refused(*what, *why),
            Event::Announcement { .. } => open(&self.journal).counts.traffic.heard(),
            _ => {}
        }
    }

    fn cost(&mut self, what: watched::Asked, well: bool, cost: &RequestStats) {
        open(&self.journal).cost(what, well, cost);
    }
}

/// What a search may do at the network. Of gets no bound is configured.
fn budget(asked: registry::Asked<'_>, config: &QueryConfig) -> Budget {
    let registry::Asked::Search(query) = asked else { return Budget::UNBOUNDED };
    let fan_out = match config.fan_out {
        FanOut::Fixed(most) => usize::from(most),
        // They have a budget over many searches, and none for one.
        FanOut::Hedged | FanOut::Adaptive => usize::MAX,
    };
    Budget {
        // Peers that are asked for matches, and holders that are asked for the records of names.
        questions_at_once: fan_out.saturating_add(usize::from(config.fetch_concurrency.max(1))),
        lookups: 2 * query.limit.min(config.max_results),
    }
}

impl<P: Peer> Observer<P> for Scribe<P> {
    fn observe(&mut self, now: Timestamp, what: Observed<'_, P>) {
        let fact = match what {
            Observed::QueryStarted { query, asked, config } => Fact::Began {
                query,
                asked: match asked {
                    registry::Asked::Search(query) => {
                        Asked::Search(query.clone(), query.limit.min(config.max_results))
                    }
                    registry::Asked::Get(what) => get_of(what),
                    registry::Asked::OwnList(package) => Asked::Get(Lookup::List(package.clone())),
                },
                deadline: now.after(config.timeout),
                budget: budget(asked, config),
            },
            Observed::Submitted { request, behalf, what, limits } => {
                // A registry stores what it publishes before it tells anyone of it: from here on it is
                // published, whether or not its own catalogue has room for it.
                if let Request::PutRecord { value, .. } = what {
                    open(&self.journal).stored(now, value);
                }
                Fact::Submitted {
                    request,
                    query: match behalf {
                        Behalf::Query(query) => Some(query),
                        Behalf::Own(_) => None,
                    },
                    wanted: wanted(what, |peer| self.name(peer)),
                    question: match what {
                        Request::Ask { question, .. } => question.clone(),
                        _ => Bytes::new(),
                    },
                    deadline: limits.deadline,
                }
            }
            Observed::Cancelled { request } => Fact::Cancelled { request },
            Observed::Delivered { query, release, from } => Fact::Delivered {
                query,
                release: release.record().clone(),
                from: from.map(|peer| self.name(&peer)),
            },
            Observed::Finished { outcome } => {
                Fact::Finished { query: outcome.query, outcome: Box::new(outcome.clone()) }
            }
            Observed::Charged(charge) => {
                Fact::Charged { peer: self.name(&charge.peer), cause: charge.cause, request: charge.request }
            }
            Observed::ListSeen { package, sequence } => Fact::ListSeen { package: package.clone(), sequence },
            Observed::Learned { record, via } => {
                let mut journal = open(&self.journal);
                match &**record {
                    Record::Release(release) => {
                        if via == registry::Via::Store {
                            journal.truth.found_on_disk(self.node, release, now);
                        }
                        journal.truth.learned(self.node, &release.package.release);
                    }
                    Record::Notice(notice) => {
                        // A yank, too, may have been stored in a life that ended before it could send it.
                        let own = via == registry::Via::Own
                            || (via == registry::Via::Store
                                && journal.truth.is_own(self.node, &notice.release));
                        if own && notice.says == crate::record::Says::Yanked {
                            journal.truth.yank(&notice.release, now);
                        }
                    }
                    Record::List(_) => {}
                }
                return;
            }
            Observed::Equivocation { proof, .. } => {
                let release = match &*proof.second {
                    Record::Release(release) => release.package.release.clone(),
                    Record::Notice(notice) => notice.release.clone(),
                    Record::List(_) => return,
                };
                let mut journal = open(&self.journal);
                journal.truth.dispute(&proof.first, &proof.second);
                journal.equivocation(release);
                return;
            }
            Observed::Received { .. }
            | Observed::Ended { .. }
            | Observed::Rejected { .. }
            | Observed::Answered { .. }
            | Observed::Durable { .. } => return,
        };
        self.write(now, fact);
    }
}
