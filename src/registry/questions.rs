//! Questions that wait for their answer: bounded in all and for each peer, answered in their order.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use crate::network::InboundId;

/// One question.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Waiting<P> {
    pub(super) to: InboundId,
    pub(super) from: P,
    pub(super) body: Bytes,
}

/// The questions that wait.
#[derive(Debug)]
pub(super) struct Questions<P> {
    most: usize,
    most_per_peer: usize,
    queue: VecDeque<Waiting<P>>,
    by_peer: BTreeMap<P, usize>,
}

impl<P: Ord + Copy> Questions<P> {
    pub(super) const fn new(most: usize, most_per_peer: usize) -> Self {
        Self { most, most_per_peer, queue: VecDeque::new(), by_peer: BTreeMap::new() }
    }

    /// Let a question wait; hands it back when there is no room for it.
    pub(super) fn push(&mut self, question: Waiting<P>) -> Result<(), Waiting<P>> {
        let by_peer = self.by_peer.get(&question.from).copied().unwrap_or(0);
        if self.queue.len() >= self.most || by_peer >= self.most_per_peer {
            return Err(question);
        }
        self.by_peer.insert(question.from, by_peer + 1);
        self.queue.push_back(question);
        Ok(())
    }

    /// The question that waits longest.
    pub(super) fn pop(&mut self) -> Option<Waiting<P>> {
        let question = self.queue.pop_front()?;
        self.left(question.from);
        Some(question)
    }

    /// The asker no longer waits.
    pub(super) fn withdraw(&mut self, to: InboundId) {
        if let Some(at) = self.queue.iter().position(|question| question.to == to)
            && let Some(question) = self.queue.remove(at)
        {
            self.left(question.from);
        }
    }

    fn left(&mut self, peer: P) {
        if let Some(count) = self.by_peer.get_mut(&peer) {
            *count -= 1;
            if *count == 0 {
                self.by_peer.remove(&peer);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(to: u64, from: u8) -> Waiting<u8> {
        Waiting { to: InboundId(to), from, body: Bytes::new() }
    }

    #[test]
    fn bounded_in_all_and_for_each_peer() {
        let mut questions = Questions::new(3, 2);
        questions.push(question(0, 1)).unwrap();
        questions.push(question(1, 1)).unwrap();
        assert_eq!(questions.push(question(2, 1)), Err(question(2, 1)), "one peer has its share");
        questions.push(question(3, 2)).unwrap();
        assert_eq!(questions.push(question(4, 3)), Err(question(4, 3)), "full");
        questions.withdraw(InboundId(1));
        questions.withdraw(InboundId(1));
        assert_eq!(questions.pop(), Some(question(0, 1)));
        assert_eq!(questions.pop(), Some(question(3, 2)));
        assert_eq!((questions.pop(), questions.by_peer.len()), (None, 0));
    }
}
