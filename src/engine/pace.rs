//! What the strategies of fan-out learn: how long answers take, how many questions are lost, how much more may be asked.
//!
//! One [`Pace`] is shared by all searches of an engine; only those whose strategy looks at it feed it.
//!
//! - **When a question is late.** Answer times are pooled over all peers, those who had to be dialled apart from those
//!   who were connected, and the percentile of the pool says when one more peer is asked: a slow peer's own percentile
//!   would never say so. Hedging at a high percentile is Dean and Barroso's (The Tail at Scale, CACM 56(2), 2013). A
//!   question that is given up, or times out, took longer than it was given: it enters as a sample of that time, in the
//!   tail, where it belongs (a censored sample). Old samples fade: at [`MOST_SAMPLES`] all counts are halved.
//!   Where a peer's own learned timeout is shorter, the question is late by then.
//! - **How much more may be asked.** A bucket of credit: each peer that is asked earns `budget` thousandths of a hedge,
//!   up to [`MOST_CREDIT`]; a hedge costs a whole one. So over any time hedges are at most that share of the
//!   questions, and a network on which everybody is slow is not asked twice. By default 90 thousandths: a hedge is itself
//!   a question, so that all come to at most 1 / (1 - 0.09), less than 1.1 times as many. Late are 80 thousandths, to
//!   leave some credit for when many are late at once: without, a question waits for its peer's whole timeout.
//! - **How many questions are lost.** A smoothed share, gain 1/16, of the questions that failed, brought nothing
//!   adequate, or were given up after most others would have answered. One that was late and answered is not lost. Who
//!   adapts asks so many more at the start; and hedges [`MORE`] thousandths earlier and more for each thousandth lost,
//!   up to [`MOST_MORE`]. Where nothing is lost it is no different from who hedges.
//!
//! At a cold start, with fewer than [`FEWEST_SAMPLES`] samples, a question is late after an eighth of what a request is
//! given; the budget bounds what that can cost, and each answer, late or not, is a sample, so it cannot lock itself in.

use core::time::Duration;

use super::config::FanOut;
use super::metrics::Histogram;
use crate::time::nanos;

/// With fewer samples a percentile says nothing.
pub(super) const FEWEST_SAMPLES: u64 = 16;
/// With as many, all counts are halved.
pub(super) const MOST_SAMPLES: u64 = 1024;
/// The most hedges that can be saved up.
pub(super) const MOST_CREDIT: u32 = 16;
/// One whole: of credit in thousandths, of loss in 2^-16.
const CREDIT: u32 = 1000;
const WHOLE: u32 = 1 << 16;
/// What is believed of the loss before anything was seen: one in eight.
const PRIOR: u32 = WHOLE / 8;
/// The most that is believed: however much is lost, at most four are asked for one answer.
const MOST_LOSS: u32 = WHOLE / 4 * 3;

/// How much more a strategy that adapts may ask, in thousandths of all questions, for each thousandth that is lost: as
/// much again for those that replace them, which get lost too or come late.
const MORE: u32 = 2;
/// The most that this comes to: with the budget of those who hedge, a quarter of all questions.
const MOST_MORE: u32 = 160;

/// When a question is late, and how much may be asked because of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// When so many thousandths of all answers would have come.
    pub(super) late_permille: u32,
    /// So many thousandths of all questions.
    pub(super) budget_permille: u32,
}

/// Answer times, pooled, the old ones fading.
#[derive(Clone, Debug, Default)]
struct Samples(Histogram);

impl Samples {
    fn add(&mut self, took: Duration) {
        if self.0.count() >= MOST_SAMPLES {
            self.0.halve();
        }
        self.0.add(nanos(took));
    }

    fn percentile(&self, permille: u32) -> Option<Duration> {
        let enough = self.0.count() >= FEWEST_SAMPLES;
        enough.then(|| self.0.quantile(permille)).flatten().map(Duration::from_nanos)
    }
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub(super) struct Pace {
    warm: Samples,
    cold: Samples,
    credit: u32,
    loss: u32,
}

impl Default for Pace {
    fn default() -> Self {
        // One hedge is free, or the first search could have none.
        Self { warm: Samples::default(), cold: Samples::default(), credit: CREDIT, loss: PRIOR }
    }
}

impl Pace {
    fn pool(&mut self, cold: bool) -> &mut Samples {
        if cold { &mut self.cold } else { &mut self.warm }
    }

    /// A question took so long, or at least so long.
    pub(super) fn took(&mut self, cold: bool, time: Duration) {
        self.pool(cold).add(time);
    }

    /// A question was given up after so long, when it was late: it is lost, if most others would have answered by then.
    pub(super) fn given_up(&mut self, cold: bool, time: Duration, permille: u32) {
        if self.pool(cold).percentile(permille).is_some_and(|usual| usual < time) {
            self.came_to(false);
        }
        self.took(cold, time);
    }

    /// After how long a question is late: the percentile of its pool; else an eighth of `given`, the most that a
    /// request is given.
    pub(super) fn late_after(&mut self, cold: bool, permille: u32, given: Duration) -> Duration {
        self.pool(cold).percentile(permille).unwrap_or(given / 8)
    }

    /// The terms of who hedges are `usual`; who adapts hedges the earlier and the more, the more questions are lost.
    pub(super) fn terms(&self, strategy: FanOut, usual: Terms) -> Terms {
        if strategy != FanOut::Adaptive {
            return usual;
        }
        let lost_permille = self.loss.min(WHOLE) * 125 / (WHOLE / 8);
        let more = (MORE * lost_permille).min(MOST_MORE);
        Terms {
            late_permille: usual.late_permille.saturating_sub(more).max(1),
            budget_permille: usual.budget_permille.saturating_add(more).min(CREDIT),
        }
    }

    /// A peer is asked.
    pub(super) fn earn(&mut self, budget_permille: u32) {
        self.credit = self.credit.saturating_add(budget_permille).min(MOST_CREDIT * CREDIT);
    }

    /// Whether there is credit for a hedge, which is taken.
    pub(super) fn spend(&mut self) -> bool {
        let can = self.credit >= CREDIT;
        if can {
            self.credit -= CREDIT;
        }
        can
    }

    /// A question has come to something, or was lost.
    pub(super) fn came_to(&mut self, good: bool) {
        let target = if good { 0 } else { WHOLE };
        self.loss = self.loss - self.loss / 16 + target / 16;
    }

    /// How many to ask so that about `short` come to something: `short / (1 - loss)`, to the nearest.
    pub(super) fn enough_for(&self, short: u32) -> u32 {
        let kept = u64::from(WHOLE - self.loss.min(MOST_LOSS));
        let asked = (u64::from(short) * u64::from(WHOLE) + kept / 2) / kept;
        u32::try_from(asked).unwrap_or(u32::MAX).max(short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: Duration = Duration::from_secs(4);

    fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_question_is_late_when_most_would_have_answered() {
        let mut pace = Pace::default();
        assert_eq!(pace.late_after(false, 900, GIVEN), millis(500), "nothing is known");
        for at in 1..=100 {
            pace.took(false, millis(at));
        }
        let late = pace.late_after(false, 900, GIVEN);
        assert!((90..=102).contains(&late.as_millis()), "{late:?}");
        assert_eq!(pace.late_after(true, 900, GIVEN), millis(500), "dials are another matter");
    }

    #[test]
    fn what_was_slow_once_fades() {
        let mut pace = Pace::default();
        (0..MOST_SAMPLES).for_each(|_| pace.took(false, millis(1000)));
        (0..8 * MOST_SAMPLES).for_each(|_| pace.took(false, millis(10)));
        assert!(pace.late_after(false, 900, GIVEN) < millis(20));
    }

    #[test]
    fn a_cold_start_on_a_slow_network_frees_itself() {
        // All questions take 3 s; at first each is late after 500 ms, and is given up when another has answered.
        let mut pace = Pace::default();
        for _ in 0..FEWEST_SAMPLES {
            pace.took(false, Duration::from_secs(3));
        }
        assert!(pace.late_after(false, 900, GIVEN) >= Duration::from_secs(3));
    }

    #[test]
    fn who_is_given_up_after_most_would_have_answered_is_lost_and_took_so_long() {
        let mut pace = Pace::default();
        (0..FEWEST_SAMPLES).for_each(|_| pace.took(false, millis(10)));
        (0..256).for_each(|_| pace.came_to(true));
        let usual = Terms { late_permille: 900, budget_permille: 90 };
        pace.given_up(false, millis(10), 900);
        assert_eq!(pace.terms(FanOut::Adaptive, usual), usual, "others take as long");
        pace.given_up(false, millis(10) + Duration::from_nanos(1), 900);
        assert_ne!(pace.terms(FanOut::Adaptive, usual), usual);
        (0..FEWEST_SAMPLES).for_each(|_| pace.given_up(false, millis(1000), 900));
        assert_eq!(pace.late_after(false, 900, GIVEN), millis(1000));
    }

    #[test]
    fn before_anything_was_seen_one_in_eight_is_believed_lost() {
        let pace = Pace::default();
        assert_eq!([6, 7, 14].map(|short| pace.enough_for(short)), [7, 8, 16]);
    }

    #[test]
    fn hedges_are_at_most_the_budgets_share_of_the_questions() {
        let mut pace = Pace::default();
        let mut spent = 0;
        for _ in 0..1000 {
            pace.earn(80);
            spent += u32::from(pace.spend());
        }
        assert!((80..=81).contains(&spent), "one to begin with, then 8 in 100: {spent}");
        (0..100_000).for_each(|_| pace.earn(80));
        let saved = (0..1000).filter(|_| pace.spend()).count();
        assert_eq!(saved, MOST_CREDIT as usize);
    }

    #[test]
    fn who_adapts_hedges_more_where_more_is_lost_and_as_usual_where_nothing_is() {
        let usual = Terms { late_permille: 920, budget_permille: 90 };
        let mut pace = Pace::default();
        (0..256).for_each(|_| pace.came_to(true));
        assert_eq!(pace.terms(FanOut::Adaptive, usual), usual);
        // A twentieth lost.
        (0..400).for_each(|at| pace.came_to(at % 20 != 10));
        let more = pace.terms(FanOut::Adaptive, usual).budget_permille - 90;
        assert!((70..140).contains(&more), "{more}");
        assert_eq!(pace.terms(FanOut::Adaptive, usual).late_permille, 920 - more);
        assert_eq!(pace.terms(FanOut::Hedged, usual), usual);
        (0..400).for_each(|_| pace.came_to(false));
        let most = pace.terms(FanOut::Adaptive, usual);
        assert_eq!(most, Terms { late_permille: 760, budget_permille: 250 });
        let odd = Terms { late_permille: 1, budget_permille: 1000 };
        assert_eq!(pace.terms(FanOut::Adaptive, odd), odd, "the bounds hold");
    }

    #[test]
    fn more_are_asked_where_more_is_lost_and_fewer_again_where_it_is_not() {
        let mut pace = Pace::default();
        assert_eq!(pace.enough_for(3), 3);
        (0..64).for_each(|_| pace.came_to(false));
        assert_eq!(pace.enough_for(3), 12, "four for one at most");
        (0..128).for_each(|_| pace.came_to(true));
        assert_eq!(pace.enough_for(3), 3);
        // A quarter lost.
        (0..256).for_each(|at| pace.came_to(at % 4 != 0));
        assert_eq!(pace.enough_for(3), 4);
        assert_eq!(pace.enough_for(0), 0);
    }
}
