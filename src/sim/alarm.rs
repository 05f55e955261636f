//! Whom to wake, once, when something has come for a task.
//!
//! [`Alarm::set`] before the task waits, [`Alarm::ring`] when something is there. The waker is kept when it was called:
//! whoever waits next is nearly always the same task, and to count the references to it up and down for each event costs
//! more than the event.

use core::task::Waker;

/// A task that waits, if one does.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    waker: Option<Waker>,
    set: bool,
}

impl Alarm {
    /// The next [`Alarm::ring`] wakes `waker`, and nobody else.
    pub(crate) fn set(&mut self, waker: &Waker) {
        match &mut self.waker {
            Some(held) => held.clone_from(waker),
            None => self.waker = Some(waker.clone()),
        }
        self.set = true;
    }

    /// Wake whoever waits; until it waits again nobody does.
    pub(crate) fn ring(&mut self) {
        if core::mem::take(&mut self.set)
            && let Some(waker) = &self.waker
        {
            waker.wake_by_ref();
        }
    }

    /// Whoever waits, to be woken by the caller. The alarm forgets it.
    pub(crate) fn take(&mut self) -> Option<Waker> {
        let waker = self.waker.take();
        waker.filter(|_| core::mem::take(&mut self.set))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicU32);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_waits_is_woken_once_and_only_the_last_who_did() {
        let counters = [Arc::new(Counter::default()), Arc::new(Counter::default())];
        let wakers = counters.clone().map(Waker::from);
        let woken = || counters.each_ref().map(|counter| counter.0.load(Ordering::Relaxed));
        let mut alarm = Alarm::default();
        alarm.ring();
        alarm.set(&wakers[0]);
        alarm.ring();
        alarm.ring();
        assert_eq!(woken(), [1, 0]);
        alarm.set(&wakers[0]);
        alarm.set(&wakers[1]);
        alarm.ring();
        assert_eq!(woken(), [1, 1]);
        assert!(alarm.take().is_none(), "nobody waits");
        alarm.set(&wakers[1]);
        assert!(alarm.take().is_some() && alarm.take().is_none());
        alarm.ring();
        assert_eq!(woken(), [1, 1], "it was taken");
    }
}
