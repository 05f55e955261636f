//! The report in words, for people.

use core::fmt::Write as _;

use super::shape::{Endings, RunReport, Verdict};
use super::table::{Align, Table};

/// What a piece of text is, for whoever colours it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary text.
    Plain,
    /// A heading.
    Heading,
    /// Something that held.
    Good,
    /// Something that did not.
    Bad,
    /// Something that matters less.
    Faint,
}

/// Colours a piece of text.
pub type Paint<'a> = &'a dyn Fn(Tone, &str) -> String;

/// Leaves text as it is.
pub fn plain(_: Tone, text: &str) -> String {
    text.to_owned()
}

/// One line for a run that has ended, without its line break.
pub fn line(report: &RunReport, paint: Paint<'_>) -> String {
    let RunReport { scenario, seed, .. } = report;
    let mut text = format!("{} {scenario} seed {seed}: recall {}", verdict(report, paint), recall(report));
    let _ = write!(text, ", p95 {}", span(report.latency_ms.p95));
    let _ = write!(text, ", {} messages", grouped(report.messages));
    if let Some(speed) = report.speed() {
        let took = format!(", {} in {}", seconds(report.virtual_ms), wall(report.wall_ms));
        let _ = write!(text, "{}", paint(Tone::Faint, &format!("{took} ({})", times(speed))));
    }
    let broken = report.violations.len();
    if broken > 0 {
        let words = if broken == 1 { "1 violation".to_owned() } else { format!("{broken} violations") };
        let _ = write!(text, ", {}", paint(Tone::Bad, &words));
    }
    let missed: Vec<&str> =
        report.expectations.iter().filter(|it| !it.held).map(|it| it.name.as_str()).collect();
    if !missed.is_empty() {
        let _ = write!(text, ", {}", paint(Tone::Bad, &format!("not as expected: {}", missed.join(", "))));
    }
    text
}

/// The table over all runs.
pub fn summary(reports: &[RunReport], paint: Paint<'_>) -> String {
    use Align::{Left, Right};
    let mut table = Table::new([
        ("scenario", Left),
        ("seed", Right),
        ("verdict", Left),
        ("recall", Right),
        ("p50", Right),
        ("p95", Right),
        ("p99", Right),
        ("req/search", Right),
        ("mal. sent", Right),
        ("rejected", Right),
        ("speed", Right),
        ("trace", Left),
    ]);
    for report in reports {
        table.row([
            report.scenario.clone(),
            report.seed.to_string(),
            report.verdict.as_str().to_owned(),
            recall(report),
            span(report.latency_ms.p50),
            span(report.latency_ms.p95),
            span(report.latency_ms.p99),
            report.requests_per_search().map_or_else(dash, |it| format!("{it:.1}")),
            report.malformed.sent.to_string(),
            report.malformed.rejected.to_string(),
            report.speed().map_or_else(dash, times),
            report.trace_hash.chars().take(12).collect(),
        ]);
    }
    table.render(|row, column, cell| match (row.and_then(|row| reports.get(row)), column) {
        (None, _) => paint(Tone::Heading, &cell),
        (Some(report), 2) => paint(tone(report), &cell),
        (Some(_), 10 | 11) => paint(Tone::Faint, &cell),
        _ => cell,
    })
}

/// Everything about a run that failed: what was violated or missed, why, and how to run it again.
pub fn failure(report: &RunReport, paint: Paint<'_>) -> String {
    let mut text = format!(
        "{} {} seed {} {}\n",
        paint(Tone::Bad, "fail"),
        report.scenario,
        report.seed,
        faint(report, paint)
    );
    for it in &report.violations {
        let at = format!("{}.{:03}s", it.at_ms / 1000, it.at_ms % 1000);
        let _ = writeln!(text, "  {} {} at {at}: {}", paint(Tone::Bad, "violated"), it.oracle, it.detail);
    }
    for it in report.expectations.iter().filter(|it| !it.held) {
        let word = paint(Tone::Bad, "expected");
        let _ = writeln!(text, "  {word} {} {}, got {}", it.name, it.wanted, it.got);
    }
    text.push_str(&reasons(report, paint));
    if !report.replay.is_empty() {
        let _ = writeln!(text, "  {}   {}", paint(Tone::Heading, "replay"), report.replay);
    }
    text
}

/// The sentences that say why something was missed, one a line.
pub fn reasons(report: &RunReport, paint: Paint<'_>) -> String {
    let mut text = String::new();
    for sentence in &report.why {
        let _ = writeln!(text, "  {}      {sentence}", paint(Tone::Faint, "why"));
    }
    text
}

/// What is the same for the same plan on every machine, one thing a line: the text of snapshots.
pub fn stable(reports: &[RunReport]) -> String {
    let mut text = String::new();
    for report in reports {
        let _ = writeln!(text, "{} seed {} on {}", report.scenario, report.seed, report.network);
        let mut put = |name: &str, value: String| {
            let _ = writeln!(text, "  {name:<12} {value}");
        };
        put("verdict", report.verdict.as_str().to_owned());
        put("trace", report.trace_hash.clone());
        put("peers", grouped(report.peers));
        put("events", grouped(report.events));
        put("messages", grouped(report.messages));
        put("virtual time", seconds(report.virtual_ms));
        put("recall", format!("{:.6} over {}", report.recall, grouped(report.recall_over)));
        put("searches", endings(&report.searches));
        put("gets", endings(&report.gets));
        let it = &report.publishes;
        put("publishes", format!("{}: {} published, {} failed", it.started, it.published, it.failed));
        let it = &report.latency_ms;
        let spans = [("p50", it.p50), ("p95", it.p95), ("p99", it.p99), ("max", it.max)];
        put("latency", spans.map(|(name, it)| format!("{name} {}", precise(it))).join(", "));
        put(
            "requests",
            format!("{}, {} by searches", grouped(report.requests), grouped(report.search_requests)),
        );
        let it = &report.malformed;
        put("malformed", format!("{} sent, {} rejected, {} delivered", it.sent, it.rejected, it.delivered));
        for it in &report.expectations {
            let held = if it.held { "held" } else { "missed" };
            put("expectation", format!("{} {}: {}, {held}", it.name, it.wanted, it.got));
        }
        for it in &report.violations {
            put("violation", format!("{} at {} ms: {}", it.oracle, it.at_ms, it.detail));
        }
        for sentence in &report.why {
            put("why", sentence.clone());
        }
    }
    text
}

fn tone(report: &RunReport) -> Tone {
    match report.verdict {
        Verdict::Pass => Tone::Good,
        Verdict::Fail => Tone::Bad,
    }
}

fn verdict(report: &RunReport, paint: Paint<'_>) -> String {
    paint(tone(report), report.verdict.as_str())
}

fn faint(report: &RunReport, paint: Paint<'_>) -> String {
    paint(Tone::Faint, &format!("(trace {})", report.trace_hash))
}

fn recall(report: &RunReport) -> String {
    if report.recall_over == 0 {
        return dash();
    }
    // Rounded down: a search that missed something must not read as 1.000.
    format!("{:.3}", (report.recall * 1000.0).floor() / 1000.0)
}

fn endings(it: &Endings) -> String {
    format!(
        "{}: {} complete, {} enough, {} partial, {} failed, {} cancelled, {} in flight",
        it.started, it.complete, it.enough, it.partial, it.failed, it.cancelled, it.in_flight
    )
}

fn dash() -> String {
    "-".to_owned()
}

/// A latency with as many digits as a person reads.
pub(crate) fn span(millis: Option<f64>) -> String {
    match millis {
        None => dash(),
        Some(it) if it < 10.0 => format!("{it:.1} ms"),
        Some(it) if it < 1000.0 => format!("{it:.0} ms"),
        Some(it) => format!("{:.2} s", it / 1000.0),
    }
}

fn precise(millis: Option<f64>) -> String {
    millis.map_or_else(dash, |it| format!("{it:.3} ms"))
}

/// Virtual milliseconds as seconds.
fn seconds(millis: u64) -> String {
    match millis % 1000 {
        0 => format!("{} s", grouped(millis / 1000)),
        rest => format!("{}.{rest:03} s", grouped(millis / 1000)),
    }
}

fn wall(millis: f64) -> String {
    span(Some(millis))
}

/// How many times real time.
fn times(speed: f64) -> String {
    if speed < 10.0 { format!("{speed:.1}x") } else { format!("{speed:.0}x") }
}

/// A count with its thousands apart: 12,345.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
