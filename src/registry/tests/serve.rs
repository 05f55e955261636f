//! Serving others: answers, bounds, quotas.

use core::time::Duration;

use bytes::Bytes;

use super::harness::{Bench, config, package, publisher, verifier};
use crate::message::{Answer, AnswerBody, Question};
use crate::network::{Event, InboundId, Refusal};
use crate::package::Query;
use crate::record::ANNOUNCE_TOPIC;
use crate::registry::{Quota, Registry};

fn announce(bench: &Bench, from: u32, payload: Bytes) {
    let topic = Bytes::from_static(ANNOUNCE_TOPIC);
    bench.network.wire().push(Event::Announcement { from, topic, payload });
}

fn release(seed: u8, number: u64) -> Bytes {
    let key = publisher(seed);
    let package = package(key.id(), &format!("p{number}"), "1.0.0", "ink");
    key.release(&package, number).unwrap().bytes
}

#[test]
fn questions_are_answered_from_the_catalogue() {
    let mut bench = Bench::new(config());
    announce(&bench, 3, release(1, 1));
    bench.turn();
    let question = Question::Search { query: Query::text("ink", 5), after: None }.encode();
    let id = bench.network.wire().ask(9, question.clone());
    bench.turn();
    let (to, reply) = bench.network.wire().replies.pop().unwrap();
    assert_eq!(to, id);
    let answer = Answer::decode(&reply.unwrap()).unwrap();
    assert_eq!(answer.to, Question::tag(&question));
    let AnswerBody::Found { held, records, .. } = answer.body else { panic!("another kind of answer") };
    assert_eq!((held, records), (1, vec![release(1, 1)]));
}

#[test]
fn an_unreadable_question_is_refused_and_charged() {
    let mut bench = Bench::new(config());
    bench.network.wire().up(9);
    bench.network.wire().ask(9, Bytes::from_static(b"what?"));
    bench.turn();
    assert_eq!(bench.network.wire().replies, [(InboundId(0), Err(Refusal::NotUnderstood))]);
    let registry = bench.registry();
    let snapshot = bench.wait_alone(registry.inspect()).unwrap();
    assert_eq!((snapshot.counters.questions_refused, snapshot.counters.rejected), (1, 1));
    assert!(snapshot.peers.iter().any(|known| known.peer == 9 && known.score < 0.5), "{:?}", snapshot.peers);
}

#[test]
fn a_flood_of_questions_is_refused_as_busy_and_others_are_still_served() {
    let mut bench = Bench::new(config());
    bench.turn();
    let question = Question::Heads { after: None }.encode();
    for _ in 0..2000 {
        bench.network.wire().ask(9, question.clone());
    }
    let other = bench.network.wire().ask(8, question);
    bench.turn();
    let replies = bench.network.wire().replies.clone();
    assert_eq!(replies.len(), 2001, "each has exactly one reply");
    let busy = replies.iter().filter(|(_, reply)| *reply == Err(Refusal::Busy)).count();
    assert!(busy > 0 && busy < 2000, "{busy} refused");
    assert!(replies.iter().any(|(to, reply)| *to == other && reply.is_ok()), "the other one is answered");
}

#[test]
fn announcements_are_bounded_by_who_passes_them_on_and_by_who_signed_them() {
    let mut tight = config();
    tight.serve.peer_quota = Quota { every: Duration::from_secs(1), burst: 5 };
    tight.serve.publisher_quota = Quota { every: Duration::from_secs(1), burst: 3 };
    let mut bench = Bench::new(tight);
    let registry = bench.registry();
    bench.at(1000);
    for number in 1..=10 {
        announce(&bench, 3, release(1, number));
    }
    bench.turn();
    let counters = bench.wait_alone(registry.inspect()).unwrap().counters;
    assert_eq!((counters.announcements_heard, counters.learned), (3, 3));
    assert_eq!((counters.over_publisher_quota, counters.over_peer_quota), (2, 5));
    announce(&bench, 4, release(2, 1));
    bench.turn();
    assert_eq!(bench.wait_alone(registry.inspect()).unwrap().counters.announcements_heard, 4);
}

#[test]
fn a_forged_announcement_is_refused_and_charged() {
    let mut bench = Bench::new(config());
    let mut forged = release(1, 1).to_vec();
    let at = forged.len() - 5;
    forged[at] ^= 1;
    assert!(verifier().check(&forged).is_err());
    announce(&bench, 3, forged.into());
    bench.turn();
    let registry = bench.registry();
    let snapshot = bench.wait_alone(registry.inspect()).unwrap();
    assert_eq!((snapshot.catalogue, snapshot.counters.rejected), (0, 1));
}

#[test]
fn what_was_learned_survives_a_crash() {
    let mut bench = Bench::new(config());
    for number in 1..=20 {
        announce(&bench, 3, release(1, number));
    }
    bench.turn();
    let store = bench.store.clone();
    drop(bench);
    store.crash();
    let mut bench = Bench::with(config(), store);
    let registry = bench.registry();
    assert_eq!(bench.wait_alone(registry.inspect()).unwrap().catalogue, 20);
}

#[test]
fn an_equivocation_is_shown_and_neither_side_of_it_is_served() {
    let mut bench = Bench::new(config());
    let key = publisher(1);
    announce(&bench, 3, release(1, 1));
    let other = key.release(&package(key.id(), "other", "1.0.0", "ink"), 1).unwrap();
    announce(&bench, 4, other.bytes);
    bench.turn();
    let registry = bench.registry();
    let snapshot = bench.wait_alone(registry.inspect()).unwrap();
    assert_eq!((snapshot.equivocations.len(), snapshot.counters.equivocations), (1, 1));
    let found = bench.wait(registry.search(Query::text("ink", 5))).unwrap();
    assert!(found.packages.is_empty(), "{found:?}");
}
