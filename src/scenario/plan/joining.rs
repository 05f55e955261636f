//! Who joins late, in the order of joining, and so with which number: nodes that workloads let join, and peers that
//! come back under a new name.

use core::time::Duration;
use std::collections::BTreeMap;

use super::turn::Turn;
use super::types::Act;
use super::weather::whitewashers;
use crate::scenario::file::bounds::MOST_RENEWALS;
use crate::scenario::file::model::{Scenario, When, Work};
use crate::scenario::nodes::NodeSet;
use crate::scenario::words::Lie;
use crate::testbed::{Keep, NodeId};

/// How long after its joining a peer first lies: at one instant events come before joining.
const THEN: Duration = Duration::from_millis(1);

/// One who joins late.
#[derive(Clone, Copy, Debug)]
pub(super) struct Joining {
    pub(super) at: Duration,
    pub(super) node: NodeId,
    pub(super) registry: bool,
    renews: Option<Renewal>,
}

/// Whose new name it is.
#[derive(Clone, Copy, Debug)]
struct Renewal {
    /// The peer of the start.
    first: NodeId,
    /// Its name before this one.
    before: NodeId,
    /// When it is honest again.
    until: Duration,
}

/// One who joins, before it has a number.
struct Due {
    at: Duration,
    registry: bool,
    /// The fault that it is of, the peer of the start, and when it is honest again.
    renews: Option<(usize, NodeId, Duration)>,
}

impl Joining {
    /// When who does it, and what.
    pub(super) fn act(&self) -> (Duration, NodeId, Act) {
        (self.at, self.node, Act::Join { registry: self.registry, of: self.renews.map(|it| it.first) })
    }
}

/// All who join, in the order of their numbers.
pub(super) fn joinings(scenario: &Scenario, seed: u64) -> Vec<Joining> {
    let mut due: Vec<Due> = Vec::new();
    for workload in &scenario.workloads {
        if let (Work::Join { registry }, When::At { at, count }) = (&workload.what, workload.when) {
            due.extend((0..count).map(|_| Due { at, registry: *registry, renews: None }));
        }
    }
    for (which, fault) in whitewashers(scenario, seed).into_iter().enumerate() {
        for renewal in 1..=MOST_RENEWALS {
            let at = fault.at.saturating_add(fault.every.saturating_mul(renewal));
            if at.saturating_add(THEN) >= fault.until {
                break;
            }
            due.extend(fault.nodes.iter().map(|node| {
                let renews = Some((which, NodeId(*node), fault.until));
                Due { at, registry: false, renews }
            }));
        }
    }
    due.sort_by_key(|due| due.at);
    let mut names: BTreeMap<(usize, NodeId), NodeId> = BTreeMap::new();
    let first = scenario.network.peers.saturating_add(scenario.made_up());
    let numbered = (first..).map(NodeId).zip(due);
    numbered
        .map(|(node, Due { at, registry, renews })| {
            let renews = renews.map(|(which, first, until)| {
                let before = names.insert((which, first), node).unwrap_or(first);
                Renewal { first, before, until }
            });
            Joining { at, node, registry, renews }
        })
        .collect()
}

/// The names that are shed, and what is told under the new ones. What becomes of the first name is the fault's own.
pub(super) fn renewals(joining: &[Joining], end: Duration) -> Vec<(Duration, Turn)> {
    let mut shed: BTreeMap<Duration, Vec<NodeId>> = BTreeMap::new();
    let mut lies: BTreeMap<Duration, Vec<NodeId>> = BTreeMap::new();
    let mut last: BTreeMap<NodeId, (NodeId, Duration)> = BTreeMap::new();
    for joined in joining {
        let Some(renewal) = joined.renews else { continue };
        if renewal.before != renewal.first {
            shed.entry(joined.at).or_default().push(renewal.before);
            last.remove(&renewal.before);
        }
        lies.entry(joined.at.saturating_add(THEN)).or_default().push(joined.node);
        last.insert(joined.node, (joined.node, renewal.until));
    }
    let mut honest: BTreeMap<Duration, Vec<NodeId>> = BTreeMap::new();
    for (node, until) in last.into_values().filter(|(_, until)| *until < end) {
        honest.entry(until).or_default().push(node);
    }
    let set = |nodes: Vec<NodeId>| -> NodeSet { nodes.into_iter().collect() };
    let kinds = Lie::BY_ANYBODY.to_vec();
    let shed = shed.into_iter().map(|(at, it)| (at, Turn::Kill { nodes: set(it), keep: Keep::Nothing }));
    let lies = lies.into_iter().map(|(at, it)| (at, Turn::Lies { nodes: set(it), kinds: kinds.clone() }));
    let honest = honest.into_iter().map(|(at, it)| (at, Turn::Lies { nodes: set(it), kinds: Vec::new() }));
    shed.chain(lies).chain(honest).collect()
}
