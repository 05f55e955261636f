//! What links are like: regions, the last mile, dials, and how long peers take to serve.
//!
//! A profile is a handful of numbers. The delay of each message is drawn from them when it is sent; there
//! is no table of pairs of peers, so a profile is the same size for five peers and for a million.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::sample::Dist;

/// What links and peers are like, before any fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The names of the regions.
    pub regions: Vec<String>,
    /// The one-way delay from the centre of each region to that of each other, by their places in
    /// `regions`. Only the half with `from <= to` is used.
    pub one_way: Vec<Vec<Dist>>,
    /// The share of peers that are in homes, from 0 to 1; the others are in data centres.
    pub homes: f64,
    /// The delay that a home's access line adds to each message, drawn once for each home.
    pub home_access: Dist,
    /// The same for a peer in a data centre.
    pub centre_access: Dist,
    /// Bytes a second that a home sends at; 0 is no limit.
    pub home_upload: u64,
    /// Bytes a second that a peer in a data centre sends at; 0 is no limit.
    pub centre_upload: u64,
    /// Round trips until a new connection stands at the dialer, and carries what opens its first stream.
    pub dial_round_trips: u32,
    /// How long it takes until a dial that nobody answers is given up.
    pub dead_dial: Duration,
    /// The share of dials that nobody answers although the peer is there, from 0 to 1.
    pub dead_dials: f64,
    /// The share of dials that are refused at once although the peer is there, from 0 to 1.
    pub refused_dials: f64,
    /// The share of messages whose connection is reset on the way, from 0 to 1.
    pub resets: f64,
    /// How long peers take to serve.
    pub service: Service,
}

/// How long peers take to serve what they are asked. One thing is served at a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// A step of a walk: closer peers, a record, providers.
    pub lookup: Dist,
    /// Keeping a record or a provider; its verification is in it.
    pub store: Dist,
    /// Answering a question of the application.
    pub question: Dist,
    /// The most work that waits at a peer. What comes when more waits is refused as busy.
    pub backlog: Duration,
}

impl Default for Service {
    /// A step of a walk takes 0.75 ms: real rust-libp2p peers spend 0.5 to 1 ms on one in a release build.
    /// A signature is checked in 65 µs, so keeping a record takes little longer. A question means a search
    /// in a catalogue: 2 ms. Exponential, as the queue is then the one of the textbooks (M/M/1).
    fn default() -> Self {
        Self {
            lookup: Dist::Exponential(Duration::from_micros(750)),
            store: Dist::Exponential(Duration::from_micros(900)),
            question: Dist::Exponential(Duration::from_millis(2)),
            backlog: Duration::from_secs(2),
        }
    }
}

/// TCP takes one round trip and Noise one: libp2p-core 0.44 offers Noise with its first message and yamux with its
/// third, and waits for neither choice (multistream-select 0.14, `V1Lazy`), as `net/transport.rs` asks of it.
const TCP_NOISE_YAMUX: u32 = 2;

/// The regions of [`ROUND_TRIPS`].
const REGIONS: [&str; 10] = [
    "us-east-1",
    "us-west-2",
    "sa-east-1",
    "eu-west-1",
    "eu-central-1",
    "af-south-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-northeast-1",
    "ap-southeast-2",
];

/// Median and 90th percentile, in ms, of the round trip between cloud regions, as commonware's estimator
/// carries them. Row i holds the pairs (i, i), (i, i + 1), …
const ROUND_TRIPS: [&[(u16, u16)]; 10] = [
    &[
        (6, 9),
        (64, 69),
        (115, 119),
        (70, 75),
        (93, 99),
        (228, 234),
        (193, 204),
        (220, 230),
        (150, 157),
        (200, 205),
    ],
    &[(3, 6), (175, 178), (118, 121), (143, 146), (275, 282), (222, 234), (160, 164), (98, 102), (141, 144)],
    &[(3, 6), (179, 181), (205, 208), (339, 346), (302, 306), (328, 333), (259, 264), (312, 315)],
    &[(3, 6), (28, 31), (160, 167), (126, 134), (179, 186), (202, 209), (256, 259)],
    &[(4, 6), (156, 162), (129, 133), (160, 164), (227, 231), (251, 255)],
    &[(5, 12), (272, 302), (314, 344), (357, 391), (409, 413)],
    &[(3, 5), (64, 67), (133, 145), (155, 158)],
    &[(4, 6), (71, 74), (95, 98)],
    &[(3, 6), (107, 115)],
    &[(4, 6)],
];

/// What two radios that are awake add to a message.
const RADIO_AWAKE: Duration = Duration::from_millis(10);
/// What it adds when one of them has to be woken.
const RADIO_ASLEEP: Duration = Duration::from_millis(100);

impl Profile {
    /// Ten regions of the world, half of the peers in homes.
    ///
    /// Round trips between regions are measured ones. At least 52% of the peers of the public IPFS DHT are
    /// behind NAT (arXiv 2002.07747), which is taken as the share of homes. That a home's line adds 8 ms
    /// at the median and 25 ms at the 90th percentile each way, and sends 20 Mbit/s, is an assumption.
    /// No dial to a peer that is there fails: failing dials come from peers that are gone or undialable.
    pub fn internet() -> Self {
        let half = |ms: u16| Duration::from_micros(u64::from(ms) * 500);
        let one_way = (0..REGIONS.len())
            .map(|from| {
                (0..REGIONS.len())
                    .map(|to| {
                        let (low, high) = (from.min(to), from.max(to));
                        let (median, p90) = ROUND_TRIPS
                            .get(low)
                            .and_then(|row| row.get(high - low))
                            .copied()
                            .unwrap_or((0, 0));
                        Dist::LogNormal { median: half(median), p90: half(p90) }
                    })
                    .collect()
            })
            .collect();
        Self {
            regions: REGIONS.map(str::to_owned).to_vec(),
            one_way,
            homes: 0.52,
            home_access: Dist::LogNormal { median: Duration::from_millis(8), p90: Duration::from_millis(25) },
            centre_access: Dist::Constant(Duration::from_micros(200)),
            home_upload: 2_500_000,
            centre_upload: 125_000_000,
            ..Self::flat(Dist::Constant(Duration::ZERO))
        }
    }

    /// The same ten regions, and every peer is a phone: a tail that is long for each message.
    ///
    /// Derived from figures of LTE, not measured for this: a carrier's own network takes 30 to 100 ms there and back
    /// (I. Grigorik, High Performance Browser Networking, ch. 7), here 25 ms each way at the median and 50 ms at the 90th
    /// percentile, drawn once for each peer. A radio that is awake adds at most 5 ms to a packet; one that must be woken
    /// adds 100 ms (the same chapter). Two radios are on each way: 10 ms more at the median, and 100 ms more at the
    /// 90th percentile, as if at one end of every tenth message a radio slept. What the log-normal through these two
    /// makes of its tail, a second or two once in a thousand messages over short ways, is what N. Larson et al. saw
    /// (Investigating Excessive Delays in Mobile Broadband Networks, 2015): round trips of several seconds, often many
    /// times an hour. That a phone sends 10 Mbit/s is an assumption; the chapter has 1 to 50.
    pub fn mobile() -> Self {
        let internet = Self::internet();
        let by_radio = |way: &Dist| match *way {
            Dist::LogNormal { median, p90 } => {
                Dist::LogNormal { median: median + RADIO_AWAKE, p90: p90 + RADIO_ASLEEP }
            }
            other => other,
        };
        let one_way = internet.one_way.iter().map(|row| row.iter().map(by_radio).collect()).collect();
        Self {
            one_way,
            homes: 1.0,
            home_access: Dist::LogNormal {
                median: Duration::from_millis(25),
                p90: Duration::from_millis(50),
            },
            home_upload: 1_250_000,
            ..internet
        }
    }

    /// The servers of the public IPFS DHT, as far as links go; who is there, and for how long, is
    /// [`Population::ipfs`](super::Population::ipfs).
    ///
    /// Derived, not fitted to what lookups come out as. Round trips are those of [`Profile::internet`]. At least 52% of the
    /// peers are behind NAT (arXiv 2002.07747); those only ask, so servers stand in data centres. A dial that nobody answers
    /// costs 5 s (RFM17), and 3.8% of the dials of peers that full buckets list fail (RFM19 of ProbeLab's reports): here
    /// those fail whatever the peer does. Entries of peers that have left fail besides.
    pub fn ipfs() -> Self {
        Self { homes: 0.0, dead_dial: Duration::from_secs(5), dead_dials: 0.038, ..Self::internet() }
    }

    /// One switched network: 0.1 ms one way at the median, gigabit.
    pub fn lan() -> Self {
        Self {
            centre_upload: 125_000_000,
            ..Self::flat(Dist::LogNormal {
                median: Duration::from_micros(100),
                p90: Duration::from_micros(200),
            })
        }
    }

    /// Delays from a table: `one_way[from][to]`, the same for every message, between regions named by
    /// number. Nothing else adds to them but the time to serve.
    pub fn explicit(one_way: &[Vec<Duration>]) -> Self {
        let flat = Self::flat(Dist::Constant(Duration::ZERO));
        Self {
            regions: (0..one_way.len()).map(|region| region.to_string()).collect(),
            one_way: one_way
                .iter()
                .map(|row| row.iter().map(|delay| Dist::Constant(*delay)).collect())
                .collect(),
            ..flat
        }
    }

    /// One region with this delay and nothing else.
    pub fn flat(one_way: Dist) -> Self {
        Self {
            regions: vec!["0".to_owned()],
            one_way: vec![vec![one_way]],
            homes: 0.0,
            home_access: Dist::Constant(Duration::ZERO),
            centre_access: Dist::Constant(Duration::ZERO),
            home_upload: 0,
            centre_upload: 0,
            dial_round_trips: TCP_NOISE_YAMUX,
            dead_dial: Duration::from_secs(5),
            dead_dials: 0.0,
            refused_dials: 0.0,
            resets: 0.0,
            service: Service::default(),
        }
    }

    /// What is wrong with the profile, if anything.
    pub fn check(&self) -> Result<(), ProfileError> {
        let regions = self.regions.len();
        if regions == 0 || regions > 256 {
            return Err(ProfileError::Regions { regions });
        }
        for (from, row) in (0..regions).map(|from| (from, self.one_way.get(from))) {
            if row.is_none_or(|row| row.len() < regions) {
                return Err(ProfileError::Row { from });
            }
        }
        for (field, share) in [
            ("homes", self.homes),
            ("dead_dials", self.dead_dials),
            ("refused_dials", self.refused_dials),
            ("resets", self.resets),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return Err(ProfileError::Share { field, share: share.to_string() });
            }
        }
        Ok(())
    }
}

/// What is wrong with a profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// There must be between 1 and 256 regions.
    #[error("{regions} regions; there must be between 1 and 256")]
    Regions {
        /// How many there are.
        regions: usize,
    },
    /// A region has no delay to each of the others.
    #[error("region {from} has no delay to each region")]
    Row {
        /// The region.
        from: usize,
    },
    /// A share is not between 0 and 1.
    #[error("{field} is {share}; a share lies between 0 and 1")]
    Share {
        /// The field.
        field: &'static str,
        /// Its value.
        share: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_profiles_are_sound() {
        let explicit = Profile::explicit(&[vec![Duration::ZERO]]);
        for profile in [Profile::internet(), Profile::mobile(), Profile::ipfs(), Profile::lan(), explicit] {
            assert_eq!(profile.check(), Ok(()));
        }
        let frankfurt_to_sydney = Profile::internet().one_way[4][9];
        let half = |ms: u64| Duration::from_micros(ms * 500);
        assert_eq!(frankfurt_to_sydney, Dist::LogNormal { median: half(251), p90: half(255) });
    }

    #[test]
    fn a_phone_s_messages_have_a_long_tail() {
        let (wired, radio) = (Profile::internet().one_way[3][4], Profile::mobile().one_way[3][4]);
        let at = |dist: Dist, permille: u64| dist.at(u64::MAX / 1000 * permille);
        let near = at(radio, 500).abs_diff(at(wired, 500) + RADIO_AWAKE);
        assert!(near < Duration::from_millis(1), "{near:?}");
        assert!(at(wired, 999) < at(wired, 500) * 2);
        assert!((1000..3000).contains(&at(Profile::mobile().one_way[3][3], 999).as_millis()));
        assert!(at(radio, 999) > at(radio, 500) * 10, "{:?}", at(radio, 999));
    }

    #[test]
    fn unsound_profiles_are_refused() {
        let none = Profile { regions: Vec::new(), ..Profile::lan() };
        assert_eq!(none.check(), Err(ProfileError::Regions { regions: 0 }));
        let ragged = Profile::explicit(&[vec![Duration::ZERO], vec![Duration::ZERO; 2]]);
        assert_eq!(ragged.check(), Err(ProfileError::Row { from: 0 }));
        for share in [-0.1, 1.1, f64::NAN] {
            let odd = Profile { resets: share, ..Profile::lan() };
            assert!(matches!(odd.check(), Err(ProfileError::Share { field: "resets", .. })), "{share}");
        }
    }
}
