//! From how far an address can be reached, and addresses as they are kept.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// From how far an address can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// From nowhere, or only over a relay, which is not spoken.
    Nowhere,
    /// From this process.
    Process,
    /// From this machine.
    Machine,
    /// From the same site: private and link-local addresses.
    Site,
    /// From everywhere, as far as one can tell. Names of hosts too.
    World,
}

/// From how far `address` can be reached.
pub(super) fn reach_of(address: &Multiaddr) -> Reach {
    if address.iter().any(|part| part == Protocol::P2pCircuit) {
        return Reach::Nowhere;
    }
    match address.iter().next() {
        Some(Protocol::Memory(_)) => Reach::Process,
        Some(Protocol::Ip4(ip)) => of_v4(ip),
        Some(Protocol::Ip6(ip)) => of_v6(ip),
        Some(Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_) | Protocol::Dnsaddr(_)) => Reach::World,
        _ => Reach::Nowhere,
    }
}

/// The host of `address`, if it is a number.
pub(super) fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => Some(ip.into()),
        Some(Protocol::Ip6(ip)) => Some(ip.into()),
        _ => None,
    }
}

fn of_v4(ip: Ipv4Addr) -> Reach {
    let [first, second, ..] = ip.octets();
    // 100.64/10 is shared by the customers of one provider.
    let shared = first == 100 && (64..128).contains(&second);
    match () {
        () if ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast() => Reach::Nowhere,
        () if ip.is_loopback() => Reach::Machine,
        () if ip.is_private() || ip.is_link_local() || shared => Reach::Site,
        () => Reach::World,
    }
}

fn of_v6(ip: Ipv6Addr) -> Reach {
    match ip.to_ipv4_mapped() {
        Some(ip) => of_v4(ip),
        None if ip.is_unspecified() || ip.is_multicast() => Reach::Nowhere,
        None if ip.is_loopback() => Reach::Machine,
        None if ip.is_unique_local() || ip.is_unicast_link_local() => Reach::Site,
        None => Reach::World,
    }
}

/// `address` without the name of `peer` at its end; `None` when it names another, or is nothing else.
pub(super) fn bare(address: &Multiaddr, peer: PeerId) -> Option<Multiaddr> {
    let mut address = address.clone();
    if let Some(Protocol::P2p(named)) = address.iter().last() {
        if named != peer {
            return None;
        }
        address.pop();
    }
    (!address.is_empty()).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_reach_as_far_as_they_do() {
        for (text, reach) in [
            ("/memory/3", Reach::Process),
            ("/ip4/127.8.0.1/tcp/1", Reach::Machine),
            ("/ip6/::1/udp/1/quic-v1", Reach::Machine),
            ("/ip4/10.1.2.3/tcp/1", Reach::Site),
            ("/ip4/169.254.0.9/tcp/1", Reach::Site),
            ("/ip4/100.64.0.9/tcp/1", Reach::Site),
            ("/ip6/fd00::1/tcp/1", Reach::Site),
            ("/ip6/fe80::1/tcp/1", Reach::Site),
            ("/ip6/::ffff:127.0.0.1/tcp/1", Reach::Machine),
            ("/ip4/192.0.2.1/tcp/1", Reach::World),
            ("/ip6/2001:db8::1/tcp/1", Reach::World),
            ("/dns4/example.org/tcp/1", Reach::World),
            ("/ip4/0.0.0.0/tcp/1", Reach::Nowhere),
            ("/ip6/::/tcp/1", Reach::Nowhere),
            (
                "/ip4/192.0.2.1/tcp/1/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp/p2p-circuit",
                Reach::Nowhere,
            ),
        ] {
            assert_eq!(reach_of(&text.parse().unwrap()), reach, "{text}");
        }
    }

    #[test]
    fn an_address_is_kept_without_its_own_peer_and_not_with_another() {
        let (peer, other) = (PeerId::random(), PeerId::random());
        let place: Multiaddr = "/ip4/192.0.2.1/tcp/1".parse().unwrap();
        let named = place.clone().with(Protocol::P2p(peer));
        assert_eq!(bare(&named, peer), Some(place.clone()));
        assert_eq!(bare(&place, peer), Some(place));
        assert_eq!(bare(&named, other), None);
        assert_eq!(bare(&Multiaddr::empty().with(Protocol::P2p(peer)), peer), None);
    }
}
