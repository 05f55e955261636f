//! Kademlia as it ships: it finds what was put, in an undisturbed network and through churn.

use std::time::Duration;

use libp2p::StreamProtocol;
use libp2p::kad::{self, GetRecordOk, QueryResult, Quorum, Record, RecordKey, store::MemoryStore};
use swarmproof_virtual::swarmproof::sim::{Concern, Profile, Seed};
use swarmproof_virtual::swarmproof::testbed::NodeId;
use swarmproof_virtual::{NodeInfo, Options, World, simulate};

type Kad = World<kad::Behaviour<MemoryStore>>;

const SECOND: Duration = Duration::from_secs(1);

fn behaviour(info: &NodeInfo) -> kad::Behaviour<MemoryStore> {
    let mut config = kad::Config::new(StreamProtocol::new("/test/kad/1.0.0"));
    config.set_query_timeout(10 * SECOND);
    let mut behaviour = kad::Behaviour::with_config(info.peer, MemoryStore::new(info.peer), config);
    behaviour.set_mode(Some(kad::Mode::Server));
    behaviour
}

/// So many nodes, each of which knows the one before it, and has bootstrapped.
fn network(world: &mut Kad, count: u32) -> Vec<NodeId> {
    let nodes: Vec<NodeId> = (0..count).map(|_| world.spawn(behaviour).unwrap()).collect();
    for pair in nodes.windows(2) {
        bootstrap(world, pair[1], pair[0]);
    }
    world.run_for(20 * SECOND);
    nodes
}

fn bootstrap(world: &mut Kad, node: NodeId, by: NodeId) {
    let (peer, address) = (world.peer(by).unwrap(), world.address(by));
    world.with(node, |swarm| {
        swarm.behaviour_mut().add_address(&peer, address);
        swarm.behaviour_mut().bootstrap().unwrap();
    });
}

fn put(world: &mut Kad, node: NodeId, key: &str) {
    let record = Record::new(RecordKey::new(&key), vec![7; 300]);
    world.with(node, |swarm| swarm.behaviour_mut().put_record(record, Quorum::One).unwrap()).unwrap();
}

/// Whether `node` finds what was put.
fn get(world: &mut Kad, node: NodeId, key: &str) -> bool {
    world.events();
    let query = world.with(node, |swarm| swarm.behaviour_mut().get_record(RecordKey::new(&key))).unwrap();
    let mut found = false;
    let ended = world.run_until(60 * SECOND, |world| {
        world.events().into_iter().any(|told| match told.event {
            kad::Event::OutboundQueryProgressed {
                id, result: QueryResult::GetRecord(result), step, ..
            } => {
                found |= id == query && matches!(result, Ok(GetRecordOk::FoundRecord(_)));
                id == query && step.last
            }
            _ => false,
        })
    });
    ended && found
}

pub(super) fn finds(seed: u64) -> String {
    let outcome = simulate(Options::new(seed, Profile::internet()), move |simulation| {
        let mut world = World::new(simulation).unwrap();
        let nodes = network(&mut world, 20);
        let mut stream = Seed::new(seed).stream(Concern(9000), 0);
        for number in 0..10 {
            let mut any = || nodes[stream.below(20) as usize];
            let (from, by, key) = (any(), any(), format!("key {number}"));
            put(&mut world, from, &key);
            world.run_for(5 * SECOND);
            assert!(get(&mut world, by, &key), "{by} does not find {key}");
        }
        format!("{:032x} {:?} {}", world.trace_hash(), world.account(), world.now())
    });
    outcome.unwrap().to_string()
}

pub(super) fn churn(seed: u64) -> String {
    let outcome = simulate(Options::new(seed, Profile::internet()), move |simulation| {
        let mut world = World::new(simulation).unwrap();
        let nodes = network(&mut world, 16);
        put(&mut world, nodes[0], "kept");
        world.run_for(5 * SECOND);
        for node in &nodes[4..10] {
            world.kill(*node).unwrap();
            world.run_for(SECOND);
        }
        for node in &nodes[4..7] {
            world.restart(*node).unwrap();
            bootstrap(&mut world, *node, nodes[0]);
            world.run_for(2 * SECOND);
        }
        let found = [nodes[5], nodes[15], nodes[1]].map(|node| get(&mut world, node, "kept"));
        assert_eq!(found, [true; 3]);
        format!("{:032x} {:?}", world.trace_hash(), world.account())
    });
    outcome.unwrap().to_string()
}
