//! One node's catalogue: which statements of a pool it holds, and within which bounds.

use core::fmt;
use core::ops::{Bound, RangeInclusive};
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::bits::Bits;
use super::find::{self, Match, Place, contradiction, is_disputed};
use super::pool::{Entries, EntryId, Pool};
use super::statement::Statement;
use crate::engine::Local;
use crate::package::{PackageId, PublisherId, Query, ReleaseId};
use crate::probe::reached;
use crate::record::keys::{self, KeyName};
use crate::record::{Checked, Record, ReleaseList};
use crate::time::WallTime;

/// How much a catalogue holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The most statements of all publishers together, beside those of [`Catalogue::make_room_for`].
    pub entries: usize,
    /// The most statements of one publisher. Keys are free, so this alone bounds nothing; it keeps one
    /// publisher from crowding out the others by mistake.
    pub per_publisher: usize,
    /// The most packages whose list of releases is held.
    pub lists: usize,
    /// The most proofs of equivocation kept to be shown.
    pub proofs: usize,
}

impl Default for Bounds {
    /// 100,000 statements, 10,000 of one publisher, 4,096 lists, 64 proofs.
    fn default() -> Self {
        Self { entries: 100_000, per_publisher: 10_000, lists: 4096, proofs: 64 }
    }
}

/// What came of a record that was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Learned {
    /// It is held now, and says what was not known: a new statement, the record of a release known by
    /// name, or a newer list.
    New,
    /// What it says was known; nothing changed.
    Known,
    /// Its publisher contradicts itself. It is kept beside what it contradicts, unless that was already
    /// contradicted; in no case is either served as truth.
    Equivocation(Proof),
    /// There is no room: it is not held.
    Full,
}

/// Two statements, validly signed by one publisher, that no honest publisher makes both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The one that was known.
    pub first: Checked,
    /// The other.
    pub second: Checked,
}

/// A publisher's statements, in the order of their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The statements. Those that share a number come together, in the order of their digests.
    pub statements: Vec<Checked>,
    /// Whether there are more behind the last.
    pub more: bool,
}

/// What one node knows; see the [module](super).
pub struct Catalogue {
    pool: Pool,
    bounds: Bounds,
    held: Bits,
    entries: usize,
    releases: usize,
    fresh: WallTime,
    /// Whose statements find room though the catalogue is full.
    own: Option<PublisherId>,
    lists: BTreeMap<PackageId, Checked>,
    proofs: Vec<Proof>,
}

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalogue")
            .field("entries", &self.entries)
            .field("releases", &self.releases)
            .field("lists", &self.lists.len())
            .field("proofs", &self.proofs.len())
            .field("fresh", &self.fresh)
            .finish_non_exhaustive()
    }
}

impl Clone for Catalogue {
    /// Another catalogue over the same pool that holds the same.
    fn clone(&self) -> Self {
        let mut entries = self.pool.entries();
        for entry in self.held.iter() {
            entries.hold(entry);
        }
        Self {
            pool: self.pool.clone(),
            bounds: self.bounds,
            held: self.held.clone(),
            entries: self.entries,
            releases: self.releases,
            fresh: self.fresh,
            own: self.own,
            lists: self.lists.clone(),
            proofs: self.proofs.clone(),
        }
    }
}

impl Drop for Catalogue {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Catalogue {
    /// An empty catalogue over `pool`.
    pub fn new(pool: Pool, bounds: Bounds) -> Self {
        Self {
            pool,
            bounds,
            held: Bits::default(),
            entries: 0,
            releases: 0,
            fresh: WallTime::EPOCH,
            own: None,
            lists: BTreeMap::new(),
            proofs: Vec::new(),
        }
    }

    /// A catalogue that holds these entries of `pool`, as of `fresh`: the way to make thousands of them.
    /// Ids that the pool no longer has, and what is over the bound of entries, are left out.
    pub fn holding(
        pool: Pool,
        bounds: Bounds,
        ids: impl IntoIterator<Item = EntryId>,
        fresh: WallTime,
    ) -> Self {
        // Before the lock is taken: the iterator is the caller's, and may look at the pool itself.
        let ids: Vec<EntryId> = ids.into_iter().collect();
        let mut own = Self::new(pool.clone(), bounds);
        own.fresh = fresh;
        let mut entries = pool.entries();
        for EntryId(entry) in ids {
            let known = own.held.contains(entry) || own.entries >= bounds.entries;
            if !known && entries.hold(entry) {
                own.held.insert(entry);
                own.entries += 1;
                own.releases += usize::from(entries.statement(entry).is_some_and(|it| it.whole));
            }
        }
        drop(entries);
        own
    }

    /// The pool that its statements are in.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Statements of this publisher, the node's own, find room though the catalogue is full: who else would list
    /// them? So at most [`Bounds::per_publisher`] are held beyond [`Bounds::entries`]. So do its lists, of which there
    /// are no more than packages of its own.
    pub fn make_room_for(&mut self, own: Option<PublisherId>) {
        self.own = own;
    }

    /// Take in a verified record at `wall`.
    pub fn learn(&mut self, record: &Checked, wall: WallTime) -> Learned {
        let learned = match &**record {
            Record::List(list) => self.learn_list(record, list),
            Record::Release(_) | Record::Notice(_) => self.learn_statement(record),
        };
        if learned == Learned::New {
            self.fresh = self.fresh.max(wall);
        }
        if let Learned::Equivocation(proof) = &learned {
            reached!(EquivocationKept);
            let shown = self.proofs.len() >= self.bounds.proofs || self.proofs.contains(proof);
            if !shown {
                self.proofs.push(proof.clone());
            }
        }
        learned
    }

    fn learn_list(&mut self, record: &Checked, list: &ReleaseList) -> Learned {
        let full = self.lists.len() >= self.bounds.lists && self.own != Some(list.package.publisher);
        match self.lists.get_mut(&list.package) {
            None if full => Learned::Full,
            None => {
                self.lists.insert(list.package.clone(), Arc::clone(record));
                Learned::New
            }
            Some(held) => {
                let sequence = held.as_list().map_or(0, |held| held.sequence);
                if sequence < list.sequence {
                    *held = Arc::clone(record);
                    Learned::New
                } else if sequence > list.sequence || held.digest() == list.digest {
                    Learned::Known
                } else {
                    // The same choice as a store's, so that all nodes come to hold the same one.
                    let proof = Proof { first: Arc::clone(held), second: Arc::clone(record) };
                    if list.digest < held.digest() {
                        *held = Arc::clone(record);
                    }
                    Learned::Equivocation(proof)
                }
            }
        }
    }

    fn learn_statement(&mut self, record: &Checked) -> Learned {
        let Some(statement) = Statement::of(record) else { return Learned::Known };
        let pool = self.pool.clone();
        let mut entries = pool.entries();
        if entries.by_digest(&record.digest()).is_some_and(|entry| self.held.contains(entry)) {
            return Learned::Known;
        }
        // What says the same in other words: a record takes the place of its notice.
        let same = entries
            .numbered(statement.publisher(), statement.number, &self.held)
            .find(|entry| entries.statement(*entry).is_some_and(|it| it.agrees(&statement)));
        if let Some(same) = same {
            let notice = entries.statement(same).is_some_and(|it| !it.whole);
            if !(notice && statement.whole) {
                return Learned::Known;
            }
            reached!(NoticeFilled);
            self.let_go(&mut entries, same);
            self.take_in(&mut entries, record);
            return Learned::New;
        }
        let against = |entry: &u32| entries.statement(*entry).is_some_and(|it| it.contradicts(&statement));
        let digest = |entry: &u32| entries.record(*entry).map(|record| record.digest());
        let contradicted = entries.kin(statement, &self.held).filter(against).min_by_key(digest);
        if let Some(first) = contradicted {
            let Some(known) = entries.record(first).cloned() else { return Learned::Known };
            // One contradiction is proof enough: more of one entry would only fill the catalogue.
            if !is_disputed(&entries, &self.held, first) {
                self.take_in(&mut entries, record);
            }
            return Learned::Equivocation(Proof { first: known, second: Arc::clone(record) });
        }
        if self.is_full(&entries, statement) {
            reached!(CatalogueFull);
            return Learned::Full;
        }
        self.take_in(&mut entries, record);
        Learned::New
    }

    /// Whether there is no room for `statement`. The first yank of something that is held always has room,
    /// so that a full catalogue does not go on finding what was taken back.
    fn is_full(&self, entries: &Entries, statement: Statement<'_>) -> bool {
        if statement.yanks() {
            let mut about = entries.about(statement.release, &self.held).peekable();
            let yanks = |entry| entries.statement(entry).is_some_and(|it| it.yanks());
            if about.peek().is_some() && !about.any(yanks) {
                return false;
            }
        }
        if self.entries >= self.bounds.entries && self.own != Some(statement.publisher()) {
            return true;
        }
        // Counted only when the publisher has said so much that it matters.
        let Some(shelf) = entries.shelves.get(&statement.publisher()) else { return false };
        let held = || shelf.by_number.values().flatten().filter(|entry| self.held.contains(**entry)).count();
        shelf.entries >= self.bounds.per_publisher && held() >= self.bounds.per_publisher
    }

    fn take_in(&mut self, entries: &mut Entries, record: &Checked) {
        let entry = entries.take_in(record);
        self.held.insert(entry);
        self.entries += 1;
        self.releases += usize::from(matches!(**record, Record::Release(_)));
    }

    fn let_go(&mut self, entries: &mut Entries, entry: u32) {
        if self.held.remove(entry) {
            self.entries -= 1;
            self.releases -= usize::from(entries.statement(entry).is_some_and(|it| it.whole));
            entries.let_go(entry);
        }
    }

    /// Forget everything.
    pub fn clear(&mut self) {
        let mut entries = self.pool.entries();
        for entry in core::mem::take(&mut self.held).iter() {
            entries.let_go(entry);
        }
        drop(entries);
        (self.entries, self.releases, self.fresh) = (0, 0, WallTime::EPOCH);
        self.lists.clear();
        self.proofs.clear();
    }

    /// The best `limit` answers to `query` behind `after`, best first, and whether there are more: releases
    /// that are neither yanked nor contradicted, by their record or, where that is not held, by their notice.
    pub fn search(&self, query: &Query, after: Option<&Place>, limit: usize) -> (Vec<Match>, bool) {
        find::search(&self.pool.entries(), &self.held, query, after, limit)
    }

    /// What the engine needs to know of this catalogue for a search: the best `limit` answers that are held,
    /// the keys of at most as many that are known by name, and everything that was yanked.
    pub fn local(&self, query: &Query, limit: usize) -> Local {
        let (found, _) = self.search(query, None, limit.saturating_mul(2));
        let (whole, named): (Vec<Match>, Vec<Match>) = found.into_iter().partition(Match::is_whole);
        Local {
            releases: whole.into_iter().take(limit).map(|found| found.record).collect(),
            names: named.iter().take(limit).filter_map(|found| find::key_of(&found.record)).collect(),
            yanked: self.yanked(),
        }
    }

    /// The record of `release`, when it is held and not contradicted; yanked or not.
    pub fn get(&self, release: &ReleaseId) -> Option<Checked> {
        let entries = self.pool.entries();
        let whole = |entry: &u32| entries.statement(*entry).is_some_and(|it| it.whole);
        let entry = entries.about(release, &self.held).find(whole)?;
        let record = entries.record(entry).cloned()?;
        (!is_disputed(&entries, &self.held, entry)).then_some(record)
    }

    /// Whether [`Catalogue::get`] has it.
    pub fn contains(&self, release: &ReleaseId) -> bool {
        self.get(release).is_some()
    }

    /// Whether a yank of `release` is held.
    pub fn is_yanked(&self, release: &ReleaseId) -> bool {
        let entries = self.pool.entries();
        entries.about(release, &self.held).any(|entry| entries.statement(entry).is_some_and(|it| it.yanks()))
    }

    /// The releases of which a yank is held, in order.
    pub fn yanked(&self) -> Vec<ReleaseId> {
        let entries = self.pool.entries();
        let held = entries.yanks.iter().filter(|entry| self.held.contains(**entry));
        let mut yanked: Vec<ReleaseId> =
            held.filter_map(|entry| entries.statement(*entry)).map(|it| it.release.clone()).collect();
        yanked.sort();
        yanked.dedup();
        yanked
    }

    /// The proof that the publisher of `release` contradicts itself about it, when there is one.
    pub fn conflict(&self, release: &ReleaseId) -> Option<Proof> {
        let entries = self.pool.entries();
        entries.about(release, &self.held).find_map(|first| {
            let second = contradiction(&entries, &self.held, first)?;
            let record = |entry| entries.record(entry).cloned();
            Some(Proof { first: record(first)?, second: record(second)? })
        })
    }

    /// The equivocations that came to light here, as far as the bound allows.
    pub fn proofs(&self) -> &[Proof] {
        &self.proofs
    }

    /// The newest list held of `package`.
    pub fn list(&self, package: &PackageId) -> Option<&Checked> {
        self.lists.get(package)
    }

    /// The value under `key`, when it is held: a release that is not contradicted, or a list.
    pub fn under(&self, key: &[u8]) -> Option<Bytes> {
        match keys::parse(key)? {
            KeyName::Release(release) => self.get(&release).map(|record| record.bytes().clone()),
            KeyName::List(package) => self.list(&package).map(|record| record.bytes().clone()),
        }
    }

    /// The highest number held of each publisher behind `after`, at most `limit` of them in the order of
    /// publishers, and whether there are more.
    pub fn heads(&self, after: Option<PublisherId>, limit: usize) -> (Vec<(PublisherId, u64)>, bool) {
        let entries = self.pool.entries();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let heads = entries.shelves.range((from, Bound::Unbounded)).filter_map(|(publisher, shelf)| {
            let held = |under: &[u32]| under.iter().any(|entry| self.held.contains(*entry));
            let highest = shelf.by_number.iter().rev().find(|(_, under)| held(under));
            highest.map(|(number, _)| (*publisher, *number))
        });
        let mut heads: Vec<_> = heads.take(limit.saturating_add(1)).collect();
        let more = heads.len() > limit;
        heads.truncate(limit);
        (heads, more)
    }

    /// A publisher's statements from number `from` on, at most `items` of them, with at most `bytes` bytes
    /// together. Statements that share a number are not parted, so the next page begins behind the last
    /// number; a page is empty with `more` set when the first ones alone are too large.
    pub fn page(&self, publisher: PublisherId, from: u64, items: usize, bytes: usize) -> Page {
        let entries = self.pool.entries();
        let mut page = Page { statements: Vec::new(), more: false };
        let mut room = bytes;
        let Some(shelf) = entries.shelves.get(&publisher) else { return page };
        for under in shelf.by_number.range(from..).map(|(_, under)| under) {
            let held = under.iter().filter(|entry| self.held.contains(**entry));
            let mut records: Vec<&Checked> = held.filter_map(|entry| entries.record(*entry)).collect();
            records.sort_by_key(|record| record.digest());
            let size: usize = records.iter().map(|record| record.bytes().len() + Self::PER_STATEMENT).sum();
            if records.len() > items - page.statements.len() || size > room {
                page.more = true;
                break;
            }
            room -= size;
            page.statements.extend(records.into_iter().cloned());
        }
        page
    }

    /// What [`Catalogue::page`] counts for a statement beside its bytes: the head of a byte string.
    const PER_STATEMENT: usize = 5;

    /// The highest number up to which everything of `publisher` is held; 0 when its first is not.
    pub fn contiguous(&self, publisher: PublisherId) -> u64 {
        self.gaps(publisher, 1).first().map_or_else(|| self.heads_of(publisher), |gap| gap.start() - 1)
    }

    /// The numbers of `publisher` below its head that are not held, as at most `most` ranges from the lowest.
    pub fn gaps(&self, publisher: PublisherId, most: usize) -> Vec<RangeInclusive<u64>> {
        let entries = self.pool.entries();
        let mut gaps = Vec::new();
        let mut next = 1;
        let Some(shelf) = entries.shelves.get(&publisher) else { return gaps };
        for (number, under) in &shelf.by_number {
            if !under.iter().any(|entry| self.held.contains(*entry)) {
                continue;
            }
            if gaps.len() >= most {
                break;
            }
            if *number > next {
                gaps.push(next..=number - 1);
            }
            next = number.saturating_add(1);
        }
        gaps
    }

    /// The highest number held of `publisher`; 0 when there is none.
    fn heads_of(&self, publisher: PublisherId) -> u64 {
        let entries = self.pool.entries();
        let shelf = entries.shelves.get(&publisher);
        let mut numbers = shelf.into_iter().flat_map(|shelf| shelf.by_number.iter().rev());
        let held = numbers.find(|(_, under)| under.iter().any(|entry| self.held.contains(*entry)));
        held.map_or(0, |(number, _)| *number)
    }

    /// Everything it holds beside lists, by publisher and number.
    pub fn statements(&self) -> Vec<(EntryId, Checked)> {
        let entries = self.pool.entries();
        let mut found: Vec<(EntryId, Checked)> = self
            .held
            .iter()
            .filter_map(|entry| Some((EntryId(entry), entries.record(entry)?.clone())))
            .collect();
        let number = |record: &Checked| Statement::of(record).map_or(0, |it| it.number);
        found.sort_by_cached_key(|(_, record)| (record.publisher(), number(record), record.digest()));
        found
    }

    /// How many releases it holds whole: what it says of itself in its answers.
    pub fn held(&self) -> u64 {
        self.releases as u64
    }

    /// How many statements it holds, notices and yanks included.
    pub fn len(&self) -> usize {
        self.entries
    }

    /// Whether it holds no statement.
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// When it last learned something new.
    pub fn fresh(&self) -> WallTime {
        self.fresh
    }

    /// Bytes that are this catalogue's own, beside its pool and the lists that it holds.
    pub fn own_bytes(&self) -> usize {
        size_of::<Self>() + self.held.heap() + self.proofs.capacity() * size_of::<Proof>()
    }
}
