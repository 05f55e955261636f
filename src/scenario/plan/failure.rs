//! How a plan failed, written beside it: what a replay is held against, and what a smaller plan has to do too.

use serde::{Deserialize, Serialize};

use crate::scenario::report::RunReport;
use crate::scenario::units::Span;

/// The most characters of a detail that is kept: a plan is for reading.
const LONGEST_DETAIL: usize = 600;

/// How a run of this plan failed. Marks a plan that was found to fail; a run does not look at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What failed: the name of an oracle, `expect.` and what was measured, or `crashed`, `hung` or `broke`.
    pub oracle: String,
    /// Of which kind that is.
    pub kind: FailureKind,
    /// What was found, in one line.
    pub detail: String,
    /// When, in the time of the run.
    pub at: Span,
    /// The hash over everything that happened, in hex. A run that did not end has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_hash: Option<String>,
    /// The version of the program that saw it.
    pub version: String,
}

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailureKind {
    /// Something happened that must not.
    Safety,
    /// Something did not happen that must.
    Liveness,
    /// What the scenario expects did not come.
    Expectation,
    /// The process of the run ended on the way.
    Crash,
    /// The run did not end in the time that it was given.
    Hang,
    /// The run could not be carried out.
    Broken,
}

impl FailureKind {
    /// Its name in reports, as in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Safety => "safety",
            Self::Liveness => "liveness",
            Self::Expectation => "expectation",
            Self::Crash => "crash",
            Self::Hang => "hang",
            Self::Broken => "broken",
        }
    }

    /// Whether a run that failed so came to its end, with a trace hash.
    pub const fn ended(self) -> bool {
        matches!(self, Self::Safety | Self::Liveness | Self::Expectation)
    }
}

impl Failure {
    /// How the run failed that `report` tells of, if it did: by what showed first, a violation before an expectation.
    pub fn of(report: &RunReport) -> Option<Self> {
        let made = |oracle: String, kind, detail: &str, at_ms| Self {
            oracle,
            kind,
            detail: line(detail),
            at: Span::millis(at_ms),
            trace_hash: Some(report.trace_hash.clone()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        if let Some(first) = report.violations.iter().min_by_key(|it| it.at_ms) {
            let kind = kind_of(&first.oracle);
            return Some(made(first.oracle.clone(), kind, &first.detail, first.at_ms));
        }
        let missed = report.expectations.iter().find(|it| !it.held)?;
        let detail = format!("{} {} was expected, and {} came", missed.name, missed.wanted, missed.got);
        let oracle = expected(&missed.name);
        Some(made(oracle, FailureKind::Expectation, &detail, report.virtual_ms))
    }

    /// How a run failed that did not come to its end.
    pub fn unended(kind: FailureKind, detail: &str) -> Self {
        let oracle = match kind {
            FailureKind::Crash => "crashed",
            FailureKind::Hang => "hung",
            _ => "broke",
        };
        Self {
            oracle: oracle.to_owned(),
            kind,
            detail: line(detail),
            at: Span::default(),
            trace_hash: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Whether a run failed by the same oracle, whatever else failed besides.
    pub fn is_of(&self, report: &RunReport) -> bool {
        report.violations.iter().any(|it| it.oracle == self.oracle)
            || report.expectations.iter().any(|it| !it.held && expected(&it.name) == self.oracle)
    }

    /// The first sign of the same oracle in `report`: its time and its words. An expectation shows at the end.
    pub fn first_of(&self, report: &RunReport) -> Option<Self> {
        let mut only = report.clone();
        only.violations.retain(|it| it.oracle == self.oracle);
        only.expectations.retain(|it| expected(&it.name) == self.oracle);
        Self::of(&only)
    }
}

fn expected(measure: &str) -> String {
    format!("expect.{measure}")
}

fn kind_of(oracle: &str) -> FailureKind {
    match oracle {
        "liveness" => FailureKind::Liveness,
        _ => FailureKind::Safety,
    }
}

/// `text` as one line of bounded length.
fn line(text: &str) -> String {
    let mut line: String =
        text.chars().map(|it| if it.is_control() { ' ' } else { it }).take(LONGEST_DETAIL).collect();
    if text.chars().count() > LONGEST_DETAIL {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_one_line_of_bounded_length() {
        assert_eq!(line("one\n[timeline]\rtwo"), "one [timeline] two");
        assert_eq!(line(&"x".repeat(10_000)).chars().count(), LONGEST_DETAIL + 1);
    }
}
