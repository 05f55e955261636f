//! What a node asks of the network: requests, their names and their limits.

use core::fmt;
use core::time::Duration;

use bytes::Bytes;

use crate::time::Timestamp;

/// The caller's name for one request. Never used twice on one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.0)
    }
}

/// The network's name for one question that a peer asked of this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InboundId(pub u64);

/// How long and how large one request may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The instant by which [`Event::Finished`](super::Event::Finished) is reported.
    pub deadline: Timestamp,
    /// The most bytes that a single item may have. Checked before the item is allocated.
    pub bytes: usize,
}

/// One thing to do at the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request<P> {
    /// Walk towards `key` and report every peer's value for it.
    GetRecord {
        /// The key, with its namespace.
        key: Bytes,
    },
    /// Store `value` at the peers closest to `key`.
    PutRecord {
        /// The key, with its namespace.
        key: Bytes,
        /// The value; it must be good under the key for peers to keep it.
        value: Bytes,
        /// How long peers are asked to keep it.
        ttl: Duration,
        /// Whether to read it back from the peers that acknowledged it.
        read_back: bool,
    },
    /// Walk towards `key` and report who provides it.
    GetProviders {
        /// The key.
        key: Bytes,
    },
    /// Tell the peers closest to `key` that this node provides it.
    Provide {
        /// The key.
        key: Bytes,
    },
    /// Put one question to one peer; its answer is the only item.
    Ask {
        /// Who is asked.
        peer: P,
        /// The question, opaque to the network.
        question: Bytes,
    },
    /// Pass `payload` to everyone who subscribed to `topic`.
    Announce {
        /// The topic's name.
        topic: Bytes,
        /// The announcement, opaque to the network.
        payload: Bytes,
    },
    /// Hear what is announced on `topic` from now on.
    Subscribe {
        /// The topic's name.
        topic: Bytes,
    },
}
