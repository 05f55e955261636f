//! Oracle 10: the same plan gives the same trace hash in another process.
//!
//! The twin is this program again, with the same files and seeds. It runs beside and tells the hash of
//! each run; whoever reports a run compares. It is ended when it is dropped.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use swarmproof::oracle::Oracle;
use swarmproof::scenario::report::{RunReport, Violation};

use super::args::Run;
use super::exit::Refused;

/// The other process.
#[derive(Debug)]
pub(crate) struct Twin {
    process: Child,
    lines: Option<BufReader<ChildStdout>>,
    /// What it has told and nobody has asked for yet: at most as many as it is ahead.
    told: BTreeMap<(String, u64), String>,
}

impl Twin {
    /// Start it.
    pub(crate) fn start(args: &Run) -> Result<Self, Refused> {
        let refuse = |cause| Refused::System { what: "cannot start a second process", cause };
        let mut command = Command::new(std::env::current_exe().map_err(refuse)?);
        command.args(["run", "--alone", "--format", "json"]);
        if let Some(seed) = args.seed {
            command.arg(format!("--seed={seed}"));
        }
        if let Some(seeds) = &args.seeds {
            command.arg(format!("--seeds={}..{}", seeds.0.start, seeds.0.end));
        }
        if let Some(jobs) = args.jobs {
            command.arg(format!("--jobs={jobs}"));
        }
        command.arg("--").args(&args.paths);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().map_err(refuse)?;
        let lines = process.stdout.take().map(BufReader::new);
        Ok(Self { process, lines, told: BTreeMap::new() })
    }

    /// Hold the run's hash against the other process's. Where they part, the report has a violation more.
    pub(crate) fn compare(&mut self, report: &mut RunReport) {
        let other = self.hash(&report.scenario, report.seed);
        if other.as_deref() == Some(report.trace_hash.as_str()) {
            return;
        }
        let detail = match other {
            Some(other) => format!("in another process its trace hash is {other}"),
            None => "another process did not bring the same run to its end".to_owned(),
        };
        let oracle = Oracle::Repeatable.name().to_owned();
        report.violations.push(Violation { oracle, at_ms: report.virtual_ms, detail });
        report.verdict = report.judge();
    }

    /// The hash that the other process came to. It reports in the same order, so this waits no longer than
    /// that run takes it.
    fn hash(&mut self, scenario: &str, seed: u64) -> Option<String> {
        let key = (scenario.to_owned(), seed);
        loop {
            if let Some(hash) = self.told.remove(&key) {
                return Some(hash);
            }
            let mut line = String::new();
            let lines = self.lines.as_mut()?;
            if lines.read_line(&mut line).unwrap_or(0) == 0 {
                self.lines = None;
                return None;
            }
            // What is no report tells of a run that broke, there as here.
            if let Ok(report) = serde_json::from_str::<RunReport>(&line) {
                self.told.insert((report.scenario, report.seed), report.trace_hash);
            }
        }
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        // It may have ended already; either way nothing is left of it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
