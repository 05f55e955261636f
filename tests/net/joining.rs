//! Joining, coming back, and finding who is asked.

use core::time::Duration;
use std::sync::Arc;

use super::hand::{Good, Hand, PATIENCE, builder, quick, run};
use swarmproof::net::{Clock, Keypair, Libp2pNetwork, NetConfig, PeerAddress};
use swarmproof::network::{Done, Failure, Network, Request};

#[test]
fn who_is_joined_by_may_come_later() {
    run(async {
        // A port that was free a moment ago.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let keypair = Keypair::generate_ed25519();
        let address = format!("/ip4/127.0.0.1/tcp/{port}");
        let place: PeerAddress = format!("{address}/p2p/{}", keypair.public().to_peer_id()).parse().unwrap();
        let early = Hand::new(builder().bootstrap(place.clone()).build().unwrap());
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(!early.is_up(place.peer));
        let late = Libp2pNetwork::builder(keypair, Arc::new(Good)).clock(Clock::start());
        let late = Hand::new(late.config(quick()).listen(address.parse().unwrap()).build().unwrap());
        early.until("to join after all", |it| it.is_up(late.peer)).await;
    });
}

#[test]
fn a_lost_peer_is_dialled_again() {
    run(async {
        let keypair = Keypair::generate_ed25519();
        let made = |address: &str| {
            let made = Libp2pNetwork::builder(keypair.clone(), Arc::new(Good)).clock(Clock::start());
            made.config(quick()).listen(address.parse().unwrap()).build().unwrap()
        };
        let first = Hand::new(made("/ip4/127.0.0.1/tcp/0"));
        let place = first.address().await;
        let other = Hand::joined(&[&first]).await;
        first.with(|net| net.stopper().stop());
        other.until("to see it go", |it| !it.is_up(first.peer)).await;
        let again = Hand::new(made(&place.address.to_string()));
        other.until("to see it come", |it| it.is_up(again.peer)).await;
    });
}

#[test]
fn a_wrong_peer_at_a_right_address_is_not_joined() {
    run(async {
        let one = Hand::joined(&[]).await;
        let other = Keypair::generate_ed25519().public().to_peer_id();
        let place = PeerAddress { peer: other, address: one.address().await.address };
        let misled = Hand::new(builder().bootstrap(place).build().unwrap());
        let (result, _) = misled.ask(other, "are you who you are said to be").await;
        assert_eq!(result, Err(Failure::Unreachable));
        assert!(!misled.is_up(other) && !misled.is_up(one.peer));
    });
}

#[test]
fn a_provider_that_no_walk_finds_is_named_and_asked() {
    run(async {
        let hub = Hand::joined(&[]).await;
        // No table has it, and no walk finds it: it only asks.
        let config = NetConfig { serves: false, ..quick() };
        let provider = builder().config(config).bootstrap(hub.address().await).build().unwrap();
        let provider = Hand::new(provider);
        provider.until("to join", |it| it.is_up(hub.peer) && hub.is_up(it.peer)).await;
        let (result, _) = provider.do_it(Request::Provide { key: "kept".into() }).await;
        assert!(matches!(result, Ok(Done::Provided { told: 1.. })), "{result:?}");
        let asker = Hand::joined(&[&hub]).await;
        let (result, _) = asker.do_it(Request::GetProviders { key: "kept".into() }).await;
        assert_eq!((result, asker.providers()), (Ok(Done::Looked), vec![provider.peer]));
        // Nobody is left to ask; what was said of where it is must do.
        hub.with(|net| net.stopper().stop());
        asker.until("to see the hub go", |it| !it.is_up(hub.peer)).await;
        let (result, stats) = asker.ask(provider.peer, "there you are").await;
        assert_eq!((result, stats.sent), (Ok(Done::Answered), 1), "it was found without a walk");
    });
}

#[test]
fn a_dial_that_this_nodes_limits_forbid_is_nobodys_fault() {
    run(async {
        let (one, two) = (Hand::joined(&[]).await, Hand::joined(&[]).await);
        let config = NetConfig { connections: 1, connections_in: 0, ..quick() };
        let small = builder().config(config).bootstrap(one.address().await);
        let small = Hand::new(small.build().unwrap());
        small.until("to join", |it| it.is_up(one.peer)).await;
        let place = two.address().await;
        small.with(|net| net.add_address(place.peer, place.address));
        let (result, _) = small.ask(two.peer, "one too many").await;
        assert_eq!(result, Err(Failure::Local));
        // And nobody comes in.
        let visitor = Hand::new(builder().bootstrap(small.address().await).build().unwrap());
        let id = visitor.submit(
            Request::Ask { peer: small.peer, question: "may I come in".into() },
            Duration::from_secs(3),
        );
        visitor.until("to be refused", |it| it.ended(id).is_some_and(|(result, _)| result.is_err())).await;
        assert_eq!(small.with(|net| net.gauges().questions), 0);
    });
}

#[test]
fn records_are_acknowledged_and_verified_apart() {
    run(async {
        let hub = Hand::joined(&[]).await;
        let other = Hand::joined(&[&hub]).await;
        let writer = Hand::joined(&[&hub, &other]).await;
        let put = |value: &'static str, read_back| Request::PutRecord {
            key: "key".into(),
            value: value.into(),
            ttl: PATIENCE,
            read_back,
        };
        let (result, _) = writer.do_it(put("good one", true)).await;
        let Ok(Done::Stored { acked, verified }) = result else { panic!("{result:?}") };
        assert!(acked >= 2 && verified == Some(acked), "{result:?}");
        let (result, _) = writer.do_it(put("good two", false)).await;
        assert!(matches!(result, Ok(Done::Stored { verified: None, .. })), "{result:?}");
        // Kad acknowledges what the validator refuses; reading back does not find it.
        let (result, _) = writer.do_it(put("bad", true)).await;
        assert!(matches!(result, Ok(Done::Stored { acked: 1.., verified: Some(0) })), "{result:?}");
        assert!(hub.rejected().contains(&writer.peer) && !hub.rejected().contains(&other.peer));
        assert_eq!(writer.with(|net| net.gauges().requests), 0);
    });
}
