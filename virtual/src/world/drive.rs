//! Letting time pass, and what behaviours tell meanwhile.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Poll, Waker};
use std::time::Duration;

use libp2p::swarm::NetworkBehaviour;
use swarmproof::testbed::NodeId;
use swarmproof::time::Timestamp;

use super::{Told, World};

/// The kind of a note of the caller's in the trace.
pub(super) const NOTED: u32 = 1;
/// The kind of a note that a behaviour has told its node something.
pub(super) const TOLD: u32 = 2;

/// What behaviours have told, and whether a swarm has done anything.
pub(super) struct Heard<E> {
    queue: VecDeque<Told<E>>,
    most: usize,
    dropped: u64,
    something: bool,
    waker: Option<Waker>,
}

impl<E> Heard<E> {
    pub(super) fn new(most: usize) -> Self {
        Self { queue: VecDeque::new(), most, dropped: 0, something: false, waker: None }
    }

    /// A behaviour has told something. The oldest gives way when there is no room.
    pub(super) fn add(&mut self, at: Timestamp, node: NodeId, event: E) {
        if self.queue.len() >= self.most {
            self.queue.pop_front();
            self.dropped += 1;
        }
        self.queue.push_back(Told { at, node, event });
    }

    /// A swarm is about to do something.
    pub(super) fn something(&mut self) {
        self.something = true;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    pub(super) fn take(&mut self) -> Vec<Told<E>> {
        core::mem::take(&mut self.queue).into()
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl<B: NetworkBehaviour + 'static> World<B> {
    /// Let `span` pass.
    #[expect(clippy::disallowed_methods, reason = "virtual time passes by being waited for")]
    pub(super) fn drive_for(&mut self, span: Duration) {
        self.runtime.block_on(self.local.run_until(async { tokio::time::sleep(span).await }));
    }

    /// Let time pass until a swarm has done something, or `limit` has passed.
    pub(super) fn drive_until_something(&mut self, limit: Duration) {
        let heard = &self.told;
        let something = poll_fn(|cx| {
            let mut heard = heard.borrow_mut();
            if core::mem::take(&mut heard.something) {
                return Poll::Ready(());
            }
            heard.waker = Some(cx.waker().clone());
            Poll::Pending
        });
        let waited = async { tokio::time::timeout(limit, something).await };
        let _something_or_not = self.runtime.block_on(self.local.run_until(waited));
    }
}
