//! Oracle 5: what should be found is found.
//!
//! The recall of one search is what it delivered of T, over the smaller of its limit and |T|, where T is
//! what the world says it ought to find ([`Truth::expected`]). In a quiet run it must be 1. With faults,
//! an honest peer that answered a search, and held a release of T when it was asked, has told it; a search that ends
//! [`Outcome::Complete`] must have that release. And in every run, what was delivered is in the
//! outcome, however the search ends, and nothing is in it that does not match the question.

use std::collections::{BTreeMap, BTreeSet};

use super::fact::{Asked, Fact, Seen, Wanted};
use super::truth::Truth;
use super::verdict::{Oracle, Violation};
use crate::engine::{Found, Outcome, QueryId, QueryOutcome, Reason};
use crate::message::{Answer, AnswerBody};
use crate::network::RequestId;
use crate::package::{Query, ReleaseId};
use crate::record::Record;
use crate::testbed::NodeId;
use crate::time::Timestamp;

/// What the searches of a run found of what they should.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    /// Searches that ought to find something and were not cancelled.
    pub searches: u64,
    /// The sum of their recalls; the run's recall is this over `searches`.
    pub recall_sum: f64,
    /// Releases that were missed, the first [`Judgement::MOST`] of them.
    pub missed: Vec<Missed>,
    /// How many were missed in all.
    pub missed_in_all: u64,
}

impl Judgement {
    /// The most misses that are kept.
    pub const MOST: usize = 200;

    /// The mean recall of the searches that ought to find something; 1 when there were none.
    pub fn recall(&self) -> f64 {
        if self.searches == 0 { 1.0 } else { self.recall_sum / self.searches as f64 }
    }
}

/// A release that a search ought to have found and did not.
#[derive(Clone, Debug, PartialEq)]
pub struct Missed {
    /// Who searched.
    pub node: NodeId,
    /// The search.
    pub query: QueryId,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// What it asked.
    pub asked: Query,
    /// Which release.
    pub release: ReleaseId,
    /// How the search ended.
    pub outcome: QueryOutcome,
    /// Who answered it.
    pub answerers: BTreeSet<NodeId>,
}

#[derive(Debug)]
struct Search {
    query: Query,
    limit: usize,
    began: Timestamp,
    delivered: BTreeSet<ReleaseId>,
    answerers: BTreeSet<NodeId>,
    /// What it ought to find, as it stood when it began.
    due: Vec<ReleaseId>,
    /// Whether it counts towards the run's recall.
    measured: bool,
    /// What of it some answerer held when it was asked, and who.
    told: BTreeMap<ReleaseId, NodeId>,
}

/// A question that is open.
#[derive(Debug)]
struct Question {
    query: QueryId,
    /// What of its search's due the peer held when it was asked.
    held: Vec<ReleaseId>,
}

/// Follows every search.
#[derive(Debug, Default)]
pub(super) struct Recall {
    searches: BTreeMap<(NodeId, QueryId), Search>,
    /// Questions that are open, and the search that they belong to.
    questions: BTreeMap<(NodeId, RequestId), Question>,
    judgement: Judgement,
    unmeasured: bool,
}

impl Recall {
    /// Searches that begin from now on are judged, and do not count towards the run's recall.
    pub(super) fn stop_measuring(&mut self) {
        self.unmeasured = true;
    }

    pub(super) fn observe(&mut self, seen: &Seen, truth: &impl Truth, found: &mut Vec<Violation>) {
        let Seen { at, node, fact } = seen;
        match fact {
            Fact::Began { query, asked: Asked::Search(what, limit), .. } => {
                let search = Search {
                    query: what.clone(),
                    limit: *limit,
                    began: *at,
                    delivered: BTreeSet::new(),
                    answerers: BTreeSet::new(),
                    due: truth.expected(*node, what, *at, *at),
                    measured: !self.unmeasured,
                    told: BTreeMap::new(),
                };
                self.searches.insert((*node, *query), search);
            }
            Fact::Submitted { request, query: Some(query), wanted: Wanted::Answer(peer), .. } => {
                // What it learns while the question is under way it need not tell.
                let due = self.searches.get(&(*node, *query)).map(|search| search.due.as_slice());
                let held = due.unwrap_or_default().iter().filter(|id| truth.holds(*peer, id) == Some(true));
                let question = Question { query: *query, held: held.cloned().collect() };
                self.questions.insert((*node, *request), question);
            }
            Fact::Came { request, from, item } => {
                let Some(question) = self.questions.get(&(*node, *request)) else { return };
                if let Some(search) = self.searches.get_mut(&(*node, question.query)) {
                    search.answerers.insert(*from);
                    // Who has more to tell has not told all that it holds: the page that is its last says so.
                    if !question.held.is_empty() && is_last(item) {
                        search.told.extend(question.held.iter().map(|id| (id.clone(), *from)));
                    }
                }
            }
            Fact::Ended { request, .. } | Fact::Cancelled { request } => {
                self.questions.remove(&(*node, *request));
            }
            Fact::Delivered { query, release, .. } => {
                if let Some(search) = self.searches.get_mut(&(*node, *query))
                    && let Record::Release(release) = &**release
                {
                    search.delivered.insert(release.package.release.clone());
                }
            }
            Fact::Finished { query, outcome } => {
                if let Some(search) = self.searches.remove(&(*node, *query)) {
                    self.judge(*at, *node, search, outcome, truth, found);
                }
            }
            Fact::Died => {
                self.searches.retain(|(owner, _), _| owner != node);
                self.questions.retain(|(owner, _), _| owner != node);
            }
            Fact::Submitted { .. } | Fact::Began { .. } | Fact::Charged { .. } | Fact::ListSeen { .. } => {}
        }
    }

    fn measure(&mut self, search: &Search, recall: f64) {
        if search.measured {
            self.judgement.searches += 1;
            self.judgement.recall_sum += recall;
        }
    }

    pub(super) fn finish(self) -> Judgement {
        self.judgement
    }

    fn judge(
        &mut self,
        at: Timestamp,
        node: NodeId,
        search: Search,
        ended: &QueryOutcome,
        truth: &impl Truth,
        found: &mut Vec<Violation>,
    ) {
        let mut violate = |detail| found.push(Violation { oracle: Oracle::Recall, at, detail });
        let have = releases(ended);
        let in_conflict: BTreeSet<_> = ended.conflicts.iter().map(|conflict| &conflict.release).collect();
        for lost in search.delivered.iter().filter(|id| !have.contains(*id) && !in_conflict.contains(id)) {
            violate(format!("{node}: {} delivered {lost} and its outcome does not have it", ended.query));
        }
        // A limit filled with what nobody asked for is no recall.
        for stray in ended.found.packages().filter(|package| !search.query.matches(package)) {
            violate(format!(
                "{node}: {} has {}, which does not match what it asked",
                ended.query, stray.release
            ));
        }
        if ended.outcome == Outcome::Cancelled {
            return;
        }
        if have.len() >= search.limit {
            // The limit is filled with what is true (oracle 4 sees to that) and was asked for. T leaves out what
            // is too new to be owed; where such a one took the place of one of T, nothing was missed.
            self.measure(&search, 1.0);
            return;
        }
        let expected = truth.expected(node, &search.query, search.began, at);
        if expected.is_empty() {
            return;
        }
        let wanted = expected.len().min(search.limit);
        let hits = expected.iter().filter(|id| have.contains(*id)).count().min(wanted);
        self.measure(&search, hits as f64 / wanted as f64);
        if hits == wanted {
            return;
        }
        for release in expected.iter().filter(|id| !have.contains(*id)) {
            let told = || search.told.get(release).filter(|peer| truth.holds(**peer, release) == Some(true));
            // Who refuses a search because too many are in flight says so, and owes nothing.
            let busy = ended.outcome == Outcome::Failed(Reason::Busy);
            if truth.quiet() && !busy {
                violate(format!(
                    "{node}: {} missed {release} in a run without faults ({:?}, {:?})",
                    ended.query, ended.outcome, ended.coverage
                ));
            } else if ended.outcome == Outcome::Complete
                && !in_conflict.contains(release)
                && let Some(teller) = told()
            {
                violate(format!(
                    "{node}: {} is complete without {release}, which {teller} holds and answered",
                    ended.query
                ));
            }
            if !search.measured {
                continue;
            }
            self.judgement.missed_in_all += 1;
            if self.judgement.missed.len() < Judgement::MOST {
                self.judgement.missed.push(Missed {
                    node,
                    query: ended.query,
                    began: search.began,
                    ended: at,
                    asked: search.query.clone(),
                    release: release.clone(),
                    outcome: ended.clone(),
                    answerers: search.answerers.clone(),
                });
            }
        }
    }
}

/// Whether an answer to a search is all of it, or the last of its pages.
fn is_last(answer: &[u8]) -> bool {
    Answer::decode(answer).is_ok_and(|answer| matches!(answer.body, AnswerBody::Found { next: None, .. }))
}

fn releases(outcome: &QueryOutcome) -> BTreeSet<ReleaseId> {
    match &outcome.found {
        Found::Releases(_) => outcome.found.packages().map(|package| package.release.clone()).collect(),
        Found::Release(_) | Found::List { .. } => BTreeSet::new(),
    }
}
