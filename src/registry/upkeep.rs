//! When what was published is stored again, so that it outlives the time for which peers keep it.
//!
//! The schedule is the registry's own, and a bounded number of records is under way at once. What failed
//! comes again sooner, at intervals that double.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use crate::network::RequestId;
use crate::package::PackageName;
use crate::probe::sometimes;
use crate::registry::config::PublishConfig;
use crate::time::Timestamp;

/// Something of one's own that the DHT is to keep.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    /// The release that is one's own statement with this number.
    Release(u64),
    /// The list of this package.
    List(PackageName),
    /// That this node provides this package.
    Provided(PackageName),
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    due: Timestamp,
    failed: u32,
}

/// What is due when; see the [module](self).
#[derive(Debug)]
pub(super) struct Upkeep {
    every: Duration,
    retry_after: Duration,
    at_once: usize,
    entries: BTreeMap<Item, Entry>,
    due: BTreeSet<(Timestamp, Item)>,
    under_way: BTreeMap<RequestId, Item>,
}

impl Upkeep {
    pub(super) fn new(config: &PublishConfig) -> Self {
        Self {
            every: config.refresh_every,
            retry_after: config.retry_after,
            at_once: config.refresh_at_once,
            entries: BTreeMap::new(),
            due: BTreeSet::new(),
            under_way: BTreeMap::new(),
        }
    }

    /// `item` is to be stored again at `due`.
    pub(super) fn schedule(&mut self, item: Item, due: Timestamp) {
        let failed = self.entries.get(&item).map_or(0, |entry| entry.failed);
        self.set(item, Entry { due, failed });
    }

    /// Whether `item` comes at some time.
    pub(super) fn knows(&self, item: &Item) -> bool {
        self.entries.contains_key(item)
    }

    fn set(&mut self, item: Item, entry: Entry) {
        if let Some(old) = self.entries.insert(item.clone(), entry) {
            self.due.remove(&(old.due, item.clone()));
        }
        self.due.insert((entry.due, item));
    }

    /// The next item whose time has come, if another one may be under way. It is off the schedule until
    /// [`Upkeep::sent`] and [`Upkeep::ended`], or [`Upkeep::done`], put it back.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<Item> {
        if self.under_way.len() >= self.at_once || self.due.first()?.0 > now {
            return None;
        }
        self.due.pop_first().map(|(_, item)| item)
    }

    /// `item` is on its way as `request`.
    pub(super) fn sent(&mut self, request: RequestId, item: Item) {
        self.under_way.insert(request, item);
    }

    /// The request has ended.
    pub(super) fn ended(&mut self, request: RequestId, now: Timestamp, good: bool) {
        if let Some(item) = self.under_way.remove(&request) {
            self.done(item, now, good);
        }
    }

    /// `item` was stored, or not: when it comes again.
    pub(super) fn done(&mut self, item: Item, now: Timestamp, good: bool) {
        sometimes!(!good, UpkeepFailed);
        let failed = if good { 0 } else { self.entries.get(&item).map_or(0, |entry| entry.failed) + 1 };
        let span = match failed {
            0 => self.every,
            _ => self.retry_after.saturating_mul(1 << (failed - 1).min(16)).min(self.every),
        };
        self.set(item, Entry { due: now.after(span), failed });
    }

    /// `item` is gone: it does not come again.
    pub(super) fn forget(&mut self, item: &Item) {
        if let Some(old) = self.entries.remove(item) {
            self.due.remove(&(old.due, item.clone()));
        }
    }

    /// When the next item is due, if another one may be under way.
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        if self.under_way.len() >= self.at_once {
            return None;
        }
        self.due.first().map(|(due, _)| *due)
    }

    /// How many items are under way.
    pub(super) fn out(&self) -> usize {
        self.under_way.len()
    }

    /// The registry stops.
    pub(super) fn stop(&mut self) {
        self.entries.clear();
        self.due.clear();
        self.under_way.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn items_come_when_due_and_a_bounded_number_at_once() {
        let config = PublishConfig {
            refresh_every: Duration::from_secs(100),
            retry_after: Duration::from_secs(30),
            refresh_at_once: 2,
            ..PublishConfig::default()
        };
        let mut upkeep = Upkeep::new(&config);
        for number in 0..3 {
            upkeep.schedule(Item::Release(number), at(5));
        }
        assert_eq!(upkeep.take_due(at(4)), None);
        for request in 0..2 {
            let item = upkeep.take_due(at(5)).unwrap();
            upkeep.sent(RequestId(request), item);
        }
        assert_eq!((upkeep.take_due(at(5)), upkeep.next_deadline()), (None, None), "two are under way");
        upkeep.ended(RequestId(0), at(6), true);
        assert_eq!(upkeep.take_due(at(6)), Some(Item::Release(2)));
        upkeep.done(Item::Release(2), at(6), true);
        upkeep.ended(RequestId(1), at(7), false);
        assert_eq!(upkeep.next_deadline(), Some(at(37)), "what failed comes again sooner");
        let again = upkeep.take_due(at(37)).unwrap();
        assert_eq!(again, Item::Release(1));
        upkeep.done(again.clone(), at(37), false);
        assert_eq!(upkeep.next_deadline(), Some(at(97)), "and then at twice the interval");
        for _ in 0..40 {
            upkeep.done(again.clone(), at(100), false);
        }
        assert!(upkeep.entries[&again].due <= at(200), "never later than the regular interval");
        upkeep.forget(&again);
        assert_eq!(upkeep.due.len(), 2);
    }
}
