//! Many seeds, one after the other. Tests that run beside one another take each a part of them.

use super::application::Application;
use super::plan::{Climate, Plan};
use super::run::{HarnessError, Report, prove};
use crate::scenario::report::Violation;

/// The most failures that are kept.
const MOST: usize = 100;

/// What a sweep came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Swept<A> {
    /// Plans that were run, each twice.
    pub seeds: u64,
    /// Operations that were asked in them.
    pub asked: u64,
    /// The first failures, in the order of the seeds.
    pub failures: Vec<Failure<A>>,
    /// How many there were in all.
    pub failed: u64,
}

/// A plan that fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure<A> {
    /// The plan, which says itself how it failed.
    pub plan: Plan<A>,
    /// What showed first.
    pub violation: Violation,
    /// What the run came to.
    pub report: Report,
}

/// Make a plan of `climate` with each of `seeds`, and run it twice.
pub fn sweep<P: Application>(
    app: &P,
    climate: &Climate,
    seeds: impl IntoIterator<Item = u64>,
) -> Result<Swept<P::Act>, HarnessError> {
    let mut swept = Swept { seeds: 0, asked: 0, failures: Vec::new(), failed: 0 };
    for seed in seeds {
        let mut plan = Plan::make(app, climate, seed);
        let report = prove(app, &plan)?;
        swept.seeds += 1;
        swept.asked += report.asked;
        let Some(violation) = report.violations.first().cloned() else { continue };
        swept.failed += 1;
        if swept.failures.len() < MOST {
            plan.failure = Some(format!("{}: {}", violation.oracle, violation.detail));
            swept.failures.push(Failure { plan, violation, report });
        }
    }
    Ok(swept)
}
