//! Runs of plans in virtual time.

use std::time::Duration;

use swarmproof::net::{MemoryLimit, NetConfig, SwarmTestbed};
use swarmproof::scenario::report::RunReport;
use swarmproof::scenario::{Plan, RunError, RunOptions, profile, run_on, swarm_setup, verifier};
use swarmproof::sim::{JsonLines, Profile};
use swarmproof::testbed::TestbedError;

use super::carrier::VirtualCarrier;
use crate::{Fabric, Options, simulate};

/// The most nodes, late ones included: each is a whole libp2p node, and all share one core.
pub const MOST_NODES: usize = 200;
/// How late a deadline may be noticed: tokio's timers count whole milliseconds.
const TICK: Duration = Duration::from_millis(2);

/// Why `plan` cannot be run in virtual time, if it cannot.
pub fn unfit(plan: &Plan) -> Option<String> {
    let found = plan.roles().len();
    (found > MOST_NODES).then(|| {
        format!(
            "it has {found} nodes, and real nodes in virtual time are at most {MOST_NODES}: lower `peers`, or run it \
             with `swarmproof run`"
        )
    })
}

/// Follow `plan` on real nodes in virtual time. Once a process.
pub fn run_virtual(plan: &Plan, mut options: RunOptions) -> Result<RunReport, RunError> {
    if let Some(why) = unfit(plan) {
        return Err(RunError::Plan(why));
    }
    let profile = profile(&plan.network);
    let (plan, trace) = (plan.clone(), options.trace.take());
    let simulated = simulate(Options::new(plan.seed, profile.clone()), move |simulation| {
        let fabric = simulation.fabric().clone();
        if let Some(out) = trace {
            fabric.show_trace_to(Box::new(JsonLines::new(out)));
        }
        on_fabric(&plan, &fabric, &profile, &options)
    });
    let outcome = simulated.map_err(|error| TestbedError::Start(error.to_string()))?;
    if !outcome.threads.is_empty() {
        let names = outcome.threads.join(", ");
        let why = format!("threads were started, which are not in virtual time: {names}");
        return Err(TestbedError::Start(why).into());
    }
    outcome.value
}

/// Follow `plan` on a fabric that was made with `profile` and has no nodes yet.
pub fn on_fabric(
    plan: &Plan,
    fabric: &Fabric,
    profile: &Profile,
    options: &RunOptions,
) -> Result<RunReport, RunError> {
    let verifier = verifier();
    let mut setup = swarm_setup(VirtualCarrier::new(fabric.clone(), profile), &verifier);
    setup.tick = TICK;
    // As it ships, but for what depends on this machine's memory.
    setup.config = NetConfig { memory: MemoryLimit::Unlimited, ..NetConfig::default() };
    run_on(SwarmTestbed::new(setup)?, plan, verifier, options)
}
