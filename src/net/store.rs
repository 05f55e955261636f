//! What this node keeps for the DHT, and what it lends to it.

use std::borrow::Cow;

use libp2p::PeerId;
use libp2p::kad::store::{MemoryStore, MemoryStoreConfig, RecordStore, Result};
use libp2p::kad::{ProviderRecord, Record, RecordKey};

use super::config::NetConfig;

/// The value that the application itself has under a key, beside what the DHT gave this node to store.
pub type Lend = Box<dyn Fn(&[u8]) -> Option<bytes::Bytes> + Send>;

/// Kad's store in memory, with what the application lends behind it.
pub(super) struct DhtStore {
    memory: MemoryStore,
    lend: Option<Lend>,
}

impl DhtStore {
    pub(super) fn new(local: PeerId, config: &NetConfig, lend: Option<Lend>) -> Self {
        let memory = MemoryStoreConfig {
            max_records: config.stored_records,
            max_value_bytes: config.record_bytes.saturating_add(1),
            ..MemoryStoreConfig::default()
        };
        Self { memory: MemoryStore::with_config(local, memory), lend }
    }
}

impl RecordStore for DhtStore {
    type RecordsIter<'a> = <MemoryStore as RecordStore>::RecordsIter<'a>;
    type ProvidedIter<'a> = <MemoryStore as RecordStore>::ProvidedIter<'a>;

    fn get(&self, key: &RecordKey) -> Option<Cow<'_, Record>> {
        if let Some(held) = self.memory.get(key) {
            return Some(held);
        }
        let value = self.lend.as_ref()?(key.as_ref())?;
        Some(Cow::Owned(Record::new(key.clone(), value.to_vec())))
    }

    fn put(&mut self, record: Record) -> Result<()> {
        self.memory.put(record)
    }

    fn remove(&mut self, key: &RecordKey) {
        self.memory.remove(key);
    }

    fn records(&self) -> Self::RecordsIter<'_> {
        self.memory.records()
    }

    fn add_provider(&mut self, record: ProviderRecord) -> Result<()> {
        self.memory.add_provider(record)
    }

    fn providers(&self, key: &RecordKey) -> Vec<ProviderRecord> {
        self.memory.providers(key)
    }

    fn provided(&self) -> Self::ProvidedIter<'_> {
        self.memory.provided()
    }

    fn remove_provider(&mut self, key: &RecordKey, provider: &PeerId) {
        self.memory.remove_provider(key, provider);
    }
}

impl core::fmt::Debug for DhtStore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("DhtStore").finish_non_exhaustive()
    }
}
