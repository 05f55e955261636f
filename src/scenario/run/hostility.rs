//! Hostile peers of a run: which lie, in what, and what they have told.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::error::RunError;
use super::figures::Measured;
use super::stage::Stage;
use super::witness::{SharedJournal, open};
use crate::package::{PackageId, ReleaseId};
use crate::record::{Checked, Publisher, Record, Verifier, keys};
use crate::scenario::hostile::{Confidant, Forger, Liar, Told};
use crate::scenario::plan::{Plan, Turn};
use crate::scenario::words::Lie;
use crate::testbed::NodeId;

/// What one peer lies about.
#[derive(Debug, Default)]
struct Lies {
    kinds: Vec<Lie>,
    /// What is told under a key instead of what is true.
    instead: BTreeMap<Bytes, (Lie, Bytes)>,
}

/// The hostile peers of one run.
#[derive(Debug)]
pub(super) struct Hostility {
    verifier: Verifier,
    /// Made when the first peer lies: most runs have none.
    forger: Option<Forger>,
    told: Told,
    peers: BTreeMap<NodeId, Lies>,
}

/// Tells the truth of the run what publishers sign besides what they published.
struct Confessor(SharedJournal);

impl Confidant for Confessor {
    fn signed(&self, record: &Checked) {
        let mut journal = open(&self.0);
        let now = journal.now();
        match &**record {
            Record::Release(release) => journal.truth.publish(release, now, false),
            Record::List(list) => journal.truth.list(list),
            Record::Notice(_) => {}
        }
    }
}

impl Hostility {
    /// Nobody is hostile yet.
    pub(super) fn new(verifier: Verifier) -> Self {
        Self { verifier, forger: None, told: Told::default(), peers: BTreeMap::new() }
    }

    /// How many lies were told.
    pub(super) fn sent(&self) -> u64 {
        self.told.in_all()
    }

    /// Peers begin to lie, or end it, as `turn` says.
    pub(super) fn turn<B: Measured>(
        &mut self,
        stage: &mut Stage<'_, B>,
        turn: &Turn,
    ) -> Result<(), RunError> {
        let plan = stage.plan;
        let (nodes, begins) = match turn {
            Turn::Lies { nodes, kinds } => {
                for node in nodes.iter() {
                    self.peers.entry(node).or_default().kinds.clone_from(kinds);
                }
                (nodes, !kinds.is_empty())
            }
            Turn::Rollback { publisher, name, nodes, on } => {
                let list = stage.library.older_list(plan, *publisher, name, &self.verifier)?;
                open(&stage.journal).truth.list(&list);
                let key = keys::list(&list.package);
                self.insist(nodes.iter(), &key, on.then_some((Lie::StaleSequence, list.bytes)));
                (nodes, *on)
            }
            Turn::Equivocate { publisher, name, version, nodes, on } => {
                let other = stage.library.other_body(plan, *publisher, name, version, &self.verifier)?;
                let id = ReleaseId { package: package(plan, *publisher, name), version: version.clone() };
                if *on {
                    Confessor(stage.journal.clone()).signed(&other);
                }
                let key = keys::release(&id);
                self.insist(nodes.iter(), &key, on.then(|| (Lie::TwoBodies, other.bytes().clone())));
                (nodes, *on)
            }
            _ => return Ok(()),
        };
        let at = stage.bed.now();
        for node in nodes.iter() {
            if begins {
                open(&stage.journal).truth.turn_hostile(node, at);
            }
            self.impersonate(stage, node)?;
        }
        Ok(())
    }

    fn insist(&mut self, nodes: impl Iterator<Item = NodeId>, key: &Bytes, told: Option<(Lie, Bytes)>) {
        for node in nodes {
            let lies = self.peers.entry(node).or_default();
            match &told {
                Some(told) => lies.instead.insert(key.clone(), told.clone()),
                None => lies.instead.remove(key),
            };
        }
    }

    /// Have the testbed answer for this peer as it now lies, or honestly again.
    fn impersonate<B: Measured>(&mut self, stage: &mut Stage<'_, B>, node: NodeId) -> Result<(), RunError> {
        let forger = self.forger(stage);
        let honest = stage
            .peers
            .get(&node)
            .cloned()
            .ok_or_else(|| RunError::Plan(format!("{node} cannot lie: it is no modelled peer")))?;
        let lies = self.peers.get(&node).filter(|lies| !lies.kinds.is_empty() || !lies.instead.is_empty());
        let Some(lies) = lies else {
            return Ok(stage.bed.impersonate(node, Box::new(honest))?);
        };
        let (kinds, told, seed) = (lies.kinds.clone(), self.told.clone(), stage.plan.seed);
        let mut liar = Liar::new(Box::new(honest), forger, kinds, told, seed, node);
        for (key, (lie, record)) in &lies.instead {
            liar = liar.insisting_on(key.clone(), *lie, record.clone());
        }
        Ok(stage.bed.impersonate(node, Box::new(liar))?)
    }

    fn forger<B: Measured>(&mut self, stage: &Stage<'_, B>) -> Forger {
        let plan = stage.plan;
        let make = || {
            let key = |publisher| Publisher::from_seed(plan.publisher_secret(publisher));
            let confidant = Box::new(Confessor(Arc::clone(&stage.journal)));
            let publishers = (0..plan.catalogue.publishers).map(key);
            Forger::new(self.verifier.clone(), publishers, stage.library.lists(), plan.seed, confidant)
        };
        self.forger.get_or_insert_with(make).clone()
    }
}

fn package(plan: &Plan, publisher: u32, name: &crate::package::PackageName) -> PackageId {
    let key = Publisher::from_seed(plan.publisher_secret(publisher));
    PackageId { publisher: key.id(), name: name.clone() }
}
