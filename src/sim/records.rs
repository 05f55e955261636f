//! What one peer keeps for the DHT: records and providers, bounded, with expiry.
//!
//! Keys are the world's numbers for them, so a comparison costs nothing. When full, the expired go first,
//! then the record whose key is farthest from the peer; the offered one is refused if that is it.

use bytes::Bytes;

use super::kad::K;

/// A record that a peer keeps.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) key: u32,
    pub(crate) value: Bytes,
    /// Wall time in ms.
    pub(crate) expires: u64,
    /// Run time in ns at which it is safe from a crash.
    pub(crate) synced: u64,
}

/// The records of one peer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    /// Their keys, rising: what a search looks at, and what most searches end at.
    keys: Vec<u32>,
    /// Beside each key its record.
    held: Vec<Held>,
}

impl Records {
    fn find(&self, key: u32) -> Result<usize, usize> {
        self.keys.binary_search(&key)
    }

    /// The record under `key`, unless it has expired by `wall`.
    pub(crate) fn get(&self, key: u32, wall: u64) -> Option<&Held> {
        self.find(key).ok().map(|i| &self.held[i]).filter(|h| h.expires > wall)
    }

    /// The first record that has not expired and is under another key.
    pub(crate) fn other(&self, key: u32, wall: u64) -> Option<&Held> {
        self.held.iter().find(|h| h.key != key && h.expires > wall)
    }

    /// Keep `new`, at most `limit` in all. `distance` says how far a key is from the peer.
    pub(crate) fn put(&mut self, new: Held, limit: usize, wall: u64, distance: impl Fn(u32) -> u64) -> bool {
        match self.find(new.key) {
            Ok(i) => {
                self.held[i] = new;
                return true;
            }
            Err(_) if self.held.len() < limit => {}
            Err(_) => {
                self.keep_those(|h| h.expires > wall);
                if self.held.len() >= limit {
                    let farthest =
                        (0..self.held.len()).max_by_key(|i| (distance(self.held[*i].key), self.held[*i].key));
                    match farthest {
                        Some(i) if distance(self.held[i].key) > distance(new.key) => {
                            self.keys.remove(i);
                            self.held.remove(i);
                        }
                        _ => return false,
                    }
                }
            }
        }
        if let Err(i) = self.find(new.key) {
            self.keys.insert(i, new.key);
            self.held.insert(i, new);
        }
        true
    }

    /// Lose what was not safe at `now`.
    pub(crate) fn crash(&mut self, now: u64) {
        self.keep_those(|h| h.synced <= now);
    }

    fn keep_those(&mut self, which: impl Fn(&Held) -> bool) {
        self.held.retain(which);
        self.keys.clear();
        self.keys.extend(self.held.iter().map(|h| h.key));
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn footprint(&self) -> usize {
        self.held.capacity() * size_of::<Held>() + self.keys.capacity() * 4
    }
}

/// The providers that one peer knows of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Providers {
    /// Sorted by key, then provider.
    held: Vec<(u32, u32, u64)>,
    keys: usize,
}

impl Providers {
    /// `provider` provides `key` until `expires`; at most [`K`] a key and `limit` keys. More are dropped.
    pub(crate) fn add(&mut self, key: u32, provider: u32, expires: u64, limit: usize, wall: u64) -> bool {
        let start = self.held.partition_point(|h| h.0 < key);
        let len = self.held[start..].partition_point(|h| h.0 == key);
        let group = &mut self.held[start..start + len];
        if let Some(held) = group.iter_mut().find(|h| h.1 == provider) {
            held.2 = expires;
            return true;
        }
        if len >= K || (len == 0 && self.keys >= limit) {
            let before = self.held.len();
            self.held.retain(|h| h.2 > wall);
            if self.held.len() == before {
                return false;
            }
            self.keys = self.held.chunk_by(|a, b| a.0 == b.0).count();
            return self.add(key, provider, expires, limit, wall);
        }
        self.keys += usize::from(len == 0);
        let at = self.held.partition_point(|h| (h.0, h.1) < (key, provider));
        self.held.insert(at, (key, provider, expires));
        true
    }

    /// Those who provide `key` at `wall`, by number.
    pub(crate) fn of(&self, key: u32, wall: u64) -> impl Iterator<Item = u32> + '_ {
        let start = self.held.partition_point(|h| h.0 < key);
        self.held[start..].iter().take_while(move |h| h.0 == key).filter(move |h| h.2 > wall).map(|h| h.1)
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn footprint(&self) -> usize {
        self.held.capacity() * size_of::<(u32, u32, u64)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(key: u32, expires: u64) -> Held {
        Held { key, value: Bytes::from_static(b"v"), expires, synced: u64::from(key) }
    }

    #[test]
    fn a_full_store_drops_the_expired_then_the_farthest() {
        let mut records = Records::default();
        let distance = |key| u64::from(key);
        assert!(records.put(held(9, 100), 2, 0, distance) && records.put(held(5, 10), 2, 0, distance));
        assert!(records.put(held(7, 100), 2, 50, distance), "the expired one leaves");
        assert!(records.get(5, 50).is_none() && records.get(9, 50).is_some());
        assert!(records.put(held(3, 100), 2, 50, distance), "the farthest leaves");
        assert!(records.get(9, 50).is_none());
        assert!(!records.put(held(8, 100), 2, 50, distance), "the offered one is the farthest");
        assert!(records.get(3, 100).is_none(), "expired records are not served");
        assert_eq!(records.other(3, 0).map(|h| h.key), Some(7));
        records.crash(3);
        assert_eq!(records.held.len(), 1);
    }

    #[test]
    fn providers_are_bounded_by_key_and_in_all() {
        let mut providers = Providers::default();
        for peer in 0..K as u32 {
            assert!(providers.add(1, peer, 10 + u64::from(peer), 2, 0));
        }
        assert!(!providers.add(1, 99, 10, 2, 0), "20 a key");
        assert!(providers.add(2, 5, 99, 2, 0));
        assert!(!providers.add(3, 5, 99, 2, 0), "2 keys");
        assert!(providers.add(1, 99, 50, 2, 10), "an expired one made room");
        assert_eq!(providers.of(1, 28).collect::<Vec<_>>(), [19, 99]);
        assert_eq!(providers.of(3, 0).count(), 0);
    }
}
