//! Searches: coverage, ends, paging, names, limits.

use core::time::Duration;

use bytes::Bytes;

use super::rig::*;
use crate::engine::{Cause, Command, EngineConfig, Local, Lookup, Missing, Outcome, QueryConfig, Reason};
use crate::message::{Answer, Cursor, Question};
use crate::network::{Done, Event, Failure, InboundId, Item, PeerChange, RequestId, RequestStats};
use crate::package::Query;
use crate::time::Timestamp;

#[test]
fn three_adequate_answers_complete_a_search_and_duplicates_count_once() {
    let mut rig = Rig::with_peers(5);
    let (a, b) = (widget("alpha"), widget("beta"));
    let id = rig.search(config(3, 3));
    assert_eq!(rig.asks().len(), 3, "three peers at once");
    for (request, _, _) in rig.asks() {
        rig.answer(request, found(100, &[&a, &b]));
    }
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    assert_eq!(rig.names(id), ["alpha", "beta"]);
    assert_eq!(rig.engine.metrics().duplicates, 4);
    assert_eq!((rig.outcome(id).coverage.asked, rig.outcome(id).coverage.adequate), (3, 3));
    rig.assert_idle();
}

#[test]
fn local_results_come_at_once_without_those_yanked_and_may_be_enough() {
    let mut rig = Rig::with_peers(3);
    let (a, b, c) = (widget("alpha"), widget("beta"), widget("gamma"));
    let local = Local { releases: vec![a, b.clone(), c], yanked: vec![release_id(&b)], ..Local::default() };
    let id = rig.search_with(Query::text("widget", 2), config(3, 3), local);
    assert_eq!(rig.outcome(id).outcome, Outcome::Enough);
    assert_eq!(rig.names(id), ["alpha", "gamma"]);
    assert_eq!(rig.submitted, 0, "nobody was asked");
    rig.assert_idle();
}

#[test]
fn with_nobody_to_ask_a_search_fails_at_once_or_keeps_what_is_local() {
    let mut rig = Rig::with_peers(0);
    let id = rig.search(config(3, 3));
    assert_eq!(rig.outcome(id).outcome, Outcome::Failed(Reason::NoPeers));
    let local = Local { releases: vec![widget("alpha")], ..Local::default() };
    let id = rig.search_with(Query::text("widget", 5), config(3, 3), local);
    let missing = Missing { answers: 3, names: 0, deadline: false };
    assert_eq!(rig.outcome(id).outcome, Outcome::Partial(missing));
    assert_eq!(rig.names(id), ["alpha"]);
    rig.assert_idle();
}

#[test]
fn a_failure_is_made_good_by_the_next_peer_and_the_end_does_not_wait() {
    let mut rig = Rig::with_peers(2);
    let id = rig.search(config(1, 1));
    let (first, _, _) = rig.asks()[0].clone();
    rig.end(first, Err(Failure::Unreachable));
    let (second, _, _) = rig.asks()[0].clone();
    rig.end(second, Err(Failure::Broken));
    assert_eq!(rig.outcome(id).outcome, Outcome::Failed(Reason::NoAnswer), "nothing is outstanding");
    assert_eq!(rig.outcome(id).coverage.failed, 2);
    rig.assert_idle();
}

#[test]
fn the_deadline_keeps_what_was_found() {
    let mut rig = Rig::with_peers(3);
    let id = rig.search(QueryConfig { request_timeout: Duration::from_secs(60), ..config(3, 3) });
    let (first, _, _) = rig.asks()[0].clone();
    rig.answer(first, found(10, &[&widget("alpha")]));
    rig.ms(9_999);
    assert!(!rig.ended(id));
    rig.ms(1);
    let missing = Missing { answers: 2, names: 0, deadline: true };
    assert_eq!(rig.outcome(id).outcome, Outcome::Partial(missing));
    assert_eq!(rig.names(id), ["alpha"]);
    assert_eq!(rig.outcome(id).coverage.abandoned, 2);
    assert_eq!(rig.outcome(id).elapsed, Duration::from_secs(10));
    assert_eq!(rig.cancelled.len(), 2, "what was out is cancelled at the network");
    assert!(!rig.charged().iter().any(|(_, cause)| *cause == Cause::TimedOut), "they had more time left");
    rig.assert_idle();
}

#[test]
fn a_deadline_without_any_answer_is_a_failure() {
    let mut rig = Rig::with_peers(3);
    let id = rig.search(QueryConfig { request_timeout: Duration::from_secs(60), ..config(3, 3) });
    rig.ms(10_000);
    assert_eq!(rig.outcome(id).outcome, Outcome::Failed(Reason::Deadline));
    rig.assert_idle();
}

#[test]
fn a_late_caller_changes_nothing_about_who_was_in_time() {
    let mut rig = Rig::with_peers(1);
    let id = rig.search(QueryConfig { request_timeout: Duration::from_secs(60), ..config(1, 1) });
    let (request, peer, _) = rig.asks()[0].clone();
    let tag = rig.tag(request);
    let body = Answer { to: tag, body: found(5, &[&widget("alpha")]) }.encode();
    rig.seen.get_mut(&id).unwrap().deadline = Timestamp::MAX; // It is the rig that is late.
    rig.now = rig.now.after(Duration::from_secs(11));
    rig.bytes_come(request, peer, body);
    assert_eq!(rig.outcome(id).outcome, Outcome::Failed(Reason::Deadline), "the answer was too late");
    assert!(rig.seen[&id].delivered.is_empty());
    rig.assert_idle();
}

#[test]
fn an_answer_at_the_deadlines_instant_is_in_time() {
    let mut rig = Rig::with_peers(1);
    let id = rig.search(QueryConfig { request_timeout: Duration::from_secs(60), ..config(1, 1) });
    let (request, _, _) = rig.asks()[0].clone();
    rig.now = rig.seen[&id].deadline;
    rig.answer(request, found(5, &[&widget("alpha")]));
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    rig.assert_idle();
}

#[test]
fn the_limit_ends_a_search_in_the_middle_of_an_answer() {
    let mut rig = Rig::with_peers(3);
    let widgets: Vec<_> = (0..9).map(|index| widget(&format!("w{index}"))).collect();
    let id = rig.search_with(Query::text("widget", 4), config(3, 3), Local::default());
    let (request, peer, _) = rig.asks()[0].clone();
    let to = rig.tag(request);
    let body = found(10, &widgets.iter().collect::<Vec<_>>());
    rig.bytes_come(request, peer, Answer { to, body }.encode());
    assert_eq!(rig.outcome(id).outcome, Outcome::Enough, "at once, without the request's end");
    assert_eq!(rig.names(id).len(), 4);
    assert_eq!(rig.cancelled.len(), 3);
    assert_eq!(rig.outcome(id).coverage.abandoned, 3);
    rig.assert_idle();
}

#[test]
fn max_results_bounds_the_querys_own_limit() {
    let mut rig = Rig::with_peers(1);
    let widgets: Vec<_> = (0..9).map(|index| widget(&format!("w{index}"))).collect();
    let settings = QueryConfig { max_results: 2, ..config(1, 1) };
    let id = rig.search_with(Query::text("widget", 500), settings, Local::default());
    let (request, _, question) = rig.asks()[0].clone();
    assert!(matches!(question, Question::Search { after: None, .. }));
    rig.answer(request, found(10, &widgets.iter().collect::<Vec<_>>()));
    assert_eq!((rig.outcome(id).outcome, rig.names(id).len()), (Outcome::Enough, 2));
}

#[test]
fn what_does_not_match_neither_counts_nor_comes() {
    // Counting before filtering would end this as `Enough` with one result too few.
    let mut rig = Rig::with_peers(2);
    let other = release("other", "1.0.0", "a gadget", 1);
    let id = rig.search_with(Query::text("widget", 2), config(2, 2), Local::default());
    let asks = rig.asks();
    rig.answer(asks[0].0, found(10, &[&other, &widget("alpha")]));
    assert_eq!(rig.charged(), [(asks[0].1, Cause::Malformed)]);
    rig.answer(asks[1].0, found(10, &[&widget("beta")]));
    assert_eq!(rig.outcome(id).outcome, Outcome::Enough);
    assert_eq!(rig.names(id), ["alpha", "beta"]);
}

#[test]
fn results_are_ranked_by_score_then_package_then_newest_version() {
    let mut rig = Rig::with_peers(1);
    let exact = release("widget", "1.0.0", "plain", 1);
    let (old, new) = (release("zeta", "1.9.0", "a widget", 2), release("zeta", "1.10.0", "a widget", 3));
    let id = rig.search(config(1, 1));
    rig.answer(rig.asks()[0].0, found(10, &[&old, &widget("alpha"), &new, &exact]));
    let found: Vec<String> = (rig.outcome(id).found.packages())
        .map(|package| format!("{} {}", package.release.package.name, package.release.version))
        .collect();
    assert_eq!(found, ["widget 1.0.0", "alpha 1.0.0", "zeta 1.10.0", "zeta 1.9.0"]);
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
}

#[test]
fn an_empty_newcomer_does_not_count_and_is_not_charged() {
    let mut rig = Rig::with_peers(4);
    let id = rig.search(config(2, 1));
    for (size, ends) in [(1000, false), (0, false), (20, false), (400, true)] {
        let (request, _, _) = rig.asks()[0].clone();
        rig.answer(request, found(size, &[]));
        assert_eq!(rig.ended(id), ends, "{size}");
    }
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    assert_eq!((rig.outcome(id).coverage.adequate, rig.outcome(id).coverage.inadequate), (2, 2));
    assert!(rig.charged().iter().all(|(_, cause)| *cause == Cause::Answered));
}

#[test]
fn everybody_there_is_may_be_fewer_than_wanted() {
    let mut rig = Rig::with_peers(2);
    let id = rig.search(config(5, 5));
    for (request, _, _) in rig.asks() {
        rig.answer(request, found(10, &[]));
    }
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete, "both answered adequately, and nothing matches");
    let id = rig.search(config(5, 5));
    let asks = rig.asks();
    rig.answer(asks[0].0, found(10, &[]));
    rig.end(asks[1].0, Err(Failure::Broken));
    let missing = Missing { answers: 4, names: 0, deadline: false };
    assert_eq!(rig.outcome(id).outcome, Outcome::Partial(missing), "one of two is not everybody");
}

#[test]
fn only_inadequate_answers_leave_a_search_partial_or_failed() {
    let mut rig = Rig::with_peers(1);
    let id = rig.search(config(1, 1));
    rig.answer(rig.asks()[0].0, found(0, &[]));
    assert_eq!(rig.outcome(id).outcome, Outcome::Failed(Reason::NoAnswer));
    let id = rig.search(config(1, 1));
    rig.answer(rig.asks()[0].0, found(0, &[&widget("alpha")]));
    let missing = Missing { answers: 1, names: 0, deadline: false };
    assert_eq!(rig.outcome(id).outcome, Outcome::Partial(missing));
    assert_eq!(rig.names(id), ["alpha"]);
}

#[test]
fn fan_out_above_what_is_wanted_lets_the_fastest_win() {
    let mut rig = Rig::with_peers(9);
    let id = rig.search(config(2, 6));
    assert_eq!(rig.asks().len(), 6);
    let asks = rig.asks();
    rig.end(asks[0].0, Err(Failure::Broken));
    assert_eq!(rig.asks().len(), 5, "five are out for two");
    rig.answer(asks[1].0, found(10, &[]));
    rig.answer(asks[2].0, found(10, &[]));
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    assert_eq!((rig.cancelled.len(), rig.outcome(id).coverage.abandoned), (3, 3));
    rig.assert_idle();
}

#[test]
fn a_peer_that_arrives_during_a_search_is_asked() {
    let mut rig = Rig::with_peers(1);
    let id = rig.search(config(2, 1));
    rig.event(Event::Peer { peer: 50, change: PeerChange::Up });
    rig.answer(rig.asks()[0].0, found(10, &[]));
    assert_eq!(rig.asks()[0].1, 50);
    rig.answer(rig.asks()[0].0, found(10, &[]));
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
}

#[test]
fn pages_are_followed_until_the_last_and_the_answer_counts_then() {
    let mut rig = Rig::with_peers(1);
    let id = rig.search(config(1, 1));
    rig.answer(rig.asks()[0].0, found_with(10, &[&widget("a")], Vec::new(), Some("p2")));
    let (request, peer, question) = rig.asks()[0].clone();
    assert_eq!(peer, 1);
    assert!(matches!(question, Question::Search { after: Some(Cursor(at)), .. } if at == "p2"));
    assert!(!rig.ended(id));
    rig.answer(request, found(10, &[&widget("b")]));
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    assert_eq!(rig.names(id), ["a", "b"]);
    assert_eq!((rig.outcome(id).coverage.asked, rig.outcome(id).coverage.messages), (1, 2));
}

#[test]
fn a_page_that_fails_leaves_its_answer_uncounted_and_its_records_kept() {
    let mut rig = Rig::with_peers(1);
    let id = rig.search(config(1, 1));
    rig.answer(rig.asks()[0].0, found_with(10, &[&widget("a")], Vec::new(), Some("p2")));
    rig.end(rig.asks()[0].0, Err(Failure::TimedOut));
    let missing = Missing { answers: 1, names: 0, deadline: false };
    assert_eq!(rig.outcome(id).outcome, Outcome::Partial(missing));
    assert_eq!(rig.outcome(id).coverage.timed_out, 1);
    assert_eq!(rig.names(id), ["a"]);
}

#[test]
fn pages_that_lead_nowhere_end() {
    // The same cursor again; an empty page that promises more; and more pages than the bound.
    let mut rig = Rig::with_peers(1);
    let id = rig.search(config(1, 1));
    rig.answer(rig.asks()[0].0, found_with(10, &[&widget("a")], Vec::new(), Some("p2")));
    rig.answer(rig.asks()[0].0, found_with(10, &[&widget("a")], Vec::new(), Some("p2")));
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    let id = rig.search(config(1, 1));
    rig.answer(rig.asks()[0].0, found_with(10, &[], Vec::new(), Some("p2")));
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    let id = rig.search(config(1, 1));
    let (mut pages, most) = (0, EngineConfig::default().pages_per_answer);
    while !rig.ended(id) && pages <= most {
        let next = if pages % 2 == 0 { "even" } else { "odd" };
        rig.answer(rig.asks()[0].0, found_with(10, &[&widget("a")], Vec::new(), Some(next)));
        pages += 1;
    }
    assert_eq!(pages, most);
}

#[test]
fn names_held_are_fetched_from_their_holder_in_one_question() {
    let mut rig = Rig::with_peers(2);
    let (a, b) = (widget("a"), widget("b"));
    let id = rig.search(config(1, 1));
    let holder = rig.asks()[0].1;
    rig.answer(rig.asks()[0].0, found_with(10, &[], vec![name(&a, true), name(&b, true)], None));
    let (request, peer, question) = rig.asks()[0].clone();
    assert_eq!((rig.asks().len(), peer), (1, holder));
    assert_eq!(question, Question::Records { keys: vec![name(&a, true).key, name(&b, true).key] });
    rig.answer(request, records(&[&b]));
    // One did not fit: the holder is asked once more for it.
    let (request, peer, question) = rig.asks()[0].clone();
    assert_eq!((peer, question), (holder, Question::Records { keys: vec![name(&a, true).key] }));
    rig.answer(request, records(&[&a]));
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    assert_eq!(rig.names(id), ["a", "b"]);
    assert_eq!((rig.outcome(id).coverage.resolved, rig.outcome(id).coverage.lookups), (2, 0));
    rig.assert_idle();
}

#[test]
fn a_name_goes_to_the_dht_when_its_holder_has_nothing_and_nobody_is_being_asked() {
    let mut rig = Rig::with_peers(2);
    let a = widget("a");
    let id = rig.search(config(2, 2));
    let asks = rig.asks();
    rig.answer(asks[0].0, found_with(10, &[], vec![name(&a, true)], None));
    let fetch = rig.asks().into_iter().find(|ask| matches!(ask.2, Question::Records { .. })).unwrap();
    rig.answer(fetch.0, records(&[]));
    assert!(rig.lookups().is_empty(), "an answer that is out may still bring it");
    rig.answer(asks[1].0, found(10, &[]));
    let request = rig.lookup();
    rig.value(request, 77, &a);
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    assert_eq!((rig.outcome(id).coverage.resolved, rig.outcome(id).coverage.lookups), (1, 1));
    assert_eq!(rig.seen[&id].delivered[0].1, Some(77));
    assert!(rig.cancelled.contains(&request), "the rest of the walk is not wanted");
    rig.assert_idle();
}

#[test]
fn a_name_that_nobody_has_leaves_the_search_partial() {
    let mut rig = Rig::with_peers(1);
    let id = rig.search(config(1, 1));
    rig.answer(rig.asks()[0].0, found_with(10, &[], vec![name(&widget("a"), false)], None));
    let request = rig.lookup();
    rig.end_lookup(request, Err(Failure::NotFound), 20);
    let missing = Missing { answers: 0, names: 1, deadline: false };
    assert_eq!(rig.outcome(id).outcome, Outcome::Partial(missing));
    assert_eq!(rig.outcome(id).coverage.unresolved, 1);
    rig.assert_idle();
}

#[test]
fn names_known_locally_are_resolved_too() {
    let mut rig = Rig::with_peers(0);
    let a = widget("a");
    let local = Local { names: vec![name(&a, false).key], ..Local::default() };
    let id = rig.search_with(Query::text("widget", 5), config(1, 1), local);
    rig.value(rig.lookup(), 9, &a);
    let (request, peer, _) = rig.asks()[0].clone();
    assert_eq!(peer, 9, "who gave it is known now, and is asked");
    rig.answer(request, found(10, &[&a]));
    assert_eq!((rig.outcome(id).outcome, rig.names(id)), (Outcome::Complete, vec!["a".to_owned()]));
}

#[test]
fn a_record_that_comes_by_another_way_settles_its_name() {
    let mut rig = Rig::with_peers(2);
    let a = widget("a");
    let id = rig.search(config(2, 2));
    let asks = rig.asks();
    rig.answer(asks[0].0, found_with(10, &[], vec![name(&a, false)], None));
    rig.answer(asks[1].0, found(10, &[&a]));
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    assert_eq!((rig.outcome(id).coverage.resolved, rig.outcome(id).coverage.lookups), (1, 0));
}

#[test]
fn lookups_and_names_have_their_quotas() {
    let mut rig = Rig::with_peers(1);
    let settings = QueryConfig { max_results: 3, fetch_concurrency: 2, ..config(1, 1) };
    let id = rig.search_with(Query::text("widget", 3), settings, Local::default());
    let widgets: Vec<_> = (0..20).map(|index| widget(&format!("w{index}"))).collect();
    let names = widgets.iter().map(|record| name(record, false)).collect();
    rig.answer(rig.asks()[0].0, found_with(10, &[], names, None));
    let mut lookups = 0;
    while !rig.ended(id) {
        assert!(rig.lookups().len() <= 2, "fetch concurrency");
        let (request, _) = rig.lookups()[0].clone();
        rig.end_lookup(request, Err(Failure::NotFound), 20);
        lookups += 1;
    }
    assert_eq!(lookups, 3, "one answerer may tell as many names as there are results");
    assert_eq!(rig.outcome(id).coverage.unresolved, 3);
}

#[test]
fn everything_that_comes_after_the_end_is_ignored_and_charged_to_nobody() {
    let mut rig = Rig::with_peers(2);
    let id = rig.search(config(2, 2));
    let asks = rig.asks();
    let bodies: Vec<_> = asks
        .iter()
        .map(|(request, peer, _)| {
            (*request, *peer, Answer { to: rig.tag(*request), body: found(9, &[&widget("a")]) }.encode())
        })
        .collect();
    rig.cancel(id);
    assert_eq!(rig.outcome(id).outcome, Outcome::Cancelled);
    for (request, peer, body) in bodies {
        rig.bytes_come(request, peer, body.clone());
        rig.bytes_come(request, peer, Bytes::from_static(b"noise"));
        rig.end(request, Err(Failure::TimedOut));
        rig.end(request, Ok(Done::Answered));
    }
    assert!(rig.charges.is_empty() && rig.seen[&id].delivered.is_empty());
    assert_eq!(rig.engine.metrics().stray_events, 8);
    rig.cancel(id);
    rig.assert_idle();
}

#[test]
fn cancel_keeps_what_was_found_and_cancels_the_rest() {
    let mut rig = Rig::with_peers(3);
    let id = rig.search(config(3, 3));
    rig.answer(rig.asks()[0].0, found(9, &[&widget("a")]));
    rig.cancel(id);
    assert_eq!((rig.outcome(id).outcome, rig.names(id)), (Outcome::Cancelled, vec!["a".to_owned()]));
    assert_eq!(rig.cancelled.len(), 2);
    rig.assert_idle();
}

#[test]
fn too_many_queries_are_refused_at_once() {
    let mut rig = Rig::new(EngineConfig { most_queries: 2, ..EngineConfig::default() });
    rig.event(Event::Peer { peer: 1, change: PeerChange::Up });
    let first = rig.search(config(1, 1));
    let _second = rig.get(Lookup::List(package_id("a")));
    let third = rig.search(config(1, 1));
    let fourth = rig.get(Lookup::Release(id_of("a", "1.0.0")));
    for id in [third, fourth] {
        assert_eq!(rig.outcome(id).outcome, Outcome::Failed(Reason::Busy));
    }
    assert_eq!((rig.engine.metrics().busy, rig.engine.metrics().failed), (2, 2));
    rig.cancel(first);
    let fifth = rig.search(config(1, 1));
    assert!(!rig.ended(fifth), "there is room again");
}

#[test]
fn a_network_that_never_ends_a_request_is_not_waited_for() {
    let mut rig = Rig::with_peers(1);
    let id = rig.search(config(1, 1));
    let (request, _, _) = rig.asks()[0].clone();
    rig.ms(1499);
    assert!(!rig.ended(id), "its deadline was at 1 s, and half a second of grace is not over");
    rig.ms(1);
    assert_eq!(rig.outcome(id).outcome, Outcome::Failed(Reason::NoAnswer));
    assert_eq!(rig.outcome(id).coverage.timed_out, 1);
    assert!(rig.cancelled.contains(&request));
    assert_eq!(rig.engine.metrics().requests_overdue, 1);
    assert_eq!(rig.charged(), [(1, Cause::TimedOut)]);
    rig.assert_idle();
}

#[test]
fn a_closed_network_ends_every_query_with_what_it_has() {
    let mut rig = Rig::with_peers(3);
    let search = rig.search(config(3, 2));
    let get = rig.get(Lookup::Release(id_of("a", "1.0.0")));
    rig.answer(rig.asks()[0].0, found(9, &[&widget("a")]));
    rig.out.clear(); // The network forgets.
    assert!(!rig.event(Event::Closed), "the caller has to know too");
    assert!(matches!(rig.outcome(search).outcome, Outcome::Partial(_)));
    assert_eq!(rig.names(search), ["a"]);
    assert_eq!(rig.outcome(get).outcome, Outcome::Failed(Reason::NoAnswer));
    let late = rig.search(config(1, 1));
    assert_eq!(rig.outcome(late).outcome, Outcome::Failed(Reason::NoPeers));
    let late = rig.get(Lookup::Release(id_of("a", "1.0.0")));
    assert_eq!(rig.outcome(late).outcome, Outcome::Failed(Reason::NoAnswer));
    assert!(rig.charged().iter().all(|(_, cause)| *cause == Cause::Answered));
    rig.assert_idle();
}

#[test]
fn a_name_in_flight_is_not_taken_twice() {
    let mut rig = Rig::with_peers(1);
    let id = rig.search(config(1, 1));
    let (query, settings, local) = (Query::text("widget", 3), config(1, 1), Local::default());
    rig.command(Command::Search { id, query, config: settings.clone(), local });
    let what = Lookup::List(package_id("a"));
    rig.command(Command::Get { id, what, config: settings, local: Vec::new() });
    assert_eq!((rig.submitted, rig.engine.metrics().started), (1, 1));
    rig.cancel(id);
    rig.assert_idle();
}

#[test]
fn the_callers_own_requests_are_left_to_the_caller() {
    let mut rig = Rig::with_peers(1);
    let id = RequestId(1 << 63);
    let stats = RequestStats::default();
    assert!(!rig.event(Event::Finished { id, result: Ok(Done::Looked), stats }));
    assert!(!rig.event(Event::Progress { id, from: 1, item: Item::Answer { body: Bytes::new() } }));
    assert!(rig.event(Event::Finished { id: RequestId(99), result: Ok(Done::Looked), stats }));
    assert_eq!(rig.engine.metrics().stray_events, 1);
    let question = Event::Question { to: InboundId(1), from: 9, body: Bytes::new() };
    assert!(!rig.event(question));
    assert!(rig.engine.reputation().get(&9).is_some(), "who asks can be asked");
}
