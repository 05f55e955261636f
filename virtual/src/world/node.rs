//! One node of a world: its swarm, and the task that polls it.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures::StreamExt as _;
use libp2p::identity::Keypair;
use libp2p::swarm::{self, NetworkBehaviour, Swarm, SwarmEvent};
use libp2p::{Multiaddr, PeerId};
use swarmproof::testbed::NodeId;
use tokio::runtime::Handle;

use super::WorldError;
use super::drive::{Heard, TOLD};
use crate::fabric::Fabric;

/// Events that a swarm may bring in one poll of its task, before others have their turn.
const AT_ONCE: usize = 64;

pub(super) type Shape = Rc<dyn Fn(swarm::Config) -> swarm::Config>;

/// What a node's behaviour is made from.
#[derive(Clone)]
pub struct NodeInfo {
    /// Which node it is.
    pub node: NodeId,
    /// Its key, drawn from the seed: the same in all its lives.
    pub keypair: Keypair,
    /// Its name.
    pub peer: PeerId,
    /// The address that it listens on.
    pub address: Multiaddr,
    /// How often it was restarted.
    pub life: u32,
}

impl fmt::Debug for NodeInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeInfo")
            .field("node", &self.node)
            .field("peer", &self.peer)
            .field("address", &self.address)
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}

/// The swarm of one life. `None` when that life is over.
struct Life<B: NetworkBehaviour> {
    swarm: RefCell<Option<Swarm<B>>>,
    waker: RefCell<Option<Waker>>,
}

pub(super) struct Node<B: NetworkBehaviour> {
    id: NodeId,
    make: Box<dyn FnMut(&NodeInfo) -> B>,
    lives: Cell<u32>,
    life: RefCell<Option<Rc<Life<B>>>>,
}

impl<B: NetworkBehaviour> Node<B> {
    pub(super) fn new(id: NodeId, make: Box<dyn FnMut(&NodeInfo) -> B>) -> Self {
        Self { id, make, lives: Cell::new(0), life: RefCell::new(None) }
    }

    /// Begin a life: the task that polls its swarm.
    pub(super) fn live(
        &mut self,
        fabric: &Fabric,
        runtime: &Handle,
        shape: &Shape,
        heard: &Rc<RefCell<Heard<B::ToSwarm>>>,
    ) -> Result<Polls<B>, WorldError> {
        let keypair = fabric.keypair(self.id);
        let (peer, address) = (keypair.public().to_peer_id(), fabric.address(self.id));
        let life = self.lives.replace(self.lives.get() + 1);
        let info = NodeInfo { node: self.id, keypair, peer, address: address.clone(), life };
        let behaviour = (self.make)(&info);
        let runtime = runtime.clone();
        let spawn = move |task: Pin<Box<dyn Future<Output = ()> + Send>>| drop(runtime.spawn(task));
        let config = shape(swarm::Config::with_executor(spawn));
        let mut swarm = Swarm::new(fabric.transport(self.id)?, behaviour, peer, config);
        let listens = swarm.listen_on(address);
        listens.map_err(|why| WorldError::Listen { node: self.id, why: why.to_string() })?;
        let life = Rc::new(Life { swarm: RefCell::new(Some(swarm)), waker: RefCell::new(None) });
        *self.life.borrow_mut() = Some(Rc::clone(&life));
        Ok(Polls { node: self.id, life, heard: Rc::clone(heard), fabric: fabric.clone() })
    }

    /// Do something with its swarm, and have it polled.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Swarm<B>) -> T) -> Option<T> {
        let life = self.life.borrow().clone()?;
        let result = life.swarm.borrow_mut().as_mut().map(act);
        wake(&life.waker);
        result
    }

    /// End its life.
    pub(super) fn die(&self) {
        if let Some(life) = self.life.borrow_mut().take() {
            let swarm = life.swarm.borrow_mut().take();
            drop(swarm);
            wake(&life.waker);
        }
    }
}

fn wake(waker: &RefCell<Option<Waker>>) {
    let waker = waker.borrow_mut().take();
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The task of one life.
pub(super) struct Polls<B: NetworkBehaviour> {
    node: NodeId,
    life: Rc<Life<B>>,
    heard: Rc<RefCell<Heard<B::ToSwarm>>>,
    fabric: Fabric,
}

impl<B: NetworkBehaviour> Future for Polls<B> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.heard.borrow_mut().something();
        let mut held = self.life.swarm.borrow_mut();
        let Some(swarm) = held.as_mut() else { return Poll::Ready(()) };
        for _ in 0..AT_ONCE {
            match swarm.poll_next_unpin(cx) {
                Poll::Ready(Some(SwarmEvent::Behaviour(event))) => {
                    // What it says has no bytes that would be the same everywhere; that it says something has.
                    self.fabric.note(TOLD, &self.node.0.to_le_bytes());
                    self.heard.borrow_mut().add(self.fabric.now(), self.node, event);
                }
                Poll::Ready(Some(_)) => {}
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => {
                    *self.life.waker.borrow_mut() = Some(cx.waker().clone());
                    return Poll::Pending;
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
