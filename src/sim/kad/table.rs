//! One peer's routing table: k-buckets of indices, one after another in one vector.
//!
//! Bucket i holds at most [`K`] peers whose position shares its first i bits with the owner's and differs
//! in the next; the last bucket holds all that share more. Positions are looked up by index, so that a
//! table costs 4 bytes an entry.

/// Peers a bucket holds, peers a lookup ends with, peers a record is kept at.
pub(crate) const K: usize = 20;

/// Buckets kept apart. With 28 of them the last is empty up to 2^28 peers.
const BUCKETS: usize = 28;

/// A routing table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    entries: Vec<u32>,
    lengths: [u8; BUCKETS],
}

/// Which bucket of an owner at `own` a peer at `position` belongs to.
pub(crate) fn bucket_of(own: u64, position: u64) -> usize {
    ((own ^ position).leading_zeros() as usize).min(BUCKETS - 1)
}

impl Table {
    /// The number of buckets.
    pub(crate) const BUCKETS: usize = BUCKETS;

    /// The peers in `bucket`.
    pub(crate) fn bucket(&self, bucket: usize) -> &[u32] {
        let start = self.start(bucket);
        &self.entries[start..start + usize::from(self.lengths[bucket])]
    }

    fn start(&self, bucket: usize) -> usize {
        self.lengths[..bucket].iter().map(|l| usize::from(*l)).sum()
    }

    /// All peers, the farthest bucket first.
    pub(crate) fn peers(&self) -> &[u32] {
        &self.entries
    }

    /// Add a peer unless it is there or its bucket is full.
    pub(crate) fn insert(&mut self, bucket: usize, peer: u32) -> bool {
        let held = self.bucket(bucket);
        if held.len() >= K || held.contains(&peer) {
            return false;
        }
        let at = self.start(bucket) + held.len();
        self.entries.insert(at, peer);
        self.lengths[bucket] += 1;
        true
    }

    /// Add a peer to the last bucket that holds anyone, or to one after it, unless it is there or the
    /// bucket is full. For building: nothing moves.
    pub(crate) fn append(&mut self, bucket: usize, peer: u32) -> bool {
        let held = usize::from(self.lengths[bucket]);
        let start = self.entries.len() - held;
        if held >= K || self.entries[start..].contains(&peer) {
            return false;
        }
        self.entries.push(peer);
        self.lengths[bucket] += 1;
        true
    }

    /// Remove a peer.
    pub(crate) fn remove(&mut self, bucket: usize, peer: u32) -> bool {
        let start = self.start(bucket);
        let Some(place) = self.bucket(bucket).iter().position(|p| *p == peer) else { return false };
        self.entries.remove(start + place);
        self.lengths[bucket] -= 1;
        true
    }

    pub(crate) fn contains(&self, bucket: usize, peer: u32) -> bool {
        self.bucket(bucket).contains(&peer)
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.lengths = [0; BUCKETS];
    }

    pub(crate) fn shrink(&mut self) {
        self.entries.shrink_to_fit();
    }

    /// The `K` peers closest to `target` but for `except`, closest first, of a table whose owner is at
    /// `own`. Returns how many there are.
    ///
    /// Buckets are visited in the order of their distance: where owner and target differ in a bit, that
    /// bucket is closer than all deeper ones; where they agree, it is farther. So only one bucket at a
    /// time is sorted.
    pub(crate) fn closest(
        &self,
        own: u64,
        target: u64,
        except: u32,
        positions: &[u64],
        out: &mut [u32; K],
    ) -> usize {
        let mut starts = [0u16; BUCKETS + 1];
        for i in 0..BUCKETS {
            starts[i + 1] = starts[i] + u16::from(self.lengths[i]);
        }
        let apart = own ^ target;
        let mut count = 0;
        let mut sorted = [(0u64, 0u32); K];
        let mut visit = |bucket: usize, count: &mut usize| {
            let held = &self.entries[usize::from(starts[bucket])..usize::from(starts[bucket + 1])];
            let mut len = 0;
            for peer in held {
                if *peer == except {
                    continue;
                }
                let distance = positions[*peer as usize] ^ target;
                let mut at = len;
                while at > 0 && sorted[at - 1].0 > distance {
                    sorted[at] = sorted[at - 1];
                    at -= 1;
                }
                sorted[at] = (distance, *peer);
                len += 1;
            }
            for (_, peer) in &sorted[..len.min(K - *count)] {
                out[*count] = *peer;
                *count += 1;
            }
        };
        // The last bucket mixes all depths, so it is as close as its first bit says.
        for bucket in 0..BUCKETS {
            if bucket_bit(apart, bucket) && count < K && starts[bucket] != starts[bucket + 1] {
                visit(bucket, &mut count);
            }
        }
        for bucket in (0..BUCKETS).rev() {
            if !bucket_bit(apart, bucket) && count < K && starts[bucket] != starts[bucket + 1] {
                visit(bucket, &mut count);
            }
        }
        count
    }

    /// Bytes on the heap.
    pub(crate) fn footprint(&self) -> usize {
        self.entries.capacity() * 4
    }
}

fn bucket_bit(apart: u64, bucket: usize) -> bool {
    apart >> (63 - bucket) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::rng::mix;

    fn positions(n: u64) -> Vec<u64> {
        (0..n).map(mix).collect()
    }

    fn full_table(own: u32, positions: &[u64]) -> Table {
        let mut table = Table::default();
        for peer in 0..positions.len() as u32 {
            if peer != own {
                table.insert(bucket_of(positions[own as usize], positions[peer as usize]), peer);
            }
        }
        table
    }

    #[test]
    fn closest_is_what_sorting_the_whole_table_gives() {
        let positions = positions(900);
        for own in [0u32, 17, 450] {
            let table = full_table(own, &positions);
            for target in (0..200).map(|i| mix(mix(i) + 5)) {
                let mut wanted: Vec<u32> = table.peers().iter().copied().filter(|p| *p != 3).collect();
                wanted.sort_by_key(|p| positions[*p as usize] ^ target);
                wanted.truncate(K);
                let mut out = [0; K];
                let n = table.closest(positions[own as usize], target, 3, &positions, &mut out);
                assert_eq!(out[..n], wanted, "owner {own}, target {target:x}");
            }
        }
    }

    #[test]
    fn a_full_bucket_takes_nobody_until_one_leaves() {
        let mut table = Table::default();
        for peer in 0..K as u32 {
            assert!(table.insert(2, peer));
        }
        assert!(!table.insert(2, 99));
        assert!(!table.insert(2, 0));
        assert!(table.insert(1, 50) && table.insert(3, 51));
        assert!(table.remove(2, 7) && !table.remove(2, 7));
        assert!(table.insert(2, 99));
        assert_eq!((table.bucket(1), table.bucket(3)), ([50].as_slice(), [51].as_slice()));
        assert!(table.contains(2, 99) && !table.contains(2, 7));
        assert_eq!(table.peers().len(), K + 2);
    }
}
