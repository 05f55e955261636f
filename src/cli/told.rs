//! What is told of runs: each as it ends, then what they come to.

use super::exit::{End, Refused};
use super::format::Format;
use super::job::{self, Job};
use super::on::On;
use super::output;
use super::ran::{Ran, Second};
use super::run_args::RunArgs;
use super::source::Source;
use super::stop::Stop;
use super::traced;
use crate::oracle::Oracle;
use crate::scenario::report::{self, RunReport, Tone, Verdict, Violation};

/// The most runs that are made again to show where they part: what is the matter with one is mostly that with all.
const MOST_SHOWN: u32 = 3;

/// What has been told so far.
pub(crate) struct Told<'a> {
    args: &'a RunArgs,
    on: On<'a>,
    stop: &'a Stop,
    reports: Vec<RunReport>,
    broke: usize,
    stopped: usize,
    /// Runs whose traces were shown where they part.
    shown: u32,
    /// The first failure to write, after which nothing more is written or run.
    unwritable: Option<Refused>,
}

impl<'a> Told<'a> {
    /// Nothing yet.
    pub(crate) fn new(args: &'a RunArgs, on: On<'a>, stop: &'a Stop) -> Self {
        Self { args, on, stop, reports: Vec::new(), broke: 0, stopped: 0, shown: 0, unwritable: None }
    }

    /// Tell one run, and how it compares to the same in another process.
    pub(crate) fn hear(&mut self, job: &Job, source: &Source, ran: Ran, second: Option<&Second>) {
        match ran {
            Ran::Ended(mut report) => {
                let traces = second.and_then(|second| self.compare(job, source, &mut report, second));
                match self.args.format {
                    Format::Text => {
                        self.put(&format!("{}{}", self.text(&report), traces.unwrap_or_default()))
                    }
                    Format::Json => {
                        self.put(&json(&report));
                        output::say(&traces.unwrap_or_default());
                    }
                }
                self.reports.push(*report);
            }
            Ran::Broke(cause) if self.args.within => {
                self.broke += 1;
                // Whoever started this process says the rest.
                output::say(&format!("{cause}\n"));
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

    /// Hold a run's trace hash against that of another process. Where they part, the report has a violation more, and
    /// what is handed back shows where.
    fn compare(
        &mut self,
        job: &Job,
        source: &Source,
        report: &mut RunReport,
        second: &Second,
    ) -> Option<String> {
        let mut shown = None;
        let mut detail = match second {
            Second::Hash(hash) if *hash == report.trace_hash => return None,
            Second::Hash(hash) => {
                if self.shown < MOST_SHOWN {
                    self.shown += 1;
                    shown = traced::twice(job, source, self.stop);
                }
                format!("in another process its trace hash is {hash}")
            }
            Second::Broke(None) => "another process did not bring the same run to its end".to_owned(),
            Second::Broke(Some(cause)) => {
                format!("another process did not bring the same run to its end: {cause}")
            }
        };
        if let Some(shown) = &shown {
            detail.push_str(&format!("; {}", shown.brief));
        }
        let oracle = Oracle::Repeatable.name().to_owned();
        report.violations.push(Violation { oracle, at_ms: report.virtual_ms, detail });
        report.verdict = report.judge();
        shown.map(|it| it.text)
    }

    fn text(&self, report: &RunReport) -> String {
        let mut text = format!("{}\n", report::line(report, &output::paint));
        if self.args.why && report.verdict == Verdict::Pass {
            text.push_str(&report::reasons(report, &output::paint));
        }
        text
    }

    /// Tell what it comes to.
    pub(crate) fn conclude(mut self) -> Result<End, Refused> {
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
