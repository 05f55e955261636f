//! The judge: whether the model tells the truth.
//!
//! The same scenarios and seeds are run on the model, on real swarms in virtual time, and, where it is asked for, on
//! loopback sockets. Real libp2p over the same links is the truth here; where the model differs, the model is wrong.
//!
//! # What is held
//!
//! - Each virtual run is made in two processes, which must come to one hash.
//! - The verdict of each seed is the same on the model.
//! - The means over all seeds of hops, messages, and median and 95th percentile of the latency lie within
//!   [`QUIET`] of the truth in scenarios without faults, and within [`FAULTY`] in those with them.
//!
//! Everything else in the table is told and not held: outcomes, what was found, dials, what a message costs. Sockets
//! have no profile's delays, so of them only verdicts, outcomes and what was found can be compared.
//!
//! # Order
//!
//! [`judge`] is the command. [`drive`] makes the runs and fills one [`Row`] a scenario; [`table`] shows them; [`Row::wrongs`] says what does
//! not hold.

mod command;
mod compare;
mod drive;
mod measure;
mod table;

pub use command::{JudgeArgs, judge};
pub use compare::{FAULTY, Pair, QUIET, Row, Wrong};
pub use drive::{Asked, JudgeError, drive};
pub use measure::Measure;
pub use table::{markdown, text};
