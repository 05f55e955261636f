//! [`Service`]: a running registry.

use tokio::task::JoinHandle;

use crate::net::{Libp2pNetwork, Multiaddr, PeerId, Stopper};
use crate::registry::P2PRegistry;

/// A running registry, its network and its store.
#[derive(Debug)]
pub struct Service {
    pub(super) registry: P2PRegistry<Libp2pNetwork>,
    pub(super) addresses: Vec<Multiaddr>,
    pub(super) stopper: Stopper,
    pub(super) driver: JoinHandle<()>,
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
        self.driver.is_finished()
    }

    /// End what is in flight, and wait until everything that was accepted is durable.
    pub async fn stop(self) {
        self.stopper.stop();
        // It ends by itself; that it panicked was told where it happened.
        let _ended = self.driver.await;
    }
}
