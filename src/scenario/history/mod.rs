//! What happened in one run, kept to be looked at: queries with their requests, lives of nodes, what peers were charged
//! with, and events.
//!
//! A [`Chronicle`] is handed into a run and goes along; afterwards [`Chronicle::history`] gives what it kept. It only
//! looks: a run with one has the trace of a run without. Everything in it is bounded by the constants here; what came
//! beyond a bound is counted in [`LeftOut`]. Of events the first are kept, the last, and those around the instants
//! that were named to [`Chronicle::around`].

mod chronicle;
mod compact;
#[cfg(test)]
mod tests;

pub use chronicle::Chronicle;
pub(in crate::scenario) use chronicle::Recorded;
pub use compact::{MESSAGES, WORDS};

use crate::engine::{Cause, QueryId};
use crate::network::{Failure, RequestId};
use crate::testbed::NodeId;
use crate::time::Timestamp;

/// The most queries that are kept.
pub const MOST_QUERIES: usize = 20_000;
/// The most requests that are kept.
pub const MOST_REQUESTS: usize = 100_000;
/// The most changes of reputation that are kept.
pub const MOST_SCORES: usize = 50_000;
/// The most lives of nodes that are kept.
pub const MOST_LIVES: usize = 50_000;
/// The most events that are kept, from the beginning.
pub const MOST_EVENTS: usize = 120_000;
/// The most instants around which events are kept besides.
pub const MOST_INSTANTS: usize = 32;
/// How many events are kept besides before such an instant, and from it on; and so many of the last ones.
pub const AROUND: usize = 1_000;

/// What happened in one run.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Queries, in the order in which they began.
    pub queries: Vec<Query>,
    /// Requests, in the order in which they were submitted.
    pub requests: Vec<Request>,
    /// Lives of nodes, in the order in which they began.
    pub lives: Vec<Life>,
    /// What was asked of each peer by all registries.
    pub accounts: Vec<Account>,
    /// What reputations came to.
    pub scores: Vec<Score>,
    /// What registries that were up at the end thought of peers then.
    pub settled: Vec<Settled>,
    /// Events, in order; gaps show in their numbers.
    pub events: Vec<Happened>,
    /// How many events there were.
    pub events_in_all: u64,
    /// When the last thing happened that was seen.
    pub end: Timestamp,
    /// What is not here.
    pub left_out: LeftOut,
}

/// What was beyond the bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Queries.
    pub queries: u64,
    /// Requests.
    pub requests: u64,
    /// Changes of reputation.
    pub scores: u64,
    /// Lives.
    pub lives: u64,
    /// Events.
    pub events: u64,
}

/// One query.
#[derive(Clone, Debug)]
pub struct Query {
    /// At which registry.
    pub node: NodeId,
    /// Its name there, in one life.
    pub id: QueryId,
    /// Whether it is a search; otherwise a get.
    pub search: bool,
    /// What it asks, in words.
    pub asked: String,
    /// When it began.
    pub begun: Timestamp,
    /// By when it must end.
    pub deadline: Timestamp,
    /// When it ended, and how.
    pub ended: Option<(Timestamp, Ending)>,
    /// How it ended, with what is missing, in words.
    pub words: String,
    /// Releases that it delivered.
    pub delivered: u64,
}

/// How a query ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It covered all that it should.
    Complete,
    /// Its limit was reached.
    Enough,
    /// Something is missing.
    Partial,
    /// It found nothing.
    Failed,
    /// Its caller gave it up.
    Cancelled,
    /// Its node died.
    Died,
}

/// One request to the network.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Of which registry.
    pub node: NodeId,
    /// Its name there.
    pub id: RequestId,
    /// The place of its query in [`History::queries`]; `None` when it is the registry's own.
    pub query: Option<usize>,
    /// What it wants.
    pub wants: Wants,
    /// When it was submitted.
    pub begun: Timestamp,
    /// When it ended, and how.
    pub ended: Option<(Timestamp, Close)>,
    /// Items that came.
    pub items: u32,
    /// Their bytes.
    pub bytes: u64,
}

/// What a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// An answer of this peer.
    Answer(NodeId),
    /// A record of the DHT.
    Value,
    /// Something else of the DHT.
    Other,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// Well.
    Well,
    /// It was given up.
    GivenUp,
    /// Its node died.
    Died,
    /// Not well.
    Failed(Failure),
}

/// From when to when a node was up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// Which.
    pub node: NodeId,
    /// From when.
    pub from: Timestamp,
    /// Until when; `None` when it was up at the end.
    pub until: Option<Timestamp>,
}

/// What was asked of one peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Which.
    pub peer: u32,
    /// Questions put to it.
    pub asked: u64,
    /// Those that ended well.
    pub answered: u64,
    /// Those that nobody answered in time.
    pub timed_out: u64,
    /// Those that it refused.
    pub refused: u64,
    /// Those that failed otherwise.
    pub failed: u64,
    /// Those that were given up, or ended with who asked.
    pub given_up: u64,
    /// How long those that ended well took, in all, in microseconds.
    pub micros: u64,
}

/// What a reputation came to when it was charged.
#[derive(Clone, Copy, Debug)]
pub struct Score {
    /// When.
    pub at: Timestamp,
    /// In whose eyes.
    pub node: NodeId,
    /// Whose.
    pub peer: NodeId,
    /// Why it changed.
    pub cause: Cause,
    /// What it is now, in 0 to 1.
    pub score: f64,
}

/// What a registry thought of a peer when all was done.
#[derive(Clone, Copy, Debug)]
pub struct Settled {
    /// In whose eyes.
    pub node: NodeId,
    /// Whose.
    pub peer: NodeId,
    /// The score as the registry told it.
    pub told: f64,
    /// The score by what it was charged with, summed up here.
    pub summed: f64,
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happened {
    /// Its number in the trace, the first being 1. What only a registry saw has the number of the event before it.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// What: a place in [`WORDS`].
    pub kind: u8,
    /// What the words are filled with.
    pub fields: [u64; 4],
}
