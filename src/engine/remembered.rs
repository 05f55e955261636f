//! What outlives a process of what is known of peers: how they stood, by a digest of their names.
//!
//! A peer that was met in an earlier life stands, when it is met again, as it would if no time but that of
//! the calendar had passed. Only those who did something are saved, the most telling first, at most
//! [`MOST_SAVED`]; how fast they are is measured anew.
//!
//! The calendar may have jumped between two lives: back, then nothing has faded; ahead, then all has, and a
//! block is over. Neither makes a peer stand better or worse than it did.
//!
//! # Bytes
//!
//! The layout (1), the calendar's milliseconds (8), then for each peer 32 bytes: 16 of the digest, its good, bad
//! and malformed weights in 256ths of a deed, and how long it is still blocked in milliseconds. Integers are
//! big-endian.

use core::time::Duration;
use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::network::Peer;
use crate::time::{Timestamp, WallTime};

/// The most peers saved.
pub(super) const MOST_SAVED: usize = 2048;
const LAYOUT: u8 = 1;
const HEAD: usize = 9;
const ENTRY: usize = 32;
/// Weights are saved in these units of theirs.
const UNIT: u64 = 1 << 12;

/// A peer's name, digested.
pub(super) type Name = [u8; 16];

/// How a peer stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stood {
    pub(super) good: u64,
    pub(super) bad: u64,
    pub(super) malformed: u64,
    /// Up to when the weights have faded.
    pub(super) faded: Timestamp,
    pub(super) blocked_until: Timestamp,
}

impl Stood {
    /// What it tells: the weight of everything it did.
    pub(super) const fn weight(&self) -> u64 {
        self.good.saturating_add(self.bad)
    }
}

/// The digest of `peer`'s displayed name.
pub(super) fn name<P: Peer>(peer: &P) -> Name {
    let digest = Sha256::digest(peer.to_string().as_bytes());
    digest.first_chunk::<16>().copied().unwrap_or_default()
}

/// Put down how peers stand at `now`, the first [`MOST_SAVED`] of them.
pub(super) fn write(now: Timestamp, wall: WallTime, peers: impl Iterator<Item = (Name, Stood)>) -> Vec<u8> {
    let mut bytes = vec![LAYOUT];
    bytes.extend(wall.as_millis().to_be_bytes());
    for (name, stood) in peers.take(MOST_SAVED) {
        let blocked = stood.blocked_until.since(now).as_millis();
        bytes.extend(name);
        let weights = [stood.good, stood.bad, stood.malformed].map(|weight| weight / UNIT);
        for number in weights.into_iter().chain([u64::try_from(blocked).unwrap_or(u64::MAX)]) {
            bytes.extend(u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes());
        }
    }
    bytes
}

/// What was put down, and how long ago. Nobody when it cannot be read.
pub(super) fn read(
    now: Timestamp,
    wall: WallTime,
    bytes: &[u8],
    most_blocked: Duration,
    fade: impl Fn(u64, Duration) -> u64,
) -> BTreeMap<Name, Stood> {
    let mut peers = BTreeMap::new();
    let Some((head, rest)) = bytes.split_first_chunk::<HEAD>() else { return peers };
    let [LAYOUT, saved @ ..] = head else { return peers };
    let passed = wall.since(WallTime::from_millis(u64::from_be_bytes(*saved)));
    let (entries, _) = rest.as_chunks::<ENTRY>();
    for entry in entries.iter().take(MOST_SAVED) {
        let (name, numbers) = entry.split_at(16);
        let (numbers, _) = numbers.as_chunks::<4>();
        let numbers: Vec<u64> = numbers.iter().map(|it| u64::from(u32::from_be_bytes(*it))).collect();
        let (Ok(name), [good, bad, malformed, blocked]) = (Name::try_from(name), &numbers[..]) else {
            continue;
        };
        let [good, bad, malformed] =
            [good, bad, malformed].map(|weight| fade(weight.saturating_mul(UNIT), passed));
        let blocked = Duration::from_millis(*blocked).saturating_sub(passed).min(most_blocked);
        let blocked_until = if blocked.is_zero() { Timestamp::ZERO } else { now.after(blocked) };
        peers.insert(name, Stood { good, bad, malformed, faded: now, blocked_until });
    }
    peers
}
