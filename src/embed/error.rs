//! Why a service did not start.

use crate::net::{BuildError, Multiaddr};
use crate::registry::RegistryError;

/// Why a service did not start. Nothing is left running.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system gave no random numbers, in its own words.
    #[error("no random numbers from the system: {0}")]
    Entropy(String),
    /// The network could not be made.
    #[error(transparent)]
    Network(#[from] BuildError),
    /// The registry could not be made.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Listening did not begin in time.
    #[error("still not listening on {wanted} after {seconds} s: is the address one of this machine's?")]
    Deaf {
        /// The first address that is not listened on.
        wanted: Multiaddr,
        /// How long was waited, in seconds.
        seconds: u64,
    },
}
