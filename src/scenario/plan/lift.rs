//! What takes back what a plan's events have done, for those who have to work again: see [`LivenessPlan`].
//!
//! [`LivenessPlan`]: super::LivenessPlan

use super::types::{LinkPlan, Plan, Turn};
use crate::scenario::nodes::NodeSet;
use crate::scenario::units::Span;

impl Plan {
    /// What takes back, for the core, what the events of the plan have done: to be applied at its end, in this order.
    /// Starting again those that are down is left to whoever knows which are.
    pub fn lifted(&self, core: &NodeSet) -> Vec<Turn> {
        let mut lifted: Vec<Turn> = Vec::new();
        for event in &self.timeline.events {
            if let Some(turn) = event.what.lifted(core, &self.nodes.undialable)
                && !lifted.contains(&turn)
            {
                lifted.push(turn);
            }
        }
        lifted
    }
}

impl Turn {
    /// What takes this back for the nodes of `core`; cuts are healed for everybody.
    fn lifted(&self, core: &NodeSet, undialable: &NodeSet) -> Option<Self> {
        let of = |nodes: &NodeSet| -> Option<NodeSet> {
            let both: NodeSet = nodes.iter().filter(|node| core.contains(*node)).collect();
            (!both.is_empty()).then_some(both)
        };
        Some(match self {
            Self::Cut { from, to, .. } => Self::Heal { from: from.clone(), to: to.clone() },
            Self::Links { nodes, .. } => Self::Links { nodes: of(nodes)?, change: LinkPlan::default() },
            Self::Slow { nodes, .. } => Self::Slow { nodes: of(nodes)?, factor: 1 },
            Self::Silent { nodes, .. } => Self::Silent { nodes: of(nodes)?, on: false },
            Self::Stall { nodes, .. } => Self::Stall { nodes: of(nodes)?, on: false },
            Self::Full { nodes, .. } => Self::Full { nodes: of(nodes)?, on: false },
            Self::Forgets { nodes, .. } => Self::Forgets { nodes: of(nodes)?, on: false },
            Self::Skew { nodes, .. } => Self::Skew { nodes: of(nodes)?, by: Span::default(), behind: false },
            Self::Late { nodes, .. } => Self::Late { nodes: of(nodes)?, by: Span::default() },
            Self::Dialable { nodes, .. } => {
                let born: NodeSet = of(nodes)?.iter().filter(|node| !undialable.contains(*node)).collect();
                if born.is_empty() {
                    return None;
                }
                Self::Dialable { nodes: born, on: true }
            }
            // Who is hostile is in no core, and who is down is known at the end only.
            Self::Kill { .. }
            | Self::Restart { .. }
            | Self::Heal { .. }
            | Self::Garbles { .. }
            | Self::Lies { .. }
            | Self::Rollback { .. }
            | Self::Equivocate { .. }
            | Self::Storm { .. }
            | Self::Collude { .. } => return None,
        })
    }

    /// The nodes that this makes hostile.
    pub fn hostile(&self) -> Option<&NodeSet> {
        match self {
            Self::Garbles { nodes, ways } if !ways.is_empty() => Some(nodes),
            Self::Lies { nodes, kinds } if !kinds.is_empty() => Some(nodes),
            Self::Storm { nodes, each, .. } if *each > 0 => Some(nodes),
            Self::Collude { nodes, on: true } => Some(nodes),
            Self::Rollback { nodes, on: true, .. } | Self::Equivocate { nodes, on: true, .. } => Some(nodes),
            _ => None,
        }
    }
}
