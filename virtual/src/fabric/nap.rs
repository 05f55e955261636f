//! Waiting on a fabric, to the nanosecond: tokio's timers count whole milliseconds.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use swarmproof::time::Timestamp;

use super::Shared;
use super::queue::What;
use crate::control;

/// Over at its time. Made by [`Fabric::sleep_until`](super::Fabric::sleep_until).
#[derive(Debug)]
pub struct Nap {
    shared: Arc<Shared>,
    at: u64,
    name: Option<u64>,
}

impl Nap {
    pub(super) fn new(shared: Arc<Shared>, at: Timestamp) -> Self {
        Self { shared, at: at.as_nanos(), name: None }
    }
}

impl Future for Nap {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if control::now() >= self.at {
            return Poll::Ready(());
        }
        let this = &mut *self;
        let at = this.at;
        // Wakers are let go of outside: what they drop may come here again.
        let (name, _before) = this.shared.with(|state| {
            let name = match this.name {
                Some(name) => name,
                None => {
                    let name = state.next_nap;
                    // What the queue has no room for is over at once: the connections that fill it end too.
                    if !state.queue.push(at, name, What::Rested(name)) {
                        return (None, None);
                    }
                    state.next_nap += 1;
                    name
                }
            };
            (Some(name), state.naps.insert(name, cx.waker().clone()))
        });
        this.name = name;
        if name.is_some() { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Drop for Nap {
    fn drop(&mut self) {
        if let Some(name) = self.name {
            let _waker = self.shared.with(|state| state.naps.remove(&name));
        }
    }
}
