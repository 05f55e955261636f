//! The runs of a comparison, and what is wrong with any of them.

use std::path::{Path, PathBuf};

use super::args::Compare;
use crate::cli::exit::Refused;
use crate::cli::job;
use crate::cli::on::On;
use crate::cli::progress::Progress;
use crate::cli::ran::Ran;
use crate::cli::source::Source;
use crate::cli::stop::Stop;
use crate::cli::{panics, pool};
use crate::engine::FanOut;
use crate::scenario::RunOptions;
use crate::scenario::compare::{Comparison, Pool};
use crate::scenario::report::Violation;

/// The most runs of one comparison: the time of each search is kept.
const MOST_RUNS: usize = 100_000;
/// The most violations that are kept to be told.
const MOST_TOLD: usize = 100;

/// One run to be made.
struct Job {
    source: usize,
    strategy: usize,
    seed: u64,
}

/// What an oracle found wrong with a run.
pub(super) struct Wrong {
    pub(super) file: PathBuf,
    pub(super) strategy: FanOut,
    pub(super) seed: u64,
    pub(super) violation: Violation,
}

/// What all runs came to.
#[derive(Default)]
pub(super) struct Collected {
    /// For each file, in order.
    pub(super) compared: Vec<Comparison>,
    pub(super) wrong: Vec<Wrong>,
    /// How many violations there were beyond those.
    pub(super) wrong_besides: u64,
    /// Runs that broke: what to tell of each.
    pub(super) broke: Vec<String>,
}

/// Run every file with every strategy and every seed. What comes of it does not depend on how many run at once.
pub(super) fn collect(
    args: &Compare,
    files: &[PathBuf],
    sources: &[Source],
    stop: &Stop,
) -> Result<Collected, Refused> {
    let strategies: Vec<FanOut> = args.fan_out.iter().map(|it| it.0).collect();
    let seeds: Vec<Vec<u64>> =
        files.iter().zip(sources).map(|(file, it)| seeds(args, file, it)).collect::<Result<_, _>>()?;
    let runs =
        seeds.iter().map(Vec::len).fold(0usize, usize::saturating_add).saturating_mul(strategies.len());
    if runs > MOST_RUNS {
        return Err(Refused::Usage(format!("{runs} runs; at most {MOST_RUNS} are compared")));
    }
    let jobs: Vec<Job> = (seeds.iter().enumerate())
        .flat_map(|(source, seeds)| {
            let each = move |strategy| seeds.iter().map(move |seed| Job { source, strategy, seed: *seed });
            (0..strategies.len()).flat_map(each)
        })
        .collect();
    let mut pools: Vec<Vec<Pool>> =
        sources.iter().map(|_| strategies.iter().copied().map(Pool::new).collect()).collect();
    let mut wanted: Vec<Option<(u16, u16)>> = vec![None; sources.len()];
    let mut all = Collected::default();
    let progress = Progress::over(jobs.len(), "runs");
    let work =
        |job: &Job| run(sources.get(job.source), strategies.get(job.strategy).copied(), job.seed, stop);
    let done = |index: usize, (ran, answers): (Ran, u16)| {
        let Some(job) = jobs.get(index) else { return };
        let (Some(file), Some(source), Some(strategy)) =
            (files.get(job.source), sources.get(job.source), strategies.get(job.strategy).copied())
        else {
            return;
        };
        match ran {
            Ran::Ended(report) => {
                if let Some(pool) = pools.get_mut(job.source).and_then(|it| it.get_mut(job.strategy)) {
                    pool.add(&report);
                }
                if let Some(wanted) = wanted.get_mut(job.source) {
                    let (least, most) = wanted.unwrap_or((answers, answers));
                    *wanted = Some((least.min(answers), most.max(answers)));
                }
                for violation in report.violations {
                    if all.wrong.len() < MOST_TOLD {
                        all.wrong.push(Wrong { file: file.clone(), strategy, seed: job.seed, violation });
                    } else {
                        all.wrong_besides += 1;
                    }
                }
            }
            Ran::Broke(cause) => {
                let again = again(file, strategy, job.seed, source);
                all.broke.push(format!(
                    "{} seed {}: {cause}\n  again    {again}\n",
                    file.display(),
                    job.seed
                ));
            }
            Ran::Stopped => {}
        }
    };
    pool::work_off(&jobs, pool::threads(args.jobs, jobs.len()), work, || progress.one_more(), done)?;
    progress.end();
    all.compared = (files.iter().zip(pools).zip(&seeds).zip(&wanted))
        .map(|(((file, pools), seeds), wanted)| {
            let name = file.display().to_string();
            Comparison::of(name, seeds.len() as u64, wanted.unwrap_or_default(), pools)
        })
        .collect();
    Ok(all)
}

/// The seeds to run of one file.
fn seeds(args: &Compare, file: &Path, source: &Source) -> Result<Vec<u64>, Refused> {
    let refused = |why: &str| Refused::Usage(format!("{}: {why}", file.display()));
    match (&args.seeds, source) {
        (Some(_), Source::Plan(_)) => {
            Err(refused("a plan was made from its seed already: compare it without --seeds"))
        }
        (Some(range), _) if range.0.end - range.0.start > MOST_RUNS as u64 => {
            Err(refused(&format!("more than {MOST_RUNS} seeds")))
        }
        (Some(range), _) => Ok(range.0.clone().collect()),
        (None, source) => Ok(source.seeds()),
    }
}

/// One run, and how many answers its searches wanted.
fn run(source: Option<&Source>, strategy: Option<FanOut>, seed: u64, stop: &Stop) -> (Ran, u16) {
    let (Some(source), Some(strategy), false) = (source, strategy, stop.raised()) else {
        return (Ran::Stopped, 0);
    };
    let mut wanted = 0;
    let ran = panics::caught(|| {
        let mut plan = source.plan(seed);
        plan.registry.fan_out = strategy;
        wanted = plan.registry.answers_wanted;
        // What a file expects, it expects of its own strategy.
        plan.expect.clear();
        On::Sim.run(&plan, RunOptions { stop: stop.flag(), ..RunOptions::default() })
    });
    let ran = match ran {
        Ok(Ok(report)) => Ran::Ended(Box::new(report)),
        Ok(Err(crate::scenario::RunError::Stopped)) => Ran::Stopped,
        Ok(Err(error)) => Ran::Broke(error.to_string()),
        Err(panic) => Ran::Broke(panic),
    };
    (ran, wanted)
}

/// The command that makes one run again.
pub(super) fn again(file: &Path, strategy: FanOut, seed: u64, source: &Source) -> String {
    let file = job::quoted(&file.display().to_string());
    match source {
        Source::Plan(_) => format!("swarmproof compare {file} --fan-out {strategy}"),
        Source::Scenario(_) => {
            format!(
                "swarmproof compare {file} --fan-out {strategy} --seeds {seed}..{}",
                seed.saturating_add(1)
            )
        }
    }
}
