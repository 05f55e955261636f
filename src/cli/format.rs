//! For whom output is written.

use clap::ValueEnum;

/// How something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people: lines and tables
    Text,
    /// For programs: one JSON object a line
    Json,
}
