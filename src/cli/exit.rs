//! How the process ends.

use std::path::PathBuf;
use std::process::ExitCode;

#[cfg(feature = "node")]
use crate::api::ErrorCode;
#[cfg(feature = "node")]
use crate::client::{ClientError, SourceError, TokenError};
#[cfg(feature = "node")]
use crate::node::NodeError;
use crate::scenario::FileError;

/// How it ended, worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    /// All held.
    Held,
    /// An oracle or an expectation failed.
    Failed,
    /// Wrong usage, or a bad file. Nothing was run.
    Refused,
    /// A run broke.
    Broke,
    /// No node answers.
    #[cfg(feature = "node")]
    Unreachable,
    /// It was interrupted; what had finished was reported.
    Interrupted,
}

impl End {
    /// The exit code, as the help states it.
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Held => 0,
            Self::Failed => 1,
            Self::Refused => 2,
            Self::Broke => 3,
            #[cfg(feature = "node")]
            Self::Unreachable => 4,
            Self::Interrupted => 130,
        })
    }
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// Files are not as they should be: all that were found wrong.
    #[error("{}", lines(.0))]
    Files(Vec<FileError>),
    /// A path cannot be read.
    #[error("{}: {cause}", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// In the system's words.
        cause: std::io::Error,
    },
    /// A folder holds nothing to run.
    #[error("{}: no scenario files (*.toml) in this folder", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// Options that do not go together, or with these files.
    #[error("{0}")]
    Usage(String),
    /// cargo could not list the packages, in its words.
    #[error("cargo metadata: {0}")]
    Cargo(String),
    /// A file that should be written cannot be.
    #[error("{}: cannot be written: {cause}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// In the system's words.
        cause: std::io::Error,
    },
    /// The system does not give what a run needs: threads, signals, standard output.
    #[error("{what}: {cause}")]
    System {
        /// What.
        what: &'static str,
        /// In the system's words.
        cause: std::io::Error,
    },
    /// A node did not do what it was asked.
    #[cfg(feature = "node")]
    #[error(transparent)]
    Node(#[from] ClientError),
    /// There is no token to show to a node.
    #[cfg(feature = "node")]
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Files are no manifests: all that were found wrong.
    #[cfg(feature = "node")]
    #[error("{}", lines(.0))]
    Manifests(Vec<SourceError>),
    /// A node did not start, or did not go on.
    #[cfg(feature = "node")]
    #[error(transparent)]
    NotRun(#[from] NodeError),
    /// Whoever read the output has gone away, as `head` does.
    #[error("nobody reads the output any more")]
    Unread,
}

impl Refused {
    /// How the process ends for it.
    pub(crate) fn end(&self) -> End {
        match self {
            Self::System { .. } => End::Broke,
            Self::Unread => End::Interrupted,
            #[cfg(feature = "node")]
            Self::Node(error) => of_node(error),
            #[cfg(feature = "node")]
            Self::NotRun(error) if !error.is_usage() => End::Failed,
            _ => End::Refused,
        }
    }
}

/// How the process ends when a node did not do what it was asked: by whose fault it was.
#[cfg(feature = "node")]
fn of_node(error: &ClientError) -> End {
    match error.code() {
        _ if error.is_unreachable() => End::Unreachable,
        // No token was given.
        None => End::Refused,
        Some(
            ErrorCode::BadRequest
            | ErrorCode::BadQuery
            | ErrorCode::BadName
            | ErrorCode::BadManifest
            | ErrorCode::TooLarge
            | ErrorCode::Unauthorized
            | ErrorCode::Forbidden
            | ErrorCode::NotOwn,
        ) => End::Refused,
        Some(_) => End::Failed,
    }
}

fn lines<E: core::fmt::Display>(errors: &[E]) -> String {
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    texts.join("\n")
}
