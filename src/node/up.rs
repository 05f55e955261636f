//! A node that is up: its parts, put together and taken apart in order.

use core::fmt;
use core::time::Duration;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use futures::future::{Either, select};
use libp2p::multiaddr::Protocol;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::config::NodeConfig;
use super::data::DataFolder;
use super::error::{DataError, NodeError};
use super::http::{App, Doors, router};
use super::keep::Keep;
use super::ports;
use super::secret::random;
use super::watch::Watch;
use crate::net::{Clock, Libp2pNetwork, Multiaddr, NetBuilder, NetConfig, PeerId, Stopper};
use crate::package::PublisherId;
use crate::record::Verifier;
use crate::registry::{Bounds, Catalogue, P2PRegistry, Pool, RegistryConfig, RegistryError};

/// How many verdicts on records are remembered. A good one holds its record, of up to 14 KiB.
const VERDICTS: usize = 4096;
/// The least time that an HTTP connection may stand still.
const STILL: Duration = Duration::from_secs(30);
/// The most time that the start waits to learn where it listens.
const LISTENING: Duration = Duration::from_secs(2);
/// The most time that the end waits for answers that are on their way.
const LEAVING: Duration = Duration::from_secs(5);

/// A node that is up. It is to be stopped with [`Node::stop`]: dropping it leaves its tasks to the runtime.
pub struct Node {
    registry: P2PRegistry<Libp2pNetwork>,
    publisher: PublisherId,
    addresses: Vec<Multiaddr>,
    http: SocketAddr,
    network: Stopper,
    leave: oneshot::Sender<()>,
    driver: JoinHandle<()>,
    server: JoinHandle<std::io::Result<()>>,
    /// Last, so that the folder is free only when nothing works on it.
    folder: DataFolder,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("registry", &self.registry)
            .field("addresses", &self.addresses)
            .field("http", &self.http)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Node {
    /// Bring a node up, inside a tokio runtime with its timers and I/O on.
    pub async fn start(config: &NodeConfig) -> Result<Self, NodeError> {
        let mut folder = DataFolder::open(&config.data)?;
        let bound = async {
            let listener = TcpListener::bind(config.http).await?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, http) =
            bound.await.map_err(|cause| NodeError::Http { address: config.http, cause })?;
        config.listen.iter().try_for_each(ports::check)?;
        let net = NetConfig { stored_records: config.limits.held_records, ..NetConfig::default() };
        let Keep { registry: store, held, whole } = Keep::open(&mut folder, &config.limits, &net).await?;
        let clock = Clock::start();
        let verifier = Verifier::new(VERDICTS);
        let mut metrics = prometheus_client::registry::Registry::default();
        let builder = Libp2pNetwork::builder(folder.keypair.clone(), Arc::new(verifier.clone()))
            .config(net)
            .clock(clock)
            .held(Box::new(held))
            .metrics(&mut metrics);
        let mut network = network(config, builder)?;
        let stopper = network.stopper();
        let addresses = listening(&mut network, config.listen.len()).await;
        let settings = registry(config, &folder, verifier, whole)?;
        let made = P2PRegistry::new(network, store, settings);
        let (registry, driver) = made.map_err(|error| refused(&folder, error))?;
        let driver = driver.spawn();
        let publisher = folder.publisher.id();
        let app = App {
            registry: registry.clone(),
            publisher,
            token: folder.token.clone(),
            clock,
            addresses: addresses.clone(),
            joins: !config.bootstrap.is_empty(),
            hosts: config.http_hosts.clone(),
            room: Arc::new(Semaphore::new(config.limits.http_requests)),
            metrics: Mutex::new(metrics),
        };
        let patience = STILL.max(config.query.timeout.saturating_add(Duration::from_secs(5)));
        let doors = Doors::new(listener, config.limits.http_connections, patience);
        let (leave, left) = oneshot::channel();
        let server = axum::serve(doors, router(Arc::new(app))).with_graceful_shutdown(async {
            // Whoever drops the other end leaves, too.
            let _ = left.await;
        });
        let server = tokio::spawn(server.into_future());
        tracing::info!(peer = %registry.local_peer(), %publisher, %http, ?addresses, "up");
        if !http.ip().is_loopback() {
            tracing::warn!(%http, "HTTP is served beyond this machine, without encryption");
        }
        Ok(Self { registry, publisher, addresses, http, network: stopper, leave, driver, server, folder })
    }

    /// The registry: what the HTTP interface asks, for whoever has the node in their own process.
    pub const fn registry(&self) -> &P2PRegistry<Libp2pNetwork> {
        &self.registry
    }

    /// Who the node is among peers.
    pub const fn peer(&self) -> PeerId {
        self.registry.local_peer()
    }

    /// Whose key it publishes with.
    pub const fn publisher(&self) -> PublisherId {
        self.publisher
    }

    /// Where it listens for peers, each with `/p2p/` and its peer id: what others bootstrap by.
    pub fn addresses(&self) -> &[Multiaddr] {
        &self.addresses
    }

    /// Where HTTP is served.
    pub const fn http(&self) -> SocketAddr {
        self.http
    }

    /// Ready when a part of the node has ended that should not have.
    pub async fn broken(&mut self) -> NodeError {
        let (part, ended) = match select(&mut self.driver, &mut self.server).await {
            Either::Left((ended, _)) => ("the registry", ended.map_err(|error| error.to_string())),
            Either::Right((ended, _)) => {
                let ended = ended.map_err(|error| error.to_string());
                ("HTTP", ended.and_then(|ended| ended.map_err(|error| error.to_string())))
            }
        };
        NodeError::Broke(match ended {
            Ok(()) => format!("{part} ended by itself"),
            Err(why) => format!("{part} ended: {why}"),
        })
    }

    /// Take it down: no connection is taken any more, queries in flight end with what they have and their
    /// answers go out, and what was learned is durable when this returns.
    pub async fn stop(self) -> Result<(), NodeError> {
        let Self { registry, network, leave, driver, server, folder, .. } = self;
        // Whether somebody still listens is seen below.
        let _ = leave.send(());
        network.stop();
        drop(registry);
        let driven = if driver.is_finished() { Ok(()) } else { driver.await };
        if !server.is_finished() && timeout(LEAVING, server).await.is_err() {
            tracing::warn!("answers that nobody takes are left behind");
        }
        drop(folder);
        driven.map_err(|error| NodeError::Broke(format!("the registry ended: {error}")))
    }
}

/// The network, listening, and joining.
fn network(config: &NodeConfig, mut builder: NetBuilder) -> Result<Libp2pNetwork, NodeError> {
    for address in &config.listen {
        builder = builder.listen(address.clone());
    }
    for peer in &config.bootstrap {
        builder = builder.bootstrap(peer.clone());
    }
    builder.build().map_err(|error| NodeError::Network(error.to_string()))
}

/// Where the network listens, each with its peer id. It is waited for, but not for long: an address can come late.
async fn listening(network: &mut Libp2pNetwork, wanted: usize) -> Vec<Multiaddr> {
    let known = async {
        while network.addresses().len() < wanted {
            let work = timeout(Duration::from_millis(10), poll_fn(|cx| network.poll_work(cx)));
            if work.await.is_ok() {
                return; // The swarm has ended, which the driver will tell.
            }
        }
    };
    if timeout(LISTENING, known).await.is_err() {
        tracing::warn!("not every address is listened on yet");
    }
    let peer = crate::network::Network::local_peer(network);
    let mut addresses = network.addresses();
    addresses.sort_by_key(ToString::to_string);
    addresses.into_iter().map(|address| address.with(Protocol::P2p(peer))).collect()
}

/// How the registry is set up.
fn registry(
    config: &NodeConfig,
    folder: &DataFolder,
    verifier: Verifier,
    whole: bool,
) -> Result<RegistryConfig<PeerId>, NodeError> {
    let bounds = Bounds { entries: config.limits.catalogue, ..Bounds::default() };
    let seed = random().map_err(|cause| NodeError::System { what: "no random numbers", cause })?;
    let mut settings = RegistryConfig::new(verifier, Catalogue::new(Pool::new(), bounds), seed)
        .with_publisher(folder.publisher.clone())
        .with_query(config.query.clone())
        .with_observer(Watch::default());
    settings.engine.most_queries = config.limits.queries;
    if whole {
        // Nobody knows more of what this key has published than the database does: no need to ask around first.
        settings.publish.settle = Duration::ZERO;
    }
    Ok(settings)
}

/// Why the registry was not made, with what to do about it.
fn refused(folder: &DataFolder, error: RegistryError) -> NodeError {
    let database = folder.database();
    let advice = match &error {
        RegistryError::OtherKey { .. } => {
            "put that publisher's key back as publisher.key, or move the database away"
        }
        RegistryError::Store(_) => "put a copy of it back, or move it away to begin with an empty one",
        _ => return error.into(),
    };
    DataError::Database(format!("{}: {error}; {advice}", database.display())).into()
}
