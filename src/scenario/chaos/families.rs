//! The families of faults that chaos draws from, and what each draws of itself.

use core::time::Duration;

use super::dice::{Dice, Topic};
use crate::scenario::file::model::{FaultSetting, Spread, Victims, Weather, Whom};
use crate::scenario::words::{Among, Family, Lie};
use crate::testbed::{Garble, Keep, LinkChange, Way};

const GARBLES: [Garble; 8] = [
    Garble::Truncated,
    Garble::BitFlipped,
    Garble::Noise,
    Garble::Oversized,
    Garble::HostileLengths,
    Garble::HostileNesting,
    Garble::WrongKey,
    Garble::Repeated,
];

/// What `family` does under `seed`, within the first `until` of a run with so many registries and packages.
pub(super) fn faults(
    family: Family,
    seed: u64,
    until: Duration,
    registries: u32,
    packages: u32,
) -> Vec<FaultSetting> {
    let mut dice = Dice::new(seed, Topic::Family, family as u64);
    if dice.coin() {
        return Vec::new();
    }
    // Mostly one; now and then the same thing several times over.
    let times = dice.log_count(1, 4);
    (0..times)
        .map(|_| {
            let at = dice.part_of(until);
            let left = until.saturating_sub(at);
            let least = Duration::from_millis(50).min(left);
            let lasts = dice.log_span(least, left);
            let what = weather(family, &mut dice, lasts, registries, packages);
            FaultSetting { at, until: at.saturating_add(lasts.max(Duration::from_micros(1))), what }
        })
        .collect()
}

fn weather(family: Family, dice: &mut Dice, lasts: Duration, registries: u32, packages: u32) -> Weather {
    match family {
        Family::Churn => Weather::Churn {
            whom: whom(dice),
            session: spread(dice, lasts),
            gap: spread(dice, lasts),
            keep: keep(dice),
        },
        Family::Crash => Weather::Crash { whom: Victims::Whom(whom(dice)), keep: keep(dice) },
        Family::Partition => Weather::Partition {
            share: dice.log(0.05, 0.95),
            registries: (0..registries).filter(|_| dice.coin()).collect(),
            way: if dice.chance(0.3) { Way::OneWay } else { Way::Both },
        },
        Family::Latency => {
            let extra_delay = dice.log_span(Duration::from_millis(1), Duration::from_secs(2));
            let extra_jitter = dice.log_span(Duration::from_millis(1), Duration::from_secs(1));
            links(dice, LinkChange { extra_delay, extra_jitter, ..LinkChange::default() })
        }
        Family::Bandwidth => {
            let bandwidth = u64::from(dice.log_count(1 << 10, 1 << 22));
            links(dice, LinkChange { bandwidth, ..LinkChange::default() })
        }
        Family::Resets => {
            let resets = dice.log(0.0005, 0.3);
            links(dice, LinkChange { resets, ..LinkChange::default() })
        }
        Family::RefusedDials => {
            let refused_dials = dice.log(0.01, 0.9);
            links(dice, LinkChange { refused_dials, ..LinkChange::default() })
        }
        Family::DeadDials => {
            let dead_dials = dice.log(0.01, 0.9);
            links(dice, LinkChange { dead_dials, ..LinkChange::default() })
        }
        Family::Slow => Weather::Slow { whom: whom(dice), factor: dice.log_count(2, 2000) },
        Family::Silent => Weather::Silent(peers(dice)),
        Family::Stall => Weather::Stall(peers(dice)),
        Family::Undialable => Weather::Undialable(whom(dice)),
        Family::Garbled => {
            Weather::Malformed { share: share(dice), garbles: dice.some_of(&GARBLES), lies: Vec::new() }
        }
        Family::Lies => {
            Weather::Malformed { share: share(dice), garbles: Vec::new(), lies: dice.some_of(&Lie::ALL) }
        }
        Family::Rollback => {
            Weather::Rollback { package: dice.between(0, packages.saturating_sub(1)), share: share(dice) }
        }
        Family::Equivocation => {
            Weather::Equivocate { package: dice.between(0, packages.saturating_sub(1)), share: share(dice) }
        }
        Family::StoreFull => Weather::StoreFull(whom(dice)),
        Family::LyingAcks => Weather::LyingAcks(peers(dice)),
        Family::ClockSkew => Weather::ClockSkew {
            whom: whom(dice),
            by: dice.log_span(Duration::from_millis(10), Duration::from_secs(30 * 86_400)),
            behind: dice.coin(),
        },
        Family::Eclipse => Weather::Eclipse(share(dice)),
        Family::Sybil => {
            Weather::Sybil { package: dice.between(0, packages.saturating_sub(1)), share: share(dice) }
        }
        Family::FalsePeers => Weather::FalsePeers { share: share(dice), names: dice.log_count(10, 400) },
        Family::Whitewash => {
            let least = Duration::from_millis(500);
            Weather::Whitewash { share: dice.log(0.01, 0.2), every: dice.log_span(least, lasts.max(least)) }
        }
        Family::Framing => Weather::Framing { share: dice.log(0.01, 0.1), rate: dice.log_count(1, 10) },
        Family::Storm => Weather::Storm { share: dice.log(0.01, 0.1), rate: dice.log_count(1, 20) },
        Family::Late => Weather::Late {
            whom: whom(dice),
            by: dice.log_span(Duration::from_millis(10), Duration::from_secs(8)),
        },
    }
}

fn share(dice: &mut Dice) -> f64 {
    dice.log(0.01, 0.6)
}

fn whom(dice: &mut Dice) -> Whom {
    let among = match dice.between(0, 3) {
        0 => Among::Registries,
        1 => Among::All,
        _ => Among::Peers,
    };
    Whom { among, share: share(dice) }
}

fn peers(dice: &mut Dice) -> Whom {
    Whom { among: Among::Peers, share: share(dice) }
}

fn links(dice: &mut Dice, change: LinkChange) -> Weather {
    // As often everybody's as some one's.
    let share = if dice.coin() { 1.0 } else { share(dice) };
    Weather::Links { whom: Whom { among: Among::All, share }, change }
}

fn keep(dice: &mut Dice) -> Keep {
    match dice.between(0, 3) {
        0 => Keep::All,
        1 => Keep::Nothing,
        _ => Keep::Synced,
    }
}

fn spread(dice: &mut Dice, lasts: Duration) -> Spread {
    let mean = dice.log_span(Duration::from_millis(200), lasts.max(Duration::from_millis(200)));
    match dice.between(0, 2) {
        0 => Spread::Fixed(mean),
        // Long tails, as real sessions have: KAD's shape (ProbeLab RFM2 sets both beside each other).
        1 => Spread::Weibull { shape: 0.615, scale: mean },
        _ => Spread::Exponential(mean),
    }
}
