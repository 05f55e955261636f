//! What a run tells: the [`RunReport`] that programs read, and its text for people.
//!
//! A report is made once, when its run has ended, and not changed but for two fields: `wall_ms`, which is
//! set by whoever has a clock (a run has none), and `replay`, set by whoever knows the command. Everything
//! else in it is the same for the same plan, on any machine; [`stable`] writes just that, for snapshots.

mod columns;
mod latency;
mod parting;
mod results;
mod shape;
mod table;
mod text;

pub use columns::{side_by_side, words};
pub use latency::Latency;
pub(crate) use latency::{millis, rank};
pub use parting::{Compared, Parting, compare_traces};
pub use results::{Ending, Refused, Results, Told};
pub use shape::{Endings, Expectation, Malformed, Publishes, RunReport, Traffic, Verdict, Violation};
pub use table::{Align, Table};
pub use text::{Paint, Tone, failure, line, plain, reasons, stable, summary};
pub(crate) use text::{grouped, span};

#[cfg(test)]
mod tests;
