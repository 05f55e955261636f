//! What was asked, told and seen in one run, on its way to the oracles.

use core::fmt;
use core::time::Duration;
use std::cell::{RefCell, RefMut};
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;

use super::deed::Deed;
use crate::network::{Event, Failure, Item, Limits, Request, RequestId, RequestStats};
use crate::oracle::{General, Holding, Oracle, Sent, Violation};
use crate::scenario::{Asked, Witness, wanted};
use crate::sim::SimPeer;
use crate::testbed::NodeId;
use crate::time::Timestamp;

/// The most violations that are kept word for word.
const MOST: usize = 200;
/// The most requests that are named and not yet submitted; of more is not known what they are for.
const MOST_NAMED: usize = 1 << 16;

/// The number of an operation, as the oracles speak of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number(pub(super) u32);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operation {}", self.0)
    }
}

/// One run's ledger.
pub(super) struct Ledger<A, O> {
    general: General<Number>,
    /// As many as the plan has operations.
    pub(super) deeds: Vec<Deed<A, O>>,
    /// Where in `deeds` those operations stand that were not told yet, and whose node lives.
    waiting: BTreeMap<Number, usize>,
    /// On whose behalf a request will be that was named and not yet submitted. At most [`MOST_NAMED`].
    behalf: BTreeMap<(NodeId, RequestId), Number>,
    violations: Vec<Violation>,
    more: u64,
    pub(super) requests: u64,
}

impl<A, O> Ledger<A, O> {
    pub(super) fn new(tick: Duration) -> Self {
        Self {
            general: General::new(tick, false),
            deeds: Vec::new(),
            waiting: BTreeMap::new(),
            behalf: BTreeMap::new(),
            violations: Vec::new(),
            more: 0,
            requests: 0,
        }
    }

    /// Operations of nodes that live, which are not told.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// A node is asked to do something.
    pub(super) fn asked(&mut self, deed: Deed<A, O>, within: Duration) {
        let number = Number(deed.number);
        self.general.began(deed.at, deed.node, number, deed.at.after(within));
        self.waiting.insert(number, self.deeds.len());
        self.deeds.push(deed);
        self.look();
    }

    /// A node says what came of an operation.
    pub(super) fn told(&mut self, at: Timestamp, node: NodeId, number: Number, outcome: O) {
        self.general.finished(at, node, number);
        let place = self.waiting.remove(&number);
        if let Some(deed) = place.and_then(|place| self.deeds.get_mut(place)) {
            deed.told = Some((at, outcome));
        }
        self.look();
    }

    /// A node says that an operation's outcome rests on `item`, given by `from`.
    pub(super) fn took(&mut self, at: Timestamp, node: NodeId, number: Number, from: NodeId, item: &Bytes) {
        self.general.delivered(at, node, number, Some(from), |came| came == item, || None);
        self.look();
    }

    /// The request that will be submitted under this name is for an operation.
    pub(super) fn names(&mut self, node: NodeId, request: RequestId, number: Number) {
        if self.behalf.len() < MOST_NAMED {
            self.behalf.insert((node, request), number);
        }
    }

    /// A node dies, and what it was asked with it.
    pub(super) fn died(&mut self, node: NodeId) {
        self.general.died(node);
        self.behalf.retain(|(of, _), _| *of != node);
        let deeds = &self.deeds;
        self.waiting.retain(|_, place| deeds.get(*place).is_some_and(|deed| deed.node != node));
    }

    /// All is done: what was found, and how much more than is kept.
    pub(super) fn finish(&mut self, at: Timestamp, holdings: &[Holding]) -> (Vec<Violation>, u64) {
        self.general.finish(at, holdings);
        self.look();
        (core::mem::take(&mut self.violations), self.more)
    }

    /// The run itself shows something.
    pub(super) fn violate(&mut self, oracle: Oracle, at: Timestamp, detail: String) {
        self.keep(Violation { oracle, at, detail });
    }

    fn look(&mut self) {
        for violation in self.general.take() {
            self.keep(violation);
        }
    }

    fn keep(&mut self, violation: Violation) {
        if self.violations.len() < MOST {
            self.violations.push(violation);
        } else {
            self.more += 1;
        }
    }
}

/// The ledger, which a run and its nodes' tasks share. A run is single-threaded, and nobody keeps it open.
pub(super) struct Shared<A, O>(Rc<RefCell<Ledger<A, O>>>);

impl<A, O> Clone for Shared<A, O> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<A, O> Shared<A, O> {
    pub(super) fn new(ledger: Ledger<A, O>) -> Self {
        Self(Rc::new(RefCell::new(ledger)))
    }

    pub(super) fn open(&self) -> RefMut<'_, Ledger<A, O>> {
        self.0.borrow_mut()
    }
}

/// Writes what one node's network is asked and reports into the ledger.
pub(super) struct Scribe<A, O> {
    pub(super) ledger: Shared<A, O>,
    pub(super) node: NodeId,
}

impl<A, O> Witness<SimPeer> for Scribe<A, O> {
    fn witness(&mut self, now: Timestamp, event: &Event<SimPeer>) {
        let mut ledger = self.ledger.open();
        match event {
            Event::Progress { id, from, item } => {
                let item = match item {
                    Item::Record { value: bytes } | Item::Answer { body: bytes } => bytes.clone(),
                    Item::Provider { .. } => Bytes::new(),
                };
                ledger.general.came(now, self.node, *id, NodeId(from.0), &item);
            }
            Event::Finished { id, result, stats } => {
                let timed_out = *result == Err(Failure::TimedOut);
                ledger.general.ended(now, self.node, *id, timed_out, stats.elapsed);
            }
            _ => return,
        }
        ledger.look();
    }

    fn submitted(&mut self, now: Timestamp, id: RequestId, request: &Request<SimPeer>, limits: Limits) {
        let mut ledger = self.ledger.open();
        let query = ledger.behalf.remove(&(self.node, id));
        let wanted = wanted(request, |peer| NodeId(peer.0));
        ledger.requests += 1;
        ledger.general.sent(now, self.node, Sent { request: id, query, wanted, deadline: limits.deadline });
        ledger.look();
    }

    fn cancelled(&mut self, now: Timestamp, id: RequestId) {
        self.ledger.open().general.cancelled(now, self.node, id);
    }

    fn cost(&mut self, _what: Asked, _well: bool, _cost: &RequestStats) {}
}
