//! What the network tells a node: progress, endings, questions, announcements, and news of peers.

use core::time::Duration;

use bytes::Bytes;

use super::request::{InboundId, RequestId};

/// One thing that happened at the network, as this node sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<P> {
    /// The deadline handed to `poll_event` has come.
    Deadline,
    /// The network has shut down. Nothing follows.
    Closed,
    /// A request brought something; more may follow.
    Progress {
        /// The request.
        id: RequestId,
        /// The peer that it came from; this node itself for a value from its own store, and for a provider
        /// where the network does not say who told of it.
        from: P,
        /// What came.
        item: Item<P>,
    },
    /// A request has ended. Reported once for each request that was not cancelled.
    Finished {
        /// The request.
        id: RequestId,
        /// How it ended.
        result: Result<Done, Failure>,
        /// What it cost.
        stats: RequestStats,
    },
    /// A peer asks something. It is answered with `Network::reply`, or refused.
    Question {
        /// What to hand to `Network::reply`.
        to: InboundId,
        /// Who asks.
        from: P,
        /// The question, within the network's limit for questions, otherwise unchecked.
        body: Bytes,
    },
    /// The peer that asked is no longer waiting; a reply would be dropped.
    Withdrawn {
        /// The question.
        to: InboundId,
    },
    /// Something was announced on a topic that this node subscribed to, and the validator let it pass.
    Announcement {
        /// The peer that passed it on, which need not be its author.
        from: P,
        /// The topic.
        topic: Bytes,
        /// The announcement.
        payload: Bytes,
    },
    /// The network refused something ill-made.
    Rejected {
        /// The peer that sent it.
        from: P,
        /// What it was.
        what: Ware,
        /// What was wrong with it.
        why: Invalid,
    },
    /// News of a peer.
    Peer {
        /// The peer.
        peer: P,
        /// What changed.
        change: PeerChange,
    },
}

/// What a request brings while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item<P> {
    /// A value that the validator found good under the key.
    Record {
        /// The value.
        value: Bytes,
    },
    /// A peer that is said to provide the key.
    Provider {
        /// The peer.
        peer: P,
    },
    /// The answer to a question, within the limit of the request, otherwise unchecked.
    Answer {
        /// The answer, opaque to the network.
        body: Bytes,
    },
}

/// How a request ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// A lookup has asked everyone that it should; at least one item was reported.
    Looked,
    /// A record was stored.
    Stored {
        /// Peers that acknowledged it. An acknowledgement is a claim, not a proof.
        acked: u32,
        /// Peers that returned it when it was read back; `None` where that was not asked for.
        verified: Option<u32>,
    },
    /// Peers near the key were told.
    Provided {
        /// How many were sent it. Nobody acknowledges it.
        told: u32,
    },
    /// The answer was reported.
    Answered,
    /// The announcement was handed to neighbours.
    Announced {
        /// How many neighbours.
        to: u32,
    },
    /// The subscription holds.
    Subscribed,
}

/// Why a request did not end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Failure {
    /// A limit of this node: its queues are full, or too much is in flight. Never the peer's fault.
    #[error("refused by this node's own limits")]
    Local,
    /// No connection to the peer could be made.
    #[error("unreachable")]
    Unreachable,
    /// The peer does not speak the protocol.
    #[error("protocol not supported by the peer")]
    Unsupported,
    /// No answer by the deadline.
    #[error("timed out")]
    TimedOut,
    /// The connection or the stream broke, or what came over it could not be read.
    #[error("broken off")]
    Broken,
    /// The peer was reached and would not do it.
    #[error("refused by the peer: {0}")]
    Refused(Refusal),
    /// Everyone who should have it was asked and nobody has it.
    #[error("not found")]
    NotFound,
}

/// Why a peer did not answer a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refusal {
    /// Its queue is full, or the asker has asked too much.
    #[error("busy")]
    Busy,
    /// It cannot read the question.
    #[error("question not understood")]
    NotUnderstood,
}

/// What a request cost. Counts are of this request alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestStats {
    /// Messages sent to peers.
    pub sent: u32,
    /// Peers that answered, with a value or with an honest "not here".
    pub answered: u32,
    /// Peers that could not be reached, broke off or were silent.
    pub failed: u32,
    /// Of a lookup: the depth of the closest to the key of those who answered, where the network sees it; otherwise
    /// 0. A peer is at depth 1 if it was asked before any answer had named it, as this node knew it itself; and one
    /// deeper than whose answer named it first.
    pub hops: u32,
    /// Bytes of items received.
    pub bytes: u64,
    /// Time spent on making connections, summed over them.
    pub dial_time: Duration,
    /// Time from the submit to the end.
    pub elapsed: Duration,
}

/// What kind of thing was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ware {
    /// A record, found by a lookup or handed in to be stored.
    Record,
    /// An announcement.
    Announcement,
    /// A question.
    Question,
    /// An answer.
    Answer,
}

/// What is wrong with something ill-made.
///
/// The codes belong to whoever judged: below 100 to the network itself, from 100 on to the
/// application's validator. They are stable, so they may stand in a trace or a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("{reason}")]
pub struct Invalid {
    /// A stable number.
    pub code: u16,
    /// The same in words, in kebab case: `bad-signature`.
    pub reason: &'static str,
}

impl Invalid {
    /// Larger than the limit for its kind.
    pub const TOO_LARGE: Self = Self { code: 1, reason: "too-large" };
    /// Could not be read as what it should be.
    pub const UNREADABLE: Self = Self { code: 2, reason: "unreadable" };
    /// Well made, and no answer to what was asked.
    pub const NOT_ASKED: Self = Self { code: 3, reason: "not-what-was-asked" };
}

/// What changed about a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerChange {
    /// It is connected, and speaks the application's protocol.
    Up,
    /// The time that a small message takes to it and back.
    RoundTrip(Duration),
    /// The last connection to it is gone. It may still be asked: asking dials.
    Down,
}

/// What the network holds for this node right now, and what it had to drop so far.
///
/// When all is done every field but `dropped` is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Requests submitted and not yet finished or cancelled.
    pub requests: usize,
    /// Questions handed up and not yet answered, refused or withdrawn.
    pub questions: usize,
    /// Events waiting to be polled.
    pub waiting: usize,
    /// Events and messages dropped since the start because a queue was full.
    pub dropped: u64,
}
