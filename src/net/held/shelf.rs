//! Where the values are: in a store, which is written to in few, large batches.
//!
//! What changes is gathered, and handed to the store when the node has nothing else to do and the batch
//! before is durable. What is gathered is bounded: when the disk is too slow, no more is taken in. A store that is
//! busy is offered the same again later. The records of a batch that fails are lost, and told: the DHT holds them at
//! other nodes too. What such a batch was to remove, and what lay under the keys of the lost, is removed later, so
//! that the store comes to hold nothing that nobody counts.

use core::task::{Context, Poll};
use core::time::Duration;
use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};

use crate::store::{Batch, Store, StoreError, WriteId};
use crate::time::{Timestamp, WallTime};

/// A key's hash, under which it is stored.
pub(super) type Hash = [u8; 32];

/// The most changes gathered, and their most bytes.
const MOST: usize = 2048;
const MOST_BYTES: usize = 16 << 20;
/// After a failure, how long nothing is written.
const REST: Duration = Duration::from_secs(1);
/// How many pairs are read at once.
const READ: usize = 256;
/// The first byte of what is stored: the layout.
const LAYOUT: u8 = 1;
const OWN: u8 = 1;
const PROVIDED: u8 = 2;
/// Bytes stored beside key and value: the hash, the layout, what it is, end and life, the key's length.
pub(super) const BESIDE: usize = 32 + 1 + 1 + 8 + 8 + 2;

/// What is stored of one record; for a key that this node provides the value is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) key: Bytes,
    pub(super) value: Bytes,
    /// When it ends, by the calendar: the run's clock ends with the run.
    pub(super) expires: WallTime,
    /// How long it was to live, in milliseconds.
    pub(super) life: u64,
    pub(super) own: bool,
    pub(super) provided: bool,
}

impl Stored {
    fn write(&self) -> Option<Bytes> {
        let mut bytes = BytesMut::with_capacity(BESIDE + self.key.len() + self.value.len());
        bytes.put_u8(LAYOUT);
        bytes.put_u8((u8::from(self.own) * OWN) | (u8::from(self.provided) * PROVIDED));
        bytes.put_u64(self.expires.as_millis());
        bytes.put_u64(self.life);
        bytes.put_u16(u16::try_from(self.key.len()).ok()?);
        bytes.put_slice(&self.key);
        bytes.put_slice(&self.value);
        Some(bytes.freeze())
    }

    fn read(bytes: &Bytes) -> Option<Self> {
        let (head, _) = bytes.split_first_chunk::<20>()?;
        let [LAYOUT, kinds, rest @ ..] = head else { return None };
        let (expires, rest) = rest.split_first_chunk::<8>()?;
        let (life, rest) = rest.split_first_chunk::<8>()?;
        let key = 20 + usize::from(u16::from_be_bytes(*rest.first_chunk::<2>()?));
        (key <= bytes.len()).then(|| Self {
            key: bytes.slice(20..key),
            value: bytes.slice(key..),
            expires: WallTime::from_millis(u64::from_be_bytes(*expires)),
            life: u64::from_be_bytes(*life),
            own: kinds & OWN != 0,
            provided: kinds & PROVIDED != 0,
        })
    }
}

/// The store, and what is on its way there; see the [module](self).
pub(super) struct Shelf {
    store: Box<dyn Store + Send>,
    changes: BTreeMap<Hash, Option<Bytes>>,
    bytes: usize,
    on_its_way: Option<(WriteId, Vec<Change>)>,
    /// Nothing is written before: the store failed.
    rests: Timestamp,
}

/// What was changed, and whether it was written and not removed.
type Change = (Hash, bool);

impl core::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Shelf").field("changes", &self.changes.len()).finish_non_exhaustive()
    }
}

impl Shelf {
    pub(super) fn new(store: Box<dyn Store + Send>) -> Self {
        Self { store, changes: BTreeMap::new(), bytes: 0, on_its_way: None, rests: Timestamp::ZERO }
    }

    /// Call `with` for everything stored. What is unreadable is taken out.
    pub(super) fn each(&mut self, mut with: impl FnMut(Hash, Stored)) -> Result<(), StoreError> {
        let mut from = Vec::new();
        loop {
            let pairs = self.store.range(&from, &[0xff; 33], READ)?;
            for (key, bytes) in &pairs {
                let hash = <Hash>::try_from(&key[..]).ok();
                match hash.zip(Stored::read(bytes)) {
                    Some((hash, stored)) => with(hash, stored),
                    None => drop(hash.map(|hash| self.remove(hash))),
                }
            }
            match pairs.last() {
                Some((last, _)) if pairs.len() == READ => from = [&last[..], &[0]].concat(),
                _ => return Ok(()),
            }
        }
    }

    /// Whether more is taken in.
    pub(super) fn has_room(&self) -> bool {
        self.changes.len() < MOST && self.bytes < MOST_BYTES
    }

    /// Store it; `false` when its key is too long to be.
    pub(super) fn put(&mut self, hash: Hash, stored: &Stored) -> bool {
        let bytes = stored.write();
        let good = bytes.is_some();
        if good {
            self.note(hash, bytes);
        }
        good
    }

    pub(super) fn remove(&mut self, hash: Hash) {
        self.note(hash, None);
    }

    fn note(&mut self, hash: Hash, change: Option<Bytes>) {
        let len = |change: &Option<Bytes>| change.as_ref().map_or(0, Bytes::len);
        self.bytes += len(&change);
        if let Some(old) = self.changes.insert(hash, change) {
            self.bytes -= len(&old);
        }
    }

    /// What is stored under `hash`. A medium that fails to read is as good as one that holds nothing.
    pub(super) fn get(&self, hash: &Hash) -> Option<Stored> {
        match self.changes.get(hash) {
            Some(change) => Stored::read(change.as_ref()?),
            None => Stored::read(&self.store.get(hash).ok()??),
        }
    }

    /// Hand on what was gathered, and hear what became of it. What was lost on the way comes back: it is no
    /// longer to be counted on.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, now: Timestamp) -> Vec<Hash> {
        let mut lost = Vec::new();
        loop {
            while let Poll::Ready((write, result)) = self.store.poll_synced(cx) {
                let Some((_, ours)) = self.on_its_way.take_if(|(own, _)| *own == write) else { continue };
                if result.is_err() {
                    self.failed(ours, now, &mut lost);
                }
            }
            if self.on_its_way.is_some() || self.changes.is_empty() || self.rests > now {
                return lost;
            }
            let to_pair =
                |(hash, change): (&Hash, &Option<Bytes>)| (Bytes::copy_from_slice(hash), change.clone());
            let batch = Batch { changes: self.changes.iter().map(to_pair).collect() };
            let submitted = self.store.submit(batch);
            if let Err(StoreError::Busy { .. }) = submitted {
                return lost;
            }
            self.bytes = 0;
            let changes = core::mem::take(&mut self.changes).into_iter();
            let ours = changes.map(|(hash, change)| (hash, change.is_some())).collect();
            match submitted {
                Ok(write) => self.on_its_way = Some((write, ours)),
                Err(_) => self.failed(ours, now, &mut lost),
            }
        }
    }

    /// A batch failed.
    fn failed(&mut self, batch: Vec<Change>, now: Timestamp, lost: &mut Vec<Hash>) {
        self.rests = now.after(REST);
        for (hash, was_put) in batch {
            // What was changed again since is on its way once more.
            if self.changes.contains_key(&hash) {
                continue;
            }
            if was_put {
                lost.push(hash);
            }
            // An older value may lie there.
            if !matches!(self.store.get(&hash), Ok(None)) {
                self.remove(hash);
            }
        }
    }
}

impl Drop for Shelf {
    /// A node that stops hands on what it has gathered; the store says when it is durable.
    fn drop(&mut self) {
        let changes = core::mem::take(&mut self.changes).into_iter();
        let changes: Vec<_> = changes.map(|(hash, change)| (Bytes::copy_from_slice(&hash), change)).collect();
        if !changes.is_empty() && self.store.submit(Batch { changes }).is_err() {
            tracing::warn!("what was gathered last could not be stored");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::store::{MemoryStore, StoreLimits};

    fn stored(value: &'static str) -> Stored {
        Stored {
            key: Bytes::from_static(b"a key"),
            value: Bytes::from_static(value.as_bytes()),
            expires: WallTime::from_millis(1 << 40),
            life: 77,
            own: true,
            provided: false,
        }
    }

    fn poll(shelf: &mut Shelf, seconds: u64) -> Vec<Hash> {
        let now = Timestamp::from_millis(seconds * 1000);
        shelf.poll(&mut Context::from_waker(core::task::Waker::noop()), now)
    }

    fn stored_in(shelf: &Shelf) -> Vec<u8> {
        shelf.store.range(&[], &[0xff; 33], 100).unwrap().iter().map(|(key, _)| key[0]).collect()
    }

    /// A store that does as it is told: nothing, or busy, or failing at once, or failing later.
    struct Moody {
        memory: MemoryStore,
        mood: Arc<Mutex<Mood>>,
    }

    #[derive(Clone, Copy, PartialEq)]
    enum Mood {
        Good,
        Busy,
        Fails,
        FailsLater,
    }

    impl Store for Moody {
        fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
            self.memory.get(key)
        }
        fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
            self.memory.range(from, to, limit)
        }
        fn submit(&mut self, batch: Batch) -> Result<WriteId, StoreError> {
            match *self.mood.lock().unwrap() {
                Mood::Good => self.memory.submit(batch),
                Mood::Busy => Err(StoreError::Busy { pending: 1 }),
                Mood::Fails => Err(StoreError::Medium("told to".into())),
                Mood::FailsLater => self.memory.submit(Batch::new()),
            }
        }
        fn poll_synced(&mut self, cx: &mut Context<'_>) -> Poll<(WriteId, Result<(), StoreError>)> {
            let failed = *self.mood.lock().unwrap() == Mood::FailsLater;
            let result = if failed { Err(StoreError::Medium("told to".into())) } else { Ok(()) };
            self.memory.poll_synced(cx).map(|(write, _)| (write, result))
        }
        fn pending(&self) -> usize {
            self.memory.pending()
        }
    }

    fn moody() -> (Shelf, Arc<Mutex<Mood>>) {
        let mood = Arc::new(Mutex::new(Mood::Good));
        let store = Moody { memory: MemoryStore::default(), mood: mood.clone() };
        (Shelf::new(Box::new(store)), mood)
    }

    #[test]
    fn a_busy_store_loses_nothing() {
        let (mut shelf, mood) = moody();
        shelf.put([1; 32], &stored("old"));
        poll(&mut shelf, 0);
        *mood.lock().unwrap() = Mood::Busy;
        shelf.remove([1; 32]);
        shelf.put([2; 32], &stored("new"));
        assert_eq!(poll(&mut shelf, 0), [] as [Hash; 0]);
        assert_eq!((shelf.get(&[1; 32]), shelf.get(&[2; 32])), (None, Some(stored("new"))));
        *mood.lock().unwrap() = Mood::Good;
        assert_eq!(poll(&mut shelf, 0), [] as [Hash; 0]);
        assert_eq!((stored_in(&shelf), shelf.bytes), (vec![2], 0));
    }

    #[test]
    fn what_a_failed_batch_was_to_remove_goes_later_and_so_does_what_lay_under_the_lost() {
        for fails in [Mood::Fails, Mood::FailsLater] {
            let (mut shelf, mood) = moody();
            for number in [1, 2, 3] {
                shelf.put([number; 32], &stored("old"));
            }
            poll(&mut shelf, 0);
            *mood.lock().unwrap() = fails;
            shelf.remove([1; 32]);
            shelf.put([2; 32], &stored("new"));
            shelf.put([4; 32], &stored("new"));
            assert_eq!(poll(&mut shelf, 5), [[2; 32], [4; 32]]);
            assert_eq!((shelf.get(&[1; 32]), shelf.get(&[2; 32])), (None, None), "not even the older values");
            *mood.lock().unwrap() = Mood::Good;
            poll(&mut shelf, 5);
            assert_eq!(stored_in(&shelf), [1, 2, 3], "a store that failed is left alone for a while");
            poll(&mut shelf, 7);
            assert_eq!(stored_in(&shelf), [3]);
        }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else_is() {
        let one = stored("a value");
        let bytes = one.write().unwrap();
        assert_eq!(Stored::read(&bytes), Some(one.clone()));
        for short in 0..25 {
            assert_eq!(Stored::read(&bytes.slice(..short)), None, "{short} bytes");
        }
        let other = Stored { provided: true, own: false, value: Bytes::new(), ..one };
        assert_eq!(Stored::read(&other.write().unwrap()), Some(other));
        assert_eq!(Stored::read(&Bytes::from(vec![9; 60])), None);
    }

    #[test]
    fn many_changes_are_one_batch_and_what_fails_is_told() {
        let mut shelf =
            Shelf::new(Box::new(MemoryStore::new(StoreLimits { keys: 2, bytes: 1000, pending: 9 })));
        for number in 0..2 {
            assert!(shelf.put([number; 32], &stored("x")));
        }
        assert_eq!(poll(&mut shelf, 0), [] as [Hash; 0]);
        assert_eq!(shelf.get(&[1; 32]), Some(stored("x")));
        shelf.put([2; 32], &stored("y"));
        assert_eq!(shelf.get(&[2; 32]), Some(stored("y")), "before it is handed on");
        assert_eq!(poll(&mut shelf, 0), [[2; 32]], "the store is full");
        let mut found = Vec::new();
        shelf.each(|hash, _| found.push(hash[0])).unwrap();
        assert_eq!(found, [0, 1]);
    }

    #[test]
    fn what_is_gathered_is_bounded() {
        let mut shelf = Shelf::new(Box::new(MemoryStore::default()));
        for number in 0..MOST as u64 {
            assert!(shelf.has_room());
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&number.to_be_bytes());
            shelf.remove(hash);
        }
        assert!(!shelf.has_room());
    }
}
