//! Gets: releases, lists, the latest; sharing, caching, what is never gone back from.

use core::time::Duration;

use super::rig::*;
use crate::engine::{EngineConfig, Found, Lookup, Missing, Outcome, Reason};
use crate::network::{Done, Failure};
use crate::record::{Checked, keys};

#[test]
fn a_release_ends_at_the_first_valid_record() {
    let mut rig = Rig::with_peers(3);
    let a = widget("alpha");
    let id = rig.get(Lookup::Release(release_id(&a)));
    let request = rig.lookup();
    rig.value(request, 2, &a);
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    assert_eq!(rig.outcome(id).found, Found::Release(Some(a)));
    assert!(rig.cancelled.contains(&request), "the rest of the walk is not wanted");
    rig.assert_idle();
}

fn release_get(record: &Checked) -> Lookup {
    Lookup::Release(release_id(record))
}

fn list_found(rig: &Rig, id: crate::engine::QueryId) -> Option<u64> {
    match &rig.outcome(id).found {
        Found::List { list, .. } => list.as_ref().map(|list| list.as_list().unwrap().sequence),
        other => panic!("no list: {other:?}"),
    }
}

#[test]
fn what_is_held_or_cached_needs_no_lookup() {
    let mut rig = Rig::with_peers(0);
    let a = widget("a");
    let id = rig.get_with(release_get(&a), config(1, 1), vec![widget("b"), a.clone()]);
    assert_eq!(rig.outcome(id).found, Found::Release(Some(a.clone())));
    assert_eq!(rig.submitted, 0);
    let id = rig.get(release_get(&a));
    rig.value(rig.lookup(), 1, &a);
    assert!(rig.ended(id));
    let id = rig.get(release_get(&a));
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete, "cached");
    assert_eq!((rig.submitted, rig.engine.metrics().cache_hits), (1, 2));
    rig.advance(EngineConfig::default().release_ttl);
    let id = rig.get(release_get(&a));
    assert!(!rig.ended(id), "forgotten");
}

#[test]
fn held_and_cached_copies_that_differ_are_a_conflict() {
    let mut rig = Rig::with_peers(0);
    let (one, other) = (widget("a"), release("a", "1.0.0", "another widget", 2));
    let _ = rig.get(release_get(&one));
    rig.value(rig.lookup(), 1, &one);
    let id = rig.get_with(release_get(&one), config(1, 1), vec![other]);
    assert_eq!(rig.outcome(id).outcome, Outcome::Failed(Reason::Conflict));
    assert_eq!(rig.outcome(id).conflicts.len(), 1);
}

#[test]
fn not_found_is_told_by_one_and_believed_of_three() {
    let mut rig = Rig::with_peers(0);
    let what = || Lookup::Release(id_of("ghost", "1.0.0"));
    for (answered, reason, cached) in
        [(0, Reason::NoAnswer, false), (2, Reason::NotFound, false), (3, Reason::NotFound, true)]
    {
        let id = rig.get(what());
        rig.end_lookup(rig.lookup(), Err(Failure::NotFound), answered);
        assert_eq!(rig.outcome(id).outcome, Outcome::Failed(reason));
        let again = rig.get(what());
        assert_eq!(rig.ended(again), cached, "{answered}");
        rig.cancel(again);
    }
    assert_eq!(rig.engine.metrics().absence_hits, 1);
    assert!(rig.charges.is_empty(), "an honest 'not found' is no fault");
    rig.advance(EngineConfig::default().absence_ttl);
    let id = rig.get(what());
    assert!(!rig.ended(id), "an absence is believed shortly");
    rig.end_lookup(rig.lookup(), Err(Failure::Local), 0);
    assert_eq!(rig.outcome(id).outcome, Outcome::Failed(Reason::NoAnswer));
    rig.assert_idle();
}

#[test]
fn equal_gets_share_one_lookup_and_each_is_answered() {
    let mut rig = Rig::with_peers(0);
    let a = widget("a");
    let ids: Vec<_> = (0..5).map(|_| rig.get(release_get(&a))).collect();
    let other = rig.get(Lookup::Release(id_of("b", "1.0.0")));
    assert_eq!(rig.lookups().len(), 2);
    rig.cancel(ids[2]);
    assert_eq!(rig.lookups().len(), 2, "others wait on it");
    let request = rig.lookups()[0].0;
    rig.value(request, 1, &a);
    for id in [0, 1, 3, 4].map(|index| ids[index]) {
        assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    }
    assert!(!rig.ended(other));
    assert_eq!(rig.engine.metrics().joined, 4);
    rig.cancel(other);
    rig.assert_idle();
}

#[test]
fn a_lookup_is_cancelled_with_its_last_waiter() {
    let mut rig = Rig::with_peers(0);
    let a = widget("a");
    let first = rig.get(release_get(&a));
    let second = rig.get(release_get(&a));
    let request = rig.lookup();
    rig.cancel(first);
    assert!(rig.cancelled.is_empty());
    rig.cancel(second);
    assert!(rig.cancelled.contains(&request));
    rig.assert_idle();
}

#[test]
fn who_joins_late_with_more_time_is_not_cheated() {
    let mut rig = Rig::with_peers(0);
    let a = widget("a");
    let first = rig.get_with(release_get(&a), config(1, 1), Vec::new());
    rig.ms(9_000);
    let second = rig.get_with(release_get(&a), config(1, 1), Vec::new());
    rig.ms(1_000);
    assert_eq!(rig.outcome(first).outcome, Outcome::Failed(Reason::Deadline));
    let request = rig.lookup();
    rig.end_lookup(request, Err(Failure::TimedOut), 0);
    assert!(!rig.ended(second));
    let again = rig.lookup();
    assert!(again != request && rig.out[&again].2.deadline == rig.seen[&second].deadline);
    rig.value(again, 3, &a);
    assert_eq!(rig.outcome(second).outcome, Outcome::Complete);
    assert_eq!(rig.outcome(second).coverage.lookups, 2);
    rig.assert_idle();
}

#[test]
fn a_lookup_begun_again_is_for_those_alone_who_have_more_time() {
    let mut rig = Rig::with_peers(0);
    let a = widget("a");
    let first = rig.get(release_get(&a));
    rig.ms(1_000);
    let second = rig.get(release_get(&a));
    // The network's end comes in the instant of the deadline, and before it.
    rig.now = rig.seen[&first].deadline;
    rig.end_lookup(rig.lookup(), Err(Failure::TimedOut), 0);
    assert_eq!(rig.outcome(first).outcome, Outcome::Failed(Reason::Deadline));
    assert_eq!(rig.outcome(first).coverage.lookups, 1, "the second is none of its own");
    assert_eq!(rig.out[&rig.lookup()].0, second);
    rig.cancel(second);
    rig.assert_idle();
}

#[test]
fn a_lookup_that_times_out_for_everybody_is_not_started_again() {
    let mut rig = Rig::with_peers(0);
    let id = rig.get(release_get(&widget("a")));
    rig.now = rig.seen[&id].deadline;
    rig.end_lookup(rig.lookup(), Err(Failure::TimedOut), 0);
    assert_eq!(rig.outcome(id).outcome, Outcome::Failed(Reason::Deadline));
    assert_eq!(rig.submitted, 1);
    rig.assert_idle();
}

#[test]
fn a_list_is_the_highest_of_three_distinct_peers() {
    let mut rig = Rig::with_peers(0);
    let a = widget("a");
    let lists: Vec<_> = (1..=3).map(|sequence| list("a", sequence, &[(&a, false)])).collect();
    let id = rig.get(Lookup::List(package_id("a")));
    let request = rig.lookup();
    rig.value(request, 1, &lists[0]);
    rig.value(request, 1, &lists[1]);
    rig.value(request, 2, &lists[2]);
    assert!(!rig.ended(id), "two peers, however much they say");
    rig.value(request, 3, &lists[1]);
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    assert_eq!(list_found(&rig, id), Some(3));
    assert!(rig.cancelled.contains(&request));
    let cached = rig.get(Lookup::List(package_id("a")));
    assert_eq!(list_found(&rig, cached), Some(3));
    assert_eq!(rig.submitted, 1);
    rig.assert_idle();
}

#[test]
fn of_fewer_than_three_the_list_is_sound_when_nobody_is_left() {
    let a = widget("a");
    let newest = list("a", 2, &[(&a, false)]);
    let ends = [
        (Ok(Done::Looked), Outcome::Complete),
        (Err(Failure::TimedOut), Outcome::Partial(Missing { answers: 2, names: 0, deadline: false })),
        (Err(Failure::Local), Outcome::Partial(Missing { answers: 2, names: 0, deadline: false })),
    ];
    for (end, outcome) in ends {
        let mut rig = Rig::with_peers(0);
        let id = rig.get(Lookup::List(package_id("a")));
        let request = rig.lookup();
        rig.value(request, 1, &newest);
        if end == Err(Failure::TimedOut) {
            rig.now = rig.now.after(Duration::from_secs(10));
        }
        rig.end_lookup(request, end, 1);
        let outcome = match outcome {
            Outcome::Partial(missing) if end == Err(Failure::TimedOut) => {
                Outcome::Partial(Missing { deadline: true, ..missing })
            }
            other => other,
        };
        assert_eq!(rig.outcome(id).outcome, outcome);
        assert_eq!(list_found(&rig, id), Some(2));
    }
}

#[test]
fn never_back_from_a_list_once_seen() {
    let mut rig = Rig::with_peers(0);
    let a = widget("a");
    let (old, new) = (list("a", 1, &[(&a, false)]), list("a", 2, &[(&a, true)]));
    let what = || Lookup::List(package_id("a"));
    let answer_old = |rig: &mut Rig| {
        (1..=3).for_each(|peer| {
            if let Some((request, _)) = rig.lookups().first() {
                rig.value(*request, peer, &old);
            }
        });
    };
    // The caller holds the newer one.
    let id = rig.get_with(what(), config(1, 1), vec![new.clone()]);
    answer_old(&mut rig);
    assert_eq!((rig.outcome(id).outcome, list_found(&rig, id)), (Outcome::Complete, Some(2)));
    // And from then on the engine remembers, past the cache's time.
    rig.advance(EngineConfig::default().list_ttl);
    let id = rig.get(what());
    answer_old(&mut rig);
    assert_eq!(list_found(&rig, id), Some(2));
    // Even when nobody answers.
    rig.advance(EngineConfig::default().list_ttl);
    let id = rig.get(what());
    rig.end_lookup(rig.lookup(), Err(Failure::NotFound), 0);
    assert_eq!(list_found(&rig, id), Some(2));
    let missing = Missing { answers: 3, names: 0, deadline: false };
    assert_eq!(rig.outcome(id).outcome, Outcome::Partial(missing));
    // At the deadline.
    let id = rig.get(what());
    rig.ms(10_000);
    assert_eq!(list_found(&rig, id), Some(2));
    assert!(matches!(rig.outcome(id).outcome, Outcome::Partial(Missing { deadline: true, .. })));
    // And when it is given up.
    let id = rig.get(what());
    rig.cancel(id);
    assert_eq!((rig.outcome(id).outcome, list_found(&rig, id)), (Outcome::Cancelled, Some(2)));
    rig.assert_idle();
}

#[test]
fn of_two_lists_with_one_sequence_everybody_keeps_the_same() {
    let a = widget("a");
    let (one, two) = (list("a", 4, &[(&a, false)]), list("a", 4, &[(&a, true)]));
    let lower = if one.digest() < two.digest() { &one } else { &two };
    for order in [[&one, &two, &one], [&two, &one, &two]] {
        let mut rig = Rig::with_peers(0);
        let id = rig.get(Lookup::List(package_id("a")));
        let request = rig.lookup();
        (1..=3).for_each(|peer| rig.value(request, peer, order[peer as usize - 1]));
        assert_eq!(rig.outcome(id).found, Found::List { list: Some(lower.clone()), stale: false });
        let learned = |list: &Checked| rig.learned.iter().any(|(record, _)| record == list);
        assert!(learned(&one) && learned(&two), "both are handed on, as proof");
    }
}

#[test]
fn a_list_beyond_its_validity_is_shown_as_stale() {
    let mut rig = Rig::with_peers(0);
    let newest = list("a", 1, &[(&widget("a"), false)]);
    let until = newest.as_list().unwrap().valid_until;
    for (wall, stale) in [(until, false), (until.after(Duration::from_millis(1)), true)] {
        rig.wall = wall;
        let id = rig.get(Lookup::List(package_id("a")));
        if !rig.ended(id) {
            (1..=3).for_each(|peer| rig.value(rig.lookup(), peer, &newest));
        }
        assert_eq!(rig.outcome(id).found, Found::List { list: Some(newest.clone()), stale });
    }
}

#[test]
fn the_latest_is_the_newest_that_is_neither_yanked_nor_a_pre_release() {
    let versions = ["1.2.0", "1.10.0", "1.11.0", "2.0.0-rc.1"];
    let records: Vec<_> = versions.iter().map(|version| release("a", version, "a widget", 1)).collect();
    let entries = |yanked: [bool; 4]| -> Vec<(&Checked, bool)> { records.iter().zip(yanked).collect() };
    let cases = [
        ([false, false, true, false], Some(1)),
        ([false, false, false, false], Some(2)),
        ([true, true, true, false], Some(3)),
        ([true, true, true, true], None),
    ];
    for (yanked, expected) in cases {
        let mut rig = Rig::with_peers(0);
        let newest = list("a", 1, &entries(yanked));
        let id = rig.get_with(Lookup::Latest(package_id("a")), config(1, 1), Vec::new());
        (1..=3).for_each(|peer| rig.value(rig.lookup(), peer, &newest));
        match expected {
            Some(index) => {
                assert_eq!(rig.lookups()[0].1, keys::release(&release_id(&records[index])));
                rig.value(rig.lookup(), 1, &records[index]);
                assert_eq!(rig.outcome(id).found, Found::Release(Some(records[index].clone())));
                assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
            }
            None => assert_eq!(rig.outcome(id).outcome, Outcome::Failed(Reason::NotFound)),
        }
        rig.assert_idle();
    }
}

#[test]
fn a_latest_release_with_another_digest_than_the_list_gives_is_not_served() {
    let mut rig = Rig::with_peers(0);
    let (one, other) = (widget("a"), release("a", "1.0.0", "another widget", 2));
    let newest = list("a", 1, &[(&one, false)]);
    let id = rig.get_with(Lookup::Latest(package_id("a")), config(1, 1), vec![newest.clone()]);
    (1..=3).for_each(|peer| rig.value(rig.lookup(), peer, &newest));
    rig.value(rig.lookup(), 1, &other);
    assert_eq!(rig.outcome(id).outcome, Outcome::Failed(Reason::Conflict));
    assert_eq!(rig.outcome(id).found, Found::Release(None));
    let conflict = &rig.outcome(id).conflicts[0];
    assert_eq!((&conflict.first, &conflict.second), (&newest, &other));
    rig.assert_idle();
}

#[test]
fn a_latest_release_that_nobody_has_is_missing() {
    let mut rig = Rig::with_peers(0);
    let newest = list("a", 1, &[(&widget("a"), false)]);
    let id = rig.get(Lookup::Latest(package_id("a")));
    (1..=3).for_each(|peer| rig.value(rig.lookup(), peer, &newest));
    rig.end_lookup(rig.lookup(), Err(Failure::NotFound), 20);
    let missing = Missing { answers: 0, names: 1, deadline: false };
    assert_eq!(rig.outcome(id).outcome, Outcome::Partial(missing));
    let id = rig.get(Lookup::Latest(package_id("b")));
    rig.end_lookup(rig.lookup(), Err(Failure::NotFound), 20);
    assert_eq!(rig.outcome(id).outcome, Outcome::Failed(Reason::NotFound));
    assert_eq!(rig.outcome(id).found, Found::Release(None));
    rig.assert_idle();
}

#[test]
fn a_latest_release_by_a_list_that_too_few_confirmed_is_partial() {
    let mut rig = Rig::with_peers(0);
    let a = widget("a");
    let newest = list("a", 1, &[(&a, false)]);
    let id = rig.get_with(Lookup::Latest(package_id("a")), config(1, 1), vec![newest]);
    rig.end_lookup(rig.lookup(), Err(Failure::Local), 0);
    rig.value(rig.lookup(), 1, &a);
    let missing = Missing { answers: 3, names: 0, deadline: false };
    assert_eq!(rig.outcome(id).outcome, Outcome::Partial(missing));
    assert_eq!(rig.outcome(id).found, Found::Release(Some(a)));
    assert_eq!(rig.outcome(id).coverage.lookups, 2);
}

#[test]
fn latest_and_list_of_one_package_share_the_lookup() {
    let mut rig = Rig::with_peers(0);
    let a = widget("a");
    let newest = list("a", 1, &[(&a, false)]);
    let latest = rig.get(Lookup::Latest(package_id("a")));
    let plain = rig.get(Lookup::List(package_id("a")));
    let request = rig.lookup();
    (1..=3).for_each(|peer| rig.value(request, peer, &newest));
    assert!(rig.ended(plain) && !rig.ended(latest));
    rig.ms(10_000);
    assert_eq!(rig.outcome(latest).outcome, Outcome::Failed(Reason::Deadline));
    rig.assert_idle();
}

#[test]
fn what_the_caller_holds_of_another_package_is_no_answer() {
    let mut rig = Rig::with_peers(0);
    let id = rig.get_with(Lookup::List(package_id("a")), config(1, 1), vec![list("b", 9, &[])]);
    rig.end_lookup(rig.lookup(), Err(Failure::NotFound), 3);
    assert_eq!(rig.outcome(id).outcome, Outcome::Failed(Reason::NotFound));
    assert_eq!(list_found(&rig, id), None);
}

#[test]
fn a_lookup_that_the_network_gives_up_early_ends_its_get_with_what_came() {
    let mut rig = Rig::with_peers(0);
    let id = rig.get(Lookup::List(package_id("a")));
    rig.value(rig.lookup(), 1, &list("a", 4, &[]));
    rig.end_lookup(rig.lookup(), Err(Failure::TimedOut), 1);
    let missing = Missing { answers: 2, names: 0, deadline: false };
    assert_eq!(rig.outcome(id).outcome, Outcome::Partial(missing));
    assert_eq!(list_found(&rig, id), Some(4));
    rig.assert_idle();
}

#[cfg(feature = "sim")]
#[test]
fn going_back_is_marked_as_refused_and_going_on_is_not() {
    let marked = |sequences: [u64; 2]| {
        let mut rig = Rig::with_peers(0);
        let _ = rig.get(Lookup::List(package_id("a")));
        crate::probe::begin();
        (1..)
            .zip(sequences)
            .for_each(|(peer, sequence)| rig.value(rig.lookup(), peer, &list("a", sequence, &[])));
        crate::probe::end().contains_key("rollback-refused")
    };
    assert_eq!([[2, 1], [1, 1], [1, 2]].map(marked), [true, false, false]);
}
