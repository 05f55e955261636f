//! What the registry has learned and not yet handed to the store.
//!
//! Changes are gathered while an earlier batch is on its way to the disk, so a slow disk holds up nothing
//! and the store sees few, large batches. What is gathered is bounded; what does not fit, or does not fit
//! into the store, stays unsaved and is learned again after a restart.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::store::{Batch, Store, StoreError, WriteId};

/// The most changes gathered.
const MOST: usize = 8192;

/// Changes on their way to the store.
#[derive(Debug, Default)]
pub(super) struct Journal {
    changes: BTreeMap<Bytes, Option<Bytes>>,
    on_its_way: Option<(WriteId, usize)>,
}

impl Journal {
    /// Note a change; `false` when there is no room for it.
    pub(super) fn note(&mut self, key: Bytes, value: Option<Bytes>) -> bool {
        let room = self.changes.len() < MOST || self.changes.contains_key(&key);
        if room {
            self.changes.insert(key, value);
        }
        room
    }

    /// The value under `key`, with what was noted.
    pub(super) fn read(&self, key: &[u8], store: &impl Store) -> Option<Bytes> {
        match self.changes.get(key) {
            Some(noted) => noted.clone(),
            // A medium that fails to read is as good as one that holds nothing: it will be looked up.
            None => store.get(key).ok().flatten(),
        }
    }

    /// Hand what was noted to the store, unless a batch is on its way. How many changes it refused.
    pub(super) fn flush(&mut self, store: &mut impl Store) -> usize {
        if self.on_its_way.is_some() || self.changes.is_empty() {
            return 0;
        }
        let batch = Batch { changes: self.changes.iter().map(|(k, v)| (k.clone(), v.clone())).collect() };
        let count = batch.changes.len();
        match store.submit(batch) {
            Ok(write) => self.on_its_way = Some((write, count)),
            // Others' batches are on their way; there is another try when the next one is durable.
            Err(StoreError::Busy { pending: 1.. }) => return 0,
            Err(_) => {
                self.changes.clear();
                return count;
            }
        }
        self.changes.clear();
        0
    }

    /// A batch is durable, or failed to become so. How many changes were lost with it.
    pub(super) fn synced(&mut self, write: WriteId, good: bool) -> usize {
        match self.on_its_way.take_if(|(own, _)| *own == write) {
            Some((_, count)) if !good => count,
            _ => 0,
        }
    }

    /// Whether nothing is noted and nothing is on its way.
    pub(super) fn is_idle(&self) -> bool {
        self.changes.is_empty() && self.on_its_way.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{MemoryStore, StoreLimits};

    fn note(journal: &mut Journal, key: &'static str) {
        assert!(journal.note(Bytes::from(key), Some(Bytes::from("1"))));
    }

    #[test]
    fn changes_gather_while_a_batch_is_on_its_way() {
        let mut store = MemoryStore::default();
        let mut journal = Journal::default();
        note(&mut journal, "a");
        assert_eq!(journal.flush(&mut store), 0);
        note(&mut journal, "b");
        note(&mut journal, "c");
        assert_eq!(journal.flush(&mut store), 0);
        assert_eq!(store.pending(), 1, "one at a time");
        assert_eq!(
            journal.read(b"c", &store),
            Some(Bytes::from("1")),
            "noted is read before it is handed on"
        );
        let first = store.sync_next().unwrap();
        assert_eq!(journal.synced(first, true), 0);
        journal.flush(&mut store);
        let second = store.sync_next().unwrap();
        assert_eq!(journal.synced(second, false), 2, "what was lost is told");
        assert!(journal.is_idle());
    }

    #[test]
    fn a_full_store_loses_what_was_noted_and_says_so() {
        let mut store = MemoryStore::new(StoreLimits { keys: 1, bytes: 100, pending: 9 });
        let mut journal = Journal::default();
        note(&mut journal, "a");
        note(&mut journal, "b");
        assert_eq!(journal.flush(&mut store), 2);
        assert!(journal.is_idle());
    }

    #[test]
    fn what_is_gathered_is_bounded() {
        let mut journal = Journal::default();
        for number in 0..MOST as u64 {
            assert!(journal.note(Bytes::from(number.to_be_bytes().to_vec()), None));
        }
        assert!(!journal.note(Bytes::from_static(b"one more"), None));
        assert!(journal.note(Bytes::from(0u64.to_be_bytes().to_vec()), None), "a change of the same key");
    }
}
