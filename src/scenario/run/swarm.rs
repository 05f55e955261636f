//! Runs on real swarms, in one process and in real time.
//!
//! The same plan is followed as on the simulated network, with the same calendar. The links are this
//! machine's own, so the plan's profile of delays is not applied; nothing can be traced, and no two runs
//! are the same to the microsecond. [`unfit`] says which plans cannot be run so at all.

use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;

use super::error::RunError;
use super::figures::{Figures, Measured, Meter};
use super::{RunOptions, run_on, verifier};
use crate::net::{Carrier, Depths, SwarmCounts, SwarmSetup, SwarmTestbed, Wire};
use crate::record::{ANNOUNCE_TOPIC, Verifier};
use crate::scenario::plan::{CREATED, Plan, Turn};
use crate::scenario::report::RunReport;
use crate::testbed::NodeId;

/// The most nodes, late ones included: each has a swarm of its own, and all share one thread.
const MOST_NODES: u64 = 64;
/// The longest plan, as its time is waited for.
const LONGEST: Duration = Duration::from_secs(120);
/// How many peers a registry of the starting network is connected to, as far as there are so many: as many as on
/// the simulated network.
const NEIGHBOURS: usize = 16;
/// How late a deadline may be noticed: dozens of whole nodes share one thread, and their handshakes and
/// signatures take long in an unoptimised build on a busy machine.
const TICK: Duration = Duration::from_secs(1);
/// From the publication of a plan's catalogue to its start, as on the simulated network.
const SINCE_CREATED: Duration = Duration::from_secs(86_400);

/// Why a plan cannot be run on real swarms.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It has too many nodes.
    #[error("it has {found} nodes, and real swarms in one process are at most {MOST_NODES}: lower `peers`")]
    TooManyNodes {
        /// How many.
        found: u64,
    },
    /// It takes too long.
    #[error("it takes {} s of real time, at most {} s are waited for: shorten `duration`", found.as_secs(), LONGEST.as_secs())]
    TooLong {
        /// How long.
        found: Duration,
    },
    /// It does something that cannot be done to real nodes.
    #[error(
        "it has {what}, which cannot be applied to real nodes: leave it out, or run it with --network sim"
    )]
    Fault {
        /// What.
        what: &'static str,
    },
}

/// Whether `plan` can be run on real swarms. To be asked before anything is run.
pub fn unfit(plan: &Plan) -> Result<(), Unfit> {
    let found = plan.roles().len() as u64;
    if found > MOST_NODES {
        return Err(Unfit::TooManyNodes { found });
    }
    let liveness = plan.liveness.as_ref().map_or(Duration::ZERO, |wanted| wanted.within.0);
    let found = plan.duration.0.saturating_add(liveness);
    if found > LONGEST {
        return Err(Unfit::TooLong { found });
    }
    let what = plan.timeline.events.iter().find_map(|event| match &event.what {
        Turn::Cut { .. } | Turn::Heal { .. } => Some("a partition"),
        Turn::Links { .. } => Some("a fault of links"),
        Turn::Full { .. } => Some("a full store"),
        Turn::Forgets { .. } => Some("lying acknowledgements"),
        Turn::Late { .. } => Some("answers that are held back"),
        Turn::Collude { .. } => Some("colluding peers"),
        Turn::Skew { .. } => Some("a wrong calendar"),
        Turn::Storm { .. } => Some("a storm of announcements"),
        Turn::Frame { .. } => Some("releases in two bodies"),
        _ => None,
    });
    what.map_or(Ok(()), |what| Err(Unfit::Fault { what }))
}

/// Follow `plan` on swarms of its own, connected by `wire`. It takes the plan's time, and the time that
/// what was begun needs to end. The trace of `options` stays empty.
pub fn run_on_swarms(plan: &Plan, wire: Wire, options: &RunOptions) -> Result<RunReport, RunError> {
    unfit(plan).map_err(|why| RunError::Plan(why.to_string()))?;
    let verifier = verifier();
    let mut setup = swarm_setup(wire, &verifier);
    setup.tick = TICK;
    if let Some(service) = plan.network.service {
        setup.service = service.question.0;
    }
    let bed = SwarmTestbed::new(setup)?;
    run_on(bed, plan, verifier, options)
}

/// What the swarms of a run are made with, whatever carries them: the calendar and the neighbours of the simulated
/// network, and what registries announce.
pub fn swarm_setup(carrier: impl Carrier + 'static, verifier: &Verifier) -> SwarmSetup {
    let topics = vec![Bytes::from_static(ANNOUNCE_TOPIC)];
    let mut setup = SwarmSetup::new(carrier, Arc::new(verifier.clone()), topics);
    setup.wall = Some(CREATED.after(SINCE_CREATED));
    setup.neighbours = NEIGHBOURS;
    setup
}

impl Measured for SwarmTestbed {
    fn name(&self) -> &str {
        self.carrier().network()
    }

    fn figures(&self) -> Figures {
        let SwarmCounts { messages, garbled, dials, failed_dials } = self.counts();
        let events = self.carrier().events();
        // What comes too late is dropped within libp2p.
        Figures { events, messages, garbled, unwanted: 0, dials, failed_dials }
    }

    fn meter(&self, node: NodeId) -> Option<Box<dyn Meter>> {
        self.depths(node).map(|depths| Box::new(depths) as Box<dyn Meter>)
    }

    fn note(&mut self, bytes: &[u8]) {
        self.carrier().note(bytes);
    }

    fn trace_hash(&self) -> String {
        self.carrier().trace_hash()
    }
}

impl Meter for Depths {
    fn begun(&self, key: &Bytes) {
        Depths::begun(self, key);
    }

    fn ended(&self, key: &Bytes) -> u32 {
        Depths::ended(self, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_networks_have_one_calendar() {
        use crate::sim::{Profile, SimConfig, SimTestbed};
        use crate::testbed::Testbed as _;
        let config = SimConfig::new(1, Profile::lan(), Arc::new(verifier()));
        let bed = SimTestbed::new(config).unwrap();
        assert_eq!(bed.wall(), CREATED.after(SINCE_CREATED));
    }
}
