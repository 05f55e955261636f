//! A cut between two sets of nodes.

use std::collections::BTreeSet;

use crate::testbed::{NodeId, Way};

/// Two sets of nodes between which traffic is cut.
#[derive(Debug)]
pub(crate) struct Cut {
    from: Vec<u64>,
    to: Vec<u64>,
    way: Way,
    pub(crate) sets: (BTreeSet<NodeId>, BTreeSet<NodeId>),
}

impl Cut {
    /// A cut between these sets.
    pub(crate) fn new(from: BTreeSet<NodeId>, to: BTreeSet<NodeId>, way: Way) -> Self {
        Self { from: bits(&from), to: bits(&to), way, sets: (from, to) }
    }

    /// Whether what `from` sends to `to` is cut.
    pub(crate) fn stops(&self, from: u32, to: u32) -> bool {
        (has(&self.from, from) && has(&self.to, to))
            || (self.way == Way::Both && has(&self.to, from) && has(&self.from, to))
    }
}

fn has(bits: &[u64], node: u32) -> bool {
    bits.get(node as usize / 64).is_some_and(|word| word >> (node % 64) & 1 == 1)
}

fn bits(set: &BTreeSet<NodeId>) -> Vec<u64> {
    let mut bits = vec![0; set.last().map_or(0, |n| n.0 as usize / 64 + 1)];
    for node in set {
        bits[node.0 as usize / 64] |= 1 << (node.0 % 64);
    }
    bits
}
