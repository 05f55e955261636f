//! What will happen on the fabric, in the order of (time, seeded tie, sequence).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use swarmproof::sim::mix;

use super::channel::ChannelId;

/// What is under way at once on a fabric. More is answered by ending the connection that it belongs to.
const MOST: usize = 1 << 22;

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// The oldest of what `side` has under way in a stream arrives.
    Arrives { channel: ChannelId, side: usize },
    /// The end at `side` of a connection sees that the other has gone.
    Ended { connection: u64, side: usize },
    /// Somebody has waited long enough.
    Rested(u64),
    /// A dial is over.
    Dialled(u64),
}

/// The queue.
#[derive(Debug)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<(u64, u64, u64, What)>>,
    salt: u64,
    sequence: u64,
}

impl Queue {
    pub(super) fn new(seed: u64) -> Self {
        Self { heap: BinaryHeap::new(), salt: mix(seed), sequence: 0 }
    }

    /// `what` happens at `at`; `identity` decides its turn among what happens then. False when no more fits.
    pub(super) fn push(&mut self, at: u64, identity: u64, what: What) -> bool {
        if self.heap.len() >= MOST {
            return false;
        }
        self.sequence += 1;
        self.heap.push(Reverse((at, mix(identity ^ self.salt), self.sequence, what)));
        true
    }

    /// How much has been queued so far.
    pub(super) fn pushes(&self) -> u64 {
        self.sequence
    }

    /// When the next thing happens.
    pub(super) fn next_at(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// The next thing, if it happens by `now`.
    pub(super) fn pop(&mut self, now: u64) -> Option<What> {
        if self.next_at()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, _, _, what))| what)
    }
}
