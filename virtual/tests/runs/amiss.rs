//! What a run that goes amiss comes to.

use std::time::Duration;

use libp2p::ping;
use swarmproof_virtual::swarmproof::sim::Profile;
use swarmproof_virtual::{Options, Simulation, SimulationError, World, simulate};

fn options() -> Options {
    Options { patience: Duration::from_millis(600), ..Options::new(1, Profile::lan()) }
}

/// Two nodes that are connected.
fn connected(simulation: &Simulation) -> World<ping::Behaviour> {
    let mut world = World::new(simulation).unwrap();
    let a = world.spawn(|_| ping::Behaviour::default()).unwrap();
    let b = world.spawn(|_| ping::Behaviour::default()).unwrap();
    world.connect(a, b).unwrap();
    assert!(world.run_until(Duration::from_secs(1), |world| world.connected(a, b)));
    world
}

pub(super) fn second(_: u64) -> String {
    simulate(options(), |_| ()).unwrap();
    let error = simulate(options(), |_| ()).unwrap_err();
    assert!(matches!(error, SimulationError::Second), "{error}");
    assert!(error.to_string().contains("make each run in a process of its own"));
    String::new()
}

pub(super) fn busy(_: u64) -> String {
    let outcome = simulate(options(), |simulation| {
        let _world = connected(simulation);
        simulation.runtime().unwrap().block_on(async {
            loop {
                tokio::task::yield_now().await;
            }
        })
    });
    unreachable!("{outcome:?}")
}

pub(super) fn waiting(_: u64) -> String {
    let outcome = simulate(options(), |simulation| {
        let mut world = connected(simulation);
        let b = world.nodes().last().unwrap();
        world.kill(b).unwrap();
        world.run_for(Duration::from_secs(1));
        simulation.runtime().unwrap().block_on(std::future::pending::<()>());
    });
    unreachable!("{outcome:?}")
}

/// Start a thread that is there until the process ends.
fn start(name: &str) {
    let (begun, begins) = std::sync::mpsc::sync_channel(0);
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        begun.send(()).unwrap();
        loop {
            std::thread::park();
        }
    });
    begins.recv().unwrap();
    drop(thread.unwrap());
}

pub(super) fn timer_thread(_: u64) -> String {
    let options = Options { patience: Duration::from_secs(30), ..options() };
    let outcome = simulate(options, |simulation| {
        start("futures-timer");
        simulation.runtime().unwrap().block_on(std::future::pending::<()>());
    });
    unreachable!("{outcome:?}")
}

pub(super) fn thread(_: u64) -> String {
    let outcome = simulate(options(), |_| start("a helper")).unwrap();
    assert_eq!(outcome.threads, ["a helper"]);
    String::new()
}

pub(super) fn panics(_: u64) -> String {
    let outcome = simulate(options(), |_| panic!("the body gave up"));
    unreachable!("{outcome:?}")
}

pub(super) fn unsound(_: u64) -> String {
    let profile = Profile { homes: 2.0, ..Profile::lan() };
    let error = simulate(Options::new(1, profile), |_| ()).unwrap_err();
    assert!(error.to_string().contains("a share lies between 0 and 1"), "{error}");
    // Nothing has begun: another may.
    simulate(options(), |_| ()).unwrap();
    String::new()
}
