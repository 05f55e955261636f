//! An application node in the suite's hand: it keeps what was reported, and checks what always holds.
//!
//! Whatever clause is tried, a probe watches that an id is reported only while it is in flight, that each
//! ends once and in time, that time does not go back, and that nothing follows `Closed`.

use core::task::{Context, Poll};
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::clause::{Verdict, ensure};
use crate::network::{
    Done, Event, Failure, InboundId, Invalid, Item, Limits, Network, Request, RequestId, RequestStats, Ware,
};
use crate::time::Timestamp;

/// The limit of an item where a clause is not about limits.
pub(super) const ROOM: usize = 60_000;

/// How a request ended, and what it cost.
pub(super) type End = (Result<Done, Failure>, RequestStats);

/// An application node's network, and all that it reported.
pub(super) struct Probe<N: Network> {
    pub(super) net: N,
    tick: Duration,
    next: u64,
    latest: Timestamp,
    in_flight: BTreeMap<RequestId, Timestamp>,
    cancelled: BTreeSet<RequestId>,
    ends: BTreeMap<RequestId, End>,
    log: Vec<Event<N::Peer>>,
    closed: bool,
}

impl<N: Network> Probe<N> {
    pub(super) fn new(net: N, tick: Duration) -> Self {
        let latest = net.now();
        Self {
            net,
            tick,
            next: 0,
            latest,
            in_flight: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            ends: BTreeMap::new(),
            log: Vec::new(),
            closed: false,
        }
    }

    /// Submit `request`, to end within `span`.
    pub(super) fn submit(&mut self, request: Request<N::Peer>, span: Duration) -> RequestId {
        let deadline = self.net.now().after(span);
        self.submit_within(request, Limits { deadline, bytes: ROOM })
    }

    /// Submit `request` with these limits.
    pub(super) fn submit_within(&mut self, request: Request<N::Peer>, limits: Limits) -> RequestId {
        let id = RequestId(self.next);
        self.next += 1;
        self.in_flight.insert(id, limits.deadline);
        self.net.submit(id, request, limits);
        id
    }

    /// Cancel `id`.
    pub(super) fn cancel(&mut self, id: RequestId) {
        self.net.cancel(id);
        if self.in_flight.remove(&id).is_some() {
            self.cancelled.insert(id);
        }
    }

    /// How `id` ended, once it has.
    pub(super) fn end(&self, id: RequestId) -> Option<End> {
        self.ends.get(&id).copied()
    }

    /// Whether nothing is in flight.
    pub(super) fn idle(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Whether the network has closed.
    pub(super) fn closed(&self) -> bool {
        self.closed
    }

    /// Everything reported so far, in order.
    pub(super) fn log(&self) -> &[Event<N::Peer>] {
        &self.log
    }

    /// What `id` brought, in order.
    pub(super) fn items(&self, id: RequestId) -> Vec<(N::Peer, Item<N::Peer>)> {
        let of = |event: &Event<N::Peer>| match event {
            Event::Progress { id: its, from, item } if *its == id => Some((*from, item.clone())),
            _ => None,
        };
        self.log.iter().filter_map(of).collect()
    }

    /// Every question asked of this node.
    pub(super) fn questions(&self) -> Vec<(InboundId, N::Peer, Bytes)> {
        let of = |event: &Event<N::Peer>| match event {
            Event::Question { to, from, body } => Some((*to, *from, body.clone())),
            _ => None,
        };
        self.log.iter().filter_map(of).collect()
    }

    /// Every announcement heard.
    pub(super) fn announcements(&self) -> Vec<(N::Peer, Bytes, Bytes)> {
        let of = |event: &Event<N::Peer>| match event {
            Event::Announcement { from, topic, payload } => Some((*from, topic.clone(), payload.clone())),
            _ => None,
        };
        self.log.iter().filter_map(of).collect()
    }

    /// Every rejection of this kind.
    pub(super) fn rejections(&self, ware: Ware) -> Vec<(N::Peer, Invalid)> {
        let of = |event: &Event<N::Peer>| match event {
            Event::Rejected { from, what, why } if *what == ware => Some((*from, *why)),
            _ => None,
        };
        self.log.iter().filter_map(of).collect()
    }

    /// Poll once, keep what comes, check what always holds. Says whether anything but a deadline came;
    /// `None` when the deadline did.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        deadline: Option<Timestamp>,
    ) -> Poll<Result<Option<()>, super::clause::Violation>> {
        let polled = self.net.poll_event(cx, deadline);
        if let Err(broken) = self.watch_clock() {
            return Poll::Ready(Err(broken));
        }
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(event) => {
                let due = event == Event::Deadline;
                Poll::Ready(self.keep(event, deadline).map(|()| (!due).then_some(())))
            }
        }
    }

    /// Check that time has not gone back.
    pub(super) fn watch_clock(&mut self) -> Verdict {
        let now = self.net.now();
        ensure!(now >= self.latest, "time went back from {} to {now}", self.latest);
        self.latest = now;
        Ok(())
    }

    fn keep(&mut self, event: Event<N::Peer>, deadline: Option<Timestamp>) -> Verdict {
        ensure!(!self.closed, "after Closed came {event:?}");
        match &event {
            Event::Deadline => {
                let Some(due) = deadline else {
                    return Err(super::clause::Violation::Broken("a Deadline that nobody set".into()));
                };
                ensure!(self.latest >= due, "the deadline {due} was reported at {}", self.latest);
                return Ok(());
            }
            Event::Closed => self.closed = true,
            Event::Progress { id, item, .. } => self.owned(*id, &format!("{item:?}"))?,
            Event::Finished { id, result, stats } => {
                self.owned(*id, &format!("the end {result:?}"))?;
                if let Some(due) = self.in_flight.remove(id) {
                    let latest = due.after(self.tick);
                    ensure!(self.latest <= latest, "{id} was due at {due} and ended at {}", self.latest);
                }
                self.ends.insert(*id, (*result, *stats));
            }
            _ => {}
        }
        self.log.push(event);
        Ok(())
    }

    fn owned(&self, id: RequestId, what: &str) -> Verdict {
        ensure!(!self.cancelled.contains(&id), "{id} was cancelled, and brought {what}");
        ensure!(!self.ends.contains_key(&id), "{id} had ended, and brought {what}");
        ensure!(self.in_flight.contains_key(&id), "{id} was never submitted, and brought {what}");
        Ok(())
    }
}
