//! How handles tell the driver that nobody waits for a query any more, without ever having to wait.
//!
//! A handle that is dropped cannot wait for room in the command channel, and must not be forgotten when
//! there is none. So it leaves its query's name in a list that it shares with the driver, and wakes the
//! driver. The list is bounded without a limit of its own: a name enters it at most once, only for a
//! query that the driver has not yet ended, and the driver empties it whole each time that it is polled.
//! So it never holds more names than there are queries in the channel and in flight, and both are bounded.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::task::Waker;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::QueryId;

/// What all handles of one registry share with its driver, beside the command channel.
#[derive(Debug, Default)]
pub(super) struct Link {
    next_query: AtomicU64,
    dropped: Mutex<Dropped>,
}

#[derive(Debug, Default)]
struct Dropped {
    queries: Vec<QueryId>,
    waker: Option<Waker>,
}

impl Link {
    /// A name for a new query of a caller's. The top bit is clear: with it, queries are the registry's own.
    pub(super) fn next_query(&self) -> QueryId {
        QueryId(self.next_query.fetch_add(1, Ordering::Relaxed))
    }

    /// The queries that nobody waits for any more; `waker` is called when there are new ones.
    pub(super) fn take_dropped(&self, waker: &Waker) -> Vec<QueryId> {
        let mut dropped = self.lock();
        if !dropped.waker.as_ref().is_some_and(|held| held.will_wake(waker)) {
            dropped.waker = Some(waker.clone());
        }
        core::mem::take(&mut dropped.queries)
    }

    fn drop_query(&self, query: QueryId) {
        let waker = {
            let mut dropped = self.lock();
            dropped.queries.push(query);
            dropped.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// A panic elsewhere leaves a list of names, which is as good as before.
    fn lock(&self) -> MutexGuard<'_, Dropped> {
        self.dropped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cancels a query when it is dropped before the query has ended.
#[derive(Debug)]
pub(super) struct Interest {
    query: QueryId,
    ended: Ended,
    link: Arc<Link>,
}

/// Set by the driver when a query ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Ended(Arc<AtomicBool>);

impl Ended {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Interest {
    pub(super) const fn new(query: QueryId, ended: Ended, link: Arc<Link>) -> Self {
        Self { query, ended, link }
    }

    pub(super) const fn query(&self) -> QueryId {
        self.query
    }
}

impl Drop for Interest {
    fn drop(&mut self) {
        if !self.ended.0.load(Ordering::Acquire) {
            self.link.drop_query(self.query);
        }
    }
}
