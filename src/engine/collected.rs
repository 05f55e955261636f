//! What one search has collected: each release once, conflicts apart, delivered as it comes.

use std::collections::{BTreeMap, BTreeSet};

use super::action::Action;
use super::command::QueryId;
use super::desk::{Desk, release_of};
use super::outcome::Conflict;
use crate::network::Peer;
use crate::package::{Query, ReleaseId};
use crate::record::Checked;

/// What became of a release that was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Delivered.
    Delivered,
    /// It is there already.
    Known,
    /// Never to be delivered: yanked, or in conflict.
    Barred,
    /// The limit is reached.
    Full,
}

/// The results of one search. `delivered` only rises, and never above the limit; what is delivered and turns
/// out to be in conflict is taken out of the results, and its place is not given to another.
#[derive(Debug)]
pub(super) struct Collected {
    limit: usize,
    delivered: usize,
    found: BTreeMap<ReleaseId, Checked>,
    barred: BTreeSet<ReleaseId>,
    conflicts: BTreeMap<ReleaseId, Conflict>,
}

impl Collected {
    /// Nothing yet, at most `limit`, and never one of `barred`.
    pub(super) fn new(limit: usize, barred: Vec<ReleaseId>) -> Self {
        let barred = barred.into_iter().collect();
        Self { limit, delivered: 0, found: BTreeMap::new(), barred, conflicts: BTreeMap::new() }
    }

    /// Take in a verified release that matches, from a peer or from the local catalogue.
    pub(super) fn take<P: Peer>(
        &mut self,
        desk: &mut Desk<P>,
        query: QueryId,
        record: &Checked,
        from: Option<P>,
    ) -> Taken {
        let Some(release) = release_of(record) else { return Taken::Known };
        let id = &release.package.release;
        if let Some(first) = self.found.get(id) {
            if first.bytes() == record.bytes() {
                desk.metrics.duplicates += 1;
                return Taken::Known;
            }
            let conflict = desk.conflict(id, first, record);
            self.found.remove(id);
            self.barred.insert(id.clone());
            self.conflicts.insert(id.clone(), conflict);
            if let Some(from) = from {
                desk.learned(record, from);
            }
            return Taken::Barred;
        }
        if self.barred.contains(id) {
            return Taken::Barred;
        }
        if let Some(conflict) = desk.conflicts.get(id) {
            self.barred.insert(id.clone());
            self.conflicts.insert(id.clone(), conflict.clone());
            return Taken::Barred;
        }
        if self.full() {
            return Taken::Full;
        }
        self.found.insert(id.clone(), Checked::clone(record));
        self.delivered += 1;
        desk.metrics.delivered += 1;
        if let Some(from) = from {
            desk.learned(record, from);
        }
        desk.act(Action::Deliver { query, release: Checked::clone(record), from });
        Taken::Delivered
    }

    /// Whether the limit is reached.
    pub(super) const fn full(&self) -> bool {
        self.delivered >= self.limit
    }

    /// Whether `release` needs no record any more: found, or barred.
    pub(super) fn settled(&self, release: &ReleaseId) -> bool {
        self.found.contains_key(release) || self.barred.contains(release)
    }

    /// How many results are held.
    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// The results, best first, and the conflicts.
    pub(super) fn finish(self, query: &Query) -> (Vec<Checked>, Vec<Conflict>) {
        let ranked = self.found.into_values().filter_map(|record| {
            let rank = query.rank_of(&release_of(&record)?.package);
            Some((rank, record))
        });
        let mut ranked: Vec<_> = ranked.collect();
        ranked.sort_by(|(a, _), (b, _)| a.cmp(b));
        (ranked.into_iter().map(|(_, record)| record).collect(), self.conflicts.into_values().collect())
    }
}
