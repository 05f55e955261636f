//! What every network can say of the name of a peer.

use core::fmt::{Debug, Display};
use core::hash::Hash;

/// The name of a peer: small, copied freely, in a total order that does not change between runs.
///
/// A libp2p `PeerId` on a real swarm, an index in the simulator.
pub trait Peer: Copy + Ord + Hash + Debug + Display + Send + Sync + 'static {}

impl<T: Copy + Ord + Hash + Debug + Display + Send + Sync + 'static> Peer for T {}
