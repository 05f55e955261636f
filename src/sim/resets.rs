//! Connections that are reset: what a share of lost messages does to them.
//!
//! The share is of messages, and a reset takes the whole connection with all that is under way on it. An exchange
//! is more than the two messages that the world counts, and a connection carries others that it does not count at
//! all. So the world draws for the messages that real nodes send at each of these occasions, as they were counted on
//! swarms of libp2p-swarm 0.48 with identify, kad, gossipsub and ping over a network that resets message by message:
//!
//! - a request is [`ASKING`] messages, its answer [`ANSWERING`];
//! - a connection that is made carries [`GREETING`] within [`GREETING_TRIPS`] round trips;
//! - one that stands carries [`UPKEEP`] a second. These are drawn for when it is next needed.
//!
//! Where the share is 0 nothing is drawn, kept or queued.

use super::conns::ANYWHERE;
use super::event::What;
use super::rng::{Concern, mix};
use super::wire::{ANSWER, Kind, Line, Loss};
use super::world::World;
use crate::network::Failure;
use crate::probe::reached;

/// Messages of an exchange until the request is there: what the stream is for, asked and agreed to, the request,
/// and the end of the writing side.
pub(super) const ASKING: f64 = 4.0;
/// Messages of an exchange from then on: the answer and the end of the stream.
pub(super) const ANSWERING: f64 = 2.0;
/// Messages of a new connection: the streams of identify (both ways), kad, gossipsub and ping are agreed on and used.
const GREETING: f64 = 26.0;
/// Round trips in which these are sent.
const GREETING_TRIPS: f64 = 4.0;
/// Messages a second of a connection that stands: pings, heartbeats, tables that are kept up.
const UPKEEP: f64 = 0.55;

fn pair(a: u32, b: u32) -> (u32, u32) {
    (a.min(b), a.max(b))
}

impl World {
    /// The connection between `a` and `b` will be reset at `at`, unless it ends before.
    fn doom(&mut self, a: u32, b: u32, at: u64) {
        let (a, b) = pair(a, b);
        if self.doomed.get(&(a, b)).is_some_and(|sooner| *sooner <= at) {
            return;
        }
        self.doomed.insert((a, b), at);
        self.push(at, mix(u64::from(a) << 32 | u64::from(b)), What::Reset { a, b });
    }

    /// So many messages are sent between `a` and `b` within `takes` nanoseconds from `at`. Is one of them reset, the
    /// connection is.
    pub(super) fn risk(&mut self, a: u32, b: u32, at: u64, takes: u64, messages: f64, draw: u32) {
        if let Some(part) = self.links.reset_within(a, b, draw, messages) {
            self.doom(a, b, at.saturating_add((takes as f64 * part) as u64));
        }
    }

    /// A connection between `a` and `b` has been made.
    pub(super) fn risk_greeting(&mut self, a: u32, b: u32) {
        if !self.links.may_reset(a, b) {
            return;
        }
        let draw = self.reset_draw(a, b, self.now);
        let takes = self.usual_round_trip(a, b) as f64 * GREETING_TRIPS;
        self.risk(a, b, self.now, takes as u64, GREETING, draw);
    }

    /// A connection between `a` and `b` no longer stands: what was to become of it is forgotten.
    pub(super) fn absolve(&mut self, a: u32, b: u32) {
        if !self.doomed.is_empty() {
            self.doomed.remove(&pair(a, b));
        }
    }

    /// Whether a connection stands between `a` and `b`, now that `a` uses it: upkeep may have met a reset since it was
    /// last used. Returns where `a` lists it, or would.
    pub(super) fn still_connected(&mut self, a: u32, b: u32) -> Result<u32, u32> {
        if self.config.datagrams {
            return Ok(ANYWHERE);
        }
        let usage = self.connections.touch(a, b, self.ms(), ANYWHERE)?;
        if self.links.may_reset(a, b) {
            let idle = self.ms().saturating_sub(usage.used.max(self.changed_links));
            let messages = UPKEEP * f64::from(idle) / 1000.0;
            let draw = self.reset_draw(a, b, u64::from(usage.used) ^ u64::MAX);
            if self.links.reset_within(a, b, draw, messages).is_some() {
                self.reset(a, b);
                return Err(ANYWHERE);
            }
        }
        Ok(usage.place)
    }

    fn reset_draw(&self, a: u32, b: u32, at: u64) -> u32 {
        let (a, b) = pair(a, b);
        self.seed.draw(Concern::RESET, u64::from(a) << 32 | u64::from(b), at).word(0)
    }

    /// The time has come at which a connection was to be reset.
    pub(crate) fn reset_due(&mut self, a: u32, b: u32) {
        if self.doomed.get(&(a, b)) != Some(&self.now) {
            return;
        }
        self.doomed.remove(&(a, b));
        if self.connected(a, b) {
            self.reset(a, b);
        }
    }

    /// The connection between `a` and `b` is reset. Both see it at once, and what is under way on it breaks: who
    /// asked learns so, who was asked is told that nobody waits for the answer.
    fn reset(&mut self, a: u32, b: u32) {
        self.disconnect(a, b);
        let on_it = self
            .exchanges
            .iter()
            .filter(|(_, e)| e.line == Line::Up && pair(e.client, e.server) == pair(a, b));
        let broken: Vec<u32> = on_it.map(|(slot, _)| slot).collect();
        for slot in broken {
            let generation = self.exchanges.generation(slot);
            let Some(exchange) = self.exchanges.get_mut(slot) else { continue };
            reached!(ResetMidAnswer);
            exchange.line = Line::Reset;
            let (server, kind, identity) = (exchange.server, exchange.kind, exchange.identity);
            let (op, op_generation) = (exchange.op, exchange.op_generation);
            let tie = mix(identity ^ (u64::from(server) << 8 | u64::from(kind as u8 | ANSWER)));
            self.push(self.now, tie, What::Broken { op, generation: op_generation, server, kind });
            let handed = self.node(server).app.as_ref().and_then(|app| {
                let mut inbound = app.inbound.iter();
                inbound.find(|(_, i)| i.exchange == slot && i.generation == generation)
            });
            if let Some(inbound) = handed.map(|(number, _)| number) {
                self.push(self.now, tie, What::Withdraw { node: server, inbound });
            }
        }
    }

    /// An exchange whose connection was reset under way ends here, if `slot` is one.
    pub(super) fn ends_reset(&mut self, slot: u32, answer: bool) -> bool {
        let Some(exchange) = self.exchanges.get(slot) else { return true };
        if exchange.line != Line::Reset {
            return false;
        }
        let (client, server) = (exchange.client, exchange.server);
        let (kind, identity) = (exchange.kind as u8, exchange.identity);
        if answer {
            self.lose(server, client, kind | ANSWER, identity, Loss::Reset);
        } else {
            self.lose(client, server, kind, identity, Loss::Reset);
        }
        self.exchanges.free(slot);
        true
    }

    /// A request learns that what it asked of `server` broke off.
    pub(crate) fn broken(&mut self, op: u32, server: u32, kind: Kind) {
        self.failed(op, server, kind, Failure::Broken);
    }
}
