//! What a node asks of the network, from the submit to its one ending.

use bytes::Bytes;
use core::time::Duration;

use super::alarm::Alarm;
use super::event::What;
use super::kad::{K, Step};
use super::op::{Aim, Ended, Op, Phase};
use super::peer::SimPeer;
use super::rng::{digest, mix};
use super::trace::TraceEvent;
use super::wire::{Kind, NONE};
use super::world::World;
use crate::network::{
    Done, Event, Failure, InboundId, Invalid, Item, Limits, Refusal, Request, RequestId, RequestStats, Ware,
};
use crate::time::nanos;

impl World {
    /// An application submits a request.
    pub(crate) fn submit(&mut self, node: u32, id: RequestId, request: Request<SimPeer>, limits: Limits) {
        let most = self.config.limits.requests;
        let Some(app) = self.app(node) else { return };
        if app.requests.get(id).is_some() {
            return;
        }
        let full = app.requests.len() >= most;
        let (kind, identity) = identify(node, &request, self.now);
        self.note(TraceEvent::Submitted { node, request: id.0, kind, identity });
        let now = self.now;
        if full {
            return self.end(node, id, Err(Failure::Local), RequestStats::default());
        }
        if limits.deadline.as_nanos() <= now {
            return self.end(node, id, Err(Failure::TimedOut), RequestStats::default());
        }
        let (aim, key, body, ttl, read_back, peer) = match request {
            Request::GetRecord { key } => (Aim::Get, key, Bytes::new(), Duration::ZERO, false, NONE),
            Request::PutRecord { key, value, ttl, read_back } => {
                if value.len() > self.config.limits.record_bytes {
                    return self.end(node, id, Err(Failure::Local), RequestStats::default());
                }
                (Aim::Put, key, value, ttl, read_back, NONE)
            }
            Request::GetProviders { key } => (Aim::Providers, key, Bytes::new(), Duration::ZERO, false, NONE),
            Request::Provide { key } => (Aim::Provide, key, Bytes::new(), Duration::ZERO, false, NONE),
            Request::Ask { peer, question } => {
                if question.len() > self.config.limits.question_bytes || self.blocks(node, peer.0) {
                    return self.end(node, id, Err(Failure::Local), RequestStats::default());
                }
                if peer.0 == node || peer.0 as usize >= self.nodes.len() {
                    return self.end(node, id, Err(Failure::Unreachable), RequestStats::default());
                }
                (Aim::Ask, Bytes::new(), question, Duration::ZERO, false, peer.0)
            }
            Request::Announce { topic, payload } => {
                if payload.len() > self.config.limits.announcement_bytes {
                    return self.end(node, id, Err(Failure::Local), RequestStats::default());
                }
                let result = self.announce(node, topic, payload).map(|to| Done::Announced { to });
                return self.end(node, id, result, RequestStats::default());
            }
            Request::Subscribe { topic } => {
                let result = match self.app(node) {
                    Some(app) if app.subscriptions.len() < 1024 => {
                        app.subscriptions.insert(topic);
                        Ok(Done::Subscribed)
                    }
                    _ => Err(Failure::Local),
                };
                return self.end(node, id, result, RequestStats::default());
            }
        };
        let (number, target) = if aim == Aim::Ask {
            (NONE, self.positions[peer as usize])
        } else {
            match self.keys.number(&key) {
                Some(number) => (number, self.keys.position(number)),
                None => return self.end(node, id, Err(Failure::Local), RequestStats::default()),
            }
        };
        let asks = self.config.limits.asks_per_peer as u32;
        if aim == Aim::Ask
            && let Some(app) = self.app(node)
        {
            let count = app.asking.get(peer).copied().unwrap_or(0);
            if count >= asks {
                return self.end(node, id, Err(Failure::Local), RequestStats::default());
            }
            app.asking.insert(peer, count + 1);
        }
        let mut op = self.new_op(node, aim, identity, target);
        op.id = Some(id);
        op.key = number;
        op.bytes = limits.bytes;
        op.peer = peer;
        op.body = body;
        op.expires = self.wall().saturating_add(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX));
        op.read_back = read_back;
        let slot = self.ops.insert(op);
        let generation = self.ops.generation(slot);
        let lookups = self.config.limits.lookups;
        let mut starts = true;
        if let Some(app) = self.app(node) {
            app.requests.insert(id, (slot, generation));
            if aim != Aim::Ask {
                if app.running < lookups {
                    app.running += 1;
                } else {
                    app.waiting.push_back((slot, generation));
                    starts = false;
                }
            }
        }
        let due = What::Due { op: slot, generation };
        self.push(limits.deadline.as_nanos(), mix(identity), due);
        if starts {
            self.begin(slot);
        }
    }

    /// A request that has not yet begun, with a walk whose memory was used before.
    pub(crate) fn new_op(&mut self, owner: u32, aim: Aim, identity: u64, target: u64) -> Op {
        let mut walk = self.spare_walks.pop().unwrap_or_default();
        walk.start(target);
        Op {
            owner,
            life: self.standing(owner).life,
            id: None,
            aim,
            phase: Phase::Waiting,
            identity,
            key: NONE,
            target,
            walk,
            bytes: 0,
            started: self.now,
            stats: RequestStats::default(),
            timer: u64::MAX,
            peer: NONE,
            body: Bytes::new(),
            expires: 0,
            read_back: false,
            outstanding: 0,
            acked: Vec::new(),
            verified: 0,
            found: 0,
            exchange: None,
            looked: false,
        }
    }

    /// The request in `slot` begins its work.
    pub(crate) fn begin(&mut self, slot: u32) {
        let Some(op) = self.ops.get_mut(slot) else { return };
        op.phase = Phase::Walking;
        let (owner, aim, key, peer) = (op.owner, op.aim, op.key, op.peer);
        let wall = self.wall();
        match aim {
            Aim::Ask => {
                if self.knows(owner, peer) {
                    return self.send(slot, peer, Kind::Question);
                }
                return self.look_for(slot);
            }
            Aim::Get => {
                let value = self.node(owner).records.get(key, wall).map(|h| h.value.clone());
                if let Some(value) = value {
                    self.found_record(slot, owner, value, false);
                }
            }
            Aim::Put => {
                if let Some(op) = self.ops.get(slot) {
                    let (value, expires) = (op.body.clone(), op.expires);
                    self.keep(owner, owner, key, value, expires);
                }
            }
            Aim::Providers => {
                let found: Vec<u32> = self.node(owner).providers.of(key, wall).collect();
                self.found_providers(slot, owner, &found);
            }
            Aim::Provide => {
                let most = self.config.limits.provider_keys;
                let expires = wall + 48 * 3_600_000;
                self.node_mut(owner).providers.add(key, owner, expires, most, wall);
            }
            Aim::Join => {}
        }
        self.set_out(slot);
    }

    /// The DHT is asked for the peer that a request is to ask.
    pub(crate) fn look_for(&mut self, slot: u32) {
        if let Some(op) = self.ops.get_mut(slot) {
            op.looked = true;
            op.phase = Phase::Walking;
            // What is asked anew draws anew.
            op.identity = mix(op.identity);
            op.walk.start(op.target);
            self.set_out(slot);
        }
    }

    /// The walk of a request begins at the peers of the table that are closest to what it is about.
    fn set_out(&mut self, slot: u32) {
        let Some((owner, target)) = self.ops.get(slot).map(|op| (op.owner, op.target)) else { return };
        self.keep_up(owner);
        let mut closest = [0; K];
        let own = self.positions[owner as usize];
        let n = self.node(owner).table.closest(own, target, NONE, &self.positions, &mut closest);
        for peer in &closest[..n] {
            if !self.blocks(owner, *peer)
                && let Some(op) = self.ops.get_mut(slot)
            {
                op.walk.learn(*peer, self.positions[*peer as usize]);
            }
        }
        self.advance(slot);
    }

    /// Whether `node` knows an address of `peer`, or has a connection to it.
    fn knows(&mut self, node: u32, peer: u32) -> bool {
        let bucket = super::kad::bucket_of(self.positions[node as usize], self.positions[peer as usize]);
        self.connected(node, peer)
            || self.node(node).table.contains(bucket, peer)
            || self.app(node).is_some_and(|app| app.addresses.contains(&peer))
    }

    /// The walk of a request asks whom it can, waits, or is over.
    pub(crate) fn advance(&mut self, slot: u32) {
        let patience = nanos(self.config.patience);
        loop {
            let now = self.now;
            let Some(op) = self.ops.get_mut(slot) else { return };
            if !op.walks() {
                return;
            }
            let mut failed = 0;
            let step = op.walk.next(now, patience, |_| failed += 1);
            op.stats.failed += failed;
            let kind = match op.aim {
                Aim::Get => Kind::GetRecord,
                Aim::Providers => Kind::GetProviders,
                Aim::Put if op.phase == Phase::ReadingBack => Kind::GetRecord,
                Aim::Put | Aim::Provide | Aim::Ask | Aim::Join => Kind::FindPeers,
            };
            match step {
                Step::Ask(peer) => self.send(slot, peer, kind),
                Step::Wait(until) => return self.plan_patience(slot, until),
                Step::Done => return self.walked(slot),
            }
        }
    }

    /// Look at the patience of a request at `until`, unless it is looked at before.
    fn plan_patience(&mut self, slot: u32, until: u64) {
        let generation = self.ops.generation(slot);
        let Some(op) = self.ops.get_mut(slot) else { return };
        if until < op.timer {
            op.timer = until;
            let identity = op.identity;
            self.push(until, mix(identity), What::Impatient { op: slot, generation });
        }
    }

    /// A peer asked in this request may have been silent for too long.
    pub(crate) fn impatient(&mut self, slot: u32) {
        if self.orphaned(slot) {
            return;
        }
        let Some(op) = self.ops.get_mut(slot) else { return };
        op.timer = u64::MAX;
        match op.phase {
            Phase::Walking | Phase::ReadingBack => self.advance(slot),
            Phase::Storing => {
                op.stats.failed += op.outstanding;
                op.outstanding = 0;
                self.stored(slot);
            }
            Phase::Waiting | Phase::Asking => {}
        }
    }

    /// Frees a request whose node has died since. Returns whether it did.
    pub(crate) fn orphaned(&mut self, slot: u32) -> bool {
        let Some(op) = self.ops.get(slot) else { return true };
        let node = self.standing(op.owner);
        if node.up && node.life == op.life {
            return false;
        }
        self.free(slot);
        true
    }

    /// Free the slot of a request, keeping the memory of its walk. Returns what its end is told by.
    pub(crate) fn free(&mut self, slot: u32) -> Option<Ended> {
        let op = self.ops.get_mut(slot)?;
        if op.aim != Aim::Ask && op.stats.hops == 0 {
            op.stats.hops = op.walk.hops();
        }
        let stats = RequestStats { elapsed: Duration::from_nanos(self.now - op.started), ..op.stats };
        let ended = Ended { owner: op.owner, id: op.id, aim: op.aim, phase: op.phase, peer: op.peer, stats };
        if self.spare_walks.len() < 1024 {
            self.spare_walks.push(core::mem::take(&mut op.walk));
        }
        self.ops.free(slot);
        Some(ended)
    }

    /// The walk of a request is over.
    fn walked(&mut self, slot: u32) {
        let Some(op) = self.ops.get(slot) else { return };
        let (owner, aim, found, answered) = (op.owner, op.aim, op.found, op.stats.answered);
        match aim {
            Aim::Get | Aim::Providers => {
                let result = match (found, answered) {
                    (0, 0) => Err(Failure::Unreachable),
                    (0, _) => Err(Failure::NotFound),
                    _ => Ok(Done::Looked),
                };
                self.finish(slot, result);
            }
            Aim::Put if op.phase == Phase::ReadingBack => self.read_back(slot),
            Aim::Put => {
                let closest: Vec<u32> = op.walk.closest(K).collect();
                if closest.is_empty() {
                    return self.finish(slot, Err(Failure::Unreachable));
                }
                if let Some(op) = self.ops.get_mut(slot) {
                    op.phase = Phase::Storing;
                    op.outstanding = closest.len() as u32;
                    op.timer = u64::MAX;
                }
                self.plan_patience(slot, self.now + nanos(self.config.patience));
                for peer in closest {
                    self.send(slot, peer, Kind::PutRecord);
                }
            }
            Aim::Provide => {
                let closest: Vec<u32> = op.walk.closest(K).collect();
                for peer in &closest {
                    self.send(slot, *peer, Kind::AddProvider);
                }
                let told = closest.len() as u32;
                let result = if told == 0 { Err(Failure::Unreachable) } else { Ok(Done::Provided { told }) };
                self.finish(slot, result);
            }
            Aim::Ask => {
                let peer = op.peer;
                // It may have connected by itself meanwhile.
                if op.walk.closest(K).any(|found| found == peer) || self.connected(owner, peer) {
                    self.send(slot, peer, Kind::Question);
                } else {
                    self.finish(slot, Err(Failure::Unreachable));
                }
            }
            Aim::Join => {
                self.free(slot);
                self.joined(owner);
            }
        }
    }

    /// A record is stored at as many peers as will: read it back, or be done.
    pub(crate) fn stored(&mut self, slot: u32) {
        let Some(op) = self.ops.get_mut(slot) else { return };
        if op.outstanding > 0 {
            return;
        }
        let acked = op.acked.len() as u32;
        if op.read_back && acked > 0 {
            op.phase = Phase::ReadingBack;
            op.stats.hops = op.walk.hops();
            op.timer = u64::MAX;
            op.walk.start(op.target);
            return self.set_out(slot);
        }
        let result =
            if acked == 0 { Err(Failure::Broken) } else { Ok(Done::Stored { acked, verified: None }) };
        self.finish(slot, result);
    }

    /// All who kept the record have given it, or nobody else is left to be asked.
    pub(crate) fn read_back(&mut self, slot: u32) {
        let Some(op) = self.ops.get(slot) else { return };
        let (acked, verified) = (op.acked.len() as u32, Some(op.verified));
        self.finish(slot, Ok(Done::Stored { acked, verified }));
    }

    /// `from` gave a value for what the request looks up.
    pub(crate) fn found_record(&mut self, slot: u32, from: u32, value: Bytes, oversized: bool) {
        let Some(op) = self.ops.get(slot) else { return };
        let (owner, id, limit) = (op.owner, op.id, op.bytes);
        if oversized || value.len() > limit {
            return self.reject(owner, from, Ware::Record, Invalid::TOO_LARGE);
        }
        let key = self.keys.bytes(op.key);
        if let Err(why) = self.config.validator.record(key, &value, self.wall_at(owner)) {
            return self.reject(owner, from, Ware::Record, why);
        }
        let bytes = value.len();
        let Some(op) = self.ops.get_mut(slot) else { return };
        op.found += 1;
        op.stats.bytes += bytes as u64;
        if let Some(id) = id {
            self.progress(owner, id, from, Item::Record { value }, bytes);
        }
    }

    /// `from` named these as providers of what the request looks up.
    pub(crate) fn found_providers(&mut self, slot: u32, from: u32, providers: &[u32]) {
        for provider in providers {
            let Some(op) = self.ops.get_mut(slot) else { return };
            // `acked` remembers who was named before: a provider is reported once.
            if op.acked.contains(provider) || op.acked.len() >= K * K {
                continue;
            }
            op.acked.push(*provider);
            op.found += 1;
            let (owner, id) = (op.owner, op.id);
            let most = self.config.limits.addresses;
            if let Some(app) = self.app(owner)
                && app.addresses.len() < most
            {
                app.addresses.insert(*provider);
            }
            if let Some(id) = id {
                self.progress(owner, id, from, Item::Provider { peer: SimPeer(*provider) }, 0);
            }
        }
    }

    pub(crate) fn progress(
        &mut self,
        node: u32,
        id: RequestId,
        from: u32,
        item: Item<SimPeer>,
        bytes: usize,
    ) {
        let bytes = bytes as u32;
        self.note(TraceEvent::Progress { node, request: id.0, from, bytes });
        self.tell(node, Event::Progress { id, from: SimPeer(from), item });
    }

    /// The request in `slot` has ended.
    pub(crate) fn finish(&mut self, slot: u32, result: Result<Done, Failure>) {
        let Some(ended) = self.free(slot) else { return };
        let Some(id) = ended.id else { return };
        self.release(id, &ended);
        self.end(ended.owner, id, result, ended.stats);
    }

    /// What the application's counts held for a request is free for the next.
    fn release(&mut self, id: RequestId, ended: &Ended) {
        let node = ended.owner;
        let Some(app) = self.app(node) else { return };
        app.requests.remove(id);
        if ended.aim == Aim::Ask {
            if let Some(count) = app.asking.get_mut(ended.peer) {
                *count -= 1;
                if *count == 0 {
                    app.asking.remove(ended.peer);
                }
            }
            return;
        }
        if ended.phase == Phase::Waiting {
            let ops = &self.ops;
            if let Some(app) = self.nodes.get_mut(node as usize).and_then(|n| n.app.as_mut()) {
                app.waiting.retain(|(slot, generation)| ops.is(*slot, *generation));
            }
            return;
        }
        app.running -= 1;
        while let Some((slot, generation)) = self.app(node).and_then(|app| app.waiting.pop_front()) {
            if self.ops.is(slot, generation) {
                if let Some(app) = self.app(node) {
                    app.running += 1;
                }
                self.begin(slot);
                break;
            }
        }
    }

    fn end(&mut self, node: u32, id: RequestId, result: Result<Done, Failure>, stats: RequestStats) {
        let ending = match &result {
            Ok(_) => 0,
            Err(failure) => 1 + failure_place(*failure),
        };
        let RequestStats { sent, answered, failed, .. } = stats;
        self.note(TraceEvent::Finished { node, request: id.0, ending, sent, answered, failed });
        self.tell(node, Event::Finished { id, result, stats });
    }

    /// A request is due: it ends now.
    pub(crate) fn due(&mut self, slot: u32) {
        if self.orphaned(slot) {
            return;
        }
        if let Some((exchange, generation)) = self.ops.get(slot).and_then(|op| op.exchange) {
            self.forsake(exchange, generation);
            if let Some(op) = self.ops.get_mut(slot) {
                op.stats.failed += 1;
            }
        }
        self.finish(slot, Err(Failure::TimedOut));
    }

    /// The application gives a request up: nothing more is reported for it.
    pub(crate) fn cancel(&mut self, node: u32, id: RequestId) {
        let Some(app) = self.app(node) else { return };
        app.inbox.retain(|event| match event {
            Event::Progress { id: of, .. } | Event::Finished { id: of, .. } => *of != id,
            _ => true,
        });
        let Some((slot, generation)) = app.requests.get(id).copied() else { return };
        if !self.ops.is(slot, generation) {
            return;
        }
        self.note(TraceEvent::Cancelled { node, request: id.0 });
        if let Some((exchange, generation)) = self.ops.get(slot).and_then(|op| op.exchange) {
            self.forsake(exchange, generation);
        }
        if let Some(ended) = self.free(slot) {
            self.release(id, &ended);
        }
    }
}

impl World {
    /// The application of a node has dropped its network: its requests are given up, and the questions
    /// that it was handed are refused.
    pub(crate) fn abandon(&mut self, node: u32) {
        self.early.retain(|(of, ..)| *of != node);
        let Some(app) = self.app(node) else { return };
        let requests: Vec<RequestId> = app.requests.keys().collect();
        let questions: Vec<u32> = app.inbound.keys().collect();
        for id in requests {
            self.cancel(node, id);
        }
        for question in questions {
            self.reply(node, InboundId(u64::from(question)), Err(Refusal::Busy));
        }
        if let Some(app) = self.app(node) {
            app.inbox.clear();
            app.subscriptions.clear();
            app.alarm = Alarm::default();
        }
    }
}

/// The place of a failure in its enum.
fn failure_place(failure: Failure) -> u8 {
    match failure {
        Failure::Local => 0,
        Failure::Unreachable => 1,
        Failure::Unsupported => 2,
        Failure::TimedOut => 3,
        Failure::Broken => 4,
        Failure::Refused(_) => 5,
        Failure::NotFound => 6,
    }
}

/// The kind of a request for the trace, and its identity: who submits what, and when.
fn identify(node: u32, request: &Request<SimPeer>, now: u64) -> (u8, u64) {
    let (kind, a, b): (u8, &[u8], &[u8]) = match request {
        Request::GetRecord { key } => (0, key, &[]),
        Request::PutRecord { key, value, .. } => (1, key, value),
        Request::GetProviders { key } => (2, key, &[]),
        Request::Provide { key } => (3, key, &[]),
        Request::Ask { peer, question } => (4, question, &peer.0.to_le_bytes()),
        Request::Announce { topic, payload } => (5, topic, payload),
        Request::Subscribe { topic } => (6, topic, &[]),
    };
    let who = mix(u64::from(node) << 8 | u64::from(kind)) ^ mix(now);
    (kind, digest(digest(who, a), b))
}
