//! What a testbed must tell beside what [`Testbed`] asks for, so that a run on it can be reported.

use crate::testbed::Testbed;

/// What happened on a testbed, counted since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Events that it processed.
    pub events: u64,
    /// Messages delivered between peers.
    pub messages: u64,
    /// Garbled things that nodes sent.
    pub garbled: u64,
}

/// A testbed whose runs can be reported.
pub trait Measured: Testbed {
    /// Its name in reports: `sim`.
    const NAME: &'static str;

    /// What happened so far.
    fn figures(&self) -> Figures;

    /// Put something of the layers above into the trace, so that its hash covers it too.
    fn note(&mut self, bytes: &[u8]);

    /// The hash over everything that happened so far, in hexadecimal.
    fn trace_hash(&self) -> String;
}
