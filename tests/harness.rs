//! The harness for any application: what is sound passes under faults, and each fault is caught by the oracle whose
//! matter it is, and made small.

#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(missing_docs, missing_debug_implementations, unreachable_pub, reason = "a test is nobody's library")]

#[path = "harness/toy.rs"]
mod toy;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use swarmproof::harness::{
    Application, Climate, Deed, Failure, Life, Plan, Report, Violation, prove, run, shrink, sweep,
};
use swarmproof::network::Validator;
use swarmproof::scenario::Draws;
use swarmproof::scenario::plan::Turn;
use swarmproof::scenario::shrink::Shrunk;
use swarmproof::testbed::{LocalTask, NodeId};

use self::toy::{Act, Fault, Toy};

const CLIMATE: &str = r#"
description = "Peers come and go, the network parts, some are silent, some garble."
seeds = "0..30"
duration = "40s"
rate = "4/s"
[network]
peers = 12
[[fault]]
at = "10s"
for = "10s"
partition = { share = 0.4 }
[[fault]]
at = "5s"
for = "30s"
churn = { share = 0.3, session = { fixed = "10s" }, gap = { fixed = "3s" } }
[[fault]]
at = "2s"
silent = { share = 0.15 }
[[fault]]
malformed = { share = 0.15, kinds = ["bit-flipped"] }
"#;

fn climate(extra: &str) -> Climate {
    Climate::parse(&format!("{CLIMATE}{extra}"), "toy.toml").unwrap_or_else(|error| panic!("{error}"))
}

fn names(report: &Report) -> Vec<&str> {
    report.violations.iter().map(|it| it.oracle.as_str()).collect()
}

#[test]
fn what_is_sound_passes_under_faults_and_chaos() {
    for extra in ["", "[chaos]\nquiet = 0.0\n"] {
        let swept = sweep(&Toy(Fault::Nothing), &climate(extra), 0..30).unwrap();
        let told: Vec<&Violation> = swept.failures.iter().map(|it| &it.violation).collect();
        assert!(swept.failed == 0, "{extra}: {told:?}");
        assert_eq!(swept.seeds, 30);
        assert!(swept.asked > 1000, "only {} operations", swept.asked);
    }
}

#[test]
fn the_weather_is_felt() {
    let plan = Plan::make(&Toy(Fault::Nothing), &climate(""), 1);
    let report = run(&Toy(Fault::Nothing), &plan).unwrap();
    let quiet = Plan {
        timeline: swarmproof::harness::Timeline { events: Vec::new(), ..plan.timeline.clone() },
        ..plan.clone()
    };
    let calm = run(&Toy(Fault::Nothing), &quiet).unwrap();
    assert!(report.passed() && calm.passed());
    assert_ne!(report.trace_hash, calm.trace_hash);
    // Who is down is not asked, and who dies does not tell.
    assert_eq!((calm.asked, calm.told), (plan.timeline.operations.len() as u64, calm.asked));
    assert!(report.asked < calm.asked && report.told < report.asked, "{report:?}");
}

/// The first failure by this oracle, and what it shrinks to.
fn caught(fault: Fault, oracle: &str) -> (Failure<Act>, Shrunk<Plan<Act>>) {
    let app = Toy(fault);
    let swept = sweep(&app, &climate(""), 0..30).unwrap();
    let by = |it: &Failure<Act>| it.report.violations.iter().find(|it| it.oracle == oracle).cloned();
    let first = swept.failures.iter().find_map(|it| Some((it.clone(), by(it)?)));
    let (mut failure, violation) = first.unwrap_or_else(|| panic!("{fault:?} was not caught by {oracle}"));
    failure.violation = violation;
    let shrunk = shrink(&app, &failure, 3000);
    let report = prove(&app, &shrunk.smallest).unwrap();
    assert!(names(&report).contains(&oracle), "{fault:?}: the smallest plan does not fail so");
    (failure, shrunk)
}

/// It is caught, and by then there are at most so many peers, operations and events.
fn caught_and_small(fault: Fault, oracle: &str, most: [usize; 3]) {
    let (failure, shrunk) = caught(fault, oracle);
    let plan = &shrunk.smallest;
    let size = [plan.peers as usize, plan.timeline.operations.len(), plan.timeline.events.len()];
    assert!(shrunk.minimal, "{fault:?}: {} runs were not enough", shrunk.runs);
    assert!(
        size.iter().zip(most).all(|(size, most)| *size <= most),
        "{fault:?} shrank to {size:?}, not {most:?}"
    );
    assert!(failure.plan.failure.is_some());
}

#[test]
fn a_request_that_is_left_behind_is_caught() {
    caught_and_small(Fault::Leaks, "nothing-left", [3, 1, 3]);
}

#[test]
fn an_answer_to_another_operation_is_caught() {
    caught_and_small(Fault::Foreign, "own-answers", [3, 2, 5]);
}

#[test]
fn an_oracle_of_its_own_is_asked() {
    caught_and_small(Fault::Believes, "says-back", [2, 1, 1]);
}

#[test]
fn an_operation_that_is_told_twice_is_caught() {
    caught_and_small(Fault::TellsTwice, "ends-once", [3, 1, 1]);
}

#[test]
fn an_operation_that_is_never_told_is_caught() {
    caught_and_small(Fault::Forgets, "ends-once", [3, 1, 1]);
}

#[test]
fn a_panic_is_caught_and_the_seed_is_kept() {
    caught_and_small(Fault::Panics, "panicked", [2, 1, 1]);
}

#[test]
fn what_depends_on_the_process_is_caught() {
    for fault in [Fault::Remembers, Fault::MakesUp] {
        let swept = sweep(&Toy(fault), &climate(""), 0..3).unwrap();
        assert_eq!(swept.failed, 3);
        assert!(swept.failures.iter().all(|it| names(&it.report).contains(&"repeatable")), "{fault:?}");
    }
}

#[test]
fn what_is_left_unread_is_caught() {
    let (app, climate) = (Toy(Fault::Stops), climate(""));
    let report = run(&app, &Plan::make(&app, &climate, 0)).unwrap();
    let left =
        |it: &Violation| it.oracle == "nothing-left" && it.detail.contains("events waiting at the network");
    assert!(report.violations.iter().any(left), "{:?}", report.violations);
}

#[test]
fn one_plan_has_one_hash_also_when_it_was_written_and_read() {
    let app = Toy(Fault::Nothing);
    let climate = climate("[chaos]\n");
    for seed in [0, 7, u64::MAX] {
        let plan = Plan::make(&app, &climate, seed);
        assert_eq!(plan, Plan::make(&app, &climate, seed));
        let read = Plan::parse(&plan.to_toml().unwrap(), "plan.toml").unwrap();
        assert_eq!(read, plan);
        assert_eq!(run(&app, &plan).unwrap(), run(&app, &read).unwrap());
    }
    let hash = |seed| run(&app, &Plan::make(&app, &climate, seed)).unwrap().trace_hash;
    assert_ne!(hash(1), hash(2));
}

#[test]
fn a_climate_has_no_word_of_the_registry() {
    let with = |extra: &str| {
        Climate::parse(&format!("{CLIMATE}{extra}"), Path::new("it.toml")).unwrap_err().to_string()
    };
    let cases = [
        ("[registry]\n", "it.toml:21:2: unknown key \"registry\""),
        ("[[workload]]\nget = { rate = \"1/s\" }\n", "unknown key \"workload\""),
        ("[[fault]]\nrollback = { share = 0.1 }\n", "unknown key \"rollback\""),
        ("[[fault]]\nmalformed = { kinds = [\"bad-signature\"] }\n", "bad-signature"),
        ("[[fault]]\nslow = { factor = 2, among = \"registries\" }\n", "there are no registries"),
        ("[[fault]]\ncrash = { registry = 0 }\n", "there is no registry 0"),
        ("[chaos]\nfamilies = [\"lies\"]\n", "\"lies\""),
    ];
    for (extra, words) in cases {
        let error = with(extra);
        assert!(error.contains(words), "{extra:?}: {error}");
    }
    let fast = CLIMATE.replace("4/s", "90000/s");
    let error = Climate::parse(&fast, "it.toml").unwrap_err().to_string();
    assert!(error.contains("over 1000000"), "{error}");
}

#[test]
fn a_plan_that_makes_no_sense_is_refused() {
    let app = Toy(Fault::Nothing);
    let good = Plan::make(&app, &climate(""), 3);
    let broken = |change: &dyn Fn(&mut Plan<Act>)| {
        let mut plan = good.clone();
        change(&mut plan);
        let text = plan.to_toml().unwrap();
        assert!(run(&app, &plan).is_err());
        Plan::<Act>::parse(&text, "plan.toml").unwrap_err().to_string()
    };
    assert!(broken(&|it| it.harness = 2).contains("harness = 1"));
    assert!(broken(&|it| it.peers = 3).contains("one of 3"));
    assert!(broken(&|it| it.peers = 0).contains("peers must be"));
    assert!(broken(&|it| it.timeline.operations.reverse()).contains("timeline.operations[1]"));
    assert!(broken(&|it| it.timeline.events.reverse()).contains("timeline.events["));
    let text = good.to_toml().unwrap();
    for cut in [10, text.len() / 2, text.len() - 3] {
        assert!(Plan::<Act>::parse(&text[..cut], "plan.toml").is_err(), "cut at {cut}");
    }
}

#[test]
fn the_chapter_shows_it_in_less_than_sixty_lines() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("HARNESS.md")).unwrap();
    let blocks: Vec<&str> = text.split("```rust\n").skip(1).filter_map(|it| it.split("```").next()).collect();
    assert_eq!(blocks.len(), 1, "the chapter has one program");
    let lines: Vec<&str> = blocks[0].lines().collect();
    assert!((30..60).contains(&lines.len()), "{} lines", lines.len());
    assert!(
        lines.iter().all(|it| it.chars().count() <= 110 && !it.starts_with("# ")),
        "nothing is hidden in it"
    );
    assert!(blocks[0].contains("impl Application for") && blocks[0].contains("sweep("));
}

/// The toy, which keeps the history that it is asked to judge.
struct Kept(Toy, std::cell::RefCell<Vec<Deed<Act, Option<Bytes>>>>);

impl Application for Kept {
    type Act = Act;
    type Outcome = Option<Bytes>;

    fn validator(&self) -> Arc<dyn Validator> {
        self.0.validator()
    }

    fn act(&self, number: u32, draws: &mut Draws) -> Act {
        self.0.act(number, draws)
    }

    fn start(&self, life: Life<Act, Option<Bytes>>) -> LocalTask {
        self.0.start(life)
    }

    fn judge(&self, deeds: &[Deed<Act, Option<Bytes>>]) -> Vec<Violation> {
        *self.1.borrow_mut() = deeds.to_vec();
        self.0.judge(deeds)
    }
}

#[test]
fn who_starts_again_has_a_further_life_and_tells_again() {
    let app = Kept(Toy(Fault::Nothing), Default::default());
    let crash = "description = \"All die.\"\nduration = \"30s\"\nrate = \"4/s\"\n[network]\npeers = 6\n[[fault]]\nat = \"10s\"\n\
                 for = \"5s\"\ncrash = { share = 1.0 }\n";
    let plan = Plan::make(&app, &Climate::parse(crash, "crash.toml").unwrap(), 1);
    assert!(run(&app, &plan).unwrap().passed());
    let deeds = app.1.borrow();
    let in_life = |life: u32, from: u64, until: u64| {
        let those = deeds.iter().filter(|it| it.life == life);
        assert!(
            those.clone().all(|it| (from * 1000..until * 1000).contains(&it.at.as_millis())),
            "life {life}"
        );
        those.filter(|it| it.told.as_ref().is_some_and(|(_, outcome)| outcome.is_some())).count()
    };
    assert!(in_life(0, 0, 10) > 10 && in_life(1, 15, 30) > 20);
    assert_eq!(in_life(2, 0, 0), 0);
}

#[test]
fn peers_that_are_taken_out_take_theirs_with_them_and_the_rest_keeps_its_sense() {
    let plan = Plan::make(&Toy(Fault::Nothing), &climate(""), 5);
    let less = plan.without_peers(&[NodeId(0), NodeId(4)].into());
    less.check().unwrap();
    assert_eq!(less.peers, plan.peers - 2);
    // Who was 1 is 0, who was 5 is 3, and does what it did.
    let of = |plan: &Plan<Act>, node| -> Vec<u32> {
        plan.timeline.operations.iter().filter(|it| it.node == NodeId(node)).map(|it| it.number).collect()
    };
    for (before, after) in [(1, 0), (3, 2), (5, 3), (11, 9)] {
        assert!(!of(&plan, before).is_empty());
        assert_eq!(of(&plan, before), of(&less, after));
    }
    let struck = |plan: &Plan<Act>, node| -> usize {
        let mut events = plan.timeline.events.clone();
        let sets = events.iter_mut().flat_map(|it| it.what.sets_mut());
        sets.filter(|set| set.contains(NodeId(node))).count()
    };
    let all = |plan: &Plan<Act>, nodes: [u32; 4]| nodes.map(|node| struck(plan, node));
    assert_eq!(all(&plan, [1, 3, 5, 11]), all(&less, [0, 2, 3, 9]));
    assert!(all(&plan, [1, 3, 5, 11]).iter().sum::<usize>() > 0);
}

#[test]
fn chaos_strikes_whoever_there_is() {
    // Of what chaos draws a fifth is for the registries: where there are none, for everybody.
    let climate = climate("[chaos]\nfamilies = [\"slow\"]\nquiet = 0.0\n");
    let slows = |seed| {
        let plan = Plan::make(&Toy(Fault::Nothing), &climate, seed);
        plan.timeline.events.iter().any(|it| matches!(it.what, Turn::Slow { .. }))
    };
    let struck = (0..400).filter(|seed| slows(*seed)).count();
    assert!((185..230).contains(&struck), "{struck} of 400 seeds, each with a chance of a half");
}
