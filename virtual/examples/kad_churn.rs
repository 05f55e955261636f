//! Kademlia through churn: nodes bootstrap while others come and go, and what was put is found when it has ended.
//!
//! `cargo run --example kad_churn -- 7` runs it under seed 7.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "an example that cannot go on says so and ends"
)]

use std::time::Duration;

use libp2p::StreamProtocol;
use libp2p::kad::{self, GetRecordOk, Mode, QueryResult, Quorum, Record, RecordKey, store::MemoryStore};
use swarmproof_virtual::{NodeId, NodeInfo, Options, Profile, World, simulate};

const NODES: u32 = 18;
const RECORDS: u32 = 6;

type Kad = kad::Behaviour<MemoryStore>;

fn behaviour(info: &NodeInfo) -> Kad {
    let config = kad::Config::new(StreamProtocol::new("/example/kad/1"));
    let mut kad = Kad::with_config(info.peer, MemoryStore::new(info.peer), config);
    kad.set_mode(Some(Mode::Server));
    kad
}

/// Tell `node` of three others, by whom it joins.
fn introduce(world: &World<Kad>, node: NodeId, step: u32) {
    for other in (1..=3).map(|i| NodeId((node.0 + i * step) % NODES)).filter(|other| *other != node) {
        if let Some(peer) = world.peer(other) {
            let address = world.address(other);
            world.with(node, |swarm| swarm.behaviour_mut().add_address(&peer, address));
        }
    }
    world.with(node, |swarm| swarm.behaviour_mut().bootstrap().is_ok());
}

fn main() {
    let seed = std::env::args().nth(1).map_or(0, |seed| seed.parse().unwrap());
    let outcome = simulate(Options::new(seed, Profile::internet()), |simulation| {
        let mut world = World::new(simulation).unwrap();
        for _ in 0..NODES {
            world.spawn(behaviour).unwrap();
        }
        for node in world.nodes().collect::<Vec<_>>() {
            introduce(&world, node, 1);
        }
        world.run_for(Duration::from_secs(30));
        for number in 0..RECORDS {
            let record = Record::new(RecordKey::new(&format!("record {number}")), vec![number as u8; 200]);
            world
                .with(NodeId(0), |swarm| swarm.behaviour_mut().put_record(record, Quorum::One))
                .unwrap()
                .unwrap();
        }
        world.run_for(Duration::from_secs(30));

        // Every ten seconds another one goes, and one that went comes back.
        for round in 0..6 {
            let (goes, comes) = (NodeId(5 + round * 2), NodeId(5 + round.saturating_sub(2) * 2));
            world.kill(goes).unwrap();
            if round >= 2 {
                world.restart(comes).unwrap();
                introduce(&world, comes, 3);
            }
            world.run_for(Duration::from_secs(10));
        }
        world.run_for(Duration::from_secs(60));

        world.events();
        for number in 0..RECORDS {
            let key = RecordKey::new(&format!("record {number}"));
            world.with(NodeId(NODES - 1), |swarm| swarm.behaviour_mut().get_record(key));
        }
        world.run_for(Duration::from_secs(60));
        let mut found: Vec<u8> = Vec::new();
        for told in world.events() {
            if let kad::Event::OutboundQueryProgressed {
                result: QueryResult::GetRecord(Ok(GetRecordOk::FoundRecord(record))),
                ..
            } = told.event
            {
                found.extend(record.record.value.first());
            }
        }
        found.sort_unstable();
        found.dedup();
        println!("{} of {RECORDS} records found after the churn; {:?}", found.len(), world.account());
        assert_eq!(found.len() as u32, RECORDS);
        world.trace_hash()
    });
    println!("seed {seed}: trace {:032x}", outcome.unwrap().value);
}
