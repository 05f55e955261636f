//! Runs on the simulated network.

use core::time::Duration;
use std::sync::Arc;

use super::error::RunError;
use super::figures::{Figures, Measured};
use super::{RunOptions, run_on, verifier};
use crate::record::Verifier;
use crate::scenario::history::Recorded;
use crate::scenario::plan::{NetworkPlan, Plan};
use crate::scenario::report::RunReport;
use crate::scenario::words;
use crate::sim::{Dist, JsonLines, Profile, SimConfig, SimTestbed};

/// What a note in the trace is: the hash of every result of the run.
const RESULTS: u32 = 1;

/// Follow `plan` on a simulated network of its own.
pub fn run(plan: &Plan, mut options: RunOptions) -> Result<RunReport, RunError> {
    let verifier = verifier();
    let bed = simulated(plan, &verifier, &mut options)?;
    run_on(bed, plan, verifier, &options)
}

/// The simulated network that `plan` wants, traced and watched as `options` say; what they say of a trace is taken out of
/// them. For whoever puts something between it and [`run_on`].
pub fn simulated(plan: &Plan, verifier: &Verifier, options: &mut RunOptions) -> Result<SimTestbed, RunError> {
    let profile = profile(&plan.network);
    let config = SimConfig::new(plan.seed, profile, Arc::new(verifier.clone()));
    let mut bed = SimTestbed::new(config).map_err(|error| RunError::Plan(error.to_string()))?;
    let lines = options.trace.take().map(JsonLines::new);
    let shown = lines.is_some() || options.chronicle.is_some();
    let recorded = Recorded { inner: lines, chronicle: options.chronicle.clone() };
    match &options.watch {
        Some(watch) => bed.show_trace_to(Box::new(watch.sink(Some(recorded)))),
        None if shown => bed.show_trace_to(Box::new(recorded)),
        None => {}
    }
    Ok(bed)
}

/// The links and service times that a plan asks for.
pub fn profile(plan: &NetworkPlan) -> Profile {
    let mut profile = match plan.profile {
        words::Profile::Internet => Profile::internet(),
        words::Profile::Mobile => Profile::mobile(),
        words::Profile::Ipfs => Profile::ipfs(),
        words::Profile::Lan => Profile::lan(),
        words::Profile::Explicit => {
            let row = |row: &Vec<crate::scenario::units::Span>| row.iter().map(|span| span.0).collect();
            let delays: Vec<Vec<Duration>> = plan.delays.iter().flatten().map(row).collect();
            let mut profile = Profile::explicit(&delays);
            if let Some(jitter) = plan.jitter {
                let vary = |dist: &mut Dist| {
                    if let Dist::Constant(least) = *dist {
                        *dist = Dist::Uniform(least, least.saturating_add(jitter.0));
                    }
                };
                profile.one_way.iter_mut().flatten().for_each(vary);
            }
            profile
        }
    };
    if let Some(service) = plan.service {
        profile.service.question = Dist::Exponential(service.question.0);
        profile.service.lookup = Dist::Exponential(service.lookup.0);
        profile.service.store = Dist::Exponential(service.lookup.0);
        // So many waiting questions take about this long.
        profile.service.backlog = service.question.0.saturating_mul(service.queue);
    }
    profile
}

impl Measured for SimTestbed {
    fn name(&self) -> &str {
        "sim"
    }

    fn figures(&self) -> Figures {
        let account = self.account();
        Figures {
            events: account.events,
            messages: account.messages,
            garbled: account.garbled_in_all(),
            unwanted: account.unwanted,
            dials: account.dials,
            failed_dials: account.failed_dials,
        }
    }

    fn note(&mut self, bytes: &[u8]) {
        SimTestbed::note(self, RESULTS, bytes);
    }

    fn trace_hash(&self) -> String {
        format!("{:032x}", SimTestbed::trace_hash(self))
    }
}
