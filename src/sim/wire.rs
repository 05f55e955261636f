//! What is under way between two peers: exchanges (a request and its answer) and dials.

use bytes::Bytes;

use super::kad::K;
use super::rng::Draw;
use crate::network::Refusal;

/// Why a message was lost, as the trace counts it.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(crate) enum Loss {
    Cut = 0,
    Reset = 1,
    Gone = 2,
    Silent = 3,
    Stalled = 4,
    Blocked = 5,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    FindPeers = 0,
    GetRecord = 1,
    GetProviders = 2,
    PutRecord = 3,
    AddProvider = 4,
    Question = 6,
}

/// The number of announcements among the kinds of messages in a trace.
pub(crate) const ANNOUNCEMENT: u8 = 7;
/// Added to a kind for its answer.
pub(crate) const ANSWER: u8 = 128;

/// What an exchange carries: what is asked, and then what comes back.
#[derive(Debug)]
pub(crate) enum Load {
    /// Nothing has come back yet. Asked is a record to keep until `expires` (wall time in ms), or a question.
    Asked { body: Bytes, expires: u64 },
    /// Closer peers, and what else belongs to the answer.
    Kad { record: Option<Bytes>, oversized: bool, rest: Option<Box<Rest>> },
    /// The peer did what it was asked.
    Done,
    /// An answer to a question.
    Answer { body: Bytes, oversized: bool },
    /// A refusal of a question.
    Refused(Refusal),
    /// The stream or the connection broke.
    Broken,
}

/// What few answers of the DHT hold.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) providers: Vec<u32>,
    /// Closer peers beyond the k that an honest answer names.
    pub(crate) more: Vec<u32>,
}

/// How an exchange stands to the connection that it goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// It waits for a dial.
    Down,
    /// It is under way.
    Up,
    /// It was under way when its connection was reset.
    Reset,
}

/// A request and its answer.
///
/// By the time that a message arrives, its exchange is out of the cache. So it is as small as it can be: four lines of 64
/// bytes, the first with what each arrival asks of it.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Exchange {
    pub(crate) client: u32,
    pub(crate) server: u32,
    pub(crate) client_life: u32,
    pub(crate) server_life: u32,
    pub(crate) op: u32,
    pub(crate) op_generation: u32,
    /// Where the client listed the connection when it was sent. While it waits for a dial, the next exchange that waits
    /// for the same one.
    pub(crate) place: u32,
    /// The number of the key; `u32::MAX` where a position is asked for.
    pub(crate) key: u32,
    pub(crate) target: u64,
    pub(crate) identity: u64,
    /// Bytes of the answer.
    pub(crate) size: u32,
    pub(crate) kind: Kind,
    pub(crate) line: Line,
    pub(crate) closer_len: u8,
    pub(crate) load: Load,
    pub(crate) draw: Draw,
    pub(crate) closer: [u32; K],
    /// When the answer leaves the server.
    pub(crate) leaves: u64,
}

const _: () = assert!(size_of::<Option<Exchange>>() <= 256, "an exchange is at most four lines of memory");

impl Exchange {
    /// Bytes of what is asked beside the key, until it is answered.
    pub(crate) fn asked(&self) -> usize {
        if let Load::Asked { body, .. } = &self.load { body.len() } else { 0 }
    }

    /// What is asked beside the key, until it is answered.
    pub(crate) fn body(&self) -> Bytes {
        match &self.load {
            Load::Asked { body, .. } => body.clone(),
            _ => Bytes::new(),
        }
    }
}

/// A dial.
#[derive(Debug)]
pub(crate) struct Dial {
    pub(crate) client: u32,
    pub(crate) server: u32,
    pub(crate) client_life: u32,
    pub(crate) server_life: u32,
    pub(crate) started: u64,
    pub(crate) succeeds: bool,
    /// Where the client would have listed the connection when it dialled.
    pub(crate) would: u32,
    /// The first and the last exchange that wait for it.
    pub(crate) head: u32,
    pub(crate) tail: u32,
}

/// No exchange.
pub(crate) const NONE: u32 = u32::MAX;

/// Bytes of a message beside what it carries: frame, kind, key.
pub(crate) const FRAME: usize = 64;
/// Bytes of one named peer: an id and its addresses.
pub(crate) const NAMED: usize = 90;
/// The most peers that one answer names: what an answer of 16 KiB holds, the most that libp2p-kad 0.49 reads
/// (`protocol.rs`, `DEFAULT_MAX_PACKET_SIZE`). Its walks take all of them (`query/peers/closest.rs`).
pub(crate) const MOST_NAMED: usize = (16 * 1024 - FRAME) / NAMED;
