//! The dice of one seed: each throw is named, and independent of all others.

use core::time::Duration;

use crate::scenario::draw::{Concern, Draws, scaled};

/// What throws are about. The numbers are part of every plan: none is ever used again for another thing.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(super) enum Topic {
    /// Whether the seed is quiet, and whether it is steady.
    Mood = 1,
    /// Sizes and links.
    Network = 2,
    /// What is published before the start.
    Catalogue = 3,
    /// How registries are configured.
    Registry = 4,
    /// What registries do.
    Workload = 5,
    /// What goes wrong; the second number is the family's own.
    Family = 6,
    /// What is asked of the network when nothing goes wrong any more.
    Liveness = 7,
}

/// The throws about one thing.
#[derive(Debug)]
pub(super) struct Dice(Draws);

impl Dice {
    pub(super) fn new(seed: u64, topic: Topic, which: u64) -> Self {
        Self(Draws::new(seed, Concern::Chaos, [topic as u64, which]))
    }

    /// With a chance of one in two.
    pub(super) fn coin(&mut self) -> bool {
        self.0.chance(0.5)
    }

    pub(super) fn chance(&mut self, chance: f64) -> bool {
        self.0.chance(chance)
    }

    /// Evenly from `least` to `most`.
    pub(super) fn between(&mut self, least: u32, most: u32) -> u32 {
        let span = u64::from(most.saturating_sub(least)) + 1;
        least.saturating_add(u32::try_from(self.0.below(span)).unwrap_or(0))
    }

    /// Log-uniform from `least`, above zero, to `most`: each doubling is as likely as any other.
    pub(super) fn log(&mut self, least: f64, most: f64) -> f64 {
        let unit = self.0.unit();
        libm::exp(libm::log(least) + unit * (libm::log(most.max(least)) - libm::log(least)))
    }

    /// The same, of whole numbers.
    pub(super) fn log_count(&mut self, least: u32, most: u32) -> u32 {
        let drawn = libm::round(self.log(f64::from(least.max(1)), f64::from(most.max(1))));
        (drawn as u32).clamp(least.min(most), most)
    }

    /// The same, of spans, to the microsecond.
    pub(super) fn log_span(&mut self, least: Duration, most: Duration) -> Duration {
        scaled(Duration::from_secs(1), self.log(least.as_secs_f64(), most.as_secs_f64()))
            .clamp(least, most.max(least))
    }

    /// A part of `span`, evenly from none of it to all.
    pub(super) fn part_of(&mut self, span: Duration) -> Duration {
        scaled(span, self.0.unit())
    }

    /// Some of these, at least one, each with a chance of a half.
    pub(super) fn some_of<T: Copy>(&mut self, these: &[T]) -> Vec<T> {
        let some: Vec<T> = these.iter().copied().filter(|_| self.coin()).collect();
        if some.is_empty() {
            these.get(self.0.index(these.len())).copied().into_iter().collect()
        } else {
            some
        }
    }
}
