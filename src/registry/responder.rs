//! What a registry does for others: it answers questions from its catalogue, and hears announcements.
//!
//! Pure and bounded: an answer is made at once from what is held, within the bytes that are allowed and
//! the items that a message may have. What does not fit comes with a cursor, by name, or in the next
//! page. A modelled peer is this and nothing else; a node hands it its questions.

use bytes::Bytes;

use super::catalogue::{Catalogue, Place};
use crate::message::{Answer, AnswerBody, MAX_ANSWER, MAX_ITEMS, Name, Question};
use crate::network::{AnswerLimits, Refusal, Responder};
use crate::package::Query;
use crate::record::{ANNOUNCE_TOPIC, MAX_RECORD, Verifier, keys};
use crate::time::WallTime;

/// The fewest bytes that any answer is made for: less could not hold two records of the largest kind, and
/// the two of an equivocation are not parted.
pub const LEAST_BYTES: usize = 32 * 1024;
/// The most bytes of an answer around its items, with a cursor of the largest kind.
const AROUND: usize = 384;
/// The most bytes that a record, a head or a name has beside its own: CBOR heads and field names.
const PER_ITEM: usize = 16;
/// The most bytes of a name in an answer.
const PER_NAME: usize = keys::MAX_KEY + PER_ITEM;
const _: () = assert!(2 * (MAX_RECORD + PER_ITEM) + AROUND <= LEAST_BYTES);
/// The bytes of a head in an answer.
const PER_HEAD: usize = 32 + 8 + PER_ITEM;

/// Answers from a catalogue; see the [module](self).
#[derive(Clone, Debug)]
pub struct RegistryResponder {
    catalogue: Catalogue,
    verifier: Verifier,
}

impl RegistryResponder {
    /// Answer from `catalogue`, and check with `verifier` what is announced.
    pub fn new(catalogue: Catalogue, verifier: Verifier) -> Self {
        Self { catalogue, verifier }
    }

    /// What it answers from.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// What it answers from, to be changed.
    pub fn catalogue_mut(&mut self) -> &mut Catalogue {
        &mut self.catalogue
    }

    /// What answers `question`, in at most `room` bytes around which `AROUND` are left.
    fn body(&self, question: Question, room: usize) -> Result<AnswerBody, Refusal> {
        Ok(match question {
            Question::Search { query, after } => {
                let after = after.map(|cursor| Place::from_cursor(&cursor).ok_or(Refusal::NotUnderstood));
                self.found(&query, after.transpose()?.as_ref(), room)
            }
            Question::Records { keys } => AnswerBody::Records { records: self.records(&keys, room) },
            Question::Heads { after } => {
                let (heads, more) = self.catalogue.heads(after, (room / PER_HEAD).min(MAX_ITEMS));
                AnswerBody::Heads { heads, more }
            }
            Question::Page { publisher, from } => {
                let page = self.catalogue.page(publisher, from, MAX_ITEMS, room);
                let statements = page.statements.iter().map(|record| record.bytes().clone()).collect();
                AnswerBody::Page { statements, more: page.more }
            }
        })
    }

    /// Whole records as far as they fit, best first; the others by name, for which room is set apart.
    fn found(&self, query: &Query, after: Option<&Place>, room: usize) -> AnswerBody {
        let limit = query.limit.min(MAX_ITEMS);
        let (found, mut more) = self.catalogue.search(query, after, limit);
        let mut names_room = (found.len() * PER_NAME).min(room / 2);
        let mut records_room = room - names_room;
        let (mut records, mut names, mut last) = (Vec::new(), Vec::new(), None);
        for answer in &found {
            let bytes = answer.record.bytes();
            let cost = bytes.len() + PER_ITEM;
            if answer.is_whole() && cost <= records_room {
                records_room -= cost;
                records.push(bytes.clone());
            } else if let (Some(release), true) = (answer.release(), PER_NAME <= names_room) {
                names_room -= PER_NAME;
                names.push(Name { key: keys::release(release), held: answer.is_whole() });
            } else {
                more = true;
                break;
            }
            last = Some(answer);
        }
        let next = last.filter(|_| more).and_then(|answer| answer.place());
        AnswerBody::Found {
            held: self.catalogue.held(),
            fresh: self.catalogue.fresh(),
            records,
            names,
            next: next.map(|place| place.to_cursor()),
        }
    }

    /// What is held under `keys`, in their order, as far as it fits. What does not is left out, and can be
    /// asked for again: the first that is held always fits.
    fn records(&self, keys: &[Bytes], mut room: usize) -> Vec<Bytes> {
        let mut records = Vec::new();
        for key in keys.iter().take(MAX_ITEMS) {
            let Some(bytes) = self.catalogue.under(key) else { continue };
            if let Some(rest) = room.checked_sub(bytes.len() + PER_ITEM) {
                room = rest;
                records.push(bytes);
            }
        }
        records
    }
}

impl Responder for RegistryResponder {
    /// A question that cannot be read, or a cursor that is none, is not understood. With less room than
    /// [`LEAST_BYTES`] this node is too busy to answer, since what came out might be empty for no reason.
    fn answer(&mut self, question: &[u8], limits: AnswerLimits) -> Result<Bytes, Refusal> {
        let read = Question::decode(question).map_err(|_| Refusal::NotUnderstood)?;
        if limits.bytes < LEAST_BYTES {
            return Err(Refusal::Busy);
        }
        let room = limits.bytes.min(MAX_ANSWER) - AROUND;
        let body = self.body(read, room)?;
        Ok(Answer { to: Question::tag(question), body }.encode())
    }

    fn announced(&mut self, topic: &[u8], payload: &Bytes, wall: WallTime) {
        if topic != ANNOUNCE_TOPIC {
            return;
        }
        if let Ok(record) = self.verifier.check(payload) {
            // Whatever comes of it: a modelled peer tells nobody.
            self.catalogue.learn(&record, wall);
        }
    }

    fn record(&mut self, key: &[u8]) -> Option<Bytes> {
        self.catalogue.under(key)
    }

    fn forget(&mut self) {
        self.catalogue.clear();
    }
}

#[cfg(test)]
mod tests;
