//! A node that is up: its parts, put together and taken apart in order.

use core::fmt;
use core::pin::pin;
use core::time::Duration;
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
use super::watch::Watch;
use crate::embed::{Builder, Service, StartError};
use crate::engine::QueryConfig;
use crate::net::{Clock, Libp2pNetwork, Multiaddr, NetConfig, PeerId};
use crate::package::PublisherId;
use crate::registry::{Bounds, P2PRegistry, PublishConfig, RegistryError};

/// The least time that an HTTP connection may stand still.
const STILL: Duration = Duration::from_secs(30);
/// What an answer may take beyond its own limits, on a machine that has much else to do.
const SLACK: Duration = Duration::from_secs(5);
/// The most time that the end waits for answers that are on their way.
const LEAVING: Duration = Duration::from_secs(5);

/// A node that is up. It is to be stopped with [`Node::stop`]: dropping it leaves its tasks to the runtime.
pub struct Node {
    service: Service,
    publisher: PublisherId,
    addresses: Vec<Multiaddr>,
    http: SocketAddr,
    leave: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
    /// Last, so that the folder is free only when nothing works on it.
    folder: DataFolder,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("service", &self.service)
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
        let Keep { registry: store, held, whole, last_write } =
            Keep::open(&mut folder, &config.limits, &net).await?;
        let clock = Clock::start();
        let mut metrics = prometheus_client::registry::Registry::default();
        let mut publish = PublishConfig::default();
        if whole {
            // Nobody knows more of what this key has published than the database does: no need to ask around first.
            publish.settle = Duration::ZERO;
        }
        let (still, answering) = patience(&config.query, &publish);
        let builder = builder(config, &folder, publish)
            .net(net)
            .held(Box::new(held))
            .network(|network| network.clock(clock).metrics(&mut metrics));
        let service = builder.start_on(store).await.map_err(|error| refused(&folder, error))?;
        let (registry, publisher) = (service.registry().clone(), folder.publisher.id());
        let peer = service.peer();
        let addresses: Vec<Multiaddr> =
            service.addresses().iter().map(|address| address.clone().with(Protocol::P2p(peer))).collect();
        let app = App {
            registry: registry.clone(),
            publisher,
            token: folder.token.clone(),
            clock,
            addresses: addresses.clone(),
            last_write,
            joins: !config.bootstrap.is_empty(),
            hosts: config.http_hosts.clone(),
            room: Arc::new(Semaphore::new(config.limits.http_requests)),
            metrics: Mutex::new(metrics),
        };
        let doors = Doors::new(listener, config.limits.http_connections, still, answering);
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
        Ok(Self { service, publisher, addresses, http, leave, server, folder })
    }

    /// The registry: what the HTTP interface asks, for whoever has the node in their own process.
    pub const fn registry(&self) -> &P2PRegistry<Libp2pNetwork> {
        self.service.registry()
    }

    /// Who the node is among peers.
    pub const fn peer(&self) -> PeerId {
        self.service.peer()
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
        let (part, ended) = match select(pin!(self.service.ended()), &mut self.server).await {
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
        let Self { service, leave, server, folder, .. } = self;
        // Whether somebody still listens is seen below.
        let _ = leave.send(());
        let driven = service.stop().await;
        if !server.is_finished() && timeout(LEAVING, server).await.is_err() {
            tracing::warn!("answers that nobody takes are left behind");
        }
        drop(folder);
        driven.map_err(|error| NodeError::Broke(format!("the registry ended: {error}")))
    }
}

/// How long a connection may stand still, and how long while an answer is being made.
fn patience(query: &QueryConfig, publish: &PublishConfig) -> (Duration, Duration) {
    let still = STILL.max(query.timeout.saturating_add(SLACK));
    // A publication waits until numbers are given, looks around, and stores two records one after the other. It is
    // durable before it is stored: who is cut off then never learns of it.
    let publication =
        publish.settle.saturating_add(query.timeout).saturating_add(publish.timeout.saturating_mul(2));
    (still, still.max(publication.saturating_add(SLACK)))
}

/// What the service is made with.
fn builder(config: &NodeConfig, folder: &DataFolder, publish: PublishConfig) -> Builder {
    let bounds = Bounds { entries: config.limits.catalogue, ..Bounds::default() };
    let queries = config.limits.queries;
    let mut builder = Builder::with_key(folder.keypair.clone())
        .publisher(folder.publisher.clone())
        .bounds(bounds)
        .query(config.query.clone())
        .registry(move |settings| {
            settings.observer = Some(Box::new(Watch::default()));
            settings.engine.most_queries = queries;
            settings.publish = publish;
        });
    for address in &config.listen {
        builder = builder.listen(address.clone());
    }
    for address in &config.external {
        builder = builder.network(|network| network.external(address.clone()));
    }
    for peer in &config.bootstrap {
        builder = builder.bootstrap(peer.clone());
    }
    builder
}

/// Why the registry was not made, with what to do about it.
fn refused(folder: &DataFolder, error: StartError) -> NodeError {
    let database = folder.database();
    let advice = match &error {
        StartError::Registry(RegistryError::OtherKey { .. }) => {
            "put that publisher's key back as publisher.key, or move the database away"
        }
        StartError::Registry(RegistryError::Store(_)) => {
            "make a copy of it before anything else; then put an older one back, or move it away to begin with an \
             empty one"
        }
        _ => return NodeError::Network(error.to_string()),
    };
    DataError::Database(format!("{}: {error}; {advice}", database.display())).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::SILENT_NODE;

    #[test]
    fn an_answer_that_is_being_made_outlasts_the_longest_publication() {
        let (query, publish) = (QueryConfig::default(), PublishConfig::default());
        let longest = publish.settle + query.timeout + 2 * publish.timeout;
        let (still, answering) = patience(&query, &publish);
        assert!(answering >= longest + SLACK, "{answering:?} for {longest:?}");
        assert!(still >= query.timeout + SLACK && still < answering, "{still:?}");
        assert!(answering < SILENT_NODE, "a client gives up on what the node still makes");
        let slow = QueryConfig { timeout: Duration::from_secs(600), ..query };
        assert_eq!(patience(&slow, &publish).0, Duration::from_secs(605));
        let most = PublishConfig { timeout: Duration::MAX, ..publish };
        assert_eq!(patience(&slow, &most).1, Duration::MAX, "no sum is too large");
    }
}
