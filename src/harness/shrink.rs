//! Making a failing plan small: the search is [`scenario::shrink`](crate::scenario::shrink)'s.

use core::time::Duration;
use std::collections::BTreeSet;

use super::application::Application;
use super::plan::{Operation, Plan};
use super::run::{HarnessError, Report, prove, run};
use super::sweep::Failure;
use crate::oracle::Oracle;
use crate::scenario::plan::NetworkPlan;
use crate::scenario::report::Violation;
use crate::scenario::shrink::{self, Shrink, Shrunk, rounded};
use crate::scenario::{NodeSet, Profile, Span};
use crate::testbed::NodeId;

/// What is left of a run after the last that happens in it, at least.
const TAIL: Duration = Duration::from_secs(1);

/// The smallest plan that can be found in `runs` runs which fails by the same oracle.
pub fn shrink<P: Application>(app: &P, failure: &Failure<P::Act>, runs: u64) -> Shrunk<Plan<P::Act>> {
    let oracle = failure.violation.oracle.as_str();
    let fails = |it: &Candidate<'_, P>| {
        report_of(app, oracle, &it.plan).is_ok_and(|report| first_of(&report, oracle).is_some())
    };
    let mut left = runs;
    let go_on = || {
        let some = left > 0;
        left = left.saturating_sub(1);
        some
    };
    let shrunk = shrink::shrink(Candidate { app, plan: failure.plan.clone() }, fails, go_on);
    let mut smallest = shrunk.smallest.plan;
    // What it fails by is the same; with whom and when is not.
    let found = report_of(app, oracle, &smallest).ok().and_then(|report| first_of(&report, oracle).cloned());
    smallest.failure = found.map(|it| format!("{}: {}", it.oracle, it.detail)).or(smallest.failure);
    Shrunk { smallest, runs: shrunk.runs, minimal: shrunk.minimal }
}

/// A run as far as this oracle needs it.
fn report_of<P: Application>(app: &P, oracle: &str, plan: &Plan<P::Act>) -> Result<Report, HarnessError> {
    if oracle == Oracle::Repeatable.name() { prove(app, plan) } else { run(app, plan) }
}

fn first_of<'r>(report: &'r Report, oracle: &str) -> Option<&'r Violation> {
    report.violations.iter().find(|it| it.oracle == oracle)
}

/// A plan, with who knows what of it is simpler.
struct Candidate<'a, P: Application> {
    app: &'a P,
    plan: Plan<P::Act>,
}

impl<P: Application> Clone for Candidate<'_, P> {
    fn clone(&self) -> Self {
        Self { app: self.app, plan: self.plan.clone() }
    }
}

impl<P: Application> Candidate<'_, P> {
    fn with(&self, change: impl FnOnce(&mut Plan<P::Act>)) -> Self {
        let mut it = self.clone();
        change(&mut it.plan);
        it
    }
}

/// Those of `all` whose places are kept.
fn chosen<T: Clone>(all: &[T], kept: &[usize]) -> Vec<T> {
    kept.iter().filter_map(|at| all.get(*at)).cloned().collect()
}

impl<P: Application> Shrink for Candidate<'_, P> {
    fn axes(&self) -> usize {
        3
    }

    fn parts(&self, axis: usize) -> usize {
        match axis {
            0 => self.plan.timeline.operations.len(),
            1 => self.plan.timeline.events.len(),
            _ => self.plan.peers as usize,
        }
    }

    fn keeping(&self, axis: usize, parts: &[usize]) -> Option<Self> {
        let less = self.with(|plan| match axis {
            0 => plan.timeline.operations = chosen(&plan.timeline.operations, parts),
            1 => plan.timeline.events = chosen(&plan.timeline.events, parts),
            _ => {
                let kept: BTreeSet<usize> = parts.iter().copied().collect();
                let gone = (0..plan.peers).filter(|it| !kept.contains(&(*it as usize))).map(NodeId);
                *plan = plan.without_peers(&gone.collect());
            }
        });
        less.plan.check().is_ok().then_some(less)
    }

    fn simpler(&self) -> Vec<Self> {
        let plan = &self.plan;
        let mut all = Vec::new();
        let operations = plan.timeline.operations.iter().map(|it| it.at.0);
        let last = operations.chain(plan.timeline.events.iter().map(|it| it.at.0)).max().unwrap_or_default();
        let short = Span(last.saturating_add(TAIL));
        if short < plan.duration {
            all.push(self.with(|plan| plan.duration = short));
        }
        let lan = NetworkPlan { profile: Profile::Lan, delays: None, jitter: None, service: None };
        if plan.network != lan {
            all.push(self.with(|plan| plan.network = lan.clone()));
        }
        if !plan.clients.is_empty() || !plan.undialable.is_empty() {
            all.push(
                self.with(|plan| (plan.clients, plan.undialable) = (NodeSet::default(), NodeSet::default())),
            );
        }
        for step in [Duration::from_secs(1), Duration::from_millis(100)] {
            all.push(self.with(|plan| {
                plan.timeline.operations.iter_mut().for_each(|it| it.at = rounded(it.at, step));
                plan.timeline.events.iter_mut().for_each(|it| it.at = rounded(it.at, step));
            }));
        }
        for (at, operation) in plan.timeline.operations.iter().enumerate() {
            let alone = |change: &dyn Fn(&mut Operation<P::Act>)| {
                self.with(|plan| plan.timeline.operations.get_mut(at).into_iter().for_each(change))
            };
            all.push(alone(&|it| it.at = rounded(it.at, Duration::from_secs(1))));
            let acts = self.app.simpler(&operation.what).into_iter();
            all.extend(
                acts.filter(|act| *act != operation.what).map(|act| alone(&|it| it.what = act.clone())),
            );
        }
        all.retain(|it| it.plan != *plan && it.plan.check().is_ok());
        all
    }
}
