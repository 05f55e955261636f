//! Plans that are like one and simpler, without a node or an operation less: sizes, spans, links, settings, words.
//!
//! Each goes down by a measure that has an end: a number, a length, or how much is not as plain as it could be.

use core::time::Duration;
use std::collections::BTreeSet;

use crate::engine::FanOut;
use crate::scenario::plan::{Act, Plan, SourcePlan};
use crate::scenario::units::Span;
use crate::scenario::words::Profile;
use crate::testbed::NodeId;

/// What is left of a run after the last that happens in it, at least.
const TAIL: Duration = Duration::from_secs(1);

/// Seeds that are tried with far fewer nodes.
const SEEDS: u64 = 8;

/// Those that can be run, in the order in which they are to be tried: what makes runs shorter comes first.
pub(super) fn candidates(plan: &Plan) -> Vec<Plan> {
    let mut all = Vec::new();
    catalogue(plan, &mut all);
    spans(plan, &mut all);
    links(plan, &mut all);
    settings(plan, &mut all);
    places(plan, &mut all);
    words(plan, &mut all);
    expectations(plan, &mut all);
    times(plan, &mut all);
    other_draws(plan, &mut all);
    all.retain(|it| it != plan && it.check().is_ok());
    all
}

fn changed(plan: &Plan, change: impl FnOnce(&mut Plan)) -> Plan {
    let mut plan = plan.clone();
    change(&mut plan);
    plan
}

/// Numbers from `least` to below `now`, the least first.
fn fewer(now: u32, least: u32) -> Vec<u32> {
    let mut fewer: Vec<u32> = [least, now / 8, now / 4, now / 2, now / 4 * 3, now.saturating_sub(1)].into();
    fewer.retain(|it| (least..now).contains(it));
    fewer.dedup();
    fewer
}

fn catalogue(plan: &Plan, all: &mut Vec<Plan>) {
    let source = &plan.catalogue.source;
    let (packages, versions, large) = match source {
        SourcePlan::Synthetic { packages, versions, large, .. } => (Some(*packages), *versions, *large),
        SourcePlan::File { packages, .. } => (*packages, 1, 0.0),
    };
    for fewer in packages.map(|it| fewer(it, 1)).unwrap_or_default() {
        all.push(changed(plan, |it| match &mut it.catalogue.source {
            SourcePlan::Synthetic { packages, .. } => *packages = fewer,
            SourcePlan::File { packages, .. } => *packages = Some(fewer),
        }));
    }
    for fewer in fewer(versions, 1) {
        all.push(changed(plan, |it| {
            if let SourcePlan::Synthetic { versions, .. } = &mut it.catalogue.source {
                *versions = fewer;
            }
        }));
    }
    if large > 0.0 {
        all.push(changed(plan, |it| {
            if let SourcePlan::Synthetic { large, .. } = &mut it.catalogue.source {
                *large = 0.0;
            }
        }));
    }
    all.extend(fewer(plan.catalogue.publishers, 1).into_iter().map(|it| plan.with_publishers(it)));
}

/// The run ends earlier: where nothing happens any more, or in the middle.
fn spans(plan: &Plan, all: &mut Vec<Plan>) {
    let now = plan.duration.0;
    let operations = plan.timeline.operations.iter().map(|it| it.at.0);
    let last = operations.chain(plan.timeline.events.iter().map(|it| it.at.0)).max().unwrap_or_default();
    let whole = |span: Duration| Duration::from_secs(span.as_secs().saturating_add(1));
    for end in [whole(last), whole(last + TAIL * 10), whole(now / 2), whole(now / 4 * 3)] {
        if end < now {
            all.push(changed(plan, |it| {
                it.duration = Span(end);
                it.timeline.operations.retain(|it| it.at.0 <= end);
                it.timeline.events.retain(|it| it.at.0 <= end);
            }));
        }
    }
}

/// Far fewer nodes at once, under other seeds: taking one node out leaves the draws of the others as they are, and may be
/// the wrong one for each of them, while among a few seeds there is one under which few nodes do.
fn other_draws(plan: &Plan, all: &mut Vec<Plan>) {
    let act: BTreeSet<NodeId> = plan.timeline.operations.iter().map(|it| it.node).collect();
    let idle: Vec<NodeId> = (0..plan.nodes.start).map(NodeId).filter(|node| !act.contains(node)).collect();
    let mut kept: Vec<usize> = [0, 1, 2, 3, idle.len() / 2].into();
    kept.retain(|it| *it < idle.len());
    kept.dedup();
    for kept in kept {
        let fewer = plan.without_nodes(&idle.iter().skip(kept).copied().collect());
        for further in 0..SEEDS {
            let seed = plan.seed.wrapping_add(further);
            all.push(Plan { seed, ..fewer.clone() });
        }
    }
}

fn links(plan: &Plan, all: &mut Vec<Plan>) {
    if plan.network.profile != Profile::Lan {
        all.push(changed(plan, |it| {
            it.network.profile = Profile::Lan;
            (it.network.delays, it.network.jitter) = (None, None);
        }));
    }
    if plan.network.service.is_some() {
        all.push(changed(plan, |it| it.network.service = None));
    }
    if plan.network.jitter.is_some() {
        all.push(changed(plan, |it| it.network.jitter = None));
    }
    if !plan.nodes.clients.is_empty() {
        all.push(changed(plan, |it| it.nodes.clients = Default::default()));
    }
    if !plan.nodes.undialable.is_empty() {
        all.push(changed(plan, |it| it.nodes.undialable = Default::default()));
    }
}

fn settings(plan: &Plan, all: &mut Vec<Plan>) {
    if plan.liveness.is_some() {
        all.push(changed(plan, |it| it.liveness = None));
    }
    let registry = &plan.registry;
    if registry.answers_wanted > 1 {
        all.push(changed(plan, |it| it.registry.answers_wanted = 1));
    }
    if registry.fan_out != FanOut::Fixed(1) {
        all.push(changed(plan, |it| it.registry.fan_out = FanOut::Fixed(1)));
    }
    if registry.adaptive_timeout {
        all.push(changed(plan, |it| it.registry.adaptive_timeout = false));
    }
    let left_out: [fn(&mut Plan); 5] = [
        |it| it.registry.queries = None,
        |it| it.registry.holds = None,
        |it| it.registry.catch_up = None,
        |it| it.registry.republish = None,
        |it| it.registry.validity = None,
    ];
    all.extend(left_out.into_iter().map(|change| changed(plan, change)));
}

/// The first registry asks instead of another: all that is asked, then one by one.
fn places(plan: &Plan, all: &mut Vec<Plan>) {
    let asks = |act: &Act| matches!(act, Act::Search { .. } | Act::Get { .. } | Act::Versions { .. });
    let first = NodeId(0);
    let elsewhere: Vec<usize> = plan
        .timeline
        .operations
        .iter()
        .enumerate()
        .filter(|(_, it)| asks(&it.what) && it.node != first)
        .map(|(at, _)| at)
        .collect();
    let mut with = |moved: &[usize]| {
        all.push(changed(plan, |it| {
            for at in moved {
                if let Some(operation) = it.timeline.operations.get_mut(*at) {
                    operation.node = first;
                }
            }
        }));
    };
    with(&elsewhere);
    for at in &elsewhere {
        with(&[*at]);
    }
}

/// Operations that ask for less, or say it shorter.
fn words(plan: &Plan, all: &mut Vec<Plan>) {
    for (at, operation) in plan.timeline.operations.iter().enumerate() {
        let mut with = |change: &dyn Fn(&mut Act)| {
            all.push(changed(plan, |it| {
                if let Some(operation) = it.timeline.operations.get_mut(at) {
                    change(&mut operation.what);
                }
            }));
        };
        match &operation.what {
            Act::Search { text, categories, tags, cancel_after, .. } => {
                let kinds = [!text.is_empty(), !categories.is_empty(), !tags.is_empty()];
                if cancel_after.is_some() {
                    with(&|act| {
                        if let Act::Search { cancel_after, .. } = act {
                            *cancel_after = None;
                        }
                    });
                }
                // Something must be asked for.
                if kinds.iter().filter(|it| **it).count() > 1 {
                    for (kind, there) in kinds.into_iter().enumerate() {
                        if there {
                            with(&|act| {
                                if let Act::Search { text, categories, tags, .. } = act {
                                    match kind {
                                        0 => text.clear(),
                                        1 => categories.clear(),
                                        _ => tags.clear(),
                                    }
                                }
                            });
                        }
                    }
                }
            }
            Act::Publish(listing) => {
                let first = listing.description.split_whitespace().next().unwrap_or_default().to_owned();
                if first.len() < listing.description.len() {
                    with(&|act| {
                        if let Act::Publish(listing) = act {
                            listing.description = first.clone();
                        }
                    });
                }
                if !listing.tags.is_empty() {
                    with(&|act| {
                        if let Act::Publish(listing) = act {
                            listing.tags.clear();
                        }
                    });
                }
            }
            Act::Get { .. } | Act::Versions { .. } | Act::Yank { .. } | Act::Join { .. } => {}
        }
    }
}

/// Without an expectation, unless it is the one that the plan fails by.
fn expectations(plan: &Plan, all: &mut Vec<Plan>) {
    let failing = plan.failure.as_ref().and_then(|it| it.oracle.strip_prefix("expect."));
    for measure in plan.expect.keys().filter(|it| Some(it.name()) != failing) {
        all.push(changed(plan, |it| {
            it.expect.remove(measure);
        }));
    }
}

/// Times that are round: whole seconds, or tenths. All at once, then one by one.
fn times(plan: &Plan, all: &mut Vec<Plan>) {
    for step in [Duration::from_secs(1), Duration::from_millis(100), Duration::from_millis(1)] {
        all.push(changed(plan, |plan| {
            plan.timeline.operations.iter_mut().for_each(|it| it.at = rounded(it.at, step));
            plan.timeline.events.iter_mut().for_each(|it| it.at = rounded(it.at, step));
        }));
        for at in 0..plan.timeline.operations.len() {
            all.push(changed(plan, |plan| {
                if let Some(it) = plan.timeline.operations.get_mut(at) {
                    it.at = rounded(it.at, step);
                }
            }));
        }
        for at in 0..plan.timeline.events.len() {
            all.push(changed(plan, |plan| {
                if let Some(it) = plan.timeline.events.get_mut(at) {
                    it.at = rounded(it.at, step);
                }
            }));
        }
    }
}

/// Rounded down, so that it never goes round in a circle with another step.
pub(crate) fn rounded(span: Span, step: Duration) -> Span {
    let (span, step) = (span.0.as_nanos(), step.as_nanos());
    Span(Duration::from_nanos(u64::try_from(span - span % step).unwrap_or(u64::MAX)))
}
