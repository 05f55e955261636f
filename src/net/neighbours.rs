//! Which peers are connected and speak what this node does, and which are refused.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use libp2p::PeerId;

use crate::time::Timestamp;

/// The most strangers of which it is remembered that the log speaks of them.
const TOLD: usize = 1024;
/// What is known of the peers that are connected, and of those that are refused.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    /// Connected, and known to speak the application's protocol.
    pub(super) up: BTreeSet<PeerId>,
    /// Round trips measured before it was known what the peer speaks. Only of connected peers.
    pub(super) measured: BTreeMap<PeerId, Duration>,
    /// Strangers that the log has spoken of.
    told: BTreeSet<PeerId>,
    /// Refused until then.
    blocked: BTreeMap<PeerId, Timestamp>,
    ends: BTreeSet<(Timestamp, PeerId)>,
}

impl Neighbours {
    pub(super) fn is_up(&self, peer: PeerId) -> bool {
        self.up.contains(&peer)
    }

    pub(super) fn up(&self) -> usize {
        self.up.len()
    }

    pub(super) fn is_blocked(&self, peer: PeerId) -> bool {
        self.blocked.contains_key(&peer)
    }

    #[cfg(any(test, feature = "node"))]
    pub(super) fn blocked(&self) -> usize {
        self.blocked.len()
    }

    /// When the next block ends.
    pub(super) fn next_end(&self) -> Option<Timestamp> {
        self.ends.first().map(|(end, _)| *end)
    }

    /// Enter a block, and say whom it pushes out when at most `most` are kept: those whose blocks end first.
    pub(super) fn block(&mut self, peer: PeerId, until: Timestamp, most: usize) -> Vec<PeerId> {
        self.unblock(peer);
        let mut out = Vec::new();
        while self.blocked.len() >= most.max(1)
            && let Some((_, first)) = self.ends.first().copied()
        {
            self.unblock(first);
            out.push(first);
        }
        self.blocked.insert(peer, until);
        self.ends.insert((until, peer));
        out
    }

    /// A peer whose block is over at `now`, and is taken out.
    pub(super) fn over(&mut self, now: Timestamp) -> Option<PeerId> {
        let (_, peer) = self.ends.first().copied().filter(|(end, _)| *end <= now)?;
        self.unblock(peer);
        Some(peer)
    }

    /// Whether the log has not yet spoken of this stranger. Then it has from now on.
    pub(super) fn is_news(&mut self, stranger: PeerId) -> bool {
        if self.told.len() >= TOLD {
            self.told.pop_first();
        }
        self.told.insert(stranger)
    }

    fn unblock(&mut self, peer: PeerId) {
        if let Some(end) = self.blocked.remove(&peer) {
            self.ends.remove(&(end, peer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_end_in_their_order_and_are_bounded() {
        let mut neighbours = Neighbours::default();
        let peers: Vec<PeerId> = (0..4).map(|_| PeerId::random()).collect();
        let at = Timestamp::from_millis;
        assert_eq!(neighbours.block(peers[0], at(30), 3), []);
        assert_eq!(neighbours.block(peers[1], at(10), 3), []);
        assert_eq!(neighbours.block(peers[2], at(20), 3), []);
        // The same again is no second block.
        assert_eq!(neighbours.block(peers[1], at(40), 3), []);
        assert_eq!((neighbours.blocked(), neighbours.next_end()), (3, Some(at(20))));
        assert_eq!(neighbours.block(peers[3], at(50), 3), [peers[2]]);
        assert!(!neighbours.is_blocked(peers[2]) && neighbours.is_blocked(peers[3]));
        assert_eq!(neighbours.over(at(29)), None);
        assert_eq!(neighbours.over(at(45)), Some(peers[0]));
        assert_eq!(neighbours.over(at(45)), Some(peers[1]));
        assert_eq!(neighbours.over(at(45)), None);
    }

    #[test]
    fn of_a_stranger_the_log_speaks_once_and_the_memory_of_it_is_bounded() {
        let mut neighbours = Neighbours::default();
        let peer = PeerId::random();
        assert!(neighbours.is_news(peer) && !neighbours.is_news(peer));
        assert!((0..2 * TOLD).all(|_| neighbours.is_news(PeerId::random())));
        assert!(neighbours.told.len() <= TOLD);
    }
}
