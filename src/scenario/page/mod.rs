//! A run to be looked at: one HTML file with everything in it, that asks no network for anything.
//!
//! The page is a template, its style and its script, and the [`History`] of one run or of two as JSON within it. What
//! came from a stranger (a query's words, a file's name) is in the JSON alone, escaped so that no HTML parser sees a
//! tag in it, and the script puts it into the page as text. A policy in the page forbids whatever is not in it.

mod bands;
mod data;
mod place;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::scenario::history::{History, MESSAGES, WORDS};
use crate::scenario::plan::Plan;
use crate::scenario::report::{Compared, RunReport, words};

const TEMPLATE: &str = include_str!("assets/page.html");
const STYLE: &str = include_str!("assets/style.css");
const SCRIPTS: &[&str] = &[
    include_str!("assets/base.js"),
    include_str!("assets/timeline.js"),
    include_str!("assets/charts.js"),
    include_str!("assets/events.js"),
    include_str!("assets/app.js"),
];

/// One run, for the page.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// What it is called: its file, and its seed if that is a choice.
    pub title: &'a str,
    /// The command that makes it again.
    pub replay: &'a str,
    /// What it followed.
    pub plan: &'a Plan,
    /// What happened.
    pub history: &'a History,
    /// What it came to, unless it broke.
    pub report: Option<&'a RunReport>,
    /// How it broke, if it did.
    pub broke: Option<&'a str>,
}

/// The page of one run.
pub fn page(run: Shown<'_>) -> String {
    filled(run.title, &json!({ "runs": [data::run(&run)] }))
}

/// The page of two runs side by side, and where their traces part; `cut` says that they were compared in part only.
pub fn page_of_two(one: Shown<'_>, other: Shown<'_>, compared: &Compared, cut: bool) -> String {
    let lines = |lines: &[String]| lines.iter().map(|line| words(line)).collect::<Vec<_>>();
    let parting = match compared {
        Compared::Same { events } => json!({ "same": events, "cut": cut }),
        Compared::Parted(parting) => {
            // The trace tells nanoseconds; where both have ended there is no time.
            let at = parting
                .one
                .first()
                .or(parting.other.first())
                .and_then(|line| serde_json::from_str::<Value>(line).ok()?.get("at_ns")?.as_u64());
            json!({
                "event": parting.event,
                "at": at.map(|at| at / 1000),
                "before": lines(&parting.before),
                "one": lines(&parting.one),
                "other": lines(&parting.other),
            })
        }
    };
    let title = format!("{} and {}", one.title, other.title);
    filled(&title, &json!({ "runs": [data::run(&one), data::run(&other)], "parting": parting }))
}

fn filled(title: &str, data: &Value) -> String {
    let mut data = data.clone();
    if let Some(data) = data.as_object_mut() {
        data.insert("words".to_owned(), json!(WORDS));
        data.insert("messages".to_owned(), json!(MESSAGES));
        data.insert("version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
    }
    // In this order: what is filled in last is not searched for further marks.
    let page = TEMPLATE.replacen("/* style */", STYLE, 1);
    let page = page.replacen("/* script */", &SCRIPTS.concat(), 1);
    let page = page.replacen("<!-- title -->", &text(title), 1);
    page.replacen("<!-- data -->", &harmless(&data.to_string()), 1)
}

/// JSON in which an HTML parser finds nothing, and JavaScript no end of a line.
fn harmless(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
    out
}

/// Text of an HTML page.
fn text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
