use core::time::Duration;
use std::collections::BTreeSet;

use bytes::Bytes;

use super::toy::*;
use crate::network::*;
use crate::sim::*;
use crate::testbed::*;

#[test]
fn a_put_ends_at_the_peers_that_are_truly_closest() {
    let mut bed = world(config(1, Profile::internet()), 1, 1000);
    let mut client = Client::of(&mut bed, 0);
    for i in 0..10 {
        let key = format!("key {i}");
        let put = tell(&mut bed, client.put(&key, "ok:v"));
        let mut wanted: BTreeSet<NodeId> = bed.closest(key.as_bytes(), 20).into_iter().collect();
        let mut held: BTreeSet<NodeId> = bed.holders(key.as_bytes()).into_iter().collect();
        // The client keeps a copy of its own, and is asked by nobody.
        let own = NodeId(0);
        assert!(held.remove(&own));
        wanted.remove(&own);
        assert_eq!(held, wanted, "{key}");
        assert_eq!(
            put.result,
            Ok(Done::Stored { acked: wanted.len() as u32, verified: Some(wanted.len() as u32) })
        );
    }
}

#[test]
fn a_record_put_by_one_is_got_by_everyone() {
    let mut bed = world(config(2, Profile::internet()), 8, 300);
    let mut first = Client::of(&mut bed, 0);
    tell(&mut bed, first.put("k", "ok:v"));
    for node in 1..8 {
        let mut client = Client::of(&mut bed, node);
        let got = tell(&mut bed, client.get("k"));
        assert_eq!(got.result, Ok(Done::Looked));
        assert!(got.items.len() >= 18, "{}", got.items.len());
        let from: BTreeSet<SimPeer> = got.items.iter().map(|(from, _)| *from).collect();
        assert_eq!(from.len(), got.items.len(), "each peer once");
        assert!(got.items.iter().all(|(_, i)| *i == Item::Record { value: Bytes::from_static(b"ok:v") }));
        assert_eq!(got.stats.bytes, 4 * got.items.len() as u64);
    }
}

#[test]
fn what_nobody_has_is_not_found_and_what_a_peer_serves_itself_is() {
    let mut bed = world(config(3, Profile::lan()), 1, 60);
    let mut client = Client::of(&mut bed, 0);
    let got = tell(&mut bed, client.get("nothing"));
    assert_eq!((got.result, got.items.len()), (Err(Failure::NotFound), 0));
    assert!(got.stats.answered >= 20);
    let got = tell(&mut bed, client.get("only-here"));
    assert_eq!(got.result, Ok(Done::Looked));
}

#[test]
fn a_preloaded_record_is_where_a_put_would_have_placed_it() {
    let mut bed = world(config(4, Profile::internet()), 1, 500);
    bed.preload(Bytes::from_static(b"k"), Bytes::from_static(b"ok:v"), MINUTE).unwrap();
    bed.start();
    let held: BTreeSet<NodeId> = bed.holders(b"k").into_iter().collect();
    assert_eq!(held, bed.closest(b"k", 20).into_iter().collect());
    let mut client = Client::of(&mut bed, 0);
    assert_eq!(tell(&mut bed, client.get("k")).result, Ok(Done::Looked));
    tell(&mut bed, client.sleep(MINUTE));
    assert_eq!(tell(&mut bed, client.get("k")).result, Err(Failure::NotFound), "it has expired");
}

#[test]
fn providers_are_told_and_found() {
    let mut bed = world(config(5, Profile::internet()), 3, 200);
    for node in 0..2 {
        let mut client = Client::of(&mut bed, node);
        let key = Bytes::from_static(b"thing");
        let told = tell(&mut bed, client.request(Request::Provide { key })).result;
        assert!(matches!(told, Ok(Done::Provided { told: 15..=20 })), "{told:?}");
        tell(&mut bed, client.sleep(MINUTE));
    }
    let mut client = Client::of(&mut bed, 2);
    let found = tell(&mut bed, client.request(Request::GetProviders { key: Bytes::from_static(b"thing") }));
    let peers: Vec<_> = found.items.into_iter().map(|(_, item)| item).collect();
    assert_eq!(peers, [0, 1].map(|n| Item::Provider { peer: SimPeer(n) }), "each provider once");
}

#[test]
fn a_question_is_answered_by_a_peer_near_or_far() {
    let mut bed = world(config(6, Profile::internet()), 1, 400);
    let mut client = Client::of(&mut bed, 0);
    for peer in [1, 77, 200, 400] {
        let asked = tell(&mut bed, client.ask(peer, "q"));
        assert_eq!(asked.result, Ok(Done::Answered), "{peer}");
        assert_eq!(asked.items, [(SimPeer(peer), Item::Answer { body: Bytes::from_static(b"ok:q") })]);
    }
    assert_eq!(tell(&mut bed, client.ask(0, "me")).result, Err(Failure::Unreachable));
    assert_eq!(tell(&mut bed, client.ask(9_999, "nobody")).result, Err(Failure::Unreachable));
}

#[test]
fn applications_answer_each_other() {
    let mut bed = world(config(7, Profile::internet()), 2, 50);
    let mut asker = Client::of(&mut bed, 0);
    let mut other = Client::of(&mut bed, 1);
    bed.run(
        Some(NodeId(1)),
        Box::pin(async move {
            loop {
                match other.event(None).await {
                    Event::Question { to, from, body } => {
                        assert_eq!(from, SimPeer(0));
                        other.net.reply(to, Ok([b"ok:heard ".as_slice(), &body].concat().into()));
                    }
                    Event::Closed => return,
                    _ => {}
                }
            }
        }),
    );
    let asked = tell(&mut bed, asker.ask(1, "you"));
    assert_eq!(asked.items, [(SimPeer(1), Item::Answer { body: Bytes::from_static(b"ok:heard you") })]);
}

#[test]
fn a_question_that_nobody_answers_ends_at_its_deadline_to_the_nanosecond_and_is_withdrawn() {
    let mut bed = world(config(8, Profile::internet()), 2, 50);
    let mut asker = Client::of(&mut bed, 0);
    let mut mute = Client::of(&mut bed, 1);
    let wanted = bed.now().after(Duration::from_millis(3_333));
    let ended = tell(&mut bed, async {
        let question = Bytes::from_static(b"?");
        let id = asker.submit(Request::Ask { peer: SimPeer(1), question }, Duration::from_millis(3_333));
        asker.wait(id).await
    });
    assert_eq!((ended.result, ended.at), (Err(Failure::TimedOut), wanted));
    tell(&mut bed, mute.sleep(MINUTE));
    let asked = mute.others.iter().position(|e| matches!(e, Event::Question { .. })).unwrap();
    assert!(mute.others[asked..].iter().any(|e| matches!(e, Event::Withdrawn { .. })));
    assert_eq!(mute.net.gauges().questions, 0);
}

#[test]
fn a_cancelled_request_says_nothing_more_and_leaves_nothing_behind() {
    let mut bed = world(config(9, Profile::internet()), 1, 100);
    bed.preload(Bytes::from_static(b"k"), Bytes::from_static(b"ok:v"), MINUTE).unwrap();
    let mut client = Client::of(&mut bed, 0);
    tell(&mut bed, async {
        let key = Bytes::from_static(b"k");
        let id = client.submit(Request::GetRecord { key }, MINUTE);
        while !matches!(client.event(None).await, Event::Progress { .. }) {}
        client.net.cancel(id);
        client.net.cancel(id);
        client.sleep(MINUTE).await;
    });
    assert!(!client.others.iter().any(|e| matches!(e, Event::Progress { .. } | Event::Finished { .. })));
    assert_eq!(client.net.gauges(), Gauges::default());
    assert_eq!(bed.under_way(), UnderWay::default());
}

#[test]
fn clients_are_never_found_by_walks() {
    let mut bed = world(config(10, Profile::lan()), 1, 100);
    for _ in 0..100 {
        let spec = NodeSpec { server: false, ..NodeSpec::served(Box::new(Echo::default())) };
        bed.spawn(spec).unwrap();
    }
    let mut client = Client::of(&mut bed, 0);
    tell(&mut bed, client.put("k", "ok:v"));
    assert!(bed.holders(b"k").iter().all(|n| n.0 <= 100));
    assert!(bed.closest(b"k", 20).iter().all(|n| n.0 <= 100));
}

#[test]
fn a_late_joiner_walks_in_and_is_found() {
    let mut bed = world(config(11, Profile::internet()), 1, 300);
    let mut client = Client::of(&mut bed, 0);
    tell(&mut bed, client.sleep(MINUTE));
    let before = bed.account().messages;
    let late = bed.spawn(NodeSpec::application()).unwrap();
    let mut newcomer = Client::of(&mut bed, late.0);
    tell(&mut bed, newcomer.sleep(MINUTE));
    assert!(bed.account().messages > before + 40, "it asked its way in");
    assert!(newcomer.others.iter().any(|e| matches!(e, Event::Peer { change: PeerChange::Up, .. })));
    assert_eq!(
        tell(&mut bed, client.ask(late.0, "you?")).result,
        Err(Failure::TimedOut),
        "reached, and mute"
    );
    tell(&mut bed, client.put("k", "ok:v"));
    assert_eq!(tell(&mut bed, newcomer.get("k")).result, Ok(Done::Looked));
    // Keys near the newcomer are kept at the newcomer.
    let near =
        (0..10_000).map(|i| format!("near {i}")).find(|k| bed.closest(k.as_bytes(), 1) == [late]).unwrap();
    tell(&mut bed, client.put(&near, "ok:v"));
    assert!(bed.holders(near.as_bytes()).contains(&late));
}

#[test]
fn an_announcement_reaches_every_subscriber_once_and_a_bad_one_nobody() {
    let mut bed = SimTestbed::new(config(12, Profile::internet())).unwrap();
    let (a, b) = (bed.spawn(NodeSpec::application()).unwrap(), bed.spawn(NodeSpec::application()).unwrap());
    let peers: Vec<Echo> = (0..200).map(|_| Echo::default()).collect();
    for peer in &peers {
        bed.spawn(NodeSpec::served(Box::new(peer.clone()))).unwrap();
    }
    let (mut author, mut reader) = (Client::of(&mut bed, a.0), Client::of(&mut bed, b.0));
    let topic = Bytes::from_static(b"news");
    tell(&mut bed, reader.request(Request::Subscribe { topic: topic.clone() }));
    for payload in ["ok:1", "bad", "ok:2"] {
        let payload = Bytes::from_static(payload.as_bytes());
        let sent = tell(&mut bed, author.request(Request::Announce { topic: topic.clone(), payload }));
        assert!(matches!(sent.result, Ok(Done::Announced { to: 100.. })), "all that are connected: {sent:?}");
        tell(&mut bed, author.sleep(MINUTE));
    }
    for peer in &peers {
        assert_eq!(*peer.heard.lock().unwrap(), ["ok:1", "ok:2"]);
    }
    tell(&mut bed, reader.sleep(MINUTE));
    let heard: Vec<_> = reader.others.iter().filter(|e| matches!(e, Event::Announcement { .. })).collect();
    assert_eq!(heard.len(), 2);
    assert!(bed.account().rejected >= 6, "each whom it was handed to refused the bad one");
}

#[test]
fn load_makes_answers_late_because_peers_serve_one_thing_at_a_time() {
    let slowest = |questions: u32| {
        let mut bed = world(config(13, Profile::lan()), 1, 30);
        let mut client = Client::of(&mut bed, 0);
        let mut elapsed: Vec<Duration> = tell(&mut bed, async {
            client.ask(5, "hello").await;
            let ids: Vec<RequestId> = (0..questions)
                .map(|i| {
                    let question = Bytes::from(i.to_string());
                    client.submit(Request::Ask { peer: SimPeer(5), question }, MINUTE)
                })
                .collect();
            let mut left: BTreeSet<RequestId> = ids.into_iter().collect();
            let mut elapsed = Vec::new();
            while !left.is_empty() {
                if let Event::Finished { id, stats, result } = client.event(None).await {
                    assert_eq!(result, Ok(Done::Answered));
                    left.remove(&id);
                    elapsed.push(stats.elapsed);
                }
            }
            elapsed
        });
        elapsed.sort();
        elapsed[elapsed.len() * 95 / 100]
    };
    let (few, many) = (slowest(2), slowest(60));
    assert!(many > few * 5, "{few:?} {many:?}");
}

#[test]
fn a_first_walk_that_is_modelled_sends_nothing_and_the_peer_is_heard_of() {
    let joined = |join_walks| {
        let mut bed = world(SimConfig { join_walks, ..config(11, Profile::internet()) }, 1, 400);
        let mut client = Client::of(&mut bed, 0);
        bed.run_until(bed.now().after(MINUTE));
        let before = bed.account();
        let key = Bytes::from_static(b"beside the newcomer");
        let near = NodeSpec { near: Some(key.clone()), ..NodeSpec::served(Box::new(Echo::default())) };
        let newcomer = bed.spawn(near).unwrap();
        let at_once = bed.account().dials - before.dials;
        bed.run_until(bed.now().after(MINUTE));
        let sent = bed.account().messages - before.messages;
        let put = tell(&mut bed, client.put("beside the newcomer", "ok:v"));
        assert!(put.result.is_ok() && bed.holders(&key).contains(&newcomer), "{join_walks}");
        (at_once, sent)
    };
    let (walks, modelled) = (joined(true), joined(false));
    assert!(walks.0 <= 3 && walks.1 >= 40, "{walks:?}");
    assert!(modelled.0 >= 20 && modelled.1 == 0, "{modelled:?}");
}
