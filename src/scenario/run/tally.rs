//! What callers were told: gets that were answered truly, publications that went through, streams that
//! agree with their outcomes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::truth::RunTruth;
use crate::oracle::{Oracle, Violation};
use crate::package::{PackageId, ReleaseId, Version};
use crate::registry::{Hit, SearchOutcome, Versions};
use crate::scenario::report::{Publishes, Told};
use crate::time::Timestamp;

/// What callers were told so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Gets and listings begun, and those of them that were answered truly.
    pub(super) gets: u64,
    pub(super) gets_right: u64,
    pub(super) publishes: Publishes,
    /// Callers that still wait.
    pub(super) waiting: u64,
    pub(super) violations: Vec<Violation>,
    /// What the caller of each operation was told, by its number.
    pub(super) told: BTreeMap<u32, Told>,
}

/// A tally that callers' tasks share.
pub(super) type SharedTally = Arc<Mutex<Tally>>;

/// Open the tally.
pub(super) fn count(tally: &SharedTally) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tally {
    /// A search's caller has read `streamed` and then the outcome.
    pub(super) fn searched(&mut self, at: Timestamp, streamed: &[Hit], outcome: &SearchOutcome) {
        let stray = outcome.packages.iter().find(|hit| !streamed.contains(hit));
        if let Some(stray) = stray {
            self.violations.push(Violation {
                oracle: Oracle::Recall,
                at,
                detail: format!(
                    "{} has {} in its outcome and never streamed it",
                    outcome.query, stray.package.release
                ),
            });
        }
    }
}

/// Whether a get of one release, asked at `asked`, was answered truly.
pub(super) fn release_right(
    truth: &RunTruth,
    release: &ReleaseId,
    asked: Timestamp,
    now: Timestamp,
    found: Option<&Hit>,
) -> bool {
    match found {
        Some(hit) => hit.package.release == *release && truth.exists(release, now),
        None => !truth.surely_exists(release, asked) || truth.in_conflict(release),
    }
}

/// Whether a get of the latest release was answered truly: with one that is there, and not with an older
/// one than the newest that everybody knows.
pub(super) fn latest_right(
    truth: &RunTruth,
    package: &PackageId,
    asked: Timestamp,
    now: Timestamp,
    found: Option<&Hit>,
) -> bool {
    let least = truth.newest(package, asked);
    match found {
        Some(hit) => {
            let version = &hit.package.release.version;
            truth.exists(&hit.package.release, now) && least.is_none_or(|least| rank(version) >= rank(&least))
        }
        None => least.is_none(),
    }
}

/// Whether a listing was answered truly: it names what everybody knows.
pub(super) fn versions_right(
    truth: &RunTruth,
    package: &PackageId,
    asked: Timestamp,
    found: Option<&Versions>,
) -> bool {
    let known = truth.versions(package, asked);
    match found {
        Some(found) => {
            known.iter().all(|version| found.entries.iter().any(|entry| entry.version == *version))
        }
        None => known.is_empty(),
    }
}

/// Releases before pre-releases, newer before older.
fn rank(version: &Version) -> (bool, &Version) {
    (version.pre.is_empty(), version)
}
