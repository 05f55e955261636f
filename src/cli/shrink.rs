//! `swarmproof shrink`: a plan that failed, made as small as it goes in the time that there is.

use std::path::{Path, PathBuf};

use super::args::Shrink;
use super::clock::Clock;
use super::exit::{End, Refused};
use super::job;
use super::on::On;
use super::output;
use super::panics;
use super::replay::failed;
use super::stop::Stop;
use super::sweep::write;
use crate::scenario::plan::{Failure, FailureKind};
use crate::scenario::report::RunReport;
use crate::scenario::shrink::{PlanSize, shrink as smallest};
use crate::scenario::{Plan, RunError, RunOptions};

/// What came of one run.
enum Came {
    Ended(Box<RunReport>),
    Broke(String),
    Stopped,
}

/// Do it.
pub(crate) fn shrink(args: &Shrink, on: On<'_>) -> Result<End, Refused> {
    let (plan, failure) = failed(&args.file)?;
    let refused = |why: String| Refused::Usage(format!("{}: {why}", args.file.display()));
    if matches!(failure.kind, FailureKind::Crash | FailureKind::Hang) {
        return Err(refused(format!("its run {}, and only what comes to its end is shrunk", failure.oracle)));
    }
    let output = args.output.clone().unwrap_or_else(|| beside(&args.file));
    let stop = Stop::on_signal()?;
    let clock = Clock::start();
    match run(on, &plan, &stop) {
        Came::Stopped => return Ok(End::Interrupted),
        came if again(&failure, &came).is_some() => {}
        _ => {
            return Err(refused(format!(
                "{} does not fail here, so there is nothing to shrink",
                failure.oracle
            )));
        }
    }
    // Written before anything is tried, so that a folder that cannot be written is told before the work.
    write(&output, &plan, "")?;
    let before = PlanSize::of(&plan);
    let shrunk = smallest(
        plan,
        |it| again(&failure, &run(on, it, &stop)).is_some(),
        || clock.elapsed() < args.time.0 && !stop.raised(),
    );
    let mut plan = shrunk.smallest;
    // Its own run says when it fails, and with which trace.
    plan.failure = again(&failure, &run(on, &plan, &Stop::default())).or(Some(failure));
    let after = PlanSize::of(&plan);
    let how = match (shrunk.minimal, stop.raised()) {
        (true, _) => "nothing more can be taken from it",
        (false, true) => "it was interrupted",
        (false, false) => "the time was up",
    };
    let runs = shrunk.runs;
    let head = format!(
        "# Shrunk by swarmproof {} in {runs} runs; {how}.\n# From {before}\n# to   {after}.\n",
        env!("CARGO_PKG_VERSION")
    );
    write(&output, &plan, &head)?;
    let (path, program) = (job::quoted(&output.display().to_string()), on.program());
    output::put(&format!(
        "from     {before}\nto       {after}\n{runs} runs in {:.1}s; {how}\nreplay   {program} replay {path}\n",
        clock.elapsed().as_secs_f64()
    ))?;
    Ok(if stop.raised() { End::Interrupted } else { End::Held })
}

fn run(on: On<'_>, plan: &Plan, stop: &Stop) -> Came {
    let options = RunOptions { stop: stop.flag(), ..RunOptions::default() };
    match panics::caught(|| on.run(plan, options)) {
        Ok(Ok(report)) => Came::Ended(Box::new(report)),
        Ok(Err(RunError::Stopped)) => Came::Stopped,
        Ok(Err(error)) => Came::Broke(error.to_string()),
        Err(panic) => Came::Broke(panic),
    }
}

/// How it failed, if it did by the same oracle.
fn again(failure: &Failure, came: &Came) -> Option<Failure> {
    match came {
        Came::Ended(report) => failure.first_of(report),
        // A smaller plan may be broken in another way; so much of the words must be the same.
        Came::Broke(cause) if failure.kind == FailureKind::Broken => {
            let now = Failure::unended(FailureKind::Broken, cause);
            (now.detail == failure.detail).then_some(now)
        }
        Came::Broke(_) | Came::Stopped => None,
    }
}

/// `NAME-small.toml` beside `NAME.toml`.
fn beside(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-small.toml"))
}
