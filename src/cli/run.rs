//! `swarmproof run`: every file with every seed, on all cores, reported in order.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::Mutex;

use swarmproof::scenario::report::{self, RunReport, Tone, Verdict};

use super::args::{Format, Run};
use super::exit::{End, Refused};
use super::job::{self, Job, Ran};
use super::on::On;
use super::progress::Progress;
use super::source::{self, Source};
use super::stop::Stop;
use super::twin::Twin;
use super::{files, output, pool};

/// The most runs of one command: their reports are kept for the table.
const MOST_RUNS: usize = 1_000_000;

/// Do it.
pub(crate) fn run(args: &Run) -> Result<End, Refused> {
    let files = files::collect(&args.paths)?;
    let sources = source::read_all(&files)?;
    let mut jobs = Vec::new();
    for (index, (file, source)) in files.iter().zip(&sources).enumerate() {
        let seeds =
            seeds(args, source).map_err(|why| Refused::Usage(format!("{}: {why}", file.display())))?;
        if jobs.len().saturating_add(seeds.len()) > MOST_RUNS {
            return Err(Refused::Usage(format!("more than {MOST_RUNS} runs in one command")));
        }
        jobs.extend(seeds.into_iter().map(|seed| Job { source: index, file: file.clone(), seed }));
    }
    let on = On::of(args)?;
    let plans = jobs.iter().filter_map(|job| {
        let source = sources.get(job.source)?;
        Some((job.file.as_path(), source.plan(job.seed)))
    });
    on.check(args, plans)?;
    let trace = Mutex::new(trace(args, jobs.len())?);
    let stop = Stop::on_signal()?;
    let progress = Progress::over(jobs.len(), "runs");
    let twin = if args.alone || !on.repeats() { None } else { Some(Twin::start(args)?) };
    if let Some(note) = on.note() {
        output::say(note);
    }
    let mut told = Told::new(args, on, &stop, twin);
    let work = |job: &Job| {
        let trace = trace.lock().ok().and_then(|mut it| it.take());
        match sources.get(job.source) {
            Some(source) => job::run(job, source, on, args.why, trace, &stop),
            None => Ran::Broke("its file is gone".to_owned()),
        }
    };
    let done = |index: usize, ran: Ran| {
        if let (Some(job), Some(source)) =
            (jobs.get(index), jobs.get(index).and_then(|it| sources.get(it.source)))
        {
            progress.aside(|| told.hear(job, source, ran));
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

/// The seeds to run of one file.
fn seeds(args: &Run, source: &Source) -> Result<Vec<u64>, String> {
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
fn trace(args: &Run, runs: usize) -> Result<Option<Box<dyn Write + Send>>, Refused> {
    let Some(path) = &args.trace else { return Ok(None) };
    if runs != 1 {
        let why =
            format!("--trace is for one run, and these are {runs}: name one file, and one seed with --seed");
        return Err(Refused::Usage(why));
    }
    let file = File::create(path).map_err(|cause| Refused::Unwritable { path: path.clone(), cause })?;
    Ok(Some(Box::new(BufWriter::new(file))))
}

/// What has been told so far.
struct Told<'a> {
    args: &'a Run,
    on: On,
    stop: &'a Stop,
    twin: Option<Twin>,
    reports: Vec<RunReport>,
    broke: usize,
    stopped: usize,
    /// The first failure to write, after which nothing more is written or run.
    unwritable: Option<Refused>,
}

impl<'a> Told<'a> {
    fn new(args: &'a Run, on: On, stop: &'a Stop, twin: Option<Twin>) -> Self {
        Self { args, on, stop, twin, reports: Vec::new(), broke: 0, stopped: 0, unwritable: None }
    }

    /// Tell one run.
    fn hear(&mut self, job: &Job, source: &Source, ran: Ran) {
        match ran {
            Ran::Ended(mut report) => {
                if let Some(twin) = &mut self.twin
                    && !self.stop.raised()
                {
                    twin.compare(&mut report);
                }
                self.put(&match self.args.format {
                    Format::Text => self.text(&report),
                    Format::Json => json(&report),
                });
                self.reports.push(*report);
            }
            Ran::Broke(cause) => {
                self.broke += 1;
                let (file, seed) = (job.file.display(), job.seed);
                let replay = job::replay(&job.file, seed, source, self.on);
                let word = output::paint(Tone::Bad, "broke");
                output::say(&format!("{word} {file} seed {seed}: {cause}\n  replay   {replay}\n"));
            }
            Ran::Stopped => self.stopped += 1,
        }
    }

    fn text(&self, report: &RunReport) -> String {
        let mut text = format!("{}\n", report::line(report, &output::paint));
        if self.args.why && report.verdict == Verdict::Pass {
            text.push_str(&report::reasons(report, &output::paint));
        }
        text
    }

    /// Tell what it comes to.
    fn conclude(mut self) -> Result<End, Refused> {
        let failed: Vec<&RunReport> = self.reports.iter().filter(|it| it.verdict == Verdict::Fail).collect();
        let any_failed = !failed.is_empty();
        if self.args.format == Format::Text && !self.reports.is_empty() {
            let mut text = format!("\n{}", report::summary(&self.reports, &output::paint));
            for report in &failed {
                text.push('\n');
                text.push_str(&report::failure(report, &output::paint));
            }
            text.push_str(&format!("\n{}\n", self.sentence(failed.len())));
            self.put(&text);
        }
        if let Some(refused) = self.unwritable {
            return Err(refused);
        }
        Ok(match (self.stop.raised(), self.broke > 0, any_failed) {
            (true, _, _) => End::Interrupted,
            (false, true, _) => End::Broke,
            (false, false, true) => End::Failed,
            (false, false, false) => End::Held,
        })
    }

    fn sentence(&self, failed: usize) -> String {
        let mut text = match self.reports.len() {
            1 => "1 run".to_owned(),
            count => format!("{count} runs"),
        };
        if failed == 0 && self.broke == 0 && self.stopped == 0 {
            text.push_str(&output::paint(Tone::Good, ", all held"));
        }
        for (count, word) in [(failed, "failed"), (self.broke, "broke"), (self.stopped, "not finished")] {
            if count > 0 {
                text.push_str(&output::paint(Tone::Bad, &format!(", {count} {word}")));
            }
        }
        text
    }

    fn put(&mut self, text: &str) {
        if self.unwritable.is_none() {
            self.unwritable = output::put(text).err();
            if self.unwritable.is_some() {
                self.stop.raise();
            }
        }
    }
}

/// One line of JSON.
fn json(report: &RunReport) -> String {
    match serde_json::to_string(report) {
        Ok(line) => format!("{line}\n"),
        // Every key is a string, so this cannot be; but a line must come.
        Err(error) => format!("{}\n", serde_json::json!({ "verdict": "fail", "error": error.to_string() })),
    }
}
