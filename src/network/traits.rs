//! The seam itself: what a network does for a node, and what a node lends to its network.

use core::task::{Context, Poll};

use bytes::Bytes;

use super::event::{Event, Gauges, Invalid, Refusal};
use super::peers::Peer;
use super::request::{InboundId, Limits, Request, RequestId};
use crate::time::{Timestamp, WallTime};

/// One node's view of a peer-to-peer network. The [module](super) states the contract.
pub trait Network {
    /// The name of a peer on this network.
    type Peer: Peer;

    /// This node's own name.
    fn local_peer(&self) -> Self::Peer;

    /// The time of this run. It never goes back.
    fn now(&self) -> Timestamp;

    /// Calendar time, for expiry and validity. It may jump.
    fn wall(&self) -> WallTime;

    /// Start `request` under the name `id`. Its end is reported as an event, also when it cannot start.
    fn submit(&mut self, id: RequestId, request: Request<Self::Peer>, limits: Limits);

    /// Give up the request `id`: nothing more is reported for it, and its work ends.
    fn cancel(&mut self, id: RequestId);

    /// Answer a question, or refuse it. A question that was withdrawn, or answered, is ignored.
    fn reply(&mut self, to: InboundId, answer: Result<Bytes, Refusal>);

    /// Have nothing to do with `peer` until then: its messages are dropped and requests to it fail
    /// with [`Failure::Local`](super::Failure::Local).
    fn block(&mut self, peer: Self::Peer, until: Timestamp);

    /// What is held for this node now. For metrics, and for the check that nothing is left behind.
    fn gauges(&self) -> Gauges;

    /// The next event, or [`Event::Deadline`] once `deadline` has come; otherwise pending, and the
    /// waker is called when that changes. Dropping a poll loses nothing.
    fn poll_event(&mut self, cx: &mut Context<'_>, deadline: Option<Timestamp>) -> Poll<Event<Self::Peer>>;
}

/// A network behind a pointer is one: so wrappers of different kinds can be of one type.
impl<N: Network + ?Sized> Network for Box<N> {
    type Peer = N::Peer;

    fn local_peer(&self) -> Self::Peer {
        (**self).local_peer()
    }

    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn wall(&self) -> WallTime {
        (**self).wall()
    }

    fn submit(&mut self, id: RequestId, request: Request<Self::Peer>, limits: Limits) {
        (**self).submit(id, request, limits);
    }

    fn cancel(&mut self, id: RequestId) {
        (**self).cancel(id);
    }

    fn reply(&mut self, to: InboundId, answer: Result<Bytes, Refusal>) {
        (**self).reply(to, answer);
    }

    fn block(&mut self, peer: Self::Peer, until: Timestamp) {
        (**self).block(peer, until);
    }

    fn gauges(&self) -> Gauges {
        (**self).gauges()
    }

    fn poll_event(&mut self, cx: &mut Context<'_>, deadline: Option<Timestamp>) -> Poll<Event<Self::Peer>> {
        (**self).poll_event(cx, deadline)
    }
}

/// Which of two good values a store keeps under one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The one that it holds.
    Held,
    /// The one that is offered.
    Offered,
}

/// What an application says of values and announcements. Pure: the same question, the same verdict.
///
/// It is called for bytes from strangers, after the network's own rate and size limits. It must not
/// panic on any input, and must bound what it allocates by the length of what it is given.
pub trait Validator: Send + Sync {
    /// Is `value` good under `key`?
    fn record(&self, key: &[u8], value: &[u8], wall: WallTime) -> Result<(), Invalid>;

    /// Is `payload` good on `topic`? What is not is neither handed up nor passed on.
    fn announcement(&self, topic: &[u8], payload: &[u8], wall: WallTime) -> Result<(), Invalid>;

    /// Two values are good under `key`: which one is kept?
    fn select(&self, key: &[u8], held: &[u8], offered: &[u8]) -> Choice;
}

/// What bounds one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerLimits {
    /// The most bytes that the answer may have.
    pub bytes: usize,
    /// The time of the run.
    pub now: Timestamp,
    /// Calendar time.
    pub wall: WallTime,
}

/// What a node does for others, without waiting for anything: the part of an application that a peer
/// can be modelled with.
///
/// A node under test answers [`Event::Question`]s itself and hands them to its responder; a modelled
/// peer is a responder alone; a hostile peer is a responder that lies.
pub trait Responder: Send {
    /// Answer `question` within `limits`, or refuse.
    fn answer(&mut self, question: &[u8], limits: AnswerLimits) -> Result<Bytes, Refusal>;

    /// Hear an announcement that the validator let pass.
    fn announced(&mut self, topic: &[u8], payload: &Bytes, wall: WallTime);

    /// The value under `key`, when this peer holds one beside what the DHT gave it to store.
    fn record(&mut self, key: &[u8]) -> Option<Bytes>;

    /// The node restarts with nothing kept: forget all.
    fn forget(&mut self);
}
