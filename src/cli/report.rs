//! `swarmproof report`: a run, or two side by side, as one HTML file to be looked at.
//!
//! Whether the run held does not matter: it ends with 0 when the file is written. A plan that failed and is another run
//! now is refused, as `replay` refuses it.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::args::Report;
use super::clock::Clock;
use super::exit::{End, Refused};
use super::job;
use super::on::On;
use super::output;
use super::panics;
use super::source::Source;
use super::stop::Stop;
use super::traced::Folder;
use crate::scenario::history::{Chronicle, History};
use crate::scenario::page::{Shown, page, page_of_two};
use crate::scenario::plan::FailureKind;
use crate::scenario::report::{RunReport, compare_traces};
use crate::scenario::{Plan, RunError, RunOptions};
use crate::time::Timestamp;

/// How much of a trace is kept to be compared: some million events.
const MOST_TRACED: u64 = 256 << 20;

/// A run to be made.
struct Wanted {
    file: PathBuf,
    title: String,
    replay: String,
    plan: Plan,
}

/// A run that was made.
struct Made {
    history: History,
    report: Option<RunReport>,
    broke: Option<String>,
}

/// Do it.
pub(crate) fn report(args: &Report, on: On<'_>) -> Result<End, Refused> {
    let one = wanted(&args.file, args.seed, on)?;
    let against = args.other.as_ref().or(args.against.as_ref());
    let other = match (against, args.against_seed) {
        (None, None) => None,
        (file, seed) => Some(wanted(file.unwrap_or(&args.file), seed.or(args.seed), on)?),
    };
    let output = args.output.clone().unwrap_or_else(|| place(&one, args));
    let stop = Stop::on_signal()?;
    // Made before any run, so that a folder that cannot be written is told before the work.
    let part = Part::new(&output)?;
    let page = match &other {
        None => made(&one, None, on, &stop)?.map(|run| page(run.shown(&one))),
        Some(other) => side_by_side(&one, other, on, &stop)?,
    };
    let Some(page) = page else { return Ok(End::Interrupted) };
    part.write(&page)?;
    output::print(&format!("{}: {} KiB\n", output.display(), page.len().div_ceil(1024)))
}

fn wanted(file: &Path, seed: Option<u64>, on: On<'_>) -> Result<Wanted, Refused> {
    let source = Source::read(file)?;
    let name = file.display().to_string();
    let (title, seed) = match (&source, seed) {
        (Source::Plan(_), Some(_)) => {
            return Err(Refused::Usage(format!(
                "{name}: is a plan, which has its seed in it: leave --seed out"
            )));
        }
        (Source::Plan(plan), None) => (name, plan.seed),
        (Source::Scenario(scenario), seed) => {
            let seed = seed.or_else(|| scenario.seeds().first().copied()).unwrap_or(0);
            (format!("{name}, seed {seed}"), seed)
        }
    };
    let plan = source.plan(seed);
    let replay = match plan.failure {
        Some(_) => format!("{} replay {}", on.program(), job::quoted(&file.display().to_string())),
        None => job::replay(file, seed, &source, on),
    };
    Ok(Wanted { file: file.to_owned(), title, replay, plan })
}

/// Where the page goes unless it is said: beside a plan, and of a scenario into the present folder.
fn place(one: &Wanted, args: &Report) -> PathBuf {
    if args.other.is_some() || args.against.is_some() || args.against_seed.is_some() {
        return PathBuf::from("report.html");
    }
    if one.title == one.file.display().to_string() {
        return one.file.with_extension("html");
    }
    let stem = one.file.file_stem().unwrap_or_default().to_string_lossy();
    PathBuf::from(format!("{stem}-{}.html", one.plan.seed))
}

fn side_by_side(one: &Wanted, other: &Wanted, on: On<'_>, stop: &Stop) -> Result<Option<String>, Refused> {
    let trouble = |cause| Refused::System { what: "the traces cannot be kept to be compared", cause };
    let folder = Folder::new().map_err(trouble)?;
    let (trace, against) = (folder.file("one.jsonl"), folder.file("other.jsonl"));
    let Some(run) = made(one, Some(&trace), on, stop)? else { return Ok(None) };
    let Some(beside) = made(other, Some(&against), on, stop)? else { return Ok(None) };
    let read = |path: &Path| Ok::<_, io::Error>(BufReader::new(File::open(path)?));
    let compared = read(&trace).and_then(|it| compare_traces(it, read(&against)?)).map_err(trouble)?;
    let cut =
        [&trace, &against].iter().any(|path| fs::metadata(path).is_ok_and(|it| it.len() >= MOST_TRACED));
    Ok(Some(page_of_two(run.shown(one), beside.shown(other), &compared, cut)))
}

impl Made {
    fn shown<'a>(&'a self, wanted: &'a Wanted) -> Shown<'a> {
        Shown {
            title: &wanted.title,
            replay: &wanted.replay,
            plan: &wanted.plan,
            history: &self.history,
            report: self.report.as_ref(),
            broke: self.broke.as_deref(),
        }
    }
}

/// Make the run. `None` when it was interrupted.
fn made(wanted: &Wanted, trace: Option<&Path>, on: On<'_>, stop: &Stop) -> Result<Option<Made>, Refused> {
    let Some(made) = once(wanted, &Chronicle::default(), trace, on, stop)? else { return Ok(None) };
    // Where there were more events than are kept, those around what failed are wanted: it is the same run again.
    let instants: Vec<Timestamp> = made.report.iter().flat_map(instants).collect();
    if made.history.left_out.events == 0 || instants.is_empty() {
        return Ok(Some(made));
    }
    once(wanted, &Chronicle::around(instants), None, on, stop)
}

fn once(
    wanted: &Wanted,
    chronicle: &Chronicle,
    trace: Option<&Path>,
    on: On<'_>,
    stop: &Stop,
) -> Result<Option<Made>, Refused> {
    let written = |path: &Path| -> Result<Box<dyn Write + Send>, Refused> {
        let cause = |cause| Refused::Unwritable { path: path.to_owned(), cause };
        Ok(Box::new(Bounded { inner: BufWriter::new(File::create(path).map_err(cause)?), left: MOST_TRACED }))
    };
    let options = RunOptions {
        trace: trace.map(written).transpose()?,
        why: true,
        stop: stop.flag(),
        chronicle: Some(chronicle.clone()),
        ..RunOptions::default()
    };
    let clock = Clock::start();
    let ran = panics::caught(|| on.run(&wanted.plan, options));
    let took = clock.elapsed();
    let (report, broke) = match ran {
        Ok(Ok(mut report)) => {
            report.wall_ms = (took.as_secs_f64() * 1e6).round() / 1e3;
            report.scenario.clone_from(&wanted.title);
            report.replay.clone_from(&wanted.replay);
            (Some(report), None)
        }
        Ok(Err(RunError::Stopped)) => return Ok(None),
        Ok(Err(error)) => (None, Some(error.to_string())),
        Err(panic) => (None, Some(panic)),
    };
    same(wanted, report.as_ref())?;
    Ok(Some(Made { history: chronicle.history(), report, broke }))
}

/// When what failed showed, as far as oracles say.
fn instants(report: &RunReport) -> impl Iterator<Item = Timestamp> {
    report.violations.iter().map(|it| Timestamp::ZERO.after(Duration::from_millis(it.at_ms)))
}

/// Refuse to show another run than the one that failed.
fn same(wanted: &Wanted, report: Option<&RunReport>) -> Result<(), Refused> {
    let (Some(failure), Some(report)) = (&wanted.plan.failure, report) else { return Ok(()) };
    let file = wanted.file.display();
    match &failure.trace_hash {
        Some(hash) if *hash != report.trace_hash => Err(Refused::Usage(format!(
            "{file}: the trace hash is {}, and {hash} was expected: this is not the run that failed; the plan was \
             edited, or this program is another (it failed in version {}); without its [failure] it is shown as it is",
            report.trace_hash, failure.version
        ))),
        None if failure.kind != FailureKind::Broken => {
            output::say(&format!("{file}: its run {} there, and here it came to its end\n", failure.oracle));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Takes no more when it has taken so much; a trace ends at the first error.
struct Bounded<W> {
    inner: W,
    left: u64,
}

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        let written = self.inner.write(bytes)?;
        self.left = self.left.saturating_sub(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The file, until all of it is there.
struct Part {
    whole: PathBuf,
    part: PathBuf,
    done: bool,
}

impl Part {
    fn new(whole: &Path) -> Result<Self, Refused> {
        let unwritable = |cause| Refused::Unwritable { path: whole.to_owned(), cause };
        if whole.is_dir() {
            return Err(unwritable(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        let mut name = whole.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = whole.with_file_name(name);
        fs::write(&part, "").map_err(unwritable)?;
        Ok(Self { whole: whole.to_owned(), part, done: false })
    }

    fn write(mut self, page: &str) -> Result<(), Refused> {
        let unwritable = |cause| Refused::Unwritable { path: self.whole.clone(), cause };
        fs::write(&self.part, page).and_then(|()| fs::rename(&self.part, &self.whole)).map_err(unwritable)?;
        self.done = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.done {
            // What cannot be removed is in nobody's way.
            let _ = fs::remove_file(&self.part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_kept_up_to_a_bound() {
        let mut bounded = Bounded { inner: Vec::new(), left: 10 };
        let taken = ["12345", "67890", "more"].map(|piece| bounded.write_all(piece.as_bytes()).is_ok());
        assert_eq!(taken, [true, true, false]);
        assert_eq!(bounded.inner, b"1234567890");
    }
}
