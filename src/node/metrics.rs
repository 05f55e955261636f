//! What Prometheus reads: the registry's counters, beside what the network counts itself.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::engine::Histogram;
use crate::net::PeerId;
use crate::registry::Snapshot;

/// The media type of [`text`].
pub(super) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Bounds of the buckets of a latency, in milliseconds.
const MILLIS: &[u64] = &[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000];
/// Bounds of the buckets of a count.
const COUNTS: &[u64] = &[0, 1, 2, 3, 5, 8, 13, 20, 50, 100, 1000];

/// Everything, with what the registry holds now. None when it cannot be written, which is a fault in here.
pub(super) fn text(network: &Registry, snapshot: Snapshot<PeerId>) -> Option<String> {
    let mut own = Registry::with_prefix("swarmproof");
    own.register_collector(Box::new(Told(snapshot)));
    let mut written = String::new();
    text::encode_registry(&mut written, network).ok()?;
    text::encode_registry(&mut written, &own).ok()?;
    text::encode_eof(&mut written).ok()?;
    Some(written)
}

/// A snapshot, told as metrics.
#[derive(Debug)]
struct Told(Snapshot<PeerId>);

impl Collector for Told {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), core::fmt::Error> {
        let Snapshot { queries_so_far: queries, counters, .. } = &self.0;
        for (name, help, value) in [
            ("queries_started", "Queries taken in, searches and gets", queries.started),
            ("queries_complete", "Queries that covered all they should", queries.complete),
            ("queries_enough", "Queries that reached their limit of results", queries.enough),
            ("queries_partial", "Queries that ended with something missing", queries.partial),
            ("queries_failed", "Queries that nobody could answer", queries.failed),
            ("queries_cancelled", "Queries that were given up", queries.cancelled),
            ("queries_busy", "Queries refused because too many were in flight", queries.busy),
            ("requests", "Requests of queries to the network", queries.requests),
            ("requests_cancelled", "Requests of queries that were cancelled", queries.requests_cancelled),
            ("results_delivered", "Results handed over", queries.delivered),
            ("records_verified", "Records from peers that verified", queries.verified),
            ("records_duplicate", "Records that came again", queries.duplicates),
            ("answers_malformed", "Answers with ill-made or unasked things", queries.malformed),
            ("answers_forged", "Answers with a record that did not verify", queries.forged),
            ("conflicts", "Releases of which two signed records turned up", queries.conflicts),
            ("cache_hits", "Gets answered by the cache", queries.cache_hits),
            ("questions_answered", "Questions of peers answered", counters.questions_answered),
            ("questions_refused", "Questions of peers refused", counters.questions_refused),
            ("announcements_heard", "Announcements within their quotas", counters.announcements_heard),
            ("announcements_over_peer_quota", "Announcements over a peer's quota", counters.over_peer_quota),
            (
                "announcements_over_publisher_quota",
                "Announcements over a publisher's quota",
                counters.over_publisher_quota,
            ),
            ("rejected", "Things from peers refused as ill-made", counters.rejected),
            ("statements_learned", "Statements that the catalogue learned", counters.learned),
            ("statements_no_room", "Statements for which the catalogue had no room", counters.no_room),
            ("statements_unsaved", "Statements that could not be made durable", counters.unsaved),
            ("statements_unreadable", "Statements found unreadable at the start", counters.unreadable),
            ("equivocations", "Publishers' contradictions shown", counters.equivocations),
            ("catch_up_rounds_done", "Rounds of catching up gone through", counters.rounds_done),
            ("catch_up_rounds_failed", "Rounds of catching up that failed", counters.rounds_failed),
            ("published", "Publications and yanks made durable", counters.published),
            ("records_refreshed", "Records stored again", counters.refreshed),
            ("records_refresh_failed", "Records that could not be stored again", counters.refresh_failed),
        ] {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        for (name, help, value) in [
            ("queries_in_flight", "Queries in flight", self.0.queries),
            ("requests_in_flight", "Requests of queries in flight", self.0.requests),
            ("own_requests_in_flight", "Requests of the registry's own in flight", self.0.own_requests),
            ("questions_waiting", "Questions of peers not yet answered", self.0.questions),
            ("publications_in_flight", "Publications and yanks that are not through", self.0.publications),
            ("store_pending", "Batches that are not yet durable", self.0.unsynced),
            ("peers_known", "Peers with a reputation", self.0.peers.len()),
            ("peers_connected", "Peers that are connected", self.0.connected),
        ] {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        let catalogue = ConstGauge::new(i64::try_from(self.0.catalogue).unwrap_or(i64::MAX));
        catalogue.encode(encoder.encode_descriptor(
            "catalogue",
            "Entries of the catalogue",
            None,
            MetricType::Gauge,
        )?)?;
        let seconds = (1_000_000, 1e9, MILLIS);
        let one = (1, 1.0, COUNTS);
        for (name, help, histogram, scale) in [
            ("query_seconds", "From a query's begin to its end", &queries.latency, seconds),
            ("query_results", "Results of a query", &queries.results, one),
            ("query_requests", "Requests made for a query", &queries.requests_per_query, one),
        ] {
            distribution(&mut encoder, name, help, histogram, scale)?;
        }
        Ok(())
    }
}

/// Write a histogram. `scale` has what a bound is multiplied with to be a value of the histogram, what a value is divided
/// by to be what is shown, and the bounds.
#[expect(clippy::cast_precision_loss, reason = "shown, not counted with")]
fn distribution(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    histogram: &Histogram,
    (unit, shown, bounds): (u64, f64, &[u64]),
) -> Result<(), core::fmt::Error> {
    let mut buckets = Vec::with_capacity(bounds.len() + 1);
    let mut below = 0;
    for bound in bounds {
        let value = bound.saturating_mul(unit);
        let count = histogram.at_most(value);
        buckets.push((value as f64 / shown, count.saturating_sub(below)));
        below = count;
    }
    buckets.push((f64::INFINITY, histogram.count().saturating_sub(below)));
    let sum = histogram.sum() as f64 / shown;
    encoder.encode_descriptor(name, help, None, MetricType::Histogram)?.encode_histogram::<NoLabelSet>(
        sum,
        histogram.count(),
        &buckets,
        None,
    )
}
