//! Tasks, polled in the order in which they were woken: no runtime, no threads.
//!
//! A wake only puts a task's number into a queue, once, until it is polled. Tasks are dropped in the order
//! of their numbers.

use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Wake;

use super::slab::Slab;
use crate::testbed::LocalTask;

/// The name of the future that `block_on` was given; no task has its slot.
pub(crate) const ROOT: u64 = u64::MAX;

#[derive(Debug, Default)]
struct Ready {
    /// Whether anything may be in the queue: asked far more often than anything is.
    any: AtomicBool,
    queue: Mutex<VecDeque<u64>>,
}

struct Signal {
    task: u64,
    queued: AtomicBool,
    ready: Arc<Ready>,
}

impl Signal {
    fn set(&self) {
        // Asked first, and again behind the lock: a lock is an atomic exchange, and one more for each wake would show.
        if self.queued.load(Ordering::Acquire) {
            return;
        }
        let mut queue = self.ready.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.queued.load(Ordering::Acquire) {
            self.queued.store(true, Ordering::Release);
            queue.push_back(self.task);
            self.ready.any.store(true, Ordering::Release);
        }
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.set();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.set();
    }
}

struct Task {
    /// Rises with each task.
    number: u64,
    owner: Option<u32>,
    future: LocalTask,
    signal: Arc<Signal>,
    /// Of the signal.
    waker: Waker,
}

/// What a wake names: a slot, and which of its tenants.
fn name(slot: u32, generation: u32) -> u64 {
    u64::from(generation) << 32 | u64::from(slot)
}

/// The tasks of a world.
#[derive(Default)]
pub(crate) struct Executor {
    tasks: Slab<Task>,
    next: u64,
    ready: Arc<Ready>,
    /// What was taken out of the queue at once, and comes before what is in it now.
    taken: VecDeque<u64>,
}

/// The signal of a future that is not among the tasks.
pub(crate) struct Root {
    signal: Arc<Signal>,
    waker: Waker,
}

impl Root {
    /// A context to poll it with, in which it counts as not woken.
    pub(crate) fn poll<T>(&self, poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        self.signal.queued.store(false, Ordering::Release);
        poll(&mut Context::from_waker(&self.waker))
    }
}

impl Executor {
    /// Run `future` until it ends, or until `owner` dies. It is polled first when the world next moves.
    pub(crate) fn spawn(&mut self, owner: Option<u32>, future: LocalTask) {
        let number = self.next;
        self.next += 1;
        let slot = self.tasks.vacant();
        let signal = self.signal(name(slot, self.tasks.generation(slot)));
        signal.set();
        let waker = Waker::from(Arc::clone(&signal));
        self.tasks.insert(Task { number, owner, future, signal, waker });
    }

    fn signal(&self, task: u64) -> Arc<Signal> {
        Arc::new(Signal { task, queued: AtomicBool::new(false), ready: Arc::clone(&self.ready) })
    }

    /// A root, woken from the start.
    pub(crate) fn root(&self) -> Root {
        let signal = self.signal(ROOT);
        signal.set();
        Root { waker: Waker::from(Arc::clone(&signal)), signal }
    }

    /// The next task that was woken.
    pub(crate) fn woken(&mut self) -> Option<u64> {
        if self.taken.is_empty() && self.ready.any.load(Ordering::Acquire) {
            let mut queue = self.ready.queue.lock().unwrap_or_else(PoisonError::into_inner);
            core::mem::swap(&mut *queue, &mut self.taken);
            self.ready.any.store(false, Ordering::Release);
        }
        self.taken.pop_front()
    }

    /// Poll a task that was woken.
    pub(crate) fn poll(&mut self, task: u64) {
        let slot = task as u32;
        if !self.tasks.is(slot, (task >> 32) as u32) {
            return;
        }
        let Some(held) = self.tasks.get_mut(slot) else { return };
        held.signal.queued.store(false, Ordering::Release);
        if held.future.as_mut().poll(&mut Context::from_waker(&held.waker)).is_ready() {
            self.tasks.remove(slot);
        }
    }

    /// Drop the tasks of `owner`.
    pub(crate) fn end(&mut self, owner: u32) {
        self.drop_those(|task| task.owner == Some(owner));
    }

    fn drop_those(&mut self, which: impl Fn(&Task) -> bool) {
        let ending = self.tasks.iter().filter(|(_, task)| which(task));
        let mut ending: Vec<(u64, u32)> = ending.map(|(slot, task)| (task.number, slot)).collect();
        ending.sort_unstable();
        for (_, slot) in ending {
            self.tasks.remove(slot);
        }
    }

    /// Tasks that have not ended.
    pub(crate) fn len(&self) -> usize {
        self.tasks.len()
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        self.drop_those(|_| true);
    }
}

#[cfg(test)]
mod tests {
    use core::cell::RefCell;
    use core::future::poll_fn;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn tasks_are_polled_in_the_order_of_their_wakes_and_once_for_many() {
        let mut executor = Executor::default();
        let log = Rc::new(RefCell::new(Vec::new()));
        let wakers = Rc::new(RefCell::new(Vec::new()));
        for name in 0..3 {
            let (log, wakers) = (Rc::clone(&log), Rc::clone(&wakers));
            executor.spawn(
                None,
                Box::pin(poll_fn(move |cx| {
                    log.borrow_mut().push(name);
                    wakers.borrow_mut().push(cx.waker().clone());
                    Poll::Pending
                })),
            );
        }
        let drain = |executor: &mut Executor| {
            while let Some(task) = executor.woken() {
                executor.poll(task);
            }
        };
        drain(&mut executor);
        let held: Vec<Waker> = wakers.borrow().clone();
        held[2].wake_by_ref();
        held[0].wake_by_ref();
        held[2].wake_by_ref();
        drain(&mut executor);
        assert_eq!(*log.borrow(), [0, 1, 2, 2, 0]);
        executor.end(9);
        assert_eq!(executor.len(), 3);
    }

    #[test]
    fn an_owner_s_tasks_end_with_it() {
        let mut executor = Executor::default();
        let alive = Rc::new(());
        for owner in [Some(1), None, Some(1)] {
            let alive = Rc::clone(&alive);
            executor.spawn(owner, Box::pin(async move { drop(alive) }));
        }
        executor.end(1);
        assert_eq!((Rc::strong_count(&alive), executor.len()), (2, 1));
    }
}
