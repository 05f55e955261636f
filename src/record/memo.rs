//! Remembered verdicts: bounded, and forgotten oldest first, so that what is remembered depends on
//! the order of questions alone.

use std::collections::{BTreeMap, VecDeque};

use super::kinds::Digest;

/// At most `capacity` values by digest. A value that is there is kept, and is not made younger.
#[derive(Debug)]
pub(super) struct Memo<V> {
    capacity: usize,
    values: BTreeMap<Digest, V>,
    order: VecDeque<Digest>,
}

impl<V: Clone> Memo<V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, values: BTreeMap::new(), order: VecDeque::new() }
    }

    pub(super) fn get(&self, digest: &Digest) -> Option<V> {
        self.values.get(digest).cloned()
    }

    /// Remember `value`, and forget the oldest where there is no room.
    pub(super) fn put(&mut self, digest: Digest, value: V) {
        if self.capacity == 0 || self.values.contains_key(&digest) {
            return;
        }
        while self.order.len() >= self.capacity {
            if let Some(oldest) = self.order.pop_front() {
                self.values.remove(&oldest);
            }
        }
        self.order.push_back(digest);
        self.values.insert(digest, value);
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first_and_asking_does_not_renew() {
        let mut memo = Memo::new(2);
        let digest = |n| Digest([n; 32]);
        for n in [1, 2, 1] {
            memo.put(digest(n), n);
        }
        assert_eq!(memo.get(&digest(1)), Some(1));
        memo.put(digest(3), 3);
        assert_eq!([1, 2, 3].map(|n| memo.get(&digest(n))), [None, Some(2), Some(3)]);
        assert_eq!(memo.len(), 2);
    }

    #[test]
    fn with_no_capacity_nothing_is_remembered() {
        let mut memo = Memo::new(0);
        memo.put(Digest([1; 32]), 1);
        assert_eq!((memo.len(), memo.order.len()), (0, 0));
    }
}
