//! What a registry says of itself when it is asked.

use core::time::Duration;

use crate::engine::QueryMetrics;
use crate::network::Gauges;
use crate::registry::catalogue::Proof;
use crate::time::{Timestamp, WallTime};

/// Counters of what the registry did beside its queries, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Questions answered.
    pub questions_answered: u64,
    /// Questions refused, for whatever reason.
    pub questions_refused: u64,
    /// Announcements that were heard and were within their quotas.
    pub announcements_heard: u64,
    /// Announcements over the quota of the peer that passed them on.
    pub over_peer_quota: u64,
    /// Announcements over the quota of their publisher.
    pub over_publisher_quota: u64,
    /// Things that the network or the registry refused as ill-made.
    pub rejected: u64,
    /// Statements that the catalogue learned.
    pub learned: u64,
    /// Statements for which the catalogue had no room.
    pub no_room: u64,
    /// Statements that could not be made durable; they are learned again after a restart.
    pub unsaved: u64,
    /// Statements that were found unreadable in the store at the start, and were left out.
    pub unreadable: u64,
    /// Equivocations shown.
    pub equivocations: u64,
    /// Rounds of catching up that were gone through.
    pub rounds_done: u64,
    /// Rounds of catching up that failed.
    pub rounds_failed: u64,
    /// Publications and yanks made durable.
    pub published: u64,
    /// Records stored again on the schedule of upkeep.
    pub refreshed: u64,
    /// Packages for which this node was named as a provider, first or again.
    pub provided: u64,
    /// Upkeep that failed and is tried again.
    pub refresh_failed: u64,
    /// Requests that the network never finished, which breaks its contract.
    pub overdue: u64,
}

/// A peer, as the registry sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownPeer<P> {
    /// Which.
    pub peer: P,
    /// Its reputation, from 0 to 1.
    pub score: f64,
    /// Its smoothed round-trip time, when one was measured.
    pub latency: Option<Duration>,
}

/// What the registry holds at one instant. When all is done `queries`, `requests`, `own_requests`,
/// `buffered`, `questions` and `publications` are zero.
#[derive(Clone, Debug)]
pub struct Snapshot<P> {
    /// The time of the run.
    pub now: Timestamp,
    /// Calendar time.
    pub wall: WallTime,
    /// Queries in flight in the engine.
    pub queries: usize,
    /// Callers waiting for a query.
    pub waiters: usize,
    /// Requests of the engine's that have not ended.
    pub requests: usize,
    /// Requests of the registry's own that have not ended, beside those of a round of catching up and of upkeep.
    pub own_requests: usize,
    /// Requests of the present round of catching up. One may be going on at any time.
    pub catching_up: usize,
    /// Requests that store again what was published. Some may be under way at any time: what failed comes again.
    pub upkeep: usize,
    /// Results that the engine holds for queries in flight.
    pub buffered: usize,
    /// Questions handed up by the network and not yet answered.
    pub questions: usize,
    /// Publications and yanks that are not through.
    pub publications: usize,
    /// Batches handed to the store and not yet durable.
    pub unsynced: usize,
    /// Whether the last batch that the store was done with could not be made durable.
    pub store_failed: bool,
    /// Peers that are connected, as far as `catch_up.most_peers` remembers them.
    pub connected: usize,
    /// What the network holds for this node.
    pub network: Gauges,
    /// Entries in the catalogue.
    pub catalogue: u64,
    /// Equivocations that came to light, as far as the catalogue's bound allows.
    pub equivocations: Vec<Proof>,
    /// The peers that it knows, in their order.
    pub peers: Vec<KnownPeer<P>>,
    /// Counters of the queries.
    pub queries_so_far: QueryMetrics,
    /// Counters of everything else.
    pub counters: Counters,
}
