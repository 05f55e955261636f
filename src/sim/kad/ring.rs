//! All servers in the order of their positions: where tables are drawn from, and the truth about who is
//! closest to a key.
//!
//! Peers that share a prefix stand side by side, so a bucket is a range, and no step looks at all pairs.

use core::ops::Range;

use crate::sim::gallop::partition_point_near;

/// Servers by position.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ring {
    places: Vec<(u64, u32)>,
}

impl Ring {
    /// The ring of these servers.
    pub(crate) fn new(mut places: Vec<(u64, u32)>) -> Self {
        places.sort();
        Self { places }
    }

    /// Add a server.
    pub(crate) fn insert(&mut self, position: u64, peer: u32) {
        if let Err(at) = self.places.binary_search(&(position, peer)) {
            self.places.insert(at, (position, peer));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// The server at a place.
    pub(crate) fn peer(&self, place: usize) -> u32 {
        self.places[place].1
    }

    /// The places of those that share the first `bits` bits of `position`.
    pub(crate) fn sharing(&self, position: u64, bits: usize, within: Range<usize>) -> Range<usize> {
        if bits == 0 {
            return within;
        }
        let mask = u64::MAX.checked_shr(bits as u32).unwrap_or(0);
        let (low, high) = (position & !mask, position | mask);
        let start = self.first(&within, low, |p| p < low);
        start..self.first(&within, high, |p| p <= high)
    }

    /// Of places that share the first `bits` bits of `position`, those that share the next one too, and those that do not.
    pub(crate) fn halves(&self, position: u64, bits: usize, within: Range<usize>) -> [Range<usize>; 2] {
        let next = 1 << 63 >> bits;
        // The first position of the upper half.
        let upper = position & !(next - 1) | next;
        let middle = self.first(&within, upper, |p| p < upper);
        let (lower, upper) = (within.start..middle, middle..within.end);
        if position & next == 0 { [lower, upper] } else { [upper, lower] }
    }

    /// The first place of `within` that does not come `before` the sought, which stands about where `position` would.
    fn first(&self, within: &Range<usize>, position: u64, before: impl Fn(u64) -> bool) -> usize {
        // Positions are spread evenly over all numbers.
        let guess = (u128::from(position) * self.places.len() as u128) >> 64;
        let guess = (guess as usize).saturating_sub(within.start);
        within.start + partition_point_near(&self.places[within.clone()], guess, |(p, _)| before(*p))
    }

    /// The `count` servers closest to `target` among those that `up` accepts, closest first.
    pub(crate) fn closest(&self, target: u64, count: usize, up: impl Fn(u32) -> bool) -> Vec<u32> {
        // Narrow while the range still holds plenty; widen again if too few of them are up.
        let mut ranges = Vec::with_capacity(16);
        ranges.push(0..self.len());
        for bits in 1..=64 {
            let outer = ranges[bits - 1].clone();
            let inner = self.sharing(target, bits, outer);
            if inner.len() < count {
                break;
            }
            ranges.push(inner);
        }
        for range in ranges.into_iter().rev() {
            let whole = range.len() == self.len();
            let mut found: Vec<(u64, u32)> = self.places[range]
                .iter()
                .filter(|(_, peer)| up(*peer))
                .map(|(position, peer)| (position ^ target, *peer))
                .collect();
            if found.len() >= count || whole {
                found.sort();
                found.truncate(count);
                return found.into_iter().map(|(_, peer)| peer).collect();
            }
        }
        Vec::new()
    }

    /// Bytes on the heap.
    pub(crate) fn footprint(&self) -> usize {
        self.places.capacity() * size_of::<(u64, u32)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::rng::mix;

    #[test]
    fn closest_is_what_sorting_everyone_gives() {
        let ring = Ring::new((0..700).map(|i| (mix(u64::from(i)), i)).collect());
        for target in (0..100).map(|i| mix(i ^ 0xabcd)) {
            for count in [1, 20, 700, 900] {
                let mut wanted: Vec<u32> = (0..700).filter(|p| p % 3 != 0).collect();
                wanted.sort_by_key(|p| mix(u64::from(*p)) ^ target);
                wanted.truncate(count);
                assert_eq!(ring.closest(target, count, |p| p % 3 != 0), wanted);
            }
        }
    }

    #[test]
    fn a_prefix_is_a_range() {
        let ring = Ring::new((0..64u64).map(|i| (i << 58, i as u32)).collect());
        assert_eq!(ring.sharing(5 << 58, 6, 0..64), 5..6);
        assert_eq!(ring.sharing(5 << 58, 3, 0..64), 0..8);
        assert_eq!(ring.sharing(63 << 58, 1, 0..64), 32..64);
        assert_eq!(ring.sharing(63 << 58, 64, 0..64), 63..64);
        assert_eq!(ring.sharing((63 << 58) + 1, 64, 0..64), 64..64);
        assert_eq!(ring.sharing(9, 0, 0..64), 0..64);
    }

    #[test]
    fn halves_are_what_share_the_next_bit_and_what_do_not() {
        let ring = Ring::new((0..700).map(|i| (mix(u64::from(i)), i)).collect());
        for position in (0..50).map(|i| mix(i ^ 0xabcd)) {
            let mut range = 0..ring.len();
            for bits in 0..64 {
                let wanted = [position, position ^ (1 << 63 >> bits)]
                    .map(|it| ring.sharing(it, bits + 1, range.clone()));
                assert_eq!(
                    ring.halves(position, bits, range.clone()),
                    wanted,
                    "{position:x} after {bits} bits"
                );
                range = ring.sharing(position, bits + 1, range);
            }
        }
    }
}
