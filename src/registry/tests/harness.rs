//! A network that does what the test says, and a driver that is polled by hand.

use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Wake;

use bytes::Bytes;

use crate::network::{
    AnswerLimits, Done, Event, Failure, Gauges, InboundId, Item, Limits, Network, PeerChange, Refusal,
    Request, RequestId, RequestStats, Responder,
};
use crate::package::{Package, PackageId, PackageName, PublisherId, ReleaseId, Version};
use crate::record::{Publisher, Verifier};
use crate::registry::{Bounds, Catalogue, P2PRegistry, Pool, RegistryConfig, RegistryResponder};
use crate::store::{Batch, MemoryStore, Store, StoreError, WriteId};
use crate::time::{Timestamp, WallTime};

/// What stands on the other side of the wire.
#[derive(Debug, Default)]
pub(super) struct Wire {
    pub(super) now: Timestamp,
    events: VecDeque<Event<u32>>,
    waker: Option<Waker>,
    /// Submitted and neither finished nor cancelled.
    pub(super) open: BTreeMap<RequestId, (Request<u32>, Limits)>,
    /// Everything that ever happened, in order: the test's own trace.
    pub(super) log: Vec<String>,
    pub(super) cancelled: Vec<RequestId>,
    pub(super) replies: Vec<(InboundId, Result<Bytes, Refusal>)>,
    pub(super) blocked: Vec<u32>,
    /// What the DHT holds.
    pub(super) dht: BTreeMap<Bytes, Bytes>,
    next_question: u64,
    /// Something was asked of the network since it was last polled.
    unpolled: bool,
}

impl Wire {
    pub(super) fn push(&mut self, event: Event<u32>) {
        self.events.push_back(event);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    pub(super) fn up(&mut self, peer: u32) {
        self.push(Event::Peer { peer, change: PeerChange::Up });
    }

    pub(super) fn ask(&mut self, from: u32, body: Bytes) -> InboundId {
        let to = InboundId(self.next_question);
        self.next_question += 1;
        self.push(Event::Question { to, from, body });
        to
    }

    pub(super) fn finish(&mut self, id: RequestId, result: Result<Done, Failure>) {
        if self.open.remove(&id).is_some() {
            self.push(Event::Finished { id, result, stats: RequestStats::default() });
        }
    }

    /// How many events wait.
    pub(super) fn waiting(&self) -> usize {
        self.events.len()
    }

    /// The requests that are open, oldest first.
    pub(super) fn requests(&self) -> Vec<(RequestId, Request<u32>)> {
        self.open.iter().map(|(id, (request, _))| (*id, request.clone())).collect()
    }
}

#[derive(Clone, Debug)]
pub(super) struct FakeNetwork(pub(super) Arc<Mutex<Wire>>);

impl FakeNetwork {
    pub(super) fn wire(&self) -> MutexGuard<'_, Wire> {
        self.0.lock().unwrap()
    }
}

impl Network for FakeNetwork {
    type Peer = u32;

    fn local_peer(&self) -> u32 {
        0
    }

    fn now(&self) -> Timestamp {
        self.wire().now
    }

    fn wall(&self) -> WallTime {
        WallTime::from_millis(1_767_225_600_000 + self.wire().now.as_millis())
    }

    fn submit(&mut self, id: RequestId, request: Request<u32>, limits: Limits) {
        let mut wire = self.wire();
        wire.unpolled = true;
        wire.log.push(format!("submit {}", kind(&request)));
        let twice = wire.open.insert(id, (request, limits));
        assert!(twice.is_none(), "an id is never used twice");
    }

    fn cancel(&mut self, id: RequestId) {
        let mut wire = self.wire();
        wire.unpolled = true;
        wire.open.remove(&id);
        wire.cancelled.push(id);
    }

    fn reply(&mut self, to: InboundId, answer: Result<Bytes, Refusal>) {
        let mut wire = self.wire();
        wire.unpolled = true;
        wire.replies.push((to, answer));
    }

    fn block(&mut self, peer: u32, _until: Timestamp) {
        self.wire().blocked.push(peer);
    }

    fn gauges(&self) -> Gauges {
        let wire = self.wire();
        Gauges { requests: wire.open.len(), waiting: wire.events.len(), ..Gauges::default() }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>, deadline: Option<Timestamp>) -> Poll<Event<u32>> {
        let mut wire = self.wire();
        wire.unpolled = false;
        if deadline.is_some_and(|deadline| deadline <= wire.now) {
            return Poll::Ready(Event::Deadline);
        }
        if let Some(event) = wire.events.pop_front() {
            return Poll::Ready(event);
        }
        wire.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

fn kind(request: &Request<u32>) -> &'static str {
    match request {
        Request::GetRecord { .. } => "get",
        Request::PutRecord { key, .. } => match crate::record::keys::parse(key) {
            Some(crate::record::keys::KeyName::Release(_)) => "put release",
            Some(crate::record::keys::KeyName::List(_)) => "put list",
            None => "put nonsense",
        },
        Request::GetProviders { .. } => "providers",
        Request::Provide { .. } => "provide",
        Request::Ask { .. } => "ask",
        Request::Announce { .. } => "announce",
        Request::Subscribe { .. } => "subscribe",
    }
}

/// A store whose batches become durable when the test says so.
#[derive(Clone, Debug, Default)]
pub(super) struct SlowStore(Arc<Mutex<SlowState>>);

#[derive(Debug, Default)]
struct SlowState {
    inner: MemoryStore,
    allowed: usize,
    failing: bool,
    unpolled: bool,
    waker: Option<Waker>,
}

impl SlowStore {
    /// Let this many more batches become durable.
    pub(super) fn allow(&self, batches: usize) {
        let mut state = self.0.lock().unwrap();
        state.allowed = state.allowed.saturating_add(batches);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    /// From now on batches fail to become durable.
    pub(super) fn fail(&self, failing: bool) {
        self.0.lock().unwrap().failing = failing;
    }

    /// Lose what is not durable.
    pub(super) fn crash(&self) {
        self.0.lock().unwrap().inner.crash();
    }
}

impl Store for SlowStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.0.lock().unwrap().inner.get(key)
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        self.0.lock().unwrap().inner.range(from, to, limit)
    }

    fn submit(&mut self, batch: Batch) -> Result<WriteId, StoreError> {
        let mut state = self.0.lock().unwrap();
        state.unpolled = true;
        state.inner.submit(batch)
    }

    fn poll_synced(&mut self, cx: &mut Context<'_>) -> Poll<(WriteId, Result<(), StoreError>)> {
        let mut state = self.0.lock().unwrap();
        state.unpolled = false;
        state.waker = Some(cx.waker().clone());
        if state.allowed == 0 {
            return Poll::Pending;
        }
        let Some(write) = state.inner.sync_next() else { return Poll::Pending };
        state.allowed -= 1;
        let result = if state.failing { Err(StoreError::Medium("bad sector".to_owned())) } else { Ok(()) };
        Poll::Ready((write, result))
    }

    fn pending(&self) -> usize {
        self.0.lock().unwrap().inner.pending()
    }
}

#[derive(Debug, Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A registry under test, with everything around it.
pub(super) struct Bench {
    pub(super) registry: Option<P2PRegistry<FakeNetwork>>,
    pub(super) network: FakeNetwork,
    pub(super) store: SlowStore,
    driver: Pin<Box<dyn Future<Output = ()> + Send>>,
    woken: Arc<Flag>,
    pub(super) done: bool,
    /// Peers that answer questions honestly.
    pub(super) peers: BTreeMap<u32, RegistryResponder>,
}

pub(super) fn verifier() -> Verifier {
    Verifier::new(10_000)
}

pub(super) fn config() -> RegistryConfig<u32> {
    RegistryConfig::new(verifier(), Catalogue::new(Pool::new(), Bounds::default()), [7; 32])
}

pub(super) fn publisher(seed: u8) -> Publisher {
    Publisher::from_seed([seed; 32])
}

impl Bench {
    pub(super) fn new(config: RegistryConfig<u32>) -> Self {
        let store = SlowStore::default();
        store.allow(usize::MAX);
        Self::with(config, store)
    }

    pub(super) fn with(config: RegistryConfig<u32>, store: SlowStore) -> Self {
        let network = FakeNetwork(Arc::new(Mutex::new(Wire::default())));
        Self::on(network, config, store)
    }

    pub(super) fn on(network: FakeNetwork, config: RegistryConfig<u32>, store: SlowStore) -> Self {
        let (registry, driver) = P2PRegistry::new(network.clone(), store.clone(), config).unwrap();
        let driver = driver.spawn_event_loop(|task| task);
        let woken = Arc::new(Flag(AtomicBool::new(true)));
        let peers = BTreeMap::new();
        Self { registry: Some(registry), network, store, driver, woken, done: false, peers }
    }

    pub(super) fn registry(&self) -> P2PRegistry<FakeNetwork> {
        self.registry.clone().unwrap()
    }

    /// Poll the driver for as long as something wakes it. Only ever after a wake: so a wake that is
    /// missing shows as a driver that does nothing. It must not wait before it has polled whatever it
    /// asked something of.
    pub(super) fn turn(&mut self) {
        while !self.done && self.woken.0.load(Ordering::SeqCst) {
            self.turn_once();
        }
        if !self.done {
            assert!(!self.network.wire().unpolled, "asked of the network, and then not polled it");
            assert!(!self.store.0.lock().unwrap().unpolled, "asked of the store, and then not polled it");
        }
    }

    /// Poll the driver once, if something woke it.
    pub(super) fn turn_once(&mut self) {
        let waker = Waker::from(Arc::clone(&self.woken));
        if !self.done && self.woken.0.swap(false, Ordering::SeqCst) {
            self.done = self.driver.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        }
    }

    /// Let time pass until `millis` after the start.
    pub(super) fn at(&mut self, millis: u64) {
        self.network.wire().now = Timestamp::from_millis(millis);
        self.woken.0.store(true, Ordering::SeqCst); // A deadline may have come.
        self.turn();
    }

    /// Let the world answer everything that is open, again and again until nothing is.
    pub(super) fn serve(&mut self) {
        self.turn();
        for _ in 0..1000 {
            let open = self.network.wire().requests();
            if open.is_empty() {
                return;
            }
            for (id, request) in open {
                self.serve_one(id, request);
            }
            self.turn();
        }
        panic!("the registry never comes to rest");
    }

    pub(super) fn serve_one(&mut self, id: RequestId, request: Request<u32>) {
        let mut wire = self.network.wire();
        let now = wire.now;
        let wall = WallTime::from_millis(1_767_225_600_000 + now.as_millis());
        match request {
            Request::GetRecord { key } => match wire.dht.get(&key).cloned() {
                Some(value) => {
                    for from in 101..104 {
                        let item = Item::Record { value: value.clone() };
                        wire.push(Event::Progress { id, from, item });
                    }
                    wire.finish(id, Ok(Done::Looked));
                }
                None => {
                    if wire.open.remove(&id).is_some() {
                        let stats = RequestStats { sent: 9, answered: 9, ..RequestStats::default() };
                        wire.push(Event::Finished { id, result: Err(Failure::NotFound), stats });
                    }
                }
            },
            Request::PutRecord { key, value, .. } => {
                wire.dht.insert(key, value);
                wire.finish(id, Ok(Done::Stored { acked: 3, verified: None }));
            }
            Request::Ask { peer, question } => {
                let limits = AnswerLimits { bytes: crate::message::MAX_ANSWER, now, wall };
                match self.peers.get_mut(&peer).map(|peer| peer.answer(&question, limits)) {
                    Some(Ok(body)) => {
                        wire.push(Event::Progress { id, from: peer, item: Item::Answer { body } });
                        wire.finish(id, Ok(Done::Answered));
                    }
                    Some(Err(why)) => wire.finish(id, Err(Failure::Refused(why))),
                    None => wire.finish(id, Err(Failure::Unreachable)),
                }
            }
            Request::Announce { .. } => wire.finish(id, Ok(Done::Announced { to: 5 })),
            Request::Subscribe { .. } => wire.finish(id, Ok(Done::Subscribed)),
            Request::GetProviders { .. } => wire.finish(id, Err(Failure::NotFound)),
            Request::Provide { .. } => wire.finish(id, Ok(Done::Provided { told: 5 })),
        }
    }

    /// Wait for `task` while the world answers.
    pub(super) fn wait<T>(&mut self, task: impl Future<Output = T>) -> T {
        let mut task = pin!(task);
        for _ in 0..1000 {
            if let Poll::Ready(done) = poll_once(task.as_mut()) {
                return done;
            }
            self.serve();
        }
        panic!("nobody answers the caller");
    }

    /// Wait for `task` while the network is silent.
    pub(super) fn wait_alone<T>(&mut self, task: impl Future<Output = T>) -> T {
        let mut task = pin!(task);
        for _ in 0..10 {
            if let Poll::Ready(done) = poll_once(task.as_mut()) {
                return done;
            }
            self.turn();
        }
        panic!("nobody answers the caller");
    }
}

pub(super) fn poll_once<T>(task: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    task.poll(&mut Context::from_waker(Waker::noop()))
}

pub(super) fn package(by: PublisherId, name: &str, version: &str, title: &str) -> Package {
    let name = PackageName::new(name).unwrap();
    let version = Version::parse(version).unwrap();
    Package {
        release: ReleaseId { package: PackageId { publisher: by, name }, version },
        title: title.to_owned(),
        description: String::new(),
        categories: vec!["tools".to_owned()],
        tags: vec!["fine".to_owned()],
        licence: "MIT".to_owned(),
        digest: [1; 32],
        size: 1,
        created: WallTime::EPOCH,
    }
}
