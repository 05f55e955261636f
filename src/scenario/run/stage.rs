//! The stage of a run: the network, the registries on it, the modelled peers, and what all of them know
//! at the start.
//!
//! Order of calls: [`Stage::set`] once, before time moves; then spawning, killing and restarting as the
//! plan says. Whatever it does, it tells the journal's truth.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::error::RunError;
use super::figures::{DynNetwork, Measured, Outfit, PeerOf};
use super::library::Library;
use super::truth::Holder;
use super::watched::Watched;
use super::witness::{Names, Scribe, SharedJournal, open};
use crate::network::{AnswerLimits, Refusal, Responder};
use crate::oracle::Fact;
use crate::package::{PackageId, ReleaseId};
use crate::record::{Publisher, Verifier, keys};
use crate::registry::{P2PRegistry, RegistryConfig, RegistryResponder};
use crate::scenario::draw::{Concern, Draws};
use crate::scenario::plan::{NodeRole, Plan};
use crate::testbed::{Fault, Keep, NodeId, NodeSpec};
use crate::time::WallTime;

/// How long records that were published before the start are kept.
const TTL: Duration = Duration::from_secs(7 * 86_400);

/// A registry under test, on a testbed's network.
pub(super) type Under<B> = P2PRegistry<DynNetwork<PeerOf<B>>>;

/// A modelled peer's responder, which the truth also looks into.
#[derive(Clone)]
pub(super) struct Honest(pub(super) Arc<Mutex<RegistryResponder>>);

impl Honest {
    fn with<T>(&self, look: impl FnOnce(&mut RegistryResponder) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Responder for Honest {
    fn answer(&mut self, question: &[u8], limits: AnswerLimits) -> Result<Bytes, Refusal> {
        self.with(|inner| inner.answer(question, limits))
    }

    fn announced(&mut self, topic: &[u8], payload: &Bytes, wall: WallTime) {
        self.with(|inner| inner.announced(topic, payload, wall));
    }

    fn record(&mut self, key: &[u8]) -> Option<Bytes> {
        self.with(|inner| inner.record(key))
    }

    fn forget(&mut self) {
        self.with(RegistryResponder::forget);
    }
}

impl Holder for RegistryResponder {
    fn holds(&self, release: &ReleaseId) -> bool {
        self.catalogue().get(release).is_some()
    }
}

/// A network with everything on it.
pub(super) struct Stage<'p, B: Measured> {
    pub(super) bed: B,
    pub(super) plan: &'p Plan,
    pub(super) journal: SharedJournal,
    pub(super) library: Library,
    /// Registries that are up, by node.
    pub(super) registries: BTreeMap<NodeId, Under<B>>,
    /// Modelled peers, by node.
    pub(super) peers: BTreeMap<NodeId, Honest>,
    names: Names<PeerOf<B>>,
    roles: Vec<NodeRole>,
    verifier: Verifier,
    /// Registries whose disk was lost, or that joined late: they begin with nothing.
    empty: BTreeMap<NodeId, bool>,
}

impl<'p, B: Measured> Stage<'p, B> {
    /// Spawn everyone who is there at the start and give them what they know.
    pub(super) fn set(
        bed: B,
        plan: &'p Plan,
        journal: SharedJournal,
        library: Library,
        verifier: Verifier,
    ) -> Result<Self, RunError> {
        let mut stage = Self {
            bed,
            plan,
            journal,
            library,
            registries: BTreeMap::new(),
            peers: BTreeMap::new(),
            names: Names::default(),
            roles: plan.roles(),
            verifier,
            empty: BTreeMap::new(),
        };
        for node in 0..plan.nodes.start {
            stage.spawn(NodeId(node), Some(NodeId(node)), !plan.catalogue.registries_full)?;
        }
        stage.library.tell(&mut open(&stage.journal).truth);
        if plan.catalogue.in_dht {
            for (key, value) in stage.library.records() {
                stage.bed.preload(key, value, TTL)?;
            }
        }
        // A registry may send as soon as it runs, so all are there before the first one is started.
        for node in 0..plan.nodes.registries {
            stage.start(NodeId(node))?;
        }
        Ok(stage)
    }

    /// The number, among registries, of this node.
    pub(super) fn registry_number(&self, node: NodeId) -> Option<u32> {
        match self.roles.get(node.0 as usize) {
            Some(NodeRole::Registry(number)) => Some(*number),
            Some(NodeRole::Peer) | None => None,
        }
    }

    /// The node that the network knows by this name.
    pub(super) fn name(&self, peer: &PeerOf<B>) -> NodeId {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(peer).copied().unwrap_or(NodeId(u32::MAX))
    }

    /// A node joins after the start: with an empty catalogue, or as another under a new name.
    pub(super) fn join(&mut self, node: NodeId, of: Option<NodeId>) -> Result<(), RunError> {
        self.spawn(node, of, true)?;
        if self.registry_number(node).is_some() { self.start(node) } else { Ok(()) }
    }

    /// Make a node. A modelled peer holds what `like` held at the start.
    fn spawn(&mut self, node: NodeId, like: Option<NodeId>, empty: bool) -> Result<(), RunError> {
        let nodes = &self.plan.nodes;
        let (role, nobody) = (self.registry_number(node), nodes.nobody.contains(node));
        let mut spec = match role {
            Some(_) => NodeSpec::application(),
            None => {
                let catalogue = match like.filter(|_| !nobody) {
                    Some(like) => self.library.shelf(self.plan.held_by(like, self.library.len())),
                    None => self.library.nothing(None),
                };
                let responder = RegistryResponder::new(catalogue, self.verifier.clone());
                let honest = Honest(Arc::new(Mutex::new(responder)));
                self.peers.insert(node, honest.clone());
                NodeSpec::served(Box::new(honest))
            }
        };
        // Nobody is never there to serve, so nobody's table lists it.
        spec.server = !nodes.clients.contains(node) && !nobody;
        spec.near = nodes.placed.iter().find(|it| it.nodes.contains(node)).map(|it| {
            let key = Publisher::from_seed(self.plan.publisher_secret(it.publisher));
            keys::list(&PackageId { publisher: key.id(), name: it.name.clone() })
        });
        spec.dialable = !nodes.undialable.contains(node);
        let (dialable, at) = (spec.dialable, self.bed.now());
        let spawned = self.bed.spawn(spec)?;
        if spawned != node {
            return Err(RunError::Plan(format!("{node} joins out of order: the network has {spawned} next")));
        }
        let peer = self.bed.peer(node).ok_or(RunError::NoNode(node))?;
        self.names.lock().unwrap_or_else(PoisonError::into_inner).insert(peer, node);
        let holder = self.peers.get(&node).map(|honest| honest.0.clone() as super::truth::SharedHolder);
        let mut journal = open(&self.journal);
        let truth = &mut journal.truth;
        truth.spawn(node, at, holder);
        if role.is_some() && !empty {
            truth.caught_up(
                node,
                self.plan.registry.holds.map(|holds| self.library.registry_part(node, holds)),
            );
        }
        if !dialable {
            truth.unfit(node, super::truth::Unfit::Undialable, at, true);
        }
        if let Some(number) = role {
            truth.own_key(node, self.publisher(number).id());
            self.empty.insert(node, empty);
        }
        drop(journal);
        if nobody { self.kill(node, Keep::Nothing) } else { Ok(()) }
    }

    fn publisher(&self, registry: u32) -> Publisher {
        Publisher::from_seed(self.plan.publisher_secret(self.plan.publisher_of(registry)))
    }

    /// Start the registry of a node that is up.
    fn start(&mut self, node: NodeId) -> Result<(), RunError> {
        let number = self.registry_number(node).ok_or(RunError::NoNode(node))?;
        let network = self.bed.network(node).ok_or(RunError::NoNode(node))?;
        let store = self.bed.store(node).ok_or(RunError::NoNode(node))?;
        let holds = self.plan.registry.holds;
        let catalogue = if self.empty.get(&node).copied().unwrap_or(true) {
            self.library.nothing(holds)
        } else {
            self.library.registry_shelf(node, holds)
        };
        let scribe = Scribe { journal: self.journal.clone(), names: self.names.clone(), node };
        let seed = Draws::new(self.plan.seed, Concern::Key, [2, u64::from(node.0)]).bytes();
        let mut config = RegistryConfig::new(self.verifier.clone(), catalogue, seed)
            .with_publisher(self.publisher(number))
            .with_query(self.plan.registry.query())
            .with_observer(scribe.clone());
        let wanted = &self.plan.registry;
        if let Some(queries) = wanted.queries {
            config.engine.most_queries = queries as usize;
        }
        if let Some(every) = wanted.catch_up {
            config.catch_up.every = every.0;
        }
        if let Some(every) = wanted.republish {
            config.publish.refresh_every = every.0;
        }
        if let Some(validity) = wanted.validity {
            config.publish.validity = validity.0;
        }
        let network = Watched::new(network, scribe, self.bed.meter(node));
        let Outfit { network, config } = self.bed.outfit(node, Outfit { network: Box::new(network), config });
        let (registry, driver) = P2PRegistry::new(network, store, config)
            .map_err(|error| RunError::Registry(error.to_string()))?;
        self.registries.insert(node, registry);
        self.bed.run(Some(node), Box::pin(driver.run()));
        Ok(())
    }

    /// A node stops.
    pub(super) fn kill(&mut self, node: NodeId, keep: Keep) -> Result<(), RunError> {
        let at = self.bed.now();
        let nothing = keep == Keep::Nothing;
        self.bed.apply(Fault::Kill { node, keep })?;
        self.registries.remove(&node);
        let mut journal = open(&self.journal);
        if self.registry_number(node).is_some() {
            journal.saw(at, node, Fact::Died);
            if nothing {
                self.empty.insert(node, true);
            }
        }
        journal.truth.kill(node, at, nothing);
        Ok(())
    }

    /// A node that stopped starts again.
    pub(super) fn restart(&mut self, node: NodeId) -> Result<(), RunError> {
        self.bed.apply(Fault::Restart { node })?;
        // On a real network it may have taken a while until the address was free again.
        let at = self.bed.now();
        open(&self.journal).truth.restart(node, at);
        if self.registry_number(node).is_some() { self.start(node) } else { Ok(()) }
    }
}
