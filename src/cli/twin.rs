//! Oracle 10: the same plan gives the same trace hash in another process.
//!
//! The twin is this program again, with the same files and seeds. It runs beside and tells the hash of
//! each run; whoever reports a run compares. It is ended when it is dropped.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{ChildStdout, Stdio};

use super::exit::Refused;
use super::process::Owned;
use super::ran::Second;
use super::run_args::RunArgs;
use crate::scenario::report::RunReport;

/// The other process.
#[derive(Debug)]
pub(crate) struct Twin {
    _process: Owned,
    lines: Option<BufReader<ChildStdout>>,
    /// What it has told and nobody has asked for yet: at most as many as it is ahead.
    told: BTreeMap<(String, u64), String>,
}

impl Twin {
    /// Start it.
    pub(crate) fn start(args: &RunArgs) -> Result<Self, Refused> {
        let arguments = |command: &mut std::process::Command| {
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
        };
        let refuse = |cause| Refused::System { what: "cannot start a second process", cause };
        let mut process = Owned::start(arguments, Stdio::null()).map_err(refuse)?;
        let lines = process.output().map(BufReader::new);
        Ok(Self { _process: process, lines, told: BTreeMap::new() })
    }

    /// What came of `report`'s run in the other process. It reports in the same order, so this waits no longer than
    /// that run takes it.
    pub(crate) fn second(&mut self, report: &RunReport) -> Second {
        let key = (report.scenario.clone(), report.seed);
        loop {
            if let Some(hash) = self.told.remove(&key) {
                return Second::Hash(hash);
            }
            let mut line = String::new();
            let Some(lines) = self.lines.as_mut() else { return Second::Broke(None) };
            if lines.read_line(&mut line).unwrap_or(0) == 0 {
                self.lines = None;
                return Second::Broke(None);
            }
            // What is no report tells of a run that broke, there as here.
            if let Ok(report) = serde_json::from_str::<RunReport>(&line) {
                self.told.insert((report.scenario, report.seed), report.trace_hash);
            }
        }
    }
}
