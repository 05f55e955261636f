//! What a node's parts share: the swarm, the requests in flight, the events that wait, who is blocked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use libp2p::core::transport::ListenerId;
use libp2p::swarm::Swarm;
use libp2p::{Multiaddr, PeerId};

use super::behaviour::Behaviour;
use super::clock::Clock;
use super::config::NetConfig;
use super::flights::{Flights, Work};
use super::inbox::Inbox;
use crate::network::{
    Done, Event, Failure, Invalid, Item, Limits, PeerChange, RequestId, RequestStats, Validator, Ware,
};
use crate::time::Timestamp;

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
    blocked: BTreeMap<PeerId, Timestamp>,
    up: BTreeSet<PeerId>,
}

impl Node {
    pub(super) fn new(
        swarm: Swarm<Behaviour>,
        config: NetConfig,
        clock: Clock,
        validator: Arc<dyn Validator>,
    ) -> Self {
        let inbox = Inbox::new(config.events);
        Self {
            swarm,
            config,
            clock,
            validator,
            flights: Flights::default(),
            inbox,
            topics: BTreeSet::new(),
            listeners: Vec::new(),
            blocked: BTreeMap::new(),
            up: BTreeSet::new(),
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
        if let Some(mut query) = query.and_then(|query| self.swarm.behaviour_mut().kad.query_mut(&query)) {
            query.finish();
        }
        Some(RequestStats { elapsed: self.clock.now().since(flight.begun), ..flight.stats })
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

    pub(super) fn block(&mut self, peer: PeerId, until: Timestamp) {
        self.blocked.insert(peer, until);
        let now = self.clock.now();
        if self.blocked.len() > self.config.blocked {
            self.blocked.retain(|_, until| *until > now);
        }
        if self.blocked.len() > self.config.blocked {
            let first = self.blocked.iter().min_by_key(|(_, until)| **until).map(|(peer, _)| *peer);
            self.blocked.retain(|peer, _| Some(*peer) != first);
        }
    }

    pub(super) fn is_blocked(&self, peer: PeerId) -> bool {
        self.blocked.get(&peer).is_some_and(|until| *until > self.clock.now())
    }

    /// A peer is connected and speaks the application's protocol, or no longer is.
    pub(super) fn note_up(&mut self, peer: PeerId, up: bool) {
        let (changed, change) = match up {
            true => (self.up.insert(peer), PeerChange::Up),
            false => (self.up.remove(&peer), PeerChange::Down),
        };
        if changed {
            self.inbox.push(Event::Peer { peer, change });
        }
    }

    pub(super) fn is_up(&self, peer: PeerId) -> bool {
        self.up.contains(&peer)
    }

    /// Believe that `peer` can be dialled at `address`.
    pub(super) fn add_address(&mut self, peer: PeerId, address: Multiaddr) {
        if peer != self.local() {
            self.swarm.behaviour_mut().kad.add_address(&peer, address);
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        for listener in self.listeners.drain(..) {
            self.swarm.remove_listener(listener);
        }
    }
}
