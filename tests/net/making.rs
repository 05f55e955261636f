//! Making a node, and what it says when it cannot be made.

use std::sync::Arc;

use super::hand::{Good, Hand, PATIENCE, builder, loopback, quick, run};
use swarmproof::net::{BuildError, Keypair, Libp2pNetwork, MemoryLimit, Multiaddr, NetConfig};
use swarmproof::network::{Done, Failure, PeerChange};
use swarmproof::network::{Event, Request};

fn refused(made: Result<Libp2pNetwork, BuildError>) -> BuildError {
    made.expect_err("it was made")
}

#[test]
fn without_a_runtime_it_says_so() {
    assert_eq!(refused(builder().build()), BuildError::NoRuntime);
}

#[test]
fn a_port_in_use_is_named() {
    run(async {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address: Multiaddr =
            format!("/ip4/127.0.0.1/tcp/{}", taken.local_addr().unwrap().port()).parse().unwrap();
        let made = builder().listen(address.clone()).build();
        let BuildError::Listen { address: its, reason } = refused(made) else { panic!("another error") };
        assert_eq!(its, address);
        assert!(reason.to_lowercase().contains("in use"), "{reason}");
    });
}

#[test]
fn an_address_of_another_kind_is_told_what_would_do() {
    run(async {
        let made = builder().listen("/memory/5".parse().unwrap()).build();
        let said = refused(made).to_string();
        assert!(said.contains("/memory/5") && said.contains("quic-v1"), "{said}");
    });
}

#[test]
fn a_setting_that_cannot_hold_is_named() {
    let made = Libp2pNetwork::builder(Keypair::generate_ed25519(), Arc::new(Good));
    run(async move {
        let config = NetConfig { queries: 0, ..NetConfig::default() };
        let said = refused(made.config(config).build()).to_string();
        assert!(said.contains("`queries` is 0"), "{said}");
    });
}

#[test]
fn tcp_and_quic_serve_one_node_and_names_of_hosts_are_dialled() {
    run(async {
        let quic = "/ip4/127.0.0.1/udp/0/quic-v1".parse().unwrap();
        let asked = Hand::new(builder().listen(quic).build().unwrap());
        asked.until("both to listen", |it| it.with(|net| net.addresses()).len() == 2).await;
        for address in asked.with(|net| net.addresses()) {
            let named = address.to_string().replace("/ip4/127.0.0.1/", "/dns4/localhost/");
            for place in [address.to_string(), named] {
                let place = format!("{place}/p2p/{}", asked.peer).parse().unwrap();
                let asker = Hand::new(builder().bootstrap(place).build().unwrap());
                let (result, _) = asker.ask(asked.peer, "over it").await;
                assert_eq!(result, Ok(Done::Answered));
            }
        }
    });
}

#[test]
fn ipv6_carries_both_wires_and_questions_both_ways() {
    run(async {
        let local = std::net::TcpListener::bind("[::1]:0").map(drop);
        local.expect("this machine has no IPv6 loopback (::1), and this test is about nothing else");
        let made = |address: &str| {
            let made = Libp2pNetwork::builder(Keypair::generate_ed25519(), Arc::new(Good));
            made.config(quick()).listen(address.parse().unwrap())
        };
        let (tcp, quic) = ("/ip6/::1/tcp/0", "/ip6/::1/udp/0/quic-v1");
        // The one who is asked first is dialled on its own wire, which is the only one that it listens on.
        for (asked, asker) in [(tcp, quic), (quic, tcp)] {
            let asked = Hand::new(made(asked).build().unwrap());
            let place = asked.address().await;
            assert!(place.address.to_string().starts_with("/ip6/::1/"), "{place}");
            let asker = Hand::new(made(asker).bootstrap(place).build().unwrap());
            asker.until("to join", |it| it.is_up(asked.peer) && asked.is_up(it.peer)).await;
            let (there, _) = asker.ask(asked.peer, "over six").await;
            let (back, _) = asked.ask(asker.peer, "and back").await;
            assert_eq!((there, back), (Ok(Done::Answered), Ok(Done::Answered)));
        }
    });
}

#[test]
fn with_its_memory_full_a_node_makes_no_connection() {
    run(async {
        let one = Hand::joined(&[]).await;
        let config = NetConfig { memory: MemoryLimit::Bytes(1), ..quick() };
        let full = builder().config(config).bootstrap(one.address().await).build().unwrap();
        let full = Hand::new(full);
        let (result, _) = full.ask(one.peer, "have you room").await;
        assert_eq!(result, Err(Failure::Local));
        assert!(!one.is_up(full.peer));
    });
}

#[test]
fn topics_without_end_are_refused() {
    run(async {
        let one = Hand::joined(&[]).await;
        let mut refused = 0;
        for n in 0..200 {
            let (result, _) = one.do_it(Request::Subscribe { topic: format!("topic {n}").into() }).await;
            refused += usize::from(result == Err(Failure::Local));
        }
        assert_eq!(refused, 200 - 128);
        let (again, _) = one.do_it(Request::Subscribe { topic: "topic 7".into() }).await;
        assert_eq!(again, Ok(Done::Subscribed));
    });
}

#[test]
fn what_the_operator_says_of_where_it_is_is_told_to_others() {
    run(async {
        let hub = Hand::joined(&[]).await;
        let outside: Multiaddr = "/dns4/node.example/tcp/4801".parse().unwrap();
        let told = builder().external(outside.clone()).bootstrap(hub.address().await).build().unwrap();
        let told = Hand::new(told);
        told.until("to join", |it| it.is_up(hub.peer) && hub.is_up(it.peer)).await;
        assert!(hub.with(|net| net.known_addresses(told.peer)).contains(&outside));
    });
}

#[test]
fn a_round_trip_is_measured() {
    run(async {
        let one = Hand::joined(&[]).await;
        let two = Hand::joined(&[&one]).await;
        let measured = |event: &Event<_>| matches!(event, Event::Peer { peer, change: PeerChange::RoundTrip(_) } if *peer == one.peer);
        two.until("a round trip", |it| it.events().iter().any(measured)).await;
    });
}

#[test]
fn a_node_of_another_version_is_told_apart() {
    run(async {
        let mut config = quick();
        for name in [&mut config.protocols.dht, &mut config.protocols.ask, &mut config.protocols.family] {
            *name = name.replace("/1", "/2");
        }
        let newer = Hand::new(builder().config(config).build().unwrap());
        let older = Hand::new(builder().bootstrap(newer.address().await).build().unwrap());
        let (result, _) = older.ask(newer.peer, "what do you speak").await;
        assert_eq!(result, Err(Failure::Unsupported));
        assert!(!older.is_up(newer.peer) && !newer.is_up(older.peer));
    });
}

#[test]
fn no_runtime_of_several_threads_and_no_socket_is_needed() {
    // Timers alone.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _context = runtime.enter();
    let keypair = Keypair::generate_ed25519();
    let wire = swarmproof::net::transport::memory(&keypair).unwrap();
    let made = Libp2pNetwork::builder(keypair, Arc::new(Good)).listen("/memory/0".parse().unwrap());
    let made = made.build_on(wire, libp2p::swarm::Config::with_tokio_executor());
    assert!(made.is_ok());
    assert!(loopback().to_string().contains("tcp"));
}

#[cfg(feature = "node")]
#[test]
fn what_it_holds_is_shown() {
    run(async {
        let mut registry = prometheus_client::registry::Registry::default();
        let one = Hand::joined(&[]).await;
        let two = builder().bootstrap(one.address().await).metrics(&mut registry).build().unwrap();
        let two = Hand::new(two);
        two.until("to join", |it| it.is_up(one.peer)).await;
        let (result, _) = two.do_it(Request::Subscribe { topic: "topic".into() }).await;
        assert_eq!(result, Ok(Done::Subscribed));
        let shown = |line: &str| {
            let mut text = String::new();
            prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
            text.lines().any(|its| its.starts_with(line))
        };
        two.until("one peer to be shown", |_| shown("swarmproof_network_peers 1")).await;
        let put =
            Request::PutRecord { key: "k".into(), value: "good".into(), ttl: PATIENCE, read_back: false };
        let (result, _) = one.do_it(put).await;
        assert_eq!(result, Ok(Done::Stored { acked: 1, verified: None }));
        two.until("one record to be shown", |_| shown("swarmproof_network_records_held 1")).await;
        assert!(shown("swarmproof_network_requests 0") && shown("swarmproof_network_dropped_total 0"));
        assert!(shown("libp2p_swarm_connections_established_total"));
    });
}
