//! The contract of a store, as a suite that each kind of store runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use proptest::prelude::*;

use super::{Batch, MemoryStore, Store, StoreError, StoreLimits, WriteId};

/// A waker for a test that waits.
#[derive(Default)]
struct Bell(Mutex<bool>, Condvar);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }
}

/// The next batch that is through.
pub(super) fn next(store: &mut impl Store) -> (WriteId, Result<(), StoreError>) {
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    loop {
        if let Poll::Ready(done) = store.poll_synced(&mut Context::from_waker(&waker)) {
            return done;
        }
        let rung = bell.0.lock().unwrap();
        *bell.1.wait_while(rung, |rung| !*rung).unwrap() = false;
    }
}

/// Wait until all that was accepted is durable.
pub(super) fn settle(store: &mut impl Store) {
    while store.pending() > 0 {
        assert_eq!(next(store).1, Ok(()));
    }
}

pub(super) fn put(
    store: &mut impl Store,
    key: impl Into<Bytes>,
    value: impl Into<Bytes>,
) -> Result<WriteId, StoreError> {
    let mut batch = Batch::new();
    batch.put(key, value);
    store.submit(batch)
}

pub(super) fn all(store: &impl Store) -> Vec<(Bytes, Bytes)> {
    store.range(&[], &[0xff; 40], usize::MAX).unwrap()
}

/// A kind of store. Making one with a name again opens the one of that name again.
pub(super) trait Kind {
    type Store: Store;
    fn open(&mut self, limits: StoreLimits) -> Self::Store;
    fn size(store: &Self::Store) -> (usize, usize);
}

struct InMemory;

impl Kind for InMemory {
    type Store = MemoryStore;
    fn open(&mut self, limits: StoreLimits) -> MemoryStore {
        MemoryStore::new(limits)
    }
    fn size(store: &MemoryStore) -> (usize, usize) {
        store.size()
    }
}

const SMALL: StoreLimits = StoreLimits { keys: 9, bytes: 99, pending: 9 };

fn ids_rise_and_each_batch_is_told_once<K: Kind>(kind: &mut K) {
    let mut store = kind.open(SMALL);
    let ids: Vec<WriteId> = ["a", "b", "c"].map(|key| put(&mut store, key, "1").unwrap()).into();
    assert!(ids.is_sorted() && ids[0] != ids[1] && ids[1] != ids[2], "{ids:?}");
    assert_eq!(store.pending(), 3);
    let told: Vec<WriteId> =
        (0..3).map(|_| next(&mut store)).map(|(id, result)| (result.unwrap(), id).1).collect();
    assert_eq!(told, ids, "in the order of submission");
    assert_eq!(store.pending(), 0);
    assert!(store.poll_synced(&mut Context::from_waker(Waker::noop())).is_pending());
}

fn accepted_changes_are_seen_at_once_and_the_last_of_a_key_wins<K: Kind>(kind: &mut K) {
    let mut store = kind.open(SMALL);
    let mut batch = Batch::new();
    batch.put("a", "1").put("b", "1").remove("a").put("b", "22");
    store.submit(batch).unwrap();
    for _ in 0..2 {
        assert_eq!(store.get(b"a").unwrap(), None);
        assert_eq!(store.get(b"b").unwrap(), Some(Bytes::from("22")));
        assert_eq!(K::size(&store), (1, 3));
        settle(&mut store);
    }
    let mut batch = Batch::new();
    batch.remove("b").remove("never");
    store.submit(batch).unwrap();
    assert_eq!((store.get(b"b").unwrap(), all(&store)), (None, vec![]));
    settle(&mut store);
    assert_eq!((all(&store), K::size(&store)), (vec![], (0, 0)));
}

fn a_batch_over_the_limit_changes_nothing<K: Kind>(kind: &mut K) {
    let mut store = kind.open(StoreLimits { keys: 1, bytes: 10, pending: 9 });
    put(&mut store, "a", "1").unwrap();
    let mut batch = Batch::new();
    batch.put("a", "2").put("b", "3");
    assert_eq!(store.submit(batch), Err(StoreError::Full { keys: 1, bytes: 2 }));
    assert_eq!(store.get(b"a").unwrap(), Some(Bytes::from("1")));
    assert_eq!(put(&mut store, "a", "0123456789"), Err(StoreError::Full { keys: 1, bytes: 2 }));
    put(&mut store, "a", "012345678").unwrap();
    let mut swap = Batch::new();
    swap.remove("a").put("b", "3");
    store.submit(swap).unwrap();
    settle(&mut store);
    assert_eq!((K::size(&store), all(&store).len()), ((1, 2), 1));
}

fn too_many_waiting_batches_are_refused<K: Kind>(kind: &mut K) {
    let mut store = kind.open(StoreLimits { keys: 9, bytes: 99, pending: 1 });
    put(&mut store, "a", "1").unwrap();
    assert_eq!(put(&mut store, "b", "1"), Err(StoreError::Busy { pending: 1 }));
    assert_eq!(store.get(b"b").unwrap(), None);
    next(&mut store).1.unwrap();
    put(&mut store, "b", "1").unwrap();
    settle(&mut store);
}

fn ranges_are_ordered_half_open_and_limited<K: Kind>(kind: &mut K) {
    let mut store = kind.open(SMALL);
    for (at, key) in ["c", "a", "d", "b"].into_iter().enumerate() {
        put(&mut store, key, "x").unwrap();
        if at == 1 {
            // Half of them durable, half not.
            settle(&mut store);
        }
    }
    let keys = |from: &str, to: &str, limit| -> Vec<Bytes> {
        let found = store.range(from.as_bytes(), to.as_bytes(), limit).unwrap();
        found.into_iter().map(|(k, _)| k).collect()
    };
    assert_eq!(keys("a", "d", 9), ["a", "b", "c"]);
    assert_eq!(keys("b", "z", 2), ["b", "c"]);
    assert_eq!(keys("", "z", 9), ["a", "b", "c", "d"]);
    assert!(keys("z", "a", 9).is_empty() && keys("a", "a", 9).is_empty() && keys("a", "z", 0).is_empty());
}

/// The whole suite; `kind` makes a new kind each time, so that no case sees another one's keys.
pub(super) fn holds_the_contract<K: Kind>(kind: impl Fn() -> K) {
    ids_rise_and_each_batch_is_told_once(&mut kind());
    accepted_changes_are_seen_at_once_and_the_last_of_a_key_wins(&mut kind());
    a_batch_over_the_limit_changes_nothing(&mut kind());
    too_many_waiting_batches_are_refused(&mut kind());
    ranges_are_ordered_half_open_and_limited(&mut kind());
}

/// What a history does.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Few keys, so that they meet; `None` removes.
    Submit(Vec<(u8, Option<u8>)>),
    Settle,
    OneTold,
    Look {
        from: u8,
        to: u8,
        limit: usize,
    },
    /// Only where a kind outlives its stores.
    Reopen,
}

pub(super) fn histories() -> impl Strategy<Value = Vec<Step>> {
    let change = (0u8..12, proptest::option::weighted(0.7, 0u8..40));
    let step = prop_oneof![
        6 => proptest::collection::vec(change, 0..6).prop_map(Step::Submit),
        1 => Just(Step::Settle),
        2 => Just(Step::OneTold),
        4 => (0u8..13, 0u8..13, 0usize..9).prop_map(|(from, to, limit)| Step::Look { from, to, limit }),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..40)
}

/// Keys that are prefixes of each other among them.
fn key(number: u8) -> Bytes {
    Bytes::from(vec![b'k'; usize::from(number % 3)].into_iter().chain([number]).collect::<Vec<u8>>())
}

/// A store does what an ordered map does, within its limits.
pub(super) fn is_a_bounded_map<K: Kind>(kind: &mut K, history: &[Step], reopens: bool) {
    let limits = StoreLimits { keys: 8, bytes: 150, pending: 5 };
    let mut store = Some(kind.open(limits));
    let mut model: BTreeMap<Bytes, Bytes> = BTreeMap::new();
    let bytes = |map: &BTreeMap<Bytes, Bytes>| map.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>();
    for step in history {
        let held = store.as_mut().unwrap();
        match step {
            Step::Submit(changes) => {
                let mut after = model.clone();
                let mut batch = Batch::new();
                for (number, value) in changes {
                    match value {
                        Some(value) => {
                            let value = Bytes::from(vec![*value; usize::from(*value)]);
                            after.insert(key(*number), value.clone());
                            batch.put(key(*number), value);
                        }
                        None => {
                            after.remove(&key(*number));
                            batch.remove(key(*number));
                        }
                    }
                }
                let busy = held.pending() >= limits.pending;
                let grows = after.len() > model.len() || bytes(&after) > bytes(&model);
                let full = grows && (after.len() > limits.keys || bytes(&after) > limits.bytes);
                match held.submit(batch) {
                    // What is still pending may be less by now, never more.
                    Err(StoreError::Busy { pending }) => assert!(busy && pending >= limits.pending),
                    Err(StoreError::Full { keys, bytes: held }) => {
                        assert!(full);
                        assert_eq!((keys, held), (model.len(), bytes(&model)));
                    }
                    Err(StoreError::Medium(why)) => panic!("{why}"),
                    Ok(_) => {
                        assert!(!full);
                        model = after;
                    }
                }
            }
            Step::Settle => settle(held),
            Step::OneTold => {
                if held.pending() > 0 {
                    next(held).1.unwrap();
                }
            }
            Step::Look { from, to, limit } => {
                let (from, to) = (key(*from), key(*to));
                let wanted: Vec<(Bytes, Bytes)> =
                    (model.iter().filter(|(key, _)| (&from..&to).contains(key)))
                        .take(*limit)
                        .map(|(key, value)| (key.clone(), value.clone()))
                        .collect();
                assert_eq!(held.range(&from, &to, *limit).unwrap(), wanted);
                assert_eq!(held.get(&from).unwrap().as_ref(), model.get(&from));
            }
            Step::Reopen if reopens => {
                drop(store.take());
                store = Some(kind.open(limits));
            }
            Step::Reopen => {}
        }
        let held = store.as_ref().unwrap();
        assert_eq!(K::size(held), (model.len(), bytes(&model)));
    }
    let held = store.as_mut().unwrap();
    settle(held);
    assert_eq!(all(held), model.into_iter().collect::<Vec<_>>());
}

#[test]
fn a_store_in_memory_holds_the_contract() {
    holds_the_contract(|| InMemory);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_in_memory_is_a_bounded_map(history in histories()) {
        is_a_bounded_map(&mut InMemory, &history, false);
    }
}
