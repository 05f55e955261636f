//! A testbed whose networks break the contract in one way, for showing that the suite can fail.

use core::cell::Cell;
use core::fmt;
use core::future::Future;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;

use super::breach::Breach;
use crate::network::{
    Done, Event, Failure, Gauges, InboundId, Item, Limits, Network, PeerChange, Refusal, Request, RequestId,
    RequestStats, Responder, Ware,
};
use crate::testbed::{Fault, Keep, LocalTask, NodeId, NodeSpec, Testbed, TestbedError};
use crate::time::{Timestamp, WallTime};

/// The id of the subscription that a network makes which hears everything.
const OWN: RequestId = RequestId(u64::MAX / 2);

/// A network that breaks the contract in one way.
pub struct BreachedNetwork<N: Network> {
    inner: N,
    breach: Breach,
    ready: VecDeque<Event<N::Peer>>,
    held: Vec<Event<N::Peer>>,
    known: BTreeSet<RequestId>,
    last: RequestId,
    brought: BTreeSet<RequestId>,
    connected: BTreeSet<N::Peer>,
    replied: BTreeSet<InboundId>,
    asker: Option<N::Peer>,
    waker: Option<Waker>,
    readings: Cell<u64>,
    begun: bool,
    closed: bool,
    ended: bool,
}

impl<N: Network> fmt::Debug for BreachedNetwork<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreachedNetwork").field("breach", &self.breach).finish_non_exhaustive()
    }
}

impl<N: Network> BreachedNetwork<N> {
    /// `inner`, breaking the contract by `breach`.
    pub fn new(inner: N, breach: Breach) -> Self {
        Self {
            inner,
            breach,
            ready: VecDeque::new(),
            held: Vec::new(),
            known: BTreeSet::new(),
            last: RequestId(0),
            brought: BTreeSet::new(),
            connected: BTreeSet::new(),
            replied: BTreeSet::new(),
            asker: None,
            waker: None,
            readings: Cell::new(0),
            begun: false,
            closed: false,
            ended: false,
        }
    }

    fn end(&mut self, id: RequestId, result: Result<Done, Failure>) {
        self.ready.push_back(Event::Finished { id, result, stats: RequestStats::default() });
    }

    /// Put what is made of `event` into `ready`.
    fn alter(&mut self, event: Event<N::Peer>) {
        if matches!(&event, Event::Finished { id: OWN, .. }) {
            return;
        }
        if let Event::Peer { peer, change: PeerChange::Up } = event {
            self.connected.insert(peer);
        }
        match event {
            Event::Progress { id, from, item } => self.alter_item(id, from, item),
            Event::Finished { id, result, stats } => self.alter_end(id, result, stats),
            Event::Rejected { from, what, why } => {
                self.alter_rejection(Event::Rejected { from, what, why }, what)
            }
            Event::Question { to, from, .. }
                if self.breach == Breach::ServesOneAsker && *self.asker.get_or_insert(from) != from =>
            {
                self.inner.reply(to, Err(Refusal::Busy));
            }
            Event::Withdrawn { .. } if self.breach == Breach::HidesWithdrawals => {}
            Event::Announcement { .. } if self.breach == Breach::HearsNothing => {}
            Event::Closed => {
                self.closed = true;
                if self.breach != Breach::HidesClosed {
                    self.ready.push_back(event);
                }
            }
            event => self.ready.push_back(event),
        }
    }

    fn alter_item(&mut self, id: RequestId, from: N::Peer, item: Item<N::Peer>) {
        let first = self.brought.insert(id);
        let mut event = Event::Progress { id, from, item: item.clone() };
        match self.breach {
            Breach::SwapsIds => event = Event::Progress { id: self.neighbour(id), from, item },
            Breach::MisnamesGivers => event = Event::Progress { id, from: self.inner.local_peer(), item },
            Breach::RepeatsItems => self.ready.push_back(event.clone()),
            Breach::ReportsFirstItemOnly if !first => return,
            Breach::ReversesProviders | Breach::LosesAProvider => return self.held.push(event),
            Breach::ShortensAnswers => {
                if let Item::Answer { body } = item {
                    let item = Item::Answer { body: body.slice(..body.len().saturating_sub(1)) };
                    event = Event::Progress { id, from, item };
                }
            }
            _ => {}
        }
        self.ready.push_back(event);
    }

    fn alter_end(&mut self, id: RequestId, result: Result<Done, Failure>, stats: RequestStats) {
        self.ended = true;
        let (mut id, mut result, mut stats) = (id, result, stats);
        match (self.breach, result) {
            (Breach::DropsEnds, _) => return,
            (Breach::RepeatsEnds, _) => self.ready.push_back(Event::Finished { id, result, stats }),
            (Breach::SwapsIds, _) => id = self.neighbour(id),
            (Breach::NeverMisses, Err(Failure::NotFound)) => result = Err(Failure::TimedOut),
            (Breach::InflatesAcks, Ok(Done::Stored { verified, .. })) => {
                result = Ok(Done::Stored { acked: 1000, verified });
            }
            (Breach::MiscountsCost, _) => stats = RequestStats::default(),
            (Breach::BlursRefusals, Err(Failure::Refused(_))) => result = Err(Failure::Broken),
            (Breach::BlamesItself, Err(_)) => result = Err(Failure::Local),
            (Breach::HidesCapacity, Err(Failure::Local)) => result = Err(Failure::TimedOut),
            (Breach::ReversesProviders, _) => self.ready.extend(self.held.drain(..).rev()),
            (Breach::LosesAProvider, _) => {
                self.held.pop();
                self.ready.extend(self.held.drain(..));
            }
            _ => {}
        }
        self.ready.push_back(Event::Finished { id, result, stats });
    }

    fn alter_rejection(&mut self, event: Event<N::Peer>, what: Ware) {
        let Event::Rejected { from, why, .. } = event else { return };
        let altered = match (self.breach, what) {
            (Breach::HidesRejections, _) => return,
            (Breach::HandsOverRefused, Ware::Record) => {
                let item = Item::Record { value: Bytes::from_static(b"ill-made") };
                Event::Progress { id: self.last, from, item }
            }
            (Breach::HearsIllMade, Ware::Announcement) => {
                Event::Announcement { from, topic: Bytes::new(), payload: Bytes::from_static(b"ill-made") }
            }
            (Breach::MischargesAnnouncements, Ware::Announcement) => {
                Event::Rejected { from: self.inner.local_peer(), what, why }
            }
            _ => event,
        };
        self.ready.push_back(altered);
    }

    fn neighbour(&self, id: RequestId) -> RequestId {
        let other = RequestId(id.0 ^ 1);
        if self.known.contains(&other) { other } else { id }
    }

    fn poll_inner(&mut self, cx: &mut Context<'_>, deadline: Option<Timestamp>) -> Poll<Event<N::Peer>> {
        match (self.breach, deadline) {
            (Breach::EarlyDeadlines, Some(due)) => {
                let early = due.as_nanos().saturating_sub(20_000_000);
                self.inner.poll_event(cx, Some(Timestamp::from_nanos(early)))
            }
            (Breach::LateDeadlines, Some(due)) => {
                self.inner.poll_event(cx, Some(due.after(Duration::from_secs(2))))
            }
            (Breach::DeadlinesLast, Some(_)) => match self.inner.poll_event(cx, None) {
                Poll::Pending => self.inner.poll_event(cx, deadline),
                ready => ready,
            },
            (Breach::LosesDroppedPolls, _) => {
                let same = self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
                self.waker = Some(cx.waker().clone());
                match self.inner.poll_event(cx, deadline) {
                    Poll::Ready(event) if !same && event != Event::Deadline => {
                        cx.waker().wake_by_ref();
                        Poll::Pending
                    }
                    polled => polled,
                }
            }
            (Breach::KeepsFirstWaker, _) => {
                let first = self.waker.get_or_insert_with(|| cx.waker().clone()).clone();
                self.inner.poll_event(&mut Context::from_waker(&first), deadline)
            }
            _ => self.inner.poll_event(cx, deadline),
        }
    }
}

impl<N: Network> Network for BreachedNetwork<N> {
    type Peer = N::Peer;

    fn local_peer(&self) -> N::Peer {
        self.inner.local_peer()
    }

    fn now(&self) -> Timestamp {
        let now = self.inner.now();
        self.readings.set(self.readings.get() + 1);
        if self.breach == Breach::TurnsTimeBack && self.readings.get().is_multiple_of(7) {
            return Timestamp::from_nanos(now.as_nanos().saturating_sub(5_000_000));
        }
        now
    }

    fn wall(&self) -> WallTime {
        self.inner.wall()
    }

    fn submit(&mut self, id: RequestId, request: Request<N::Peer>, limits: Limits) {
        let (mut request, mut limits) = (request, limits);
        let now = self.inner.now();
        self.known.insert(id);
        self.last = id;
        match (self.breach, &mut request) {
            (Breach::EndsLate, _) => limits.deadline = limits.deadline.after(Duration::from_secs(3)),
            (Breach::EndsEarly, _) => limits.deadline = now.after(limits.deadline.since(now) / 10),
            (Breach::ForgivesPassedDeadlines, _) if limits.deadline <= now => {
                limits.deadline = now.after(Duration::from_secs(5));
            }
            (Breach::IgnoresSizes, _) => limits.bytes = 1 << 20,
            (Breach::StoresNothing, Request::PutRecord { read_back, .. }) => {
                let verified = read_back.then_some(1);
                return self.end(id, Ok(Done::Stored { acked: 1, verified }));
            }
            (Breach::StoresIllMade, Request::PutRecord { key, value, .. }) => {
                *value = [&key[..], b"=made good"].concat().into();
            }
            (Breach::AsksOnlyTheConnected, Request::Ask { peer, .. }) if !self.connected.contains(peer) => {
                return self.end(id, Err(Failure::Unreachable));
            }
            _ => {}
        }
        self.inner.submit(id, request, limits);
    }

    fn cancel(&mut self, id: RequestId) {
        match self.breach {
            Breach::IgnoresCancel => {}
            Breach::CancelsAnother if !self.known.contains(&id) => self.inner.cancel(self.last),
            _ => self.inner.cancel(id),
        }
    }

    fn reply(&mut self, to: InboundId, answer: Result<Bytes, Refusal>) {
        if self.breach == Breach::SecondReplyCounts && self.replied.insert(to) {
            return;
        }
        self.inner.reply(to, answer);
    }

    fn block(&mut self, peer: N::Peer, until: Timestamp) {
        if self.breach != Breach::IgnoresBlocks {
            self.inner.block(peer, until);
        }
    }

    fn gauges(&self) -> Gauges {
        let mut gauges = self.inner.gauges();
        if self.breach == Breach::LeaksAGauge && self.ended {
            gauges.requests += 1;
        }
        gauges
    }

    fn poll_event(&mut self, cx: &mut Context<'_>, deadline: Option<Timestamp>) -> Poll<Event<N::Peer>> {
        if self.breach == Breach::HearsEverything && !self.begun {
            self.begun = true;
            let deadline = self.inner.now().after(Duration::from_secs(5));
            let topic = super::parts::TOPIC;
            self.inner.submit(OWN, Request::Subscribe { topic }, Limits { deadline, bytes: 0 });
        }
        if self.breach == Breach::SpeaksAfterClosed && self.closed && self.ready.is_empty() {
            return Poll::Ready(Event::Deadline);
        }
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Poll::Ready(event);
            }
            if self.closed {
                // What breaks this contract underneath could otherwise say `Closed` again and again here.
                return Poll::Pending;
            }
            match self.poll_inner(cx, deadline) {
                Poll::Ready(event) => self.alter(event),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// A testbed that breaks the contract in one way, or whose networks do.
pub struct Breached<B> {
    inner: B,
    breach: Breach,
    restarted: BTreeSet<NodeId>,
}

impl<B> fmt::Debug for Breached<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breached").field("breach", &self.breach).finish_non_exhaustive()
    }
}

impl<B: Testbed> Breached<B> {
    /// `inner`, breaking the contract by `breach`.
    pub fn new(inner: B, breach: Breach) -> Self {
        Self { inner, breach, restarted: BTreeSet::new() }
    }
}

impl<B: Testbed> Testbed for Breached<B> {
    type Network = BreachedNetwork<B::Network>;
    type Store = B::Store;

    fn spawn(&mut self, spec: NodeSpec) -> Result<NodeId, TestbedError> {
        self.inner.spawn(spec)
    }

    fn peer(&self, node: NodeId) -> Option<<B::Network as Network>::Peer> {
        let renamed = self.breach == Breach::ForgetsNames && self.restarted.contains(&node);
        self.inner.peer(if renamed { NodeId(node.0 - 1) } else { node })
    }

    fn network(&mut self, node: NodeId) -> Option<Self::Network> {
        let mut inner = self.inner.network(node);
        if inner.is_none() && self.breach == Breach::GivesNetworksTwice {
            let other = self.inner.spawn(NodeSpec::application()).ok()?;
            inner = self.inner.network(other);
        }
        Some(BreachedNetwork::new(inner?, self.breach))
    }

    fn store(&mut self, node: NodeId) -> Option<Self::Store> {
        self.inner.store(node)
    }

    fn run(&mut self, owner: Option<NodeId>, task: LocalTask) {
        self.inner.run(owner, task);
    }

    fn preload(&mut self, key: Bytes, value: Bytes, ttl: Duration) -> Result<(), TestbedError> {
        self.inner.preload(key, value, ttl)
    }

    fn apply(&mut self, fault: Fault) -> Result<(), TestbedError> {
        let fault = match (self.breach, fault) {
            (Breach::LosesSynced, Fault::Kill { node, keep: Keep::Synced }) => {
                Fault::Kill { node, keep: Keep::Nothing }
            }
            (Breach::KeepsUnsynced, Fault::Kill { node, keep: Keep::Synced }) => {
                Fault::Kill { node, keep: Keep::All }
            }
            (_, fault) => fault,
        };
        if let Fault::Restart { node } = fault {
            self.restarted.insert(node);
        }
        self.inner.apply(fault)
    }

    fn impersonate(&mut self, node: NodeId, responder: Box<dyn Responder>) -> Result<(), TestbedError> {
        self.inner.impersonate(node, responder)
    }

    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    fn wall(&self) -> WallTime {
        self.inner.wall()
    }

    fn tick(&self) -> Duration {
        self.inner.tick()
    }

    fn run_until(&mut self, until: Timestamp) {
        self.inner.run_until(until);
    }

    fn block_on<T>(&mut self, limit: Duration, task: impl Future<Output = T>) -> Option<T> {
        self.inner.block_on(limit, task)
    }
}
