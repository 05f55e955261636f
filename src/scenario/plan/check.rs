//! What must hold of any plan, also of one that a person wrote.

use core::time::Duration;

use super::turn::Turn;
use super::types::{Act, NodeRole, Plan, PlannedEvent, SourcePlan};
use crate::scenario::file::bounds::{MAX_OPERATIONS, MAX_PEERS, MAX_REGISTRIES, MAX_RELEASES, MAX_SPAN};
use crate::scenario::nodes::NodeSet;
use crate::scenario::units::Span;
use crate::testbed::NodeId;

/// The most that a peer announces at one instant of a storm.
pub(super) const MOST_EACH: u32 = 1_000;

/// What is wrong with `plan`, in words that name the place.
pub(super) fn check(plan: &Plan) -> Result<(), String> {
    let ensure = |good: bool, words: &dyn Fn() -> String| if good { Ok(()) } else { Err(words()) };
    let nodes = &plan.nodes;
    ensure(plan.duration.0 <= MAX_SPAN && plan.duration.0 > Duration::ZERO, &|| {
        format!("duration must be above 0s and at most 7 days, found {}", plan.duration)
    })?;
    ensure(nodes.start >= 1 && u64::from(nodes.start) <= MAX_PEERS, &|| {
        format!("nodes.start must be from 1 to {MAX_PEERS}, found {}", nodes.start)
    })?;
    ensure(nodes.registries >= 1 && nodes.registries <= nodes.start, &|| {
        format!("nodes.registries must be from 1 to nodes.start, found {}", nodes.registries)
    })?;
    let shares = [("catalogue.coverage", plan.catalogue.coverage)];
    for (name, share) in shares {
        ensure((0.0..=1.0).contains(&share), &|| format!("{name} must be from 0 to 1, found {share}"))?;
    }
    ensure((1..=100_000).contains(&plan.catalogue.publishers), &|| {
        format!("catalogue.publishers must be from 1 to 100000, found {}", plan.catalogue.publishers)
    })?;
    if let SourcePlan::Synthetic { version, packages, versions, large, .. } = &plan.catalogue.source {
        ensure(*version == crate::scenario::synthetic::VERSION, &|| {
            format!(
                "the catalogue's generator has version {}, the plan wants {version}",
                crate::scenario::synthetic::VERSION
            )
        })?;
        ensure((0.0..=1.0).contains(large), &|| {
            format!("catalogue large must be from 0 to 1, found {large}")
        })?;
        ensure(u64::from(*packages).saturating_mul(u64::from(*versions)) <= MAX_RELEASES, &|| {
            format!("{packages} packages with up to {versions} versions are over {MAX_RELEASES} releases")
        })?;
    }
    plan.registry.query().check().map_err(|error| format!("registry.{error}"))?;
    placed(plan)?;
    operations(plan)?;
    let roles = plan.roles();
    let registry = |node: NodeId| matches!(roles.get(node.0 as usize), Some(NodeRole::Registry(_)));
    events(&plan.timeline.events, plan.duration, roles.len(), registry)?;
    liveness(plan)
}

fn liveness(plan: &Plan) -> Result<(), String> {
    let Some(wanted) = &plan.liveness else { return Ok(()) };
    if wanted.within.0 > MAX_SPAN || wanted.within.0.is_zero() {
        return Err(format!("liveness.within must be above 0s and at most 7 days, found {}", wanted.within));
    }
    let nodes = plan.roles().len() as u64;
    if let Some(node) = wanted.core.iter().find(|node| u64::from(node.0) >= nodes) {
        return Err(format!("liveness.core: there is no node {node}"));
    }
    if let Some(node) = wanted.core.iter().find(|node| plan.nodes.nobody.contains(*node)) {
        return Err(format!("liveness.core: {node} is a name alone"));
    }
    let hostile = plan.timeline.events.iter().filter_map(|event| event.what.hostile());
    if let Some(node) = hostile.flat_map(NodeSet::iter).find(|node| wanted.core.contains(*node)) {
        return Err(format!("liveness.core: {node} is hostile, and nobody can rely on it"));
    }
    Ok(())
}

/// What stands beside a key, and what is a name alone, is no registry and was there at the start.
fn placed(plan: &Plan) -> Result<(), String> {
    let peers = plan.nodes.registries..plan.nodes.start;
    let placed = plan.nodes.placed.iter().map(|it| ("placed", &it.nodes));
    for (key, set) in core::iter::once(("nobody", &plan.nodes.nobody)).chain(placed) {
        if let Some(node) = set.iter().find(|node| !peers.contains(&node.0)) {
            return Err(format!("nodes.{key}: {node} is no modelled peer of the start"));
        }
    }
    match plan.nodes.placed.iter().find(|it| it.publisher >= plan.catalogue.publishers) {
        Some(it) => Err(format!("nodes.placed: the catalogue has no publisher {}", it.publisher)),
        None => Ok(()),
    }
}

fn operations(plan: &Plan) -> Result<(), String> {
    if plan.timeline.operations.len() as u64 > MAX_OPERATIONS {
        return Err(format!(
            "{} operations, at most {MAX_OPERATIONS} are allowed",
            plan.timeline.operations.len()
        ));
    }
    let late = plan.late();
    for (at, (node, ..)) in late.iter().enumerate() {
        let due = u64::from(plan.nodes.start) + at as u64;
        if u64::from(node.0) != due {
            return Err(format!(
                "the node that joins as {node} must be n{due}: numbers follow those of the start"
            ));
        }
    }
    if late.windows(2).any(|pair| matches!(pair, [(.., first), (.., second)] if first > second)) {
        return Err("nodes that join later must have higher numbers".to_owned());
    }
    let roles = plan.roles();
    if roles.iter().filter(|role| matches!(role, NodeRole::Registry(_))).count() as u64 > MAX_REGISTRIES {
        return Err(format!("more than {MAX_REGISTRIES} registries"));
    }
    let mut numbers = std::collections::BTreeSet::new();
    let mut before = Duration::ZERO;
    for (at, operation) in plan.timeline.operations.iter().enumerate() {
        let place =
            |words: String| Err(format!("timeline.operations[{at}] (number {}): {words}", operation.number));
        if operation.at.0 < before {
            return place(format!("at {} is earlier than the one before it", operation.at));
        }
        before = operation.at.0;
        if operation.at > plan.duration {
            return place(format!("at {} is after the end at {}", operation.at, plan.duration));
        }
        if !numbers.insert(operation.number) {
            return place("its number is another's too".to_owned());
        }
        let role = roles.get(operation.node.0 as usize);
        match (&operation.what, role) {
            (Act::Join { registry, of: Some(of) }, Some(_)) => {
                if *registry || *of >= operation.node || roles.get(of.0 as usize) != Some(&NodeRole::Peer) {
                    return place(format!("{of} is no modelled peer before it, whose new name it could be"));
                }
            }
            (Act::Join { of: None, .. }, Some(_)) => {}
            (Act::Publish(listing), Some(NodeRole::Registry(registry))) => {
                if listing.publisher != plan.publisher_of(*registry) {
                    return place(format!(
                        "{} publishes as publisher {}",
                        operation.node,
                        plan.publisher_of(*registry)
                    ));
                }
                if let Some(fault) = listing.fault() {
                    return place(fault);
                }
            }
            (_, Some(NodeRole::Registry(_))) => {}
            (_, Some(NodeRole::Peer)) => return place(format!("{} is no registry", operation.node)),
            (_, None) => return place(format!("there is no node {}", operation.node)),
        }
    }
    Ok(())
}

/// What is wrong with these events in a run that lasts so long, of so many nodes, which may be registries.
pub(crate) fn events(
    events: &[PlannedEvent],
    duration: Span,
    most: usize,
    registry: impl Fn(NodeId) -> bool,
) -> Result<(), String> {
    let mut before = Duration::ZERO;
    for (at, event) in events.iter().enumerate() {
        let place = |words: String| Err(format!("timeline.events[{at}]: {words}"));
        if event.at.0 < before {
            return place(format!("at {} is earlier than the one before it", event.at));
        }
        before = event.at.0;
        if event.at > duration {
            return place(format!("at {} is after the end at {duration}", event.at));
        }
        for set in event.what.sets() {
            if let Some(NodeId(last)) = set.0.last().filter(|last| last.0 as usize >= most) {
                return place(format!("there is no node n{last}"));
            }
        }
        let good = match &event.what {
            Turn::Slow { factor, .. } => *factor >= 1,
            Turn::Storm { each, .. } | Turn::Frame { each, .. } => *each <= MOST_EACH,
            Turn::Links { change, .. } => {
                let shares = [change.resets, change.refused_dials, change.dead_dials];
                shares.into_iter().all(|share| (0.0..=1.0).contains(&share))
            }
            _ => true,
        };
        if !good {
            let words =
                format!("a factor is at least 1, a share from 0 to 1, a storm at most {MOST_EACH} each");
            return place(words);
        }
        // A responder can only be taken over where the network itself runs it.
        if let Turn::Lies { nodes, .. }
        | Turn::Rollback { nodes, .. }
        | Turn::Equivocate { nodes, .. }
        | Turn::Storm { nodes, .. }
        | Turn::Frame { nodes, .. } = &event.what
            && let Some(node) = nodes.iter().find(|node| registry(*node))
        {
            return place(format!("{node} is a registry; only modelled peers lie or storm"));
        }
    }
    Ok(())
}
