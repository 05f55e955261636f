//! One operation, and what came of it.

use core::fmt::Display;

use serde::Serialize;

use crate::scenario::report::Violation;
use crate::testbed::NodeId;
use crate::time::Timestamp;

/// One operation, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Deed<A, O> {
    /// Its number in the plan.
    pub number: u32,
    /// Who was asked.
    pub node: NodeId,
    /// Which of the node's lives it was: 0 is the first.
    pub life: u32,
    /// When it was asked.
    pub at: Timestamp,
    /// What it was asked.
    pub act: A,
    /// When it was told what came of it, and what. `None` when the node died before, or never told it.
    pub told: Option<(Timestamp, O)>,
}

impl<A, O> Deed<A, O> {
    /// This is wrong with it, in a sentence, as the oracle of this name says. It shows when it is told.
    pub fn wrong(&self, oracle: &str, detail: impl Display) -> Violation {
        let at = self.told.as_ref().map_or(self.at, |(at, _)| *at);
        let detail = format!("{}: operation {}: {detail}", self.node, self.number);
        Violation { oracle: oracle.to_owned(), at_ms: at.as_millis(), detail }
    }
}
