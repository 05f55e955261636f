//! After the end: nothing goes wrong any more, and the core of the network has to work again.
//!
//! Once, between following a plan and letting it settle. [`revive`] takes back what was done to the plan's core, notes what each
//! of its registries is owed, and has it search for that again and again until it has found all, or time is up.
//! Those searches are judged like any other, and are in none of the report's figures.
//!
//! Owed is what is surely met by chance alone in the time given
//! ([`LivenessPlan::owes`](crate::scenario::plan::LivenessPlan::owes)): what so many of the core hold, of those who can be
//! dialled and found, that a registry which compares its catalogue with one peer at a time comes to one of them. A registry whose
//! own catalogue is bounded may forget it again, and is owed nothing.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::RunError;
use super::figures::Measured;
use super::follow::turn_to;
use super::hostility::Hostility;
use super::stage::Stage;
use super::witness::open;
use crate::oracle::{Liveness, Violation};
use crate::package::{Query, ReleaseId};
use crate::probe::{reached, sometimes};
use crate::registry::Registry;
use crate::scenario::plan::LivenessPlan;
use crate::testbed::NodeId;

/// How long registries are left alone before they search again, at least; where they have long, a part of that.
const PAUSE: Duration = Duration::from_secs(5);
/// How often they search at most.
const TRIES: u32 = 100;
/// The most releases that each registry is owed: those published last, which had the least time.
const MOST_OWED: usize = 24;

/// What the plan asks of the network when all is over; nothing when it asks nothing. Says what is wrong, and how much was
/// found that was owed.
pub(super) fn revive<B: Measured>(
    stage: &mut Stage<'_, B>,
    hostility: &mut Hostility,
    stop: &AtomicBool,
) -> Result<(Vec<Violation>, u64), RunError> {
    let Some(wanted) = &stage.plan.liveness else { return Ok((Vec::new(), 0)) };
    open(&stage.journal).stop_measuring();
    lift(stage, hostility, wanted)?;
    let mut liveness = Liveness::new(stage.bed.now().after(wanted.within.0), owed(stage, wanted));
    sometimes!(!liveness.is_settled(), LivenessOwed);
    while !liveness.is_settled() && stage.bed.now() < liveness.due() {
        if stop.load(Ordering::Relaxed) {
            return Err(RunError::Stopped);
        }
        ask(stage, wanted, &mut liveness);
        let next = stage.bed.now().after(PAUSE.max(wanted.within.0 / TRIES)).min(liveness.due());
        stage.bed.run_until(next);
    }
    if liveness.is_settled() && liveness.found() > 0 {
        reached!(LivenessPaid);
    }
    let found = liveness.found();
    Ok((liveness.finish(), found))
}

/// Everything that was done to the core is taken back, and who is down of it starts again.
fn lift<B: Measured>(
    stage: &mut Stage<'_, B>,
    hostility: &mut Hostility,
    wanted: &LivenessPlan,
) -> Result<(), RunError> {
    for turn in stage.plan.lifted(&wanted.core) {
        turn_to(stage, hostility, &turn)?;
    }
    let down: Vec<NodeId> = {
        let truth = &open(&stage.journal).truth;
        wanted.core.iter().filter(|node| truth.is_down(*node)).collect()
    };
    for node in down {
        stage.restart(node)?;
    }
    Ok(())
}

/// What each registry of the core is owed.
fn owed<B: Measured>(stage: &Stage<'_, B>, wanted: &LivenessPlan) -> BTreeMap<NodeId, BTreeSet<ReleaseId>> {
    let plan = stage.plan;
    if plan.registry.holds.is_some() {
        return BTreeMap::new();
    }
    let (now, nodes) = (stage.bed.now(), plan.roles().len());
    let truth = &open(&stage.journal).truth;
    let found = |node: &NodeId| !plan.nodes.clients.contains(*node) && !plan.nodes.undialable.contains(*node);
    let holders: Vec<NodeId> = wanted.core.iter().filter(found).collect();
    let askers = wanted.core.iter().filter(|node| stage.registries.contains_key(node));
    askers
        .map(|asker| {
            let met = |release: &ReleaseId| {
                let holds = |node: &&NodeId| truth.holds_for(**node, asker, release, now);
                let count = holders.iter().filter(holds).count();
                wanted.owes(plan.registry.catch_up, count, nodes)
            };
            (asker, truth.newest_first(now).filter(|id| met(id)).take(MOST_OWED).cloned().collect())
        })
        .collect()
}

/// Each registry searches once for each release that it has not found yet.
fn ask<B: Measured>(stage: &mut Stage<'_, B>, wanted: &LivenessPlan, liveness: &mut Liveness) {
    for node in wanted.core.iter() {
        let Some(registry) = stage.registries.get(&node).cloned() else { continue };
        for release in liveness.missing(node) {
            if stage.bed.now() >= liveness.due() {
                return;
            }
            let limit = stage.plan.registry.max_results;
            let query = Query::text(release.package.name.as_str(), limit);
            let left = liveness.due().since(stage.bed.now());
            let found = stage.bed.block_on(left, registry.search(query));
            let at = stage.bed.now();
            // What failed this time is asked again.
            let Some(Ok(outcome)) = found else { continue };
            for hit in &outcome.packages {
                liveness.found_by(node, at, &hit.package.release);
            }
            // What has as many namesakes as a search may have results is found as well as it can be; and of what two
            // bodies turn up it is right to tell neither.
            let disputed = outcome.conflicts.iter().any(|conflict| conflict.release == release);
            if outcome.packages.len() >= limit || disputed {
                liveness.found_by(node, at, &release);
            }
        }
    }
}
