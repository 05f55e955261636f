//! Bounded memory: entries that expire, and entries that the newest push out.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::probe::sometimes;
use crate::time::Timestamp;

/// A map whose entries live for a fixed time. When full, the entry that would expire first makes room.
#[derive(Debug)]
pub(super) struct TtlCache<K, V> {
    capacity: usize,
    ttl: Duration,
    entries: BTreeMap<K, (Timestamp, V)>,
    expiries: BTreeSet<(Timestamp, K)>,
}

impl<K: Ord + Clone, V> TtlCache<K, V> {
    /// An empty cache of at most `capacity` entries, each for `ttl`.
    pub(super) fn new(capacity: usize, ttl: Duration) -> Self {
        Self { capacity, ttl, entries: BTreeMap::new(), expiries: BTreeSet::new() }
    }

    /// The entry, unless it has expired: at its very expiry it is gone.
    pub(super) fn get(&self, now: Timestamp, key: &K) -> Option<&V> {
        self.entries.get(key).filter(|(expiry, _)| now < *expiry).map(|(_, value)| value)
    }

    /// Keep `value` from now on.
    pub(super) fn insert(&mut self, now: Timestamp, key: K, value: V) {
        if self.capacity == 0 {
            return;
        }
        self.remove(&key);
        while let Some((expiry, _)) = self.expiries.first() {
            if *expiry > now && self.entries.len() < self.capacity {
                break;
            }
            sometimes!(*expiry > now, CacheDisplaced);
            if let Some((_, oldest)) = self.expiries.pop_first() {
                self.entries.remove(&oldest);
            }
        }
        let expiry = now.after(self.ttl);
        self.expiries.insert((expiry, key.clone()));
        self.entries.insert(key, (expiry, value));
    }

    /// Forget the entry.
    pub(super) fn remove(&mut self, key: &K) {
        if let Some((expiry, _)) = self.entries.remove(key) {
            self.expiries.remove(&(expiry, key.clone()));
        }
    }

    /// How many entries are held, expired ones among them.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.entries.len(), self.expiries.len());
        self.entries.len()
    }
}

/// A map that holds at most `capacity` entries; the one that was inserted first makes room. Changing an
/// entry does not make it younger.
#[derive(Debug)]
pub(super) struct Memory<K, V> {
    capacity: usize,
    entries: BTreeMap<K, V>,
    order: VecDeque<K>,
}

impl<K: Ord + Clone, V> Memory<K, V> {
    /// An empty memory of at most `capacity` entries.
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, entries: BTreeMap::new(), order: VecDeque::new() }
    }

    /// The entry.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    /// Remember `value`.
    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.entries.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        while self.entries.len() > self.capacity {
            match self.order.pop_front() {
                Some(oldest) => self.entries.remove(&oldest),
                None => break,
            };
        }
    }

    /// Every value, in the order of the keys.
    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_gone_at_its_expiry_and_not_before() {
        let mut cache = TtlCache::new(9, Duration::from_millis(10));
        cache.insert(Timestamp::ZERO, "a", 1);
        assert_eq!(cache.get(Timestamp::from_nanos(9_999_999), &"a"), Some(&1));
        assert_eq!(cache.get(Timestamp::from_millis(10), &"a"), None);
    }

    #[test]
    fn a_full_cache_drops_the_expired_and_then_the_first_to_expire() {
        let mut cache = TtlCache::new(2, Duration::from_millis(10));
        for (at, key) in [(0, "a"), (1, "b"), (2, "c")] {
            cache.insert(Timestamp::from_millis(at), key, at);
        }
        assert_eq!(cache.len(), 2);
        let now = Timestamp::from_millis(2);
        assert_eq!(
            (cache.get(now, &"a"), cache.get(now, &"b"), cache.get(now, &"c")),
            (None, Some(&1), Some(&2))
        );
        cache.insert(Timestamp::from_millis(50), "d", 9);
        assert_eq!(cache.len(), 1, "everything else had expired");
        cache.insert(Timestamp::from_millis(51), "d", 10);
        assert_eq!(cache.len(), 1);
        assert_eq!(cache.get(Timestamp::from_millis(60), &"d"), Some(&10), "an insert renews");
    }

    #[test]
    fn what_is_gone_at_this_instant_takes_no_room() {
        let mut cache = TtlCache::new(9, Duration::from_millis(10));
        cache.insert(Timestamp::ZERO, "a", 1);
        cache.insert(Timestamp::from_millis(10), "b", 2);
        assert_eq!(cache.len(), 1);
    }

    #[test]
    fn a_cache_without_room_keeps_nothing() {
        let mut cache = TtlCache::new(0, Duration::from_secs(1));
        cache.insert(Timestamp::ZERO, 1, 1);
        assert_eq!((cache.len(), cache.get(Timestamp::ZERO, &1)), (0, None));
    }

    #[test]
    fn a_full_memory_forgets_the_oldest() {
        let mut memory = Memory::new(2);
        memory.insert("a", 1);
        memory.insert("b", 2);
        memory.insert("a", 3);
        memory.insert("c", 4);
        assert_eq!((memory.get(&"a"), memory.get(&"b"), memory.get(&"c")), (None, Some(&2), Some(&4)));
        assert_eq!(memory.values().copied().collect::<Vec<_>>(), [2, 4]);
    }
}
