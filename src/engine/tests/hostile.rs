//! Peers that lie, publishers that equivocate, and who is charged for what.

use bytes::Bytes;

use super::rig::*;
use crate::engine::{Cause, EngineConfig, Local, Lookup, Missing, Outcome, Reason};
use crate::message::{Answer, AnswerBody, Name};
use crate::network::{Done, Event, Failure, Item, PeerChange, Refusal, RequestId};
use crate::package::Query;
use crate::record::{Checked, keys};

/// The bytes of a record with one byte of its signature changed.
fn forged(record: &Checked) -> Bytes {
    let signature = forge_at(record);
    let mut bytes = record.bytes().to_vec();
    bytes[signature] ^= 1;
    bytes.into()
}

/// A place at which a change leaves the shape as it is and breaks the signature.
fn forge_at(record: &Checked) -> usize {
    let bytes = record.bytes();
    let title = bytes.windows(8).position(|window| window == b"a widget");
    title.expect("the title is in the record") + 7
}

fn found_bytes(records: Vec<Bytes>) -> AnswerBody {
    let fresh = crate::time::WallTime::EPOCH;
    AnswerBody::Found { held: 100, fresh, records, names: Vec::new(), next: None }
}

/// One search of one peer that is answered by `body`; what the peer was charged with.
fn one_answer(body: impl FnOnce([u8; 8]) -> Bytes) -> (Rig, Vec<Cause>, Outcome, Vec<String>) {
    let mut rig = Rig::with_peers(1);
    let id = rig.search(config(1, 1));
    let (request, peer, _) = rig.asks()[0].clone();
    let body = body(rig.tag(request));
    rig.bytes_come(request, peer, body);
    if rig.out.contains_key(&request) {
        rig.end(request, Ok(Done::Answered));
    }
    let causes = rig.charged().into_iter().map(|(_, cause)| cause).collect();
    let (outcome, names) = (rig.outcome(id).outcome, rig.names(id));
    assert_eq!(rig.outcome(id).coverage.adequate + rig.outcome(id).coverage.inadequate, 1);
    rig.assert_idle();
    (rig, causes, outcome, names)
}

#[test]
fn noise_is_malformed_and_inadequate() {
    let (_, causes, outcome, _) = one_answer(|_| Bytes::from_static(b"\xff\xff noise"));
    assert_eq!((causes, outcome), (vec![Cause::Malformed], Outcome::Failed(Reason::NoAnswer)));
}

#[test]
fn an_answer_to_another_question_is_malformed() {
    let (_, causes, _, names) = one_answer(|mut to| {
        to[0] ^= 1;
        Answer { to, body: found(100, &[&widget("a")]) }.encode()
    });
    assert_eq!((causes, names), (vec![Cause::Malformed], vec![]), "nothing of it is used");
}

#[test]
fn an_answer_of_another_kind_is_malformed() {
    let (_, causes, ..) = one_answer(|to| Answer { to, body: records(&[&widget("a")]) }.encode());
    assert_eq!(causes, [Cause::Malformed]);
}

#[test]
fn a_forged_record_is_charged_once_and_the_others_prove_themselves() {
    let (a, b) = (widget("a"), widget("b"));
    let bodies = vec![forged(&a), forged(&b), b.bytes().clone()];
    let (rig, causes, outcome, names) = one_answer(|to| Answer { to, body: found_bytes(bodies) }.encode());
    assert_eq!(causes, [Cause::Forged], "once an answer, and no praise beside it");
    assert_eq!(names, ["b"]);
    let missing = Missing { answers: 1, names: 0, deadline: false };
    assert_eq!(outcome, Outcome::Partial(missing), "its coverage does not count");
    assert_eq!((rig.engine.metrics().forged, rig.engine.metrics().malformed), (1, 0));
}

#[test]
fn a_list_or_a_name_of_none_in_an_answer_is_malformed() {
    let list = list("a", 1, &[(&widget("a"), false)]);
    let (_, causes, ..) = one_answer(|to| Answer { to, body: found(9, &[&list]) }.encode());
    assert_eq!(causes, [Cause::Malformed]);
    for key in [Bytes::from_static(b"/no/key"), keys::list(&package_id("a"))] {
        let names = vec![Name { key, held: true }];
        let (_, causes, ..) = one_answer(|to| Answer { to, body: found_with(9, &[], names, None) }.encode());
        assert_eq!(causes, [Cause::Malformed]);
    }
}

#[test]
fn a_liars_next_page_is_not_asked_for() {
    let mut rig = Rig::with_peers(1);
    let id = rig.search(config(1, 1));
    let other = release("other", "1.0.0", "a gadget", 1);
    rig.answer(rig.asks()[0].0, found_with(9, &[&other], Vec::new(), Some("p2")));
    assert!(rig.ended(id));
    assert_eq!(rig.submitted, 1);
}

#[test]
fn a_holder_that_sends_what_was_not_asked_for_is_malformed() {
    let mut rig = Rig::with_peers(1);
    let (a, b) = (widget("a"), widget("b"));
    let id = rig.search(config(1, 1));
    rig.answer(rig.asks()[0].0, found_with(9, &[], vec![name(&a, true)], None));
    rig.answer(rig.asks()[0].0, records(&[&b]));
    assert_eq!(rig.charged(), [(1, Cause::Answered), (1, Cause::Malformed)]);
    rig.value(rig.lookup(), 7, &a);
    assert_eq!(rig.names(id), ["a"], "and the name went on to the DHT");
}

#[test]
fn a_release_fetched_by_name_that_does_not_match_is_nobodys_fault() {
    let mut rig = Rig::with_peers(1);
    let other = release("other", "1.0.0", "a gadget", 1);
    let id = rig.search(config(1, 1));
    rig.answer(rig.asks()[0].0, found_with(9, &[], vec![name(&other, true)], None));
    rig.answer(rig.asks()[0].0, records(&[&other]));
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    assert!(rig.names(id).is_empty());
    assert_eq!(rig.charged(), [(1, Cause::Answered), (1, Cause::Answered)]);
}

#[test]
fn a_holder_that_has_nothing_is_not_charged() {
    let mut rig = Rig::with_peers(1);
    let _ = rig.search(config(1, 1));
    rig.answer(rig.asks()[0].0, found_with(9, &[], vec![name(&widget("a"), true)], None));
    rig.answer(rig.asks()[0].0, records(&[]));
    rig.end_lookup(rig.lookup(), Err(Failure::NotFound), 9);
    assert_eq!(rig.charged(), [(1, Cause::Answered), (1, Cause::Answered)]);
    rig.assert_idle();
}

#[test]
fn the_answer_of_somebody_else_is_not_the_answer() {
    let mut rig = Rig::with_peers(2);
    let id = rig.search(config(1, 1));
    let (request, peer, _) = rig.asks()[0].clone();
    let body = Answer { to: rig.tag(request), body: found(9, &[&widget("a")]) }.encode();
    rig.bytes_come(request, 3 - peer, body.clone());
    assert!(rig.seen[&id].delivered.is_empty() && rig.charges.is_empty());
    rig.bytes_come(request, peer, body.clone());
    rig.bytes_come(request, peer, Bytes::from_static(b"and again"));
    rig.event(Event::Progress { id: request, from: peer, item: Item::Record { value: body } });
    rig.end(request, Ok(Done::Answered));
    assert_eq!(rig.charged(), [(peer, Cause::Answered)], "its first answer stands");
    assert_eq!((rig.names(id), rig.engine.metrics().stray_events), (vec!["a".to_owned()], 3));
}

#[test]
fn an_answer_that_came_stands_whatever_the_end_says() {
    let mut rig = Rig::with_peers(1);
    let id = rig.search(config(1, 1));
    let (request, peer, _) = rig.asks()[0].clone();
    let body = Answer { to: rig.tag(request), body: found(9, &[&widget("a")]) }.encode();
    rig.bytes_come(request, peer, body);
    rig.end(request, Err(Failure::TimedOut));
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    assert_eq!(rig.charged(), [(peer, Cause::Answered)]);
    let id = rig.search(config(1, 1));
    rig.end(rig.asks()[0].0, Ok(Done::Answered));
    assert_eq!(rig.outcome(id).coverage.failed, 1, "an end without an answer is none");
    assert_eq!(rig.charges.len(), 1);
}

#[test]
fn each_failure_is_charged_as_what_it_is() {
    let cases = [
        (Failure::Local, None),
        (Failure::NotFound, None),
        (Failure::Unsupported, None),
        (Failure::Refused(Refusal::NotUnderstood), None),
        (Failure::Refused(Refusal::Busy), Some(Cause::Busy)),
        (Failure::Unreachable, Some(Cause::Unreachable)),
        (Failure::TimedOut, Some(Cause::TimedOut)),
        (Failure::Broken, Some(Cause::Broken)),
    ];
    for (failure, cause) in cases {
        let mut rig = Rig::with_peers(1);
        let id = rig.search(config(1, 1));
        let request = rig.asks()[0].0;
        rig.end(request, Err(failure));
        let charged: Vec<_> = rig.charges.iter().map(|charge| (charge.cause, charge.request)).collect();
        assert_eq!(charged, cause.map(|cause| (cause, Some(request))).into_iter().collect::<Vec<_>>());
        let coverage = rig.outcome(id).coverage;
        let counts = (coverage.timed_out, coverage.refused, coverage.failed);
        assert_eq!(
            counts,
            match failure {
                Failure::TimedOut => (1, 0, 0),
                Failure::Refused(_) => (0, 1, 0),
                _ => (0, 0, 1),
            }
        );
    }
}

#[test]
fn who_speaks_another_language_is_not_asked_again_until_it_comes_up_anew() {
    let mut rig = Rig::with_peers(1);
    let _ = rig.search(config(1, 1));
    rig.end(rig.asks()[0].0, Err(Failure::Unsupported));
    let id = rig.search(config(1, 1));
    assert_eq!(rig.outcome(id).outcome, Outcome::Failed(Reason::NoPeers));
    rig.event(Event::Peer { peer: 1, change: PeerChange::Up });
    let id = rig.search(config(1, 1));
    assert!(!rig.ended(id));
}

#[test]
fn what_the_network_rejects_is_charged_to_who_sent_it_and_blocks_at_last() {
    let mut rig = Rig::with_peers(2);
    rig.reject(1, 99);
    rig.reject(1, 100);
    assert_eq!(rig.charged(), [(1, Cause::Malformed), (1, Cause::Forged)]);
    let until = rig.now.after(EngineConfig::default().block_for);
    assert_eq!(rig.blocks, [(1, until)], "one, and a forgery counts twice");
    let _ = rig.search(config(2, 2));
    assert_eq!(rig.asks().iter().map(|ask| ask.1).collect::<Vec<_>>(), [2]);
}

#[test]
fn the_node_itself_is_neither_asked_nor_charged_nor_counted() {
    let mut rig = Rig::with_peers(2);
    rig.engine.set_local_peer(2);
    rig.event(Event::Peer { peer: 2, change: PeerChange::Up });
    rig.reject(2, 100);
    assert!(rig.charges.is_empty());
    let id = rig.search(config(2, 2));
    assert_eq!(rig.asks().iter().map(|ask| ask.1).collect::<Vec<_>>(), [1]);
    rig.cancel(id);
    let newest = list("a", 5, &[(&widget("a"), false)]);
    let id = rig.get(Lookup::List(package_id("a")));
    for from in [2, 1, 3] {
        rig.value(rig.lookup(), from, &newest);
    }
    assert!(!rig.ended(id), "two of the three are others");
    rig.value(rig.lookup(), 4, &newest);
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
}

#[test]
fn two_records_of_one_release_are_a_conflict_and_neither_is_told() {
    let mut rig = Rig::with_peers(3);
    let (one, other) = (widget("a"), release("a", "1.0.0", "another widget", 2));
    let id = rig.search(config(3, 3));
    let asks = rig.asks();
    rig.answer(asks[0].0, found(9, &[&one, &widget("b")]));
    rig.answer(asks[1].0, found(9, &[&other]));
    rig.answer(asks[2].0, found(9, &[&one]));
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    assert_eq!(rig.names(id), ["b"]);
    let conflict = &rig.outcome(id).conflicts[0];
    assert_eq!((&conflict.first, &conflict.second), (&one, &other));
    assert!(
        rig.charged().iter().all(|(_, cause)| *cause == Cause::Answered),
        "the publisher's fault, not a peer's"
    );
    let learned: Vec<_> = rig.learned.iter().map(|(record, _)| record.clone()).collect();
    assert!(learned.contains(&one) && learned.contains(&other), "the catalogue gets the proof");
    // It is remembered: later queries are not told either.
    let id = rig.search(config(3, 3));
    for ask in rig.asks() {
        rig.answer(ask.0, found(9, &[&one]));
    }
    assert!(rig.names(id).is_empty() && rig.seen[&id].delivered.is_empty());
    assert_eq!(rig.outcome(id).conflicts.len(), 1);
    let id = rig.get_with(Lookup::Release(release_id(&one)), config(1, 1), vec![one]);
    assert_eq!(rig.outcome(id).outcome, Outcome::Failed(Reason::Conflict));
    assert_eq!(rig.engine.metrics().conflicts, 1);
    assert_eq!(rig.engine.conflicts().count(), 1);
    rig.assert_idle();
}

#[test]
fn an_old_local_copy_does_not_hide_another_remote_one() {
    let mut rig = Rig::with_peers(1);
    let (one, other) = (widget("a"), release("a", "1.0.0", "another widget", 2));
    let local = Local { releases: vec![one], ..Local::default() };
    let id = rig.search_with(Query::text("widget", 5), config(1, 1), local);
    rig.answer(rig.asks()[0].0, found(9, &[&other]));
    assert!(rig.names(id).is_empty());
    assert_eq!(rig.outcome(id).conflicts.len(), 1);
}

#[test]
fn what_is_yanked_locally_is_never_delivered() {
    let mut rig = Rig::with_peers(1);
    let (a, b) = (widget("a"), widget("b"));
    let local = Local { yanked: vec![release_id(&a), release_id(&b)], ..Local::default() };
    let id = rig.search_with(Query::text("widget", 5), config(1, 1), local);
    rig.answer(rig.asks()[0].0, found_with(9, &[&a], vec![name(&b, true)], None));
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    assert!(rig.seen[&id].delivered.is_empty());
    assert_eq!(rig.submitted, 1, "nor is it fetched");
}

#[test]
fn a_forged_value_from_the_dht_is_charged_and_the_lookup_goes_on() {
    let mut rig = Rig::with_peers(0);
    let a = widget("a");
    let id = rig.get(Lookup::Release(release_id(&a)));
    let request = rig.lookup();
    rig.event(Event::Progress { id: request, from: 5, item: Item::Record { value: forged(&a) } });
    rig.value(request, 6, &widget("b"));
    assert_eq!(rig.charged(), [(5, Cause::Forged), (6, Cause::Forged)], "good, but of another key");
    rig.value(request, 7, &a);
    assert_eq!(rig.outcome(id).outcome, Outcome::Complete);
    assert_eq!(rig.engine.metrics().forged, 2);
    let mut rig = Rig::with_peers(0);
    let local = Local { names: vec![name(&widget("c"), false).key], ..Local::default() };
    let id = rig.search_with(Query::text("widget", 5), config(1, 1), local);
    let (request, _) = rig.lookups()[0].clone();
    rig.event(Event::Progress { id: request, from: 8, item: Item::Record { value: forged(&widget("c")) } });
    assert_eq!(rig.charged(), [(8, Cause::Forged)]);
    assert_eq!(rig.engine.metrics().forged, 1);
    rig.value(request, 9, &widget("c"));
    assert_eq!(rig.seen[&id].delivered.len(), 1);
}

/// One peer that is asked for a record that it said it holds.
fn asked_for_a_record() -> (Rig, RequestId) {
    let mut rig = Rig::with_peers(1);
    let _ = rig.search(config(1, 1));
    rig.answer(rig.asks()[0].0, found_with(9, &[], vec![name(&widget("a"), true)], None));
    let (request, ..) = rig.asks()[0].clone();
    rig.charges.clear();
    (rig, request)
}

#[test]
fn a_holder_that_says_nothing_is_charged_as_anybody_who_is_asked() {
    let (mut rig, request) = asked_for_a_record();
    rig.end(request, Err(Failure::Broken));
    assert_eq!(rig.charged(), [(1, Cause::Broken)]);
}

#[test]
fn who_has_answered_is_charged_for_the_answer_however_the_request_ends() {
    let (a, b) = (widget("a"), widget("b"));
    for (record, cause) in [(&a, Cause::Answered), (&b, Cause::Malformed)] {
        let (mut rig, request) = asked_for_a_record();
        let to = rig.tag(request);
        rig.bytes_come(request, 1, Answer { to, body: records(&[record]) }.encode());
        rig.end(request, Err(Failure::Broken));
        assert_eq!(rig.charged(), [(1, cause)]);
    }
}

#[test]
fn every_answer_that_is_forged_or_malformed_is_counted() {
    let mut rig = Rig::with_peers(5);
    let _ = rig.search(config(5, 5));
    let bodies = [vec![forged(&widget("a"))], vec![list("a", 1, &[]).bytes().clone()]];
    for ((request, ..), body) in rig.asks().into_iter().zip(bodies.into_iter().cycle()) {
        rig.answer(request, found_bytes(body));
    }
    assert_eq!((rig.engine.metrics().forged, rig.engine.metrics().malformed), (3, 2));
}
