//! Strategies of fan-out: how many peers a search asks now.
//!
//! Every strategy asks until `wanted` adequate answers are in, so strategies differ in speed and cost and
//! not in coverage.
//!
//! - [`FanOut::Fixed`]`(n)`: `n` peers are asked at the start, so that with `n` above `wanted` the fastest
//!   win; after that a peer is asked for each answer that is still wanted and that nobody is being asked
//!   for, never more than `n` at once.

use super::config::FanOut;

/// Where a search stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// Peers asked so far.
    pub(super) asked: u32,
    /// Of these: without an end.
    pub(super) in_flight: u32,
    /// Adequate answers that are in.
    pub(super) adequate: u32,
    /// Adequate answers wanted.
    pub(super) wanted: u32,
}

/// How many peers to ask now.
pub(super) fn launches(strategy: FanOut, standing: Standing) -> u32 {
    let FanOut::Fixed(n) = strategy;
    let n = u32::from(n);
    if standing.adequate >= standing.wanted {
        return 0;
    }
    let short = standing.wanted.saturating_sub(standing.adequate).saturating_sub(standing.in_flight);
    let first = n.saturating_sub(standing.asked);
    short.max(first).min(n.saturating_sub(standing.in_flight))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(n: u16, asked: u32, in_flight: u32, adequate: u32, wanted: u32) -> u32 {
        launches(FanOut::Fixed(n), Standing { asked, in_flight, adequate, wanted })
    }

    #[test]
    fn fixed_starts_with_n_and_refills_what_is_wanted() {
        assert_eq!(fixed(3, 0, 0, 0, 3), 3);
        assert_eq!(fixed(3, 3, 2, 1, 3), 0, "two are out for the two that are wanted");
        assert_eq!(fixed(3, 3, 2, 0, 3), 1, "one failed, one more is asked");
        assert_eq!(fixed(1, 0, 0, 0, 3), 1);
        assert_eq!(fixed(1, 1, 1, 0, 3), 0, "one at a time");
        assert_eq!(fixed(1, 1, 0, 1, 3), 1);
        assert_eq!(fixed(8, 0, 0, 0, 3), 8, "the fastest of eight win");
        assert_eq!(fixed(8, 8, 7, 0, 3), 0, "seven are out for three");
        assert_eq!(fixed(8, 8, 2, 0, 3), 1);
        assert_eq!(fixed(8, 8, 5, 3, 3), 0, "all that was wanted is there");
    }
}
