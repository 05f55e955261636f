//! A peer that begins many questions and finishes none.

use core::time::Duration;
use std::io;

use futures::{AsyncRead, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::request_response::{self, Codec, Event, ProtocolSupport};
use libp2p::swarm::{Config, Swarm, SwarmEvent};
use libp2p::{Multiaddr, StreamProtocol};
use tokio::time::Instant;

use super::hand::{Good, Hand, quick, run};
use swarmproof::net::{ASK_PROTOCOL, Keypair, Libp2pNetwork, transport};

/// Asks a question so slowly that it never ends, until the other side has enough of it.
#[derive(Clone, Debug)]
struct Half;

impl Codec for Half {
    type Protocol = StreamProtocol;
    type Request = ();
    type Response = ();

    async fn read_request<T>(&mut self, _: &StreamProtocol, _: &mut T) -> io::Result<()>
    where
        T: AsyncRead + Unpin + Send,
    {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, _: &mut T) -> io::Result<()>
    where
        T: AsyncRead + Unpin + Send,
    {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, (): ()) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&[0, 0, 9, 9, 0, 0, 99, 99]).await?;
        loop {
            io.write_all(b"x").await?;
            io.flush().await?;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, _: &mut T, (): ()) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[test]
fn questions_that_are_begun_and_not_finished_hold_few_streams_and_not_for_long() {
    run(async {
        let keypair = Keypair::generate_ed25519();
        let wire = transport::memory(&keypair).unwrap();
        let place: Multiaddr = "/memory/77002".parse().unwrap();
        let asked = Libp2pNetwork::builder(keypair, std::sync::Arc::new(Good)).config(quick());
        let asked = asked.listen(place.clone()).build_on(wire, Config::with_tokio_executor()).unwrap();
        let asked = Hand::new(asked);

        let keypair = Keypair::generate_ed25519();
        let wire = transport::memory(&keypair).unwrap();
        let settings = request_response::Config::default()
            .with_request_timeout(Duration::from_secs(60))
            .with_max_concurrent_streams(1000);
        let protocol = (StreamProtocol::new(ASK_PROTOCOL), ProtocolSupport::Outbound);
        let half = request_response::Behaviour::with_codec(Half, [protocol], settings);
        let local = keypair.public().to_peer_id();
        let mut swarm = Swarm::new(wire, half, local, Config::with_tokio_executor());
        swarm.add_peer_address(asked.peer, place);
        swarm.dial(asked.peer).unwrap();
        while !matches!(swarm.select_next_some().await, SwarmEvent::ConnectionEstablished { .. }) {}

        let limits = quick();
        let most = limits.questions_to_one + limits.questions_from_one;
        let all = most + 90;
        let begun = Instant::now();
        let (mut sent, mut dropped, mut early) = (0, 0, 0);
        while dropped < all {
            // A few at a time: how many streams may be negotiated at once is another limit.
            for _ in 0..10.min(all - sent) {
                swarm.behaviour_mut().send_request(&asked.peer, ());
                sent += 1;
            }
            let portion = Instant::now();
            while let Some(left) = Duration::from_millis(30).checked_sub(portion.elapsed()) {
                match tokio::time::timeout(left, swarm.select_next_some()).await {
                    Ok(SwarmEvent::Behaviour(Event::OutboundFailure { .. })) => dropped += 1,
                    Ok(SwarmEvent::ConnectionClosed { .. }) => panic!("the connection is gone"),
                    Ok(_) | Err(_) => {}
                }
            }
            if begun.elapsed() < Duration::from_secs(4) {
                early = dropped;
            }
            assert!(begun.elapsed() < Duration::from_secs(15), "{dropped} of {all} were dropped");
        }
        assert_eq!(early, all - most, "what is more than a connection may hold is dropped at once");
        assert!(asked.rejected().is_empty(), "who is slow is not charged");
    });
}
