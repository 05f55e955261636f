//! What can be taken out of a plan, one kind after the other.
//!
//! Whatever comes of it is a plan that can be run: who refers to somebody who is gone is gone too, and who stays is
//! numbered anew. The seed stays, and with it every draw for what stays; only for far fewer nodes at once it may be another.

use std::collections::BTreeSet;

use super::ddmin::Shrink;
use super::simpler;
use crate::scenario::nodes::NodeSet;
use crate::scenario::plan::{Act, NodeRole, Plan};
use crate::testbed::NodeId;

/// The most places in sets of faults that are looked at one by one.
const MOST_PLACES: usize = 400;

/// The axes, in the order in which they are gone along: what makes runs shorter comes first.
const AXES: [Axis; 5] = [Axis::Operations, Axis::Events, Axis::Peers, Axis::Registries, Axis::Struck];

/// One kind of part.
#[derive(Clone, Copy, Debug)]
enum Axis {
    /// What registries do, and nodes that join.
    Operations,
    /// What goes wrong, and right again.
    Events,
    /// Modelled peers that are there at the start.
    Peers,
    /// Registries that are there at the start.
    Registries,
    /// Nodes whom a fault strikes, fault by fault.
    Struck,
}

impl Shrink for Plan {
    fn axes(&self) -> usize {
        AXES.len()
    }

    fn parts(&self, axis: usize) -> usize {
        match AXES.get(axis) {
            Some(Axis::Operations) => self.timeline.operations.len(),
            Some(Axis::Events) => self.timeline.events.len(),
            Some(Axis::Peers) => at_start(self, |role| role == NodeRole::Peer).len(),
            Some(Axis::Registries) => at_start(self, |role| role != NodeRole::Peer).len(),
            Some(Axis::Struck) => Some(places(self)).filter(|it| *it <= MOST_PLACES).unwrap_or(0),
            None => 0,
        }
    }

    fn keeping(&self, axis: usize, parts: &[usize]) -> Option<Self> {
        let kept: BTreeSet<usize> = parts.iter().copied().collect();
        let plan = match AXES.get(axis)? {
            Axis::Operations => keeping_operations(self, &kept),
            Axis::Events => {
                let mut plan = self.clone();
                plan.timeline.events = chosen(&self.timeline.events, &kept);
                plan
            }
            Axis::Peers => keeping_nodes(self, |role| role == NodeRole::Peer, &kept),
            Axis::Registries => keeping_nodes(self, |role| role != NodeRole::Peer, &kept),
            Axis::Struck => keeping_struck(self, &kept),
        };
        plan.check().is_ok().then_some(plan)
    }

    fn simpler(&self) -> Vec<Self> {
        simpler::candidates(self)
    }
}

fn at_start(plan: &Plan, which: impl Fn(NodeRole) -> bool) -> Vec<NodeId> {
    let start = plan.roles().into_iter().take(plan.nodes.start as usize);
    (0u32..).map(NodeId).zip(start).filter(|(_, role)| which(*role)).map(|(node, _)| node).collect()
}

fn chosen<T: Clone>(all: &[T], kept: &BTreeSet<usize>) -> Vec<T> {
    all.iter().enumerate().filter(|(at, _)| kept.contains(at)).map(|(_, it)| it.clone()).collect()
}

/// Whoever does not join is not there.
fn keeping_operations(plan: &Plan, kept: &BTreeSet<usize>) -> Plan {
    let operations = plan.timeline.operations.iter().enumerate();
    let gone: BTreeSet<NodeId> = operations
        .filter(|(at, it)| !kept.contains(at) && matches!(it.what, Act::Join { .. }))
        .map(|(_, it)| it.node)
        .collect();
    let mut without = plan.clone();
    // The joining itself goes with the node, which is still counted by it.
    without.timeline.operations = plan
        .timeline
        .operations
        .iter()
        .enumerate()
        .filter(|(at, it)| kept.contains(at) || matches!(it.what, Act::Join { .. }))
        .map(|(_, it)| it.clone())
        .collect();
    if gone.is_empty() { without } else { without.without_nodes(&gone) }
}

fn keeping_nodes(plan: &Plan, which: impl Fn(NodeRole) -> bool, kept: &BTreeSet<usize>) -> Plan {
    let nodes = at_start(plan, which).into_iter().enumerate();
    plan.without_nodes(&nodes.filter(|(at, _)| !kept.contains(at)).map(|(_, node)| node).collect())
}

/// How many nodes all faults name together.
fn places(plan: &Plan) -> usize {
    plan.timeline.events.iter().flat_map(|it| it.what.sets()).map(NodeSet::len).sum()
}

fn keeping_struck(plan: &Plan, kept: &BTreeSet<usize>) -> Plan {
    let mut plan = plan.clone();
    let mut place = 0;
    let mut thinned = |set: &mut NodeSet| {
        set.0.retain(|_| {
            place += 1;
            kept.contains(&(place - 1))
        });
    };
    plan.timeline.events.retain_mut(|event| {
        // All of its sets are gone through, so that places are counted alike; one that is empty afterwards may mean
        // something else in a turn than one with nodes.
        let mut whole = true;
        for set in event.what.sets_mut() {
            thinned(set);
            whole &= !set.is_empty();
        }
        whole
    });
    plan
}
