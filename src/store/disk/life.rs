//! One life of the database over its file: opening, checking, reading, committing.
//!
//! # What is believed of the file
//!
//! Nothing. Before redb sees it, its first page is looked at; then it is opened on trial (see
//! [`Medium`]), every page that can be reached is held against its checksum, and only when all is well is
//! anything written. redb asserts where others return an error, so whatever it does is done where a panic is
//! caught and becomes an error like any other.
//!
//! # Commits
//!
//! Each is durable when it returns, and made in two phases: a page's checksum is not made to withstand who
//! chooses the values, and peers do. So whether a commit took place is never judged by checksums alone.

use core::cell::Cell;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use bytes::Bytes;
use redb::{
    Database, DatabaseError, Durability, ReadTransaction, ReadableDatabase, ReadableTable,
    ReadableTableMetadata, StorageBackend as _, StorageError, TableDefinition, TableError,
};

use super::error::OpenError;
use super::medium::{Base, Medium};
use crate::store::Batch;

/// The format that is written.
pub(super) const FORMAT: u64 = 1;
/// The table in which the format stands, under [`FORMAT_KEY`].
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("swarmproof");
const FORMAT_KEY: &str = "format";
/// Memory for pages, read and written. A node's whole budget is small, and the system caches files itself.
const CACHE: usize = 8 << 20;

/// How redb's file begins.
const MAGIC: &[u8; 9] = b"redb\x1a\x0a\xa9\x0d\x0a";
/// The bytes of its header, and of a page.
const HEADER: usize = 320;
const PAGE: u64 = 4096;
/// Where the header's bits stand, behind the magic; one says which commit is the newest.
const BITS: u64 = MAGIC.len() as u64;
const NOT_CLOSED: u8 = 2;
const TWO_PHASES: u8 = 4;

/// A store's table.
pub(super) fn table(name: &'static str) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(name)
}

/// A failure of the database, as far as it matters which.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The system refused or failed.
    Io(std::io::Error),
    /// What was read makes no sense.
    Corrupt(String),
    /// The database gave up on it: damage that it does not look for, or a mistake of its own.
    GaveUp(String),
    /// It is in a format that is not known: its number.
    Format(u64),
    /// An earlier failure ended this life.
    Ended,
}

impl core::fmt::Display for Trouble {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Io(why) => write!(f, "{why}"),
            Self::Corrupt(what) => write!(f, "the database is damaged: {what}"),
            Self::GaveUp(what) => write!(f, "the database could not be read ({what})"),
            Self::Format(found) => write!(f, "the database has format {found}"),
            Self::Ended => write!(f, "the database failed before and is not open"),
        }
    }
}

impl<E: Into<redb::Error>> From<E> for Trouble {
    fn from(error: E) -> Self {
        match error.into() {
            redb::Error::Io(why) => Self::Io(why),
            redb::Error::PreviousIo | redb::Error::DatabaseClosed => Self::Ended,
            other => Self::Corrupt(other.to_string()),
        }
    }
}

thread_local! {
    /// How many times [`contained`] is around what this thread does now.
    static CONTAINED: Cell<u32> = const { Cell::new(0) };
}

/// Whether a panic that this thread is in becomes an error of the store: for a panic hook, which need not tell it then.
pub fn contains_panic() -> bool {
    CONTAINED.get() > 0
}

/// Do `work`; a panic in it is an error.
pub(super) fn contained<T>(work: impl FnOnce() -> Result<T, Trouble>) -> Result<T, Trouble> {
    CONTAINED.set(CONTAINED.get() + 1);
    // What `work` touches is this life of the database, which ends with the error.
    let done = catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(CONTAINED.get() - 1);
    done.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Trouble::GaveUp(words.unwrap_or("it does not say why").to_owned()))
    })
}

/// An open database.
#[derive(Debug)]
pub(super) struct Life {
    medium: Medium,
    /// `None` only while it is being dropped.
    database: Option<Database>,
}

impl Life {
    /// Open what is in `base`, check all of it, and write nothing: that is for [`Life::go_through`].
    pub(super) fn on_trial(base: &Base) -> Result<Self, Trouble> {
        let medium = Medium::on_trial(Base::clone(base)).map_err(Trouble::Io)?;
        if medium.len().map_err(Trouble::Io)? > 0 {
            // As after a crash, also when it was closed: or redb would not hold the newest commit's own
            // checksum against it. It sets the same bit itself as soon as it writes.
            let mut bits = [0];
            medium.read(BITS, &mut bits).map_err(Trouble::Io)?;
            medium.write(BITS, &bits.map(|bits| bits | NOT_CLOSED)).map_err(Trouble::Io)?;
        }
        let opened = contained(|| {
            let made = Database::builder().set_cache_size(CACHE).create_with_backend(medium.clone());
            let mut database = made.map_err(opening)?;
            database.check_integrity()?;
            Ok(Self { medium: medium.clone(), database: Some(database) })
        });
        if opened.is_err() {
            medium.end();
        }
        let life = opened?;
        life.check_format()?;
        Ok(life)
    }

    fn check_format(&self) -> Result<(), Trouble> {
        contained(|| {
            let reading = self.database()?.begin_read()?;
            let found = match reading.open_table(ABOUT) {
                Ok(about) => about.get(FORMAT_KEY)?.map(|found| found.value()),
                Err(TableError::TableDoesNotExist(_)) => None,
                Err(error) => return Err(error.into()),
            };
            match found {
                Some(FORMAT) => Ok(()),
                Some(found) => Err(Trouble::Format(found)),
                None if reading.list_tables()?.next().is_some() => {
                    Err(Trouble::Corrupt("it does not say what format it has".to_owned()))
                }
                None => {
                    let writing = self.begin_write()?;
                    writing.open_table(ABOUT)?.insert(FORMAT_KEY, FORMAT)?;
                    Ok(writing.commit()?)
                }
            }
        })
    }

    /// From now on what is committed is written.
    pub(super) fn go_through(&self) -> Result<(), Trouble> {
        self.medium.go_through().map_err(Trouble::Io)
    }

    fn database(&self) -> Result<&Database, Trouble> {
        self.database.as_ref().ok_or(Trouble::Ended)
    }

    fn begin_write(&self) -> Result<redb::WriteTransaction, Trouble> {
        let mut writing = self.database()?.begin_write()?;
        writing.set_two_phase_commit(true);
        let durable = writing.set_durability(Durability::Immediate);
        durable.map_err(|error| Trouble::Corrupt(error.to_string()))?;
        Ok(writing)
    }

    /// Make `batches`, each of one table, durable in their order and together.
    pub(super) fn commit<'a>(
        &self,
        batches: impl Iterator<Item = (&'static str, &'a Batch)>,
    ) -> Result<(), Trouble> {
        contained(|| {
            let writing = self.begin_write()?;
            for (name, batch) in batches {
                let mut table = writing.open_table(table(name))?;
                for (key, value) in &batch.changes {
                    match value {
                        Some(value) => drop(table.insert(&key[..], &value[..])?),
                        None => drop(table.remove(&key[..])?),
                    }
                }
            }
            Ok(writing.commit()?)
        })
    }

    /// What is durable now, for reading.
    pub(super) fn read(&self) -> Result<ReadTransaction, Trouble> {
        contained(|| Ok(self.database()?.begin_read()?))
    }

    /// Keys and bytes of a table.
    pub(super) fn count(&self, name: &'static str) -> Result<(usize, usize), Trouble> {
        let reading = self.read()?;
        contained(|| {
            let table = match reading.open_table(table(name)) {
                Ok(table) => table,
                Err(TableError::TableDoesNotExist(_)) => return Ok((0, 0)),
                Err(error) => return Err(error.into()),
            };
            let mut bytes = 0;
            for pair in table.iter()? {
                let (key, value) = pair?;
                bytes += key.value().len() + value.value().len();
            }
            Ok((usize::try_from(table.len()?).unwrap_or(usize::MAX), bytes))
        })
    }

    /// This life has failed: nothing of it reaches the file any more.
    pub(super) fn end(&self) {
        self.medium.end();
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        // It writes down which pages are free, and may find on that way that the medium is gone.
        let _ = contained(|| {
            drop(self.database.take());
            Ok(())
        });
    }
}

/// The value under `key`.
pub(super) fn get(
    reading: &ReadTransaction,
    name: &'static str,
    key: &[u8],
) -> Result<Option<Bytes>, Trouble> {
    contained(|| match reading.open_table(table(name)) {
        Ok(table) => Ok(table.get(key)?.map(|value| Bytes::copy_from_slice(value.value()))),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    })
}

/// Call `with` for the pairs with `from <= key < to`, in their order, until it says `false`.
pub(super) fn each(
    reading: &ReadTransaction,
    name: &'static str,
    (from, to): (&[u8], &[u8]),
    mut with: impl FnMut(&[u8], &[u8]) -> bool,
) -> Result<(), Trouble> {
    contained(|| {
        let table = match reading.open_table(table(name)) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for pair in table.range(from..to)? {
            let (key, value) = pair?;
            if !with(key.value(), value.value()) {
                break;
            }
        }
        Ok(())
    })
}

fn opening(error: DatabaseError) -> Trouble {
    match error {
        DatabaseError::UpgradeRequired(version) => {
            Trouble::Corrupt(format!("its file is in the old layout {version}"))
        }
        // It names a page that is not there.
        DatabaseError::Storage(StorageError::Io(why))
            if matches!(why.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
        {
            Trouble::Corrupt("its first page is not as it was written".to_owned())
        }
        other => other.into(),
    }
}

/// Look at the first page, before redb does: whether it is a database at all, and as long as it says.
///
/// A file of which only the first page was ever written is one whose making was cut off by a crash: it is
/// emptied, to be made anew.
pub(super) fn look_at(file: &Path, base: &Base) -> Result<(), OpenError> {
    let io = |why| OpenError::Io { file: file.into(), why };
    let not = |what: &str| OpenError::NotADatabase { file: file.into(), what: what.to_owned() };
    let corrupt = |what: String| OpenError::Corrupt { file: file.into(), what };
    let len = base.len().map_err(io)?;
    if len == 0 {
        return Ok(());
    }
    if len < HEADER as u64 {
        return Err(not(&format!("it has {len} bytes")));
    }
    let mut header = [0; HEADER];
    base.read(0, &mut header).map_err(io)?;
    if header.starts_with(&[0; MAGIC.len()]) && unfinished(base, len).map_err(io)? {
        return base.set_len(0).and_then(|()| base.sync_data()).map_err(io);
    }
    if !header.starts_with(MAGIC) {
        return Err(not("it begins with other bytes"));
    }
    let field = |at: usize| {
        let bytes = header.get(at..at + 4).and_then(|bytes| bytes.first_chunk::<4>());
        u64::from(bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes)))
    };
    // Bits beside which slot is the newest, whether it was closed, and commits in two phases: always.
    if header.get(MAGIC.len()).is_none_or(|bits| bits & !(NOT_CLOSED | 1) != TWO_PHASES) || field(12) != PAGE
    {
        return Err(corrupt("its first page is not as it was written".to_owned()));
    }
    let (region_head, region, regions, rest) = (field(16), field(20), field(24), field(28));
    let rest = if rest > 0 { region_head + rest } else { 0 };
    let wanted = (region_head + region).saturating_mul(regions).saturating_add(1 + rest).saturating_mul(PAGE);
    if len < wanted {
        return Err(corrupt(format!("it has {len} bytes of {wanted}")));
    }
    Ok(())
}

/// Whether nothing but the header was ever written.
fn unfinished(base: &Base, len: u64) -> std::io::Result<bool> {
    let mut offset = HEADER as u64;
    let mut piece = vec![0; 64 << 10];
    while offset < len {
        let size = usize::try_from(len - offset).unwrap_or(usize::MAX).min(piece.len());
        let Some(part) = piece.get_mut(..size) else { break };
        base.read(offset, part)?;
        if part.iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        offset += size as u64;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_contained_where_it_becomes_an_error_and_nowhere_else() {
        assert!(!contains_panic());
        let inner = || contained(|| -> Result<(), Trouble> { Err(Trouble::Ended) });
        let outer = contained(|| {
            assert!(inner().is_err() && contains_panic(), "there is one around it still");
            Ok(())
        });
        assert!(outer.is_ok() && !contains_panic());
        let broken = contained(|| -> Result<(), Trouble> { panic!("{} is not so", "this") });
        assert!(matches!(broken, Err(Trouble::GaveUp(words)) if words == "this is not so"));
        assert!(!contains_panic(), "nor after a panic");
    }
}
