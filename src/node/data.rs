//! The data folder: who a node is, and what it must not forget.
//!
//! | file | what it is |
//! |---|---|
//! | `node.key` | the key of its peer id, in libp2p's protobuf encoding |
//! | `publisher.key` | the secret half of the key that it publishes with, 32 bytes |
//! | `token` | what a client shows to publish and yank: 64 hexadecimal digits |
//! | `swarmproof.redb` | everything that it keeps |
//! | `lock` | held while a node works on the folder; empty |
//!
//! The three secrets have mode 0600 from the moment they exist, and one that others may read is refused. They are
//! written whole or not at all, so that a crash leaves no half of a key. They stand in no log and in no `Debug`.
//! Nothing in the folder is ever overwritten or taken away: what cannot be read is an error that says so.

use core::fmt;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use libp2p::identity::Keypair;

use super::error::{DataError, NodeError};
use super::secret::{BadSecret, found_or_drawn, keep, new_file, random, secret};
use super::token::Token;
use crate::record::Publisher;

/// The database's file.
pub(super) const DATABASE: &str = "swarmproof.redb";

/// The folder that is used when none is named: `$XDG_DATA_HOME/swarmproof`, which is most often
/// `~/.local/share/swarmproof`.
pub fn default_data_folder() -> Result<PathBuf, DataError> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
        .map(|base| base.join("swarmproof"))
        .ok_or(DataError::NoFolder)
}

/// The file with the token, in this data folder.
pub fn token_file(data: &Path) -> PathBuf {
    data.join("token")
}

fn publisher_file(data: &Path) -> PathBuf {
    data.join("publisher.key")
}

/// An open data folder. No other node can open it until this is dropped.
pub(super) struct DataFolder {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Who the node is among peers.
    pub(super) keypair: Keypair,
    /// What it publishes with.
    pub(super) publisher: Publisher,
    /// That key's bytes, when it was drawn just now and is not yet kept.
    unkept: Option<Vec<u8>>,
    /// What its clients show.
    pub(super) token: Token,
    /// Locked as long as it is open.
    _lock: File,
}

impl fmt::Debug for DataFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataFolder").field("path", &self.path).finish_non_exhaustive()
    }
}

impl DataFolder {
    /// Open the folder at `path`, and make what is missing in it.
    pub(super) fn open(path: &Path) -> Result<Self, NodeError> {
        make_folder(path).map_err(DataError::unusable(path))?;
        let lock = lock(path)?;
        let keypair = secret(&path.join("node.key"), new_keypair, read_keypair)?;
        let (publisher, unkept) = found_or_drawn(&publisher_file(path), new_seed, read_seed)?;
        let token = secret(&token_file(path), Token::draw, Token::read)?;
        Ok(Self { path: path.to_owned(), keypair, publisher, unkept, token, _lock: lock })
    }

    /// Whether the publisher's key was drawn just now, so that nothing can have been published with it.
    pub(super) const fn new_publisher(&self) -> bool {
        self.unkept.is_some()
    }

    /// Keep the publisher's key, when it is new. To be called when the database knows of it, and before anything
    /// is published with it: so there is never a key of which the database does not know whether it is new.
    pub(super) fn keep_publisher(&mut self) -> Result<(), DataError> {
        let path = publisher_file(&self.path);
        match self.unkept.take() {
            Some(bytes) => keep(&path, &bytes).map_err(DataError::unusable(&path)),
            None => Ok(()),
        }
    }

    /// Where the database is.
    pub(super) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn lock(folder: &Path) -> Result<File, DataError> {
    let path = folder.join("lock");
    let file = new_file(&path, false).map_err(DataError::unusable(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DataError::InUse { path: folder.to_owned() }),
        Err(TryLockError::Error(cause)) => Err(DataError::Unusable { path, cause }),
    }
}

fn new_keypair() -> io::Result<Vec<u8>> {
    let mut seed = random()?;
    let keypair = Keypair::ed25519_from_bytes(&mut seed).map_err(io::Error::other)?;
    keypair.to_protobuf_encoding().map_err(io::Error::other)
}

fn read_keypair(bytes: &[u8]) -> Result<Keypair, BadSecret> {
    Keypair::from_protobuf_encoding(bytes)
        .map_err(|_| BadSecret::of(bytes, "a key in libp2p's protobuf encoding"))
}

fn new_seed() -> io::Result<Vec<u8>> {
    random().map(|seed| seed.to_vec())
}

fn read_seed(bytes: &[u8]) -> Result<Publisher, BadSecret> {
    match <[u8; 32]>::try_from(bytes) {
        Ok(seed) => Ok(Publisher::from_seed(seed)),
        Err(_) => Err(BadSecret::of(bytes, "the 32 bytes of a publisher's secret key")),
    }
}

#[cfg(test)]
#[path = "data/tests.rs"]
mod tests;
