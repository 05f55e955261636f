//! The connections of one node: whom it dialled, with when each was last used and whether the mesh holds it open, and who
//! dialled it.
//!
//! A connection stands while the end that dialled, the *near* one, lists it; what there is to know of it is known there,
//! in eight bytes, sorted by peer. The *far* end lists only who it is with, in four bytes and no order: most far ends are
//! all over the memory, and are touched when a connection is made or ends, never when it is used. Whoever changes one end
//! changes the other, which is what [`Connections`] does. Time does not go back: a connection is used at the time of the
//! last use or later.
//!
//! A node that holds as many connections as it may drops the one that it has not used for longest, for each new one. So
//! the next few of these are looked for at once; and the place of one that was dropped is left open for the next, so that
//! only what stands between these two is moved.
//!
//! [`Connections`]: super::connections::Connections

use super::gallop::partition_point_near;

/// Set in `Conn::used` when the mesh holds the connection open.
const PINNED: u32 = 1 << 31;
/// The rest of `Conn::used`: the latest time that can be told, 24 days in milliseconds.
pub(crate) const LATEST: u32 = PINNED - 1;

/// How many of the stalest are looked for at once.
const STALE: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Conn {
    /// Milliseconds of the run at the last use, and [`PINNED`].
    used: u32,
    peer: u32,
}

impl Conn {
    fn usage(self, place: usize) -> Usage {
        Usage { used: self.used & LATEST, pinned: self.used & PINNED != 0, place: place as u32 }
    }
}

/// The connections of one node. One line of memory: a dial to this node, or its death, waits for it.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(crate) struct Conns {
    /// Those that this node dialled, and what stood at the open place.
    near: Vec<Conn>,
    /// Who dialled this node.
    far: Vec<u32>,
    /// Those that had not been used for longest when it was last looked, by last use and peer, the stalest last. One
    /// that has been used or held open since, or has ended, is no longer among them; what is not among them comes
    /// after them.
    ///
    /// Only who is at its limit has any. To find them, the near end of each far one is asked: at most as many as the limit,
    /// once for [`STALE`] that are dropped.
    #[expect(clippy::box_collection, reason = "few nodes have any, and all pay for the room")]
    stale: Option<Box<Vec<(u32, u32)>>>,
    /// Higher than every peer's number in `near` so far.
    above: u32,
    /// The place in `near` whose connection has ended, or [`ANYWHERE`] when none is open. Its peer still keeps the order.
    open: u32,
}

const _: () = assert!(
    size_of::<Conns>() == 64 || size_of::<usize>() != 8,
    "the lists of a node are one line of memory"
);

impl Default for Conns {
    fn default() -> Self {
        Self { near: Vec::new(), far: Vec::new(), stale: None, above: 0, open: ANYWHERE }
    }
}

/// What the near end knows of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Milliseconds of the run at the last use.
    pub(crate) used: u32,
    /// Whether the mesh holds it open.
    pub(crate) pinned: bool,
    /// Where it stands in the list now. It may stand elsewhere later, but hardly far from there.
    pub(crate) place: u32,
}

/// No place is known to stand near.
pub(crate) const ANYWHERE: u32 = u32::MAX;

/// Make room for one more, and not twice as much each time: there are as many of these lists as peers.
fn reserve<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len() / 8 + 4);
    }
}

impl Conns {
    fn find(&self, peer: u32) -> Result<usize, usize> {
        self.find_near(peer, self.guess(peer))
    }

    /// Where `peer` would stand if all were as far apart.
    fn guess(&self, peer: u32) -> usize {
        (u64::from(peer) * self.near.len() as u64 / u64::from(self.above.max(1))) as usize
    }

    fn find_near(&self, peer: u32, guess: usize) -> Result<usize, usize> {
        let is_at = |place: usize| {
            self.near.get(place).is_some_and(|conn| conn.peer == peer) && place != self.open as usize
        };
        if is_at(guess) {
            return Ok(guess);
        }
        let place = partition_point_near(&self.near, guess, |conn| conn.peer < peer);
        if is_at(place) { Ok(place) } else { Err(place) }
    }

    /// The connection with `peer`, if this node dialled it.
    pub(crate) fn near(&self, peer: u32) -> Option<Usage> {
        let place = self.find(peer).ok()?;
        Some(self.near[place].usage(place))
    }

    /// Whether `peer` dialled this node, and that connection stands.
    pub(crate) fn is_far(&self, peer: u32) -> bool {
        self.far.contains(&peer)
    }

    /// Where `peer` stands in `near`, or would; at place `stood` not long ago, if that is not [`ANYWHERE`].
    fn find_since(&self, peer: u32, stood: u32) -> Result<usize, usize> {
        if stood == ANYWHERE { self.find(peer) } else { self.find_near(peer, stood as usize) }
    }

    /// The connection with `peer`, if this node dialled it, is used at `ms`. It stood at place `stood` not long ago, or
    /// would have, if that is not [`ANYWHERE`]. Returns what it was before; or where it would stand.
    pub(crate) fn use_near(&mut self, peer: u32, ms: u32, stood: u32) -> Result<Usage, u32> {
        let place = self.find_since(peer, stood).map_err(|place| place as u32)?;
        let conn = &mut self.near[place];
        let before = conn.usage(place);
        conn.used = (conn.used & PINNED) | ms.min(LATEST);
        Ok(before)
    }

    /// This node has dialled `peer` at `ms`; no connection between them stood. It would have stood at place `stood` not
    /// long ago, if that is not [`ANYWHERE`]. The far end is to be told. Returns where it stands.
    pub(crate) fn dialled(&mut self, peer: u32, ms: u32, stood: u32) -> u32 {
        let (Ok(place) | Err(place)) = self.find_since(peer, stood);
        let conn = Conn { used: ms.min(LATEST), peer };
        self.above = self.above.max(peer.saturating_add(1));
        match core::mem::replace(&mut self.open, ANYWHERE) as usize {
            open if open >= self.near.len() => {
                reserve(&mut self.near);
                self.near.insert(place, conn);
                place as u32
            }
            open if place <= open => {
                self.near.copy_within(place..open, place + 1);
                self.near[place] = conn;
                place as u32
            }
            open => {
                self.near.copy_within(open + 1..place, open);
                self.near[place - 1] = conn;
                place as u32 - 1
            }
        }
    }

    /// Those that this node dialled.
    fn dialled_ones(&self) -> impl Iterator<Item = Conn> {
        let (before, after) = self.near.split_at((self.open as usize).min(self.near.len()));
        before.iter().chain(after.get(1..).unwrap_or_default()).copied()
    }

    /// Whom this node dialled.
    pub(crate) fn nears(&self) -> impl Iterator<Item = u32> {
        self.dialled_ones().map(|conn| conn.peer)
    }

    /// Who dialled this node, as far as it is listed here.
    pub(crate) fn fars(&self) -> &[u32] {
        &self.far
    }

    /// `peer` has dialled this node; no connection between them stood.
    pub(crate) fn dialled_by(&mut self, peer: u32) {
        reserve(&mut self.far);
        self.far.push(peer);
    }

    /// The mesh holds the connection with `peer` open, until it ends. Returns whether this is its near end, which is the
    /// one to be told.
    pub(crate) fn pin(&mut self, peer: u32) -> bool {
        let Ok(place) = self.find(peer) else { return false };
        self.near[place].used |= PINNED;
        true
    }

    /// The connection with `peer`, if this node dialled it, no longer stands; the far end is to be told. Returns what it
    /// was.
    pub(crate) fn remove_near(&mut self, peer: u32) -> Option<Usage> {
        let place = self.find(peer).ok()?;
        let usage = self.near[place].usage(place);
        if self.open == ANYWHERE {
            self.open = place as u32;
        } else {
            self.near.remove(place);
            self.open -= u32::from((place as u32) < self.open);
        }
        Some(usage)
    }

    /// The connection with `peer`, if that dialled it, no longer stands; the near end is to be told. Returns whether it
    /// stood.
    pub(crate) fn remove_far(&mut self, peer: u32) -> bool {
        // From the end: who needs room drops what it dialled a while ago, but few have dialled this node since.
        let place = self.far.iter().rposition(|it| *it == peer);
        place.map(|place| self.far.swap_remove(place)).is_some()
    }

    /// The connection with `ended` no longer stands. Mostly that was the stalest; whoever looks for the next then need not
    /// look for its other end.
    pub(crate) fn no_longer_stale(&mut self, ended: u32) {
        if let Some(stale) = &mut self.stale {
            stale.pop_if(|(_, peer)| *peer == ended);
        }
    }

    /// The one that was not used for longest and is not held open. It is `ms` now; `near` tells what the near end with a peer
    /// knows, if that has dialled this node. The `unlisted` may have and are not listed here.
    pub(crate) fn stalest(
        &mut self,
        ms: u32,
        unlisted: &[u32],
        near: impl Fn(u32) -> Option<Usage>,
    ) -> Option<u32> {
        let age = |usage: Usage, peer: u32| (!usage.pinned).then_some((usage.used, peer));
        while let Some(stale) = self.stale.as_ref().and_then(|stale| stale.last()).copied() {
            let usage = self.near(stale.1).or_else(|| near(stale.1));
            if usage.and_then(|usage| age(usage, stale.1)) == Some(stale) {
                return Some(stale.1);
            }
            self.stale.as_mut().and_then(|stale| stale.pop());
        }
        let dialled = self.dialled_ones().filter_map(|conn| age(conn.usage(0), conn.peer));
        let dialled_by = self.far.iter().chain(unlisted).filter_map(|peer| age(near(*peer)?, *peer));
        let mut held: Vec<(u32, u32)> = dialled.chain(dialled_by).collect();
        if held.len() > STALE {
            held.select_nth_unstable(STALE);
            held.truncate(STALE);
        }
        held.sort_unstable_by(|a, b| b.cmp(a));
        let stalest = *held.last()?;
        // One that is used in this millisecond, or made in it, could come between those that were.
        self.stale.get_or_insert_default().extend(held.iter().filter(|age| age.0 < ms));
        Some(stalest.1)
    }

    /// Whom [`Conns::stalest`] would look at first.
    #[cfg(test)]
    pub(crate) fn looked_at_first(&self) -> Option<u32> {
        self.stale.as_ref()?.last().map(|(_, peer)| *peer)
    }

    pub(crate) fn clear(&mut self) {
        self.near.clear();
        self.far.clear();
        self.stale = None;
        self.open = ANYWHERE;
    }

    pub(crate) fn footprint(&self) -> usize {
        let stale = self.stale.as_ref().map_or(0, |stale| stale.capacity() + 3);
        (self.near.capacity() + stale) * size_of::<Conn>() + self.far.capacity() * 4
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::sim::rng::{Concern, Seed};

    fn usage(used: u32, pinned: bool) -> Usage {
        Usage { used, pinned, place: 0 }
    }

    #[test]
    fn the_stalest_that_is_not_held_open_goes_first() {
        let mut conns = Conns::default();
        let near = |peer| (peer == 7).then_some(usage(15, false));
        assert_eq!([(5, 10), (3, 20), (9, 5)].map(|(peer, ms)| conns.dialled(peer, ms, ANYWHERE)), [0, 0, 2]);
        conns.dialled_by(7);
        assert_eq!(conns.use_near(5, 30, 1).map(|held| held.used), Ok(10));
        assert_eq!(conns.use_near(4, 30, 2), Err(1));
        assert!(conns.pin(9) && !conns.pin(7));
        assert_eq!(conns.stalest(30, &[], near), Some(7));
        assert!(conns.remove_near(7).is_none() && conns.remove_far(7) && !conns.remove_far(7));
        assert_eq!(conns.stalest(30, &[], |_| None), Some(3));
        assert_eq!(conns.use_near(9, 50, ANYWHERE).map(|held| held.used), Ok(5));
        assert_eq!(conns.near(9), Some(Usage { used: 50, pinned: true, place: 2 }));
        assert!(conns.remove_near(3).is_some() && conns.remove_near(3).is_none() && !conns.remove_far(3));
        conns.dialled_by(8);
        assert_eq!((conns.nears().collect::<Vec<_>>(), conns.fars()), (vec![5, 9], [8].as_slice()));
        assert_eq!(
            [3, 5, 7, 8].map(|peer| (conns.near(peer).is_some(), conns.is_far(peer))),
            [(false, false), (true, false), (false, false), (false, true)]
        );
    }

    /// How often a far end is asked while everyone ends, the stalest first.
    fn looks(dialled: bool) -> usize {
        let mut conns = Conns::default();
        for peer in 0..1_000 {
            if dialled {
                conns.dialled(peer, 5, ANYWHERE);
            } else {
                conns.dialled_by(peer);
            }
        }
        let looks = core::cell::Cell::new(0);
        for peer in 0..STALE as u32 {
            let near = |other| {
                looks.set(looks.get() + 1);
                (!dialled && other >= peer).then_some(usage(5, false))
            };
            assert_eq!(conns.stalest(6, &[], near), Some(peer));
            assert!(conns.remove_near(peer).is_some() || conns.remove_far(peer));
            conns.no_longer_stale(peer);
        }
        looks.get()
    }

    #[test]
    fn those_of_one_instant_are_looked_for_once() {
        let of_far = looks(false);
        assert!(of_far < 1_000 + STALE, "{of_far} looks");
        assert_eq!(looks(true), 0, "what is dialled is known here, and nobody looks for what has ended");
    }

    #[test]
    fn the_stalest_is_what_a_look_at_everyone_finds() {
        let mut stream = Seed::new(3).stream(Concern(1000), 0);
        // What is true of each, and whether this end is the far one.
        let mut plain: BTreeMap<u32, (u32, bool, bool)> = BTreeMap::new();
        let (mut conns, mut ms, mut asked, mut more, mut filled) = (Conns::default(), 0, 0, 0, 0);
        for _ in 0..60_000 {
            ms += u32::from(stream.below(4) == 0);
            let peer = stream.below(900) as u32;
            let far = plain.get(&peer).map(|held| held.2);
            match stream.below(8) {
                0 => {
                    let ends = (conns.remove_near(peer).is_some(), conns.remove_far(peer));
                    let far = plain.remove(&peer).map(|held| held.2);
                    assert_eq!(ends, (far == Some(false), far == Some(true)));
                }
                1 if stream.below(4) == 0 => {
                    assert_eq!(conns.pin(peer), far == Some(false));
                    plain.entry(peer).and_modify(|held| held.1 = true);
                }
                1..4 => {
                    let stood = [ANYWHERE, stream.below(920) as u32][stream.below(2) as usize];
                    let held = conns.use_near(peer, ms, stood).ok().map(|held| (held.used, held.pinned));
                    let known = plain.get(&peer).filter(|held| !held.2);
                    assert_eq!(held, known.map(|held| (held.0, held.1)));
                    plain.entry(peer).and_modify(|held| held.0 = ms);
                }
                4 if far.is_none() => {
                    let far = stream.below(2) == 0;
                    if far {
                        conns.dialled_by(peer);
                    } else {
                        let stood = [ANYWHERE, stream.below(920) as u32][stream.below(2) as usize];
                        conns.dialled(peer, ms, stood);
                    }
                    plain.insert(peer, (ms, false, far));
                }
                _ => {
                    let free = plain.iter().filter(|(_, (_, pinned, _))| !pinned);
                    more += u32::from(free.clone().count() > STALE);
                    let stalest = free.map(|(peer, (used, ..))| (*used, *peer)).min().map(|(_, peer)| peer);
                    let looks = core::cell::Cell::new(0);
                    let near = |peer| {
                        looks.set(looks.get() + 1);
                        plain.get(&peer).filter(|held| held.2).map(|held| usage(held.0, held.1))
                    };
                    assert_eq!(conns.stalest(ms, &[], near), stalest, "at {ms}");
                    asked += looks.get();
                    if let Some(peer) = stalest.filter(|_| stream.below(12) == 0) {
                        assert!(conns.remove_near(peer).is_some() || conns.remove_far(peer));
                        plain.remove(&peer);
                    }
                }
            }
            let held = plain.get(&peer).map(|held| held.2);
            assert_eq!(
                (conns.near(peer).is_some(), conns.is_far(peer)),
                (held == Some(false), held == Some(true))
            );
            assert_eq!(conns.nears().count() + conns.fars().len(), plain.len());
            filled += u32::from(conns.open != ANYWHERE);
        }
        assert!(asked > 1_000, "{asked}: the near ends were needed");
        assert!(more > 1_000, "{more}: there were more than are looked for at once");
        assert!(filled > 1_000 && filled < 59_000, "{filled} times a place was open");
    }
}
