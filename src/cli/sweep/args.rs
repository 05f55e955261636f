//! What a sweep is asked.

use std::path::PathBuf;

use super::shard::Shard;
use crate::cli::run_args::Seeds;
use crate::scenario::Span;

/// What `sweep` is asked: which files, and how.
///
/// A program that brings a network of its own parses these as arguments of its command `sweep`, and hands them to
/// [`sweep_elsewhere`](crate::cli::sweep_elsewhere).
#[derive(Debug, clap::Args)]
#[command(about = "Run many seeds on all cores, and keep the plans that fail", long_about = None)]
pub struct SweepArgs {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// How
    #[command(flatten)]
    pub(crate) how: SweepHow,
}

/// How a sweep is made.
#[derive(Debug, clap::Args)]
pub(crate) struct SweepHow {
    /// Run these seeds of each file instead of its own; B is left out, as in 0..1000
    #[arg(long, value_name = "A..B")]
    pub(crate) seeds: Option<Seeds>,
    /// How many runs at once, each in a process; as many as there are cores, unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
    /// Run only part K of M, as 2/8: the M parts together are all seeds, each once
    #[arg(long, value_name = "K/M")]
    pub(crate) shard: Option<Shard>,
    /// Begin nothing new after so long, as 10m; what was not run is told
    #[arg(long, value_name = "SPAN")]
    pub(crate) time: Option<Span>,
    /// Go on after a failure; otherwise what runs is finished and nothing new begun
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Fail when a place that drawn faults must reach was never reached, or do not; `explore` does from 3,000 seeds on
    #[arg(long, value_name = "true|false")]
    pub(crate) probes: Option<bool>,
    /// The folder that failing plans are written to
    #[arg(long, value_name = "DIR", default_value = "failures")]
    pub(crate) failures: PathBuf,
    /// The wall time that one seed may take: a run that takes longer hangs, and is ended
    #[arg(long, value_name = "SPAN", default_value = "60s")]
    pub(crate) limit: Span,
    /// Be a worker: take seeds from standard input, for the process that started this one
    #[arg(long, hide = true)]
    pub(crate) worker: bool,
}
