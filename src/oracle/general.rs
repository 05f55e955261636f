//! Oracles for any application on a network: own answers, one ending, nothing left.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::fact::{Fact, Holding, Seen, Wanted};
use super::verdict::{Oracle, Violation};
use crate::engine::QueryId;
use crate::network::{Failure, RequestId};
use crate::record::{Record, keys};
use crate::testbed::NodeId;
use crate::time::Timestamp;

/// What is open at one node.
#[derive(Debug, Default)]
struct Open {
    requests: BTreeMap<RequestId, OpenRequest>,
    queries: BTreeMap<QueryId, OpenQuery>,
    /// Queries that have ended in this life, to see a second ending.
    ended: BTreeSet<QueryId>,
    /// The value that came last, with the key that was looked up: equal lookups may be shared, so it may
    /// serve queries beside the one that it was sent for.
    value: Option<(Bytes, NodeId, Bytes)>,
    /// Requests that are open on behalf of queries.
    outstanding: usize,
    /// Since when there are none.
    idle_since: Timestamp,
}

impl Open {
    fn close(&mut self, at: Timestamp, request: RequestId) -> Option<OpenRequest> {
        let known = self.requests.remove(&request)?;
        if known.query.is_some() {
            self.outstanding -= 1;
            self.idle_since = at;
        }
        Some(known)
    }
}

#[derive(Debug)]
struct OpenRequest {
    query: Option<QueryId>,
    wanted: Wanted,
    submitted: Timestamp,
    /// The deadline that the application named.
    due: Timestamp,
    /// The instant by which its end must have been told.
    deadline: Timestamp,
}

#[derive(Debug)]
struct OpenQuery {
    began: Timestamp,
    deadline: Timestamp,
    /// Items that came for requests of this query, with who gave them. Dropped when the query ends.
    items: Vec<(NodeId, Bytes)>,
}

/// Watches requests and queries from their beginning to their end.
#[derive(Debug)]
pub(super) struct General {
    nodes: BTreeMap<NodeId, Open>,
    tick: Duration,
}

impl General {
    /// `tick` is how late the network may report a deadline.
    pub(super) fn new(tick: Duration) -> Self {
        Self { nodes: BTreeMap::new(), tick }
    }

    pub(super) fn observe(&mut self, seen: &Seen, found: &mut Vec<Violation>) {
        let Seen { at, node, fact } = seen;
        // A process in real time may be held up anywhere; where deadlines are exact, so is all the rest.
        let exact = self.tick.is_zero();
        let mut violate = |oracle, detail| found.push(Violation { oracle, at: *at, detail });
        let open = self.nodes.entry(*node).or_default();
        match fact {
            Fact::Submitted { request, query, wanted, deadline, .. } => {
                let new = OpenRequest {
                    query: *query,
                    wanted: wanted.clone(),
                    submitted: *at,
                    due: *deadline,
                    deadline: deadline.after(self.tick),
                };
                let twice = open.close(*at, *request).is_some();
                open.outstanding += usize::from(query.is_some());
                open.requests.insert(*request, new);
                if twice {
                    violate(Oracle::EndsOnce, format!("{node} used the request id {request} twice"));
                }
                if let Some(query) = query
                    && !open.queries.contains_key(query)
                {
                    violate(
                        Oracle::EndsOnce,
                        format!("{node} sent {request} for {query}, which is not running"),
                    );
                }
            }
            Fact::Cancelled { request } => {
                open.close(*at, *request);
            }
            Fact::Came { request, from, item } => {
                let Some(known) = open.requests.get(request) else {
                    let detail = format!("{node} was handed an item for {request}, which is not open");
                    return violate(Oracle::OwnAnswers, detail);
                };
                if let Wanted::Answer(asked) = known.wanted
                    && asked != *from
                {
                    let detail = format!("{node} asked {asked} in {request} and was answered by {from}");
                    violate(Oracle::OwnAnswers, detail);
                }
                open.value = match &known.wanted {
                    Wanted::Value(key) => Some((key.clone(), *from, item.clone())),
                    Wanted::Answer(_) | Wanted::Other => None,
                };
                if let Some(query) = known.query.and_then(|id| open.queries.get_mut(&id)) {
                    query.items.push((*from, item.clone()));
                }
            }
            Fact::Ended { request, result, elapsed } => {
                let Some(known) = open.close(*at, *request) else {
                    let detail = format!(
                        "{node}: {request} ended, but was not open: it ended twice, or after a cancel"
                    );
                    return violate(Oracle::EndsOnce, detail);
                };
                let came = known.submitted.after(*elapsed);
                let told = if *at > known.deadline {
                    format!("ended at {at}, after its deadline {}", known.deadline)
                } else if exact && *result == Err(Failure::TimedOut) && *at < known.due {
                    format!("timed out at {at}, before its deadline {}", known.due)
                } else if exact && *at > came {
                    format!("had ended by {came}, and that was taken in at {at}")
                } else {
                    return;
                };
                violate(Oracle::EndsOnce, format!("{node}: {request} {told}"));
            }
            Fact::Died => *open = Open::default(),
            Fact::Began { query, deadline, .. } => {
                let new = OpenQuery { began: *at, deadline: deadline.after(self.tick), items: Vec::new() };
                if open.ended.contains(query) || open.queries.insert(*query, new).is_some() {
                    violate(Oracle::EndsOnce, format!("{node} used the query id {query} twice"));
                }
            }
            Fact::Delivered { query, release, from } => {
                let Some(known) = open.queries.get(query) else {
                    let detail = format!("{node}: {query} delivered a release while it was not running");
                    return violate(Oracle::EndsOnce, detail);
                };
                let Some(from) = from else { return };
                let carries = |item: &[u8]| memchr::memmem::find(item, release.bytes()).is_some();
                let own = known.items.iter().any(|(who, item)| who == from && carries(item));
                let shared = || {
                    let key = match &**release {
                        Record::Release(release) => keys::release(&release.package.release),
                        Record::List(list) => keys::list(&list.package),
                        Record::Notice(_) => return false,
                    };
                    open.value
                        .as_ref()
                        .is_some_and(|(wanted, who, item)| *wanted == key && who == from && carries(item))
                };
                if !own && !shared() {
                    violate(
                        Oracle::OwnAnswers,
                        format!(
                            "{node}: {query} delivered a release from {from} that no answer to its own requests carried"
                        ),
                    );
                }
            }
            Fact::Finished { query, .. } => {
                open.ended.insert(*query);
                match open.queries.remove(query) {
                    None => violate(Oracle::EndsOnce, format!("{node}: {query} ended, but was not running")),
                    Some(known) if *at > known.deadline => violate(
                        Oracle::EndsOnce,
                        format!("{node}: {query} ended at {at}, after its deadline {}", known.deadline),
                    ),
                    // Nothing of any query: lookups are shared, and a query may wait for others' questions to end.
                    Some(known) if exact && open.outstanding == 0 => {
                        let idle = known.began.max(open.idle_since);
                        if *at > idle {
                            let detail = format!(
                                "{node}: {query} ended at {at}, though nothing was outstanding since {idle}"
                            );
                            violate(Oracle::EndsOnce, detail);
                        }
                    }
                    Some(_) => {}
                }
            }
            Fact::Charged { .. } | Fact::ListSeen { .. } => {}
        }
    }

    /// All is done: what is still open, or still held, is left behind.
    pub(super) fn finish(&self, at: Timestamp, holdings: &[Holding], found: &mut Vec<Violation>) {
        for (node, open) in &self.nodes {
            for (query, known) in &open.queries {
                found.push(Violation {
                    oracle: Oracle::EndsOnce,
                    at,
                    detail: format!("{node}: {query} never ended; its deadline was {}", known.deadline),
                });
            }
            // What an application does of itself, now and then, may be under way at any time, within its time.
            let left = open.requests.iter().filter(|(_, known)| known.query.is_some() || known.deadline < at);
            for (request, known) in left {
                found.push(Violation {
                    oracle: Oracle::NothingLeft,
                    at,
                    detail: format!("{node}: {request} is still open; its deadline was {}", known.deadline),
                });
            }
        }
        for holding in holdings {
            let left = [
                ("queries", holding.queries),
                ("requests", holding.requests),
                ("buffered results", holding.buffered),
                ("requests at the network", holding.gauges.requests),
                ("questions at the network", holding.gauges.questions),
                ("events waiting at the network", holding.gauges.waiting),
            ];
            for (what, count) in left.into_iter().filter(|(_, count)| *count > 0) {
                let detail = format!("n{} still holds {count} {what}", holding.node);
                found.push(Violation { oracle: Oracle::NothingLeft, at, detail });
            }
        }
    }
}
