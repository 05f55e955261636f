//! What is known of peers: what they did, how fast they are, and whom to ask.
//!
//! # Score
//!
//! For each peer two weights are kept, of good and of bad deeds, which halve with every half-life. With one
//! deed of either kind as a prior, the score is `(good + 1) / (good + bad + 2)`: 0.5 for a stranger, always
//! within 0 and 1, and on its way back to 0.5 when nothing happens. What a deed weighs:
//!
//! | cause | good | bad | counts as malformed |
//! |---|---|---|---|
//! | `Answered` | 1 | | |
//! | `Busy` | | 1/4 | |
//! | `Unreachable`, `TimedOut`, `Broken` | | 1 | |
//! | `Malformed` | | 4 | 1 |
//! | `Forged` | | 8 | 2 |
//!
//! Failures of this node and an honest "not found" are no deeds. A peer whose malformed count (it fades like
//! the weights) reaches the threshold is blocked for a time.
//!
//! # Choice
//!
//! Peers are ordered by the time that a good answer is expected to take: measured latency (its answers',
//! else the network's round trip, else what is usual among the others), over the score, times `1 + n/4`
//! with `n` requests now in flight to it, so that many searches at once do not all ask the same few, and
//! times four when it is not connected, since it must be dialled and may be gone. Ties
//! are broken by a draw, so that nodes which know nothing do not all ask the lowest name. With a location,
//! peers are ordered first by how many leading bits of SHA-256 of their displayed name agree with it. Now
//! and then a peer that was never tried takes a place, or strangers would stay strangers.
//!
//! # Bounds
//!
//! At most `most_peers` are remembered. When one more comes, an eighth is forgotten, those first of whom
//! least is known: strangers, then connected strangers, then tried peers, then blocked ones, each longest
//! unseen first. A peer with a request in flight is never forgotten. What an earlier life has saved of peers that
//! were not met in this one is kept apart, see `remembered`.

use core::time::Duration;
use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng as _;
use sha2::{Digest as _, Sha256};

use super::action::Cause;
use super::config::EngineConfig;
use super::remembered::{self, MOST_SAVED, Name, Stood};
use super::timeouts::Estimator;
use crate::network::Peer;
use crate::time::{Timestamp, WallTime, nanos};

/// One deed, in units of weight.
const ONE: u64 = 1 << 20;
/// The most weight: beyond it more of the same changes nothing.
const MOST: u64 = ONE << 20;
/// 2^(-1/16) in units of 2^-32: what is left of a weight after a sixteenth of the half-life.
const STEP: u64 = 4_112_874_773;

/// What is known of one peer.
#[derive(Clone, Debug)]
pub struct Standing {
    good: u64,
    bad: u64,
    malformed: u64,
    /// Up to when the weights have faded.
    faded: Timestamp,
    /// When it was last heard of.
    last_seen: Timestamp,
    /// How long its answers take, while connected.
    pub(super) answers: Estimator,
    round_trip: Option<Duration>,
    pub(super) connected: bool,
    blocked_until: Timestamp,
    avoided_until: Timestamp,
    pub(super) in_flight: u32,
    tried: bool,
}

impl Standing {
    fn new(now: Timestamp) -> Self {
        Self {
            good: 0,
            bad: 0,
            malformed: 0,
            faded: now,
            last_seen: now,
            answers: Estimator::default(),
            round_trip: None,
            connected: false,
            blocked_until: Timestamp::ZERO,
            avoided_until: Timestamp::ZERO,
            in_flight: 0,
            tried: false,
        }
    }

    /// As it was in an earlier life.
    fn again(now: Timestamp, stood: &Stood) -> Self {
        Self {
            good: stood.good,
            bad: stood.bad,
            malformed: stood.malformed,
            faded: stood.faded,
            blocked_until: stood.blocked_until,
            tried: true,
            ..Self::new(now)
        }
    }

    /// The weights as they are at `now`: good, bad, malformed.
    fn weights(&self, now: Timestamp, half_life: Duration) -> (u64, u64, u64) {
        let steps = steps(self.faded, now, half_life);
        (fade(self.good, steps), fade(self.bad, steps), fade(self.malformed, steps))
    }

    /// Let the weights fade up to `now`, in whole steps, so that how often this is called does not matter.
    fn fade_to(&mut self, now: Timestamp, half_life: Duration) {
        let steps = steps(self.faded, now, half_life);
        (self.good, self.bad, self.malformed) = self.weights(now, half_life);
        let step = nanos(half_life) / 16;
        self.faded = self.faded.after(Duration::from_nanos(step.max(1).saturating_mul(steps)));
    }

    /// The score in thousandths.
    fn permille(&self, now: Timestamp, half_life: Duration) -> u64 {
        let (good, bad, _) = self.weights(now, half_life);
        (good + ONE) * 1000 / (good + bad + 2 * ONE)
    }

    /// The time its answers take, else the network's round trip.
    pub fn latency(&self) -> Option<Duration> {
        self.answers.time().or(self.round_trip)
    }

    /// When it was last heard of.
    pub const fn last_seen(&self) -> Timestamp {
        self.last_seen
    }

    /// Whether it was ever asked, and came to something.
    pub(super) const fn tried(&self) -> bool {
        self.tried
    }

    /// Whether it is connected now.
    pub const fn connected(&self) -> bool {
        self.connected
    }

    /// Until when nothing is asked of it; in the past when it is not blocked.
    pub const fn blocked_until(&self) -> Timestamp {
        self.blocked_until
    }

    /// Whether it may be asked at `now`: neither blocked nor of another language.
    pub(super) fn askable(&self, now: Timestamp) -> bool {
        self.blocked_until <= now && self.avoided_until <= now
    }

    /// How much is lost by forgetting it: class, then when it was last seen.
    fn value(&self, now: Timestamp) -> (u8, Timestamp) {
        let class = match (self.blocked_until > now, self.tried, self.connected) {
            (true, _, _) => 3,
            (false, true, _) => 2,
            (false, false, true) => 1,
            (false, false, false) => 0,
        };
        (class, self.last_seen)
    }
}

/// Whole sixteenths of the half-life between two instants.
fn steps(from: Timestamp, to: Timestamp, half_life: Duration) -> u64 {
    nanos(to.since(from)) / (nanos(half_life) / 16).max(1)
}

/// `weight` after that many steps. Integer, so that every machine agrees.
fn fade(weight: u64, steps: u64) -> u64 {
    // Most peers are strangers.
    if weight == 0 {
        return 0;
    }
    let halved = weight.checked_shr(u32::try_from(steps / 16).unwrap_or(64)).unwrap_or(0);
    (0..steps % 16).fold(halved, |left, _| {
        u64::try_from((u128::from(left) * u128::from(STEP)) >> 32).unwrap_or(u64::MAX)
    })
}

/// What is known of all peers.
#[derive(Clone, Debug)]
pub struct Reputation<P> {
    most_peers: usize,
    half_life: Duration,
    threshold: u64,
    block_for: Duration,
    explore_permille: u32,
    local: Option<P>,
    peers: BTreeMap<P, Standing>,
    /// Rises whenever there may be someone to ask who was not there before.
    arrivals: u64,
    /// Rises with every deed.
    deeds: u64,
    /// Those of an earlier life who were not met in this one.
    remembered: BTreeMap<Name, Stood>,
    /// Met again while they are blocked: the network does not know it yet.
    met_blocked: Vec<(P, Timestamp)>,
}

impl<P: Peer> Reputation<P> {
    /// Nobody is known.
    pub(crate) fn new(config: &EngineConfig) -> Self {
        Self {
            most_peers: config.most_peers,
            half_life: config.half_life,
            threshold: u64::from(config.malformed_threshold) * ONE,
            block_for: config.block_for,
            explore_permille: config.explore_permille,
            local: None,
            peers: BTreeMap::new(),
            arrivals: 0,
            deeds: 0,
            remembered: BTreeMap::new(),
            met_blocked: Vec::new(),
        }
    }

    /// This is the node itself: never known, never charged, never asked.
    pub(super) fn set_local(&mut self, local: P) {
        self.local = Some(local);
        self.peers.remove(&local);
    }

    /// How many peers are known.
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether no peer is known.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// The peers known, in their order, with what is known of them.
    pub fn peers(&self) -> impl Iterator<Item = (&P, &Standing)> {
        self.peers.iter()
    }

    /// What is known of `peer`.
    pub fn get(&self, peer: &P) -> Option<&Standing> {
        self.peers.get(peer)
    }

    /// The score of `peer` in 0 to 1; 0.5 for a stranger.
    pub fn score(&self, now: Timestamp, peer: &P) -> f64 {
        let permille = self.peers.get(peer).map_or(500, |peer| peer.permille(now, self.half_life));
        f64::from(u32::try_from(permille).unwrap_or(1000)) / 1000.0
    }

    pub(super) fn is_local(&self, peer: &P) -> bool {
        self.local.as_ref() == Some(peer)
    }

    pub(super) const fn arrivals(&self) -> u64 {
        self.arrivals
    }

    /// The standing of `peer`, which was just heard of or is about to be; `None` when it is this node, or
    /// nobody can be forgotten for it.
    pub(crate) fn touch(&mut self, now: Timestamp, peer: P) -> Option<&mut Standing> {
        if self.local == Some(peer) {
            return None;
        }
        if !self.peers.contains_key(&peer) {
            if self.peers.len() >= self.most_peers {
                self.forget(now);
            }
            if self.peers.len() >= self.most_peers {
                return None;
            }
            self.arrivals += 1;
            let stood = if self.remembered.is_empty() {
                None
            } else {
                self.remembered.remove(&remembered::name(&peer))
            };
            if let Some(stood) = stood {
                if stood.blocked_until > now {
                    self.met_blocked.push((peer, stood.blocked_until));
                }
                self.peers.insert(peer, Standing::again(now, &stood));
            }
        }
        let standing = self.peers.entry(peer).or_insert_with(|| Standing::new(now));
        standing.last_seen = standing.last_seen.max(now);
        Some(standing)
    }

    /// The standing of a peer that is known.
    pub(super) fn known(&mut self, peer: &P) -> Option<&mut Standing> {
        self.peers.get_mut(peer)
    }

    /// Forget an eighth of the peers, the least valuable.
    fn forget(&mut self, now: Timestamp) {
        let mut idle: Vec<_> = (self.peers.iter())
            .filter(|(_, standing)| standing.in_flight == 0)
            .map(|(peer, standing)| (standing.value(now), *peer))
            .collect();
        idle.sort_unstable();
        for (_, peer) in idle.into_iter().take((self.most_peers / 8).max(1)) {
            self.peers.remove(&peer);
        }
    }

    /// `peer` is connected and speaks our language.
    pub(super) fn up(&mut self, now: Timestamp, peer: P) {
        if let Some(standing) = self.touch(now, peer) {
            standing.connected = true;
            standing.avoided_until = Timestamp::ZERO;
        }
    }

    /// The last connection to `peer` is gone.
    pub(super) fn down(&mut self, peer: &P) {
        if let Some(standing) = self.known(peer) {
            standing.connected = false;
        }
    }

    pub(super) fn round_trip(&mut self, now: Timestamp, peer: P, took: Duration) {
        if let Some(standing) = self.touch(now, peer) {
            standing.round_trip = Some(took);
        }
    }

    /// Ask nothing of `peer` for as long as a block takes, without a charge: it does not speak our language.
    pub(super) fn avoid(&mut self, now: Timestamp, peer: P) {
        let until = now.after(self.block_for);
        if let Some(standing) = self.known(&peer) {
            standing.avoided_until = until;
        }
    }

    /// How many deeds were entered: when this has not changed, nothing but time has.
    pub const fn deeds(&self) -> u64 {
        self.deeds
    }

    /// The next peer that was met again while it is blocked, and until when it is.
    pub(super) fn met_blocked(&mut self) -> Option<(P, Timestamp)> {
        self.met_blocked.pop()
    }

    /// What is to outlive this process, as bytes.
    pub(super) fn save(&self, now: Timestamp, wall: WallTime) -> Vec<u8> {
        let met = self.peers.iter().filter(|(_, standing)| standing.tried || standing.blocked_until > now);
        let mut peers: Vec<(Name, Stood)> = met
            .map(|(peer, standing)| {
                let (good, bad, malformed) = standing.weights(now, self.half_life);
                let blocked_until = standing.blocked_until;
                (remembered::name(peer), Stood { good, bad, malformed, faded: now, blocked_until })
            })
            .collect();
        let unmet = self.remembered.iter().map(|(name, stood)| {
            let steps = steps(stood.faded, now, self.half_life);
            let [good, bad, malformed] =
                [stood.good, stood.bad, stood.malformed].map(|weight| fade(weight, steps));
            (*name, Stood { good, bad, malformed, faded: now, ..*stood })
        });
        peers.extend(unmet.filter(|(_, stood)| stood.weight() > 0 || stood.blocked_until > now));
        // Of many, those first who are blocked, and then those who did most.
        peers.sort_by_key(|(name, stood)| {
            (core::cmp::Reverse((stood.blocked_until > now, stood.weight())), *name)
        });
        peers.truncate(MOST_SAVED);
        remembered::write(now, wall, peers.into_iter())
    }

    /// Take up what an earlier life has saved. Peers that are known already stand as they do.
    pub(super) fn restore(&mut self, now: Timestamp, wall: WallTime, bytes: &[u8]) {
        let half_life = self.half_life;
        let fade =
            |weight, passed| fade(weight, steps(Timestamp::ZERO, Timestamp::ZERO.after(passed), half_life));
        self.remembered = remembered::read(now, wall, bytes, self.block_for, fade);
    }

    /// Enter a deed. `Some` when the peer is to be blocked from now on, until when.
    pub(crate) fn charge(&mut self, now: Timestamp, peer: P, cause: Cause) -> Option<Timestamp> {
        let (half_life, threshold, until) = (self.half_life, self.threshold, now.after(self.block_for));
        self.deeds += 1;
        let standing = match cause {
            // What failed was not heard of: it stays as long unseen as it was.
            Cause::Unreachable | Cause::TimedOut | Cause::Broken => self.peers.get_mut(&peer)?,
            Cause::Answered | Cause::Busy | Cause::Malformed | Cause::Forged => self.touch(now, peer)?,
        };
        standing.fade_to(now, half_life);
        standing.tried = true;
        let (good, bad, malformed) = match cause {
            Cause::Answered => (ONE, 0, 0),
            Cause::Busy => (0, ONE / 4, 0),
            Cause::Unreachable | Cause::TimedOut | Cause::Broken => (0, ONE, 0),
            Cause::Malformed => (0, 4 * ONE, ONE),
            Cause::Forged => (0, 8 * ONE, 2 * ONE),
        };
        standing.good = (standing.good + good).min(MOST);
        standing.bad = (standing.bad + bad).min(MOST);
        standing.malformed = (standing.malformed + malformed).min(MOST);
        // A sixteenth of a deed is forgiven, so that fading between two of them does not shift the count.
        let over = standing.malformed + ONE / 16 >= threshold;
        if over && malformed > 0 && standing.blocked_until <= now {
            standing.blocked_until = until;
            return Some(until);
        }
        None
    }

    /// At most `limit` peers with a score of at least `min`, best first, without those that `skip` names and
    /// those that are blocked.
    pub(super) fn select(
        &self,
        now: Timestamp,
        min: f64,
        limit: usize,
        location: Option<&[u8; 32]>,
        rng: &mut ChaCha8Rng,
        skip: impl Fn(&P, &Standing) -> bool,
    ) -> Vec<P> {
        let salt = rng.next_u64();
        let usual = self.usual_latency();
        let mut choices: Vec<_> = (self.peers.iter())
            .filter(|(peer, standing)| standing.askable(now) && !skip(peer, standing))
            .map(|(peer, standing)| (peer, standing, standing.permille(now, self.half_life)))
            .filter(|(_, _, permille)| u32::try_from(*permille).is_ok_and(|p| f64::from(p) >= min * 1000.0))
            .enumerate()
            .map(|(index, (peer, standing, permille))| {
                let far = location.map_or(0, |location| 256 - agreeing_bits(peer, location));
                let latency = standing.latency().map_or(usual, nanos).max(1);
                let dial = if standing.connected { 1 } else { 4 };
                let load = dial * (4 + u64::from(standing.in_flight));
                let cost = u128::from(latency) * u128::from(load) * 1000 / u128::from(permille.max(1));
                let tie = mix(salt ^ u64::try_from(index).unwrap_or(0));
                (far, cost, tie, *peer, standing.tried)
            })
            .collect();
        choices.sort_unstable();
        let mut chosen = Vec::with_capacity(limit.min(choices.len()));
        let mut strangers: Vec<P> = choices.iter().filter(|c| !c.4).map(|c| c.3).collect();
        let mut rest = choices.into_iter().map(|choice| choice.3).peekable();
        while chosen.len() < limit && rest.peek().is_some() {
            if !strangers.is_empty() && rng.next_u64() % 1000 < u64::from(self.explore_permille) {
                let draw = rng.next_u64() % u64::try_from(strangers.len()).unwrap_or(1);
                let stranger = strangers.swap_remove(usize::try_from(draw).unwrap_or(0));
                if !chosen.contains(&stranger) {
                    chosen.push(stranger);
                    continue;
                }
            }
            match rest.next() {
                Some(peer) if !chosen.contains(&peer) => chosen.push(peer),
                _ => {}
            }
        }
        chosen
    }

    /// The mean latency of those that have one, in nanoseconds; a tenth of a second where nobody has.
    fn usual_latency(&self) -> u64 {
        let (sum, count) = (self.peers.values().filter_map(Standing::latency))
            .fold((0u128, 0u128), |(sum, count), latency| (sum + u128::from(nanos(latency)), count + 1));
        sum.checked_div(count).map_or(100_000_000, |mean| u64::try_from(mean).unwrap_or(u64::MAX))
    }
}

/// How many leading bits of SHA-256 of the peer's displayed name agree with `location`.
fn agreeing_bits<P: Peer>(peer: &P, location: &[u8; 32]) -> u32 {
    let own = Sha256::digest(peer.to_string().as_bytes());
    let mut bits = 0;
    for (a, b) in own.iter().zip(location) {
        let agree = (a ^ b).leading_zeros();
        bits += agree;
        if agree < 8 {
            break;
        }
    }
    bits
}

/// The finaliser of splitmix64 (Steele, Lea, Flood 2014): spreads every bit over all.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests;
