//! The node as an operator runs it: real processes, real sockets, real files, and what goes wrong with them.
//!
//! Each test has its own folders and free ports, so they run side by side. Nothing waits without a deadline.

#![cfg(all(feature = "node", feature = "cli", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stderr, reason = "what was measured is told to whoever asks with --nocapture")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "processes, sockets and files live by the real clock and in real threads"
)]

#[path = "node/bad_input.rs"]
mod bad_input;
#[path = "node/crash.rs"]
mod crash;
#[path = "node/flood.rs"]
mod flood;
#[path = "node/http.rs"]
mod http;
#[path = "node/peer.rs"]
mod peer;
#[path = "node/process.rs"]
mod process;
#[path = "node/reach.rs"]
mod reach;
#[path = "node/stop.rs"]
mod stop;
#[path = "node/swarm.rs"]
mod swarm;
