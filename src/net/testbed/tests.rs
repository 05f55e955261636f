use core::future::poll_fn;
use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;

use super::{Carrier, Served, Service, Start, SwarmCounts, SwarmSetup, SwarmTestbed, Wire};
use crate::net::network::Libp2pNetwork;
use crate::network::*;
use crate::testbed::*;
use crate::time::WallTime;

/// What begins with `good` is.
struct Anything;

impl Validator for Anything {
    fn record(&self, _: &[u8], value: &[u8], _: WallTime) -> Result<(), Invalid> {
        if value.starts_with(b"good") { Ok(()) } else { Err(Invalid { code: 200, reason: "not-good" }) }
    }

    fn announcement(&self, _: &[u8], _: &[u8], _: WallTime) -> Result<(), Invalid> {
        Ok(())
    }

    fn select(&self, _: &[u8], _: &[u8], _: &[u8]) -> Choice {
        Choice::Held
    }
}

/// Says what it was asked, and holds a record under every key.
struct Echo;

impl Responder for Echo {
    fn answer(&mut self, question: &[u8], _: AnswerLimits) -> Result<Bytes, Refusal> {
        Ok(Bytes::copy_from_slice(question))
    }

    fn announced(&mut self, _: &[u8], _: &Bytes, _: WallTime) {}

    fn record(&mut self, _: &[u8]) -> Option<Bytes> {
        Some(Bytes::from_static(b"good and long enough to be ruined"))
    }

    fn forget(&mut self) {}
}

const WORDS: &[u8] = b"words that come back";
const PATIENCE: Duration = Duration::from_millis(1500);
const ASKER: NodeId = NodeId(0);
const ECHO: NodeId = NodeId(1);

/// An asker and an echo.
fn pair(wire: Wire) -> (SwarmTestbed, Libp2pNetwork) {
    let mut bed = SwarmTestbed::new(SwarmSetup::new(wire, Arc::new(Anything), Vec::new())).unwrap();
    bed.spawn(NodeSpec::application()).unwrap();
    bed.spawn(NodeSpec::served(Box::new(Echo))).unwrap();
    let network = bed.network(ASKER).unwrap();
    (bed, network)
}

/// What came of a request, in order, up to its end.
fn events(
    bed: &mut SwarmTestbed,
    network: &mut Libp2pNetwork,
    request: Request<libp2p::PeerId>,
) -> (Vec<Event<libp2p::PeerId>>, Duration) {
    let begun = bed.now();
    network.submit(
        RequestId(begun.as_nanos()),
        request,
        Limits { deadline: begun.after(PATIENCE), bytes: 4096 },
    );
    let mut all = Vec::new();
    let ended = bed.block_on(Duration::from_secs(20), async {
        loop {
            let event = poll_fn(|cx| network.poll_event(cx, None)).await;
            let last = matches!(event, Event::Finished { .. });
            all.push(event);
            if last {
                return;
            }
        }
    });
    assert_eq!(ended, Some(()), "{all:?}");
    (all, bed.now().since(begun))
}

fn ask(
    bed: &mut SwarmTestbed,
    network: &mut Libp2pNetwork,
) -> (Result<Done, Failure>, Vec<Item<libp2p::PeerId>>, Duration) {
    let peer = bed.peer(ECHO).unwrap();
    let (all, took) = events(bed, network, Request::Ask { peer, question: Bytes::from_static(WORDS) });
    let items = all.iter().filter_map(|event| match event {
        Event::Progress { item, .. } => Some(item.clone()),
        _ => None,
    });
    let items = items.collect();
    let result = all.iter().find_map(|event| match event {
        Event::Finished { result, .. } => Some(*result),
        _ => None,
    });
    (result.unwrap(), items, took)
}

fn is_answered(bed: &mut SwarmTestbed, network: &mut Libp2pNetwork) {
    let (result, items, _) = ask(bed, network);
    assert_eq!(result, Ok(Done::Answered));
    assert_eq!(items, [Item::Answer { body: Bytes::from_static(WORDS) }]);
}

#[test]
fn the_silent_and_the_stalled_do_not_answer_in_time_and_then_do_again() {
    for wire in Wire::ALL {
        let (mut bed, mut network) = pair(wire);
        is_answered(&mut bed, &mut network);
        type Strike = fn(bool) -> Fault;
        let strikes: [Strike; 2] =
            [|on| Fault::Silent { node: ECHO, silent: on }, |on| Fault::Stall { node: ECHO, stalled: on }];
        for strike in strikes {
            bed.apply(strike(true)).unwrap();
            let (result, items, took) = ask(&mut bed, &mut network);
            assert_eq!((result, items.len()), (Err(Failure::TimedOut), 0), "{wire} {:?}", strike(true));
            assert!(took >= PATIENCE, "{wire}: the stream was closed after {took:?}");
            bed.apply(strike(false)).unwrap();
            is_answered(&mut bed, &mut network);
        }
    }
}

#[test]
fn the_slow_take_their_factor_of_the_service_time() {
    let (mut bed, mut network) = pair(Wire::Memory);
    is_answered(&mut bed, &mut network);
    bed.apply(Fault::Slow { node: ECHO, factor: 201 }).unwrap();
    let (result, _, took) = ask(&mut bed, &mut network);
    assert_eq!(result, Ok(Done::Answered));
    assert!(took >= Duration::from_millis(400), "200 times 2 ms more, and it took {took:?}");
    bed.apply(Fault::Slow { node: ECHO, factor: 1 }).unwrap();
    is_answered(&mut bed, &mut network);
}

#[test]
fn an_undialable_node_is_not_reached_and_reaches_others() {
    for wire in Wire::ALL {
        let mut bed = SwarmTestbed::new(SwarmSetup::new(wire, Arc::new(Anything), Vec::new())).unwrap();
        bed.spawn(NodeSpec::application()).unwrap();
        bed.spawn(NodeSpec { dialable: false, ..NodeSpec::served(Box::new(Echo)) }).unwrap();
        bed.spawn(NodeSpec::served(Box::new(Echo))).unwrap();
        let mut network = bed.network(ASKER).unwrap();
        // It dialled us when it joined.
        is_answered(&mut bed, &mut network);
        drop(network);
        bed.apply(Fault::Kill { node: ASKER, keep: Keep::All }).unwrap();
        bed.run_until(bed.now().after(Duration::from_millis(100)));
        bed.apply(Fault::Restart { node: ASKER }).unwrap();
        let mut network = bed.network(ASKER).unwrap();
        let (result, ..) = ask(&mut bed, &mut network);
        assert!(matches!(result, Err(Failure::Unreachable | Failure::TimedOut)), "{wire}: {result:?}");
    }
}

#[test]
fn each_way_to_garble_shows_in_answers_and_in_records() {
    let ways = [
        Garble::Truncated,
        Garble::BitFlipped,
        Garble::Noise,
        Garble::Oversized,
        Garble::HostileLengths,
        Garble::HostileNesting,
        Garble::Repeated,
    ];
    let (mut bed, mut network) = pair(Wire::Memory);
    for way in ways {
        bed.apply(Fault::Garbles { node: ECHO, ways: vec![way] }).unwrap();
        let before = bed.counts().garbled;
        let (result, items, _) = ask(&mut bed, &mut network);
        let good = [Item::Answer { body: Bytes::from_static(WORDS) }];
        assert!(items != good, "{way:?}: {result:?}");
        assert_eq!(bed.counts().garbled, before + 1, "{way:?} is counted once");
        let (all, _) = events(&mut bed, &mut network, Request::GetRecord { key: "key".into() });
        let refused = all.iter().any(|it| matches!(it, Event::Rejected { what: Ware::Record, .. }));
        let brought = all.iter().any(|it| matches!(it, Event::Progress { .. }));
        // What is repeated, or has one bit flipped behind its beginning, is still good to this validator.
        let may_pass = [Garble::BitFlipped, Garble::Repeated, Garble::Truncated].contains(&way);
        assert!(refused || (may_pass && brought), "{way:?}: {all:?}");
        assert_eq!(bed.counts().garbled, before + 2, "{way:?} is counted once more");
    }
    bed.apply(Fault::Garbles { node: ECHO, ways: Vec::new() }).unwrap();
    is_answered(&mut bed, &mut network);
}

#[test]
fn what_cannot_be_done_to_real_nodes_is_said() {
    let (mut bed, _network) = pair(Wire::Memory);
    let both = [ASKER, ECHO].map(|node| [node].into());
    let [from, to] = both;
    let cut = bed.apply(Fault::Cut { from, to, way: Way::Both });
    assert_eq!(cut, Err(TestbedError::Unsupported { what: "a partition" }));
    let change = LinkChange { resets: 0.5, ..LinkChange::default() };
    let links = bed.apply(Fault::Links { nodes: [ASKER].into(), change });
    assert_eq!(links, Err(TestbedError::Unsupported { what: "a change of links" }));
}

/// Memory, in real time, on which the network has been up for long and serving takes what this says.
#[derive(Debug)]
struct Standing {
    service: fn(Served, u32) -> Option<Service>,
}

impl Carrier for Standing {
    fn network(&self) -> &str {
        "standing"
    }

    fn runtime(&self) -> std::io::Result<tokio::runtime::Runtime> {
        Wire::Memory.runtime()
    }

    fn start(&self) -> Start {
        Start::Standing { takes: Duration::from_secs(2), seed: 7 }
    }

    fn keypair(&self, node: NodeId) -> libp2p::identity::Keypair {
        // The last byte of a node's name says after which share of five minutes it first walks by itself: not in the
        // seconds of a test that asks who walks.
        let made = |salt: u8| {
            let mut bytes = [salt; 32];
            bytes[..4].copy_from_slice(&node.0.to_le_bytes());
            libp2p::identity::Keypair::ed25519_from_bytes(bytes).unwrap()
        };
        let late = |key: &libp2p::identity::Keypair| {
            key.public().to_peer_id().to_bytes().last().is_some_and(|share| *share >= 64)
        };
        (0..=u8::MAX).map(made).find(late).unwrap()
    }

    fn address(&self, node: NodeId) -> libp2p::Multiaddr {
        Wire::Memory.address(node)
    }

    fn transport(
        &self,
        node: NodeId,
        keypair: &libp2p::identity::Keypair,
    ) -> Result<crate::net::transport::BoxedTransport, TestbedError> {
        Wire::Memory.transport(node, keypair)
    }

    fn service(&self, _: NodeId, served: Served, factor: u32) -> Option<Service> {
        (self.service)(served, factor)
    }
}

/// An asker and `peers` echoes in a network that stands, which serve as this says.
fn standing(peers: u32, service: fn(Served, u32) -> Option<Service>) -> (SwarmTestbed, Libp2pNetwork) {
    let mut bed = SwarmTestbed::new(SwarmSetup {
        neighbours: 4,
        ..SwarmSetup::new(Standing { service }, Arc::new(Anything), vec![Bytes::from_static(b"topic")])
    })
    .unwrap();
    bed.spawn(NodeSpec::application()).unwrap();
    for _ in 0..peers {
        bed.spawn(NodeSpec::served(Box::new(Echo))).unwrap();
    }
    let network = bed.network(ASKER).unwrap();
    (bed, network)
}

#[test]
fn a_network_that_stands_knows_its_peers_and_looks_for_nobody() {
    let (mut bed, mut network) = standing(24, |_, _| Some(Service::Now));
    assert!(
        bed.now() < crate::time::Timestamp::from_millis(500),
        "time begins when it stands: {:?}",
        bed.now()
    );
    let up = |network: &Libp2pNetwork, bed: &SwarmTestbed| {
        (1..=24).filter(|peer| network.is_up(bed.peer(NodeId(*peer)).unwrap())).count()
    };
    let connected = up(&network, &bed);
    assert!(connected >= 20, "all whom its table lists: {connected}");
    bed.block_on(Duration::from_millis(1500), poll_fn(|cx| network.poll_work(cx)));
    assert_eq!(bed.counts(), SwarmCounts::default(), "nobody asked anything");
    assert_eq!(up(&network, &bed), connected);
    let peer = bed.peer(NodeId(7)).unwrap();
    let (all, _) = events(&mut bed, &mut network, Request::Ask { peer, question: Bytes::from_static(WORDS) });
    let stats = all.iter().find_map(|event| match event {
        Event::Finished { result: Ok(Done::Answered), stats, .. } => Some(*stats),
        _ => None,
    });
    let stats = stats.unwrap();
    assert_eq!((stats.sent, stats.answered), (1, 1), "{all:?}");
    assert_eq!(bed.counts().dials, 0, "a connection stands");
    let depths = bed.depths(ASKER).unwrap();
    let key = Bytes::from_static(b"key");
    depths.begun(&key);
    let (all, _) = events(&mut bed, &mut network, Request::GetRecord { key: key.clone() });
    assert!(all.iter().any(|event| matches!(event, Event::Progress { .. })), "{all:?}");
    assert!((1..4).contains(&depths.ended(&key)));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "here serving takes real time")]
fn a_carrier_says_when_answers_leave_and_when_there_is_no_room() {
    let (mut bed, mut network) = standing(3, |served, factor| match served {
        Served::Question if factor == 3 => Some(Service::Busy),
        Served::Lookup if factor == 3 => Some(Service::Busy),
        Served::Question => {
            let takes = Duration::from_millis(200) * factor;
            Some(Service::Later(Box::pin(tokio::time::sleep(takes))))
        }
        _ => Some(Service::Now),
    });
    for factor in [1, 2] {
        bed.apply(Fault::Slow { node: ECHO, factor }).unwrap();
        let (result, _, took) = ask(&mut bed, &mut network);
        assert_eq!(result, Ok(Done::Answered));
        assert!(took >= Duration::from_millis(200) * factor, "{took:?}");
    }
    bed.apply(Fault::Slow { node: ECHO, factor: 3 }).unwrap();
    assert_eq!(ask(&mut bed, &mut network).0, Err(Failure::Refused(Refusal::Busy)));
    let (all, took) = events(&mut bed, &mut network, Request::GetRecord { key: "key".into() });
    let answered = all.iter().find_map(|event| match event {
        Event::Finished { stats, .. } => Some((stats.answered, stats.failed)),
        _ => None,
    });
    assert_eq!(answered, Some((2, 1)), "one of three breaks off: {all:?}");
    assert!(took < PATIENCE);
}
