//! The transport of one node in one life: `/memory/N` is the address of node N - 1.
//!
//! Its connections are authenticated by the fabric, which knows who is at either end; there is no noise and no
//! yamux (which reads the clock for its round trips), and what they cost in round trips the profile says.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::{Ready, ready};
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::{DialOpts, ListenerId, PortUse, TransportError, TransportEvent};
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId, Transport};
use swarmproof::testbed::NodeId;

use super::Shared;
use super::state::State;
use super::stream::Muxer;

type Output = (PeerId, StreamMuxerBox);
type Event = TransportEvent<Ready<io::Result<Output>>, io::Error>;

/// Where the numbers of ports begin that nobody listens on: one for each connection.
const EPHEMERAL: u64 = 1 << 32;

/// The address of `node`.
pub(super) fn address(node: NodeId) -> Multiaddr {
    Multiaddr::from(Protocol::Memory(u64::from(node.0) + 1))
}

/// The number in a `/memory/N` or `/memory/N/p2p/PEER`.
fn number(address: &Multiaddr) -> Option<u64> {
    let mut parts = address.iter();
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Protocol::Memory(number)), None | Some(Protocol::P2p(_)), None) => Some(number),
        _ => None,
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct VirtualTransport {
    shared: Arc<Shared>,
    node: NodeId,
    life: u32,
    /// What is to be told. Each call of the owner adds two at most, and its next poll takes them.
    events: VecDeque<Event>,
}

impl VirtualTransport {
    pub(super) fn new(shared: Arc<Shared>, node: NodeId, life: u32) -> Self {
        Self { shared, node, life, events: VecDeque::new() }
    }

    fn in_use(why: String) -> TransportError<io::Error> {
        TransportError::Other(io::Error::new(io::ErrorKind::AddrInUse, why))
    }

    fn is_this_life(&self, state: &State) -> bool {
        state.node(self.node.0).is_some_and(|node| node.up && node.life == self.life)
    }
}

impl Transport for VirtualTransport {
    type Output = Output;
    type Error = io::Error;
    type ListenerUpgrade = Ready<io::Result<Output>>;
    type Dial = Dialled;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<io::Error>> {
        let Some(number) = number(&address) else {
            return Err(TransportError::MultiaddrNotSupported(address));
        };
        let own = super::transport::address(self.node);
        if number != 0 && number != u64::from(self.node.0) + 1 {
            return Err(Self::in_use(format!("{} listens on {own}, not on {address}", self.node)));
        }
        self.shared.with(|state| {
            if !self.is_this_life(state) {
                return Err(Self::in_use(format!("this life of {} is over", self.node)));
            }
            let Some(node) = state.node_mut(self.node.0) else { return Ok(()) };
            if node.listener.is_some() {
                return Err(Self::in_use(format!("{} listens on {own} already", self.node)));
            }
            node.listener = Some(id);
            Ok(())
        })?;
        self.events.push_back(TransportEvent::NewAddress { listener_id: id, listen_addr: own });
        Ok(())
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        let removed = self.shared.with(|state| {
            let known = self.is_this_life(state)
                && state
                    .node_mut(self.node.0)
                    .is_some_and(|n| n.listener.take_if(|own| *own == id).is_some());
            if known {
                state.forsake_incoming(self.node.0);
                let waker = state.node_mut(self.node.0).and_then(|n| n.waker.take());
                state.wakers.extend(waker);
            }
            known
        });
        if removed {
            let listen_addr = address(self.node);
            self.events.push_back(TransportEvent::AddressExpired { listener_id: id, listen_addr });
            self.events.push_back(TransportEvent::ListenerClosed { listener_id: id, reason: Ok(()) });
        }
        removed
    }

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<Dialled, TransportError<io::Error>> {
        let Some(number) = number(&address) else {
            return Err(TransportError::MultiaddrNotSupported(address));
        };
        let to = number.checked_sub(1).and_then(|node| u32::try_from(node).ok());
        let reuses = options.port_use == PortUse::Reuse;
        Ok(Dialled {
            shared: Arc::clone(&self.shared),
            node: self.node,
            life: self.life,
            to,
            reuses,
            name: None,
        })
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Event> {
        if let Some(event) = self.events.pop_front() {
            return Poll::Ready(event);
        }
        let (this, shared) = (&*self, Arc::clone(&self.shared));
        let taken = shared.with(|state| {
            if !this.is_this_life(state) {
                return None;
            }
            let node = state.node_mut(this.node.0)?;
            let (Some(listener_id), Some(connection)) = (node.listener, node.incoming.pop_front()) else {
                node.waker = Some(cx.waker().clone());
                return None;
            };
            let from = state.connections.get(&connection)?.side(0).node;
            Some((listener_id, connection, from, state.node(from)?.peer))
        });
        let Some((listener_id, connection, from, peer)) = taken else { return Poll::Pending };
        let muxer = StreamMuxerBox::new(Muxer::new(shared, connection, 1));
        let port = self.shared.with(|state| state.port(connection, from));
        Poll::Ready(TransportEvent::Incoming {
            listener_id,
            upgrade: ready(Ok((peer, muxer))),
            local_addr: address(self.node),
            send_back_addr: Multiaddr::from(Protocol::Memory(port)),
        })
    }
}

impl State {
    /// The port that a dial came from, as the other end sees it: that which the dialler listens on, as TCP uses
    /// it again, or one of its own.
    fn port(&self, connection: u64, from: u32) -> u64 {
        let reuses = self.connections.get(&connection).is_some_and(|c| c.reuses);
        let listens = self.node(from).is_some_and(|node| node.listener.is_some());
        if reuses && listens { u64::from(from) + 1 } else { EPHEMERAL + connection }
    }
}

/// A dial. It begins when it is first polled.
#[derive(Debug)]
pub(super) struct Dialled {
    shared: Arc<Shared>,
    node: NodeId,
    life: u32,
    to: Option<u32>,
    reuses: bool,
    name: Option<u64>,
}

impl Future for Dialled {
    type Output = io::Result<Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Output>> {
        let shared = Arc::clone(&self.shared);
        let this = &mut *self;
        let end = shared.with(|state| {
            let name = match this.name {
                Some(name) => name,
                None => {
                    let known = this.to.filter(|to| state.node(*to).is_some());
                    let begun = state.dial(this.node.0, this.life, known, this.reuses);
                    let Some(name) = begun else { return Some(Err(io::ErrorKind::ResourceBusy)) };
                    this.name = Some(name);
                    name
                }
            };
            let Some(dial) = state.dials.get_mut(&name) else {
                return Some(Err(io::ErrorKind::NotConnected));
            };
            if dial.end.is_none() {
                dial.waker = Some(cx.waker().clone());
                return None;
            }
            let end = state.dials.remove(&name).and_then(|dial| dial.end)?;
            this.name = None;
            Some(match end {
                Ok(connection) => match this.to.and_then(|to| state.node(to)) {
                    Some(node) => Ok((connection, node.peer)),
                    None => Err(io::ErrorKind::NotConnected),
                },
                Err(kind) => Err(kind),
            })
        });
        match end {
            None => Poll::Pending,
            Some(Ok((connection, peer))) => {
                Poll::Ready(Ok((peer, StreamMuxerBox::new(Muxer::new(shared, connection, 0)))))
            }
            Some(Err(kind)) => Poll::Ready(Err(kind.into())),
        }
    }
}

impl Drop for Dialled {
    fn drop(&mut self) {
        if let Some(name) = self.name {
            self.shared.with(|state| state.give_up(name));
        }
    }
}
