//! What a node keeps in its database, and what it knows of its own past by it.

use std::future::poll_fn;

use super::data::DataFolder;
use super::error::{DataError, NodeError};
use super::settings::NodeLimits;
use crate::net::{NetConfig, held_limits};
use crate::store::disk::LastWrite;
use crate::store::{Batch, Disk, DiskStore, OpenError, Store as _, StoreLimits};

/// Where the publisher stands whose first publication this database has seen.
const PUBLISHER: &[u8] = b"publisher";

/// The node's database, open.
#[derive(Debug)]
pub(super) struct Keep {
    /// What the registry keeps.
    pub(super) registry: DiskStore,
    /// What the network holds for others, and serves of its own.
    pub(super) held: DiskStore,
    /// Everything that was ever published with this key, if anything was, stands in this database: so an empty one
    /// says that nothing was.
    pub(super) whole: bool,
    /// How the last write of any of them went.
    pub(super) last_write: LastWrite,
}

impl Keep {
    /// Open the database of `folder`, for a node with these limits and this network.
    pub(super) async fn open(
        folder: &mut DataFolder,
        limits: &NodeLimits,
        network: &NetConfig,
    ) -> Result<Self, NodeError> {
        let broken = |error: OpenError| DataError::Database(error.to_string());
        let disk = Disk::open(&folder.database()).map_err(broken)?;
        let registry = disk.store("registry", registry_limits(limits)).map_err(broken)?;
        let held = disk.store("held", held_limits(network)).map_err(broken)?;
        let own = disk.store("node", StoreLimits { keys: 16, bytes: 4096, pending: 4 }).map_err(broken)?;
        let whole = whole(folder, own).await?;
        folder.keep_publisher()?;
        Ok(Self { registry, held, whole, last_write: disk.last_write() })
    }
}

/// Room for the catalogue, for what was published here, and for the lists of both.
fn registry_limits(limits: &NodeLimits) -> StoreLimits {
    let keys = limits.catalogue.saturating_mul(2).saturating_add(50_000);
    let bytes = limits.catalogue.saturating_mul(2048).saturating_add(64 << 20);
    StoreLimits { keys, bytes, ..StoreLimits::default() }
}

/// Whether the database is as old as the key. A key that was made just now is noted in it, durably, before anything is
/// published with it.
async fn whole(folder: &DataFolder, mut own: DiskStore) -> Result<bool, NodeError> {
    let broken = |error| DataError::Database(format!("{}: {error}", folder.database().display()));
    let publisher = folder.publisher.id();
    if folder.new_publisher() {
        let mut batch = Batch::new();
        batch.put(PUBLISHER, publisher.as_bytes().to_vec());
        own.submit(batch).map_err(broken)?;
        let (_, synced) = poll_fn(|cx| own.poll_synced(cx)).await;
        synced.map_err(broken)?;
    }
    let noted = own.get(PUBLISHER).map_err(broken)?;
    Ok(noted.is_some_and(|noted| noted == publisher.as_bytes()[..]))
}
