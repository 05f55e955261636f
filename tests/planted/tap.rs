//! What a fault is made with: a network of which one thing is changed, and an observer that hears something else.

use core::task::{Context, Poll};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use swarmproof::network::{Event, Gauges, InboundId, Limits, Network, Refusal, Request, RequestId};
use swarmproof::registry::{Observed, Observer};
use swarmproof::scenario::Outfit;
use swarmproof::sim::SimPeer;
use swarmproof::time::{Timestamp, WallTime};

use super::bed::Net;

/// What is changed about a network. Whatever is left out is passed on as it is.
pub trait Meddle {
    /// A request is handed in.
    fn submit(&mut self, net: &mut Net, id: RequestId, request: Request<SimPeer>, limits: Limits) {
        net.submit(id, request, limits);
    }

    /// A request is given up.
    fn cancel(&mut self, net: &mut Net, id: RequestId) {
        net.cancel(id);
    }

    /// Something is reported: what of it is handed on goes into `out`.
    fn event(&mut self, now: Timestamp, event: Event<SimPeer>, out: &mut VecDeque<Event<SimPeer>>) {
        let _ = now;
        out.push_back(event);
    }

    /// When something that was held back is to be handed on.
    fn due(&self) -> Option<Timestamp> {
        None
    }

    /// Hand on what is due.
    fn ripe(&mut self, now: Timestamp, out: &mut VecDeque<Event<SimPeer>>) {
        let _ = (now, out);
    }

    /// What is said to be held.
    fn gauges(&self, gauges: Gauges) -> Gauges {
        gauges
    }
}

/// `net` with somebody meddling in it.
pub fn tap(net: Net, meddle: impl Meddle + 'static) -> Net {
    Box::new(Tap { net, meddle, ready: VecDeque::new() })
}

struct Tap<M> {
    net: Net,
    meddle: M,
    ready: VecDeque<Event<SimPeer>>,
}

impl<M: Meddle> Network for Tap<M> {
    type Peer = SimPeer;

    fn local_peer(&self) -> SimPeer {
        self.net.local_peer()
    }

    fn now(&self) -> Timestamp {
        self.net.now()
    }

    fn wall(&self) -> WallTime {
        self.net.wall()
    }

    fn submit(&mut self, id: RequestId, request: Request<SimPeer>, limits: Limits) {
        self.meddle.submit(&mut self.net, id, request, limits);
    }

    fn cancel(&mut self, id: RequestId) {
        self.meddle.cancel(&mut self.net, id);
        // Nothing more is reported for it, whatever is wrong with this network beside.
        self.ready.retain(|event| {
            !matches!(event, Event::Progress { id: of, .. } | Event::Finished { id: of, .. } if *of == id)
        });
    }

    fn reply(&mut self, to: InboundId, answer: Result<Bytes, Refusal>) {
        self.net.reply(to, answer);
    }

    fn block(&mut self, peer: SimPeer, until: Timestamp) {
        self.net.block(peer, until);
    }

    fn gauges(&self) -> Gauges {
        self.meddle.gauges(self.net.gauges())
    }

    fn poll_event(&mut self, cx: &mut Context<'_>, deadline: Option<Timestamp>) -> Poll<Event<SimPeer>> {
        loop {
            let now = self.net.now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Poll::Ready(Event::Deadline);
            }
            self.meddle.ripe(now, &mut self.ready);
            if let Some(event) = self.ready.pop_front() {
                return Poll::Ready(event);
            }
            let until = deadline.into_iter().chain(self.meddle.due()).min();
            match self.net.poll_event(cx, until) {
                Poll::Ready(Event::Deadline) => {}
                Poll::Ready(event) => self.meddle.event(now, event, &mut self.ready),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// The observer of one registry, to be told things by more than one hand.
#[derive(Clone)]
pub struct Ear(Arc<Mutex<Option<Box<dyn Observer<SimPeer>>>>>);

impl Ear {
    /// The observer of `outfit`.
    pub fn of(outfit: &mut Outfit<SimPeer>) -> Self {
        Self(Arc::new(Mutex::new(outfit.config.observer.take())))
    }

    /// Tell it something.
    pub fn tell(&self, now: Timestamp, what: Observed<'_, SimPeer>) {
        if let Some(observer) = open(&self.0).as_mut() {
            observer.observe(now, what);
        }
    }
}

/// Have the registry of `outfit` observed by `hear`, which tells the true observer what it will.
pub fn overhear(
    outfit: &mut Outfit<SimPeer>,
    mut hear: impl FnMut(&Ear, Timestamp, Observed<'_, SimPeer>) + Send + 'static,
) -> Ear {
    let ear = Ear::of(outfit);
    let inner = ear.clone();
    outfit.config.observer =
        Some(Box::new(move |now: Timestamp, what: Observed<'_, SimPeer>| hear(&inner, now, what)));
    ear
}

/// What several hands write in, never at once: a run is single-threaded.
pub fn open<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
