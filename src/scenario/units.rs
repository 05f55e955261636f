//! Quantities with their units, as a scenario and a plan write them: read and written exactly.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Text is not the quantity that it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {wanted}, found {found}")]
pub struct UnitError {
    /// What would be right, with an example.
    pub wanted: &'static str,
    /// What was found, cut to 60 characters.
    pub found: String,
}

fn wrong(wanted: &'static str, found: &str) -> UnitError {
    let mut cut: String = found.chars().take(60).collect();
    if cut.len() < found.len() {
        cut.push('…');
    }
    UnitError { wanted, found: format!("{cut:?}") }
}

/// The number at the head of `text` in 10^-9ths, and what follows it.
fn decimal(text: &str) -> Option<(u128, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || part.is_empty() || whole.len() > 20 || part.len() > 9 {
        return None;
    }
    let whole: u128 = whole.parse().ok()?;
    let scale = 10u128.pow(9 - u32::try_from(part.len()).ok()?);
    let part: u128 = part.parse().ok()?;
    Some((whole * 1_000_000_000 + part * scale, rest))
}

/// A span of time: `10m`, `250ms`, `1.5s`. Units are h, m, s, ms, us and ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(pub Duration);

impl Span {
    /// What a span looks like.
    pub const WANTED: &'static str = "a duration with its unit (h, m, s, ms, us, ns), such as \"250ms\"";

    /// This long after the start of a run.
    pub fn at(self) -> Timestamp {
        Timestamp::ZERO.after(self.0)
    }

    /// A span of whole seconds.
    pub const fn secs(secs: u64) -> Self {
        Self(Duration::from_secs(secs))
    }

    /// A span of whole milliseconds.
    pub const fn millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }
}

impl FromStr for Span {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let bad = || wrong(Self::WANTED, text);
        let (number, unit) = decimal(text).ok_or_else(bad)?;
        let nanos: u128 = match unit {
            "h" => 3_600_000_000_000,
            "m" => 60_000_000_000,
            "s" => 1_000_000_000,
            "ms" => 1_000_000,
            "us" => 1_000,
            "ns" => 1,
            _ => return Err(bad()),
        };
        let product = number.checked_mul(nanos).ok_or_else(bad)?;
        if product % 1_000_000_000 != 0 {
            return Err(bad());
        }
        let nanos = u64::try_from(product / 1_000_000_000).map_err(|_| bad())?;
        Ok(Self(Duration::from_nanos(nanos)))
    }
}

impl fmt::Display for Span {
    /// The largest unit that it is a whole number of, or seconds with decimals. Read back it is the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let whole = |unit: u128| nanos.is_multiple_of(unit);
        if nanos == 0 {
            f.write_str("0s")
        } else if whole(3_600_000_000_000) {
            write!(f, "{}h", nanos / 3_600_000_000_000)
        } else if whole(60_000_000_000) {
            write!(f, "{}m", nanos / 60_000_000_000)
        } else if whole(1_000_000_000) {
            write!(f, "{}s", nanos / 1_000_000_000)
        } else if nanos < 1_000_000_000 && whole(1_000_000) {
            write!(f, "{}ms", nanos / 1_000_000)
        } else if nanos < 1_000_000 && whole(1_000) {
            write!(f, "{}us", nanos / 1_000)
        } else if nanos < 1_000 {
            write!(f, "{nanos}ns")
        } else {
            let decimals = format!("{:09}", nanos % 1_000_000_000);
            write!(f, "{}.{}s", nanos / 1_000_000_000, decimals.trim_end_matches('0'))
        }
    }
}

/// How often: `2/s`, `10/m`, `0.5/s`, `3/h`. Held as events a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Rate(pub f64);

impl Rate {
    /// What a rate looks like.
    pub const WANTED: &'static str = "a rate with its unit (/s, /m, /h), such as \"2/s\"";
}

impl FromStr for Rate {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let bad = || wrong(Self::WANTED, text);
        let (count, unit) = text.split_once('/').ok_or_else(bad)?;
        let count: f64 = match count.bytes().all(|c| c.is_ascii_digit() || b".eE+-".contains(&c)) {
            true => count.parse().map_err(|_| bad())?,
            false => return Err(bad()),
        };
        let seconds = match unit {
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(bad()),
        };
        if count.is_finite() { Ok(Self(count / seconds)) } else { Err(bad()) }
    }
}

/// How large: `64KiB`, `500B`, `1MiB`, `2GiB`. Held as bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl Size {
    /// What a size looks like.
    pub const WANTED: &'static str = "a size with its unit (B, KiB, MiB, GiB), such as \"64KiB\"";
}

impl FromStr for Size {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let bad = || wrong(Self::WANTED, text);
        let (number, unit) = decimal(text).ok_or_else(bad)?;
        let bytes: u128 = match unit {
            "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err(bad()),
        };
        let product = number.checked_mul(bytes).ok_or_else(bad)?;
        if product % 1_000_000_000 != 0 {
            return Err(bad());
        }
        Ok(Self(u64::try_from(product / 1_000_000_000).map_err(|_| bad())?))
    }
}

impl fmt::Display for Size {
    /// The largest unit that it is a whole number of.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        match units.into_iter().find(|(unit, _)| self.0 != 0 && self.0.is_multiple_of(*unit)) {
            Some((unit, name)) => write!(f, "{}{name}", self.0 / unit),
            None => write!(f, "{}B", self.0),
        }
    }
}

/// A half-open range of seeds or node numbers: `0..20`, or a single `7`.
pub(crate) fn range(text: &str) -> Option<(u64, u64)> {
    let number = |part: &str| match part.bytes().all(|c| c.is_ascii_digit()) {
        true => part.parse::<u64>().ok(),
        false => None,
    };
    match text.split_once("..") {
        Some((from, to)) => Some((number(from)?, number(to)?)).filter(|(from, to)| from < to),
        None => {
            let one = number(text)?;
            Some((one, one.checked_add(1)?))
        }
    }
}

/// Seeds: `"0..20"`, `7`, `[1, 5, 9]` or `"0..4, 9"`. At most [`Seeds::MOST`] of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seeds(pub Vec<u64>);

impl Seeds {
    /// The most seeds that one file may name.
    pub const MOST: u64 = 1_000_000;
    /// What seeds look like.
    pub const WANTED: &'static str =
        "seeds: a range such as \"0..20\", a number, or a list of numbers; at most 1000000 of them";
}

impl FromStr for Seeds {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let mut seeds = Vec::new();
        for part in text.split(',') {
            let (from, to) = range(part.trim()).ok_or_else(|| wrong(Self::WANTED, text))?;
            if (to - from).saturating_add(seeds.len() as u64) > Self::MOST {
                return Err(wrong(Self::WANTED, text));
            }
            seeds.extend(from..to);
        }
        Ok(Self(seeds))
    }
}

macro_rules! as_text {
    ($kind:ty) => {
        impl TryFrom<String> for $kind {
            type Error = UnitError;

            fn try_from(text: String) -> Result<Self, UnitError> {
                text.parse()
            }
        }

        impl From<$kind> for String {
            fn from(value: $kind) -> Self {
                value.to_string()
            }
        }
    };
}
as_text!(Span);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_are_read_with_their_units() {
        for (text, nanos) in [
            ("10m", 600_000_000_000),
            ("250ms", 250_000_000),
            ("1.5s", 1_500_000_000),
            ("1h", 3_600_000_000_000),
            ("7us", 7_000),
            ("0s", 0),
        ] {
            assert_eq!(text.parse::<Span>(), Ok(Span(Duration::from_nanos(nanos))), "{text}");
        }
        for text in ["10", "", "m", "-5s", "5 s", "1e3s", "5sec", ".5s", "5.s", "0.1ns", "99999999999h"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn rates_sizes_and_seeds_are_read_with_their_units() {
        assert_eq!("2/s".parse(), Ok(Rate(2.0)));
        assert_eq!("30/m".parse(), Ok(Rate(0.5)));
        assert_eq!("1e12/s".parse(), Ok(Rate(1e12)));
        assert!("2".parse::<Rate>().is_err() && "inf/s".parse::<Rate>().is_err());
        assert_eq!("64KiB".parse(), Ok(Size(65_536)));
        assert_eq!("1.5KiB".parse(), Ok(Size(1536)));
        assert!("64KB".parse::<Size>().is_err() && "64".parse::<Size>().is_err());
        assert_eq!("0..3, 9".parse(), Ok(Seeds(vec![0, 1, 2, 9])));
        for text in ["3..3", "5..1", "0..99999999999", "a", "", "0..4,,5", "-1"] {
            assert!(text.parse::<Seeds>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_a_span_or_size_writes_it_reads_back(n in any::<u64>()) {
            let span = Span(Duration::from_nanos(n));
            prop_assert_eq!(span.to_string().parse(), Ok(span));
            let size = Size(n);
            prop_assert_eq!(size.to_string().parse(), Ok(size));
        }

        #[test]
        fn no_text_makes_a_parser_panic(text in ".{0,40}") {
            let _ = (text.parse::<Span>(), text.parse::<Rate>(), text.parse::<Size>(), text.parse::<Seeds>());
        }
    }
}
