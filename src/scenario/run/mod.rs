//! Running a plan: whole registries on a network, hostile and broken peers among them, every oracle on.
//!
//! [`run`] follows one plan on the simulated network, `run_on_swarms` on real swarms; [`run_on`] does so on
//! any testbed whose runs can be reported. A run is single-threaded and has no clock of its own: the same plan gives the same report,
//! but for the time it took, which whoever has a clock sets.
//!
//! # How it goes
//!
//! 1. Everything that is published before the start is signed (`library`); nodes are spawned and told
//!    what they know (`stage`).
//! 2. The plan is followed (`follow`): faults are applied, operations begun. What registries do and what
//!    their networks report goes through one `journal` to the oracles and into the counts; what is true
//!    is kept beside it (`truth`).
//! 3. If the plan asks for it, what was done to some of the nodes is taken back, and they have to find what is there
//!    (`revive`).
//! 4. After its end the run goes on, with nothing new begun, until every registry holds nothing any more
//!    (`settle`), or long enough to say that it never will.
//! 5. The report is made.

mod error;
mod expectations;
mod figures;
mod follow;
mod hostility;
mod journal;
mod library;
mod revive;
mod settle;
mod sim;
mod stage;
mod standing;
mod storm;
#[cfg(feature = "net")]
mod swarm;
mod tally;
mod traffic;
mod truth;
mod watched;
mod why;
mod witness;

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use error::RunError;
pub use figures::{DynNetwork, Figures, Measured, Meter, Outfit, PeerOf};
pub(crate) use journal::wanted;
pub use sim::{profile, run, simulated};
pub use standing::{Until, Watch};
#[cfg(feature = "net")]
pub use swarm::{Unfit, run_on_swarms, swarm_setup, unfit};
pub(crate) use watched::{Asked, Watched, Witness};

use self::expectations::Beside;
use self::hostility::Hostility;
use self::journal::Journal;
use self::library::Library;
use self::stage::Stage;
use self::tally::{SharedTally, count};
use self::truth::RunTruth;
use self::witness::open;
use crate::oracle::Oracle;
use crate::probe;
use crate::record::Verifier;
use crate::scenario::history::Chronicle;
use crate::scenario::plan::Plan;
use crate::scenario::report::{Latency, Malformed, Results, RunReport, Verdict, Violation};

/// How many verdicts a run remembers: every record of the largest catalogue, twice.
const VERDICTS: usize = 1 << 18;

/// How a run is carried out.
#[derive(Default)]
pub struct RunOptions {
    /// Where each event of the trace is written, one JSON object a line.
    pub trace: Option<Box<dyn std::io::Write + Send>>,
    /// Whether to say why for every miss and bad ending; otherwise only when the run fails.
    pub why: bool,
    /// Set from elsewhere to end the run early, with [`RunError::Stopped`].
    pub stop: Arc<AtomicBool>,
    /// Who watches the run up to an instant, and ends it there with [`RunError::Stopped`].
    pub watch: Option<Watch>,
    /// Who keeps what happens, to be looked at afterwards.
    pub chronicle: Option<Chronicle>,
}

impl core::fmt::Debug for RunOptions {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RunOptions").field("trace", &self.trace.is_some()).field("why", &self.why).finish()
    }
}

/// A verifier for one run: the testbed's validator must be a clone of it, so that verdicts are shared.
pub fn verifier() -> Verifier {
    Verifier::new(VERDICTS)
}

/// Follow `plan` on `bed`, on which nothing has been spawned. `verifier` is what the testbed validates with.
pub fn run_on<B: Measured>(
    bed: B,
    plan: &Plan,
    verifier: Verifier,
    options: &RunOptions,
) -> Result<RunReport, RunError> {
    probe::begin();
    let library = Library::sign(plan, &verifier)?;
    let quiet = is_quiet(plan);
    let journal = Journal::new(RunTruth::new(quiet), verifier.clone(), bed.tick());
    let journal = journal.watched_by(options.watch.clone(), options.chronicle.clone());
    let journal = Arc::new(std::sync::Mutex::new(journal));
    let tally = SharedTally::default();
    let mut hostility = Hostility::new(verifier.clone());
    let mut stage = Stage::set(bed, plan, journal, library, verifier)?;
    follow::follow(&mut stage, &mut hostility, &tally, &options.stop)?;
    let (mut late, found_again) = revive::revive(&mut stage, &mut hostility, &options.stop)?;
    let holdings = settle::settle(&mut stage, &tally, &options.stop)?;

    let Stage { mut bed, journal, registries, .. } = stage;
    drop(registries);
    let at = bed.now();
    if let Some(chronicle) = &options.chronicle {
        chronicle.settled(at, &holdings);
    }
    bed.note(&open(&journal).results_hash());
    // Observers that live in the testbed's tasks hold the journal too, so it is emptied, not unwrapped.
    let seen = {
        let mut journal = open(&journal);
        let spent = Journal::new(RunTruth::new(quiet), verifier_of_nothing(), Duration::ZERO);
        core::mem::replace(&mut *journal, spent)
    };
    let (mut violations, more, judgement, truth, counts) = seen.finish(at, &holdings);
    let mut tally = count(&tally);
    violations.append(&mut tally.violations);
    violations.append(&mut late);
    if tally.waiting > 0 {
        violations.push(crate::oracle::Violation {
            oracle: Oracle::NothingLeft,
            at,
            detail: format!("{} callers still wait", tally.waiting),
        });
    }
    if more > 0 {
        let detail = format!("{more} further violations are not told");
        violations.push(crate::oracle::Violation { oracle: Oracle::NothingLeft, at, detail });
    }
    let delivered = violations.iter().filter(|violation| violation.oracle == Oracle::Authentic).count();
    let figures = bed.figures();
    let mut report = RunReport {
        scenario: plan.scenario.clone(),
        seed: plan.seed,
        network: bed.name().to_owned(),
        verdict: Verdict::Pass,
        trace_hash: bed.trace_hash(),
        peers: plan.roles().len() as u64,
        events: figures.events,
        messages: figures.messages,
        virtual_ms: at.as_millis(),
        wall_ms: 0.0,
        recall: judgement.recall(),
        recall_over: judgement.searches,
        searches: counts.searches,
        gets: counts.gets,
        publishes: tally.publishes,
        found: counts.found,
        latency_ms: Latency::of(counts.latencies.clone()),
        get_latency_ms: Latency::of(counts.get_latencies.clone()),
        requests: counts.requests,
        search_requests: counts.search_requests,
        traffic: counts.traffic.traffic(figures),
        malformed: Malformed {
            sent: figures.garbled + hostility.sent(),
            rejected: counts.ill_refused,
            delivered: delivered as u64,
        },
        violations: violations
            .into_iter()
            .map(|violation| Violation {
                oracle: violation.oracle.name().to_owned(),
                at_ms: violation.at.as_millis(),
                detail: violation.detail,
            })
            .collect(),
        expectations: Vec::new(),
        why: Vec::new(),
        replay: String::new(),
        probes: probe::end(),
        results: Results {
            told: core::mem::take(&mut tally.told),
            refused: counts.refused,
            latencies: counts.latencies,
            search_bytes: counts.search_bytes + figures.unwanted,
        },
    };
    let beside = Beside {
        gets: tally.gets,
        gets_right: tally.gets_right,
        equivocations: counts.equivocations.len() as u64,
        rollbacks_refused: counts.rollbacks_refused,
        found_again,
    };
    report.expectations = expectations::hold(plan, &report, beside);
    report.verdict = report.judge();
    if options.why || report.verdict == Verdict::Fail {
        report.why.extend(judgement.missed.iter().map(|missed| why::missed(missed, &truth, plan)));
        report.why.extend(counts.bad.iter().map(|ending| why::ended_badly(ending, plan)));
        let kept = judgement.missed.len() as u64;
        if judgement.missed_in_all > kept {
            report.why.push(format!("and {} further misses", judgement.missed_in_all - kept));
        }
    }
    Ok(report)
}

/// Whether nothing goes wrong and whoever may answer holds what it is asked for, so that every search finds everything.
/// Where registries begin with nothing, one may ask others that know as little, and take that for all there is; whoever
/// joins late begins with nothing.
fn is_quiet(plan: &Plan) -> bool {
    let peers = plan.nodes.start.saturating_sub(plan.nodes.registries);
    let full = plan.catalogue.registries_full && plan.registry.holds.is_none() && plan.late().is_empty();
    let full = full || (peers > 6 * plan.nodes.registries && plan.registry.answers_wanted >= 3);
    !plan.has_faults() && plan.catalogue.coverage >= 1.0 && full
}

/// A verifier that is never asked.
fn verifier_of_nothing() -> Verifier {
    Verifier::new(1)
}
