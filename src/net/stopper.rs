//! Shutting a network down from outside the task that owns it.

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use futures::task::AtomicWaker;

/// Shuts a network down: its next poll reports `Closed`, and its connections end. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Stopper {
    shared: Arc<(AtomicBool, AtomicWaker)>,
}

impl Stopper {
    /// Shut the network down.
    pub fn stop(&self) {
        self.shared.0.store(true, Ordering::Release);
        self.shared.1.wake();
    }

    /// Whether it was asked to; otherwise `cx` is woken when it is.
    pub(super) fn poll_stopped(&self, cx: &core::task::Context<'_>) -> bool {
        self.shared.1.register(cx.waker());
        self.shared.0.load(Ordering::Acquire)
    }
}
