//! What an operator runs: a registry on the swarm with a data folder, an HTTP interface, metrics and a log.
//!
//! [`Node::start`] brings one up inside a tokio runtime of the caller's, [`Node::stop`] takes it down; [`run`] does both,
//! with a runtime of its own, until a signal comes. What a node is told to do is a [`NodeConfig`], made of
//! [`Flags`], a file and defaults.
//!
//! # What it promises
//!
//! - A start that fails changes nothing that was kept, and says which file or address it failed at, and what
//!   to do. Two nodes never work on one data folder.
//! - Secrets are for this user alone from the moment they exist, and stand in no log and no `Debug`.
//! - What was acknowledged to a publisher is durable, also when the process is killed.
//! - On SIGTERM or SIGINT no connection is taken any more, queries in flight end with what they have, what was
//!   learned is made durable, and the process ends with 0. A second signal ends it at once, with 130.
//! - HTTP is served beyond this machine only when that is asked for.

mod config;
mod config_file;
mod data;
mod error;
mod http;
mod keep;
mod logs;
mod metrics;
mod ports;
mod run;
mod secret;
mod settings;
mod token;
mod up;
mod watch;

pub use config::{DEFAULT_PORT, Flags, NodeConfig};
pub use data::{default_data_folder, token_file};
pub use error::{ConfigError, DataError, NodeError};
pub use run::run;
pub use settings::{LogFormat, NodeLimits};
pub use up::Node;
