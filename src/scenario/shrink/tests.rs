use core::time::Duration;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::scenario::plan::{Act, NodeRole, Plan, PlannedEvent, Turn};
use crate::scenario::{NodeSet, Scenario, Span};
use crate::testbed::NodeId;

/// Two lists and a number.
#[derive(Clone, Debug, PartialEq)]
struct Abstract {
    lists: [Vec<u32>; 2],
    number: u32,
}

impl Abstract {
    fn of(len: u32) -> Self {
        Self { lists: [(0..len).collect(), (0..len).collect()], number: 1000 }
    }
}

impl Shrink for Abstract {
    fn axes(&self) -> usize {
        2
    }

    fn parts(&self, axis: usize) -> usize {
        self.lists[axis].len()
    }

    fn keeping(&self, axis: usize, parts: &[usize]) -> Option<Self> {
        let mut it = self.clone();
        it.lists[axis] = parts.iter().map(|part| self.lists[axis][*part]).collect();
        Some(it)
    }

    fn simpler(&self) -> Vec<Self> {
        let fewer = [0, self.number / 2, self.number.saturating_sub(1)];
        let fewer = fewer.into_iter().filter(|it| *it < self.number);
        fewer.map(|number| Self { number, ..self.clone() }).collect()
    }
}

#[test]
fn what_is_left_is_all_needed_and_nothing_else() {
    let fails = |it: &Abstract| {
        [3, 41, 77].iter().all(|part| it.lists[0].contains(part)) && it.lists[1].len() >= 2 && it.number >= 37
    };
    let shrunk = shrink(Abstract::of(100), fails, || true);
    assert!(shrunk.minimal);
    assert_eq!(shrunk.smallest.lists[0], [3, 41, 77]);
    assert_eq!(shrunk.smallest.lists[1].len(), 2);
    assert_eq!(shrunk.smallest.number, 37);
    assert!(shrunk.runs < 200, "{} runs", shrunk.runs);
}

#[test]
fn parts_that_need_each_other_go_together_or_stay() {
    // 10 needs 60, and one of them alone does not fail.
    let fails = |it: &Abstract| {
        let has = |part| it.lists[0].contains(&part);
        has(5) && has(10) == has(60)
    };
    let shrunk = shrink(Abstract::of(64), fails, || true);
    assert!(fails(&shrunk.smallest));
    for part in 0..shrunk.smallest.lists[0].len() {
        let rest: Vec<usize> = (0..shrunk.smallest.lists[0].len()).filter(|it| *it != part).collect();
        assert!(!fails(&shrunk.smallest.keeping(0, &rest).unwrap()), "{part} is not needed");
    }
}

#[test]
fn a_step_that_does_not_fail_is_never_kept() {
    // A test that answers as it likes: whatever is kept must be something of which it said that it fails.
    for salt in 0..50u64 {
        let failed = RefCell::new(vec![Abstract::of(20)]);
        let fails = |it: &Abstract| {
            let sum = it.lists.iter().flatten().map(|it| u64::from(*it)).sum::<u64>() + u64::from(it.number);
            let says = (sum.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt).count_ones() % 3 == 0;
            if says {
                failed.borrow_mut().push(it.clone());
            }
            says
        };
        let shrunk = shrink(Abstract::of(20), fails, || true);
        assert_eq!(failed.borrow().last(), Some(&shrunk.smallest), "salt {salt}");
    }
}

#[test]
fn a_budget_that_is_spent_leaves_the_smallest_so_far_and_says_so() {
    let left = RefCell::new(5);
    let go_on = || {
        let mut left = left.borrow_mut();
        *left -= 1;
        *left >= 0
    };
    let shrunk = shrink(Abstract::of(100), |it| it.lists[0].contains(&9), go_on);
    assert!(!shrunk.minimal && shrunk.smallest.lists[0].contains(&9));
    assert_eq!(shrunk.runs, 5);
}

const ALL_OF_IT: &str = r#"description = "all of it"
duration = "5m"
[network]
peers = 40
registries = 4
undialable = 0.25
clients = 0.1
[catalogue]
packages = 40
versions = 3
publishers = 9
[[workload]]
search = { rate = "20/m", until = "4m" }
[[workload]]
get = { rate = "10/m" }
[[workload]]
publish = { rate = "10/m", packages = 3 }
[[workload]]
join = { at = "3m", count = 2 }
[[workload]]
search = { rate = "20/m", from = "3m", registry = 5, by = "new" }
[[fault]]
churn = { share = 0.3, session = { exponential = { mean = "1m" } }, gap = { fixed = "20s" } }
[[fault]]
at = "1m"
until = "2m"
partition = { share = 0.5, registries = [1] }
"#;

fn plan(seed: u64) -> Plan {
    let scenario = Scenario::parse(ALL_OF_IT, Path::new("all.toml")).unwrap();
    Plan::make(&scenario, seed)
}

#[test]
fn nodes_are_taken_out_with_all_that_is_theirs_and_the_rest_keeps_its_sense() {
    let plan = plan(3);
    // A registry, two peers and one that joins late.
    let gone: BTreeSet<NodeId> = [1, 10, 20, 40].map(NodeId).into();
    let less = plan.without_nodes(&gone);
    less.check().unwrap();
    assert_eq!(less.nodes.start, 37);
    assert_eq!(less.nodes.registries, 3);
    assert_eq!(less.roles().len(), plan.roles().len() - 4);
    assert_eq!(less.late().len(), 1);
    // What registry 2 published is now what registry 1 does, and it is the same.
    let published = |plan: &Plan, node: u32| -> Vec<_> {
        let by = plan.timeline.operations.iter().filter(|it| it.node == NodeId(node));
        by.filter_map(|it| match &it.what {
            Act::Publish(listing) => Some((it.number, listing.publisher, listing.name.clone())),
            _ => None,
        })
        .collect()
    };
    let (before, after) = (published(&plan, 2), published(&less, 1));
    assert!(!before.is_empty(), "the test needs publications");
    assert_eq!(before.len(), after.len());
    for ((number, publisher, name), (number_after, publisher_after, name_after)) in before.iter().zip(&after)
    {
        assert_eq!((number, name), (number_after, name_after));
        assert_eq!((*publisher, *publisher_after), (9 + 2, 9 + 1));
    }
    // Who was killed is killed, under the new number.
    let kills = |plan: &Plan| -> usize {
        let turns = plan.timeline.events.iter();
        turns.filter(|it| matches!(&it.what, Turn::Kill { nodes, .. } if nodes.contains(NodeId(30)))).count()
    };
    let renumbered = plan.without_nodes(&[NodeId(5)].into());
    let kills_of_31 = plan
        .timeline
        .events
        .iter()
        .filter(|it| matches!(&it.what, Turn::Kill { nodes, .. } if nodes.contains(NodeId(31))))
        .count();
    assert_eq!(kills(&renumbered), kills_of_31);
}

#[test]
fn whatever_is_made_of_a_plan_can_be_run_and_is_smaller() {
    let plan = plan(5);
    for axis in 0..plan.axes() {
        let parts = plan.parts(axis);
        for kept in [vec![], vec![0], (0..parts / 2).collect(), (parts / 2..parts).collect::<Vec<_>>()] {
            if kept.len() >= parts {
                continue;
            }
            let Some(less) = plan.keeping(axis, &kept) else { continue };
            less.check().unwrap();
            assert!(less.parts(axis) <= kept.len(), "axis {axis}");
            let text = less.to_toml().unwrap();
            assert_eq!(Plan::parse(&text, "it").unwrap(), less);
        }
    }
    for simpler in plan.simpler() {
        simpler.check().unwrap();
        assert_ne!(simpler, plan);
    }
}

#[test]
fn a_plan_shrinks_to_what_an_abstract_fault_needs() {
    // At fault: somebody who was killed, and two searches by different registries.
    let fails = |plan: &Plan| {
        let kills = plan.timeline.events.iter().any(|it| matches!(it.what, Turn::Kill { .. }));
        let searches = plan.timeline.operations.iter().filter(|it| matches!(it.what, Act::Search { .. }));
        let nodes: BTreeSet<NodeId> = searches.map(|it| it.node).collect();
        kills && nodes.len() >= 2
    };
    let shrunk = shrink(plan(7), fails, || true);
    assert!(shrunk.minimal);
    let smallest = shrunk.smallest;
    let size = PlanSize::of(&smallest);
    assert_eq!((size.operations, size.events, size.packages), (2, 1, Some(1)), "{size}");
    assert!(size.nodes <= 3, "{size}");
    assert_eq!(size.registries, 2, "{size}");
    assert!(smallest.roles().iter().filter(|it| matches!(it, NodeRole::Peer)).count() <= 1);
}

#[test]
fn peers_that_name_others_alone_never_come_to_name_each_other() {
    let mut plan = plan(5);
    let set = |nodes: &str| nodes.parse::<NodeSet>().unwrap();
    let what = Turn::Collude { nodes: set("10..12"), to: set("20..23"), on: true };
    plan.timeline.events = vec![PlannedEvent { at: Span(Duration::from_secs(1)), what }];
    let struck = (0..plan.axes()).find(|axis| plan.parts(*axis) == 5).unwrap();
    // Without any whom they name the turn would mean another one.
    let less = plan.keeping(struck, &[0, 1]).unwrap();
    assert_eq!(less.timeline.events, []);
    let less = plan.keeping(struck, &[1, 4]).unwrap();
    let what = Turn::Collude { nodes: set("11"), to: set("22"), on: true };
    assert_eq!(less.timeline.events[0].what, what);
}
