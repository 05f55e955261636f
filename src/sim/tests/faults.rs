use core::time::Duration;
use std::collections::BTreeSet;

use bytes::Bytes;

use super::toy::*;
use crate::network::*;
use crate::sim::*;
use crate::store::{Batch, Store};
use crate::testbed::*;

fn nodes(range: core::ops::Range<u32>) -> BTreeSet<NodeId> {
    range.map(NodeId).collect()
}

#[test]
fn a_killed_node_closes_and_comes_back_with_what_was_synced() {
    for (keep, survives) in [(Keep::All, 2), (Keep::Synced, 1), (Keep::Nothing, 0)] {
        let mut bed = world(config(1, Profile::lan()), 1, 40);
        let mut client = Client::of(&mut bed, 0);
        let mut store = bed.store(NodeId(0)).unwrap();
        assert!(bed.store(NodeId(0)).is_none(), "once in each life");
        let write = |store: &mut SimStore, key: &'static str| {
            let mut batch = Batch::new();
            batch.put(key, "v");
            store.submit(batch).unwrap();
        };
        write(&mut store, "a");
        tell(&mut bed, core::future::poll_fn(|cx| store.poll_synced(cx))).1.unwrap();
        write(&mut store, "b");
        bed.apply(Fault::Kill { node: NodeId(0), keep }).unwrap();
        assert_eq!(tell(&mut bed, client.event(None)), Event::Closed);
        assert_eq!(bed.block_on(MINUTE, client.event(None)), None, "nothing follows");
        assert!(store.get(b"a").is_err(), "a dead node's store is closed");
        assert!(bed.network(NodeId(0)).is_none());
        bed.apply(Fault::Restart { node: NodeId(0) }).unwrap();
        let again = bed.store(NodeId(0)).unwrap();
        assert_eq!(again.range(b"a", b"z", 9).unwrap().len(), survives, "{keep:?}");
        let mut client = Client::of(&mut bed, 0);
        assert_eq!(tell(&mut bed, client.ask(7, "q")).result, Ok(Done::Answered), "it found its way back in");
    }
}

#[test]
fn a_peer_that_dies_before_its_answer_leaves_breaks_off() {
    let slow = Dist::Constant(Duration::from_secs(3));
    let mut profile = Profile::lan();
    profile.service.question = slow;
    profile.service.backlog = MINUTE;
    let mut bed = world(config(2, profile), 1, 30);
    let mut client = Client::of(&mut bed, 0);
    let id = tell(&mut bed, async {
        let id = client.submit(Request::Ask { peer: SimPeer(9), question: Bytes::from_static(b"q") }, MINUTE);
        client.sleep(Duration::from_secs(1)).await;
        id
    });
    bed.apply(Fault::Kill { node: NodeId(9), keep: Keep::All }).unwrap();
    assert_eq!(tell(&mut bed, client.wait(id)).result, Err(Failure::Broken));
    let asked = tell(&mut bed, client.ask(9, "q"));
    assert_eq!(asked.result, Err(Failure::Unreachable));
    // A dead dial takes five seconds, and the walk for another address of it dials once more.
    assert_eq!(asked.stats.elapsed, Duration::from_secs(10));
    bed.apply(Fault::Restart { node: NodeId(9) }).unwrap();
    tell(&mut bed, client.sleep(MINUTE));
    assert_eq!(tell(&mut bed, client.ask(9, "q")).result, Ok(Done::Answered));
}

#[test]
fn a_partition_keeps_sides_apart_until_it_heals() {
    let mut bed = world(config(3, Profile::internet()), 2, 198);
    let (near, far) = (nodes(0..100), nodes(100..200));
    let mut client = Client::of(&mut bed, 0);
    tell(&mut bed, client.ask(150, "before")).result.unwrap();
    let cut = Fault::Cut { from: near.clone(), to: far.clone(), way: Way::Both };
    bed.apply(cut).unwrap();
    assert!(!bed.connects(NodeId(0), NodeId(150)) && bed.connects(NodeId(0), NodeId(50)));
    assert_eq!(tell(&mut bed, client.ask(150, "during")).result, Err(Failure::Unreachable));
    assert_eq!(tell(&mut bed, client.ask(50, "during")).result, Ok(Done::Answered));
    tell(&mut bed, client.put("k", "ok:v"));
    assert!(bed.holders(b"k").iter().all(|n| n.0 < 100), "nothing crosses");
    bed.apply(Fault::Heal { from: near, to: far }).unwrap();
    tell(&mut bed, client.sleep(MINUTE * 6));
    assert_eq!(tell(&mut bed, client.ask(150, "after")).result, Ok(Done::Answered));
    tell(&mut bed, client.put("after", "ok:v"));
    assert!(bed.holders(b"after").iter().any(|n| n.0 >= 100));
}

#[test]
fn cut_one_way_requests_arrive_and_answers_do_not() {
    let mut bed = world(config(4, Profile::lan()), 2, 40);
    let (mut asker, mut other) = (Client::of(&mut bed, 0), Client::of(&mut bed, 1));
    let id = tell(&mut bed, async {
        asker.submit(Request::Ask { peer: SimPeer(1), question: Bytes::from_static(b"q") }, MINUTE)
    });
    let question = tell(&mut bed, async {
        loop {
            if let Event::Question { to, .. } = other.event(None).await {
                return to;
            }
        }
    });
    bed.apply(Fault::Cut { from: nodes(1..2), to: nodes(0..1), way: Way::OneWay }).unwrap();
    other.net.reply(question, Ok(Bytes::from_static(b"ok:")));
    assert_eq!(tell(&mut bed, asker.wait(id)).result, Err(Failure::TimedOut));
    let again = tell(&mut bed, asker.ask(1, "again"));
    assert_eq!(again.result, Err(Failure::Unreachable), "no handshake");
}

#[test]
fn silent_stalled_slow_and_undialable_peers_do_what_they_are_called() {
    let mut bed = world(config(5, Profile::internet()), 1, 60);
    let mut client = Client::of(&mut bed, 0);
    bed.apply(Fault::Silent { node: NodeId(5), silent: true }).unwrap();
    bed.apply(Fault::Stall { node: NodeId(6), stalled: true }).unwrap();
    bed.apply(Fault::Slow { node: NodeId(7), factor: 10_000 }).unwrap();
    tell(&mut bed, client.sleep(MINUTE));
    bed.apply(Fault::Dialable { node: NodeId(8), dialable: false }).unwrap();
    assert_eq!(tell(&mut bed, client.ask(5, "q")).result, Err(Failure::TimedOut));
    assert_eq!(tell(&mut bed, client.ask(6, "q")).result, Err(Failure::TimedOut));
    let slow = tell(&mut bed, client.ask(7, "q"));
    assert!(slow.stats.elapsed > Duration::from_secs(1), "{slow:?}");
    for node in [5, 6] {
        bed.apply(Fault::Silent { node: NodeId(node), silent: false }).unwrap();
        bed.apply(Fault::Stall { node: NodeId(node), stalled: false }).unwrap();
        assert_eq!(tell(&mut bed, client.ask(node, "q")).result, Ok(Done::Answered));
    }
}

#[test]
fn link_changes_delay_reset_and_refuse_and_are_taken_back() {
    let mut bed = world(config(6, Profile::lan()), 1, 40);
    let mut client = Client::of(&mut bed, 0);
    let change = |change| Fault::Links { nodes: nodes(9..10), change };
    tell(&mut bed, client.ask(9, "dial")).result.unwrap();
    bed.apply(change(LinkChange { extra_delay: Duration::from_secs(1), ..Default::default() })).unwrap();
    let late = tell(&mut bed, client.ask(9, "q")).stats.elapsed;
    // The stream's opening and the question: a round trip each.
    assert!(late > Duration::from_secs(4) && late < Duration::from_millis(4200), "{late:?}");
    bed.apply(change(LinkChange { resets: 1.0, ..Default::default() })).unwrap();
    assert_eq!(tell(&mut bed, client.ask(9, "q")).result, Err(Failure::Broken));
    bed.apply(change(LinkChange { refused_dials: 1.0, ..Default::default() })).unwrap();
    let refused = tell(&mut bed, client.ask(9, "q"));
    assert_eq!(refused.result, Err(Failure::Unreachable));
    assert!(
        refused.stats.elapsed < Duration::from_millis(100),
        "a dial, a walk for another address, and no wait"
    );
    bed.apply(change(LinkChange { dead_dials: 1.0, ..Default::default() })).unwrap();
    assert_eq!(tell(&mut bed, client.ask(9, "q")).stats.elapsed, Duration::from_secs(10));
    bed.apply(change(LinkChange::default())).unwrap();
    assert_eq!(tell(&mut bed, client.ask(9, "q")).result, Ok(Done::Answered));
}

#[test]
fn garbled_records_are_refused_counted_and_never_handed_over() {
    let ways = vec![Garble::Noise, Garble::HostileLengths, Garble::HostileNesting, Garble::Oversized];
    let mut bed = world(config(7, Profile::internet()), 1, 100);
    bed.preload(Bytes::from_static(b"k"), Bytes::from_static(b"ok:value"), MINUTE * 60).unwrap();
    bed.start();
    let liars = bed.holders(b"k").into_iter().skip(5).collect::<Vec<_>>();
    for node in &liars {
        bed.apply(Fault::Garbles { node: *node, ways: ways.clone() }).unwrap();
    }
    let mut client = Client::of(&mut bed, 0);
    let got = tell(&mut bed, client.get("k"));
    assert!(got.items.len() <= 5 && !got.items.is_empty());
    assert!(got.items.iter().all(|(_, i)| *i == Item::Record { value: Bytes::from_static(b"ok:value") }));
    let refused: BTreeSet<SimPeer> = client
        .others
        .iter()
        .filter_map(|e| match e {
            Event::Rejected { from, what: Ware::Record, .. } => Some(*from),
            _ => None,
        })
        .collect();
    assert!(refused.len() >= 10 && refused.iter().all(|p| liars.contains(&NodeId(p.0))));
    assert_eq!(bed.account().garbled_in_all(), bed.account().rejected);
}

#[test]
fn an_answer_over_the_limit_is_refused_and_charged() {
    let mut bed = world(config(8, Profile::internet()), 1, 30);
    let mut client = Client::of(&mut bed, 0);
    bed.apply(Fault::Garbles { node: NodeId(3), ways: vec![Garble::Oversized] }).unwrap();
    let asked = tell(&mut bed, client.ask(3, "q"));
    assert_eq!((asked.result, asked.items.len()), (Err(Failure::Broken), 0));
    let wanted = Event::Rejected { from: SimPeer(3), what: Ware::Answer, why: Invalid::TOO_LARGE };
    assert!(client.others.contains(&wanted));
}

#[test]
fn a_network_that_churns_keeps_finding() {
    let mut bed = world(config(9, Profile::internet()), 1, 300);
    let mut client = Client::of(&mut bed, 0);
    let mut stream = Seed::new(9).stream(Concern(1000), 0);
    let mut found = 0;
    for i in 0..30 {
        let key = format!("k{i}");
        tell(&mut bed, client.put(&key, "ok:v"));
        for _ in 0..20 {
            let node = NodeId(1 + stream.below(300) as u32);
            let fault = if bed.is_up(node) {
                Fault::Kill { node, keep: Keep::Synced }
            } else {
                Fault::Restart { node }
            };
            bed.apply(fault).unwrap();
        }
        tell(&mut bed, client.sleep(MINUTE));
        // Its own copy does not count.
        let got = tell(&mut bed, client.get(&key));
        found += u32::from(got.items.iter().any(|(from, _)| from.0 != 0));
    }
    assert_eq!(found, 30);
    tell(&mut bed, client.sleep(MINUTE * 5));
    assert_eq!(bed.under_way(), UnderWay::default());
}

#[test]
fn a_blocked_peer_is_neither_asked_nor_heard() {
    let mut bed = world(config(10, Profile::lan()), 2, 30);
    let (mut a, mut b) = (Client::of(&mut bed, 0), Client::of(&mut bed, 1));
    a.net.block(SimPeer(1), bed.now().after(MINUTE));
    assert_eq!(tell(&mut bed, a.ask(1, "q")).result, Err(Failure::Local));
    let asked = tell(&mut bed, async {
        let id = b.submit(
            Request::Ask { peer: SimPeer(0), question: Bytes::from_static(b"q") },
            Duration::from_secs(5),
        );
        b.wait(id).await
    });
    assert_eq!(asked.result, Err(Failure::TimedOut));
    tell(&mut bed, a.sleep(MINUTE));
    assert!(!a.others.iter().any(|e| matches!(e, Event::Question { .. })));
}

#[test]
fn announcements_reach_those_whose_neighbours_have_died() {
    let mut bed = SimTestbed::new(config(11, Profile::internet())).unwrap();
    bed.spawn(NodeSpec::application()).unwrap();
    let peers: Vec<Echo> = (0..200).map(|_| Echo::default()).collect();
    for peer in &peers {
        bed.spawn(NodeSpec::served(Box::new(peer.clone()))).unwrap();
    }
    let mut author = Client::of(&mut bed, 0);
    tell(&mut bed, author.sleep(MINUTE));
    // Seven of ten leave within a minute and a half.
    for node in (1..=200).filter(|n| n % 10 > 2) {
        bed.apply(Fault::Kill { node: NodeId(node), keep: Keep::All }).unwrap();
        tell(&mut bed, author.sleep(Duration::from_millis(600)));
    }
    tell(&mut bed, author.sleep(MINUTE));
    let (topic, payload) = (Bytes::from_static(b"news"), Bytes::from_static(b"ok:still here"));
    tell(&mut bed, author.request(Request::Announce { topic, payload })).result.unwrap();
    tell(&mut bed, author.sleep(MINUTE));
    for node in (1..=200u32).filter(|n| n % 10 <= 2) {
        assert_eq!(peers[node as usize - 1].heard.lock().unwrap().len(), 1, "{node}");
    }
}

#[test]
fn lookups_over_the_limit_wait_and_a_cancelled_one_gives_up_its_place() {
    let mut bed = world(config(12, Profile::internet()), 1, 100);
    let mut client = Client::of(&mut bed, 0);
    let key = |i: u32| Bytes::from(format!("k{i}"));
    let ended = tell(&mut bed, async {
        let ids: Vec<RequestId> =
            (0..200).map(|i| client.submit(Request::GetRecord { key: key(i) }, MINUTE)).collect();
        for id in &ids[100..150] {
            client.net.cancel(*id);
        }
        let mut ended = BTreeSet::new();
        while ended.len() < 150 {
            if let Event::Finished { id, result, .. } = client.event(None).await {
                assert_eq!(result, Err(Failure::NotFound));
                assert!(ended.insert(id));
            }
        }
        ended
    });
    assert!(!ended.contains(&RequestId(120)));
    assert_eq!(client.net.gauges(), Gauges::default());
}

#[test]
fn a_full_peer_acknowledges_and_keeps_no_new_key_but_renews_what_it_holds() {
    let mut bed = world(config(21, Profile::lan()), 1, 60);
    let mut client = Client::of(&mut bed, 0);
    tell(&mut bed, client.put("old", "ok:1")).result.unwrap();
    let holds = bed.holders(b"old");
    assert!(holds.len() > 5, "{holds:?}");
    for node in 1..61 {
        bed.apply(Fault::Full { node: NodeId(node), full: true }).unwrap();
    }
    let new = tell(&mut bed, client.put("new", "ok:1"));
    assert!(matches!(new.result, Ok(Done::Stored { acked, verified: Some(0) }) if acked > 5), "{new:?}");
    assert!(bed.holders(b"new").iter().all(|node| node.0 == 0), "nobody else keeps it");
    tell(&mut bed, client.put("old", "ok:2")).result.unwrap();
    let old = tell(&mut bed, client.get("old"));
    let value = |item: &Item<SimPeer>| matches!(item, Item::Record { value, .. } if value == "ok:2");
    assert!(old.items.iter().any(|(_, item)| value(item)), "{old:?}");
    for node in 1..61 {
        bed.apply(Fault::Full { node: NodeId(node), full: false }).unwrap();
    }
    tell(&mut bed, client.put("new", "ok:1")).result.unwrap();
    assert!(bed.holders(b"new").len() > 5, "there is room again");
}

#[test]
fn a_lying_acknowledgement_counts_as_acknowledged_and_never_as_verified() {
    let mut bed = world(config(22, Profile::lan()), 1, 60);
    let mut client = Client::of(&mut bed, 0);
    for node in 1..61 {
        bed.apply(Fault::Forgets { node: NodeId(node), forgets: true }).unwrap();
    }
    let put = tell(&mut bed, client.put("k", "ok:1"));
    assert!(matches!(put.result, Ok(Done::Stored { acked, verified: Some(0) }) if acked > 5), "{put:?}");
    assert!(bed.holders(b"k").iter().all(|node| node.0 == 0));
    for node in 1..61 {
        bed.apply(Fault::Forgets { node: NodeId(node), forgets: false }).unwrap();
    }
    let put = tell(&mut bed, client.put("k", "ok:1"));
    assert!(matches!(put.result, Ok(Done::Stored { verified: Some(1..), .. })), "{put:?}");
}

#[test]
fn a_late_peer_answers_so_much_later_however_many_ask() {
    let mut bed = world(config(23, Profile::lan()), 1, 60);
    let mut client = Client::of(&mut bed, 0);
    tell(&mut bed, client.ask(9, "dial")).result.unwrap();
    bed.apply(Fault::Late { node: NodeId(9), by: Duration::from_secs(4) }).unwrap();
    let asked = |peer| Request::Ask { peer: SimPeer(peer), question: Bytes::from_static(b"q") };
    let began = bed.now();
    let ids: Vec<_> = (0..3).map(|_| client.submit(asked(9), MINUTE)).collect();
    tell(&mut bed, async {
        let mut answered = 0;
        while answered < ids.len() {
            if let Event::Finished { id, result, .. } = client.event(None).await {
                assert!(ids.contains(&id) && result == Ok(Done::Answered), "{result:?}");
                answered += 1;
            }
        }
    });
    let took = bed.now().since(began);
    assert!(took >= Duration::from_secs(4) && took < Duration::from_secs(5), "{took:?}");
    let id = client.submit(asked(9), Duration::from_secs(3));
    assert_eq!(tell(&mut bed, client.wait(id)).result, Err(Failure::TimedOut), "after its deadline");
    bed.apply(Fault::Late { node: NodeId(9), by: Duration::ZERO }).unwrap();
    assert!(tell(&mut bed, client.ask(9, "q")).stats.elapsed < Duration::from_secs(1));
}

#[test]
fn a_node_whose_calendar_is_wrong_judges_by_it_and_keeps_its_deadlines() {
    let mut bed = world(config(24, Profile::lan()), 1, 20);
    let network = bed.network(NodeId(0)).unwrap();
    let (true_wall, true_now) = (bed.wall(), bed.now());
    assert_eq!(network.wall(), true_wall);
    let day = Duration::from_secs(86_400);
    bed.apply(Fault::Skew { node: NodeId(0), by: day, behind: true }).unwrap();
    assert_eq!(true_wall.since(network.wall()), day);
    assert_eq!((network.now(), bed.wall()), (true_now, true_wall), "nobody else's, and not the run's time");
    bed.apply(Fault::Skew { node: NodeId(0), by: day, behind: false }).unwrap();
    assert_eq!(network.wall().since(true_wall), day);
    bed.apply(Fault::Skew { node: NodeId(0), by: Duration::ZERO, behind: false }).unwrap();
    assert_eq!(network.wall(), true_wall);
}

#[test]
fn a_peer_can_be_made_to_announce_and_an_application_cannot() {
    let mut bed = world(config(25, Profile::lan()), 1, 20);
    let mut client = Client::of(&mut bed, 0);
    let id = client.submit(Request::Subscribe { topic: Bytes::from_static(b"news") }, MINUTE);
    tell(&mut bed, client.wait(id)).result.unwrap();
    let says = |node| {
        let (topic, payload) = (Bytes::from_static(b"news"), Bytes::from_static(b"ok:storm"));
        Fault::Announces { node: NodeId(node), topic, payload }
    };
    assert!(bed.apply(says(0)).is_err());
    bed.apply(says(7)).unwrap();
    let heard = tell(&mut bed, async {
        loop {
            if let Event::Announcement { payload, .. } = client.event(None).await {
                return payload;
            }
        }
    });
    assert_eq!(heard, "ok:storm");
}

#[test]
fn peers_that_collude_lead_walks_to_each_other_and_honest_ones_find_the_way_again() {
    let mut bed = world(config(26, Profile::lan()), 1, 60);
    let mut client = Client::of(&mut bed, 0);
    tell(&mut bed, client.put("k", "ok:1")).result.unwrap();
    assert!(tell(&mut bed, client.get("k")).result.is_ok());
    // Everybody but the client: nobody is left who names anyone else, and nobody gives the record.
    let all: BTreeSet<NodeId> = nodes(1..61);
    for node in &all {
        bed.apply(Fault::Colludes { node: *node, with: nodes(1..9) }).unwrap();
    }
    let got = tell(&mut bed, client.get("k"));
    let others = got.items.iter().filter(|(from, _)| from.0 != 0).count();
    assert_eq!(others, 0, "{got:?}");
    for node in &all {
        bed.apply(Fault::Colludes { node: *node, with: BTreeSet::new() }).unwrap();
    }
    let got = tell(&mut bed, client.get("k"));
    assert!(got.items.iter().any(|(from, _)| from.0 != 0), "{got:?}");
}

#[test]
fn a_peer_whose_identity_was_chosen_stands_nearest_to_its_key_in_every_seed() {
    for seed in 0..20 {
        let mut bed = world(config(seed, Profile::lan()), 1, 60);
        let spec =
            NodeSpec { near: Some(Bytes::from_static(b"k")), ..NodeSpec::served(Box::new(Echo::default())) };
        let chosen = bed.spawn(spec).unwrap();
        let mut client = Client::of(&mut bed, 0);
        tell(&mut bed, client.put("k", "ok:1")).result.unwrap();
        assert_eq!(bed.closest(b"k", 3).first(), Some(&chosen));
        assert!(bed.holders(b"k").contains(&chosen));
    }
}

#[test]
fn names_that_were_made_up_cost_a_walk_a_dial_each_and_no_more_than_an_answer_holds() {
    let dials = |names: u32| {
        // So that there is time for all of them.
        let profile = Profile { dead_dial: Duration::from_millis(100), ..Profile::lan() };
        let mut bed = world(config(27, profile), 1, 60);
        let nobody: BTreeSet<NodeId> = (0..names)
            .map(|_| {
                let near = Some(Bytes::from_static(b"k"));
                let spec = NodeSpec { near, server: false, ..NodeSpec::served(Box::new(Echo::default())) };
                let node = bed.spawn(spec).unwrap();
                bed.apply(Fault::Kill { node, keep: Keep::Nothing }).unwrap();
                node
            })
            .collect();
        let mut client = Client::of(&mut bed, 0);
        for node in nodes(1..61) {
            bed.apply(Fault::Colludes { node, with: nobody.clone() }).unwrap();
        }
        let before = bed.account();
        tell(&mut bed, client.get("k"));
        let after = bed.account();
        after.failed_dials - before.failed_dials
    };
    // Nearer than anybody who exists, so all of them are tried; beyond what an answer holds nobody hears of them.
    assert_eq!(dials(0), 0);
    assert_eq!(dials(50), 50);
    let (most, more) = (dials(181), dials(1_000));
    assert_eq!(most, 181);
    assert_eq!(more, most);
}
