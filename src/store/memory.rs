//! A store in memory that keeps apart what is visible and what would survive a crash.
//!
//! Polled as a [`Store`], each batch becomes durable at the next poll: a disk without delay. A
//! simulator that models a slow disk calls [`MemoryStore::sync_next`] when a batch's time has come,
//! and [`MemoryStore::crash`] when the peer dies.

use core::ops::Bound;
use core::task::{Context, Poll, Waker};
use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::{Batch, Store, StoreError, StoreLimits, WriteId};

/// A bounded ordered map in memory; see the [module](super) for the contract.
#[derive(Debug, Default)]
pub struct MemoryStore {
    limits: StoreLimits,
    visible: BTreeMap<Bytes, Bytes>,
    visible_bytes: usize,
    durable: BTreeMap<Bytes, Bytes>,
    queue: VecDeque<(WriteId, Batch)>,
    next: u64,
    waker: Option<Waker>,
}

impl MemoryStore {
    /// An empty store with these bounds.
    pub fn new(limits: StoreLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Make the oldest waiting batch durable.
    pub fn sync_next(&mut self) -> Option<WriteId> {
        let (id, batch) = self.queue.pop_front()?;
        for (key, value) in batch.changes {
            apply(&mut self.durable, key, value);
        }
        Some(id)
    }

    /// Lose what is not durable, as a crash does.
    pub fn crash(&mut self) {
        self.queue.clear();
        self.visible.clone_from(&self.durable);
        self.visible_bytes = self.visible.iter().map(|(k, v)| k.len() + v.len()).sum();
        self.waker = None;
    }

    /// Lose everything, as a new disk does.
    pub fn wipe(&mut self) {
        self.durable.clear();
        self.crash();
    }

    /// Keys and bytes held, as reads see them.
    pub fn size(&self) -> (usize, usize) {
        (self.visible.len(), self.visible_bytes)
    }

    /// The keys and bytes that the store would hold with `batch` applied.
    fn size_with(&self, batch: &Batch) -> (usize, usize) {
        let mut last: BTreeMap<&[u8], Option<usize>> = BTreeMap::new();
        for (key, value) in &batch.changes {
            last.insert(key, value.as_ref().map(Bytes::len));
        }
        let (mut keys, mut bytes) = self.size();
        for (key, value) in last {
            if let Some(old) = self.visible.get(key) {
                keys -= 1;
                bytes -= key.len() + old.len();
            }
            if let Some(new) = value {
                keys += 1;
                bytes += key.len() + new;
            }
        }
        (keys, bytes)
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        Ok(self.visible.get(key).cloned())
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let span = (Bound::Included(from), Bound::Excluded(to));
        Ok(self.visible.range::<[u8], _>(span).take(limit).map(|(k, v)| (k.clone(), v.clone())).collect())
    }

    fn submit(&mut self, batch: Batch) -> Result<WriteId, StoreError> {
        if self.queue.len() >= self.limits.pending {
            return Err(StoreError::Busy { pending: self.queue.len() });
        }
        let (keys, bytes) = self.size_with(&batch);
        let (held_keys, held_bytes) = self.size();
        let grows = keys > held_keys || bytes > held_bytes;
        if grows && (keys > self.limits.keys || bytes > self.limits.bytes) {
            return Err(StoreError::Full { keys: held_keys, bytes: held_bytes });
        }
        for (key, value) in &batch.changes {
            apply(&mut self.visible, key.clone(), value.clone());
        }
        self.visible_bytes = bytes;
        let id = WriteId(self.next);
        self.next += 1;
        self.queue.push_back((id, batch));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
        Ok(id)
    }

    fn poll_synced(&mut self, cx: &mut Context<'_>) -> Poll<(WriteId, Result<(), StoreError>)> {
        match self.sync_next() {
            Some(id) => Poll::Ready((id, Ok(()))),
            None => {
                self.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn pending(&self) -> usize {
        self.queue.len()
    }
}

fn apply(map: &mut BTreeMap<Bytes, Bytes>, key: Bytes, value: Option<Bytes>) {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_loses_exactly_what_was_not_synced() {
        let mut store = MemoryStore::default();
        for (key, value) in [("a", "1"), ("b", "2")] {
            let mut batch = Batch::new();
            batch.put(key, value);
            store.submit(batch).unwrap();
        }
        assert_eq!(store.get(b"b").unwrap(), Some(Bytes::from("2")), "accepted writes are visible");
        assert_eq!(store.sync_next(), Some(WriteId(0)));
        store.crash();
        assert_eq!(store.get(b"a").unwrap(), Some(Bytes::from("1")));
        assert_eq!(store.get(b"b").unwrap(), None);
        assert_eq!(store.size(), (1, 2));
    }
}
