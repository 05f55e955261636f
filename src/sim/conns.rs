//! The connections of one node: who, when last used, and whether the mesh holds it open.
//!
//! Eight bytes each, sorted by peer. A connection stands while both ends list it; whoever changes one end
//! changes the other. Time does not go back: a connection is touched at the time of the last touch or later.
//!
//! A node that holds as many connections as it may drops the one that it has not used for longest, for each new one. So
//! the next few of these are looked for at once.

/// Set in `Conn::used` when the mesh holds the connection open.
const PINNED: u32 = 1 << 31;

/// How many of the stalest are looked for at once.
const STALE: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Conn {
    /// Milliseconds of the run at the last use, and [`PINNED`].
    used: u32,
    peer: u32,
}

/// The connections of one node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conns {
    list: Vec<Conn>,
    /// Those that had not been used for longest when it was last looked, the stalest last. One that has been used or
    /// held open since, or has ended, is no longer among them; what is not among them was used later.
    stale: Vec<Conn>,
}

/// What a node knows of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Milliseconds of the run at the last use.
    pub(crate) used: u32,
    /// Whether the mesh holds it open.
    pub(crate) pinned: bool,
}

impl Conns {
    fn find(&self, peer: u32) -> Result<usize, usize> {
        self.list.binary_search_by_key(&peer, |c| c.peer)
    }

    /// The connection with `peer`.
    pub(crate) fn get(&self, peer: u32) -> Option<Usage> {
        let conn = self.list[self.find(peer).ok()?];
        Some(Usage { used: conn.used & !PINNED, pinned: conn.used & PINNED != 0 })
    }

    /// The connection with `peer`, if one stands, was used at `ms`. Returns whether one stands.
    pub(crate) fn use_at(&mut self, peer: u32, ms: u32) -> bool {
        let Ok(i) = self.find(peer) else { return false };
        let conn = &mut self.list[i];
        conn.used = (conn.used & PINNED) | (ms & !PINNED);
        true
    }

    /// The connection with `peer` was used at `ms`; it is made if it was not there.
    pub(crate) fn touch(&mut self, peer: u32, ms: u32) -> bool {
        let used = ms & !PINNED;
        match self.find(peer) {
            Ok(i) => {
                let conn = &mut self.list[i];
                conn.used = (conn.used & PINNED) | used;
                false
            }
            Err(i) => {
                self.list.insert(i, Conn { used, peer });
                true
            }
        }
    }

    /// The mesh holds the connection with `peer` open, or no longer.
    pub(crate) fn pin(&mut self, peer: u32, pinned: bool) {
        if let Ok(i) = self.find(peer) {
            let conn = &mut self.list[i];
            conn.used = (conn.used & !PINNED) | if pinned { PINNED } else { 0 };
            self.stale.clear();
        }
    }

    pub(crate) fn remove(&mut self, peer: u32) -> bool {
        match self.find(peer) {
            Ok(i) => {
                self.list.remove(i);
                true
            }
            Err(_) => false,
        }
    }

    /// The one that was not used for longest and is not held open.
    pub(crate) fn stalest(&mut self) -> Option<u32> {
        while let Some(stale) = self.stale.last().copied() {
            if self.find(stale.peer).is_ok_and(|i| self.list[i] == stale) {
                return Some(stale.peer);
            }
            self.stale.pop();
        }
        let mut held: Vec<Conn> = self.list.iter().copied().filter(|c| c.used & PINNED == 0).collect();
        if held.len() > STALE {
            held.select_nth_unstable(STALE);
            held.truncate(STALE);
        }
        held.sort_unstable_by(|a, b| b.cmp(a));
        // One that is used in the same millisecond as the last of them, or made then, could come between them.
        let last = held.first()?.used;
        self.stale.extend(held.iter().filter(|c| c.used < last));
        held.last().map(|stalest| stalest.peer)
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
        self.stale.clear();
    }

    pub(crate) fn footprint(&self) -> usize {
        (self.list.capacity() + self.stale.capacity()) * size_of::<Conn>()
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
        assert!(conns.touch(5, 10) && conns.touch(3, 20) && conns.touch(9, 5));
        assert!(!conns.touch(5, 30));
        conns.pin(9, true);
        assert_eq!(conns.stalest(), Some(3));
        conns.touch(9, 50);
        assert_eq!(conns.get(9), Some(Usage { used: 50, pinned: true }));
        conns.pin(9, false);
        assert!(conns.remove(3) && !conns.remove(3));
        assert_eq!(conns.peers().collect::<Vec<_>>(), [5, 9]);
    }

    #[test]
    fn the_stalest_is_what_a_look_at_everyone_finds() {
        let mut stream = Seed::new(3).stream(Concern(1000), 0);
        let (mut conns, mut plain) = (Conns::default(), BTreeMap::new());
        let mut ms = 0;
        for _ in 0..40_000 {
            ms += u32::from(stream.below(4) == 0);
            let peer = stream.below(300) as u32;
            match stream.below(8) {
                0 => assert_eq!(conns.remove(peer), plain.remove(&peer).is_some()),
                1 => {
                    let pinned = stream.below(2) == 0;
                    conns.pin(peer, pinned);
                    plain.entry(peer).and_modify(|held: &mut (u32, bool)| held.1 = pinned);
                }
                2 => {
                    assert_eq!(conns.use_at(peer, ms), plain.contains_key(&peer));
                    plain.entry(peer).and_modify(|held| held.0 = ms);
                }
                3 => {
                    conns.touch(peer, ms);
                    plain.entry(peer).or_insert((ms, false)).0 = ms;
                }
                _ => {
                    let free = plain.iter().filter(|(_, (_, pinned))| !pinned);
                    let stalest = free.map(|(peer, (used, _))| (*used, *peer)).min().map(|(_, peer)| peer);
                    assert_eq!(conns.stalest(), stalest, "at {ms}");
                    if let Some(peer) = stalest {
                        conns.remove(peer);
                        plain.remove(&peer);
                    }
                }
            }
        }
    }
}
