//! What a testbed must tell beside what [`Testbed`] asks for, so that a run on it can be reported.

use bytes::Bytes;

use crate::network::Network;
use crate::registry::{RegistryConfig, Snapshot};
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
    /// Bytes of answers to questions that came when nobody waited for them any more; 0 where that is not seen.
    pub unwanted: u64,
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

/// The peer names of a testbed.
pub type PeerOf<B> = <<B as Testbed>::Network as Network>::Peer;

/// The network of a registry under test, watched and perhaps wrapped.
pub type DynNetwork<P> = Box<dyn Network<Peer = P>>;

/// What a registry under test is made of.
pub struct Outfit<P> {
    /// Its network.
    pub network: DynNetwork<P>,
    /// Everything else.
    pub config: RegistryConfig<P>,
}

impl<P> core::fmt::Debug for Outfit<P> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Outfit").field("config", &self.config).finish_non_exhaustive()
    }
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

    /// The last word on how a registry is made: what its network is wrapped in, above whatever watches that network, and
    /// how the registry is configured, its observer among it. Changes nothing, but where a test breaks a registry on
    /// purpose, to see that the oracles notice.
    fn outfit(&self, node: NodeId, outfit: Outfit<PeerOf<Self>>) -> Outfit<PeerOf<Self>> {
        let _ = node;
        outfit
    }

    /// What a registry says of itself when all is done, as the oracles are told it. See [`Measured::outfit`].
    fn account(&self, node: NodeId, snapshot: Snapshot<PeerOf<Self>>) -> Snapshot<PeerOf<Self>> {
        let _ = node;
        snapshot
    }

    /// Put something of the layers above into the trace, so that its hash covers it too.
    fn note(&mut self, bytes: &[u8]);

    /// The hash over everything that happened so far, in hexadecimal.
    fn trace_hash(&self) -> String;
}
