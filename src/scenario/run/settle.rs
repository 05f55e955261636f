//! After the end: nothing new is begun, and what runs is given the time to end.

use core::time::Duration;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::RunError;
use super::figures::Measured;
use super::stage::{Stage, Under};
use super::tally::{SharedTally, count};
use super::witness::open;
use crate::engine::QueryMetrics;
use crate::oracle::Holding;
use crate::testbed::NodeId;

/// How long a run is given to end what it began, beside the longest query: publishing may wait a minute
/// for the slowest peer, and a walk that a cancelled query left behind ends with it.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often is looked.
const STEP: Duration = Duration::from_secs(1);
/// How long one registry may take to say what it holds.
const INSPECT: Duration = Duration::from_secs(5);

/// Let the run go on until every registry holds nothing, all in one look; or until it is clear that one
/// never will. Says what each holds in the last look.
pub(super) fn settle<B: Measured>(
    stage: &mut Stage<'_, B>,
    tally: &SharedTally,
    stop: &AtomicBool,
) -> Result<Vec<Holding>, RunError> {
    let end = stage.bed.now().after(PATIENCE).after(stage.plan.registry.timeout.0);
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(RunError::Stopped);
        }
        let running = open(&stage.journal).running();
        let waiting = count(tally).waiting;
        if (running == 0 && waiting == 0) || stage.bed.now() >= end {
            let holdings = look(stage);
            if holdings.iter().all(is_empty) || stage.bed.now() >= end {
                return Ok(holdings);
            }
        }
        let next = stage.bed.now().after(STEP);
        stage.bed.run_until(next);
    }
}

fn is_empty(holding: &Holding) -> bool {
    let gauges = holding.gauges;
    let held = [
        holding.queries,
        holding.requests,
        holding.buffered,
        gauges.requests,
        gauges.questions,
        gauges.waiting,
    ];
    held.iter().all(|held| *held == 0)
}

/// What every registry that is up holds now.
fn look<B: Measured>(stage: &mut Stage<'_, B>) -> Vec<Holding> {
    let registries: Vec<(NodeId, Under<B>)> =
        stage.registries.iter().map(|(node, registry)| (*node, registry.clone())).collect();
    let mut holdings = Vec::new();
    for (node, registry) in registries {
        let Some(Ok(snapshot)) = stage.bed.block_on(INSPECT, registry.inspect()) else {
            // A registry that is up and does not say what it holds has not ended its work.
            holdings.push(Holding { node: node.0, requests: 1, ..Holding::default() });
            continue;
        };
        let snapshot = stage.bed.account(node, snapshot);
        let mut gauges = snapshot.network;
        // A round of catching up may be going on at any time, and so may upkeep where nobody can be reached and it is
        // tried again and again; their requests are no leftovers.
        gauges.requests = gauges.requests.saturating_sub(snapshot.catching_up + snapshot.upkeep);
        let scores = snapshot.peers.iter().map(|known| (stage.name(&known.peer), known.score)).collect();
        let metrics: &QueryMetrics = &snapshot.queries_so_far;
        holdings.push(Holding {
            node: node.0,
            queries: snapshot.queries,
            requests: snapshot.requests + snapshot.own_requests + snapshot.publications,
            buffered: snapshot.buffered,
            gauges,
            scores,
            started: metrics.started,
            ended: [metrics.complete, metrics.enough, metrics.partial, metrics.failed, metrics.cancelled],
            timed: Some((metrics.latency.count(), metrics.latency.sum())),
        });
    }
    holdings
}
