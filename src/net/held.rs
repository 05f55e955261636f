//! What this node keeps for the DHT: records that it was given to hold, records of its own, providers; and
//! behind them what the application lends.
//!
//! # What it promises
//!
//! - Bounds, all in [`NetConfig`]: records and bytes held for others, of this node's own, providers, keys
//!   that this node provides. The [index](index) says who makes room for whom; a record of this node's own
//!   never does for others'.
//! - Another's put never shortens the life of what is held here: whoever repeats a value with a short life, or
//!   puts a newer one, leaves it at least what it had. The life of this node's own is its own to say.
//! - Values are in a [`Store`], which may be a disk; in memory there is an index of about 200 bytes a record.
//!   Writes are gathered (see [`shelf`]), so that many puts are one batch.
//! - With a store that outlives the process, what was held is held again after a restart, as long as it has
//!   to live by the calendar, and never longer than [`NetConfig::stored_for`]. A clock that jumps ahead
//!   between two lives can only end records early, which their publishers store anew. A value from an earlier
//!   life passes the validator before it is first served.
//!
//! # Needs
//!
//! [`Held::poll`] is called whenever the node has nothing else to do, and [`Held::keep_up`] after each thing that
//! it does.

mod index;
mod providers;
mod shelf;
#[cfg(test)]
mod tests;

use core::cell::RefCell;
use core::task::Context;
use core::time::Duration;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use libp2p::PeerId;
use libp2p::kad::store::{Error, RecordStore, Result};
use libp2p::kad::{ProviderRecord, Record, RecordKey};
use sha2::{Digest, Sha256};

use super::clock::Clock;
use super::config::NetConfig;
use crate::network::Validator;
use crate::store::{Store, StoreLimits};
use crate::time::Timestamp;
use index::{Distance, Entry, Index, Room};
use providers::Providers;
use shelf::{BESIDE, Hash, Shelf, Stored};

/// The value that the application itself has under a key, beside what the DHT gave this node to store.
pub type Lend = Box<dyn Fn(&[u8]) -> Option<Bytes> + Send>;

/// The time between two looks for keys that this node no longer provides.
const SWEEP: Duration = Duration::from_secs(60);

/// A node that is never idle writes after so many events.
const BUSY: u32 = 64;

/// The limits that a store for held records needs with `config`.
pub fn held_limits(config: &NetConfig) -> StoreLimits {
    let records = config.stored_records.saturating_add(config.own_records).saturating_add(config.provided);
    let bytes = config.stored_bytes.saturating_add(config.own_bytes);
    // What makes room and what takes it may stand there together for the time of one batch.
    let slack = records / 8 + 4096;
    let keys = records.saturating_add(slack);
    let beside = keys.saturating_mul(BESIDE).saturating_add(config.provided.saturating_mul(config.key_bytes));
    StoreLimits { keys, bytes: bytes.saturating_add(beside).saturating_add(32 << 20), pending: 8 }
}

/// See the [module](self).
pub(super) struct Held {
    local: PeerId,
    local_hash: Hash,
    clock: Clock,
    validator: Arc<dyn Validator>,
    lend: Option<Lend>,
    record_bytes: usize,
    stored_for: Duration,
    index: Index,
    shelf: Shelf,
    /// From an earlier life, and not yet served: to be judged first.
    unchecked: RefCell<BTreeSet<Distance>>,
    /// Of those, the ones that were found bad: not served, and soon to go.
    bad: RefCell<BTreeSet<Distance>>,
    providers: Providers,
    most_provided: usize,
    /// Keys that this node provides, and until when.
    provided: BTreeMap<Hash, (RecordKey, Timestamp)>,
    /// When keys that this node no longer provides are looked for again.
    next_sweep: Timestamp,
    /// Events since the last poll.
    events: u32,
    /// The log has spoken of a key that found no room among those that this node provides.
    told_full: bool,
}

impl core::fmt::Debug for Held {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Held")
            .field("records", &self.index.len())
            .field("providers", &self.providers.len())
            .field("provided", &self.provided.len())
            .finish_non_exhaustive()
    }
}

fn hash(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

impl Held {
    /// What is in `store` is taken up again; a store that cannot be read is taken for an empty one, and told.
    pub(super) fn new(
        local: PeerId,
        config: &NetConfig,
        clock: Clock,
        validator: Arc<dyn Validator>,
        store: Box<dyn Store + Send>,
        lend: Option<Lend>,
    ) -> Self {
        let others = Room { records: config.stored_records, bytes: config.stored_bytes };
        let own = Room { records: config.own_records, bytes: config.own_bytes };
        let mut held = Self {
            local,
            local_hash: hash(&local.to_bytes()),
            clock,
            validator,
            lend,
            record_bytes: config.record_bytes,
            stored_for: config.stored_for,
            index: Index::new(others, own),
            shelf: Shelf::new(store),
            unchecked: RefCell::default(),
            bad: RefCell::default(),
            providers: Providers::new(config.providers),
            most_provided: config.provided,
            provided: BTreeMap::new(),
            next_sweep: Timestamp::ZERO,
            events: 0,
            told_full: false,
        };
        held.load();
        held
    }

    fn load(&mut self) {
        let (now, wall) = (self.clock.now(), self.clock.wall());
        let longest = u64::try_from(self.stored_for.as_millis()).unwrap_or(u64::MAX);
        let mut found = Vec::new();
        let read = self.shelf.each(|hash, stored| {
            let left = stored.expires.since(wall).min(self.stored_for);
            let life = Duration::from_millis(stored.life.min(longest));
            let half = now.after(left.saturating_sub(life / 2));
            let expires = now.after(left);
            let size = stored.key.len() + stored.value.len();
            let provided = stored.provided.then_some(stored.key);
            found.push((hash, Entry { expires, half, size, own: stored.own }, provided));
        });
        if let Err(error) = read {
            tracing::error!(%error, "the records held cannot be read; going on without them");
        }
        let mut gone = Vec::new();
        for (hash, entry, provided) in found {
            let at = self.distance(&hash);
            match provided {
                Some(key) if entry.expires > now && self.provided.len() < self.most_provided => {
                    self.provided.insert(hash, (RecordKey::new(&key), entry.expires));
                }
                None if entry.expires > now && self.index.put(at, entry, now, &mut gone) => {
                    self.unchecked.get_mut().insert(at);
                }
                _ => self.shelf.remove(hash),
            }
        }
        self.drop_values(gone);
    }

    /// A key's hash is its distance from the node whose hash is all zeros, and the other way round.
    fn distance(&self, hash: &Hash) -> Distance {
        let mut distance = *hash;
        distance.iter_mut().zip(&self.local_hash).for_each(|(byte, local)| *byte ^= local);
        distance
    }

    fn drop_values(&mut self, gone: Vec<Distance>) {
        for at in gone {
            let hash = self.distance(&at);
            self.shelf.remove(hash);
            self.unchecked.get_mut().remove(&at);
            self.bad.get_mut().remove(&at);
        }
    }

    /// Keep a record of this node's own, which makes room for nobody else's.
    pub(super) fn put_own(&mut self, record: Record) -> Result<()> {
        self.keep(record, true)
    }

    fn keep(&mut self, record: Record, own: bool) -> Result<()> {
        if record.value.len() > self.record_bytes {
            return Err(Error::ValueTooLarge);
        }
        if !self.shelf.has_room() {
            return Err(Error::MaxRecords);
        }
        let (now, wall) = (self.clock.now(), self.clock.wall());
        let latest = now.after(self.stored_for);
        let offered = record.expires.map_or(latest, |at| self.clock.timestamp(at).min(latest));
        let hash = hash(record.key.as_ref());
        let at = self.distance(&hash);
        let before = self.index.get(&at).copied().filter(|entry| entry.expires > now);
        let (expires, half) = match before {
            // Else any peer could end what it has a copy of, by putting that with no life left.
            Some(before) if !own && (before.own || before.expires >= offered) => {
                (before.expires, before.half)
            }
            _ => (offered, now.after(offered.since(now) / 2)),
        };
        // What is one's own stays so when another node has stored it here too.
        let own = own || before.is_some_and(|entry| entry.own);
        let size = record.key.as_ref().len() + record.value.len();
        let mut gone = Vec::new();
        let kept = self.index.put(at, Entry { expires, half, size, own }, now, &mut gone);
        self.drop_values(gone);
        let stored = Stored {
            key: Bytes::copy_from_slice(record.key.as_ref()),
            value: record.value.into(),
            expires: wall.after(expires.since(now)),
            life: u64::try_from(expires.since(half).saturating_mul(2).as_millis()).unwrap_or(u64::MAX),
            own,
            provided: false,
        };
        if kept && self.shelf.put(hash, &stored) {
            self.unchecked.get_mut().remove(&at);
            self.bad.get_mut().remove(&at);
            return Ok(());
        }
        Err(Error::MaxRecords)
    }

    fn read(&self, at: &Distance) -> Option<Record> {
        let entry = self.index.get(at)?;
        if entry.expires <= self.clock.now() || self.bad.borrow().contains(at) {
            return None;
        }
        let stored = self.shelf.get(&self.distance(at))?;
        if self.unchecked.borrow().contains(at) {
            let is_its_own = self.distance(&hash(&stored.key)) == *at;
            let good = self.validator.record(&stored.key, &stored.value, self.clock.wall()).is_ok();
            if !is_its_own || !good {
                self.bad.borrow_mut().insert(*at);
                return None;
            }
            self.unchecked.borrow_mut().remove(at);
        }
        let mut record = Record::new(RecordKey::new(&stored.key), stored.value.to_vec());
        record.expires = Some(self.clock.instant(entry.expires).into_std());
        Some(record)
    }

    /// After an event: a node that is never idle has to write too, above all when it can take in no more.
    pub(super) fn keep_up(&mut self, cx: &mut Context<'_>) {
        self.events += 1;
        if self.events >= BUSY || !self.shelf.has_room() {
            self.poll(cx);
        }
    }

    /// Hand on what is to be written, and hear what was. What has ended goes.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) {
        self.events = 0;
        let now = self.clock.now();
        let mut gone = Vec::new();
        self.index.advance(now, &mut gone);
        for at in core::mem::take(self.bad.get_mut()) {
            self.index.remove(&at);
            gone.push(at);
        }
        self.drop_values(gone);
        if self.next_sweep <= now {
            self.next_sweep = now.after(SWEEP);
            self.provided.retain(|hash, (_, until)| {
                let stays = *until > now;
                if !stays {
                    self.shelf.remove(*hash);
                }
                stays
            });
        }
        let lost = self.shelf.poll(cx, now);
        if !lost.is_empty() {
            tracing::warn!(records = lost.len(), "could not be stored, and are no longer held");
        }
        for hash in lost {
            let at = self.distance(&hash);
            self.index.remove(&at);
        }
    }

    /// Records held for others, and of this node's own.
    pub(super) fn count(&self) -> (usize, usize) {
        let [others, own] = self.index.used();
        (others.records, own.records)
    }

    fn provider_hash(key: &RecordKey) -> Hash {
        let mut digest = Sha256::new();
        // Beside the record that may be held under the same key.
        digest.update(b"provided/");
        digest.update(key.as_ref());
        digest.finalize().into()
    }
}

impl RecordStore for Held {
    type RecordsIter<'a> = Box<dyn Iterator<Item = Cow<'a, Record>> + 'a>;
    type ProvidedIter<'a> = Box<dyn Iterator<Item = Cow<'a, ProviderRecord>> + 'a>;

    fn get(&self, key: &RecordKey) -> Option<Cow<'_, Record>> {
        let held = self.read(&self.distance(&hash(key.as_ref())));
        let lent = || {
            let value = self.lend.as_ref()?(key.as_ref())?;
            Some(Record::new(key.clone(), value.to_vec()))
        };
        held.or_else(lent).map(Cow::Owned)
    }

    fn put(&mut self, record: Record) -> Result<()> {
        self.keep(record, false)
    }

    fn remove(&mut self, key: &RecordKey) {
        let hash = hash(key.as_ref());
        let at = self.distance(&hash);
        if self.index.remove(&at).is_some() {
            self.drop_values(vec![at]);
        }
    }

    fn records(&self) -> Self::RecordsIter<'_> {
        Box::new(self.index.places().filter_map(|at| self.read(at)).map(Cow::Owned))
    }

    fn add_provider(&mut self, record: ProviderRecord) -> Result<()> {
        let now = self.clock.now();
        let latest = now.after(self.stored_for);
        let expires = record.expires.map_or(latest, |at| self.clock.timestamp(at).min(latest));
        if record.provider != self.local {
            let at = self.distance(&hash(record.key.as_ref()));
            let kept = self.providers.add(at, record, expires, now);
            return kept.then_some(()).ok_or(Error::MaxProvidedKeys);
        }
        let hash = Self::provider_hash(&record.key);
        let known = self.provided.contains_key(&hash);
        let full = !known && self.provided.len() >= self.most_provided;
        if full && !core::mem::replace(&mut self.told_full, true) {
            let most = self.most_provided;
            tracing::warn!(most, "no key more is provided: `provided` of the configuration is the limit");
        }
        if full || !known && !self.shelf.has_room() {
            return Err(Error::MaxProvidedKeys);
        }
        let stored = Stored {
            key: Bytes::copy_from_slice(record.key.as_ref()),
            value: Bytes::new(),
            expires: self.clock.wall().after(expires.since(now)),
            life: u64::try_from(expires.since(now).as_millis()).unwrap_or(u64::MAX),
            own: true,
            provided: true,
        };
        self.shelf.put(hash, &stored);
        self.provided.insert(hash, (record.key, expires));
        Ok(())
    }

    fn providers(&self, key: &RecordKey) -> Vec<ProviderRecord> {
        let now = self.clock.now();
        let mut providers = self.providers.of(&self.distance(&hash(key.as_ref())), now);
        let own = self.provided.get(&Self::provider_hash(key));
        if own.is_some_and(|(_, until)| *until > now) {
            let at = providers.partition_point(|held| held.provider < self.local);
            providers.insert(at, ProviderRecord::new(key.clone(), self.local, Vec::new()));
        }
        providers
    }

    fn provided(&self) -> Self::ProvidedIter<'_> {
        let record =
            |(key, _): &(RecordKey, Timestamp)| ProviderRecord::new(key.clone(), self.local, Vec::new());
        Box::new(self.provided.values().map(move |held| Cow::Owned(record(held))))
    }

    fn remove_provider(&mut self, key: &RecordKey, provider: &PeerId) {
        let at = self.distance(&hash(key.as_ref()));
        self.providers.remove(&at, provider);
        let hash = Self::provider_hash(key);
        if *provider == self.local && self.provided.remove(&hash).is_some() {
            self.shelf.remove(hash);
        }
    }
}
