//! Answers to a query, best first, from any place on.

use core::cmp::{Ordering, Reverse};

use bytes::{BufMut, Bytes, BytesMut};

use super::bits::Bits;
use super::pool::Entries;
use super::statement::Statement;
use crate::message::Cursor;
use crate::package::{Query, ReleaseId};
use crate::record::keys::{self, KeyName};
use crate::record::{Checked, Record};

/// One answer to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The release's record, or the notice by which it is known when that is all there is.
    pub record: Checked,
    /// How well it fits, as far as the record tells.
    pub score: u32,
}

impl Match {
    /// Which release it is; `None` never comes out of a catalogue.
    pub fn release(&self) -> Option<&ReleaseId> {
        Statement::of(&self.record).map(|statement| statement.release)
    }

    /// Whether the record itself is held.
    pub fn is_whole(&self) -> bool {
        matches!(*self.record, Record::Release(_))
    }

    /// Its place among the answers.
    pub fn place(&self) -> Option<Place> {
        self.release().map(|release| Place { score: self.score, release: release.clone() })
    }
}

/// A place in the order of answers: going on from it begins behind it, also when what stood there is
/// gone. As a [`Cursor`]: the score in four bytes, most significant first, then the release's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    score: u32,
    release: ReleaseId,
}

impl Place {
    /// As bytes.
    pub fn to_cursor(&self) -> Cursor {
        let key = keys::release(&self.release);
        let mut bytes = BytesMut::with_capacity(4 + key.len());
        bytes.put_u32(self.score);
        bytes.put(key);
        Cursor(bytes.freeze())
    }

    /// From bytes, when they are a place.
    pub fn from_cursor(cursor: &Cursor) -> Option<Self> {
        let (score, key) = cursor.0.split_first_chunk()?;
        match keys::parse(key)? {
            KeyName::Release(release) => Some(Self { score: u32::from_be_bytes(*score), release }),
            KeyName::List(_) => None,
        }
    }
}

/// The order of answers, which is that of `package::Rank`.
fn order(a: (u32, &ReleaseId), b: (u32, &ReleaseId)) -> Ordering {
    let scores = Reverse(a.0).cmp(&Reverse(b.0));
    scores.then_with(|| a.1.package.cmp(&b.1.package)).then_with(|| b.1.version.cmp(&a.1.version))
}

/// The best `limit` answers of `held` behind `after`, and whether there are more.
pub(super) fn search(
    entries: &Entries,
    held: &Bits,
    query: &Query,
    after: Option<&Place>,
    limit: usize,
) -> (Vec<Match>, bool) {
    let mut found: Vec<(u32, &ReleaseId, &Checked)> = Vec::new();
    for (entry, weights) in entries.index.find(query, held) {
        let (Some(record), Some(statement)) = (entries.record(entry), entries.statement(entry)) else {
            continue;
        };
        let score = weights + query.name_bonus(&statement.release.package.name);
        let behind = after
            .is_none_or(|place| order((score, statement.release), (place.score, &place.release)).is_gt());
        if behind && (entries.is_alone(entry) || stands(entries, held, entry, statement)) {
            found.push((score, statement.release, record));
        }
    }
    // One answer a release, so no two are equal and an unstable order is no different from a stable one.
    let by_place =
        |a: &(u32, &ReleaseId, &Checked), b: &(u32, &ReleaseId, &Checked)| order((a.0, a.1), (b.0, b.1));
    let more = found.len() > limit;
    if more {
        found.select_nth_unstable_by(limit, by_place);
        found.truncate(limit);
    }
    found.sort_by(by_place);
    (found.into_iter().map(|(score, _, record)| Match { record: record.clone(), score }).collect(), more)
}

/// Whether `entry` is an answer beside its kin: not yanked, not contradicted, and the one of several about
/// its release that stands for it: the record before its notices, of notices the lowest number.
fn stands(entries: &Entries, held: &Bits, entry: u32, statement: Statement<'_>) -> bool {
    let place = |entry: u32, statement: &Statement<'_>| {
        (!statement.whole, statement.number, entries.record(entry).map(|record| record.digest()))
    };
    let own = place(entry, &statement);
    entries
        .about(statement.release, held)
        .filter(|other| *other != entry)
        .all(|other| entries.statement(other).is_none_or(|it| !it.yanks() && own < place(other, &it)))
        && !is_disputed(entries, held, entry)
}

/// Whether something in `held` contradicts `entry`.
pub(super) fn is_disputed(entries: &Entries, held: &Bits, entry: u32) -> bool {
    contradiction(entries, held, entry).is_some()
}

/// The first, by digest, of what contradicts `entry` in `held`.
pub(super) fn contradiction(entries: &Entries, held: &Bits, entry: u32) -> Option<u32> {
    if entries.is_alone(entry) {
        return None;
    }
    let statement = entries.statement(entry)?;
    let against = |other: &u32| entries.statement(*other).is_some_and(|other| statement.contradicts(&other));
    let digest = |other: &u32| entries.record(*other).map(|record| record.digest());
    entries.kin(statement, held).filter(against).min_by_key(digest)
}

/// The key under which a statement's release is stored.
pub(super) fn key_of(record: &Record) -> Option<Bytes> {
    Statement::of(record).map(|statement| keys::release(statement.release))
}
