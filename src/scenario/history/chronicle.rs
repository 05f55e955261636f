//! Going along with a run.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::compact::{BEGAN, CHARGED, DELIVERED, ENDED, cause, compact};
use super::{
    AROUND, Account, Close, Ending, Happened, History, Life, MOST_EVENTS, MOST_INSTANTS, MOST_LIVES,
    MOST_QUERIES, MOST_REQUESTS, MOST_SCORES, Query, Request, Score, Settled, Wants,
};
use crate::engine::{Cause, EngineConfig, Outcome, QueryId, QueryOutcome, Reason, Reputation};
use crate::network::{Failure, RequestId};
use crate::oracle::{Asked, Fact, Holding, Wanted};
use crate::scenario::asking;
use crate::sim::{TraceEvent, TraceSink};
use crate::testbed::NodeId;
use crate::time::Timestamp;

/// Goes along with one run, and keeps its [`History`].
#[derive(Clone, Debug)]
pub struct Chronicle(Arc<Mutex<Recorder>>);

#[derive(Debug)]
struct Recorder {
    history: History,
    /// Queries that run, by their place in the history; `None` for those beyond the bound.
    running: BTreeMap<(NodeId, QueryId), Option<usize>>,
    open: BTreeMap<(NodeId, RequestId), Open>,
    accounts: BTreeMap<NodeId, Account>,
    /// What each registry thinks of its peers, by the engine's own sums.
    eyes: BTreeMap<NodeId, Reputation<NodeId>>,
    /// The lives that last, by their place in the history.
    up: BTreeMap<NodeId, usize>,
    /// The instants that are still to come.
    instants: VecDeque<Timestamp>,
    /// The last events that are not kept so far.
    ring: VecDeque<Happened>,
    /// How many more are kept after an instant.
    after: usize,
    seen: u64,
}

/// A request that is out.
#[derive(Clone, Copy, Debug)]
struct Open {
    place: Option<usize>,
    peer: Option<NodeId>,
    begun: Timestamp,
}

impl Default for Chronicle {
    fn default() -> Self {
        Self::around([])
    }
}

impl Chronicle {
    /// One that keeps the events around these instants too, of which the first [`MOST_INSTANTS`] count.
    pub fn around(instants: impl IntoIterator<Item = Timestamp>) -> Self {
        let mut instants: Vec<Timestamp> = instants.into_iter().collect();
        instants.sort();
        instants.dedup();
        instants.truncate(MOST_INSTANTS);
        Self(Arc::new(Mutex::new(Recorder {
            history: History::default(),
            running: BTreeMap::new(),
            open: BTreeMap::new(),
            accounts: BTreeMap::new(),
            eyes: BTreeMap::new(),
            up: BTreeMap::new(),
            instants: instants.into(),
            ring: VecDeque::new(),
            after: 0,
            seen: 0,
        })))
    }

    /// What happened, as far as the run has come; whoever asks again gets nothing.
    pub fn history(&self) -> History {
        self.recorder().take()
    }

    fn recorder(&self) -> MutexGuard<'_, Recorder> {
        // A run that broke off left what it had.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All is done, and this is what registries say of themselves.
    pub(in crate::scenario) fn settled(&self, at: Timestamp, holdings: &[Holding]) {
        self.recorder().settled(at, holdings);
    }

    /// A fact of the run.
    pub(in crate::scenario) fn saw(&self, at: Timestamp, node: NodeId, fact: &Fact) {
        self.recorder().fact(at, node, fact);
    }
}

/// Passes the events of a trace on, and shows them to a chronicle.
#[derive(Debug)]
pub(in crate::scenario) struct Recorded<S> {
    pub(in crate::scenario) inner: Option<S>,
    pub(in crate::scenario) chronicle: Option<Chronicle>,
}

impl<S: TraceSink> TraceSink for Recorded<S> {
    fn event(&mut self, at: Timestamp, event: &TraceEvent) {
        if let Some(chronicle) = &self.chronicle {
            chronicle.recorder().event(at, event);
        }
        if let Some(inner) = &mut self.inner {
            inner.event(at, event);
        }
    }
}

impl Recorder {
    fn take(&mut self) -> History {
        let ring = core::mem::take(&mut self.ring);
        self.history.events.extend(ring);
        self.history.left_out.events = self.seen - self.history.events.len() as u64;
        self.history.accounts = core::mem::take(&mut self.accounts).into_values().collect();
        core::mem::take(&mut self.history)
    }

    fn event(&mut self, at: Timestamp, event: &TraceEvent) {
        self.history.events_in_all += 1;
        let (kind, fields) = compact(event);
        self.happened(at, kind, fields);
        match *event {
            TraceEvent::Spawned { node, .. } | TraceEvent::Restarted { node, .. } => {
                self.begin(at, NodeId(node))
            }
            TraceEvent::Killed { node, keep } => {
                let node = NodeId(node);
                if let Some(life) = self.up.remove(&node).and_then(|it| self.history.lives.get_mut(it)) {
                    life.until = Some(at);
                }
                // Whoever lost its disk has forgotten what it thought of others.
                if keep == 2 {
                    self.eyes.remove(&node);
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, at: Timestamp, node: NodeId) {
        if self.history.lives.len() < MOST_LIVES {
            self.up.insert(node, self.history.lives.len());
            self.history.lives.push(Life { node, from: at, until: None });
        } else {
            self.history.left_out.lives += 1;
        }
    }

    fn happened(&mut self, at: Timestamp, kind: u8, fields: [u64; 4]) {
        self.seen += 1;
        self.history.end = self.history.end.max(at);
        let event = Happened { number: self.history.events_in_all, at, kind, fields };
        while self.instants.front().is_some_and(|instant| at >= *instant) {
            self.instants.pop_front();
            self.history.events.extend(self.ring.drain(..));
            self.after = AROUND;
        }
        if self.after > 0 || self.history.events.len() < MOST_EVENTS {
            self.after = self.after.saturating_sub(1);
            self.history.events.push(event);
            return;
        }
        if self.ring.len() == AROUND {
            self.ring.pop_front();
        }
        self.ring.push_back(event);
    }

    fn fact(&mut self, at: Timestamp, node: NodeId, fact: &Fact) {
        self.history.end = self.history.end.max(at);
        let n = u64::from(node.0);
        match fact {
            Fact::Began { query, asked, deadline, .. } => {
                self.happened(at, BEGAN, [n, query.0, 0, 0]);
                let place = self.history.queries.len();
                if place >= MOST_QUERIES {
                    self.history.left_out.queries += 1;
                    self.running.insert((node, *query), None);
                    return;
                }
                self.running.insert((node, *query), Some(place));
                self.history.queries.push(Query {
                    node,
                    id: *query,
                    search: matches!(asked, Asked::Search(..)),
                    asked: asking::asked(asked),
                    begun: at,
                    deadline: *deadline,
                    ended: None,
                    words: String::new(),
                    delivered: 0,
                });
            }
            Fact::Submitted { request, query, wanted, .. } => self.submit(at, node, *request, *query, wanted),
            Fact::Came { request, item, .. } => {
                let place = self.open.get(&(node, *request)).and_then(|open| open.place);
                if let Some(request) = place.and_then(|it| self.history.requests.get_mut(it)) {
                    request.items = request.items.saturating_add(1);
                    request.bytes = request.bytes.saturating_add(item.len() as u64);
                }
            }
            Fact::Ended { request, result, .. } => {
                let close = result.map_or_else(Close::Failed, |_| Close::Well);
                self.close(at, (node, *request), close);
            }
            Fact::Cancelled { request } => self.close(at, (node, *request), Close::GivenUp),
            Fact::Delivered { query, from, .. } => {
                let from = from.map_or([0, 0], |from| [1, u64::from(from.0)]);
                self.happened(at, DELIVERED, [n, query.0, from[0], from[1]]);
                if let Some(query) = self.query(node, *query) {
                    query.delivered += 1;
                }
            }
            Fact::Finished { query, outcome } => {
                let (ending, place) = ending(outcome.outcome);
                self.happened(at, ENDED, [n, query.0, place, 0]);
                if let Some(query) = self.query(node, *query) {
                    query.ended = Some((at, ending));
                    query.words = words(outcome);
                }
                self.running.remove(&(node, *query));
            }
            Fact::Charged { peer, cause, .. } => self.charge(at, node, *peer, *cause),
            Fact::Died => self.died(at, node),
            Fact::ListSeen { .. } => {}
        }
    }

    fn query(&mut self, node: NodeId, query: QueryId) -> Option<&mut Query> {
        let place = (*self.running.get(&(node, query))?)?;
        self.history.queries.get_mut(place)
    }

    fn submit(
        &mut self,
        at: Timestamp,
        node: NodeId,
        id: RequestId,
        query: Option<QueryId>,
        wanted: &Wanted,
    ) {
        let (wants, peer) = match wanted {
            Wanted::Answer(peer) => (Wants::Answer(*peer), Some(*peer)),
            Wanted::Value(_) => (Wants::Value, None),
            Wanted::Other => (Wants::Other, None),
        };
        if let Some(peer) = peer {
            let account = self.accounts.entry(peer).or_insert(Account { peer: peer.0, ..Account::default() });
            account.asked += 1;
        }
        let query = query.and_then(|query| self.running.get(&(node, query)).copied().flatten());
        let mut place = None;
        if self.history.requests.len() < MOST_REQUESTS {
            place = Some(self.history.requests.len());
            let request = Request { node, id, query, wants, begun: at, ended: None, items: 0, bytes: 0 };
            self.history.requests.push(request);
        } else {
            self.history.left_out.requests += 1;
        }
        self.open.insert((node, id), Open { place, peer, begun: at });
    }

    fn close(&mut self, at: Timestamp, key: (NodeId, RequestId), close: Close) {
        let Some(open) = self.open.remove(&key) else { return };
        if let Some(request) = open.place.and_then(|it| self.history.requests.get_mut(it)) {
            request.ended = Some((at, close));
        }
        let Some(account) = open.peer.and_then(|peer| self.accounts.get_mut(&peer)) else { return };
        match close {
            Close::Well => {
                account.answered += 1;
                let micros = u64::try_from(at.since(open.begun).as_micros()).unwrap_or(u64::MAX);
                account.micros = account.micros.saturating_add(micros);
            }
            Close::GivenUp | Close::Died => account.given_up += 1,
            Close::Failed(Failure::TimedOut) => account.timed_out += 1,
            Close::Failed(Failure::Refused(_)) => account.refused += 1,
            Close::Failed(_) => account.failed += 1,
        }
    }

    fn charge(&mut self, at: Timestamp, node: NodeId, peer: NodeId, why: Cause) {
        self.happened(at, CHARGED, [u64::from(node.0), u64::from(peer.0), cause(why), 0]);
        let eyes = self.eyes.entry(node).or_insert_with(|| Reputation::new(&EngineConfig::default()));
        eyes.touch(at, peer);
        eyes.charge(at, peer, why);
        let score = eyes.score(at, &peer);
        if self.history.scores.len() < MOST_SCORES {
            self.history.scores.push(Score { at, node, peer, cause: why, score });
        } else {
            self.history.left_out.scores += 1;
        }
    }

    fn settled(&mut self, at: Timestamp, holdings: &[Holding]) {
        for holding in holdings {
            let node = NodeId(holding.node);
            let Some(eyes) = self.eyes.get(&node) else { continue };
            for (peer, told) in &holding.scores {
                // Of strangers there is nothing to say.
                if eyes.get(peer).is_some() && self.history.settled.len() < MOST_SCORES {
                    let settled = Settled { node, peer: *peer, told: *told, summed: eyes.score(at, peer) };
                    self.history.settled.push(settled);
                }
            }
        }
    }

    fn died(&mut self, at: Timestamp, node: NodeId) {
        let queries: Vec<_> = self.running.keys().filter(|(owner, _)| *owner == node).copied().collect();
        for (_, id) in queries {
            if let Some(query) = self.query(node, id) {
                query.ended = Some((at, Ending::Died));
                "its node died".clone_into(&mut query.words);
            }
            self.running.remove(&(node, id));
        }
        let requests: Vec<_> = self.open.keys().filter(|(owner, _)| *owner == node).copied().collect();
        for key in requests {
            self.close(at, key, Close::Died);
        }
    }
}

/// How it ended, and the place of that among the words.
const fn ending(outcome: Outcome) -> (Ending, u64) {
    match outcome {
        Outcome::Complete => (Ending::Complete, 0),
        Outcome::Enough => (Ending::Enough, 1),
        Outcome::Partial(_) => (Ending::Partial, 2),
        Outcome::Failed(_) => (Ending::Failed, 3),
        Outcome::Cancelled => (Ending::Cancelled, 4),
    }
}

/// What an outcome lacks, in words.
fn words(outcome: &QueryOutcome) -> String {
    match outcome.outcome {
        Outcome::Complete | Outcome::Enough => format!("{} found", outcome.found.len()),
        Outcome::Cancelled => "given up by its caller".to_owned(),
        Outcome::Failed(reason) => match reason {
            Reason::NoPeers => "no peer is known",
            Reason::NoAnswer => "nobody had an adequate answer",
            Reason::Deadline => "its time was up before any adequate answer",
            Reason::NotFound => "it does not exist",
            Reason::Conflict => "two different bodies are signed for it",
            Reason::Busy => "too many queries were in flight",
        }
        .to_owned(),
        Outcome::Partial(missing) => {
            let why = if missing.deadline { "its time was up" } else { "nobody was left to ask" };
            let (answers, names) = (missing.answers, missing.names);
            let mut text = format!("{} found; {why}", outcome.found.len());
            if answers > 0 {
                text.push_str(&format!(", {answers} adequate answers short"));
            }
            if names > 0 {
                text.push_str(&format!(", {names} records did not come"));
            }
            text
        }
    }
}
