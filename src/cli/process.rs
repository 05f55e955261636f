//! One run in a process of its own: this program again, told to make that run and no other.
//!
//! The process writes its report on standard output and ends with 0 or 1, as the verdict is. Whatever else it does is a
//! run that broke, and the cause is what it wrote on standard error, and how it ended. It is ended when nobody waits for
//! it any more.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use super::output;
use super::ran::Ran;
use crate::scenario::report::{RunReport, Verdict};

/// The longest report that is read: a sentence for each miss of the largest scenario fits many times.
pub(crate) const LONGEST_REPORT: usize = 64 << 20;
/// How much of what a process says is kept: its last words are the ones that count. The state of some hundred nodes of a
/// run that got stuck is not to push out why it was ended.
pub(crate) const LAST_WORDS: usize = 128 << 10;
/// How often it is looked whether the process has ended, or should be.
const LOOK: Duration = Duration::from_millis(5);

/// The run to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// The file.
    pub(crate) file: &'a Path,
    /// The seed; a plan has its own.
    pub(crate) seed: Option<u64>,
    /// Whether to say why.
    pub(crate) why: bool,
    /// Where its trace is written.
    pub(crate) trace: Option<&'a Path>,
}

/// A process that does not outlive whoever started it.
#[derive(Debug)]
pub(crate) struct Owned(Child);

impl Owned {
    /// Start this program again, with `arguments`, to be read from; what it says on standard error goes to `words`.
    pub(crate) fn start(arguments: impl FnOnce(&mut Command), words: Stdio) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        arguments(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(words).spawn().map(Self)
    }

    /// The same, to be written to as well.
    pub(crate) fn start_fed(arguments: impl FnOnce(&mut Command), words: Stdio) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        arguments(&mut command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(words).spawn().map(Self)
    }

    /// Its standard input, the first time.
    pub(crate) fn input(&mut self) -> Option<std::process::ChildStdin> {
        self.0.stdin.take()
    }

    /// Its standard error, the first time.
    pub(crate) fn words(&mut self) -> Option<std::process::ChildStderr> {
        self.0.stderr.take()
    }

    /// How it ended, if it does so within `patience`.
    pub(crate) fn ended_by_itself(&mut self, patience: Duration) -> Option<ExitStatus> {
        let mut waited = Duration::ZERO;
        loop {
            if let Ok(Some(status)) = self.0.try_wait() {
                return Some(status);
            }
            if waited >= patience {
                return None;
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "another process is waited for, outside of any run"
            )]
            thread::sleep(LOOK);
            waited += LOOK;
        }
    }

    /// Its standard output, the first time.
    pub(crate) fn output(&mut self) -> Option<std::process::ChildStdout> {
        self.0.stdout.take()
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // It may have ended already; either way nothing is left of it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Make the run, until `give_up` says so.
pub(crate) fn run(asked: Asked<'_>, give_up: &(dyn Fn() -> bool + Sync)) -> Ran {
    match follow(asked, give_up) {
        Ok(None) => Ran::Stopped,
        Ok(Some((report, words, status))) => told(&report, &words, status),
        Err(cause) => Ran::Broke(format!("no process can be had for it: {cause}")),
    }
}

/// What a process wrote, what it said, and how it ended; nothing when it was given up.
type Followed = (Vec<u8>, Vec<u8>, ExitStatus);

fn follow(asked: Asked<'_>, give_up: &(dyn Fn() -> bool + Sync)) -> io::Result<Option<Followed>> {
    let mut process = Owned::start(|command| asked.put(command), Stdio::piped())?;
    let (Some(output), Some(words)) = (process.output(), process.0.stderr.take()) else {
        return Err(io::Error::other("it has no output"));
    };
    thread::scope(|scope| {
        // A process that nobody reads from waits for ever. Moved in, so that it has ended before the readers are waited
        // for, also when one cannot be started.
        let mut process = process;
        let reader = || thread::Builder::new().name("reader".to_owned());
        let output = reader().spawn_scoped(scope, || last(output, LONGEST_REPORT))?;
        let words = reader().spawn_scoped(scope, || last(words, LAST_WORDS))?;
        let status = loop {
            if let Some(status) = process.0.try_wait()? {
                break status;
            }
            if give_up() {
                return Ok(None);
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "another process is waited for, outside of any run"
            )]
            thread::sleep(LOOK);
        };
        let read = |it: thread::ScopedJoinHandle<'_, Vec<u8>>| it.join().unwrap_or_default();
        Ok(Some((read(output), read(words), status)))
    })
}

impl Asked<'_> {
    fn put(&self, command: &mut Command) {
        command.args(["run", "--within", "--alone", "--format=json"]);
        if let Some(seed) = self.seed {
            command.arg(format!("--seed={seed}"));
        }
        if self.why {
            command.arg("--why");
        }
        if let Some(path) = self.trace {
            let mut flag = OsString::from("--trace=");
            flag.push(path);
            command.arg(flag);
        }
        command.arg("--").arg(self.file);
        // Its words are read by this program, not by a terminal.
        command.env("NO_COLOR", "1").env_remove("CLICOLOR_FORCE");
    }
}

/// The last `most` bytes of what is read. All of it is read, so that whoever writes is never held up.
pub(crate) fn last(mut from: impl Read, most: usize) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut part = [0; 8192];
    loop {
        match from.read(&mut part) {
            Ok(0) => break,
            Ok(count) => {
                kept.extend_from_slice(part.get(..count).unwrap_or_default());
                if kept.len() > most.saturating_mul(2) {
                    kept.drain(..kept.len() - most);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    kept.drain(..kept.len().saturating_sub(most));
    kept
}

/// What the process told: its report, if it ended as it said that it would.
fn told(output: &[u8], words: &[u8], status: ExitStatus) -> Ran {
    let words = String::from_utf8_lossy(words);
    let line = output.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let report = serde_json::from_slice::<RunReport>(line);
    let verdict = report.as_ref().ok().map(|it| it.verdict);
    let ended = match status.code() {
        Some(0) => Some(Verdict::Pass),
        Some(1) => Some(Verdict::Fail),
        _ => None,
    };
    match report {
        Ok(report) if verdict == ended => {
            // A warning is no cause, but somebody should see it.
            output::say(&words);
            Ran::Ended(Box::new(report))
        }
        Ok(_) => Ran::Broke(cause(&words, &format!("its process told a report and then ended, {status}"))),
        Err(_) if ended.is_some() => {
            Ran::Broke(cause(&words, &format!("its process ended without a report, {status}")))
        }
        Err(_) => Ran::Broke(cause(&words, &format!("its process ended, {status}"))),
    }
}

fn cause(words: &str, end: &str) -> String {
    match words.trim() {
        "" => end.to_owned(),
        words => format!("{words} ({end})"),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    fn broke(output: &[u8], words: &[u8], raw: i32) -> String {
        match told(output, words, ExitStatus::from_raw(raw)) {
            Ran::Broke(cause) => cause,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_end_is_told_with_the_last_words() {
        assert_eq!(broke(b"", b"it fell\n", 3 << 8), "it fell (its process ended, exit status: 3)");
        assert_eq!(broke(b"", b"", 9), "its process ended, signal: 9 (SIGKILL)");
        assert_eq!(broke(b"pass\n", b"", 0), "its process ended without a report, exit status: 0");
    }

    #[test]
    fn only_the_last_is_kept_and_all_is_read() {
        let text: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
        let mut from = text.as_slice();
        assert_eq!(last(&mut from, 1000), &text[text.len() - 1000..]);
        assert!(from.is_empty());
        assert_eq!(last(&b"short"[..], 1000), b"short");
    }
}
