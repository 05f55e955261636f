//! What came of a run.

use crate::scenario::report::RunReport;

/// What came of a run.
#[derive(Debug)]
pub(crate) enum Ran {
    /// It ended, and this is its report.
    Ended(Box<RunReport>),
    /// It broke, for this cause.
    Broke(String),
    /// It was not begun, or not brought to its end, because of a signal.
    Stopped,
}

/// What came of the same run in another process.
#[derive(Debug)]
pub(crate) enum Second {
    /// Its trace hash.
    Hash(String),
    /// It did not come to its end; a cause, where one is known.
    Broke(Option<String>),
}
