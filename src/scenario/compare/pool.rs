//! The runs of one strategy, pooled, and what several come to.

use core::time::Duration;

use serde::Serialize;

use super::front::front;
use crate::engine::FanOut;
use crate::scenario::report::{RunReport, millis, rank};

/// The runs of one strategy. It keeps the time of each search: 16 bytes.
#[derive(Clone, Debug)]
pub struct Pool {
    strategy: FanOut,
    latencies: Vec<Duration>,
    searches: u64,
    requests: u64,
    bytes: u64,
    recall: f64,
    recall_over: u64,
}

impl Pool {
    /// None yet, of `strategy`.
    pub const fn new(strategy: FanOut) -> Self {
        Self {
            strategy,
            latencies: Vec::new(),
            searches: 0,
            requests: 0,
            bytes: 0,
            recall: 0.0,
            recall_over: 0,
        }
    }

    /// One more run.
    #[expect(clippy::cast_precision_loss, reason = "searches of one run are far below 2^53")]
    pub fn add(&mut self, report: &RunReport) {
        self.latencies.extend(&report.results.latencies);
        self.searches += report.searches.started;
        self.requests += report.search_requests;
        self.bytes += report.results.search_bytes;
        self.recall += report.recall * report.recall_over as f64;
        self.recall_over += report.recall_over;
    }

    #[expect(clippy::cast_precision_loss, reason = "for people, and far below 2^53")]
    fn row(mut self) -> Row {
        self.latencies.sort();
        let at = |per_mille| rank(&self.latencies, per_mille).map(millis);
        let each = |sum: u64| (self.searches > 0).then(|| sum as f64 / self.searches as f64);
        Row {
            fan_out: self.strategy.to_string(),
            searches: self.searches,
            p50_ms: at(500),
            p95_ms: at(950),
            p99_ms: at(990),
            p999_ms: at(999),
            requests_per_search: each(self.requests),
            bytes_per_search: each(self.bytes),
            recall: if self.recall_over == 0 { 1.0 } else { self.recall / self.recall_over as f64 },
            on_front: false,
        }
    }
}

/// What one strategy comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The strategy, as `--fan-out` names it.
    pub fan_out: String,
    /// Searches, over all seeds.
    pub searches: u64,
    /// Virtual milliseconds that half of them took at most.
    pub p50_ms: Option<f64>,
    /// 95 of 100.
    pub p95_ms: Option<f64>,
    /// 99 of 100.
    pub p99_ms: Option<f64>,
    /// 999 of 1000.
    pub p999_ms: Option<f64>,
    /// Requests that a search made of the network: questions to peers, further pages, records fetched, lookups.
    pub requests_per_search: Option<f64>,
    /// Bytes of questions and answers that it cost, with those answers that came when nobody waited any more.
    pub bytes_per_search: Option<f64>,
    /// The mean recall of the searches for which there was something to find.
    pub recall: f64,
    /// Whether no other strategy of the comparison has at most its p99 with at most its requests, and less of one.
    pub on_front: bool,
}

/// One scenario under several strategies.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The scenario, by the path of its file.
    pub scenario: String,
    /// How many seeds are pooled.
    pub seeds: u64,
    /// How many adequate answers each search wanted, whatever the strategy: the least and the most over the seeds.
    pub answers_wanted: (u16, u16),
    /// A row for each strategy, in the order in which they were asked for.
    pub rows: Vec<Row>,
}

impl Comparison {
    /// What `pools`, of the same plans under several strategies, come to.
    pub fn of(scenario: String, seeds: u64, answers_wanted: (u16, u16), pools: Vec<Pool>) -> Self {
        let mut rows: Vec<Row> = pools.into_iter().map(Pool::row).collect();
        let costs: Vec<_> = rows.iter().map(|row| row.p99_ms.zip(row.requests_per_search)).collect();
        for (row, on_front) in rows.iter_mut().zip(front(&costs)) {
            row.on_front = on_front;
        }
        Self { scenario, seeds, answers_wanted, rows }
    }

    /// The row of a strategy.
    pub fn row(&self, strategy: FanOut) -> Option<&Row> {
        let name = strategy.to_string();
        self.rows.iter().find(|row| row.fan_out == name)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A row of these figures.
    pub(in super::super) fn row(name: &str, p50: f64, p99: f64, requests: f64) -> Row {
        Row {
            fan_out: name.to_owned(),
            searches: 1000,
            p50_ms: Some(p50),
            p95_ms: Some((p50 + p99) / 2.0),
            p99_ms: Some(p99),
            p999_ms: Some(2.0 * p99),
            requests_per_search: Some(requests),
            bytes_per_search: Some(1000.0 * requests),
            recall: 1.0,
            on_front: false,
        }
    }

    fn pool(millis: impl Iterator<Item = u64>, requests: u64) -> Pool {
        let latencies: Vec<_> = millis.map(Duration::from_millis).collect();
        let searches = latencies.len() as u64;
        Pool { latencies, searches, requests, bytes: 10 * requests, ..Pool::new(FanOut::Fixed(3)) }
    }

    #[test]
    fn quantiles_are_of_all_searches_together() {
        let row = pool((1..=1000).rev(), 3300).row();
        assert_eq!((row.p50_ms, row.p95_ms), (Some(500.0), Some(950.0)));
        assert_eq!((row.p99_ms, row.p999_ms), (Some(990.0), Some(999.0)));
        assert_eq!((row.requests_per_search, row.bytes_per_search), (Some(3.3), Some(33.0)));
    }

    #[test]
    fn recall_weighs_runs_by_their_searches() {
        let mut pool = pool(1..=2, 6);
        (pool.recall, pool.recall_over) = (0.5 * 30.0 + 1.0 * 10.0, 40);
        assert_eq!(pool.row().recall, 0.625);
    }

    #[test]
    fn nothing_measured_is_nothing_told_and_on_no_front() {
        let compared =
            Comparison::of("x".into(), 1, (3, 3), vec![Pool::new(FanOut::Hedged), pool(1..=9, 30)]);
        let (none, some) = (compared.row(FanOut::Hedged).unwrap(), compared.row(FanOut::Fixed(3)).unwrap());
        assert_eq!((none.p99_ms, none.requests_per_search, none.on_front), (None, None, false));
        assert!(some.on_front);
        assert_eq!(compared.row(FanOut::Adaptive), None);
    }
}
