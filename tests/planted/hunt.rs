//! Looking for a planted fault: a plan for each seed, until the oracle that should see it does.

use std::collections::BTreeSet;
use std::path::Path;

use swarmproof::oracle::Oracle;
use swarmproof::scenario::report::RunReport;
use swarmproof::scenario::{Plan, RunError, RunOptions, Scenario, run_on, simulated, verifier};

use super::bed::{Bed, Plant, Sound};

/// A fault must be caught within so many seeds.
pub const SEEDS: u64 = 100;
/// Seeds that are run however early it is caught, for the table.
const TRIED: u64 = 8;

/// One planted fault.
pub struct Planted {
    /// Its number in the sketch, with a letter where one number names several.
    pub number: &'static str,
    /// What the sketch did.
    pub sketch: &'static str,
    /// Where and how it is planted.
    pub planted: &'static str,
    /// The scenario, with its name for the table.
    pub scenario: (&'static str, &'static str),
    /// The oracle that must see it.
    pub oracle: Oracle,
    /// Plant it.
    pub plant: fn() -> Box<dyn Plant>,
}

/// What came of the hunt for one fault.
#[derive(Clone, Debug)]
pub struct Hunted {
    /// Whether the right oracle saw it, for each seed from 0 on.
    pub caught: Vec<bool>,
    /// Every oracle that saw something under some seed.
    pub spoke: BTreeSet<String>,
    /// The first violation of the right oracle.
    pub words: String,
}

impl Hunted {
    /// From each seed on that was tried with a catch behind it: how many seeds it took. The one in the middle.
    pub fn median(&self) -> Option<usize> {
        let mut needed: Vec<usize> = (0..self.caught.len())
            .filter_map(|from| self.caught[from..].iter().position(|caught| *caught).map(|at| at + 1))
            .collect();
        needed.sort_unstable();
        needed.get(needed.len() / 2).copied()
    }
}

/// The plan of `scenario` under `seed`.
pub fn plan(scenario: &str, seed: u64) -> Plan {
    Plan::make(&Scenario::parse(scenario, Path::new("planted.toml")).unwrap(), seed)
}

/// Follow `plan` with `plant` planted.
pub fn follow(plan: &Plan, plant: Box<dyn Plant>) -> RunReport {
    follow_with(plan, plant, RunOptions::default()).unwrap()
}

/// The same, carried out as `options` say.
pub fn follow_with(
    plan: &Plan,
    plant: Box<dyn Plant>,
    mut options: RunOptions,
) -> Result<RunReport, RunError> {
    let verifier = verifier();
    let bed = Bed { inner: simulated(plan, &verifier, &mut options)?, plant };
    run_on(bed, plan, verifier, &options)
}

/// Run seeds until the right oracle has seen `fault`, and some more; and the sound registry under the same seeds,
/// which must pass them all.
pub fn hunt(fault: &Planted) -> Hunted {
    let (_, scenario) = fault.scenario;
    let mut hunted = Hunted { caught: Vec::new(), spoke: BTreeSet::new(), words: String::new() };
    for seed in 0..SEEDS {
        if seed >= TRIED && hunted.caught.contains(&true) {
            break;
        }
        let plan = plan(scenario, seed);
        let sound = follow(&plan, Box::new(Sound));
        assert_eq!(sound.violations, [], "seed {seed}, nothing planted");
        assert!(sound.searches.started > 0, "a run without searches proves nothing");
        let report = follow(&plan, (fault.plant)());
        let seen = report.violations.iter().find(|violation| violation.oracle == fault.oracle.name());
        hunted.caught.push(seen.is_some());
        if let (Some(seen), true) = (seen, hunted.words.is_empty()) {
            hunted.words.clone_from(&seen.detail);
        }
        hunted.spoke.extend(report.violations.into_iter().map(|violation| violation.oracle));
    }
    hunted
}
