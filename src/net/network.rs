//! [`Libp2pNetwork`]: the swarm as a [`Network`].

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use libp2p::swarm::{Swarm, SwarmEvent};
use libp2p::{Multiaddr, PeerId, TransportError};
use tokio::time::Sleep;

use super::behaviour::{Behaviour, BehaviourEvent};
use super::clock::Clock;
use super::config::NetConfig;
use super::node::Node;
use super::questions::Waiting;
use super::reach::{Reach, reach_of};
use super::stopper::Stopper;
use super::{announcements, lookups, peers, questions};
use crate::network::{
    Event, Failure, Gauges, InboundId, Limits, Network, Refusal, Request, RequestId, Validator,
};
use crate::time::{Timestamp, WallTime};

/// One node on a libp2p swarm, which it owns. To be polled within a tokio runtime with its timers on.
pub struct Libp2pNetwork {
    local: PeerId,
    clock: Clock,
    stopper: Stopper,
    timer: Option<Pin<Box<Sleep>>>,
    up: Option<(Node, Waiting)>,
    reported_closed: bool,
    #[cfg(feature = "node")]
    metrics: Option<super::metrics::NetMetrics>,
}

impl fmt::Debug for Libp2pNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Libp2pNetwork").field("local", &self.local).finish_non_exhaustive()
    }
}

impl Libp2pNetwork {
    /// A node on `swarm`, whose limits are `config`'s, and whose records and announcements `validator`
    /// judges. Its behaviour is to be made with the same `config`.
    pub(super) fn new(
        swarm: Swarm<Behaviour>,
        config: NetConfig,
        clock: Clock,
        validator: Arc<dyn Validator>,
    ) -> Self {
        let local = *swarm.local_peer_id();
        let node = Node::new(swarm, config, clock, validator);
        let up = Some((node, Waiting::default()));
        Self {
            local,
            clock,
            stopper: Stopper::default(),
            timer: None,
            up,
            reported_closed: false,
            #[cfg(feature = "node")]
            metrics: None,
        }
    }

    /// Keep `metrics` up to date from now on.
    #[cfg(feature = "node")]
    pub(super) fn watch(&mut self, metrics: super::metrics::NetMetrics) {
        self.metrics = Some(metrics);
    }

    /// Bring the metrics up to date.
    #[cfg(feature = "node")]
    fn show(&mut self) {
        let gauges = self.gauges();
        if let (Some(metrics), Some((node, _))) = (&self.metrics, &mut self.up) {
            let records = node.swarm.behaviour_mut().kad.store_mut().count();
            metrics.show(gauges, node.neighbours.up(), node.neighbours.blocked(), records);
        }
    }

    /// Believe that `peer` can be dialled at `address`: how a node is told of the peers it joins by, to which it
    /// comes back while it has too few.
    pub fn add_address(&mut self, peer: PeerId, address: Multiaddr) {
        if let Some((node, _)) = &mut self.up {
            peers::introduce(node, peer, &address);
        }
    }

    /// Be as if this node had been part of the network for long: `known` are in its table, as far as there is room, and
    /// nobody is looked for. Connect to `neighbours`.
    pub(super) fn stand(&mut self, known: &[(PeerId, Multiaddr)], neighbours: &[(PeerId, Multiaddr)]) {
        if let Some((node, _)) = &mut self.up {
            peers::stand(node, known, neighbours);
        }
    }

    /// Tell others that this node can be reached at `address` too.
    pub(super) fn tell_address(&mut self, address: Multiaddr) {
        if let Some((node, _)) = &mut self.up {
            node.swarm.add_external_address(address);
        }
    }

    /// Listen on `address`, until this network is shut down or dropped.
    pub fn listen_on(&mut self, address: Multiaddr) -> Result<(), TransportError<std::io::Error>> {
        if let Some((node, _)) = &mut self.up {
            let here = reach_of(&address) == Reach::Machine;
            let listener = node.swarm.listen_on(address)?;
            if here {
                node.swarm.behaviour_mut().book.believe_loopback();
            }
            node.listeners.push(listener);
        }
        Ok(())
    }

    /// Connect to `peer`, whose address was added. That it fails is no error: others may be up.
    pub fn connect(&mut self, peer: PeerId) {
        if let Some((node, _)) = &mut self.up {
            peers::dial(node, peer);
        }
    }

    /// Where this node listens, as far as its transport has said so: a port that the system is to choose shows
    /// once the network was polled.
    pub fn addresses(&self) -> Vec<Multiaddr> {
        self.up.as_ref().map_or_else(Vec::new, |(node, _)| node.swarm.listeners().cloned().collect())
    }

    /// Where `peer` can be dialled, as far as this node has heard: the likeliest first.
    pub fn known_addresses(&self, peer: PeerId) -> Vec<Multiaddr> {
        self.up.as_ref().map_or_else(Vec::new, |(node, _)| node.swarm.behaviour().book.addresses(&peer))
    }

    /// Whether `peer` is connected and known to speak the application's protocol.
    pub fn is_up(&self, peer: PeerId) -> bool {
        self.up.as_ref().is_some_and(|(node, _)| node.neighbours.is_up(peer))
    }

    /// What shuts this network down from anywhere.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Put a record into this node's own part of the DHT, as if a peer had stored it there. It passes the
    /// validator first; says whether it is kept.
    pub fn keep(&mut self, key: &[u8], value: &[u8], ttl: core::time::Duration) -> bool {
        self.up.as_mut().is_some_and(|(node, _)| lookups::keep_here(node, key, value, ttl))
    }

    /// How many records this node holds: for others, and of its own.
    pub fn held(&mut self) -> (usize, usize) {
        self.up.as_mut().map_or((0, 0), |(node, _)| node.swarm.behaviour_mut().kad.store_mut().count())
    }

    /// Let the swarm work, and leave what happens to be polled: for joining before anybody listens.
    /// Pending until the swarm has ended.
    pub fn poll_work(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some((node, waiting)) = &mut self.up {
            match node.swarm.poll_next_unpin(cx) {
                Poll::Ready(Some(event)) => {
                    on_swarm_event(node, waiting, event);
                    node.swarm.behaviour_mut().kad.store_mut().keep_up(cx);
                }
                Poll::Ready(None) => self.up = None,
                Poll::Pending => {
                    node.swarm.behaviour_mut().kad.store_mut().poll(cx);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(())
    }

    /// Whether the timer fired, when it is set for `due`.
    fn poll_timer(&mut self, cx: &mut Context<'_>, due: Timestamp) -> bool {
        let at = self.clock.instant(due);
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        timer.as_mut().poll(cx).is_ready()
    }
}

impl Network for Libp2pNetwork {
    type Peer = PeerId;

    fn local_peer(&self) -> PeerId {
        self.local
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn wall(&self) -> WallTime {
        self.clock.wall()
    }

    fn submit(&mut self, id: RequestId, request: Request<PeerId>, limits: Limits) {
        let Some((node, _)) = &mut self.up else { return };
        match request {
            Request::GetRecord { key } => lookups::get(node, id, key, limits),
            Request::PutRecord { key, value, ttl, read_back } => {
                lookups::put(node, id, (key, value), ttl, read_back, limits);
            }
            Request::GetProviders { key } => lookups::providers(node, id, key, limits),
            Request::Provide { key } => lookups::provide(node, id, key, limits),
            Request::Ask { peer, question } => questions::ask(node, id, peer, question, limits),
            Request::Announce { topic, payload } => announcements::announce(node, id, &topic, payload),
            Request::Subscribe { topic } => announcements::subscribe(node, id, &topic),
        }
    }

    fn cancel(&mut self, id: RequestId) {
        if let Some((node, _)) = &mut self.up {
            node.forget(id);
            node.inbox.forget(id);
        }
    }

    fn reply(&mut self, to: InboundId, answer: Result<Bytes, Refusal>) {
        if let Some((node, waiting)) = &mut self.up {
            waiting.reply(node, to, answer);
        }
    }

    fn block(&mut self, peer: PeerId, until: Timestamp) {
        if let Some((node, _)) = &mut self.up {
            peers::block(node, peer, until);
        }
    }

    fn gauges(&self) -> Gauges {
        let Some((node, waiting)) = &self.up else { return Gauges::default() };
        Gauges {
            requests: node.flights.len(),
            questions: waiting.len(),
            waiting: node.inbox.len(),
            dropped: node.inbox.dropped(),
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>, deadline: Option<Timestamp>) -> Poll<Event<PeerId>> {
        if self.stopper.poll_stopped(cx) {
            self.up = None;
        }
        #[cfg(feature = "node")]
        self.show();
        loop {
            let now = self.clock.now();
            let Some((node, waiting)) = &mut self.up else {
                if self.reported_closed {
                    return Poll::Pending;
                }
                self.reported_closed = true;
                return Poll::Ready(Event::Closed);
            };
            if deadline.is_some_and(|due| due <= now) {
                return Poll::Ready(Event::Deadline);
            }
            while let Some(id) = node.flights.overdue(now) {
                node.end(id, Err(Failure::TimedOut));
            }
            waiting.expire(node);
            peers::on_time(node, now);
            if let Some(event) = node.inbox.pop() {
                return Poll::Ready(event);
            }
            match node.swarm.poll_next_unpin(cx) {
                Poll::Ready(Some(event)) => {
                    #[cfg(feature = "node")]
                    if let Some(metrics) = &self.metrics {
                        metrics.record(&event);
                    }
                    on_swarm_event(node, waiting, event);
                    node.swarm.behaviour_mut().kad.store_mut().keep_up(cx);
                }
                Poll::Ready(None) => self.up = None,
                Poll::Pending => {
                    node.swarm.behaviour_mut().kad.store_mut().poll(cx);
                    let own = [node.flights.next_due(), node.neighbours.next_end(), node.joining.next()];
                    let due = own.into_iter().chain([deadline, waiting.next_due()]).flatten().min();
                    match due {
                        Some(due) if self.poll_timer(cx, due) => {}
                        _ => return Poll::Pending,
                    }
                }
            }
        }
    }
}

fn on_swarm_event(node: &mut Node, waiting: &mut Waiting, event: SwarmEvent<BehaviourEvent>) {
    match event {
        SwarmEvent::Behaviour(BehaviourEvent::Kad(event)) => {
            if let Some(found) = lookups::on_event(node, event) {
                questions::on_found(node, found);
            }
        }
        SwarmEvent::Behaviour(BehaviourEvent::Ask(event)) => waiting.on_event(node, event),
        SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) => announcements::on_event(node, event),
        SwarmEvent::Behaviour(BehaviourEvent::Identify(event)) => peers::on_identify(node, event),
        SwarmEvent::Behaviour(BehaviourEvent::Ping(event)) => peers::on_ping(node, event),
        SwarmEvent::ConnectionEstablished { peer_id, established_in, endpoint, .. } => {
            node.remotes.insert(peer_id, endpoint.get_remote_address().clone());
            if endpoint.is_dialer() {
                questions::on_connected(node, peer_id, established_in);
            }
        }
        SwarmEvent::NewListenAddr { listener_id, .. } if !node.listeners.contains(&listener_id) => {
            node.listeners.push(listener_id);
        }
        SwarmEvent::ListenerClosed { listener_id, .. } => node.listeners.retain(|its| *its != listener_id),
        SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => peers::on_down(node, peer_id),
        _ => {}
    }
}
