//! What the nodes of a testbed are connected by.

use core::fmt;
use core::str::FromStr;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::io;

use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use tokio::runtime::Runtime;

use super::carrier::{Carrier, Start};
use crate::net::transport::{self, BoxedTransport};
use crate::testbed::{NodeId, TestbedError};

/// The longest that a starting network takes to join.
const JOINING: Duration = Duration::from_secs(10);

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
}

impl Carrier for Wire {
    fn network(&self) -> &str {
        "swarm"
    }

    fn runtime(&self) -> io::Result<Runtime> {
        tokio::runtime::Builder::new_current_thread().enable_time().enable_io().build()
    }

    fn start(&self) -> Start {
        Start::Joining { within: JOINING }
    }

    fn keypair(&self, _: NodeId) -> Keypair {
        Keypair::generate_ed25519()
    }

    /// An address that no node of this process has. The system chooses a port.
    fn address(&self, _: NodeId) -> Multiaddr {
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

    fn transport(&self, _: NodeId, keypair: &Keypair) -> Result<BoxedTransport, TestbedError> {
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
