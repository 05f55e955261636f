//! What a scenario expects of each of its runs: comparisons such as `recall = ">= 0.99"`.
//!
//! The oracles hold whatever a scenario expects; these are the figures that it states besides.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::units::{Span, UnitError};

/// What can be measured of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Mean recall of the searches that were not cancelled, 0 to 1.
    Recall,
    /// Median time from a search's start to its end.
    LatencyP50,
    /// 95th percentile of the same.
    LatencyP95,
    /// 99th percentile of the same.
    LatencyP99,
    /// The longest of them.
    LatencyMax,
    /// Mean number of requests that a search put to the network.
    RequestsPerSearch,
    /// Searches started.
    Searches,
    /// Searches that ended complete.
    Complete,
    /// Searches that ended because their limit was reached.
    Enough,
    /// Searches that ended with something missing.
    Partial,
    /// Searches that failed.
    Failed,
    /// Searches that were given up by their caller.
    Cancelled,
    /// Gets and version lists that found what exists, and said of what does not that it does not.
    GetsRight,
    /// Publications and yanks that at least one peer acknowledged.
    Published,
    /// Ill-made things that peers sent, by bytes or by meaning.
    MalformedSent,
    /// Ill-made things that were refused.
    MalformedRejected,
    /// Ill-made things that reached a caller.
    MalformedDelivered,
    /// Releases that registries hold proof of equivocation about, counted once each.
    Equivocations,
    /// Release lists older than one already seen, that registries refused to go back to.
    RollbacksRefused,
    /// What registries were owed after the end, when nothing went wrong any more, and found in time.
    FoundAgain,
}

/// What a measure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// From 0 to 1: `0.99` or `99%`.
    Share,
    /// A duration with its unit.
    Span,
    /// A number.
    Number,
    /// A number, or a percentage of the searches (of the gets, for gets).
    Count,
}

impl Measure {
    /// All measures, with the key that names each in `[expect]`, its scale and what it says.
    pub const ALL: &'static [(Self, &'static str, Scale, &'static str)] = &[
        (Self::Recall, "recall", Scale::Share, "Mean recall of the searches that were not cancelled."),
        (Self::LatencyP50, "latency_p50", Scale::Span, "Median time from a search's start to its end."),
        (Self::LatencyP95, "latency_p95", Scale::Span, "95th percentile of a search's time."),
        (Self::LatencyP99, "latency_p99", Scale::Span, "99th percentile of a search's time."),
        (Self::LatencyMax, "latency_max", Scale::Span, "The longest time that a search took."),
        (Self::RequestsPerSearch, "requests_per_search", Scale::Number, "Mean requests a search."),
        (Self::Searches, "searches", Scale::Number, "Searches started."),
        (Self::Complete, "complete", Scale::Count, "Searches that ended complete: a count, or a percentage."),
        (Self::Enough, "enough", Scale::Count, "Searches whose limit was reached: a count, or a percentage."),
        (Self::Partial, "partial", Scale::Count, "Searches that ended partial: a count, or a percentage."),
        (Self::Failed, "failed", Scale::Count, "Searches that failed: a count, or a percentage."),
        (
            Self::Cancelled,
            "cancelled",
            Scale::Count,
            "Searches given up by their caller: a count, or a percentage.",
        ),
        (
            Self::GetsRight,
            "gets_right",
            Scale::Count,
            "Gets and version lists answered truly: a count, or a percentage.",
        ),
        (
            Self::Published,
            "published",
            Scale::Number,
            "Publications and yanks acknowledged by at least one peer.",
        ),
        (Self::MalformedSent, "malformed_sent", Scale::Number, "Ill-made things that peers sent."),
        (Self::MalformedRejected, "malformed_rejected", Scale::Number, "Ill-made things that were refused."),
        (
            Self::MalformedDelivered,
            "malformed_delivered",
            Scale::Number,
            "Ill-made things that reached a caller.",
        ),
        (Self::Equivocations, "equivocations", Scale::Number, "Releases with proof of equivocation."),
        (
            Self::RollbacksRefused,
            "rollbacks_refused",
            Scale::Number,
            "Older release lists that were refused.",
        ),
        (
            Self::FoundAgain,
            "found_again",
            Scale::Number,
            "Releases that registries were owed by [liveness] and found in time, each registry's counted.",
        ),
    ];

    /// The measure that this key names.
    pub fn of(key: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name, ..)| *name == key).map(|(measure, ..)| *measure)
    }

    /// Its key in `[expect]`.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(measure, ..)| *measure == self).map_or("", |(_, name, ..)| name)
    }

    /// What it is counted in.
    pub fn scale(self) -> Scale {
        Self::ALL
            .iter()
            .find(|(measure, ..)| *measure == self)
            .map_or(Scale::Number, |(_, _, scale, _)| *scale)
    }
}

/// How a measured value must stand to its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparator {
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `<`
    Below,
    /// `==`
    Equal,
}

/// A value, measured or wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// A plain number: `3`, `0.99`.
    Number(f64),
    /// A share of all, 0 to 1: `99%`.
    Percent(f64),
    /// A duration: `2s`.
    Span(Duration),
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            // The product is rounded so that 0.07 reads 7%, which is read as 0.07 again.
            Self::Percent(share) => write!(f, "{}%", libm::round(share * 1e8) / 1e6),
            Self::Span(span) => Span(*span).fmt(f),
        }
    }
}

/// A comparison: `>= 0.99`, `<= 2s`, `== 0`, `>= 90%`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Comparison {
    /// How.
    pub comparator: Comparator,
    /// With what.
    pub bound: Amount,
}

impl Comparison {
    /// What a comparison looks like.
    pub const WANTED: &'static str =
        "a comparison (>=, <=, >, <, ==) such as \">= 0.99\", \"<= 2s\" or \"== 0\"";

    /// Whether this scale can be compared so.
    pub fn fits(&self, scale: Scale) -> bool {
        match (scale, self.bound) {
            (Scale::Share, Amount::Number(share)) => (0.0..=1.0).contains(&share),
            (Scale::Share | Scale::Count, Amount::Percent(_))
            | (Scale::Span, Amount::Span(_))
            | (Scale::Number | Scale::Count, Amount::Number(_)) => true,
            _ => false,
        }
    }

    /// Whether `number` of `all` stands so. `all` is used only when the bound is a percentage; a share of
    /// nothing is zero. A number is never so with a span.
    pub fn number(&self, number: f64, all: f64) -> bool {
        match self.bound {
            Amount::Number(bound) => self.hold(number, bound),
            Amount::Percent(bound) => self.hold(if all > 0.0 { number / all } else { 0.0 }, bound),
            Amount::Span(_) => false,
        }
    }

    /// Whether `span` stands so.
    pub fn span(&self, span: Duration) -> bool {
        match self.bound {
            Amount::Span(bound) => self.hold(span.as_nanos(), bound.as_nanos()),
            Amount::Number(_) | Amount::Percent(_) => false,
        }
    }

    fn hold<T: PartialOrd>(&self, got: T, bound: T) -> bool {
        match self.comparator {
            Comparator::AtLeast => got >= bound,
            Comparator::AtMost => got <= bound,
            Comparator::Above => got > bound,
            Comparator::Below => got < bound,
            Comparator::Equal => got == bound,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.comparator {
            Comparator::AtLeast => ">=",
            Comparator::AtMost => "<=",
            Comparator::Above => ">",
            Comparator::Below => "<",
            Comparator::Equal => "==",
        };
        write!(f, "{sign} {}", self.bound)
    }
}

impl FromStr for Comparison {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let wrong = || UnitError {
            wanted: Self::WANTED,
            found: format!("{:?}", text.chars().take(60).collect::<String>()),
        };
        let signs = [
            (">=", Comparator::AtLeast),
            ("<=", Comparator::AtMost),
            ("==", Comparator::Equal),
            (">", Comparator::Above),
            ("<", Comparator::Below),
        ];
        let text = text.trim();
        let (comparator, rest) = signs
            .into_iter()
            .find_map(|(sign, comparator)| Some((comparator, text.strip_prefix(sign)?)))
            .ok_or_else(wrong)?;
        let rest = rest.trim();
        let number = |text: &str| {
            let plain = text.bytes().all(|c| c.is_ascii_digit() || c == b'.');
            text.parse::<f64>().ok().filter(|number| plain && number.is_finite())
        };
        let bound = if let Some(percent) = rest.strip_suffix('%') {
            let share = number(percent.trim_end()).ok_or_else(wrong)? / 100.0;
            if share > 1.0 {
                return Err(wrong());
            }
            Amount::Percent(share)
        } else if let Some(number) = number(rest) {
            Amount::Number(number)
        } else {
            Amount::Span(rest.parse::<Span>().map_err(|_| wrong())?.0)
        };
        Ok(Self { comparator, bound })
    }
}

impl TryFrom<String> for Comparison {
    type Error = UnitError;

    fn try_from(text: String) -> Result<Self, UnitError> {
        text.parse()
    }
}

impl From<Comparison> for String {
    fn from(comparison: Comparison) -> Self {
        comparison.to_string()
    }
}

/// One expectation of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// What is measured.
    pub measure: Measure,
    /// What is wanted of it.
    pub wanted: Comparison,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(text: &str) -> Comparison {
        text.parse().unwrap()
    }

    #[test]
    fn comparisons_compare() {
        assert!(wanted(">= 0.99").number(0.99, 0.0) && !wanted(">= 0.99").number(0.98, 0.0));
        assert!(wanted("< 3").number(2.0, 0.0) && !wanted("< 3").number(3.0, 0.0));
        assert!(wanted("> 3").number(3.5, 0.0) && !wanted("> 3").number(3.0, 0.0));
        assert!(wanted("== 0").number(0.0, 9.0) && !wanted("== 0").number(1.0, 9.0));
        assert!(wanted(">= 90%").number(9.0, 10.0) && !wanted(">= 90%").number(8.0, 10.0));
        assert!(!wanted(">= 90%").number(0.0, 0.0));
        assert!(
            wanted("<= 2s").span(Duration::from_secs(2))
                && !wanted("<= 2s").span(Duration::from_millis(2001))
        );
        assert!(!wanted("<= 2s").number(1.0, 1.0) && !wanted("<= 2").span(Duration::ZERO));
    }

    #[test]
    fn what_is_no_comparison_is_refused() {
        for bad in ["", "0.99", ">=", ">= x", "=> 1", ">= -1", ">= 101%", ">= inf", "!= 2", ">= 1 2"] {
            assert!(bad.parse::<Comparison>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for text in [">= 0.99", "<= 2s", "== 0", "> 1", "< 250ms", ">= 7%", ">= 99.9%"] {
            assert_eq!(wanted(text).to_string(), text);
            assert_eq!(wanted(&wanted(text).to_string()), wanted(text));
        }
    }

    #[test]
    fn each_measure_has_its_key_and_scale() {
        for (measure, name, scale, _) in Measure::ALL {
            assert_eq!(Measure::of(name), Some(*measure));
            assert_eq!((measure.name(), measure.scale()), (*name, *scale));
            let json = serde_json::to_string(measure).unwrap();
            assert_eq!(json, format!("\"{name}\""), "a plan and a scenario name it alike");
        }
        assert!(!wanted("<= 2").fits(Scale::Span) && !wanted("<= 2s").fits(Scale::Number));
        assert!(!wanted(">= 2").fits(Scale::Share) && wanted(">= 99%").fits(Scale::Share));
    }
}
