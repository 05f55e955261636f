//! The registry's own oracles: no duplicates, authentic, metrics, reputation, no rollback.

use core::fmt::Display;
use std::collections::{BTreeMap, BTreeSet};

use super::fact::{Fact, Holding, Seen, Wanted};
use super::truth::Truth;
use super::verdict::{Oracle, Violation};
use crate::engine::{Cause, Found, Outcome, QueryId, QueryOutcome, Reason};
use crate::network::{Failure, Refusal, RequestId};
use crate::package::{PackageId, ReleaseId};
use crate::record::{Checked, Record};
use crate::testbed::NodeId;
use crate::time::Timestamp;

/// What one node's life has shown so far.
#[derive(Debug, Default)]
struct Life {
    delivered: BTreeMap<QueryId, BTreeSet<ReleaseId>>,
    requests: BTreeMap<RequestId, Request>,
    /// The network's last word: what a charge may rest on.
    last: Option<(RequestId, Word)>,
    /// What was given up last: an engine gives up what is overdue before it charges for it.
    given_up: Option<(RequestId, Request)>,
    started: u64,
    ended: [u64; 5],
    /// Queries that took time, and how much: all but those that were refused as busy.
    timed: (u64, u128),
    sequences: BTreeMap<PackageId, u64>,
}

/// A request that is open.
#[derive(Debug)]
struct Request {
    wanted: Wanted,
    deadline: Timestamp,
    /// Who gave the last item.
    came: Option<NodeId>,
}

/// What the network last said of a request.
#[derive(Debug)]
enum Word {
    /// An item came from this peer.
    Came(NodeId),
    /// The request for this ended badly.
    Failed(Wanted, Failure),
    /// The request ended well; its last item came from this peer.
    Done(Option<NodeId>),
}

/// Watches what registries deliver, charge and count.
#[derive(Debug, Default)]
pub(super) struct Registries {
    lives: BTreeMap<NodeId, Life>,
    /// Whom each node has ever charged, in all its lives: what it learned of peers it may have kept.
    charged: BTreeMap<NodeId, BTreeSet<NodeId>>,
}

/// The score of a peer of which nothing is known.
const NEUTRAL: f64 = 0.5;

impl Registries {
    pub(super) fn observe(&mut self, seen: &Seen, truth: &impl Truth, found: &mut Vec<Violation>) {
        let Seen { at, node, fact } = seen;
        let life = self.lives.entry(*node).or_default();
        let mut violate = |oracle, detail| found.push(Violation { oracle, at: *at, detail });
        match fact {
            Fact::Submitted { request, wanted, deadline, .. } => {
                let open = Request { wanted: wanted.clone(), deadline: *deadline, came: None };
                life.requests.insert(*request, open);
            }
            Fact::Cancelled { request } => {
                life.given_up = life.requests.remove(request).map(|open| (*request, open));
            }
            Fact::Came { request, from, .. } => {
                if let Some(open) = life.requests.get_mut(request) {
                    open.came = Some(*from);
                }
                life.last = Some((*request, Word::Came(*from)));
            }
            Fact::Ended { request, result, .. } => {
                let open = life.requests.remove(request);
                let word = match result {
                    Ok(_) => Word::Done(open.and_then(|open| open.came)),
                    Err(failure) => Word::Failed(open.map_or(Wanted::Other, |open| open.wanted), *failure),
                };
                life.last = Some((*request, word));
            }
            Fact::Died => *life = Life::default(),
            Fact::Began { .. } => life.started += 1,
            Fact::Delivered { query, release, .. } => {
                let Record::Release(inner) = &**release else {
                    return violate(Oracle::Authentic, format!("{node}: {query} delivered no release"));
                };
                let id = &inner.package.release;
                if !life.delivered.entry(*query).or_default().insert(id.clone()) {
                    violate(Oracle::NoDuplicates, format!("{node}: {query} delivered {id} twice"));
                }
                authentic(*at, *node, *query, release, truth, &mut violate);
            }
            Fact::Finished { query, outcome } => {
                life.delivered.remove(query);
                if let Some(count) = life.ended.get_mut(kind(outcome.outcome)) {
                    *count += 1;
                }
                if outcome.outcome != Outcome::Failed(Reason::Busy) {
                    life.timed.0 += 1;
                    life.timed.1 += outcome.elapsed.as_nanos();
                }
                outcome_holds(*at, *node, outcome, truth, &mut violate);
                if let Found::List { list: Some(list), .. } = &outcome.found
                    && let Record::List(list) = &**list
                {
                    sequence(life, *node, &list.package, list.sequence, &mut violate);
                }
            }
            Fact::ListSeen { package, sequence: seen } => {
                let highest = life.sequences.entry(package.clone()).or_default();
                *highest = (*highest).max(*seen);
            }
            Fact::Charged { peer, cause, request } => {
                self.charged.entry(*node).or_default().insert(*peer);
                if let Err(why) = charge_is_true(life, *at, *node, *peer, *cause, *request, truth) {
                    violate(Oracle::FairReputation, format!("{node} charged {peer} with {cause:?}: {why}"));
                }
            }
        }
    }

    pub(super) fn finish(&self, at: Timestamp, holdings: &[Holding], found: &mut Vec<Violation>) {
        let mut violate = |oracle, detail| found.push(Violation { oracle, at, detail });
        for holding in holdings {
            let node = NodeId(holding.node);
            for (peer, score) in &holding.scores {
                if !(0.0..=1.0).contains(score) {
                    violate(Oracle::FairReputation, format!("{node} gives {peer} the score {score}"));
                }
                if *peer == node {
                    violate(Oracle::FairReputation, format!("{node} keeps a reputation of itself"));
                }
                let known = self.charged.get(&node).is_some_and(|charged| charged.contains(peer));
                if !known && (*score - NEUTRAL).abs() > 1e-9 {
                    let detail = format!("{node} gives {peer}, of which it knows nothing, the score {score}");
                    violate(Oracle::FairReputation, detail);
                }
            }
            let ended: u64 = holding.ended.iter().sum();
            if holding.started != ended + holding.queries as u64 {
                violate(
                    Oracle::MetricsAddUp,
                    format!(
                        "{node} counts {} started, {ended} ended and {} in flight",
                        holding.started, holding.queries
                    ),
                );
            }
            let Some(life) = self.lives.get(&node) else { continue };
            if let Some((timed, time)) = holding.timed.filter(|timed| *timed != life.timed) {
                violate(
                    Oracle::MetricsAddUp,
                    format!(
                        "{node} counts {time} ns for {timed} queries; seen were {} ns for {}",
                        life.timed.1, life.timed.0
                    ),
                );
            }
            if (life.started, life.ended) != (holding.started, holding.ended) {
                violate(
                    Oracle::MetricsAddUp,
                    format!(
                        "{node} counts {} started and {:?} ended by kind; seen were {} and {:?}",
                        holding.started, holding.ended, life.started, life.ended
                    ),
                );
            }
        }
    }
}

/// Where an outcome is counted: complete, enough, partial, failed, cancelled.
fn kind(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Complete => 0,
        Outcome::Enough => 1,
        Outcome::Partial(_) => 2,
        Outcome::Failed(_) => 3,
        Outcome::Cancelled => 4,
    }
}

/// The highest sequence seen so far is not gone back from.
fn sequence(
    life: &mut Life,
    node: NodeId,
    package: &PackageId,
    told: u64,
    violate: &mut impl FnMut(Oracle, String),
) {
    let highest = life.sequences.entry(package.clone()).or_default();
    if told < *highest {
        violate(
            Oracle::NoRollback,
            format!("{node} told sequence {told} of {package}, having seen sequence {highest}"),
        );
    }
    *highest = (*highest).max(told);
}

/// The publisher signed and published exactly this.
fn authentic(
    at: Timestamp,
    node: NodeId,
    query: QueryId,
    record: &Checked,
    truth: &impl Truth,
    violate: &mut impl FnMut(Oracle, String),
) {
    let (true_, name): (bool, &dyn Display) = match &**record {
        Record::Release(release) => {
            let id = &release.package.release;
            (truth.published(id, &release.digest, at), id)
        }
        Record::List(list) => (truth.listed(&list.package, &list.digest, at), &list.package),
        Record::Notice(notice) => (false, &notice.release),
    };
    if !true_ {
        violate(
            Oracle::Authentic,
            format!("{node}: {query} told {name}, which its publisher never published like that"),
        );
    }
}

/// What an outcome holds is authentic, and no release is in it twice.
fn outcome_holds(
    at: Timestamp,
    node: NodeId,
    outcome: &QueryOutcome,
    truth: &impl Truth,
    violate: &mut impl FnMut(Oracle, String),
) {
    let records: &[Checked] = match &outcome.found {
        Found::Releases(found) => found,
        Found::Release(found) => found.as_slice(),
        Found::List { list, .. } => list.as_slice(),
    };
    for record in records {
        authentic(at, node, outcome.query, record, truth, violate);
    }
    let mut seen = BTreeSet::new();
    for package in outcome.found.packages() {
        if !seen.insert(&package.release) {
            let detail = format!("{node}: {} has {} twice in its outcome", outcome.query, package.release);
            violate(Oracle::NoDuplicates, detail);
        }
    }
    for conflict in &outcome.conflicts {
        if seen.contains(&conflict.release) {
            let detail =
                format!("{node}: {} tells {} although it is in conflict", outcome.query, conflict.release);
            violate(Oracle::Authentic, detail);
        }
    }
}

/// A charge rests on what the network said, or on what the world knows of the peer.
fn charge_is_true(
    life: &Life,
    at: Timestamp,
    node: NodeId,
    peer: NodeId,
    cause: Cause,
    request: Option<RequestId>,
    truth: &impl Truth,
) -> Result<(), String> {
    if peer == node {
        return Err("that is itself".into());
    }
    if matches!(cause, Cause::Malformed | Cause::Forged) {
        return if truth.hostile(peer, at) { Ok(()) } else { Err("that peer is honest".into()) };
    }
    let Some(request) = request else { return Err("no request is named".into()) };
    // The engine's own guard: the request is overdue and the network has not said so yet.
    let given_up = life.given_up.as_ref().filter(|(id, _)| *id == request).map(|(_, open)| open);
    if cause == Cause::TimedOut
        && life
            .requests
            .get(&request)
            .or(given_up)
            .is_some_and(|open| open.wanted == Wanted::Answer(peer) && at >= open.deadline)
    {
        return Ok(());
    }
    let Some((last, word)) = &life.last else { return Err("the network has said nothing".into()) };
    if *last != request {
        return Err(format!("{request} is not what the network spoke of last ({last})"));
    }
    let failure = match word {
        Word::Came(from) | Word::Done(Some(from)) if cause == Cause::Answered && *from == peer => {
            return Ok(());
        }
        Word::Came(from) => return Err(format!("{request} had brought an item from {from}")),
        Word::Done(_) => return Err(format!("{request} had ended well")),
        Word::Failed(Wanted::Answer(asked), failure) if *asked == peer => *failure,
        Word::Failed(wanted, failure) => return Err(format!("{request} ({wanted:?}) had ended: {failure}")),
    };
    let matches = match cause {
        Cause::Unreachable => matches!(failure, Failure::Unreachable | Failure::Unsupported),
        Cause::TimedOut => failure == Failure::TimedOut,
        Cause::Broken => failure == Failure::Broken,
        Cause::Busy => failure == Failure::Refused(Refusal::Busy),
        Cause::Answered => matches!(failure, Failure::Refused(Refusal::NotUnderstood)),
        Cause::Malformed | Cause::Forged => true,
    };
    if matches { Ok(()) } else { Err(format!("{request} had ended: {failure}")) }
}
