//! The store of an application's node: [`SimStore`], in memory, behind a disk that takes time.

use core::cell::RefCell;
use core::fmt;
use core::task::{Context, Poll};
use std::rc::Rc;

use bytes::Bytes;

use super::disk::Disk;
use super::event::What;
use super::rng::{Concern, mix};
use super::world::World;
use crate::store::{Batch, Store, StoreError, WriteId};
use crate::time::nanos;

/// The store of one node in one of its lives. What it holds outlives the life, as far as the death lets it.
pub struct SimStore {
    world: Rc<RefCell<World>>,
    disk: Rc<RefCell<Disk>>,
    node: u32,
    life: u32,
}

impl SimStore {
    pub(crate) fn new(world: Rc<RefCell<World>>, disk: Rc<RefCell<Disk>>, node: u32, life: u32) -> Self {
        Self { world, disk, node, life }
    }

    fn alive(&self) -> Result<(), StoreError> {
        if self.disk.borrow().life == self.life {
            Ok(())
        } else {
            Err(StoreError::Medium("the node has stopped".to_owned()))
        }
    }
}

impl fmt::Debug for SimStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimStore").field("node", &self.node).field("life", &self.life).finish_non_exhaustive()
    }
}

impl Store for SimStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.alive()?;
        self.disk.borrow().store.get(key)
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        self.alive()?;
        self.disk.borrow().store.range(from, to, limit)
    }

    fn submit(&mut self, batch: Batch) -> Result<WriteId, StoreError> {
        self.alive()?;
        let world = &mut *self.world.borrow_mut();
        let disk = &mut *self.disk.borrow_mut();
        let id = disk.store.submit(batch)?;
        let draw = world.seed.draw(Concern::DISK, u64::from(self.node), disk.batches);
        disk.batches += 1;
        let takes = nanos(world.config.disk.at(draw.wide(0)));
        disk.busy_until = disk.busy_until.max(world.now).saturating_add(takes);
        let (node, life) = (self.node, self.life);
        world.push(disk.busy_until, mix(u64::from(node) << 32 | id.0), What::Synced { node, life });
        Ok(id)
    }

    fn poll_synced(&mut self, cx: &mut Context<'_>) -> Poll<(WriteId, Result<(), StoreError>)> {
        let disk = &mut *self.disk.borrow_mut();
        if disk.life == self.life
            && let Some(id) = disk.synced.pop_front()
        {
            return Poll::Ready((id, Ok(())));
        }
        disk.alarm.set(cx.waker());
        Poll::Pending
    }

    fn pending(&self) -> usize {
        let disk = self.disk.borrow();
        if disk.life == self.life { disk.store.pending() + disk.synced.len() } else { 0 }
    }
}
