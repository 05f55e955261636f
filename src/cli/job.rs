//! One run: a plan made, run, timed, and told.

use std::io::Write;
use std::path::{Path, PathBuf};

use swarmproof::scenario::report::RunReport;
use swarmproof::scenario::{RunError, RunOptions};

use super::on::On;
use super::panics;
use super::source::Source;
use super::stop::Stop;

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

/// What came of a run.
#[derive(Debug)]
pub(crate) enum Ran {
    /// It ended, and this is its report.
    Ended(Box<RunReport>),
    /// It broke, for this cause.
    Broke(String),
    /// It was not begun, or not brought to its end, because of a signal.
    Stopped,
}

/// Make the run.
pub(crate) fn run(
    job: &Job,
    source: &Source,
    on: On,
    why: bool,
    trace: Option<Box<dyn Write + Send>>,
    stop: &Stop,
) -> Ran {
    if stop.raised() {
        return Ran::Stopped;
    }
    let options = RunOptions { trace, why, stop: stop.flag() };
    #[expect(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        reason = "how long it took is told to people; the run does not see it"
    )]
    let begun = std::time::Instant::now();
    let ran = panics::caught(|| on.run(&source.plan(job.seed), options));
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

/// The one command that makes this run again.
pub(crate) fn replay(file: &Path, seed: u64, source: &Source, on: On) -> String {
    let (file, flags) = (quoted(&file.display().to_string()), on.flags());
    match source {
        Source::Scenario(_) => format!("swarmproof run {file} --seed {seed}{flags}"),
        Source::Plan(_) => format!("swarmproof run {file}{flags}"),
    }
}

/// `text` as one word of a shell.
fn quoted(text: &str) -> String {
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
