//! What can be asked on the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use super::compare::Compare;
use super::run_args::{CheckArgs, RunArgs};
use super::sweep::{SweepArgs, SweepHow};
use crate::scenario::Span;

/// Run a peer-to-peer package registry through scenarios on a simulated network, the same every time.
#[derive(Debug, Parser)]
#[command(name = "swarmproof", version, about, disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes: 0 all held, 1 an oracle or an expectation failed, 2 wrong usage or a bad \
                        file (nothing was run), 3 a run broke, 4 no node answers, 130 interrupted."
)]
pub(crate) struct Args {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios, or plans, and report
    Run(Run),
    /// Run many seeds on all cores, and keep the plans that fail
    Sweep(SweepArgs),
    /// Sweep a built-in scenario whose seeds draw everything: sizes, links, work and faults
    Explore(Explore),
    /// Run a plan that failed again, bit for bit
    Replay(Replay),
    /// Make a plan that failed as small as it goes, with the same failure
    Shrink(Shrink),
    /// Compare strategies of fan-out over the same scenarios and seeds
    Compare(Compare),
    /// Write one HTML file that shows a run, or two side by side
    Report(Report),
    /// Print the explicit plan that a seed makes of a scenario; `run` takes it too
    Plan(Plan),
    /// Parse and validate scenarios without running them
    Check(CheckArgs),
    /// Print the JSON schema of scenario files, for editors
    Schema,
    /// Write a catalogue file that a scenario can name
    Catalogue(Catalogue),
    /// Search for packages at a node
    #[cfg(feature = "node")]
    Search(super::client::args::Search),
    /// Show a package, or one release of it
    #[cfg(feature = "node")]
    Get(super::client::args::Get),
    /// Show the peers that a node knows
    #[cfg(feature = "node")]
    Peers(super::client::args::Peers),
    /// Publish packages at a node
    #[cfg(feature = "node")]
    Publish(super::client::args::Publish),
    /// Take a release back: nobody is offered it any more
    #[cfg(feature = "node")]
    Yank(super::client::args::Yank),
    /// Run a node until SIGTERM or Ctrl-C
    #[cfg(feature = "node")]
    Node(super::node::Args),
}

/// What another program is asked whose network stands under the same commands.
#[derive(Debug, Parser)]
#[command(
    version,
    about = "Run scenarios on a network of this program's own, and find, replay and shrink what fails there"
)]
#[command(disable_help_subcommand = true)]
pub(crate) struct Guest {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: GuestCommand,
}

/// What a program with a network of its own can do.
#[derive(Debug, Subcommand)]
pub(crate) enum GuestCommand {
    /// Run scenarios, or plans, and report
    Run(RunArgs),
    /// Parse and validate scenarios without running them
    Check(CheckArgs),
    /// Run many seeds on all cores, and keep the plans that fail
    Sweep(SweepArgs),
    /// Sweep a built-in scenario whose seeds draw everything: sizes, links, work and faults
    Explore(Explore),
    /// Run a plan that failed again, bit for bit
    Replay(Replay),
    /// Make a plan that failed as small as it goes, with the same failure
    Shrink(Shrink),
    /// Write what a run was as one HTML file; or two runs side by side, with the first event where they part
    Report(Report),
}

/// Run scenarios.
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// What is asked of any network
    #[command(flatten)]
    pub(crate) of_any: RunArgs,
    /// Run on a simulated network in virtual time, or on real swarms in this process, in real time
    #[arg(long, value_enum, default_value_t = Network::Sim)]
    pub(crate) network: Network,
    /// What connects real swarms, with --network swarm; memory, unless given
    #[cfg(feature = "net")]
    #[arg(long, value_enum, value_name = "WIRE")]
    pub(crate) wire: Option<Wire>,
}

/// Sweep what seeds draw.
#[derive(Debug, clap::Args)]
pub(crate) struct Explore {
    /// How
    #[command(flatten)]
    pub(crate) how: SweepHow,
}

/// Run a plan that failed again.
#[derive(Debug, clap::Args)]
pub(crate) struct Replay {
    /// The plan that failed, as `sweep` and `shrink` write it
    pub(crate) file: PathBuf,
    /// Write every event of the run to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
    /// Stop before this event of the trace, or before the `violation`, and print how the running queries stand
    #[arg(long, value_name = "EVENT")]
    pub(crate) until: Option<Before>,
}

/// Before what a replay stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// The event of this number.
    Event(u64),
    /// What failed.
    Violation,
}

impl core::str::FromStr for Before {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(0) | Err(_) if text != "violation" => {
                Err(format!("`{text}` is neither the number of an event, the first being 1, nor `violation`"))
            }
            Ok(event) => Ok(Self::Event(event)),
            Err(_) => Ok(Self::Violation),
        }
    }
}

/// Make a plan small.
#[derive(Debug, clap::Args)]
pub(crate) struct Shrink {
    /// The plan that failed, as `sweep` writes it
    pub(crate) file: PathBuf,
    /// Where to write the smaller one; beside the plan, as NAME-small.toml, unless given
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// How long to try
    #[arg(long, value_name = "SPAN", default_value = "30s")]
    pub(crate) time: Span,
}

/// Show a run.
#[derive(Debug, clap::Args)]
pub(crate) struct Report {
    /// The scenario, or the plan: also one that failed, as `sweep` and `shrink` write it
    pub(crate) file: PathBuf,
    /// Another one, to be shown beside it
    #[arg(id = "other", value_name = "AGAINST")]
    pub(crate) other: Option<PathBuf>,
    /// The same, by name
    #[arg(long, value_name = "FILE", conflicts_with = "other")]
    pub(crate) against: Option<PathBuf>,
    /// The seed to make a scenario's plan from; the first that it names, unless given
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// The seed of the other run: alone, of the same file; as the first, unless given
    #[arg(long, value_name = "M")]
    pub(crate) against_seed: Option<u64>,
    /// Where to write it; NAME.html in the present folder, for a plan beside it, unless given
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Print a plan.
#[derive(Debug, clap::Args)]
pub(crate) struct Plan {
    /// The scenario file
    pub(crate) file: PathBuf,
    /// The seed to make the plan from
    #[arg(long, value_name = "N")]
    pub(crate) seed: u64,
}

/// Write a catalogue.
#[derive(Debug, clap::Args)]
pub(crate) struct Catalogue {
    /// From the packages that `cargo metadata` lists
    #[arg(long, required = true)]
    pub(crate) from_cargo_metadata: bool,
    /// The manifest to ask cargo about; the one in the present folder unless given
    #[arg(long, value_name = "PATH")]
    pub(crate) manifest_path: Option<PathBuf>,
    /// Where to write it; to standard output unless given
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Which network a run is made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Network {
    /// Simulated, the same every time
    Sim,
    /// Real swarms: of partitions, slow links and long or large scenarios it is said that they cannot be
    #[cfg(feature = "net")]
    Swarm,
}

/// What connects real swarms.
#[cfg(feature = "net")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wire {
    /// In memory, without sockets
    Memory,
    /// TCP on the loopback interface
    Tcp,
    /// QUIC on the loopback interface
    Quic,
}

#[cfg(feature = "net")]
impl From<Wire> for crate::net::Wire {
    fn from(wire: Wire) -> Self {
        match wire {
            Wire::Memory => Self::Memory,
            Wire::Tcp => Self::Tcp,
            Wire::Quic => Self::Quic,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        use clap::CommandFactory as _;
        Args::command().debug_assert();
    }
}
