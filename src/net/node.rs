//! What a node's parts share: the swarm, the requests in flight, the events that wait, who is connected.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use libp2p::core::transport::ListenerId;
use libp2p::kad;
use libp2p::swarm::Swarm;
use libp2p::{Multiaddr, PeerId};

use super::allowances::Allowances;
use super::behaviour::Behaviour;
use super::clock::Clock;
use super::config::NetConfig;
use super::flights::{Flights, Work, note_cost};
use super::inbox::Inbox;
use super::joining::Joining;
use super::neighbours::Neighbours;
use super::observed::Observed;
use crate::network::{Done, Event, Failure, Invalid, Item, Limits, RequestId, RequestStats, Validator, Ware};

/// A node that is up.
pub(super) struct Node {
    pub(super) swarm: Swarm<Behaviour>,
    pub(super) config: NetConfig,
    pub(super) clock: Clock,
    pub(super) validator: Arc<dyn Validator>,
    pub(super) flights: Flights,
    pub(super) inbox: Inbox,
    pub(super) topics: BTreeSet<String>,
    /// What listens. Not every transport stops listening when it is dropped.
    pub(super) listeners: Vec<ListenerId>,
    pub(super) neighbours: Neighbours,
    pub(super) joining: Joining,
    /// A walk of kad's own that is not to be made: see `peers::stand`.
    pub(super) hushed: Option<kad::QueryId>,
    pub(super) allowances: Allowances,
    pub(super) observed: Observed,
    /// Where the connected peers are, of each the last connection's.
    pub(super) remotes: BTreeMap<PeerId, Multiaddr>,
}

impl Node {
    pub(super) fn new(
        swarm: Swarm<Behaviour>,
        config: NetConfig,
        clock: Clock,
        validator: Arc<dyn Validator>,
    ) -> Self {
        let inbox = Inbox::new(config.events);
        let local = *swarm.local_peer_id();
        let joining = Joining::new(local, config.enough_peers, config.refresh);
        // Who is connected can owe something; room for as many again that were.
        let most = (config.connections as usize).saturating_mul(2);
        let allowances =
            Allowances::new(config.questions_from_one, config.bytes_from_one, config.burst_from_one, most);
        Self {
            swarm,
            config,
            clock,
            validator,
            flights: Flights::default(),
            inbox,
            topics: BTreeSet::new(),
            listeners: Vec::new(),
            neighbours: Neighbours::default(),
            joining,
            hushed: None,
            allowances,
            observed: Observed::default(),
            remotes: BTreeMap::new(),
        }
    }

    pub(super) fn local(&self) -> PeerId {
        *self.swarm.local_peer_id()
    }

    /// Enter a request, or end it at once when there is no room. Says whether to go on with it.
    pub(super) fn begin(&mut self, id: RequestId, work: Work, limits: Limits) -> bool {
        let now = self.clock.now();
        if limits.deadline <= now {
            self.refuse(id, Failure::TimedOut);
        } else if self.flights.len() >= self.config.requests {
            self.refuse(id, Failure::Local);
        } else {
            return self.flights.begin(id, work, limits, now);
        }
        false
    }

    /// End a request that was not entered.
    pub(super) fn refuse(&mut self, id: RequestId, failure: Failure) {
        self.inbox.push(Event::Finished { id, result: Err(failure), stats: RequestStats::default() });
    }

    /// End a request that was entered, at the network too.
    pub(super) fn end(&mut self, id: RequestId, result: Result<Done, Failure>) {
        if let Some(mut stats) = self.forget(id) {
            if result == Err(Failure::TimedOut) {
                stats.failed = stats.failed.max(1);
            }
            self.inbox.push(Event::Finished { id, result, stats });
        }
    }

    /// Take a request out of everything, and say what it has cost.
    pub(super) fn forget(&mut self, id: RequestId) -> Option<RequestStats> {
        let (flight, query) = self.flights.end(id)?;
        let mut stats = flight.stats;
        if let Some(mut query) = query.and_then(|query| self.swarm.behaviour_mut().kad.query_mut(&query)) {
            note_cost(&mut stats, query.stats());
            query.finish();
        }
        Some(RequestStats { elapsed: self.clock.now().since(flight.begun), ..stats })
    }

    /// Hand up an item of a request, when it is within the request's limit.
    pub(super) fn bring(&mut self, id: RequestId, from: PeerId, item: Item<PeerId>) {
        let Some(flight) = self.flights.get_mut(id) else { return };
        let (bytes, ware) = match &item {
            Item::Record { value } => (value.len(), Ware::Record),
            Item::Answer { body } => (body.len(), Ware::Answer),
            Item::Provider { .. } => (0, Ware::Record),
        };
        if bytes > flight.limits.bytes {
            return self.reject(from, ware, Invalid::TOO_LARGE);
        }
        flight.stats.bytes = flight.stats.bytes.saturating_add(bytes as u64);
        self.inbox.push(Event::Progress { id, from, item });
    }

    pub(super) fn reject(&mut self, from: PeerId, what: Ware, why: Invalid) {
        self.inbox.push(Event::Rejected { from, what, why });
    }

    pub(super) fn is_blocked(&self, peer: PeerId) -> bool {
        self.neighbours.is_blocked(peer)
    }

    /// `peer` sent an item of `bytes`. Says whether it is within its allowance; what is over it is dropped.
    pub(super) fn allows(&mut self, peer: PeerId, bytes: usize) -> bool {
        let allowed = self.allowances.take(peer, bytes, self.clock.now());
        if !allowed {
            self.inbox.drop_one();
        }
        allowed
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        for listener in self.listeners.drain(..) {
            self.swarm.remove_listener(listener);
        }
    }
}
