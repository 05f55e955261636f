//! What is found at sixty peers, under any mix of faults, becomes a plan that a person can read.

use std::path::Path;

use libtest_mimic::{Failed, Trial};
use swarmproof::scenario::plan::Failure;
use swarmproof::scenario::shrink::shrink;
use swarmproof::scenario::{Plan, RunOptions, Scenario};

use super::faults;
use super::hunt::{Planted, SEEDS, follow, follow_with};

/// Faults of each family: crossed answers, endings, limits, reputation, records.
const SHRUNK: [&str; 5] = ["1a", "12", "7", "9a", "13b"];
const MOST_PEERS: usize = 5;
const MOST_OPERATIONS: usize = 3;
/// A bound on the work, which does not depend on how fast this machine is.
const MOST_RUNS: u32 = 600;

const SIXTY: &str = r#"
description = "Sixty peers, and any mix of faults."
duration = "30s"
[chaos]
sizes = "fixed"
calm = "8s"
[network]
peers = 60
registries = 6
[catalogue]
packages = 60
publishers = 8
versions = 3
"#;

pub fn trials() -> Vec<Trial> {
    let numbered = faults::all().into_iter().filter(|fault| SHRUNK.contains(&fault.number));
    numbered
        .map(|fault| {
            Trial::test(format!("sixty_peers_shrink_to_five::{}", fault.number), move || small(&fault))
        })
        .collect()
}

fn small(fault: &Planted) -> Result<(), Failed> {
    let scenario = Scenario::parse(SIXTY, Path::new("sixty.toml"))?;
    let oracle = fault.oracle.name();
    let failed = (0..SEEDS).find_map(|seed| {
        let plan = Plan::make(&scenario, seed);
        let report = follow(&plan, (fault.plant)());
        let failure = Failure::of(&report)?;
        (failure.oracle == oracle).then_some((plan, failure))
    });
    let (plan, failure) = failed.ok_or_else(|| format!("{oracle} saw nothing first in {SEEDS} seeds"))?;
    assert!(plan.roles().len() >= 60);
    let runs = std::cell::Cell::new(0);
    let fails = |plan: &Plan| {
        runs.set(runs.get() + 1);
        // What cannot be run any more does not fail so.
        follow_with(plan, (fault.plant)(), RunOptions::default()).is_ok_and(|report| failure.is_of(&report))
    };
    let shrunk = shrink(plan, fails, || runs.get() < MOST_RUNS);
    let (peers, operations) = (shrunk.smallest.roles().len(), shrunk.smallest.timeline.operations.len());
    if peers > MOST_PEERS || operations > MOST_OPERATIONS {
        return Err(
            format!("{peers} peers and {operations} operations are left after {} runs", shrunk.runs).into()
        );
    }
    Ok(())
}
