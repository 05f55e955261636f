//! Questions and answers: what is asked of request-response, and what it says.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::channel::oneshot;
use libp2p::request_response::{self, InboundRequestId, Message, OutboundFailure, ResponseChannel};
use libp2p::{Multiaddr, PeerId};

use super::codec::{Answered, Asked, Wait, WireError};
use super::flights::Work;
use super::lookups::Found;
use super::node::Node;
use crate::network::{Done, Event, Failure, InboundId, Invalid, Item, Limits, Refusal, RequestId, Ware};
use crate::time::Timestamp;

/// How much longer than its asker's patience a question is kept. Closing the stream any sooner could look to
/// the asker, whose clock is another, like an asked peer that broke off.
const GRACE: Duration = Duration::from_millis(250);

/// Start to ask. A peer whose address is not known is looked for first.
pub(super) fn ask(node: &mut Node, id: RequestId, peer: PeerId, question: Bytes, limits: Limits) {
    let here = question.len() > node.config.question_bytes
        || node.flights.questions_to(peer) >= node.config.questions_to_one
        || node.is_blocked(peer);
    if here {
        return node.refuse(id, Failure::Local);
    }
    if peer == node.local() {
        return node.refuse(id, Failure::Unreachable);
    }
    let known = node.swarm.is_connected(&peer) || has_address(node, peer);
    if !known && node.flights.queries() >= node.config.queries {
        return node.refuse(id, Failure::Local);
    }
    if node.begin(id, Work::Finding { peer, question }, limits) {
        match known {
            true => send(node, id, Vec::new(), false),
            false => look_for(node, id, peer),
        }
    }
}

fn has_address(node: &mut Node, peer: PeerId) -> bool {
    if node.swarm.behaviour().book.knows(&peer) {
        return true;
    }
    let kad = &mut node.swarm.behaviour_mut().kad;
    kad.kbucket(peer).is_some_and(|bucket| bucket.iter().any(|entry| *entry.node.key.preimage() == peer))
}

fn look_for(node: &mut Node, id: RequestId, peer: PeerId) {
    let query = node.swarm.behaviour_mut().kad.get_closest_peers(peer);
    node.flights.on_query(id, query);
}

/// The walk for a peer has ended.
pub(super) fn on_found(node: &mut Node, found: Found) {
    match found.addresses {
        Some(addresses) => send(node, found.id, addresses, true),
        // It may have connected by itself meanwhile.
        None if node.swarm.is_connected(&found.peer) => send(node, found.id, Vec::new(), true),
        None => node.end(found.id, Err(Failure::Unreachable)),
    }
}

/// Send the question of `id`, dialling if need be.
fn send(node: &mut Node, id: RequestId, addresses: Vec<Multiaddr>, looked: bool) {
    let Some(flight) = node.flights.get_mut(id) else { return };
    let Work::Finding { peer, question } = &flight.work else { return };
    let (peer, question) = (*peer, question.clone());
    let (hold, given_up) = oneshot::channel();
    let until = node.clock.instant(flight.limits.deadline);
    let patience = flight.limits.deadline.since(node.clock.now());
    let wait = Some(Wait { until, bytes: flight.limits.bytes, given_up });
    flight.stats.sent = flight.stats.sent.saturating_add(1);
    let asked = Asked { body: question.clone(), patience, wait, ill: None };
    // Nothing comes of this before the swarm is polled, so it is entered in time.
    let sent = node.swarm.behaviour_mut().ask.send_request_with_addresses(&peer, asked, addresses);
    flight.work = Work::Asking { peer, question, looked, sent, _hold: hold };
    node.flights.on_sent(id, sent);
}

/// A connection was made: what was waiting for it paid for it.
pub(super) fn on_connected(node: &mut Node, peer: PeerId, took: Duration) {
    for flight in node.flights.asking(peer) {
        flight.stats.dial_time = flight.stats.dial_time.max(took);
    }
}

/// The questions of others that wait for a reply.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    next: u64,
    all: BTreeMap<InboundId, Open>,
    named: BTreeMap<InboundRequestId, InboundId>,
    due: BTreeSet<(Timestamp, InboundId)>,
}

#[derive(Debug)]
struct Open {
    from: PeerId,
    channel: ResponseChannel<Answered>,
    request: InboundRequestId,
    due: Timestamp,
}

impl Waiting {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// When the patience of an asker ends next.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Withdraw the questions whose askers no longer wait.
    pub(super) fn expire(&mut self, node: &mut Node) {
        let now = node.clock.now();
        while let Some((due, to)) = self.due.first().copied()
            && due <= now
        {
            // Dropping the channel closes the stream.
            self.withdraw(node, to);
        }
    }

    /// Answer a question, if it still waits.
    pub(super) fn reply(&mut self, node: &mut Node, to: InboundId, answer: Answered) {
        let Some(open) = self.take(to) else { return };
        let answer = answer.and_then(|body| match body.len() > node.config.answer_bytes {
            true => {
                node.inbox.drop_one();
                Err(Refusal::Busy)
            }
            false => Ok(body),
        });
        let bytes = answer.as_ref().map_or(0, Bytes::len);
        node.allowances.close(open.from, bytes, node.clock.now());
        if node.swarm.behaviour_mut().ask.send_response(open.channel, answer).is_err() {
            tracing::debug!("the asker went away as it was answered");
        }
    }

    fn take(&mut self, to: InboundId) -> Option<Open> {
        let open = self.all.remove(&to)?;
        self.named.remove(&open.request);
        self.due.remove(&(open.due, to));
        Some(open)
    }

    fn withdraw(&mut self, node: &mut Node, to: InboundId) {
        if let Some(open) = self.take(to) {
            node.allowances.close(open.from, 0, node.clock.now());
            node.inbox.push(Event::Withdrawn { to });
        }
    }

    fn enter(
        &mut self,
        node: &mut Node,
        from: PeerId,
        asked: Asked,
        request: InboundRequestId,
        channel: Channel,
    ) {
        if node.is_blocked(from) {
            return;
        }
        if let Some(why) = asked.ill {
            node.reject(from, Ware::Question, why);
            // The asker may be gone.
            let _gone = node.swarm.behaviour_mut().ask.send_response(channel, Err(Refusal::NotUnderstood));
            return;
        }
        let full = self.all.len() >= node.config.questions_waiting || node.inbox.full();
        if full || !node.allowances.open(from, asked.body.len(), node.clock.now()) {
            node.inbox.drop_one();
            // The answer is short and the channel new, so this fails only if the asker is gone.
            let _gone = node.swarm.behaviour_mut().ask.send_response(channel, Err(Refusal::Busy));
            return;
        }
        let to = InboundId(self.next);
        self.next = self.next.saturating_add(1);
        let due = node.clock.now().after(asked.patience.min(node.config.patience)).after(GRACE);
        self.named.insert(request, to);
        self.due.insert((due, to));
        self.all.insert(to, Open { from, channel, request, due });
        node.inbox.push(Event::Question { to, from, body: asked.body });
    }

    /// Take in what request-response says.
    pub(super) fn on_event(&mut self, node: &mut Node, event: request_response::Event<Asked, Answered>) {
        match event {
            request_response::Event::Message { peer, message, .. } => match message {
                Message::Request { request_id, request, channel } => {
                    self.enter(node, peer, request, request_id, channel);
                }
                Message::Response { request_id, response } => {
                    if let Some(id) = node.flights.sent_ended(request_id) {
                        on_answer(node, id, peer, response);
                    }
                }
            },
            request_response::Event::OutboundFailure { peer, request_id, error, .. } => {
                if let Some(id) = node.flights.sent_ended(request_id) {
                    on_failure(node, id, peer, error);
                }
            }
            request_response::Event::InboundFailure { request_id, .. } => {
                if let Some(to) = self.named.get(&request_id).copied() {
                    self.withdraw(node, to);
                }
            }
            request_response::Event::ResponseSent { .. } => {}
        }
    }
}

type Channel = ResponseChannel<Answered>;

fn on_answer(node: &mut Node, id: RequestId, from: PeerId, answer: Answered) {
    if node.is_blocked(from) {
        return node.end(id, Err(Failure::Local));
    }
    if let Some(flight) = node.flights.get_mut(id) {
        flight.stats.answered = flight.stats.answered.saturating_add(1);
    }
    match answer {
        Ok(body) => {
            node.bring(id, from, Item::Answer { body });
            node.end(id, Ok(Done::Answered));
        }
        Err(refusal) => node.end(id, Err(Failure::Refused(refusal))),
    }
}

fn on_failure(node: &mut Node, id: RequestId, peer: PeerId, error: OutboundFailure) {
    let room = node.flights.queries() < node.config.queries;
    let denied = node.swarm.behaviour_mut().book.was_denied(&peer);
    let Some(flight) = node.flights.get_mut(id) else { return };
    flight.stats.failed = flight.stats.failed.saturating_add(1);
    let failure = match error {
        OutboundFailure::DialFailure if denied => Failure::Local,
        OutboundFailure::DialFailure => {
            if room && let Work::Asking { question, looked: false, .. } = &flight.work {
                // The address that was known is not good, or no longer: the DHT may know another.
                flight.work = Work::Finding { peer, question: question.clone() };
                return look_for(node, id, peer);
            }
            Failure::Unreachable
        }
        OutboundFailure::Timeout => Failure::TimedOut,
        OutboundFailure::ConnectionClosed => Failure::Broken,
        // A stream that ends before its protocol is agreed upon is told of in the same way as a refusal of the
        // protocol. Who has said that it speaks it, and is connected, has broken off.
        OutboundFailure::UnsupportedProtocols if node.neighbours.is_up(peer) => Failure::Broken,
        OutboundFailure::UnsupportedProtocols => Failure::Unsupported,
        OutboundFailure::Io(error) => match WireError::within(&error) {
            Some(WireError::TooLarge) => {
                node.reject(peer, Ware::Answer, Invalid::TOO_LARGE);
                Failure::Broken
            }
            Some(WireError::Unreadable) => {
                node.reject(peer, Ware::Answer, Invalid::UNREADABLE);
                Failure::Broken
            }
            Some(WireError::GivenUp) => Failure::TimedOut,
            // The one sign by which request-response tells that a connection has no stream left.
            None if error.kind() == std::io::ErrorKind::Other
                && error.to_string().contains("max sub-streams") =>
            {
                Failure::Local
            }
            None => Failure::Broken,
        },
    };
    node.end(id, Err(failure));
}
