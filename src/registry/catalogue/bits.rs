//! A set of small numbers, one bit each.

/// A set of entry numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// Whether `n` is in it.
    pub(super) fn contains(&self, n: u32) -> bool {
        self.0.get(n as usize / 64).is_some_and(|word| word >> (n % 64) & 1 == 1)
    }

    /// Put `n` in; whether it was not there before.
    pub(super) fn insert(&mut self, n: u32) -> bool {
        let at = n as usize / 64;
        if at >= self.0.len() {
            // To the word, since thousands of these are kept.
            self.0.reserve_exact(at + 1 - self.0.len());
            self.0.resize(at + 1, 0);
        }
        let new = !self.contains(n);
        if let Some(word) = self.0.get_mut(at) {
            *word |= 1 << (n % 64);
        }
        new
    }

    /// Take `n` out; whether it was there.
    pub(super) fn remove(&mut self, n: u32) -> bool {
        let there = self.contains(n);
        if let Some(word) = self.0.get_mut(n as usize / 64) {
            *word &= !(1 << (n % 64));
        }
        there
    }

    /// What is in it, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0_u32..).step_by(64).zip(&self.0).flat_map(|(first, word)| {
            let mut rest = *word;
            core::iter::from_fn(move || {
                let next = (rest != 0).then(|| first + rest.trailing_zeros());
                rest &= rest.wrapping_sub(1);
                next
            })
        })
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        self.0.capacity() * size_of::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn like_a_set(changes in proptest::collection::vec((0..300_u32, any::<bool>()), 0..200)) {
            let (mut bits, mut set) = (Bits::default(), BTreeSet::new());
            for (n, put) in changes {
                if put {
                    prop_assert_eq!(bits.insert(n), set.insert(n));
                } else {
                    prop_assert_eq!(bits.remove(n), set.remove(&n));
                }
                prop_assert_eq!(bits.contains(n), set.contains(&n));
            }
            prop_assert_eq!(bits.iter().collect::<Vec<_>>(), set.into_iter().collect::<Vec<_>>());
        }
    }
}
