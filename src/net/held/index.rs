//! Which records are held: by distance, by age, within bounds. The values are elsewhere.
//!
//! # Who makes room
//!
//! When one more record would be too many, or too many bytes:
//!
//! 1. what has expired goes;
//! 2. then, farthest from this node first, records past half of their life. Publishers store theirs anew
//!    when half of it has passed, at those who are closest then: what was not renewed here by that time is
//!    either kept by closer ones or given up;
//! 3. then the farthest of all, the one that is offered among them: walks for a key end at the nodes that
//!    are closest to it, so what is far is asked for elsewhere, and a flood of far keys drives out nothing near.
//!
//! Records of this node's own are counted apart and make room for nobody but each other: the one that ends
//! first goes.

use std::collections::{BTreeMap, BTreeSet};

use crate::time::Timestamp;

/// The distance of a key from this node: the hashes of both, bit by bit.
pub(super) type Distance = [u8; 32];

/// What is known of a record without its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// When it ends.
    pub(super) expires: Timestamp,
    /// When half of its life has passed.
    pub(super) half: Timestamp,
    /// Bytes of key and value.
    pub(super) size: usize,
    /// It is this node's own.
    pub(super) own: bool,
}

/// The most records and bytes of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) records: usize,
    pub(super) bytes: usize,
}

/// What is held; see the [module](self).
#[derive(Debug)]
pub(super) struct Index {
    rooms: [Room; 2],
    used: [Room; 2],
    held: BTreeMap<Distance, Entry>,
    /// Of others, past half of their life.
    aged: BTreeSet<Distance>,
    /// When each one next changes its state: at half of its life, and at its end.
    moments: BTreeSet<(Timestamp, Distance)>,
    /// Of this node's own, by their ends.
    own: BTreeSet<(Timestamp, Distance)>,
}

impl Index {
    pub(super) fn new(others: Room, own: Room) -> Self {
        let none = Room { records: 0, bytes: 0 };
        Self {
            rooms: [others, own],
            used: [none; 2],
            held: BTreeMap::new(),
            aged: BTreeSet::new(),
            moments: BTreeSet::new(),
            own: BTreeSet::new(),
        }
    }

    pub(super) fn get(&self, at: &Distance) -> Option<&Entry> {
        self.held.get(at)
    }

    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// Every record's place, nearest first.
    pub(super) fn places(&self) -> impl Iterator<Item = &Distance> {
        self.held.keys()
    }

    /// Records and bytes held for others, and of this node's own.
    pub(super) const fn used(&self) -> [Room; 2] {
        self.used
    }

    /// Take in `entry`, or replace what is there. Who had to make room is pushed to `gone`. `false` when it
    /// found no room itself; then what was at its place is as it was.
    pub(super) fn put(
        &mut self,
        at: Distance,
        entry: Entry,
        now: Timestamp,
        gone: &mut Vec<Distance>,
    ) -> bool {
        self.advance(now, gone);
        let kind = usize::from(entry.own);
        let room = self.rooms[kind];
        let before = self.remove(&at);
        let over = |used: Room| used.records + 1 > room.records || used.bytes + entry.size > room.bytes;
        let mut made = Vec::new();
        while over(self.used[kind]) {
            let candidate = if entry.own { self.own.first().map(|(_, at)| *at) } else { self.farthest() };
            // Past half of its life is farther than any distance.
            let farther = |other: &Distance| entry.own || self.aged.contains(other) || *other > at;
            match candidate.filter(farther).and_then(|other| Some((other, self.remove(&other)?))) {
                Some(one) => made.push(one),
                None => {
                    for (at, entry) in made.into_iter().chain(before.map(|entry| (at, entry))) {
                        self.insert(at, entry, now);
                    }
                    return false;
                }
            }
        }
        gone.extend(made.into_iter().map(|(at, _)| at));
        self.insert(at, entry, now);
        true
    }

    /// Of those who make room for others, the first.
    fn farthest(&self) -> Option<Distance> {
        self.aged.last().copied().or_else(|| {
            let mut from_far = self.held.iter().rev();
            from_far.find(|(_, entry)| !entry.own).map(|(at, _)| *at)
        })
    }

    fn insert(&mut self, at: Distance, entry: Entry, now: Timestamp) {
        let used = &mut self.used[usize::from(entry.own)];
        used.records += 1;
        used.bytes += entry.size;
        if entry.own {
            self.own.insert((entry.expires, at));
            self.moments.insert((entry.expires, at));
        } else if entry.half <= now {
            self.aged.insert(at);
            self.moments.insert((entry.expires, at));
        } else {
            self.moments.insert((entry.half, at));
        }
        self.held.insert(at, entry);
    }

    /// Forget a record.
    pub(super) fn remove(&mut self, at: &Distance) -> Option<Entry> {
        let entry = self.held.remove(at)?;
        let used = &mut self.used[usize::from(entry.own)];
        used.records -= 1;
        used.bytes -= entry.size;
        self.aged.remove(at);
        self.own.remove(&(entry.expires, *at));
        self.moments.remove(&(entry.half, *at));
        self.moments.remove(&(entry.expires, *at));
        Some(entry)
    }

    /// Let time pass: what has ended is pushed to `gone`.
    pub(super) fn advance(&mut self, now: Timestamp, gone: &mut Vec<Distance>) {
        while let Some((moment, at)) = self.moments.first().copied().filter(|(moment, _)| *moment <= now) {
            self.moments.remove(&(moment, at));
            let Some(entry) = self.held.get(&at).copied() else { continue };
            if entry.expires <= now {
                self.remove(&at);
                gone.push(at);
            } else {
                self.aged.insert(at);
                self.moments.insert((entry.expires, at));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROOM: Room = Room { records: 3, bytes: 100 };

    fn at(far: u8) -> Distance {
        [far; 32]
    }

    fn of(from: u64, until: u64, size: usize) -> Entry {
        Entry {
            expires: Timestamp::from_millis(until),
            half: Timestamp::from_millis(from.midpoint(until)),
            size,
            own: false,
        }
    }

    fn put(index: &mut Index, far: u8, entry: Entry, now: u64) -> Option<Vec<u8>> {
        let mut gone = Vec::new();
        let kept = index.put(at(far), entry, Timestamp::from_millis(now), &mut gone);
        kept.then(|| gone.into_iter().map(|at| at[0]).collect())
    }

    #[test]
    fn expired_then_aged_then_far_ones_make_room() {
        let mut index = Index::new(ROOM, ROOM);
        assert_eq!(put(&mut index, 10, of(0, 100, 1), 0), Some(vec![]));
        assert_eq!(put(&mut index, 20, of(0, 1000, 1), 0), Some(vec![]));
        assert_eq!(put(&mut index, 30, of(0, 1000, 1), 0), Some(vec![]));
        assert_eq!(put(&mut index, 40, of(0, 1000, 1), 10), None, "it is the farthest itself");
        assert_eq!(put(&mut index, 25, of(20, 1000, 1), 20), Some(vec![30]), "the farthest goes");
        assert_eq!(put(&mut index, 90, of(60, 1000, 1), 60), Some(vec![10]), "10 is past half of its life");
        assert_eq!(put(&mut index, 95, of(600, 2000, 1), 600), Some(vec![90]), "of the aged, the farthest");
        assert_eq!(
            put(&mut index, 5, of(1000, 2000, 1), 1000),
            Some(vec![20, 25]),
            "what has ended goes first"
        );
        assert_eq!(index.used()[0], Room { records: 2, bytes: 2 });
    }

    #[test]
    fn bytes_make_room_too_and_a_refusal_changes_nothing() {
        let mut index = Index::new(ROOM, ROOM);
        put(&mut index, 10, of(0, 100, 60), 0);
        put(&mut index, 20, of(0, 100, 40), 0);
        assert_eq!(put(&mut index, 15, of(0, 100, 90), 0), None, "10 is nearer and has the bytes");
        assert_eq!(put(&mut index, 10, of(0, 100, 101), 0), None, "and what was under its key stays");
        assert_eq!(index.used()[0], Room { records: 2, bytes: 100 });
        assert_eq!(put(&mut index, 5, of(0, 100, 90), 0), Some(vec![20, 10]));
    }

    #[test]
    fn own_records_make_room_only_for_each_other() {
        let mut index = Index::new(ROOM, ROOM);
        for far in [200, 201, 202] {
            assert_eq!(
                put(&mut index, far, Entry { own: true, ..of(0, 900 + u64::from(far), 9) }, 0),
                Some(vec![])
            );
        }
        for far in 1..=4 {
            put(&mut index, far, of(0, 1000, 9), 0);
        }
        assert_eq!(index.used(), [Room { records: 3, bytes: 27 }; 2]);
        assert_eq!(
            put(&mut index, 255, Entry { own: true, ..of(0, 9000, 9) }, 0),
            Some(vec![200]),
            "the one that ends first, however far"
        );
        // A record of others that becomes one's own is counted there.
        put(&mut index, 1, Entry { own: true, ..of(0, 9000, 9) }, 0);
        assert_eq!(index.used(), [Room { records: 2, bytes: 18 }, Room { records: 3, bytes: 27 }]);
    }

    proptest! {
        #[test]
        fn bounds_hold_and_nothing_is_left_behind(
            puts in proptest::collection::vec((0u8..12, 0u64..50, 1usize..60, any::<bool>()), 1..60)
        ) {
            let mut index = Index::new(ROOM, ROOM);
            for (step, (far, life, size, own)) in puts.into_iter().enumerate() {
                let now = step as u64 * 5;
                put(&mut index, far, Entry { own, ..of(now, now + life, size) }, now);
                for used in index.used() {
                    prop_assert!(used.records <= ROOM.records && used.bytes <= ROOM.bytes);
                }
                let sum: usize = index.held.values().map(|entry| entry.size).sum();
                prop_assert_eq!(sum, index.used().iter().map(|used| used.bytes).sum::<usize>());
                prop_assert_eq!(index.moments.len(), index.held.len());
            }
            index.advance(Timestamp::MAX, &mut Vec::new());
            prop_assert_eq!((index.held.len(), index.aged.len(), index.moments.len(), index.own.len()), (0, 0, 0, 0));
        }
    }
}
