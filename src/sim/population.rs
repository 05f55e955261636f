//! Who is in a large network, and for how long: how many are up at any time, who comes and who leaves.
//!
//! [`Population::members`] says how many nodes there are in all, [`Population::up`] which of them are up when a run
//! begins, and [`Population::changes`] who leaves and who comes back or appears, in the order of time. Whoever holds the
//! network applies it: a node that is not up at the start is spawned and killed before the start, and so is in nobody's
//! table.

use core::time::Duration;

use super::rng::{Concern, Seed, Stream};
use super::sample::{Dist, unit};
use crate::testbed::NodeId;

/// Who is in a network, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Population {
    /// How many are up at any time, about.
    pub up: u32,
    /// The share of them that never leave, from 0 to 1.
    pub always_on: f64,
    /// How long each of the others stays.
    pub session: Dist,
    /// How long each stays away.
    pub gap: Dist,
}

/// Somebody leaves or comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// When, from the start of the run.
    pub at: Duration,
    /// Who.
    pub node: NodeId,
    /// Whether it is up from now on.
    pub up: bool,
}

/// Sessions drawn to know what they are like on the average, and who stays how long.
const SAMPLES: u64 = 100_000;
/// Cycles of one node in one run.
const MOST_CYCLES: usize = 10_000;

impl Population {
    /// The servers of the public IPFS DHT: 25,000.
    ///
    /// One in ten (10.5%) is always on (RFM2 of ProbeLab's reports). Sessions and gaps are those that the same report gives
    /// for KAD, Weibull of shape 0.615 and scale 169.5 min, and of shape 0.476 and scale 413.7 min: with those that are
    /// always on, half of the sessions last at most 2 h, as is said of IPFS itself there.
    pub fn ipfs() -> Self {
        let minutes = |minutes: f64| Duration::from_secs_f64(minutes * 60.0);
        Self {
            up: 25_000,
            always_on: 0.105,
            session: Dist::Weibull { shape: 0.615, scale: minutes(169.5) },
            gap: Dist::Weibull { shape: 0.476, scale: minutes(413.7) },
        }
    }

    /// The same, of another size.
    #[must_use]
    pub fn of(self, up: u32) -> Self {
        Self { up, ..self }
    }

    /// How many nodes a run needs that lasts so long: those who are up at its start, numbered first, and those who come
    /// that were never seen before.
    pub fn members(&self, lasts: Duration) -> u32 {
        self.up.saturating_add(self.newcomers(lasts))
    }

    /// Whether this node is up at the start.
    pub fn up(&self, node: NodeId) -> bool {
        node.0 < self.up
    }

    /// Who leaves and who comes within a run, in the order of time. The same for the same seed.
    pub fn changes(&self, seed: u64, lasts: Duration) -> Vec<Change> {
        let seed = Seed::new(seed);
        let residual = Residual::of(&self.session);
        let mut changes = Vec::new();
        for node in 0..self.members(lasts) {
            let mut stream = seed.stream(Concern::POPULATION, u64::from(node));
            let first = if node < self.up {
                if unit(stream.wide()) < self.always_on {
                    continue;
                }
                // It is somewhere within a session, and more likely within a long one.
                residual.at(stream.wide(), stream.wide())
            } else {
                // Newcomers come as evenly as others leave.
                let at = lasts.mul_f64(unit(stream.wide()));
                changes.push(Change { at, node: NodeId(node), up: true });
                at.saturating_add(self.session.at(stream.wide()))
            };
            self.cycle(NodeId(node), first, lasts, &mut stream, &mut changes);
        }
        changes.sort();
        changes
    }

    /// The sessions and absences of one node that leaves first at `leaves`.
    fn cycle(
        &self,
        node: NodeId,
        mut leaves: Duration,
        lasts: Duration,
        stream: &mut Stream,
        changes: &mut Vec<Change>,
    ) {
        const LEAST: Duration = Duration::from_millis(1);
        for _ in 0..MOST_CYCLES {
            if leaves >= lasts {
                return;
            }
            changes.push(Change { at: leaves, node, up: false });
            let back = leaves.saturating_add(self.gap.at(stream.wide()).max(LEAST));
            if back >= lasts {
                return;
            }
            changes.push(Change { at: back, node, up: true });
            leaves = back.saturating_add(self.session.at(stream.wide()).max(LEAST));
        }
    }

    /// How many come that nobody saw before, so that as many come as leave: those who leave and are not back by the end.
    fn newcomers(&self, lasts: Duration) -> u32 {
        let mean = mean(&self.session);
        if mean.is_zero() {
            return 0;
        }
        let churning = f64::from(self.up) * (1.0 - self.always_on);
        let leave = churning * lasts.as_secs_f64() / mean.as_secs_f64();
        // Whoever leaves at a time drawn evenly comes back within what is left.
        let back = (0..SAMPLES)
            .filter(|at| {
                let left = lasts.mul_f64(unit(at.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
                self.gap.at(quantile(*at)) < left
            })
            .count();
        (leave * (1.0 - back as f64 / SAMPLES as f64)) as u32
    }
}

/// The `at`-th of [`SAMPLES`] even quantiles, as a draw.
const fn quantile(at: u64) -> u64 {
    u64::MAX / SAMPLES * at
}

fn mean(dist: &Dist) -> Duration {
    let sum: f64 = (0..SAMPLES).map(|at| dist.at(quantile(at)).as_secs_f64()).sum();
    Duration::from_secs_f64(sum / SAMPLES as f64)
}

/// What is left of the session that one finds somebody in.
struct Residual {
    /// Sessions at even quantiles, with the sum of those up to each.
    sessions: Vec<(f64, f64)>,
}

impl Residual {
    fn of(session: &Dist) -> Self {
        let mut sum = 0.0;
        let sessions = (0..SAMPLES).map(|at| {
            let lasts = session.at(quantile(at)).as_secs_f64();
            sum += lasts;
            (sum, lasts)
        });
        Self { sessions: sessions.collect() }
    }

    /// A session drawn by its length, and a part of it drawn evenly.
    fn at(&self, which: u64, part: u64) -> Duration {
        let all = self.sessions.last().map_or(0.0, |(sum, _)| *sum);
        let at = self.sessions.partition_point(|(sum, _)| *sum < unit(which) * all);
        let lasts = self.sessions.get(at).map_or(0.0, |(_, lasts)| *lasts);
        Duration::try_from_secs_f64(lasts * unit(part)).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    /// How many are up at each quarter of an hour.
    fn counts(population: &Population, hours: u32) -> Vec<u32> {
        let lasts = HOUR * hours;
        let mut up = population.up;
        let mut counts = Vec::new();
        let mut next = Duration::ZERO;
        for change in population.changes(3, lasts) {
            while change.at >= next {
                counts.push(up);
                next += HOUR / 4;
            }
            up = if change.up { up + 1 } else { up - 1 };
        }
        counts
    }

    #[test]
    fn as_many_come_as_leave() {
        let population = Population::ipfs().of(5_000);
        for count in counts(&population, 6) {
            assert!(count.abs_diff(5_000) < 350, "{count}");
        }
    }

    #[test]
    fn each_leaves_and_comes_in_turn_and_some_never_leave() {
        let population = Population::ipfs().of(2_000);
        let changes = population.changes(1, HOUR * 12);
        assert_eq!(changes, population.changes(1, HOUR * 12));
        assert!(changes.windows(2).all(|pair| pair[0] <= pair[1]));
        let members = population.members(HOUR * 12);
        let mut up: Vec<bool> = (0..members).map(|node| population.up(NodeId(node))).collect();
        let mut changed = vec![false; members as usize];
        for change in &changes {
            assert_ne!(core::mem::replace(&mut up[change.node.0 as usize], change.up), change.up);
            changed[change.node.0 as usize] = true;
        }
        let stayed = changed[..2_000].iter().filter(|changed| !**changed).count();
        // One in ten is always on; of the others 21.0% are found in a session with more than 12 h left of it: for a Weibull
        // session of shape k that is the regularized upper gamma function of 1/k at (12 h / scale)^k.
        assert!(stayed.abs_diff(586) < 60, "{stayed}");
    }

    #[test]
    fn sessions_are_as_long_as_is_said_of_ipfs() {
        let population = Population::ipfs();
        let within = |span: Duration| {
            let others = (0..SAMPLES).filter(|at| population.session.at(quantile(*at)) <= span).count();
            (1.0 - population.always_on) * others as f64 / SAMPLES as f64
        };
        // "Half last at most about 2 h, 80% at most 8 h" (RFM2).
        assert!((within(HOUR * 2) - 0.5).abs() < 0.05, "{}", within(HOUR * 2));
        assert!((within(HOUR * 8) - 0.8).abs() < 0.05, "{}", within(HOUR * 8));
    }
}
