//! `swarmproof replay`: a plan that failed, run again and held against how it failed.
//!
//! It ends with 1 when the same happened bit for bit: the oracle failed again. A trace hash that is another is an error
//! with 2, whatever the run came to, since then this is not the run that failed. With `--until` there is nothing to compare.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::args::{Before, Replay};
use super::exit::{End, Refused};
use super::job::{self, How, Job};
use super::on::On;
use super::output::{self, paint};
use super::panics;
use super::ran::Ran;
use super::source::Source;
use super::stop::Stop;
use crate::scenario::plan::Failure;
use crate::scenario::report::{self, RunReport, Tone};
use crate::scenario::{Plan, RunError, RunOptions, Until, Watch};

/// A plan that failed, and how.
pub(crate) fn failed(path: &Path) -> Result<(Plan, Failure), Refused> {
    let Source::Plan(plan) = Source::read(path)? else {
        let why = format!("{}: is a scenario; what failed is a plan, as `sweep` writes it", path.display());
        return Err(Refused::Usage(why));
    };
    let Some(failure) = plan.failure.clone() else {
        let why = format!(
            "{}: has no [failure], so it is not known how it failed: `swarmproof run` runs it",
            path.display()
        );
        return Err(Refused::Usage(why));
    };
    Ok((plan, failure))
}

/// Do it.
pub(crate) fn replay(args: &Replay, on: On<'_>) -> Result<End, Refused> {
    let (plan, failure) = failed(&args.file)?;
    let until = match args.until {
        None => None,
        Some(Before::Event(event)) => Some(Until::Event(event)),
        Some(Before::Violation) if !failure.kind.ended() => {
            let why =
                format!("its run {}, and nobody knows when: give the number of an event", failure.oracle);
            return Err(Refused::Usage(format!("{}: {why}", args.file.display())));
        }
        Some(Before::Violation) => Some(Until::Time(failure.at.0)),
    };
    let trace = match &args.trace {
        None => None,
        Some(path) => {
            let file =
                File::create(path).map_err(|cause| Refused::Unwritable { path: path.clone(), cause })?;
            Some(Box::new(BufWriter::new(file)) as Box<dyn Write + Send>)
        }
    };
    let stop = Stop::on_signal()?;
    if failure.version != env!("CARGO_PKG_VERSION") {
        let (then, now) = (&failure.version, env!("CARGO_PKG_VERSION"));
        output::say(&format!("it failed in version {then} of this program, and this is {now}\n"));
    }
    if let Some(until) = until {
        return stand(on, &plan, until, trace, &stop);
    }
    if !failure.kind.ended() {
        let detail = &failure.detail;
        output::say(&format!("its run {}: {detail}\nit does here too, if it is the same\n", failure.oracle));
    }
    let source = Source::Plan(plan);
    let job = Job { source: 0, file: args.file.clone(), seed: 0 };
    let how = How { why: true, ..How::default() };
    match job::run(&job, &source, on, &how, trace, &stop) {
        Ran::Ended(report) => compared(&failure, &report),
        Ran::Broke(cause) => {
            output::put(&format!("{} {cause}\n", paint(Tone::Bad, "broke")))?;
            Ok(End::Broke)
        }
        Ran::Stopped => Ok(End::Interrupted),
    }
}

/// Stop at an instant, and tell how everything stands.
fn stand(
    on: On<'_>,
    plan: &Plan,
    until: Until,
    trace: Option<Box<dyn Write + Send>>,
    stop: &Stop,
) -> Result<End, Refused> {
    let watch = Watch::new(until, stop.flag());
    let options =
        RunOptions { trace, stop: stop.flag(), watch: Some(watch.clone()), ..RunOptions::default() };
    let ran = panics::caught(|| on.run(plan, options));
    match ran {
        _ if watch.came() => output::print(&watch.text()),
        Ok(Ok(_)) => {
            Err(Refused::Usage(format!("the run ended before that, after {} events", watch.events())))
        }
        Ok(Err(RunError::Stopped)) => Ok(End::Interrupted),
        Ok(Err(error)) => Err(Refused::Usage(error.to_string())),
        Err(cause) => {
            output::put(&format!("{} {cause}\n", paint(Tone::Bad, "broke")))?;
            Ok(End::Broke)
        }
    }
}

/// Hold what came against what was.
fn compared(failure: &Failure, report: &RunReport) -> Result<End, Refused> {
    if let Some(hash) = &failure.trace_hash
        && *hash != report.trace_hash
    {
        let again = match failure.first_of(report) {
            Some(now) => format!("{} failed here at {}, there at {}", now.oracle, now.at, failure.at),
            None => format!("{} did not fail here", failure.oracle),
        };
        return Err(Refused::Usage(format!(
            "the trace hash is {}, and {hash} was expected: this is not the run that failed ({again}); the plan was \
             edited, or this program is another (it failed in version {})",
            report.trace_hash, failure.version
        )));
    }
    let mut text = report::failure(report, &paint);
    let (sentence, end) = match failure.first_of(report) {
        Some(now) if now.at == failure.at => {
            let same = format!(
                "the same: {} failed at {}, and the trace hash is {}",
                now.oracle, now.at, report.trace_hash
            );
            (same, End::Failed)
        }
        // The hash has every result in it, so this is an oracle that judges in another way.
        Some(now) => {
            let words = "the trace is the same, and the oracle judges it differently";
            (format!("{words}: {} failed at {}, there at {}", now.oracle, now.at, failure.at), End::Failed)
        }
        None if failure.trace_hash.is_some() => {
            let words = "the trace is the same, and the oracle judges it differently";
            (format!("{words}: {} did not fail", failure.oracle), End::Held)
        }
        None => (format!("there it {}, and here it came to its end", failure.oracle), End::Held),
    };
    text.push_str(&format!("\n{sentence}\n"));
    output::put(&text)?;
    Ok(end)
}
