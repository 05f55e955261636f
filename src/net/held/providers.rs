//! Who provides what, as this node was told: in memory, bounded, sorted; and what it provides itself, apart.
//!
//! A key has at most as many providers as a walk asks nodes for, and keeps those that it has: who comes later
//! is not believed more, or a crowd of names made for the purpose would drive out the honest ones. When there
//! are too many in all, the key farthest from this node loses its providers, for it is asked for elsewhere.

use std::collections::BTreeMap;

use libp2p::kad::{K_VALUE, ProviderRecord, RecordKey};
use libp2p::{Multiaddr, PeerId};

use super::index::Distance;
use crate::time::Timestamp;

/// The most addresses kept of one provider, and the most bytes of one.
const ADDRESSES: usize = 8;
const ADDRESS_BYTES: usize = 128;

#[derive(Debug)]
struct Provider {
    expires: Timestamp,
    addresses: Vec<Multiaddr>,
}

#[derive(Debug)]
struct Shelf {
    key: RecordKey,
    providers: BTreeMap<PeerId, Provider>,
}

/// The providers that others told of.
#[derive(Debug)]
pub(super) struct Providers {
    most: usize,
    count: usize,
    keys: BTreeMap<Distance, Shelf>,
}

impl Providers {
    /// At most so many in all.
    pub(super) const fn new(most: usize) -> Self {
        Self { most, count: 0, keys: BTreeMap::new() }
    }

    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// Believe `record` until `expires`; `false` when there is no room for it.
    pub(super) fn add(
        &mut self,
        at: Distance,
        record: ProviderRecord,
        expires: Timestamp,
        now: Timestamp,
    ) -> bool {
        let addresses = record.addresses.into_iter().filter(|address| address.len() <= ADDRESS_BYTES);
        let provider = Provider { expires, addresses: addresses.take(ADDRESSES).collect() };
        if let Some(shelf) = self.keys.get_mut(&at) {
            let before = shelf.providers.len();
            shelf.providers.retain(|_, held| held.expires > now);
            self.count -= before - shelf.providers.len();
            if let Some(held) = shelf.providers.get_mut(&record.provider) {
                *held = provider;
                return true;
            }
            if shelf.providers.len() >= K_VALUE.get() {
                return false;
            }
        }
        if self.count >= self.most {
            self.expire(now);
        }
        while self.count >= self.most {
            match self.keys.last_key_value().map(|(far, _)| *far) {
                Some(far) if far > at => self.forget(&far),
                _ => return false,
            }
        }
        let shelf = self.keys.entry(at);
        let shelf = shelf.or_insert_with(|| Shelf { key: record.key, providers: BTreeMap::new() });
        shelf.providers.insert(record.provider, provider);
        self.count += 1;
        true
    }

    fn forget(&mut self, at: &Distance) {
        if let Some(shelf) = self.keys.remove(at) {
            self.count -= shelf.providers.len();
        }
    }

    fn expire(&mut self, now: Timestamp) {
        for shelf in self.keys.values_mut() {
            shelf.providers.retain(|_, held| held.expires > now);
        }
        self.keys.retain(|_, shelf| !shelf.providers.is_empty());
        self.count = self.keys.values().map(|shelf| shelf.providers.len()).sum();
    }

    /// The providers of a key at `now`, in the order of their names.
    pub(super) fn of(&self, at: &Distance, now: Timestamp) -> Vec<ProviderRecord> {
        let Some(shelf) = self.keys.get(at) else { return Vec::new() };
        let good = shelf.providers.iter().filter(|(_, held)| held.expires > now);
        let record = |(peer, held): (&PeerId, &Provider)| {
            ProviderRecord::new(shelf.key.clone(), *peer, held.addresses.clone())
        };
        good.map(record).collect()
    }

    pub(super) fn remove(&mut self, at: &Distance, provider: &PeerId) {
        if let Some(shelf) = self.keys.get_mut(at) {
            self.count -= usize::from(shelf.providers.remove(provider).is_some());
            if shelf.providers.is_empty() {
                self.keys.remove(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn add(providers: &mut Providers, far: u8, peer: PeerId, until: u64, at: u64) -> bool {
        let record = ProviderRecord::new(RecordKey::new(&[far]), peer, Vec::new());
        providers.add([far; 32], record, now(until), now(at))
    }

    #[test]
    fn a_key_keeps_its_first_twenty_until_they_end() {
        let mut providers = Providers::new(100);
        let peers: Vec<PeerId> = (0..21).map(|_| PeerId::random()).collect();
        for (at, peer) in peers[..20].iter().enumerate() {
            assert!(add(&mut providers, 1, *peer, 10 + at as u64, 0));
        }
        assert!(!add(&mut providers, 1, peers[20], 100, 5));
        assert!(add(&mut providers, 1, peers[3], 100, 5), "one of them says it again");
        let mut wanted = peers[..20].to_vec();
        wanted.sort_unstable();
        let of = |providers: &Providers, at| -> Vec<PeerId> {
            providers.of(&[1; 32], now(at)).into_iter().map(|record| record.provider).collect()
        };
        assert_eq!(of(&providers, 5), wanted, "sorted");
        assert_eq!(of(&providers, 29), [peers[3]], "the others have ended");
        assert!(add(&mut providers, 1, peers[20], 100, 15), "there is room again");
        providers.remove(&[1; 32], &peers[20]);
        providers.remove(&[1; 32], &peers[3]);
        assert_eq!((of(&providers, 29).len(), providers.len()), (0, 14));
    }

    #[test]
    fn the_farthest_key_makes_room() {
        let mut providers = Providers::new(2);
        let peer = PeerId::random();
        assert!(add(&mut providers, 7, peer, 100, 0) && add(&mut providers, 5, peer, 100, 0));
        assert!(!add(&mut providers, 9, peer, 100, 1), "it is the farthest itself");
        assert!(add(&mut providers, 6, peer, 100, 1));
        assert_eq!((providers.of(&[7; 32], now(1)).len(), providers.len()), (0, 2));
        assert!(add(&mut providers, 9, peer, 200, 100), "the others have ended");
        assert_eq!(providers.len(), 1);
    }
}
