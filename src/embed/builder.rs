//! [`Builder`]: what a service is made of, and how it is started.

use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;
use std::sync::Arc;

use super::error::StartError;
use super::service::Service;
use crate::engine::QueryConfig;
use crate::net::{Keypair, Libp2pNetwork, Multiaddr, NetBuilder, NetConfig, PeerAddress, PeerId};
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
#[must_use = "nothing is made before `start`"]
pub struct Builder {
    verifier: Verifier,
    network: NetBuilder,
    listen: Vec<Multiaddr>,
    publisher: Option<Publisher>,
    bounds: Bounds,
    query: QueryConfig,
    adjust: Vec<Adjust>,
}

impl core::fmt::Debug for Builder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Builder")
            .field("network", &self.network)
            .field("publisher", &self.publisher)
            .field("bounds", &self.bounds)
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// A node with a new key that listens nowhere, joins nobody, publishes nothing and keeps its state in memory.
    pub fn new() -> Self {
        Self::with_key(Keypair::generate_ed25519())
    }

    /// The same with this key: who the node is on the network.
    pub fn with_key(keypair: Keypair) -> Self {
        let verifier = Verifier::new(VERDICTS);
        Self {
            network: Libp2pNetwork::builder(keypair, Arc::new(verifier.clone())),
            verifier,
            listen: Vec::new(),
            publisher: None,
            bounds: Bounds::default(),
            query: QueryConfig::default(),
            adjust: Vec::new(),
        }
    }

    /// With this key to publish with. Without one nothing can be published.
    pub fn publisher(mut self, publisher: Publisher) -> Self {
        self.publisher = Some(publisher);
        self
    }

    /// Listen here too.
    pub fn listen(mut self, address: Multiaddr) -> Self {
        self.listen.push(address.clone());
        self.network(|network| network.listen(address))
    }

    /// Join by this peer too.
    pub fn bootstrap(self, peer: PeerAddress) -> Self {
        self.network(|network| network.bootstrap(peer))
    }

    /// With these limits and protocols.
    pub fn net(self, config: NetConfig) -> Self {
        self.network(|network| network.config(config))
    }

    /// Keep records for the DHT in this store; in memory unless given.
    pub fn held(self, store: Box<dyn Store + Send>) -> Self {
        self.network(|network| network.held(store))
    }

    /// Change anything else of how the network is made.
    pub fn network(mut self, adjust: impl FnOnce(NetBuilder) -> NetBuilder) -> Self {
        self.network = adjust(self.network);
        self
    }

    /// Know at most this much of what others publish.
    pub const fn bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// Run queries like this, unless a handle says otherwise.
    pub fn query(mut self, query: QueryConfig) -> Self {
        self.query = query;
        self
    }

    /// Change anything else of the registry's settings, just before it is made.
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
        let seed = seed()?;
        let mut network = self.network.build()?;
        listening(&mut network, &self.listen).await?;
        let mut addresses = network.addresses();
        addresses.sort_by_key(ToString::to_string);
        let stopper = network.stopper();

        let catalogue = Catalogue::new(Pool::new(), self.bounds);
        let mut config = RegistryConfig::new(self.verifier, catalogue, seed).with_query(self.query);
        config.publisher = self.publisher;
        for adjust in self.adjust {
            adjust(&mut config);
        }
        let (registry, driver) = P2PRegistry::new(network, store, config)?;
        Ok(Service { registry, addresses, stopper, driver: Some(driver.spawn()) })
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
