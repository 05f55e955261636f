//! What was measured, beside what it should be.

use std::process::ExitCode;

/// The value below which this share of `values` lies.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

/// Lines of measures.
#[derive(Default)]
pub(crate) struct Table {
    lines: Vec<(String, String, String)>,
    missed: usize,
}

impl Table {
    fn line(&mut self, what: &str, got: String, target: Option<(String, bool)>) {
        let told = target.map_or_else(String::new, |(target, met)| {
            self.missed += usize::from(!met);
            format!("{target}: {}", if met { "met" } else { "MISSED" })
        });
        self.lines.push((what.to_owned(), got, told));
    }

    /// A value that is to be at most `most`.
    pub(crate) fn at_most(&mut self, what: &str, got: f64, unit: &str, most: f64) {
        self.line(what, format!("{got:.0}{unit}"), Some((format!("at most {most:.0}{unit}"), got <= most)));
    }

    /// A value that is to be at least `least`.
    pub(crate) fn at_least(&mut self, what: &str, got: f64, unit: &str, least: f64) {
        self.line(
            what,
            format!("{got:.1}{unit}"),
            Some((format!("at least {least:.0}{unit}"), got >= least)),
        );
    }

    /// Times in milliseconds, and what their median and their 95th percentile may be at most.
    pub(crate) fn quantiles(&mut self, what: &str, times: &[f64], most: Option<(f64, f64)>) {
        let (p50, p95, p99) = (quantile(times, 0.5), quantile(times, 0.95), quantile(times, 0.99));
        let target = most.map(|(median, tail)| {
            let tail_told = if tail.is_finite() { format!(", p95 at most {tail:.0}") } else { String::new() };
            (format!("p50 at most {median:.0}{tail_told} ms"), p50 <= median && p95 <= tail)
        });
        self.line(what, format!("p50 {p50:.2}, p95 {p95:.2}, p99 {p99:.2} ms"), target);
    }

    /// How the median of one relates to the median of another.
    pub(crate) fn ratio(&mut self, what: &str, ours: &[f64], theirs: &[f64]) {
        self.line(what, format!("{:.2}", quantile(ours, 0.5) / quantile(theirs, 0.5)), None);
    }

    /// Print all of it; failure when a target was missed.
    pub(crate) fn print(self) -> ExitCode {
        let width = self.lines.iter().map(|(what, ..)| what.len()).max().unwrap_or(0);
        let middle = self.lines.iter().map(|(_, got, _)| got.len()).max().unwrap_or(0);
        for (what, got, target) in &self.lines {
            println!("{what:width$}  {got:middle$}  {target}");
        }
        if self.missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
