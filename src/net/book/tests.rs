use libp2p::core::ConnectedPoint;
use libp2p::swarm::behaviour::{ConnectionEstablished, DialFailure};

use super::*;

fn at(n: usize) -> Multiaddr {
    format!("/ip4/192.0.2.{}/tcp/{}", n % 250 + 1, n + 1).parse().unwrap()
}

/// Where the book has `peer` dialled. Each with the peer's name behind it, as kad says it: the swarm is to see that
/// they are the same.
fn dialled(book: &mut Book, peer: PeerId) -> Vec<Multiaddr> {
    let id = ConnectionId::new_unchecked(0);
    let named = book.handle_pending_outbound_connection(id, Some(peer), &[], Endpoint::Dialer).unwrap();
    let unnamed = |address: &Multiaddr| {
        assert_eq!(address.clone().with_p2p(peer).as_ref(), Ok(address), "it is named already");
        bare(address, peer).unwrap()
    };
    let all: Vec<Multiaddr> = named.iter().map(unnamed).collect();
    assert!(all.iter().all(|address| !named.contains(address)));
    all
}

fn made(book: &mut Book, peer: PeerId, address: &Multiaddr) {
    let endpoint = ConnectedPoint::Dialer {
        address: address.clone(),
        role_override: Endpoint::Dialer,
        port_use: PortUse::New,
    };
    book.on_swarm_event(FromSwarm::ConnectionEstablished(ConnectionEstablished {
        peer_id: peer,
        connection_id: ConnectionId::new_unchecked(0),
        endpoint: &endpoint,
        failed_addresses: &[],
        other_established: 0,
    }));
}

fn failed(book: &mut Book, peer: PeerId, error: &DialError) {
    book.on_swarm_event(FromSwarm::DialFailure(DialFailure {
        peer_id: Some(peer),
        error,
        connection_id: ConnectionId::new_unchecked(0),
    }));
}

fn refused_at(address: &Multiaddr) -> DialError {
    let refused = libp2p::TransportError::Other(std::io::ErrorKind::ConnectionRefused.into());
    DialError::Transport(vec![(address.clone(), refused)])
}

#[test]
fn what_works_comes_first_and_hearsay_never_pushes_it_out() {
    let (mut book, peer) = (Book::new(100), PeerId::random());
    book.note(peer, &at(0), Source::Itself);
    made(&mut book, peer, &at(1));
    for n in 2..50 {
        book.note(peer, &at(n), Source::Hearsay);
    }
    let known = dialled(&mut book, peer);
    assert_eq!(known.len(), ADDRESSES_OF_ONE);
    assert_eq!(known[..2], [at(1), at(0)]);
    assert_eq!(known[2], at(49), "the newest hearsay comes before the older");
    // What is said again by somebody less does not lose its place.
    book.note(peer, &at(1), Source::Hearsay);
    assert_eq!(dialled(&mut book, peer)[0], at(1));
}

#[test]
fn an_address_that_fails_goes_but_not_the_operators() {
    let (mut book, peer) = (Book::new(100), PeerId::random());
    book.note(peer, &at(0), Source::Operator);
    book.note(peer, &at(1), Source::Itself);
    failed(&mut book, peer, &refused_at(&at(1)));
    failed(&mut book, peer, &refused_at(&at(0)));
    assert_eq!(dialled(&mut book, peer), [at(0)]);
    let other = PeerId::random();
    book.note(other, &at(1), Source::Hearsay);
    failed(&mut book, other, &refused_at(&at(1)));
    assert!(!book.knows(&other));
}

#[test]
fn the_book_has_an_end_and_keeps_who_was_met_longest() {
    let mut book = Book::new(64);
    let (boot, met) = (PeerId::random(), PeerId::random());
    book.note(boot, &at(0), Source::Operator);
    made(&mut book, met, &at(1));
    for n in 0..1000 {
        book.note(PeerId::random(), &at(n), Source::Hearsay);
        assert!(book.peers.len() <= 64);
    }
    assert!(book.knows(&boot) && book.knows(&met));
    assert_eq!(book.lost(5, |_| false), [boot, met]);
}

#[test]
fn addresses_of_this_machine_are_believed_only_where_somebody_was_met_there() {
    let (mut book, peer, other) = (Book::new(100), PeerId::random(), PeerId::random());
    let here: Multiaddr = "/ip4/127.0.0.1/tcp/22".parse().unwrap();
    assert!(!book.note(peer, &here, Source::Hearsay));
    assert!(!book.note(peer, &"/ip4/0.0.0.0/tcp/22".parse().unwrap(), Source::Itself));
    made(&mut book, other, &"/ip4/127.0.0.1/tcp/7".parse().unwrap());
    assert!(book.note(peer, &here, Source::Hearsay));
    assert_eq!(dialled(&mut book, peer), [here]);
}

#[test]
fn a_dial_that_this_node_forbade_is_told_apart_once() {
    let (mut book, peer) = (Book::new(100), PeerId::random());
    failed(&mut book, peer, &refused_at(&at(0)));
    assert!(!book.was_denied(&peer));
    let denied = ConnectionDenied::new(std::io::Error::other("too many"));
    failed(&mut book, peer, &DialError::Denied { cause: denied });
    assert!(book.was_denied(&peer));
    assert!(!book.was_denied(&peer));
}

#[test]
fn who_is_connected_hides_nobody_who_is_lost() {
    let mut book = Book::new(64);
    let peers: Vec<PeerId> = (0..12).map(|_| PeerId::random()).collect();
    book.note(peers[0], &at(0), Source::Operator);
    for (n, peer) in peers.iter().enumerate().skip(1) {
        made(&mut book, *peer, &at(n));
    }
    let connected = |peer: &PeerId| peers[4..].contains(peer);
    assert_eq!(book.lost(8, connected), [peers[0], peers[3], peers[2], peers[1]]);
    assert_eq!(book.lost(1, connected), [peers[0], peers[3]]);
    assert_eq!(book.lost(0, |peer| *peer == peers[0]), []);
}
