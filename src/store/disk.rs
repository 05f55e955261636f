//! Stores on a disk: one redb file, several stores in it.
//!
//! ```no_run
//! use swarmproof::store::{Disk, StoreLimits};
//!
//! let disk = Disk::open("data/swarmproof.redb".as_ref())?;
//! let registry = disk.store("registry", StoreLimits::default())?;
//! # Ok::<(), swarmproof::store::OpenError>(())
//! ```
//!
//! # What it promises
//!
//! - A [`DiskStore`] keeps the contract of [`Store`]. `submit` notes the batch in memory and returns; one
//!   thread writes for all stores of the file, and takes all that waits into one transaction that is on the
//!   medium (synced, committed in two phases) when it ends. Reads see what was accepted, from memory, and
//!   else read the file, where pages that the cache or the system holds cost microseconds.
//! - **Order**: batches of all stores of a file become durable in the order in which they were accepted.
//! - **Limits** are held exactly, and count what reads see. Opening counts what is there. Beside them, at
//!   most 64 MiB of batches wait in all stores together; more are refused as [`StoreError::Busy`].
//! - **Opening** checks every page against its checksum, repairs what a crash left half-done, and changes
//!   nothing when it returns an error. One process at a time has the file open; the system lets go of it when the
//!   process ends, however it ends.
//! - **When a write fails** (a full disk, say), its batch and every batch accepted since, of every store, is
//!   reported as [`StoreError::Medium`], and reads see what is durable. So nothing outlives what it was built
//!   on. The next batch is another try, and when the medium writes again, so does the store: nothing needs
//!   to be restarted. Reads go on meanwhile, except that while the file is opened anew after the failure and
//!   checked, reads and batches are refused as [`StoreError::Medium`] too.
//! - **Dropping** the last handle (the [`Disk`] and all its stores) waits until everything accepted is written.
//!
//! # Needs
//!
//! A file system that can lock files, and the folder to exist.

mod error;
mod life;
mod medium;
mod queue;
mod shared;
#[cfg(test)]
mod tests;

use core::task::{Context, Poll};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use bytes::Bytes;
use redb::DatabaseError;
use redb::backends::FileBackend;

use super::{Batch, Store, StoreError, StoreLimits, WriteId};
pub use error::OpenError;
pub use life::contains_panic;
use life::{Life, Trouble};
use medium::Base;
pub use shared::LastWrite;
use shared::Shared;

/// A database file with stores in it. Clones are handles of the same one.
#[derive(Clone, Debug)]
pub struct Disk(Arc<Handle>);

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    file: Box<Path>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.queue().closing = true;
        self.shared.notify();
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // It contains the panics of the database; one of its own has already been told on its way.
        let _ = writer.map(JoinHandle::join);
    }
}

impl Disk {
    /// Open the database in `file`, or make one where there is none.
    pub fn open(file: &Path) -> Result<Self, OpenError> {
        let is_new = !file.exists();
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(file);
        let opened = opened.map_err(|why| from_system(file, why))?;
        let base = match FileBackend::new(opened) {
            Ok(base) => Arc::new(base),
            Err(DatabaseError::DatabaseAlreadyOpen) => {
                return Err(OpenError::AlreadyOpen { file: file.into() });
            }
            Err(other) => return Err(from_trouble(file, other.into())),
        };
        let disk = Self::over(base, file)?;
        if is_new {
            keep_name(file).map_err(|why| from_system(file, why))?;
        }
        Ok(disk)
    }

    /// Open what is in `base`; `file` is its name in errors.
    fn over(base: Base, file: &Path) -> Result<Self, OpenError> {
        life::look_at(file, &base)?;
        let life = Life::on_trial(&base).map_err(|why| from_trouble(file, why))?;
        life.go_through().map_err(|why| from_trouble(file, why))?;
        let shared = Arc::new(Shared::new(life, base));
        let writes = Arc::clone(&shared);
        // Nothing that the simulator runs has a store on a disk, and no result depends on when this thread
        // runs: only when a batch becomes durable does, as with any disk.
        let writer = Builder::new().name("swarmproof-disk".to_owned()).spawn(move || writes.write());
        let writer = Mutex::new(Some(writer.map_err(|why| from_system(file, why))?));
        Ok(Self(Arc::new(Handle { shared, file: file.into(), writer })))
    }

    /// How the last write went, from now on.
    pub fn last_write(&self) -> LastWrite {
        self.0.shared.last_write.clone()
    }

    /// Open the store called `name`, which is empty when there never was one. Each can be open once.
    pub fn store(&self, name: &'static str, limits: StoreLimits) -> Result<DiskStore, OpenError> {
        let shared = &self.0.shared;
        let life = shared.life().map_err(|why| from_trouble(&self.0.file, why))?;
        let size = life.count(name).map_err(|why| from_trouble(&self.0.file, why))?;
        let store = shared.queue().open(name, limits, size).ok_or(OpenError::NameTaken { name })?;
        Ok(DiskStore { disk: self.clone(), name, store })
    }
}

/// One store of a [`Disk`], which it keeps open.
#[derive(Debug)]
pub struct DiskStore {
    disk: Disk,
    name: &'static str,
    store: usize,
}

impl Drop for DiskStore {
    fn drop(&mut self) {
        if let Some(slot) = self.shared().queue().slot_mut(self.store) {
            slot.close();
        }
    }
}

impl DiskStore {
    fn shared(&self) -> &Shared {
        &self.disk.0.shared
    }

    /// Keys and bytes held, as reads see them.
    pub fn size(&self) -> (usize, usize) {
        self.shared().queue().slot(self.store).map_or((0, 0), |slot| slot.size)
    }

    /// The sizes of the values under the keys that `batch` changes, as reads see them.
    fn sizes(&self, batch: &Batch) -> Result<BTreeMap<Bytes, usize>, StoreError> {
        let mut sizes = BTreeMap::new();
        let mut rest = Vec::new();
        let reading = {
            let queue = self.shared().queue();
            for (key, _) in &batch.changes {
                match queue.slot(self.store).and_then(|slot| slot.newest(key)) {
                    Some(Some(value)) => drop(sizes.insert(key.clone(), value.len())),
                    Some(None) => {}
                    None => rest.push(key),
                }
            }
            self.shared().life().and_then(|life| life.read()).map_err(medium)?
        };
        for key in rest {
            if let Some(value) = life::get(&reading, self.name, key).map_err(medium)? {
                sizes.insert(key.clone(), value.len());
            }
        }
        Ok(sizes)
    }
}

impl Store for DiskStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let reading = {
            let queue = self.shared().queue();
            if let Some(newest) = queue.slot(self.store).and_then(|slot| slot.newest(key)) {
                return Ok(newest.clone());
            }
            // Begun under the lock: a batch leaves the overlay only when it is durable, so nothing is missed.
            self.shared().life().and_then(|life| life.read()).map_err(medium)?
        };
        life::get(&reading, self.name, key).map_err(medium)
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        if from >= to || limit == 0 {
            return Ok(Vec::new());
        }
        let (mut changes, reading) = {
            let queue = self.shared().queue();
            let changes = queue.slot(self.store).map(|slot| slot.changes(from, to)).unwrap_or_default();
            (changes, self.shared().life().and_then(|life| life.read()).map_err(medium)?)
        };
        let mut found = Vec::new();
        life::each(&reading, self.name, (from, to), |key, value| {
            while let Some(change) = changes.first_entry().filter(|change| &change.key()[..] < key) {
                let (key, value) = change.remove_entry();
                found.extend(value.map(|value| (key, value)));
            }
            match changes.first_entry().filter(|change| &change.key()[..] == key) {
                Some(change) => {
                    let (key, value) = change.remove_entry();
                    found.extend(value.map(|value| (key, value)));
                }
                None => found.push((Bytes::copy_from_slice(key), Bytes::copy_from_slice(value))),
            }
            found.len() < limit
        })
        .map_err(medium)?;
        if found.len() < limit {
            found.extend(changes.into_iter().filter_map(|(key, value)| Some((key, value?))));
        }
        found.truncate(limit);
        Ok(found)
    }

    fn submit(&mut self, batch: Batch) -> Result<WriteId, StoreError> {
        loop {
            let failures = {
                let queue = self.shared().queue();
                if let Some(busy) = queue.is_busy(self.store, &batch) {
                    return Err(busy);
                }
                queue.failures
            };
            let sizes = self.sizes(&batch)?;
            let mut queue = self.shared().queue();
            // Only this handle writes this store, so nothing has changed meanwhile but by a failure.
            if queue.failures == failures {
                let accepted = queue.accept(self.store, batch, |key| sizes.get(key).copied());
                drop(queue);
                self.shared().notify();
                return accepted;
            }
        }
    }

    fn poll_synced(&mut self, cx: &mut Context<'_>) -> Poll<(WriteId, Result<(), StoreError>)> {
        let mut queue = self.shared().queue();
        let done = queue.slot_mut(self.store).and_then(|slot| slot.poll(cx.waker()));
        done.map_or(Poll::Pending, Poll::Ready)
    }

    fn pending(&self) -> usize {
        self.shared().queue().slot(self.store).map_or(0, |slot| slot.pending())
    }
}

fn medium(why: Trouble) -> StoreError {
    StoreError::Medium(why.to_string())
}

fn from_system(file: &Path, why: io::Error) -> OpenError {
    let file = file.to_path_buf();
    match why.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            OpenError::NoRoom { file, why }
        }
        ErrorKind::NotFound
        | ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::NotADirectory
        | ErrorKind::IsADirectory => OpenError::Unwritable { file, why },
        _ => OpenError::Io { file, why },
    }
}

fn from_trouble(file: &Path, why: Trouble) -> OpenError {
    match why {
        Trouble::Io(why) => from_system(file, why),
        Trouble::Corrupt(what) => OpenError::Corrupt { file: file.into(), what },
        Trouble::GaveUp(what) => OpenError::Unreadable { file: file.into(), what },
        Trouble::Format(found) => OpenError::NewerFormat { file: file.into(), found, known: life::FORMAT },
        Trouble::Ended => OpenError::Io { file: file.into(), why: io::Error::other(why.to_string()) },
    }
}

/// Make a new file's name in its folder durable too.
fn keep_name(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if cfg!(unix) { File::open(folder.unwrap_or(Path::new(".")))?.sync_all() } else { Ok(()) }
}
