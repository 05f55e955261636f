//! Log lines: to standard error, as text or JSON, and never in the way of the work.
//!
//! What is logged is said by the environment's `SWARMPROOF_LOG`, or else by the configuration, in the words of
//! `tracing` filters: `info`, `debug,libp2p_kad=warn`. Lines go through a queue to a thread that writes them: where
//! nobody reads standard error, lines are dropped and counted, and the swarm goes on.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Builder;

use tracing_subscriber::filter::{EnvFilter, ParseError};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::error::{ConfigError, NodeError};
use super::settings::LogFormat;

/// The variable of the environment that says what is logged.
const VARIABLE: &str = "SWARMPROOF_LOG";
/// The most lines that wait to be written.
const QUEUE: usize = 4096;
/// How long the end of a process waits for the last lines.
const PATIENCE: Duration = Duration::from_secs(1);

enum Message {
    Line(Vec<u8>),
    /// Say when all that came before is written.
    Flush(SyncSender<()>),
}

/// Lines on their way.
#[derive(Clone, Debug)]
pub(super) struct Logs {
    queue: SyncSender<Message>,
    lost: Arc<AtomicU64>,
}

impl core::fmt::Debug for Message {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Message")
    }
}

/// Begin to log as `format`, and what `filter` says unless the environment says otherwise. Where the process
/// logs in its own way already, that stays as it is.
pub(super) fn begin(format: LogFormat, filter: &str) -> Result<Logs, NodeError> {
    let filter = match std::env::var(VARIABLE) {
        Ok(text) if !text.trim().is_empty() => parse(VARIABLE, &text)?,
        _ => parse("log", filter)?,
    };
    let logs = Logs::to(io::stderr)
        .map_err(|cause| NodeError::System { what: "cannot start the thread that writes the log", cause })?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(logs.clone());
    // An embedder's own subscriber stays.
    let _ = match format {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).finish().try_init(),
        LogFormat::Json => lines.json().with_ansi(false).finish().try_init(),
    };
    Ok(logs)
}

fn parse(place: &str, text: &str) -> Result<EnvFilter, ConfigError> {
    EnvFilter::builder().parse(text).map_err(|error: ParseError| {
        let words = format!(
            "{text:?} says nothing that can be logged ({error}); write `info` or `debug,libp2p_kad=warn`"
        );
        ConfigError::new(place, words)
    })
}

impl Logs {
    fn to<W: io::Write>(open: impl FnOnce() -> W + Send + 'static) -> io::Result<Self> {
        let (queue, lines) = sync_channel(QUEUE);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        Builder::new()
            .name("swarmproof-log".to_owned())
            .spawn(move || write(&mut open(), &lines, &counted))?;
        Ok(Self { queue, lost })
    }

    /// Wait until what was said so far is written, but not for long.
    pub(super) fn flush(&self) {
        let (done, written) = sync_channel(1);
        if self.queue.try_send(Message::Flush(done)).is_ok() {
            // Whoever does not read the log is not waited for.
            let _ = written.recv_timeout(PATIENCE);
        }
    }
}

fn write(out: &mut impl io::Write, lines: &Receiver<Message>, lost: &AtomicU64) {
    for message in lines {
        // Where standard error is gone there is nowhere left to say so.
        match message {
            Message::Line(line) => {
                let _ = out.write_all(&line);
            }
            Message::Flush(done) => {
                let _ = out.flush();
                let _ = done.try_send(());
            }
        }
        match lost.swap(0, Ordering::Relaxed) {
            0 => {}
            lines => {
                let _ = writeln!(out, "{lines} lines of the log were lost: nobody took them in time");
            }
        }
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { logs: self, text: Vec::new() }
    }
}

/// One line, sent when it is whole.
#[derive(Debug)]
pub(super) struct Line<'a> {
    logs: &'a Logs,
    text: Vec<u8>,
}

impl io::Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let line = Message::Line(core::mem::take(&mut self.text));
        if self.logs.queue.try_send(line).is_err() {
            self.logs.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::{Condvar, Mutex};

    use super::*;

    /// Whether it may be written to, and what was written.
    type Written = (bool, Vec<u8>);

    #[derive(Clone, Default)]
    struct Sink(Arc<(Mutex<Written>, Condvar)>);

    impl Sink {
        fn open(&self) {
            self.0.0.lock().unwrap().0 = true;
            self.0.1.notify_all();
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.0.lock().unwrap().1.clone()).unwrap()
        }

        /// What is written, as soon as it has what is wanted, or after ten seconds.
        fn text_with(&self, wanted: impl Fn(&str) -> bool) -> String {
            let not_yet = |held: &mut Written| !wanted(&String::from_utf8_lossy(&held.1));
            let held = self.0.0.lock().unwrap();
            let ten = Duration::from_secs(10);
            drop(self.0.1.wait_timeout_while(held, ten, not_yet).unwrap());
            self.text()
        }
    }

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut held = self.0.0.lock().unwrap();
            while !held.0 {
                held = self.0.1.wait(held).unwrap();
            }
            held.1.extend_from_slice(bytes);
            self.0.1.notify_all();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_come_whole_and_in_order() {
        let sink = Sink::default();
        sink.open();
        let out = sink.clone();
        let logs = Logs::to(move || out).unwrap();
        for number in 0..100 {
            let mut line = logs.make_writer();
            line.write_all(b"line ").unwrap();
            writeln!(line, "{number}").unwrap();
        }
        logs.flush();
        let wanted: String = (0..100).map(|number| format!("line {number}\n")).collect();
        assert_eq!(sink.text(), wanted);
    }

    #[test]
    fn a_log_that_nobody_reads_holds_up_nobody_and_says_what_was_lost() {
        let sink = Sink::default();
        let out = sink.clone();
        let logs = Logs::to(move || out).unwrap();
        // The first is taken out of the queue and stuck; the thread may not have got that far.
        for _ in 0..QUEUE + 11 {
            writeln!(logs.make_writer(), "x").unwrap();
        }
        let count = |text: &str| {
            let words = " lines of the log were lost: nobody took them in time";
            let lost = text.lines().filter_map(|line| line.strip_suffix(words));
            let lost: usize = lost.map(|count| count.parse::<usize>().unwrap_or(0)).sum();
            (text.lines().filter(|line| *line == "x").count(), lost)
        };
        sink.open();
        let text = sink.text_with(|text| count(text).0 + count(text).1 >= QUEUE + 11);
        let (written, lost) = count(&text);
        assert_eq!(written + lost, QUEUE + 11);
        assert!(lost >= 10, "{lost}");
    }

    #[test]
    fn what_a_busy_swarm_repeats_is_not_logged_unless_it_is_asked_for() {
        let said = |filter: &str| {
            let sink = Sink::default();
            sink.open();
            let out = sink.clone();
            let logs = Logs::to(move || out).unwrap();
            let lines = tracing_subscriber::fmt().with_env_filter(parse("log", filter).unwrap());
            tracing::subscriber::with_default(lines.with_writer(logs.clone()).finish(), || {
                tracing::warn!(target: "libp2p_gossipsub::behaviour", "Send Queue full");
                tracing::warn!(target: "libp2p_kad::behaviour", "No known peers");
                tracing::error!(target: "libp2p_gossipsub::behaviour", "one");
                tracing::warn!(target: "libp2p_swarm", "two");
                tracing::info!(target: "swarmproof::node", "three");
            });
            logs.flush();
            sink.text()
        };
        let text = said(super::super::config::LOG);
        assert!(["one", "two", "three"].iter().all(|words| text.contains(words)), "{text}");
        assert!(!text.contains("Queue full") && !text.contains("No known peers"), "{text}");
        let all = said("info");
        assert!(all.contains("Queue full") && all.contains("No known peers"), "{all}");
    }

    #[test]
    fn a_filter_that_is_none_is_refused_by_its_name() {
        assert!(parse("log", "info,libp2p=warn").is_ok());
        let error = parse("log", "info,,=x=y").unwrap_err();
        assert!(error.to_string().starts_with("log: \"info,,=x=y\""), "{error}");
    }
}
