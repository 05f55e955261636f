//! Connections, dials and messages between two peers.
//!
//! A message takes the delay that its link and its own identity draw. A connection comes first: where
//! none stands, a dial makes one, and all that is to be sent to the same peer waits for the same dial. Then each
//! request opens a stream, and is sent when the other side has agreed to what the stream is for: libp2p-swarm 0.48
//! (`connection.rs`) offers it by multistream-select's `V1`, which waits for the answer. So an exchange takes two
//! round trips.
//!
//! A connection stands until an end dies, is cut off, breaks it, or needs the room: gossipsub 0.50 holds a stream
//! open on each (`handler.rs`), so libp2p-swarm never finds one idle.

use super::conns::ANYWHERE;
use super::event::What;
use super::links::Route;
use super::op::Phase;
use super::peer::SimPeer;
use super::resets::{ANSWERING, ASKING};
use super::rng::{Concern, Draw, mix};
use super::trace::TraceEvent;
use super::wire::{ANSWER, Dial, Exchange, FRAME, Kind, Line, Load, Loss, NONE};
use super::world::World;
use crate::network::{Event, PeerChange};
use crate::probe::reached;
use core::time::Duration;

/// Makes draws of their own for the opening of a stream.
const OPENING: u64 = 0x6f70_656e_696e_6720;

/// Makes a draw of its own for the answer.
const ANSWERED: u64 = 0x616e_7377_6572_6564;

/// Nanoseconds until the other side has agreed to what a stream is for. It answers in two messages, for
/// the protocol's version and for its name, and the later one counts.
fn opening(there: Route<'_>, back: Route<'_>, draw: &Draw) -> u64 {
    let [offer, version, name] = [0, 2, 8].map(|slot| mix(draw.wide(slot) ^ OPENING));
    let takes = |route: Route<'_>, draw: u64| route.delay(FRAME, draw, mix(draw) as u32);
    takes(there, offer).saturating_add(takes(back, version).max(takes(back, name)))
}

impl World {
    /// Nanoseconds that a message of `bytes` takes from `from` to `to`.
    pub(crate) fn delay(&self, from: u32, to: u32, bytes: usize, draw: u64, extra: u32) -> u64 {
        self.links.delay(from, to, bytes, draw, extra)
    }

    /// Whether a connection stands between `a` and `b`, or none is needed.
    pub(crate) fn connected(&self, a: u32, b: u32) -> bool {
        self.config.datagrams || self.connections.stands(a, b)
    }

    /// The connection, if one stands, is used now. It is quicker when `a` has dialled it, and when it is known where `a`
    /// listed it not long ago.
    fn touch(&mut self, a: u32, b: u32, stood: u32) {
        if self.config.datagrams {
            return;
        }
        let _known = self.connections.touch(a, b, self.ms(), stood);
    }

    /// A connection between `a`, which dialled, and `b` stands from now on. `round_trip` is what it measured, if that is
    /// not the usual one; `would` is where `a` would have listed it not long ago, or [`ANYWHERE`]. Returns where `a` lists it.
    pub(crate) fn connect(&mut self, a: u32, b: u32, round_trip: Option<u64>, would: u32) -> u32 {
        if self.config.datagrams {
            return ANYWHERE;
        }
        match self.connections.touch(a, b, self.ms(), would) {
            Ok(usage) => {
                self.identify(a, b, false, None);
                usage.place
            }
            Err(would) => self.connect_anew(a, b, round_trip, would),
        }
    }

    /// The same where a connection is needed, and it is known that none stands.
    pub(crate) fn connect_anew(&mut self, a: u32, b: u32, round_trip: Option<u64>, would: u32) -> u32 {
        debug_assert!(!self.connected(a, b), "{a} and {b} are connected once");
        let place = self.list(a, b, would);
        self.absolve(a, b);
        self.risk_greeting(a, b);
        self.identify(a, b, true, round_trip);
        place
    }

    /// Both ends of a connection that `a` has dialled, perhaps a `new` one, hear from each other.
    fn identify(&mut self, a: u32, b: u32, new: bool, round_trip: Option<u64>) {
        for (node, other) in [(a, b), (b, a)] {
            // Each says of itself where it listens and whether it serves the DHT.
            self.contact(node, other);
            let most = self.config.limits.addresses;
            if let Some(app) = self.app(node) {
                if app.addresses.len() < most {
                    app.addresses.insert(other);
                }
                if new {
                    let peer = SimPeer(other);
                    self.tell(node, Event::Peer { peer, change: PeerChange::Up });
                    let round_trip = round_trip.unwrap_or_else(|| self.usual_round_trip(a, b));
                    let round_trip = Duration::from_nanos(round_trip);
                    self.tell(node, Event::Peer { peer, change: PeerChange::RoundTrip(round_trip) });
                }
            }
        }
    }

    /// Both ends list a connection that `a` has dialled. Where there is no room, the one that was not used for longest
    /// ends. Returns where `a` lists it, which is about where it `would` have.
    fn list(&mut self, a: u32, b: u32, would: u32) -> u32 {
        for node in [a, b] {
            if self.connections.count(node) >= self.config.limits.connections
                && let Some(stalest) = self.connections.stalest(node, self.ms())
            {
                reached!(ConnectionDisplaced);
                self.disconnect(node, stalest);
            }
        }
        self.connections.make(a, b, self.ms(), would)
    }

    /// The connection between `a` and `b` ends. Both ends are told.
    pub(crate) fn disconnect(&mut self, a: u32, b: u32) {
        if self.config.datagrams {
            self.leave_mesh(a, b);
            return self.leave_mesh(b, a);
        }
        let Some(near) = self.connections.end(a, b) else { return };
        self.absolve(a, b);
        if near.pinned {
            self.leave_mesh(a, b);
            self.leave_mesh(b, a);
        }
        self.note(TraceEvent::Disconnected { a, b });
        for (node, other) in [(a, b), (b, a)] {
            if self.standing(node).up && self.standing(node).app {
                self.tell(node, Event::Peer { peer: SimPeer(other), change: PeerChange::Down });
            }
        }
    }

    /// Ask `server` for `kind` on behalf of the request in slot `op`.
    pub(crate) fn send(&mut self, op: u32, server: u32, kind: Kind) {
        let generation = self.ops.generation(op);
        let Some(request) = self.ops.get_mut(op) else { return };
        request.stats.sent += 1;
        let client = request.owner;
        let identity = request.identity;
        let draw = self.seed.draw(Concern::LINK, identity, u64::from(kind as u8) << 32 | u64::from(server));
        let body = match kind {
            Kind::PutRecord | Kind::Question => request.body.clone(),
            _ => bytes::Bytes::new(),
        };
        let exchange = Exchange {
            kind,
            client,
            server,
            client_life: request.life,
            server_life: 0,
            place: NONE,
            op,
            op_generation: generation,
            key: request.key,
            target: request.target,
            identity,
            draw,
            leaves: 0,
            load: Load::Asked { body, expires: request.expires },
            line: Line::Down,
            closer: [0; super::kad::K],
            closer_len: 0,
            size: 0,
        };
        let slot = self.exchanges.insert(exchange);
        if kind == Kind::Question {
            let generation = self.exchanges.generation(slot);
            if let Some(request) = self.ops.get_mut(op) {
                request.exchange = Some((slot, generation));
                request.phase = Phase::Asking;
            }
        }
        match self.still_connected(client, server) {
            Ok(place) => self.transmit(slot, place),
            Err(would) => self.dial(slot, client, server, would, identity, &draw),
        }
    }

    /// Have the exchange wait for a dial, which is begun unless one is under way. The client `would` list the connection
    /// there now.
    fn dial(&mut self, slot: u32, client: u32, server: u32, would: u32, identity: u64, draw: &Draw) {
        if let Some(dial) = self.dialling.get(client, server)
            && let Some(dial) = self.dials.get_mut(dial)
        {
            let tail = core::mem::replace(&mut dial.tail, slot);
            if let Some(last) = self.exchanges.get_mut(tail) {
                last.place = slot;
            }
            return;
        }
        self.account.dials += 1;
        self.note(TraceEvent::Dialling { from: client, to: server });
        let answers = self.standing(server).up && self.standing(server).dialable;
        let fate = self.links.dial(client, server, answers, draw);
        let (succeeds, takes) = (fate.connects, crate::time::nanos(fate.takes));
        let dial = self.dials.insert(Dial {
            client,
            server,
            client_life: self.standing(client).life,
            server_life: self.standing(server).life,
            started: self.now,
            succeeds,
            would,
            head: slot,
            tail: slot,
        });
        self.dialling.begin(client, server, dial);
        self.push(self.now.saturating_add(takes), mix(identity ^ u64::from(server)), What::Dialed(dial));
    }

    /// A dial is over: what waited for it is sent, or fails.
    pub(crate) fn dialed(&mut self, slot: u32) {
        let Some(dial) = self.dials.remove(slot) else { return };
        self.dialling.end(dial.client, dial.server);
        let (client, server) = (dial.client, dial.server);
        let alive = self.is_up(client) && self.standing(client).life == dial.client_life;
        let reached = self.is_up(server)
            && self.standing(server).life == dial.server_life
            && !self.links.parts(client, server);
        let succeeds = alive && dial.succeeds && reached;
        if alive {
            self.note(TraceEvent::Dialled { from: client, to: server, connected: succeeds });
        }
        let takes = self.now - dial.started;
        let mut place = ANYWHERE;
        if succeeds {
            let trips = u64::from(self.config.profile.dial_round_trips).max(1);
            place = self.connect(client, server, Some(takes / trips), dial.would);
        } else if alive {
            reached!(DialDead);
            self.account.failed_dials += 1;
        }
        let mut next = dial.head;
        let mut first = true;
        while next != NONE {
            let Some(exchange) = self.exchanges.get(next) else { break };
            let (this, kind) = (next, exchange.kind);
            let (op, generation) = (exchange.op, exchange.op_generation);
            next = exchange.place;
            if first
                && self.ops.is(op, generation)
                && let Some(op) = self.ops.get_mut(op)
            {
                op.stats.dial_time = op.stats.dial_time.saturating_add(Duration::from_nanos(takes));
            }
            first = false;
            if !alive || !self.ops.is(op, generation) {
                self.exchanges.free(this);
            } else if succeeds {
                self.transmit(this, place);
            } else {
                self.exchanges.free(this);
                self.unreachable(op, server, kind);
            }
        }
    }

    /// Open a stream for an exchange on the connection that stands and counts as used now, and send its request.
    /// The client lists the connection at `place`.
    fn transmit(&mut self, slot: u32, place: u32) {
        let Some(exchange) = self.exchanges.get(slot) else { return };
        let (client, server, kind, identity) =
            (exchange.client, exchange.server, exchange.kind, exchange.identity);
        let draw = exchange.draw;
        let bytes = FRAME + exchange.asked();
        let there = self.links.route(client, server);
        let mut delay = there.delay(bytes, draw.wide(0), draw.word(14));
        if !self.config.datagrams {
            delay = delay.saturating_add(opening(there, self.links.route(server, client), &draw));
        }
        self.note(TraceEvent::Sent { from: client, to: server, kind: kind as u8, identity, delay });
        let life = self.standing(server).life;
        if let Some(exchange) = self.exchanges.get_mut(slot) {
            exchange.server_life = life;
            exchange.place = place;
            exchange.line = Line::Up;
        }
        let at = self.now.saturating_add(delay);
        let tie = mix(identity ^ (u64::from(server) << 8 | u64::from(kind as u8)));
        self.push(at, tie, What::Arrive(slot));
        self.risk(client, server, self.now, delay, ASKING, draw.word(6));
    }

    /// Send the answer of an exchange at `leaves`.
    pub(crate) fn answer(&mut self, slot: u32, leaves: u64, load: Load, size: usize) {
        let Some(exchange) = self.exchanges.get_mut(slot) else { return };
        exchange.load = load;
        exchange.leaves = leaves;
        exchange.size = size as u32;
        let (client, server, kind, identity) =
            (exchange.client, exchange.server, exchange.kind, exchange.identity);
        let draw = exchange.draw;
        let delay = self.delay(server, client, size, draw.wide(2), draw.word(15));
        let tag = kind as u8 | ANSWER;
        self.note(TraceEvent::Sent { from: server, to: client, kind: tag, identity, delay });
        let tie = mix(identity ^ (u64::from(server) << 8 | u64::from(tag)));
        self.push(leaves.saturating_add(delay), tie, What::Return(slot));
        let draw = mix(draw.wide(6) ^ ANSWERED) as u32;
        self.risk(client, server, leaves, delay, ANSWERING, draw);
    }

    /// A message will not come to anything.
    pub(crate) fn lose(&mut self, from: u32, to: u32, kind: u8, identity: u64, why: Loss) {
        match why {
            Loss::Cut => reached!(MessageCut),
            Loss::Silent => reached!(SilentPeer),
            Loss::Stalled => reached!(StalledPeer),
            Loss::Blocked => reached!(BlockedPeer),
            Loss::Gone | Loss::Reset => {}
        }
        self.account.lost += 1;
        self.note(TraceEvent::Lost { from, to, kind, identity, why: why as u8 });
    }

    /// A message arrived. Its asker listed the connection at place `stood`.
    pub(crate) fn delivered(
        &mut self,
        from: u32,
        to: u32,
        kind: u8,
        identity: u64,
        bytes: usize,
        stood: u32,
    ) {
        self.account.messages += 1;
        self.account.bytes += bytes as u64;
        // Mostly it was the asker that dialled.
        let (a, b) = if kind & ANSWER == 0 { (from, to) } else { (to, from) };
        self.touch(a, b, stood);
        self.note(TraceEvent::Delivered { from, to, kind, identity });
    }
}
