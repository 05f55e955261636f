//! The connections of one node: who, when last used, and whether the mesh holds it open.
//!
//! Eight bytes each, sorted by peer. A connection stands while both ends list it; whoever changes one end
//! changes the other. Time does not go back: a connection is touched at the time of the last touch or later.
//!
//! Only the *near* end, the one that dialled, notes each use: most messages go over few nodes' connections, and the other
//! ends are all over the memory. The *far* end knows when it looked last, which was no later than the truth, and asks the
//! near one when it matters.
//!
//! A node that holds as many connections as it may drops the one that it has not used for longest, for each new one. So
//! the next few of these are looked for at once.

use super::gallop::partition_point_near;

/// Set in `Conn::used` when the mesh holds the connection open.
const PINNED: u32 = 1 << 31;
/// Set in `Conn::used` at the end that does not note uses.
const FAR: u32 = 1 << 30;
/// The rest of `Conn::used`: the latest time that can be told, 12 days in milliseconds.
pub(crate) const LATEST: u32 = FAR - 1;

/// How many of the stalest are looked for at once.
const STALE: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Conn {
    /// Milliseconds of the run at the last use, [`PINNED`] and [`FAR`].
    used: u32,
    peer: u32,
}

impl Conn {
    fn age(self) -> (u32, u32) {
        (self.used & LATEST, self.peer)
    }

    fn usage(self, place: usize) -> Usage {
        let (pinned, far) = (self.used & PINNED != 0, self.used & FAR != 0);
        Usage { used: self.used & LATEST, pinned, far, place: place as u32 }
    }

    fn set(&mut self, ms: u32) {
        self.used = (self.used & !LATEST) | ms.min(LATEST);
    }
}

/// The connections of one node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conns {
    list: Vec<Conn>,
    /// Those that had not been used for longest when it was last looked, by last use and peer, the stalest last. One
    /// that has been used or held open since, or has ended, is no longer among them; what is not among them was used
    /// later.
    ///
    /// Only who is at its limit has any.
    #[expect(clippy::box_collection, reason = "few nodes have any, and all pay for the room")]
    stale: Option<Box<Vec<(u32, u32)>>>,
    /// Higher than every peer's number so far.
    above: u32,
}

/// What a node knows of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Milliseconds of the run at the last use, or before it at the far end.
    pub(crate) used: u32,
    /// Whether the mesh holds it open.
    pub(crate) pinned: bool,
    /// Whether the other end knows better when it was used.
    pub(crate) far: bool,
    /// Where it stands in the list now. It may stand elsewhere later, but hardly far from there.
    pub(crate) place: u32,
}

/// No place is known to stand near.
pub(crate) const ANYWHERE: u32 = u32::MAX;

impl Conns {
    fn find(&self, peer: u32) -> Result<usize, usize> {
        self.find_near(peer, self.guess(peer))
    }

    /// Where `peer` would stand if all were as far apart.
    fn guess(&self, peer: u32) -> usize {
        (u64::from(peer) * self.list.len() as u64 / u64::from(self.above.max(1))) as usize
    }

    fn find_near(&self, peer: u32, guess: usize) -> Result<usize, usize> {
        let is_at = |place: usize| self.list.get(place).is_some_and(|conn| conn.peer == peer);
        if is_at(guess) {
            return Ok(guess);
        }
        let place = partition_point_near(&self.list, guess, |conn| conn.peer < peer);
        if is_at(place) { Ok(place) } else { Err(place) }
    }

    /// The connection with `peer`.
    pub(crate) fn get(&self, peer: u32) -> Option<Usage> {
        let place = self.find(peer).ok()?;
        Some(self.list[place].usage(place))
    }

    /// The connection with `peer`, if one stands, is used at `ms`; if this is the far end, the near one is to be told.
    /// It stood at place `stood` not long ago, if that is not [`ANYWHERE`]. Returns what it was before.
    pub(crate) fn use_at(&mut self, peer: u32, ms: u32, stood: u32) -> Option<Usage> {
        let found = if stood == ANYWHERE { self.find(peer) } else { self.find_near(peer, stood as usize) };
        let place = found.ok()?;
        let conn = self.list.get_mut(place)?;
        let before = conn.usage(place);
        if !before.far {
            conn.set(ms);
        }
        Some(before)
    }

    /// The connection with `peer` was used at `ms`; it is made if it was not there, with this as its far end or not.
    /// Both ends are told. Returns whether it was made, and at which place it stands.
    pub(crate) fn touch(&mut self, peer: u32, ms: u32, far: bool) -> (bool, u32) {
        match self.find(peer) {
            Ok(i) => {
                self.list[i].set(ms);
                (false, i as u32)
            }
            Err(i) => {
                let used = ms.min(LATEST) | if far { FAR } else { 0 };
                // Not twice as much room each time: there are as many of these lists as peers.
                if self.list.len() == self.list.capacity() {
                    self.list.reserve_exact(self.list.len() / 8 + 4);
                }
                self.list.insert(i, Conn { used, peer });
                self.above = self.above.max(peer.saturating_add(1));
                (true, i as u32)
            }
        }
    }

    /// The mesh holds the connection with `peer` open, or no longer.
    pub(crate) fn pin(&mut self, peer: u32, pinned: bool) {
        if let Ok(i) = self.find(peer) {
            let conn = &mut self.list[i];
            conn.used = (conn.used & !PINNED) | if pinned { PINNED } else { 0 };
            self.stale = None;
        }
    }

    /// The connection with `peer` no longer stands. Returns what it was.
    pub(crate) fn remove(&mut self, peer: u32) -> Option<Usage> {
        let place = self.find(peer).ok()?;
        Some(self.list.remove(place).usage(place))
    }

    /// The one that was not used for longest and is not held open. `near` tells of the near end with a peer when it was
    /// used.
    pub(crate) fn stalest(&mut self, near: impl Fn(u32) -> Option<u32>) -> Option<u32> {
        loop {
            while let Some(stale) = self.stale.as_ref().and_then(|stale| stale.last()).copied() {
                if self.find(stale.1).is_ok_and(|i| self.look(i, &near) == Some(stale)) {
                    return Some(stale.1);
                }
                self.stale.as_mut().and_then(|stale| stale.pop());
            }
            let free = |c: &Conn| c.used & PINNED == 0;
            let mut held: Vec<(u32, u32)> = self.list.iter().copied().filter(free).map(Conn::age).collect();
            let some = held.len() > STALE;
            if some {
                held.select_nth_unstable(STALE);
                held.truncate(STALE);
            }
            let oldest_else = held.iter().copied().max()?;
            for age in &mut held {
                let found = self.find(age.1).ok().and_then(|i| self.look(i, &near));
                *age = found.unwrap_or(*age);
            }
            held.sort_unstable_by(|a, b| b.cmp(a));
            let (last, stalest) = (*held.first()?, *held.last()?);
            // Whoever is not among them was used at `oldest_else` or later.
            let last = if some { last.min(oldest_else) } else { last };
            if stalest > last {
                continue;
            }
            // One that is used in the same millisecond as the last of them, or made then, could come between them.
            self.stale.get_or_insert_default().extend(held.iter().filter(|age| age.0 < last.0));
            return Some(stalest.1);
        }
    }

    /// When the connection at place `i` was used, and with whom, unless it is held open. The far end learns it.
    fn look(&mut self, i: usize, near: impl Fn(u32) -> Option<u32>) -> Option<(u32, u32)> {
        let conn = self.list.get_mut(i).filter(|conn| conn.used & PINNED == 0)?;
        if conn.used & FAR != 0
            && let Some(ms) = near(conn.peer)
        {
            conn.set(ms);
        }
        Some(conn.age())
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Everyone, by number.
    pub(crate) fn peers(&self) -> impl Iterator<Item = u32> + '_ {
        self.list.iter().map(|c| c.peer)
    }

    pub(crate) fn clear(&mut self) {
        self.list.clear();
        self.stale = None;
    }

    pub(crate) fn footprint(&self) -> usize {
        let stale = self.stale.as_ref().map_or(0, |stale| stale.capacity() + 3);
        (self.list.capacity() + stale) * size_of::<Conn>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::sim::rng::{Concern, Seed};

    #[test]
    fn the_stalest_that_is_not_held_open_goes_first() {
        let mut conns = Conns::default();
        let none = |_| None;
        assert_eq!(
            [(5, 10), (3, 20), (9, 5)].map(|(peer, ms)| conns.touch(peer, ms, false)),
            [(true, 0), (true, 0), (true, 2)]
        );
        assert_eq!(conns.touch(5, 30, false), (false, 1));
        conns.pin(9, true);
        assert_eq!(conns.stalest(none), Some(3));
        conns.touch(9, 50, false);
        assert_eq!(conns.get(9), Some(Usage { used: 50, pinned: true, far: false, place: 2 }));
        conns.pin(9, false);
        assert!(conns.remove(3).is_some() && conns.remove(3).is_none());
        assert_eq!(conns.peers().collect::<Vec<_>>(), [5, 9]);
    }

    #[test]
    fn the_stalest_is_what_a_look_at_everyone_finds() {
        let mut stream = Seed::new(3).stream(Concern(1000), 0);
        // What is true of each, and whether this end is the far one.
        let mut plain: BTreeMap<u32, (u32, bool, bool)> = BTreeMap::new();
        let (mut conns, mut ms, mut asked) = (Conns::default(), 0, 0);
        for _ in 0..60_000 {
            ms += u32::from(stream.below(4) == 0);
            let peer = stream.below(300) as u32;
            match stream.below(8) {
                0 => assert_eq!(conns.remove(peer).is_some(), plain.remove(&peer).is_some()),
                1 => {
                    let pinned = stream.below(2) == 0;
                    conns.pin(peer, pinned);
                    plain.entry(peer).and_modify(|held| held.1 = pinned);
                }
                2 | 3 => {
                    let stood = [ANYWHERE, stream.below(320) as u32][stream.below(2) as usize];
                    let held = conns.use_at(peer, ms, stood).map(|held| (held.pinned, held.far));
                    assert_eq!(held, plain.get(&peer).map(|held| (held.1, held.2)));
                    plain.entry(peer).and_modify(|held| held.0 = ms);
                }
                4 => {
                    let far = stream.below(2) == 0;
                    conns.touch(peer, ms, far);
                    plain.entry(peer).or_insert((ms, false, far)).0 = ms;
                }
                _ => {
                    let free = plain.iter().filter(|(_, (_, pinned, _))| !pinned);
                    let stalest = free.map(|(peer, (used, ..))| (*used, *peer)).min().map(|(_, peer)| peer);
                    let looks = core::cell::Cell::new(0);
                    let near = |peer| {
                        looks.set(looks.get() + 1);
                        plain.get(&peer).map(|held| held.0)
                    };
                    assert_eq!(conns.stalest(near), stalest, "at {ms}");
                    asked += looks.get();
                    if let Some(peer) = stalest {
                        conns.remove(peer);
                        plain.remove(&peer);
                    }
                }
            }
        }
        assert!(asked > 1_000, "{asked}: the near ends were needed");
    }
}
