//! One request of a node while it runs.

use bytes::Bytes;

use super::kad::Walk;
use crate::network::{RequestId, RequestStats};

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Aim {
    Get = 0,
    Put = 1,
    Providers = 2,
    Provide = 3,
    Ask = 4,
    /// A node joins; no application asked for it.
    Join = 7,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Other lookups of this node go first.
    Waiting,
    /// Walking towards the key, or towards a peer whose address is not known.
    Walking,
    /// The closest peers are asked to keep the record.
    Storing,
    /// Walking once more, until all who kept the record have given it.
    ReadingBack,
    /// The question is under way.
    Asking,
}

/// A request while it runs.
#[derive(Debug)]
pub(crate) struct Op {
    pub(crate) owner: u32,
    pub(crate) life: u32,
    pub(crate) id: Option<RequestId>,
    pub(crate) aim: Aim,
    pub(crate) phase: Phase,
    pub(crate) identity: u64,
    pub(crate) key: u32,
    pub(crate) target: u64,
    pub(crate) walk: Walk,
    pub(crate) bytes: usize,
    pub(crate) started: u64,
    pub(crate) stats: RequestStats,
    /// When its patience is looked at next; `u64::MAX` when nothing is planned.
    pub(crate) timer: u64,
    /// The peer to ask.
    pub(crate) peer: u32,
    /// A record, or a question.
    pub(crate) body: Bytes,
    /// Wall time in ms until which a record is to be kept.
    pub(crate) expires: u64,
    pub(crate) read_back: bool,
    pub(crate) outstanding: u32,
    pub(crate) acked: Vec<u32>,
    pub(crate) verified: u32,
    pub(crate) found: u32,
    /// The exchange of a question under way.
    pub(crate) exchange: Option<(u32, u32)>,
    /// Whether the DHT was asked for the peer to ask.
    pub(crate) looked: bool,
}

impl Op {
    /// Whether it is on a walk.
    pub(crate) fn walks(&self) -> bool {
        matches!(self.phase, Phase::Walking | Phase::ReadingBack)
    }
}

/// What is left of a request that has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) owner: u32,
    pub(crate) id: Option<RequestId>,
    pub(crate) aim: Aim,
    pub(crate) phase: Phase,
    /// The peer that was to be asked.
    pub(crate) peer: u32,
    pub(crate) stats: RequestStats,
}
