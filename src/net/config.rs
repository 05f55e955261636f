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

/// From which use of memory on a node makes no more connections, from either side. Those it has are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryLimit {
    /// From none.
    Unlimited,
    /// When the process has so many bytes resident.
    Bytes(usize),
    /// When the process has so many hundredths of the machine's memory resident.
    Percent(u8),
}

impl Default for MemoryLimit {
    /// Where it is high time: the process, in which other things may live, has 80 of 100.
    fn default() -> Self {
        Self::Percent(80)
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
    /// The most questions of one peer that wait for a reply; more are refused as busy.
    pub questions_from_one: usize,
    /// Bytes a second that one peer may cause: questions, their answers, records handed in, announcements. What is
    /// over it is refused as busy or dropped before it is looked at.
    pub bytes_from_one: u64,
    /// How many of these bytes may come at once.
    pub burst_from_one: u64,
    /// The most connections.
    pub connections: u32,
    /// The most connections that others made. Fewer than `connections`, so that strangers alone cannot take all.
    pub connections_in: u32,
    /// The most connections with one peer.
    pub connections_with_one: u32,
    /// The most connections that are being made, from each side.
    pub connecting: u32,
    /// From which use of memory on no more connections are made.
    pub memory: MemoryLimit,
    /// The most peers whose addresses are remembered.
    pub remembered: usize,
    /// While fewer peers are up, this node goes on dialling those that it was told to join by.
    pub enough_peers: usize,
    /// Time between walks that keep the table of peers fresh.
    pub refresh: Duration,
    /// Time between pings of a peer. One that does not answer within it is disconnected.
    pub ping: Duration,
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
    /// The most bytes of them, keys and values.
    pub stored_bytes: usize,
    /// The most records of this node's own that it keeps to serve them itself, beside those of others.
    pub own_records: usize,
    /// The most bytes of them.
    pub own_bytes: usize,
    /// The most providers that this node remembers for others, of all keys together.
    pub providers: usize,
    /// The most keys that this node provides.
    pub provided: usize,
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
            questions_from_one: 48,
            bytes_from_one: 1 << 20,
            burst_from_one: 8 << 20,
            connections: 512,
            connections_in: 384,
            connections_with_one: 4,
            connecting: 128,
            memory: MemoryLimit::default(),
            remembered: 2048,
            enough_peers: 4,
            refresh: Duration::from_secs(300),
            ping: Duration::from_secs(15),
            events: 4096,
            key_bytes: 1024,
            record_bytes: 14 << 10,
            question_bytes: 16 << 10,
            answer_bytes: 64 << 10,
            announcement_bytes: 4 << 10,
            stored_records: 20_000,
            stored_bytes: 64 << 20,
            own_records: 20_000,
            own_bytes: 64 << 20,
            providers: 20_000,
            provided: 10_000,
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
            ("questions_from_one", self.questions_from_one, 1, usize::MAX, "at least 1"),
            ("bytes_from_one", clipped(self.bytes_from_one), 1024, usize::MAX, "at least 1024 a second"),
            ("burst_from_one", clipped(self.burst_from_one), 64 << 10, usize::MAX, "at least 65536"),
            ("connections", self.connections as usize, 1, usize::MAX, "at least 1"),
            (
                "connections_in",
                self.connections_in as usize,
                0,
                self.connections as usize,
                "at most `connections`",
            ),
            ("connections_with_one", self.connections_with_one as usize, 1, usize::MAX, "at least 1"),
            ("connecting", self.connecting as usize, 1, usize::MAX, "at least 1"),
            ("remembered", self.remembered, 32, usize::MAX, "at least 32"),
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
            ("refresh", self.refresh, 1_000, "at least 1 s"),
            ("ping", self.ping, 100, "at least 100 ms"),
        ];
        for (field, found, least, wanted) in spans {
            if found < Duration::from_millis(least) {
                return Err(ConfigError::OutOfRange { field, found: format!("{found:?}"), wanted });
            }
        }
        if let MemoryLimit::Percent(found @ (0 | 101..)) = self.memory {
            let wanted = "from 1 to 100 hundredths of the machine's memory";
            return Err(ConfigError::OutOfRange { field: "memory", found: found.to_string(), wanted });
        }
        Ok(())
    }
}

fn clipped(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_holds() {
        assert_eq!(NetConfig::default().check(), Ok(()));
    }

    #[test]
    fn what_cannot_hold_is_named_with_its_field() {
        let wrong = |change: fn(&mut NetConfig)| {
            let mut config = NetConfig::default();
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        for (field, change) in [
            ("protocols.dht", (|c| c.protocols.dht = "kad".to_owned()) as fn(&mut NetConfig)),
            ("protocols.family", |c| c.protocols.family = "/".to_owned()),
            ("protocols.ask", |c| c.protocols.ask = c.protocols.dht.clone()),
            ("questions_to_one", |c| c.questions_to_one = 101),
            ("record_bytes", |c| c.record_bytes = 16 << 10),
            ("connections_in", |c| c.connections_in = c.connections + 1),
            ("bytes_from_one", |c| c.bytes_from_one = 0),
            ("refresh", |c| c.refresh = Duration::ZERO),
            ("memory", |c| c.memory = MemoryLimit::Percent(0)),
        ] {
            let said = wrong(change);
            assert!(said.contains(&format!("`{field}`")), "{field}: {said}");
        }
    }
}
