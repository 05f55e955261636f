//! What the engine counts: totals that add up, and distributions with quantiles.
//!
//! `started = complete + enough + partial + failed + cancelled + in flight`, after every call. Each ended
//! query stands in each histogram exactly once, except those refused as busy: they end too, and at once, so
//! that an overload would otherwise look like speed.

use super::outcome::{Outcome, QueryOutcome};
use crate::time::nanos;

/// Sub-buckets to a power of two: a quantile is at most an eighth above the true value.
const SUB: u32 = 8;
/// Values below this have a bucket each.
const EXACT: u64 = 16;
/// Buckets for every `u64`: 16 exact ones, then 8 for each power of two from 2^4 on.
const BUCKETS: usize = 16 + 60 * 8;

/// A distribution of integers in fixed logarithmic buckets.
///
/// Below 16 each value has its own bucket; above, each power of two is cut into 8. So a quantile is
/// never below the true value and at most 12.5% above it, and memory does not grow with use.
#[derive(Clone, PartialEq, Eq)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    sum: u128,
    least: u64,
    most: u64,
}

impl core::fmt::Debug for Histogram {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Histogram")
            .field("count", &self.count)
            .field("least", &self.least())
            .field("p50", &self.quantile(500))
            .field("p99", &self.quantile(990))
            .field("most", &self.most())
            .finish()
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: vec![0; BUCKETS], count: 0, sum: 0, least: u64::MAX, most: 0 }
    }
}

/// The bucket of `value`.
fn bucket(value: u64) -> usize {
    if value < EXACT {
        return usize::try_from(value).unwrap_or(0);
    }
    let power = value.ilog2();
    let within = (value >> (power - 3)) & u64::from(SUB - 1);
    let index = u64::from(power - 4) * u64::from(SUB) + within;
    16 + usize::try_from(index).unwrap_or(0)
}

/// The highest value of a bucket.
fn upper(bucket: usize) -> u64 {
    if bucket < 16 {
        return u64::try_from(bucket).unwrap_or(0);
    }
    let index = u64::try_from(bucket - 16).unwrap_or(0);
    let (power, within) = (index / u64::from(SUB) + 4, index % u64::from(SUB));
    let low = (u64::from(SUB) + within) << (power - 3);
    low.saturating_add((1 << (power - 3)) - 1)
}

impl Histogram {
    /// Count `value` once.
    pub fn add(&mut self, value: u64) {
        if let Some(count) = self.buckets.get_mut(bucket(value)) {
            *count += 1;
        }
        self.count += 1;
        self.sum += u128::from(value);
        self.least = self.least.min(value);
        self.most = self.most.max(value);
    }

    /// Let every value count half: what came before fades against what comes.
    pub(super) fn halve(&mut self) {
        self.count = 0;
        for bucket in &mut self.buckets {
            *bucket /= 2;
            self.count += *bucket;
        }
        self.sum /= 2;
    }

    /// How many values were counted.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The smallest value; `None` when nothing was counted.
    pub const fn least(&self) -> Option<u64> {
        if self.count == 0 { None } else { Some(self.least) }
    }

    /// The largest value; `None` when nothing was counted.
    pub const fn most(&self) -> Option<u64> {
        if self.count == 0 { None } else { Some(self.most) }
    }

    /// The mean of all values, rounded down; `None` when nothing was counted.
    pub fn mean(&self) -> Option<u64> {
        let mean = self.sum.checked_div(u128::from(self.count))?;
        Some(u64::try_from(mean).unwrap_or(u64::MAX))
    }

    /// The sum of all values.
    pub const fn sum(&self) -> u128 {
        self.sum
    }

    /// How many values are certainly at most `bound`: those of all buckets that end at it or below. At most an
    /// eighth below `bound` lie those that are left out.
    pub fn at_most(&self, bound: u64) -> u64 {
        let whole = bucket(bound) + usize::from(upper(bucket(bound)) <= bound);
        self.buckets.iter().take(whole).sum()
    }

    /// The least bucket bound that at least `permille` thousandths of the values do not exceed (nearest
    /// rank), at most the largest value; `None` when nothing was counted.
    pub fn quantile(&self, permille: u32) -> Option<u64> {
        if self.count == 0 {
            return None;
        }
        let rank = (u128::from(self.count) * u128::from(permille.min(1000))).div_ceil(1000).max(1);
        let mut seen = 0u128;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += u128::from(*count);
            if seen >= rank {
                return Some(upper(index).min(self.most));
            }
        }
        Some(self.most)
    }
}

/// Everything that the engine counts, since it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryMetrics {
    /// Queries taken in, searches and gets.
    pub started: u64,
    /// Ended `Complete`.
    pub complete: u64,
    /// Ended `Enough`.
    pub enough: u64,
    /// Ended `Partial`.
    pub partial: u64,
    /// Ended `Failed`, the busy ones among them.
    pub failed: u64,
    /// Ended `Cancelled`.
    pub cancelled: u64,
    /// Of the failed: refused, because too many were in flight.
    pub busy: u64,

    /// Requests handed to the network.
    pub requests: u64,
    /// Of these: ended by the network.
    pub requests_finished: u64,
    /// Of these: cancelled by the engine.
    pub requests_cancelled: u64,
    /// Of the cancelled: never ended by the network, though their deadline had passed.
    pub requests_overdue: u64,
    /// Events for requests that were no longer, or never, expected; and events that contradict others.
    pub stray_events: u64,

    /// Questions that were late, and in whose place another peer could be asked: see [`FanOut`](super::FanOut).
    pub hedges: u64,

    /// Results handed over.
    pub delivered: u64,
    /// Records that came again.
    pub duplicates: u64,
    /// Records from peers that verified.
    pub verified: u64,
    /// Answers that held ill-made or unasked things.
    pub malformed: u64,
    /// Answers that held a record which did not verify.
    pub forged: u64,
    /// Releases of which two different signed records turned up.
    pub conflicts: u64,
    /// Gets answered by the cache.
    pub cache_hits: u64,
    /// Gets answered by a cached absence.
    pub absence_hits: u64,
    /// Gets that joined a lookup in flight.
    pub joined: u64,

    /// From command to end, in nanoseconds.
    pub latency: Histogram,
    /// Results of a query.
    pub results: Histogram,
    /// Requests made for a query; a shared lookup counts for each that waited on it.
    pub requests_per_query: Histogram,
}

impl QueryMetrics {
    /// Queries that have started and not ended.
    pub const fn in_flight(&self) -> u64 {
        let ended = self.complete + self.enough + self.partial + self.failed + self.cancelled;
        self.started.saturating_sub(ended)
    }

    /// Count the end of a query that made `requests`.
    pub(super) fn ended(&mut self, outcome: &QueryOutcome, requests: u32) {
        match outcome.outcome {
            Outcome::Complete => self.complete += 1,
            Outcome::Enough => self.enough += 1,
            Outcome::Partial(_) => self.partial += 1,
            Outcome::Failed(_) => self.failed += 1,
            Outcome::Cancelled => self.cancelled += 1,
        }
        self.latency.add(nanos(outcome.elapsed));
        self.results.add(u64::try_from(outcome.found.len()).unwrap_or(u64::MAX));
        self.requests_per_query.add(u64::from(requests));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_value_lies_within_its_bucket() {
        for power in 0..64 {
            for value in [1u64 << power, (1u64 << power) - 1, (1u64 << power) + (1u64 << power) / 3] {
                let index = bucket(value);
                assert!(upper(index) >= value, "{value}");
                assert!(index == 0 || upper(index - 1) < value, "{value}");
            }
        }
        for value in 0..1024 {
            let index = bucket(value);
            assert!(upper(index) >= value && (index == 0 || upper(index - 1) < value), "{value}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
        assert_eq!(upper(BUCKETS - 1), u64::MAX);
    }

    #[test]
    fn at_most_a_bound_are_those_that_certainly_are() {
        let mut histogram = Histogram::default();
        [0, 1, 1, 3, 16, 17, 32, 35, 36, u64::MAX].into_iter().for_each(|value| histogram.add(value));
        let told = [0, 1, 2, 3, 15, 16, 17].map(|bound| histogram.at_most(bound));
        assert_eq!(told, [1, 3, 3, 4, 4, 4, 6], "16 and 17 are the first to share a bucket");
        // 32 to 35 share a bucket: it counts when all of it is below the bound.
        assert_eq!([32, 34, 35, 36, 39].map(|bound| histogram.at_most(bound)), [6, 6, 8, 8, 9]);
        assert_eq!([u64::MAX - 1, u64::MAX].map(|bound| histogram.at_most(bound)), [9, 10]);
    }

    #[test]
    fn halving_leaves_the_shape() {
        let mut histogram = Histogram::default();
        [10, 10, 10, 10, 10, 12, 12].into_iter().for_each(|value| histogram.add(value));
        histogram.halve();
        assert_eq!((histogram.count(), histogram.sum()), (3, 37));
        assert_eq!([0, 500, 1000].map(|at| histogram.quantile(at)), [Some(10), Some(10), Some(12)]);
        let shown = format!("{histogram:?}");
        assert_eq!(
            shown,
            "Histogram { count: 3, least: Some(10), p50: Some(10), p99: Some(12), most: Some(12) }"
        );
    }

    #[test]
    fn an_empty_histogram_claims_nothing() {
        let empty = Histogram::default();
        assert_eq!(
            (empty.least(), empty.most(), empty.mean(), empty.quantile(500)),
            (None, None, None, None)
        );
    }

    #[test]
    fn the_mean_is_of_all_values_and_not_the_last() {
        let mut histogram = Histogram::default();
        [1, 2, 9].into_iter().for_each(|value| histogram.add(value));
        assert_eq!(histogram.mean(), Some(4));
        assert_eq!((histogram.least(), histogram.most()), (Some(1), Some(9)));
        assert_eq!(histogram.quantile(500), Some(2));
        assert_eq!(histogram.quantile(0), Some(1));
        assert_eq!(histogram.quantile(1000), Some(9));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn quantiles_are_within_an_eighth_above(mut values in prop::collection::vec(any::<u64>(), 1..200),
                                                shift in 0u32..60, permille in 0u32..=1000) {
            let mut histogram = Histogram::default();
            for value in &mut values {
                *value >>= shift;
                histogram.add(*value);
            }
            values.sort_unstable();
            let rank = (values.len() * permille as usize).div_ceil(1000).max(1);
            let exact = values[rank - 1];
            let told = histogram.quantile(permille).unwrap();
            prop_assert!(told >= exact, "{told} < {exact}");
            prop_assert!(u128::from(told - exact) * 8 <= u128::from(exact), "{told} too far above {exact}");
        }
    }
}
