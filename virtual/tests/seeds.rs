//! A test over seeds: it holds, it says under which seed it fails and how that is replayed, and it notices a test that
//! is not repeatable.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use libp2p::ping;
use swarmproof_virtual::{Seeds, Simulation, World};

/// What `body` under these seeds comes to: the words of its failure. `None` in the processes that run one seed.
fn told(seeds: Seeds, body: impl FnOnce(&Simulation) + Send + 'static) -> Option<Result<(), String>> {
    let one_seed = std::env::var_os("SWARMPROOF_SEED").is_some();
    if one_seed {
        seeds.test(body);
        return None;
    }
    let ran = catch_unwind(AssertUnwindSafe(|| seeds.test(body)));
    Some(ran.map_err(|panic| panic.downcast_ref::<String>().expect("a message of its own").clone()))
}

fn two(simulation: &Simulation) -> World<ping::Behaviour> {
    let mut world = World::new(simulation).unwrap();
    for _ in 0..2 {
        world.spawn(|_| ping::Behaviour::default()).unwrap();
    }
    let nodes: Vec<_> = world.nodes().collect();
    world.connect(nodes[0], nodes[1]).unwrap();
    assert!(world.run_until(Duration::from_secs(9), |world| world.connected(nodes[0], nodes[1])));
    world
}

#[test]
fn a_cut_is_noticed_under_each_seed() {
    Seeds::new(0..3).test(|simulation| {
        let mut world = two(simulation);
        let nodes: Vec<_> = world.nodes().collect();
        world.cut([nodes[0]], [nodes[1]]).unwrap();
        assert!(world.run_until(Duration::from_secs(60), |world| !world.connected(nodes[0], nodes[1])));
    });
}

#[test]
fn a_failure_names_its_seed_and_how_it_is_replayed() {
    let ran = told(Seeds::new(5..9), |simulation| {
        let world = two(simulation);
        assert_ne!(simulation.fabric().seed(), 7, "the bank has booked twice at {}", world.now());
    });
    let Some(ran) = ran else { return };
    let words = ran.unwrap_err();
    assert!(words.starts_with("seed 7 failed"), "{words}");
    assert!(words.contains("the bank has booked twice at "), "{words}");
    let replay = "replay: SWARMPROOF_SEED=7 cargo test a_failure_names_its_seed_and_how_it_is_replayed -- --exact --nocapture";
    assert!(words.ends_with(replay), "{words}");
}

#[test]
fn what_is_not_repeatable_is_shown_where_it_parts() {
    let ran = told(Seeds::new(0..1), |simulation| {
        let world = two(simulation);
        #[expect(clippy::disallowed_methods, reason = "this is what must be noticed")]
        world.note(&std::process::id().to_le_bytes());
    });
    let Some(ran) = ran else { return };
    let words = ran.unwrap_err();
    assert!(words.starts_with("seed 0: two processes came to two traces"), "{words}");
    let page = words.lines().filter(|line| line.contains(" | ")).count();
    assert!(page >= 1 && words.contains("one process"), "{words}");
}

#[test]
fn a_thread_is_told() {
    let ran = told(Seeds::new(0..1), |simulation| {
        let mut world = two(simulation);
        let (told, is_there) = std::sync::mpsc::sync_channel(1);
        let stray = std::thread::Builder::new().name("stray".to_owned()).spawn(move || {
            told.send(()).unwrap();
            std::thread::park_timeout(Duration::from_secs(60));
        });
        stray.unwrap();
        is_there.recv().unwrap();
        world.run_for(Duration::from_secs(1));
    });
    let Some(ran) = ran else { return };
    let words = ran.unwrap_err();
    assert!(words.contains("threads were started") && words.contains("stray"), "{words}");
}

#[test]
fn an_unknown_name_is_told() {
    let ran = told(Seeds::new(0..1).named("no_such_test"), |_| {});
    let Some(ran) = ran else { return };
    let words = ran.unwrap_err();
    assert!(words.contains("no test has the name `no_such_test`"), "{words}");
}
