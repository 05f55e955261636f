//! The same work with bare `kad::Behaviour`, as one would write it today: a swarm a task, commands through a
//! channel, the first record found is the answer.

use core::time::Duration;
use std::collections::BTreeMap;
use std::time::Instant;

use futures::StreamExt as _;
use libp2p::kad::{self, GetRecordOk, QueryId, QueryResult, Quorum, Record, RecordKey, store::MemoryStore};
use libp2p::swarm::{Swarm, SwarmEvent};
use libp2p::{Multiaddr, PeerId, StreamProtocol};
use tokio::sync::{mpsc, oneshot};

enum Command {
    Put { key: Vec<u8>, value: Vec<u8>, done: oneshot::Sender<bool> },
    Get { key: Vec<u8>, found: oneshot::Sender<Option<Vec<u8>>> },
}

/// A node that does nothing but Kademlia.
#[derive(Clone)]
pub(crate) struct Bare {
    commands: mpsc::Sender<Command>,
}

impl Bare {
    /// `count` nodes, all of which know where all others are: the best case for it.
    pub(crate) async fn network(count: usize) -> Vec<Self> {
        let mut swarms = Vec::new();
        for _ in 0..count {
            let mut swarm = swarm();
            swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
            let address = loop {
                if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                    break address;
                }
            };
            swarms.push((swarm, address));
        }
        let known: Vec<(PeerId, Multiaddr)> =
            swarms.iter().map(|(swarm, address)| (*swarm.local_peer_id(), address.clone())).collect();
        let mut nodes = Vec::new();
        for (mut swarm, _) in swarms {
            let own = *swarm.local_peer_id();
            for (peer, address) in known.iter().filter(|(peer, _)| *peer != own) {
                swarm.behaviour_mut().add_address(peer, address.clone());
            }
            let (commands, received) = mpsc::channel(1024);
            tokio::spawn(run(swarm, received));
            nodes.push(Self { commands });
        }
        nodes
    }

    /// Store a record at the closest peers; whether one took it.
    pub(crate) async fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        let (done, stored) = oneshot::channel();
        self.commands.send(Command::Put { key, value, done }).await.unwrap();
        stored.await.unwrap()
    }

    /// Get a record, and how long it took.
    pub(crate) async fn get(&self, key: Vec<u8>) -> (bool, Duration) {
        let begun = Instant::now();
        let (found, value) = oneshot::channel();
        self.commands.send(Command::Get { key, found }).await.unwrap();
        let value = value.await.unwrap();
        (value.is_some(), begun.elapsed())
    }
}

fn swarm() -> Swarm<kad::Behaviour<MemoryStore>> {
    libp2p::SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(
            libp2p::tcp::Config::default().nodelay(true),
            libp2p::noise::Config::new,
            libp2p::yamux::Config::default,
        )
        .unwrap()
        .with_behaviour(|key| {
            let peer = key.public().to_peer_id();
            let config = kad::Config::new(StreamProtocol::new("/bare/kad/1"));
            let mut kad = kad::Behaviour::with_config(peer, MemoryStore::new(peer), config);
            kad.set_mode(Some(kad::Mode::Server));
            kad
        })
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
        .build()
}

async fn run(mut swarm: Swarm<kad::Behaviour<MemoryStore>>, mut commands: mpsc::Receiver<Command>) {
    let mut puts: BTreeMap<String, oneshot::Sender<bool>> = BTreeMap::new();
    let mut gets: BTreeMap<String, oneshot::Sender<Option<Vec<u8>>>> = BTreeMap::new();
    let name = |id: QueryId| id.to_string();
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                None => return,
                Some(Command::Put { key, value, done }) => {
                    let record = Record::new(RecordKey::new(&key), value);
                    let id = swarm.behaviour_mut().put_record(record, Quorum::One).unwrap();
                    puts.insert(name(id), done);
                }
                Some(Command::Get { key, found }) => {
                    let id = swarm.behaviour_mut().get_record(RecordKey::new(&key));
                    gets.insert(name(id), found);
                }
            },
            event = swarm.select_next_some() => {
                let SwarmEvent::Behaviour(kad::Event::OutboundQueryProgressed { id, result, .. }) = event else {
                    continue;
                };
                match result {
                    QueryResult::PutRecord(result) => {
                        if let Some(done) = puts.remove(&name(id)) {
                            let _gone = done.send(result.is_ok());
                        }
                    }
                    QueryResult::GetRecord(Ok(GetRecordOk::FoundRecord(found))) => {
                        if let Some(waiting) = gets.remove(&name(id)) {
                            let _gone = waiting.send(Some(found.record.value));
                        }
                    }
                    QueryResult::GetRecord(_) => {
                        if let Some(waiting) = gets.remove(&name(id)) {
                            let _gone = waiting.send(None);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}
