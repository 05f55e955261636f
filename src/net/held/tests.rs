use std::sync::Mutex;
use std::task::{Poll, Waker};

use super::*;
use crate::network::{Choice, Invalid};
use crate::store::{Batch, MemoryStore, StoreError, WriteId};
use crate::time::WallTime;

/// A value is good when it does not begin with `!`.
struct Honest;

impl Validator for Honest {
    fn record(&self, _key: &[u8], value: &[u8], _wall: WallTime) -> core::result::Result<(), Invalid> {
        if value.starts_with(b"!") { Err(Invalid::UNREADABLE) } else { Ok(()) }
    }
    fn announcement(&self, _: &[u8], _: &[u8], _: WallTime) -> core::result::Result<(), Invalid> {
        Ok(())
    }
    fn select(&self, _: &[u8], _: &[u8], _: &[u8]) -> Choice {
        Choice::Offered
    }
}

/// A store that outlives its node, and counts its batches.
#[derive(Clone)]
struct Kept(Arc<Mutex<(MemoryStore, usize)>>);

impl Kept {
    fn new(config: &NetConfig) -> Self {
        Self(Arc::new(Mutex::new((MemoryStore::new(held_limits(config)), 0))))
    }
    fn batches(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

impl Store for Kept {
    fn get(&self, key: &[u8]) -> core::result::Result<Option<Bytes>, StoreError> {
        self.0.lock().unwrap().0.get(key)
    }
    fn range(
        &self,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> core::result::Result<Vec<(Bytes, Bytes)>, StoreError> {
        self.0.lock().unwrap().0.range(from, to, limit)
    }
    fn submit(&mut self, batch: Batch) -> core::result::Result<WriteId, StoreError> {
        let inner = &mut *self.0.lock().unwrap();
        inner.1 += 1;
        inner.0.submit(batch)
    }
    fn poll_synced(&mut self, cx: &mut Context<'_>) -> Poll<(WriteId, core::result::Result<(), StoreError>)> {
        self.0.lock().unwrap().0.poll_synced(cx)
    }
    fn pending(&self) -> usize {
        self.0.lock().unwrap().0.pending()
    }
}

struct Rig {
    local: PeerId,
    config: NetConfig,
    store: Kept,
}

impl Rig {
    fn new(config: NetConfig) -> Self {
        Self { local: PeerId::random(), store: Kept::new(&config), config }
    }

    fn live(&self, wall: u64) -> Held {
        let clock = Clock::start_at(WallTime::from_millis(wall));
        Held::new(self.local, &self.config, clock, Arc::new(Honest), Box::new(self.store.clone()), None)
    }
}

fn key(number: u32) -> RecordKey {
    RecordKey::new(&number.to_be_bytes())
}

fn record(number: u32, value: &str) -> Record {
    Record::new(key(number), value.into())
}

fn poll(held: &mut Held) {
    held.poll(&mut Context::from_waker(Waker::noop()));
}

fn value(held: &Held, number: u32) -> Option<Vec<u8>> {
    held.get(&key(number)).map(|record| record.value.clone())
}

const DAY: u64 = 86_400_000;

#[test]
fn what_was_held_is_held_again_for_as_long_as_it_has_to_live() {
    let rig = Rig::new(NetConfig::default());
    let mut held = rig.live(1000 * DAY);
    for number in 0..300 {
        held.put(record(number, "theirs")).unwrap();
    }
    held.put_own(record(1000, "mine")).unwrap();
    held.add_provider(ProviderRecord::new(key(7), rig.local, Vec::new())).unwrap();
    assert_eq!(value(&held, 5), Some(b"theirs".to_vec()), "before it is handed to the store");
    poll(&mut held);
    assert_eq!(rig.store.batches(), 1, "many puts are one batch");
    poll(&mut held);
    held.remove(&key(4));
    drop(held); // Hands on what was gathered.

    let held = rig.live(1001 * DAY);
    assert_eq!((value(&held, 5), value(&held, 4)), (Some(b"theirs".to_vec()), None));
    assert_eq!(value(&held, 1000), Some(b"mine".to_vec()));
    assert_eq!(held.records().count(), 300);
    let expires = held.get(&key(5)).unwrap().expires.unwrap();
    let left = held.clock.timestamp(expires).since(held.clock.now());
    assert!((82_000..=86_400).contains(&left.as_secs()), "of two days one has passed: {left:?}");
    let provided: Vec<PeerId> = held.providers(&key(7)).iter().map(|record| record.provider).collect();
    assert_eq!((provided, held.provided().count()), (vec![rig.local], 1));
    drop(held);

    let mut held = rig.live(1003 * DAY);
    assert_eq!((value(&held, 5), held.records().count(), held.provided().count()), (None, 0, 0));
    poll(&mut held);
    assert_eq!(rig.store.0.lock().unwrap().0.size().0, 0, "what has ended is gone from the store too");
}

/// A record that is to live for `hours` from now.
fn living(held: &Held, value: &str, hours: u64) -> Record {
    let until = held.clock.now().after(Duration::from_secs(hours * 3600));
    Record { expires: Some(held.clock.instant(until).into_std()), ..record(1, value) }
}

/// How many hours it has to live, rounded.
fn hours(held: &Held) -> Option<u64> {
    let until = held.clock.timestamp(held.get(&key(1))?.expires?);
    Some((until.since(held.clock.now()).as_secs() + 1800) / 3600)
}

#[test]
fn another_s_put_never_shortens_a_life() {
    let rig = Rig::new(NetConfig::default());
    let mut held = rig.live(DAY);
    let offers = [("x", 10, 10), ("x", 0, 10), ("newer", 0, 10), ("newer", 20, 20)];
    for (value, offered, wanted) in offers {
        held.put(living(&held, value, offered)).unwrap();
        assert_eq!((hours(&held), self::value(&held, 1)), (Some(wanted), Some(value.into())), "{offered}");
    }
    // That it was offered again with less changes nothing of when half of its life has passed.
    let before = *held.index.get(&held.distance(&hash(key(1).as_ref()))).unwrap();
    held.put(living(&held, "newer", 1)).unwrap();
    assert_eq!(held.index.get(&held.distance(&hash(key(1).as_ref()))), Some(&before));
    drop(held);
    let held = rig.live(DAY + DAY / 4);
    assert_eq!(hours(&held), Some(14), "and the store knows it too");
    let half = held.index.get(&held.distance(&hash(key(1).as_ref()))).unwrap().half;
    assert!((3..=4).contains(&(half.since(held.clock.now()).as_secs() + 1800).div_euclid(3600)), "{half:?}");
}

#[test]
fn the_life_of_ones_own_is_ones_own_to_say() {
    let rig = Rig::new(NetConfig::default());
    let mut held = rig.live(DAY);
    held.put_own(living(&held, "mine", 10)).unwrap();
    for offered in [0, 40] {
        held.put(living(&held, "mine", offered)).unwrap();
        assert_eq!(hours(&held), Some(10));
    }
    held.put_own(living(&held, "mine", 2)).unwrap();
    assert_eq!(hours(&held), Some(2));
}

#[test]
fn a_node_that_is_never_idle_takes_in_and_writes_all_the_same() {
    let rig = Rig::new(NetConfig::default());
    let mut held = rig.live(DAY);
    for number in 0..5000 {
        held.put(record(number, "x")).unwrap();
        held.keep_up(&mut Context::from_waker(Waker::noop()));
    }
    assert!((50..=80).contains(&rig.store.batches()), "{} batches", rig.store.batches());
    // Many at once, as a poll of the swarm may bring them: what is full is emptied at the next event.
    let burst = (5000..12_000).filter(|number| held.put(record(*number, "x")).is_ok()).count();
    assert!(burst < 7000, "{burst} is bounded");
    held.keep_up(&mut Context::from_waker(Waker::noop()));
    held.put(record(20_000, "x")).unwrap();
}

/// Counts what is warned of.
struct Warnings(Arc<Mutex<Vec<String>>>);

impl tracing::field::Visit for Warnings {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn core::fmt::Debug) {
        self.0.lock().unwrap().push(format!("{}={value:?}", field.name()));
    }
}

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut Self(self.0.clone()));
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn that_no_more_keys_are_provided_is_told_once_with_the_limit() {
    let rig = Rig::new(NetConfig { provided: 3, ..NetConfig::default() });
    let mut held = rig.live(DAY);
    let told = Arc::new(Mutex::new(Vec::new()));
    tracing::subscriber::with_default(Warnings(told.clone()), || {
        for number in 0..9 {
            let provided = held.add_provider(ProviderRecord::new(key(number), rig.local, Vec::new()));
            assert_eq!(provided.is_ok(), number < 3);
        }
    });
    let told = told.lock().unwrap();
    assert_eq!(told.iter().filter(|field| *field == "most=3").count(), 1, "{told:?}");
}

#[test]
fn a_calendar_that_jumps_back_makes_nothing_live_longer() {
    let rig = Rig::new(NetConfig::default());
    let mut held = rig.live(1000 * DAY);
    held.put(record(1, "x")).unwrap();
    poll(&mut held);
    let held = rig.live(10 * DAY);
    let expires = held.get(&key(1)).unwrap().expires.unwrap();
    assert!(held.clock.timestamp(expires).since(held.clock.now()) <= rig.config.stored_for);
}

#[test]
fn a_value_from_an_earlier_life_is_judged_before_it_is_served() {
    let rig = Rig::new(NetConfig::default());
    let mut held = rig.live(DAY);
    held.put(record(1, "good")).unwrap();
    // Whoever puts a record here has judged it; this one has become bad since.
    held.put(record(2, "!bad")).unwrap();
    poll(&mut held);
    // And one stands where another belongs.
    let stored = held.shelf.get(&hash(key(1).as_ref())).unwrap();
    held.shelf.put(hash(key(3).as_ref()), &stored);
    poll(&mut held);
    assert_eq!(value(&held, 2), Some(b"!bad".to_vec()));
    let mut held = rig.live(DAY);
    assert_eq!(held.index.len(), 3);
    for _ in 0..2 {
        assert_eq!(value(&held, 1), Some(b"good".to_vec()));
        assert_eq!((value(&held, 2), value(&held, 3)), (None, None));
    }
    poll(&mut held);
    assert_eq!((held.index.len(), held.bad.borrow().len(), held.unchecked.borrow().len()), (1, 0, 0));
}

#[test]
fn a_flood_drives_out_nothing_of_ones_own_and_nothing_near() {
    let config = NetConfig { stored_records: 100, own_records: 10, ..NetConfig::default() };
    let rig = Rig::new(config);
    let mut held = rig.live(DAY);
    for number in 0..10 {
        held.put_own(record(number, "mine")).unwrap();
    }
    let mut refused = 0;
    for number in 1000..3000 {
        refused += u32::from(held.put(record(number, "theirs")).is_err());
        if number % 100 == 0 {
            poll(&mut held);
        }
    }
    assert!((0..10).all(|number| value(&held, number) == Some(b"mine".to_vec())));
    assert_eq!(held.index.len(), 110);
    let mut all: Vec<(Distance, u32)> =
        (1000..3000).map(|number| (held.distance(&hash(key(number).as_ref())), number)).collect();
    all.sort_unstable();
    assert!(all[..100].iter().all(|(_, number)| value(&held, *number).is_some()), "the nearest are held");
    assert!((1000..1900).contains(&refused), "{refused} were farther than all that was held");
    // Another node stores here what is one's own: it stays so.
    held.put(record(3, "newer")).unwrap();
    assert!(held.index.get(&held.distance(&hash(key(3).as_ref()))).unwrap().own);
    poll(&mut held);
    assert_eq!(rig.store.0.lock().unwrap().0.size().0, 110, "the store holds what the index does");
}

#[test]
fn a_store_that_takes_nothing_holds_nothing_up() {
    let config = NetConfig { stored_records: 10_000, ..NetConfig::default() };
    let rig = Rig::new(config);
    rig.store.0.lock().unwrap().0 = MemoryStore::new(StoreLimits { keys: 1, bytes: 10, pending: 1 });
    let mut held = rig.live(DAY);
    let taken = (0..5000).filter(|number| held.put(record(*number, "x")).is_ok()).count();
    assert!((1..5000).contains(&taken), "what waits is bounded: {taken}");
    poll(&mut held);
    assert_eq!((held.index.len(), value(&held, 0)), (0, None), "what could not be stored is not held");
    held.put(record(1, "x")).unwrap();
}

#[test]
fn providers_of_others_and_ones_own_are_told_sorted() {
    let rig = Rig::new(NetConfig { provided: 1, providers: 5, ..NetConfig::default() });
    let mut held = rig.live(DAY);
    let others: Vec<PeerId> = (0..4).map(|_| PeerId::random()).collect();
    for peer in others.iter().chain([&rig.local]) {
        held.add_provider(ProviderRecord::new(key(1), *peer, Vec::new())).unwrap();
    }
    let mut wanted: Vec<PeerId> = others.iter().copied().chain([rig.local]).collect();
    wanted.sort_unstable();
    let told: Vec<PeerId> = held.providers(&key(1)).iter().map(|record| record.provider).collect();
    assert_eq!(told, wanted);
    assert!(held.add_provider(ProviderRecord::new(key(2), rig.local, Vec::new())).is_err(), "at most one");
    held.add_provider(ProviderRecord::new(key(1), rig.local, Vec::new())).unwrap();
    held.remove_provider(&key(1), &rig.local);
    assert_eq!((held.providers(&key(1)).len(), held.provided().count()), (4, 0));
}
