//! What becomes of an answer when it reaches the node that asked.

use super::kad::K;
use super::op::Phase;
use super::wire::{ANSWER, Kind, Load, Loss, MOST_NAMED};
use super::world::World;
use crate::network::{Done, Failure, Invalid, Item, Ware};
use crate::probe::reached;

/// What of an exchange the request takes that it belongs to.
struct Answer {
    kind: Kind,
    client: u32,
    server: u32,
    load: Load,
    closer: [u32; K],
    closer_len: u8,
}

impl World {
    /// The answer of an exchange, or news of its end, reaches the client.
    pub(crate) fn return_to_client(&mut self, slot: u32) {
        if self.ends_reset(slot, true) {
            return;
        }
        let Some(exchange) = self.exchanges.get_mut(slot) else { return };
        let (client, server, identity) = (exchange.client, exchange.server, exchange.identity);
        let (lives, size, leaves) =
            ((exchange.client_life, exchange.server_life), exchange.size, exchange.leaves);
        let (op, generation, place) = (exchange.op, exchange.op_generation, exchange.place);
        let mut answer = Answer {
            kind: exchange.kind,
            client,
            server,
            load: core::mem::replace(&mut exchange.load, Load::Broken),
            closer: exchange.closer,
            closer_len: exchange.closer_len,
        };
        self.exchanges.free(slot);
        let tag = answer.kind as u8 | ANSWER;
        let broken = matches!(answer.load, Load::Broken);
        if !self.is_up(client) || self.standing(client).life != lives.0 {
            return self.lose(server, client, tag, identity, Loss::Gone);
        }
        if self.is_cut(server, client) {
            self.lose(server, client, tag, identity, Loss::Cut);
            return self.disconnect(client, server);
        }
        let now = self.standing(server);
        let died = now.life != lives.1 || !now.up;
        let again = now.life > lives.1.saturating_add(1);
        if !broken && died && (again || self.node(server).died < leaves) {
            self.lose(server, client, tag, identity, Loss::Gone);
            reached!(AnswererDied);
            answer.load = Load::Broken;
        } else if !broken {
            self.delivered(server, client, tag, identity, size as usize, place);
        }
        if self.ops.is(op, generation) {
            self.take(op, answer);
        } else if answer.kind == Kind::Question && !matches!(answer.load, Load::Broken) {
            self.account.unwanted += u64::from(size);
        }
    }

    /// The request that an answer belongs to takes it.
    fn take(&mut self, slot: u32, answer: Answer) {
        let Answer { kind, client, server, load, closer, closer_len } = answer;
        if self.blocks(client, server) {
            return self.failed(slot, server, kind, Failure::Local);
        }
        let named = closer.get(..usize::from(closer_len)).unwrap_or(&closer);
        match load {
            Load::Asked { .. } | Load::Broken => {
                self.failed(slot, server, kind, Failure::Broken);
            }
            Load::Kad { record, oversized, rest } => {
                let (providers, more) =
                    rest.as_ref().map_or(Default::default(), |rest| (&rest.providers[..], &rest.more[..]));
                let Some(op) = self.ops.get_mut(slot) else { return };
                if op.phase == Phase::ReadingBack && kind != Kind::GetRecord {
                    // An answer to the walk before.
                    return;
                }
                if let Some(value) = record {
                    if op.phase == Phase::ReadingBack {
                        op.verified +=
                            u32::from(!oversized && value == op.body && op.acked.contains(&server));
                        if op.verified as usize == op.acked.len() {
                            op.stats.answered += 1;
                            return self.read_back(slot);
                        }
                    } else {
                        self.found_record(slot, server, value, oversized);
                    }
                }
                self.found_providers(slot, server, providers);
                self.walk_on(slot, client, server, &[named, more, providers]);
            }
            Load::Done => {
                let Some(op) = self.ops.get_mut(slot) else { return };
                if op.phase == Phase::Storing {
                    op.stats.answered += 1;
                    op.acked.push(server);
                    op.outstanding = op.outstanding.saturating_sub(1);
                    self.stored(slot);
                }
            }
            Load::Answer { body, oversized } => {
                let Some(op) = self.ops.get_mut(slot) else { return };
                op.exchange = None;
                if oversized || body.len() > op.bytes || body.len() > self.config.limits.answer_bytes {
                    op.stats.failed += 1;
                    self.reject(client, server, Ware::Answer, Invalid::TOO_LARGE);
                    return self.finish(slot, Err(Failure::Broken));
                }
                op.stats.answered += 1;
                op.stats.bytes += body.len() as u64;
                let (id, bytes) = (op.id, body.len());
                if let Some(id) = id {
                    self.progress(client, id, server, Item::Answer { body }, bytes);
                }
                self.finish(slot, Ok(Done::Answered));
            }
            Load::Refused(refusal) => {
                if let Some(op) = self.ops.get_mut(slot) {
                    op.exchange = None;
                    op.stats.answered += 1;
                }
                self.finish(slot, Err(Failure::Refused(refusal)));
            }
        }
    }

    /// A walk takes in whom a peer named, as closer or as providers, and goes on.
    fn walk_on(&mut self, slot: u32, client: u32, server: u32, named: &[&[u32]]) {
        let Some(op) = self.ops.get(slot) else { return };
        if !op.walks() {
            return;
        }
        let (now, positions) = (self.now, &self.positions);
        let app = self.nodes.get(client as usize).and_then(|node| node.app.as_ref());
        let blocked = app.map(|app| &app.blocked).filter(|blocked| !blocked.is_empty());
        let welcome = |peer: u32| {
            peer != client && blocked.and_then(|blocked| blocked.get(&peer)).is_none_or(|until| *until <= now)
        };
        // Who answered saw to it that there are not more.
        debug_assert!(named.iter().map(|list| list.len()).sum::<usize>() <= MOST_NAMED + K);
        if let Some(op) = self.ops.get_mut(slot) {
            op.stats.answered += u32::from(op.walk.answered(server, named, welcome, positions));
        }
        self.advance(slot);
    }

    /// No connection to `server` could be made for what this request wanted of it.
    pub(crate) fn unreachable(&mut self, slot: u32, server: u32, kind: Kind) {
        if let Some(op) = self.ops.get(slot) {
            let owner = op.owner;
            if let Some(app) = self.app(owner) {
                app.addresses.remove(&server);
            }
            self.failed(slot, server, kind, Failure::Unreachable);
        }
    }

    /// What a request wanted of `server` came to nothing.
    pub(super) fn failed(&mut self, slot: u32, server: u32, kind: Kind, failure: Failure) {
        let position = self.positions[server as usize];
        let Some(op) = self.ops.get_mut(slot) else { return };
        match op.phase {
            Phase::Walking | Phase::ReadingBack => {
                if op.walk.failed(server, position) {
                    op.stats.failed += 1;
                }
                self.advance(slot);
            }
            Phase::Storing if kind == Kind::PutRecord => {
                op.stats.failed += 1;
                op.outstanding = op.outstanding.saturating_sub(1);
                self.stored(slot);
            }
            Phase::Asking if kind == Kind::Question => {
                op.stats.failed += 1;
                op.exchange = None;
                if failure == Failure::Unreachable && !op.looked {
                    // The address that was known is not good, or no longer: the DHT may know another.
                    return self.look_for(slot);
                }
                self.finish(slot, Err(failure));
            }
            Phase::Storing | Phase::Asking | Phase::Waiting => {}
        }
    }
}
