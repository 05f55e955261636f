//! Files with secrets: made for this user alone, whole or not at all, and never shown.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use super::error::{DataError, NodeError};

/// The most bytes of a file with a secret.
const MOST: u64 = 4096;

/// A file for this user alone, from the moment it exists.
pub(super) fn new_file(path: &Path, only_new: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).create_new(only_new);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// What is in the file `path` as `read` understands it, made by `draw` when there is no such file.
pub(super) fn secret<T>(
    path: &Path,
    draw: impl FnOnce() -> io::Result<Vec<u8>>,
    read: impl FnOnce(&[u8]) -> Result<T, BadSecret>,
) -> Result<T, NodeError> {
    let (understood, drawn) = found_or_drawn(path, draw, read)?;
    if let Some(bytes) = drawn {
        keep(path, &bytes).map_err(DataError::unusable(path))?;
    }
    Ok(understood)
}

/// The same, but what was drawn is not written: its bytes are given too.
pub(super) fn found_or_drawn<T>(
    path: &Path,
    draw: impl FnOnce() -> io::Result<Vec<u8>>,
    read: impl FnOnce(&[u8]) -> Result<T, BadSecret>,
) -> Result<(T, Option<Vec<u8>>), NodeError> {
    let (bytes, new) = match File::open(path) {
        Ok(file) => (take(path, file)?, false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            (draw().map_err(|cause| NodeError::System { what: "no random numbers", cause })?, true)
        }
        Err(cause) => return Err(DataError::Unusable { path: path.to_owned(), cause }.into()),
    };
    let understood = read(&bytes).map_err(|BadSecret { found, wanted }| DataError::BadSecret {
        path: path.to_owned(),
        found,
        wanted,
    })?;
    Ok((understood, new.then_some(bytes)))
}

fn take(path: &Path, file: File) -> Result<Vec<u8>, DataError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata().map_err(DataError::unusable(path))?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(DataError::Exposed { path: path.to_owned(), mode });
        }
    }
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes).map_err(DataError::unusable(path))?;
    Ok(bytes)
}

/// Write a new file so that it is there whole or not at all, whenever the machine stops.
pub(super) fn keep(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let half = path.with_extension("new");
    // What an earlier life left half-written was never used.
    match fs::remove_file(&half) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = new_file(&half, true)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&half, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// A secret is not what it should be. Says nothing of its bytes.
#[derive(Debug)]
pub(super) struct BadSecret {
    /// How many bytes were found.
    pub(super) found: usize,
    /// What would be right.
    pub(super) wanted: &'static str,
}

impl BadSecret {
    pub(super) fn of(bytes: &[u8], wanted: &'static str) -> Self {
        Self { found: bytes.len(), wanted }
    }
}

/// 32 bytes from the system's entropy.
#[expect(
    clippy::disallowed_methods,
    reason = "keys and seeds of a node must not be guessed; no run reads this"
)]
pub(super) fn random() -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}
