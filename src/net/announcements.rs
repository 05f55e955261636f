//! Topics and announcements: what is asked of gossipsub, and what it says.

use bytes::Bytes;
use libp2p::gossipsub::{self, IdentTopic, MessageAcceptance, PublishError, TopicHash};

use super::behaviour::TOPICS;
use super::node::Node;
use crate::network::{Done, Event, Failure, Invalid, RequestId, RequestStats, Ware};

/// Subscribe to `topic`, and say so.
pub(super) fn subscribe(node: &mut Node, id: RequestId, topic: &Bytes) {
    let Some(name) = name_of(node, topic) else { return node.refuse(id, Failure::Local) };
    if node.topics.len() >= TOPICS && !node.topics.contains(&name) {
        return node.refuse(id, Failure::Local);
    }
    match node.swarm.behaviour_mut().gossip.subscribe(&IdentTopic::new(name.clone())) {
        Ok(_new) => {
            node.topics.insert(name);
            done(node, id, Done::Subscribed);
        }
        Err(_refused) => node.refuse(id, Failure::Local),
    }
}

/// Hand `payload` to the neighbours that listen to `topic`.
pub(super) fn announce(node: &mut Node, id: RequestId, topic: &Bytes, payload: Bytes) {
    if payload.len() > node.config.announcement_bytes {
        return node.refuse(id, Failure::Local);
    }
    let Some(name) = name_of(node, topic) else { return node.refuse(id, Failure::Local) };
    let hash = TopicHash::from_raw(name.clone());
    let gossip = &mut node.swarm.behaviour_mut().gossip;
    let listening = gossip.all_peers().filter(|(_, topics)| topics.contains(&&hash)).count();
    match gossip.publish(IdentTopic::new(name), payload) {
        Ok(_) => done(node, id, Done::Announced { to: u32::try_from(listening).unwrap_or(u32::MAX) }),
        // It was announced before, or nobody near listens: nobody new is told.
        Err(PublishError::Duplicate | PublishError::NoPeersSubscribedToTopic) => {
            done(node, id, Done::Announced { to: 0 });
        }
        Err(PublishError::AllQueuesFull(_)) => node.refuse(id, Failure::Local),
        Err(error) => {
            tracing::debug!(%error, "gossipsub did not publish");
            node.refuse(id, Failure::Local);
        }
    }
}

/// Gossipsub's topics are text.
fn name_of(node: &Node, topic: &Bytes) -> Option<String> {
    let short = topic.len() <= node.config.key_bytes;
    short.then(|| String::from_utf8(topic.to_vec()).ok()).flatten()
}

fn done(node: &mut Node, id: RequestId, done: Done) {
    node.inbox.push(Event::Finished { id, result: Ok(done), stats: RequestStats::default() });
}

/// Take in what gossipsub says. What came is passed on only when the validator lets it pass.
pub(super) fn on_event(node: &mut Node, event: gossipsub::Event) {
    let gossipsub::Event::Message { propagation_source: from, message_id, message } = event else { return };
    let topic = message.topic.into_string();
    let wanted = node.topics.contains(&topic) && !node.is_blocked(from);
    let verdict = match () {
        () if !wanted || !node.allows(from, message.data.len()) => Err(None),
        () if message.data.len() > node.config.announcement_bytes => Err(Some(Invalid::TOO_LARGE)),
        () => node.validator.announcement(topic.as_bytes(), &message.data, node.clock.wall()).map_err(Some),
    };
    let acceptance = match verdict {
        Ok(()) => {
            node.inbox.push(Event::Announcement { from, topic: topic.into(), payload: message.data.into() });
            MessageAcceptance::Accept
        }
        Err(None) => MessageAcceptance::Ignore,
        Err(Some(why)) => {
            node.reject(from, Ware::Announcement, why);
            MessageAcceptance::Reject
        }
    };
    node.swarm.behaviour_mut().gossip.report_message_validation_result(&message_id, &from, acceptance);
}
