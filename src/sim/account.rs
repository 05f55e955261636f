//! What happened in a world so far, counted.

use serde::Serialize;

use crate::testbed::Garble;

/// Counts since the world began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Things taken from the queue.
    pub events: u64,
    /// Messages delivered between peers: requests, answers, announcements.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes, among them, of answers to questions that came when nobody waited for them any more.
    pub unwanted: u64,
    /// Messages that were lost: cut off, reset, or for a peer that was gone or silent.
    pub lost: u64,
    /// Dials begun.
    pub dials: u64,
    /// Dials that failed.
    pub failed_dials: u64,
    /// Requests that a peer refused because too much waited at it.
    pub busy: u64,
    /// Garbled answers and records sent, by [`garble_index`].
    pub garbled: [u64; 8],
    /// Values, announcements and answers that the network refused as ill-made.
    pub rejected: u64,
    /// Events and messages dropped because a queue was full.
    pub dropped: u64,
}

impl Account {
    /// Garbled answers and records sent, in all.
    pub fn garbled_in_all(&self) -> u64 {
        self.garbled.iter().sum()
    }
}

/// The place of `way` in [`Account::garbled`].
pub fn garble_index(way: Garble) -> usize {
    match way {
        Garble::Truncated => 0,
        Garble::BitFlipped => 1,
        Garble::Noise => 2,
        Garble::Oversized => 3,
        Garble::HostileLengths => 4,
        Garble::HostileNesting => 5,
        Garble::WrongKey => 6,
        Garble::Repeated => 7,
    }
}

/// Bytes of memory that a world holds, by what they are for. Records and what they carry stand apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Footprint {
    /// Nodes in the world.
    pub nodes: u64,
    /// The nodes themselves, with positions, tables, connections and mesh.
    pub peers: u64,
    /// What the records that nodes store take, without the values' bytes.
    pub records: u64,
    /// Applications' inboxes and maps; the queue, and what is under way.
    pub rest: u64,
}
