//! The disk of an application's node: a store in memory whose batches become durable when their time comes.

use core::task::Waker;
use std::collections::VecDeque;

use super::alarm::Alarm;
use crate::store::{MemoryStore, StoreLimits, WriteId};

/// A disk. It outlives the lives of its node.
#[derive(Debug)]
pub(crate) struct Disk {
    pub(crate) store: MemoryStore,
    /// Durable and not yet reported.
    pub(crate) synced: VecDeque<WriteId>,
    /// The task that waits for the next.
    pub(crate) alarm: Alarm,
    /// When the last accepted batch will be durable.
    pub(crate) busy_until: u64,
    pub(crate) batches: u64,
    /// The life that may use it.
    pub(crate) life: u32,
}

impl Disk {
    pub(crate) fn new(limits: StoreLimits) -> Self {
        Self {
            store: MemoryStore::new(limits),
            synced: VecDeque::new(),
            alarm: Alarm::default(),
            busy_until: 0,
            batches: 0,
            life: 0,
        }
    }

    /// The oldest batch has become durable.
    pub(crate) fn sync_next(&mut self) -> Option<WriteId> {
        let id = self.store.sync_next()?;
        self.synced.push_back(id);
        self.alarm.ring();
        Some(id)
    }

    /// A life has ended; the next one is `life`.
    pub(crate) fn end_life(&mut self, life: u32) -> Option<Waker> {
        self.synced.clear();
        self.busy_until = 0;
        self.life = life;
        self.alarm.take()
    }
}
