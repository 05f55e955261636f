//! Peers that send what is ill-made, and what becomes of them.

use core::time::Duration;

use super::hand::{Hand, PATIENCE, builder, quick, run};
use swarmproof::net::{NetConfig, PeerId};
use swarmproof::network::{Done, Event, Failure, Network, PeerChange, Refusal, Request};

fn bad_record(n: usize) -> Request<PeerId> {
    let (key, value) = (format!("key {n}").into(), "bad".into());
    Request::PutRecord { key, value, ttl: PATIENCE, read_back: false }
}

#[test]
fn a_blocked_peers_connections_are_closed_and_refused_until_the_block_ends() {
    run(async {
        let one = Hand::joined(&[]).await;
        let other = Hand::joined(&[&one]).await;
        let span = Duration::from_secs(3);
        one.with(|net| {
            let until = net.now().after(span);
            net.block(other.peer, until);
        });
        other.until("the connection to be closed", |it| !it.is_up(one.peer)).await;
        // Dialled again, and by name: refused.
        let question = || Request::Ask { peer: one.peer, question: "let me in".into() };
        let id = other.submit(question(), Duration::from_secs(1));
        let mut end = None;
        other
            .until("an end", |it| {
                end = it.ended(id);
                end.is_some()
            })
            .await;
        assert!(end.unwrap().0.is_err());
        assert!(!one.events().iter().any(|event| matches!(event, Event::Question { .. })));
        let (result, _) = one.ask(other.peer, "not even so").await;
        assert_eq!(result, Err(Failure::Local));
        tokio::time::sleep(span).await;
        let (result, _) = other.ask(one.peer, "and now?").await;
        assert_eq!(result, Ok(Done::Answered));
    });
}

#[test]
fn what_is_ill_made_is_charged_to_who_sent_it_by_whatever_way_it_came() {
    run(async {
        let honest = Hand::joined(&[]).await;
        let hostile = Hand::joined(&[&honest]).await;
        let bystander = Hand::joined(&[&honest]).await;
        for hand in [&honest, &hostile, &bystander] {
            let (result, _) = hand.do_it(Request::Subscribe { topic: "news".into() }).await;
            assert_eq!(result, Ok(Done::Subscribed));
        }
        let (result, _) = hostile.do_it(bad_record(0)).await;
        assert!(matches!(result, Ok(Done::Stored { .. })), "{result:?}");
        honest.until("a record to be charged", |it| it.rejected() == [hostile.peer]).await;
        // Until the mesh stands, there may be nobody to tell.
        let mut n = 0;
        while honest.rejected().len() < 2 {
            n += 1;
            let payload = format!("bad {n}").into();
            let (result, _) = hostile.do_it(Request::Announce { topic: "news".into(), payload }).await;
            assert!(matches!(result, Ok(Done::Announced { .. })), "{result:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert!(n < 200, "no announcement was charged");
        }
        assert!(honest.rejected().iter().all(|from| *from == hostile.peer), "{:?}", honest.rejected());
        // What is ill-made is not passed on, so nobody could charge an honest peer for it.
        assert!(bystander.rejected().iter().all(|from| *from == hostile.peer));
        let heard = |event: &Event<_>| matches!(event, Event::Announcement { .. });
        assert!(!honest.events().iter().any(heard) && !bystander.events().iter().any(heard));
    });
}

#[test]
fn a_question_over_the_limit_is_not_read_and_is_charged() {
    run(async {
        let honest = Hand::joined(&[]).await;
        let config = NetConfig { question_bytes: 1 << 20, ..quick() };
        let hostile = builder().config(config).bootstrap(honest.address().await).build().unwrap();
        let hostile = Hand::new(hostile);
        let (result, _) = hostile.ask(honest.peer, &"?".repeat(200_000)).await;
        assert!(
            matches!(result, Err(Failure::Refused(Refusal::NotUnderstood) | Failure::Broken)),
            "{result:?}"
        );
        honest.until("it to be charged", |it| it.rejected() == [hostile.peer]).await;
        assert!(!honest.events().iter().any(|event| matches!(event, Event::Question { .. })));
        let (result, _) = hostile.ask(honest.peer, "?").await;
        assert_eq!(result, Ok(Done::Answered));
    });
}

#[test]
fn a_registry_blocks_who_hands_it_ill_made_records() {
    use swarmproof::record::Verifier;
    use swarmproof::registry::catalogue::{Bounds, Catalogue, Pool};
    use swarmproof::registry::{P2PRegistry, RegistryConfig};
    use swarmproof::store::{MemoryStore, StoreLimits};
    run(async {
        let keypair = swarmproof::net::Keypair::generate_ed25519();
        let verifier = Verifier::new(1024);
        let network =
            swarmproof::net::Libp2pNetwork::builder(keypair.clone(), std::sync::Arc::new(verifier.clone()));
        let place = "/memory/77001".parse().unwrap();
        let wire = swarmproof::net::transport::memory(&keypair).unwrap();
        let settings = libp2p::swarm::Config::with_tokio_executor();
        let network = network.listen(place).build_on(wire, settings).unwrap();
        let peer = network.local_peer();
        let config = RegistryConfig::new(verifier, Catalogue::new(Pool::new(), Bounds::default()), [7; 32]);
        let store = MemoryStore::new(StoreLimits::default());
        let (registry, driver) = P2PRegistry::new(network, store, config).unwrap();
        tokio::spawn(driver.run());
        let keypair = swarmproof::net::Keypair::generate_ed25519();
        let wire = swarmproof::net::transport::memory(&keypair).unwrap();
        let settings = libp2p::swarm::Config::with_tokio_executor();
        let hostile =
            swarmproof::net::Libp2pNetwork::builder(keypair, std::sync::Arc::new(super::hand::Good))
                .bootstrap(format!("/memory/77001/p2p/{peer}").parse().unwrap());
        let hostile = Hand::new(hostile.build_on(wire, settings).unwrap());
        hostile.until("to join", |it| it.is_up(peer)).await;
        let mut n = 0;
        let went = |event: &Event<PeerId>| matches!(event, Event::Peer { peer: its, change: PeerChange::Down } if *its == peer);
        while !hostile.events().iter().any(went) {
            let (key, value) = (format!("/sp/{n}").into(), "good to me".into());
            hostile.submit(Request::PutRecord { key, value, ttl: PATIENCE, read_back: false }, PATIENCE);
            n += 1;
            assert!(n < 200, "it may go on for ever");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let snapshot = registry.inspect().await.unwrap();
        assert!(snapshot.counters.rejected >= 2, "{:?}", snapshot.counters);
        let score = snapshot.peers.iter().find(|known| known.peer == hostile.peer).map(|known| known.score);
        assert!(score.is_some_and(|score| score < 0.2), "{score:?}");
    });
}
