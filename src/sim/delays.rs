//! The delay of one message between two ends, derived when it is sent.
//!
//! delay = access of the sender + regions + access of the receiver + bytes at the sender's upload, and what
//! faults add at either end. The part between regions is drawn for each message from a table of quantiles
//! with 130 entries for each pair of regions, made once; between entries it is linear.

use super::profile::Profile;
use super::sample::{Dist, unit};
use crate::testbed::LinkChange;
use crate::time::nanos;

const STEPS: usize = 128;

/// The delays of a profile, made ready for use.
#[derive(Debug)]
pub(crate) struct Delays {
    regions: usize,
    tables: Vec<[u64; STEPS + 1]>,
    /// Nanoseconds that it takes to send 256 bytes, in a centre and at home.
    paces: [u32; 2],
}

/// What a peer's own end adds to its links. Small, as each message needs two of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    /// The region.
    pub(crate) region: u16,
    /// Whether it stands at home, and not in a centre.
    pub(crate) home: bool,
    /// Nanoseconds that its access line adds.
    pub(crate) access: u32,
}

/// The route from one end to another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route<'a> {
    quantiles: &'a [u64; STEPS + 1],
    /// Nanoseconds that both access lines add.
    access: u64,
    /// Nanoseconds that it takes to send 256 bytes.
    pace: u32,
}

impl Route<'_> {
    /// Nanoseconds for `bytes`; `draw` varies the part between the regions.
    pub(crate) fn delay(&self, bytes: usize, draw: u64) -> u64 {
        let step = (draw >> 57) as usize;
        let within = (draw >> 25) & 0xffff_ffff;
        let (a, b) = (self.quantiles[step], self.quantiles[step + 1]);
        let between = a + (((b - a) * within) >> 32);
        between + self.access + ((bytes as u64 * u64::from(self.pace)) >> 8)
    }
}

impl Delays {
    pub(crate) fn new(profile: &Profile) -> Self {
        let regions = profile.regions.len().max(1);
        let mut tables = Vec::with_capacity(regions * (regions + 1) / 2);
        for to in 0..regions {
            for from in 0..=to {
                let dist = profile.one_way.get(from).and_then(|row| row.get(to)).copied();
                tables.push(quantiles(dist.unwrap_or(Dist::Constant(core::time::Duration::ZERO))));
            }
        }
        Self { regions, tables, paces: [profile.centre_upload, profile.home_upload].map(pace) }
    }

    pub(crate) fn regions(&self) -> usize {
        self.regions
    }

    /// The route from `from` to `to`.
    pub(crate) fn route(&self, from: End, to: End) -> Route<'_> {
        let (low, high) = (from.region.min(to.region) as usize, from.region.max(to.region) as usize);
        Route {
            quantiles: &self.tables[high * (high + 1) / 2 + low],
            access: u64::from(from.access) + u64::from(to.access),
            pace: self.paces[usize::from(from.home)],
        }
    }
}

/// The quantiles at 1/1024, 1/128, 2/128, …, 127/128, 1023/1024, rising.
fn quantiles(dist: Dist) -> [u64; STEPS + 1] {
    const LONGEST: u64 = 1 << 31;
    let at = |quantile: u64| nanos(dist.at(quantile)).min(LONGEST * 1000);
    let mut table = [0; STEPS + 1];
    for (i, entry) in table.iter_mut().enumerate() {
        *entry = at(match i {
            0 => 1 << 54,
            STEPS => u64::MAX - (1 << 54),
            i => (i as u64) << 57,
        });
    }
    for i in 1..table.len() {
        // A step of more than 4 s would overflow the interpolation, and no link has one.
        table[i] = table[i].max(table[i - 1]).min(table[i - 1] + u64::from(u32::MAX));
    }
    table
}

/// Pace, in nanoseconds for 256 bytes, of a line with `upload` bytes a second; 0 is no limit.
fn pace(upload: u64) -> u32 {
    if upload == 0 {
        return 0;
    }
    u32::try_from(256_000_000_000u64 / upload).unwrap_or(u32::MAX)
}

/// What a change at one end adds to the delay of a message of `bytes`.
pub(crate) fn added(change: &LinkChange, bytes: usize, draw: u32) -> u64 {
    let jitter = (u128::from(nanos(change.extra_jitter)) * u128::from(draw)) >> 32;
    let sending = if change.bandwidth == 0 {
        0
    } else {
        (bytes as u128 * 1_000_000_000 / u128::from(change.bandwidth)) as u64
    };
    nanos(change.extra_delay).saturating_add(jitter as u64).saturating_add(sending)
}

/// Whether `draw` falls into `share` of all draws.
pub(crate) fn falls(draw: u32, share: f64) -> bool {
    share > 0.0 && unit(u64::from(draw) << 32) < share
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::sim::rng::{Concern, Seed};

    #[test]
    fn drawn_delays_have_the_profile_s_median_and_tail() {
        let delays = Delays::new(&Profile::internet());
        let (virginia, tokyo) = (End { region: 0, ..End::default() }, End { region: 8, ..End::default() });
        let mut stream = Seed::new(1).stream(Concern(1000), 0);
        let mut drawn: Vec<u64> =
            (0..20_001).map(|_| delays.route(virginia, tokyo).delay(0, stream.wide())).collect();
        drawn.sort_unstable();
        let near = |got: u64, wanted: f64| {
            assert!((got as f64 / wanted - 1.0).abs() < 0.002, "{got} is not {wanted}");
        };
        near(drawn[10_000], 75.0e6);
        near(drawn[18_000], 78.5e6);
        let back: u64 = delays.route(tokyo, virginia).delay(0, u64::MAX / 2);
        near(back, 75.0e6);
    }

    #[test]
    fn ends_and_bytes_add_up() {
        let profile = Profile {
            home_upload: 2_560_000,
            centre_upload: 0,
            ..Profile::explicit(&[vec![Duration::from_millis(3)]])
        };
        let delays = Delays::new(&profile);
        let home = End { region: 0, home: true, access: 1_000 };
        let centre = End { region: 0, home: false, access: 10 };
        assert_eq!(delays.route(home, centre).delay(512, 99), 3_000_000 + 1_010 + 200_000);
        assert_eq!(delays.route(centre, home).delay(512, 99), 3_000_000 + 1_010);
    }

    #[test]
    fn changes_add_delay_jitter_and_bandwidth() {
        let change = LinkChange {
            extra_delay: Duration::from_nanos(5),
            extra_jitter: Duration::from_nanos(100),
            bandwidth: 1_000_000_000,
            ..LinkChange::default()
        };
        assert_eq!(added(&change, 7, 0), 12);
        assert_eq!(added(&change, 7, u32::MAX), 111);
        assert_eq!(added(&LinkChange::default(), 7, u32::MAX), 0);
    }

    #[test]
    fn shares_are_met_at_both_ends() {
        assert!(!falls(0, 0.0));
        assert!(falls(u32::MAX, 1.0));
        assert!(falls(u32::MAX / 2 - 9, 0.5) && !falls(u32::MAX / 2 + 9, 0.5));
    }
}
