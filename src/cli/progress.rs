//! A progress bar, on a terminal only.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How far a work of many parts is.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar for `count` of what is called `what` on standard error, or none where that, or where the report
    /// goes, is no terminal.
    pub(crate) fn over(count: usize, what: &str) -> Self {
        let shown = count > 1 && std::io::stderr().is_terminal() && std::io::stdout().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(u64::try_from(count).ok(), target);
        let template = format!("{{bar:30}} {{pos}}/{{len}} {what}, {{per_sec}}, {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        if shown {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self(bar)
    }

    /// One more part has ended.
    pub(crate) fn one_more(&self) {
        self.0.inc(1);
    }

    /// Do `write` with the bar out of the way.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.0.suspend(write)
    }

    /// Take the bar away.
    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}
