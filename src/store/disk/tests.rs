use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use proptest::prelude::*;
use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::*;
use crate::store::tests::{Kind, all, histories, holds_the_contract, is_a_bounded_map, next, put, settle};

mod broken;
mod crashes;

const LIMITS: StoreLimits = StoreLimits { keys: 1000, bytes: 1 << 20, pending: 100 };

fn in_memory() -> Base {
    Arc::new(InMemoryBackend::new())
}

fn over(base: &Base) -> Result<Disk, OpenError> {
    Disk::over(Arc::clone(base), "test.redb".as_ref())
}

/// What a file holds now.
fn image(base: &dyn StorageBackend) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(base.len().unwrap()).unwrap()];
    base.read(0, &mut bytes).unwrap();
    bytes
}

fn from_image(bytes: &[u8]) -> Base {
    let base = in_memory();
    base.set_len(bytes.len() as u64).unwrap();
    base.write(0, bytes).unwrap();
    base
}

/// A disk whose file is a piece of memory that outlives it.
struct OnDisk(Base);

impl Kind for OnDisk {
    type Store = DiskStore;
    fn open(&mut self, limits: StoreLimits) -> DiskStore {
        over(&self.0).unwrap().store("it", limits).unwrap()
    }
    fn size(store: &DiskStore) -> (usize, usize) {
        store.size()
    }
}

#[test]
fn a_store_on_a_disk_holds_the_contract() {
    holds_the_contract(|| OnDisk(in_memory()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_on_a_disk_is_a_bounded_map_that_outlives_its_handles(history in histories()) {
        is_a_bounded_map(&mut OnDisk(in_memory()), &history, true);
    }
}

#[test]
fn one_file_has_several_stores_that_know_nothing_of_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("it.redb");
    let disk = Disk::open(&file).unwrap();
    let (mut one, mut two) = (disk.store("one", LIMITS).unwrap(), disk.store("two", LIMITS).unwrap());
    assert!(matches!(disk.store("one", LIMITS), Err(OpenError::NameTaken { name: "one" })));
    put(&mut one, "a", "1").unwrap();
    put(&mut two, "a", "2").unwrap();
    put(&mut two, "b", "3").unwrap();
    let pairs = |store: &DiskStore| all(store).into_iter().map(|(_, value)| value).collect::<Vec<_>>();
    assert_eq!(
        (pairs(&one), pairs(&two)),
        (vec![Bytes::from("1")], vec![Bytes::from("2"), Bytes::from("3")])
    );
    // Nobody waited for the syncs: the last handle does.
    drop((one, two, disk));
    let disk = Disk::open(&file).unwrap();
    let (one, two) = (disk.store("one", LIMITS).unwrap(), disk.store("two", LIMITS).unwrap());
    assert_eq!(
        (pairs(&one), pairs(&two)),
        (vec![Bytes::from("1")], vec![Bytes::from("2"), Bytes::from("3")])
    );
    assert_eq!((one.size(), two.size()), ((1, 2), (2, 4)));
}

#[test]
fn a_store_can_be_opened_again_while_what_it_left_is_on_its_way() {
    let disk = over(&in_memory()).unwrap();
    let mut store = disk.store("it", LIMITS).unwrap();
    for number in 0..50u8 {
        put(&mut store, vec![number], vec![number; 10]).unwrap();
    }
    drop(store);
    let mut store = disk.store("it", LIMITS).unwrap();
    assert_eq!((store.size(), all(&store).len()), ((50, 550), 50));
    let id = put(&mut store, "new", "1").unwrap();
    assert_eq!(next(&mut store), (id, Ok(())), "what the last handle left is not told to this one");
}

#[test]
fn waiting_bytes_are_bounded_over_all_stores() {
    let (base, gate) = Gated::over(in_memory());
    let disk = over(&base).unwrap();
    let limits = StoreLimits { keys: 1000, bytes: 1 << 30, pending: 1000 };
    let (mut one, mut two) = (disk.store("one", limits).unwrap(), disk.store("two", limits).unwrap());
    gate.store(0, Ordering::SeqCst);
    put(&mut one, "big", vec![1; 40 << 20]).unwrap();
    assert_eq!(put(&mut two, "big", vec![1; 40 << 20]), Err(StoreError::Busy { pending: 1 }));
    put(&mut two, "small", vec![1; 1 << 20]).unwrap();
    gate.store(u64::MAX, Ordering::SeqCst);
    settle(&mut one);
    settle(&mut two);
    put(&mut two, "big", vec![1; 40 << 20]).unwrap();
}

/// A file whose syncs wait while a gate is closed (0).
#[derive(Debug)]
struct Gated(Base, Arc<AtomicU64>);

impl Gated {
    fn over(base: Base) -> (Base, Arc<AtomicU64>) {
        let gate = Arc::new(AtomicU64::new(u64::MAX));
        (Arc::new(Self(base, Arc::clone(&gate))), gate)
    }
}

impl StorageBackend for Gated {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        while self.1.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        self.0.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}

#[test]
fn a_disk_that_hangs_holds_up_neither_reads_nor_submits() {
    let (base, gate) = Gated::over(in_memory());
    let mut store = over(&base).unwrap().store("it", LIMITS).unwrap();
    gate.store(0, Ordering::SeqCst);
    for number in 0..100u8 {
        put(&mut store, vec![number], "x").unwrap();
    }
    assert_eq!(put(&mut store, "one more", "x"), Err(StoreError::Busy { pending: 100 }));
    assert_eq!(store.get(&[7]).unwrap(), Some(Bytes::from("x")));
    assert_eq!(all(&store).len(), 100);
    gate.store(u64::MAX, Ordering::SeqCst);
    settle(&mut store);
}
