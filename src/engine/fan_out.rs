//! Strategies of fan-out: how many peers a search asks now.
//!
//! Every strategy asks until `wanted` adequate answers are in, so strategies differ in speed and cost and
//! not in coverage.
//!
//! - [`FanOut::Fixed`]`(n)`: `n` peers are asked at the start, so that with `n` above `wanted` the fastest
//!   win; after that a peer is asked for each answer that is still wanted and that nobody is being asked
//!   for, never more than `n` at once.
//! - [`FanOut::Hedged`]: a peer is asked for each answer that is still wanted and that nobody is being asked for. A
//!   question that is late, and for which there was credit, counts as nobody's; and so does one to a peer that has had
//!   all the time it is given, with or without credit, since every strategy replaces that one. Neither is given up: the
//!   first to answer win, and what takes up to the whole `request_timeout` may still be of use. In the place of what is
//!   late goes a peer that was tried before, chosen by what is known at that moment: a stranger may be as slow.
//! - [`FanOut::Adaptive`]: the same, for as many as [`Pace`] says that it takes to have so many answers, and on its
//!   [terms](Pace::terms): the more is lost, the earlier and the more it hedges.

use super::config::{FanOut, QueryConfig};
use super::pace::Pace;
use crate::probe::sometimes;

/// Where a search stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// Peers asked so far.
    pub(super) asked: u32,
    /// Of these: without an end.
    pub(super) in_flight: u32,
    /// Of those in flight: late, with credit to ask another in their place.
    pub(super) hedged: u32,
    /// Adequate answers that are in.
    pub(super) adequate: u32,
    /// Adequate answers wanted.
    pub(super) wanted: u32,
}

/// How many peers to ask now.
pub(super) fn launches(strategy: FanOut, standing: Standing, pace: &Pace) -> u32 {
    if standing.adequate >= standing.wanted {
        return 0;
    }
    let missing = standing.wanted.saturating_sub(standing.adequate);
    let at_once = |most: u32| most.saturating_sub(standing.in_flight);
    match strategy {
        FanOut::Fixed(n) => {
            let n = u32::from(n);
            let first = n.saturating_sub(standing.asked);
            missing.saturating_sub(standing.in_flight).max(first).min(at_once(n))
        }
        FanOut::Hedged | FanOut::Adaptive => {
            let wanted = if strategy == FanOut::Adaptive { pace.enough_for(missing) } else { missing };
            sometimes!(strategy == FanOut::Adaptive && wanted > missing, FanOutGrew);
            sometimes!(strategy == FanOut::Adaptive && wanted == missing, FanOutShrank);
            let in_time = standing.in_flight.saturating_sub(standing.hedged);
            wanted.saturating_sub(in_time).min(at_once(u32::from(QueryConfig::MAX_FAN_OUT)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(n: u16, asked: u32, in_flight: u32, adequate: u32, wanted: u32) -> u32 {
        let standing = Standing { asked, in_flight, hedged: 0, adequate, wanted };
        launches(FanOut::Fixed(n), standing, &Pace::default())
    }

    #[test]
    fn hedged_asks_for_what_is_wanted_and_once_more_for_what_is_late() {
        let hedged = |in_flight, hedged, adequate, wanted| {
            let standing = Standing { asked: 9, in_flight, hedged, adequate, wanted };
            launches(FanOut::Hedged, standing, &Pace::default())
        };
        assert_eq!(hedged(0, 0, 0, 3), 3);
        assert_eq!(hedged(3, 0, 0, 3), 0);
        assert_eq!(hedged(3, 1, 0, 3), 1, "one is late");
        assert_eq!(hedged(4, 1, 0, 3), 0, "and another is asked in its place");
        assert_eq!(hedged(4, 2, 0, 3), 1, "which is late too");
        assert_eq!(hedged(1, 1, 2, 3), 1);
        assert_eq!(hedged(2, 1, 3, 3), 0, "all that was wanted is there");
        assert_eq!(hedged(256, 256, 0, 3), 0, "the bound holds whatever is late");
    }

    #[test]
    fn adaptive_asks_more_where_more_is_lost() {
        let mut pace = Pace::default();
        let first = Standing { asked: 0, in_flight: 0, hedged: 0, adequate: 0, wanted: 3 };
        assert_eq!(launches(FanOut::Adaptive, first, &pace), 3);
        (0..100).for_each(|at| pace.came_to(at % 2 == 0));
        assert_eq!(launches(FanOut::Adaptive, first, &pace), 6);
        let later = Standing { asked: 6, in_flight: 1, adequate: 2, ..first };
        assert_eq!(launches(FanOut::Adaptive, later, &pace), 1, "two are asked for the one that is missing");
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
