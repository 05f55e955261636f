//! A run whose trace differed in another process, made twice more with its events written down, to see where it parts.
//!
//! One run at a time, each in a process of its own, each trace in a temporary file that is removed afterwards.

use std::fs::{self, File};
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::job::{self, How, Job};
use super::output::paint;
use super::process;
use super::ran::Ran;
use super::source::Source;
use super::stop::Stop;
use crate::scenario::report::{self, Compared, Parting, Tone};

/// How much of a trace is written: some million events. A run that parts later than that is rather made smaller.
const MOST: u64 = 256 << 20;

const WHERE_TO_LOOK: &str = "What the first of these events comes from reads a clock, draws at random, spawns threads, walks a hash map, or counts\n\
                             through its process: see \"How determinism is kept\" in ARCHITECTURE.md.\n";
const WHERE_IT_IS_NOT: &str = "So it differs only now and then, as threads, real time and hash maps with a handful of entries do: see \"How\n\
                               determinism is kept\" in ARCHITECTURE.md, and make it again with --trace until it shows.\n";

/// What two more runs showed.
#[derive(Debug)]
pub(crate) struct Shown {
    /// In a few words, for the report.
    pub(crate) brief: String,
    /// For people, with both traces where they part.
    pub(crate) text: String,
}

/// Make the run twice more and compare. `None` when a signal came first.
pub(crate) fn twice(job: &Job, source: &Source, stop: &Stop) -> Option<Shown> {
    let name = format!("{} seed {}", job.file.display(), job.seed);
    let found = Folder::new().and_then(|folder| {
        let (one, other) = (folder.file("one.jsonl"), folder.file("other.jsonl"));
        for path in [&one, &other] {
            match run(job, source, path, stop) {
                Ran::Broke(cause) => return Ok(Found::Broke(cause)),
                Ran::Stopped if stop.raised() => return Ok(Found::Stopped),
                // A trace that has grown too long is compared as far as it goes.
                Ran::Stopped | Ran::Ended(_) => {}
            }
        }
        compared(&one, &other, MOST)
    });
    match found {
        Ok(found) => found.shown(&name),
        Err(cause) => Found::Broke(format!("its trace cannot be kept: {cause}")).shown(&name),
    }
}

fn run(job: &Job, source: &Source, path: &Path, stop: &Stop) -> Ran {
    let how = How { trace: Some(path), ..How::default() };
    process::run(job::asked(job, source, &how), &|| stop.raised() || length(path) >= MOST)
}

/// The two traces compared, as far as `most` bytes of each: a process that is ended because its trace is as long as that
/// has written a little more, and not always the same.
fn compared(one: &Path, other: &Path, most: u64) -> io::Result<Found> {
    let cut = [one, other].iter().any(|path| length(path) >= most);
    let read = |path| Ok::<_, io::Error>(BufReader::new(File::open(path)?.take(most)));
    Ok(match report::compare_traces(read(one)?, read(other)?)? {
        Compared::Parted(parting) => Found::Parted(parting),
        Compared::Same { events } => Found::Same { events, cut },
    })
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |it| it.len())
}

/// What came of the two.
#[derive(Debug)]
enum Found {
    Parted(Parting),
    Same { events: u64, cut: bool },
    Broke(String),
    Stopped,
}

impl Found {
    fn shown(self, name: &str) -> Option<Shown> {
        let heading = |words: String| paint(Tone::Heading, &format!("{name}: made twice more, {words}"));
        Some(match self {
            Self::Parted(parting) => {
                let event = parting.event;
                let first = |it: &[String]| match it.first() {
                    Some(line) => format!("`{}`", report::words(line)),
                    None => "nothing more".to_owned(),
                };
                let (one, other) = (first(&parting.one), first(&parting.other));
                let page = report::side_by_side(&parting, &paint);
                Shown {
                    brief: format!(
                        "two more runs part at event {event}: {one} in one process, {other} in another"
                    ),
                    text: format!("{}\n{page}{WHERE_TO_LOOK}", heading(format!("it parts at event {event}"))),
                }
            }
            Self::Same { events, cut } => {
                let many = if cut { format!("first {events}") } else { events.to_string() };
                let more = if cut { "; no more was traced" } else { "" };
                let brief = format!("two more runs had the same {many} events{more}");
                let words = heading(format!("it had the same {many} events both times{more}"));
                Shown { brief, text: format!("{words}\n{WHERE_IT_IS_NOT}") }
            }
            Self::Broke(cause) => {
                let text = format!("{}\n", heading(format!("to see where it parts, it broke: {cause}")));
                Shown { brief: format!("made again to see where it parts, it broke: {cause}"), text }
            }
            Self::Stopped => return None,
        })
    }
}

/// A new folder that only this user can read; it goes with all that is in it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn new() -> io::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "a name that no other process takes; no run sees it")]
        let process = std::process::id();
        let mut number = 0;
        loop {
            let path = std::env::temp_dir().join(format!("swarmproof-{process}-{number}"));
            let mut builder = fs::DirBuilder::new();
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            match builder.create(&path) {
                Ok(()) => return Ok(Self(path)),
                // What an earlier process of this number left behind.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1000 => number += 1,
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is the system's to clear.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_that_were_cut_are_compared_as_far_as_they_go() {
        let folder = Folder::new().unwrap();
        let put = |name: &str, text: &str| {
            let path = folder.0.join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let (short, long) = (put("short", "a 1\na 2\na 3\n"), put("long", "a 1\na 2\na 3\na 4\n"));
        let told = |found: Found| found.shown("x").unwrap().brief;
        // Both are as long as may be, and part only after that.
        let cut = told(compared(&short, &long, 10).unwrap());
        assert_eq!(cut, "two more runs had the same first 2 events; no more was traced");
        // One is cut where the other has ended long before.
        let ended = told(compared(&short, &long, 14).unwrap());
        assert_eq!(ended, "two more runs had the same first 3 events; no more was traced");
        let ended = told(compared(&short, &long, 16).unwrap());
        assert_eq!(ended, "two more runs part at event 4: nothing more in one process, `a 4` in another");
        let same = told(compared(&short, &short, 100).unwrap());
        assert_eq!(same, "two more runs had the same 3 events");
    }

    #[test]
    fn a_folder_goes_with_what_is_in_it() {
        let (one, other) = (Folder::new().unwrap(), Folder::new().unwrap());
        assert_ne!(one.0, other.0);
        let file = one.0.join("trace");
        fs::write(&file, "a 1\n").unwrap();
        drop(one);
        assert!(!file.exists() && other.0.exists());
    }
}
