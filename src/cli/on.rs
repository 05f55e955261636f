//! On which network runs are made, and which of them can be made there.

use std::path::Path;

use crate::scenario::report::RunReport;
use crate::scenario::{self, Plan, RunError, RunOptions};

use super::args::{Network, Run};
use super::elsewhere::Elsewhere;
use super::exit::Refused;
use super::run_args::RunArgs;

/// The network of a command's runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum On<'a> {
    /// The simulated one.
    Sim,
    /// Real swarms, connected by this.
    #[cfg(feature = "net")]
    Swarm(crate::net::Wire),
    /// One that another program brings.
    Elsewhere(&'a Elsewhere),
}

impl On<'_> {
    /// What the arguments say.
    pub(crate) fn of(args: &Run) -> Result<Self, Refused> {
        match args.network {
            #[cfg(feature = "net")]
            Network::Sim if args.wire.is_some() => Err(Refused::Usage(
                "--wire is for real swarms: give --network swarm with it, or leave it out".to_owned(),
            )),
            Network::Sim => Ok(Self::Sim),
            #[cfg(feature = "net")]
            Network::Swarm => Ok(Self::Swarm(args.wire.map_or(crate::net::Wire::Memory, Into::into))),
        }
    }

    /// Whether the same plan gives the same trace here, so that another process can be compared.
    pub(crate) fn repeats(self) -> bool {
        match self {
            Self::Sim | Self::Elsewhere(_) => true,
            #[cfg(feature = "net")]
            Self::Swarm(_) => false,
        }
    }

    /// Whether one process makes one run: what runs there counts through the process, so that the second run of
    /// one would not be what the first is.
    pub(crate) fn apart(self) -> bool {
        matches!(self, Self::Elsewhere(_))
    }

    /// The first word of a command that makes a run here.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Elsewhere(it) => it.program,
            _ => "swarmproof",
        }
    }

    /// Follow `plan`.
    pub(crate) fn run(self, plan: &Plan, options: RunOptions) -> Result<RunReport, RunError> {
        match self {
            Self::Sim => scenario::run(plan, options),
            #[cfg(feature = "net")]
            Self::Swarm(wire) => scenario::run_on_swarms(plan, wire, &options),
            Self::Elsewhere(it) => (it.run)(plan, options),
        }
    }

    /// What the command of a run has besides, to be made here again.
    pub(crate) fn flags(self) -> String {
        match self {
            Self::Sim | Self::Elsewhere(_) => String::new(),
            #[cfg(feature = "net")]
            Self::Swarm(wire) => format!(" --network swarm --wire {wire}"),
        }
    }

    /// How many runs at once, unless it is said: those that mostly wait can be more than there are cores.
    pub(crate) fn at_once(self, asked: Option<u16>) -> Option<u16> {
        match self {
            Self::Sim | Self::Elsewhere(_) => asked,
            #[cfg(feature = "net")]
            Self::Swarm(_) => asked.or_else(|| {
                let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
                u16::try_from(cores.saturating_mul(2)).ok()
            }),
        }
    }

    /// Refuse what cannot be run here, each file with its reason, and options that mean nothing here.
    pub(crate) fn check<'p>(
        self,
        args: &RunArgs,
        plans: impl Iterator<Item = (&'p Path, Plan)>,
    ) -> Result<(), Refused> {
        match self {
            #[cfg(feature = "net")]
            Self::Swarm(_) if args.trace.is_some() => Err(Refused::Usage(
                "--trace is for the simulated network: real swarms have no trace".to_owned(),
            )),
            _ => {
                // Without sockets in it, there is nothing that an option could not mean.
                let _any = args;
                self.fits(plans)
            }
        }
    }

    /// Refuse what cannot be run here, each file with its reason.
    pub(crate) fn fits<'p>(self, plans: impl Iterator<Item = (&'p Path, Plan)>) -> Result<(), Refused> {
        match self {
            // Whatever can be planned can be run.
            Self::Sim => Ok(()),
            #[cfg(feature = "net")]
            Self::Swarm(_) => {
                let unfit = |plan: &Plan| scenario::unfit(plan).err().map(|why| why.to_string());
                all_fit("on real swarms", plans, unfit)
            }
            Self::Elsewhere(it) => all_fit(&format!("by {}", it.program), plans, it.unfit),
        }
    }

    /// What whoever reads the reports should know of this network, for standard error.
    pub(crate) fn note(self) -> Option<&'static str> {
        match self {
            Self::Sim => None,
            #[cfg(feature = "net")]
            Self::Swarm(_) => Some(
                "real swarms in real time, on this machine's own links: the delays of network profiles are \
                 not applied, and no second process compares traces",
            ),
            Self::Elsewhere(it) => it.note,
        }
    }
}

/// Refuse the files whose plans are unfit to be run `there`, all at once.
fn all_fit<'p>(
    there: &str,
    plans: impl Iterator<Item = (&'p Path, Plan)>,
    unfit: impl Fn(&Plan) -> Option<String>,
) -> Result<(), Refused> {
    let reason = |(file, plan): (&Path, Plan)| {
        let why = unfit(&plan)?;
        Some(format!("{}: cannot be run {there}: {why}", file.display()))
    };
    let mut wrong: Vec<String> = plans.filter_map(reason).collect();
    // The seeds of one file mostly have the same reason.
    wrong.dedup();
    if wrong.is_empty() { Ok(()) } else { Err(Refused::Usage(wrong.join("\n"))) }
}
