//! Statements that catalogues hold together: each once, however many hold it.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::bits::Bits;
use super::index::Index;
use super::statement::Statement;
use crate::package::{PublisherId, ReleaseId};
use crate::record::{Checked, Digest};

/// Statements shared by catalogues. Clones are the same pool.
///
/// It holds what its catalogues hold and nothing else, so it needs no bound of its own.
#[derive(Clone, Default)]
pub struct Pool(Arc<Mutex<Entries>>);

/// A pool's name for one of its statements, as long as some catalogue holds it. Then it is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub(super) u32);

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("statements", &self.len()).finish_non_exhaustive()
    }
}

impl Pool {
    /// An empty pool.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many different statements its catalogues hold.
    pub fn len(&self) -> usize {
        self.entries().by_digest.len()
    }

    /// Whether no catalogue holds anything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn entries(&self) -> MutexGuard<'_, Entries> {
        // Nothing panics between two changes that belong together, so what a poisoned lock guards is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Slot {
    record: Checked,
    /// How many catalogues hold it.
    holders: u32,
    /// How many others share its release or its number: where there are none, nothing can contradict it.
    kin: u32,
}

/// What a publisher has said, as far as anyone holds it.
#[derive(Default)]
pub(super) struct Shelf {
    pub(super) by_number: BTreeMap<u64, Vec<u32>>,
    pub(super) entries: usize,
}

/// The statements and every way to find them.
#[derive(Default)]
pub(super) struct Entries {
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    by_digest: BTreeMap<Digest, u32>,
    by_release: BTreeMap<ReleaseId, Vec<u32>>,
    pub(super) shelves: BTreeMap<PublisherId, Shelf>,
    pub(super) yanks: BTreeSet<u32>,
    pub(super) index: Index,
}

impl Entries {
    pub(super) fn record(&self, entry: u32) -> Option<&Checked> {
        self.slot(entry).map(|slot| &slot.record)
    }

    pub(super) fn statement(&self, entry: u32) -> Option<Statement<'_>> {
        self.record(entry).and_then(|record| Statement::of(record))
    }

    pub(super) fn by_digest(&self, digest: &Digest) -> Option<u32> {
        self.by_digest.get(digest).copied()
    }

    /// The entries of `held` about `release`.
    pub(super) fn about<'a>(&'a self, release: &ReleaseId, held: &'a Bits) -> impl Iterator<Item = u32> + 'a {
        self.by_release.get(release).into_iter().flatten().copied().filter(|entry| held.contains(*entry))
    }

    /// The entries of `held` under a publisher's number.
    pub(super) fn numbered<'a>(
        &'a self,
        publisher: PublisherId,
        number: u64,
        held: &'a Bits,
    ) -> impl Iterator<Item = u32> + 'a {
        let entries = self.shelves.get(&publisher).and_then(|shelf| shelf.by_number.get(&number));
        entries.into_iter().flatten().copied().filter(|entry| held.contains(*entry))
    }

    /// The entries of `held` that could contradict `statement`: some may come twice.
    pub(super) fn kin<'a>(
        &'a self,
        statement: Statement<'_>,
        held: &'a Bits,
    ) -> impl Iterator<Item = u32> + 'a {
        let numbered = self.numbered(statement.publisher(), statement.number, held);
        numbered.chain(self.about(statement.release, held))
    }

    /// Whether nothing in the whole pool is about the same release or has the same number.
    pub(super) fn is_alone(&self, entry: u32) -> bool {
        self.slot(entry).is_none_or(|slot| slot.kin == 0)
    }

    /// One more catalogue holds `entry`; whether there is such an entry.
    pub(super) fn hold(&mut self, entry: u32) -> bool {
        let slot = self.slots.get_mut(entry as usize).and_then(Option::as_mut);
        slot.map(|slot| slot.holders += 1).is_some()
    }

    /// One more catalogue holds `record`, which is a statement. Its entry.
    pub(super) fn take_in(&mut self, record: &Checked) -> u32 {
        if let Some(entry) = self.by_digest(&record.digest()) {
            self.hold(entry);
            return entry;
        }
        let entry = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let mut kin = 0;
        if let Some(statement) = Statement::of(record) {
            kin = self.count_kin(statement, |kin| kin.saturating_add(1));
            let shelf = self.shelves.entry(statement.publisher()).or_default();
            shelf.by_number.entry(statement.number).or_default().push(entry);
            shelf.entries += 1;
            self.by_release.entry(statement.release.clone()).or_default().push(entry);
            if statement.yanks() {
                self.yanks.insert(entry);
            }
        }
        self.index.insert(entry, record);
        self.by_digest.insert(record.digest(), entry);
        if let Some(slot) = self.slots.get_mut(entry as usize) {
            *slot = Some(Slot { record: Arc::clone(record), holders: 1, kin });
        }
        entry
    }

    /// One catalogue fewer holds `entry`; the last one to let go removes it.
    pub(super) fn let_go(&mut self, entry: u32) {
        let Some(slot) = self.slots.get_mut(entry as usize) else { return };
        match slot {
            Some(held) if held.holders > 1 => held.holders -= 1,
            _ => {
                if let Some(Slot { record, .. }) = slot.take() {
                    self.remove(entry, &record);
                }
            }
        }
    }

    fn remove(&mut self, entry: u32, record: &Checked) {
        self.free.push(entry);
        self.by_digest.remove(&record.digest());
        self.index.remove(entry, record);
        self.yanks.remove(&entry);
        let Some(statement) = Statement::of(record) else { return };
        if let Some(shelf) = self.shelves.get_mut(&statement.publisher()) {
            shelf.entries -= 1;
            drop_from(&mut shelf.by_number, &statement.number, entry);
            if shelf.by_number.is_empty() {
                self.shelves.remove(&statement.publisher());
            }
        }
        drop_from(&mut self.by_release, statement.release, entry);
        self.count_kin(statement, |kin| kin.saturating_sub(1));
    }

    /// Change the count of everything that shares a release or a number with `statement`, which is not
    /// among them; how many there are, one that shares both counted twice.
    fn count_kin(&mut self, statement: Statement<'_>, change: impl Fn(u32) -> u32) -> u32 {
        let shelf = self.shelves.get(&statement.publisher());
        let numbered = shelf.and_then(|shelf| shelf.by_number.get(&statement.number));
        let about = self.by_release.get(statement.release);
        let mut count = 0;
        for entry in numbered.into_iter().chain(about).flatten() {
            if let Some(Some(slot)) = self.slots.get_mut(*entry as usize) {
                slot.kin = change(slot.kin);
            }
            count += 1;
        }
        count
    }

    fn slot(&self, entry: u32) -> Option<&Slot> {
        self.slots.get(entry as usize).and_then(Option::as_ref)
    }
}

/// Take `entry` out of the list under `key`, and the list out when it is empty.
fn drop_from<K: Ord>(lists: &mut BTreeMap<K, Vec<u32>>, key: &K, entry: u32) {
    if let Some(list) = lists.get_mut(key) {
        list.retain(|other| *other != entry);
        if list.is_empty() {
            lists.remove(key);
        }
    }
}
