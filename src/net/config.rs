//! The limits of one node on a swarm.

use core::time::Duration;

use libp2p::StreamProtocol;

/// The names of the protocols that a node speaks. All nodes of one network have the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocols {
    /// What records and providers are exchanged with.
    pub dht: String,
    /// What questions are asked with.
    pub ask: String,
    /// What identify says of the network as a whole, with its version.
    pub family: String,
}

impl Default for Protocols {
    fn default() -> Self {
        Self { dht: DHT_PROTOCOL.to_owned(), ask: ASK_PROTOCOL.to_owned(), family: FAMILY.to_owned() }
    }
}

/// A setting of a [`NetConfig`] that cannot hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The name of a protocol that is none.
    #[error(
        "`{field}` is `{found}`: a protocol's name begins with `/`, has something after it, and at most 140 bytes"
    )]
    Protocol {
        /// The field.
        field: &'static str,
        /// What was found.
        found: String,
    },
    /// Two protocols with one name.
    #[error("`{field}` is `{found}`, and so is `{other}`: each protocol needs a name of its own")]
    SameName {
        /// The field.
        field: &'static str,
        /// The other field.
        other: &'static str,
        /// What was found in both.
        found: String,
    },
    /// A number outside what the field may have.
    #[error("`{field}` is {found}: it must be {wanted}")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// What was found.
        found: String,
        /// What would be right.
        wanted: &'static str,
    },
}

/// Limits and protocol names of a [`Libp2pNetwork`](super::Libp2pNetwork).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetConfig {
    /// What this node speaks. Peers that speak something else are strangers to it.
    pub protocols: Protocols,
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
            protocols: Protocols::default(),
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

/// The protocol that records and providers are exchanged with, unless it is configured.
pub const DHT_PROTOCOL: &str = "/swarmproof/kad/1";
/// The protocol that questions are asked with, unless it is configured.
pub const ASK_PROTOCOL: &str = "/swarmproof/ask/1";
/// The family of protocols, as identify says it, unless it is configured.
pub const FAMILY: &str = "/swarmproof/1";
/// The most addresses that are believed of one peer.
pub(super) const ADDRESSES_OF_ONE: usize = 8;

impl Protocols {
    /// As libp2p wants them: what the DHT speaks, and what questions are asked with.
    pub(super) fn names(&self) -> Result<(StreamProtocol, StreamProtocol), ConfigError> {
        Ok((name("protocols.dht", &self.dht)?, name("protocols.ask", &self.ask)?))
    }
}

fn name(field: &'static str, name: &str) -> Result<StreamProtocol, ConfigError> {
    let wrong = || ConfigError::Protocol { field, found: name.to_owned() };
    if !(2..=140).contains(&name.len()) {
        return Err(wrong());
    }
    StreamProtocol::try_from_owned(name.to_owned()).map_err(|_| wrong())
}

impl NetConfig {
    /// Whether these settings can hold, and if not, which of them cannot.
    pub fn check(&self) -> Result<(), ConfigError> {
        let Protocols { dht, ask, .. } = &self.protocols;
        self.protocols.names()?;
        name("protocols.family", &self.protocols.family)?;
        if dht == ask {
            return Err(ConfigError::SameName {
                field: "protocols.ask",
                other: "protocols.dht",
                found: ask.clone(),
            });
        }
        let sizes = [
            ("requests", self.requests, 1, usize::MAX, "at least 1"),
            ("queries", self.queries, 1, 1024, "from 1 to 1024"),
            (
                "questions_to_one",
                self.questions_to_one,
                1,
                100,
                "from 1 to 100: a connection has few streams",
            ),
            ("questions_waiting", self.questions_waiting, 1, usize::MAX, "at least 1"),
            ("events", self.events, 1, usize::MAX, "at least 1"),
            ("key_bytes", self.key_bytes, 1, 1024, "from 1 to 1024"),
            (
                "record_bytes",
                self.record_bytes,
                1,
                14 << 10,
                "from 1 to 14336: a packet of the DHT has 16384",
            ),
            ("question_bytes", self.question_bytes, 1, 1 << 20, "from 1 to 1048576"),
            ("answer_bytes", self.answer_bytes, 1, 16 << 20, "from 1 to 16777216"),
            ("announcement_bytes", self.announcement_bytes, 1, 60 << 10, "from 1 to 61440"),
        ];
        for (field, found, least, most, wanted) in sizes {
            if !(least..=most).contains(&found) {
                return Err(ConfigError::OutOfRange { field, found: found.to_string(), wanted });
            }
        }
        let spans = [
            ("stored_for", self.stored_for, 1_000, "at least 1 s"),
            ("patience", self.patience, 100, "at least 100 ms"),
            ("heartbeat", self.heartbeat, 50, "at least 50 ms"),
        ];
        for (field, found, least, wanted) in spans {
            if found < Duration::from_millis(least) {
                return Err(ConfigError::OutOfRange { field, found: format!("{found:?}"), wanted });
            }
        }
        Ok(())
    }
}
