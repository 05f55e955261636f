//! Who knows whom and who is connected to whom in a network that has been up for long, before anything happened to
//! it: as the simulator draws it for its own start.
//!
//! Every server that can be dialled belongs into everybody's table; where a bucket has no room for all, who has come
//! first differs from node to node. Whoever takes part, servers and applications, has neighbours for announcements to
//! go by, and applications are connected to some more of those whom they know.

use std::collections::BTreeSet;

use super::node::Node;
use crate::testbed::draw::{below, mix};

/// Neighbours that each aims at, and the most that one accepts.
const WANTED: usize = 8;
const MOST: usize = 12;

/// What is to be known of a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) server: bool,
    pub(super) dialable: bool,
    pub(super) application: bool,
}

impl Member {
    pub(super) fn of(node: &Node) -> Self {
        let application = node.part.is_none();
        Self { server: node.server, dialable: node.line.dialable(), application }
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

/// Numbers that depend on the seed and on what they are drawn for.
struct Draws(u64);

impl Draws {
    fn new(seed: u64, of: u64, what: u64) -> Self {
        Self(mix(mix(seed ^ of) ^ what))
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 = mix(self.0);
        usize::try_from(below(self.0, bound as u64)).unwrap_or_default()
    }
}

/// Draw the network. An application is connected to `neighbours` more than announcements need.
pub(super) fn weave(members: &[Member], neighbours: usize, seed: u64) -> Vec<Woven> {
    let mut woven: Vec<Woven> = members.iter().map(|_| Woven::default()).collect();
    let mut links: Vec<BTreeSet<usize>> = members.iter().map(|_| BTreeSet::new()).collect();
    let servers: Vec<usize> =
        (0..members.len()).filter(|at| members.get(*at).is_some_and(|it| it.server && it.dialable)).collect();
    let taking: Vec<usize> =
        (0..members.len()).filter(|at| members.get(*at).is_some_and(Member::takes_part)).collect();
    for own in &taking {
        let mut known: Vec<usize> = servers.iter().copied().filter(|other| other != own).collect();
        let draw = |other: &usize| mix(mix(seed ^ *own as u64) ^ *other as u64);
        known.sort_by_key(|other| (draw(other), *other));
        if let Some(its) = woven.get_mut(*own) {
            its.known = known;
        }
    }
    let degree = |links: &[BTreeSet<usize>], at: usize| links.get(at).map_or(0, BTreeSet::len);
    for own in &taking {
        let mut draws = Draws::new(seed, *own as u64, 1);
        for _ in 0..8 * WANTED {
            if degree(&links, *own) >= WANTED.min(taking.len().saturating_sub(1)) {
                break;
            }
            if let Some(other) = taking.get(draws.below(taking.len()))
                && degree(&links, *other) < MOST
            {
                link(members, &mut links, &mut woven, *own, *other);
            }
        }
    }
    for own in taking.iter().filter(|at| members.get(**at).is_some_and(|it| it.application)) {
        let mut draws = Draws::new(seed, *own as u64, 2);
        let known = woven.get(*own).map_or_else(Vec::new, |its| its.known.clone());
        let wanted = neighbours.min(known.len());
        let mut chosen = 0;
        for _ in 0..8 * wanted {
            if chosen >= wanted {
                break;
            }
            if let Some(other) = known.get(draws.below(known.len())) {
                chosen += usize::from(link(members, &mut links, &mut woven, *own, *other));
            }
        }
    }
    woven
}

/// Connect two if they are not, and one of them can be dialled. Says whether that was done.
fn link(
    members: &[Member],
    links: &mut [BTreeSet<usize>],
    woven: &mut [Woven],
    one: usize,
    other: usize,
) -> bool {
    let can = |at: usize| members.get(at).is_some_and(|it| it.dialable);
    let linked = links.get(one).is_some_and(|its| its.contains(&other));
    if one == other || linked || !(can(one) || can(other)) {
        return false;
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
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: Member = Member { server: true, dialable: true, application: false };

    fn network() -> Vec<Member> {
        let mut members = vec![PEER; 40];
        members[0].application = true;
        members[7].dialable = false;
        members[9].server = false;
        members
    }

    #[test]
    fn applications_are_well_connected_and_nobody_dials_whom_nobody_can_dial() {
        let woven = weave(&network(), 16, 1);
        let links =
            |at: usize| woven[at].dials.len() + woven.iter().filter(|it| it.dials.contains(&at)).count();
        assert!(links(0) >= 16 + WANTED, "{}", links(0));
        assert!((1..40).filter(|at| *at != 9).all(|at| links(at) >= WANTED), "each has its neighbours");
        assert!(woven.iter().all(|it| !it.dials.contains(&7) && !it.known.contains(&7)));
        assert!(woven[7].dials.len() >= WANTED, "it dials itself");
        assert_eq!((links(9), woven[9].known.len()), (0, 0), "who only asks has no part in it");
        assert!(woven.iter().enumerate().all(|(at, it)| !it.dials.contains(&at) && !it.known.contains(&at)));
    }

    #[test]
    fn all_know_all_in_an_order_of_their_own_and_the_seed_says_which() {
        let (one, same, other) =
            (weave(&network(), 16, 1), weave(&network(), 16, 1), weave(&network(), 16, 2));
        assert_eq!(one[1].known.len(), 37);
        assert_ne!(one[1].known[..5], one[2].known[..5]);
        let dials = |woven: &[Woven]| woven.iter().map(|it| it.dials.clone()).collect::<Vec<_>>();
        assert_eq!(dials(&one), dials(&same));
        assert_ne!(dials(&one), dials(&other));
    }

    #[test]
    fn small_networks_are_woven_too() {
        assert!(weave(&[], 16, 1).is_empty());
        assert!(weave(&[PEER], 16, 1)[0].dials.is_empty());
        let two = weave(&[PEER, Member { application: true, ..PEER }], 16, 1);
        assert_eq!(two[0].dials.len() + two[1].dials.len(), 1);
    }
}
