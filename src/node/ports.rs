//! Whether the ports that a node is to listen on are free.
//!
//! The swarm lets its TCP sockets share their port with other sockets of the same user, so that it can dial from it. A
//! second node on the same port would therefore start, and each would get some of the other's connections. So
//! it is seen beforehand that nobody listens there.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use super::error::{NodeError, port_advice};

/// Whether `address` can be listened on.
pub(super) fn check(address: &Multiaddr) -> Result<(), NodeError> {
    let mut parts = address.iter();
    let ip = match parts.next() {
        Some(Protocol::Ip4(ip)) => IpAddr::V4(ip),
        // A socket on all of IPv6 would claim all of IPv4 too; the swarm's does not.
        Some(Protocol::Ip6(ip)) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        Some(Protocol::Ip6(ip)) => IpAddr::V6(ip),
        _ => return Ok(()),
    };
    let tried = match parts.next() {
        Some(Protocol::Tcp(port)) if port != 0 => TcpListener::bind(SocketAddr::new(ip, port)).map(drop),
        Some(Protocol::Udp(port)) if port != 0 => UdpSocket::bind(SocketAddr::new(ip, port)).map(drop),
        _ => Ok(()),
    };
    tried.map_err(|cause: io::Error| {
        let advice = port_advice(&cause, "--listen");
        NodeError::Network(format!("cannot listen on {address}: {cause}; {advice}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_another_listens_on_is_refused_with_its_address() {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let taken = [
            format!("/ip4/127.0.0.1/tcp/{}", tcp.local_addr().unwrap().port()),
            format!("/ip4/0.0.0.0/tcp/{}", tcp.local_addr().unwrap().port()),
            format!("/ip4/127.0.0.1/udp/{}/quic-v1", udp.local_addr().unwrap().port()),
        ];
        for text in &taken {
            let error = check(&text.parse().unwrap()).unwrap_err().to_string();
            assert!(error.contains(text.as_str()) && error.contains("--listen"), "{error}");
        }
        drop((tcp, udp));
        for text in &taken {
            check(&text.parse().unwrap()).unwrap();
        }
        check(&"/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
    }
}
