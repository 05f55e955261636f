//! The links between nodes, with what faults have made of them: what a message, a dial and a cut come to.
//!
//! It knows nodes by number and holds no traffic, so that the world here and a network of real swarms in
//! virtual time have the same links from the same code: node *i* under one seed and profile is in the same
//! region behind the same line in both, and the same draw gives the same delay.
//!
//! # Order of calls
//!
//! [`Links::join`] once for each node, in the order of their numbers. What is asked about a node that has not
//! joined is answered for one in the first region without a line of its own.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use super::cut::Cut;
use super::delays::{self, Delays, End, added, falls};
use super::profile::Profile;
use super::rng::{Concern, Draw, Seed, below};
use super::sample::unit;
use super::wire::FRAME;
use crate::testbed::{LinkChange, NodeId, Way};
use crate::time::nanos;

/// The links between nodes.
#[derive(Debug)]
pub struct Links {
    profile: Profile,
    delays: Delays,
    ends: Vec<End>,
    /// Of those whose links are changed.
    changes: BTreeMap<u32, LinkChange>,
    cuts: Vec<Cut>,
}

/// What comes of a dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialling {
    /// Whether it is answered, unless something changes meanwhile.
    pub connects: bool,
    /// How long it takes until that is known.
    pub takes: Duration,
}

/// The route from one node to another. Whoever sends several messages on it looks it up once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route<'a> {
    ends: delays::Route<'a>,
    changes: [Option<&'a LinkChange>; 2],
}

impl Route<'_> {
    /// Nanoseconds that a message of `bytes` takes. `draw` varies the part between the regions, `extra` the jitter of faults.
    pub(crate) fn delay(&self, bytes: usize, draw: u64, extra: u32) -> u64 {
        let delay = self.ends.delay(bytes, draw);
        let changes = self.changes.iter().flatten();
        changes.fold(delay, |delay, change| delay.saturating_add(added(change, bytes, extra)))
    }
}

impl Links {
    /// The links of `profile`, with no node yet. A profile without regions has one, without delay.
    pub fn new(profile: &Profile) -> Self {
        Self {
            profile: profile.clone(),
            delays: Delays::new(profile),
            ends: Vec::new(),
            changes: BTreeMap::new(),
            cuts: Vec::new(),
        }
    }

    /// The next node joins, in `region` or in one that is drawn. Returns its number and its region.
    pub fn join(&mut self, seed: &Seed, region: Option<u16>) -> (u32, u16) {
        let node = self.ends.len() as u32;
        let draw = seed.draw(Concern::PEER, u64::from(node), 0);
        let regions = self.delays.regions() as u64;
        let region = region.map_or_else(|| below(draw.wide(0), regions), |r| u64::from(r) % regions) as u16;
        let home = falls(draw.word(2), self.profile.homes);
        let access = if home { self.profile.home_access } else { self.profile.centre_access };
        let access = u32::try_from(nanos(access.at(draw.wide(4)))).unwrap_or(u32::MAX);
        self.ends.push(End { region, home, access });
        (node, region)
    }

    fn end(&self, node: u32) -> End {
        self.ends.get(node as usize).copied().unwrap_or_default()
    }

    fn changes_of(&self, a: u32, b: u32) -> [Option<&LinkChange>; 2] {
        if self.changes.is_empty() { [None, None] } else { [a, b].map(|n| self.changes.get(&n)) }
    }

    /// The route from `from` to `to`, as it is now.
    pub(crate) fn route(&self, from: u32, to: u32) -> Route<'_> {
        let ends = self.delays.route(self.end(from), self.end(to));
        Route { ends, changes: self.changes_of(from, to) }
    }

    /// Nanoseconds that a message of `bytes` takes from `from` to `to`. `draw` varies the part between the
    /// regions, `extra` the jitter of faults.
    pub fn delay(&self, from: u32, to: u32, bytes: usize, draw: u64, extra: u32) -> u64 {
        self.route(from, to).delay(bytes, draw, extra)
    }

    /// Nanoseconds of the round trip between two nodes at the median.
    pub fn usual_round_trip(&self, a: u32, b: u32) -> u64 {
        let half = 1 << 63;
        self.delay(a, b, FRAME, half, 0).saturating_add(self.delay(b, a, FRAME, half, 0))
    }

    /// The share that faults at either end and the profile make.
    fn share(&self, a: u32, b: u32, profile: f64, of: impl Fn(&LinkChange) -> f64) -> f64 {
        let changes = self.changes_of(a, b).into_iter().flatten();
        1.0 - changes.fold(1.0 - profile, |fine, change| fine * (1.0 - of(change)))
    }

    /// Whether the message between `a` and `b` that drew `draw` has its connection reset.
    pub fn resets(&self, a: u32, b: u32, draw: u32) -> bool {
        falls(draw, self.share(a, b, self.profile.resets, |change| change.resets))
    }

    /// Whether messages between `a` and `b` may have their connection reset at all.
    pub(crate) fn may_reset(&self, a: u32, b: u32) -> bool {
        self.share(a, b, self.profile.resets, |change| change.resets) > 0.0
    }

    /// Of `messages` between `a` and `b`, one after another, the place of the first that has their connection reset,
    /// as a part of them all. `None` when none has.
    pub(crate) fn reset_within(&self, a: u32, b: u32, draw: u32, messages: f64) -> Option<f64> {
        let share = self.share(a, b, self.profile.resets, |change| change.resets);
        if share <= 0.0 || messages <= 0.0 {
            return None;
        }
        let drawn = unit(u64::from(draw) << 32);
        // Most draws are above what even the sum of the messages' shares comes to; no logarithm is needed for them.
        if drawn > 1.001 * share * messages.max(1.0) {
            return None;
        }
        // The share of all draws that n messages reset, 1 - (1 - share)^n, solved for n.
        let place = if share < 1.0 { libm::log1p(-drawn) / libm::log1p(-share) } else { 0.0 };
        (place < messages).then_some(place / messages)
    }

    /// What comes of a dial of `server`, which `answers` dials when it is up and can be dialled.
    pub fn dial(&self, client: u32, server: u32, answers: bool, draw: &Draw) -> Dialling {
        let dead = self.share(client, server, self.profile.dead_dials, |change| change.dead_dials);
        let refused = self.share(client, server, self.profile.refused_dials, |change| change.refused_dials);
        if !answers || self.parts(client, server) || falls(draw.word(7), dead) {
            return Dialling { connects: false, takes: self.profile.dead_dial };
        }
        let there = self.delay(client, server, FRAME, draw.wide(8), draw.word(12));
        let round_trip =
            there.saturating_add(self.delay(server, client, FRAME, draw.wide(10), draw.word(13)));
        if falls(draw.word(14), refused) {
            return Dialling { connects: false, takes: Duration::from_nanos(round_trip) };
        }
        let takes = round_trip.saturating_mul(u64::from(self.profile.dial_round_trips));
        Dialling { connects: true, takes: Duration::from_nanos(takes) }
    }

    /// The links of `node` are changed from now on; [`LinkChange::default`] takes all changes back.
    pub fn change(&mut self, node: u32, change: LinkChange) {
        if change == LinkChange::default() {
            self.changes.remove(&node);
        } else {
            self.changes.insert(node, change);
        }
    }

    /// Traffic between two sets is cut from now on. Of `connected`, which says who a node is connected to, the
    /// pairs are returned whose connections end with it: those between the two sets when it is cut both ways.
    pub fn cut(
        &mut self,
        from: BTreeSet<NodeId>,
        to: BTreeSet<NodeId>,
        way: Way,
        connected: impl Fn(u32) -> Vec<u32>,
    ) -> Vec<(u32, u32)> {
        let made = Cut::new(from, to, way);
        let mut ends = Vec::new();
        if way == Way::Both {
            let (a, b) = &made.sets;
            for node in if a.len() <= b.len() { a } else { b } {
                let others = connected(node.0).into_iter().filter(|peer| made.stops(node.0, *peer));
                ends.extend(others.map(|other| (node.0, other)));
            }
        }
        self.cuts.push(made);
        ends
    }

    /// Every cut that was made with exactly these sets is healed.
    pub fn heal(&mut self, from: BTreeSet<NodeId>, to: BTreeSet<NodeId>) {
        let sets = (from, to);
        self.cuts.retain(|cut| cut.sets != sets);
    }

    /// Whether anything is cut.
    #[inline]
    pub fn any_cut(&self) -> bool {
        !self.cuts.is_empty()
    }

    /// Whether what `from` sends to `to` is cut.
    #[inline]
    pub fn is_cut(&self, from: u32, to: u32) -> bool {
        !self.cuts.is_empty() && self.cuts.iter().any(|cut| cut.stops(from, to))
    }

    /// Whether anything is cut between `a` and `b`, either way.
    #[inline]
    pub fn parts(&self, a: u32, b: u32) -> bool {
        self.any_cut() && self.a_cut_parts(a, b)
    }

    fn a_cut_parts(&self, a: u32, b: u32) -> bool {
        self.is_cut(a, b) || self.is_cut(b, a)
    }

    /// Bytes on the heap that grow with the number of nodes.
    pub(crate) fn footprint(&self) -> usize {
        self.ends.capacity() * size_of::<End>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(profile: Profile, nodes: u32) -> Links {
        let mut links = Links::new(&profile);
        for node in 0..nodes {
            assert_eq!(links.join(&Seed::new(7), None).0, node);
        }
        links
    }

    fn ten_ms() -> Profile {
        Profile::explicit(&[vec![Duration::from_millis(10)]])
    }

    #[test]
    fn a_node_s_end_is_its_own_whoever_joins_beside_it() {
        let (few, many) = (links(Profile::internet(), 3), links(Profile::internet(), 30));
        assert_eq!(few.ends[..], many.ends[..3]);
        assert!(many.ends.iter().any(|end| end.region != many.ends[0].region));
    }

    #[test]
    fn a_dial_costs_round_trips_and_a_dead_one_its_time() {
        let mut links = links(ten_ms(), 2);
        let draw = Seed::new(1).draw(Concern::LINK, 0, 0);
        let well = Dialling { connects: true, takes: Duration::from_millis(40) };
        assert_eq!(links.dial(0, 1, true, &draw), well);
        let dead = Dialling { connects: false, takes: Duration::from_secs(5) };
        assert_eq!(links.dial(0, 1, false, &draw), dead);
        links.change(1, LinkChange { refused_dials: 1.0, ..LinkChange::default() });
        let refused = Dialling { connects: false, takes: Duration::from_millis(20) };
        assert_eq!(links.dial(0, 1, true, &draw), refused);
        links.change(1, LinkChange { dead_dials: 1.0, ..LinkChange::default() });
        assert_eq!(links.dial(0, 1, true, &draw), dead);
        links.change(1, LinkChange::default());
        links.cut([NodeId(0)].into(), [NodeId(1)].into(), Way::OneWay, |_| Vec::new());
        assert_eq!(links.dial(1, 0, true, &draw), dead);
        links.heal([NodeId(0)].into(), [NodeId(1)].into());
        assert_eq!(links.dial(1, 0, true, &draw), well);
    }

    #[test]
    fn a_cut_both_ways_ends_what_crosses_it_and_one_way_nothing() {
        let mut links = links(ten_ms(), 4);
        let all = |node: u32| (0..4).filter(|other| *other != node).collect::<Vec<_>>();
        let (left, right): (BTreeSet<_>, BTreeSet<_>) = ([NodeId(0)].into(), [NodeId(2), NodeId(3)].into());
        assert_eq!(links.cut(left.clone(), right.clone(), Way::Both, all), [(0, 2), (0, 3)]);
        assert!(links.is_cut(2, 0) && !links.is_cut(1, 0));
        links.heal(left.clone(), right.clone());
        assert_eq!(links.cut(left, right, Way::OneWay, all), []);
        assert!(links.is_cut(0, 2) && !links.is_cut(2, 0) && links.parts(2, 0));
    }
}
