//! A node in the test's hand: a task polls it, answers what it is asked, and keeps all that it reports.

use core::cell::RefCell;
use core::future::{Future, poll_fn};
use core::time::Duration;
use std::rc::Rc;
use std::sync::Arc;

use swarmproof::net::{Clock, Keypair, Libp2pNetwork, Multiaddr, NetBuilder, NetConfig, PeerAddress, PeerId};
use swarmproof::network::{
    Choice, Done, Event, Failure, Gauges, Invalid, Item, Limits, Network, Request, RequestId, RequestStats,
    Validator,
};
use swarmproof::time::WallTime;
use tokio::task::LocalSet;

/// The longest that a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Values that begin with `good` are.
pub(crate) struct Good;

const BAD: Invalid = Invalid { code: 150, reason: "not-good" };

impl Validator for Good {
    fn record(&self, _: &[u8], value: &[u8], _: WallTime) -> Result<(), Invalid> {
        if value.starts_with(b"good") { Ok(()) } else { Err(BAD) }
    }

    fn announcement(&self, _: &[u8], payload: &[u8], _: WallTime) -> Result<(), Invalid> {
        if payload.starts_with(b"good") { Ok(()) } else { Err(BAD) }
    }

    fn select(&self, _: &[u8], _: &[u8], _: &[u8]) -> Choice {
        Choice::Offered
    }
}

/// Run a test: one thread, real time.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let limit = Duration::from_secs(100);
    let local = LocalSet::new();
    runtime
        .block_on(local.run_until(async { tokio::time::timeout(limit, test).await }))
        .expect("it took too long");
}

/// A node on loopback TCP.
pub(crate) fn builder() -> NetBuilder {
    let builder = Libp2pNetwork::builder(Keypair::generate_ed25519(), Arc::new(Good)).clock(Clock::start());
    builder.config(quick()).listen(loopback())
}

pub(crate) fn loopback() -> Multiaddr {
    "/ip4/127.0.0.1/tcp/0".parse().unwrap()
}

/// Default limits, and heartbeats for a test that has no time to lose.
pub(crate) fn quick() -> NetConfig {
    NetConfig { heartbeat: Duration::from_millis(200), ..NetConfig::default() }
}

struct Inner {
    net: Libp2pNetwork,
    next: u64,
    log: Vec<Event<PeerId>>,
    most: Gauges,
}

/// A node in the test's hand. Questions are answered with what was asked.
#[derive(Clone)]
pub(crate) struct Hand {
    inner: Rc<RefCell<Inner>>,
    pub(crate) peer: PeerId,
}

impl Hand {
    pub(crate) fn new(net: Libp2pNetwork) -> Self {
        let peer = net.local_peer();
        let inner = Inner { net, next: 0, log: Vec::new(), most: Gauges::default() };
        let hand = Self { inner: Rc::new(RefCell::new(inner)), peer };
        let driven = hand.clone();
        tokio::task::spawn_local(async move { driven.drive().await });
        hand
    }

    /// A node that joins by `others`.
    pub(crate) async fn joined(others: &[&Hand]) -> Self {
        let mut builder = builder();
        for other in others {
            builder = builder.bootstrap(other.address().await);
        }
        let hand = Self::new(builder.build().unwrap());
        for other in others {
            hand.until("to join", |it| it.is_up(other.peer) && other.is_up(hand.peer)).await;
        }
        hand
    }

    async fn drive(self) {
        loop {
            let event = poll_fn(|cx| {
                let inner = &mut *self.inner.borrow_mut();
                // Whatever the test submits meanwhile is seen at the latest then.
                let soon = inner.net.now().after(Duration::from_millis(5));
                inner.net.poll_event(cx, Some(soon))
            })
            .await;
            let inner = &mut *self.inner.borrow_mut();
            let now = inner.net.gauges();
            inner.most.questions = inner.most.questions.max(now.questions);
            inner.most.waiting = inner.most.waiting.max(now.waiting);
            inner.most.requests = inner.most.requests.max(now.requests);
            match event {
                Event::Deadline => {}
                Event::Question { to, body, from } => {
                    inner.net.reply(to, Ok(body.clone()));
                    inner.log.push(Event::Question { to, from, body });
                }
                Event::Closed => return,
                event => inner.log.push(event),
            }
        }
    }

    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut Libp2pNetwork) -> T) -> T {
        f(&mut self.inner.borrow_mut().net)
    }

    pub(crate) async fn address(&self) -> PeerAddress {
        self.until("to listen", |it| !it.with(|net| net.addresses()).is_empty()).await;
        PeerAddress { peer: self.peer, address: self.with(|net| net.addresses())[0].clone() }
    }

    pub(crate) fn is_up(&self, peer: PeerId) -> bool {
        self.with(|net| net.is_up(peer))
    }

    /// The most of each that was held at once, and what was dropped.
    pub(crate) fn most(&self) -> Gauges {
        Gauges { dropped: self.with(|net| net.gauges()).dropped, ..self.inner.borrow().most }
    }

    pub(crate) fn events(&self) -> Vec<Event<PeerId>> {
        self.inner.borrow().log.clone()
    }

    /// Forget what was reported, but for ends that nobody took yet.
    pub(crate) fn forget(&self) {
        self.inner.borrow_mut().log.retain(|event| matches!(event, Event::Finished { .. }));
    }

    /// Wait until `done`.
    pub(crate) async fn until(&self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let begun = tokio::time::Instant::now();
        while !done(self) {
            assert!(begun.elapsed() < PATIENCE, "{what}: it did not come about within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) fn submit(&self, request: Request<PeerId>, span: Duration) -> RequestId {
        let inner = &mut *self.inner.borrow_mut();
        let id = RequestId(inner.next);
        inner.next += 1;
        let limits = Limits { deadline: inner.net.now().after(span), bytes: 64 << 10 };
        inner.net.submit(id, request, limits);
        id
    }

    /// How `id` ended, if it has. It is taken out of what was reported.
    pub(crate) fn ended(&self, id: RequestId) -> Option<(Result<Done, Failure>, RequestStats)> {
        let log = &mut self.inner.borrow_mut().log;
        let at =
            log.iter().position(|event| matches!(event, Event::Finished { id: its, .. } if *its == id))?;
        match log.remove(at) {
            Event::Finished { result, stats, .. } => Some((result, stats)),
            _ => None,
        }
    }

    pub(crate) async fn do_it(&self, request: Request<PeerId>) -> (Result<Done, Failure>, RequestStats) {
        let id = self.submit(request, PATIENCE / 2);
        let mut end = None;
        self.until("a request to end", |it| {
            end = it.ended(id);
            end.is_some()
        })
        .await;
        end.unwrap()
    }

    pub(crate) async fn ask(&self, peer: PeerId, question: &str) -> (Result<Done, Failure>, RequestStats) {
        self.do_it(Request::Ask { peer, question: question.to_owned().into() }).await
    }

    /// The providers that were reported so far.
    pub(crate) fn providers(&self) -> Vec<PeerId> {
        let of = |event: Event<PeerId>| match event {
            Event::Progress { item: Item::Provider { peer }, .. } => Some(peer),
            _ => None,
        };
        self.events().into_iter().filter_map(of).collect()
    }

    /// From whom something was rejected so far.
    pub(crate) fn rejected(&self) -> Vec<PeerId> {
        let of = |event: Event<PeerId>| match event {
            Event::Rejected { from, .. } => Some(from),
            _ => None,
        };
        self.events().into_iter().filter_map(of).collect()
    }
}
