//! A world without connections: what a message costs, and what becomes of one to whoever is gone.

use core::time::Duration;

use super::toy::*;
use crate::network::*;
use crate::sim::*;
use crate::testbed::*;

const WAY: Duration = Duration::from_millis(100);

fn bare(datagrams: bool) -> SimTestbed {
    let profile = Profile {
        service: Service { question: Dist::Constant(Duration::ZERO), ..Service::default() },
        ..Profile::explicit(&[vec![WAY]])
    };
    world(SimConfig { datagrams, ..config(21, profile) }, 1, 400)
}

/// How long a question to each of the last hundred takes, from the submit.
fn taken(bed: &mut SimTestbed, client: &mut Client) -> Vec<Duration> {
    (300..400).map(|peer| tell(bed, client.ask(peer, "q")).stats.elapsed).collect()
}

#[test]
fn a_datagram_takes_one_round_trip_to_anyone_from_the_first() {
    let mut bed = bare(true);
    let mut client = Client::of(&mut bed, 0);
    assert_eq!(taken(&mut bed, &mut client), [WAY * 2; 100]);
    assert_eq!((bed.account().dials, bed.account().messages), (0, 200));
    assert_eq!(client.others, [], "no connection is spoken of");

    let mut libp2p = bare(false);
    let mut client = Client::of(&mut libp2p, 0);
    let taken = taken(&mut libp2p, &mut client);
    assert!(taken.iter().all(|taken| *taken >= WAY * 4), "{taken:?}");
    assert!(libp2p.account().dials > 0 && !client.others.is_empty());
}

#[test]
fn datagrams_meet_the_same_deaths_cuts_and_resets_and_find_the_same_records() {
    let mut bed = bare(true);
    let mut client = Client::of(&mut bed, 0);
    bed.apply(Fault::Kill { node: NodeId(7), keep: Keep::All }).unwrap();
    let gone = tell(&mut bed, client.ask(7, "q"));
    assert_eq!((gone.result, gone.stats.elapsed), (Err(Failure::Broken), WAY * 2));
    bed.apply(Fault::Cut { from: [NodeId(0)].into(), to: [NodeId(8)].into(), way: Way::Both }).unwrap();
    assert_eq!(tell(&mut bed, client.ask(8, "q")).result, Err(Failure::TimedOut));
    let change = LinkChange { resets: 1.0, ..LinkChange::default() };
    bed.apply(Fault::Links { nodes: [NodeId(9)].into(), change }).unwrap();
    assert_eq!(tell(&mut bed, client.ask(9, "q")).result, Err(Failure::Broken));
    assert!(matches!(tell(&mut bed, client.put("k", "ok:v")).result, Ok(Done::Stored { acked: 20, .. })));
    assert_eq!(tell(&mut bed, client.get("k")).result, Ok(Done::Looked));
    assert_eq!(bed.account().dials, 0);
}

#[test]
fn announcements_go_over_the_mesh_and_past_neighbours_that_died() {
    let mut bed = bare(true);
    let mut client = Client::of(&mut bed, 0);
    for node in 100..250 {
        bed.apply(Fault::Kill { node: NodeId(node), keep: Keep::All }).unwrap();
    }
    let before = bed.account().messages;
    let announce = Request::Announce { topic: "t".into(), payload: "ok:a".into() };
    assert!(matches!(tell(&mut bed, client.request(announce)).result, Ok(Done::Announced { to: 1.. })));
    bed.run_until(bed.now().after(Duration::from_secs(10)));
    // All who are left hear it, most of them more than once.
    assert!(bed.account().messages - before >= 250, "{:?}", bed.account());
    assert!(bed.account().lost < 100, "{:?}", bed.account());
}
