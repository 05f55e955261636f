//! Dials, and connections from when they stand until both ends have let go of them.
//!
//! As in the model's world: a dial takes what [`Links::dial`] says, and is checked again when it is over; a cut
//! both ways and a reset end a connection at once, at both ends; when a node dies, or an end lets go, the other
//! sees it later.
//!
//! [`Links::dial`]: swarmproof::sim::Links::dial

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::task::Waker;

use swarmproof::sim::{Concern, TraceEvent, mix};

use super::channel::{Channel, ChannelId, Half};
use super::queue::What;
use super::state::State;
use crate::control;

/// The draws of dials.
const DIAL: Concern = Concern(2003);
/// Connections that stand at one node. A dial that would make more is refused.
const CONNECTIONS: usize = 4096;
/// Connections that a listener has not taken. A dial that would make more is refused.
const INCOMING: usize = 256;
/// Streams of one connection. More wait until others are closed.
pub(super) const STREAMS: usize = 1024;
/// Dials under way on a fabric. More fail at once.
const DIALS: usize = 1 << 16;
/// In a trace: the node of an address that is nobody's.
const NOBODY: u32 = u32::MAX;

/// A dial under way, or one whose end the dialler has not taken.
#[derive(Debug)]
pub(super) struct Dial {
    client: u32,
    client_life: u32,
    server: Option<(u32, u32)>,
    connects: bool,
    /// Nobody answers it: neither yes nor no.
    in_vain: bool,
    identity: u64,
    /// It comes from the port that the dialler listens on.
    reuses: bool,
    pub(super) end: Option<Result<u64, io::ErrorKind>>,
    pub(super) waker: Option<Waker>,
}

/// The side that opened a stream.
pub(super) fn opener(stream: u32) -> usize {
    (stream & 1) as usize
}

/// One end of a connection.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) node: u32,
    /// It has not seen the connection end.
    pub(super) open: bool,
    /// Its muxer is alive, or may yet be taken.
    pub(super) attached: bool,
    /// Streams that the other side opened and this one has not taken.
    pub(super) inbound: VecDeque<u32>,
    /// Streams that this side opened.
    pub(super) opened: u32,
    /// When the last that it sent arrives.
    pub(super) last: u64,
    pub(super) waker: Option<Waker>,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) sides: [Side; 2],
    pub(super) identity: u64,
    pub(super) reuses: bool,
    pub(super) stands: bool,
    pub(super) channels: BTreeMap<u32, Channel>,
}

impl Connection {
    /// The node at the other end than `node`.
    pub(super) fn other(&self, node: u32) -> u32 {
        let [a, b] = &self.sides;
        if a.node == node { b.node } else { a.node }
    }

    pub(super) fn side(&self, side: usize) -> &Side {
        let [a, b] = &self.sides;
        if side == 0 { a } else { b }
    }

    pub(super) fn side_mut(&mut self, side: usize) -> &mut Side {
        let [a, b] = &mut self.sides;
        if side == 0 { a } else { b }
    }

    /// What `side` sends in one of its streams.
    pub(super) fn half(&mut self, stream: u32, side: usize) -> Option<&mut Half> {
        let [a, b] = &mut self.channels.get_mut(&stream)?.halves;
        Some(if side == 0 { a } else { b })
    }

    /// Nobody holds any of it.
    fn forgotten(&self) -> bool {
        self.sides.iter().all(|side| !side.attached) && self.channels.is_empty()
    }
}

impl State {
    /// `client` dials `server`, or an address that is nobody's. Returns the name of the dial.
    pub(super) fn dial(
        &mut self,
        client: u32,
        client_life: u32,
        server: Option<u32>,
        reuses: bool,
    ) -> Option<u64> {
        if self.dials.len() >= DIALS {
            return None;
        }
        let to = server.unwrap_or(NOBODY);
        self.account.dials += 1;
        self.note(TraceEvent::Dialling { from: client, to });
        self.mark(client, "dials");
        let nth = self.dialled.entry((client, to)).or_insert(0);
        *nth += 1;
        let pair = u64::from(client) << 32 | u64::from(to);
        let identity = mix(mix(pair).wrapping_add(*nth));
        let draw = self.seed.draw(DIAL, pair, *nth);
        let (connects, takes) = match server {
            Some(server) => {
                let there = self.node(server);
                let answers = there.is_some_and(|n| n.up && n.dialable && n.listener.is_some());
                let fate = self.links.dial(client, server, answers, &draw);
                (fate.connects, fate.takes)
            }
            None => (false, self.dead_dial),
        };
        let in_vain = !connects && takes == self.dead_dial;
        let takes = u64::try_from(takes.as_nanos()).unwrap_or(u64::MAX);
        let name = self.next_dial;
        self.next_dial += 1;
        let server = server.map(|server| (server, self.node(server).map_or(0, |n| n.life)));
        let dial =
            Dial { client, client_life, server, connects, in_vain, identity, reuses, end: None, waker: None };
        self.dials.insert(name, dial);
        self.queue.push(control::now().saturating_add(takes), identity, What::Dialled(name)).then_some(name)
    }

    fn lives(&self, node: u32, life: u32) -> bool {
        self.node(node).is_some_and(|n| n.up && n.life == life)
    }

    /// A dial is over.
    pub(super) fn over(&mut self, name: u64) {
        // Who dialled may have given it up.
        let Some(dial) = self.dials.get(&name) else { return };
        let (client, client_life, server, identity) =
            (dial.client, dial.client_life, dial.server, dial.identity);
        let in_vain = dial.in_vain;
        let (connects, reuses) = (dial.connects, dial.reuses);
        if !self.lives(client, client_life) {
            self.dials.remove(&name);
            return;
        }
        let to = server.map_or(NOBODY, |(server, _)| server);
        let room = |node: u32| self.node(node).is_some_and(|n| n.connections.len() < CONNECTIONS);
        let end = match server {
            Some((server, life)) if self.lives(server, life) && !self.links.parts(client, server) => {
                let takes =
                    self.node(server).is_some_and(|n| n.listener.is_some() && n.incoming.len() < INCOMING);
                if connects && takes && room(client) && room(server) {
                    Ok(self.connect(client, server, identity, reuses))
                } else if connects || !in_vain {
                    Err(io::ErrorKind::ConnectionRefused)
                } else {
                    Err(io::ErrorKind::TimedOut)
                }
            }
            _ => Err(io::ErrorKind::TimedOut),
        };
        self.note(TraceEvent::Dialled { from: client, to, connected: end.is_ok() });
        if end.is_err() {
            self.account.failed_dials += 1;
        }
        if let Some(dial) = self.dials.get_mut(&name) {
            dial.end = Some(end);
            self.wakers.extend(dial.waker.take());
        }
    }

    /// A dial is of no interest any more; nor is the connection that it may have made.
    pub(super) fn give_up(&mut self, name: u64) {
        if let Some(Dial { end: Some(Ok(connection)), .. }) = self.dials.remove(&name) {
            self.detach(connection, 0);
        }
    }

    fn connect(&mut self, client: u32, server: u32, identity: u64, reuses: bool) -> u64 {
        let name = self.next_connection;
        self.next_connection += 1;
        self.account.connections += 1;
        let side = |node| Side {
            node,
            open: true,
            attached: true,
            inbound: VecDeque::new(),
            opened: 0,
            last: 0,
            waker: None,
        };
        let made = Connection {
            sides: [side(client), side(server)],
            identity,
            reuses,
            stands: true,
            channels: BTreeMap::new(),
        };
        self.connections.insert(name, made);
        for node in [client, server] {
            if let Some(node) = self.node_mut(node) {
                node.connections.insert(name);
            }
            self.mark(node, "connected");
        }
        if let Some(node) = self.nodes.get_mut(server as usize) {
            node.incoming.push_back(name);
            self.wakers.extend(node.waker.take());
        }
        name
    }

    /// The connections that a node's listener has not taken will never be.
    pub(super) fn forsake_incoming(&mut self, node: u32) {
        let incoming = self.node_mut(node).map(|n| core::mem::take(&mut n.incoming)).unwrap_or_default();
        for connection in incoming {
            self.detach(connection, 1);
        }
    }

    /// A connection does not stand any more, whoever has seen it.
    fn falls(&mut self, name: u64) {
        let Some(connection) = self.connections.get_mut(&name) else { return };
        if !core::mem::replace(&mut connection.stands, false) {
            return;
        }
        let [a, b] = [0, 1].map(|side| connection.side(side).node);
        for node in [a, b] {
            if let Some(node) = self.node_mut(node) {
                node.connections.remove(&name);
            }
            self.mark(node, "disconnected");
        }
        self.note(TraceEvent::Disconnected { a, b });
    }

    /// The end at `side` sees that its connection has gone.
    pub(super) fn sees_end(&mut self, name: u64, side: usize) {
        let Some(connection) = self.connections.get_mut(&name) else { return };
        let this = connection.side_mut(side);
        if !core::mem::replace(&mut this.open, false) {
            return;
        }
        // Streams of the other side that wait to be taken, or to be heard of, never will be.
        let mut untaken = Vec::from(core::mem::take(&mut this.inbound));
        self.wakers.extend(this.waker.take());
        for (stream, channel) in &mut connection.channels {
            if opener(*stream) != side && !core::mem::replace(&mut channel.announced, true) {
                untaken.push(*stream);
            }
            for half in &mut channel.halves {
                half.wake(&mut self.wakers);
            }
        }
        self.falls(name);
        for stream in untaken {
            self.drop_handle(ChannelId { connection: name, stream });
        }
    }

    /// A connection ends at once, at both ends.
    pub(super) fn end_now(&mut self, name: u64) {
        self.sees_end(name, 0);
        self.sees_end(name, 1);
    }

    /// All connections between two nodes end at once.
    pub(super) fn end_between(&mut self, a: u32, b: u32) {
        let own: Vec<u64> = self.node(a).map(|n| n.connections.iter().copied().collect()).unwrap_or_default();
        for name in own {
            if self.connections.get(&name).is_some_and(|c| c.other(a) == b) {
                self.end_now(name);
            }
        }
    }

    /// A connection of a node that has died: the other end sees it after half a usual round trip.
    pub(super) fn die(&mut self, name: u64, node: u32) {
        let Some(connection) = self.connections.get(&name) else { return };
        let side = usize::from(connection.side(0).node != node);
        let half = self.links.usual_round_trip(node, connection.other(node)) / 2;
        let identity = connection.identity;
        self.sees_end(name, side);
        let at = control::now().saturating_add(half);
        if !self.queue.push(at, identity, What::Ended { connection: name, side: 1 - side }) {
            self.sees_end(name, 1 - side);
        }
    }

    /// The end at `side` closes a connection: what it has written is sent, and the other sees the end after it.
    pub(super) fn close(&mut self, name: u64, side: usize) {
        let Some(connection) = self.connections.get(&name) else { return };
        if !connection.side(side).open {
            return;
        }
        let streams: Vec<u32> = connection.channels.keys().copied().collect();
        for stream in streams {
            self.send(ChannelId { connection: name, stream }, side);
        }
        let Some(connection) = self.connections.get(&name) else { return };
        let (from, to) = (connection.side(side).node, connection.side(1 - side).node);
        let (identity, last) = (connection.identity, connection.side(side).last);
        let at = control::now().saturating_add(self.links.usual_round_trip(from, to) / 2).max(last);
        self.sees_end(name, side);
        if !self.queue.push(at, identity, What::Ended { connection: name, side: 1 - side }) {
            self.sees_end(name, 1 - side);
        }
    }

    /// The muxer at `side` is no more.
    pub(super) fn detach(&mut self, name: u64, side: usize) {
        self.close(name, side);
        if let Some(connection) = self.connections.get_mut(&name) {
            connection.side_mut(side).attached = false;
            if connection.forgotten() {
                self.connections.remove(&name);
            }
        }
    }

    /// One of the two handles of a stream is no more, or never will be.
    pub(super) fn drop_handle(&mut self, id: ChannelId) {
        let Some(connection) = self.connections.get_mut(&id.connection) else { return };
        let Some(channel) = connection.channels.get_mut(&id.stream) else { return };
        channel.handles = channel.handles.saturating_sub(1);
        if channel.handles == 0 {
            connection.channels.remove(&id.stream);
            // Either side may have waited for a place.
            for side in &mut connection.sides {
                self.wakers.extend(side.waker.take());
            }
            if connection.forgotten() {
                self.connections.remove(&id.connection);
            }
        }
    }
}
