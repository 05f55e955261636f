//! What each peer may send to this node: questions in flight, and bytes a second.
//!
//! Asked before anything a peer sent is looked at, so that what is over an allowance costs next to nothing. The bytes
//! are a bucket that fills with the rate up to the burst. An item is let in while the bucket is not empty, and may
//! leave it owing: so the largest item passes whatever the burst, and the mean is the rate all the same.
//!
//! Only peers that owe something or have questions in flight are remembered. When there are too many of them, a
//! newcomer is refused.

use core::time::Duration;
use std::collections::BTreeMap;

use libp2p::PeerId;

use crate::time::Timestamp;

/// What each item costs beside its bytes: reading and refusing it is work too.
const EACH: usize = 512;

/// What one peer has used of its allowance.
#[derive(Debug)]
struct Used {
    /// When its bucket will be full again. In the past: it is full.
    full_at: Timestamp,
    /// Its questions in flight.
    open: usize,
}

/// What each peer has used of its allowance.
#[derive(Debug)]
pub(super) struct Allowances {
    /// Bytes a second.
    rate: u64,
    /// The time in which an empty bucket fills.
    span: Duration,
    /// Questions in flight.
    questions: usize,
    /// Peers remembered.
    most: usize,
    peers: BTreeMap<PeerId, Used>,
}

impl Allowances {
    /// Each peer may have `questions` in flight, and send `rate` bytes a second, `burst` at once; at most `most` peers
    /// are remembered.
    pub(super) fn new(questions: usize, rate: u64, burst: u64, most: usize) -> Self {
        let rate = rate.max(1);
        let span = Duration::from_nanos(nanos_for(burst, rate));
        Self { rate, span, questions, most, peers: BTreeMap::new() }
    }

    /// `peer` sent an item of `bytes`: is it within its allowance?
    pub(super) fn take(&mut self, peer: PeerId, bytes: usize, now: Timestamp) -> bool {
        let (span, rate) = (self.span, self.rate);
        match self.used(peer, now) {
            Some(used) if used.full_at.since(now) < span => {
                used.owe(bytes, rate, now);
                true
            }
            _ => false,
        }
    }

    /// `peer` asks a question of `bytes`: is it within its allowance? If so, [`close`](Self::close) ends it.
    pub(super) fn open(&mut self, peer: PeerId, bytes: usize, now: Timestamp) -> bool {
        let most = self.questions;
        if self.peers.get(&peer).is_some_and(|used| used.open >= most) || !self.take(peer, bytes, now) {
            return false;
        }
        if let Some(used) = self.peers.get_mut(&peer) {
            used.open += 1;
        }
        true
    }

    /// A question of `peer` was answered with `bytes`, or is over.
    pub(super) fn close(&mut self, peer: PeerId, bytes: usize, now: Timestamp) {
        let rate = self.rate;
        if let Some(used) = self.peers.get_mut(&peer) {
            used.open = used.open.saturating_sub(1);
            used.owe(bytes, rate, now);
        }
    }

    fn used(&mut self, peer: PeerId, now: Timestamp) -> Option<&mut Used> {
        if self.peers.len() >= self.most && !self.peers.contains_key(&peer) {
            self.peers.retain(|_, used| used.open > 0 || used.full_at > now);
            if self.peers.len() >= self.most {
                return None;
            }
        }
        Some(self.peers.entry(peer).or_insert(Used { full_at: now, open: 0 }))
    }
}

impl Used {
    fn owe(&mut self, bytes: usize, rate: u64, now: Timestamp) {
        let cost = nanos_for(bytes.saturating_add(EACH) as u64, rate);
        self.full_at = self.full_at.max(now).after(Duration::from_nanos(cost));
    }
}

fn nanos_for(bytes: u64, rate: u64) -> u64 {
    u64::try_from(u128::from(bytes) * 1_000_000_000 / u128::from(rate)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn allowances(questions: usize) -> Allowances {
        Allowances::new(questions, 10_000, 30_000, 4)
    }

    #[test]
    fn a_flood_is_let_in_at_the_rate_after_the_burst() {
        let (mut all, peer, now) = (allowances(9), PeerId::random(), Timestamp::ZERO);
        let item = 1000 - EACH;
        let passed = |all: &mut Allowances, now| (0..1000).filter(|_| all.take(peer, item, now)).count();
        assert_eq!(passed(&mut all, now), 30);
        assert_eq!(passed(&mut all, now.after(SECOND)), 10);
        assert_eq!(passed(&mut all, now.after(SECOND * 2)), 10);
        assert_eq!(passed(&mut all, now.after(SECOND * 100)), 30);
        assert!(all.take(PeerId::random(), item, now.after(SECOND * 100)), "another peer has its own");
    }

    #[test]
    fn one_item_may_be_larger_than_the_burst_and_is_paid_for() {
        let (mut all, peer, now) = (allowances(9), PeerId::random(), Timestamp::ZERO);
        assert!(all.take(peer, 100_000, now));
        assert!(!all.take(peer, 1, now.after(SECOND * 7)));
        assert!(all.take(peer, 1, now.after(SECOND * 8)));
    }

    #[test]
    fn questions_in_flight_are_counted_and_given_back() {
        let (mut all, peer, now) = (allowances(2), PeerId::random(), Timestamp::ZERO);
        assert!(all.open(peer, 10, now) && all.open(peer, 10, now) && !all.open(peer, 10, now));
        all.close(peer, 0, now);
        assert!(all.open(peer, 10, now));
        all.close(peer, 40_000, now);
        assert!(!all.open(peer, 10, now), "an answer is charged to who asked");
    }

    #[test]
    fn only_who_owes_is_remembered_and_a_newcomer_is_refused_when_there_is_no_room() {
        let (mut all, now) = (allowances(2), Timestamp::ZERO);
        let peers: Vec<PeerId> = (0..4).map(|_| PeerId::random()).collect();
        assert!(peers.iter().all(|peer| all.take(*peer, 10, now)));
        let newcomer = PeerId::random();
        assert!(!all.take(newcomer, 10, now));
        assert!(all.take(newcomer, 10, now.after(SECOND)), "the others owe nothing any more");
        assert!(all.peers.len() <= 4);
    }
}
