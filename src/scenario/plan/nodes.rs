//! What a plan becomes when nodes are taken out of it: everybody after them has a lower number, everywhere.

use std::collections::{BTreeMap, BTreeSet};

use super::liveness::LivenessPlan;
use super::turn::Turn;
use super::types::{Act, NodeRole, Plan};
use crate::scenario::nodes::NodeSet;
use crate::testbed::NodeId;

impl Turn {
    /// The sets of nodes that it names.
    pub fn sets(&self) -> Vec<&NodeSet> {
        match self {
            Self::Kill { nodes, .. }
            | Self::Restart { nodes }
            | Self::Links { nodes, .. }
            | Self::Slow { nodes, .. }
            | Self::Silent { nodes, .. }
            | Self::Stall { nodes, .. }
            | Self::Dialable { nodes, .. }
            | Self::Garbles { nodes, .. }
            | Self::Lies { nodes, .. }
            | Self::Rollback { nodes, .. }
            | Self::Equivocate { nodes, .. }
            | Self::Full { nodes, .. }
            | Self::Forgets { nodes, .. }
            | Self::Late { nodes, .. }
            | Self::Skew { nodes, .. }
            | Self::Storm { nodes, .. }
            | Self::Frame { nodes, .. } => vec![nodes],
            Self::Collude { nodes, to, .. } if to.is_empty() => vec![nodes],
            Self::Collude { nodes, to, .. } => vec![nodes, to],
            Self::Cut { from, to, .. } | Self::Heal { from, to } => vec![from, to],
        }
    }

    /// The same, to be changed.
    pub fn sets_mut(&mut self) -> Vec<&mut NodeSet> {
        match self {
            Self::Kill { nodes, .. }
            | Self::Restart { nodes }
            | Self::Links { nodes, .. }
            | Self::Slow { nodes, .. }
            | Self::Silent { nodes, .. }
            | Self::Stall { nodes, .. }
            | Self::Dialable { nodes, .. }
            | Self::Garbles { nodes, .. }
            | Self::Lies { nodes, .. }
            | Self::Rollback { nodes, .. }
            | Self::Equivocate { nodes, .. }
            | Self::Full { nodes, .. }
            | Self::Forgets { nodes, .. }
            | Self::Late { nodes, .. }
            | Self::Skew { nodes, .. }
            | Self::Storm { nodes, .. }
            | Self::Frame { nodes, .. } => vec![nodes],
            Self::Collude { nodes, to, .. } => {
                let mut sets = vec![nodes];
                sets.extend((!to.is_empty()).then_some(to));
                sets
            }
            Self::Cut { from, to, .. } | Self::Heal { from, to } => vec![from, to],
        }
    }

    /// The number of the publisher that it names, if it does.
    pub fn publisher_mut(&mut self) -> Option<&mut u32> {
        match self {
            Self::Rollback { publisher, .. } | Self::Equivocate { publisher, .. } => Some(publisher),
            _ => None,
        }
    }
}

impl Act {
    /// The number of the publisher that it names, if it does.
    pub fn publisher_mut(&mut self) -> Option<&mut u32> {
        match self {
            Self::Get { publisher, .. } | Self::Versions { publisher, .. } => Some(publisher),
            Self::Publish(listing) => Some(&mut listing.publisher),
            Self::Search { .. } | Self::Yank { .. } | Self::Join { .. } => None,
        }
    }
}

impl Plan {
    /// The same plan without these nodes. Those that stay are numbered anew in their order, with what is said of them;
    /// what only the others did, or what was to be got of them, is gone.
    #[must_use]
    pub fn without_nodes(&self, gone: &BTreeSet<NodeId>) -> Self {
        let mut plan = self.clone();
        let (mut nodes, mut registries) = (BTreeMap::new(), BTreeMap::new());
        let (mut start, mut of_start) = (0, 0);
        for (old, role) in (0u32..).zip(self.roles()) {
            if gone.contains(&NodeId(old)) {
                continue;
            }
            nodes.insert(NodeId(old), NodeId(count(nodes.len())));
            let at_start = old < self.nodes.start;
            start += u32::from(at_start);
            if let NodeRole::Registry(number) = role {
                of_start += u32::from(at_start);
                registries.insert(number, count(registries.len()));
            }
        }
        (plan.nodes.start, plan.nodes.registries) = (start, of_start);
        let remapped =
            |set: &NodeSet| -> NodeSet { set.iter().filter_map(|node| nodes.get(&node).copied()).collect() };
        plan.nodes.clients = remapped(&self.nodes.clients);
        plan.nodes.undialable = remapped(&self.nodes.undialable);
        plan.nodes.nobody = remapped(&self.nodes.nobody);
        plan.nodes.placed.iter_mut().for_each(|it| it.nodes = remapped(&it.nodes));
        plan.nodes.placed.retain(|it| !it.nodes.is_empty());
        plan.liveness = self.liveness.as_ref().and_then(|wanted| {
            let core = remapped(&wanted.core);
            (!core.is_empty()).then_some(LivenessPlan { core, within: wanted.within })
        });
        let own = self.catalogue.publishers;
        let publisher = |number: &mut u32| match number.checked_sub(own) {
            None => true,
            Some(registry) => match registries.get(&registry) {
                Some(new) => {
                    *number = own.saturating_add(*new);
                    true
                }
                None => false,
            },
        };
        plan.timeline.operations.retain_mut(|operation| {
            let Some(new) = nodes.get(&operation.node) else { return false };
            operation.node = *new;
            if let Act::Join { of, .. } = &mut operation.what {
                *of = of.and_then(|it| nodes.get(&it).copied());
            }
            operation.what.publisher_mut().is_none_or(publisher)
        });
        plan.timeline.events.retain_mut(|event| {
            for set in event.what.sets_mut() {
                *set = remapped(set);
                if set.is_empty() {
                    return false;
                }
            }
            event.what.publisher_mut().is_none_or(publisher)
        });
        plan
    }

    /// The same plan with so many publishers in its catalogue. Those of registries keep who they are; what named one
    /// that is gone is gone.
    #[must_use]
    pub fn with_publishers(&self, publishers: u32) -> Self {
        let mut plan = self.clone();
        let own = self.catalogue.publishers;
        plan.catalogue.publishers = publishers;
        let moved = |number: &mut u32| match number.checked_sub(own) {
            None => *number < publishers,
            Some(registry) => {
                *number = publishers.saturating_add(registry);
                true
            }
        };
        plan.nodes.placed.retain(|it| it.publisher < publishers);
        plan.timeline.operations.retain_mut(|it| it.what.publisher_mut().is_none_or(moved));
        plan.timeline.events.retain_mut(|it| it.what.publisher_mut().is_none_or(moved));
        plan
    }
}

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
