//! The one place of the swarm's side that reads a clock.

use tokio::time::Instant;

use crate::time::{Timestamp, WallTime};

/// When a run began; all nodes of one run in one process can share it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    epoch: Instant,
    /// What the calendar says at the epoch, when it is not the system's.
    wall: Option<WallTime>,
}

impl Clock {
    /// A clock whose run begins now.
    #[expect(clippy::disallowed_methods, reason = "a real network lives by the real clock")]
    pub fn start() -> Self {
        Self { epoch: Instant::now(), wall: None }
    }

    /// A clock whose run begins now, and whose calendar says `wall` now: for a run that is to see the same
    /// dates whenever it is made.
    pub fn start_at(wall: WallTime) -> Self {
        Self { wall: Some(wall), ..Self::start() }
    }

    /// The same, of a run that begins after `span`: until then it is the beginning.
    pub(super) fn later(self, span: core::time::Duration) -> Self {
        Self { epoch: self.epoch + span, ..self }
    }

    /// The time of the run.
    pub fn now(&self) -> Timestamp {
        Timestamp::ZERO.after(self.epoch.elapsed())
    }

    /// Calendar time; the year 1970 when the system's clock is before it.
    #[expect(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        reason = "a real network lives by the real clock"
    )]
    pub fn wall(&self) -> WallTime {
        if let Some(wall) = self.wall {
            return wall.after(self.epoch.elapsed());
        }
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        WallTime::EPOCH.after(since.unwrap_or_default())
    }

    /// The time of the run at which the system's clock says `at`; its beginning for what was before.
    pub(super) fn timestamp(&self, at: impl Into<Instant>) -> Timestamp {
        Timestamp::ZERO.after(at.into().saturating_duration_since(self.epoch))
    }

    /// When the timers of the runtime are to fire for `at`; far off for what is too far to be said.
    pub(super) fn instant(&self, at: Timestamp) -> Instant {
        let far = self.epoch + core::time::Duration::from_secs(30 * 365 * 86_400);
        self.epoch.checked_add(at.since(Timestamp::ZERO)).map_or(far, |instant| instant.min(far))
    }
}
