use std::path::Path;

use super::*;
use crate::scenario::Scenario;
use crate::scenario::nodes::NodeSet;
use crate::testbed::{Fault, Keep, NodeId};

const TEXT: &str = r#"description = "all of it"
duration = "5m"
[network]
peers = 60
registries = 4
undialable = 0.25
clients = 0.1
profile = "explicit"
[network.explicit]
delays = [["1ms", "40ms"], ["40ms", "2.5ms"]]
[network.service]
[catalogue]
packages = 80
versions = 3
publishers = 9
coverage = 0.5
[registry]
preset = "low-latency"
catch_up = "30s"
[[workload]]
search = { rate = "2/s", until = "4m" }
[[workload]]
cancel = { at = "1m", count = 3, after = "150ms" }
[[workload]]
get = { rate = "1/s" }
[[workload]]
versions = { rate = "10/m", spacing = "even" }
[[workload]]
publish = { rate = "20/m", packages = 3, large = 0.5 }
[[workload]]
yank = { at = "2m", count = 2 }
[[workload]]
join = { at = "3m", count = 2 }
[[workload]]
join = { at = "1m", who = "peer" }
[[workload]]
search = { rate = "1/s", from = "3m", registry = 5, by = "new" }
[[fault]]
churn = { share = 0.3, session = { exponential = { mean = "1m" } }, gap = { fixed = "20s" } }
[[fault]]
at = "1m"
until = "2m"
partition = { share = 0.5, registries = [1] }
[[fault]]
at = "1m"
for = "90s"
latency = { extra = "100ms", share = 0.5 }
[[fault]]
at = "2m"
for = "1m"
resets = { chance = 0.1 }
[[fault]]
malformed = { share = 0.1, kinds = ["noise", "bad-signature"] }
[[fault]]
at = "10s"
rollback = { package = 3, share = 0.2 }
[[fault]]
at = "10s"
for = "1m"
equivocate = { package = 4, share = 0.2 }
[[fault]]
at = "20s"
for = "5s"
crash = { registry = 2, keep = "nothing" }
[expect]
recall = ">= 90%"
latency_p95 = "<= 2s"
"#;

fn scenario(text: &str) -> Scenario {
    Scenario::parse(text, Path::new("s.toml")).unwrap_or_else(|error| panic!("{error}"))
}

fn plan(text: &str, seed: u64) -> Plan {
    Plan::make(&scenario(text), seed)
}

#[test]
fn the_same_seed_makes_the_same_plan_and_another_seed_another() {
    assert_eq!(plan(TEXT, 7), plan(TEXT, 7));
    assert_ne!(plan(TEXT, 7).timeline, plan(TEXT, 8).timeline);
}

#[test]
fn what_is_written_is_read_back_and_is_good() {
    for seed in [0, 1, u64::MAX] {
        let made = plan(TEXT, seed);
        let text = made.to_toml().unwrap();
        assert!(Plan::is_plan(&text) && !Plan::is_plan(TEXT));
        let read = Plan::parse(&text, "p.toml").unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(read, made);
        assert_eq!(read.to_toml().unwrap(), text);
    }
}

#[test]
fn each_kind_of_operation_is_planned_for_nodes_that_can_do_it() {
    let plan = plan(TEXT, 1);
    let count = |wanted: fn(&Act) -> bool| {
        plan.timeline.operations.iter().filter(|operation| wanted(&operation.what)).count()
    };
    let searches = count(|act| matches!(act, Act::Search { cancel_after: None, .. }));
    assert!((480..720).contains(&searches), "2/s for 4 minutes and 1/s for 2: {searches}");
    assert_eq!(count(|act| matches!(act, Act::Search { cancel_after: Some(_), .. })), 3);
    assert_eq!(count(|act| matches!(act, Act::Versions { .. })), 50);
    assert_eq!(count(|act| matches!(act, Act::Yank { .. })), 2);
    assert!(count(|act| matches!(act, Act::Publish(listing) if listing.description.len() > 4096)) > 20);
    assert_eq!(
        plan.late().iter().map(|(node, registry, _)| (node.0, *registry)).collect::<Vec<_>>(),
        [(60, false), (61, true), (62, true)]
    );
    assert_eq!(plan.roles()[61], NodeRole::Registry(4));
    let late = plan.timeline.operations.iter().filter(|operation| operation.node == NodeId(62));
    assert!(late.count() > 60, "the sixth registry searches");
    // Versions of one package rise, each published once.
    let mut published = std::collections::BTreeMap::new();
    for operation in &plan.timeline.operations {
        if let Act::Publish(listing) = &operation.what {
            let before = published.insert((operation.node, listing.name.clone()), listing.version.clone());
            assert!(before.is_none_or(|before| before < listing.version));
        }
        if let Act::Yank { name, .. } = &operation.what {
            assert!(published.contains_key(&(operation.node, name.clone())));
        }
    }
    assert!(published.len() <= 12);
}

#[test]
fn a_workload_more_leaves_faults_and_other_workloads_as_they_were() {
    let before = plan(TEXT, 3);
    let more = TEXT.replace(
        "[[fault]]\nchurn",
        "[[workload]]\nsearch = { rate = \"3/s\", by = \"tag\" }\n[[fault]]\nchurn",
    );
    let after = plan(&more, 3);
    assert_eq!(before.timeline.events, after.timeline.events);
    assert_eq!(before.nodes, after.nodes);
    let contents = |plan: &Plan| -> Vec<_> {
        plan.timeline
            .operations
            .iter()
            .map(|operation| (operation.at, operation.node, operation.what.clone()))
            .collect()
    };
    let (before, after) = (contents(&before), contents(&after));
    assert!(after.len() > before.len() + 700);
    assert!(before.iter().all(|operation| after.contains(operation)));
}

#[test]
fn a_fault_more_leaves_the_others_and_the_operations_as_they_were() {
    let before = plan(TEXT, 3);
    let after = plan(&TEXT.replace("[expect]", "[[fault]]\nslow = { share = 0.2, factor = 9 }\n[expect]"), 3);
    assert_eq!(before.timeline.operations, after.timeline.operations);
    assert_eq!(after.timeline.events.len(), before.timeline.events.len() + 1);
    assert!(before.timeline.events.iter().all(|event| after.timeline.events.contains(event)));
}

#[test]
fn a_peer_more_leaves_the_others_sessions_as_they_were() {
    let kills = |text: &str| -> Vec<(crate::scenario::Span, NodeId)> {
        let events = plan(text, 5).timeline.events.into_iter();
        events
            .flat_map(|event| match event.what {
                Turn::Kill { nodes, .. } => nodes.iter().map(|node| (event.at, node)).collect(),
                _ => Vec::new(),
            })
            .collect()
    };
    let all = TEXT.replace("share = 0.3, session", "session");
    let (before, after) = (kills(&all), kills(&all.replace("peers = 60", "peers = 61")));
    assert!(before.len() > 50 && after.len() >= before.len());
    assert!(before.iter().all(|kill| after.contains(kill)));
}

/// Follows the events, and finds each node's state at each time as the faults say it must be.
#[test]
fn turns_of_events_follow_one_another_as_they_must() {
    for seed in 0..5 {
        let plan = plan(TEXT, seed);
        let mut down = std::collections::BTreeSet::new();
        let mut cuts = 0;
        let mut kills = 0;
        for event in &plan.timeline.events {
            for fault in event.what.faults() {
                match fault {
                    Fault::Kill { node, .. } => {
                        assert!(down.insert(node), "{node} dies once in each life");
                        kills += 1;
                    }
                    Fault::Restart { node } => assert!(down.remove(&node), "{node} was down"),
                    Fault::Cut { from, to, .. } => {
                        assert!(from.is_disjoint(&to) && from.len() + to.len() == 60);
                        assert!(from.contains(&NodeId(1)) && !from.contains(&NodeId(0)));
                        cuts += 1;
                    }
                    Fault::Heal { .. } => cuts -= 1,
                    _ => {}
                }
            }
        }
        assert_eq!(cuts, 0);
        assert!(kills > 20, "{kills}");
        assert!(plan.has_faults());
    }
}

#[test]
fn overlapping_changes_of_links_hold_together_and_end_apart() {
    let text =
        TEXT.replace("latency = { extra = \"100ms\", share = 0.5 }", "latency = { extra = \"100ms\" }");
    let plan = plan(&text, 0);
    let changes: Vec<(String, f64, String, usize)> = plan
        .timeline
        .events
        .iter()
        .filter_map(|event| match &event.what {
            Turn::Links { nodes, change } => {
                Some((event.at.to_string(), change.resets, change.extra_delay.to_string(), nodes.len()))
            }
            _ => None,
        })
        .collect();
    let wanted =
        [("1m", 0.0, "100ms", 60), ("2m", 0.1, "100ms", 60), ("150s", 0.1, "0s", 60), ("3m", 0.0, "0s", 60)];
    assert_eq!(changes.len(), 4, "{changes:?}");
    for (got, wanted) in changes.iter().zip(wanted) {
        assert_eq!((got.0.as_str(), got.2.as_str(), got.3), (wanted.0, wanted.2, wanted.3));
        assert!((got.1 - wanted.1).abs() < 1e-12);
    }
}

#[test]
fn each_release_has_a_holder_and_coverage_is_a_share() {
    let plan = plan(TEXT, 2);
    let releases = plan.releases().unwrap();
    let mut holders = vec![0; releases.len()];
    for peer in plan.nodes.registries..plan.nodes.start {
        for (count, held) in holders.iter_mut().zip(plan.held_by(NodeId(peer), releases.len())) {
            *count += u32::from(held);
        }
    }
    let mean = f64::from(holders.iter().sum::<u32>()) / (holders.len() * 56) as f64;
    assert!((0.45..0.57).contains(&mean), "{mean}");
    let few = self::plan(&TEXT.replace("coverage = 0.5", "coverage = 0.0"), 2);
    let held: usize =
        (4..60).map(|peer| few.held_by(NodeId(peer), releases.len()).filter(|held| *held).count()).sum();
    assert_eq!(held, releases.len());
    assert!(releases.iter().all(|released| released.number >= 1));
    assert_ne!(plan.publisher_secret(0), plan.publisher_secret(1));
    assert_ne!(plan.publisher_secret(9), plan.publisher_secret(10));
}

#[test]
fn a_plan_that_was_edited_wrongly_is_refused_with_its_place() {
    let good = plan(TEXT, 1).to_toml().unwrap();
    let said = |find: &str, put: &str| {
        assert!(good.contains(find), "{find} in {good}");
        Plan::parse(&good.replacen(find, put, 1), "p.toml").expect_err(put).to_string()
    };
    assert!(said("plan = 1", "plan = 2").contains("p.toml:1:1: this is a plan of version 2"));
    assert!(said("plan = 1\n", "").contains("a plan begins with"));
    assert!(said("seed = 1", "seed = -1").starts_with("p.toml:4:8: "), "{}", said("seed = 1", "seed = -1"));
    assert!(said("duration = \"5m\"", "duration = \"5\"").starts_with("p.toml:5:12: expected a duration"));
    assert!(said("start = 60", "start = 60\nstrat = 60").contains("unknown field `strat`"));
    assert!(
        said("registries = 4", "registries = 64").contains("nodes.registries must be from 1 to nodes.start")
    );
    assert!(said("coverage = 0.5", "coverage = 1.5").contains("catalogue.coverage must be from 0 to 1"));
    let number = said("number = 7,", "number = 8,");
    assert!(number.contains("timeline.operations[8] (number 8): its number is another's too"), "{number}");
    assert!(said("keep = \"nothing\"", "keep = \"something\"").contains("unknown variant `something`"));
    let node = said("nodes = \"2\", keep", "nodes = \"2, 900\", keep");
    assert!(node.contains("timeline.events[") && node.contains("there is no node n900"), "{node}");
    assert!(said("{ nodes = \"2\" }", "{ nodes = \"2..1\" }").contains("expected nodes such as"));
}

const HOSTILE: &str = r#"description = "names that are shed, made up, and chosen"
duration = "2m"
[network]
peers = 40
registries = 2
[catalogue]
packages = 5
[[workload]]
join = { at = "35s", who = "registry" }
[[fault]]
at = "10s"
until = "1m"
whitewash = { share = 0.1, every = "20s" }
[[fault]]
false_peers = { share = 0.1, names = 7 }
[[fault]]
sybil = { package = 2, share = 0.2 }
"#;

#[test]
fn who_sheds_its_name_is_gone_and_lies_on_under_the_next() {
    let plan = plan(HOSTILE, 3);
    assert_eq!(plan.nodes.start, 47);
    // Four of 38 peers take two further names each, at 30 s and at 50 s; a registry joins between.
    let renewed: Vec<(u64, u32, Option<NodeId>)> = plan
        .timeline
        .operations
        .iter()
        .map(|it| match it.what {
            Act::Join { registry, of } => {
                assert_eq!(registry, of.is_none());
                (it.at.0.as_secs(), it.node.0, of)
            }
            ref other => panic!("{other:?}"),
        })
        .collect();
    let firsts: Vec<NodeId> = renewed.iter().filter_map(|it| it.2).take(4).collect();
    let joins = |at, from: u32| (0u32..).zip(&firsts).map(move |(n, first)| (at, from + n, Some(*first)));
    let expected: Vec<_> = joins(30, 47).chain([(35, 51, None)]).chain(joins(50, 52)).collect();
    assert_eq!(renewed, expected);
    let killed = |from: u64, until: u64| -> NodeSet {
        let within = plan.timeline.events.iter().filter(|it| (from..until).contains(&it.at.0.as_secs()));
        within
            .flat_map(|it| match &it.what {
                Turn::Kill { nodes, keep: Keep::Nothing } => nodes.iter().collect::<Vec<_>>(),
                _ => Vec::new(),
            })
            .collect()
    };
    assert_eq!(killed(0, 40), firsts.iter().copied().collect());
    assert_eq!(killed(40, 120), (47..51).collect::<NodeSet>());
    let mut lying: std::collections::BTreeSet<NodeId> = std::collections::BTreeSet::new();
    for event in &plan.timeline.events {
        match &event.what {
            Turn::Lies { nodes, kinds } if kinds.is_empty() => lying.retain(|node| !nodes.contains(*node)),
            Turn::Lies { nodes, .. } => lying.extend(nodes.iter()),
            Turn::Kill { nodes, .. } => lying.retain(|node| !nodes.contains(*node)),
            Turn::Collude { .. } => {}
            other => panic!("{other:?}"),
        }
        if event.at.0.as_secs() == 55 {
            assert_eq!(lying, (52..56).map(NodeId).collect());
        }
    }
    assert!(lying.is_empty(), "honest again at the end: {lying:?}");
}

#[test]
fn names_that_were_made_up_are_nobody_and_chosen_ones_stand_beside_their_package() {
    let plan = plan(HOSTILE, 3);
    assert_eq!(plan.nodes.nobody, (40..47).collect::<NodeSet>());
    let [placed] = plan.nodes.placed.as_slice() else { panic!("{:?}", plan.nodes.placed) };
    assert_eq!(placed.nodes.len(), 8);
    let mut colluding: Vec<(&NodeSet, &NodeSet)> = Vec::new();
    for event in &plan.timeline.events {
        if let Turn::Collude { nodes, to, on: true } = &event.what {
            colluding.push((nodes, to));
        }
    }
    colluding.sort_by_key(|(_, to)| to.len());
    assert_eq!(colluding[0], (&placed.nodes, &NodeSet::default()));
    assert_eq!(colluding[1].1, &plan.nodes.nobody);
    // Fewer nodes: whom nobody names any more is gone from everywhere.
    let gone = placed.nodes.iter().chain([NodeId(46)]).collect();
    let fewer = plan.without_nodes(&gone);
    assert!(fewer.nodes.placed.is_empty());
    assert_eq!((fewer.nodes.start, fewer.nodes.nobody.len()), (38, 6));
    assert_eq!(fewer.check(), Ok(()));
    let text = plan.to_toml().unwrap();
    assert_eq!(Plan::parse(&text, "plan").unwrap_or_else(|error| panic!("{error}")), plan);
}
