//! Faults, expanded to turns of events: which nodes, and when each thing begins and ends.
//!
//! Faults of one kind may overlap on one node: what holds at each instant is all of them together, and
//! the end of one is not the end of the other. Each fault draws its victims and times by its own identity:
//! its kind, and the how-many-th of its kind it is.

use core::time::Duration;
use std::collections::BTreeMap;

use super::catalogue::packages;
use super::turn::Turn;
use super::types::{Placed, PlannedEvent};
use crate::scenario::draw::{Concern, Draws, share_of, strike};
use crate::scenario::file::model::{FaultSetting, Scenario, Spread, Victims, Weather, Whom};
use crate::scenario::listing::Listing;
use crate::scenario::nodes::NodeSet;
use crate::scenario::units::Span;
use crate::scenario::words::{Among, Lie};
use crate::testbed::{Garble, Keep, LinkChange, NodeId};

/// The most times that one node leaves under one churn.
const MAX_SESSIONS: u64 = 10_000;

/// One node's state of one kind, over a span of time.
struct Layer<V> {
    node: u32,
    from: Duration,
    until: Duration,
    value: V,
}

/// The most seconds that one storm lasts.
const MOST_GUSTS: u64 = 3_600;

#[derive(Default)]
struct Layers {
    down: Vec<Layer<Keep>>,
    links: Vec<Layer<LinkChange>>,
    slow: Vec<Layer<u32>>,
    silent: Vec<Layer<()>>,
    stalled: Vec<Layer<()>>,
    undialable: Vec<Layer<()>>,
    garbles: Vec<Layer<Vec<Garble>>>,
    lies: Vec<Layer<Vec<Lie>>>,
    full: Vec<Layer<()>>,
    forgets: Vec<Layer<()>>,
    late: Vec<Layer<Duration>>,
    /// How far calendars are wrong, and whether they are behind.
    skewed: Vec<Layer<(Duration, bool)>>,
    /// What is not a node's own state.
    others: Vec<(Duration, Turn)>,
}

/// All turns of events, in the order of time.
pub(super) fn events(
    scenario: &Scenario,
    seed: u64,
    listings: &[Listing],
    renewals: Vec<(Duration, Turn)>,
) -> Vec<PlannedEvent> {
    let mut layers = Layers { others: renewals, ..Layers::default() };
    for expander in expanders(scenario, seed) {
        expander.expand(listings, &mut layers);
    }
    let end = scenario.duration;
    let mut all: Vec<(Duration, Turn)> = Vec::new();
    let on = |active: &[&()]| !active.is_empty();
    all.extend(turns(&layers.links, end, together, |nodes, change| Turn::Links {
        nodes,
        change: change.into(),
    }));
    all.append(&mut layers.others);
    all.extend(turns(
        &layers.slow,
        end,
        |active| active.iter().copied().max().copied().unwrap_or(1),
        |nodes, factor| Turn::Slow { nodes, factor },
    ));
    all.extend(turns(&layers.silent, end, on, |nodes, on| Turn::Silent { nodes, on }));
    all.extend(turns(&layers.stalled, end, on, |nodes, on| Turn::Stall { nodes, on }));
    all.extend(turns(&layers.undialable, end, on, |nodes, struck| Turn::Dialable { nodes, on: !struck }));
    all.extend(turns(&layers.garbles, end, union, |nodes, ways| Turn::Garbles { nodes, ways }));
    all.extend(turns(&layers.lies, end, union, |nodes, kinds| Turn::Lies { nodes, kinds }));
    all.extend(turns(&layers.full, end, on, |nodes, on| Turn::Full { nodes, on }));
    all.extend(turns(&layers.forgets, end, on, |nodes, on| Turn::Forgets { nodes, on }));
    let longest = |active: &[&Duration]| active.iter().copied().max().copied().unwrap_or_default();
    all.extend(turns(&layers.late, end, longest, |nodes, by| Turn::Late { nodes, by: Span(by) }));
    let furthest = |active: &[&(Duration, bool)]| active.iter().copied().max().copied().unwrap_or_default();
    all.extend(turns(&layers.skewed, end, furthest, |nodes, (by, behind)| {
        // What is not wrong is not behind either.
        Turn::Skew { nodes, by: Span(by), behind: behind && !by.is_zero() }
    }));
    let down = |active: &[&Keep]| active.first().map(|keep| **keep);
    all.extend(turns(&lives(layers.down), end, down, |nodes, down| match down {
        Some(keep) => Turn::Kill { nodes, keep },
        None => Turn::Restart { nodes },
    }));
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(at, what)| PlannedEvent { at: Span(at), what }).collect()
}

/// Each fault with its own draws.
fn expanders(scenario: &Scenario, seed: u64) -> Vec<Expander<'_>> {
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    let faults = scenario.faults.iter().map(|fault| {
        let kind = kind(&fault.what);
        let count = counts.entry(kind).or_default();
        *count += 1;
        Expander { scenario, seed, fault, identity: kind << 32 | *count }
    });
    faults.collect()
}

/// Peers that come back under new names.
pub(super) struct Whitewashers {
    pub(super) nodes: Vec<u32>,
    pub(super) at: Duration,
    /// No later than the end of the run.
    pub(super) until: Duration,
    pub(super) every: Duration,
}

/// All who do, by fault.
pub(super) fn whitewashers(scenario: &Scenario, seed: u64) -> Vec<Whitewashers> {
    let all = expanders(scenario, seed).into_iter().filter_map(|it| match it.fault.what {
        Weather::Whitewash { share, every } => Some(Whitewashers {
            nodes: it.peers(share),
            at: it.fault.at,
            until: it.fault.until.min(scenario.duration),
            every,
        }),
        _ => None,
    });
    all.collect()
}

/// The peers whose identities were chosen. Whoever two faults strike stands where the first wants it.
pub(super) fn placed(scenario: &Scenario, seed: u64, listings: &[Listing]) -> Vec<Placed> {
    let mut taken = NodeSet::default();
    let mut all = Vec::new();
    for it in expanders(scenario, seed) {
        let Weather::Sybil { package, share } = it.fault.what else { continue };
        let nodes: NodeSet =
            it.peers(share).into_iter().filter(|node| !taken.contains(NodeId(*node))).collect();
        let Some(listing) = packages(listings).get(package as usize).copied() else { continue };
        if !nodes.is_empty() {
            taken.0.extend(nodes.iter());
            all.push(Placed { nodes, publisher: listing.publisher, name: listing.name.clone() });
        }
    }
    all
}

/// What links suffer together: delays add up, the narrowest bandwidth holds, and chances combine.
fn together(active: &[&LinkChange]) -> LinkChange {
    let either = |first: f64, second: f64| 1.0 - (1.0 - first) * (1.0 - second);
    active.iter().fold(LinkChange::default(), |sum, change| LinkChange {
        extra_delay: sum.extra_delay + change.extra_delay,
        extra_jitter: sum.extra_jitter + change.extra_jitter,
        bandwidth: match (sum.bandwidth, change.bandwidth) {
            (0, other) | (other, 0) => other,
            (first, second) => first.min(second),
        },
        resets: either(sum.resets, change.resets),
        refused_dials: either(sum.refused_dials, change.refused_dials),
        dead_dials: either(sum.dead_dials, change.dead_dials),
    })
}

fn union<T: Clone + Ord>(active: &[&Vec<T>]) -> Vec<T> {
    let mut all: Vec<T> = active.iter().flat_map(|some| some.iter().cloned()).collect();
    all.sort();
    all.dedup();
    all
}

/// Times of being down that overlap are one, in which is kept what the first death left: who is dead does not die.
fn lives(mut down: Vec<Layer<Keep>>) -> Vec<Layer<Keep>> {
    down.sort_by_key(|layer| (layer.node, layer.from));
    let mut merged: Vec<Layer<Keep>> = Vec::new();
    for layer in down {
        match merged.last_mut() {
            Some(last) if last.node == layer.node && layer.from <= last.until => {
                last.until = last.until.max(layer.until);
            }
            _ => merged.push(layer),
        }
    }
    merged
}

/// The turns that these layers make: at each time, one for the nodes whose state becomes the same. Nothing
/// is told of what would end with the run.
fn turns<V, S: Clone + PartialEq>(
    layers: &[Layer<V>],
    end: Duration,
    combine: impl Fn(&[&V]) -> S,
    turn: impl Fn(NodeSet, S) -> Turn,
) -> Vec<(Duration, Turn)> {
    let mut by_node: BTreeMap<u32, Vec<&Layer<V>>> = BTreeMap::new();
    for layer in layers {
        by_node.entry(layer.node).or_default().push(layer);
    }
    let mut changes: BTreeMap<Duration, Vec<(S, Vec<NodeId>)>> = BTreeMap::new();
    for (node, mut layers) in by_node {
        layers.sort_by_key(|layer| layer.from);
        let mut times: Vec<Duration> = layers.iter().flat_map(|layer| [layer.from, layer.until]).collect();
        times.sort_unstable();
        times.dedup();
        let mut state = combine(&[]);
        let mut first = 0;
        for at in times.into_iter().filter(|at| *at < end) {
            // Layers that ended are left behind; a churning node has thousands, one after the other.
            while layers.get(first).is_some_and(|layer| layer.until <= at) {
                first += 1;
            }
            let begun = layers.iter().skip(first).take_while(|layer| layer.from <= at);
            let active: Vec<&V> = begun.filter(|layer| layer.until > at).map(|layer| &layer.value).collect();
            let next = combine(&active);
            if next == state {
                continue;
            }
            let here = changes.entry(at).or_default();
            match here.iter_mut().find(|(known, _)| *known == next) {
                Some((_, nodes)) => nodes.push(NodeId(node)),
                None => here.push((next.clone(), vec![NodeId(node)])),
            }
            state = next;
        }
    }
    let flat = changes
        .into_iter()
        .flat_map(|(at, here)| here.into_iter().map(move |(state, nodes)| (at, state, nodes)));
    flat.map(|(at, state, nodes)| (at, turn(nodes.into_iter().collect(), state))).collect()
}

fn kind(weather: &Weather) -> u64 {
    match weather {
        Weather::Churn { .. } => 1,
        Weather::Crash { .. } => 2,
        Weather::Partition { .. } => 3,
        Weather::Links { change, .. } => {
            if change.bandwidth > 0 {
                5
            } else if change.resets > 0.0 {
                6
            } else if change.refused_dials > 0.0 {
                7
            } else if change.dead_dials > 0.0 {
                8
            } else {
                4
            }
        }
        Weather::Slow { .. } => 9,
        Weather::Silent(_) => 10,
        Weather::Stall(_) => 11,
        Weather::Undialable(_) => 12,
        Weather::Malformed { .. } => 13,
        Weather::Rollback { .. } => 14,
        Weather::Equivocate { .. } => 15,
        Weather::StoreFull(_) => 16,
        Weather::LyingAcks(_) => 17,
        Weather::Late { .. } => 18,
        Weather::ClockSkew { .. } => 19,
        Weather::Storm { .. } => 20,
        Weather::Eclipse(_) => 21,
        Weather::Sybil { .. } => 22,
        Weather::FalsePeers { .. } => 23,
        Weather::Whitewash { .. } => 24,
        Weather::Framing { .. } => 25,
    }
}

struct Expander<'s> {
    scenario: &'s Scenario,
    seed: u64,
    fault: &'s FaultSetting,
    identity: u64,
}

impl Expander<'_> {
    fn expand(&self, listings: &[Listing], layers: &mut Layers) {
        match &self.fault.what {
            Weather::Churn { whom, session, gap, keep } => self.churn(whom, session, gap, *keep, layers),
            Weather::Crash { whom, keep } => {
                let nodes = match whom {
                    Victims::Whom(whom) => self.struck(whom),
                    Victims::Registry(registry) => vec![*registry],
                    Victims::Count(among, count) => {
                        let among = self.among(*among);
                        strike(self.seed, Concern::Victim, self.identity, &among, *count as usize)
                    }
                };
                self.lay(nodes, *keep, &mut layers.down);
            }
            Weather::Partition { share, registries, way } => {
                let peers = self.peers(*share);
                let from: NodeSet = registries.iter().copied().chain(peers).collect();
                let to: NodeSet =
                    (0..self.scenario.network.peers).filter(|node| !from.contains(NodeId(*node))).collect();
                if from.is_empty() || to.is_empty() {
                    return;
                }
                let heal = Turn::Heal { from: from.clone(), to: to.clone() };
                self.both(Turn::Cut { from, to, way: *way }, heal, layers);
            }
            Weather::Links { whom, change } => self.lay(self.struck(whom), *change, &mut layers.links),
            Weather::Slow { whom, factor } => self.lay(self.struck(whom), *factor, &mut layers.slow),
            Weather::Silent(whom) => self.lay(self.struck(whom), (), &mut layers.silent),
            Weather::Stall(whom) => self.lay(self.struck(whom), (), &mut layers.stalled),
            Weather::Undialable(whom) => self.lay(self.struck(whom), (), &mut layers.undialable),
            Weather::StoreFull(whom) => self.lay(self.struck(whom), (), &mut layers.full),
            Weather::LyingAcks(whom) => self.lay(self.struck(whom), (), &mut layers.forgets),
            Weather::Late { whom, by } => self.lay(self.struck(whom), *by, &mut layers.late),
            Weather::ClockSkew { whom, by, behind } => {
                self.lay(self.struck(whom), (*by, *behind), &mut layers.skewed);
            }
            Weather::Eclipse(share) | Weather::Sybil { share, .. } => {
                // Who is alone has nobody to name.
                self.collude(*share, 2, NodeSet::default(), layers);
            }
            Weather::FalsePeers { share, names } => {
                let first = self.scenario.network.peers;
                self.collude(*share, 1, (first..first.saturating_add(*names)).collect(), layers);
            }
            Weather::Whitewash { share, every } => {
                let shed = self.fault.at.saturating_add(*every);
                let renewed = shed < self.fault.until.min(self.scenario.duration);
                for node in self.peers(*share) {
                    let (from, until) = (self.fault.at, self.fault.until.min(shed));
                    layers.lies.push(Layer { node, from, until, value: Lie::BY_ANYBODY.to_vec() });
                    if renewed {
                        // It never comes back under this name.
                        layers.down.push(Layer {
                            node,
                            from: shed,
                            until: Duration::MAX,
                            value: Keep::Nothing,
                        });
                    }
                }
            }
            Weather::Storm { share, .. } | Weather::Framing { share, .. } => {
                let nodes: NodeSet = self.peers(*share).into_iter().collect();
                if nodes.is_empty() {
                    return;
                }
                let blow = |nodes: NodeSet, each, gust| match self.fault.what {
                    Weather::Framing { .. } => Turn::Frame { nodes, each, gust },
                    _ => Turn::Storm { nodes, each, gust },
                };
                let (Weather::Storm { rate, .. } | Weather::Framing { rate, .. }) = self.fault.what else {
                    return;
                };
                // Faults of one kind are counted, so no two gusts have one number.
                let first = (self.identity as u32) << 16;
                let gusts = (self.fault.until.saturating_sub(self.fault.at).as_secs() + 1).min(MOST_GUSTS);
                for gust in 0..u32::try_from(gusts).unwrap_or(u32::MAX) {
                    let at = self.fault.at.saturating_add(Duration::from_secs(u64::from(gust)));
                    if at < self.fault.until {
                        layers.others.push((at, blow(nodes.clone(), rate, first | gust)));
                    }
                }
                if self.fault.until < self.scenario.duration {
                    layers.others.push((self.fault.until, blow(nodes, 0, first)));
                }
            }
            Weather::Malformed { share, garbles, lies } => {
                let nodes = self.peers(*share);
                if !garbles.is_empty() {
                    self.lay(nodes.clone(), garbles.clone(), &mut layers.garbles);
                }
                if !lies.is_empty() {
                    self.lay(nodes, lies.clone(), &mut layers.lies);
                }
            }
            Weather::Rollback { package, share } => {
                let nodes: NodeSet = self.peers(*share).into_iter().collect();
                if let Some(listing) = packages(listings).get(*package as usize) {
                    let turn = |on| Turn::Rollback {
                        publisher: listing.publisher,
                        name: listing.name.clone(),
                        nodes: nodes.clone(),
                        on,
                    };
                    self.both(turn(true), turn(false), layers);
                }
            }
            Weather::Equivocate { package, share } => {
                let nodes: NodeSet = self.peers(*share).into_iter().collect();
                let first = packages(listings).get(*package as usize).map(|listing| &listing.name);
                let last = listings.iter().rev().find(|listing| Some(&listing.name) == first);
                if let Some(listing) = last {
                    let turn = |on| Turn::Equivocate {
                        publisher: listing.publisher,
                        name: listing.name.clone(),
                        version: listing.version.clone(),
                        nodes: nodes.clone(),
                        on,
                    };
                    self.both(turn(true), turn(false), layers);
                }
            }
        }
    }

    /// A share of the peers, if it is at least so many, name these alone; each other if there is none.
    fn collude(&self, share: f64, least: usize, to: NodeSet, layers: &mut Layers) {
        let nodes: NodeSet = self.peers(share).into_iter().collect();
        if nodes.len() >= least {
            let turn = |on| Turn::Collude { nodes: nodes.clone(), to: to.clone(), on };
            self.both(turn(true), turn(false), layers);
        }
    }

    fn both(&self, begin: Turn, end: Turn, layers: &mut Layers) {
        layers.others.push((self.fault.at, begin));
        if self.fault.until < self.scenario.duration {
            layers.others.push((self.fault.until, end));
        }
    }

    fn lay<V: Clone>(&self, nodes: Vec<u32>, value: V, layers: &mut Vec<Layer<V>>) {
        let (from, until) = (self.fault.at, self.fault.until);
        layers.extend(nodes.into_iter().map(|node| Layer { node, from, until, value: value.clone() }));
    }

    fn among(&self, among: Among) -> Vec<u32> {
        let network = &self.scenario.network;
        match among {
            // Where nobody is a registry, all are what is under test.
            Among::Registries if network.registries == 0 => (0..network.peers).collect(),
            Among::Peers => (network.registries..network.peers).collect(),
            Among::Registries => (0..network.registries).collect(),
            Among::All => (0..network.peers).collect(),
        }
    }

    fn struck(&self, whom: &Whom) -> Vec<u32> {
        let among = self.among(whom.among);
        let count = share_of(whom.share, among.len());
        strike(self.seed, Concern::Victim, self.identity, &among, count)
    }

    fn peers(&self, share: f64) -> Vec<u32> {
        self.struck(&Whom { among: Among::Peers, share })
    }

    fn churn(&self, whom: &Whom, session: &Spread, gap: &Spread, keep: Keep, layers: &mut Layers) {
        let until = self.fault.until;
        for node in self.struck(whom) {
            // A node is somewhere within its first session when the fault begins.
            let mut into = Draws::new(self.seed, Concern::Session, [self.identity, u64::from(node)]);
            let first = draw(session, &mut into);
            let left = crate::scenario::draw::scaled(first, into.unit());
            let mut at = self.fault.at.saturating_add(left);
            for _ in 0..MAX_SESSIONS {
                if at >= until {
                    break;
                }
                // At least a millisecond each, so that a life is one.
                let back = at.saturating_add(draw(gap, &mut into).max(Duration::from_millis(1)));
                let layer = Layer { node, from: at, until: back.min(until), value: keep };
                layers.down.push(layer);
                at = back.saturating_add(draw(session, &mut into).max(Duration::from_millis(1)));
            }
        }
    }
}

fn draw(spread: &Spread, draws: &mut Draws) -> Duration {
    match spread {
        Spread::Weibull { shape, scale } => draws.weibull(*shape, *scale),
        Spread::Exponential(mean) => draws.exponential(*mean),
        Spread::Fixed(span) => *span,
    }
}
