//! How a query is run: bounds, coverage, fan-out.

use core::time::Duration;

use serde::{Deserialize, Serialize};

/// How many peers are asked at once. All strategies ask until `answers_wanted` adequate answers are in: they differ in
/// speed and in cost, and not in coverage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FanOut {
    /// Always this many, 1 to [`QueryConfig::MAX_FAN_OUT`]. With more than `answers_wanted` the fastest win, and the
    /// others' work is wasted; with fewer, answers are waited for one after another.
    Fixed(u16),
    /// As many as answers are wanted; and one more for each question that is late, when the time has passed in which
    /// peers mostly answer ([`EngineConfig::hedge_after_permille`] of all answers), within a budget
    /// ([`EngineConfig::hedge_budget_permille`] of all questions). The first to answer win. Where others give a question
    /// up, after its peer's learned timeout, one more is asked as well, and the question goes on up to
    /// [`QueryConfig::request_timeout`].
    Hedged,
    /// As [`FanOut::Hedged`], and more where questions are lost. With a share `l` of them late, failed or inadequate: from
    /// the start `wanted / (1 - l)` peers, to the nearest and at most four for each answer; and questions are late
    /// earlier, and hedged from a larger budget, by `2 l` each, at most by 160 thousandths.
    Adaptive,
}

impl FanOut {
    /// The strategy of this name: `hedged`, `adaptive`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "hedged" => Some(Self::Hedged),
            "adaptive" => Some(Self::Adaptive),
            _ => None,
        }
    }

    /// Whether it looks at what is late.
    pub(super) const fn hedges(self) -> bool {
        matches!(self, Self::Hedged | Self::Adaptive)
    }
}

impl core::fmt::Display for FanOut {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Fixed(count) => write!(f, "{count}"),
            Self::Hedged => f.write_str("hedged"),
            Self::Adaptive => f.write_str("adaptive"),
        }
    }
}

/// How a query is run. Made by a preset and changed by field; checked by [`QueryConfig::check`] before use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryConfig {
    /// The query ends by then, with what it has.
    pub timeout: Duration,
    /// The most results of one query.
    pub max_results: usize,
    /// How many adequate answers make a search complete: its coverage.
    pub answers_wanted: u16,
    /// How many peers are asked at once: its speed.
    pub fan_out: FanOut,
    /// Whether the time given to one request is learned from the answers of peers; otherwise it is
    /// always `request_timeout`.
    pub adaptive_timeout: bool,
    /// The most time given to one request.
    pub request_timeout: Duration,
    /// How many records are fetched at once for one query.
    pub fetch_concurrency: u16,
}

/// A setting is out of its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} must be {wanted}, found {found}")]
pub struct ConfigError {
    /// The field's name.
    pub field: &'static str,
    /// What would be right.
    pub wanted: String,
    /// What was found.
    pub found: String,
}

impl QueryConfig {
    /// The most peers asked at once.
    pub const MAX_FAN_OUT: u16 = 256;

    /// 10 s, 20 results, 3 at once, adaptive.
    pub fn balanced() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            max_results: 20,
            answers_wanted: 3,
            fan_out: FanOut::Fixed(3),
            adaptive_timeout: true,
            request_timeout: Duration::from_secs(4),
            fetch_concurrency: 8,
        }
    }

    /// 2 s, 10 results, 1 at once, fixed.
    pub fn low_latency() -> Self {
        Self {
            timeout: Duration::from_secs(2),
            max_results: 10,
            answers_wanted: 1,
            fan_out: FanOut::Fixed(1),
            adaptive_timeout: false,
            request_timeout: Duration::from_secs(1),
            fetch_concurrency: 4,
        }
    }

    /// 5 s, 50 results, 5 at once, adaptive.
    pub fn high_throughput() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            max_results: 50,
            answers_wanted: 5,
            fan_out: FanOut::Fixed(5),
            adaptive_timeout: true,
            request_timeout: Duration::from_secs(3),
            fetch_concurrency: 16,
        }
    }
}

impl QueryConfig {
    /// The longest time for a query or a request.
    pub const MAX_TIMEOUT: Duration = Duration::from_secs(3600);
    /// The most results of one query.
    pub const MAX_RESULTS: usize = 1000;
    /// The most adequate answers that can be wanted.
    pub const MAX_ANSWERS: u16 = 256;
    /// The most records fetched at once for one query.
    pub const MAX_FETCHES: u16 = 256;

    /// Whether every field is in its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        span("timeout", self.timeout)?;
        whole("max_results", self.max_results, 1, Self::MAX_RESULTS)?;
        whole("answers_wanted", usize::from(self.answers_wanted), 1, usize::from(Self::MAX_ANSWERS))?;
        if let FanOut::Fixed(fan_out) = self.fan_out {
            whole("fan_out", usize::from(fan_out), 1, usize::from(Self::MAX_FAN_OUT))?;
        }
        span("request_timeout", self.request_timeout)?;
        whole("fetch_concurrency", usize::from(self.fetch_concurrency), 1, usize::from(Self::MAX_FETCHES))
    }
}

/// `found` is from `least` to `most`.
fn whole(field: &'static str, found: usize, least: usize, most: usize) -> Result<(), ConfigError> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(ConfigError { field, wanted: format!("from {least} to {most}"), found: found.to_string() })
}

/// `found` is from 1 ms to [`QueryConfig::MAX_TIMEOUT`].
fn span(field: &'static str, found: Duration) -> Result<(), ConfigError> {
    if (Duration::from_millis(1)..=QueryConfig::MAX_TIMEOUT).contains(&found) {
        return Ok(());
    }
    let wanted = format!("from 1ms to {}s", QueryConfig::MAX_TIMEOUT.as_secs());
    Err(ConfigError { field, wanted, found: format!("{found:?}") })
}

impl Default for QueryConfig {
    fn default() -> Self {
        Self::balanced()
    }
}

/// Bounds of one engine: what it remembers, and how much it does at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// The most queries in flight; one more ends at once, as `Failed(Busy)`.
    pub most_queries: usize,
    /// The most peers that one search asks.
    pub asks_per_query: u32,
    /// The most questions out to one peer, over all queries. A search that would have to exceed it waits
    /// for a question to end, within its deadline.
    pub asks_per_peer: u32,
    /// The most pages taken of one peer's answer to a search.
    pub pages_per_answer: u32,
    /// The most peers remembered; beyond it the least valuable is forgotten.
    pub most_peers: usize,
    /// After this time, what a peer did counts half.
    pub half_life: Duration,
    /// A peer that sent this many ill-made things (a forgery counts twice; they fade with the half-life)
    /// is blocked.
    pub malformed_threshold: u32,
    /// For how long.
    pub block_for: Duration,
    /// How often, in thousandths, a peer that was never tried takes the place of one that was.
    pub explore_permille: u32,
    /// A question is late when this many thousandths of all answers would have come: what
    /// [`FanOut::Hedged`] waits for before it asks one more. Slow peers are to lie beyond it, or it fires too late.
    pub hedge_after_permille: u32,
    /// At most so many thousandths of all questions are asked because another is late. It must leave room for what lies
    /// beyond `hedge_after_permille`, slow peers and the tail alike, and some for when many are late at once.
    pub hedge_budget_permille: u32,
    /// An adaptive timeout is never shorter.
    pub timeout_floor: Duration,
    /// How long after a request's deadline its end is still waited for, before the engine ends it itself.
    pub overdue: Duration,
    /// The most releases cached, and for how long.
    pub cached_releases: usize,
    /// How long a release is cached. It cannot change, so this bounds memory and nothing else.
    pub release_ttl: Duration,
    /// The most lists cached.
    pub cached_lists: usize,
    /// How long a list answers without anybody being asked.
    pub list_ttl: Duration,
    /// The most absences cached.
    pub cached_absences: usize,
    /// How long "not found" is believed.
    pub absence_ttl: Duration,
    /// The most packages of which the highest list seen is remembered.
    pub remembered_lists: usize,
    /// The most conflicts remembered.
    pub remembered_conflicts: usize,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            most_queries: 4096,
            asks_per_query: 256,
            asks_per_peer: 32,
            pages_per_answer: 16,
            most_peers: 1024,
            half_life: Duration::from_secs(600),
            malformed_threshold: 3,
            block_for: Duration::from_secs(600),
            explore_permille: 50,
            hedge_after_permille: 920,
            hedge_budget_permille: 90,
            timeout_floor: Duration::from_millis(250),
            overdue: Duration::from_millis(500),
            cached_releases: 1024,
            release_ttl: Duration::from_secs(600),
            cached_lists: 1024,
            list_ttl: Duration::from_secs(5),
            cached_absences: 1024,
            absence_ttl: Duration::from_secs(5),
            remembered_lists: 4096,
            remembered_conflicts: 256,
        }
    }
}

impl EngineConfig {
    /// Whether every field is in its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        const MANY: usize = 1 << 20;
        whole("most_queries", self.most_queries, 1, MANY)?;
        whole("asks_per_query", as_usize(self.asks_per_query), 1, 4096)?;
        whole("asks_per_peer", as_usize(self.asks_per_peer), 1, 4096)?;
        whole("pages_per_answer", as_usize(self.pages_per_answer), 1, 1024)?;
        whole("most_peers", self.most_peers, 1, MANY)?;
        span("half_life", self.half_life)?;
        whole("malformed_threshold", as_usize(self.malformed_threshold), 1, 1000)?;
        span("block_for", self.block_for)?;
        whole("explore_permille", as_usize(self.explore_permille), 0, 1000)?;
        whole("hedge_after_permille", as_usize(self.hedge_after_permille), 1, 999)?;
        whole("hedge_budget_permille", as_usize(self.hedge_budget_permille), 0, 1000)?;
        span("timeout_floor", self.timeout_floor)?;
        span("overdue", self.overdue)?;
        whole("cached_releases", self.cached_releases, 0, MANY)?;
        span("release_ttl", self.release_ttl)?;
        whole("cached_lists", self.cached_lists, 0, MANY)?;
        span("list_ttl", self.list_ttl)?;
        whole("cached_absences", self.cached_absences, 0, MANY)?;
        span("absence_ttl", self.absence_ttl)?;
        whole("remembered_lists", self.remembered_lists, 1, MANY)?;
        whole("remembered_conflicts", self.remembered_conflicts, 1, MANY)
    }
}

fn as_usize(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
