//! What can be seen of an engine and set on it from outside, and who is chosen when much is in flight.

use core::time::Duration;

use super::rig::*;
use crate::engine::{
    Action, Command, EngineConfig, FanOut, Local, Lookup, Outcome, QueryConfig, QueryId, Reason,
};
use crate::network::{Done, Event, Failure, PeerChange};
use crate::package::Query;

fn up(rig: &mut Rig, peer: u32) {
    rig.event(Event::Peer { peer, change: PeerChange::Up });
}

fn block(rig: &mut Rig, peer: u32) {
    rig.reject(peer, 100);
    rig.reject(peer, 100);
    assert!(rig.engine.reputation().get(&peer).unwrap().blocked_until() > rig.now);
}

/// A search under a name of the caller's choice.
fn search_as(rig: &mut Rig, id: u64, config: QueryConfig) -> QueryId {
    let (id, query) = (QueryId(id), Query::text("widget", 10));
    let deadline = rig.now.after(config.timeout);
    rig.seen.insert(id, Seen { limit: 10, deadline, ..Seen::default() });
    rig.command(Command::Search { id, query, config, local: Local::default() });
    id
}

/// An engine with at most one question to each peer, and these peers.
fn one_each(peers: u32) -> Rig {
    let mut rig = Rig::new(EngineConfig { asks_per_peer: 1, explore_permille: 0, ..EngineConfig::default() });
    (1..=peers).for_each(|peer| up(&mut rig, peer));
    rig
}

#[test]
fn names_are_shown_as_they_are_read() {
    assert_eq!(QueryId(7).to_string(), "q7");
    for strategy in [FanOut::Hedged, FanOut::Adaptive] {
        assert_eq!(FanOut::named(&strategy.to_string()), Some(strategy));
    }
    assert_eq!((FanOut::Fixed(3).to_string().as_str(), FanOut::named("3")), ("3", None));
}

#[test]
fn the_presets_are_what_they_say() {
    let told = |config: QueryConfig| {
        let seconds = config.timeout.as_secs();
        (seconds, config.max_results, config.answers_wanted, config.fan_out, config.adaptive_timeout)
    };
    assert_eq!(told(QueryConfig::balanced()), (10, 20, 3, FanOut::Fixed(3), true));
    assert_eq!(told(QueryConfig::low_latency()), (2, 10, 1, FanOut::Fixed(1), false));
    assert_eq!(told(QueryConfig::high_throughput()), (5, 50, 5, FanOut::Fixed(5), true));
}

#[test]
fn what_is_buffered_is_actions_and_results() {
    let mut rig = Rig::with_peers(1);
    let local = Local { releases: vec![widget("a")], ..Local::default() };
    let (id, query) = (QueryId(1), Query::text("widget", 10));
    let search = Command::Search { id, query, config: config(1, 1), local };
    rig.engine.handle_command(rig.now, rig.wall, search);
    assert_eq!(rig.engine.in_flight().buffered, 3, "a result, its delivery, and a question");
    assert!(matches!(rig.engine.poll_action(), Some(Action::Deliver { .. })));
    assert_eq!(rig.engine.in_flight().buffered, 2);

    let mut rig = Rig::with_peers(1);
    let _ = rig.search(config(1, 1));
    assert_eq!(rig.engine.in_flight().buffered, 0, "nothing was found yet");

    let mut rig = Rig::with_peers(1);
    let _ = rig.get(Lookup::List(package_id("a")));
    assert_eq!(rig.engine.in_flight().buffered, 0);
    rig.value(rig.lookup(), 1, &list("a", 1, &[]));
    assert_eq!(rig.engine.in_flight().buffered, 1, "the best list so far");
}

#[test]
fn what_is_shown_for_debugging_says_what_is_going_on() {
    let mut rig = Rig::with_peers(2);
    let _ = rig.search(config(1, 1));
    let shown = format!("{:?}", rig.engine);
    assert!(shown.contains("queries: 1, requests: 1") && shown.contains("peers: 2"), "{shown}");
}

#[test]
fn a_list_that_too_few_gave_but_nobody_else_has_answers_the_next_get_too() {
    let mut rig = Rig::with_peers(1);
    let what = Lookup::List(package_id("a"));
    let id = rig.get(what.clone());
    let given = list("a", 1, &[]);
    rig.value(rig.lookup(), 1, &given);
    rig.value(rig.lookup(), 2, &given);
    assert_eq!(rig.engine.metrics().duplicates, 1, "two gave the same");
    rig.end_lookup(rig.lookup(), Ok(Done::Looked), 2);
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    let again = rig.get(what);
    assert_eq!((rig.outcome(again).outcome, rig.submitted), (Outcome::Complete, 1));
}

#[test]
fn a_list_of_which_nobody_answered_is_not_known_to_be_absent() {
    let mut rig = Rig::with_peers(1);
    for (answered, reason) in [(0, Reason::NoAnswer), (1, Reason::NotFound)] {
        let id = rig.get(Lookup::List(package_id("a")));
        rig.end_lookup(rig.lookup(), Err(Failure::NotFound), answered);
        assert_eq!(rig.outcome(id).outcome, Outcome::Failed(reason));
    }
}

#[test]
fn the_best_peers_are_told_until_the_network_is_closed() {
    let mut rig = Rig::with_peers(3);
    assert_eq!(rig.engine.select_best_peers(0.0, 2, None).len(), 2);
    assert_eq!(rig.engine.select_best_peers(0.6, 9, None), [] as [u32; 0], "strangers have 0.5");
    rig.event(Event::Closed);
    assert_eq!(rig.engine.select_best_peers(0.0, 2, None), [] as [u32; 0]);
}

#[test]
fn who_was_blocked_in_an_earlier_life_is_blocked_at_the_network_when_met_again() {
    let mut rig = Rig::with_peers(2);
    block(&mut rig, 2);
    let saved = rig.engine.save_reputation(rig.now, rig.wall);
    let mut later = Rig::new(EngineConfig::default());
    later.engine.restore_reputation(later.now, later.wall, &saved);
    up(&mut later, 1);
    assert_eq!(later.blocks, []);
    up(&mut later, 2);
    let until = later.now.after(EngineConfig::default().block_for);
    assert_eq!(later.blocks, [(2, until)]);
}

#[test]
fn a_record_that_verifies_is_counted() {
    let mut rig = Rig::with_peers(1);
    let _ = rig.search(config(1, 1));
    rig.answer(rig.asks()[0].0, found(9, &[&widget("a"), &widget("b")]));
    assert_eq!(rig.engine.metrics().verified, 2);
}

#[test]
fn a_get_in_flight_is_not_taken_twice() {
    let mut rig = Rig::with_peers(1);
    let what = Lookup::List(package_id("a"));
    let id = rig.get(what.clone());
    rig.command(Command::Get { id, what, config: config(1, 1), local: Vec::new() });
    assert_eq!((rig.engine.metrics().started, rig.engine.metrics().stray_events), (1, 1));
    rig.cancel(id);
    rig.assert_idle();
}

#[test]
fn who_is_next_was_chosen_at_the_start_and_is_looked_at_again() {
    let start = || {
        let mut rig = one_each(3);
        for peer in 1..=3 {
            let took = Duration::from_millis(u64::from(peer));
            rig.event(Event::Peer { peer, change: PeerChange::RoundTrip(took) });
        }
        let id = rig.search(config(2, 1));
        assert_eq!(rig.asks()[0].1, 1, "the quickest");
        (rig, id)
    };
    let (mut rig, _) = start();
    rig.event(Event::Peer { peer: 2, change: PeerChange::RoundTrip(Duration::from_secs(9)) });
    rig.end(rig.asks()[0].0, Err(Failure::Broken));
    assert_eq!(rig.asks()[0].1, 2, "the order is kept");

    let (mut rig, _) = start();
    block(&mut rig, 2);
    rig.end(rig.asks()[0].0, Err(Failure::Broken));
    assert_eq!(rig.asks()[0].1, 3, "who is blocked meanwhile is left out");

    let (mut rig, _) = start();
    rig.event(Event::Peer { peer: 2, change: PeerChange::RoundTrip(Duration::from_micros(1)) });
    let _other = rig.search(config(1, 1));
    assert_eq!(rig.asks()[1].1, 2);
    rig.end(rig.asks()[0].0, Err(Failure::Broken));
    let mut asked: Vec<u32> = rig.asks().iter().map(|ask| ask.1).collect();
    asked.sort_unstable();
    assert_eq!(asked, [2, 3], "so is who has its fill of questions meanwhile");

    let (mut rig, id) = start();
    rig.out.clear();
    rig.event(Event::Closed);
    assert!(rig.ended(id) && rig.submitted == 1, "and nobody is asked on a network that is closed");
}

#[test]
fn who_waits_longest_is_served_first_whatever_its_name() {
    let mut rig = one_each(1);
    let _first = rig.search(config(1, 1));
    let longest = search_as(&mut rig, 100, config(1, 1));
    let _others = [99, 98].map(|id| search_as(&mut rig, id, config(1, 1)));
    // News of others is no reason to look at those who wait.
    rig.reject(9, 1);
    rig.answer(rig.asks()[0].0, found(9, &[]));
    assert_eq!(rig.out[&rig.asks()[0].0].0, longest);
}

#[test]
fn nobody_waits_for_a_peer_that_may_not_be_asked() {
    let mut rig = one_each(1);
    let _first = rig.search(config(1, 1));
    block(&mut rig, 1);
    let id = rig.search(config(1, 1));
    assert_eq!(rig.outcome(id).outcome, Outcome::Failed(Reason::NoPeers));
}

#[test]
fn what_a_failure_teaches_depends_on_the_failure() {
    let hedged = || QueryConfig { fan_out: FanOut::Hedged, ..config(1, 1) };
    // Sixteen questions that fail so after so long, and then enough good ones to have credit for a hedge.
    let taught = |millis: u64, failure: Failure| {
        let mut rig = Rig::with_peers(1);
        for _ in 0..16 {
            let _ = rig.search(hedged());
            rig.ms(millis);
            rig.end(rig.asks()[0].0, Err(failure));
        }
        for _ in 0..12 {
            let _ = rig.search(hedged());
            rig.ms(5);
            rig.answer(rig.asks()[0].0, found(9, &[]));
        }
        up(&mut rig, 2);
        let _ = rig.search(hedged());
        rig
    };
    let mut rig = taught(1000, Failure::TimedOut);
    rig.ms(999);
    assert_eq!(rig.asks().len(), 1, "that answers take a second is known, and it is not over");
    rig.ms(1);
    assert_eq!(rig.asks().len(), 1, "when it is, the network ends the question");
    let mut rig = taught(5, Failure::Broken);
    rig.ms(50);
    assert_eq!(rig.asks().len(), 1, "how long it takes to break a connection says nothing");
    rig.ms(100);
    assert_eq!(rig.asks().len(), 2);
}

#[test]
fn what_fails_here_does_not_count_as_lost() {
    let adaptive = |wanted| QueryConfig { fan_out: FanOut::Adaptive, ..config(wanted, 1) };
    let asked_after = |failure| {
        let mut rig = Rig::with_peers(1);
        for _ in 0..64 {
            let _ = rig.search(adaptive(1));
            rig.end(rig.asks()[0].0, Err(failure));
        }
        (2..=20).for_each(|peer| up(&mut rig, peer));
        let _ = rig.search(adaptive(3));
        rig.asks().len()
    };
    assert_eq!(asked_after(Failure::Local), 3);
    assert_eq!(asked_after(Failure::Broken), 12);
}

/// Two peers with one question each: one asks the second, and so many have asked the first and wait for the second,
/// ahead of one that waits for whoever is free. Then the first is. Whether that one was served, at once and later.
fn served_behind(in_vain: u64) -> [bool; 2] {
    let mut rig = one_each(2);
    for (peer, took) in [(1, 1), (2, 2)] {
        rig.event(Event::Peer { peer, change: PeerChange::RoundTrip(Duration::from_millis(took)) });
    }
    let _quick = rig.search(config(1, 1));
    let _long = rig.search(config(1, 1));
    let [(quick, 1, _), (long, 2, _)] = rig.asks()[..] else { panic!("{:?}", rig.asks()) };
    rig.answer(quick, found(9, &[]));
    for _ in 0..in_vain {
        let _ = rig.search(config(1, 1));
        rig.answer(rig.asks()[1].0, found(0, &[]));
        assert_eq!(rig.asks().len(), 1, "an empty catalogue is no answer, and there is only the second");
    }
    let _last_to_be_asked = rig.search(config(1, 1));
    let id = rig.search(config(1, 1));
    rig.answer(rig.asks()[1].0, found(9, &[]));
    let served = |rig: &Rig| rig.out.values().any(|(query, ..)| *query == id);
    let at_once = served(&rig);
    rig.answer(long, found(9, &[]));
    [at_once, served(&rig)]
}

#[test]
fn who_waits_is_looked_at_behind_a_few_in_vain_and_otherwise_when_the_next_question_ends() {
    assert_eq!(served_behind(7), [true, true]);
    assert_eq!(served_behind(8), [false, true]);
}

#[test]
fn news_between_two_ends_changes_nothing_about_who_is_served() {
    let served = |news: bool| {
        let mut rig = one_each(1);
        let _ids = [(); 5].map(|()| rig.search(config(1, 1)));
        rig.answer(rig.asks()[0].0, found(9, &[]));
        if news {
            rig.reject(9, 1);
        }
        rig.answer(rig.asks()[0].0, found(9, &[]));
        rig.out[&rig.asks()[0].0].0
    };
    assert_eq!(served(true), served(false));
}

#[test]
fn twice_as_many_are_chosen_ahead_as_answers_are_wanted_and_who_comes_after_them_by_what_is_known_then() {
    let mut rig = one_each(4);
    let trips = |rig: &mut Rig, trips: [(u32, u64); 4]| {
        for (peer, millis) in trips {
            rig.event(Event::Peer { peer, change: PeerChange::RoundTrip(Duration::from_millis(millis)) });
        }
    };
    trips(&mut rig, [(1, 1), (2, 2), (3, 3), (4, 4)]);
    let _ = rig.search(config(1, 1));
    trips(&mut rig, [(1, 4), (2, 3), (3, 2), (4, 1)]);
    let asked = [(); 4].map(|()| {
        let (id, peer, _) = rig.asks()[0].clone();
        rig.end(id, Err(Failure::Broken));
        peer
    });
    assert_eq!(asked, [1, 2, 4, 3]);
}

#[test]
fn every_request_of_a_search_counts_in_how_many_it_took() {
    let mut rig = Rig::with_peers(1);
    let a = widget("a");
    let id = rig.search(config(1, 1));
    rig.answer(rig.asks()[0].0, found_with(9, &[], vec![name(&a, true)], None));
    assert_eq!(rig.asks().len(), 1, "the record is asked of who holds it");
    rig.answer(rig.asks()[0].0, records(&[]));
    rig.value(rig.lookup(), 7, &a);
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    assert_eq!((rig.engine.metrics().requests_per_query.least(), rig.submitted), (Some(3), 3));
}
