//! Strategies that learn: what is late is asked for elsewhere, within a budget; what is lost is asked for more.

use core::time::Duration;
use std::collections::BTreeSet;

use super::rig::*;
use crate::engine::{Cause, EngineConfig, FanOut, Outcome, QueryConfig};
use crate::network::{Event, Failure, PeerChange, RequestId};

fn hedged(wanted: u16) -> QueryConfig {
    QueryConfig { fan_out: FanOut::Hedged, ..config(wanted, 1) }
}

fn first(rig: &Rig) -> RequestId {
    rig.asks()[0].0
}

/// An engine that knows that answers take 9 to 10 ms.
fn used_to_ten_milliseconds(peers: u32) -> Rig {
    let mut rig = Rig::with_peers(peers);
    for at in 0..40 {
        let id = rig.search(hedged(1));
        rig.ms(if at < 16 { 10 } else { 9 });
        rig.answer(first(&rig), found(9, &[]));
        assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    }
    assert_eq!(rig.engine.metrics().hedges, 0, "nobody was late");
    rig
}

fn answer_all(rig: &mut Rig) {
    while let Some(ask) = rig.asks().first().cloned() {
        rig.answer(ask.0, found(9, &[]));
    }
}

/// The same, of nine peers, and by searches like `search` all credit is spent.
fn without_credit(search: &QueryConfig) -> Rig {
    let mut rig = used_to_ten_milliseconds(9);
    let mut searches = 0;
    while rig.engine.metrics().hedges == 0 || rig.asks().len() > 1 {
        searches += 1;
        assert!(searches < 1000, "credit comes to an end when many are late, or nobody is ever late");
        answer_all(&mut rig);
        let _ = rig.search(search.clone());
        rig.ms(30);
    }
    answer_all(&mut rig);
    rig
}

#[test]
fn as_many_are_asked_as_answers_are_wanted() {
    let mut rig = Rig::with_peers(9);
    let _ = rig.search(hedged(3));
    assert_eq!(rig.asks().len(), 3);
    rig.end(first(&rig), Err(Failure::Broken));
    assert_eq!(rig.asks().len(), 3, "one failed, one more is asked");
}

#[test]
fn when_a_question_is_late_another_peer_is_asked_and_the_first_to_answer_wins() {
    let mut rig = used_to_ten_milliseconds(9);
    let id = rig.search(hedged(1));
    let slow = first(&rig);
    rig.ms(9);
    assert_eq!(rig.asks().len(), 1, "it is in time");
    rig.ms(5);
    assert_eq!((rig.asks().len(), rig.engine.metrics().hedges), (2, 1));
    let hedge = rig.asks().into_iter().map(|ask| ask.0).find(|ask| *ask != slow).unwrap();
    rig.ms(8);
    rig.answer(hedge, found(9, &[]));
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    assert!(rig.cancelled.contains(&slow), "who was late is not waited for");
    assert!(rig.asks().is_empty());
}

#[test]
fn the_time_that_somebody_was_waited_for_in_vain_counts_as_his() {
    let mut rig = used_to_ten_milliseconds(2);
    let _ = rig.search(hedged(1));
    let (slow, peer, ..) = rig.asks()[0].clone();
    let latency = |rig: &Rig| rig.engine.reputation().get(&peer).unwrap().latency().unwrap();
    let before = latency(&rig);
    rig.ms(500);
    let hedge = rig.asks().into_iter().find(|ask| ask.0 != slow).unwrap();
    rig.answer(hedge.0, found(9, &[]));
    assert!(latency(&rig) > before * 5, "it took half a second at least: {:?}", latency(&rig));
    assert!(rig.charged().iter().all(|(_, cause)| *cause == Cause::Answered), "and that is no fault");
}

#[test]
fn a_network_on_which_all_are_slow_is_not_asked_twice() {
    let mut rig = used_to_ten_milliseconds(9);
    let (before, hedges) = (rig.submitted, rig.engine.metrics().hedges);
    for _ in 0..200 {
        let _ = rig.search(hedged(1));
        rig.ms(300);
        while let Some(ask) = rig.asks().first().cloned() {
            rig.answer(ask.0, found(9, &[]));
        }
    }
    let (asked, hedges) = (rig.submitted - before, rig.engine.metrics().hedges - hedges);
    assert!(hedges >= 1 && hedges <= 5 + asked * 9 / 100, "{hedges} of {asked}");
    assert!(
        asked <= 200 + 200 / 10 + 5,
        "what is usual is learned from answers that come late: {asked} for 200"
    );
}

#[test]
fn what_takes_long_on_every_peer_is_soon_not_late_any_more() {
    let mut rig = used_to_ten_milliseconds(9);
    for _ in 0..400 {
        let _ = rig.search(hedged(1));
        rig.ms(300);
        while let Some(ask) = rig.asks().first().cloned() {
            rig.answer(ask.0, found(9, &[]));
        }
    }
    let hedges = rig.engine.metrics().hedges;
    let _ = rig.search(hedged(1));
    rig.ms(250);
    assert_eq!(rig.asks().len(), 1, "a quarter of a second is usual now");
    assert_eq!(rig.engine.metrics().hedges, hedges);
}

#[test]
fn adaptive_asks_more_at_once_where_half_of_the_answers_are_lost() {
    let mut rig = Rig::with_peers(60);
    let adaptive = |wanted| QueryConfig { fan_out: FanOut::Adaptive, ..config(wanted, 1) };
    let _ = rig.search(adaptive(3));
    assert_eq!(rig.asks().len(), 3, "nothing is known");
    while let Some(ask) = rig.asks().first().cloned() {
        rig.end(ask.0, Err(Failure::Broken));
    }
    for _ in 0..20 {
        let id = rig.search(adaptive(1));
        let mut lose = true;
        while !rig.ended(id) {
            let ask = first(&rig);
            if lose {
                rig.end(ask, Err(Failure::Broken))
            } else {
                rig.answer(ask, found(9, &[]))
            }
            lose = !lose;
        }
    }
    let _ = rig.search(adaptive(3));
    assert!((5..=8).contains(&rig.asks().len()), "{}", rig.asks().len());
}

#[test]
fn who_has_had_his_time_is_replaced_without_credit_and_may_still_answer() {
    let learning =
        QueryConfig { adaptive_timeout: true, request_timeout: Duration::from_secs(4), ..hedged(1) };
    let mut rig = without_credit(&learning);
    let before = rig.engine.metrics().hedges;
    let id = rig.search(learning);
    let slow = first(&rig);
    rig.ms(200);
    assert_eq!((rig.asks().len(), rig.engine.metrics().hedges), (1, before), "late, and no credit");
    rig.ms(100);
    assert_eq!((rig.asks().len(), rig.engine.metrics().hedges), (2, before), "its time is over");
    assert!(!rig.cancelled.contains(&slow) && !rig.ended(id));
    rig.ms(300);
    rig.answer(slow, found(9, &[]));
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete, "it answers before the other, and counts");
}

#[test]
fn a_hedge_goes_to_somebody_who_was_tried() {
    // Whoever is asked first was never tried, while there are any.
    let mut rig = Rig::new(EngineConfig { explore_permille: 1000, ..EngineConfig::default() });
    for peer in 1..=60 {
        rig.event(Event::Peer { peer, change: PeerChange::Up });
    }
    let mut tried = BTreeSet::new();
    for _ in 0..30 {
        let _ = rig.search(hedged(1));
        let (id, peer, _) = rig.asks()[0].clone();
        assert!(tried.insert(peer), "{peer} was tried before");
        rig.ms(10);
        rig.answer(id, found(9, &[]));
    }
    let _ = rig.search(hedged(1));
    let slow = first(&rig);
    rig.ms(100);
    let hedges: Vec<u32> = rig.asks().into_iter().filter(|ask| ask.0 != slow).map(|ask| ask.1).collect();
    assert_eq!(hedges.len(), 1);
    assert!(tried.contains(&hedges[0]), "{} was never tried", hedges[0]);
}

#[test]
fn when_all_time_is_over_the_network_ends_a_question_and_only_then_is_it_replaced() {
    let mut rig = without_credit(&hedged(1));
    let _ = rig.search(hedged(1));
    rig.ms(999);
    assert_eq!(rig.asks().len(), 1, "late, and no credit");
    rig.ms(1);
    assert_eq!(rig.asks().len(), 1, "no more time is given than a request has");
    let slow = first(&rig);
    rig.end(slow, Err(Failure::TimedOut));
    assert!(rig.asks().len() == 1 && first(&rig) != slow);
}

#[test]
fn who_has_had_his_time_before_he_is_late_costs_no_credit() {
    let learning = |wanted| QueryConfig { adaptive_timeout: true, ..hedged(wanted) };
    let mut rig = Rig::with_peers(2);
    // The first answers quickly, and the second, so that most are not late before as long as he takes.
    for at in 0..40 {
        let _ = rig.search(QueryConfig { request_timeout: Duration::from_secs(4), ..hedged(2) });
        rig.ms(5);
        let quick = rig.asks().into_iter().find(|ask| ask.1 == 1).unwrap();
        rig.answer(quick.0, found(9, &[]));
        rig.ms(if at < 8 { 400 } else { 390 });
        rig.answer(first(&rig), found(9, &[]));
    }
    assert_eq!(rig.engine.metrics().hedges, 0, "nobody was late");
    let _ = rig.search(learning(1));
    assert_eq!(rig.asks()[0].1, 1);
    rig.ms(249);
    assert_eq!(rig.asks().len(), 1);
    rig.ms(1);
    assert_eq!(rig.asks().len(), 2, "more than a quarter of a second is never given to who takes so little");
    assert_eq!(rig.engine.metrics().hedges, 0);
}

#[test]
fn who_is_asked_in_the_place_of_another_is_not_asked_again_in_his_own() {
    let mut rig = Rig::with_peers(9);
    for _ in 0..2 {
        let _ = rig.search(hedged(9));
        for peer in 1..=9 {
            rig.ms(1);
            let ask = rig.asks().into_iter().find(|ask| ask.1 == peer).unwrap();
            rig.answer(ask.0, found(9, &[]));
        }
    }
    let id = rig.search(hedged(1));
    rig.ms(15);
    assert_eq!(
        rig.asks().iter().map(|ask| ask.1).collect::<Vec<_>>(),
        [1, 2],
        "the quickest, and he is late"
    );
    let mut asked = Vec::new();
    while let Some((request, peer, _)) = rig.asks().first().cloned() {
        asked.push(peer);
        rig.end(request, Err(Failure::Broken));
    }
    assert!(rig.ended(id));
    asked.sort_unstable();
    assert!(asked.iter().copied().eq(1..=9), "everybody once: {asked:?}");
}
