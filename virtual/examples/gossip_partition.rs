//! gossipsub under a partition: what is published on one side stays there, and after the cut has healed everybody
//! hears again what is published.
//!
//! `cargo run --example gossip_partition -- 7` runs it under seed 7; the same seed gives the same trace.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "an example that cannot go on says so and ends"
)]

use std::collections::BTreeSet;
use std::time::Duration;

use libp2p::gossipsub::{self, IdentTopic, MessageAuthenticity};
use swarmproof_virtual::{NodeId, NodeInfo, Options, Profile, World, simulate};

const NODES: u32 = 12;

fn behaviour(info: &NodeInfo) -> gossipsub::Behaviour {
    let signed = MessageAuthenticity::Signed(info.keypair.clone());
    let mut gossip = gossipsub::Behaviour::new(signed, gossipsub::Config::default()).unwrap();
    gossip.subscribe(&IdentTopic::new("news")).unwrap();
    gossip
}

/// Have `from` publish `text`, and see who hears it within `span`.
fn publish(
    world: &mut World<gossipsub::Behaviour>,
    from: NodeId,
    text: &str,
    span: Duration,
) -> BTreeSet<NodeId> {
    world.events();
    world
        .with(from, |swarm| swarm.behaviour_mut().publish(IdentTopic::new("news"), text.as_bytes()))
        .unwrap()
        .unwrap();
    world.run_for(span);
    let heard = |event: &gossipsub::Event| match event {
        gossipsub::Event::Message { message, .. } => message.data == text.as_bytes(),
        _ => false,
    };
    world.events().into_iter().filter(|told| heard(&told.event)).map(|told| told.node).collect()
}

fn main() {
    let seed = std::env::args().nth(1).map_or(0, |seed| seed.parse().unwrap());
    let outcome = simulate(Options::new(seed, Profile::internet()), |simulation| {
        let mut world = World::new(simulation).unwrap();
        world.configure(|config| config.with_idle_connection_timeout(Duration::from_secs(600)));
        let nodes: Vec<NodeId> = (0..NODES).map(|_| world.spawn(behaviour).unwrap()).collect();
        let (left, right) = nodes.split_at(nodes.len() / 2);
        for (place, node) in nodes.iter().enumerate() {
            // Two on the own side, one on the other.
            for step in [1, 2, nodes.len() / 2] {
                world.connect(*node, nodes[(place + step) % nodes.len()]).unwrap();
            }
        }
        world.run_for(Duration::from_secs(20));
        let before = publish(&mut world, left[0], "before", Duration::from_secs(5));
        println!("before the cut {} of {} others heard", before.len(), NODES - 1);
        assert_eq!(before.len(), nodes.len() - 1);

        world.cut(left.iter().copied(), right.iter().copied()).unwrap();
        world.run_for(Duration::from_secs(10));
        let during = publish(&mut world, left[0], "during", Duration::from_secs(20));
        println!("while it is cut {} heard, none beyond it", during.len());
        assert!(!during.is_empty() && during.iter().all(|node| left.contains(node)), "{during:?}");

        world.heal(left.iter().copied(), right.iter().copied()).unwrap();
        for (one, other) in left.iter().zip(right) {
            world.connect(*one, *other).unwrap();
        }
        world.run_for(Duration::from_secs(20));
        let after = publish(&mut world, left[0], "after", Duration::from_secs(5));
        println!("after it has healed {} heard", after.len());
        assert_eq!(after.len(), nodes.len() - 1);
        world.trace_hash()
    });
    println!("seed {seed}: trace {:032x}", outcome.unwrap().value);
}
