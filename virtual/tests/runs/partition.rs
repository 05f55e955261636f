//! A behaviour that hears from its peers every second: what a partition stops, and what links say.

use std::collections::BTreeSet;
use std::time::Duration;

use libp2p::ping;
use swarmproof_virtual::swarmproof::sim::{Dist, Profile};
use swarmproof_virtual::swarmproof::testbed::{LinkChange, NodeId};
use swarmproof_virtual::{Options, World, simulate};

const SECOND: Duration = Duration::from_secs(1);

fn pings() -> ping::Behaviour {
    ping::Behaviour::new(ping::Config::new().with_interval(SECOND).with_timeout(5 * SECOND))
}

/// Who was answered by whom.
fn answered(world: &mut World<ping::Behaviour>) -> BTreeSet<(NodeId, NodeId)> {
    let told = world.events();
    let name = |peer| world.nodes().find(|node| world.peer(*node) == Some(peer)).unwrap();
    told.into_iter()
        .filter(|told| told.event.result.is_ok())
        .map(|told| (told.node, name(told.event.peer)))
        .collect()
}

pub(super) fn stops_and_resumes(seed: u64) -> String {
    let outcome = simulate(Options::new(seed, Profile::internet()), |simulation| {
        let mut world = World::new(simulation).unwrap();
        world.configure(|config| config.with_idle_connection_timeout(3600 * SECOND));
        let nodes: Vec<NodeId> = (0..4).map(|_| world.spawn(|_| pings()).unwrap()).collect();
        let connect = |world: &World<ping::Behaviour>| {
            for a in &nodes {
                for b in nodes.iter().filter(|b| a < *b && !world.connected(*a, **b)) {
                    world.connect(*a, *b).unwrap();
                }
            }
        };
        let (left, right) = (nodes[..2].to_vec(), nodes[2..].to_vec());
        let across = |pairs: &BTreeSet<(NodeId, NodeId)>| {
            pairs.iter().filter(|(a, b)| left.contains(a) != left.contains(b)).count()
        };
        connect(&world);
        world.run_for(10 * SECOND);
        let before = answered(&mut world);
        assert_eq!((before.len(), across(&before)), (12, 8));

        world.cut(left.clone(), right.clone()).unwrap();
        world.run_for(SECOND);
        world.events();
        connect(&world);
        world.run_for(10 * SECOND);
        let meanwhile = answered(&mut world);
        assert_eq!((meanwhile.len(), across(&meanwhile)), (4, 0), "{meanwhile:?}");

        world.heal(left, right.clone()).unwrap();
        connect(&world);
        world.run_for(10 * SECOND);
        assert_eq!(answered(&mut world), before);

        // A crash is seen, and the node comes back as who it was.
        world.kill(right[1]).unwrap();
        world.run_for(2 * SECOND);
        world.events();
        world.run_for(5 * SECOND);
        assert!(!world.is_up(right[1]) && world.with(right[1], |_| ()).is_none());
        assert!(answered(&mut world).iter().all(|(a, b)| *a != right[1] && *b != right[1]));
        world.restart(right[1]).unwrap();
        connect(&world);
        world.run_for(10 * SECOND);
        assert_eq!(answered(&mut world), before);
        assert_eq!(world.dropped(), 0);
        world.note(b"the end");
        format!("{:032x} {:?}", world.trace_hash(), world.account())
    });
    outcome.unwrap().value
}

pub(super) fn timing(seed: u64) -> String {
    let one_way = Duration::from_micros(12_345);
    simulate(Options::new(seed, Profile::flat(Dist::Constant(one_way))), move |simulation| {
        let mut world = World::new(simulation).unwrap();
        let a = world.spawn(|_| pings()).unwrap();
        let b = world.spawn(|_| pings()).unwrap();
        world.connect(a, b).unwrap();
        assert!(world.run_until(SECOND, |world| world.connected(a, b)));
        assert_eq!(world.now().as_nanos(), 4 * 12_345_000, "two round trips");
        let trips = |world: &mut World<ping::Behaviour>| {
            world.events();
            world.run_for(5 * SECOND);
            let told = world.events();
            let trips: BTreeSet<Duration> =
                told.iter().map(|told| *told.event.result.as_ref().unwrap()).collect();
            assert!(told.len() >= 8, "{told:?}");
            trips
        };
        // A ping's round trip is measured with the standard library's clock. The first also agrees on a protocol,
        // before that is begun.
        assert_eq!(trips(&mut world), BTreeSet::from([2 * one_way]));
        world
            .links([b], LinkChange { extra_delay: Duration::from_micros(55), ..LinkChange::default() })
            .unwrap();
        world.run_for(SECOND);
        assert_eq!(trips(&mut world), BTreeSet::from([2 * one_way + Duration::from_micros(110)]));
    })
    .unwrap();
    String::new()
}
