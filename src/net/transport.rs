//! What carries a node's connections: one function for each wire.
//!
//! Each gives the same type, so everything above is the same on any of them: connections that are
//! authenticated as a peer's and carry many streams. [`sockets`] is what a node on the internet uses; the
//! others serve tests, and whoever wants one wire alone. Sockets need a tokio runtime with its I/O on;
//! [`memory`] needs none, and reaches only what listens in the same process.

use core::time::Duration;
use std::io;

use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::{Boxed, MemoryTransport, OrTransport};
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{PeerId, Transport, dns, noise, quic, tcp, yamux};

/// A transport whose connections are a peer's, and carry many streams.
pub type BoxedTransport = Boxed<(PeerId, StreamMuxerBox)>;

/// The longest that a connection may take to be made, encrypted and multiplexed.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The key cannot authenticate connections, in the words of the library that refused it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key cannot authenticate connections: {0}")]
pub struct KeyError(pub(super) String);

/// Within this process: `/memory/NUMBER`, with noise and yamux.
pub fn memory(keypair: &Keypair) -> Result<BoxedTransport, KeyError> {
    Ok(MemoryTransport::default()
        .upgrade(Version::V1)
        .authenticate(noise(keypair)?)
        .multiplex(yamux::Config::default())
        .timeout(HANDSHAKE)
        .boxed())
}

/// `/ip4/…/tcp/PORT` and `/ip6/…/tcp/PORT`, with noise and yamux.
pub fn tcp(keypair: &Keypair) -> Result<BoxedTransport, KeyError> {
    // Questions are short: they are not to wait for more to be sent along.
    let sockets = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
    Ok(sockets
        .upgrade(Version::V1Lazy)
        .authenticate(noise(keypair)?)
        .multiplex(yamux::Config::default())
        .timeout(HANDSHAKE)
        .boxed())
}

/// `/ip4/…/udp/PORT/quic-v1` and `/ip6/…/udp/PORT/quic-v1`.
pub fn quic(keypair: &Keypair) -> BoxedTransport {
    let mut config = quic::Config::new(keypair);
    config.handshake_timeout = HANDSHAKE;
    quic::tokio::Transport::new(config)
        .map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection)))
        .boxed()
}

/// TCP and QUIC, over IPv4 and IPv6, and names of hosts (`/dns/…`, `/dnsaddr/…`) where the system says whom to ask for
/// them.
pub fn sockets(keypair: &Keypair) -> Result<BoxedTransport, KeyError> {
    let either = || -> Result<BoxedTransport, KeyError> {
        let either = OrTransport::new(quic(keypair), tcp(keypair)?);
        Ok(either.map(|either, _| either.into_inner()).boxed())
    };
    match dns::tokio::Transport::system(either()?) {
        Ok(named) => Ok(named.boxed()),
        Err(error) => {
            tracing::warn!(%error, "names of hosts cannot be looked up here: addresses must be numbers");
            either()
        }
    }
}

/// The error that a transport gives for an address of a kind that it does not speak is its own; this one's
/// words say what to write instead.
pub(super) fn unspoken() -> io::Error {
    io::Error::other(
        "this transport does not listen on addresses of this kind (sockets: /ip4/0.0.0.0/tcp/PORT, /ip4/0.0.0.0/udp/PORT/quic-v1)",
    )
}

fn noise(keypair: &Keypair) -> Result<noise::Config, KeyError> {
    noise::Config::new(keypair).map_err(|error| KeyError(error.to_string()))
}
