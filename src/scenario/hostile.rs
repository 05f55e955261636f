//! Hostile peers: responders that lie in what they mean, each lie labelled and counted.
//!
//! A [`Liar`] stands before an honest responder. Each answer of it is changed by one of the lies that it
//! was given and that apply to this answer, drawn by (seed, node, how many answers before); what none
//! applies to stays honest. What a liar puts into an answer is well-formed: only verification, or a
//! comparison with what others say, can show it. Ill-made bytes are the network's own part.
//!
//! A [`Forger`] makes what is told, once for each record. It holds the publishers' secrets, since an
//! equivocation is signed by the publisher itself; each second body so signed is told to a [`Confidant`],
//! so that whoever judges the run knows the truth.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::draw::{Concern, Draws};
use super::words::Lie;
use crate::message::{Answer, AnswerBody, Name, Question};
use crate::network::{AnswerLimits, Refusal, Responder};
use crate::package::{PublisherId, ReleaseId, Version};
use crate::record::keys::{self, KeyName};
use crate::record::{Checked, Digest, Publisher, Record, Verifier};
use crate::testbed::NodeId;
use crate::time::WallTime;

/// The names of things that are nowhere, in one answer.
const POINTERS: usize = 4;

/// Hears of what a publisher signs besides what it published.
pub trait Confidant: Send + Sync {
    /// A publisher has signed this second body for a release, or this earlier list of a package's releases.
    fn signed(&self, record: &Checked);
}

/// How often each lie was told. Shared by all who tell.
#[derive(Clone, Debug, Default)]
pub struct Told(Arc<Mutex<BTreeMap<Lie, u64>>>);

impl Told {
    /// How often this lie was told.
    pub fn of(&self, lie: Lie) -> u64 {
        self.lock().get(&lie).copied().unwrap_or(0)
    }

    /// How many lies were told.
    pub fn in_all(&self) -> u64 {
        self.lock().values().sum()
    }

    fn add(&self, lie: Lie) {
        *self.lock().entry(lie).or_default() += 1;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Lie, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes false records out of true ones. Clones share what was made.
#[derive(Clone)]
pub struct Forger(Arc<Shared>);

struct Shared {
    /// Reads true records. What is forged never goes through it.
    reader: Verifier,
    publishers: BTreeMap<PublisherId, Publisher>,
    /// The newest list of each package, under its key.
    lists: BTreeMap<Bytes, Checked>,
    /// A publisher that nobody asked for.
    own: Publisher,
    confidant: Box<dyn Confidant>,
    made: Mutex<BTreeMap<(Lie, Digest), Option<Bytes>>>,
}

impl core::fmt::Debug for Forger {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Forger").field("publishers", &self.0.publishers.len()).finish_non_exhaustive()
    }
}

impl Forger {
    /// A forger with the secrets of `publishers` and the newest lists of their packages. `reader` may be
    /// shared with those who judge: only true records are read with it. `seed` makes a key of its own.
    pub fn new(
        reader: Verifier,
        publishers: impl IntoIterator<Item = Publisher>,
        lists: impl IntoIterator<Item = Checked>,
        seed: u64,
        confidant: Box<dyn Confidant>,
    ) -> Self {
        let lists = lists.into_iter().filter_map(|list| Some((keys::of(&list)?, list)));
        Self(Arc::new(Shared {
            reader,
            publishers: publishers.into_iter().map(|publisher| (publisher.id(), publisher)).collect(),
            lists: lists.collect(),
            own: Publisher::from_seed(Draws::new(seed, Concern::Lie, [u64::MAX, 0]).bytes()),
            confidant,
            made: Mutex::new(BTreeMap::new()),
        }))
    }

    /// What this lie makes of a record; nothing when it makes nothing of this kind.
    pub fn forge(&self, lie: Lie, record: &Bytes) -> Option<Bytes> {
        let identity = (lie, Digest::of(record));
        if let Some(made) = self.made().get(&identity) {
            return made.clone();
        }
        let made = match self.0.reader.check(record) {
            Ok(checked) => self.make(lie, &checked),
            // It was no good record to begin with.
            Err(_) => None,
        };
        self.made().insert(identity, made.clone());
        made
    }

    /// The newest list under this key.
    fn list(&self, key: &[u8]) -> Option<&Bytes> {
        self.0.lists.get(key).map(|list| list.bytes())
    }

    fn made(&self) -> MutexGuard<'_, BTreeMap<(Lie, Digest), Option<Bytes>>> {
        self.0.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make(&self, lie: Lie, record: &Checked) -> Option<Bytes> {
        match (lie, &**record) {
            (Lie::BadSignature, _) => with_another_signature(record.bytes()),
            (Lie::ForgedPublisher, Record::Release(release)) => {
                let mut package = release.package.clone();
                package.release.package.publisher = self.0.own.id();
                // Other words would show at once: it is to match what the true one matches.
                package.digest = [0x66; 32];
                let own = self.0.own.release(&package, release.number).ok()?;
                let named = release.package.release.package.publisher;
                replaced(&own.bytes, self.0.own.id().as_bytes(), named.as_bytes())
            }
            (Lie::ForgedPublisher, Record::List(list)) => {
                let mut package = list.package.clone();
                package.publisher = self.0.own.id();
                let sequence = list.sequence.saturating_add(1_000);
                let own = self.0.own.list(&package, sequence, list.valid_until, Vec::new()).ok()?;
                replaced(&own.bytes, self.0.own.id().as_bytes(), list.package.publisher.as_bytes())
            }
            (Lie::StaleSequence, Record::List(list)) => {
                let publisher = self.0.publishers.get(&list.package.publisher)?;
                let mut entries = list.entries.clone();
                entries.pop();
                let sequence = list.sequence.checked_sub(1)?;
                let older = publisher.list(&list.package, sequence, list.valid_until, entries).ok()?;
                let older: Checked = Arc::new(Record::List(older));
                self.0.confidant.signed(&older);
                Some(older.bytes().clone())
            }
            (Lie::TwoBodies, Record::Release(release)) => {
                let publisher = self.0.publishers.get(&release.package.release.package.publisher)?;
                let mut package = release.package.clone();
                // The same words, so that it matches what the first matches; another content.
                package.digest.iter_mut().for_each(|byte| *byte = !*byte);
                let other = publisher.release(&package, release.number).ok()?;
                let other: Checked = Arc::new(Record::Release(other));
                self.0.confidant.signed(&other);
                Some(other.bytes().clone())
            }
            _ => None,
        }
    }
}

/// The record with one bit of its signature flipped.
fn with_another_signature(record: &Bytes) -> Option<Bytes> {
    // The field `s`: a text of one byte, then a byte string of 64. It is the last but one of the envelope.
    const HEAD: [u8; 4] = [0x61, b's', 0x58, 64];
    let at = record.len().checked_sub(3 + 64 + HEAD.len())?;
    let mut bytes = record.to_vec();
    if bytes.get(at..at + HEAD.len())? != HEAD {
        return None;
    }
    *bytes.get_mut(at + HEAD.len())? ^= 1;
    Some(bytes.into())
}

/// `bytes` with the first occurrence of `old` replaced by `new`, which is as long.
fn replaced(bytes: &Bytes, old: &[u8; 32], new: &[u8; 32]) -> Option<Bytes> {
    // From the back: a body may hold anything, the envelope's key stands behind it.
    let at = bytes.windows(old.len()).rposition(|window| window == old)?;
    let mut bytes = bytes.to_vec();
    bytes.get_mut(at..at + new.len())?.copy_from_slice(new);
    Some(bytes.into())
}

/// A responder that lies.
pub struct Liar {
    honest: Box<dyn Responder>,
    forger: Forger,
    kinds: Vec<Lie>,
    /// What is always told under a key: what else it would say does not matter.
    instead: BTreeMap<Bytes, (Lie, Bytes)>,
    told: Told,
    seed: u64,
    node: NodeId,
    answers: u64,
    /// The last honest answer, to be given to another question.
    before: Option<Bytes>,
}

impl core::fmt::Debug for Liar {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Liar").field("node", &self.node).field("kinds", &self.kinds).finish_non_exhaustive()
    }
}

impl Liar {
    /// `honest`, telling these lies. Draws are of `seed` and `node`.
    pub fn new(
        honest: Box<dyn Responder>,
        forger: Forger,
        kinds: Vec<Lie>,
        told: Told,
        seed: u64,
        node: NodeId,
    ) -> Self {
        Self { honest, forger, kinds, instead: BTreeMap::new(), told, seed, node, answers: 0, before: None }
    }

    /// Tell this record, which is of that lie, whenever the one under `key` would be told, or asked for.
    pub fn insisting_on(mut self, key: Bytes, lie: Lie, record: Bytes) -> Self {
        self.instead.insert(key, (lie, record));
        self
    }

    /// The lies to try for the next answer, the drawn one first.
    fn next_kinds(&mut self) -> Vec<Lie> {
        let mut kinds = self.kinds.clone();
        let identity = [u64::from(self.node.0), self.answers];
        self.answers += 1;
        let at = Draws::new(self.seed, Concern::Lie, identity).index(kinds.len());
        kinds.rotate_left(at);
        kinds
    }

    /// Each of these records as it is insisted on; whether any was.
    fn insist(&self, records: &mut [Bytes]) -> bool {
        let mut any = false;
        if self.instead.is_empty() {
            return any;
        }
        for record in records {
            let key = self.forger.0.reader.check(record).ok().and_then(|checked| keys::of(&checked));
            if let Some((lie, other)) = key.and_then(|key| self.instead.get(&key)) {
                record.clone_from(other);
                self.told.add(*lie);
                any = true;
            }
        }
        any
    }

    /// `body` with this lie in it; nothing when it does not apply.
    fn lie(&self, lie: Lie, body: &AnswerBody) -> Option<AnswerBody> {
        let mut body = body.clone();
        let records = match &mut body {
            AnswerBody::Found { records, names, .. } if lie == Lie::PointerToNothing => {
                let known: Vec<ReleaseId> =
                    records.iter().filter_map(|record| self.release(record)).collect();
                names.extend(known.into_iter().take(POINTERS).map(nowhere));
                return (!names.is_empty()).then_some(body);
            }
            AnswerBody::Found { records, .. } | AnswerBody::Records { records } => records,
            AnswerBody::Page { statements, .. } => statements,
            AnswerBody::Heads { .. } => return None,
        };
        let mut any = false;
        for record in records {
            if let Some(forged) = self.forger.forge(lie, record) {
                *record = forged;
                any = true;
            }
        }
        any.then_some(body)
    }

    fn release(&self, record: &Bytes) -> Option<ReleaseId> {
        match &*self.forger.0.reader.check(record).ok()? {
            Record::Release(release) => Some(release.package.release.clone()),
            Record::List(_) | Record::Notice(_) => None,
        }
    }
}

/// A release of the same package that was never published, by name.
fn nowhere(mut release: ReleaseId) -> Name {
    release.version = Version::new(release.version.major.saturating_add(1_000), 0, 0);
    Name { key: keys::release(&release), held: true }
}

impl Responder for Liar {
    fn answer(&mut self, question: &[u8], limits: AnswerLimits) -> Result<Bytes, Refusal> {
        let honest = self.honest.answer(question, limits)?;
        let Ok(Answer { to, mut body }) = Answer::decode(&honest) else { return Ok(honest) };
        let before = self.before.replace(honest.clone());
        if let AnswerBody::Found { records, .. }
        | AnswerBody::Records { records }
        | AnswerBody::Page { statements: records, .. } = &mut body
            && self.insist(records)
        {
            return Ok(Answer { to, body }.encode());
        }
        for lie in self.next_kinds() {
            let told = match lie {
                Lie::AnotherQuestion => another(&honest, before.as_ref(), &body),
                lie => self.lie(lie, &body).map(|body| Answer { to, body }.encode()),
            };
            // A lie must not be larger than an answer may be: then it would be of another kind.
            if let Some(told) = told.filter(|told| told.len() <= limits.bytes) {
                self.told.add(lie);
                return Ok(told);
            }
        }
        Ok(honest)
    }

    fn announced(&mut self, topic: &[u8], payload: &Bytes, wall: WallTime) {
        self.honest.announced(topic, payload, wall);
    }

    fn record(&mut self, key: &[u8]) -> Option<Bytes> {
        if let Some((lie, record)) = self.instead.get(key) {
            self.told.add(*lie);
            return Some(record.clone());
        }
        let honest = self.honest.record(key);
        let known = match keys::parse(key) {
            // Lists live in the DHT; a liar has them from there.
            Some(KeyName::List(_)) => honest.clone().or_else(|| self.forger.list(key).cloned()),
            Some(KeyName::Release(_)) | None => honest.clone(),
        };
        if let Some(known) = known {
            for lie in self.next_kinds() {
                if let Some(forged) = self.forger.forge(lie, &known) {
                    self.told.add(lie);
                    return Some(forged);
                }
            }
        }
        honest
    }

    fn forget(&mut self) {
        self.before = None;
        self.honest.forget();
    }
}

/// The answer before this one; where there is none, this one, as if to another question.
fn another(honest: &Bytes, before: Option<&Bytes>, body: &AnswerBody) -> Option<Bytes> {
    if let Some(before) = before.filter(|before| before.get(..) != honest.get(..)) {
        return Some(before.clone());
    }
    let to = Question::tag(b"another question");
    Some(Answer { to, body: body.clone() }.encode())
}

#[cfg(test)]
mod tests;
