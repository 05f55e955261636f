//! A table of a scenario file as the validator passed it: every key known, every value within its range,
//! defaults filled in, and the place of each kept for what is checked afterwards.

use core::time::Duration;
use std::collections::BTreeMap;

use crate::engine::FanOut;
use crate::scenario::expect::Comparison;

/// One value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Text, or one word of a choice.
    Text(String),
    /// A flag.
    Flag(bool),
    /// A whole number, or bytes.
    Count(u64),
    /// A number, a share, or a rate in events a second.
    Number(f64),
    /// A duration.
    Span(Duration),
    /// Seeds, or a list of whole numbers.
    Counts(Vec<u64>),
    /// A list of words.
    Texts(Vec<String>),
    /// A square of durations.
    Delays(Vec<Vec<Duration>>),
    /// A comparison.
    Compare(Comparison),
    /// A table.
    Table(Table),
    /// A list of tables.
    Tables(Vec<Table>),
}

/// A value and the byte where it begins.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Where it begins; where its table begins for a default.
    pub(crate) offset: usize,
    /// The value.
    pub(crate) value: Value,
}

/// A table. The getters are for keys that are required or have a default; for a key that is not there
/// they give nothing: zero, the empty text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// Where it begins.
    pub(crate) offset: usize,
    /// What is in it.
    pub(crate) entries: BTreeMap<&'static str, Entry>,
}

impl Table {
    fn get(&self, key: &str) -> Option<&Value> {
        self.entries.get(key).map(|entry| &entry.value)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Where this key's value begins, or else the table.
    pub(crate) fn place(&self, key: &str) -> usize {
        self.entries.get(key).map_or(self.offset, |entry| entry.offset)
    }

    pub(crate) fn text_of(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.text_of(key).unwrap_or_default()
    }

    pub(crate) fn flag_of(&self, key: &str) -> Option<bool> {
        match self.get(key) {
            Some(Value::Flag(flag)) => Some(*flag),
            _ => None,
        }
    }

    pub(crate) fn count_of(&self, key: &str) -> Option<u64> {
        match self.get(key) {
            Some(Value::Count(count)) => Some(*count),
            _ => None,
        }
    }

    /// Of a strategy of fan-out: a number, or a name.
    pub(crate) fn fan_out(&self, key: &str) -> Option<FanOut> {
        match self.get(key)? {
            Value::Count(count) => Some(FanOut::Fixed(u16::try_from(*count).unwrap_or(u16::MAX))),
            Value::Text(name) => FanOut::named(name),
            _ => None,
        }
    }

    pub(crate) fn count(&self, key: &str) -> u64 {
        self.count_of(key).unwrap_or_default()
    }

    /// A whole number whose declared range is within `u32`.
    pub(crate) fn small(&self, key: &str) -> u32 {
        u32::try_from(self.count(key)).unwrap_or(u32::MAX)
    }

    pub(crate) fn number_of(&self, key: &str) -> Option<f64> {
        match self.get(key) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn number(&self, key: &str) -> f64 {
        self.number_of(key).unwrap_or_default()
    }

    pub(crate) fn span_of(&self, key: &str) -> Option<Duration> {
        match self.get(key) {
            Some(Value::Span(span)) => Some(*span),
            _ => None,
        }
    }

    pub(crate) fn span(&self, key: &str) -> Duration {
        self.span_of(key).unwrap_or_default()
    }

    pub(crate) fn counts(&self, key: &str) -> &[u64] {
        match self.get(key) {
            Some(Value::Counts(counts)) => counts,
            _ => &[],
        }
    }

    pub(crate) fn texts(&self, key: &str) -> &[String] {
        match self.get(key) {
            Some(Value::Texts(texts)) => texts,
            _ => &[],
        }
    }

    pub(crate) fn delays(&self, key: &str) -> &[Vec<Duration>] {
        match self.get(key) {
            Some(Value::Delays(delays)) => delays,
            _ => &[],
        }
    }

    pub(crate) fn compare(&self, key: &str) -> Option<Comparison> {
        match self.get(key) {
            Some(Value::Compare(comparison)) => Some(*comparison),
            _ => None,
        }
    }

    pub(crate) fn table(&self, key: &str) -> Option<&Table> {
        match self.get(key) {
            Some(Value::Table(table)) => Some(table),
            _ => None,
        }
    }

    pub(crate) fn tables(&self, key: &str) -> &[Table] {
        match self.get(key) {
            Some(Value::Tables(tables)) => tables,
            _ => &[],
        }
    }
}
