//! The program: `run`, on the simulated network, with seeds that misbehave.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use swarmproof::cli::{
    CheckArgs, Elsewhere, RunArgs, SweepArgs, check_elsewhere, run_elsewhere, sweep_elsewhere,
};
use swarmproof::scenario::report::RunReport;
use swarmproof::scenario::{Plan, RunError, RunOptions, run_on, verifier};
use swarmproof::sim::{JsonLines, Profile, SimConfig, SimTestbed};

/// It is in its trace, and its hash, in which process it runs.
pub(crate) const DIFFERS: u64 = 10;
/// It panics, on a thread of its own.
pub(crate) const PANICS: u64 = 11;
/// It crashes.
pub(crate) const CRASHES: u64 = 12;
/// It cannot be followed.
pub(crate) const BREAKS: u64 = 13;
/// It crashes once its report has been told.
pub(crate) const CRASHES_LATE: u64 = 14;
/// It never ends, and does not see that it should.
pub(crate) const HANGS: u64 = 15;
/// It warns of something.
pub(crate) const WARNS: u64 = 16;
/// It ends the process as if all were well.
pub(crate) const LEAVES: u64 = 17;
/// Its hash has the process in it, unless it is traced.
pub(crate) const DIFFERS_UNSEEN: u64 = 18;
/// It can be followed once.
pub(crate) const BREAKS_LATER: u64 = 19;

/// Names the file that a run which can be followed once leaves.
pub(crate) const BEEN: &str = "SWARMPROOF_TEST_BEEN";
/// Names the file where a run that hangs writes which process it is.
pub(crate) const HANGS_IN: &str = "SWARMPROOF_TEST_HANGS_IN";

#[derive(Parser)]
enum Args {
    Run(RunArgs),
    Sweep(SweepArgs),
    Check(CheckArgs),
}

pub(crate) fn main() -> ExitCode {
    let elsewhere = Elsewhere { program: "elsewhere", note: Some("this network is a test's"), unfit, run };
    let code = match Args::parse() {
        Args::Run(args) => run_elsewhere(&args, &elsewhere),
        Args::Sweep(args) => return sweep_elsewhere(&args, &elsewhere),
        Args::Check(args) => return check_elsewhere(&args, &elsewhere),
    };
    let mut arguments = std::env::args();
    if arguments.any(|it| it == "--within") && arguments.any(|it| it == format!("--seed={CRASHES_LATE}")) {
        std::process::abort();
    }
    code
}

fn unfit(plan: &Plan) -> Option<String> {
    (plan.roles().len() > 30).then(|| "it has more than 30 nodes".to_owned())
}

fn run(plan: &Plan, mut options: RunOptions) -> Result<RunReport, RunError> {
    let process = std::process::id().to_le_bytes();
    match plan.seed {
        PANICS => {
            let thread = std::thread::Builder::new().name("simulation".to_owned());
            let panics = thread.spawn(|| panic!("the sky fell")).unwrap();
            std::panic::resume_unwind(panics.join().unwrap_err());
        }
        CRASHES => {
            eprintln!("these were its last words");
            std::process::abort();
        }
        BREAKS => return Err(RunError::Plan("it leads nowhere".to_owned())),
        HANGS => {
            std::fs::write(std::env::var_os(HANGS_IN).unwrap(), std::process::id().to_string()).unwrap();
            loop {
                std::thread::sleep(Duration::from_secs(60));
            }
        }
        WARNS => eprintln!("warning: a thread was left behind"),
        BREAKS_LATER => {
            let been = std::env::var_os(BEEN).unwrap();
            std::fs::File::create_new(been).map_err(|_| RunError::Plan("once was enough".to_owned()))?;
        }
        LEAVES => std::process::exit(0),
        _ => {}
    }
    let verifier = verifier();
    let config = SimConfig::new(plan.seed, Profile::lan(), Arc::new(verifier.clone()));
    let mut bed = SimTestbed::new(config).map_err(|error| RunError::Plan(error.to_string()))?;
    let traced = options.trace.is_some();
    if let Some(out) = options.trace.take() {
        bed.show_trace_to(Box::new(JsonLines::new(out)));
    }
    for note in 0..3u8 {
        bed.note(7, &[note]);
    }
    if plan.seed == DIFFERS || (plan.seed == DIFFERS_UNSEEN && !traced) {
        bed.note(8, &process);
    }
    let mut report = run_on(bed, plan, verifier, &options)?;
    report.network = "elsewhere".to_owned();
    Ok(report)
}
