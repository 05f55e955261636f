//! Who knows whom and who is connected to whom in a network that has been up for long, before anything happened to
//! it: as the simulator draws it for its own start.
//!
//! Every server that can be dialled belongs into everybody's table; where a bucket has no room for all, who has come
//! first differs from node to node. Kademlia's walks have connected everybody to all whom it lists, and no
//! connection that stands is closed for want of use: gossipsub keeps a stream on each.

use std::collections::{BTreeMap, BTreeSet};

use libp2p::PeerId;
use libp2p::kad::{K_VALUE, KBucketKey};

use super::node::Node;
use crate::testbed::draw::mix;

/// What is to be known of a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) key: KBucketKey<PeerId>,
    pub(super) server: bool,
    pub(super) dialable: bool,
    pub(super) application: bool,
}

impl Member {
    pub(super) fn of(node: &Node) -> Self {
        let application = node.part.is_none();
        Self { key: node.peer.into(), server: node.server, dialable: node.line.dialable(), application }
    }

    fn takes_part(&self) -> bool {
        self.server || self.application
    }
}

/// The part of one node in the network, by places among the members.
#[derive(Clone, Debug, Default)]
pub(super) struct Woven {
    /// Whom it knows, in the order in which it met them.
    pub(super) known: Vec<usize>,
    /// Whom it has dialled.
    pub(super) dials: Vec<usize>,
}

/// Draw the network.
pub(super) fn weave(members: &[Member], seed: u64) -> Vec<Woven> {
    let mut woven: Vec<Woven> = members.iter().map(|_| Woven::default()).collect();
    let mut links: Vec<BTreeSet<usize>> = members.iter().map(|_| BTreeSet::new()).collect();
    let servers: Vec<(usize, &Member)> =
        members.iter().enumerate().filter(|(_, it)| it.server && it.dialable).collect();
    for (own, it) in members.iter().enumerate().filter(|(_, it)| it.takes_part()) {
        let mut known: Vec<_> = servers.iter().filter(|(other, _)| *other != own).collect();
        known.sort_by_key(|(other, _)| (mix(mix(seed ^ own as u64) ^ *other as u64), *other));
        let mut buckets = BTreeMap::new();
        for (other, its) in known {
            let held: &mut usize = buckets.entry(it.key.distance(&its.key).ilog2()).or_default();
            if *held < K_VALUE.get() {
                *held += 1;
                if let Some(woven) = woven.get_mut(own) {
                    woven.known.push(*other);
                }
                link(members, &mut links, &mut woven, own, *other);
            }
        }
    }
    woven
}

/// Connect two if they are not, and one of them can be dialled.
fn link(members: &[Member], links: &mut [BTreeSet<usize>], woven: &mut [Woven], one: usize, other: usize) {
    let can = |at: usize| members.get(at).is_some_and(|it| it.dialable);
    let linked = links.get(one).is_some_and(|its| its.contains(&other));
    if one == other || linked || !(can(one) || can(other)) {
        return;
    }
    let (dialer, dialled) = if can(other) { (one, other) } else { (other, one) };
    if let Some(its) = woven.get_mut(dialer) {
        its.dials.push(dialled);
    }
    for (from, to) in [(one, other), (other, one)] {
        if let Some(its) = links.get_mut(from) {
            its.insert(to);
        }
    }
}

#[cfg(test)]
mod tests {
    use libp2p::identity::Keypair;

    use super::*;

    fn network() -> Vec<Member> {
        let named = |number: u8| {
            let keypair = Keypair::ed25519_from_bytes([number; 32]).unwrap();
            let key = keypair.public().to_peer_id().into();
            Member { key, server: true, dialable: true, application: false }
        };
        let mut members: Vec<Member> = (0..80).map(named).collect();
        members[0].application = true;
        members[7].dialable = false;
        members[9].server = false;
        members
    }

    fn links(woven: &[Woven], at: usize) -> usize {
        woven[at].dials.len() + woven.iter().filter(|it| it.dials.contains(&at)).count()
    }

    #[test]
    fn everybody_is_connected_to_whom_it_lists_and_nobody_dials_whom_nobody_can_dial() {
        let woven = weave(&network(), 1);
        for (at, it) in woven.iter().enumerate() {
            assert!(links(&woven, at) >= it.known.len(), "{at}");
            assert!(!it.dials.contains(&at) && !it.known.contains(&at));
            assert!(!it.dials.contains(&7) && !it.known.contains(&7));
        }
        assert!(woven[7].dials.len() >= 20, "it dials itself");
        assert_eq!((links(&woven, 9), woven[9].known.len()), (0, 0), "who only asks has no part in it");
    }

    #[test]
    fn a_bucket_lists_twenty_and_the_seed_says_which() {
        let (one, same, other) = (weave(&network(), 1), weave(&network(), 1), weave(&network(), 2));
        // Of 77 others about 38 are in the farthest bucket, 19 in the next.
        assert!((40..70).contains(&one[1].known.len()), "{}", one[1].known.len());
        assert_ne!(one[1].known[..5], one[2].known[..5]);
        let dials = |woven: &[Woven]| woven.iter().map(|it| it.dials.clone()).collect::<Vec<_>>();
        assert_eq!(dials(&one), dials(&same));
        assert_ne!(dials(&one), dials(&other));
    }

    #[test]
    fn small_networks_are_woven_too() {
        assert!(weave(&[], 1).is_empty());
        assert!(weave(&network()[..1], 1)[0].dials.is_empty());
        let two = weave(&network()[..2], 1);
        assert_eq!(two[0].dials.len() + two[1].dials.len(), 1);
    }
}
