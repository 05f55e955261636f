//! The connections of one node: who, when last used, and whether the mesh holds it open.
//!
//! Eight bytes each, sorted by peer. A connection stands while both ends list it; whoever changes one end
//! changes the other.

/// Set in `Conn::used` when the mesh holds the connection open.
const PINNED: u32 = 1 << 31;

#[derive(Clone, Copy, Debug)]
struct Conn {
    peer: u32,
    /// Milliseconds of the run at the last use, and [`PINNED`].
    used: u32,
}

/// The connections of one node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conns {
    list: Vec<Conn>,
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
                self.list.insert(i, Conn { peer, used });
                true
            }
        }
    }

    /// The mesh holds the connection with `peer` open, or no longer.
    pub(crate) fn pin(&mut self, peer: u32, pinned: bool) {
        if let Ok(i) = self.find(peer) {
            let conn = &mut self.list[i];
            conn.used = (conn.used & !PINNED) | if pinned { PINNED } else { 0 };
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
    pub(crate) fn stalest(&self) -> Option<u32> {
        self.list.iter().filter(|c| c.used & PINNED == 0).min_by_key(|c| (c.used, c.peer)).map(|c| c.peer)
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
    }

    pub(crate) fn footprint(&self) -> usize {
        self.list.capacity() * size_of::<Conn>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
