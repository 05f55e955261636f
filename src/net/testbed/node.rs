//! One node of a testbed, over all its lives.

use core::task::{Context, Poll};

use libp2p::identity::Keypair;
use libp2p::swarm;
use libp2p::{Multiaddr, PeerId};
use tokio::task::JoinHandle;

use super::frame::Limits;
use super::gate::lined;
use super::line::Line;
use super::serve::Part;
use super::setup::SwarmSetup;
use super::store::SwarmStore;
use super::stream::Names;
use crate::net::clock::Clock;
use crate::net::config::NetConfig;
use crate::net::network::Libp2pNetwork;
use crate::net::stopper::Stopper;
use crate::testbed::{Keep, NodeId, NodeSpec, Role, TestbedError};

/// One node.
pub(super) struct Node {
    pub(super) id: NodeId,
    pub(super) peer: PeerId,
    /// Who answers, when the testbed runs this node.
    pub(super) part: Option<Part>,
    pub(super) line: Line,
    pub(super) store: SwarmStore,
    /// The present life's network, until it is taken or runs.
    pub(super) network: Option<Libp2pNetwork>,
    keypair: Keypair,
    /// Where it listens, in all its lives.
    address: Multiaddr,
    pub(super) server: bool,
    /// What ends the present life.
    stopper: Option<Stopper>,
    tasks: Vec<JoinHandle<()>>,
}

impl Node {
    /// A node that does not live yet.
    pub(super) fn new(setup: &SwarmSetup, id: NodeId, spec: NodeSpec) -> Self {
        let limits = Limits { answer: setup.config.answer_bytes, record: setup.config.record_bytes };
        let carrier = setup.carrier.clone();
        carrier.spawned(id, &spec);
        let keypair = carrier.keypair(id);
        let address = carrier.address(id);
        Self {
            id,
            peer: keypair.public().to_peer_id(),
            part: match spec.role {
                Role::Application => None,
                Role::Served(responder) => Some(Part::new(responder)),
            },
            line: Line::new(id, carrier, setup.service, spec.dialable, limits),
            store: SwarmStore::default(),
            network: None,
            keypair,
            address,
            server: spec.server,
            stopper: None,
            tasks: Vec::new(),
        }
    }

    /// Whether it lives.
    pub(super) fn is_up(&self) -> bool {
        self.stopper.is_some()
    }

    /// Its name, and where it listens.
    pub(super) fn named(&self) -> (PeerId, Multiaddr) {
        (self.peer, self.address.clone())
    }

    /// Begin a life, within the testbed's runtime. Fails when its address is not free.
    pub(super) fn live(&mut self, setup: &SwarmSetup, clock: Clock) -> Result<(), TestbedError> {
        let start = |error: &dyn core::fmt::Display| TestbedError::Start(error.to_string());
        let config = NetConfig { serves: self.server, ..setup.config.clone() };
        let carried = setup.carrier.transport(self.id, &self.keypair)?;
        let transport = lined(carried, &self.line, &Names::of(&config));
        let idle = setup.carrier.idle();
        let settings = swarm::Config::with_tokio_executor().with_idle_connection_timeout(idle);
        let mut builder = Libp2pNetwork::builder(self.keypair.clone(), setup.validator.clone())
            .config(config)
            .clock(clock)
            .listen(self.address.clone());
        if let Some(part) = &self.part {
            builder = builder.lend(part.lend());
        }
        let network = builder.build_on(transport, settings).map_err(|error| start(&error))?;
        self.stopper = Some(network.stopper());
        self.network = Some(network);
        Ok(())
    }

    /// Ready when the address that it listens on is known, where the system chooses it.
    pub(super) fn poll_address(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(network) = &mut self.network else { return Poll::Ready(()) };
        let _working = network.poll_work(cx);
        match network.addresses().first() {
            Some(address) => {
                self.address = address.clone();
                Poll::Ready(())
            }
            None => Poll::Pending,
        }
    }

    /// `task` ends with this node's present life.
    pub(super) fn owns(&mut self, task: JoinHandle<()>) {
        self.tasks.retain(|task| !task.is_finished());
        self.tasks.push(task);
    }

    /// End its life, and leave it with `keep`. Says whether it lived.
    pub(super) fn die(&mut self, keep: Keep) -> bool {
        let Some(stopper) = self.stopper.take() else { return false };
        stopper.stop();
        self.line.depths().forget();
        self.network = None;
        self.tasks.drain(..).for_each(|task| task.abort());
        self.store.end_life(keep);
        if keep == Keep::Nothing
            && let Some(part) = &self.part
        {
            part.with(|part| part.forget());
        }
        true
    }
}
