//! A network with a witness: what it reports is noted before its owner sees it.
//!
//! The owner's own account of what came is what the oracles judge, so they need another one to judge
//! it by. Nothing is changed, delayed or held back, but that the hops of lookups are filled in where a [`Meter`]
//! measures them. What requests cost is counted here too, so that it is counted alike on every network.

use core::task::{Context, Poll};

use bytes::Bytes;

use std::collections::BTreeMap;

use super::figures::Meter;
use crate::network::{Event, Gauges, InboundId, Limits, Network, Refusal, Request, RequestId, RequestStats};
use crate::time::{Timestamp, WallTime};

/// What a request is, for those who count what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A get, a put, providers, or providing.
    Lookup,
    /// A question to a peer.
    Question,
}

/// Notes each event of a network.
pub(crate) trait Witness<P> {
    /// The network is about to report `event` at `now`.
    fn witness(&mut self, now: Timestamp, event: &Event<P>);

    /// A request is handed to the network at `now`. A registry tells this itself, with the query that it is for.
    fn submitted(&mut self, _now: Timestamp, _id: RequestId, _request: &Request<P>, _limits: Limits) {}

    /// A request is given up at `now`.
    fn cancelled(&mut self, _now: Timestamp, _id: RequestId) {}

    /// A request has ended, well or not, and cost this.
    fn cost(&mut self, what: Asked, well: bool, cost: &RequestStats);
}

/// `inner`, with `witness` at its side.
pub(crate) struct Watched<N, W> {
    inner: N,
    witness: W,
    meter: Option<Box<dyn Meter>>,
    /// The requests in flight that are counted, with the key of a lookup. As many as the network lets be in flight.
    open: BTreeMap<RequestId, (Asked, Bytes)>,
}

impl<N, W> core::fmt::Debug for Watched<N, W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Watched").field("open", &self.open.len()).finish_non_exhaustive()
    }
}

impl<N, W> Watched<N, W> {
    pub(crate) fn new(inner: N, witness: W, meter: Option<Box<dyn Meter>>) -> Self {
        Self { inner, witness, meter, open: BTreeMap::new() }
    }

    /// A request begins. One that is in flight already is not begun again.
    fn begin<P>(&mut self, id: RequestId, request: &Request<P>) {
        let (what, key) = match request {
            Request::GetRecord { key }
            | Request::PutRecord { key, .. }
            | Request::GetProviders { key }
            | Request::Provide { key } => (Asked::Lookup, key.clone()),
            Request::Ask { .. } => (Asked::Question, Bytes::new()),
            Request::Announce { .. } | Request::Subscribe { .. } => return,
        };
        if self.open.contains_key(&id) {
            return;
        }
        if let (Asked::Lookup, Some(meter)) = (what, &self.meter) {
            meter.begun(&key);
        }
        self.open.insert(id, (what, key));
    }

    /// A request is over. What it was, and its hops if they were measured.
    fn end(&mut self, id: RequestId) -> Option<(Asked, Option<u32>)> {
        let (what, key) = self.open.remove(&id)?;
        let meter = self.meter.as_ref().filter(|_| what == Asked::Lookup);
        Some((what, meter.map(|meter| meter.ended(&key))))
    }
}

impl<N: Network, W: Witness<N::Peer>> Network for Watched<N, W> {
    type Peer = N::Peer;

    fn local_peer(&self) -> N::Peer {
        self.inner.local_peer()
    }

    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    fn wall(&self) -> WallTime {
        self.inner.wall()
    }

    fn submit(&mut self, id: RequestId, request: Request<N::Peer>, limits: Limits) {
        self.begin(id, &request);
        self.witness.submitted(self.inner.now(), id, &request, limits);
        self.inner.submit(id, request, limits);
    }

    fn cancel(&mut self, id: RequestId) {
        self.end(id);
        self.witness.cancelled(self.inner.now(), id);
        self.inner.cancel(id);
    }

    fn reply(&mut self, to: InboundId, answer: Result<Bytes, Refusal>) {
        self.inner.reply(to, answer);
    }

    fn block(&mut self, peer: N::Peer, until: Timestamp) {
        self.inner.block(peer, until);
    }

    fn gauges(&self) -> Gauges {
        self.inner.gauges()
    }

    fn poll_event(&mut self, cx: &mut Context<'_>, deadline: Option<Timestamp>) -> Poll<Event<N::Peer>> {
        let mut polled = self.inner.poll_event(cx, deadline);
        if let Poll::Ready(Event::Finished { id, result, stats }) = &mut polled
            && let Some((what, hops)) = self.end(*id)
        {
            stats.hops = hops.unwrap_or(stats.hops);
            self.witness.cost(what, result.is_ok(), stats);
        }
        if let Poll::Ready(event) = &polled {
            self.witness.witness(self.inner.now(), event);
        }
        polled
    }
}
