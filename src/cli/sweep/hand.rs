//! A worker, from the outside: a process that is asked for one run after the other, and replaced when it is lost.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::worker::Told;
use crate::cli::job::Job;
use crate::cli::process::{LAST_WORDS, LONGEST_REPORT, Owned, last};

/// How often it is looked whether to give up.
const LOOK: Duration = Duration::from_millis(50);

/// What came of asking.
#[derive(Debug)]
pub(super) enum Came {
    /// The worker told.
    Told(Told),
    /// It ended on the way; how, and its last words.
    Crashed(String),
    /// It took longer than it may.
    Hung,
    /// The worker was given up on the way.
    GivenUp,
}

/// A worker.
#[derive(Debug)]
pub(super) struct Hand {
    process: Owned,
    to: ChildStdin,
    from: Receiver<String>,
    words: JoinHandle<Vec<u8>>,
}

impl Hand {
    /// Start one. It waits to be asked.
    pub(super) fn start(arguments: impl FnOnce(&mut Command)) -> io::Result<Self> {
        let mut process = Owned::start_fed(arguments, Stdio::piped())?;
        let (Some(to), Some(output), Some(words)) = (process.input(), process.output(), process.words())
        else {
            return Err(io::Error::other("a worker has no pipes"));
        };
        let reader = |name: &str| thread::Builder::new().name(name.to_owned());
        let words = reader("words").spawn(move || last(words, LAST_WORDS))?;
        let (send, from) = sync_channel(1);
        reader("lines").spawn(move || {
            let mut output = BufReader::new(output);
            loop {
                let mut line = String::new();
                let read = (&mut output).take(LONGEST_REPORT as u64).read_line(&mut line);
                if !matches!(read, Ok(count) if count > 0) || send.send(line).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { process, to, from, words })
    }

    /// Have it make `job`. What is left of it afterwards, if it can be asked again.
    pub(super) fn ask(
        mut self,
        job: &Job,
        limit: Duration,
        give_up: impl Fn() -> bool,
    ) -> (Came, Option<Self>) {
        // A worker that has ended since shows when it is waited for.
        let _ = writeln!(self.to, "{} {}", job.source, job.seed).and_then(|()| self.to.flush());
        let mut waited = Duration::ZERO;
        loop {
            match self.from.recv_timeout(LOOK.min(limit)) {
                Ok(line) => match serde_json::from_str(&line) {
                    Ok(told) => return (Came::Told(told), Some(self)),
                    Err(_) => {
                        return (Came::Crashed(self.ended("it told something else than a report")), None);
                    }
                },
                Err(RecvTimeoutError::Disconnected) if give_up() => return (Came::GivenUp, None),
                Err(RecvTimeoutError::Disconnected) => return (Came::Crashed(self.ended("")), None),
                Err(RecvTimeoutError::Timeout) => {
                    waited = waited.saturating_add(LOOK.min(limit));
                    if give_up() {
                        return (Came::GivenUp, None);
                    }
                    if waited >= limit {
                        return (Came::Hung, None);
                    }
                }
            }
        }
    }

    /// How it ended, in words, with its own last ones.
    fn ended(mut self, besides: &str) -> String {
        let status = self.process.ended_by_itself(LOOK.saturating_mul(20));
        let status = status.map_or_else(|| "it went on without an answer".to_owned(), |it| it.to_string());
        // Its words end with the process.
        drop(self.process);
        let words = self.words.join().unwrap_or_default();
        let words = String::from_utf8_lossy(&words);
        let parts = [words.trim(), besides, &format!("its process ended, {status}")];
        parts.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join("; ")
    }
}
