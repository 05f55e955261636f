//! The limits of one node on a swarm.

use core::time::Duration;

/// Limits and protocol names of a [`Libp2pNetwork`](super::Libp2pNetwork).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetConfig {
    /// Whether this node serves the DHT, and is found by walks, or only asks.
    pub serves: bool,
    /// The most requests in flight; a submit over it fails as local.
    pub requests: usize,
    /// The most Kademlia queries in flight. Each poll of kad looks at all of them.
    pub queries: usize,
    /// The most questions in flight to one peer. Below what a connection has streams for.
    pub questions_to_one: usize,
    /// The most questions of others that wait for a reply; more are refused as busy.
    pub questions_waiting: usize,
    /// The most events that wait to be polled, beside the ends of requests; more are dropped and counted.
    pub events: usize,
    /// The most bytes of a key.
    pub key_bytes: usize,
    /// The most bytes of a record. A Kademlia packet has room for 16 KiB.
    pub record_bytes: usize,
    /// The most bytes of a question.
    pub question_bytes: usize,
    /// The most bytes of an answer that this node gives.
    pub answer_bytes: usize,
    /// The most bytes of an announcement.
    pub announcement_bytes: usize,
    /// The most records that this node stores for others.
    pub stored_records: usize,
    /// The longest that a record of others is kept.
    pub stored_for: Duration,
    /// The longest that a question may take, whatever its asker says.
    pub patience: Duration,
    /// Time between gossipsub's heartbeats.
    pub heartbeat: Duration,
    /// The most peers blocked at once; when there are more, the block that ends first is forgotten.
    pub blocked: usize,
}

impl Default for NetConfig {
    fn default() -> Self {
        Self {
            serves: true,
            requests: 4096,
            queries: 64,
            questions_to_one: 64,
            questions_waiting: 256,
            events: 4096,
            key_bytes: 1024,
            record_bytes: 14 << 10,
            question_bytes: 16 << 10,
            answer_bytes: 64 << 10,
            announcement_bytes: 4 << 10,
            stored_records: 4096,
            stored_for: Duration::from_secs(48 * 3600),
            patience: Duration::from_secs(60),
            heartbeat: Duration::from_secs(1),
            blocked: 1024,
        }
    }
}

/// The protocol that records and providers are exchanged with.
pub const DHT_PROTOCOL: &str = "/swarmproof/kad/1";
/// The protocol that questions are asked with.
pub const ASK_PROTOCOL: &str = "/swarmproof/ask/1";
/// The family of protocols, as identify says it.
pub const FAMILY: &str = "/swarmproof/1";
/// The most addresses that are believed of one peer.
pub(super) const ADDRESSES_OF_ONE: usize = 8;
