//! [`Builder`]: what a service is made of, and how it is started.

use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;
use std::sync::Arc;

use super::error::StartError;
use super::service::Service;
use crate::engine::QueryConfig;
use crate::net::{Keypair, Libp2pNetwork, Multiaddr, NetConfig, PeerAddress, PeerId};
use crate::record::{Publisher, Verifier};
use crate::registry::catalogue::{Bounds, Catalogue, Pool};
use crate::registry::{P2PRegistry, RegistryConfig};
use crate::store::{MemoryStore, Store, StoreLimits};

/// How many verdicts on records are remembered. A verdict is the record itself, so this bounds memory too.
const VERDICTS: usize = 4096;
/// How long may pass until every address is listened on.
const LISTENING: Duration = Duration::from_secs(10);

type Adjust = Box<dyn FnOnce(&mut RegistryConfig<PeerId>) + Send>;

/// Everything that a service is made with. What is not set has a sound default.
#[derive(Default)]
pub struct Builder {
    keypair: Option<Keypair>,
    publisher: Option<Publisher>,
    net: NetConfig,
    listen: Vec<Multiaddr>,
    bootstrap: Vec<PeerAddress>,
    held: Option<Box<dyn Store + Send>>,
    bounds: Bounds,
    query: QueryConfig,
    adjust: Vec<Adjust>,
}

impl core::fmt::Debug for Builder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Builder")
            .field("listen", &self.listen)
            .field("bootstrap", &self.bootstrap)
            .field("net", &self.net)
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}

impl Builder {
    /// A node with a new key that listens nowhere, joins nobody, publishes nothing and keeps its state in memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this key: who the node is on the network. A new one unless given.
    #[must_use]
    pub fn keypair(mut self, keypair: Keypair) -> Self {
        self.keypair = Some(keypair);
        self
    }

    /// With this key to publish with. Without one nothing can be published.
    #[must_use]
    pub fn publisher(mut self, publisher: Publisher) -> Self {
        self.publisher = Some(publisher);
        self
    }

    /// Listen here too.
    #[must_use]
    pub fn listen(mut self, address: Multiaddr) -> Self {
        self.listen.push(address);
        self
    }

    /// Join by this peer too.
    #[must_use]
    pub fn bootstrap(mut self, peer: PeerAddress) -> Self {
        self.bootstrap.push(peer);
        self
    }

    /// With these limits and protocols.
    #[must_use]
    pub fn net(mut self, config: NetConfig) -> Self {
        self.net = config;
        self
    }

    /// Keep records for the DHT in this store; in memory unless given.
    #[must_use]
    pub fn held(mut self, store: Box<dyn Store + Send>) -> Self {
        self.held = Some(store);
        self
    }

    /// Know at most this much of what others publish.
    #[must_use]
    pub const fn bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// Run queries like this, unless a handle says otherwise.
    #[must_use]
    pub fn query(mut self, query: QueryConfig) -> Self {
        self.query = query;
        self
    }

    /// Change anything else of the registry's settings, just before it is made.
    #[must_use]
    pub fn registry(mut self, adjust: impl FnOnce(&mut RegistryConfig<PeerId>) + Send + 'static) -> Self {
        self.adjust.push(Box::new(adjust));
        self
    }

    /// Start, with the registry's state in memory.
    pub async fn start(self) -> Result<Service, StartError> {
        self.start_on(MemoryStore::new(StoreLimits::default())).await
    }

    /// Start, with the registry's state in `store`; it goes on from what an earlier life left there.
    pub async fn start_on<S: Store + Send + 'static>(self, store: S) -> Result<Service, StartError> {
        let verifier = Verifier::new(VERDICTS);
        let keypair = self.keypair.unwrap_or_else(Keypair::generate_ed25519);
        let mut network = Libp2pNetwork::builder(keypair, Arc::new(verifier.clone())).config(self.net);
        for address in &self.listen {
            network = network.listen(address.clone());
        }
        for peer in self.bootstrap {
            network = network.bootstrap(peer);
        }
        let mut network = network.build()?;
        listening(&mut network, &self.listen).await?;
        let (addresses, stopper) = (network.addresses(), network.stopper());

        let catalogue = Catalogue::new(Pool::new(), self.bounds);
        let mut config = RegistryConfig::new(verifier, catalogue, seed()?).with_query(self.query);
        config.publisher = self.publisher;
        for adjust in self.adjust {
            adjust(&mut config);
        }
        let (registry, driver) = P2PRegistry::new(network, store, config)?;
        Ok(Service { registry, addresses, stopper, driver: driver.spawn() })
    }
}

#[expect(clippy::disallowed_methods, reason = "a service that is not a test takes its seed from entropy")]
fn seed() -> Result<[u8; 32], StartError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| StartError::Entropy(error.to_string()))?;
    Ok(seed)
}

/// Let the network work until it listens as often as it was told to.
async fn listening(network: &mut Libp2pNetwork, wanted: &[Multiaddr]) -> Result<(), StartError> {
    let all = poll_fn(|cx| {
        let _working = network.poll_work(cx);
        match network.addresses().len() >= wanted.len() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    });
    let in_time = tokio::time::timeout(LISTENING, all).await.is_ok();
    match wanted.get(network.addresses().len()) {
        Some(missing) if !in_time => {
            Err(StartError::Deaf { wanted: missing.clone(), seconds: LISTENING.as_secs() })
        }
        _ => Ok(()),
    }
}
