//! One announcement on its way: what it is, who has heard it, what was said of it.

use bytes::Bytes;

use crate::network::Invalid;

/// An announcement on its way through the mesh.
#[derive(Debug)]
pub(crate) struct Announcement {
    pub(crate) topic: Bytes,
    pub(crate) payload: Bytes,
    pub(crate) identity: u64,
    /// Who has heard it, a bit for each node.
    pub(crate) seen: Vec<u64>,
    /// What the validator said of it. It is asked once: verdicts do not change within the minute that an
    /// announcement is remembered.
    pub(crate) verdict: Option<Result<(), Invalid>>,
    pub(crate) under_way: u32,
}

impl Announcement {
    /// Mark that `node` has heard it. Returns whether it was the first time.
    pub(crate) fn hear(&mut self, node: u32) -> bool {
        let word = node as usize / 64;
        if self.seen.len() <= word {
            self.seen.resize(word + 1, 0);
        }
        let bit = 1 << (node % 64);
        let first = self.seen[word] & bit == 0;
        self.seen[word] |= bit;
        first
    }

    pub(crate) fn footprint(&self) -> usize {
        self.seen.capacity() * 8
    }
}
