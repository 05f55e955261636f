//! What requests of registries cost, added up: the part of the report that two networks are compared by.

use core::time::Duration;

use super::figures::Figures;
use super::watched::Asked;
use crate::network::RequestStats;
use crate::scenario::report::{Traffic, millis};

/// The sums so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Costs {
    lookups: u64,
    lookup_messages: u64,
    questions: u64,
    answered: u64,
    question_messages: u64,
    announcements: u64,
    dialling: Duration,
    /// Of the lookups of which somebody answered: how many they were, their hops in all, and the most.
    reached: u64,
    hops: u64,
    most_hops: u32,
}

impl Costs {
    /// A registry heard an announcement.
    pub(super) fn heard(&mut self) {
        self.announcements += 1;
    }

    /// A request has ended.
    pub(super) fn cost(&mut self, what: Asked, well: bool, cost: &RequestStats) {
        let messages = u64::from(cost.sent) + u64::from(cost.answered);
        self.dialling = self.dialling.saturating_add(cost.dial_time);
        match what {
            Asked::Lookup => {
                self.lookups += 1;
                self.lookup_messages += messages;
                self.reached += u64::from(cost.hops > 0);
                self.hops += u64::from(cost.hops);
                self.most_hops = self.most_hops.max(cost.hops);
            }
            Asked::Question => {
                self.questions += 1;
                self.answered += u64::from(well);
                self.question_messages += messages;
            }
        }
    }

    /// All of it, with what the testbed has counted.
    #[expect(clippy::cast_precision_loss, reason = "counts of one run are far below 2^53")]
    pub(super) fn traffic(&self, figures: Figures) -> Traffic {
        Traffic {
            dials: figures.dials,
            failed_dials: figures.failed_dials,
            dial_ms: millis(self.dialling),
            lookups: self.lookups,
            lookup_messages: self.lookup_messages,
            questions: self.questions,
            answered: self.answered,
            question_messages: self.question_messages,
            announcements: self.announcements,
            hops: (self.reached > 0).then(|| self.hops as f64 / self.reached as f64),
            most_hops: self.most_hops,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_add_up_each_where_it_belongs() {
        let mut costs = Costs::default();
        let cost = |sent, answered, hops| RequestStats {
            sent,
            answered,
            hops,
            dial_time: Duration::from_micros(1500),
            ..RequestStats::default()
        };
        costs.cost(Asked::Lookup, true, &cost(20, 19, 2));
        costs.cost(Asked::Lookup, true, &cost(10, 10, 1));
        costs.cost(Asked::Lookup, false, &cost(3, 0, 0));
        costs.cost(Asked::Question, true, &cost(1, 1, 0));
        costs.cost(Asked::Question, false, &cost(1, 0, 0));
        costs.heard();
        let figures = Figures { dials: 7, failed_dials: 2, ..Figures::default() };
        let expected = Traffic {
            dials: 7,
            failed_dials: 2,
            dial_ms: 7.5,
            lookups: 3,
            lookup_messages: 62,
            questions: 2,
            answered: 1,
            question_messages: 3,
            announcements: 1,
            hops: Some(1.5),
            most_hops: 2,
        };
        assert_eq!(costs.traffic(figures), expected);
        assert_eq!(Costs::default().traffic(Figures::default()).hops, None);
    }
}
