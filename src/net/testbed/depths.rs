//! How deep a node's lookups go, seen from outside: from the requests it sends for them and the answers it gets.
//!
//! A peer that is asked before any answer of the lookup has named it stands at depth 1: the node knew it. One that
//! was named first by an answer from depth d stands at d + 1. The hops of a lookup are the depth of the closest to
//! the key of those who answered.
//!
//! Order of calls: [`Depths::begun`], then what is asked and answered, then [`Depths::ended`]. Two lookups of
//! one key at a time are taken as one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use libp2p::PeerId;
use libp2p::kad::{KBucketDistance, KBucketKey};

/// The most lookups of one node that are measured at a time; those beside them count as 0 hops.
const LOOKUPS: usize = 256;
/// The most peers of one lookup that are remembered.
const PEERS: usize = 1024;

/// The lookups of one node that are measured. A clone is the same.
#[derive(Clone, Debug, Default)]
pub struct Depths(Arc<Mutex<Measured>>);

#[derive(Debug, Default)]
struct Measured {
    lookups: BTreeMap<Bytes, Lookup>,
    /// Answers so far.
    answers: u64,
}

/// A moment among the answers that a node has had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(u64);

#[derive(Debug)]
struct Lookup {
    /// How many of them go on under this key.
    open: u32,
    /// By whom an answer has named: its depth, and when that was.
    named: BTreeMap<PeerId, (u32, Moment)>,
    asked: BTreeMap<PeerId, u32>,
    closest: Option<(KBucketDistance, u32)>,
}

impl Depths {
    /// A lookup of `key` begins.
    pub fn begun(&self, key: &Bytes) {
        let all = &mut self.open().lookups;
        if all.len() < LOOKUPS || all.contains_key(key) {
            let new = || Lookup { open: 0, named: BTreeMap::new(), asked: BTreeMap::new(), closest: None };
            let lookup = all.entry(key.clone()).or_insert_with(new);
            lookup.open = lookup.open.saturating_add(1);
        }
    }

    /// It has ended. Its hops; 0 when nobody answered.
    pub fn ended(&self, key: &Bytes) -> u32 {
        let all = &mut self.open().lookups;
        let Some(lookup) = all.get_mut(key) else { return 0 };
        let hops = lookup.closest.map_or(0, |(_, depth)| depth);
        lookup.open = lookup.open.saturating_sub(1);
        if lookup.open == 0 {
            all.remove(key);
        }
        hops
    }

    /// The node dies.
    pub(super) fn forget(&self) {
        self.open().lookups.clear();
    }

    /// The present moment, to be handed to [`Depths::asked`]: a stream is opened when the node has decided whom to
    /// ask, and the request is written only a round trip later.
    pub(super) fn moment(&self) -> Moment {
        Moment(self.open().answers)
    }

    /// The node asks `peer` for peers closer to `key`, as it decided at `decided`. Says whether that is measured.
    pub(super) fn asked(&self, key: &Bytes, peer: PeerId, decided: Moment) -> bool {
        let all = &mut self.open().lookups;
        let Some(lookup) = all.get_mut(key) else { return false };
        if lookup.asked.len() < PEERS {
            let named = lookup.named.get(&peer).filter(|(_, when)| *when <= decided);
            let depth = named.map_or(1, |(depth, _)| *depth);
            lookup.asked.entry(peer).or_insert(depth);
        }
        true
    }

    /// `peer` has answered, and named these.
    pub(super) fn answered(&self, key: &Bytes, peer: PeerId, closer: impl Iterator<Item = PeerId>) {
        let mut all = self.open();
        all.answers = all.answers.saturating_add(1);
        let now = Moment(all.answers);
        let Some(lookup) = all.lookups.get_mut(key) else { return };
        let Some(depth) = lookup.asked.get(&peer).copied() else { return };
        for other in closer {
            if lookup.named.len() < PEERS && !lookup.asked.contains_key(&other) {
                lookup.named.entry(other).or_insert((depth.saturating_add(1), now));
            }
        }
        let distance = KBucketKey::new(key.to_vec()).distance(&KBucketKey::from(peer));
        if lookup.closest.is_none_or(|(closest, _)| distance < closest) {
            lookup.closest = Some((distance, depth));
        }
    }

    fn open(&self) -> MutexGuard<'_, Measured> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Peers by their distance to `key`, the closest first.
    fn peers(key: &Bytes, count: usize) -> Vec<PeerId> {
        let mut peers: Vec<PeerId> = (0..count).map(|_| PeerId::random()).collect();
        let target = KBucketKey::new(key.to_vec());
        peers.sort_by_key(|peer| target.distance(&KBucketKey::from(*peer)));
        peers
    }

    #[test]
    fn the_hops_are_the_depth_of_the_closest_who_answered() {
        let key = Bytes::from_static(b"key");
        let [closest, middle, far, silent] = peers(&key, 4)[..] else { unreachable!() };
        let depths = Depths::default();
        depths.begun(&key);
        depths.asked(&key, far, depths.moment());
        depths.answered(&key, far, [middle, silent].into_iter());
        depths.asked(&key, middle, depths.moment());
        depths.asked(&key, silent, depths.moment());
        depths.answered(&key, middle, [closest, far].into_iter());
        depths.asked(&key, closest, depths.moment());
        depths.answered(&key, closest, core::iter::empty());
        assert_eq!(depths.ended(&key), 3);
        assert_eq!(depths.ended(&key), 0, "it has ended");
    }

    #[test]
    fn whom_the_node_knew_is_at_depth_one_and_nobody_is_at_none() {
        let key = Bytes::from_static(b"key");
        let [closest, far] = peers(&key, 2)[..] else { unreachable!() };
        let depths = Depths::default();
        assert!(!depths.asked(&key, far, depths.moment()), "nothing is measured");
        depths.begun(&key);
        // Named only after the node had decided to ask it, though its request is written later.
        let decided = depths.moment();
        depths.asked(&key, far, decided);
        depths.answered(&key, far, [closest].into_iter());
        depths.asked(&key, closest, decided);
        depths.answered(&key, closest, core::iter::empty());
        assert_eq!(depths.ended(&key), 1);
        depths.begun(&key);
        depths.asked(&key, far, depths.moment());
        assert_eq!(depths.ended(&key), 0);
    }

    #[test]
    fn what_is_measured_is_bounded() {
        let depths = Depths::default();
        for at in 0..2 * LOOKUPS {
            depths.begun(&Bytes::from(at.to_be_bytes().to_vec()));
        }
        assert_eq!(depths.open().lookups.len(), LOOKUPS);
        depths.forget();
        assert_eq!(depths.open().lookups.len(), 0);
    }
}
