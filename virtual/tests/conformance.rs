//! The network's contract on real nodes in virtual time: each clause tried in a process of its own, as one process
//! has one simulation.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::process::{Command, ExitCode};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use swarmproof::conformance::{Clause, clauses};
use swarmproof::net::{MemoryLimit, NetConfig, SwarmSetup, SwarmTestbed};
use swarmproof::sim::{Dist, Profile};
use swarmproof_virtual::registry::VirtualCarrier;
use swarmproof_virtual::{Options, simulate};

/// Names the trial that this process is to make.
const TRIAL: &str = "SWARMPROOF_VIRTUAL_TRIAL";

/// A local network; and ten to twenty milliseconds one way, where nothing arrives in the instant in which it is sent.
fn profiles() -> [(&'static str, Profile); 2] {
    let continent = Dist::Uniform(Duration::from_millis(10), Duration::from_millis(20));
    [("lan", Profile::lan()), ("continent", Profile::flat(continent))]
}

fn main() -> ExitCode {
    if let Ok(name) = std::env::var(TRIAL) {
        return make(&name);
    }
    let mut trials = Vec::new();
    for (profile, _) in profiles() {
        for clause in clauses::<SwarmTestbed>() {
            let name = format!("{profile}::{}", clause.name);
            trials.push(Trial::test(name.clone(), move || elsewhere(&name)));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Have another process make the trial.
fn elsewhere(name: &str) -> Result<(), Failed> {
    let output = Command::new(std::env::current_exe()?).env(TRIAL, name).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}: {said}", output.status).into())
}

/// Make the trial here.
fn make(name: &str) -> ExitCode {
    let wanted = |(label, profile): (&str, Profile)| {
        let clause = name.strip_prefix(label)?.strip_prefix("::")?;
        let found = clauses::<SwarmTestbed>().into_iter().find(|its| its.name == clause)?;
        Some((profile, found))
    };
    let (profile, clause): (Profile, Clause<SwarmTestbed>) =
        profiles().into_iter().find_map(wanted).expect("there is such a trial");
    let links = profile.clone();
    let tried = simulate(Options::new(1, profile), move |simulation| {
        clause.check(|setup| {
            let carrier = VirtualCarrier::new(simulation.fabric().clone(), &links);
            let mut made = SwarmSetup::new(carrier, setup.validator, setup.topics);
            made.tick = Duration::from_millis(2);
            made.config = NetConfig { memory: MemoryLimit::Unlimited, ..NetConfig::default() };
            SwarmTestbed::new(made)
        })
    });
    let outcome = tried.expect("it is a simulation");
    assert_eq!(outcome.threads, Vec::<String>::new(), "threads were started, which are not in virtual time");
    match outcome.value {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            #[allow(clippy::print_stderr, reason = "the process that started this one reads it")]
            {
                eprintln!("{why}");
            }
            ExitCode::FAILURE
        }
    }
}
