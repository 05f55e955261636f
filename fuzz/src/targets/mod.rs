//! What holds for whatever bytes come: one module a target, each with a `run` that panics when it does not.
//!
//! libFuzzer runs them with what it finds (`fuzz/run`); the test `tests/fuzz.rs` with the corpus and with seeded
//! changes of it, so they are kept also where nobody fuzzes. Nothing here knows who runs it.

#![allow(dead_code, unreachable_pub, reason = "each program uses some of the targets")]

pub mod engine;
pub mod message;
pub mod plan;
pub mod record;
pub mod samples;
pub mod scenario;

/// A target: panics when something does not hold for these bytes.
pub type Target = fn(&[u8]);

/// Every target, by name.
pub const ALL: [(&str, Target); 5] = [
    ("record", record::run),
    ("message", message::run),
    ("scenario", scenario::run),
    ("plan", plan::run),
    ("engine", engine::run),
];
