//! Whole runs, each in a process of its own: this program starts itself again with the name of a run and a seed,
//! and compares what the runs print.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a run prints what it came to")]
#![allow(clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

mod amiss;
mod kademlia;
mod partition;

use std::process::{Command, ExitCode, Output};

use libtest_mimic::{Arguments, Failed, Trial};

/// A run: what it comes to under a seed, in one line.
type Run = fn(u64) -> String;

/// Set in the process that makes a run.
const RUN: &str = "SWARMPROOF_VIRTUAL_TEST_RUN";

const RUNS: &[(&str, Run)] = &[
    ("kademlia", kademlia::finds),
    ("churn", kademlia::churn),
    ("partition", partition::stops_and_resumes),
    ("timing", partition::timing),
    ("second", amiss::second),
    ("busy", amiss::busy),
    ("waiting", amiss::waiting),
    ("timer-thread", amiss::timer_thread),
    ("thread", amiss::thread),
    ("panic", amiss::panics),
    ("unsound", amiss::unsound),
];

fn main() -> ExitCode {
    if let Ok(wanted) = std::env::var(RUN) {
        let (name, seed) = wanted.split_once(' ').expect("a name and a seed");
        let (_, run) = RUNS.iter().find(|(known, _)| *known == name).expect("a run of this name");
        println!("{}", run(seed.parse().expect("a seed")));
        return ExitCode::SUCCESS;
    }
    let trials = vec![
        Trial::test("kademlia_finds_what_was_put_and_is_the_same_in_two_processes", || repeats("kademlia")),
        Trial::test("churn_is_the_same_in_two_processes", || repeats("churn")),
        Trial::test("a_partition_stops_what_a_heal_resumes", || repeats("partition")),
        Trial::test("virtual_time_is_what_links_and_timers_say", || well("timing", 1).map(drop)),
        Trial::test("a_second_simulation_is_refused", || well("second", 1).map(drop)),
        Trial::test("a_thread_is_named_at_the_end", || well("thread", 1).map(drop)),
        Trial::test("an_unsound_profile_is_refused", || well("unsound", 1).map(drop)),
        Trial::test("a_task_that_wakes_itself_is_ended", || {
            ends(
                "busy",
                3,
                &["has not moved for 600ms", "n0: up (life 0), 1 connections", "virtual time stands at"],
            )
        }),
        Trial::test("a_wait_for_nothing_is_ended", || {
            ends("waiting", 3, &["n1: down", "next arrival: nothing"])
        }),
        Trial::test("a_thread_with_timers_is_ended", || {
            ends("timer-thread", 2, &["cargo tree -i futures-timer", "[patch.crates-io]"])
        }),
        Trial::test("a_panic_goes_on_in_the_caller", || ends("panic", 101, &["the body gave up"])),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn start(name: &str, seed: u64) -> Output {
    let own = std::env::current_exe().expect("the path of this program");
    Command::new(own).env(RUN, format!("{name} {seed}")).output().expect("this program starts")
}

/// What a run that ends well prints.
fn well(name: &str, seed: u64) -> Result<String, Failed> {
    let output = start(name, seed);
    if !output.status.success() {
        return Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A run is the same for the same seed, and another for another.
fn repeats(name: &str) -> Result<(), Failed> {
    let (once, again, other) = (well(name, 1)?, well(name, 1)?, well(name, 2)?);
    if once != again {
        return Err(format!("two processes differ:\n{once}\n{again}").into());
    }
    if once == other {
        return Err(format!("another seed gives the same: {once}").into());
    }
    Ok(())
}

/// A run is ended with this exit code and these words.
fn ends(name: &str, code: i32, words: &[&str]) -> Result<(), Failed> {
    let output = start(name, 1);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() != Some(code) {
        return Err(format!("{}: {text}", output.status).into());
    }
    match words.iter().find(|word| !text.contains(**word)) {
        Some(word) => Err(format!("`{word}` is not in: {text}").into()),
        None => Ok(()),
    }
}
