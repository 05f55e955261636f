//! Oracle 12: a query does at the network what its configuration allows, and no more.
//!
//! A setting that nobody reads changes nothing that a caller would notice soon; it shows here, in what goes out:
//! more questions at once than the fan-out allows, more lookups than the limit of results allows, one
//! question put to one peer while the same is still out to it.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::fact::{Budget, Fact, Seen, Wanted};
use super::verdict::{Oracle, Violation};
use crate::engine::QueryId;
use crate::network::RequestId;
use crate::testbed::NodeId;

/// What one query has out.
#[derive(Debug)]
struct Using {
    budget: Budget,
    questions: BTreeMap<RequestId, (NodeId, Bytes)>,
    lookups: usize,
}

/// Follows what queries send.
#[derive(Debug, Default)]
pub(super) struct WithinLimits {
    queries: BTreeMap<(NodeId, QueryId), Using>,
    /// Questions that are out, and the query on whose behalf.
    questions: BTreeMap<(NodeId, RequestId), QueryId>,
}

impl WithinLimits {
    pub(super) fn observe(&mut self, seen: &Seen, found: &mut Vec<Violation>) {
        let Seen { at, node, fact } = seen;
        let mut violate = |detail| found.push(Violation { oracle: Oracle::WithinLimits, at: *at, detail });
        match fact {
            Fact::Began { query, budget, .. } => {
                let new = Using { budget: *budget, questions: BTreeMap::new(), lookups: 0 };
                self.queries.insert((*node, *query), new);
            }
            Fact::Submitted { request, query: Some(query), wanted, question, .. } => {
                let Some(using) = self.queries.get_mut(&(*node, *query)) else { return };
                match wanted {
                    Wanted::Answer(peer) => {
                        let asked = (*peer, question.clone());
                        if let Some((twin, _)) = using.questions.iter().find(|(_, out)| **out == asked) {
                            violate(format!(
                                "{node}: {query} asks {peer} in {request} what it is asking it in {twin}"
                            ));
                        }
                        using.questions.insert(*request, asked);
                        self.questions.insert((*node, *request), *query);
                        let (out, most) = (using.questions.len(), using.budget.questions_at_once);
                        if out > most {
                            violate(format!("{node}: {query} has {out} questions out; it may have {most}"));
                        }
                    }
                    Wanted::Value(_) => {
                        using.lookups += 1;
                        let (made, most) = (using.lookups, using.budget.lookups);
                        if made > most {
                            violate(format!(
                                "{node}: {query} makes its lookup number {made}; it may make {most}"
                            ));
                        }
                    }
                    Wanted::Other => {}
                }
            }
            Fact::Ended { request, .. } | Fact::Cancelled { request } => {
                let query = self.questions.remove(&(*node, *request));
                if let Some(using) = query.and_then(|query| self.queries.get_mut(&(*node, query))) {
                    using.questions.remove(request);
                }
            }
            Fact::Finished { query, .. } => {
                self.queries.remove(&(*node, *query));
            }
            Fact::Died => {
                self.queries.retain(|(owner, _), _| owner != node);
                self.questions.retain(|(owner, _), _| owner != node);
            }
            Fact::Submitted { .. }
            | Fact::Came { .. }
            | Fact::Delivered { .. }
            | Fact::Charged { .. }
            | Fact::ListSeen { .. } => {}
        }
    }
}
