//! A node's store: in memory, and kept by the testbed between lives.

use core::cell::RefCell;
use core::task::{Context, Poll};
use std::rc::Rc;

use bytes::Bytes;

use crate::store::{Batch, MemoryStore, Store, StoreError, StoreLimits, WriteId};
use crate::testbed::Keep;

/// What an application node of a [`SwarmTestbed`](super::SwarmTestbed) keeps its state in. A clone is the
/// same store.
#[derive(Clone, Debug, Default)]
pub struct SwarmStore {
    shared: Rc<RefCell<MemoryStore>>,
}

impl SwarmStore {
    /// The node dies, and its store is left with this.
    pub(super) fn end_life(&self, keep: Keep) {
        let mut store = self.shared.borrow_mut();
        match keep {
            Keep::All => while store.sync_next().is_some() {},
            Keep::Synced => store.crash(),
            Keep::Nothing => *store = MemoryStore::new(StoreLimits::default()),
        }
    }
}

impl Store for SwarmStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.shared.borrow().get(key)
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        self.shared.borrow().range(from, to, limit)
    }

    fn submit(&mut self, batch: Batch) -> Result<WriteId, StoreError> {
        self.shared.borrow_mut().submit(batch)
    }

    fn poll_synced(&mut self, cx: &mut Context<'_>) -> Poll<(WriteId, Result<(), StoreError>)> {
        self.shared.borrow_mut().poll_synced(cx)
    }

    fn pending(&self) -> usize {
        self.shared.borrow().pending()
    }
}
