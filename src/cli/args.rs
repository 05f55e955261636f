//! What can be asked on the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

pub(crate) use super::format::Format;

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
    /// Print the explicit plan that a seed makes of a scenario; `run` takes it too
    Plan(Plan),
    /// Parse and validate scenarios without running them
    Check(Check),
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

/// Run scenarios.
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// Scenario or plan files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Run this seed instead of the file's own
    #[arg(long, value_name = "N", conflicts_with = "seeds")]
    pub(crate) seed: Option<u64>,
    /// Run these seeds instead of the file's own; B is left out, as in 0..20
    #[arg(long, value_name = "A..B")]
    pub(crate) seeds: Option<Seeds>,
    /// How to report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Write every event of the run to this file; for exactly one scenario and one seed
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
    /// Say for each missed package and each bad ending why, also where all held
    #[arg(long)]
    pub(crate) why: bool,
    /// Do not make each run a second time in another process to see that its trace is the same
    #[arg(long)]
    pub(crate) alone: bool,
    /// Run on a simulated network in virtual time, or on real swarms in this process, in real time
    #[arg(long, value_enum, default_value_t = Network::Sim)]
    pub(crate) network: Network,
    /// What connects real swarms, with --network swarm; memory, unless given
    #[cfg(feature = "net")]
    #[arg(long, value_enum, value_name = "WIRE")]
    pub(crate) wire: Option<Wire>,
    /// How many runs at once; as many as there are cores, unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
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

/// Check scenarios.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// Scenario or plan files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
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
impl From<Wire> for swarmproof::net::Wire {
    fn from(wire: Wire) -> Self {
        match wire {
            Wire::Memory => Self::Memory,
            Wire::Tcp => Self::Tcp,
            Wire::Quic => Self::Quic,
        }
    }
}

/// Seeds from one to another, the last left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seeds(pub(crate) core::ops::Range<u64>);

impl core::str::FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = || format!("`{text}` is not a range of seeds such as 0..20");
        let (from, to) = text.split_once("..").ok_or_else(wanted)?;
        let number = |text: &str| text.parse::<u64>().map_err(|_| wanted());
        let range = number(from)?..number(to)?;
        if range.is_empty() {
            return Err(format!("`{text}` holds no seed: the second must be greater than the first"));
        }
        Ok(Self(range))
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

    #[test]
    fn seeds_are_a_range_that_holds_some() {
        assert_eq!("0..20".parse(), Ok(Seeds(0..20)));
        assert_eq!("7..8".parse(), Ok(Seeds(7..8)));
        for bad in [
            "",
            "7",
            "..",
            "1..",
            "..3",
            "5..5",
            "9..2",
            "-1..2",
            "0..1e3",
            "0...3",
            "0..99999999999999999999",
        ] {
            assert!(bad.parse::<Seeds>().is_err(), "{bad}");
        }
    }
}
