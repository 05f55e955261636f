//! Every probe is reached: by a shipped scenario at its own seeds, or for a stated reason by none.

#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use swarmproof::probe::{Need, Probe};
use swarmproof::scenario::{Plan, RunOptions, Scenario, run};

/// Shipped scenarios that together reach what shipped scenarios reach, each at all of its seeds.
const SHIPPED: &[&str] = &[
    "baseline/known-by-name",
    "baseline/publish-and-yank",
    "cancel/midway",
    "cancel/while-peers-leave",
    "churn/registries-crash",
    "fidelity/faulty/slow-and-silent",
    "fidelity/quiet/lookups",
    "latency/adaptive-cold-start",
    "latency/bad-lines",
    "latency/slow-peers",
    "latency/stall-after-the-first-byte",
    "liveness/partition-to-the-end",
    "malformed/a-tenth-by-bytes",
    "malformed/a-tenth-by-meaning",
    "malformed/equivocation",
    "malformed/rollback",
    "partition/one-way",
];

/// Probes that drawn faults reach and no shipped scenario does.
const DRAWN: &[(Probe, &str)] = &[
    (Probe::FurtherPage, "an answer of a page is large enough for every limit that is shipped"),
    (Probe::QueryLimit, "no shipped scenario has more searches at once than its registries allow"),
    (Probe::LookupAgain, "shipped gets of one key do not overlap where lookups time out"),
    (Probe::BlockedPeer, "who is blocked in a shipped scenario has nothing more to say in time"),
];

/// The most seeds that are drawn to reach those.
const MOST_SEEDS: u64 = 1000;

fn counts(scenario: &Scenario, seed: u64) -> BTreeMap<String, u64> {
    run(&Plan::make(scenario, seed), RunOptions::default()).expect("a shipped plan can be followed").probes
}

#[test]
fn every_probe_is_reached_by_a_shipped_scenario_or_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut reached = BTreeSet::new();
    for name in SHIPPED {
        let scenario = Scenario::read(root.join(name).with_extension("toml")).expect("it is shipped");
        for seed in scenario.seeds() {
            reached.extend(counts(&scenario, seed).into_keys());
        }
    }
    let listed = |probe: &Probe| DRAWN.iter().any(|(drawn, _)| drawn == probe);
    let missing: Vec<Probe> = Probe::ALL
        .iter()
        .copied()
        .filter(|probe| !reached.contains(probe.name()) && !listed(probe) && probe.need() == Need::Explore)
        .collect();
    assert_eq!(missing, [], "never reached by a shipped scenario, and not listed");
}

#[test]
fn what_no_shipped_scenario_reaches_drawn_faults_do() {
    let explore = Scenario::explore().expect("it is built in");
    let mut left: BTreeSet<&str> = DRAWN.iter().map(|(probe, _)| probe.name()).collect();
    for seed in 0..MOST_SEEDS {
        let counts = counts(&explore, seed);
        left.retain(|name| !counts.contains_key(*name));
        if left.is_empty() {
            return;
        }
    }
    panic!("never reached in {MOST_SEEDS} seeds: {left:?}");
}

#[test]
fn names_are_the_variants_in_kebab_case_and_each_is_another() {
    let mut names = BTreeSet::new();
    for probe in Probe::ALL {
        let mut made = String::new();
        for letter in format!("{probe:?}").chars() {
            if letter.is_uppercase() && !made.is_empty() {
                made.push('-');
            }
            made.push(letter.to_ascii_lowercase());
        }
        assert_eq!(made, probe.name());
        names.insert(probe.name());
    }
    assert_eq!(names.len(), Probe::ALL.len());
    assert!(names.len() >= 30);
}

#[test]
fn what_no_run_came_to_is_missing_unless_it_is_not_drawn() {
    let mut counts: BTreeMap<String, u64> =
        Probe::expected().map(|probe| (probe.name().to_owned(), 1)).collect();
    assert_eq!(Probe::missing(&counts), []);
    counts.insert("hedge-fired".to_owned(), 0);
    counts.remove("disk-wiped");
    assert_eq!(Probe::missing(&counts), [Probe::HedgeFired, Probe::DiskWiped]);
    assert!(Probe::expected().all(|probe| probe != Probe::CacheDisplaced));
}
