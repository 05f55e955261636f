//! Manifests in files: TOML or JSON, with the digest and the size of the content that they name.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::api::{MAX_MANIFEST, Manifest, ManifestError};
use crate::package::PublisherId;
use crate::time::WallTime;

/// A file is no manifest that could be published. Each names the file, what was found and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file cannot be read: the manifest, or the content that it names.
    #[error("{}: cannot be read: {cause}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// In the system's words.
        cause: io::Error,
    },
    /// The manifest is over its limit.
    #[error("{}: a manifest may have at most {MAX_MANIFEST} bytes, found more", path.display())]
    TooLong {
        /// Which file.
        path: PathBuf,
    },
    /// It is not TOML, not JSON, or has other keys than a manifest.
    #[error("{}:{line}:{column}: {words}", path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        words: String,
    },
    /// A key has a value that it cannot have.
    #[error("{}: {error}", path.display())]
    Manifest {
        /// Which file.
        path: PathBuf,
        /// Which key, and why.
        error: ManifestError,
    },
    /// Cargo's own manifest, which is none of a node's.
    #[error(
        "{}: this is cargo's manifest; --from-cargo-metadata --manifest-path {} publishes what it describes",
        path.display(), path.display()
    )]
    Cargos {
        /// Which file.
        path: PathBuf,
    },
}

/// The manifest in this file, as a node takes it: TOML when its name ends in `.toml`, otherwise JSON. The file that
/// its `content` names, as seen from it, is read through for its digest and size.
///
/// Everything that can be known without the node is checked: every field has its limits.
pub fn read_manifest(path: &Path) -> Result<Manifest, SourceError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |cause| SourceError::Unreadable { path, cause }
    };
    if path.file_name().is_some_and(|name| name == "Cargo.toml") {
        return Err(SourceError::Cargos { path: path.to_owned() });
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable(path))?;
    file.take(MAX_MANIFEST as u64 + 1).read_to_end(&mut bytes).map_err(unreadable(path))?;
    if bytes.len() > MAX_MANIFEST {
        return Err(SourceError::TooLong { path: path.to_owned() });
    }
    let text = String::from_utf8_lossy(&bytes);
    let mut manifest: Manifest = match path.extension().is_some_and(|it| it == "toml") {
        true => toml::from_str(&text).map_err(|error| {
            let (line, column) = place(&text, error.span().map_or(0, |span| span.start));
            SourceError::Syntax { path: path.to_owned(), line, column, words: error.message().to_owned() }
        })?,
        false => serde_json::from_str(&text).map_err(|error| {
            // What it adds on the place stands before it already.
            let words = error.to_string();
            let words = words.split(" at line ").next().unwrap_or_default().to_owned();
            let (line, column) = (error.line().max(1), error.column().max(1));
            SourceError::Syntax { path: path.to_owned(), line, column, words }
        })?,
    };
    if let (Some(content), None, None) = (&manifest.content, &manifest.digest, manifest.size) {
        let content = path.parent().unwrap_or(Path::new("")).join(content);
        let file = File::open(&content).map_err(unreadable(&content))?;
        let (digest, size) = digest_of(file).map_err(unreadable(&content))?;
        manifest = manifest.with_content(digest, size);
    }
    // Whose it will be and when it was made is for the node to say; no check depends on it.
    match manifest.package(PublisherId::new([0; 32]), WallTime::EPOCH) {
        Ok(_) => Ok(manifest),
        Err(error) => Err(SourceError::Manifest { path: path.to_owned(), error }),
    }
}

/// The SHA-256 of what `reader` brings, and how many bytes that is.
fn digest_of(mut reader: impl Read) -> io::Result<([u8; 32], u64)> {
    let (mut hash, mut size) = (Sha256::new(), 0u64);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => return Ok((hash.finalize().into(), size)),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(buffer.get(..count).unwrap_or_default());
        size = size.saturating_add(count as u64);
    }
}

/// The line and column of the byte at `at`, both from 1.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
