//! The requests in flight, and what each of them is known by in libp2p.
//!
//! A request is entered before anything is sent for it, so that no answer can come too early, and
//! leaves all the maps at once when it ends.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::channel::oneshot;
use libp2p::PeerId;
use libp2p::kad::{QueryId, QueryStats, Record};
use libp2p::request_response::OutboundRequestId;

use crate::network::{Limits, RequestId, RequestStats};
use crate::time::Timestamp;

/// What a request is about, and how far it has come.
#[derive(Debug)]
pub(super) enum Work {
    /// Every peer's value under a key.
    Get { key: Bytes, found: bool },
    /// Who provides a key.
    Providers { seen: BTreeSet<PeerId> },
    /// Telling that this node provides a key.
    Provide,
    /// Storing: first the closest peers are found.
    Closest { record: Box<Record>, read_back: bool },
    /// Storing: then they are sent the record.
    Storing { record: Box<Record>, peers: Vec<PeerId>, read_back: bool },
    /// Storing: then it is read back.
    ReadingBack { value: Vec<u8>, acked: BTreeSet<PeerId>, verified: BTreeSet<PeerId> },
    /// A question whose peer is looked for.
    Finding { peer: PeerId, question: Bytes },
    /// A question that was sent, or waits for a connection. It is given up when `hold` is dropped.
    Asking {
        peer: PeerId,
        question: Bytes,
        looked: bool,
        sent: OutboundRequestId,
        _hold: oneshot::Sender<()>,
    },
}

impl Work {
    /// The peer that is asked, of a question.
    pub(super) fn asks(&self) -> Option<PeerId> {
        match self {
            Self::Finding { peer, .. } | Self::Asking { peer, .. } => Some(*peer),
            _ => None,
        }
    }
}

/// One request in flight.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) work: Work,
    pub(super) limits: Limits,
    pub(super) begun: Timestamp,
    pub(super) stats: RequestStats,
}

/// A request may take several queries; the counts of each are added once, when it ends or is ended.
pub(super) fn note_cost(cost: &mut RequestStats, query: &QueryStats) {
    cost.sent = cost.sent.saturating_add(query.num_requests());
    cost.answered = cost.answered.saturating_add(query.num_successes());
    cost.failed = cost.failed.saturating_add(query.num_failures());
}

/// All requests in flight.
#[derive(Debug, Default)]
pub(super) struct Flights {
    all: BTreeMap<RequestId, Flight>,
    due: BTreeSet<(Timestamp, RequestId)>,
    // Few enough to look through; libp2p's query ids have no order.
    queries: Vec<(QueryId, RequestId)>,
    sent: BTreeMap<OutboundRequestId, RequestId>,
    questions_to: BTreeMap<PeerId, usize>,
}

impl Flights {
    /// Enter a request. An id that is in flight already is not entered again: `false`.
    pub(super) fn begin(&mut self, id: RequestId, work: Work, limits: Limits, begun: Timestamp) -> bool {
        if self.all.contains_key(&id) {
            return false;
        }
        if let Some(peer) = work.asks() {
            *self.questions_to.entry(peer).or_default() += 1;
        }
        self.due.insert((limits.deadline, id));
        self.all.insert(id, Flight { work, limits, begun, stats: RequestStats::default() });
        true
    }

    /// Take a request out of everything. Its query, if it has one, is to be finished.
    pub(super) fn end(&mut self, id: RequestId) -> Option<(Flight, Option<QueryId>)> {
        let flight = self.all.remove(&id)?;
        self.due.remove(&(flight.limits.deadline, id));
        if let Some(peer) = flight.work.asks()
            && let Some(count) = self.questions_to.get_mut(&peer)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.questions_to.remove(&peer);
            }
        }
        if let Work::Asking { sent, .. } = &flight.work {
            self.sent.remove(sent);
        }
        let query = self.queries.iter().position(|(_, its)| *its == id).map(|at| self.queries.remove(at).0);
        Some((flight, query))
    }

    pub(super) fn get_mut(&mut self, id: RequestId) -> Option<&mut Flight> {
        self.all.get_mut(&id)
    }

    /// The work of `id` goes on in `query`.
    pub(super) fn on_query(&mut self, id: RequestId, query: QueryId) {
        self.queries.push((query, id));
    }

    /// The request that `query` works for.
    pub(super) fn of_query(&self, query: QueryId) -> Option<RequestId> {
        self.queries.iter().find(|(its, _)| *its == query).map(|(_, id)| *id)
    }

    /// `query` has ended.
    pub(super) fn query_ended(&mut self, query: QueryId) {
        self.queries.retain(|(its, _)| *its != query);
    }

    /// Queries in flight.
    pub(super) fn queries(&self) -> usize {
        self.queries.len()
    }

    /// The question of `id` is known to request-response as `sent`.
    pub(super) fn on_sent(&mut self, id: RequestId, sent: OutboundRequestId) {
        self.sent.insert(sent, id);
    }

    /// The request whose question is known as `sent`, which has ended there.
    pub(super) fn sent_ended(&mut self, sent: OutboundRequestId) -> Option<RequestId> {
        self.sent.remove(&sent)
    }

    /// Questions in flight to `peer`.
    pub(super) fn questions_to(&self, peer: PeerId) -> usize {
        self.questions_to.get(&peer).copied().unwrap_or(0)
    }

    /// The questions in flight to `peer`.
    pub(super) fn asking(&mut self, peer: PeerId) -> impl Iterator<Item = &mut Flight> {
        self.all.values_mut().filter(move |flight| flight.work.asks() == Some(peer))
    }

    /// The deadline that comes next.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }

    /// A request whose deadline has come.
    pub(super) fn overdue(&self, now: Timestamp) -> Option<RequestId> {
        self.due.first().filter(|(due, _)| *due <= now).map(|(_, id)| *id)
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}
