//! Oracles for any application on a network: own answers, one ending, nothing left.
//!
//! Knows nothing of packages: a query is whatever the application does on somebody's behalf, under a name `Q` of its own.
//! What happens is told by one call each, in order; what was found is taken with [`General::take`].

use core::fmt::Display;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use memchr::memmem::Finder;

use super::fact::{Fact, Holding, Seen, Wanted};
use super::verdict::{Oracle, Violation};
use crate::engine::QueryId;
use crate::network::{Failure, RequestId};
use crate::record::{Record, keys};
use crate::testbed::NodeId;
use crate::time::Timestamp;

/// What is open at one node.
#[derive(Debug)]
struct Open<Q> {
    requests: BTreeMap<RequestId, OpenRequest<Q>>,
    queries: BTreeMap<Q, OpenQuery>,
    /// Queries that have ended in this life, to see a second ending.
    ended: BTreeSet<Q>,
    /// The value that came last, with the key that was looked up: equal lookups may be shared, so it may
    /// serve queries beside the one that it was sent for.
    value: Option<(Bytes, NodeId, Bytes)>,
    /// Requests that are open on behalf of queries.
    outstanding: usize,
    /// Since when there are none.
    idle_since: Timestamp,
}

impl<Q> Default for Open<Q> {
    fn default() -> Self {
        Self {
            requests: BTreeMap::new(),
            queries: BTreeMap::new(),
            ended: BTreeSet::new(),
            value: None,
            outstanding: 0,
            idle_since: Timestamp::default(),
        }
    }
}

impl<Q> Open<Q> {
    fn close(&mut self, at: Timestamp, request: RequestId) -> Option<OpenRequest<Q>> {
        let known = self.requests.remove(&request)?;
        if known.query.is_some() {
            self.outstanding -= 1;
            self.idle_since = at;
        }
        Some(known)
    }
}

#[derive(Debug)]
struct OpenRequest<Q> {
    query: Option<Q>,
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
pub struct General<Q> {
    nodes: BTreeMap<NodeId, Open<Q>>,
    tick: Duration,
    prompt: bool,
    found: Vec<Violation>,
}

/// A request as it is handed to the network.
#[derive(Clone, Debug)]
pub struct Sent<Q> {
    /// Its name.
    pub request: RequestId,
    /// The query on whose behalf, if any.
    pub query: Option<Q>,
    /// What it asks for.
    pub wanted: Wanted,
    /// By when it must end.
    pub deadline: Timestamp,
}

impl<Q: Copy + Ord + Display> General<Q> {
    /// `tick` is how late the network may report a deadline. Where queries are `prompt`, one ends as soon as nothing is
    /// outstanding for any; otherwise they may wait for what the application likes.
    pub fn new(tick: Duration, prompt: bool) -> Self {
        Self { nodes: BTreeMap::new(), tick, prompt, found: Vec::new() }
    }

    /// What was found since this was last called.
    pub fn take(&mut self) -> Vec<Violation> {
        core::mem::take(&mut self.found)
    }

    fn violate(&mut self, oracle: Oracle, at: Timestamp, detail: String) {
        self.found.push(Violation { oracle, at, detail });
    }

    /// A request is handed to the network.
    pub fn sent(&mut self, at: Timestamp, node: NodeId, sent: Sent<Q>) {
        let Sent { request, query, wanted, deadline } = sent;
        let open = self.nodes.entry(node).or_default();
        let new =
            OpenRequest { query, wanted, submitted: at, due: deadline, deadline: deadline.after(self.tick) };
        let twice = open.close(at, request).is_some();
        open.outstanding += usize::from(query.is_some());
        open.requests.insert(request, new);
        let stranger = query.filter(|query| !open.queries.contains_key(query));
        if twice {
            self.violate(Oracle::EndsOnce, at, format!("{node} used the request id {request} twice"));
        }
        if let Some(query) = stranger {
            let detail = format!("{node} sent {request} for {query}, which is not running");
            self.violate(Oracle::EndsOnce, at, detail);
        }
    }

    /// A request is given up.
    pub fn cancelled(&mut self, at: Timestamp, node: NodeId, request: RequestId) {
        self.nodes.entry(node).or_default().close(at, request);
    }

    /// The network reports an item.
    pub fn came(&mut self, at: Timestamp, node: NodeId, request: RequestId, from: NodeId, item: &Bytes) {
        let open = self.nodes.entry(node).or_default();
        let Some(known) = open.requests.get(&request) else {
            let detail = format!("{node} was handed an item for {request}, which is not open");
            return self.violate(Oracle::OwnAnswers, at, detail);
        };
        let asked = match known.wanted {
            Wanted::Answer(asked) if asked != from => Some(asked),
            _ => None,
        };
        open.value = match &known.wanted {
            Wanted::Value(key) => Some((key.clone(), from, item.clone())),
            Wanted::Answer(_) | Wanted::Other => None,
        };
        if let Some(query) = known.query.and_then(|id| open.queries.get_mut(&id)) {
            query.items.push((from, item.clone()));
        }
        if let Some(asked) = asked {
            let detail = format!("{node} asked {asked} in {request} and was answered by {from}");
            self.violate(Oracle::OwnAnswers, at, detail);
        }
    }

    /// The network reports the end of a request, and how long that took as it says.
    pub fn ended(
        &mut self,
        at: Timestamp,
        node: NodeId,
        request: RequestId,
        timed_out: bool,
        elapsed: Duration,
    ) {
        // A process in real time may be held up anywhere; where deadlines are exact, so is all the rest.
        let exact = self.tick.is_zero();
        let open = self.nodes.entry(node).or_default();
        let Some(known) = open.close(at, request) else {
            let detail =
                format!("{node}: {request} ended, but was not open: it ended twice, or after a cancel");
            return self.violate(Oracle::EndsOnce, at, detail);
        };
        let came = known.submitted.after(elapsed);
        let told = if at > known.deadline {
            format!("ended at {at}, after its deadline {}", known.deadline)
        } else if exact && timed_out && at < known.due {
            format!("timed out at {at}, before its deadline {}", known.due)
        } else if exact && at > came {
            format!("had ended by {came}, and that was taken in at {at}")
        } else {
            return;
        };
        self.violate(Oracle::EndsOnce, at, format!("{node}: {request} {told}"));
    }

    /// The node's life ends, and with it what it had begun.
    pub fn died(&mut self, node: NodeId) {
        self.nodes.remove(&node);
    }

    /// A query begins.
    pub fn began(&mut self, at: Timestamp, node: NodeId, query: Q, deadline: Timestamp) {
        let open = self.nodes.entry(node).or_default();
        let new = OpenQuery { began: at, deadline: deadline.after(self.tick), items: Vec::new() };
        if open.ended.contains(&query) || open.queries.insert(query, new).is_some() {
            self.violate(Oracle::EndsOnce, at, format!("{node} used the query id {query} twice"));
        }
    }

    /// A query gives its caller something, of which it is said that `from` gave it: what `carries` knows again in an
    /// item. Where equal lookups may be shared, `key` is the one that would have brought it too.
    pub fn delivered(
        &mut self,
        at: Timestamp,
        node: NodeId,
        query: Q,
        from: Option<NodeId>,
        carries: impl Fn(&[u8]) -> bool,
        key: impl FnOnce() -> Option<Bytes>,
    ) {
        let open = self.nodes.entry(node).or_default();
        let Some(known) = open.queries.get(&query) else {
            let detail = format!("{node}: {query} delivered a result while it was not running");
            return self.violate(Oracle::EndsOnce, at, detail);
        };
        let Some(from) = from else { return };
        let own = known.items.iter().any(|(who, item)| *who == from && carries(item));
        let shared = || {
            let (wanted, who, item) = open.value.as_ref()?;
            (key()? == *wanted && *who == from && carries(item)).then_some(())
        };
        if !own && shared().is_none() {
            let detail = format!(
                "{node}: {query} delivered a result from {from} that no answer to its own requests carried"
            );
            self.violate(Oracle::OwnAnswers, at, detail);
        }
    }

    /// A query ends.
    pub fn finished(&mut self, at: Timestamp, node: NodeId, query: Q) {
        let prompt = self.prompt && self.tick.is_zero();
        let open = self.nodes.entry(node).or_default();
        open.ended.insert(query);
        let detail = match open.queries.remove(&query) {
            None => format!("{node}: {query} ended, but was not running"),
            Some(known) if at > known.deadline => {
                format!("{node}: {query} ended at {at}, after its deadline {}", known.deadline)
            }
            // Nothing of any query: lookups are shared, and a query may wait for others' questions to end.
            Some(known) if prompt && open.outstanding == 0 => {
                let idle = known.began.max(open.idle_since);
                if at <= idle {
                    return;
                }
                format!("{node}: {query} ended at {at}, though nothing was outstanding since {idle}")
            }
            Some(_) => return,
        };
        self.violate(Oracle::EndsOnce, at, detail);
    }

    /// All is done: what is still open, or still held, is left behind.
    pub fn finish(&mut self, at: Timestamp, holdings: &[Holding]) {
        let found = &mut self.found;
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

impl General<QueryId> {
    /// See one fact of a registry.
    pub(super) fn observe(&mut self, seen: &Seen) {
        let (at, node) = (seen.at, seen.node);
        match &seen.fact {
            Fact::Submitted { request, query, wanted, deadline, .. } => {
                let (request, query, wanted) = (*request, *query, wanted.clone());
                self.sent(at, node, Sent { request, query, wanted, deadline: *deadline });
            }
            Fact::Cancelled { request } => self.cancelled(at, node, *request),
            Fact::Came { request, from, item } => self.came(at, node, *request, *from, item),
            Fact::Ended { request, result, elapsed } => {
                self.ended(at, node, *request, *result == Err(Failure::TimedOut), *elapsed);
            }
            Fact::Died => self.died(node),
            Fact::Began { query, deadline, .. } => self.began(at, node, *query, *deadline),
            Fact::Delivered { query, release, from } => {
                let carries = |item: &[u8]| stands_in(release.bytes(), item);
                let key = || match &**release {
                    Record::Release(release) => Some(keys::release(&release.package.release)),
                    Record::List(list) => Some(keys::list(&list.package)),
                    Record::Notice(_) => None,
                };
                self.delivered(at, node, *query, *from, carries, key);
            }
            Fact::Finished { query, .. } => self.finished(at, node, *query),
            Fact::Charged { .. } | Fact::ListSeen { .. } => {}
        }
    }
}

/// Whether all of `record` stands in `item`.
pub(super) fn stands_in(record: &[u8], item: &[u8]) -> bool {
    // Its end is looked for, which tells records apart: to prepare the search for all of it would be most of the work.
    let end = Finder::new(&record[record.len().saturating_sub(32)..]);
    let mut before = 0;
    while let Some(found) = item.get(before..).and_then(|rest| end.find(rest)) {
        if item[..before + found + end.needle().len()].ends_with(record) {
            return true;
        }
        before += found + 1;
    }
    false
}
