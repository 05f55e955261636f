//! `swarmproof-virtual`: scenarios of swarmproof on real libp2p nodes in virtual time.

use std::process::ExitCode;

use clap::Parser;
use swarmproof::cli::{CheckArgs, Elsewhere, RunArgs, check_elsewhere, run_elsewhere};
use swarmproof_virtual::judge::{JudgeArgs, judge};
use swarmproof_virtual::registry::{run_virtual, unfit};

/// Scenarios of swarmproof on real libp2p nodes, over the same links as its model, in virtual time
#[derive(Debug, Parser)]
#[command(name = "swarmproof-virtual", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Run scenarios, every seed in a process of its own
    Run(RunArgs),
    /// Parse and validate scenarios without running them, and say which cannot be run here
    Check(CheckArgs),
    Judge(JudgeArgs),
}

/// The network that this program brings.
const VIRTUAL: Elsewhere = Elsewhere { program: "swarmproof-virtual", note: None, unfit, run: run_virtual };

fn main() -> ExitCode {
    match Args::parse().command {
        Command::Run(args) => run_elsewhere(&args, &VIRTUAL),
        Command::Check(args) => check_elsewhere(&args, &VIRTUAL),
        Command::Judge(args) => judge(&args),
    }
}
