//! How a registry is set up. Every bound and interval stands here, with a default that is sound.

use core::fmt;
use core::time::Duration;

use crate::engine::{ConfigError, EngineConfig, QueryConfig};
use crate::record::{Publisher, Verifier};
use crate::registry::catalogue::Catalogue;
use crate::registry::observe::Observer;
use crate::registry::quota::Quota;

/// How publications are made, and kept alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishConfig {
    /// How long a list is valid. Its owner signs it anew when half of that has passed.
    pub validity: Duration,
    /// How long peers are asked to keep a record.
    pub ttl: Duration,
    /// Whether each record is read back from those who acknowledged it.
    pub read_back: bool,
    /// The most time for storing one record or announcing it.
    pub timeout: Duration,
    /// How often each record is stored again. At most `ttl`, or records vanish in between.
    pub refresh_every: Duration,
    /// When storing failed: after how long it is tried again. Doubles up to `refresh_every`.
    pub retry_after: Duration,
    /// Whether this node is named in the DHT as a provider of each package that it publishes, under the key of the
    /// package's list. Once for a package, however many releases it has, and again with every refresh.
    pub provide: bool,
    /// The most records stored again at once.
    pub refresh_at_once: usize,
    /// The most publications that are not through.
    pub most_waiting: usize,
    /// The most time a registry with an empty store waits to hear from others what it published in an
    /// earlier life, before it gives its first number.
    pub settle: Duration,
}

impl Default for PublishConfig {
    /// Lists valid for 7 days; records kept for 24 h and stored again every 12 h, 4 at once; packages provided.
    fn default() -> Self {
        Self {
            validity: Duration::from_secs(7 * 86_400),
            ttl: Duration::from_secs(86_400),
            read_back: false,
            timeout: Duration::from_secs(60),
            refresh_every: Duration::from_secs(12 * 3600),
            retry_after: Duration::from_secs(30),
            provide: true,
            refresh_at_once: 4,
            most_waiting: 256,
            settle: Duration::from_secs(15),
        }
    }
}

/// How the catalogue catches up with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatchUpConfig {
    /// Rounds at the start, each with another peer as far as there are so many.
    pub at_start: u32,
    /// The time between later rounds, each with a random peer.
    pub every: Duration,
    /// By how much that time varies, drawn anew each time: between `every` and `every + jitter`.
    pub jitter: Duration,
    /// The most time for one question.
    pub request_timeout: Duration,
    /// The most time for one round.
    pub round_timeout: Duration,
    /// The most questions of a round out at once.
    pub at_once: usize,
    /// The most pages asked for in one round.
    pub most_pages: u32,
    /// The most connected peers that are remembered as partners.
    pub most_peers: usize,
}

impl Default for CatchUpConfig {
    /// Three rounds at the start, one every 5 to 6 minutes afterwards.
    fn default() -> Self {
        Self {
            at_start: 3,
            every: Duration::from_secs(300),
            jitter: Duration::from_secs(60),
            request_timeout: Duration::from_secs(5),
            round_timeout: Duration::from_secs(60),
            at_once: 8,
            most_pages: 1024,
            most_peers: 1024,
        }
    }
}

/// What others may ask of this node and tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeConfig {
    /// The most questions waiting for an answer.
    pub most_waiting: usize,
    /// The most of them by one peer.
    pub most_waiting_per_peer: usize,
    /// Announcements that one peer may pass on.
    pub peer_quota: Quota,
    /// Announcements that may come from one publisher.
    pub publisher_quota: Quota,
    /// The most names for which a quota's use is remembered.
    pub most_quotas: usize,
}

impl Default for ServeConfig {
    /// 1,024 questions, 64 by one peer; 100 announcements a second by a peer in bursts of 1,000, 20 a second
    /// from a publisher in bursts of 500.
    fn default() -> Self {
        Self {
            most_waiting: 1024,
            most_waiting_per_peer: 64,
            peer_quota: Quota { every: Duration::from_millis(10), burst: 1000 },
            publisher_quota: Quota { every: Duration::from_millis(50), burst: 500 },
            most_quotas: 8192,
        }
    }
}

/// Everything that a registry is made with. Change what differs from [`RegistryConfig::new`].
pub struct RegistryConfig<P> {
    /// How queries are run, unless a handle says otherwise.
    pub query: QueryConfig,
    /// The engine's own bounds, among them the most queries in flight.
    pub engine: EngineConfig,
    /// Checks records. Clones share what they remember, so hand in the one that the network's validator is.
    pub verifier: Verifier,
    /// What is known at the start, beside what the store holds.
    pub catalogue: Catalogue,
    /// The key to publish with; without it nothing can be published.
    pub publisher: Option<Publisher>,
    /// Who watches.
    pub observer: Option<Box<dyn Observer<P>>>,
    /// Seed of every random choice. A service takes it from entropy, a test from its own seed.
    pub seed: [u8; 32],
    /// The most commands of handles that wait for the driver.
    pub channel: usize,
    /// How often it is saved how peers stand, when it has changed; and once more at the end.
    pub save_reputation_every: Duration,
    /// The most packages whose newest list is remembered; the one looked at longest ago makes room.
    pub most_lists: usize,
    /// Publishing and upkeep.
    pub publish: PublishConfig,
    /// Catching up.
    pub catch_up: CatchUpConfig,
    /// Serving others.
    pub serve: ServeConfig,
}

impl<P> RegistryConfig<P> {
    /// Sound defaults, checked by `verifier`, over `catalogue`, with this seed.
    pub fn new(verifier: Verifier, catalogue: Catalogue, seed: [u8; 32]) -> Self {
        Self {
            query: QueryConfig::default(),
            engine: EngineConfig::default(),
            verifier,
            catalogue,
            publisher: None,
            observer: None,
            seed,
            channel: 1024,
            save_reputation_every: Duration::from_secs(300),
            most_lists: 10_000,
            publish: PublishConfig::default(),
            catch_up: CatchUpConfig::default(),
            serve: ServeConfig::default(),
        }
    }

    /// With this key to publish with.
    #[must_use]
    pub fn with_publisher(mut self, publisher: Publisher) -> Self {
        self.publisher = Some(publisher);
        self
    }

    /// With queries run like this.
    #[must_use]
    pub fn with_query(mut self, query: QueryConfig) -> Self {
        self.query = query;
        self
    }

    /// Watched by `observer`.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Observer<P> + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Whether every setting is in its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.query.check()?;
        let counts = [
            ("channel", self.channel),
            ("most_lists", self.most_lists),
            ("publish.refresh_at_once", self.publish.refresh_at_once),
            ("publish.most_waiting", self.publish.most_waiting),
            ("catch_up.at_once", self.catch_up.at_once),
            ("catch_up.most_peers", self.catch_up.most_peers),
            ("serve.most_waiting", self.serve.most_waiting),
            ("serve.most_waiting_per_peer", self.serve.most_waiting_per_peer),
            ("serve.most_quotas", self.serve.most_quotas),
        ];
        if let Some((field, found)) = counts.into_iter().find(|(_, count)| !(1..=1 << 24).contains(count)) {
            let wanted = "from 1 to 16777216".to_owned();
            return Err(ConfigError { field, wanted, found: found.to_string() });
        }
        let spans = [
            ("publish.validity", self.publish.validity),
            ("publish.ttl", self.publish.ttl),
            ("publish.timeout", self.publish.timeout),
            ("publish.refresh_every", self.publish.refresh_every),
            ("publish.retry_after", self.publish.retry_after),
            ("save_reputation_every", self.save_reputation_every),
            ("catch_up.every", self.catch_up.every),
            ("catch_up.request_timeout", self.catch_up.request_timeout),
            ("catch_up.round_timeout", self.catch_up.round_timeout),
            ("serve.peer_quota.every", self.serve.peer_quota.every),
            ("serve.publisher_quota.every", self.serve.publisher_quota.every),
        ];
        let least = Duration::from_millis(1);
        if let Some((field, found)) = spans.into_iter().find(|(_, span)| *span < least) {
            let wanted = "at least 1ms".to_owned();
            return Err(ConfigError { field, wanted, found: format!("{found:?}") });
        }
        if self.publish.refresh_every > self.publish.ttl {
            let wanted = format!("at most publish.ttl ({:?})", self.publish.ttl);
            let found = format!("{:?}", self.publish.refresh_every);
            return Err(ConfigError { field: "publish.refresh_every", wanted, found });
        }
        Ok(())
    }
}

impl<P> fmt::Debug for RegistryConfig<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryConfig")
            .field("query", &self.query)
            .field("publishes", &self.publisher.is_some())
            .field("publish", &self.publish)
            .field("catch_up", &self.catch_up)
            .field("serve", &self.serve)
            .finish_non_exhaustive()
    }
}
