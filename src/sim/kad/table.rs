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
    /// A bit for each bucket that holds anyone.
    filled: u32,
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

    /// How many are in `bucket`.
    pub(crate) fn held(&self, bucket: usize) -> usize {
        usize::from(self.lengths[bucket])
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
        // Where it is full, which is what most are, nothing else is looked at.
        if usize::from(self.lengths[bucket]) >= K {
            return false;
        }
        let held = self.bucket(bucket);
        if held.contains(&peer) {
            return false;
        }
        let at = self.start(bucket) + held.len();
        // Not twice as much room each time: there are as many tables as peers.
        if self.entries.len() == self.entries.capacity() {
            self.entries.reserve_exact(self.entries.len() / 8 + 4);
        }
        self.entries.insert(at, peer);
        self.lengths[bucket] += 1;
        self.filled |= 1 << bucket;
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
        self.filled |= 1 << bucket;
        true
    }

    /// Remove a peer.
    pub(crate) fn remove(&mut self, bucket: usize, peer: u32) -> bool {
        let start = self.start(bucket);
        let Some(place) = self.bucket(bucket).iter().position(|p| *p == peer) else { return false };
        self.entries.remove(start + place);
        self.lengths[bucket] -= 1;
        self.filled &= !(u32::from(self.lengths[bucket] == 0) << bucket);
        true
    }

    pub(crate) fn contains(&self, bucket: usize, peer: u32) -> bool {
        self.bucket(bucket).contains(&peer)
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.lengths = [0; BUCKETS];
        self.filled = 0;
    }

    pub(crate) fn shrink(&mut self) {
        self.entries.shrink_to_fit();
    }

    /// The `K` peers closest to `target` but for `except`, of a table whose owner is at `own`, in an order that
    /// means nothing. Returns how many there are.
    ///
    /// Buckets are visited in the order of their distance: where owner and target differ in a bit, that
    /// bucket is closer than all deeper ones; where they agree, it is farther. So whole buckets are taken as
    /// they are, and only the one that no longer fits is looked at by distance.
    pub(crate) fn closest(
        &self,
        own: u64,
        target: u64,
        except: u32,
        positions: &[u64],
        out: &mut [u32; K],
    ) -> usize {
        // The last bucket mixes all depths, so it is as close as its first bit says.
        let apart = ((own ^ target) >> (64 - BUCKETS)) as u32;
        let apart = apart.reverse_bits() >> (32 - BUCKETS);
        let mut count = 0;
        let (mut differ, mut agree) = (self.filled & apart, self.filled & !apart);
        while count < K && (differ | agree) != 0 {
            let bucket = if differ != 0 {
                let first = differ.trailing_zeros();
                differ &= differ - 1;
                first
            } else {
                let last = 31 - agree.leading_zeros();
                agree ^= 1 << last;
                last
            } as usize;
            count = take_closest(self.bucket(bucket), target, except, positions, out, count);
        }
        count
    }

    /// Bytes on the heap.
    pub(crate) fn footprint(&self) -> usize {
        self.entries.capacity() * 4
    }
}

/// Add to the `count` in `out` those of `held` that are closest to `target`, as many as there is room for.
fn take_closest(
    held: &[u32],
    target: u64,
    except: u32,
    positions: &[u64],
    out: &mut [u32; K],
    count: usize,
) -> usize {
    let others = || held.iter().copied().filter(|peer| *peer != except);
    let room = K - count;
    if held.len() <= room {
        if !held.contains(&except) {
            out[count..count + held.len()].copy_from_slice(held);
            return count + held.len();
        }
        return others().zip(&mut out[count..]).fold(count, |count, (peer, place)| {
            *place = peer;
            count + 1
        });
    }
    // The closest so far, closest first.
    let mut best = [(0u64, 0u32); K];
    let mut len = 0;
    for peer in others() {
        let distance = positions[peer as usize] ^ target;
        if len == room && best[len - 1].0 < distance {
            continue;
        }
        len = room.min(len + 1);
        let mut at = len - 1;
        while at > 0 && best[at - 1].0 > distance {
            best[at] = best[at - 1];
            at -= 1;
        }
        best[at] = (distance, peer);
    }
    for ((_, peer), place) in best[..len].iter().zip(&mut out[count..]) {
        *place = *peer;
    }
    count + len
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
                let place = |peer: &u32| positions[*peer as usize] ^ target;
                out[..n].sort_by_key(place);
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
