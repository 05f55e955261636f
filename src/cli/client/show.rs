//! What a node tells, as text for people.

use crate::api::{EndView, OutcomeView, PeerView, PublishedView, ReasonView, ReleaseView, VersionsView};
use crate::client::visible;
use crate::scenario::report::{Align, Table, Tone};
use serde::Serialize;

/// Puts a text into the colour of its tone.
pub(super) type Paint = fn(Tone, &str) -> String;

/// One result of a search: what it is, and the name that `get` takes.
pub(super) fn hit(release: &ReleaseView, paint: Paint) -> String {
    let what = paint(Tone::Heading, &format!("{} {}", release.name, release.version));
    let title = match release.title == release.name.as_str() {
        true => String::new(),
        false => format!("  {}", one_line(&release.title)),
    };
    let name = paint(Tone::Faint, &format!("    {}", release.release()));
    format!("{what}{title}\n{name}\n")
}

/// How a search ended.
pub(super) fn end(end: &EndView, hits: usize, paint: Paint) -> String {
    let mut text = String::new();
    for conflict in &end.conflicts {
        let words = format!(
            "{}: its publisher signed two different records for it; neither counts",
            visible(conflict)
        );
        text.push_str(&format!("{}\n", paint(Tone::Bad, &words)));
    }
    let coverage = &end.coverage;
    let (tone, how) = outcome(end);
    let found = match hits {
        0 => "nothing found".to_owned(),
        hits => format!("{hits} found"),
    };
    text.push_str(&format!(
        "{found}, {}; {} asked, {} answered, {}\n",
        paint(tone, &how),
        count(coverage.asked.into(), "peer"),
        coverage.adequate.saturating_add(coverage.inadequate),
        millis(end.elapsed_ms)
    ));
    text
}

/// How it ended, in words.
fn outcome(end: &EndView) -> (Tone, String) {
    match end.outcome {
        OutcomeView::Complete => (Tone::Good, "complete".to_owned()),
        OutcomeView::Enough => (Tone::Good, "as many as were asked for; there may be more".to_owned()),
        OutcomeView::Partial => {
            let mut lacks = Vec::new();
            if let Some(missing) = &end.missing {
                if missing.answers > 0 {
                    lacks.push(format!(
                        "{} short of what was wanted",
                        count(missing.answers.into(), "answer")
                    ));
                }
                if missing.names > 0 {
                    lacks.push(format!("{} known by name only", count(missing.names.into(), "release")));
                }
                if missing.deadline {
                    lacks.push("the time was up".to_owned());
                }
            }
            let lacks = if lacks.is_empty() { String::new() } else { format!(": {}", lacks.join(", ")) };
            (Tone::Bad, format!("partial{lacks}"))
        }
        OutcomeView::Failed => (Tone::Bad, format!("failed: {}", reason(end.reason))),
        OutcomeView::Cancelled => (Tone::Bad, "given up".to_owned()),
    }
}

/// Why a search failed.
pub(super) fn reason(reason: Option<ReasonView>) -> &'static str {
    match reason {
        Some(ReasonView::NoPeers) => "the node knows no peer",
        Some(ReasonView::NoAnswer) => "no peer answered",
        Some(ReasonView::Deadline) => "the time was up before any peer had answered",
        Some(ReasonView::NotFound) => "nobody has it",
        Some(ReasonView::Conflict) => "its publisher signed two different records for it",
        Some(ReasonView::Busy) => "the node has too many queries in flight",
        None => "the node does not say why",
    }
}

/// One release with all that is told of it.
pub(super) fn release(release: &ReleaseView, paint: Paint) -> String {
    let mut text = paint(Tone::Heading, &format!("{} {}", release.name, release.version));
    text.push('\n');
    if release.title != release.name.as_str() {
        text.push_str(&format!("{}\n", one_line(&release.title)));
    }
    text.push('\n');
    let labels = |labels: &[String]| labels.iter().map(|it| one_line(it)).collect::<Vec<_>>().join(", ");
    let rows = [
        ("release", release.release().to_string()),
        ("licence", one_line(&release.licence)),
        ("categories", labels(&release.categories)),
        ("tags", labels(&release.tags)),
        ("content", format!("{}, SHA-256 {}", count(release.size, "byte"), visible(&release.digest))),
        ("created", utc(release.created_ms.as_millis())),
    ];
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        text.push_str(&format!("{}{value}\n", paint(Tone::Faint, &format!("{name:<12}"))));
    }
    let description = release.description.trim();
    if !description.is_empty() && description != release.title.trim() {
        text.push('\n');
        for line in description.lines() {
            text.push_str(&format!("{}\n", visible(line)));
        }
    }
    text
}

/// A package's releases, newest first.
pub(super) fn versions(list: &VersionsView, paint: Paint) -> String {
    let columns = [("version", Align::Left), ("state", Align::Left), ("record", Align::Left)];
    let mut table = Table::new(columns);
    for version in list.versions.iter().rev() {
        let state = if version.yanked { "yanked" } else { "" };
        table.row([version.version.to_string(), state.to_owned(), visible(&version.record)]);
    }
    let rows: Vec<bool> = list.versions.iter().rev().map(|version| version.yanked).collect();
    let mut text = table.render(|row, _, cell| match row {
        None => paint(Tone::Heading, &cell),
        Some(row) if rows.get(row) == Some(&true) => paint(Tone::Faint, &cell),
        Some(_) => cell,
    });
    if list.stale {
        let words = format!(
            "this list was valid until {}: a newer one may be held back",
            utc(list.valid_until_ms.as_millis())
        );
        text.push_str(&format!("{}\n", paint(Tone::Bad, &words)));
    }
    text
}

/// The peers of a node.
pub(super) fn peers(peers: &[PeerView], paint: Paint) -> String {
    if peers.is_empty() {
        return "the node knows no peer\n".to_owned();
    }
    let columns = [("peer", Align::Left), ("reputation", Align::Right), ("latency", Align::Right)];
    let mut table = Table::new(columns);
    for peer in peers {
        let latency = peer.latency_ms.map_or_else(|| "–".to_owned(), millis);
        table.row([visible(&peer.peer), format!("{:.2}", peer.score), latency]);
    }
    let mut text = table.render(|row, _, cell| match row {
        None => paint(Tone::Heading, &cell),
        Some(_) => cell,
    });
    text.push_str(&format!("\n{}\n", count(peers.len() as u64, "peer")));
    text
}

/// What came of a publication or a yank.
pub(super) fn published(view: &PublishedView, paint: Paint) -> String {
    let name = format!("{}/{}@{}", view.publisher, view.name, view.version);
    let what = paint(Tone::Good, if view.yanked { "yanked" } else { "published" });
    let stored = view.release_stored.as_ref().unwrap_or(&view.list_stored);
    let held = match (&stored.failure, stored.acked) {
        (Some(failure), _) => {
            format!("held by this node alone so far ({}); it is tried again", visible(failure))
        }
        (None, acked) => format!("stored with {}", count(acked.into(), "peer")),
    };
    let told = view.announced.map_or_else(String::new, |told| format!(", announced to {told}"));
    format!("{what} {name}\n  {held}{told}\n")
}

/// Packages that were not published, each with the reason.
pub(super) fn failures(failures: &[(String, String)], paint: Paint) -> String {
    if failures.is_empty() {
        return String::new();
    }
    let mut table = Table::new([("not published", Align::Left), ("why", Align::Left)]);
    for (name, why) in failures {
        table.row([visible(name), one_line(why)]);
    }
    table.render(|row, _, cell| match row {
        None => paint(Tone::Bad, &cell),
        Some(_) => cell,
    })
}

/// A text on one line, without what a terminal would obey.
fn one_line(text: &str) -> String {
    visible(text.split_whitespace().collect::<Vec<_>>().join(" ").trim())
}

/// A value for programs: one line of JSON.
pub(super) fn json(value: &impl Serialize) -> String {
    // Our own shapes of texts and numbers: nothing in them can fail to become JSON.
    let mut line = serde_json::to_string(value).unwrap_or_default();
    line.push('\n');
    line
}

/// A number, with commas between thousands.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many of what is called `what`.
fn count(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", number(count))
}

/// A span of time, as exact as it is worth telling.
fn millis(millis: f64) -> String {
    match millis {
        small if small < 10.0 => format!("{small:.1} ms"),
        middle if middle < 1000.0 => format!("{middle:.0} ms"),
        long => format!("{:.1} s", long / 1000.0),
    }
}

/// A calendar time, to the second. Days are counted in eras of 400 years that begin on the first of March, so
/// that a leap day is the last of its year.
fn utc(millis: u64) -> String {
    let (days, seconds) = (millis / 86_400_000, millis / 1000 % 86_400);
    let days = days.saturating_add(719_468);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + next;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}
