//! Why a release was missed, or a query ended badly: the cause, in a sentence.

use super::journal::BadEnding;
use super::truth::RunTruth;
use crate::engine::{Outcome, QueryOutcome, Reason};
use crate::oracle::Missed;
use crate::scenario::asking::{self, words};
use crate::scenario::plan::Plan;

/// The most holders that a sentence names.
const NAMED: usize = 3;

/// Why a search did not find a release that it ought to have found.
pub(super) fn missed(missed: &Missed, truth: &RunTruth, plan: &Plan) -> String {
    let Missed { node, query, began, ended, asked, release, outcome, answerers } = missed;
    let what = format!("{node} {query} at {began} ({}) missed {release}: ", words(asked));
    let coverage = &outcome.coverage;
    if let Outcome::Failed(_) = outcome.outcome {
        return what + &bad(outcome, plan);
    }
    if coverage.unresolved > 0 {
        return what
            + &format!("{} releases were known by name and their records did not come", coverage.unresolved);
    }
    let mut holders = truth.holders_of(release).filter(|holder| holder != node).peekable();
    if holders.peek().is_none() {
        return what + "nobody else holds it";
    }
    let told: Vec<String> = holders
        .take(NAMED)
        .map(|holder| match truth.out_of_reach(*node, holder, *began, *ended) {
            Some(why) => format!("holder {holder} was {why}"),
            None if answerers.contains(&holder) => format!("holder {holder} answered without it"),
            None => format!("holder {holder} was not asked, or did not answer"),
        })
        .collect();
    let rest = match outcome.outcome {
        Outcome::Partial(_) => format!("; {}", bad(outcome, plan)),
        Outcome::Enough => "; the limit was reached with others".to_owned(),
        _ => format!("; {} adequate answers came", coverage.adequate),
    };
    what + &told.join(", ") + &rest
}

/// Why a query ended badly.
pub(super) fn ended_badly(ending: &BadEnding, plan: &Plan) -> String {
    let BadEnding { node, asked, at, outcome } = ending;
    let what = asking::asked(asked);
    let how = match outcome.outcome {
        Outcome::Partial(_) => "partial",
        _ => "failed",
    };
    format!("{node} {} at {at}: {what} {how}: {}", outcome.query, bad(outcome, plan))
}

fn bad(outcome: &QueryOutcome, plan: &Plan) -> String {
    let mut parts = Vec::new();
    match outcome.outcome {
        Outcome::Partial(missing) => {
            parts.push(if missing.deadline {
                format!("its time was up after {:?}", outcome.elapsed)
            } else {
                "nobody was left to ask".to_owned()
            });
            if missing.answers > 0 {
                let wanted = plan.registry.answers_wanted;
                parts.push(format!("{wanted} adequate answers wanted, {} missing", missing.answers));
            }
            if missing.names > 0 {
                parts.push(format!("{} records did not come", missing.names));
            }
        }
        Outcome::Failed(reason) => parts.push(
            match reason {
                Reason::NoPeers => "no peer is known",
                Reason::NoAnswer => "nobody had an adequate answer",
                Reason::Deadline => "its time was up before any adequate answer",
                Reason::NotFound => "it does not exist",
                Reason::Conflict => "two different bodies are signed for it",
                Reason::Busy => "too many queries were in flight",
            }
            .to_owned(),
        ),
        Outcome::Complete | Outcome::Enough | Outcome::Cancelled => {}
    }
    let coverage = &outcome.coverage;
    let counts = [
        (coverage.inadequate, "inadequate"),
        (coverage.timed_out, "timed out"),
        (coverage.failed, "failed"),
        (coverage.refused, "refused as busy"),
        (coverage.abandoned, "still out at the end"),
    ];
    let counts: Vec<String> =
        counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if !counts.is_empty() {
        parts.push(format!("of {} asked {}", coverage.asked, counts.join(", ")));
    }
    parts.join("; ")
}
