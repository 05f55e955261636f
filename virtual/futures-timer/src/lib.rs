//! `futures_timer::Delay`, version 3, on tokio's timer.
//!
//! The crate of this name keeps a thread of its own that reads the system's clock. Where time is paused, that
//! thread never sees it move. This one stands in for it by `[patch.crates-io]`: a [`Delay`] is a tokio timer, so
//! whatever moves tokio's clock moves it.
//!
//! A delay may be made anywhere; it counts from then. It must be polled within a tokio runtime whose timers are
//! enabled, and panics with words that say so when it is not. As all of tokio's timers it fires on a whole
//! millisecond, never early.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep_until};

/// A longer delay than any that is meant, and the longest that can be added to any instant.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// A future that is ready when its time has passed.
pub struct Delay {
    at: Instant,
    /// Made when it is first polled, as that is when a runtime is needed.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Delay {
    /// Ready in `span` from now.
    pub fn new(span: Duration) -> Self {
        Self { at: after(span), sleep: None }
    }

    /// Ready in `span` from now instead.
    pub fn reset(&mut self, span: Duration) {
        self.at = after(span);
        if let Some(sleep) = &mut self.sleep {
            sleep.as_mut().reset(self.at);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a delay counts from the present, whichever clock says it")]
fn after(span: Duration) -> Instant {
    Instant::now() + span.min(LONGEST)
}

impl Future for Delay {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let at = self.at;
        let sleep = self.sleep.get_or_insert_with(|| {
            assert!(
                Handle::try_current().is_ok(),
                "a futures_timer::Delay was polled outside of a tokio runtime: this build has it on tokio's timer, \
                 by `[patch.crates-io]`; poll it within a runtime that has its timers enabled"
            );
            Box::pin(sleep_until(at))
        });
        sleep.as_mut().poll(cx)
    }
}

impl fmt::Debug for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delay").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "what is tested is time, and it is paused")]
mod tests {
    use std::task::Waker;

    use tokio::runtime::{Builder, Runtime};

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn paused() -> Runtime {
        Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
    }

    #[test]
    fn it_fires_when_the_paused_clock_has_moved_so_far() {
        paused().block_on(async {
            let begun = Instant::now();
            Delay::new(7 * MS).await;
            assert_eq!(begun.elapsed(), 7 * MS);
        });
    }

    #[test]
    fn made_before_it_is_polled_it_counts_from_its_making() {
        let runtime = paused();
        let mut delay = {
            let _context = runtime.enter();
            Delay::new(10 * MS)
        };
        runtime.block_on(async {
            let begun = Instant::now();
            tokio::time::sleep(4 * MS).await;
            (&mut delay).await;
            assert_eq!(begun.elapsed(), 10 * MS);
        });
    }

    #[test]
    fn a_reset_counts_anew_also_after_it_fired() {
        paused().block_on(async {
            let begun = Instant::now();
            let mut delay = Delay::new(2 * MS);
            delay.reset(5 * MS);
            (&mut delay).await;
            assert_eq!(begun.elapsed(), 5 * MS);
            delay.reset(3 * MS);
            delay.await;
            assert_eq!(begun.elapsed(), 8 * MS);
        });
    }

    #[test]
    fn the_longest_span_is_no_overflow() {
        let _ever = Delay::new(Duration::MAX);
    }

    #[test]
    #[should_panic(expected = "outside of a tokio runtime")]
    fn without_a_runtime_it_says_what_is_missing() {
        let mut delay = Delay::new(MS);
        let _ = Pin::new(&mut delay).poll(&mut Context::from_waker(Waker::noop()));
    }
}
