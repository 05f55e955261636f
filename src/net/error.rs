//! Why a node on a swarm could not be made.

use libp2p::Multiaddr;

use super::config::ConfigError;
use super::transport::KeyError;

/// Why a [`Libp2pNetwork`](super::Libp2pNetwork) could not be built. Nothing is left running.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A setting that cannot hold.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The key is of a kind that connections cannot be authenticated with.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Gossipsub refused its settings, in its own words.
    #[error("gossipsub: {0}")]
    Gossip(String),
    /// There is no tokio runtime with its I/O and timers on where the network was built.
    #[error("sockets need a tokio runtime: build the network within one")]
    NoRuntime,
    /// An address could not be listened on: it is in use, not of this machine, or of another kind.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: Multiaddr,
        /// What the system said.
        reason: String,
    },
}
