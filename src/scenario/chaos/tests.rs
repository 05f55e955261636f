use core::time::Duration;

use super::*;
use crate::scenario::Family;
use crate::scenario::Plan;
use crate::scenario::file::model::{Scenario, Weather};
use crate::scenario::plan::{Act, Turn};

fn drawn(seed: u64) -> Scenario {
    concrete(&Scenario::explore().unwrap_or_else(|error| panic!("{error}")), seed)
}

#[test]
fn each_seed_draws_its_own_and_the_same_again() {
    let plan = |seed| Plan::make(&Scenario::explore().unwrap(), seed);
    assert_eq!(plan(3), plan(3));
    assert_ne!(plan(3), plan(4));
    let text = plan(3).to_toml().unwrap();
    assert_eq!(Plan::parse(&text, "plan").unwrap_or_else(|error| panic!("{error}")), plan(3));
}

#[test]
fn every_plan_is_good_and_stays_within_the_frame() {
    let frame = Scenario::explore().unwrap();
    for seed in 0..400 {
        let scenario = drawn(seed);
        assert!((1..=frame.network.peers).contains(&scenario.network.peers), "{seed}");
        assert!((1..=scenario.network.peers).contains(&scenario.network.registries), "{seed}");
        assert!(scenario.registry.query.check().is_ok(), "{seed}");
        assert!(!scenario.workloads.is_empty(), "{seed}");
        let plan = Plan::make(&frame, seed);
        let text = plan.to_toml().unwrap();
        Plan::parse(&text, "plan").unwrap_or_else(|error| panic!("{seed}: {error}"));
    }
}

#[test]
fn each_family_is_off_in_about_half_of_the_seeds_and_some_seeds_have_none() {
    let frame = Scenario::explore().unwrap();
    let (mut quiet, mut steady, mut partitions) = (0, 0, 0);
    for seed in 0..1000 {
        let faults = drawn(seed).faults;
        quiet += u32::from(faults.is_empty());
        let stops = |what: &Weather| matches!(what, Weather::Churn { .. } | Weather::Crash { .. });
        steady += u32::from(!faults.iter().any(|fault| stops(&fault.what)));
        partitions += u32::from(faults.iter().any(|fault| matches!(fault.what, Weather::Partition { .. })));
    }
    assert!((60..150).contains(&quiet), "a tenth: {quiet}");
    // A tenth is quiet, a quarter of the others steady, of the rest a quarter has neither family.
    assert!((400..580).contains(&steady), "{steady}");
    assert!((380..520).contains(&partitions), "half of nine tenths: {partitions}");
    assert!(frame.chaos.is_some());
}

#[test]
fn all_that_is_drawn_is_over_before_the_calm() {
    let frame = Scenario::explore().unwrap();
    let calm = frame.duration - frame.chaos.as_ref().unwrap().calm;
    for seed in 0..300 {
        let plan = Plan::make(&frame, seed);
        let late = plan.timeline.events.iter().find(|event| event.at.0 > calm && event.what.is_bad());
        assert!(late.is_none(), "{seed}: {late:?}");
        let mut down = std::collections::BTreeSet::new();
        for event in &plan.timeline.events {
            match &event.what {
                Turn::Kill { nodes, .. } => down.extend(nodes.iter()),
                Turn::Restart { nodes } => down.retain(|node| !nodes.contains(*node)),
                _ => {}
            }
        }
        // Who came back under another name is not awaited under its first, nor under those between.
        for operation in &plan.timeline.operations {
            if let Act::Join { of: Some(first), .. } = operation.what {
                down.remove(&first);
                down.remove(&operation.node);
            }
        }
        assert!(down.is_empty(), "{seed}: {down:?} never come back");
    }
}

#[test]
fn another_family_leaves_the_others_as_they_are() {
    let whole = Scenario::explore().unwrap();
    let mut fewer = whole.clone();
    if let Some(chaos) = &mut fewer.chaos {
        chaos.families.retain(|family| *family != Family::Latency);
    }
    let lasting = |scenario: &Scenario| {
        let is_latency = |what: &Weather| matches!(what, Weather::Links { change, .. } if change.extra_delay > Duration::ZERO);
        scenario.faults.iter().filter(|it| !is_latency(&it.what)).cloned().collect::<Vec<_>>()
    };
    for seed in 0..50 {
        assert_eq!(lasting(&concrete(&whole, seed)), lasting(&concrete(&fewer, seed)));
    }
}

#[test]
fn sizes_are_the_frames_own_where_it_says_so() {
    let mut frame = Scenario::explore().unwrap();
    if let Some(chaos) = &mut frame.chaos {
        chaos.fixed_sizes = true;
    }
    for seed in 0..50 {
        let network = concrete(&frame, seed).network;
        assert_eq!((network.peers, network.registries), (frame.network.peers, frame.network.registries));
    }
}
