//! Real nodes on real wires: what the contract of `network/` does not say, because it is about libp2p.

#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "real nodes live in real time")]
#![allow(clippy::print_stdout, reason = "the flood's figures are worth reading")]

#[path = "net/hand.rs"]
mod hand;

#[path = "net/flood.rs"]
mod flood;
#[path = "net/hostile.rs"]
mod hostile;
#[path = "net/joining.rs"]
mod joining;
#[path = "net/making.rs"]
mod making;
#[path = "net/streams.rs"]
mod streams;
#[path = "net/trips.rs"]
mod trips;
