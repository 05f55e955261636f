//! Why a node did not start, or did not go on.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::registry::RegistryError;

/// Why a node did not start, or did not go on. Nothing that was kept is changed in any of these cases.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// What it was told to do cannot be done: flags, or the file of its configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data folder cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The network could not be set up: an address that cannot be listened on, most often.
    #[error("{0}")]
    Network(String),
    /// The HTTP interface cannot be served at its address.
    #[error("cannot serve HTTP on {address}: {cause}; {}", port_advice(.cause, "--http"))]
    Http {
        /// Where.
        address: SocketAddr,
        /// In the system's words.
        cause: io::Error,
    },
    /// The registry refused what is stored, or its settings.
    #[error("{0}")]
    Registry(#[from] RegistryError),
    /// The system does not give what a node needs: threads, timers, signals, random numbers.
    #[error("{what}: {cause}")]
    System {
        /// What.
        what: &'static str,
        /// In the system's words.
        cause: io::Error,
    },
    /// A part of the node ended that should not have.
    #[error("the node broke: {0}")]
    Broke(String),
}

impl NodeError {
    /// Whether whoever started it asked for something that cannot be: wrong usage, or a bad file.
    pub const fn is_usage(&self) -> bool {
        matches!(self, Self::Config(_))
    }
}

/// What to do about an address that cannot be listened on.
pub(super) fn port_advice(cause: &io::Error, flag: &str) -> String {
    match cause.kind() {
        io::ErrorKind::AddrInUse => format!(
            "another program, perhaps another node, uses this port: stop it, or choose another with {flag}"
        ),
        io::ErrorKind::PermissionDenied => {
            format!("this port is not for everyone: choose one above 1023 with {flag}")
        }
        io::ErrorKind::AddrNotAvailable => {
            format!("this machine does not have that address: choose one of its own with {flag}")
        }
        _ => format!("choose another address with {flag}"),
    }
}

/// The configuration cannot be used: where, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ConfigError {
    /// A flag such as `--listen`, or the place in a file: `node.toml:3:1`.
    pub place: String,
    /// What was found, and what would be right.
    pub problem: String,
}

impl ConfigError {
    pub(super) fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }
}

/// The data folder cannot be used. Each message names the file and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// There is no folder to be taken by default.
    #[error("no data folder: neither XDG_DATA_HOME nor HOME is set; name one with --data DIR")]
    NoFolder,
    /// The folder cannot be made, read or written.
    #[error("{}: {cause}; make it a folder that this user may write, or name another with --data DIR", path.display())]
    Unusable {
        /// The folder, or the file in it.
        path: PathBuf,
        /// In the system's words.
        cause: io::Error,
    },
    /// Another process works on the folder.
    #[error("{}: another node is using this folder; stop it, or name another folder with --data DIR", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// A secret that others may read.
    #[error(
        "{}: others may read this secret (mode {mode:04o}); `chmod 600` it if nobody has, or else move it away: a new one is made then",
        path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A secret that is none.
    #[error(
        "{}: these {found} bytes are not {wanted}; put a copy of it back, or move it away: a new one is made \
         then, which nobody knows yet",
        path.display()
    )]
    BadSecret {
        /// The file.
        path: PathBuf,
        /// How many bytes are in it.
        found: usize,
        /// What would be right.
        wanted: &'static str,
    },
    /// The database cannot be opened, in its own words, which name the file and say what to do.
    #[error("{0}")]
    Database(String),
}

impl DataError {
    /// An error of the system's at `path`.
    pub(super) fn unusable(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        |cause| Self::Unusable { path: path.to_owned(), cause }
    }
}
