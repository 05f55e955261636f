//! What the interface shows of packages, publications, peers and the node itself.

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::package::{PackageName, PublisherId};
use crate::time::WallTime;

/// The releases of a package, as its newest verified list tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionsView {
    /// Who publishes it.
    pub publisher: PublisherId,
    /// The package's name.
    pub name: PackageName,
    /// The list's sequence. It rises with each change.
    pub sequence: u64,
    /// The list's end of validity.
    pub valid_until_ms: WallTime,
    /// That end has passed: a newer list may be held back.
    pub stale: bool,
    /// The releases, in ascending order of version.
    pub versions: Vec<VersionView>,
}

/// One release in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionView {
    /// Its version.
    pub version: Version,
    /// Whether it was taken back.
    pub yanked: bool,
    /// SHA-256 of its signed record, 64 hexadecimal digits.
    pub record: String,
}

/// A publication or a yank. It is durable at the node; what could not be sent now is sent again later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedView {
    /// The publisher: this node's.
    pub publisher: PublisherId,
    /// The package's name.
    pub name: PackageName,
    /// Which version.
    pub version: Version,
    /// Whether it was taken back by this; otherwise it was published.
    pub yanked: bool,
    /// The publisher's number for this statement.
    pub number: u64,
    /// The sequence of the package's list with the change in it.
    pub sequence: u64,
    /// Storing the release in the DHT; not there for a yank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_stored: Option<StoredView>,
    /// Storing the list in the DHT.
    pub list_stored: StoredView,
    /// To how many neighbours it was announced; not there when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<u32>,
}

/// What came of storing one record in the DHT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredView {
    /// Peers that acknowledged it: claims, not proofs.
    pub acked: u32,
    /// Peers that returned it when it was read back; not there where that was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<u32>,
    /// Why nobody has it yet. It is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// The peers that a node knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeersView {
    /// The peers, best reputation first.
    pub peers: Vec<PeerView>,
}

/// One peer, as the node sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeerView {
    /// Its peer id.
    pub peer: String,
    /// Its reputation, from 0 to 1.
    pub score: f64,
    /// Its smoothed round-trip time; not there when none was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
}

/// Who a node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeView {
    /// Its version of the software.
    pub version: String,
    /// Its peer id.
    pub peer: String,
    /// Whose key it publishes with.
    pub publisher: PublisherId,
    /// Where it listens, each with `/p2p/PEER`: what another node bootstraps by.
    pub addresses: Vec<String>,
    /// Entries in its catalogue.
    pub catalogue: u64,
    /// Peers that it knows.
    pub peers: u64,
    /// For how long it has been up.
    pub uptime_ms: u64,
}

/// The process is up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthView {
    /// Always `ok`.
    pub status: String,
}

/// Whether the node can do its work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadyView {
    /// Whether it can.
    pub ready: bool,
    /// What is missing, for people. Empty when it is ready.
    pub missing: Vec<String>,
}
