//! Peers that come and go: what identify and ping say of them, whom this node joins by, whom it refuses.

use libp2p::{Multiaddr, PeerId, identify, kad, ping};

use super::book::{ADDRESSES_OF_ONE, Source};
use super::node::Node;
use super::reach::{Reach, reach_of};
use crate::network::{Event, PeerChange};
use crate::time::Timestamp;

/// The most peers met before that are dialled at once when there are too few.
const DIALS: usize = 8;

/// Have nothing to do with `peer` until then: its connections are closed, and new ones refused from either side.
pub(super) fn block(node: &mut Node, peer: PeerId, until: Timestamp) {
    if until <= node.clock.now() || peer == node.local() {
        return;
    }
    for out in node.neighbours.block(peer, until, node.config.blocked) {
        node.swarm.behaviour_mut().blocked.unblock_peer(out);
    }
    node.swarm.behaviour_mut().blocked.block_peer(peer);
    tracing::info!(%peer, "blocked for sending what is ill-made");
}

/// Do what is due: end blocks, dial, walk.
pub(super) fn on_time(node: &mut Node, now: Timestamp) {
    while let Some(peer) = node.neighbours.over(now) {
        node.swarm.behaviour_mut().blocked.unblock_peer(peer);
    }
    let due = node.joining.due(node.neighbours.up(), now);
    if due.dial {
        let lost = node.swarm.behaviour().book.lost(DIALS, |peer| node.swarm.is_connected(peer));
        lost.into_iter().for_each(|peer| dial(node, peer));
    }
    if due.walk && node.swarm.behaviour_mut().kad.bootstrap().is_err() {
        tracing::debug!("nobody to walk by");
    }
}

/// Dial `peer`. That it fails is no error: others may be up.
pub(super) fn dial(node: &mut Node, peer: PeerId) {
    if let Err(error) = node.swarm.dial(peer) {
        tracing::debug!(%peer, %error, "not dialled");
    }
}

/// The operator says that `peer` is at `address`, and is to be joined by.
pub(super) fn introduce(node: &mut Node, peer: PeerId, address: &Multiaddr) {
    if peer == node.local() {
        return;
    }
    let now = node.clock.now();
    let behaviour = node.swarm.behaviour_mut();
    if reach_of(address) == Reach::Machine {
        behaviour.book.believe_loopback();
    }
    behaviour.book.note(peer, address, Source::Operator);
    behaviour.kad.add_address(&peer, address.clone());
    node.joining.known(now);
}

/// This node is to be as if it had been part of the network for long: `known` are in its table, as far as there is
/// room, and nobody is looked for. `neighbours` it is connected with in a moment.
pub(super) fn stand(node: &mut Node, known: &[(PeerId, Multiaddr)], neighbours: &[(PeerId, Multiaddr)]) {
    let behaviour = node.swarm.behaviour_mut();
    for (peer, address) in known {
        if let kad::RoutingUpdate::Success = behaviour.kad.add_address(peer, address.clone()) {
            behaviour.book.note(*peer, address, Source::Itself);
        }
    }
    // Kad would begin to walk in half a second, as after any peer that comes into a table that is nearly empty. A
    // walk that is begun by hand takes that one's place, and this one is ended before it asks anybody.
    if let Ok(walk) = behaviour.kad.bootstrap() {
        node.hushed = Some(walk);
        hush(node);
    }
    node.joining.stand(node.clock.now());
    for (peer, address) in neighbours {
        node.swarm.behaviour_mut().book.note(*peer, address, Source::Itself);
        dial(node, *peer);
    }
}

/// End the walk that is not to be made. It goes on from bucket to bucket, and each is left out.
pub(super) fn hush(node: &mut Node) {
    if let Some(walk) = &node.hushed
        && let Some(mut walk) = node.swarm.behaviour_mut().kad.query_mut(walk)
    {
        walk.finish();
    }
}

/// A walk or a list of providers named `peer` at these addresses.
pub(super) fn heard(node: &mut Node, peer: PeerId, addresses: &[Multiaddr]) {
    if peer != node.local() {
        for address in addresses.iter().take(ADDRESSES_OF_ONE) {
            node.swarm.behaviour_mut().book.note(peer, address, Source::Hearsay);
        }
    }
}

/// Take in what identify says.
pub(super) fn on_identify(node: &mut Node, event: identify::Event) {
    let identify::Event::Received { peer_id: peer, info, .. } = event else { return };
    if peer == node.local() || node.neighbours.is_blocked(peer) {
        return;
    }
    let speaks = |name: &str| info.protocols.iter().any(|protocol| protocol.as_ref() == name);
    let (dht, ask) = (speaks(&node.config.protocols.dht), speaks(&node.config.protocols.ask));
    if !dht && !ask {
        return tell_of_stranger(node, peer, &info);
    }
    for address in info.listen_addrs.iter().take(ADDRESSES_OF_ONE) {
        let behaviour = node.swarm.behaviour_mut();
        if behaviour.book.note(peer, address, Source::Itself) && dht {
            behaviour.kad.add_address(&peer, address.clone());
        }
    }
    if let Some(witness) = node.remotes.get(&peer) {
        let believed = node.observed.seen(witness, &info.observed_addr, node.swarm.listeners());
        for address in believed {
            tracing::info!(%address, "several peers see this node there: it is told to others");
            node.swarm.add_external_address(address);
        }
    }
    if ask && node.swarm.is_connected(&peer) {
        on_up(node, peer);
    }
}

/// The log says once what a peer speaks that does not speak what this node does.
fn tell_of_stranger(node: &mut Node, peer: PeerId, info: &identify::Info) {
    if node.neighbours.is_news(peer) {
        // Its own words, cut short: a stranger is not to fill the log.
        let cut = |text: &str| text.chars().filter(|c| !c.is_control()).take(100).collect::<String>();
        let (theirs, ours) = (cut(&info.protocol_version), node.config.protocols.family.as_str());
        let asks: Vec<String> =
            info.protocols.iter().take(8).map(|protocol| cut(protocol.as_ref())).collect();
        tracing::warn!(%peer, theirs, ours, ?asks, "a peer of another network or version: nothing can be asked of it");
    }
}

fn on_up(node: &mut Node, peer: PeerId) {
    if node.neighbours.up.insert(peer) {
        node.inbox.push(Event::Peer { peer, change: PeerChange::Up });
        if let Some(took) = node.neighbours.measured.remove(&peer) {
            node.inbox.push(Event::Peer { peer, change: PeerChange::RoundTrip(took) });
        }
        node.joining.changed(node.neighbours.up(), true, node.clock.now());
    }
}

/// The last connection with `peer` is gone.
pub(super) fn on_down(node: &mut Node, peer: PeerId) {
    node.remotes.remove(&peer);
    node.neighbours.measured.remove(&peer);
    if node.neighbours.up.remove(&peer) {
        node.inbox.push(Event::Peer { peer, change: PeerChange::Down });
        node.joining.changed(node.neighbours.up(), false, node.clock.now());
    }
}

/// Take in what ping says.
pub(super) fn on_ping(node: &mut Node, event: ping::Event) {
    let ping::Event { peer, connection, result } = event;
    match result {
        Ok(took) if node.neighbours.is_up(peer) => {
            node.inbox.push(Event::Peer { peer, change: PeerChange::RoundTrip(took) });
        }
        Ok(took) if node.swarm.is_connected(&peer) => {
            node.neighbours.measured.insert(peer, took);
        }
        // A connection that is dead and does not know it: whatever waits on it is to fail, and be tried anew.
        Err(ping::Failure::Timeout) => {
            node.swarm.close_connection(connection);
        }
        Ok(_) | Err(_) => {}
    }
}
