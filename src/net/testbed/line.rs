//! What is done to all that one node sends in answer: the faults of its line, over all its lives.
//!
//! A node itself is always honest and quick. What makes it silent, slow, stalling or garbling stands between
//! it and its connections, so that the very protocols are spoken and any kind of node can be struck.

use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::carrier::{Carrier, Served, Service};
use super::depths::Depths;
use super::frame::{Answer, Limits};
use crate::testbed::draw::{below, mix};
use crate::testbed::garble::{Garbled, garble};
use crate::testbed::{Garble, NodeId};

/// The line of one node. A clone is the same line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    node: NodeId,
    carrier: Arc<dyn Carrier>,
    /// What an answer is taken to take where the carrier has no times of its own.
    usual: Duration,
    depths: Depths,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    manner: Manner,
    /// How many times as long as usual an answer takes.
    slow: u32,
    garbles: Vec<Garble>,
    dialable: bool,
    counts: Counts,
    limits: Limits,
    /// The answer and the record that went out last, to be told again for another.
    before: [Bytes; 2],
    draw: u64,
}

/// How answers leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Manner {
    /// Not at all.
    pub(super) silent: bool,
    /// Their first byte, and then nothing.
    pub(super) stalled: bool,
    /// Ruined in some way.
    pub(super) garbles: bool,
}

/// What went over a node's line, or over those of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests of others, and what was said in answer.
    pub messages: u64,
    /// Garbled answers and records.
    pub garbled: u64,
    /// Dials that the node began.
    pub dials: u64,
    /// Those of them that failed.
    pub failed_dials: u64,
}

impl Line {
    /// The line of `node`, without faults.
    pub(super) fn new(
        node: NodeId,
        carrier: Arc<dyn Carrier>,
        usual: Duration,
        dialable: bool,
        limits: Limits,
    ) -> Self {
        let state = Arc::new(Mutex::new(State {
            manner: Manner::default(),
            slow: 1,
            garbles: Vec::new(),
            dialable,
            counts: Counts::default(),
            limits,
            before: [Bytes::new(), Bytes::new()],
            draw: mix(u64::from(node.0)),
        }));
        Self { node, carrier, usual, depths: Depths::default(), state }
    }

    /// How deep the node's lookups go.
    pub(super) fn depths(&self) -> &Depths {
        &self.depths
    }

    pub(super) fn set_silent(&self, silent: bool) {
        self.open().manner.silent = silent;
    }

    pub(super) fn set_stalled(&self, stalled: bool) {
        self.open().manner.stalled = stalled;
    }

    /// Answers take so many times as long.
    pub(super) fn set_slow(&self, factor: u32) {
        self.open().slow = factor.max(1);
    }

    /// When an answer leaves that is made now.
    #[expect(clippy::disallowed_methods, reason = "on a wire a slow node is slow in real time")]
    pub(super) fn service(&self, served: Served) -> Service {
        let slow = self.open().slow;
        match self.carrier.service(self.node, served, slow) {
            Some(service) => service,
            None if slow == 1 => Service::Now,
            None => Service::Later(Box::pin(tokio::time::sleep(self.usual.saturating_mul(slow - 1)))),
        }
    }

    /// Answers are ruined in one of these ways each.
    pub(super) fn set_garbles(&self, ways: Vec<Garble>) {
        let mut state = self.open();
        state.manner.garbles = !ways.is_empty();
        state.garbles = ways;
    }

    pub(super) fn set_dialable(&self, dialable: bool) {
        self.open().dialable = dialable;
    }

    pub(super) fn dialable(&self) -> bool {
        self.open().dialable
    }

    /// How an answer is to leave now.
    pub(super) fn manner(&self) -> Manner {
        self.open().manner
    }

    /// A message came in, or went out.
    pub(super) fn message(&self) {
        let counts = &mut self.open().counts;
        counts.messages = counts.messages.saturating_add(1);
    }

    /// The node begins a dial.
    pub(super) fn dials(&self) {
        let counts = &mut self.open().counts;
        counts.dials = counts.dials.saturating_add(1);
    }

    /// A dial of the node has failed.
    pub(super) fn dial_failed(&self) {
        let counts = &mut self.open().counts;
        counts.failed_dials = counts.failed_dials.saturating_add(1);
    }

    pub(super) fn counts(&self) -> Counts {
        self.open().counts
    }

    /// Count from here.
    pub(super) fn count_anew(&self) {
        self.open().counts = Counts::default();
    }

    /// The frame that goes out instead of `answer`, ruined in a way that is drawn; `None` when there is nothing
    /// in it to be ruined.
    pub(super) fn ruin(&self, answer: &Answer) -> Option<Vec<u8>> {
        let mut state = self.open();
        state.draw = mix(state.draw);
        let draw = state.draw;
        let ways = state.garbles.len() as u64;
        let way = *state.garbles.get(usize::try_from(below(draw, ways)).ok()?)?;
        let good = answer.body()?;
        let before = state.before.get_mut(usize::from(answer.is_record()))?;
        let before = core::mem::replace(before, good.clone());
        let limits = state.limits;
        let ruined = match way {
            Garble::WrongKey if before.is_empty() || before == good => None,
            Garble::WrongKey => Some(answer.with_body(&before)),
            way => match garble(way, &good, answer.most(limits), mix(draw)) {
                Garbled::Oversized => Some(answer.with_body(&vec![0x80; answer.over(limits)])),
                Garbled::Bytes(bytes) if bytes == good => None,
                Garbled::Bytes(bytes) => Some(answer.with_body(&bytes)),
            },
        }?;
        state.counts.garbled = state.counts.garbled.saturating_add(1);
        Some(ruined)
    }

    fn open(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
