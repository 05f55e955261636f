//! A request-response protocol with a bug that shows under one seed of many, and is replayed from it.
//!
//! Clients deposit money at a bank. One that gets no answer in time asks again, as clients do; but the bank does not
//! look whether it has had that deposit before. Mostly nobody notices: answers are in time. Under the seed that this
//! finds, one comes late, and the money is booked twice.
//!
//! `cargo run --example late_answer` goes over all seeds, each in a process of its own; `cargo run --example
//! late_answer -- 27` runs seed 27 and tells what happened.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "an example that cannot go on says so and ends"
)]

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};
use std::time::Duration;

use libp2p::StreamProtocol;
use libp2p::request_response::{self, Message, ProtocolSupport, cbor};
use serde::{Deserialize, Serialize};
use swarmproof_virtual::{LinkChange, NodeId, NodeInfo, Options, Profile, World, simulate};

const SEEDS: core::ops::Range<u64> = 0..40;
const CLIENTS: u32 = 5;
/// What a client waits for. Most answers are here in a quarter of it.
const PATIENCE: Duration = Duration::from_millis(2_000);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Deposit {
    number: u32,
    amount: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Booked {
    number: u32,
}

type Bank = cbor::Behaviour<Deposit, Booked>;

fn behaviour(_: &NodeInfo) -> Bank {
    let config = request_response::Config::default().with_request_timeout(PATIENCE);
    cbor::Behaviour::new([(StreamProtocol::new("/bank/1"), ProtocolSupport::Full)], config)
}

/// What the bank holds at the end, what was deposited, and what happened.
fn run(world: &mut World<Bank>) -> (u32, u32, Vec<String>) {
    let bank = world.spawn(behaviour).unwrap();
    let clients: Vec<NodeId> = (0..CLIENTS).map(|_| world.spawn(behaviour).unwrap()).collect();
    let everybody = core::iter::once(bank).chain(clients.iter().copied());
    // A bad day: each end of a link adds up to 450 ms to each message.
    world
        .links(everybody, LinkChange { extra_jitter: Duration::from_millis(450), ..LinkChange::default() })
        .unwrap();
    let (mut balance, mut deposited, mut story) = (0, 0, Vec::new());
    let mut open = BTreeMap::new();
    let bank_peer = world.peer(bank).unwrap();
    let bank_address = world.address(bank);
    for client in &clients {
        world.with(*client, |swarm| swarm.add_peer_address(bank_peer, bank_address.clone()));
    }
    for (number, client) in (0..20).zip(clients.iter().copied().cycle()) {
        let deposit = Deposit { number, amount: 100 };
        deposited += deposit.amount;
        let request = world.with(client, |swarm| swarm.behaviour_mut().send_request(&bank_peer, deposit));
        open.insert((client, request.unwrap()), deposit);
        let end = world.now().after(Duration::from_secs(8));
        while !open.is_empty() && world.now() < end {
            world.run_for(Duration::from_millis(20));
            for told in world.events() {
                let at = told.at.as_millis();
                match told.event {
                    request_response::Event::Message {
                        message: Message::Request { request, channel, .. },
                        ..
                    } => {
                        // The bug: nobody asks whether `request.number` was booked before.
                        balance += request.amount;
                        story.push(format!("{at:>6} ms  the bank books deposit {}", request.number));
                        let booked = Booked { number: request.number };
                        let _gone =
                            world.with(bank, |swarm| swarm.behaviour_mut().send_response(channel, booked));
                    }
                    request_response::Event::Message {
                        message: Message::Response { request_id, response },
                        ..
                    } => {
                        open.remove(&(told.node, request_id));
                        story.push(format!(
                            "{at:>6} ms  {} hears that {} is booked",
                            told.node, response.number
                        ));
                    }
                    request_response::Event::OutboundFailure { request_id, error, .. } => {
                        let Some(deposit) = open.remove(&(told.node, request_id)) else { continue };
                        story.push(format!(
                            "{at:>6} ms  {} asks again for {}: {error}",
                            told.node, deposit.number
                        ));
                        let again = world
                            .with(told.node, |swarm| swarm.behaviour_mut().send_request(&bank_peer, deposit));
                        open.insert((told.node, again.unwrap()), deposit);
                    }
                    _ => {}
                }
            }
        }
    }
    (balance, deposited, story)
}

fn one(seed: u64) -> ExitCode {
    let outcome = simulate(Options::new(seed, Profile::internet()), |simulation| {
        let mut world = World::new(simulation).unwrap();
        let (balance, deposited, story) = run(&mut world);
        if balance != deposited {
            let twice = story.iter().position(|line| line.contains("asks again")).unwrap_or(0);
            for line in story.iter().skip(twice.saturating_sub(3)).take(6) {
                println!("{line}");
            }
        }
        (balance, deposited, world.trace_hash())
    });
    let (balance, deposited, hash) = outcome.unwrap().value;
    println!("seed {seed}: {deposited} deposited, {balance} booked; trace {hash:032x}");
    if balance == deposited { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn main() -> ExitCode {
    if let Some(seed) = std::env::args().nth(1) {
        return one(seed.parse().unwrap());
    }
    let program = std::env::current_exe().unwrap();
    let mut failed = Vec::new();
    for seed in SEEDS {
        if !Command::new(&program).arg(seed.to_string()).status().unwrap().success() {
            failed.push(seed);
        }
    }
    println!("of seeds {SEEDS:?}, these fail: {failed:?}");
    match failed.as_slice() {
        [seed] => {
            println!("replay: cargo run --example late_answer -- {seed}");
            ExitCode::SUCCESS
        }
        _ => ExitCode::FAILURE,
    }
}
