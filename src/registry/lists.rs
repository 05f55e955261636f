//! The newest list seen of each package: which sequence must never be gone back from.
//!
//! The lists themselves are in the store; here is what they are called by. The number of packages is
//! bounded: the one that was looked at longest ago makes room.

use std::collections::{BTreeMap, BTreeSet};

use crate::package::PackageId;

#[derive(Clone, Copy, Debug)]
struct Seen {
    sequence: u64,
    touched: u64,
}

/// The highest sequence seen of each package.
#[derive(Debug)]
pub(super) struct Lists {
    most: usize,
    clock: u64,
    seen: BTreeMap<PackageId, Seen>,
    by_touch: BTreeSet<(u64, PackageId)>,
}

/// What became of a list that was seen.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// It is the newest so far. The package in it made room and is to be forgotten.
    Newest(Option<PackageId>),
    /// One as new or newer was seen before.
    Known,
}

impl Lists {
    pub(super) const fn new(most: usize) -> Self {
        Self { most, clock: 0, seen: BTreeMap::new(), by_touch: BTreeSet::new() }
    }

    /// A verified list of `package` was seen.
    pub(super) fn see(&mut self, package: &PackageId, sequence: u64) -> Sight {
        let newest = match self.seen.get(package) {
            Some(held) if held.sequence >= sequence => false,
            Some(held) => {
                self.by_touch.remove(&(held.touched, package.clone()));
                true
            }
            None => true,
        };
        if !newest {
            self.touch(package);
            return Sight::Known;
        }
        self.clock += 1;
        self.seen.insert(package.clone(), Seen { sequence, touched: self.clock });
        self.by_touch.insert((self.clock, package.clone()));
        let gone = if self.seen.len() > self.most { self.by_touch.pop_first() } else { None };
        Sight::Newest(gone.map(|(_, package)| {
            self.seen.remove(&package);
            package
        }))
    }

    /// The package is being looked at.
    pub(super) fn touch(&mut self, package: &PackageId) {
        if let Some(held) = self.seen.get_mut(package) {
            self.by_touch.remove(&(held.touched, package.clone()));
            self.clock += 1;
            held.touched = self.clock;
            self.by_touch.insert((self.clock, package.clone()));
        }
    }

    /// Whether a list of the package was seen.
    pub(super) fn knows(&self, package: &PackageId) -> bool {
        self.seen.contains_key(package)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::{PackageName, PublisherId};

    fn package(name: &str) -> PackageId {
        PackageId { publisher: PublisherId::new([7; 32]), name: PackageName::new(name).unwrap() }
    }

    #[test]
    fn sequences_only_rise_and_the_longest_untouched_makes_room() {
        let mut lists = Lists::new(2);
        assert_eq!(lists.see(&package("a"), 5), Sight::Newest(None));
        assert_eq!(lists.see(&package("a"), 4), Sight::Known);
        assert_eq!(lists.see(&package("a"), 5), Sight::Known);
        assert_eq!(lists.see(&package("b"), 1), Sight::Newest(None));
        lists.touch(&package("a"));
        assert_eq!(lists.see(&package("c"), 1), Sight::Newest(Some(package("b"))));
        assert_eq!(lists.see(&package("a"), 6), Sight::Newest(None));
        assert!(lists.knows(&package("a")) && !lists.knows(&package("b")));
        assert_eq!((lists.seen.len(), lists.by_touch.len()), (2, 2));
    }
}
