//! Catching up: how a newcomer fills, and what a partner cannot do to it.

use bytes::Bytes;

use super::harness::{Bench, config, package, publisher, verifier};
use super::queries::responder;
use crate::message::{Answer, AnswerBody, Question};
use crate::network::{Done, Event, Item, Request};
use crate::record::Checked;
use crate::registry::Registry;

fn statements(seed: u8, numbers: core::ops::RangeInclusive<u64>) -> Vec<Checked> {
    let key = publisher(seed);
    numbers
        .map(|number| {
            let package = package(key.id(), &format!("p{number}"), "1.0.0", &"long words ".repeat(20));
            verifier().trust(key.release(&package, number).unwrap().into())
        })
        .collect()
}

#[test]
fn a_newcomer_fills_from_the_first_peers_it_meets() {
    let mut bench = Bench::new(config());
    let registry = bench.registry();
    bench.serve();
    let all: Vec<Checked> = (1..=7).flat_map(|seed| statements(seed, 1..=100)).collect();
    bench.peers.insert(1, responder(&all));
    bench.network.wire().up(1);
    bench.serve();
    let snapshot = bench.wait(registry.inspect()).unwrap();
    assert_eq!((snapshot.catalogue, snapshot.counters.rounds_done), (700, 1));
    assert_eq!((snapshot.catching_up, snapshot.own_requests), (0, 0));
}

#[test]
fn each_of_the_first_rounds_has_another_partner_and_fetches_only_what_is_missing() {
    let mut bench = Bench::new(config());
    let registry = bench.registry();
    bench.peers.insert(1, responder(&statements(1, 1..=60)));
    bench.peers.insert(2, responder(&statements(1, 1..=90)));
    bench.peers.insert(3, responder(&statements(2, 1..=10)));
    (1..=3).for_each(|peer| bench.network.wire().up(peer));
    bench.serve();
    let snapshot = bench.wait(registry.inspect()).unwrap();
    assert_eq!((snapshot.catalogue, snapshot.counters.rounds_done), (100, 3));
    let asked = bench.network.wire().log.iter().filter(|line| *line == "submit ask").count();
    assert!(asked <= 12, "{asked} questions for three small rounds");
}

#[test]
fn later_rounds_come_with_the_interval() {
    let mut bench = Bench::new(config());
    let registry = bench.registry();
    bench.peers.insert(1, responder(&statements(1, 1..=3)));
    bench.network.wire().up(1);
    bench.serve();
    bench.peers.insert(1, responder(&statements(1, 1..=9)));
    bench.at(200_000);
    bench.serve();
    assert_eq!(bench.wait(registry.inspect()).unwrap().catalogue, 3);
    bench.at(400_000);
    bench.serve();
    assert_eq!(bench.wait(registry.inspect()).unwrap().catalogue, 9);
}

#[test]
fn a_partner_that_sends_what_was_not_asked_for_ends_the_round_and_is_charged() {
    let mut bench = Bench::new(config());
    let registry = bench.registry();
    bench.turn();
    bench.network.wire().up(1);
    bench.turn();
    let mut lied = 0;
    for _ in 0..20 {
        let open = bench.network.wire().requests();
        for (id, request) in open {
            let Request::Ask { peer, question } = request else { continue };
            let body = match Question::decode(&question).unwrap() {
                Question::Heads { .. } => {
                    AnswerBody::Heads { heads: vec![(publisher(1).id(), 9)], more: false }
                }
                // Another publisher's statements, well signed.
                _ => {
                    lied += 1;
                    let others = statements(2, 1..=2).iter().map(|s| s.bytes().clone()).collect();
                    AnswerBody::Page { statements: others, more: true }
                }
            };
            let body = Answer { to: Question::tag(&question), body }.encode();
            let mut wire = bench.network.wire();
            wire.push(Event::Progress { id, from: peer, item: Item::Answer { body } });
            wire.finish(id, Ok(Done::Answered));
        }
        bench.turn();
    }
    let snapshot = bench.wait_alone(registry.inspect()).unwrap();
    assert_eq!((snapshot.catalogue, lied), (0, 1), "one lie ends it");
    assert_eq!((snapshot.counters.rounds_failed, snapshot.counters.rejected), (1, 1));
    assert_eq!(snapshot.catching_up, 0);
}

#[test]
fn a_silent_partner_costs_a_round_and_nothing_else() {
    let mut bench = Bench::new(config());
    let registry = bench.registry();
    bench.turn();
    bench.network.wire().up(1);
    bench.turn();
    assert_eq!(bench.wait_alone(registry.inspect()).unwrap().catching_up, 1);
    bench.at(61_000);
    let snapshot = bench.wait_alone(registry.inspect()).unwrap();
    assert!(snapshot.counters.rounds_failed >= 1, "{:?}", snapshot.counters);
}

#[test]
fn own_numbers_go_on_behind_what_others_know_after_a_lost_disk() {
    let mut bench = Bench::new(config().with_publisher(publisher(1)));
    bench.peers.insert(1, responder(&statements(1, 1..=6)));
    bench.network.wire().up(1);
    let registry = bench.registry();
    // Asked before the first round is through: it waits for it.
    let done = bench.wait(registry.publish(package(publisher(1).id(), "ink", "1.0.0", ""))).unwrap();
    assert_eq!(done.number, 7);
    let again = bench.wait(registry.publish(package(publisher(1).id(), "p3", "1.0.0", "")));
    assert!(again.is_err(), "what the catalogue holds was published before");
}

#[test]
fn own_numbers_are_asked_of_more_than_the_first_who_knows_nothing() {
    let knows = |who: u32| {
        let mut bench = Bench::new(config().with_publisher(publisher(1)));
        for peer in 1..=3 {
            let held = if peer == who { statements(1, 1..=6) } else { Vec::new() };
            bench.peers.insert(peer, responder(&held));
            bench.network.wire().up(peer);
        }
        let registry = bench.registry();
        bench.wait(registry.publish(package(publisher(1).id(), "ink", "1.0.0", ""))).unwrap().number
    };
    // Whoever is asked first, a number that was given is not given again.
    assert_eq!([knows(1), knows(2), knows(3)], [7, 7, 7]);
}

#[test]
fn an_answer_that_is_no_message_is_charged() {
    let mut bench = Bench::new(config());
    bench.network.wire().up(1);
    bench.turn();
    let asked = bench.network.wire().requests();
    for (id, request) in asked {
        if let Request::Ask { peer, .. } = request {
            let body = Bytes::from_static(b"\xff\xff");
            let mut wire = bench.network.wire();
            wire.push(Event::Progress { id, from: peer, item: Item::Answer { body } });
            wire.finish(id, Ok(Done::Answered));
        }
    }
    bench.turn();
    let registry = bench.registry();
    assert_eq!(bench.wait_alone(registry.inspect()).unwrap().counters.rejected, 1);
}
