//! What can be asked of runs, on whichever network they are made.

use std::path::PathBuf;

use super::format::Format;

/// What `run` is asked: which files and seeds, and how their runs are made and told.
///
/// A program that brings a network of its own parses these as arguments of its command `run`, and hands them to
/// [`run_elsewhere`](super::run_elsewhere).
#[derive(Debug, clap::Args)]
// Otherwise the words above would be the help of the command that takes these.
#[command(about = "Run scenarios, or plans, and report", long_about = None)]
pub struct RunArgs {
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
    /// How many runs at once; as many as there are cores, unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
    /// Make the one run in this very process, for the process that started this one
    #[arg(long, hide = true)]
    pub(crate) within: bool,
}

/// What `check` is asked: which files.
#[derive(Debug, clap::Args)]
#[command(about = "Parse and validate scenarios without running them", long_about = None)]
pub struct CheckArgs {
    /// Scenario or plan files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
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
