//! The protocols that a node speaks, put together.

use core::time::Duration;

use libp2p::gossipsub::{AllowAllSubscriptionFilter, MaxCountSubscriptionFilter};
use libp2p::identity::Keypair;
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{
    StreamProtocol, allow_block_list, connection_limits, gossipsub, identify, kad, memory_connection_limits,
    ping, request_response,
};
use sha2::{Digest, Sha256};

use super::book::Book;
use super::codec::Codec;
use super::config::{MemoryLimit, NetConfig};
use super::error::BuildError;
use super::held::Held;

/// A peer says to which topics it listens; gossipsub by itself would remember them all.
type Gossip = gossipsub::Behaviour<
    gossipsub::IdentityTransform,
    MaxCountSubscriptionFilter<AllowAllSubscriptionFilter>,
>;

/// The most topics that a peer may listen to, or that this node does.
pub(super) const TOPICS: usize = 128;

/// What a node's swarm runs.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    // Who is refused is refused by the first of these, before anything is prepared for a connection.
    pub(super) blocked: allow_block_list::Behaviour<allow_block_list::BlockedPeers>,
    connections: connection_limits::Behaviour,
    memory: Toggle<memory_connection_limits::Behaviour>,
    pub(super) book: Book,
    pub(super) kad: kad::Behaviour<Held>,
    pub(super) ask: request_response::Behaviour<Codec>,
    pub(super) gossip: Gossip,
    pub(super) identify: identify::Behaviour,
    pub(super) ping: ping::Behaviour,
}

impl core::fmt::Debug for Behaviour {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Behaviour").finish_non_exhaustive()
    }
}

impl Behaviour {
    /// The protocols for a node with this key, that keeps for the DHT what `held` does. `config` has been
    /// checked.
    pub(super) fn new(keypair: &Keypair, config: &NetConfig, held: Held) -> Result<Self, BuildError> {
        let (dht_name, ask_name) = config.protocols.names()?;
        let local = keypair.public().to_peer_id();
        let mut kad = kad::Behaviour::with_config(local, held, dht(config, dht_name));
        // On its own, kad serves only once an address was confirmed from outside.
        kad.set_mode(Some(if config.serves { kad::Mode::Server } else { kad::Mode::Client }));
        let protocol = (ask_name, request_response::ProtocolSupport::Full);
        // One connection carries both sides' questions, and they are counted together. Each may hold as many bytes as
        // a question may have, before it is known what it asks.
        let streams = config.questions_to_one.saturating_add(config.questions_from_one);
        let settings = request_response::Config::default()
            .with_request_timeout(config.patience)
            .with_max_concurrent_streams(streams);
        let ask =
            request_response::Behaviour::with_codec(Codec::new(config.question_bytes), [protocol], settings);
        let authenticity = gossipsub::MessageAuthenticity::Signed(keypair.clone());
        let filter = MaxCountSubscriptionFilter {
            filter: AllowAllSubscriptionFilter {},
            max_subscribed_topics: TOPICS,
            max_subscriptions_per_request: TOPICS,
        };
        let gossip = Gossip::new_with_subscription_filter(authenticity, gossip(config)?, filter)
            .map_err(|error| BuildError::Gossip(error.to_string()))?;
        let identify = identify::Behaviour::new(identify::Config::new(
            config.protocols.family.clone(),
            keypair.public(),
        ));
        let ping = ping::Config::new().with_interval(config.ping).with_timeout(config.ping);
        Ok(Self {
            blocked: allow_block_list::Behaviour::default(),
            connections: connection_limits::Behaviour::new(limits(config)),
            memory: memory(config.memory).into(),
            book: Book::new(config.remembered),
            kad,
            ask,
            gossip,
            identify,
            ping: ping::Behaviour::new(ping),
        })
    }
}

fn limits(config: &NetConfig) -> connection_limits::ConnectionLimits {
    connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(config.connecting))
        .with_max_pending_outgoing(Some(config.connecting))
        .with_max_established(Some(config.connections))
        .with_max_established_incoming(Some(config.connections_in))
        .with_max_established_per_peer(Some(config.connections_with_one))
}

fn memory(limit: MemoryLimit) -> Option<memory_connection_limits::Behaviour> {
    match limit {
        MemoryLimit::Unlimited => None,
        MemoryLimit::Bytes(bytes) => Some(memory_connection_limits::Behaviour::with_max_bytes(bytes)),
        MemoryLimit::Percent(percent) => {
            let share = f64::from(percent) / 100.0;
            Some(memory_connection_limits::Behaviour::with_max_percentage(share))
        }
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
        // This node walks by its own timer.
        .set_periodic_bootstrap_interval(None)
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
