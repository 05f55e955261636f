//! A lookup in the DHT that any number of gets wait on together.
//!
//! Equal gets in flight share one lookup of the key. Each keeps its own deadline; when the last has gone,
//! the lookup is cancelled. The lookup runs until the deadline of the get that began it. A get that joined
//! later and has more time is not cheated by that: when the lookup times out while someone still has time,
//! it is started again for those, and keeps what it has found.

use core::cmp::Reverse;
use std::collections::BTreeSet;

use bytes::Bytes;

use super::command::QueryId;
use super::desk::list_of;
use crate::network::{Peer, RequestId};
use crate::package::{PackageId, ReleaseId};
use crate::record::{Checked, keys};
use crate::time::Timestamp;

/// How many distinct peers' answers make a list, or an absence, sound.
pub(super) const SOUND: usize = 3;

/// What is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A release.
    Release(ReleaseId),
    /// A package's list of releases.
    List(PackageId),
}

impl Wanted {
    /// Its key in the DHT.
    pub(super) fn key(&self) -> Bytes {
        match self {
            Self::Release(id) => keys::release(id),
            Self::List(id) => keys::list(id),
        }
    }
}

/// How a lookup ended, for those who wait on it.
#[derive(Clone, Debug)]
pub(super) enum Landing {
    /// The release.
    Release(Checked),
    /// The best of the lists that so many peers gave; `sound` when nobody else was left to ask, or enough
    /// have answered.
    List { best: Checked, answers: usize, sound: bool },
    /// So many peers answered, and none of them has it.
    Absent { answers: usize },
    /// It ended without an answer.
    Silent,
}

/// One shared lookup; see the [module](self).
#[derive(Debug)]
pub(super) struct Flight<P> {
    pub(super) request: RequestId,
    /// By when the network ends the lookup.
    pub(super) deadline: Timestamp,
    pub(super) waiters: BTreeSet<QueryId>,
    pub(super) best: Option<Checked>,
    pub(super) answerers: BTreeSet<P>,
}

impl<P: Peer> Flight<P> {
    pub(super) fn new(request: RequestId, deadline: Timestamp, first: QueryId) -> Self {
        Self { request, deadline, waiters: BTreeSet::from([first]), best: None, answerers: BTreeSet::new() }
    }

    /// What is known when nothing more will come.
    pub(super) fn landing(&self, sound: bool) -> Landing {
        match &self.best {
            Some(best) => Landing::List { best: Checked::clone(best), answers: self.answerers.len(), sound },
            None => Landing::Silent,
        }
    }
}

/// The better of two lists of one package: the higher sequence; of two with the same, the one with the lower
/// digest, so that everybody who sees both settles on the same.
pub(super) fn better(a: Checked, b: Checked) -> Checked {
    let rank = |list: &Checked| list_of(list).map(|list| (list.sequence, Reverse(list.digest)));
    if rank(&b) > rank(&a) { b } else { a }
}
