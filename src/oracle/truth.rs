//! What is true, as only the world knows it.

use crate::package::{PackageId, Query, ReleaseId};
use crate::record::Digest;
use crate::testbed::NodeId;
use crate::time::Timestamp;

/// The world's own knowledge, against which oracles hold what was seen.
pub trait Truth {
    /// Whether `release`'s publisher signed and published exactly these bytes, by `at`.
    fn published(&self, release: &ReleaseId, digest: &Digest, at: Timestamp) -> bool;

    /// Whether `package`'s publisher signed and published exactly this list, by `at`.
    fn listed(&self, package: &PackageId, digest: &Digest, at: Timestamp) -> bool;

    /// Whether `node` may have sent something ill-made at or before `at`: it is, or was, hostile.
    fn hostile(&self, node: NodeId, at: Timestamp) -> bool;

    /// Whether nothing whatever goes wrong in this run: no fault, nobody hostile or out of reach.
    fn quiet(&self) -> bool;

    /// What a search from `asker`, running from `from` to `until`, ought to find: what matches, is not
    /// yanked, was published earlier than the propagation bound before `from`, and has a holder that the
    /// asker could reach throughout.
    fn expected(&self, asker: NodeId, query: &Query, from: Timestamp, until: Timestamp) -> Vec<ReleaseId>;

    /// Whether `node` answers honestly and holds `release` in its catalogue, now. `None` where that is
    /// not known.
    fn holds(&self, node: NodeId, release: &ReleaseId) -> Option<bool>;
}
