//! The simulator holds the contract of `Network`; and the suite notices when it does not.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use libtest_mimic::{Arguments, Trial};
use swarmproof::conformance::{Breached, Setup, Violation, breaches, clauses};
use swarmproof::sim::{Dist, Profile, SimConfig, SimTestbed};
use swarmproof::testbed::TestbedError;

fn bed(setup: Setup, profile: Profile) -> Result<SimTestbed, TestbedError> {
    SimTestbed::new(SimConfig::new(1, profile, setup.validator))
        .map_err(|wrong| TestbedError::Start(wrong.to_string()))
}

/// Ten to twenty milliseconds one way: nothing arrives in the instant in which it is sent.
fn continent() -> Profile {
    Profile::flat(Dist::Uniform(core::time::Duration::from_millis(10), core::time::Duration::from_millis(20)))
}

fn main() {
    let mut trials = Vec::new();
    for clause in clauses::<SimTestbed>() {
        trials.push(Trial::test(clause.name, move || Ok(clause.check(|setup| bed(setup, Profile::lan()))?)));
    }
    for clause in clauses::<SimTestbed>() {
        let name = format!("continent::{}", clause.name);
        trials.push(Trial::test(name, move || Ok(clause.check(|setup| bed(setup, continent()))?)));
    }
    for (breach, noticed_by) in breaches() {
        for name in noticed_by {
            trials.push(Trial::test(format!("breach::{breach:?}::{name}"), move || {
                let mut all = clauses::<Breached<SimTestbed>>();
                all.retain(|clause| clause.name == *name);
                let clause = all.pop().ok_or("no clause has this name")?;
                match clause.check(|setup| Ok(Breached::new(bed(setup, Profile::lan())?, breach))) {
                    Err(Violation::Broken(_)) => Ok(()),
                    Err(untried) => Err(untried.into()),
                    Ok(()) => Err("the clause did not notice".into()),
                }
            }));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
