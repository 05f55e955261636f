//! What a page is made of, as its script reads it.
//!
//! Times are microseconds of the run. What there is much of is laid out as one row of numbers, so many for each thing;
//! the script knows the order, and a test here holds both to it.

use serde::Serialize;
use serde_json::{Value, json};

use super::Shown;
use super::bands::bands;
use super::place::{named, of_sentence, span};
use crate::engine::Cause;
use crate::network::Failure;
use crate::probe::{Need, Probe};
use crate::scenario::history::{Close, Ending, Happened, History, LeftOut, Wants};
use crate::scenario::plan::NodeRole;
use crate::scenario::report::RunReport;
use crate::time::Timestamp;

/// What failed, for the page.
#[derive(Debug, Serialize)]
struct Wrong<'a> {
    oracle: String,
    /// Whether it is an expectation of the scenario rather than an oracle.
    expected: bool,
    at: u64,
    detail: &'a str,
    /// The query that it speaks of, by its place.
    query: Option<usize>,
    node: Option<u32>,
}

/// One run.
pub(super) fn run(shown: &Shown<'_>) -> Value {
    let (plan, history) = (shown.plan, shown.history);
    let planned = u64::try_from(plan.duration.0.as_micros()).unwrap_or(u64::MAX);
    let end = micros(history.end).max(if shown.report.is_some() { planned } else { 1 });
    let wrongs = shown.report.map(|report| wrongs(report, history, end)).unwrap_or_default();
    let why: Vec<Value> = shown
        .report
        .iter()
        .flat_map(|report| &report.why)
        .map(|words| json!({ "words": words, "query": of_sentence(words, history) }))
        .collect();
    let registries: Vec<usize> = plan
        .roles()
        .iter()
        .enumerate()
        .filter(|(_, role)| matches!(role, NodeRole::Registry(_)))
        .map(|(node, _)| node)
        .collect();
    json!({
        "title": shown.title,
        "description": plan.description,
        "replay": shown.replay,
        "seed": plan.seed.to_string(),
        "nodes": plan.roles().len(),
        "registries": registries,
        "end": end,
        "duration": planned,
        "broke": shown.broke,
        "failure": plan.failure,
        "report": shown.report,
        "wrongs": wrongs,
        "why": why,
        "bands": bands(plan, end),
        "lives": lives(history, end),
        "queries": queries(history),
        "requests": requests(history),
        "accounts": accounts(history),
        "scores": scores(history),
        "settled": settled(history),
        "events": events(&history.events),
        "eventsInAll": history.events_in_all,
        "leftOut": left_out(history.left_out),
        "probes": shown.report.map(probes),
    })
}

/// Violations, then expectations that did not hold.
fn wrongs<'a>(report: &'a RunReport, history: &History, end: u64) -> Vec<Value> {
    let of = |wrong: Wrong<'a>| serde_json::to_value(wrong).unwrap_or_default();
    let violations = report.violations.iter().map(|it| {
        let named = named(&it.detail);
        let at = it.at_ms.saturating_mul(1000);
        of(Wrong {
            oracle: it.oracle.clone(),
            expected: false,
            at: at.min(end),
            detail: &it.detail,
            query: span(&named, at, history),
            node: named.node,
        })
    });
    let missed = report.expectations.iter().filter(|it| !it.held).map(|it| {
        json!({
            "oracle": format!("expect.{}", it.name),
            "expected": true,
            "at": end,
            "detail": format!("{} {} was expected, and {} came", it.name, it.wanted, it.got),
            "query": null,
            "node": null,
        })
    });
    violations.chain(missed).collect()
}

fn left_out(left_out: LeftOut) -> Value {
    let LeftOut { queries, requests, scores, lives, events } = left_out;
    json!({ "queries": queries, "requests": requests, "scores": scores, "lives": lives, "events": events })
}

/// Node, from, until; 3 for each.
fn lives(history: &History, end: u64) -> Vec<u64> {
    let of = |life: &crate::scenario::history::Life| {
        [u64::from(life.node.0), micros(life.from), life.until.map_or(end, micros)]
    };
    history.lives.iter().flat_map(of).collect()
}

fn queries(history: &History) -> Vec<Value> {
    let of = |query: &crate::scenario::history::Query| {
        json!([
            query.node.0,
            query.id.0,
            u8::from(query.search),
            query.asked,
            micros(query.begun),
            micros(query.deadline),
            query.ended.map(|(at, _)| micros(at)),
            query.ended.map_or("running", |(_, how)| ending(how)),
            query.words,
            query.delivered,
        ])
    };
    history.queries.iter().map(of).collect()
}

/// Node, id, query or -1, peer or -1 for a record or -2 for something else, begun, ended or -1, how, items, bytes; 9 for each.
fn requests(history: &History) -> Vec<i64> {
    let of = |request: &crate::scenario::history::Request| {
        let peer = match request.wants {
            Wants::Answer(peer) => i64::from(peer.0),
            Wants::Value => -1,
            Wants::Other => -2,
        };
        [
            i64::from(request.node.0),
            signed(request.id.0),
            request.query.map_or(-1, |it| signed(it as u64)),
            peer,
            signed(micros(request.begun)),
            request.ended.map_or(-1, |(at, _)| signed(micros(at))),
            request.ended.map_or(0, |(_, how)| close(how)),
            i64::from(request.items),
            signed(request.bytes),
        ]
    };
    history.requests.iter().flat_map(of).collect()
}

/// Peer, asked, answered, timed out, refused, failed, given up, microseconds; 8 for each.
fn accounts(history: &History) -> Vec<u64> {
    let of = |it: &crate::scenario::history::Account| {
        [
            u64::from(it.peer),
            it.asked,
            it.answered,
            it.timed_out,
            it.refused,
            it.failed,
            it.given_up,
            it.micros,
        ]
    };
    history.accounts.iter().flat_map(of).collect()
}

/// At, in whose eyes, whose, why, thousandths; 5 for each.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a score is from 0 to 1")]
fn scores(history: &History) -> Vec<u64> {
    let of = |it: &crate::scenario::history::Score| {
        let why = match it.cause {
            Cause::Answered => 0,
            Cause::Unreachable => 1,
            Cause::TimedOut => 2,
            Cause::Broken => 3,
            Cause::Busy => 4,
            Cause::Malformed => 5,
            Cause::Forged => 6,
        };
        let thousandths = (it.score * 1000.0).round() as u64;
        [micros(it.at), u64::from(it.node.0), u64::from(it.peer.0), why, thousandths]
    };
    history.scores.iter().flat_map(of).collect()
}

/// In whose eyes, whose, thousandths; 3 for each.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a score is from 0 to 1")]
fn settled(history: &History) -> Vec<u64> {
    let of = |it: &crate::scenario::history::Settled| {
        [u64::from(it.node.0), u64::from(it.peer.0), (it.told * 1000.0).round() as u64]
    };
    history.settled.iter().flat_map(of).collect()
}

/// How many numbers further, microseconds further, kind, and its four fields; 7 for each.
fn events(events: &[Happened]) -> Vec<u64> {
    let (mut number, mut at) = (0, 0);
    let mut row = Vec::with_capacity(events.len().saturating_mul(7));
    for event in events {
        let now = micros(event.at);
        row.extend([event.number.saturating_sub(number), now.saturating_sub(at), u64::from(event.kind)]);
        row.extend(event.fields);
        (number, at) = (event.number, now);
    }
    row
}

/// Each probe: its name, how often, and whether drawn faults must come to it.
fn probes(report: &RunReport) -> Vec<Value> {
    let of = |probe: &Probe| {
        let need = match probe.need() {
            Need::Explore => "",
            Need::Only(why) => why,
        };
        json!([probe.name(), report.probes.get(probe.name()).copied().unwrap_or(0), need])
    };
    Probe::ALL.iter().map(of).collect()
}

const fn ending(ending: Ending) -> &'static str {
    match ending {
        Ending::Complete => "complete",
        Ending::Enough => "enough",
        Ending::Partial => "partial",
        Ending::Failed => "failed",
        Ending::Cancelled => "cancelled",
        Ending::Died => "died",
    }
}

/// 0 is out at the end.
const fn close(close: Close) -> i64 {
    match close {
        Close::Well => 1,
        Close::GivenUp => 2,
        Close::Died => 3,
        Close::Failed(failure) => match failure {
            Failure::Local => 4,
            Failure::Unreachable => 5,
            Failure::Unsupported => 6,
            Failure::TimedOut => 7,
            Failure::Broken => 8,
            Failure::Refused(_) => 9,
            Failure::NotFound => 10,
        },
    }
}

fn micros(at: Timestamp) -> u64 {
    at.as_nanos() / 1000
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
