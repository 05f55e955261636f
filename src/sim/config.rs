//! What a simulated world is made with.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use super::profile::Profile;
use super::sample::Dist;
use crate::network::Validator;
use crate::store::StoreLimits;

/// What a simulated world is made with. Two worlds made with the same and driven the same are the same.
#[derive(Clone)]
pub struct SimConfig {
    /// The seed of every draw.
    pub seed: u64,
    /// The seed that orders what happens at one instant. Another one is another, equally true order.
    pub tiebreak: u64,
    /// What links and peers are like.
    pub profile: Profile,
    /// What the application says of values and announcements.
    pub validator: Arc<dyn Validator>,
    /// Bounds.
    pub limits: SimLimits,
    /// Whether messages go as datagrams do, for protocols that do not stand on libp2p: to whoever is named, from the first,
    /// with no lookup of the address, no dial, no connection and no stream that is opened before. So an exchange takes
    /// one round trip, no node hears who is connected, and tables learn of newcomers by upkeep alone.
    pub datagrams: bool,
    /// Whether a peer that comes later, or comes back, walks towards itself with every message. If not, its first walk is
    /// modelled as all the later ones that keep its table are: it sends no message and is over at once, and whom the peer
    /// lists then has heard of it. What others look up comes out alike; a large network in which many come and go is
    /// much less work.
    pub join_walks: bool,
    /// How long a batch takes to the disk after the one before it.
    pub disk: Dist,
    /// How long a walk waits for one peer. libp2p-kad's default is 10 s.
    pub patience: Duration,
    /// How often a peer looks its routing table through: a node's walks that keep it fresh are 5 min apart.
    pub upkeep: Duration,
}

/// Bounds of what a simulated node holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimLimits {
    /// Requests in flight of one application. More fail with `Failure::Local`.
    pub requests: usize,
    /// Lookups of one application that run at once; more wait.
    pub lookups: usize,
    /// Questions in flight from one application to one peer. More fail with `Failure::Local`.
    pub asks_per_peer: usize,
    /// Events that wait for an application, endings not counted. More are dropped and counted.
    pub inbox: usize,
    /// Questions that an application was handed and has not answered. More are refused as busy.
    pub questions: usize,
    /// The same of one asker.
    pub questions_per_peer: usize,
    /// Connections of one node. The one not used for longest is closed for a new one.
    pub connections: usize,
    /// Records that one node stores for the DHT. The expired go first, then the farthest.
    pub records: usize,
    /// Provider keys that one node stores for the DHT.
    pub provider_keys: usize,
    /// Bytes of a record, as on a real node: kad's packet of 16 KiB has room for it, its key and closer peers.
    pub record_bytes: usize,
    /// Bytes of a question.
    pub question_bytes: usize,
    /// Bytes of an answer.
    pub answer_bytes: usize,
    /// Bytes of an announcement.
    pub announcement_bytes: usize,
    /// Announcements that the world passes around at once.
    pub announcements: usize,
    /// Peers whose addresses an application's node remembers beside its table.
    pub addresses: usize,
}

impl Default for SimLimits {
    fn default() -> Self {
        Self {
            requests: 4096,
            lookups: 64,
            asks_per_peer: 64,
            inbox: 8192,
            questions: 256,
            questions_per_peer: 48,
            connections: 1024,
            records: 1024,
            provider_keys: 1024,
            record_bytes: 14 << 10,
            question_bytes: 16 * 1024,
            answer_bytes: 64 * 1024,
            announcement_bytes: 4096,
            announcements: 4096,
            addresses: 4096,
        }
    }
}

impl SimConfig {
    /// A world of `profile` with this seed; everything else as its documentation says.
    pub fn new(seed: u64, profile: Profile, validator: Arc<dyn Validator>) -> Self {
        Self {
            seed,
            tiebreak: 0,
            profile,
            validator,
            limits: SimLimits::default(),
            datagrams: false,
            join_walks: true,
            disk: Dist::LogNormal { median: Duration::from_millis(2), p90: Duration::from_millis(8) },
            patience: Duration::from_secs(10),
            upkeep: Duration::from_secs(300),
        }
    }

    /// The bounds of an application's store. They are those of the store's own default.
    pub(crate) fn store_limits(&self) -> StoreLimits {
        StoreLimits::default()
    }
}

impl fmt::Debug for SimConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimConfig")
            .field("seed", &self.seed)
            .field("tiebreak", &self.tiebreak)
            .field("profile", &self.profile)
            .field("limits", &self.limits)
            .field("datagrams", &self.datagrams)
            .field("join_walks", &self.join_walks)
            .finish_non_exhaustive()
    }
}
