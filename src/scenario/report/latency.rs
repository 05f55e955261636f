//! Quantiles of latencies.

use core::time::Duration;

use serde::{Deserialize, Serialize};

/// Latencies in virtual milliseconds. `None` where there was nothing to measure.
///
/// Quantiles are by nearest rank: the smallest sample that at least the share `q` of all samples does not
/// exceed. So each is a latency that was really seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// The median.
    pub p50: Option<f64>,
    /// 95 of 100 took no longer.
    pub p95: Option<f64>,
    /// 99 of 100 took no longer.
    pub p99: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
}

impl Latency {
    /// The quantiles of `samples`, in whichever order they are.
    pub fn of(mut samples: Vec<Duration>) -> Self {
        samples.sort();
        let at = |per_mille| rank(&samples, per_mille).map(millis);
        Self { p50: at(500), p95: at(950), p99: at(990), max: at(1000) }
    }
}

/// The sample at nearest rank `per_mille` of 1000 in `sorted`.
pub(crate) fn rank(sorted: &[Duration], per_mille: usize) -> Option<Duration> {
    let rank = sorted.len().saturating_mul(per_mille).div_ceil(1000).max(1);
    sorted.get(rank - 1).copied()
}

/// Milliseconds, to the microsecond: the same digits everywhere.
#[expect(clippy::cast_precision_loss, reason = "runs last less than 285 years, so the count is below 2^53")]
pub(crate) fn millis(span: Duration) -> f64 {
    let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    micros as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(millis: impl IntoIterator<Item = u64>) -> Latency {
        Latency::of(millis.into_iter().map(Duration::from_millis).collect())
    }

    #[test]
    fn nothing_measured_is_nothing_told() {
        assert_eq!(of([]), Latency::default());
    }

    #[test]
    fn one_sample_is_every_quantile() {
        assert_eq!(of([7]), Latency { p50: Some(7.0), p95: Some(7.0), p99: Some(7.0), max: Some(7.0) });
    }

    #[test]
    fn ranks_are_nearest_and_order_does_not_matter() {
        // The textbook case: 15, 20, 35, 40, 50; the median is the third, the others are the last.
        let latency = of([50, 15, 40, 20, 35]);
        assert_eq!(latency, Latency { p50: Some(35.0), p95: Some(50.0), p99: Some(50.0), max: Some(50.0) });
        // Of 1 to 200: exactly half, 95 % and 99 % do not exceed them.
        let latency = of((1..=200).rev());
        assert_eq!(
            latency,
            Latency { p50: Some(100.0), p95: Some(190.0), p99: Some(198.0), max: Some(200.0) }
        );
        // One more sample moves each rank up to the next.
        let latency = of(1..=201);
        assert_eq!(
            latency,
            Latency { p50: Some(101.0), p95: Some(191.0), p99: Some(199.0), max: Some(201.0) }
        );
    }

    #[test]
    fn microseconds_are_kept_and_less_is_cut() {
        let latency = Latency::of(vec![Duration::from_nanos(1_234_999)]);
        assert_eq!(latency.max, Some(1.234));
    }
}
