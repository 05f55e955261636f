//! One run: a plan made, run, timed; in this process, or in one of its own.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::on::On;
use super::panics;
use super::process::{self, Asked};
use super::ran::{Ran, Second};
use super::source::Source;
use super::stop::Stop;
use crate::scenario::{RunError, RunOptions};

/// A run to be made.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Which of the sources.
    pub(crate) source: usize,
    /// The file that it is from.
    pub(crate) file: PathBuf,
    /// The seed.
    pub(crate) seed: u64,
}

/// How a run is made.
#[derive(Debug, Default)]
pub(crate) struct How<'a> {
    /// Whether to say why, also where all held.
    pub(crate) why: bool,
    /// Whether the process is there for this run alone: then its panics are told as they come, on whichever thread.
    pub(crate) within: bool,
    /// Where each event is written.
    pub(crate) trace: Option<&'a Path>,
}

/// Make the run in this process; its trace is written to `trace`.
pub(crate) fn run(
    job: &Job,
    source: &Source,
    on: On<'_>,
    how: &How<'_>,
    trace: Option<Box<dyn Write + Send>>,
    stop: &Stop,
) -> Ran {
    if stop.raised() {
        return Ran::Stopped;
    }
    let options = RunOptions { trace, why: how.why, stop: stop.flag(), ..RunOptions::default() };
    #[expect(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        reason = "how long it took is told to people; the run does not see it"
    )]
    let begun = std::time::Instant::now();
    let run = || on.run(&source.plan(job.seed), options);
    let ran = if how.within { panics::aloud(run) } else { panics::caught(run) };
    let took = begun.elapsed();
    match ran {
        Ok(Ok(mut report)) => {
            // Microseconds are enough, and keep the number short.
            report.wall_ms = (took.as_secs_f64() * 1e6).round() / 1e3;
            report.scenario = job.file.display().to_string();
            report.replay = replay(&job.file, job.seed, source, on);
            Ran::Ended(Box::new(report))
        }
        Ok(Err(RunError::Stopped)) => Ran::Stopped,
        Ok(Err(error)) => Ran::Broke(error.to_string()),
        Err(panic) => Ran::Broke(panic),
    }
}

/// Make the run in a process of its own, and `again` in another, to be compared.
pub(crate) fn run_apart(
    job: &Job,
    source: &Source,
    how: &How<'_>,
    again: bool,
    stop: &Stop,
) -> (Ran, Option<Second>) {
    let give_up = || stop.raised();
    if stop.raised() {
        return (Ran::Stopped, None);
    }
    let asked = asked(job, source, how);
    let ran = process::run(asked, &give_up);
    if !again || stop.raised() || !matches!(ran, Ran::Ended(_)) {
        return (ran, None);
    }
    let second = match process::run(Asked { why: false, trace: None, ..asked }, &give_up) {
        Ran::Ended(report) => Some(Second::Hash(report.trace_hash)),
        Ran::Broke(cause) => Some(Second::Broke(Some(cause))),
        Ran::Stopped => None,
    };
    (ran, second)
}

/// What a process is asked, that makes this run.
pub(crate) fn asked<'a>(job: &'a Job, source: &Source, how: &How<'a>) -> Asked<'a> {
    let seed = match source {
        Source::Scenario(_) => Some(job.seed),
        Source::Plan(_) => None,
    };
    Asked { file: &job.file, seed, why: how.why, trace: how.trace }
}

/// The one command that makes this run again.
pub(crate) fn replay(file: &Path, seed: u64, source: &Source, on: On<'_>) -> String {
    let (program, file, flags) = (on.program(), quoted(&file.display().to_string()), on.flags());
    match source {
        Source::Scenario(_) => format!("{program} run {file} --seed {seed}{flags}"),
        Source::Plan(_) => format!("{program} run {file}{flags}"),
    }
}

/// `text` as one word of a shell.
pub(crate) fn quoted(text: &str) -> String {
    let harmless = |it: char| it.is_ascii_alphanumeric() || "-_./=+:,@%".contains(it);
    if !text.is_empty() && text.chars().all(harmless) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_one_word() {
        assert_eq!(quoted("scenarios/a-b_c/x.toml"), "scenarios/a-b_c/x.toml");
        assert_eq!(quoted("my scenarios/x.toml"), "'my scenarios/x.toml'");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
