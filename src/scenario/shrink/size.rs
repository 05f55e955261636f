//! How large a plan is, for whoever compares two.

use core::fmt;

use crate::scenario::plan::{NodeRole, Plan, SourcePlan};
use crate::scenario::units::Span;

/// How large a plan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanSize {
    /// Nodes, those that join late and registries included.
    pub nodes: usize,
    /// Registries among them.
    pub registries: usize,
    /// Operations.
    pub operations: usize,
    /// Faults, and their ends.
    pub events: usize,
    /// Packages in the catalogue, at most; `None` when a file says how many.
    pub packages: Option<u32>,
    /// How long the run lasts.
    pub duration: Span,
}

impl PlanSize {
    /// How large `plan` is.
    pub fn of(plan: &Plan) -> Self {
        let roles = plan.roles();
        Self {
            nodes: roles.len(),
            registries: roles.iter().filter(|it| matches!(it, NodeRole::Registry(_))).count(),
            operations: plan.timeline.operations.len(),
            events: plan.timeline.events.len(),
            packages: match &plan.catalogue.source {
                SourcePlan::Synthetic { packages, .. } => Some(*packages),
                SourcePlan::File { packages, .. } => *packages,
            },
            duration: plan.duration,
        }
    }
}

impl fmt::Display for PlanSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many =
            |count: usize, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
        let (nodes, operations) =
            (many(self.nodes, "peer", "peers"), many(self.operations, "operation", "operations"));
        let registries = many(self.registries, "registry", "registries");
        let events = many(self.events, "fault event", "fault events");
        write!(f, "{nodes} ({registries} among them), {operations}, {events}")?;
        if let Some(packages) = self.packages {
            write!(f, ", {}", many(packages as usize, "package", "packages"))?;
        }
        write!(f, ", {}", self.duration)
    }
}
