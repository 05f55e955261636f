//! Everything that is seen in a run goes through here, in order: to the oracles, to the counts that the
//! report is made of, and into a hash of what every query came to.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::standing::Watch;
use super::traffic::Costs;
use super::truth::RunTruth;
use super::watched;
use crate::engine::{Cause, Found, Lookup, Outcome, QueryId, QueryOutcome, Reason};
use crate::network::{Invalid, RequestId, RequestStats, Ware};
use crate::oracle::{Asked, Fact, Holding, Judge, Judgement, Seen, Violation, Wanted};
use crate::package::{PackageId, ReleaseId};
use crate::record::{Record, Verifier};
use crate::scenario::history::Chronicle;
use crate::scenario::report::{Endings, Refused};
use crate::testbed::NodeId;
use crate::time::Timestamp;

/// The most bad endings that are kept to be explained.
const MOST_BAD: usize = 200;

/// A query that ended badly.
#[derive(Clone, Debug)]
pub(super) struct BadEnding {
    pub(super) node: NodeId,
    pub(super) asked: Asked,
    pub(super) at: Timestamp,
    pub(super) outcome: QueryOutcome,
}

/// What is counted for the report.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) searches: Endings,
    pub(super) gets: Endings,
    /// From the asking to the end of each search that was not given up, and of each get.
    pub(super) latencies: Vec<Duration>,
    pub(super) get_latencies: Vec<Duration>,
    /// Packages that searches found, with those that were given up.
    pub(super) found: u64,
    /// What requests cost.
    pub(super) traffic: Costs,
    /// Requests on behalf of queries, and those of them on behalf of searches.
    pub(super) requests: u64,
    pub(super) search_requests: u64,
    /// Bytes of questions of searches, and of what came for these and for their lookups.
    pub(super) search_bytes: u64,
    /// Charges for what was malformed or forged.
    pub(super) ill_refused: u64,
    /// Releases of which somebody holds proof that two bodies were signed.
    pub(super) equivocations: BTreeSet<ReleaseId>,
    /// Lists older than one that the same registry had seen.
    pub(super) rollbacks_refused: u64,
    /// What registries refused, and how often.
    pub(super) refused: BTreeMap<Refused, u64>,
    pub(super) bad: Vec<BadEnding>,
}

/// The journal of one run.
pub(super) struct Journal {
    pub(super) truth: RunTruth,
    pub(super) counts: Counts,
    judge: Judge,
    verifier: Verifier,
    running: BTreeMap<(NodeId, QueryId), Asked>,
    /// Queries that run and are not measured: the run's own, to see whether the network works.
    trials: BTreeSet<(NodeId, QueryId)>,
    measuring: bool,
    /// Requests of searches that are out.
    searching: BTreeSet<(NodeId, RequestId)>,
    /// The highest sequence of each list that each registry has seen.
    sequences: BTreeMap<(NodeId, PackageId), u64>,
    results: Sha256,
    now: Timestamp,
    watch: Option<Watch>,
    chronicle: Option<Chronicle>,
}

impl Journal {
    pub(super) fn new(truth: RunTruth, verifier: Verifier, tick: Duration) -> Self {
        Self {
            truth,
            counts: Counts::default(),
            judge: Judge::new(tick),
            verifier,
            running: BTreeMap::new(),
            trials: BTreeSet::new(),
            measuring: true,
            searching: BTreeSet::new(),
            sequences: BTreeMap::new(),
            results: Sha256::new(),
            now: Timestamp::ZERO,
            watch: None,
            chronicle: None,
        }
    }

    /// The same, which somebody watches and somebody keeps.
    pub(super) fn watched_by(mut self, watch: Option<Watch>, chronicle: Option<Chronicle>) -> Self {
        self.watch = watch;
        self.chronicle = chronicle;
        self
    }

    /// What begins from now on is judged and not measured: the run's own questions, after the end of its plan.
    pub(super) fn stop_measuring(&mut self) {
        self.measuring = false;
        self.judge.stop_measuring();
    }

    /// What a request cost.
    pub(super) fn cost(&mut self, what: watched::Asked, well: bool, cost: &RequestStats) {
        if self.measuring {
            self.counts.traffic.cost(what, well, cost);
        }
    }

    /// When the last fact happened.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// One more fact.
    pub(super) fn saw(&mut self, at: Timestamp, node: NodeId, fact: Fact) {
        self.now = self.now.max(at);
        if let Some(watch) = &self.watch {
            watch.saw(at, node, &fact);
        }
        if let Some(chronicle) = &self.chronicle {
            chronicle.saw(at, node, &fact);
        }
        self.count(at, node, &fact);
        self.judge.observe(&Seen { at, node, fact }, &self.truth);
    }

    /// A registry stores a record that its own key has signed: it is published now, if it was not before.
    pub(super) fn stored(&mut self, at: Timestamp, record: &[u8]) {
        if let Ok(record) = self.verifier.check(record)
            && let Record::Release(release) = &*record
        {
            self.truth.publish(release, at, false);
        }
    }

    /// A network refused something that a peer sent.
    pub(super) fn refused(&mut self, what: Ware, why: Invalid) {
        *self.counts.refused.entry(Refused::AtTheNetwork(what, why.reason)).or_default() += 1;
    }

    /// A registry holds proof that two bodies were signed for this release.
    pub(super) fn equivocation(&mut self, release: ReleaseId) {
        self.counts.equivocations.insert(release);
    }

    /// Queries that run now.
    pub(super) fn running(&self) -> usize {
        self.running.len() + self.trials.len()
    }

    /// All is done. Violations, how many more there were, what recall came to, and the hash of all results.
    pub(super) fn finish(
        mut self,
        at: Timestamp,
        holdings: &[Holding],
    ) -> (Vec<Violation>, u64, Judgement, RunTruth, Counts) {
        for asked in self.running.values() {
            match asked {
                Asked::Search(..) => self.counts.searches.in_flight += 1,
                Asked::Get(_) => self.counts.gets.in_flight += 1,
            }
        }
        let (violations, more, judgement) = self.judge.finish(at, holdings);
        (violations, more, judgement, self.truth, self.counts)
    }

    /// A hash over how every query ended so far and what it found.
    pub(super) fn results_hash(&self) -> [u8; 32] {
        self.results.clone().finalize().into()
    }

    fn count(&mut self, at: Timestamp, node: NodeId, fact: &Fact) {
        let counts = &mut self.counts;
        match fact {
            Fact::Began { query, .. } if !self.measuring => {
                self.trials.insert((node, *query));
            }
            Fact::Began { query, asked, .. } => {
                endings(counts, asked).started += 1;
                self.running.insert((node, *query), asked.clone());
            }
            Fact::Submitted { request, query: Some(query), question, .. }
                if !self.trials.contains(&(node, *query)) =>
            {
                counts.requests += 1;
                if let Some(Asked::Search(..)) = self.running.get(&(node, *query)) {
                    counts.search_requests += 1;
                    counts.search_bytes += question.len() as u64;
                    self.searching.insert((node, *request));
                }
            }
            Fact::Finished { query, outcome } => {
                if self.trials.remove(&(node, *query)) {
                    self.results.update(result(node, outcome));
                    return;
                }
                let Some(asked) = self.running.remove(&(node, *query)) else { return };
                self.results.update(result(node, outcome));
                let ending = endings(counts, &asked);
                match outcome.outcome {
                    Outcome::Complete => ending.complete += 1,
                    Outcome::Enough => ending.enough += 1,
                    Outcome::Partial(_) => ending.partial += 1,
                    Outcome::Failed(_) => ending.failed += 1,
                    Outcome::Cancelled => ending.cancelled += 1,
                }
                if let Found::Releases(found) = &outcome.found {
                    counts.found += found.len() as u64;
                }
                match asked {
                    _ if outcome.outcome == Outcome::Cancelled => {}
                    Asked::Search(..) => counts.latencies.push(outcome.elapsed),
                    Asked::Get(_) => counts.get_latencies.push(outcome.elapsed),
                }
                let honest_miss = matches!(outcome.outcome, Outcome::Failed(Reason::NotFound));
                let bad = matches!(outcome.outcome, Outcome::Partial(_) | Outcome::Failed(_)) && !honest_miss;
                if bad && counts.bad.len() < MOST_BAD {
                    counts.bad.push(BadEnding { node, asked, at, outcome: (**outcome).clone() });
                }
            }
            Fact::Charged { cause: cause @ (Cause::Malformed | Cause::Forged), .. } => {
                counts.ill_refused += 1;
                let how = if *cause == Cause::Forged { Refused::Forged } else { Refused::Malformed };
                *counts.refused.entry(how).or_default() += 1;
            }
            Fact::Died => {
                // What was running ended with the node; its callers were told.
                let gone: Vec<_> = self.running.keys().filter(|(owner, _)| *owner == node).copied().collect();
                for key in gone {
                    if let Some(asked) = self.running.remove(&key) {
                        endings(&mut self.counts, &asked).cancelled += 1;
                    }
                }
                self.trials.retain(|(owner, _)| *owner != node);
                self.sequences.retain(|(owner, _), _| *owner != node);
                self.searching.retain(|(owner, _)| *owner != node);
            }
            Fact::ListSeen { package, sequence } => {
                let highest = self.sequences.entry((node, package.clone())).or_default();
                *highest = (*highest).max(*sequence);
            }
            Fact::Came { request, item, .. } => {
                if self.searching.contains(&(node, *request)) {
                    counts.search_bytes += item.len() as u64;
                }
                // Verdicts are remembered, so this costs a digest. Answers are no records.
                if item.starts_with(b"\xa4")
                    && let Ok(record) = self.verifier.check(item)
                    && let Record::List(list) = &*record
                    && self
                        .sequences
                        .get(&(node, list.package.clone()))
                        .is_some_and(|highest| list.sequence < *highest)
                {
                    counts.rollbacks_refused += 1;
                }
            }
            Fact::Cancelled { request } | Fact::Ended { request, .. } => {
                self.searching.remove(&(node, *request));
            }
            Fact::Submitted { .. } | Fact::Delivered { .. } | Fact::Charged { .. } => {}
        }
    }
}

fn endings<'a>(counts: &'a mut Counts, asked: &Asked) -> &'a mut Endings {
    match asked {
        Asked::Search(..) => &mut counts.searches,
        Asked::Get(_) => &mut counts.gets,
    }
}

/// What a query came to, as bytes that are the same on every machine.
fn result(node: NodeId, outcome: &QueryOutcome) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    let mut put = |number: u64| bytes.extend_from_slice(&number.to_le_bytes());
    put(u64::from(node.0));
    put(outcome.query.0);
    put(match outcome.outcome {
        Outcome::Complete => 0,
        Outcome::Enough => 1,
        Outcome::Partial(missing) => {
            2 | u64::from(missing.answers) << 8
                | u64::from(missing.names) << 32
                | u64::from(missing.deadline) << 63
        }
        Outcome::Failed(_) => 3,
        Outcome::Cancelled => 4,
    });
    put(u64::try_from(outcome.elapsed.as_nanos()).unwrap_or(u64::MAX));
    put(outcome.conflicts.len() as u64);
    let found: Vec<&[u8]> = match &outcome.found {
        Found::Releases(found) => found.iter().map(|record| digest(record)).collect(),
        Found::Release(found) => found.iter().map(|record| digest(record)).collect(),
        Found::List { list, .. } => list.iter().map(|record| digest(record)).collect(),
    };
    put(found.len() as u64);
    for digest in found {
        bytes.extend_from_slice(digest);
    }
    bytes
}

fn digest(record: &Record) -> &[u8] {
    match record {
        Record::Release(release) => &release.digest.0,
        Record::List(list) => &list.digest.0,
        Record::Notice(notice) => &notice.digest.0,
    }
}

/// What a get looks for, as a fact tells it.
pub(super) fn get_of(what: &Lookup) -> Asked {
    Asked::Get(what.clone())
}

/// What a network request asks for, as a fact tells it.
pub(crate) fn wanted<P>(request: &crate::network::Request<P>, name: impl Fn(&P) -> NodeId) -> Wanted {
    match request {
        crate::network::Request::Ask { peer, .. } => Wanted::Answer(name(peer)),
        crate::network::Request::GetRecord { key } => Wanted::Value(key.clone()),
        _ => Wanted::Other,
    }
}
