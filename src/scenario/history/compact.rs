//! Events as a few numbers, and the words for them.

use crate::engine::Cause;
use crate::sim::TraceEvent;

/// What each kind of event is in words. `{n0}` is the node in field 0, `{r0}` a request, `{q0}` a query, `{0}` a number, `{t0}` microseconds,
/// `{0?no|yes|…}` the word whose place it is, `{k0}` what a message is: its number among [`MESSAGES`], with 128 for an answer.
pub const WORDS: &[&str] = &[
    "{n0} begins, in region {1}",
    "{n0} stops and keeps {1?all|what was synced|nothing}",
    "{n0} begins again: life {1}",
    "a fault concerns {2} nodes, {n1} among them",
    "{n0} submits {r1}: {2?a record is looked up|a record is stored|providers are looked up|providing is told|a question|an announcement|a subscription}",
    "{n0} gives {r1} up",
    "{r1} of {n0} brings {3} bytes of {n2}",
    "{r1} of {n0} ends: {2?well|this node's own limits|unreachable|unsupported|timed out|broken off|refused|not found}; messages sent: {3}",
    "{n0} dials {n1}",
    "the dial from {n0} to {n1} {2?fails|connects}",
    "{n0} and {n1} are disconnected",
    "{n0} sends {n1}: {k2}, to arrive after {t3}",
    "{n1} gets from {n0}: {k2}",
    "{n0} to {n1}: {k2} is lost: {3?cut|reset|gone|silent|stalled|blocked}",
    "{n1} is too busy for {n0}: {k2}",
    "{n0} garbles an answer",
    "{n0} refuses what {n1} sent",
    "{n0} {2?does not keep|keeps} the record that {n1} sent",
    "{n0} announces a record",
    "{n0} hears an announcement from {n1}",
    "{n0} has written to its disk",
    "{n0} drops something: a queue is full",
    "a result is noted",
    "{n0} begins {q1}",
    "{q1} of {n0} delivers a release {2?of its own catalogue|that {n3} gave}",
    "{q1} of {n0} ends: {2?complete|enough|partial|failed|cancelled}",
    "{n0} charges {n1}: {2?answered|unreachable|timed out|broken off|busy|malformed|forged}",
];

/// What a message is, by its number.
pub const MESSAGES: &[&str] = &[
    "closer peers",
    "a record",
    "providers",
    "a record to keep",
    "a provider to keep",
    "a message",
    "a question",
    "an announcement",
];

pub(super) const BEGAN: u8 = 23;
pub(super) const DELIVERED: u8 = 24;
pub(super) const ENDED: u8 = 25;
pub(super) const CHARGED: u8 = 26;

/// The place of a cause among the words.
pub(super) const fn cause(cause: Cause) -> u64 {
    match cause {
        Cause::Answered => 0,
        Cause::Unreachable => 1,
        Cause::TimedOut => 2,
        Cause::Broken => 3,
        Cause::Busy => 4,
        Cause::Malformed => 5,
        Cause::Forged => 6,
    }
}

/// The place in [`WORDS`] of an event of the trace, and what fills the words.
pub(super) fn compact(event: &TraceEvent) -> (u8, [u64; 4]) {
    use TraceEvent as T;
    let n = u64::from;
    match *event {
        T::Spawned { node, region, .. } => (0, [n(node), u64::from(region), 0, 0]),
        T::Killed { node, keep } => (1, [n(node), u64::from(keep), 0, 0]),
        T::Restarted { node, life } => (2, [n(node), n(life), 0, 0]),
        T::Faulted { kind, first, size } => (3, [u64::from(kind), n(first), n(size), 0]),
        T::Submitted { node, request, kind, .. } => (4, [n(node), request, u64::from(kind), 0]),
        T::Cancelled { node, request } => (5, [n(node), request, 0, 0]),
        T::Progress { node, request, from, bytes } => (6, [n(node), request, n(from), n(bytes)]),
        T::Finished { node, request, ending, sent, .. } => {
            (7, [n(node), request, u64::from(ending), n(sent)])
        }
        T::Dialling { from, to } => (8, [n(from), n(to), 0, 0]),
        T::Dialled { from, to, connected } => (9, [n(from), n(to), u64::from(connected), 0]),
        T::Disconnected { a, b } => (10, [n(a), n(b), 0, 0]),
        T::Sent { from, to, kind, delay, .. } => (11, [n(from), n(to), u64::from(kind), delay / 1000]),
        T::Delivered { from, to, kind, .. } => (12, [n(from), n(to), u64::from(kind), 0]),
        T::Lost { from, to, kind, why, .. } => (13, [n(from), n(to), u64::from(kind), u64::from(why)]),
        T::Busy { from, to, kind, .. } => (14, [n(from), n(to), u64::from(kind), 0]),
        T::Garbled { node, way, .. } => (15, [n(node), u64::from(way), 0, 0]),
        T::Rejected { node, from, ware, code } => (16, [n(node), n(from), u64::from(ware), u64::from(code)]),
        T::Stored { node, from, kept, .. } => (17, [n(node), n(from), u64::from(kept), 0]),
        T::Announced { node, .. } => (18, [n(node), 0, 0, 0]),
        T::Heard { node, from, .. } => (19, [n(node), n(from), 0, 0]),
        T::Synced { node, .. } => (20, [n(node), 0, 0, 0]),
        T::Dropped { node } => (21, [n(node), 0, 0, 0]),
        T::Noted { kind, .. } => (22, [n(kind), 0, 0, 0]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_words() {
        assert_eq!(WORDS.len(), usize::from(CHARGED) + 1);
        let lost = TraceEvent::Lost { from: 3, to: 4, kind: 5, identity: 9, why: 2 };
        let (kind, fields) = compact(&lost);
        assert!(WORDS[usize::from(kind)].contains("is lost"));
        assert_eq!(fields, [3, 4, 5, 2]);
        assert!(WORDS[usize::from(BEGAN)].contains("begins {q1}"));
        assert!(WORDS[usize::from(DELIVERED)].contains("delivers"));
        assert!(WORDS[usize::from(ENDED)].contains("ends"));
    }
}
