//! How long a peer is given to answer, learned from how long peers took.
//!
//! An [`Estimator`] is Jacobson's and Karels' (RFC 6298): smoothed time `s` and smoothed deviation `d`, with
//! gains 1/8 and 1/4, and the timeout `s + 4 d`. All in integer nanoseconds.
//!
//! A timeout is a censored sample: the answer would have taken *longer* than what was given. It cannot be
//! averaged in, so it doubles the next timeout instead (at most [`MOST_DOUBLINGS`] times) until an answer
//! comes. So a start with a few fast answers on a slow network cannot lock itself into a timeout that
//! nobody meets: it backs off until the configured `request_timeout`.
//!
//! Three estimators are kept apart: one for each peer, while it is connected; one pooled over all connected
//! peers, for those that never answered; and one pooled over peers that must be dialled first, since
//! dialling takes several round trips and says little about the next question.

use core::time::Duration;

use crate::time::nanos;

/// The most times that a timeout is doubled: from the shortest floor there is (1 ms) to beyond the longest
/// `request_timeout` (1 h), so that no start is too fast to back off from.
pub(super) const MOST_DOUBLINGS: u32 = 22;

/// Smoothed time and deviation; see the [module](self).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Estimator {
    /// Smoothed time and deviation in nanoseconds, once there was an answer.
    smoothed: Option<(u64, u64)>,
    doublings: u32,
}

impl Estimator {
    /// An answer came after `took`.
    pub(super) fn answered(&mut self, took: Duration) {
        let took = nanos(took);
        self.smoothed = Some(match self.smoothed {
            None => (took, took / 2),
            Some((time, deviation)) => {
                let error = time.abs_diff(took);
                (time - time / 8 + took / 8, deviation - deviation / 4 + error / 4)
            }
        });
        self.doublings = 0;
    }

    /// No answer had come after `took`, when it was no longer waited for: a censored sample, that counts when it is
    /// longer than what was expected.
    pub(super) fn took_at_least(&mut self, took: Duration) {
        let doublings = self.doublings;
        if self.time().is_none_or(|time| time < took) {
            self.answered(took);
            self.doublings = doublings;
        }
    }

    /// Nothing came in all the time that was given.
    pub(super) fn timed_out(&mut self) {
        self.doublings = (self.doublings + 1).min(MOST_DOUBLINGS);
    }

    /// What to give next, at least `floor`; `None` when no answer ever came.
    pub(super) fn timeout(&self, floor: Duration) -> Option<Duration> {
        let (time, deviation) = self.smoothed?;
        let base = time.saturating_add(deviation.saturating_mul(4)).max(nanos(floor));
        Some(Duration::from_nanos(base.saturating_mul(1 << self.doublings)))
    }

    /// The smoothed time.
    pub(super) fn time(&self) -> Option<Duration> {
        self.smoothed.map(|(time, _)| Duration::from_nanos(time))
    }
}

/// The estimators pooled over peers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pools {
    /// Over peers that were connected when asked.
    pub(super) warm: Estimator,
    /// Over peers that were dialled first.
    pub(super) cold: Estimator,
}

/// The time to give a request: the peer's own estimate, or the pool's, within `floor` and `most`; `most`
/// where nothing is known.
pub(super) fn grant(own: Option<&Estimator>, pool: &Estimator, floor: Duration, most: Duration) -> Duration {
    let learned = own.and_then(|own| own.timeout(floor)).or_else(|| pool.timeout(floor));
    learned.map_or(most, |time| time.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR: Duration = Duration::from_millis(50);
    const MOST: Duration = Duration::from_secs(4);

    #[test]
    fn nothing_known_gives_all_there_is() {
        assert_eq!(grant(None, &Estimator::default(), FLOOR, MOST), MOST);
        assert_eq!(grant(Some(&Estimator::default()), &Estimator::default(), FLOOR, MOST), MOST);
    }

    #[test]
    fn a_steady_peer_is_given_little_more_than_it_takes() {
        let mut peer = Estimator::default();
        peer.answered(Duration::from_millis(100));
        assert_eq!(peer.timeout(Duration::ZERO), Some(Duration::from_millis(300)), "first answer: s + 4 s/2");
        for _ in 0..100 {
            peer.answered(Duration::from_millis(100));
        }
        let given = grant(Some(&peer), &Estimator::default(), FLOOR, MOST);
        assert!((100..110).contains(&given.as_millis()), "{given:?}");
        assert!((99..=100).contains(&peer.time().unwrap().as_millis()));
    }

    #[test]
    fn strangers_get_the_pools_time_and_the_bounds_hold() {
        let mut pool = Estimator::default();
        pool.answered(Duration::from_millis(200));
        assert_eq!(grant(None, &pool, FLOOR, MOST), Duration::from_millis(600));
        pool.answered(Duration::from_secs(3600));
        assert_eq!(grant(None, &pool, FLOOR, MOST), MOST);
        let mut fast = Estimator::default();
        fast.answered(Duration::from_micros(5));
        assert_eq!(grant(Some(&fast), &pool, FLOOR, MOST), FLOOR);
    }

    #[test]
    fn a_cold_start_on_a_slow_network_frees_itself() {
        // One lucky answer of 10 ms, after which everybody takes 2 s.
        let mut peer = Estimator::default();
        peer.answered(Duration::from_millis(10));
        let mut tries = 0;
        while grant(Some(&peer), &Estimator::default(), FLOOR, MOST) < Duration::from_secs(2) {
            peer.timed_out();
            tries += 1;
            assert!(tries <= 7, "locked in");
        }
        // Now the answer is in time, and the next timeout holds for the same time again.
        peer.answered(Duration::from_secs(2));
        let next = grant(Some(&peer), &Estimator::default(), FLOOR, MOST);
        assert!(next > Duration::from_secs(2), "{next:?}");
    }

    #[test]
    fn that_an_answer_takes_at_least_what_is_expected_says_nothing_and_that_it_takes_more_does() {
        let mut peer = Estimator::default();
        peer.answered(Duration::from_millis(8));
        let before = peer;
        peer.took_at_least(Duration::from_millis(8));
        assert_eq!(peer, before);
        peer.took_at_least(Duration::from_millis(16));
        assert_eq!(peer.time(), Some(Duration::from_millis(9)));
    }

    #[test]
    fn doublings_are_bounded_and_end_with_an_answer() {
        let mut peer = Estimator::default();
        peer.answered(Duration::from_millis(8));
        let base = peer.timeout(Duration::ZERO).unwrap();
        for _ in 0..1000 {
            peer.timed_out();
        }
        assert_eq!(peer.timeout(Duration::ZERO), Some(base * (1 << MOST_DOUBLINGS)));
        peer.answered(Duration::from_millis(8));
        assert!(peer.timeout(Duration::ZERO).unwrap() < base);
    }
}
