//! What queries run at one instant of a run, and how each stands: for whoever looks at a run shortly before it fails.
//!
//! A [`Watch`] is handed into a run and goes along until its instant. Then it keeps what it knows, and the run is over.

use core::fmt::Write as _;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::QueryId;
use crate::network::RequestId;
use crate::oracle::{Asked, Fact, Wanted};
use crate::scenario::asking;
use crate::scenario::units::Span;
use crate::sim::{TraceEvent, TraceSink};
use crate::testbed::NodeId;
use crate::time::Timestamp;

/// The most requests of one query that are told one by one.
const MOST_TOLD: usize = 40;

/// Up to where a run is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Before the event of this number, the first being 1: the line of the trace.
    Event(u64),
    /// Before the first thing at this time of the run, or later.
    Time(Duration),
}

/// Watches one run.
#[derive(Clone, Debug)]
pub struct Watch(Arc<Mutex<Standing>>);

#[derive(Debug)]
struct Standing {
    until: Until,
    stop: Arc<AtomicBool>,
    /// Whether the instant has come.
    over: bool,
    events: u64,
    at: Timestamp,
    queries: BTreeMap<(NodeId, QueryId), Query>,
    requests: BTreeMap<(NodeId, RequestId), Request>,
}

#[derive(Debug)]
struct Query {
    asked: Asked,
    begun: Timestamp,
    deadline: Timestamp,
    delivered: u64,
}

#[derive(Debug)]
struct Request {
    query: QueryId,
    wanted: Wanted,
    begun: Timestamp,
    deadline: Timestamp,
    items: u64,
    ended: Option<(Timestamp, &'static str)>,
}

impl Watch {
    /// Watch a run up to `until`; `stop`, which the run looks at too, is set then.
    pub fn new(until: Until, stop: Arc<AtomicBool>) -> Self {
        Self(Arc::new(Mutex::new(Standing {
            until,
            stop,
            over: false,
            events: 0,
            at: Timestamp::ZERO,
            queries: BTreeMap::new(),
            requests: BTreeMap::new(),
        })))
    }

    fn open(&self) -> MutexGuard<'_, Standing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether its instant came.
    pub fn came(&self) -> bool {
        self.open().over
    }

    /// Events of the trace that it saw.
    pub fn events(&self) -> u64 {
        self.open().events
    }

    /// How everything stood, in words.
    pub fn text(&self) -> String {
        self.open().text()
    }

    /// A fact of the journal.
    pub(super) fn saw(&self, at: Timestamp, node: NodeId, fact: &Fact) {
        let mut standing = self.open();
        standing.time(at);
        if !standing.over {
            standing.fact(at, node, fact);
        }
    }

    /// A sink that counts the events for it and passes them on.
    pub(super) fn sink<S: TraceSink>(&self, inner: Option<S>) -> Counted<S> {
        Counted { inner, watch: self.clone() }
    }
}

/// Counts events on their way.
pub(super) struct Counted<S> {
    inner: Option<S>,
    watch: Watch,
}

impl<S: TraceSink> TraceSink for Counted<S> {
    fn event(&mut self, at: Timestamp, event: &TraceEvent) {
        let over = {
            let mut standing = self.watch.open();
            if standing.until == Until::Event(standing.events.saturating_add(1)) {
                standing.end();
            }
            standing.time(at);
            if !standing.over {
                standing.events += 1;
            }
            standing.over
        };
        if let (Some(inner), false) = (&mut self.inner, over) {
            inner.event(at, event);
        }
    }
}

impl Standing {
    fn end(&mut self) {
        self.over = true;
        self.stop.store(true, Ordering::Relaxed);
    }

    fn time(&mut self, at: Timestamp) {
        if self.over {
            return;
        }
        if matches!(self.until, Until::Time(until) if at >= Timestamp::ZERO.after(until)) {
            self.end();
        } else {
            self.at = self.at.max(at);
        }
    }

    fn fact(&mut self, at: Timestamp, node: NodeId, fact: &Fact) {
        let mut end = |request: &RequestId, how| {
            if let Some(request) = self.requests.get_mut(&(node, *request)) {
                request.ended = Some((at, how));
            }
        };
        match fact {
            Fact::Began { query, asked, deadline, .. } => {
                let query = (node, *query);
                let begun = Query { asked: asked.clone(), begun: at, deadline: *deadline, delivered: 0 };
                self.queries.insert(query, begun);
            }
            Fact::Submitted { request, query: Some(query), wanted, deadline, .. } => {
                let request = (node, *request);
                let (query, wanted, deadline) = (*query, wanted.clone(), *deadline);
                self.requests
                    .insert(request, Request { query, wanted, begun: at, deadline, items: 0, ended: None });
            }
            Fact::Came { request, .. } => {
                if let Some(request) = self.requests.get_mut(&(node, *request)) {
                    request.items += 1;
                }
            }
            Fact::Ended { request, result, .. } => {
                end(request, if result.is_ok() { "ended well" } else { "failed" })
            }
            Fact::Cancelled { request } => end(request, "was given up"),
            Fact::Delivered { query, .. } => {
                if let Some(query) = self.queries.get_mut(&(node, *query)) {
                    query.delivered += 1;
                }
            }
            Fact::Finished { query, .. } => {
                self.queries.remove(&(node, *query));
                self.requests.retain(|(owner, _), it| *owner != node || it.query != *query);
            }
            Fact::Died => {
                self.queries.retain(|(owner, _), _| *owner != node);
                self.requests.retain(|(owner, _), _| *owner != node);
            }
            Fact::Submitted { query: None, .. } | Fact::Charged { .. } | Fact::ListSeen { .. } => {}
        }
    }

    fn text(&self) -> String {
        let now = self.at;
        let mut text = String::new();
        let many = match self.queries.len() {
            0 => "no query runs".to_owned(),
            1 => "1 query runs".to_owned(),
            many => format!("{many} queries run"),
        };
        let _ = writeln!(text, "at {}, after event {}: {many}", time(now), self.events);
        for ((node, id), query) in &self.queries {
            let _ = writeln!(
                text,
                "\n{node} {id}: {}\n  begun at {}, to end by {}, {} left; {} delivered so far",
                asking::asked(&query.asked),
                time(query.begun),
                time(query.deadline),
                Span(query.deadline.since(now)),
                query.delivered,
            );
            let requests = self.requests.iter().filter(|((owner, _), it)| owner == node && it.query == *id);
            let requests: Vec<_> = requests.map(|(_, it)| it).collect();
            let out = requests.iter().filter(|it| it.ended.is_none()).count();
            let _ = writeln!(text, "  {} requests, {out} outstanding", requests.len());
            for request in requests.iter().take(MOST_TOLD) {
                let _ = writeln!(text, "    {}", request.words(now));
            }
            if requests.len() > MOST_TOLD {
                let _ = writeln!(text, "    and {} more", requests.len() - MOST_TOLD);
            }
        }
        text
    }
}

impl Request {
    fn words(&self, now: Timestamp) -> String {
        let whom = match &self.wanted {
            Wanted::Answer(node) => format!("asked {node}"),
            Wanted::Value(_) => "looked up a record in the DHT".to_owned(),
            Wanted::Other => "looked for providers in the DHT".to_owned(),
        };
        let came = match self.items {
            0 => "nothing came".to_owned(),
            1 => "1 item came".to_owned(),
            items => format!("{items} items came"),
        };
        let how = match self.ended {
            Some((at, how)) => format!("{how} after {}", Span(at.since(self.begun))),
            None => format!("outstanding, {} left", Span(self.deadline.since(now))),
        };
        format!("{whom} at {}: {came}; {how}", time(self.begun))
    }
}

fn time(at: Timestamp) -> String {
    let millis = at.as_millis();
    format!("{}.{:03}s", millis / 1000, millis % 1000)
}
