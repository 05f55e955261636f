//! The releases that a search knows by name only, and from whom their records can be had.
//!
//! A name waits until it is fetched from a peer that said it holds the record, holder after holder; when
//! none is left, and everybody who is asked has answered, the DHT is the last path. A name is settled when
//! its record came by whatever way, or when nobody is left to ask.
//!
//! Bounds: names in all, names that one answerer may add, holders kept for a name, lookups in the DHT.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use crate::network::Peer;
use crate::package::ReleaseId;

/// The most holders kept for a name.
const HOLDERS: usize = 4;
/// The most names in one question for records: their keys fit a question many times.
const BATCH: usize = 32;

/// Where a name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waiting,
    Out,
    Lost,
}

#[derive(Debug)]
struct Name<P> {
    key: Bytes,
    holders: VecDeque<P>,
    /// Every holder ever added, so that none is tried twice.
    known: BTreeSet<P>,
    looked: bool,
    stage: Stage,
}

/// The names of one search; see the [module](self).
#[derive(Debug)]
pub(super) struct Names<P> {
    names: BTreeMap<ReleaseId, Name<P>>,
    /// Those that wait, in the order in which they were told; settled ones may be among them.
    waiting: VecDeque<ReleaseId>,
    most: usize,
    lookups_left: u32,
    /// Names whose record came.
    resolved: u32,
}

impl<P: Peer> Names<P> {
    /// No names, for a search of at most `max_results`.
    pub(super) fn new(max_results: usize) -> Self {
        Self {
            names: BTreeMap::new(),
            waiting: VecDeque::new(),
            most: max_results.saturating_mul(16),
            lookups_left: u32::try_from(max_results.saturating_mul(2)).unwrap_or(u32::MAX),
            resolved: 0,
        }
    }

    /// `release` is known by name, from `holder` if it said that it holds the record. Returns whether it is
    /// new, and so counts towards its teller's quota.
    pub(super) fn add(
        &mut self,
        release: &ReleaseId,
        key: Bytes,
        holder: Option<P>,
        may_be_new: bool,
    ) -> bool {
        let new = !self.names.contains_key(release);
        if new {
            if !may_be_new || self.names.len() >= self.most {
                return false;
            }
            let (holders, known) = (VecDeque::new(), BTreeSet::new());
            let name = Name { key, holders, known, looked: false, stage: Stage::Waiting };
            self.names.insert(release.clone(), name);
            self.waiting.push_back(release.clone());
        }
        if let (Some(name), Some(holder)) = (self.names.get_mut(release), holder)
            && name.known.len() < HOLDERS
            && name.known.insert(holder)
        {
            name.holders.push_back(holder);
            if name.stage == Stage::Lost {
                name.stage = Stage::Waiting;
                self.waiting.push_back(release.clone());
            }
        }
        new
    }

    /// The record of `release` came, or it is not wanted any more (`came` is false).
    pub(super) fn settle(&mut self, release: &ReleaseId, came: bool) {
        if self.names.remove(release).is_some() && came {
            self.resolved += 1;
        }
    }

    /// The next question for records: a holder, and the keys to ask it for. The names in it are out until
    /// they are settled or given back.
    pub(super) fn next_batch(&mut self) -> Option<(P, Vec<ReleaseId>, Vec<Bytes>)> {
        let mut holder = None;
        let (mut releases, mut keys) = (Vec::new(), Vec::new());
        let mut later = VecDeque::new();
        while let Some(release) = self.waiting.pop_front() {
            let Some(name) = self.names.get_mut(&release) else { continue };
            if name.stage != Stage::Waiting {
                continue;
            }
            let wanted = match holder {
                None => name.holders.front().copied(),
                Some(peer) => name.holders.contains(&peer).then_some(peer),
            };
            match wanted {
                Some(peer) if keys.len() < BATCH => {
                    holder = Some(peer);
                    name.holders.retain(|other| *other != peer);
                    name.stage = Stage::Out;
                    keys.push(name.key.clone());
                    releases.push(release);
                }
                _ => later.push_back(release),
            }
        }
        self.waiting = later;
        holder.map(|holder| (holder, releases, keys))
    }

    /// The next name to look up in the DHT: one that waits and has no holder left. `None` also when the
    /// search's lookups are used up; such names are lost.
    pub(super) fn next_lookup(&mut self) -> Option<(ReleaseId, Bytes)> {
        for _ in 0..self.waiting.len() {
            let Some(release) = self.waiting.pop_front() else { break };
            let Some(name) = self.names.get_mut(&release) else { continue };
            if name.stage != Stage::Waiting {
                continue;
            }
            if !name.holders.is_empty() {
                self.waiting.push_back(release);
            } else if name.looked || self.lookups_left == 0 {
                name.stage = Stage::Lost;
            } else {
                name.looked = true;
                name.stage = Stage::Out;
                self.lookups_left -= 1;
                return Some((release, name.key.clone()));
            }
        }
        None
    }

    /// A question or lookup for `release` ended without its record. With `again`, `holder` may be asked once
    /// more: it sent others, and this one may not have fitted.
    pub(super) fn give_back(&mut self, release: &ReleaseId, again: Option<P>) {
        if let Some(name) = self.names.get_mut(release)
            && name.stage == Stage::Out
        {
            name.stage = Stage::Waiting;
            if let Some(holder) = again {
                name.holders.push_front(holder);
            }
            self.waiting.push_back(release.clone());
        }
    }

    /// Whether a name waits to be asked for.
    pub(super) fn any_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Names whose record came.
    pub(super) const fn resolved(&self) -> u32 {
        self.resolved
    }

    /// Names without their record.
    pub(super) fn unresolved(&self) -> u32 {
        u32::try_from(self.names.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests;
