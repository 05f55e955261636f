//! What a peer does with a request that reaches it.
//!
//! One thing is served at a time, in the order of arrival: the answer is made when the request arrives and
//! leaves when its service ends. If the peer dies before that, it never leaves.

use bytes::Bytes;

use super::event::What;
use super::kad::K;
use super::node::Inbound;
use super::peer::SimPeer;
use super::records::Held;
use super::rng::mix;
use super::trace::TraceEvent;
use super::wire::{Exchange, FRAME, Kind, Load, Loss, MOST_NAMED, NAMED, Rest};
use super::world::World;
use crate::network::{AnswerLimits, Choice, Event, InboundId, Refusal, Ware};
use crate::probe::{reached, sometimes};
use crate::testbed::Garble;
use crate::testbed::garble::{self, Garbled};
use crate::time::Timestamp;

/// How long a provider is remembered, in ms: libp2p-kad's default of 48 h.
const PROVIDER_TTL: u64 = 48 * 3_600_000;

impl World {
    /// The request of an exchange reaches its server.
    pub(crate) fn arrive(&mut self, slot: u32) {
        if self.ends_reset(slot, false) {
            return;
        }
        let Some(exchange) = self.exchanges.get(slot) else { return };
        let (client, server, kind, identity) =
            (exchange.client, exchange.server, exchange.kind, exchange.identity);
        let (bytes, life, place) = (FRAME + exchange.asked(), exchange.server_life, exchange.place);
        let service = exchange.draw.wide(4);
        let tag = kind as u8;
        if self.is_cut(client, server) || self.is_cut(server, client) {
            // Cut either way: without the server's word on what the stream is for, no request is sent.
            self.lose(client, server, tag, identity, Loss::Cut);
            self.disconnect(client, server);
            self.exchanges.free(slot);
            return;
        }
        if !self.is_up(server) || self.standing(server).life != life {
            // The host says that nobody listens there any more.
            self.lose(client, server, tag, identity, Loss::Gone);
            self.answer(slot, self.now, Load::Broken, FRAME);
            return;
        }
        if self.blocks(server, client) {
            self.lose(client, server, tag, identity, Loss::Blocked);
            self.exchanges.free(slot);
            return;
        }
        self.delivered(client, server, tag, identity, bytes, place);
        if self.node(server).silent {
            self.lose(server, client, tag, identity, Loss::Silent);
            self.exchanges.free(slot);
            return;
        }
        let start = self.now.max(self.node(server).busy_until);
        if start - self.now > crate::time::nanos(self.config.profile.service.backlog) {
            reached!(ServerBusy);
            self.account.busy += 1;
            self.note(TraceEvent::Busy { from: client, to: server, kind: tag, identity });
            let reply = if kind == Kind::Question { Load::Refused(Refusal::Busy) } else { Load::Broken };
            self.answer(slot, self.now, reply, FRAME);
            return;
        }
        if kind == Kind::Question && self.standing(server).app {
            self.question(slot, client, server);
            return;
        }
        let leaves = self.serve_until(server, kind, service);
        let (reply, size) = self.reply_of(slot, client, server, kind);
        if self.node(server).stalled {
            self.lose(server, client, tag, identity, Loss::Stalled);
            self.exchanges.free(slot);
            return;
        }
        if kind == Kind::AddProvider {
            self.exchanges.free(slot);
            return;
        }
        let leaves = self.held_back(server, leaves);
        self.answer(slot, leaves, reply, size);
    }

    /// When an answer that is ready at `ready` leaves `server`: later where it holds its answers back, though it
    /// serves the next meanwhile.
    fn held_back(&self, server: u32, ready: u64) -> u64 {
        ready.saturating_add(self.node(server).faults.as_ref().map_or(0, |faults| faults.late))
    }

    /// When `server` will have served one more request of `kind`.
    fn serve_until(&mut self, server: u32, kind: Kind, draw: u64) -> u64 {
        let service = &self.config.profile.service;
        let dist = match kind {
            Kind::FindPeers | Kind::GetRecord | Kind::GetProviders => service.lookup,
            Kind::PutRecord | Kind::AddProvider => service.store,
            Kind::Question => service.question,
        };
        let takes = crate::time::nanos(dist.at(draw));
        let now = self.now;
        let node = self.node_mut(server);
        let takes = takes.saturating_mul(u64::from(node.slow));
        node.busy_until = node.busy_until.max(now).saturating_add(takes);
        node.busy_until
    }

    /// A question reaches an application: it is handed up, or refused when too many wait.
    fn question(&mut self, slot: u32, client: u32, server: u32) {
        let (most, of_one) = (self.config.limits.questions, self.config.limits.questions_per_peer);
        let inbound = self.next_inbound;
        let generation = self.exchanges.generation(slot);
        let Some(body) = self.exchanges.get(slot).map(Exchange::body) else { return };
        let Some(app) = self.app(server) else { return };
        let his = app.inbound.values().filter(|inbound| inbound.client == client).count();
        let full = app.inbound.len() >= most || his >= of_one;
        let event = Event::Question { to: InboundId(u64::from(inbound)), from: SimPeer(client), body };
        if full || !self.tell(server, event) {
            reached!(ServerBusy);
            self.account.busy += 1;
            self.answer(slot, self.now, Load::Refused(Refusal::Busy), FRAME);
            return;
        }
        self.next_inbound += 1;
        if let Some(app) = self.app(server) {
            app.inbound.insert(inbound, Inbound { client, exchange: slot, generation });
        }
    }

    /// An application answers a question.
    pub(crate) fn reply(&mut self, node: u32, inbound: InboundId, answer: Result<Bytes, Refusal>) {
        let Ok(number) = u32::try_from(inbound.0) else { return };
        let Some(held) = self.app(node).and_then(|app| app.inbound.remove(number)) else { return };
        let slot = held.exchange;
        if !self.exchanges.is(slot, held.generation) || self.ends_reset(slot, true) {
            return;
        }
        let Some(exchange) = self.exchanges.get(slot) else { return };
        let (client, identity, draw) = (exchange.client, exchange.identity, exchange.draw);
        let tag = Kind::Question as u8;
        if self.node(node).silent || self.node(node).stalled {
            let why = if self.node(node).silent { Loss::Silent } else { Loss::Stalled };
            self.lose(node, client, tag, identity, why);
            self.exchanges.free(slot);
            return;
        }
        if !self.connected(client, node) {
            self.answer(slot, self.now, Load::Broken, FRAME);
            return;
        }
        let leaves = self.serve_until(node, Kind::Question, draw.wide(4));
        let leaves = self.held_back(node, leaves);
        let (reply, size) = self.answer_reply(slot, node, answer);
        self.answer(slot, leaves, reply, size);
    }

    /// The answer of a peer that the world runs itself, and its bytes.
    fn reply_of(&mut self, slot: u32, client: u32, server: u32, kind: Kind) -> (Load, usize) {
        match kind {
            Kind::FindPeers | Kind::GetRecord | Kind::GetProviders => {
                let (named, more) = self.name_closer(slot, client, server);
                let Some(exchange) = self.exchanges.get(slot) else { return (Load::Broken, 0) };
                let key = exchange.key;
                let mut size = FRAME + NAMED * named;
                let mut record = None;
                let mut oversized = false;
                let mut providers = Vec::new();
                if kind == Kind::GetRecord {
                    (record, oversized) = self.serve_record(slot, server, key);
                    size += record.as_ref().map_or(0, Bytes::len);
                } else if kind == Kind::GetProviders {
                    providers = self.node(server).providers.of(key, self.wall()).collect();
                    size += NAMED * providers.len();
                }
                let rest =
                    (!providers.is_empty() || !more.is_empty()).then(|| Box::new(Rest { providers, more }));
                (Load::Kad { record, oversized, rest }, size)
            }
            Kind::PutRecord => {
                let Some(exchange) = self.exchanges.get(slot) else { return (Load::Broken, 0) };
                let key = exchange.key;
                let Load::Asked { body: value, expires } = &exchange.load else { return (Load::Broken, 0) };
                let (value, expires) = (value.clone(), *expires);
                self.keep(server, client, key, value, expires);
                // kad acknowledges also what a filter drops.
                (Load::Done, FRAME)
            }
            Kind::AddProvider => {
                let Some(key) = self.exchanges.get(slot).map(|e| e.key) else { return (Load::Broken, 0) };
                let wall = self.wall();
                let most = match &self.node(server).faults {
                    Some(faults) if faults.forgets => return (Load::Done, FRAME),
                    Some(faults) if faults.full => 0,
                    _ => self.config.limits.provider_keys,
                };
                let added = self.node_mut(server).providers.add(key, client, wall + PROVIDER_TTL, most, wall);
                if !added {
                    self.drop_for(server);
                }
                (Load::Done, FRAME)
            }
            Kind::Question => {
                let limits = AnswerLimits {
                    bytes: self.config.limits.answer_bytes,
                    now: Timestamp::from_nanos(self.now),
                    wall: self.wall_at(server),
                };
                let Some(question) = self.exchanges.get(slot).map(Exchange::body) else {
                    return (Load::Broken, 0);
                };
                let answer = match &mut self.node_mut(server).responder {
                    Some(responder) => responder.answer(&question, limits),
                    None => Err(Refusal::NotUnderstood),
                };
                self.answer_reply(slot, server, answer)
            }
        }
    }

    /// Fill in the peers closest to what is asked for, from the server's table. Returns how many are named in all, and
    /// those of them that are more than an honest answer names.
    fn name_closer(&mut self, slot: u32, client: u32, server: u32) -> (usize, Vec<u32>) {
        self.keep_up(server);
        if let Some(more) = self.name_accomplices(slot, client, server) {
            let named = self.exchanges.get(slot).map_or(0, |it| usize::from(it.closer_len));
            return (named + more.len(), more);
        }
        let Some(exchange) = self.exchanges.get_mut(slot) else { return (0, Vec::new()) };
        let own = self.positions[server as usize];
        let table = &self.nodes[server as usize].table;
        let named = table.closest(own, exchange.target, client, &self.positions, &mut exchange.closer);
        exchange.closer_len = named.min(K) as u8;
        (named, Vec::new())
    }

    /// The accomplices closest to what is looked for, if `server` has any: as many as an answer holds. The k closest are
    /// filled in, the others returned.
    fn name_accomplices(&mut self, slot: u32, client: u32, server: u32) -> Option<Vec<u32>> {
        let faults = self.nodes[server as usize].faults.as_ref()?;
        if faults.colludes.is_empty() {
            return None;
        }
        let exchange = self.exchanges.get_mut(slot)?;
        let mut named: Vec<u32> = faults.colludes.iter().copied().filter(|it| *it != client).collect();
        let distance = |it: &u32| (self.positions[*it as usize] ^ exchange.target, *it);
        if named.len() > MOST_NAMED {
            named.select_nth_unstable_by_key(MOST_NAMED, distance);
            named.truncate(MOST_NAMED);
        }
        named.sort_unstable_by_key(distance);
        let more = named.split_off(named.len().min(K));
        for (place, peer) in exchange.closer.iter_mut().zip(&named) {
            *place = *peer;
        }
        exchange.closer_len = named.len() as u8;
        Some(more)
    }

    /// The record that `server` gives for `key`, garbled if it is that kind of server, and whether it
    /// is larger than any limit.
    fn serve_record(&mut self, slot: u32, server: u32, key: u32) -> (Option<Bytes>, bool) {
        let wall = self.wall();
        if self.node(server).faults.as_ref().is_some_and(|faults| !faults.colludes.is_empty()) {
            return (None, false);
        }
        let held = self.node(server).records.get(key, wall).map(|h| h.value.clone());
        let record = match held {
            Some(value) => Some(value),
            None => {
                let bytes = self.keys.bytes(key);
                self.nodes[server as usize].responder.as_mut().and_then(|r| r.record(bytes))
            }
        };
        let Some(way) = self.garbling(slot, server) else { return (record, false) };
        if way == Garble::WrongKey {
            let other = self.node(server).records.other(key, wall).map(|h| h.value.clone());
            let Some(other) = other.filter(|o| record.as_ref() != Some(o)) else { return (record, false) };
            self.garbled(slot, server, way);
            return (Some(other), false);
        }
        let Some(record) = record else { return (None, false) };
        let most = self.config.limits.record_bytes;
        let (value, oversized) = self.garble(slot, server, way, &record, most);
        (Some(value), oversized)
    }

    /// An answer to a question, garbled if it is that kind of server.
    fn answer_reply(&mut self, slot: u32, server: u32, answer: Result<Bytes, Refusal>) -> (Load, usize) {
        let body = match answer {
            Ok(body) => body,
            Err(refusal) => return (Load::Refused(refusal), FRAME),
        };
        let Some(way) = self.garbling(slot, server) else {
            let size = FRAME + body.len();
            return (Load::Answer { body, oversized: false }, size);
        };
        let most = self.config.limits.answer_bytes;
        let last = core::mem::replace(&mut self.node_mut(server).faults().last, body.clone());
        let (body, oversized) = if way == Garble::WrongKey {
            if last.is_empty() || last == body {
                (body, false)
            } else {
                self.garbled(slot, server, way);
                (last, false)
            }
        } else {
            self.garble(slot, server, way, &body, most)
        };
        let size = FRAME + body.len();
        (Load::Answer { body, oversized }, size)
    }

    /// The way in which `server` garbles what it sends in this exchange, if it does.
    fn garbling(&self, slot: u32, server: u32) -> Option<Garble> {
        let ways = &self.node(server).faults.as_ref()?.garbles;
        if ways.is_empty() {
            return None;
        }
        let draw = self.exchanges.get(slot)?.draw.wide(10);
        ways.get(super::rng::below(draw, ways.len() as u64) as usize).copied()
    }

    fn garble(&mut self, slot: u32, server: u32, way: Garble, body: &Bytes, most: usize) -> (Bytes, bool) {
        let Some(exchange) = self.exchanges.get(slot) else { return (body.clone(), false) };
        let draw = exchange.draw;
        match garble::garble(way, body, most, mix(draw.wide(12))) {
            Garbled::Bytes(bytes) if bytes == *body => (bytes, false),
            Garbled::Bytes(bytes) => {
                self.garbled(slot, server, way);
                (bytes, false)
            }
            Garbled::Oversized => {
                self.garbled(slot, server, way);
                (Bytes::new(), true)
            }
        }
    }

    fn garbled(&mut self, slot: u32, server: u32, way: Garble) {
        let place = super::account::garble_index(way);
        self.account.garbled[place] += 1;
        let identity = self.exchanges.get(slot).map_or(0, |e| e.identity);
        self.note(TraceEvent::Garbled { node: server, way: place as u8, identity });
    }

    /// `server` is asked by `from` to keep a record: it does if the validator finds it good and no
    /// better one is held.
    pub(crate) fn keep(&mut self, server: u32, from: u32, key: u32, value: Bytes, expires: u64) {
        let wall = self.wall();
        let bytes = self.keys.bytes(key).clone();
        let verdict = self.config.validator.record(&bytes, &value, self.wall_at(server));
        if let Err(why) = verdict {
            self.reject(server, from, Ware::Record, why);
            return;
        }
        let held = self.node(server).records.get(key, wall);
        let better = held.is_none_or(|h| {
            h.value == value || self.config.validator.select(&bytes, &h.value, &value) == Choice::Offered
        });
        sometimes!(!better, WorseRecordRefused);
        let refuses = from != server
            && self.node(server).faults.as_ref().is_some_and(|f| f.forgets || (f.full && held.is_none()));
        let mut kept = false;
        if better && expires > wall && !refuses {
            let synced = self.now.saturating_add(crate::time::nanos(self.record_sync(server, key)));
            let own = self.positions[server as usize];
            let most = self.config.limits.records;
            let keys = &self.keys;
            kept = self.nodes[server as usize].records.put(
                Held { key, value, expires, synced },
                most,
                wall,
                |k| keys.position(k) ^ own,
            );
        }
        let key = self.keys.position(key);
        self.note(TraceEvent::Stored { node: server, from, key, kept });
    }

    /// How long the record takes to the disk of `server`.
    fn record_sync(&self, server: u32, key: u32) -> core::time::Duration {
        let draw =
            self.seed.draw(super::rng::Concern::DISK, u64::from(server) << 32 | u64::from(key), self.now);
        self.config.disk.at(draw.wide(0))
    }

    /// The asker of a question gave up: the application that was handed it is told.
    pub(crate) fn withdraw(&mut self, node: u32, inbound: u32) {
        let Some(app) = self.app(node) else { return };
        if let Some(held) = app.inbound.remove(inbound) {
            if self.exchanges.is(held.exchange, held.generation) {
                self.exchanges.free(held.exchange);
            }
            self.tell(node, Event::Withdrawn { to: InboundId(u64::from(inbound)) });
        }
    }

    /// The node that asked in this exchange no longer waits for it.
    pub(crate) fn forsake(&mut self, slot: u32, generation: u32) {
        if !self.exchanges.is(slot, generation) {
            return;
        }
        let Some(exchange) = self.exchanges.get(slot) else { return };
        let (client, server, identity, draw) =
            (exchange.client, exchange.server, exchange.identity, exchange.draw);
        let Some(app) = &self.node(server).app else { return };
        let handed = app.inbound.iter().find(|(_, i)| i.exchange == slot && i.generation == generation);
        if let Some(inbound) = handed.map(|(number, _)| number) {
            let delay = self.delay(client, server, FRAME, draw.wide(2), 0);
            self.push(
                self.now.saturating_add(delay),
                mix(identity),
                What::Withdraw { node: server, inbound },
            );
        }
    }
}
