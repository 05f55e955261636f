//! Draws: each is a function of (seed, concern, identity), never of what was drawn before it.
//!
//! A [`Draws`] is one identity's own ChaCha8 stream, keyed by the four numbers alone. So another
//! workload, fault or peer does not re-roll what was there before it. The samplers are this module's
//! own, since a library may change the values that its ranges and distributions give; they are
//! version 1, and a change that gives other values makes a new version of every plan.

use core::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a draw is about. The numbers are part of every plan: none is ever used again for another thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Concern {
    /// Which nodes of the network are undialable.
    Undialable = 1,
    /// Which nodes are DHT clients.
    Client = 2,
    /// When the operations of a workload happen.
    Schedule = 3,
    /// Which registry does an operation.
    Actor = 4,
    /// What an operation asks for.
    Question = 5,
    /// What is published while the network runs.
    Body = 6,
    /// Whether a search is given up.
    Cancel = 7,
    /// Which nodes a fault strikes.
    Victim = 8,
    /// How long sessions and gaps of a churning node are.
    Session = 9,
    /// Which packages a fault is about.
    Target = 10,
    /// Words and packages of the synthetic catalogue.
    Synthetic = 11,
    /// Which peers hold which release at the start.
    Coverage = 12,
    /// Keys of publishers.
    Key = 13,
    /// What a lying peer does with an answer.
    Lie = 14,
    /// What chaos makes of a frame.
    Chaos = 15,
    /// Which nodes have to work again when nothing goes wrong any more.
    Core = 16,
    /// Keys that are made for a storm of announcements.
    Storm = 17,
}

/// The stream of one identity.
#[derive(Clone, Debug)]
pub struct Draws(ChaCha8Rng);

impl Draws {
    /// The stream of (`seed`, `concern`, `identity`).
    pub fn new(seed: u64, concern: Concern, identity: [u64; 2]) -> Self {
        let mut key = [0; 32];
        let words = [seed, concern as u64, identity[0], identity[1]];
        for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// 64 even bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// 32 bytes.
    pub fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// Evenly one of `0..n`; 0 when `n` is 0. The bias is below `n / 2^64`.
    pub fn below(&mut self, n: u64) -> u64 {
        let wide = u128::from(self.bits()) * u128::from(n);
        (wide >> 64) as u64
    }

    /// An index into something of this length; 0 when it is empty.
    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// Evenly from 0 (included) to 1 (excluded), in steps of 2^-53.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with this chance.
    pub fn chance(&mut self, chance: f64) -> bool {
        self.unit() < chance
    }

    /// Exponential with this mean: the inverse of its distribution function at an even draw.
    pub fn exponential(&mut self, mean: Duration) -> Duration {
        let factor = -libm::log(1.0 - self.unit());
        scaled(mean, factor)
    }

    /// Weibull with this shape and scale, by the inverse of its distribution function.
    pub fn weibull(&mut self, shape: f64, scale: Duration) -> Duration {
        let factor = libm::pow(-libm::log(1.0 - self.unit()), 1.0 / shape);
        scaled(scale, factor)
    }
}

/// `span` times `factor`, to the microsecond; a year at most.
pub(crate) fn scaled(span: Duration, factor: f64) -> Duration {
    const MOST: f64 = 365.0 * 86_400.0 * 1e6;
    let micros = libm::round(span.as_micros() as f64 * factor);
    if micros >= 0.0 { Duration::from_micros(micros.min(MOST) as u64) } else { Duration::ZERO }
}

/// The `count` of `0..n` that this concern strikes, in ascending order: those with the lowest draws. One
/// more in `n` changes at most one of them.
pub(crate) fn strike(seed: u64, concern: Concern, what: u64, among: &[u32], count: usize) -> Vec<u32> {
    let mut ranked: Vec<(u64, u32)> =
        among.iter().map(|&node| (Draws::new(seed, concern, [what, u64::from(node)]).bits(), node)).collect();
    ranked.sort_unstable();
    let mut struck: Vec<u32> = ranked.into_iter().take(count).map(|(_, node)| node).collect();
    struck.sort_unstable();
    struck
}

/// How many of `n` a share is: rounded, and at least one when the share is above zero.
pub(crate) fn share_of(share: f64, n: usize) -> usize {
    let count = libm::round(share * n as f64).max(0.0) as usize;
    if share > 0.0 { count.clamp(1.min(n), n) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_depend_on_each_part_of_their_identity() {
        let first = |seed, concern, identity| Draws::new(seed, concern, identity).bits();
        let base = first(1, Concern::Actor, [2, 3]);
        assert_eq!(base, first(1, Concern::Actor, [2, 3]));
        assert_ne!(base, first(2, Concern::Actor, [2, 3]));
        assert_ne!(base, first(1, Concern::Victim, [2, 3]));
        assert_ne!(base, first(1, Concern::Actor, [3, 3]));
        assert_ne!(base, first(1, Concern::Actor, [2, 4]));
    }

    #[test]
    fn the_values_of_version_1_stay() {
        let mut draws = Draws::new(7, Concern::Session, [1, 2]);
        let got = (draws.below(1000), draws.exponential(Duration::from_secs(60)), draws.bits());
        assert_eq!(got, (VERSION_1.0, Duration::from_micros(VERSION_1.1), VERSION_1.2));
    }
    const VERSION_1: (u64, u64, u64) = (54, 207_284_862, 14_515_909_419_377_837_633);

    #[test]
    fn samplers_have_the_means_that_they_promise() {
        let mut draws = Draws::new(1, Concern::Session, [0, 0]);
        let n = 20_000;
        let mean = |sum: f64| sum / f64::from(n);
        let exp = mean((0..n).map(|_| draws.exponential(Duration::from_secs(10)).as_secs_f64()).sum());
        assert!((9.7..10.3).contains(&exp), "{exp}");
        // The mean of a Weibull is scale × Γ(1 + 1/shape); Γ(1.5) = 0.8862.
        let wei = mean((0..n).map(|_| draws.weibull(2.0, Duration::from_secs(10)).as_secs_f64()).sum());
        assert!((8.7..9.05).contains(&wei), "{wei}");
        let below = mean((0..n).map(|_| draws.below(11) as f64).sum());
        assert!((4.9..5.1).contains(&below), "{below}");
    }

    #[test]
    fn a_share_strikes_exactly_as_many_and_a_newcomer_changes_one_at_most() {
        let some: Vec<u32> = (0..100).collect();
        let more: Vec<u32> = (0..101).collect();
        let first = strike(3, Concern::Victim, 0, &some, share_of(0.3, 100));
        let second = strike(3, Concern::Victim, 0, &more, share_of(0.3, 101));
        assert_eq!(first.len(), 30);
        let gone = first.iter().filter(|node| !second.contains(node)).count();
        assert!(gone <= 1, "{gone}");
        assert_eq!(share_of(0.001, 100), 1);
        assert_eq!(share_of(0.0, 100), 0);
        assert_eq!(share_of(1.0, 0), 0);
    }
}
