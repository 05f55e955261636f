//! Which answer is adequate: one from a catalogue that is no newcomer's.
//!
//! An answer states how many entries its catalogue holds. It counts towards `answers_wanted` when it was
//! well made, came to its end, and its catalogue holds at least one entry and at least a quarter of the
//! median of what the last [`REMEMBERED`] peers with something to show said of theirs, one voice a peer.
//! The median (of an even number the upper one: a newcomer counted costs results, one peer more costs a question), so that neither a few boasters nor a few newcomers move it. An inadequate answer is no fault:
//! its records are used, and the peer is not charged.

use std::collections::VecDeque;

/// How many peers' statements are remembered.
pub(super) const REMEMBERED: usize = 33;

/// What peers last said of the size of their catalogues.
#[derive(Debug)]
pub(super) struct HeldSizes<P> {
    /// Oldest first.
    said: VecDeque<(P, u64)>,
    bar: u64,
}

impl<P> Default for HeldSizes<P> {
    fn default() -> Self {
        Self { said: VecDeque::new(), bar: 1 }
    }
}

impl<P: PartialEq> HeldSizes<P> {
    /// `peer` said that it holds `held` entries.
    pub(super) fn said(&mut self, peer: P, held: u64) {
        self.said.retain(|(other, _)| *other != peer);
        if held > 0 {
            self.said.push_back((peer, held));
        }
        if self.said.len() > REMEMBERED {
            self.said.pop_front();
        }
        let mut sizes: Vec<u64> = self.said.iter().map(|(_, held)| *held).collect();
        sizes.sort_unstable();
        let median = sizes.get(sizes.len() / 2).copied().unwrap_or(1);
        self.bar = (median / 4).max(1);
    }

    /// The least number of entries of an adequate answer.
    pub(super) const fn bar(&self) -> u64 {
        self.bar
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_a_quarter_of_the_median() {
        let mut sizes = HeldSizes::default();
        assert_eq!(sizes.bar(), 1, "an empty catalogue is never adequate");
        for (peer, held) in [(1, 1000), (2, 1200), (3, 800)] {
            sizes.said(peer, held);
        }
        assert_eq!(sizes.bar(), 250);
        sizes.said(4, 0);
        sizes.said(4, u64::MAX);
        assert_eq!(sizes.bar(), 300, "one boaster moves the median by one place");
        for _ in 0..99 {
            sizes.said(4, u64::MAX);
        }
        assert_eq!(sizes.bar(), 300, "one peer has one voice");
    }

    #[test]
    fn old_statements_are_forgotten() {
        let mut sizes = HeldSizes::default();
        for peer in 0..1000u64 {
            sizes.said(peer, 4 * peer.max(1));
        }
        assert_eq!(sizes.said.len(), REMEMBERED);
        assert_eq!(sizes.bar(), 983);
    }
}
