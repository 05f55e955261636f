//! A node's durable keys and values.
//!
//! # Contract
//!
//! - A [`Batch`] is atomic: after a crash all of it is there or none of it.
//! - [`Store::submit`] accepts a batch and returns at once; reads see it from then on. It is durable only
//!   when [`Store::poll_synced`] has reported its [`WriteId`]. Batches become durable in the order in
//!   which they were submitted, so a slow disk never holds up a loop and a crash loses only a suffix.
//! - A store is bounded: a batch that would exceed [`StoreLimits`] is refused whole and changes nothing.
//! - Range reads are in the order of the keys' bytes.

#[cfg(feature = "disk")]
pub mod disk;
mod memory;
#[cfg(test)]
mod tests;

use core::task::{Context, Poll};

use bytes::Bytes;

#[cfg(feature = "disk")]
pub use disk::{Disk, DiskStore, OpenError};
pub use memory::MemoryStore;

/// The store's name for one accepted batch. They rise in the order of submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteId(pub u64);

/// Bounds of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreLimits {
    /// The most keys.
    pub keys: usize,
    /// The most bytes of keys and values together.
    pub bytes: usize,
    /// The most batches accepted and not yet durable.
    pub pending: usize,
}

impl Default for StoreLimits {
    /// 200,000 keys, 256 MiB, 1,024 batches.
    fn default() -> Self {
        Self { keys: 200_000, bytes: 256 << 20, pending: 1024 }
    }
}

/// Changes that take effect together: `Some` writes, `None` removes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The changes, in order; a later one of the same key wins.
    pub changes: Vec<(Bytes, Option<Bytes>)>,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Write `value` under `key`.
    pub fn put(&mut self, key: impl Into<Bytes>, value: impl Into<Bytes>) -> &mut Self {
        self.changes.push((key.into(), Some(value.into())));
        self
    }

    /// Remove `key`.
    pub fn remove(&mut self, key: impl Into<Bytes>) -> &mut Self {
        self.changes.push((key.into(), None));
        self
    }

    /// Whether the batch changes nothing.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The batch would exceed the store's keys or bytes. Nothing was changed.
    #[error("the store is full: {keys} keys, {bytes} bytes")]
    Full {
        /// Keys held.
        keys: usize,
        /// Bytes held.
        bytes: usize,
    },
    /// Too many batches wait to become durable. Nothing was changed; try again after the next sync.
    #[error("the store is busy: {pending} batches wait for the disk")]
    Busy {
        /// Batches waiting.
        pending: usize,
    },
    /// The medium failed, in the words of whoever reported it.
    #[error("the store failed: {0}")]
    Medium(String),
}

/// A bounded, ordered map with atomic batches that become durable later.
pub trait Store {
    /// The value under `key`, with every accepted batch applied.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError>;

    /// At most `limit` pairs with `from <= key < to`, in the order of the keys.
    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, StoreError>;

    /// Accept `batch`. It is visible at once and durable when its id is reported.
    fn submit(&mut self, batch: Batch) -> Result<WriteId, StoreError>;

    /// The next batch that has become durable, or failed to; pending while there is none. With nothing
    /// submitted it is pending for ever, which is no fault.
    fn poll_synced(&mut self, cx: &mut Context<'_>) -> Poll<(WriteId, Result<(), StoreError>)>;

    /// Batches accepted and not yet durable.
    fn pending(&self) -> usize;
}
