//! What the simulator's model of a connection stands on: how many round trips libp2p takes for what, and that it
//! keeps a connection which nobody uses.

use core::time::Duration;
use std::sync::Arc;

use futures::StreamExt;
use futures::channel::mpsc;
use libp2p::Multiaddr;
use libp2p::swarm::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, sleep_until};

use super::hand::{Good, Hand, builder, quick, run};
use swarmproof::net::{Keypair, Libp2pNetwork, PeerId, transport};
use swarmproof::network::{Done, Event, PeerChange, Request};
use swarmproof::sim::Profile;

/// One way through [`far`]. Long against what a loaded machine adds, as only whole round trips are told apart.
const ONE_WAY: Duration = Duration::from_millis(400);

/// An address at which whoever listens at `address` seems to be [`ONE_WAY`] away. The handshake of TCP itself is
/// with this machine, and takes no time.
async fn far(address: &Multiaddr) -> Multiaddr {
    let port = |address: &Multiaddr| {
        address.iter().find_map(|part| match part {
            libp2p::multiaddr::Protocol::Tcp(port) => Some(port),
            _ => None,
        })
    };
    let to = ("127.0.0.1", port(address).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap().port();
    tokio::task::spawn_local(async move {
        while let Ok((near, _)) = listener.accept().await {
            let there = TcpStream::connect(to).await.unwrap();
            near.set_nodelay(true).unwrap();
            there.set_nodelay(true).unwrap();
            let ((from_near, to_near), (from_there, to_there)) = (near.into_split(), there.into_split());
            tokio::task::spawn_local(carry(from_near, to_there));
            tokio::task::spawn_local(carry(from_there, to_near));
        }
    });
    format!("/ip4/127.0.0.1/tcp/{here}").parse().unwrap()
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    let (mut sender, mut under_way) = mpsc::channel::<(Instant, Vec<u8>)>(1 << 10);
    tokio::task::spawn_local(async move {
        while let Some((due, bytes)) = under_way.next().await {
            sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        sender.try_send((Instant::now() + ONE_WAY, buffer[..length].to_vec())).unwrap();
    }
}

/// The number of round trips that `took`, to the nearest half.
fn trips(took: Duration) -> f64 {
    (took.as_secs_f64() / ONE_WAY.as_secs_f64()).round() / 2.0
}

#[test]
fn a_dial_and_an_exchange_take_the_round_trips_that_the_simulator_gives_them() {
    run(async {
        let asked = Hand::new(builder().build().unwrap());
        let place = far(&asked.address().await.address).await;
        let asker = Hand::new(builder().build().unwrap());
        asker.with(|net| net.add_address(asked.peer, place));
        let (first, stats) = asker.ask(asked.peer, "good?").await;
        assert_eq!(first, Ok(Done::Answered));
        let modelled = f64::from(Profile::lan().dial_round_trips);
        // The first of a dial's round trips is TCP's own.
        assert_eq!(trips(stats.dial_time) + 1.0, modelled, "a dial took {:?}", stats.dial_time);
        // One to agree on what the stream is for, and one to ask.
        assert_eq!(trips(stats.elapsed - stats.dial_time), 2.0, "the rest of {:?}", stats.elapsed);
        let (next, stats) = asker.ask(asked.peer, "good?").await;
        assert_eq!((next, trips(stats.elapsed)), (Ok(Done::Answered), 2.0), "{:?}", stats.elapsed);

        let key = b"/good/key".as_slice().into();
        let (_, stats) = asker.do_it(Request::GetRecord { key }).await;
        assert_eq!((stats.sent, stats.answered, trips(stats.elapsed)), (1, 1, 2.0), "{:?}", stats.elapsed);
    });
}

#[test]
fn a_connection_that_nobody_uses_is_kept() {
    run(async {
        let idle = Duration::from_millis(300);
        let mut hands = Vec::new();
        for number in 0..2 {
            let keypair = Keypair::generate_ed25519();
            let wire = transport::memory(&keypair).unwrap();
            let place: Multiaddr = format!("/memory/{}", 77_100 + number).parse().unwrap();
            let settings = Config::with_tokio_executor().with_idle_connection_timeout(idle);
            let net = Libp2pNetwork::builder(keypair, Arc::new(Good)).config(quick());
            hands.push(Hand::new(net.listen(place).build_on(wire, settings).unwrap()));
        }
        let (one, other) = (&hands[0], &hands[1]);
        let place = other.address().await.address;
        one.with(|net| net.add_address(other.peer, place.clone()));
        one.with(|net| net.connect(other.peer));
        one.until("to meet", |it| it.is_up(other.peer)).await;
        // Gossipsub opens a stream on each connection, and holds it: no connection between two of these nodes is idle.
        sleep(idle * 6).await;
        assert!(one.is_up(other.peer) && other.is_up(one.peer), "it was closed");
        let parted = |event: &Event<PeerId>| matches!(event, Event::Peer { change: PeerChange::Down, .. });
        assert!(!one.events().iter().any(parted), "it was closed and made anew");
    });
}
