use proptest::prelude::*;
use rand_chacha::rand_core::SeedableRng;

use super::*;

const HALF_LIFE: Duration = Duration::from_secs(600);

fn config() -> EngineConfig {
    EngineConfig { explore_permille: 0, half_life: HALF_LIFE, ..EngineConfig::default() }
}

fn known(peers: u32, config: &EngineConfig) -> Reputation<u32> {
    let mut reputation = Reputation::new(config);
    (1..=peers).for_each(|peer| reputation.up(Timestamp::ZERO, peer));
    reputation
}

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::from_seed([3; 32])
}

fn best(reputation: &Reputation<u32>, now: Timestamp, limit: usize) -> Vec<u32> {
    reputation.select(now, 0.0, limit, None, &mut rng(), |_, _| false)
}

fn after(halves: f64) -> Timestamp {
    Timestamp::ZERO.after(HALF_LIFE.mul_f64(halves))
}

#[test]
fn strangers_start_in_the_middle_and_deeds_move_the_score() {
    let mut reputation = known(3, &config());
    let now = Timestamp::ZERO;
    assert_eq!(reputation.score(now, &1), 0.5);
    assert_eq!(reputation.score(now, &99), 0.5, "one who is not even known");
    reputation.charge(now, 1, Cause::Answered);
    assert_eq!(reputation.score(now, &1), 0.666);
    reputation.charge(now, 2, Cause::TimedOut);
    assert_eq!(reputation.score(now, &2), 0.333);
    for (peer, cause, score) in
        [(3, Cause::Busy, 0.444), (3, Cause::Malformed, 0.16), (3, Cause::Forged, 0.07)]
    {
        reputation.charge(now, peer, cause);
        assert_eq!(reputation.score(now, &peer), score, "{cause:?}");
    }
}

#[test]
fn deeds_count_half_after_a_half_life_and_nothing_at_last() {
    let mut reputation = known(1, &config());
    (0..8).for_each(|_| {
        reputation.charge(Timestamp::ZERO, 1, Cause::Answered);
    });
    assert_eq!(reputation.score(Timestamp::ZERO, &1), 0.9);
    assert_eq!(reputation.score(after(1.0), &1), 0.833, "(4 + 1) / (4 + 2)");
    assert_eq!(reputation.score(after(2.0), &1), 0.75);
    assert_eq!(reputation.score(after(100.0), &1), 0.5);
}

#[test]
fn how_often_a_peer_is_charged_does_not_change_how_its_deeds_fade() {
    let mut often = known(1, &config());
    let mut once = known(1, &config());
    for reputation in [&mut often, &mut once] {
        (0..1000).for_each(|_| {
            reputation.charge(Timestamp::ZERO, 1, Cause::Answered);
        });
    }
    // Busy weighs a quarter; it is there to make the weights be brought up to date again and again.
    for step in 1..=1000u32 {
        let now = Timestamp::ZERO.after(HALF_LIFE / 1000 * step);
        often.charge(now, 1, Cause::Busy);
        if step == 1000 {
            once.charge(now, 1, Cause::Busy);
        }
    }
    let (good, ..) = often.get(&1).unwrap().weights(after(1.0), HALF_LIFE);
    let (expected, ..) = once.get(&1).unwrap().weights(after(1.0), HALF_LIFE);
    assert!(good.abs_diff(expected) <= expected / 10_000, "{good} {expected}");
    assert!(expected.abs_diff(500 * ONE) <= ONE, "{expected}");
}

#[test]
fn the_threshold_blocks_once_and_a_forgery_counts_twice() {
    let mut reputation = known(2, &config());
    let now = Timestamp::from_millis(5);
    assert_eq!(reputation.charge(now, 1, Cause::Malformed), None);
    assert_eq!(reputation.charge(now, 1, Cause::Malformed), None);
    let until = now.after(config().block_for);
    assert_eq!(reputation.charge(now, 1, Cause::Malformed), Some(until));
    assert_eq!(reputation.charge(now, 1, Cause::Malformed), None, "it is blocked already");
    assert_eq!(best(&reputation, now, 9), [2]);
    assert_eq!(reputation.charge(now, 2, Cause::Forged), None);
    assert_eq!(reputation.charge(now, 2, Cause::Malformed), Some(until));
    assert_eq!(best(&reputation, now, 9), [] as [u32; 0]);
    let mut again = best(&reputation, until, 9);
    again.sort_unstable();
    assert_eq!(again, [1, 2], "at the block's end both may be asked");
}

#[test]
fn failures_alone_never_block() {
    let mut reputation = known(1, &config());
    for cause in [Cause::TimedOut, Cause::Unreachable, Cause::Broken, Cause::Busy] {
        (0..100).for_each(|_| assert_eq!(reputation.charge(Timestamp::ZERO, 1, cause), None));
    }
}

#[test]
fn malformed_things_long_ago_are_forgiven() {
    let mut reputation = known(1, &config());
    for half in 0..50 {
        let now = after(f64::from(half) * 2.0);
        assert_eq!(reputation.charge(now, 1, Cause::Malformed), None, "one in two half-lives");
    }
}

#[test]
fn the_quick_and_the_reliable_are_asked_first() {
    let mut reputation = known(4, &config());
    let now = Timestamp::ZERO;
    for (peer, millis) in [(1, 80), (2, 20), (3, 40), (4, 20)] {
        reputation.round_trip(now, peer, Duration::from_millis(millis));
    }
    reputation.charge(now, 4, Cause::TimedOut);
    reputation.charge(now, 4, Cause::TimedOut);
    // Expected time of a good answer: 160, 40, 80, and 20 / 0.25 = 80 with less to tie.
    assert_eq!(best(&reputation, now, 1), [2]);
    assert_eq!(best(&reputation, now, 4)[3], 1);
    reputation.known(&2).unwrap().in_flight = 8;
    assert_ne!(best(&reputation, now, 1), [2], "it has much to do: 40 * 3");
    reputation.known(&2).unwrap().answers.answered(Duration::from_millis(1));
    assert_eq!(best(&reputation, now, 1), [2], "measured answers go before the round trip");
    reputation.known(&2).unwrap().in_flight = 0;
    reputation.known(&2).unwrap().answers = Estimator::default();
    reputation.down(&2);
    assert_ne!(best(&reputation, now, 1), [2], "it would have to be dialled: 40 * 4");
    reputation.up(now, 2);
    assert_eq!(best(&reputation, now, 1), [2]);
}

#[test]
fn min_skip_and_limit_hold() {
    let mut reputation = known(5, &config());
    reputation.charge(Timestamp::ZERO, 1, Cause::Answered);
    reputation.charge(Timestamp::ZERO, 2, Cause::TimedOut);
    let select = |min, limit| {
        let mut chosen =
            reputation.select(Timestamp::ZERO, min, limit, None, &mut rng(), |peer, _| *peer == 5);
        chosen.sort_unstable();
        chosen
    };
    assert_eq!(select(0.5, 9), [1, 3, 4]);
    assert_eq!(select(0.6, 9), [1]);
    assert_eq!(select(0.0, 9), [1, 2, 3, 4]);
    assert_eq!(select(0.0, 2).len(), 2);
    assert_eq!(select(0.0, 0), [] as [u32; 0]);
}

#[test]
fn nobody_known_better_is_drawn_and_not_the_lowest_name() {
    let reputation = known(50, &config());
    let mut rng = rng();
    let firsts: std::collections::BTreeSet<_> = (0..50)
        .map(|_| reputation.select(Timestamp::ZERO, 0.0, 1, None, &mut rng, |_, _| false)[0])
        .collect();
    assert!(firsts.len() > 20, "{firsts:?}");
}

#[test]
fn strangers_get_a_chance_now_and_then() {
    let mut reputation = known(20, &EngineConfig { explore_permille: 100, ..config() });
    for peer in 1..=3 {
        reputation.round_trip(Timestamp::ZERO, peer, Duration::from_millis(1));
        reputation.charge(Timestamp::ZERO, peer, Cause::Answered);
    }
    let mut rng = rng();
    let mut strangers = 0;
    for _ in 0..1000 {
        let chosen = reputation.select(Timestamp::ZERO, 0.0, 3, None, &mut rng, |_, _| false);
        assert_eq!(chosen.len(), 3);
        let distinct: std::collections::BTreeSet<_> = chosen.iter().collect();
        assert_eq!(distinct.len(), 3, "{chosen:?}");
        strangers += chosen.iter().filter(|peer| **peer > 3).count();
    }
    assert!((200..400).contains(&strangers), "one place in ten of 3000, not {strangers}");
}

#[test]
fn with_a_location_the_nearest_come_first() {
    let reputation = known(64, &config());
    let location: [u8; 32] = Sha256::digest(b"17").into();
    let near = reputation.select(Timestamp::ZERO, 0.0, 64, Some(&location), &mut rng(), |_, _| false);
    assert_eq!(near[0], 17);
    let bits: Vec<u32> = near.iter().map(|peer| agreeing_bits(peer, &location)).collect();
    assert_eq!(bits[0], 256);
    assert!(bits.is_sorted_by(|a, b| a >= b), "{bits:?}");
    assert!(bits.iter().any(|bits| *bits > 0 && *bits < 256));
}

#[test]
fn the_local_peer_is_never_known() {
    let mut reputation = known(3, &config());
    reputation.set_local(2);
    reputation.up(Timestamp::ZERO, 2);
    reputation.charge(Timestamp::ZERO, 2, Cause::Forged);
    assert_eq!(reputation.get(&2).map(Standing::latency), None);
    assert_eq!(reputation.len(), 2);
}

#[test]
fn when_full_the_least_valuable_is_forgotten_and_nobody_in_flight() {
    let config = EngineConfig { most_peers: 8, ..config() };
    let mut reputation = Reputation::new(&config);
    let at = |peer: u32| Timestamp::from_millis(u64::from(peer));
    for peer in 1..=8 {
        reputation.touch(at(peer), peer);
    }
    reputation.up(at(1), 1); // Connected.
    reputation.charge(at(2), 2, Cause::Answered); // Tried.
    (0..3).for_each(|_| {
        reputation.charge(at(3), 3, Cause::Malformed);
    }); // Blocked.
    reputation.known(&4).unwrap().in_flight = 1;
    let mut forgotten = Vec::new();
    for newcomer in 100..107 {
        let before: Vec<u32> = reputation.peers().map(|(peer, _)| *peer).collect();
        reputation.touch(at(newcomer), newcomer);
        reputation.charge(at(newcomer), newcomer, Cause::Answered);
        assert_eq!(reputation.len(), 8);
        forgotten.extend(before.into_iter().filter(|peer| reputation.get(peer).is_none()));
    }
    assert_eq!(forgotten, [5, 6, 7, 8, 1, 2, 100], "strangers, connected, tried; not blocked, not in flight");
    reputation.peers.values_mut().for_each(|standing| standing.in_flight = 1);
    assert!(reputation.touch(at(200), 200).is_none(), "nobody can be forgotten");
    assert_eq!(reputation.len(), 8);
}

#[test]
fn a_failure_is_no_sign_of_life() {
    let mut reputation = known(1, &config());
    let now = Timestamp::from_millis(50);
    reputation.charge(now, 1, Cause::TimedOut);
    assert_eq!(reputation.get(&1).unwrap().last_seen(), Timestamp::ZERO);
    reputation.charge(now, 1, Cause::Busy);
    assert_eq!(reputation.get(&1).unwrap().last_seen(), now);
}

#[test]
fn fading_follows_the_power_of_two() {
    for sixteenths in 0..200u64 {
        let exact = (ONE << 20) as f64 * 2f64.powf(-(sixteenths as f64) / 16.0);
        let told = fade(ONE << 20, sixteenths) as f64;
        assert!((told - exact).abs() <= exact * 1e-6 + 1.0, "{sixteenths}: {told} {exact}");
    }
    assert_eq!(fade(u64::MAX, u64::MAX), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn scores_stay_within_bounds(deeds in prop::collection::vec((0u8..7, 0u64..10_000), 0..300)) {
        let mut reputation = known(1, &config());
        let mut now = Timestamp::ZERO;
        for (cause, wait) in deeds {
            now = now.after(Duration::from_secs(wait / 10));
            let cause = [Cause::Answered, Cause::Unreachable, Cause::TimedOut, Cause::Broken, Cause::Busy,
                         Cause::Malformed, Cause::Forged][usize::from(cause)];
            let before = reputation.score(now, &1);
            reputation.charge(now, 1, cause);
            let score = reputation.score(now, &1);
            prop_assert!((0.0..=1.0).contains(&score));
            if cause == Cause::Answered { prop_assert!(score >= before) } else { prop_assert!(score <= before) }
        }
    }
}

fn again(saved: &[u8], now: Timestamp, wall: u64) -> Reputation<u32> {
    let mut reputation = Reputation::new(&config());
    reputation.restore(now, WallTime::from_millis(wall), saved);
    reputation
}

#[test]
fn a_later_life_knows_a_peer_that_it_meets_again() {
    let mut reputation = known(4, &config());
    let now = Timestamp::from_millis(5_000_000);
    (0..8).for_each(|_| {
        reputation.charge(now, 1, Cause::Answered);
    });
    reputation.charge(now, 2, Cause::TimedOut);
    (0..2).for_each(|_| {
        reputation.charge(now, 3, Cause::Forged);
    });
    let saved = reputation.save(now, WallTime::from_millis(1_000_000));
    assert_eq!(saved.len(), 9 + 3 * 32, "those who did something");

    let half = 1_000_000 + 600_000;
    let mut later = again(&saved, Timestamp::ZERO, half);
    assert_eq!(later.score(Timestamp::ZERO, &1), 0.5, "not met yet");
    for peer in [4, 3, 2, 1] {
        later.up(Timestamp::ZERO, peer);
    }
    assert_eq!(later.score(Timestamp::ZERO, &1), 0.833, "(4 + 1) / (4 + 2): a half-life has passed");
    assert_eq!(later.score(Timestamp::ZERO, &2), 0.4, "(0 + 1) / (0.5 + 2)");
    assert_eq!(later.score(Timestamp::ZERO, &4), 0.5);
    assert_eq!(later.met_blocked(), None, "the block was over");
    assert_eq!(later.score(after(1.0), &1), 0.75, "and fades on");

    let mut soon = again(&saved, Timestamp::ZERO, 1_000_000 + 100_000);
    soon.up(Timestamp::from_millis(7), 3);
    assert_eq!(soon.met_blocked(), Some((3, Timestamp::from_millis(500_000))), "blocked for what was left");
    assert!(!best(&soon, Timestamp::ZERO, 9).contains(&3));
    // What it did not meet it saves on.
    let twice =
        again(&soon.save(after(1.0), WallTime::from_millis(half + 100_000)), Timestamp::ZERO, half + 100_000);
    assert_eq!(twice.remembered.len(), 3);
}

#[test]
fn a_calendar_that_jumps_makes_nobody_better_or_worse() {
    let mut reputation = known(2, &config());
    reputation.charge(Timestamp::ZERO, 1, Cause::Answered);
    (0..2).for_each(|_| {
        reputation.charge(Timestamp::ZERO, 2, Cause::Forged);
    });
    let saved = reputation.save(Timestamp::ZERO, WallTime::from_millis(1 << 40));
    let mut back = again(&saved, Timestamp::ZERO, 5);
    back.up(Timestamp::ZERO, 1);
    back.up(Timestamp::ZERO, 2);
    assert_eq!(back.score(Timestamp::ZERO, &1), 0.666, "nothing has faded");
    assert_eq!(
        back.met_blocked(),
        Some((2, Timestamp::ZERO.after(config().block_for))),
        "and no block is longer"
    );
    let mut ahead = again(&saved, Timestamp::ZERO, u64::MAX);
    ahead.up(Timestamp::ZERO, 1);
    ahead.up(Timestamp::ZERO, 2);
    assert_eq!((ahead.score(Timestamp::ZERO, &1), ahead.met_blocked()), (0.5, None));
}

#[test]
fn what_is_saved_is_bounded_and_what_is_unreadable_is_nothing() {
    let mut reputation = known(3000, &EngineConfig { most_peers: 4000, ..config() });
    for peer in 1..=3000 {
        reputation.charge(Timestamp::ZERO, peer, Cause::TimedOut);
    }
    (0..2).for_each(|_| {
        reputation.charge(Timestamp::ZERO, 2999, Cause::Forged);
    });
    let saved = reputation.save(Timestamp::ZERO, WallTime::EPOCH);
    assert_eq!(saved.len(), 9 + 32 * MOST_SAVED);
    let later = again(&saved, Timestamp::ZERO, 0);
    assert!(later.remembered.contains_key(&remembered::name(&2999u32)), "who is blocked comes first");
    for bad in [&saved[..8], &[], &[9; 400]] {
        assert!(again(bad, Timestamp::ZERO, 0).remembered.is_empty());
    }
    assert_eq!(again(&saved[..9 + 40], Timestamp::ZERO, 0).remembered.len(), 1, "whole entries only");
}

#[test]
fn what_is_not_met_is_saved_on_and_fades_on() {
    let mut reputation = known(3, &config());
    (0..8).for_each(|_| {
        reputation.charge(Timestamp::ZERO, 1, Cause::Answered);
    });
    (0..8).for_each(|_| {
        reputation.charge(Timestamp::ZERO, 2, Cause::TimedOut);
    });
    reputation.charge(Timestamp::ZERO, 3, Cause::Forged);
    let saved = reputation.save(Timestamp::ZERO, WallTime::EPOCH);
    let half = HALF_LIFE.as_millis() as u64;

    let unmet = again(&saved, Timestamp::ZERO, 0);
    let mut met_later = unmet.clone();
    let mut next = again(&unmet.save(after(1.0), WallTime::from_millis(half)), Timestamp::ZERO, half);
    for (later, now) in [(&mut met_later, after(1.0)), (&mut next, Timestamp::ZERO)] {
        (1..=3).for_each(|peer| later.up(now, peer));
        assert_eq!(later.score(now, &1), 0.833, "(4 + 1) / (4 + 2)");
        assert_eq!(later.score(now, &2), 0.166, "(0 + 1) / (4 + 2)");
        // Of the forgery's two one is left, and it takes three.
        assert_eq!(later.charge(now, 3, Cause::Malformed), None);
        assert!(later.charge(now, 3, Cause::Malformed).is_some(), "but it is not forgotten");
    }
}

#[test]
fn what_is_seen_from_outside() {
    let mut reputation = Reputation::<u32>::new(&config());
    assert!(reputation.is_empty());
    reputation.up(Timestamp::ZERO, 1);
    assert!(!reputation.is_empty());
    assert!(reputation.get(&1).unwrap().connected());
    reputation.down(&1);
    assert!(!reputation.get(&1).unwrap().connected());
    assert_eq!(reputation.deeds(), 0);
    (0..2).for_each(|_| _ = reputation.charge(Timestamp::ZERO, 1, Cause::Forged));
    assert_eq!(reputation.deeds(), 2);
    let until = Timestamp::ZERO.after(config().block_for);
    assert_eq!(reputation.get(&1).unwrap().blocked_until(), until);
}

#[test]
fn whoever_was_blocked_is_as_easily_forgotten_as_others_when_it_is_over() {
    let mut reputation = known(8, &EngineConfig { most_peers: 8, ..config() });
    let soon = Timestamp::from_millis(1);
    (0..2).for_each(|_| _ = reputation.charge(Timestamp::ZERO, 1, Cause::Forged));
    (2..=8).for_each(|peer| _ = reputation.charge(soon, peer, Cause::Answered));
    let mut at_the_end = reputation.clone();
    at_the_end.up(Timestamp::ZERO.after(config().block_for), 9);
    assert!(at_the_end.get(&1).is_none(), "it is the one that was longest not seen");
    reputation.up(soon, 9);
    assert!(reputation.get(&1).is_some(), "before, a block is not forgotten");
}

#[test]
fn an_eighth_is_forgotten_at_once() {
    let mut reputation = known(32, &EngineConfig { most_peers: 32, ..config() });
    reputation.up(Timestamp::from_millis(1), 99);
    assert_eq!(reputation.len(), 32 - 4 + 1);
}

#[test]
fn who_did_nothing_or_of_whom_nothing_is_left_is_not_saved() {
    let mut reputation = known(2, &config());
    reputation.charge(Timestamp::ZERO, 1, Cause::Answered);
    let saved = reputation.save(Timestamp::ZERO, WallTime::EPOCH);
    assert_eq!(saved.len(), 9 + 32);
    let unmet = again(&saved, Timestamp::ZERO, 0);
    assert_eq!(unmet.save(after(1.0), WallTime::EPOCH).len(), 9 + 32);
    assert_eq!(unmet.save(after(1000.0), WallTime::EPOCH).len(), 9, "all has faded");
}

#[test]
fn of_many_those_are_saved_who_are_blocked_and_then_those_who_did_most() {
    let most = MOST_SAVED as u32;
    let mut reputation = known(most + 2, &EngineConfig { most_peers: 4000, ..config() });
    (1..=most + 2).for_each(|peer| _ = reputation.charge(Timestamp::ZERO, peer, Cause::Busy));
    // The last two by their digests, or they would be saved in any case.
    let mut last: Vec<_> = (1..=most + 2).map(|peer| (remembered::name(&peer), peer)).collect();
    last.sort_unstable();
    let [.., (_, much), (_, blocked)] = last[..] else { panic!("there are more") };
    (0..200).for_each(|_| _ = reputation.charge(Timestamp::ZERO, much, Cause::Answered));
    (0..2).for_each(|_| _ = reputation.charge(Timestamp::ZERO, blocked, Cause::Forged));
    let saved = reputation.save(Timestamp::ZERO, WallTime::EPOCH);
    let names: Vec<_> = saved[9..].chunks(32).map(|entry| entry[..16].to_vec()).collect();
    assert_eq!(names[0], remembered::name(&blocked), "whoever is blocked is first");
    assert_eq!(names[1], remembered::name(&much));
    // At its end, a block does not put anybody first any more.
    let over = reputation.save(Timestamp::ZERO.after(config().block_for), WallTime::EPOCH);
    assert_eq!(over[9..9 + 16], remembered::name(&much));
}

#[test]
fn a_block_is_saved_on_while_it_lasts_though_its_cause_has_faded() {
    let short = EngineConfig { half_life: Duration::from_secs(1), ..config() };
    let mut reputation = known(1, &short);
    (0..2).for_each(|_| _ = reputation.charge(Timestamp::ZERO, 1, Cause::Forged));
    let mut later = Reputation::<u32>::new(&short);
    later.restore(Timestamp::ZERO, WallTime::EPOCH, &reputation.save(Timestamp::ZERO, WallTime::EPOCH));
    let over = Timestamp::ZERO.after(short.block_for);
    let before = Timestamp::from_nanos(over.as_nanos() - 1);
    assert_eq!(later.save(before, WallTime::EPOCH).len(), 9 + 32);
    assert_eq!(later.save(over, WallTime::EPOCH).len(), 9);
    // So it is with one that was met.
    let mut met = Reputation::<u32>::new(&short);
    met.restore(Timestamp::ZERO, WallTime::EPOCH, &reputation.save(Timestamp::ZERO, WallTime::EPOCH));
    met.up(Timestamp::ZERO, 1);
    assert!(met.get(&1).unwrap().tried());
    assert_eq!(known(1, &short).save(before, WallTime::EPOCH).len(), 9, "who did nothing is not saved");
}

#[test]
fn what_fades_between_two_ill_deeds_does_not_shift_their_count() {
    let mut reputation = known(1, &config());
    let step = Timestamp::ZERO.after(HALF_LIFE / 16);
    assert_eq!(reputation.charge(Timestamp::ZERO, 1, Cause::Malformed), None);
    assert_eq!(reputation.charge(step, 1, Cause::Malformed), None);
    assert!(reputation.charge(step, 1, Cause::Malformed).is_some());
}

#[test]
fn after_a_block_only_another_ill_deed_blocks_again() {
    let mut reputation = known(1, &EngineConfig { block_for: Duration::from_millis(1), ..config() });
    (0..2).for_each(|_| _ = reputation.charge(Timestamp::ZERO, 1, Cause::Forged));
    let over = Timestamp::from_millis(1);
    assert_eq!(reputation.charge(over, 1, Cause::Busy), None);
    assert!(reputation.charge(over, 1, Cause::Malformed).is_some());
}

#[test]
fn a_nanosecond_makes_the_difference_and_a_draw_does_where_there_is_none() {
    let mut reputation = known(2, &config());
    reputation.round_trip(Timestamp::ZERO, 1, Duration::from_nanos(901));
    reputation.round_trip(Timestamp::ZERO, 2, Duration::from_nanos(900));
    let mut rng = rng();
    for _ in 0..50 {
        assert_eq!(reputation.select(Timestamp::ZERO, 0.0, 1, None, &mut rng, |_, _| false), [2]);
    }
    let equals = known(4, &config());
    let mut first = [0; 4];
    for _ in 0..4000 {
        let chosen = equals.select(Timestamp::ZERO, 0.0, 1, None, &mut rng, |_, _| false);
        first[chosen[0] as usize - 1] += 1;
    }
    assert!(first.iter().all(|count| (850..1150).contains(count)), "{first:?}");
    // From the reference implementation of splitmix64, seed 0.
    assert_eq!([mix(0), mix(0x9e37_79b9_7f4a_7c15)], [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
}

#[test]
fn who_does_not_explore_never_asks_a_stranger_before_a_good_peer() {
    let mut reputation = known(2, &config());
    reputation.charge(Timestamp::ZERO, 2, Cause::Answered);
    let mut rng = rng();
    for _ in 0..20_000 {
        assert_eq!(reputation.select(Timestamp::ZERO, 0.0, 1, None, &mut rng, |_, _| false), [2]);
    }
}

#[test]
fn where_nothing_was_measured_the_usual_is_expected() {
    let mut reputation = known(3, &config());
    reputation.round_trip(Timestamp::ZERO, 1, Duration::from_millis(10));
    reputation.round_trip(Timestamp::ZERO, 2, Duration::from_millis(50));
    assert_eq!(best(&reputation, Timestamp::ZERO, 9), [1, 3, 2]);
}

#[test]
fn bits_agree_up_to_the_first_that_does_not() {
    let own: [u8; 32] = Sha256::digest(b"7").into();
    assert_eq!(agreeing_bits(&7u32, &own), 256);
    for bit in [0usize, 5, 8, 12, 255] {
        let mut other = own;
        other[bit / 8] ^= 0x80 >> (bit % 8);
        assert_eq!(agreeing_bits(&7u32, &other), bit as u32);
    }
}

#[test]
fn a_stranger_that_was_drawn_is_not_chosen_again_when_its_turn_comes() {
    let reputation = known(20, &EngineConfig { explore_permille: 500, ..config() });
    let mut rng = rng();
    for _ in 0..10 {
        let mut chosen = reputation.select(Timestamp::ZERO, 0.0, 20, None, &mut rng, |_, _| false);
        chosen.sort_unstable();
        assert!(chosen.iter().copied().eq(1..=20), "everybody once: {chosen:?}");
    }
}
