//! The runs: each seed on the model here, in virtual time in two processes, and on sockets where that is asked for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use swarmproof::net::Wire;
use swarmproof::scenario::report::RunReport;
use swarmproof::scenario::{self, Plan, RunOptions, Scenario};

use super::compare::Row;

/// The most runs of one command.
const MOST: usize = 100_000;

/// What is to be judged.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Scenario files.
    pub files: Vec<PathBuf>,
    /// The seeds of each; the file's own if left out.
    pub seeds: Option<core::ops::Range<u64>>,
    /// How many seeds of each are run on sockets too, in real time.
    pub sockets: u64,
    /// How many seeds at once.
    pub jobs: usize,
}

/// Why nothing could be judged.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// A file is no scenario.
    #[error("{0}")]
    File(String),
    /// A scenario cannot be run on real swarms.
    #[error("{}: cannot be judged: {why}", file.display())]
    Unfit {
        /// Which.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// There is too much to do, or nothing.
    #[error("{found} runs; there must be between 1 and {MOST}")]
    Runs {
        /// How many.
        found: usize,
    },
    /// A run broke.
    #[error("{} seed {seed} {network}: {cause}", file.display())]
    Broke {
        /// Its file.
        file: PathBuf,
        /// Its seed.
        seed: u64,
        /// Where it was run.
        network: &'static str,
        /// Why, in the words of whoever ran it.
        cause: String,
    },
}

/// One seed of one scenario, on every network.
struct Judged {
    model: RunReport,
    real: RunReport,
    again: RunReport,
    sockets: Option<RunReport>,
}

struct Job<'a> {
    row: usize,
    file: &'a Path,
    plan: Plan,
    on_sockets: bool,
}

/// Make all runs. `told` hears of each seed that is done, out of how many.
pub fn drive(asked: &Asked, told: &(dyn Fn(usize, usize) + Sync)) -> Result<Vec<Row>, JudgeError> {
    let mut rows = Vec::new();
    let mut jobs = Vec::new();
    for file in &asked.files {
        let scenario = Scenario::read(file).map_err(|error| JudgeError::File(error.to_string()))?;
        let seeds = asked.seeds.clone().map_or_else(|| scenario.seeds(), Vec::from_iter);
        let mut quiet = true;
        for (seed, place) in seeds.into_iter().zip(0..) {
            let plan = Plan::make(&scenario, seed);
            if let Some(why) = crate::registry::unfit(&plan) {
                return Err(JudgeError::Unfit { file: file.clone(), why });
            }
            quiet &= !plan.has_faults();
            let on_sockets = place < asked.sockets && scenario::unfit(&plan).is_ok();
            jobs.push(Job { row: rows.len(), file, plan, on_sockets });
        }
        rows.push(Row::new(file.display().to_string(), quiet));
    }
    if jobs.is_empty() || jobs.len() > MOST {
        return Err(JudgeError::Runs { found: jobs.len() });
    }
    let judged = work_off(&jobs, asked.jobs, told)?;
    for (job, judged) in jobs.iter().zip(judged.into_values()) {
        if let Some(row) = rows.get_mut(job.row) {
            row.add(&judged.model, &judged.real, &judged.again);
            if let Some(sockets) = &judged.sockets {
                row.add_sockets(&judged.real, sockets);
            }
        }
    }
    Ok(rows)
}

/// All jobs, `threads` at once; by their place. The first that breaks ends it.
fn work_off(
    jobs: &[Job<'_>],
    threads: usize,
    told: &(dyn Fn(usize, usize) + Sync),
) -> Result<BTreeMap<usize, Judged>, JudgeError> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new((BTreeMap::new(), None));
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, jobs.len()) {
            scope.spawn(|| {
                while let Some((place, job)) = {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    jobs.get(place).map(|job| (place, job))
                } {
                    let judged = judge(job);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    match judged {
                        Ok(judged) => {
                            done.0.insert(place, judged);
                            told(done.0.len(), jobs.len());
                        }
                        Err(error) => {
                            done.1.get_or_insert(error);
                            next.store(jobs.len(), Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    let (done, broke) = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    broke.map_or(Ok(done), Err)
}

fn judge(job: &Job<'_>) -> Result<Judged, JudgeError> {
    let seed = job.plan.seed;
    let broke = |network: &'static str, cause: String| JudgeError::Broke {
        file: job.file.to_owned(),
        seed,
        network,
        cause,
    };
    #[expect(clippy::disallowed_methods, reason = "what a run costs is told to people; no run sees it")]
    let begun = Instant::now();
    let model = scenario::run(&job.plan, RunOptions::default());
    let took = begun.elapsed();
    let mut model = model.map_err(|error| broke("on the model", error.to_string()))?;
    model.wall_ms = took.as_secs_f64() * 1e3;
    let virtual_time = || child(job.file, seed).map_err(|cause| broke("in virtual time", cause));
    let (real, again) = (virtual_time()?, virtual_time()?);
    let sockets = if job.on_sockets {
        let run = scenario::run_on_swarms(&job.plan, Wire::Tcp, &RunOptions::default());
        Some(run.map_err(|error| broke("on sockets", error.to_string()))?)
    } else {
        None
    };
    Ok(Judged { model, real, again, sockets })
}

/// The report of a run in a process of its own.
fn child(file: &Path, seed: u64) -> Result<RunReport, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.arg("run").arg(file).arg(format!("--seed={seed}"));
    command.args(["--alone", "--within", "--format=json"]).stdin(Stdio::null());
    let output = command.output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let report = text.lines().rev().find_map(|line| serde_json::from_str(line).ok());
    report.ok_or_else(|| {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        format!("{} without a report: {last}", output.status)
    })
}
