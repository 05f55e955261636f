//! How long something takes on the wall: told to people, and what a budget is held against. No run sees it.

#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "it is outside of any run")]

use std::time::{Duration, Instant};

/// A clock that was started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    /// Start one.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Since it was started.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
