//! What the handles of a database and its writing thread share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};

use super::life::{Life, Trouble};
use super::medium::Base;
use super::queue::Queue;

/// How the last write of a database went, whichever of its stores it was for. It does not keep the database open.
#[derive(Clone, Debug, Default)]
pub struct LastWrite(Arc<AtomicBool>);

impl LastWrite {
    /// Whether it failed. `false` before there was any.
    pub fn failed(&self) -> bool {
        // It stands for itself: nothing else is read because of it.
        self.0.load(Ordering::Relaxed)
    }
}

/// Shared by all; each lock is held for moments only.
#[derive(Debug)]
pub(super) struct Shared {
    queue: Mutex<Queue>,
    /// Something was accepted, or the end has come.
    work: Condvar,
    /// The database as it is open; `None` when the medium failed so that it cannot even be read.
    life: RwLock<Option<Arc<Life>>>,
    base: Base,
    pub(super) last_write: LastWrite,
}

impl Shared {
    pub(super) fn new(life: Life, base: Base) -> Self {
        Self {
            queue: Mutex::default(),
            work: Condvar::new(),
            life: RwLock::new(Some(Arc::new(life))),
            base,
            last_write: LastWrite::default(),
        }
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics between two changes that belong together, so what a poisoned lock guards is whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Let the writing thread look.
    pub(super) fn notify(&self) {
        self.work.notify_one();
    }

    /// The database, for reading.
    pub(super) fn life(&self) -> Result<Arc<Life>, Trouble> {
        self.life.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Trouble::Ended)
    }

    /// End this life, and open another one on trial: it can be read, and nothing is written until something
    /// is to be. `None` when it cannot be opened.
    fn open_again(&self) -> Option<Arc<Life>> {
        let set = |life| {
            let mut held = self.life.write().unwrap_or_else(PoisonError::into_inner);
            core::mem::replace(&mut *held, life)
        };
        if let Some(ended) = set(None) {
            ended.end();
        }
        // Not under the lock: it reads the whole file.
        let life = Life::on_trial(&self.base).ok().map(Arc::new);
        set(life.clone());
        life
    }

    /// The writing thread's work, until the last handle is gone and nothing waits.
    pub(super) fn write(&self) {
        loop {
            let mut queue = self.queue();
            while queue.is_empty() && !queue.closing {
                queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            let jobs = queue.take();
            if jobs.is_empty() {
                break;
            }
            let names: Vec<&'static str> =
                jobs.iter().map(|job| queue.slot(job.store).map_or("", |slot| slot.name)).collect();
            drop(queue);
            let batches = names.into_iter().zip(jobs.iter().map(|job| &job.batch));
            let written = self.life().or_else(|_| self.open_again().ok_or(Trouble::Ended)).and_then(|life| {
                // Nothing to do unless the last write failed.
                life.go_through()?;
                life.commit(batches)
            });
            // Before anybody hears of the batches, so that whoever does sees it.
            self.last_write.0.store(written.is_err(), Ordering::Relaxed);
            let wakers = match written {
                Ok(()) => self.queue().written(jobs),
                Err(why) => {
                    let life = self.open_again();
                    let names: Vec<&'static str> = self.queue().slots.iter().map(|slot| slot.name).collect();
                    let count = |name| life.as_ref().and_then(|life| Some((name, life.count(name).ok()?)));
                    let counts: Vec<_> = names.into_iter().filter_map(count).collect();
                    let durable = |name| counts.iter().find(|(it, _)| *it == name).map(|(_, size)| *size);
                    self.queue().failed(jobs, &why.to_string(), durable)
                }
            };
            wakers.into_iter().for_each(core::task::Waker::wake);
        }
        drop(self.life.write().unwrap_or_else(PoisonError::into_inner).take());
    }
}
