//! A peer-to-peer package registry, and the deterministic simulator that proves it.
//!
//! Two towers stand on [`time`]. The **network tower** carries bytes and knows no package: [`network`] is
//! the seam, [`store`] and [`testbed`] stand beside it, [`sim`] is a seeded world of peers in virtual time
//! and `net` a libp2p swarm, and [`conformance`] holds both to one contract. The **registry tower** knows
//! packages and no socket: [`package`] and [`record`] say what is published and how it proves itself,
//! [`message`] what registries ask one another, [`engine`] collects what comes back, and [`registry`] is
//! one node's packages on any network. A service takes it ready-made from `embed`; `node` is such a service as
//! a process, `client` asks it, and `api` is what they say to each other. The towers meet in [`scenario`], where plans
//! drive whole registries on a network and the checks of [`oracle`] compare what came with what is true. The command
//! line stands on all of it: `cli`. What of this needs no registry, [`harness`] gives to any application on a `Network`.
//!
//! # Features
//!
//! `net` (libp2p), `disk` (a store in a file), `node` (a node with HTTP, and what asks it), `sim` (simulator,
//! oracles, scenarios) and `cli` (the command line), all on by default; the library builds with any subset.

#[cfg(feature = "node")]
pub mod api;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "node")]
pub mod client;
pub mod conformance;
#[cfg(feature = "net")]
pub mod embed;
pub mod engine;
#[cfg(feature = "sim")]
pub mod harness;
pub mod message;
#[cfg(feature = "net")]
pub mod net;
pub mod network;
#[cfg(feature = "node")]
pub mod node;
#[cfg(feature = "sim")]
pub mod oracle;
pub mod package;
pub mod probe;
pub mod record;
pub mod registry;
#[cfg(feature = "sim")]
pub mod scenario;
#[cfg(feature = "sim")]
pub mod sim;
pub mod store;
pub mod testbed;
pub mod time;

/// The README's code, compiled as a test.
#[cfg(all(doctest, feature = "net"))]
#[doc = include_str!("../README.md")]
mod readme {}

/// The chapter on the harness: its program, compiled and run as a test.
#[cfg(all(doctest, feature = "sim"))]
#[doc = include_str!("../HARNESS.md")]
mod chapter {}
