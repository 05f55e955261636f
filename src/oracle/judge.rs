//! All oracles together.

use core::time::Duration;

use super::fact::{Holding, Seen};
use super::general::General;
use super::limits::WithinLimits;
use super::recall::{Judgement, Recall};
use super::registry::Registries;
use super::truth::Truth;
use super::verdict::Violation;
use crate::engine::QueryId;
use crate::time::Timestamp;

/// Every oracle, fed one fact at a time. See the [module](super) for the order of calls.
#[derive(Debug)]
pub struct Judge {
    general: General<QueryId>,
    registries: Registries,
    limits: WithinLimits,
    recall: Recall,
    violations: Vec<Violation>,
    /// Violations beyond [`Judge::MOST`], which are counted and not kept.
    more: u64,
}

impl Judge {
    /// The most violations that are kept word for word.
    pub const MOST: usize = 1000;

    /// A judge of a network that reports deadlines at most `tick` late.
    pub fn new(tick: Duration) -> Self {
        Self {
            general: General::new(tick, true),
            registries: Registries::default(),
            limits: WithinLimits::default(),
            recall: Recall::default(),
            violations: Vec::new(),
            more: 0,
        }
    }

    /// See one fact.
    pub fn observe(&mut self, seen: &Seen, truth: &impl Truth) {
        let mut found = Vec::new();
        // Recall and the registry's oracles look at a query while the general ones still know it.
        self.recall.observe(seen, truth, &mut found);
        self.registries.observe(seen, truth, &mut found);
        self.limits.observe(seen, &mut found);
        self.general.observe(seen);
        found.append(&mut self.general.take());
        self.keep(found);
    }

    /// Searches that begin from now on are judged, and do not count towards the run's recall.
    pub fn stop_measuring(&mut self) {
        self.recall.stop_measuring();
    }

    /// All is done: judge what is left, and hand over what was found.
    pub fn finish(mut self, at: Timestamp, holdings: &[Holding]) -> (Vec<Violation>, u64, Judgement) {
        let mut found = Vec::new();
        self.general.finish(at, holdings);
        found.append(&mut self.general.take());
        self.registries.finish(at, holdings, &mut found);
        self.keep(found);
        (self.violations, self.more, self.recall.finish())
    }

    fn keep(&mut self, found: Vec<Violation>) {
        for violation in found {
            if self.violations.len() < Self::MOST {
                self.violations.push(violation);
            } else {
                self.more += 1;
            }
        }
    }
}
