//! One application's view of the world: [`SimNetwork`].

use core::cell::RefCell;
use core::fmt;
use core::task::{Context, Poll};
use std::rc::Rc;

use bytes::Bytes;

use super::event::What;
use super::peer::SimPeer;
use super::rng::mix;
use super::world::World;
use crate::network::{Event, Gauges, InboundId, Limits, Network, Refusal, Request, RequestId};
use crate::time::{Timestamp, WallTime};

/// The network of one node in one of its lives. The contract is [`crate::network`]'s.
///
/// Dropping it gives up all its requests and refuses the questions that were handed to it.
pub struct SimNetwork {
    world: Rc<RefCell<World>>,
    node: u32,
    life: u32,
    closed: bool,
}

impl SimNetwork {
    pub(crate) fn new(world: Rc<RefCell<World>>, node: u32, life: u32) -> Self {
        Self { world, node, life, closed: false }
    }

    /// Whether the life that this belongs to has not ended.
    fn alive(&self, world: &World) -> bool {
        let node = world.standing(self.node);
        node.up && node.life == self.life
    }
}

impl fmt::Debug for SimNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimNetwork")
            .field("node", &self.node)
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}

impl Network for SimNetwork {
    type Peer = SimPeer;

    fn local_peer(&self) -> SimPeer {
        SimPeer(self.node)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.world.borrow().now)
    }

    fn wall(&self) -> WallTime {
        self.world.borrow().wall_at(self.node)
    }

    fn submit(&mut self, id: RequestId, request: Request<SimPeer>, limits: Limits) {
        let world = &mut *self.world.borrow_mut();
        if !self.alive(world) {
            return;
        }
        if world.started {
            world.submit(self.node, id, request, limits);
        } else {
            world.early.push((self.node, id, request, limits));
        }
    }

    fn cancel(&mut self, id: RequestId) {
        let world = &mut *self.world.borrow_mut();
        if self.alive(world) {
            world.early.retain(|(node, of, _, _)| (*node, *of) != (self.node, id));
            world.cancel(self.node, id);
        }
    }

    fn reply(&mut self, to: InboundId, answer: Result<Bytes, Refusal>) {
        let world = &mut *self.world.borrow_mut();
        if self.alive(world) {
            world.reply(self.node, to, answer);
        }
    }

    fn block(&mut self, peer: SimPeer, until: Timestamp) {
        let world = &mut *self.world.borrow_mut();
        if !self.alive(world) || peer.0 as usize >= world.nodes.len() {
            return;
        }
        let now = world.now;
        if let Some(app) = world.app(self.node) {
            app.blocked.retain(|_, until| *until > now);
            if until.as_nanos() > now {
                app.blocked.insert(peer.0, until.as_nanos());
            } else {
                app.blocked.remove(&peer.0);
            }
        }
    }

    fn gauges(&self) -> Gauges {
        let world = &mut *self.world.borrow_mut();
        if self.alive(world) { world.gauges(self.node) } else { Gauges::default() }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>, deadline: Option<Timestamp>) -> Poll<Event<SimPeer>> {
        let world = &mut *self.world.borrow_mut();
        if !self.alive(world) {
            // Once, and then nothing for ever: nobody will call the waker.
            return if core::mem::replace(&mut self.closed, true) {
                Poll::Pending
            } else {
                Poll::Ready(Event::Closed)
            };
        }
        let now = world.now;
        let deadline = deadline.map(Timestamp::as_nanos);
        if deadline.is_some_and(|at| at <= now) {
            return Poll::Ready(Event::Deadline);
        }
        let node = self.node;
        let Some(app) = world.app(node) else { return Poll::Ready(Event::Closed) };
        if let Some(event) = app.inbox.pop_front() {
            if app.inbox.is_empty() {
                // Begins again at the front, which is in the cache, where it would go round all of its room.
                app.inbox.clear();
            }
            return Poll::Ready(event);
        }
        app.alarm.set(cx.waker());
        if let Some(at) = deadline.filter(|at| *at < app.wake_at) {
            app.wake_at = at;
            world.push(at, mix(u64::from(node)), What::Wake(node));
        }
        Poll::Pending
    }
}

impl Drop for SimNetwork {
    fn drop(&mut self) {
        // The world is borrowed only within one call, so this fails only while a panic unwinds.
        let Ok(mut world) = self.world.try_borrow_mut() else { return };
        if self.alive(&world) {
            world.abandon(self.node);
        }
    }
}
