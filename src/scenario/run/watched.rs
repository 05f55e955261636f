//! A network with a witness: what it reports is noted before its owner sees it.
//!
//! The owner's own account of what came is what the oracles judge, so they need another one to judge
//! it by. Nothing is changed, delayed or held back.

use core::task::{Context, Poll};

use bytes::Bytes;

use crate::network::Gauges;
use crate::network::{Event, InboundId, Limits, Network, Refusal, Request, RequestId};
use crate::time::{Timestamp, WallTime};

/// Notes each event of a network.
pub(super) trait Witness<P> {
    /// The network is about to report `event` at `now`.
    fn witness(&mut self, now: Timestamp, event: &Event<P>);
}

/// `inner`, with `witness` at its side.
#[derive(Debug)]
pub(super) struct Watched<N, W> {
    inner: N,
    witness: W,
}

impl<N, W> Watched<N, W> {
    pub(super) fn new(inner: N, witness: W) -> Self {
        Self { inner, witness }
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
        self.inner.submit(id, request, limits);
    }

    fn cancel(&mut self, id: RequestId) {
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
        let polled = self.inner.poll_event(cx, deadline);
        if let Poll::Ready(event) = &polled {
            self.witness.witness(self.inner.now(), event);
        }
        polled
    }
}
