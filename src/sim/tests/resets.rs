use core::time::Duration;
use std::collections::BTreeSet;

use bytes::Bytes;

use super::toy::*;
use crate::network::*;
use crate::sim::*;
use crate::testbed::*;

fn resets(share: f64, range: core::ops::Range<u32>) -> Fault {
    let change = LinkChange { resets: share, ..LinkChange::default() };
    Fault::Links { nodes: range.map(NodeId).collect::<BTreeSet<_>>(), change }
}

/// Every region a tenth of a second from every other.
fn far() -> Profile {
    Profile::explicit(&[vec![Duration::from_millis(100)]])
}

/// Of `asked` questions to so many peers, each over a connection that stands, the share that breaks.
fn broken(share: f64, asked: u32) -> f64 {
    let mut bed = world(config(11, far()), 1, asked as usize);
    let mut client = Client::of(&mut bed, 0);
    for peer in 1..=asked {
        tell(&mut bed, client.ask(peer, "dial")).result.unwrap();
    }
    let mut broken = 0;
    for peer in 1..=asked {
        // Its upkeep counts from the change, and so not at all.
        bed.apply(resets(share, peer..peer + 1)).unwrap();
        match tell(&mut bed, client.ask(peer, "q")).result {
            Ok(Done::Answered) => {}
            Err(Failure::Broken) => broken += 1,
            other => panic!("{other:?}"),
        }
        bed.apply(resets(0.0, peer..peer + 1)).unwrap();
    }
    f64::from(broken) / f64::from(asked)
}

#[test]
fn an_exchange_is_as_many_messages_as_real_nodes_make_of_it() {
    // 1 - 0.9^6; two messages would be 0.19.
    let tenth = broken(0.1, 400);
    assert!((tenth - 0.469).abs() < 0.06, "{tenth}");
    assert_eq!(broken(0.0, 40), 0.0);
}

#[test]
fn a_new_connection_breaks_by_what_it_carries_itself() {
    let mut bed = world(config(12, far()), 1, 600);
    let mut client = Client::of(&mut bed, 0);
    bed.apply(resets(0.05, 1..601)).unwrap();
    // Asked, and of these broken: over a connection that stood, and after a dial.
    let mut seen = [[0.0; 2]; 2];
    for peer in 1..=600 {
        let asked = tell(&mut bed, client.ask(peer, "q"));
        let of = &mut seen[usize::from(asked.stats.dial_time > Duration::ZERO)];
        of[0] += 1.0;
        of[1] += f64::from(u8::from(asked.result == Err(Failure::Broken)));
    }
    // 1 - 0.95^6, and with half of what a new connection carries 1 - 0.95^19.
    let [[stood, stood_broken], [dialled, dialled_broken]] = seen;
    assert!(stood > 0.0 && stood_broken / stood < 0.5, "{seen:?}");
    assert!((dialled_broken / dialled - 0.62).abs() < 0.06, "{seen:?}");
}

#[test]
fn who_was_asked_over_a_connection_that_is_reset_hears_that_nobody_waits() {
    let mut bed = world(config(13, far()), 2, 0);
    let (mut asker, mut other) = (Client::of(&mut bed, 0), Client::of(&mut bed, 1));
    let mut asked = Vec::new();
    tell(&mut bed, async {
        for question in ["held", "and another"] {
            let question = Bytes::from_static(question.as_bytes());
            asked.push(asker.submit(Request::Ask { peer: SimPeer(1), question }, MINUTE));
        }
    });
    let mut held = Vec::new();
    while held.len() < 2 {
        if let Event::Question { to, .. } = tell(&mut bed, other.event(None)) {
            held.push(to);
        }
    }
    bed.apply(resets(1.0, 1..2)).unwrap();
    let reset = tell(&mut bed, asker.ask(1, "a third"));
    assert_eq!(reset.result, Err(Failure::Broken));
    for _ in 0..2 {
        let withdrawn = tell(&mut bed, async {
            loop {
                if let Event::Withdrawn { to } = other.event(None).await {
                    return to;
                }
            }
        });
        assert!(held.contains(&withdrawn));
    }
    // What the other answers all the same goes nowhere.
    other.net.reply(held[0], Ok(Bytes::from_static(b"ok:")));
    tell(&mut bed, asker.sleep(MINUTE));
    let ended = asker.others.iter().filter_map(|event| match event {
        Event::Finished { result, .. } => Some(*result),
        _ => None,
    });
    assert_eq!(ended.collect::<Vec<_>>(), [Err(Failure::Broken); 2]);
}

#[test]
fn a_connection_that_stood_unused_was_reset_by_its_upkeep() {
    let mut seen = Vec::new();
    for idle in [0, 60] {
        let mut bed = world(config(14, far()), 1, 300);
        let mut client = Client::of(&mut bed, 0);
        for peer in 1..=300 {
            tell(&mut bed, client.ask(peer, "dial")).result.unwrap();
        }
        bed.apply(resets(0.02, 1..301)).unwrap();
        tell(&mut bed, client.sleep(Duration::from_secs(idle)));
        for peer in 1..=300 {
            client.submit(Request::Ask { peer: SimPeer(peer), question: Bytes::new() }, MINUTE);
        }
        let (mut dialled, mut asked) = (0, 0);
        while asked < 300 {
            if let Event::Finished { stats, .. } = tell(&mut bed, client.event(None)) {
                asked += 1;
                dialled += u32::from(stats.dial_time > Duration::ZERO);
            }
        }
        seen.push(dialled);
    }
    // 1 - 0.98^33 of 300, beside those that had no connection in either case.
    let grown = f64::from(seen[1] - seen[0]) / 300.0;
    assert!((grown - 0.487).abs() < 0.1, "{seen:?}");
}
