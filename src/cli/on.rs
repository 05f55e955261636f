//! On which network runs are made, and which of them can be made there.

use std::path::Path;

use swarmproof::scenario::report::RunReport;
use swarmproof::scenario::{self, Plan, RunError, RunOptions};

use super::args::{Network, Run};
use super::exit::Refused;

/// The network of a command's runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    /// The simulated one.
    Sim,
    /// Real swarms, connected by this.
    #[cfg(feature = "net")]
    Swarm(swarmproof::net::Wire),
}

impl On {
    /// What the arguments say.
    pub(crate) fn of(args: &Run) -> Result<Self, Refused> {
        match args.network {
            #[cfg(feature = "net")]
            Network::Sim if args.wire.is_some() => Err(Refused::Usage(
                "--wire is for real swarms: give --network swarm with it, or leave it out".to_owned(),
            )),
            Network::Sim => Ok(Self::Sim),
            #[cfg(feature = "net")]
            Network::Swarm => Ok(Self::Swarm(args.wire.map_or(swarmproof::net::Wire::Memory, Into::into))),
        }
    }

    /// Whether the same plan gives the same trace here, so that another process can be compared.
    pub(crate) fn repeats(self) -> bool {
        self == Self::Sim
    }

    /// Follow `plan`.
    pub(crate) fn run(self, plan: &Plan, options: RunOptions) -> Result<RunReport, RunError> {
        match self {
            Self::Sim => scenario::run(plan, options),
            #[cfg(feature = "net")]
            Self::Swarm(wire) => scenario::run_on_swarms(plan, wire, &options),
        }
    }

    /// What the command of a run has besides, to be made here again.
    pub(crate) fn flags(self) -> String {
        match self {
            Self::Sim => String::new(),
            #[cfg(feature = "net")]
            Self::Swarm(wire) => format!(" --network swarm --wire {wire}"),
        }
    }

    /// How many runs at once, unless it is said: those that mostly wait can be more than there are cores.
    pub(crate) fn at_once(self, asked: Option<u16>) -> Option<u16> {
        match self {
            Self::Sim => asked,
            #[cfg(feature = "net")]
            Self::Swarm(_) => asked.or_else(|| {
                let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
                u16::try_from(cores.saturating_mul(2)).ok()
            }),
        }
    }

    /// Refuse what cannot be run here, each file with its reason.
    pub(crate) fn check<'a>(
        self,
        args: &Run,
        plans: impl Iterator<Item = (&'a Path, Plan)>,
    ) -> Result<(), Refused> {
        match self {
            Self::Sim => {
                // Whatever can be planned can be run.
                let _any = (args, plans);
                Ok(())
            }
            #[cfg(feature = "net")]
            Self::Swarm(_) if args.trace.is_some() => Err(Refused::Usage(
                "--trace is for the simulated network: real swarms have no trace".to_owned(),
            )),
            #[cfg(feature = "net")]
            Self::Swarm(_) => {
                let reason = |(file, plan): (&Path, Plan)| {
                    let why = scenario::unfit(&plan).err()?;
                    Some(format!("{}: cannot be run on real swarms: {why}", file.display()))
                };
                let mut wrong: Vec<String> = plans.filter_map(reason).collect();
                // The seeds of one file mostly have the same reason.
                wrong.dedup();
                if wrong.is_empty() { Ok(()) } else { Err(Refused::Usage(wrong.join("\n"))) }
            }
        }
    }

    /// What whoever reads the reports should know of this network, for standard error.
    pub(crate) fn note(self) -> Option<&'static str> {
        match self {
            Self::Sim => None,
            #[cfg(feature = "net")]
            Self::Swarm(_) => Some(
                "real swarms in real time, on this machine's own links: the delays of network profiles are \
                 not applied, and no second process compares traces\n",
            ),
        }
    }
}
