//! Why a database could not be opened, with what to do about it.

use std::io;
use std::path::PathBuf;

/// Why a [`Disk`](super::Disk) or one of its stores could not be opened. Nothing was changed in any of these
/// cases.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another [`Disk`](super::Disk) of this one, has the file open.
    #[error("{}: another node has this database open; stop it, or give this one a data folder of its own", file.display())]
    AlreadyOpen {
        /// The database.
        file: PathBuf,
    },
    /// The file is a database, and damaged.
    #[error("{}: the database is damaged ({what}); nothing was changed: put a copy of it back, or move the file away to begin with an empty one", file.display())]
    Corrupt {
        /// The database.
        file: PathBuf,
        /// What was found.
        what: String,
    },
    /// The file could not be read: it is damaged where nobody looks, or this program is at fault.
    #[error("{}: the database could not be read ({what}); nothing was changed: make a copy of the file before anything else and try again; if that fails, put an older copy back, or move the file away to begin with an empty one", file.display())]
    Unreadable {
        /// The database.
        file: PathBuf,
        /// In the words of what gave up on it.
        what: String,
    },
    /// The file is something else.
    #[error("{}: this file is no database of swarmproof ({what}); name another file, or move this one away", file.display())]
    NotADatabase {
        /// The file.
        file: PathBuf,
        /// What was found.
        what: String,
    },
    /// The file cannot be made, or not be written to.
    #[error("{}: the database cannot be opened for writing ({why}); see that its folder exists and that this user may write there", file.display())]
    Unwritable {
        /// The database.
        file: PathBuf,
        /// What the system said.
        #[source]
        why: io::Error,
    },
    /// There is no room on the medium.
    #[error("{}: there is no room for the database ({why}); free some, or choose another data folder", file.display())]
    NoRoom {
        /// The database.
        file: PathBuf,
        /// What the system said.
        #[source]
        why: io::Error,
    },
    /// A newer version of this program has written it.
    #[error("{}: the database has format {found}, this program knows format {known}; use the newer program", file.display())]
    NewerFormat {
        /// The database.
        file: PathBuf,
        /// The format found.
        found: u64,
        /// The newest format known.
        known: u64,
    },
    /// The medium failed.
    #[error("{}: the database cannot be read ({why})", file.display())]
    Io {
        /// The database.
        file: PathBuf,
        /// What the system said.
        #[source]
        why: io::Error,
    },
    /// A store of that name is open.
    #[error("the store {name:?} is open already")]
    NameTaken {
        /// Its name.
        name: &'static str,
    },
}
