//! Spans of time drawn from distributions, by inverting them: version 1.
//!
//! [`Dist::at`] maps a draw of 64 bits to whole nanoseconds. Library distributions change their values
//! between versions, and the platform's maths differs between platforms; this uses `libm` alone, and its
//! values are fixed by a test.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::nanos;

/// A distribution of spans of time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dist {
    /// Always the same.
    Constant(Duration),
    /// Anything from the first to the second, equally likely.
    Uniform(Duration, Duration),
    /// Exponential, with this mean.
    Exponential(Duration),
    /// Log-normal, given by its median and its 90th percentile.
    LogNormal {
        /// The median.
        median: Duration,
        /// The 90th percentile.
        p90: Duration,
    },
    /// Weibull.
    Weibull {
        /// The shape; below 1 the longer it has lasted, the longer it will.
        shape: f64,
        /// The scale: 63% lie below.
        scale: Duration,
    },
    /// Pareto.
    Pareto {
        /// The shape.
        shape: f64,
        /// The least.
        least: Duration,
    },
}

/// The 90th percentile of the standard normal distribution.
const NORMAL_P90: f64 = 1.281_551_565_544_600_4;

impl Dist {
    /// The span at `draw`, which stands for the quantile (draw + ½) / 2^64.
    pub fn at(&self, draw: u64) -> Duration {
        let u = unit(draw);
        match *self {
            Self::Constant(span) => span,
            Self::Uniform(from, to) => {
                let (from, to) = (nanos(from), nanos(to));
                Duration::from_nanos(
                    from.saturating_add(super::rng::below(draw, to.saturating_sub(from).saturating_add(1))),
                )
            }
            Self::Exponential(mean) => span(-secs(mean) * libm::log1p(-u)),
            Self::LogNormal { median, p90 } => {
                let median = secs(median);
                if median <= 0.0 {
                    return Duration::ZERO;
                }
                let sigma = libm::log(secs(p90).max(median) / median) / NORMAL_P90;
                span(median * libm::exp(sigma * normal_quantile(u)))
            }
            Self::Weibull { shape, scale } => span(secs(scale) * libm::pow(-libm::log1p(-u), 1.0 / shape)),
            Self::Pareto { shape, least } => span(secs(least) * libm::pow(1.0 - u, -1.0 / shape)),
        }
    }
}

/// `draw` as a number strictly between 0 and 1.
pub fn unit(draw: u64) -> f64 {
    ((draw >> 11) as f64 + 0.5) / (1u64 << 53) as f64
}

fn secs(span: Duration) -> f64 {
    nanos(span) as f64
}

/// Nanoseconds as a span; what is not a number is nothing, what is too long is the longest (100 years).
fn span(nanos: f64) -> Duration {
    const LONGEST: f64 = 100.0 * 365.25 * 86_400e9;
    Duration::from_nanos(if nanos.is_nan() { 0 } else { nanos.clamp(0.0, LONGEST) as u64 })
}

/// The quantile function of the standard normal distribution: P. J. Acklam's rational approximation
/// (2003), whose relative error is below 1.15e-9.
pub(crate) fn normal_quantile(u: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 6] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 5] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
        1.0,
    ];
    const TAIL: f64 = 0.02425;
    let poly = |terms: &[f64], x: f64| terms.iter().fold(0.0, |sum, term| sum * x + term);
    if u < TAIL {
        let q = libm::sqrt(-2.0 * libm::log(u));
        poly(&C, q) / poly(&D, q)
    } else if u > 1.0 - TAIL {
        let q = libm::sqrt(-2.0 * libm::log1p(-u));
        -poly(&C, q) / poly(&D, q)
    } else {
        let q = u - 0.5;
        let r = q * q;
        poly(&A, r) * q / poly(&B, r)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(dist: Dist, quantile: f64) -> f64 {
        dist.at((quantile * u64::MAX as f64) as u64).as_nanos() as f64 / 1e9
    }

    fn near(got: f64, wanted: f64) {
        assert!((got / wanted - 1.0).abs() < 1e-6, "{got} is not {wanted}");
    }

    #[test]
    fn normal_quantiles_invert_the_error_function() {
        for u in [1e-9, 0.001, 0.02, 0.1, 0.5, 0.77, 0.98, 0.999, 0.999_999] {
            let z = normal_quantile(u);
            let back = 0.5 * libm::erfc(-z / core::f64::consts::SQRT_2);
            assert!((back / u - 1.0).abs() < 1e-7, "{u}: {z} maps back to {back}");
        }
    }

    #[test]
    fn quantiles_are_those_of_the_distributions() {
        let s = Duration::from_secs;
        near(at(Dist::Exponential(s(10)), 0.5), 10.0 * core::f64::consts::LN_2);
        near(at(Dist::LogNormal { median: s(10), p90: s(40) }, 0.5), 10.0);
        near(at(Dist::LogNormal { median: s(10), p90: s(40) }, 0.9), 40.0);
        near(at(Dist::Weibull { shape: 0.615, scale: s(10) }, 1.0 - (-1f64).exp()), 10.0);
        near(at(Dist::Weibull { shape: 1.0, scale: s(10) }, 0.5), at(Dist::Exponential(s(10)), 0.5));
        near(at(Dist::Pareto { shape: 2.0, least: s(3) }, 0.75), 6.0);
        near(at(Dist::Uniform(s(2), s(4)), 0.25), 2.5);
        assert_eq!(Dist::Constant(s(3)).at(99), s(3));
    }

    #[test]
    fn no_draw_gives_a_panic_or_an_endless_span() {
        let zero = Duration::ZERO;
        for dist in [
            Dist::Constant(Duration::MAX),
            Dist::Uniform(Duration::MAX, zero),
            Dist::Uniform(zero, Duration::MAX),
            Dist::Exponential(Duration::MAX),
            Dist::LogNormal { median: zero, p90: zero },
            Dist::LogNormal { median: Duration::MAX, p90: zero },
            Dist::Weibull { shape: 0.0, scale: Duration::MAX },
            Dist::Pareto { shape: 0.001, least: Duration::MAX },
        ] {
            for draw in [0, 1, u64::MAX / 2, u64::MAX] {
                dist.at(draw);
            }
        }
    }

    #[test]
    fn version_one_gives_these_values() {
        let draw = 0x9e37_79b9_7f4a_7c15;
        let s = Duration::from_secs;
        let got = [
            Dist::Exponential(s(10)).at(draw),
            Dist::LogNormal { median: s(10), p90: s(40) }.at(draw),
            Dist::Weibull { shape: 0.615, scale: s(10_170) }.at(draw),
            Dist::Pareto { shape: 1.5, least: s(1) }.at(draw),
        ]
        .map(|span| span.as_nanos());
        assert_eq!(got, [9_624_236_501, 13_838_466_147, 9_555_958_708_054, 1_899_547_626]);
    }
}
