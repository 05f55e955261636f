//! The token that a node wants to see before it publishes or yanks.

use core::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The most bytes of a token, and of its file.
const MOST: usize = 4096;

/// A node's token. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// There is no token to show.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file is not there.
    #[error(
        "{}: there is no token here; a node keeps it in its data folder as `token`: name that file with \
         --token-file, or the token itself in SWARMPROOF_TOKEN",
        path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("{}: the token cannot be read: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// In the system's words.
        cause: io::Error,
    },
    /// It is no token. Its text is not shown.
    #[error("{place}: not a token: it should be one line of visible characters, found {found}")]
    Malformed {
        /// The file, or the variable.
        place: String,
        /// What was found, in words that do not tell it.
        found: &'static str,
    },
}

impl Token {
    /// The token in this text; `place` says in an error where it came from. White space around it is no part of it.
    pub fn read(text: &str, place: &str) -> Result<Self, TokenError> {
        let wrong = |found| Err(TokenError::Malformed { place: place.to_owned(), found });
        let token = text.trim();
        match () {
            () if token.is_empty() => wrong("nothing"),
            () if token.len() > MOST => wrong("more than 4096 bytes"),
            () if token.bytes().all(|it| it.is_ascii_graphic()) => Ok(Self(token.to_owned())),
            () => wrong("other characters"),
        }
    }

    /// The token in this file.
    pub fn from_file(path: &Path) -> Result<Self, TokenError> {
        let failed = |cause: io::Error| match cause.kind() {
            io::ErrorKind::NotFound => TokenError::Missing { path: path.to_owned() },
            _ => TokenError::Unreadable { path: path.to_owned(), cause },
        };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(failed)?;
        file.take(MOST as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
        Self::read(&String::from_utf8_lossy(&bytes), &path.display().to_string())
    }

    /// What stands in the header of a request.
    pub(super) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}
