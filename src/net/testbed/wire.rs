//! What the nodes of a testbed are connected by.

use core::fmt;
use core::str::FromStr;
use core::sync::atomic::{AtomicU64, Ordering};

use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;

use crate::net::transport::{self, BoxedTransport};
use crate::testbed::TestbedError;

/// Memory addresses are shared by the whole process, so no two nodes may have the same.
static NEXT_ADDRESS: AtomicU64 = AtomicU64::new(1);

/// What the nodes of a testbed are connected by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wire {
    /// libp2p's memory transport, with noise and yamux: no socket is opened.
    #[default]
    Memory,
    /// TCP with noise and yamux, on the loopback interface.
    Tcp,
    /// QUIC, on the loopback interface.
    Quic,
}

impl Wire {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Memory, Self::Tcp, Self::Quic];

    /// Its name, which [`FromStr`] takes too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Tcp => "tcp",
            Self::Quic => "quic",
        }
    }

    /// An address to listen on that no node of this process has. The system chooses a port.
    pub(super) fn address(self) -> Multiaddr {
        let loopback = || Multiaddr::empty().with(Protocol::Ip4(core::net::Ipv4Addr::LOCALHOST));
        match self {
            Self::Memory => {
                let address = NEXT_ADDRESS.fetch_add(1, Ordering::Relaxed);
                Multiaddr::empty().with(Protocol::Memory(address))
            }
            Self::Tcp => loopback().with(Protocol::Tcp(0)),
            Self::Quic => loopback().with(Protocol::Udp(0)).with(Protocol::QuicV1),
        }
    }

    /// The transport of a node with this key. To be made and used within a tokio runtime with timers, and
    /// with input and output unless it is memory's.
    pub(super) fn transport(self, keypair: &Keypair) -> Result<BoxedTransport, TestbedError> {
        let made = match self {
            Self::Memory => transport::memory(keypair),
            Self::Tcp => transport::tcp(keypair),
            Self::Quic => Ok(transport::quic(keypair)),
        };
        made.map_err(|error| TestbedError::Start(error.to_string()))
    }
}

impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Wire {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|wire| wire.name() == text)
            .ok_or_else(|| format!("`{text}` is no wire: memory, tcp or quic"))
    }
}
