//! What a testbed must tell beside what [`Testbed`] asks for, so that a run on it can be reported.

use bytes::Bytes;

use crate::testbed::{NodeId, Testbed};

/// What happened on a testbed, counted since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Events that it processed.
    pub events: u64,
    /// Messages delivered between peers.
    pub messages: u64,
    /// Garbled things that nodes sent.
    pub garbled: u64,
    /// Dials that nodes began.
    pub dials: u64,
    /// Those of them that failed.
    pub failed_dials: u64,
}

/// Measures how deep the lookups of one node go, where its network does not say so itself in what a request has
/// cost: see [`RequestStats::hops`](crate::network::RequestStats::hops).
pub trait Meter {
    /// A lookup of `key` begins.
    fn begun(&self, key: &Bytes);

    /// It has ended, or was given up. Its hops.
    fn ended(&self, key: &Bytes) -> u32;
}

/// A testbed whose runs can be reported.
pub trait Measured: Testbed {
    /// Its name in reports: `sim`.
    fn name(&self) -> &str;

    /// What happened so far.
    fn figures(&self) -> Figures;

    /// What measures the lookups of `node`, if that is needed.
    fn meter(&self, node: NodeId) -> Option<Box<dyn Meter>> {
        let _ = node;
        None
    }

    /// Put something of the layers above into the trace, so that its hash covers it too.
    fn note(&mut self, bytes: &[u8]);

    /// The hash over everything that happened so far, in hexadecimal.
    fn trace_hash(&self) -> String;
}
