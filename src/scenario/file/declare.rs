//! How a scenario file is declared: sections, keys, kinds, units, ranges, defaults.
//!
//! The validator, its messages and the JSON schema all come from these declarations, so none of them can
//! say what the others do not.

use core::time::Duration;

use crate::scenario::expect::Scale;

/// What a key's value is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Text of at most this many bytes, not empty.
    Text {
        /// The limit.
        most: usize,
    },
    /// True or false.
    Flag,
    /// A whole number in this range.
    Count {
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// A whole number in this range, or one of these words.
    CountOr {
        /// The least.
        least: u64,
        /// The most.
        most: u64,
        /// The words.
        words: &'static [&'static str],
    },
    /// A number above zero, at most this.
    Positive {
        /// The most.
        most: f64,
    },
    /// From 0 to 1.
    Share,
    /// A duration with its unit, in this range.
    Span {
        /// The least.
        least: Duration,
        /// The most.
        most: Duration,
    },
    /// A rate with its unit, above zero, at most this many a second.
    Rate {
        /// The most.
        most: f64,
    },
    /// A size with its unit, in this range of bytes.
    Size {
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// Seeds.
    Seeds,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of some of these words, not empty.
    Choices(&'static [&'static str]),
    /// A list of whole numbers, each below the limit.
    Counts {
        /// The limit.
        below: u64,
    },
    /// A square of durations: a list of lists.
    Delays,
    /// A comparison with something on this scale.
    Compare(Scale),
    /// A table.
    Table(&'static Section),
    /// A list of tables.
    Tables(&'static Section),
}

/// Whether a key must be there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    /// It must.
    Required,
    /// It may be left out, and then nothing takes its place.
    Optional,
    /// It may be left out, and then this takes its place, in the words of a file.
    Default(&'static str),
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// Its name.
    pub(crate) name: &'static str,
    /// What its value is.
    pub(crate) kind: Kind,
    /// Whether it must be there.
    pub(crate) need: Need,
    /// What it means.
    pub(crate) doc: &'static str,
}

/// A table: its keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section {
    /// How a message names it: `[network]`.
    pub(crate) name: &'static str,
    /// What it means.
    pub(crate) doc: &'static str,
    /// Its keys.
    pub(crate) keys: &'static [Key],
    /// Keys of which exactly one must be there; empty when there is no such rule.
    pub(crate) one_of: &'static [&'static str],
}

impl Section {
    /// The key of this name.
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// A key that must be there.
pub(crate) const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, need: Need::Required, doc }
}

/// A key that may be left out.
pub(crate) const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, need: Need::Optional, doc }
}

/// A key with a default.
pub(crate) const fn default(name: &'static str, kind: Kind, value: &'static str, doc: &'static str) -> Key {
    Key { name, kind, need: Need::Default(value), doc }
}
