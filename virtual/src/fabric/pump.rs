//! How virtual time moves: tokio's paused clock, to the nanosecond.
//!
//! Tokio's timers count whole milliseconds from the making of their runtime, and a paused clock jumps to the next
//! of them when nothing is ready. Links are faster: on a local network a message takes a tenth of that. So before
//! the runtime parks, which is when nothing is ready, [`Shared::turn`] looks at what happens next on the fabric:
//!
//! - before the next whole millisecond: the clock is moved exactly there, and it happens;
//! - later: the clock is moved to the next whole millisecond if it stands between two, as timers due there come
//!   first, and a timer is set for the last whole millisecond before it, so that tokio does not jump over it.
//!
//! Moving the clock leaves something deferred with the runtime, so that it looks at its timers and at its tasks
//! again instead of jumping (tokio 1.54: `before_park` and `has_pending_work` of the current-thread scheduler).

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, Sleep};

use super::state::State;
use crate::control;

/// The resolution of tokio's timers.
const TICK: u64 = 1_000_000;

/// What the watchdog sees of a fabric.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Virtual time.
    pub(crate) now: AtomicU64,
    /// Times that the runtime had nothing to do.
    pub(crate) turns: AtomicU64,
    /// A run is under way.
    pub(crate) running: AtomicBool,
}

/// What all handles of a fabric share.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    /// What keeps tokio from jumping over what happens next.
    alarm: Mutex<Option<Alarm>>,
    pub(crate) progress: Arc<Progress>,
}

#[derive(Debug)]
struct Alarm {
    sleep: Pin<Box<Sleep>>,
    at: u64,
}

impl Shared {
    pub(super) fn new(state: State, progress: Arc<Progress>) -> Self {
        Self { state: Mutex::new(state), alarm: Mutex::new(None), progress }
    }

    /// Do something with the state, and then wake whom it concerns. What is dropped by a wake may come here again.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let (result, wakers) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let result = act(&mut state);
            (result, core::mem::take(&mut state.wakers))
        };
        wakers.into_iter().for_each(Waker::wake);
        result
    }

    /// What each node is doing; `None` when the state is being worked on.
    pub(crate) fn describe(&self) -> Option<String> {
        match self.state.try_lock() {
            Ok(state) => Some(state.describe()),
            Err(std::sync::TryLockError::Poisoned(state)) => Some(state.into_inner().describe()),
            Err(std::sync::TryLockError::WouldBlock) => None,
        }
    }

    /// A runtime whose clock is paused and moved by this fabric.
    pub(super) fn runtime(self: &Arc<Self>) -> io::Result<Runtime> {
        let base = control::now();
        let start = Arc::new(std::sync::OnceLock::new());
        let (before, after) = (Arc::downgrade(self), Arc::downgrade(self));
        let (before_start, after_start) = (Arc::clone(&start), Arc::clone(&start));
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .on_thread_park(move || {
                if let (Some(shared), Some(start)) = (before.upgrade(), before_start.get()) {
                    shared.turn(base, *start);
                }
            })
            .on_thread_unpark(move || {
                if let (Some(shared), Some(start)) = (after.upgrade(), after_start.get()) {
                    shared.read_clock(base, *start);
                }
            })
            .build()?;
        let begun = {
            let _context = runtime.enter();
            tokio_now()
        };
        let _first = start.set(begun);
        Ok(runtime)
    }

    /// Take over what tokio's clock shows.
    fn read_clock(&self, base: u64, start: Instant) -> u64 {
        let since = u64::try_from(tokio_now().duration_since(start).as_nanos()).unwrap_or(u64::MAX);
        control::set(base.saturating_add(since));
        self.progress.now.store(base.saturating_add(since), Ordering::Relaxed);
        since
    }

    /// Nothing is ready: let the next thing happen, or let tokio jump to its next timer.
    fn turn(&self, base: u64, start: Instant) {
        self.progress.turns.fetch_add(1, Ordering::Relaxed);
        // Counted from the making of the runtime, as tokio's timers are.
        let mut now = self.read_clock(base, start);
        if self.with(State::send_unsent) {
            // Something may have been woken by what became of it.
            advance(0);
        }
        let next = self.with(|state| state.queue.next_at()).map(|at| at.saturating_sub(base));
        let edge = (now / TICK).saturating_add(1).saturating_mul(TICK);
        match next {
            Some(at) if at < edge => {
                advance(at.saturating_sub(now));
                now = self.read_clock(base, start);
                debug_assert!(now >= at, "the clock was moved to what happens next");
                self.with(State::step);
            }
            _ if !now.is_multiple_of(TICK) => advance(edge - now),
            Some(at) => self.set_alarm(start, at - at % TICK),
            None => self.stop_alarm(),
        }
        self.read_clock(base, start);
    }

    /// Tokio is to stop at `at`, a whole millisecond.
    fn set_alarm(&self, start: Instant, at: u64) {
        let mut alarm = self.alarm.lock().unwrap_or_else(PoisonError::into_inner);
        let due = start + Duration::from_nanos(at);
        let alarm = match alarm.as_mut() {
            Some(alarm) if alarm.at == at => return,
            Some(alarm) => {
                alarm.sleep.as_mut().reset(due);
                alarm
            }
            None => alarm.insert(Alarm { sleep: Box::pin(tokio::time::sleep_until(due)), at }),
        };
        alarm.at = at;
        // A timer stands with the runtime once it was polled. Nobody is woken by it: it is enough that tokio stops.
        let _due_or_not = alarm.sleep.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }

    fn stop_alarm(&self) {
        *self.alarm.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Let go of what belongs to a runtime that ends.
    pub(super) fn rest(&self) {
        self.stop_alarm();
    }
}

#[expect(clippy::disallowed_methods, reason = "tokio's clock is what is read here")]
fn tokio_now() -> Instant {
    Instant::now()
}

/// Move tokio's clock by `nanos` at once. It happens when the future is first polled, which then waits until the
/// runtime has looked at its timers.
fn advance(nanos: u64) {
    let mut advance = pin!(tokio::time::advance(Duration::from_nanos(nanos)));
    let _deferred = advance.as_mut().poll(&mut Context::from_waker(Waker::noop()));
}
