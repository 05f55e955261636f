//! What every request can reach.

use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;

use crate::net::{Clock, Libp2pNetwork, Multiaddr};
use crate::node::token::Token;
use crate::package::PublisherId;
use crate::registry::P2PRegistry;
use crate::store::disk::LastWrite;

/// What every request can reach.
#[derive(Debug)]
pub(in crate::node) struct App {
    /// The registry.
    pub(in crate::node) registry: P2PRegistry<Libp2pNetwork>,
    /// Whose key it publishes with.
    pub(in crate::node) publisher: PublisherId,
    /// What a client shows to change something.
    pub(in crate::node) token: Token,
    /// Counts from the start of the node.
    pub(in crate::node) clock: Clock,
    /// Where the node listens for peers, each with its peer id.
    pub(in crate::node) addresses: Vec<Multiaddr>,
    /// How the last write to the database went: of what the registry keeps, or of what is held for the DHT.
    pub(in crate::node) last_write: LastWrite,
    /// Whether the node is to join others, so that it is not ready before it has.
    pub(in crate::node) joins: bool,
    /// Names under which it may be asked, beside `localhost` and addresses.
    pub(in crate::node) hosts: Vec<String>,
    /// Room for requests in flight.
    pub(in crate::node) room: Arc<Semaphore>,
    /// The network's own metrics.
    pub(in crate::node) metrics: Mutex<prometheus_client::registry::Registry>,
}
