//! What the suite lends to the networks it tries: a validator, and responders that are told what to do.

use core::fmt;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::network::{AnswerLimits, Choice, Invalid, Refusal, Responder, Validator};
use crate::time::WallTime;

/// The topic that the suite announces on.
pub(super) const TOPIC: Bytes = Bytes::from_static(b"/swarmproof/conformance");

/// What a testbed for the suite is made with.
pub struct Setup {
    /// What every node judges records and announcements by.
    pub validator: Arc<dyn Validator>,
    /// The topics that nodes which the testbed runs itself listen to.
    pub topics: Vec<Bytes>,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("topics", &self.topics).finish_non_exhaustive()
    }
}

/// What a clause's testbed is made with.
pub(super) fn setup() -> Setup {
    Setup { validator: Arc::new(Prefixed), topics: vec![TOPIC] }
}

/// A key of the suite.
pub(super) fn key(name: &str) -> Bytes {
    Bytes::from(format!("/conformance/{name}"))
}

/// A value that is good under `key`.
pub(super) fn value(key: &Bytes, text: &str) -> Bytes {
    let mut bytes = key.to_vec();
    bytes.push(b'=');
    bytes.extend_from_slice(text.as_bytes());
    Bytes::from(bytes)
}

/// A value is good when it begins with its key and `=`; an announcement when it begins with `good`. Of
/// two good values the greater is kept.
struct Prefixed;

impl Validator for Prefixed {
    fn record(&self, key: &[u8], value: &[u8], _wall: WallTime) -> Result<(), Invalid> {
        match value.strip_prefix(key) {
            Some([b'=', ..]) => Ok(()),
            _ => Err(Invalid { code: 100, reason: "not-of-this-key" }),
        }
    }

    fn announcement(&self, _topic: &[u8], payload: &[u8], _wall: WallTime) -> Result<(), Invalid> {
        if payload.starts_with(b"good") { Ok(()) } else { Err(Invalid { code: 101, reason: "not-good" }) }
    }

    fn select(&self, _key: &[u8], held: &[u8], offered: &[u8]) -> Choice {
        if offered > held { Choice::Offered } else { Choice::Held }
    }
}

/// How a part answers.
enum Manner {
    Echo,
    Busy,
    Large(usize),
}

/// What was announced to a part, for the clause to look at.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard(Arc<Mutex<Vec<Bytes>>>);

impl Heard {
    /// All of it so far.
    pub(super) fn all(&self) -> Vec<Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hear(&self, payload: Bytes) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(payload);
    }
}

/// A responder with a name, which it says before what it was asked.
pub(super) struct Part {
    name: String,
    manner: Manner,
    holds: BTreeMap<Bytes, Bytes>,
    heard: Heard,
}

impl Part {
    /// Answers with its name, a colon and the question.
    pub(super) fn echo(name: impl Into<String>) -> Self {
        Self { name: name.into(), manner: Manner::Echo, holds: BTreeMap::new(), heard: Heard::default() }
    }

    /// Refuses everything as busy.
    pub(super) fn busy() -> Self {
        Self { manner: Manner::Busy, ..Self::echo("busy") }
    }

    /// Answers with this many bytes, whatever the limit.
    pub(super) fn large(bytes: usize) -> Self {
        Self { manner: Manner::Large(bytes), ..Self::echo("large") }
    }

    /// Serves `value` under `key`, good or not.
    pub(super) fn holding(mut self, key: Bytes, value: Bytes) -> Self {
        self.holds.insert(key, value);
        self
    }

    /// What it will have heard.
    pub(super) fn heard(&self) -> Heard {
        self.heard.clone()
    }
}

impl Responder for Part {
    fn answer(&mut self, question: &[u8], _limits: AnswerLimits) -> Result<Bytes, Refusal> {
        match self.manner {
            Manner::Echo => Ok([self.name.as_bytes(), b":", question].concat().into()),
            Manner::Busy => Err(Refusal::Busy),
            Manner::Large(bytes) => Ok(vec![b'x'; bytes].into()),
        }
    }

    fn announced(&mut self, _topic: &[u8], payload: &Bytes, _wall: WallTime) {
        self.heard.hear(payload.clone());
    }

    fn record(&mut self, key: &[u8]) -> Option<Bytes> {
        self.holds.get(key).cloned()
    }

    fn forget(&mut self) {
        self.holds.clear();
    }
}
