//! A map for a few entries, in the order of their keys: what one application has in flight.
//!
//! Most hold one or two, and each is entered and taken out once a message, which in a tree takes longer than all else that
//! is done with it. An entry costs a move of those behind it: whoever holds one sees to it that there are thousands at most,
//! and most keys rise, so that little stands behind.

/// Values by key, sorted.
#[derive(Clone, Debug)]
pub(crate) struct Few<K, V> {
    entries: Vec<(K, V)>,
}

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<K: Copy + Ord, V> Few<K, V> {
    fn find(&self, key: K) -> Result<usize, usize> {
        match self.entries.last() {
            Some((last, _)) if *last < key => Err(self.entries.len()),
            _ => self.entries.binary_search_by_key(&key, |(key, _)| *key),
        }
    }

    /// The value of `key`.
    pub(crate) fn get(&self, key: K) -> Option<&V> {
        let place = self.find(key).ok()?;
        self.entries.get(place).map(|(_, value)| value)
    }

    /// The value of `key`, to be changed.
    pub(crate) fn get_mut(&mut self, key: K) -> Option<&mut V> {
        let place = self.find(key).ok()?;
        self.entries.get_mut(place).map(|(_, value)| value)
    }

    /// The value of `key` is `value` from now on. Returns what it was.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(key) {
            Ok(place) => self.entries.get_mut(place).map(|held| core::mem::replace(&mut held.1, value)),
            Err(place) => {
                self.entries.insert(place, (key, value));
                None
            }
        }
    }

    /// `key` has no value from now on. Returns what it was.
    pub(crate) fn remove(&mut self, key: K) -> Option<V> {
        let place = self.find(key).ok()?;
        Some(self.entries.remove(place).1)
    }

    /// How many keys have a value.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// All, the lowest key first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.entries.iter().map(|(key, value)| (*key, value))
    }

    /// All keys, the lowest first.
    pub(crate) fn keys(&self) -> impl Iterator<Item = K> {
        self.entries.iter().map(|(key, _)| *key)
    }

    /// All values, that of the lowest key first.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.iter().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::sim::rng::{Concern, Seed};

    #[test]
    fn it_is_what_a_tree_would_be() {
        let mut stream = Seed::new(1).stream(Concern(1000), 0);
        let (mut few, mut tree) = (Few::default(), BTreeMap::new());
        let (mut replaced, mut removed) = (0, 0);
        for value in 0..20_000u64 {
            let key = stream.below(60);
            match stream.below(3) {
                0 => {
                    let held = tree.insert(key, value);
                    replaced += u32::from(held.is_some());
                    assert_eq!(few.insert(key, value), held);
                }
                1 => {
                    let held = tree.remove(&key);
                    removed += u32::from(held.is_some());
                    assert_eq!(few.remove(key), held);
                }
                _ => {
                    assert_eq!(few.get(key), tree.get(&key));
                    few.get_mut(key).into_iter().for_each(|held| *held += 1);
                    tree.get_mut(&key).into_iter().for_each(|held| *held += 1);
                }
            }
            assert!(few.iter().eq(tree.iter().map(|(key, value)| (*key, value))));
            assert!(few.keys().eq(tree.keys().copied()) && few.values().eq(tree.values()));
            assert_eq!(few.len(), tree.len());
        }
        assert!(replaced > 1_000 && removed > 1_000, "{replaced} {removed}");
    }
}
