//! What takes back what a plan's events have done, for those who have to work again: see [`LivenessPlan`].
//!
//! [`LivenessPlan`]: super::LivenessPlan

use super::turn::{LinkPlan, Turn};
use super::types::Plan;
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
            | Self::Frame { .. }
            | Self::Collude { .. } => return None,
        })
    }

    /// The nodes that this makes hostile.
    pub fn hostile(&self) -> Option<&NodeSet> {
        match self {
            Self::Garbles { nodes, ways } if !ways.is_empty() => Some(nodes),
            Self::Lies { nodes, kinds } if !kinds.is_empty() => Some(nodes),
            Self::Storm { nodes, each, .. } | Self::Frame { nodes, each, .. } if *each > 0 => Some(nodes),
            Self::Collude { nodes, on: true, .. } => Some(nodes),
            Self::Rollback { nodes, on: true, .. } | Self::Equivocate { nodes, on: true, .. } => Some(nodes),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testbed::Way;

    fn set(nodes: &str) -> NodeSet {
        nodes.parse().unwrap()
    }

    #[test]
    fn what_was_done_to_the_core_is_taken_back_and_nothing_else() {
        let (core, undialable) = (set("0..4"), set("3"));
        let lifted = |turn: Turn| turn.lifted(&core, &undialable);
        let slow = Turn::Slow { nodes: set("2..9"), factor: 7 };
        assert_eq!(lifted(slow), Some(Turn::Slow { nodes: set("2..4"), factor: 1 }));
        assert_eq!(lifted(Turn::Silent { nodes: set("5..9"), on: true }), None);
        // A cut is healed for everybody: one side of it alone heals nothing.
        let (from, to) = (set("1, 7"), set("2, 8"));
        let cut = Turn::Cut { from: from.clone(), to: to.clone(), way: Way::Both };
        assert_eq!(lifted(cut), Some(Turn::Heal { from, to }));
        // Who was born undialable stays so.
        let struck = Turn::Dialable { nodes: set("1..9"), on: false };
        assert_eq!(lifted(struck), Some(Turn::Dialable { nodes: set("1..3"), on: true }));
        assert_eq!(lifted(Turn::Dialable { nodes: set("3"), on: false }), None);
        assert_eq!(lifted(Turn::Collude { nodes: set("0..9"), to: set(""), on: true }), None);
    }

    #[test]
    fn whoever_turns_hostile_is_named() {
        let storm = |each| Turn::Storm { nodes: set("4"), each, gust: 0 };
        assert_eq!(storm(3).hostile(), Some(&set("4")));
        assert_eq!(storm(0).hostile(), None);
        assert_eq!(Turn::Collude { nodes: set("4"), to: set(""), on: false }.hostile(), None);
        assert_eq!(Turn::Slow { nodes: set("4"), factor: 2 }.hostile(), None);
    }
}
