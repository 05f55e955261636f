//! The messages, and their limits.

use bytes::Bytes;

use crate::package::{PublisherId, Query};
use crate::time::WallTime;

/// The most bytes of a question.
pub const MAX_QUESTION: usize = 8 * 1024;
/// The most bytes of an answer.
pub const MAX_ANSWER: usize = 64 * 1024;
/// The most records or names in one answer, keys in one question, heads in one exchange.
pub const MAX_ITEMS: usize = 512;

/// What one registry asks another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// What matches this query? `after` continues where an earlier answer stopped.
    Search {
        /// The query. Its limit bounds the answer.
        query: Query,
        /// The cursor of the answer before.
        after: Option<Cursor>,
    },
    /// The records under these keys.
    Records {
        /// The keys.
        keys: Vec<Bytes>,
    },
    /// The highest number of each publisher that you know of; `after` continues.
    Heads {
        /// The last publisher of the answer before.
        after: Option<PublisherId>,
    },
    /// A publisher's statements with number at least `from`.
    Page {
        /// Whose.
        publisher: PublisherId,
        /// The first number wanted.
        from: u64,
    },
}

/// Where a search's answer stopped: opaque to the asker, within [`Cursor::MAX`] bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub Bytes);

impl Cursor {
    /// The most bytes of a cursor.
    pub const MAX: usize = 256;
}

/// What a registry answers. It carries the digest of the question, so that an answer to another
/// question shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The first 8 bytes of SHA-256 of the question's bytes.
    pub to: [u8; 8],
    /// The answer.
    pub body: AnswerBody,
}

/// An answer's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerBody {
    /// To `Search`.
    Found {
        /// How many entries the catalogue holds.
        held: u64,
        /// When the catalogue last learned something.
        fresh: WallTime,
        /// Whole signed releases that match, best first.
        records: Vec<Bytes>,
        /// Releases that match, of which no record is in this answer.
        names: Vec<Name>,
        /// Where to go on, when there is more.
        next: Option<Cursor>,
    },
    /// To `Records`: what is held of it, whole signed records.
    Records {
        /// The records.
        records: Vec<Bytes>,
    },
    /// To `Heads`.
    Heads {
        /// Publisher and highest number, in the order of publishers.
        heads: Vec<(PublisherId, u64)>,
        /// Whether there are more behind the last.
        more: bool,
    },
    /// To `Page`: signed statements (releases or notices), in the order of their numbers.
    Page {
        /// The statements.
        statements: Vec<Bytes>,
        /// Whether there are more.
        more: bool,
    },
}

/// A release that is known by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The key of its record.
    pub key: Bytes,
    /// Whether the answerer holds the record, and can be asked for it.
    pub held: bool,
}
