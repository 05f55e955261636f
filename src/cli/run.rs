//! `swarmproof run`: every file with every seed, on all cores, reported in order.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Mutex;

use super::exit::{End, Refused};
use super::job::{self, How, Job};
use super::on::On;
use super::progress::Progress;
use super::ran::{Ran, Second};
use super::run_args::RunArgs;
use super::source::{self, Source};
use super::stop::Stop;
use super::told::Told;
use super::twin::Twin;
use super::{files, output, pool};

/// The most runs of one command: their reports are kept for the table.
const MOST_RUNS: usize = 1_000_000;

/// Do it.
pub(crate) fn run(args: &RunArgs, on: On<'_>) -> Result<End, Refused> {
    let files = files::collect(&args.paths)?;
    let sources = source::read_all(&files)?;
    let jobs = jobs(args, &files, &sources)?;
    let plans = jobs.iter().filter_map(|job| {
        let source = sources.get(job.source)?;
        Some((job.file.as_path(), source.plan(job.seed)))
    });
    on.check(args, plans)?;
    let trace = Mutex::new(trace(args, jobs.len())?);
    let stop = Stop::on_signal()?;
    let progress = Progress::over(jobs.len(), "runs");
    let apart = on.apart() && !args.within;
    let compared = on.repeats() && !args.alone && !args.within;
    let mut twin = if compared && !apart { Some(Twin::start(args)?) } else { None };
    if let Some(note) = on.note()
        && !args.within
    {
        output::say(&format!("{note}\n"));
    }
    let mut told = Told::new(args, on, &stop);
    let how = How { why: args.why, within: args.within, trace: args.trace.as_deref() };
    let work = |job: &Job| {
        let trace = trace.lock().ok().and_then(|mut it| it.take());
        match sources.get(job.source) {
            Some(source) if apart => job::run_apart(job, source, &how, compared, &stop),
            Some(source) => (job::run(job, source, on, &how, trace, &stop), None),
            None => (Ran::Broke("its file is gone".to_owned()), None),
        }
    };
    let done = |index: usize, (ran, mut second): (Ran, Option<Second>)| {
        if let (Ran::Ended(report), Some(twin), false) = (&ran, &mut twin, stop.raised()) {
            second = Some(twin.second(report));
        }
        if let (Some(job), Some(source)) =
            (jobs.get(index), jobs.get(index).and_then(|it| sources.get(it.source)))
        {
            progress.aside(|| told.hear(job, source, ran, second.as_ref()));
        }
    };
    pool::work_off(
        &jobs,
        pool::threads(on.at_once(args.jobs), jobs.len()),
        work,
        || progress.one_more(),
        done,
    )?;
    progress.end();
    told.conclude()
}

/// Every file with every seed.
fn jobs(args: &RunArgs, files: &[PathBuf], sources: &[Source]) -> Result<Vec<Job>, Refused> {
    let mut jobs = Vec::new();
    for (index, (file, source)) in files.iter().zip(sources).enumerate() {
        let seeds =
            seeds(args, source).map_err(|why| Refused::Usage(format!("{}: {why}", file.display())))?;
        if jobs.len().saturating_add(seeds.len()) > MOST_RUNS {
            return Err(Refused::Usage(format!("more than {MOST_RUNS} runs in one command")));
        }
        jobs.extend(seeds.into_iter().map(|seed| Job { source: index, file: file.clone(), seed }));
    }
    if args.within && jobs.len() != 1 {
        let why = format!("--within is for one run, and these are {}", jobs.len());
        return Err(Refused::Usage(why));
    }
    Ok(jobs)
}

/// The seeds to run of one file.
fn seeds(args: &RunArgs, source: &Source) -> Result<Vec<u64>, String> {
    let asked = match (&args.seeds, args.seed) {
        (Some(range), _) => {
            if range.0.end - range.0.start > MOST_RUNS as u64 {
                return Err(format!("more than {MOST_RUNS} seeds"));
            }
            Some(range.0.clone().collect())
        }
        (None, Some(seed)) => Some(vec![seed]),
        (None, None) => None,
    };
    match (source, asked) {
        (Source::Plan(_), Some(_)) => {
            Err("a plan was made from its seed already: run it without --seed".to_owned())
        }
        (_, Some(seeds)) => Ok(seeds),
        (source, None) => Ok(source.seeds()),
    }
}

/// The file for the trace, made only once everything else is known to be good.
fn trace(args: &RunArgs, runs: usize) -> Result<Option<Box<dyn Write + Send>>, Refused> {
    let Some(path) = &args.trace else { return Ok(None) };
    if runs != 1 {
        let why =
            format!("--trace is for one run, and these are {runs}: name one file, and one seed with --seed");
        return Err(Refused::Usage(why));
    }
    let file = File::create(path).map_err(|cause| Refused::Unwritable { path: path.clone(), cause })?;
    Ok(Some(Box::new(BufWriter::new(file))))
}
