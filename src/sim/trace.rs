//! The record of a run: one event for each thing that happened, and one hash of them all.
//!
//! Each event is hashed as its tag, the number of its fields, the time, and its fields as little-endian
//! 64-bit integers; bytes from outside are hashed after their length. No text that a library or this crate
//! words, no `usize` and no order of a hash map enters. The hash is XXH3 with 128 bits: it tells runs
//! apart, it does not defend against forgery.

use core::fmt;
use std::io::Write;

use serde::Serialize;
use xxhash_rust::xxh3::Xxh3;

use crate::time::Timestamp;

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum TraceEvent {
    /// A node began.
    Spawned { node: u32, position: u64, region: u16 },
    /// A node stopped; what it keeps is 0 all, 1 synced, 2 nothing.
    Killed { node: u32, keep: u8 },
    /// A node began again.
    Restarted { node: u32, life: u32 },
    /// A fault was applied; `kind` is its place in `testbed::Fault`, `first` a node it concerns.
    Faulted { kind: u8, first: u32, size: u32 },
    /// An application submitted a request; `kind` is its place in `network::Request`.
    Submitted { node: u32, request: u64, kind: u8, identity: u64 },
    /// An application gave a request up.
    Cancelled { node: u32, request: u64 },
    /// A request brought an item of this size.
    Progress { node: u32, request: u64, from: u32, bytes: u32 },
    /// A request ended: 0 well, otherwise 1 + the place in `network::Failure`.
    Finished { node: u32, request: u64, ending: u8, sent: u32, answered: u32, failed: u32 },
    /// A dial was begun.
    Dialling { from: u32, to: u32 },
    /// A dial was over.
    Dialled { from: u32, to: u32, connected: bool },
    /// A connection ended.
    Disconnected { a: u32, b: u32 },
    /// A message set out; `kind` is a request's kind, plus 128 for an answer.
    Sent { from: u32, to: u32, kind: u8, identity: u64, delay: u64 },
    /// A message arrived.
    Delivered { from: u32, to: u32, kind: u8, identity: u64 },
    /// A message will never arrive, or will not be answered; `why` is 0 cut, 1 reset, 2 gone, 3 silent, 4 stalled, 5 blocked.
    Lost { from: u32, to: u32, kind: u8, identity: u64, why: u8 },
    /// A peer refused a request because too much waits at it.
    Busy { from: u32, to: u32, kind: u8, identity: u64 },
    /// An answer or record was garbled on purpose.
    Garbled { node: u32, way: u8, identity: u64 },
    /// A node refused something ill-made; `ware` is its place in `network::Ware`.
    Rejected { node: u32, from: u32, ware: u8, code: u16 },
    /// A node stored a record for the DHT, or kept the one it had.
    Stored { node: u32, from: u32, key: u64, kept: bool },
    /// An announcement set out from its author.
    Announced { node: u32, announcement: u64 },
    /// A node heard an announcement for the first time.
    Heard { node: u32, from: u32, announcement: u64 },
    /// A node's batch reached its disk.
    Synced { node: u32, write: u64 },
    /// Something was dropped because a queue was full.
    Dropped { node: u32 },
    /// Whoever drives the world noted something.
    Noted { kind: u32, digest: u64 },
}

impl TraceEvent {
    // Inlined into each place that notes something, nothing of the match is left.
    #[inline(always)]
    fn fields(&self) -> (u8, u8, [u64; 6]) {
        use TraceEvent as T;
        let n = u64::from;
        let (tag, count, f): (u8, u8, [u64; 6]) = match *self {
            T::Spawned { node, position, region } => (1, 3, [n(node), position, u64::from(region), 0, 0, 0]),
            T::Killed { node, keep } => (2, 2, [n(node), u64::from(keep), 0, 0, 0, 0]),
            T::Restarted { node, life } => (3, 2, [n(node), n(life), 0, 0, 0, 0]),
            T::Faulted { kind, first, size } => (4, 3, [u64::from(kind), n(first), n(size), 0, 0, 0]),
            T::Submitted { node, request, kind, identity } => {
                (5, 4, [n(node), request, u64::from(kind), identity, 0, 0])
            }
            T::Cancelled { node, request } => (6, 2, [n(node), request, 0, 0, 0, 0]),
            T::Progress { node, request, from, bytes } => (7, 4, [n(node), request, n(from), n(bytes), 0, 0]),
            T::Finished { node, request, ending, sent, answered, failed } => {
                (8, 6, [n(node), request, u64::from(ending), n(sent), n(answered), n(failed)])
            }
            T::Dialling { from, to } => (9, 2, [n(from), n(to), 0, 0, 0, 0]),
            T::Dialled { from, to, connected } => (10, 3, [n(from), n(to), u64::from(connected), 0, 0, 0]),
            T::Disconnected { a, b } => (11, 2, [n(a), n(b), 0, 0, 0, 0]),
            T::Sent { from, to, kind, identity, delay } => {
                (12, 5, [n(from), n(to), u64::from(kind), identity, delay, 0])
            }
            T::Delivered { from, to, kind, identity } => {
                (13, 4, [n(from), n(to), u64::from(kind), identity, 0, 0])
            }
            T::Lost { from, to, kind, identity, why } => {
                (14, 5, [n(from), n(to), u64::from(kind), identity, u64::from(why), 0])
            }
            T::Busy { from, to, kind, identity } => {
                (15, 4, [n(from), n(to), u64::from(kind), identity, 0, 0])
            }
            T::Garbled { node, way, identity } => (16, 3, [n(node), u64::from(way), identity, 0, 0, 0]),
            T::Rejected { node, from, ware, code } => {
                (17, 4, [n(node), n(from), u64::from(ware), u64::from(code), 0, 0])
            }
            T::Stored { node, from, key, kept } => (18, 4, [n(node), n(from), key, u64::from(kept), 0, 0]),
            T::Announced { node, announcement } => (19, 2, [n(node), announcement, 0, 0, 0, 0]),
            T::Heard { node, from, announcement } => (20, 3, [n(node), n(from), announcement, 0, 0, 0]),
            T::Synced { node, write } => (21, 2, [n(node), write, 0, 0, 0, 0]),
            T::Dropped { node } => (22, 1, [n(node), 0, 0, 0, 0, 0]),
            T::Noted { kind, digest } => (23, 2, [n(kind), digest, 0, 0, 0, 0]),
        };
        (tag, count, f)
    }
}

/// Who sees events as they happen.
pub trait TraceSink {
    /// `event` happened at `at`.
    fn event(&mut self, at: Timestamp, event: &TraceEvent);
}

/// A sink that writes one JSON object a line. It stops at the first error and keeps it.
#[derive(Debug)]
pub struct JsonLines<W> {
    out: W,
    error: Option<std::io::Error>,
}

impl<W: Write> JsonLines<W> {
    /// Write to `out`.
    pub fn new(out: W) -> Self {
        Self { out, error: None }
    }

    fn write(&mut self, at: Timestamp, event: &TraceEvent) -> std::io::Result<()> {
        #[derive(Serialize)]
        struct Line<'a> {
            at_ns: u64,
            #[serde(flatten)]
            event: &'a TraceEvent,
        }
        serde_json::to_writer(&mut self.out, &Line { at_ns: at.as_nanos(), event })?;
        self.out.write_all(b"\n")
    }
}

impl<W: Write> TraceSink for JsonLines<W> {
    fn event(&mut self, at: Timestamp, event: &TraceEvent) {
        if self.error.is_none() {
            self.error = self.write(at, event).err();
        }
    }
}

/// The state of the hash after a number of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Checkpoint {
    /// Events hashed.
    pub events: u64,
    /// The time of the last.
    pub at: Timestamp,
    /// The hash so far.
    pub hash: u128,
}

/// The hash of a run, with its checkpoints. `S` is what sees the events: `dyn TraceSink + Send` lets it move to
/// another thread.
pub struct Trace<S: TraceSink + ?Sized = dyn TraceSink> {
    hash: Xxh3,
    /// What the hash has yet to take: many events at once cost it less than each by itself.
    pending: [u8; PENDING],
    filled: usize,
    events: u64,
    every: u64,
    /// The number of the event with which the next checkpoint comes.
    next: u64,
    checkpoints: Vec<Checkpoint>,
    sink: Option<Box<S>>,
    last: Timestamp,
}

/// The most bytes of one event: what it is, how many fields, when, and six fields.
const EVENT: usize = 10 + 48;
/// Bytes of events that are hashed at once, at most.
const PENDING: usize = 1024;

/// Checkpoints kept. When there are more, every second is forgotten and they come half as often.
const CHECKPOINTS: usize = 4096;

impl<S: TraceSink + ?Sized> Default for Trace<S> {
    fn default() -> Self {
        Self {
            hash: Xxh3::new(),
            pending: [0; PENDING],
            filled: 0,
            events: 0,
            every: 1024,
            next: 1024,
            checkpoints: Vec::new(),
            sink: None,
            last: Timestamp::ZERO,
        }
    }
}

impl<S: TraceSink + ?Sized> Trace<S> {
    /// Show every event from now on to `sink`.
    pub fn show_to(&mut self, sink: Option<Box<S>>) {
        self.sink = sink;
    }

    /// `event` happened at `at`, in nanoseconds of the run.
    #[inline(always)]
    pub fn add(&mut self, at: u64, event: TraceEvent) {
        let (tag, count, fields) = event.fields();
        if self.filled + EVENT > PENDING {
            self.hash_pending();
        }
        let buffer = &mut self.pending[self.filled..self.filled + EVENT];
        buffer[0] = tag;
        buffer[1] = count;
        buffer[2..10].copy_from_slice(&at.to_le_bytes());
        for (chunk, field) in buffer[10..].chunks_exact_mut(8).zip(fields) {
            chunk.copy_from_slice(&field.to_le_bytes());
        }
        self.filled += 10 + 8 * usize::from(count);
        self.events += 1;
        self.last = Timestamp::from_nanos(at);
        if self.events >= self.next {
            self.checkpoint();
        }
        if let Some(sink) = &mut self.sink {
            sink.event(self.last, &event);
        }
    }

    /// Whoever drives the world notes `bytes` at `at`.
    pub fn note(&mut self, at: u64, kind: u32, bytes: &[u8]) {
        self.add(at, TraceEvent::Noted { kind, digest: super::rng::digest(u64::from(kind), bytes) });
        self.hash_pending();
        self.hash.update(&(bytes.len() as u64).to_le_bytes());
        self.hash.update(bytes);
    }

    fn hash_pending(&mut self) {
        self.hash.update(&self.pending[..self.filled]);
        self.filled = 0;
    }

    #[cold]
    fn checkpoint(&mut self) {
        self.hash_pending();
        if self.checkpoints.len() >= CHECKPOINTS {
            self.every *= 2;
            let every = self.every;
            self.checkpoints.retain(|c| c.events.is_multiple_of(every));
        }
        self.next = (self.events / self.every + 1) * self.every;
        if self.events.is_multiple_of(self.every) {
            let hash = self.hash.digest128();
            self.checkpoints.push(Checkpoint { events: self.events, at: self.last, hash });
        }
    }

    /// The hash of everything so far.
    pub fn hash(&self) -> u128 {
        let mut hash = self.hash.clone();
        hash.update(&self.pending[..self.filled]);
        hash.digest128()
    }

    /// Events so far.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The checkpoints so far.
    pub fn checkpoints(&self) -> &[Checkpoint] {
        &self.checkpoints
    }
}

impl<S: TraceSink + ?Sized> fmt::Debug for Trace<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace")
            .field("events", &self.events)
            .field("hash", &self.hash())
            .finish_non_exhaustive()
    }
}

/// The last checkpoint up to which two runs were the same.
pub fn parted(a: &[Checkpoint], b: &[Checkpoint]) -> Option<Checkpoint> {
    let mut last = None;
    for (x, y) in a.iter().zip(b) {
        if x != y {
            break;
        }
        last = Some(*x);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(n: u32) -> impl Iterator<Item = TraceEvent> {
        (0..n).map(|node| TraceEvent::Dropped { node })
    }

    #[test]
    fn the_hash_depends_on_every_field_and_on_time_and_order() {
        let run = |list: &[(u64, TraceEvent)]| {
            let mut trace = <Trace>::default();
            for (at, event) in list {
                trace.add(*at, *event);
            }
            trace.hash()
        };
        let (a, b) = (TraceEvent::Dropped { node: 1 }, TraceEvent::Cancelled { node: 1, request: 2 });
        let base = run(&[(1, a), (2, b)]);
        assert_eq!(base, run(&[(1, a), (2, b)]));
        let c = TraceEvent::Cancelled { node: 1, request: 3 };
        for other in [run(&[(1, b), (2, a)]), run(&[(1, a), (3, b)]), run(&[(1, a), (2, c)]), run(&[(1, a)])]
        {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn notes_are_told_apart_by_kind_length_and_bytes() {
        let run = |notes: &[(u32, &[u8])]| {
            let mut trace = <Trace>::default();
            for (kind, bytes) in notes {
                trace.note(0, *kind, bytes);
            }
            trace.hash()
        };
        assert_ne!(run(&[(1, b"ab"), (1, b"c")]), run(&[(1, b"a"), (1, b"bc")]));
        assert_ne!(run(&[(1, b"a")]), run(&[(2, b"a")]));
    }

    #[test]
    fn checkpoints_find_where_two_runs_part_and_stay_bounded() {
        let (mut a, mut b) = (<Trace>::default(), <Trace>::default());
        for (i, event) in events(5_000).enumerate() {
            a.add(i as u64, event);
            b.add(i as u64 + u64::from(i == 3_000), event);
        }
        assert_eq!(parted(a.checkpoints(), b.checkpoints()).map(|c| c.events), Some(2048));
        for event in events(10_000_000) {
            a.add(0, event);
        }
        assert!(a.checkpoints().len() <= CHECKPOINTS, "{}", a.checkpoints().len());
        assert!(a.checkpoints().windows(2).all(|w| w[0].events < w[1].events));
    }

    #[test]
    fn lines_of_json_carry_time_and_fields() {
        let mut out = Vec::new();
        JsonLines::new(&mut out)
            .event(Timestamp::from_nanos(7), &TraceEvent::Cancelled { node: 1, request: 2 });
        assert_eq!(out, b"{\"at_ns\":7,\"event\":\"cancelled\",\"node\":1,\"request\":2}\n");
    }
}
