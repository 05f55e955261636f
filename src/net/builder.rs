//! Making a node: what it is, what it lends, where it listens, whom it joins by.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use libp2p::Multiaddr;
use libp2p::core::transport::TransportError;
use libp2p::identity::Keypair;
use libp2p::swarm::{self, Swarm};

use super::address::PeerAddress;
use super::behaviour::Behaviour;
use super::clock::Clock;
use super::config::NetConfig;
use super::error::BuildError;
use super::held::{Held, Lend, held_limits};
use super::network::Libp2pNetwork;
use super::transport::{BoxedTransport, sockets, unspoken};
use crate::network::Validator;
use crate::store::{MemoryStore, Store};

/// How long a connection that nobody uses is kept: a question to a peer that was asked before then costs no dial.
const IDLE: Duration = Duration::from_secs(120);

/// Makes a [`Libp2pNetwork`]; begun by [`Libp2pNetwork::builder`].
///
/// Nothing happens before [`build`](Self::build) or [`build_on`](Self::build_on).
#[must_use = "nothing is made before `build`"]
pub struct NetBuilder {
    keypair: Keypair,
    validator: Arc<dyn Validator>,
    config: NetConfig,
    listen: Vec<Multiaddr>,
    bootstrap: Vec<PeerAddress>,
    external: Vec<Multiaddr>,
    lend: Option<Lend>,
    held: Option<Box<dyn Store + Send>>,
    clock: Option<Clock>,
    #[cfg(feature = "node")]
    metrics: Option<super::metrics::NetMetrics>,
}

impl fmt::Debug for NetBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetBuilder")
            .field("config", &self.config)
            .field("listen", &self.listen)
            .field("bootstrap", &self.bootstrap)
            .finish_non_exhaustive()
    }
}

impl Libp2pNetwork {
    /// Begin to make a node that is known by `keypair`, and whose records and announcements `validator` judges.
    pub fn builder(keypair: Keypair, validator: Arc<dyn Validator>) -> NetBuilder {
        NetBuilder {
            keypair,
            validator,
            config: NetConfig::default(),
            listen: Vec::new(),
            bootstrap: Vec::new(),
            external: Vec::new(),
            lend: None,
            held: None,
            clock: None,
            #[cfg(feature = "node")]
            metrics: None,
        }
    }
}

impl NetBuilder {
    /// Limits and protocols; sound ones when not given.
    pub fn config(mut self, config: NetConfig) -> Self {
        self.config = config;
        self
    }

    /// Listen on this address too. A port of 0 is chosen by the system; see [`Libp2pNetwork::addresses`].
    pub fn listen(mut self, address: Multiaddr) -> Self {
        self.listen.push(address);
        self
    }

    /// Join by this peer too.
    pub fn bootstrap(mut self, address: PeerAddress) -> Self {
        self.bootstrap.push(address);
        self
    }

    /// Tell others that this node can be reached at this address too: behind a port that a router forwards, say.
    /// Where it listens is told anyway, and where several peers see it.
    pub fn external(mut self, address: Multiaddr) -> Self {
        self.external.push(address);
        self
    }

    /// Serve these values of the application's own, beside what others gave this node to hold.
    pub fn lend(mut self, lend: Lend) -> Self {
        self.lend = Some(lend);
        self
    }

    /// Keep the records that others give this node to hold, and its own, in this store: it needs the limits that
    /// [`held_limits`](super::held_limits) says. In memory when not given.
    pub fn held(mut self, store: Box<dyn Store + Send>) -> Self {
        self.held = Some(store);
        self
    }

    /// Count time from where this clock does; from the building when not given.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Register libp2p's metrics and this module's with `registry`, and keep them up to date.
    #[cfg(feature = "node")]
    pub fn metrics(mut self, registry: &mut prometheus_client::registry::Registry) -> Self {
        self.metrics = Some(super::metrics::NetMetrics::new(registry));
        self
    }

    /// A node on TCP and QUIC, with names of hosts. Within a tokio runtime; its tasks run there.
    pub fn build(self) -> Result<Libp2pNetwork, BuildError> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(BuildError::NoRuntime);
        }
        let wire = sockets(&self.keypair)?;
        let settings = swarm::Config::with_tokio_executor().with_idle_connection_timeout(IDLE);
        self.build_on(wire, settings)
    }

    /// A node on any transport and any executor. Its timers are tokio's, so it is polled within a tokio runtime with
    /// timers on; sockets of its own it has none.
    pub fn build_on(
        self,
        transport: BoxedTransport,
        settings: swarm::Config,
    ) -> Result<Libp2pNetwork, BuildError> {
        self.config.check()?;
        let clock = self.clock.unwrap_or_else(Clock::start);
        let local = self.keypair.public().to_peer_id();
        let store = self.held.unwrap_or_else(|| Box::new(MemoryStore::new(held_limits(&self.config))));
        let held = Held::new(local, &self.config, clock, Arc::clone(&self.validator), store, self.lend);
        let behaviour = Behaviour::new(&self.keypair, &self.config, held)?;
        let swarm = Swarm::new(transport, behaviour, local, settings);
        let mut network = Libp2pNetwork::new(swarm, self.config, clock, self.validator);
        #[cfg(feature = "node")]
        if let Some(metrics) = self.metrics {
            network.watch(metrics);
        }
        for address in self.listen {
            network.listen_on(address.clone()).map_err(|error| {
                let reason = match error {
                    TransportError::MultiaddrNotSupported(_) => unspoken(),
                    TransportError::Other(error) => error,
                };
                BuildError::Listen { address, reason: reason.to_string() }
            })?;
        }
        for address in self.external {
            network.tell_address(address);
        }
        for known in self.bootstrap {
            network.add_address(known.peer, known.address);
            network.connect(known.peer);
        }
        Ok(network)
    }
}
