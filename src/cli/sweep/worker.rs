//! A worker, from the inside: takes runs from standard input, one line each, makes them, and tells of each in a line.
//!
//! A line in is the place of the file and the seed: `0 17`. A line out is a [`Told`] in JSON. It ends when nobody asks
//! any more. Signals are for the process that asks: a Ctrl-C reaches both, and is none of a worker's business.

use std::collections::BTreeMap;
use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::thread;

use serde::{Deserialize, Serialize};

use crate::cli::exit::{End, Refused};
use crate::cli::job::{self, How, Job};
use crate::cli::on::On;
use crate::cli::pool::STACK;
use crate::cli::ran::Ran;
use crate::cli::source::Source;
use crate::cli::stop::Stop;
use crate::scenario::report::{RunReport, Verdict};

/// What a worker tells of a run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Told {
    /// All held. How often each probe was reached.
    Passed(BTreeMap<String, u64>),
    /// Not all held.
    Failed(Box<RunReport>),
    /// It could not be carried out, or panicked.
    Broke(String),
}

/// Be a worker until standard input ends.
pub(super) fn work(files: &[PathBuf], sources: &[Source], on: On<'_>) -> Result<End, Refused> {
    ctrlc::set_handler(|| {}).map_err(|cause| Refused::System {
        what: "cannot leave Ctrl-C alone",
        cause: std::io::Error::other(cause),
    })?;
    let broken = |cause| Refused::System { what: "a worker cannot start its thread", cause };
    thread::scope(|scope| {
        let worker = thread::Builder::new().name("run".to_owned()).stack_size(STACK);
        let worker = worker.spawn_scoped(scope, || take(files, sources, on)).map_err(broken)?;
        // Panics of runs are caught; this would be one of the worker's own.
        worker.join().unwrap_or_else(|_| Err(Refused::Usage("a worker panicked".to_owned())))
    })
}

fn take(files: &[PathBuf], sources: &[Source], on: On<'_>) -> Result<End, Refused> {
    let stop = Stop::default();
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let Some(job) = asked(&line, files) else {
            return Err(Refused::Usage(format!("a worker was asked what it does not know: {line:?}")));
        };
        let Some(source) = sources.get(job.source) else { break };
        let told = match job::run(&job, source, on, &How::default(), None, &stop) {
            Ran::Ended(report) if report.verdict == Verdict::Pass => Told::Passed(report.probes),
            Ran::Ended(report) => Told::Failed(report),
            Ran::Broke(cause) => Told::Broke(cause),
            Ran::Stopped => Told::Broke("it stopped, and nobody had asked it to".to_owned()),
        };
        let line = serde_json::to_string(&told)
            .map_err(|error| Refused::Usage(format!("a report cannot be written: {error}")))?;
        let mut out = std::io::stdout().lock();
        if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
            // Whoever asked has gone away.
            break;
        }
    }
    Ok(End::Held)
}

fn asked(line: &str, files: &[PathBuf]) -> Option<Job> {
    let (source, seed) = line.trim().split_once(' ')?;
    let (source, seed) = (source.parse::<usize>().ok()?, seed.parse().ok()?);
    Some(Job { source, file: files.get(source)?.clone(), seed })
}
