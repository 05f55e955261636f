//! The protocols that a node speaks, put together.

use core::time::Duration;

use libp2p::identity::Keypair;
use libp2p::swarm::NetworkBehaviour;
use libp2p::{StreamProtocol, gossipsub, identify, kad, request_response};
use sha2::{Digest, Sha256};

use super::codec::Codec;
use super::config::NetConfig;
use super::error::BuildError;
use super::store::{DhtStore, Lend};

/// What a node's swarm runs. Made by [`Behaviour::new`], run by a [`Libp2pNetwork`](super::Libp2pNetwork).
#[derive(NetworkBehaviour)]
pub struct Behaviour {
    pub(super) kad: kad::Behaviour<DhtStore>,
    pub(super) ask: request_response::Behaviour<Codec>,
    pub(super) gossip: gossipsub::Behaviour,
    pub(super) identify: identify::Behaviour,
}

impl core::fmt::Debug for Behaviour {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Behaviour").finish_non_exhaustive()
    }
}

impl Behaviour {
    /// The protocols for a node with this key. `lend` is asked for records beside those that the DHT
    /// gave this node to store.
    pub fn new(keypair: &Keypair, config: &NetConfig, lend: Option<Lend>) -> Result<Self, BuildError> {
        config.check()?;
        let (dht_name, ask_name) = config.protocols.names()?;
        let local = keypair.public().to_peer_id();
        let store = DhtStore::new(local, config, lend);
        let mut kad = kad::Behaviour::with_config(local, store, dht(config, dht_name));
        // On its own, kad serves only once an address was confirmed from outside.
        kad.set_mode(Some(if config.serves { kad::Mode::Server } else { kad::Mode::Client }));
        let protocol = (ask_name, request_response::ProtocolSupport::Full);
        // One connection carries both sides' questions, and the answers that are on their way.
        let streams = config.questions_to_one.saturating_mul(4);
        let settings = request_response::Config::default()
            .with_request_timeout(config.patience)
            .with_max_concurrent_streams(streams);
        let ask =
            request_response::Behaviour::with_codec(Codec::new(config.question_bytes), [protocol], settings);
        let authenticity = gossipsub::MessageAuthenticity::Signed(keypair.clone());
        let gossip = gossipsub::Behaviour::new(authenticity, gossip(config)?)
            .map_err(|error| BuildError::Gossip(error.to_string()))?;
        let identify = identify::Behaviour::new(identify::Config::new(
            config.protocols.family.clone(),
            keypair.public(),
        ));
        Ok(Self { kad, ask, gossip, identify })
    }
}

fn dht(config: &NetConfig, name: StreamProtocol) -> kad::Config {
    let mut dht = kad::Config::new(name);
    // Each job would copy the whole store; the application publishes anew what is its own.
    dht.set_publication_interval(None)
        .set_replication_interval(None)
        .set_provider_publication_interval(None)
        .set_record_filtering(kad::StoreInserts::FilterBoth)
        .set_record_ttl(Some(config.stored_for))
        .set_provider_record_ttl(Some(config.stored_for))
        .set_caching(kad::Caching::Disabled)
        .set_query_timeout(config.patience.saturating_add(Duration::from_secs(10)));
    dht
}

fn gossip(config: &NetConfig) -> Result<gossipsub::Config, BuildError> {
    // The same announcement is the same message, whoever says it and however often.
    let id = |message: &gossipsub::Message| {
        let mut digest = Sha256::new();
        // Of one width on every machine: peers name messages to one another by these ids.
        digest.update((message.topic.as_str().len() as u64).to_be_bytes());
        digest.update(message.topic.as_str());
        digest.update(&message.data);
        gossipsub::MessageId::from(digest.finalize().to_vec())
    };
    gossipsub::ConfigBuilder::default()
        .validate_messages()
        .validation_mode(gossipsub::ValidationMode::Strict)
        .max_transmit_size(config.announcement_bytes.saturating_add(1024))
        .heartbeat_interval(config.heartbeat)
        .message_id_fn(id)
        .build()
        .map_err(|error| BuildError::Gossip(error.to_string()))
}
