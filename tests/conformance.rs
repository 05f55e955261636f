//! The network's contract, tried on real swarms: one test for each clause, and one for each breach that a
//! clause must notice.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;
use swarmproof::conformance::{Breach, Breached, Setup, breaches, clauses};
use swarmproof::net::{SwarmSetup, SwarmTestbed, Wire};
use swarmproof::testbed::TestbedError;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // The tests mostly wait; but some join two dozen nodes, and more of these at once starve one another.
    arguments.test_threads = arguments.test_threads.or(Some(6));
    let mut trials = Vec::new();
    for wire in Wire::ALL {
        for clause in clauses::<SwarmTestbed>() {
            let name = format!("swarm::{wire}::{}", clause.name);
            let check = move || Ok(clause.check(|setup| on(wire, setup)).map_err(|e| e.to_string())?);
            trials.push(Trial::test(name, check));
        }
    }
    for (breach, noticed_by) in breaches() {
        for clause in noticed_by {
            let name = format!("breach::{breach:?}::{clause}");
            trials.push(Trial::test(name, move || must_notice(breach, clause)));
        }
    }
    trials.push(Trial::test("every_clause_notices_a_breach", every_clause_notices_a_breach));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn on(wire: Wire, setup: Setup) -> Result<SwarmTestbed, TestbedError> {
    SwarmTestbed::new(SwarmSetup::new(wire, setup.validator, setup.topics))
}

/// A clause must fail on a network that breaks it, and not because it could not be tried.
fn must_notice(breach: Breach, clause: &str) -> Result<(), Failed> {
    let clause = clauses::<Breached<SwarmTestbed>>()
        .into_iter()
        .find(|its| its.name == clause)
        .ok_or_else(|| format!("there is no clause {clause}"))?;
    match clause.check(|setup| Ok(Breached::new(on(Wire::Memory, setup)?, breach))) {
        Ok(()) => Err(format!("{} holds on a network that {breach:?}", clause.name).into()),
        Err(swarmproof::conformance::Violation::Broken(_)) => Ok(()),
        Err(untried) => Err(untried.to_string().into()),
    }
}

fn every_clause_notices_a_breach() -> Result<(), Failed> {
    let noticed: Vec<&str> =
        breaches().into_iter().flat_map(|(_, clauses)| clauses.iter().copied()).collect();
    let unproven: Vec<&str> = clauses::<SwarmTestbed>()
        .iter()
        .map(|clause| clause.name)
        .filter(|name| !noticed.contains(name))
        .collect();
    if unproven.is_empty() {
        Ok(())
    } else {
        Err(format!("nothing shows that these can fail: {unproven:?}").into())
    }
}
