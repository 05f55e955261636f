//! What a plan expects, held against what a run came to.

use core::time::Duration;

use crate::scenario::expect::{Amount, Comparison, Measure, Scale};
use crate::scenario::plan::Plan;
use crate::scenario::report::{Expectation, RunReport};
use crate::scenario::units::Span;

/// What is counted for expectations and stands in no other field of a report.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Beside {
    pub(super) gets: u64,
    pub(super) gets_right: u64,
    pub(super) equivocations: u64,
    pub(super) rollbacks_refused: u64,
    pub(super) found_again: u64,
}

/// A measured value, and what a percentage of it is a percentage of.
enum Got {
    Number {
        value: f64,
        all: u64,
    },
    /// `None` where nothing was measured: then no comparison holds.
    Span(Option<Duration>),
}

/// Each expectation of `plan`, held against `report`.
pub(super) fn hold(plan: &Plan, report: &RunReport, beside: Beside) -> Vec<Expectation> {
    plan.expect
        .iter()
        .map(|(measure, wanted)| {
            let got = measured(*measure, report, beside);
            Expectation {
                name: measure.name().to_owned(),
                wanted: wanted.to_string(),
                got: written(&got, *measure, wanted),
                held: match got {
                    Got::Number { value, all } => wanted.number(value, number(all)),
                    Got::Span(span) => span.is_some_and(|span| wanted.span(span)),
                },
            }
        })
        .collect()
}

fn measured(measure: Measure, report: &RunReport, beside: Beside) -> Got {
    let searches = &report.searches;
    let count = |value: u64, all: u64| Got::Number { value: number(value), all };
    let millis = |millis: Option<f64>| Got::Span(millis.map(|ms| Duration::from_secs_f64(ms / 1000.0)));
    match measure {
        Measure::Recall => Got::Number { value: report.recall, all: 1 },
        Measure::LatencyP50 => millis(report.latency_ms.p50),
        Measure::LatencyP95 => millis(report.latency_ms.p95),
        Measure::LatencyP99 => millis(report.latency_ms.p99),
        Measure::LatencyMax => millis(report.latency_ms.max),
        Measure::RequestsPerSearch => {
            Got::Number { value: report.requests_per_search().unwrap_or(0.0), all: 1 }
        }
        Measure::Searches => count(searches.started, searches.started),
        Measure::Complete => count(searches.complete, searches.started),
        Measure::Enough => count(searches.enough, searches.started),
        Measure::Partial => count(searches.partial, searches.started),
        Measure::Failed => count(searches.failed, searches.started),
        Measure::Cancelled => count(searches.cancelled, searches.started),
        Measure::GetsRight => count(beside.gets_right, beside.gets),
        Measure::Published => count(report.publishes.published, report.publishes.started),
        Measure::MalformedSent => count(report.malformed.sent, report.malformed.sent),
        Measure::MalformedRejected => count(report.malformed.rejected, report.malformed.sent),
        Measure::MalformedDelivered => count(report.malformed.delivered, report.malformed.sent),
        Measure::Equivocations => count(beside.equivocations, beside.equivocations),
        Measure::RollbacksRefused => count(beside.rollbacks_refused, beside.rollbacks_refused),
        Measure::FoundAgain => count(beside.found_again, beside.found_again),
    }
}

fn written(got: &Got, measure: Measure, wanted: &Comparison) -> String {
    match *got {
        Got::Span(None) => "nothing".to_owned(),
        Got::Span(Some(span)) => Span(span).to_string(),
        Got::Number { value, all } => match (measure.scale(), wanted.bound) {
            (Scale::Count, Amount::Percent(_)) => format!("{value} of {all}"),
            _ => format!("{}", libm::round(value * 1e6) / 1e6),
        },
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of one run are far below 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}
