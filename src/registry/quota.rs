//! How much each of many strangers may send: one rate and one burst for each name.
//!
//! The generic cell rate algorithm (ITU-T I.371): for each name one instant is kept, at which its debt is
//! paid off. One more is allowed while the debt is less than the burst. A name without debt needs no
//! entry, so the map holds only who sent lately; when it is full of such names a new one is refused.

use core::time::Duration;
use std::collections::BTreeMap;

use crate::time::Timestamp;

/// A rate and a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The time that one item costs: the inverse of the rate.
    pub every: Duration,
    /// How many may come at once after a silence.
    pub burst: u32,
}

/// What many names have used of the same quota.
#[derive(Debug)]
pub(super) struct Quotas<K> {
    quota: Quota,
    most: usize,
    paid_at: BTreeMap<K, Timestamp>,
    swept_at: Timestamp,
}

impl<K: Ord + Copy> Quotas<K> {
    /// `quota` for each name, of whom at most `most` are remembered.
    pub(super) fn new(quota: Quota, most: usize) -> Self {
        Self { quota, most, paid_at: BTreeMap::new(), swept_at: Timestamp::ZERO }
    }

    /// Whether one more from `name` is within its quota; if so it is counted.
    pub(super) fn take(&mut self, name: K, now: Timestamp) -> bool {
        if !self.paid_at.contains_key(&name) && self.paid_at.len() >= self.most {
            self.sweep(now);
            if self.paid_at.len() >= self.most {
                return false;
            }
        }
        let depth = self.quota.every.saturating_mul(self.quota.burst.saturating_sub(1));
        let paid_at = self.paid_at.entry(name).or_insert(now);
        let from = (*paid_at).max(now);
        if from.since(now) > depth {
            return false;
        }
        *paid_at = from.after(self.quota.every);
        true
    }

    /// Forget who has no debt; at most once for each item's time, so that a flood of new names cannot
    /// make this the work of every call.
    fn sweep(&mut self, now: Timestamp) {
        if now.since(self.swept_at) >= self.quota.every {
            self.swept_at = now;
            self.paid_at.retain(|_, paid_at| *paid_at > now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let quota = Quota { every: Duration::from_millis(100), burst: 3 };
        let mut quotas = Quotas::new(quota, 10);
        let passed = |quotas: &mut Quotas<u8>, when| (0..10).filter(|_| quotas.take(1, at(when))).count();
        assert_eq!(passed(&mut quotas, 1000), 3);
        assert_eq!(passed(&mut quotas, 1099), 0);
        assert_eq!(passed(&mut quotas, 1100), 1);
        assert_eq!(passed(&mut quotas, 1350), 2);
        assert_eq!(passed(&mut quotas, 9000), 3, "a long silence earns no more than the burst");
        assert!(quotas.take(2, at(9000)), "another name has its own quota");
    }

    #[test]
    fn the_map_is_bounded_and_lets_go_of_who_is_silent() {
        let quota = Quota { every: Duration::from_millis(100), burst: 1 };
        let mut quotas = Quotas::new(quota, 2);
        assert!(quotas.take(1, at(1000)) && quotas.take(2, at(1000)));
        assert!(!quotas.take(3, at(1050)), "full of names with debts");
        assert!(quotas.take(3, at(1200)));
        assert_eq!(quotas.paid_at.len(), 1, "the silent ones are gone");
    }
}
