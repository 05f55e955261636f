//! Following a plan: at each of its times, what it says.

use core::time::Duration;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::error::RunError;
use super::figures::Measured;
use super::hostility::Hostility;
use super::stage::Stage;
use super::storm::{frame, storm};
use super::tally::{self, SharedTally, count};
use super::truth::Unfit;
use super::witness::open;
use crate::package::{PackageId, Query, ReleaseId};
use crate::record::Publisher;
use crate::registry::{Published, QueryHandle, Registry};
use crate::scenario::nodes::NodeSet;
use crate::scenario::plan::{Act, Operation, Plan, Turn};
use crate::scenario::report::Told;

/// What happens next.
enum Next<'p> {
    Turn(&'p Turn),
    Operation(&'p Operation),
    /// The search of the operation with this number is given up.
    GiveUp(u32),
}

/// A search that will be given up.
enum Slot {
    /// It is being started.
    Starting,
    /// It runs.
    Running(QueryHandle),
    /// It was given up before it ran.
    GivenUp,
}

/// Do everything that the plan says, until its end.
pub(super) fn follow<B: Measured>(
    stage: &mut Stage<'_, B>,
    hostility: &mut Hostility,
    tally: &SharedTally,
    stop: &AtomicBool,
) -> Result<(), RunError> {
    let mut slots = std::collections::BTreeMap::new();
    // On a real network it has taken a while until all were there.
    let begun = stage.bed.now();
    for (at, next) in agenda(stage.plan) {
        if stop.load(Ordering::Relaxed) {
            return Err(RunError::Stopped);
        }
        stage.bed.run_until(begun.after(at));
        match next {
            Next::Turn(turn) => turn_to(stage, hostility, turn)?,
            Next::Operation(operation) => {
                if let Some(slot) = operate(stage, tally, operation)? {
                    slots.insert(operation.number, slot);
                }
            }
            Next::GiveUp(number) => {
                if let Some(slot) = slots.remove(&number) {
                    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Slot::Running(handle) = core::mem::replace(&mut *slot, Slot::GivenUp) {
                        drop(handle);
                    }
                }
            }
        }
    }
    let end = begun.after(stage.plan.duration.0);
    // In pieces, so that a stop is heard on the way.
    while stage.bed.now() < end {
        if stop.load(Ordering::Relaxed) {
            return Err(RunError::Stopped);
        }
        let piece = stage.bed.now().after(Duration::from_secs(10)).min(end);
        stage.bed.run_until(piece);
    }
    Ok(())
}

/// Everything in the order of time; at one instant events, then operations, then what is given up.
fn agenda(plan: &Plan) -> Vec<(Duration, Next<'_>)> {
    let turns = plan.timeline.events.iter().map(|event| (event.at.0, 0, Next::Turn(&event.what)));
    let operations =
        plan.timeline.operations.iter().map(|operation| (operation.at.0, 1, Next::Operation(operation)));
    let given_up = plan.timeline.operations.iter().filter_map(|operation| match operation.what {
        Act::Search { cancel_after: Some(after), .. } => {
            Some((operation.at.0.saturating_add(after.0), 2, Next::GiveUp(operation.number)))
        }
        _ => None,
    });
    let mut agenda: Vec<_> = turns.chain(operations).chain(given_up).collect();
    agenda.sort_by_key(|(at, class, _)| (*at, *class));
    agenda.into_iter().map(|(at, _, next)| (at, next)).collect()
}

/// A turn of events: the network is told, and the truth.
pub(super) fn turn_to<B: Measured>(
    stage: &mut Stage<'_, B>,
    hostility: &mut Hostility,
    turn: &Turn,
) -> Result<(), RunError> {
    match turn {
        Turn::Kill { nodes, keep } => {
            for node in nodes.iter() {
                stage.kill(node, *keep)?;
            }
            return Ok(());
        }
        Turn::Restart { nodes } => {
            for node in nodes.iter() {
                stage.restart(node)?;
            }
            return Ok(());
        }
        Turn::Storm { nodes, each, gust } => return storm(stage, nodes, *each, *gust),
        Turn::Frame { nodes, each, gust } => return frame(stage, nodes, *each, *gust),
        Turn::Lies { .. } | Turn::Rollback { .. } | Turn::Equivocate { .. } => {
            return hostility.turn(stage, turn);
        }
        _ => {}
    }
    let at = stage.bed.now();
    {
        let truth = &mut open(&stage.journal).truth;
        match turn {
            Turn::Cut { from, to, way } => truth.cut(&from.0, &to.0, *way, at),
            Turn::Heal { from, to } => truth.heal(&from.0, &to.0, at),
            Turn::Silent { nodes, on } => nodes.iter().for_each(|n| truth.unfit(n, Unfit::Silent, at, *on)),
            Turn::Stall { nodes, on } => nodes.iter().for_each(|n| truth.unfit(n, Unfit::Stalled, at, *on)),
            Turn::Dialable { nodes, on } => {
                nodes.iter().for_each(|n| truth.unfit(n, Unfit::Undialable, at, !*on));
            }
            Turn::Garbles { .. } | Turn::Collude { .. } => {
                turn.hostile().into_iter().flat_map(NodeSet::iter).for_each(|n| truth.turn_hostile(n, at));
            }
            _ => {}
        }
    }
    for fault in turn.faults() {
        stage.bed.apply(fault)?;
    }
    Ok(())
}

/// Begin one operation. What its caller does goes on by itself.
fn operate<B: Measured>(
    stage: &mut Stage<'_, B>,
    tally: &SharedTally,
    operation: &Operation,
) -> Result<Option<Arc<Mutex<Slot>>>, RunError> {
    let node = operation.node;
    if let Act::Join { of, .. } = operation.what {
        stage.join(node, of)?;
        return Ok(None);
    }
    // A caller of a node that is down finds nobody to ask.
    let Some(registry) = stage.registries.get(&node).cloned() else { return Ok(None) };
    let (at, number) = (stage.bed.now(), operation.number);
    let journal = stage.journal.clone();
    let tally = tally.clone();
    let package = |publisher: u32, name| {
        let key = Publisher::from_seed(stage.plan.publisher_secret(publisher));
        PackageId { publisher: key.id(), name }
    };
    let now = move |journal: &super::witness::SharedJournal| open(journal).now();
    match &operation.what {
        Act::Search { text, categories, tags, limit, cancel_after } => {
            let query = Query {
                text: text.clone(),
                categories: categories.clone(),
                tags: tags.clone(),
                limit: *limit as usize,
            };
            if cancel_after.is_some() {
                let slot = Arc::new(Mutex::new(Slot::Starting));
                let kept = slot.clone();
                let task = async move {
                    if let Ok(handle) = registry.search_stream(query).await {
                        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
                        if matches!(*slot, Slot::Starting) {
                            *slot = Slot::Running(handle);
                        }
                    }
                };
                stage.bed.run(None, Box::pin(task));
                return Ok(Some(kept));
            }
            count(&tally).waiting += 1;
            let task = async move {
                if let Ok(mut handle) = registry.search_stream(query).await {
                    let mut streamed = Vec::new();
                    while let Some(hit) = handle.next().await {
                        streamed.push(hit);
                    }
                    if let Ok(outcome) = handle.outcome().await {
                        let mut tally = count(&tally);
                        tally.searched(now(&journal), &streamed, &outcome);
                        tally.told.insert(number, (&outcome).into());
                    }
                }
                count(&tally).waiting -= 1;
            };
            stage.bed.run(None, Box::pin(task));
        }
        Act::Get { publisher, name, version } => {
            let package = package(*publisher, name.clone());
            let version = version.clone();
            begin_get(&tally);
            let task = async move {
                let right = match version {
                    Some(version) => {
                        let release = ReleaseId { package, version };
                        let found = registry.get_package_version(&release).await;
                        let journal = open(&journal);
                        found.is_ok_and(|found| {
                            let now = journal.now();
                            tally::release_right(&journal.truth, &release, at, now, found.as_ref())
                        })
                    }
                    None => {
                        let found = registry.get_package(&package).await;
                        let journal = open(&journal);
                        found.is_ok_and(|found| {
                            let now = journal.now();
                            tally::latest_right(&journal.truth, &package, at, now, found.as_ref())
                        })
                    }
                };
                end_get(&tally, number, right);
            };
            stage.bed.run(None, Box::pin(task));
        }
        Act::Versions { publisher, name } => {
            let package = package(*publisher, name.clone());
            begin_get(&tally);
            let task = async move {
                let found = registry.list_versions(&package).await;
                let right = found.is_ok_and(|found| {
                    tally::versions_right(&open(&journal).truth, &package, at, found.as_ref())
                });
                end_get(&tally, number, right);
            };
            stage.bed.run(None, Box::pin(task));
        }
        Act::Publish(listing) => {
            let Some(own) = registry.publisher() else { return Err(RunError::NoNode(node)) };
            let package = listing.package(own, stage.bed.wall());
            begin_publish(&tally);
            let task = async move { end_publish(&tally, number, registry.publish(package).await.ok()) };
            stage.bed.run(None, Box::pin(task));
        }
        Act::Yank { name, version } => {
            let Some(publisher) = registry.publisher() else { return Err(RunError::NoNode(node)) };
            let package = PackageId { publisher, name: name.clone() };
            let release = ReleaseId { package, version: version.clone() };
            begin_publish(&tally);
            let task = async move { end_publish(&tally, number, registry.delete(&release).await.ok()) };
            stage.bed.run(None, Box::pin(task));
        }
        Act::Join { .. } => {}
    }
    Ok(None)
}

fn begin_get(tally: &SharedTally) {
    let mut tally = count(tally);
    tally.waiting += 1;
    tally.gets += 1;
}

fn end_get(tally: &SharedTally, operation: u32, right: bool) {
    let mut tally = count(tally);
    tally.told.insert(operation, Told::Get { right });
    tally.waiting -= 1;
    tally.gets_right += u64::from(right);
}

fn begin_publish(tally: &SharedTally) {
    let mut tally = count(tally);
    tally.waiting += 1;
    tally.publishes.started += 1;
}

fn end_publish(tally: &SharedTally, operation: u32, published: Option<Published>) {
    let mut tally = count(tally);
    tally.waiting -= 1;
    let acked = published.is_some_and(|published| published.list_stored.is_ok_and(|stored| stored.acked > 0));
    tally.told.insert(operation, Told::Published { acked });
    if acked {
        tally.publishes.published += 1;
    } else {
        tally.publishes.failed += 1;
    }
}
