//! `swarmproof sweep`: many seeds on all cores, in worker processes.
//!
//! A worker is this program again. It takes one seed after the other over a pipe, since a process for each would cost
//! more than most runs do. One that crashes, or takes longer for a seed than it may, is a failure with that seed's name,
//! and another takes its place. What has not come to its end is never counted as passed.
//!
//! Each plan that fails is on disk before the next line is told. Nothing that is kept grows with the number of seeds.

mod args;
mod folder;
mod hand;
mod queue;
mod shard;
mod tally;
mod worker;

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

pub use self::args::SweepArgs;
pub(crate) use self::args::SweepHow;
use self::folder::Folder;
pub(crate) use self::folder::write;
use self::hand::{Came, Hand};
use self::queue::Queue;
use self::shard::Shard;
use self::tally::Tally;
use self::worker::Told;
use super::clock::Clock;
use super::exit::{End, Refused};
use super::job::{self, Job};
use super::on::On;
use super::output::{self, paint};
use super::progress::Progress;
use super::source::{self, Source};
use super::stop::Stop;
use super::{files, panics, pool};
use crate::scenario::Scenario;
use crate::scenario::chaos::EXPLORE_NAME;
use crate::scenario::plan::{Failure, FailureKind};
use crate::scenario::report::Tone;

/// How often is told how far it is, where nobody watches a bar.
const TELL: Duration = Duration::from_secs(10);

/// So many seeds of the built-in frame reach every probe that they must: the rarest, a further page of an answer, was
/// reached in 11 of 1,397 seeds.
const ENOUGH_TO_REACH_ALL: u64 = 3000;

/// What came of a seed, or that no worker can be had.
type Heard = Result<(Job, Came), Refused>;

/// What is swept.
#[derive(Debug)]
pub(crate) struct Swept {
    files: Vec<PathBuf>,
    sources: Vec<Source>,
    /// What a worker is started with, to know the same sources.
    arguments: Vec<OsString>,
    /// Whether it is the built-in scenario, which is no file.
    built_in: bool,
}

impl Swept {
    /// The files that these paths mean.
    pub(crate) fn files(paths: &[PathBuf]) -> Result<Self, Refused> {
        let files = files::collect(paths)?;
        let sources = source::read_all(&files)?;
        let mut arguments = vec!["sweep".into(), "--worker".into(), "--".into()];
        arguments.extend(files.iter().map(|it| it.clone().into_os_string()));
        Ok(Self { files, sources, arguments, built_in: false })
    }

    /// The built-in scenario.
    pub(crate) fn explore() -> Result<Self, Refused> {
        let scenario = Scenario::explore().map_err(|error| Refused::Files(vec![error]))?;
        Ok(Self {
            files: vec![EXPLORE_NAME.into()],
            sources: vec![Source::Scenario(scenario)],
            arguments: vec!["explore".into(), "--worker".into()],
            built_in: true,
        })
    }
}

/// Do it.
pub(crate) fn sweep(swept: &Swept, how: &SweepHow, on: On<'_>) -> Result<End, Refused> {
    if how.worker {
        return worker::work(&swept.files, &swept.sources, on);
    }
    let queue = queue(swept, how)?;
    let first = |source: &Source| source.seeds().first().copied().unwrap_or_default();
    on.fits(swept.files.iter().zip(&swept.sources).map(|(file, it)| (file.as_path(), it.plan(first(it)))))?;
    let folder = Folder::ready(&how.failures, &swept.files)?;
    let stop = Stop::on_signal()?;
    let clock = Clock::start();
    let (next, enough) = (AtomicU64::new(0), AtomicBool::new(false));
    let workers = pool::threads(how.jobs, usize::try_from(queue.len()).unwrap_or(usize::MAX));
    let (send, heard) = mpsc::sync_channel::<Heard>(workers);
    let mut sweep =
        Sweep { swept, how, on, folder: &folder, tally: Tally::default(), wrong: None, all: queue.len() };
    thread::scope(|scope| {
        for number in 0..workers {
            let (send, next, enough, queue, stop, clock) =
                (send.clone(), &next, &enough, &queue, &stop, &clock);
            let take = move || {
                let over = || how.time.is_some_and(|time| clock.elapsed() >= time.0);
                let mut idle: Option<Hand> = None;
                while !(stop.raised() || enough.load(Ordering::Relaxed) || over()) {
                    let Some(job) = queue.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
                    let start = || Hand::start(|command| start(swept, command));
                    let hand = match idle.take().map_or_else(start, Ok) {
                        Ok(hand) => hand,
                        Err(cause) => {
                            let _ = send.send(Err(Refused::System { what: "cannot start a worker", cause }));
                            return;
                        }
                    };
                    let (came, left) = hand.ask(&job, how.limit.0, || stop.raised());
                    idle = left;
                    if send.send(Ok((job, came))).is_err() {
                        return;
                    }
                }
            };
            thread::Builder::new()
                .name(format!("hand-{number}"))
                .spawn_scoped(scope, take)
                .map_err(|cause| Refused::System { what: "cannot start a thread", cause })?;
        }
        drop(send);
        let progress = Progress::over(usize::try_from(queue.len()).unwrap_or(usize::MAX), "seeds");
        let mut told = Duration::ZERO;
        loop {
            match heard.recv_timeout(Duration::from_secs(1)) {
                Ok(heard) => {
                    progress.one_more();
                    sweep.hear(heard, &stop, &progress);
                    if sweep.tally.bad() > 0 && !how.keep_going {
                        enough.store(true, Ordering::Relaxed);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if clock.elapsed().saturating_sub(told) >= TELL && !std::io::stderr().is_terminal() {
                told = clock.elapsed();
                output::say(&sweep.so_far(told));
            }
        }
        progress.end();
        Ok::<(), Refused>(())
    })?;
    let (tally, wrong) = (sweep.tally, sweep.wrong);
    let held_to = how.probes.unwrap_or(swept.built_in && tally.ran() >= ENOUGH_TO_REACH_ALL);
    let unreached = held_to && !tally.unreached().is_empty();
    folder.end();
    if held_to {
        output::put(&format!("\n{}", tally.probes()))?;
    }
    output::put(&tally.text(queue.len(), clock.elapsed().as_secs_f64()))?;
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    Ok(match (stop.raised(), tally.any_broke(), tally.bad() > 0 || unreached) {
        (true, ..) => End::Interrupted,
        (false, true, _) => End::Broke,
        (false, false, true) => End::Failed,
        (false, false, false) => End::Held,
    })
}

fn queue(swept: &Swept, how: &SweepHow) -> Result<Queue, Refused> {
    let (files, shard) = (swept.files.clone(), how.shard.unwrap_or(Shard::WHOLE));
    let queue = match &how.seeds {
        Some(seeds) => {
            let both = swept.files.iter().zip(&swept.sources);
            if let Some((file, _)) = both.into_iter().find(|(_, it)| matches!(it, Source::Plan(_))) {
                let why = "a plan was made from its seed already: sweep it without --seeds";
                return Err(Refused::Usage(format!("{}: {why}", file.display())));
            }
            Queue::each(files, seeds.0.clone(), shard)
        }
        None => {
            let own = swept.sources.iter().enumerate();
            let own = own.flat_map(|(place, it)| it.seeds().into_iter().map(move |seed| (place, seed)));
            Queue::own(files, own.collect(), shard)
        }
    };
    if queue.len() == 0 {
        let why = "this part holds no seed: there are fewer seeds than parts";
        return Err(Refused::Usage(why.to_owned()));
    }
    Ok(queue)
}

fn start(swept: &Swept, command: &mut Command) {
    command.args(&swept.arguments);
    // Its words are read by this program, not by a terminal.
    command.env("NO_COLOR", "1").env_remove("CLICOLOR_FORCE");
}

/// A sweep that goes on.
struct Sweep<'a> {
    swept: &'a Swept,
    how: &'a SweepHow,
    on: On<'a>,
    folder: &'a Folder,
    tally: Tally,
    /// The first thing that went wrong with the sweep itself; it ends for it.
    wrong: Option<Refused>,
    all: u64,
}

impl Sweep<'_> {
    fn hear(&mut self, heard: Heard, stop: &Stop, progress: &Progress) {
        let told = match heard {
            Ok((job, came)) => self.came(&job, came),
            Err(wrong) => Err(wrong),
        };
        let told = told.and_then(|line| match line {
            Some(line) => progress.aside(|| output::put(&line)),
            None => Ok(()),
        });
        if let Err(wrong) = told
            && self.wrong.is_none()
        {
            self.wrong = Some(wrong);
            // Without a place for what fails, or anybody who reads, there is no use in going on.
            stop.raise();
        }
    }

    /// One seed has come to something. What is to be told of it.
    fn came(&mut self, job: &Job, came: Came) -> Result<Option<String>, Refused> {
        let failure = match came {
            Came::GivenUp => return Ok(None),
            Came::Told(Told::Passed(probes)) => {
                self.tally.pass();
                self.tally.reached(probes);
                return Ok(None);
            }
            Came::Told(Told::Failed(mut report)) => {
                self.tally.reached(core::mem::take(&mut report.probes));
                Failure::of(&report).unwrap_or_else(|| {
                    Failure::unended(FailureKind::Broken, "it failed and did not say by what")
                })
            }
            Came::Told(Told::Broke(cause)) => Failure::unended(FailureKind::Broken, &cause),
            Came::Crashed(cause) => Failure::unended(FailureKind::Crash, &cause),
            Came::Hung => {
                let detail = format!("it did not end within {}", self.how.limit);
                Failure::unended(FailureKind::Hang, &detail)
            }
        };
        let Some(source) = self.swept.sources.get(job.source) else { return Ok(None) };
        let (file, seed) = (job.file.display(), job.seed);
        // A seed of which no plan can be made has none to be kept.
        let kept = match panics::caught(|| source.plan(seed)) {
            Ok(mut plan) => {
                plan.failure = Some(failure.clone());
                Some(self.folder.keep(job.source, &plan))
            }
            Err(_) => None,
        };
        let (path, wrong) = match kept {
            Some(Ok(path)) => (Some(path), None),
            Some(Err(wrong)) => (None, Some(wrong)),
            None => (None, None),
        };
        self.tally.fail(seed, &failure, self.commands(job, source, &failure, path));
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        let word = paint(Tone::Bad, if failure.kind.ended() { "fail" } else { &failure.oracle });
        let by = if failure.kind.ended() {
            format!("{} ({}) at {}: ", failure.oracle, failure.kind.name(), failure.at)
        } else {
            String::new()
        };
        Ok(Some(format!("{word} {file} seed {seed}: {by}{}\n", failure.detail)))
    }

    /// The commands that make a failure again.
    fn commands(&self, job: &Job, source: &Source, failure: &Failure, path: Option<PathBuf>) -> String {
        let again = match self.swept.built_in {
            true => format!("swarmproof explore --seeds {}..{}", job.seed, job.seed.saturating_add(1)),
            false => job::replay(&job.file, job.seed, source, self.on),
        };
        let mut lines = vec![("run", again)];
        if let (Some(path), On::Sim) = (path, self.on) {
            let path = job::quoted(&path.display().to_string());
            if failure.kind.ended() {
                lines = vec![("replay", format!("swarmproof replay {path}"))];
                lines.push(("shrink", format!("swarmproof shrink {path}")));
            } else {
                lines.push(("plan", path));
            }
        }
        let line = |(word, command): (&str, String)| {
            format!("  {}  {command}\n", paint(Tone::Heading, &format!("{word:<6}")))
        };
        lines.into_iter().map(line).collect()
    }

    /// How far it is, in a line.
    fn so_far(&self, elapsed: Duration) -> String {
        let (ran, all) = (self.tally.ran(), self.all);
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        let rate = ran as f64 / elapsed.as_secs_f64().max(1e-9);
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        let left = all.saturating_sub(ran) as f64 / rate.max(1e-9);
        let left = if ran == 0 { "an unknown time".to_owned() } else { format!("{left:.0}s") };
        format!("{ran} of {all} seeds, {rate:.1}/s, {left} left, {} failed\n", self.tally.bad())
    }
}
