//! What went wrong, and for how long: the faults of a plan as bands.
//!
//! A run follows its plan to the letter, so the plan is what happened.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::scenario::nodes::NodeSet;
use crate::scenario::plan::{Plan, Turn};
use crate::testbed::NodeId;

/// The most letters of a set of nodes that are told.
const LONGEST: usize = 160;

/// A time in which the same nodes suffer the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Band {
    /// What: one row of bands each.
    pub(super) kind: &'static str,
    /// From when, in microseconds.
    pub(super) from: u64,
    /// Until when.
    pub(super) until: u64,
    /// How many nodes.
    pub(super) count: usize,
    /// Which, and how.
    pub(super) words: String,
}

/// What is going on of one kind.
#[derive(Default)]
struct State {
    since: u64,
    nodes: BTreeSet<NodeId>,
    /// Of cuts, both sides.
    cuts: Vec<(NodeSet, NodeSet)>,
    how: String,
}

impl State {
    fn band(&self, kind: &'static str, until: u64) -> Option<Band> {
        let mut nodes = self.nodes.clone();
        for (from, to) in &self.cuts {
            // Who is cut off is the smaller side.
            nodes.extend(if from.len() <= to.len() { from.iter() } else { to.iter() }.collect::<Vec<_>>());
        }
        if nodes.is_empty() || until <= self.since {
            return None;
        }
        let set = NodeSet(nodes);
        let mut words = set.to_string();
        if let Some((at, _)) = words.char_indices().nth(LONGEST) {
            words.truncate(at);
            words.push('…');
        }
        if !self.how.is_empty() {
            words = format!("{words}: {}", self.how);
        }
        Some(Band { kind, from: self.since, until, count: set.len(), words })
    }
}

/// The bands of `plan`, which ended at `end` microseconds, in the order of their kinds and times.
pub(super) fn bands(plan: &Plan, end: u64) -> Vec<Band> {
    let mut states: BTreeMap<&'static str, State> = BTreeMap::new();
    let mut bands = Vec::new();
    for event in &plan.timeline.events {
        let at = u64::try_from(event.at.0.as_micros()).unwrap_or(u64::MAX).min(end);
        let kind = kind(&event.what);
        let state = states.entry(kind).or_default();
        bands.extend(state.band(kind, at));
        state.since = at;
        turn(state, &event.what);
    }
    for (kind, state) in states {
        bands.extend(state.band(kind, end));
    }
    bands.sort_by_key(|band| (band.kind, band.from));
    bands
}

const fn kind(turn: &Turn) -> &'static str {
    match turn {
        Turn::Kill { .. } | Turn::Restart { .. } => "down",
        Turn::Cut { .. } | Turn::Heal { .. } => "cut off",
        Turn::Links { .. } => "bad links",
        Turn::Slow { .. } => "slow",
        Turn::Silent { .. } => "silent",
        Turn::Stall { .. } => "stalled",
        Turn::Dialable { .. } => "not dialable",
        Turn::Garbles { .. } => "garbling",
        Turn::Lies { .. } => "lying",
        Turn::Rollback { .. } => "rolling back",
        Turn::Equivocate { .. } => "two bodies",
        Turn::Full { .. } => "store full",
        Turn::Forgets { .. } => "forgetting",
        Turn::Late { .. } => "late",
        Turn::Skew { .. } => "wrong calendar",
        Turn::Storm { .. } => "storming",
        Turn::Collude { .. } => "colluding",
        Turn::Frame { .. } => "framing",
    }
}

fn turn(state: &mut State, turn: &Turn) {
    match turn {
        Turn::Cut { from, to, .. } => state.cuts.push((from.clone(), to.clone())),
        Turn::Heal { from, to } => state.cuts.retain(|(a, b)| (a, b) != (from, to)),
        _ => {
            let nodes = turn.sets().into_iter().flat_map(NodeSet::iter);
            if turn.is_bad() {
                state.nodes.extend(nodes);
            } else {
                nodes.for_each(|node| {
                    state.nodes.remove(&node);
                });
            }
        }
    }
    if turn.is_bad() {
        state.how = how(turn);
    }
}

/// How a fault acts, where its name does not say it.
fn how(turn: &Turn) -> String {
    match turn {
        Turn::Slow { factor, .. } => format!("{factor} times slower"),
        Turn::Late { by, .. } => format!("by {by}"),
        Turn::Skew { by, behind: true, .. } => format!("{by} behind"),
        Turn::Skew { by, .. } => format!("{by} ahead"),
        Turn::Storm { each, .. } => format!("{each} releases a second each"),
        Turn::Frame { each, .. } => format!("{each} releases a second, in two bodies each"),
        Turn::Collude { to, .. } if !to.is_empty() => "naming others alone".to_owned(),
        Turn::Garbles { ways, .. } => names(ways),
        Turn::Lies { kinds, .. } => names(kinds),
        Turn::Links { change, .. } => {
            let mut parts = Vec::new();
            if !change.extra_delay.0.is_zero() {
                parts.push(format!("{} more delay", change.extra_delay));
            }
            if !change.extra_jitter.0.is_zero() {
                parts.push(format!("up to {} jitter", change.extra_jitter));
            }
            if change.bandwidth > 0 {
                parts.push(format!("{} bytes a second", change.bandwidth));
            }
            let shares = [
                (change.resets, "resets"),
                (change.refused_dials, "refused dials"),
                (change.dead_dials, "dead dials"),
            ];
            parts
                .extend(shares.iter().filter(|it| it.0 > 0.0).map(|(share, what)| format!("{share} {what}")));
            parts.join(", ")
        }
        _ => String::new(),
    }
}

/// Words of a plan's file, one after the other.
fn names(words: &[impl Serialize]) -> String {
    let name = |word| serde_json::to_value(word).ok()?.as_str().map(str::to_owned);
    words.iter().filter_map(name).collect::<Vec<_>>().join(", ")
}
