//! The bytes of messages.
//!
//! A question, and the body of an answer, is a map with one pair whose key tells the kind.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::kinds::{Answer, AnswerBody, Cursor, MAX_ANSWER, MAX_ITEMS, MAX_QUESTION, Name, Question};
use crate::network::Invalid;
use crate::package::{PublisherId, Query};
use crate::record::cbor::{self, Flaw, Shape};
use crate::record::{Digest, MAX_RECORD, keys};
use crate::time::WallTime;

/// Why bytes are not a message. Shown as its [`MessageError::reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("{}", self.reason())]
pub enum MessageError {
    /// More bytes than a message of its kind may have.
    TooLarge,
    /// Not DAG-CBOR of the expected shape.
    Unreadable,
    /// Nested deeper than any message.
    TooDeep,
    /// A length or a count that claims more than is there; also what a message is that was cut off.
    HostileLength,
    /// Another encoding than the canonical one.
    NotCanonical,
    /// A list or a field over its limit, or a query that cannot be asked.
    OverLimit,
    /// Heads that are not in the order of publishers, or name one twice.
    Unordered,
}

impl MessageError {
    /// The reason in kebab case, stable.
    pub const fn reason(self) -> &'static str {
        self.invalid().reason
    }

    /// The number and the word under which it is reported. Both are stable.
    pub const fn invalid(self) -> Invalid {
        let (code, reason) = match self {
            Self::TooLarge => (200, "message-too-large"),
            Self::Unreadable => (201, "message-unreadable"),
            Self::TooDeep => (202, "message-too-deep"),
            Self::HostileLength => (203, "message-hostile-length"),
            Self::NotCanonical => (204, "message-not-canonical"),
            Self::OverLimit => (205, "message-over-limit"),
            Self::Unordered => (206, "message-unordered"),
        };
        Invalid { code, reason }
    }
}

impl From<MessageError> for Invalid {
    fn from(error: MessageError) -> Self {
        error.invalid()
    }
}

impl From<Flaw> for MessageError {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Unreadable => Self::Unreadable,
            Flaw::TooDeep => Self::TooDeep,
            Flaw::HostileLength => Self::HostileLength,
            Flaw::TooMany => Self::OverLimit,
            Flaw::NotCanonical => Self::NotCanonical,
        }
    }
}

const SHAPE: Shape = Shape { depth: 6, items: MAX_ITEMS as u64 };

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum QuestionWire {
    Search {
        text: String,
        categories: Vec<String>,
        tags: Vec<String>,
        limit: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Bytes>,
    },
    Records {
        keys: Vec<Bytes>,
    },
    Heads {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<PublisherId>,
    },
    Page {
        publisher: PublisherId,
        from: u64,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerWire {
    #[serde(with = "serde_bytes")]
    to: [u8; 8],
    body: BodyWire,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum BodyWire {
    Found {
        held: u64,
        fresh: u64,
        records: Vec<Bytes>,
        names: Vec<NameWire>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<Bytes>,
    },
    Records {
        records: Vec<Bytes>,
    },
    Heads {
        heads: Vec<HeadWire>,
        more: bool,
    },
    Page {
        statements: Vec<Bytes>,
        more: bool,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NameWire {
    key: Bytes,
    held: bool,
}

/// A list of two: publisher and number.
#[derive(Serialize, Deserialize)]
struct HeadWire(PublisherId, u64);

impl Question {
    /// The bytes.
    pub fn encode(&self) -> Bytes {
        let wire = match self {
            Self::Search { query, after } => QuestionWire::Search {
                text: query.text.clone(),
                categories: query.categories.clone(),
                tags: query.tags.clone(),
                limit: query.limit as u64,
                after: after.as_ref().map(|cursor| cursor.0.clone()),
            },
            Self::Records { keys } => QuestionWire::Records { keys: keys.clone() },
            Self::Heads { after } => QuestionWire::Heads { after: *after },
            Self::Page { publisher, from } => QuestionWire::Page { publisher: *publisher, from: *from },
        };
        cbor::encode(&wire).into()
    }

    /// The question in `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        if bytes.len() > MAX_QUESTION {
            return Err(MessageError::TooLarge);
        }
        Ok(match cbor::decode(bytes, SHAPE)? {
            QuestionWire::Search { text, categories, tags, limit, after } => {
                let limit = usize::try_from(limit).map_err(|_| MessageError::OverLimit)?;
                let query = Query { text, categories, tags, limit };
                query.check().map_err(|_| MessageError::OverLimit)?;
                Self::Search { query, after: after.map(cursor).transpose()? }
            }
            QuestionWire::Records { keys } => Self::Records { keys: bounded(keys, keys::MAX_KEY)? },
            QuestionWire::Heads { after } => Self::Heads { after },
            QuestionWire::Page { publisher, from } => Self::Page { publisher, from },
        })
    }

    /// What an answer to these bytes carries: the first 8 bytes of their SHA-256.
    pub fn tag(bytes: &[u8]) -> [u8; 8] {
        let Digest([a, b, c, d, e, f, g, h, ..]) = Digest::of(bytes);
        [a, b, c, d, e, f, g, h]
    }
}

impl Answer {
    /// The bytes.
    pub fn encode(&self) -> Bytes {
        let body = match &self.body {
            AnswerBody::Found { held, fresh, records, names, next } => BodyWire::Found {
                held: *held,
                fresh: fresh.as_millis(),
                records: records.clone(),
                names: names.iter().map(|name| NameWire { key: name.key.clone(), held: name.held }).collect(),
                next: next.as_ref().map(|cursor| cursor.0.clone()),
            },
            AnswerBody::Records { records } => BodyWire::Records { records: records.clone() },
            AnswerBody::Heads { heads, more } => BodyWire::Heads {
                heads: heads.iter().map(|(publisher, number)| HeadWire(*publisher, *number)).collect(),
                more: *more,
            },
            AnswerBody::Page { statements, more } => {
                BodyWire::Page { statements: statements.clone(), more: *more }
            }
        };
        cbor::encode(&AnswerWire { to: self.to, body }).into()
    }

    /// The answer in `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        if bytes.len() > MAX_ANSWER {
            return Err(MessageError::TooLarge);
        }
        let wire: AnswerWire = cbor::decode(bytes, SHAPE)?;
        let body = match wire.body {
            BodyWire::Found { held, fresh, records, names, next } => AnswerBody::Found {
                held,
                fresh: WallTime::from_millis(fresh),
                records: bounded(records, MAX_RECORD)?,
                names: names.into_iter().map(name).collect::<Result<_, _>>()?,
                next: next.map(cursor).transpose()?,
            },
            BodyWire::Records { records } => AnswerBody::Records { records: bounded(records, MAX_RECORD)? },
            BodyWire::Heads { heads, more } => {
                if !heads.is_sorted_by(|a, b| a.0 < b.0) {
                    return Err(MessageError::Unordered);
                }
                AnswerBody::Heads { heads: heads.into_iter().map(|head| (head.0, head.1)).collect(), more }
            }
            BodyWire::Page { statements, more } => {
                AnswerBody::Page { statements: bounded(statements, MAX_RECORD)?, more }
            }
        };
        Ok(Self { to: wire.to, body })
    }
}

/// The items, if each has at most `most` bytes. Their number is bounded by the shape.
fn bounded(items: Vec<Bytes>, most: usize) -> Result<Vec<Bytes>, MessageError> {
    if items.iter().any(|item| item.len() > most) {
        return Err(MessageError::OverLimit);
    }
    Ok(items)
}

fn cursor(bytes: Bytes) -> Result<Cursor, MessageError> {
    if bytes.len() > Cursor::MAX {
        return Err(MessageError::OverLimit);
    }
    Ok(Cursor(bytes))
}

fn name(wire: NameWire) -> Result<Name, MessageError> {
    if wire.key.len() > keys::MAX_KEY {
        return Err(MessageError::OverLimit);
    }
    Ok(Name { key: wire.key, held: wire.held })
}
