//! One life of a node: its network, its store, and its desk, at which it is asked and where it tells.

use core::cell::RefCell;
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::collections::VecDeque;
use std::rc::Rc;

use bytes::Bytes;

use super::ledger::{Number, Shared};
use crate::network::{Event, Limits, Network, Request, RequestId};
use crate::scenario::DynNetwork;
use crate::sim::{SimPeer, SimStore};
use crate::testbed::NodeId;
use crate::time::Timestamp;

/// The most operations that wait at one desk. A node that takes none has failed long before.
const MOST_WAITING: usize = 4096;
/// The most bytes of an item that [`Life::submit`] allows.
const MOST_BYTES: usize = 64 << 10;

/// What a node is given for one life. An application with a driver of its own takes it apart.
pub struct Life<A, O> {
    /// The node.
    pub node: NodeId,
    /// How many peers there are: their names are `SimPeer(0)` to this, whether or not this node has met them.
    pub peers: u32,
    /// How many lives it had before.
    pub life: u32,
    /// Randomness of this life's own.
    pub seed: [u8; 32],
    /// Its network.
    pub network: DynNetwork<SimPeer>,
    /// What it keeps, as its last life left it.
    pub store: SimStore,
    /// Where it is asked, and tells.
    pub desk: Desk<A, O>,
    /// The next request of [`Life::submit`].
    pub(super) next: u64,
}

/// What happens to a node.
#[derive(Clone, Debug)]
pub enum Input<A> {
    /// It is asked to do something.
    Asked {
        /// The operation, to tell what came of it.
        operation: u32,
        /// What.
        act: A,
    },
    /// Its network reports something.
    Event(Event<SimPeer>),
}

impl<A, O> Life<A, O> {
    /// What happens next, or [`Event::Deadline`] once `deadline` has come.
    pub async fn next(&mut self, deadline: Option<Timestamp>) -> Input<A> {
        poll_fn(|cx| {
            if let Poll::Ready((operation, act)) = self.desk.poll_asked(cx) {
                return Poll::Ready(Input::Asked { operation, act });
            }
            self.network.poll_event(cx, deadline).map(Input::Event)
        })
        .await
    }

    /// Begin a request for an operation, under a new name. It ends within this time.
    pub fn submit(&mut self, operation: u32, request: Request<SimPeer>, within: Duration) -> RequestId {
        let id = RequestId(self.next);
        self.next += 1;
        self.desk.on_behalf(id, operation);
        let deadline = self.network.now().after(within);
        self.network.submit(id, request, Limits { deadline, bytes: MOST_BYTES });
        id
    }

    /// Say that what an operation comes to rests on this item, which `from` gave. It must have come for a request of the
    /// same operation.
    pub fn took(&self, operation: u32, from: SimPeer, item: &Bytes) {
        self.desk.took(self.network.now(), operation, from, item);
    }

    /// Say what came of an operation: once.
    pub fn tell(&self, operation: u32, outcome: O) {
        self.desk.tell(self.network.now(), operation, outcome);
    }
}

impl<A, O> fmt::Debug for Life<A, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Life").field("node", &self.node).field("life", &self.life).finish_non_exhaustive()
    }
}

struct Queue<A> {
    asked: VecDeque<(u32, A)>,
    waker: Option<Waker>,
}

/// Where a node is asked to do things, and says what came of them.
pub struct Desk<A, O> {
    node: NodeId,
    ledger: Shared<A, O>,
    queue: Rc<RefCell<Queue<A>>>,
}

impl<A, O> Clone for Desk<A, O> {
    fn clone(&self) -> Self {
        Self { node: self.node, ledger: self.ledger.clone(), queue: Rc::clone(&self.queue) }
    }
}

impl<A, O> fmt::Debug for Desk<A, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("node", &self.node).finish_non_exhaustive()
    }
}

impl<A, O> Desk<A, O> {
    pub(super) fn new(node: NodeId, ledger: Shared<A, O>) -> Self {
        let queue = Queue { asked: VecDeque::new(), waker: None };
        Self { node, ledger, queue: Rc::new(RefCell::new(queue)) }
    }

    /// Put something on the desk. Whether there was room.
    pub(super) fn put(&self, operation: u32, act: A) -> bool {
        let mut queue = self.queue.borrow_mut();
        if queue.asked.len() >= MOST_WAITING {
            return false;
        }
        queue.asked.push_back((operation, act));
        let waker = queue.waker.take();
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// The next operation and its number.
    pub fn poll_asked(&self, cx: &mut Context<'_>) -> Poll<(u32, A)> {
        let mut queue = self.queue.borrow_mut();
        match queue.asked.pop_front() {
            Some(next) => Poll::Ready(next),
            None => {
                queue.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Say that the request which will be submitted under this name is for an operation.
    pub fn on_behalf(&self, request: RequestId, operation: u32) {
        self.ledger.open().names(self.node, request, Number(operation));
    }

    /// [`Life::took`], at this time.
    pub fn took(&self, at: Timestamp, operation: u32, from: SimPeer, item: &Bytes) {
        self.ledger.open().took(at, self.node, Number(operation), NodeId(from.0), item);
    }

    /// [`Life::tell`], at this time.
    pub fn tell(&self, at: Timestamp, operation: u32, outcome: O) {
        self.ledger.open().told(at, self.node, Number(operation), outcome);
    }
}
