//! From a stranger's bytes to a record that is told true.

use core::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::codec;
use super::error::RecordError;
use super::keys::{self, KeyName};
use super::kinds::{ANNOUNCE_TOPIC, Digest, MAX_ANNOUNCEMENT, MAX_RECORD, Record};
use super::memo::Memo;
use crate::network::{Choice, Invalid, Validator};
use crate::time::WallTime;

/// A verified record, shared.
pub type Checked = Arc<Record>;

/// Checks records and remembers verdicts by digest. Cheap to clone: clones share what is remembered.
///
/// Of the verdicts remembered at most a quarter are bad ones, so that a flood of forgeries cannot push out
/// what is known to be good. What is remembered only saves work: it never changes a verdict.
#[derive(Clone)]
pub struct Verifier(Arc<Mutex<Verdicts>>);

struct Verdicts {
    good: Memo<Checked>,
    bad: Memo<RecordError>,
    signatures: u64,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdicts = self.verdicts();
        f.debug_struct("Verifier")
            .field("good", &verdicts.good.len())
            .field("bad", &verdicts.bad.len())
            .field("signatures", &verdicts.signatures)
            .finish()
    }
}

impl Verifier {
    /// A verifier that remembers at most `capacity` verdicts; with 0 it remembers none.
    pub fn new(capacity: usize) -> Self {
        let bad = capacity / 4;
        Self(Arc::new(Mutex::new(Verdicts {
            good: Memo::new(capacity - bad),
            bad: Memo::new(bad),
            signatures: 0,
        })))
    }

    /// Check bytes as a record of any kind.
    pub fn check(&self, bytes: &[u8]) -> Result<Checked, RecordError> {
        self.judge(bytes, |_| Ok(()))
    }

    /// Check bytes as the record that belongs under `key`.
    pub fn check_under(&self, key: &[u8], bytes: &[u8]) -> Result<Checked, RecordError> {
        let key = keys::parse(key).ok_or(RecordError::UnknownKey)?;
        self.judge(bytes, |record| belongs(&key, record))
    }

    /// Remember a record that this process signed itself, or has checked before, and share it.
    pub fn trust(&self, record: Record) -> Checked {
        let checked = Arc::new(record);
        self.verdicts().good.put(checked.digest(), Arc::clone(&checked));
        checked
    }

    /// Read what this node itself has checked and then stored: everything is checked again but the
    /// signature, which would take most of a start with many records. Whoever can change the store's file
    /// can change this node's keys beside it too; and against decay the store has its own checksums.
    pub fn recall(&self, bytes: &[u8]) -> Result<Checked, RecordError> {
        let digest = Digest::of(bytes);
        if let Some(record) = self.verdicts().good.get(&digest) {
            return Ok(record);
        }
        Ok(self.trust(codec::open(bytes, digest)?.unsigned()))
    }

    /// How many signatures were checked so far: what remembering did not save.
    pub fn signatures_checked(&self) -> u64 {
        self.verdicts().signatures
    }

    /// Size, shape, content, then `place`, then the signature.
    fn judge(
        &self,
        bytes: &[u8],
        place: impl FnOnce(&Record) -> Result<(), RecordError>,
    ) -> Result<Checked, RecordError> {
        if bytes.len() > MAX_RECORD {
            return Err(RecordError::TooLarge);
        }
        let digest = Digest::of(bytes);
        let (good, bad) = {
            let verdicts = self.verdicts();
            (verdicts.good.get(&digest), verdicts.bad.get(&digest))
        };
        if let Some(record) = good {
            place(&record)?;
            return Ok(record);
        }
        if let Some(error) = bad {
            return Err(error);
        }
        // Never under the lock: a signature takes as long as everything else a node does with a message.
        let unverified = codec::open(bytes, digest).inspect_err(|error| self.refused(digest, *error))?;
        // Not remembered: under its own key the record may be good.
        place(&unverified.record)?;
        self.verdicts().signatures += 1;
        let record = unverified.verify().inspect_err(|error| self.refused(digest, *error))?;
        Ok(self.trust(record))
    }

    fn refused(&self, digest: Digest, error: RecordError) {
        self.verdicts().bad.put(digest, error);
    }

    fn verdicts(&self) -> MutexGuard<'_, Verdicts> {
        // Each change is one call on one memo, so a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `record` is what `key` names.
fn belongs(key: &KeyName, record: &Record) -> Result<(), RecordError> {
    let same = match (key, record) {
        (KeyName::Release(id), Record::Release(release)) => release.package.release == *id,
        (KeyName::List(id), Record::List(list)) => list.package == *id,
        _ => return Err(RecordError::WrongKind),
    };
    if same { Ok(()) } else { Err(RecordError::WrongKey) }
}

impl Validator for Verifier {
    /// A list whose validity has passed is still good to store: that it is stale is for its reader to say,
    /// and no newer one may exist.
    fn record(&self, key: &[u8], value: &[u8], _wall: WallTime) -> Result<(), Invalid> {
        self.check_under(key, value).map(|_| ()).map_err(Invalid::from)
    }

    fn announcement(&self, topic: &[u8], payload: &[u8], _wall: WallTime) -> Result<(), Invalid> {
        if topic != ANNOUNCE_TOPIC {
            return Err(RecordError::WrongTopic.into());
        }
        if payload.len() > MAX_ANNOUNCEMENT {
            return Err(RecordError::TooLarge.into());
        }
        let announced = |record: &Record| match record {
            Record::Release(_) | Record::Notice(_) => Ok(()),
            Record::List(_) => Err(RecordError::WrongKind),
        };
        self.judge(payload, announced).map(|_| ()).map_err(Invalid::from)
    }

    /// Of two lists the higher sequence, whatever their validity; of two with one sequence, which a
    /// publisher should never have signed, the lower digest, so that all stores come to hold the same one.
    /// A release does not change, so the one held is kept. What is not good under the key always loses.
    fn select(&self, key: &[u8], held: &[u8], offered: &[u8]) -> Choice {
        let Ok(offered) = self.check_under(key, offered) else { return Choice::Held };
        let Ok(held) = self.check_under(key, held) else { return Choice::Offered };
        match (&*held, &*offered) {
            (Record::List(held), Record::List(offered)) => {
                let newer = offered.sequence > held.sequence;
                let tie = offered.sequence == held.sequence && offered.digest < held.digest;
                if newer || tie { Choice::Offered } else { Choice::Held }
            }
            _ => Choice::Held,
        }
    }
}
