//! One run: a plan followed on the simulated network, and what the oracles say of it.

use core::time::Duration;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::application::Application;
use super::deed::Deed;
use super::ledger::{Ledger, Scribe, Shared};
use super::life::{Desk, Life};
use super::plan::{Operation, Plan};
use crate::oracle::{Holding, Oracle};
use crate::scenario::plan::Turn;
use crate::scenario::report::Violation;
use crate::scenario::{Concern, Draws, Watched, profile};
use crate::sim::{SimConfig, SimTestbed};
use crate::testbed::{Fault, NodeId, NodeSpec, Testbed, TestbedError};
use crate::time::Timestamp;

/// How long a run is given to come to rest after its end, beside [`Application::WITHIN`].
const PATIENCE: Duration = Duration::from_secs(120);
/// How often is looked whether it has.
const STEP: Duration = Duration::from_secs(1);
/// What a note in the trace is: what was asked and told.
const DEEDS: u32 = 2;

/// A plan could not be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HarnessError {
    /// The plan is not sound.
    #[error("the plan cannot be run: {0}")]
    Plan(String),
    /// The network would not do what the plan says.
    #[error("the network: {0}")]
    Network(#[from] TestbedError),
    /// What an operation came to cannot be written down, so it cannot be compared.
    #[error("an outcome cannot be written: {0}")]
    Outcome(String),
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// What was found wrong, in the order in which it showed.
    pub violations: Vec<Violation>,
    /// Violations of the general oracles beyond those that are kept.
    pub more: u64,
    /// The hash over everything that happened and all that was told, in hex. Empty when the run panicked.
    pub trace_hash: String,
    /// Operations that were asked of somebody who was up.
    pub asked: u64,
    /// Those that were told.
    pub told: u64,
    /// Requests that were handed to the network.
    pub requests: u64,
    /// Messages between peers.
    pub messages: u64,
    /// How long it lasted.
    pub lasted: Duration,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn passed(&self) -> bool {
        self.violations.is_empty() && self.more == 0
    }
}

/// Follow `plan`.
pub fn run<P: Application>(app: &P, plan: &Plan<P::Act>) -> Result<Report, HarnessError> {
    plan.check().map_err(HarnessError::Plan)?;
    // Whatever was begun is dropped with the run: nothing of it is seen afterwards.
    catch_unwind(AssertUnwindSafe(|| follow(app, plan))).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|it| (*it).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        let violation = Violation { oracle: "panicked".to_owned(), at_ms: 0, detail: said };
        Ok(Report {
            seed: plan.seed,
            violations: vec![violation],
            more: 0,
            trace_hash: String::new(),
            asked: 0,
            told: 0,
            requests: 0,
            messages: 0,
            lasted: Duration::ZERO,
        })
    })
}

/// Follow `plan` twice: what the first run came to, and whether the second was the same.
pub fn prove<P: Application>(app: &P, plan: &Plan<P::Act>) -> Result<Report, HarnessError> {
    let (mut report, again) = (run(app, plan)?, run(app, plan)?);
    if report.trace_hash != again.trace_hash {
        let detail = format!("one plan, two hashes: {} and {}", report.trace_hash, again.trace_hash);
        let oracle = Oracle::Repeatable.name().to_owned();
        report.violations.push(Violation { oracle, at_ms: plan.duration.at().as_millis(), detail });
    }
    Ok(report)
}

/// A network with everybody on it.
struct Stage<'r, P: Application> {
    app: &'r P,
    plan: &'r Plan<P::Act>,
    bed: SimTestbed,
    ledger: Shared<P::Act, P::Outcome>,
    /// The desks of those who are up.
    desks: BTreeMap<NodeId, Desk<P::Act, P::Outcome>>,
    /// How many lives each node has begun.
    lives: BTreeMap<NodeId, u32>,
}

fn follow<P: Application>(app: &P, plan: &Plan<P::Act>) -> Result<Report, HarnessError> {
    let config = SimConfig::new(plan.seed, profile(&plan.network), app.validator());
    let bed = SimTestbed::new(config).map_err(|error| HarnessError::Plan(error.to_string()))?;
    let ledger = Shared::new(Ledger::new(bed.tick()));
    let mut stage = Stage { app, plan, bed, ledger, desks: BTreeMap::new(), lives: BTreeMap::new() };
    let nodes = (0..plan.peers).map(NodeId);
    for node in nodes.clone() {
        let mut spec = NodeSpec::application();
        spec.server = !plan.clients.contains(node);
        spec.dialable = !plan.undialable.contains(node);
        stage.bed.spawn(spec)?;
    }
    nodes.for_each(|node| stage.start(node));

    let begun = stage.bed.now();
    let turns = plan.timeline.events.iter().map(|it| (it.at, Ok(&it.what)));
    let operations = plan.timeline.operations.iter().map(|it| (it.at, Err(it)));
    let mut agenda: Vec<_> = turns.chain(operations).collect();
    agenda.sort_by_key(|(at, _)| *at);
    for (at, next) in agenda {
        stage.bed.run_until(begun.after(at.0));
        match next {
            Ok(turn) => stage.turn(turn)?,
            Err(operation) => stage.ask(operation),
        }
    }
    stage.bed.run_until(begun.after(plan.duration.0));
    stage.finish()
}

impl<P: Application> Stage<'_, P> {
    /// A node that is up begins its life.
    fn start(&mut self, node: NodeId) {
        let (Some(network), Some(store)) = (self.bed.network(node), self.bed.store(node)) else { return };
        let count = self.lives.entry(node).or_default();
        let life = *count;
        *count += 1;
        let scribe = Scribe { ledger: self.ledger.clone(), node };
        let desk = Desk::new(node, self.ledger.clone());
        self.desks.insert(node, desk.clone());
        let identity = [u64::from(node.0), u64::from(life)];
        let seed = Draws::new(self.plan.seed, Concern::Key, identity).bytes();
        let network = Box::new(Watched::new(network, scribe, None));
        let task =
            self.app.start(Life { node, peers: self.plan.peers, life, seed, network, store, desk, next: 0 });
        self.bed.run(Some(node), task);
    }

    fn turn(&mut self, turn: &Turn) -> Result<(), HarnessError> {
        for fault in turn.faults() {
            match fault {
                Fault::Kill { node, .. } => {
                    self.bed.apply(fault)?;
                    if self.desks.remove(&node).is_some() {
                        self.ledger.open().died(node);
                    }
                }
                Fault::Restart { node } => {
                    self.bed.apply(fault)?;
                    self.start(node);
                }
                other => self.bed.apply(other)?,
            }
        }
        Ok(())
    }

    /// Somebody is asked; who is down cannot be.
    fn ask(&mut self, operation: &Operation<P::Act>) {
        let Some(desk) = self.desks.get(&operation.node) else { return };
        if desk.put(operation.number, operation.what.clone()) {
            let life = self.lives.get(&operation.node).map_or(0, |begun| begun.saturating_sub(1));
            let Operation { number, node, .. } = *operation;
            let deed =
                Deed { number, node, life, at: self.bed.now(), act: operation.what.clone(), told: None };
            self.ledger.open().asked(deed, P::WITHIN);
        }
    }

    /// What each node that is up is held for at its network.
    fn holdings(&self) -> Vec<Holding> {
        let held = self.desks.keys().filter_map(|node| {
            Some(Holding { node: node.0, gauges: self.bed.gauges(*node)?, ..Holding::default() })
        });
        held.collect()
    }

    /// Let it come to rest, and judge.
    fn finish(mut self) -> Result<Report, HarnessError> {
        let last = self.bed.now().after(P::WITHIN).after(PATIENCE);
        let mut holdings = self.holdings();
        while self.bed.now() < last && !(self.ledger.open().waiting() == 0 && holdings.iter().all(at_rest)) {
            let next = self.bed.now().after(STEP);
            self.bed.run_until(next);
            holdings = self.holdings();
        }
        let at = self.bed.now();
        let mut ledger = self.ledger.open();
        if self.bed.runaways() > 0 {
            let detail = format!("tasks woke themselves for ever, {} times", self.bed.runaways());
            ledger.violate(Oracle::EndsOnce, at, detail);
        }
        let (general, more) = ledger.finish(at, &holdings);
        let deeds = core::mem::take(&mut ledger.deeds);
        let requests = ledger.requests;
        drop(ledger);
        let written = serde_json::to_vec(&deeds).map_err(|error| HarnessError::Outcome(error.to_string()))?;
        self.bed.note(DEEDS, &written);
        let mut violations: Vec<Violation> = general
            .into_iter()
            .map(|it| Violation {
                oracle: it.oracle.name().to_owned(),
                at_ms: it.at.as_millis(),
                detail: it.detail,
            })
            .collect();
        violations.extend(self.app.judge(&deeds));
        violations.sort_by_key(|it| it.at_ms);
        Ok(Report {
            seed: self.plan.seed,
            violations,
            more,
            trace_hash: format!("{:032x}", self.bed.trace_hash()),
            asked: deeds.len() as u64,
            told: deeds.iter().filter(|it| it.told.is_some()).count() as u64,
            requests,
            messages: self.bed.account().messages,
            lasted: at.since(Timestamp::ZERO),
        })
    }
}

fn at_rest(holding: &Holding) -> bool {
    let gauges = holding.gauges;
    gauges.requests == 0 && gauges.questions == 0 && gauges.waiting == 0
}
