//! Batches between the stores that accepted them and the thread that writes them.
//!
//! One lock guards it, held only to note and to take, never while something is read or written. What is
//! accepted is seen by reads from the *overlay*: the newest accepted change of each key that is not durable.

use core::ops::Bound;
use core::task::Waker;
use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use crate::store::{Batch, StoreError, StoreLimits, WriteId};

/// The most bytes that one transaction takes, unless one batch alone has more.
const TOGETHER: usize = 8 << 20;
/// The most bytes that wait in all stores together, unless one batch alone has more.
const MOST_WAITING: usize = 64 << 20;

/// A batch on its way.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// Which store's.
    pub(super) store: usize,
    pub(super) id: WriteId,
    pub(super) batch: Batch,
    /// Keys and bytes of the store with it.
    after: (usize, usize),
}

/// One store of the database.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) name: &'static str,
    limits: StoreLimits,
    pub(super) open: bool,
    /// Keys and bytes as reads see them, and as they are durable.
    pub(super) size: (usize, usize),
    durable: (usize, usize),
    overlay: BTreeMap<Bytes, (WriteId, Option<Bytes>)>,
    done: VecDeque<(WriteId, Result<(), StoreError>)>,
    waiting: usize,
    /// The first id of the present handle.
    first: u64,
    next: u64,
    waker: Option<Waker>,
}

/// All that waits.
#[derive(Debug, Default)]
pub(super) struct Queue {
    jobs: VecDeque<Job>,
    bytes: usize,
    pub(super) slots: Vec<Slot>,
    /// Rises with every failure: what was measured before no longer counts.
    pub(super) failures: u64,
    /// The last handle is gone: write what waits, and end.
    pub(super) closing: bool,
}

/// The sizes of a batch's keys and values, by what it changes.
fn bytes_of(batch: &Batch) -> usize {
    batch.changes.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Bytes::len)).sum()
}

impl Queue {
    /// Open a store with so many durable keys and bytes. `None` when one of that name is open.
    pub(super) fn open(
        &mut self,
        name: &'static str,
        limits: StoreLimits,
        size: (usize, usize),
    ) -> Option<usize> {
        if let Some(at) = self.slots.iter().position(|slot| slot.name == name) {
            // What its last handle has left may still be on its way, so its state goes on.
            let slot = self.slots.get_mut(at).filter(|slot| !slot.open)?;
            (slot.open, slot.limits, slot.first) = (true, limits, slot.next);
            return Some(at);
        }
        self.slots.push(Slot {
            name,
            limits,
            open: true,
            size,
            durable: size,
            overlay: BTreeMap::new(),
            done: VecDeque::new(),
            waiting: 0,
            first: 0,
            next: 0,
            waker: None,
        });
        Some(self.slots.len() - 1)
    }

    pub(super) fn slot(&self, store: usize) -> Option<&Slot> {
        self.slots.get(store)
    }

    pub(super) fn slot_mut(&mut self, store: usize) -> Option<&mut Slot> {
        self.slots.get_mut(store)
    }

    /// Whether there is no room for `batch` because of others that wait.
    pub(super) fn is_busy(&self, store: usize, batch: &Batch) -> Option<StoreError> {
        let pending = self.slot(store)?.pending();
        let crowded = self.bytes > 0 && self.bytes + bytes_of(batch) > MOST_WAITING;
        let busy = pending >= self.slot(store)?.limits.pending || crowded;
        busy.then_some(StoreError::Busy { pending: pending.max(1) })
    }

    /// Take `batch`, when the store has room for it. `old` tells the size of a key's value as reads see it.
    pub(super) fn accept(
        &mut self,
        store: usize,
        batch: Batch,
        old: impl Fn(&[u8]) -> Option<usize>,
    ) -> Result<WriteId, StoreError> {
        let waiting = bytes_of(&batch);
        let Some(slot) = self.slots.get_mut(store) else { return Err(StoreError::Medium(String::new())) };
        let mut last: BTreeMap<&[u8], Option<usize>> = BTreeMap::new();
        for (key, value) in &batch.changes {
            last.insert(key, value.as_ref().map(Bytes::len));
        }
        let (held_keys, held_bytes) = slot.size;
        let (mut keys, mut bytes) = slot.size;
        for (key, value) in last {
            if let Some(old) = old(key) {
                keys = keys.saturating_sub(1);
                bytes = bytes.saturating_sub(key.len() + old);
            }
            if let Some(new) = value {
                keys += 1;
                bytes += key.len() + new;
            }
        }
        let grows = keys > held_keys || bytes > held_bytes;
        if grows && (keys > slot.limits.keys || bytes > slot.limits.bytes) {
            return Err(StoreError::Full { keys: held_keys, bytes: held_bytes });
        }
        let id = WriteId(slot.next);
        slot.next += 1;
        slot.waiting += 1;
        slot.size = (keys, bytes);
        for (key, value) in &batch.changes {
            slot.overlay.insert(key.clone(), (id, value.clone()));
        }
        self.bytes += waiting;
        self.jobs.push_back(Job { store, id, batch, after: (keys, bytes) });
        Ok(id)
    }

    /// The oldest batches, as many as belong into one transaction. They count as waiting until
    /// [`Queue::written`] or [`Queue::failed`].
    pub(super) fn take(&mut self) -> Vec<Job> {
        let mut taken = Vec::new();
        let mut bytes = 0;
        while let Some(job) = self.jobs.front() {
            bytes += bytes_of(&job.batch);
            if bytes > TOGETHER && !taken.is_empty() {
                break;
            }
            taken.extend(self.jobs.pop_front());
        }
        taken
    }

    /// Whether nothing waits to be taken.
    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// `jobs` are durable. Whom to wake.
    pub(super) fn written(&mut self, jobs: Vec<Job>) -> Vec<Waker> {
        for job in jobs {
            self.bytes = self.bytes.saturating_sub(bytes_of(&job.batch));
            let Some(slot) = self.slots.get_mut(job.store) else { continue };
            for (key, _) in &job.batch.changes {
                if slot.overlay.get(key).is_some_and(|(newest, _)| *newest == job.id) {
                    slot.overlay.remove(key);
                }
            }
            slot.durable = job.after;
            slot.waiting -= 1;
            slot.report(job.id, Ok(()));
        }
        self.wakers()
    }

    /// `jobs`, and everything that was accepted after them, is lost: a later batch may build on an earlier
    /// one, so it must not outlive it. Sizes are as `durable` counts them anew. Whom to wake.
    pub(super) fn failed(
        &mut self,
        jobs: Vec<Job>,
        why: &str,
        durable: impl Fn(&'static str) -> Option<(usize, usize)>,
    ) -> Vec<Waker> {
        self.failures += 1;
        for job in jobs.into_iter().chain(core::mem::take(&mut self.jobs)) {
            if let Some(slot) = self.slots.get_mut(job.store) {
                slot.waiting -= 1;
                slot.report(job.id, Err(StoreError::Medium(why.to_owned())));
            }
        }
        self.bytes = 0;
        for slot in &mut self.slots {
            slot.overlay.clear();
            slot.durable = durable(slot.name).unwrap_or(slot.durable);
            slot.size = slot.durable;
        }
        self.wakers()
    }

    fn wakers(&mut self) -> Vec<Waker> {
        let news = self.slots.iter_mut().filter(|slot| !slot.done.is_empty() || slot.waiting == 0);
        news.filter_map(|slot| slot.waker.take()).collect()
    }
}

impl Slot {
    /// The newest change of `key` that is not durable.
    pub(super) fn newest(&self, key: &[u8]) -> Option<&Option<Bytes>> {
        self.overlay.get(key).map(|(_, value)| value)
    }

    /// The newest changes that are not durable with `from <= key < to`.
    pub(super) fn changes(&self, from: &[u8], to: &[u8]) -> BTreeMap<Bytes, Option<Bytes>> {
        let span = (Bound::Included(from), Bound::Excluded(to));
        self.overlay.range::<[u8], _>(span).map(|(key, (_, value))| (key.clone(), value.clone())).collect()
    }

    /// The next batch that is through; `waker` is woken for one later.
    pub(super) fn poll(&mut self, waker: &Waker) -> Option<(WriteId, Result<(), StoreError>)> {
        let done = self.done.pop_front();
        if done.is_none() {
            self.waker = Some(waker.clone());
        }
        done
    }

    /// Batches accepted of which it was not yet told that they are durable.
    pub(super) fn pending(&self) -> usize {
        self.waiting + self.done.len()
    }

    fn report(&mut self, id: WriteId, result: Result<(), StoreError>) {
        // Whoever closed the store wants to hear nothing more, nor does the next one of what was before.
        if self.open && id.0 >= self.first {
            self.done.push_back((id, result));
        }
    }

    /// Its handle is gone; what it accepted is still written.
    pub(super) fn close(&mut self) {
        self.open = false;
        self.done.clear();
        self.waker = None;
    }
}
