//! [`Service`]: a running registry.

use tokio::task::{JoinError, JoinHandle};

use crate::net::{Libp2pNetwork, Multiaddr, PeerId, Stopper};
use crate::registry::P2PRegistry;

/// A running registry, its network and its store.
#[derive(Debug)]
pub struct Service {
    pub(super) registry: P2PRegistry<Libp2pNetwork>,
    pub(super) addresses: Vec<Multiaddr>,
    pub(super) stopper: Stopper,
    /// Until it was seen to have ended.
    pub(super) driver: Option<JoinHandle<()>>,
}

impl Service {
    /// The handle to ask; clones of it may go anywhere.
    pub const fn registry(&self) -> &P2PRegistry<Libp2pNetwork> {
        &self.registry
    }

    /// This node's name on the network.
    pub const fn peer(&self) -> PeerId {
        self.registry.local_peer()
    }

    /// Where it listens. Others join by one of these with `/p2p/` and [`Service::peer`] behind it.
    pub fn addresses(&self) -> &[Multiaddr] {
        &self.addresses
    }

    /// What stops the network from anywhere. The driver ends as in [`Service::stop`].
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Whether it has ended: it was stopped, or its network was.
    pub fn has_ended(&self) -> bool {
        self.driver.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Wait until it ends: its network was stopped, or, which is an error, its driver broke.
    pub async fn ended(&mut self) -> Result<(), JoinError> {
        let Some(driver) = &mut self.driver else { return Ok(()) };
        let ended = driver.await;
        self.driver = None;
        ended
    }

    /// End what is in flight, and wait until everything that was accepted is durable. An error says that its driver
    /// broke.
    pub async fn stop(mut self) -> Result<(), JoinError> {
        self.stopper.stop();
        self.ended().await
    }
}
