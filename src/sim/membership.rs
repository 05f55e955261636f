//! Who is there: spawning, the start, joining, upkeep of routing tables, dying and coming back.
//!
//! # What is modelled with messages and what is not
//!
//! The tables of the starting network are drawn: each bucket is filled from those who belong there, which
//! is what a network that has been up for long looks like. A node that comes later, or comes back, walks
//! towards its own position from at most three nodes it knows; all whom it asks learn of it. (Where
//! [`SimConfig::join_walks`] is off, this walk sends no messages either.) The walks
//! through its farther buckets, and the look through the table every [`SimConfig::upkeep`] (with a
//! phase of its own), are modelled without messages: free places are drawn from those who could be reached,
//! and entries that are down or cut off make room where a bucket is full. It is done when the table is next used,
//! so that it costs nothing where nobody looks. Who is listed stays so, dead or alive, as long as there is
//! room: libp2p-kad 0.49 (`behaviour.rs`, `address_failed`) keeps a peer that it cannot reach until a connected one
//! wants its place. So a peer that has died is named to others, and costs each of them a dial each time.
//!
//! A node's walks connect it to all it lists, and its connections stay. Who comes later, or comes back, is connected
//! to its table when its first walk is over; these dials are counted, and take no time.
//!
//! [`SimConfig::join_walks`]: super::SimConfig::join_walks
//! [`SimConfig::upkeep`]: super::SimConfig::upkeep

use bytes::Bytes;
use core::cell::RefCell;
use std::rc::Rc;

use super::conns::ANYWHERE;
use super::disk::Disk;
use super::event::What;
use super::kad::{K, Ring, Table, bucket_of};
use super::node::{App, Node, Standing};
use super::op::{Aim, Phase};
use super::records::Held;
use super::rng::{Concern, Stream, below, mix};
use super::trace::TraceEvent;
use super::wire::{FRAME, Load, NONE};
use super::world::World;
use crate::probe::{reached, sometimes};
use crate::store::Store;
use crate::testbed::{Keep, NodeSpec, Role};
use crate::time::nanos;

/// Nodes that a joining node knows beforehand.
const BOOTSTRAP: usize = 3;
/// Draws for the free places of one bucket.
const DRAWS: usize = 4 * K;
/// How long a node that found nobody waits before it tries again, in ns.
const REJOIN: u64 = 10_000_000_000;

impl World {
    /// Make a node. Before the start it will be part of the starting network; later it joins.
    pub(crate) fn spawn(&mut self, spec: NodeSpec) -> u32 {
        let node = self.nodes.len() as u32;
        let drawn = self.seed.draw(Concern::POSITION, u64::from(node), 0).wide(0);
        let position = match &spec.near {
            // In the first half of its bits the key's own: among fewer than 2^32 others nobody stands between.
            Some(key) => super::keys::position(key) & !0xffff_ffff | drawn & 0xffff_ffff,
            None => drawn,
        };
        let draw = self.seed.draw(Concern::PEER, u64::from(node), 0);
        let (_, region) = self.links.join(&self.seed, spec.region);
        let app = matches!(spec.role, Role::Application);
        let (server, dialable) = (spec.server, spec.dialable);
        self.standings.push(Standing { life: 0, up: true, server, dialable, app });
        let mut made = Node::new();
        match spec.role {
            Role::Application => {
                let disk = Disk::new(self.config.store_limits());
                made.app = Some(Box::new(App::new(Rc::new(RefCell::new(disk)))));
            }
            Role::Served(responder) => made.responder = Some(responder),
        }
        made.upkeep = self.now + below(draw.wide(6), nanos(self.config.upkeep).max(1));
        self.unreachable += u32::from(!spec.dialable);
        self.positions.push(position);
        self.nodes.push(made);
        self.connections.add_node();
        self.note(TraceEvent::Spawned { node, position, region });
        if self.started {
            if spec.server {
                self.ring.insert(position, node);
            }
            self.changes += 1;
            self.join(node);
        }
        node
    }

    /// The run begins: the nodes spawned so far form a network that has been up for long.
    pub(crate) fn start(&mut self) {
        if self.started {
            return;
        }
        self.started = true;
        let servers = (0..self.nodes.len() as u32).filter(|n| self.standing(*n).server);
        self.ring = Ring::new(servers.map(|n| (self.positions[n as usize], n)).collect());
        let members: Vec<u32> = (0..self.nodes.len() as u32).collect();
        // In the order of their positions, as neighbours draw from the same ranges. What each draws does
        // not depend on the order.
        let mut ordered = members.clone();
        ordered.sort_by_key(|node| (self.positions[*node as usize], *node));
        for node in &ordered {
            if self.standing(*node).up {
                let stream = self.seed.stream(Concern::TABLE, u64::from(*node));
                self.fill_table(*node, stream);
                self.node_mut(*node).table.shrink();
                self.node_mut(*node).joined = true;
            }
        }
        self.weave(&members);
        self.greet(&members);
        for (key, value, expires) in core::mem::take(&mut self.preloads) {
            self.place(&key, &value, expires);
        }
        for (node, id, request, limits) in core::mem::take(&mut self.early) {
            self.submit(node, id, request, limits);
        }
    }

    /// Applications' nodes are connected to those they list, and to those who list them: each has walked to fill its
    /// table, and no connection is idle.
    fn greet(&mut self, members: &[u32]) {
        for node in members {
            for peer in self.node(*node).table.peers().to_vec() {
                let either = self.standing(*node).app || self.standing(peer).app;
                if either
                    && self.standing(*node).up
                    && self.reaches(*node, peer)
                    && !self.connected(*node, peer)
                {
                    self.connect_anew(*node, peer, None, ANYWHERE);
                }
            }
        }
    }

    /// The round trip between two nodes at the median.
    pub(crate) fn usual_round_trip(&self, a: u32, b: u32) -> u64 {
        self.links.usual_round_trip(a, b)
    }

    /// Fill the free places of a table with those who can be reached.
    fn fill_table(&mut self, node: u32, mut stream: Stream) {
        let own = self.positions[node as usize];
        let mut table = core::mem::take(&mut self.node_mut(node).table);
        // An empty table of a network in which all can be reached needs no look at anyone.
        let all = self.unreachable == 0 && !self.links.any_cut();
        let building = table.peers().is_empty();
        let listed = |peer: u32| peer != node && (all || self.lists(node, peer));
        let list = |bucket: usize, peer: u32, table: &mut Table| {
            listed(peer) && if building { table.append(bucket, peer) } else { table.insert(bucket, peer) }
        };
        // Those who share the first `shared` bits of the node's position.
        let (mut range, mut shared) = (0..self.ring.len(), 0);
        for bucket in 0..Table::BUCKETS {
            if table.held(bucket) >= K {
                continue;
            }
            if shared < bucket {
                range = self.ring.sharing(own, bucket, range);
            }
            let alone = range.len() <= 1 && range.clone().all(|place| self.ring.peer(place) == node);
            if alone && bucket > 0 {
                break;
            }
            // The half that differs in the next bit belongs to this bucket; to the last one all of them.
            let members = if bucket == Table::BUCKETS - 1 {
                range.clone()
            } else {
                let [same, other] = self.ring.halves(own, bucket, range);
                (range, shared) = (same, bucket + 1);
                other
            };
            if members.len() <= K {
                // Where not all have room, any of them may be the first.
                let (count, first) = (members.len(), stream.below(members.len() as u64) as usize);
                if table.held(bucket) == count {
                    // Who is listed is one of them, so all are.
                    continue;
                }
                for step in 0..count {
                    let place = members.start + (first + step) % count;
                    list(bucket, self.ring.peer(place), &mut table);
                }
            } else {
                // Mostly nobody is left to be found, and a look at everyone is less work than so many draws.
                let mut absent = usize::MAX;
                if !building && members.len() <= DRAWS {
                    let held = table.bucket(bucket);
                    let peers = members.clone().map(|place| self.ring.peer(place));
                    absent = peers.filter(|peer| listed(*peer) && !held.contains(peer)).count();
                }
                for drawn in 0..DRAWS {
                    if table.held(bucket) >= K {
                        break;
                    }
                    if absent == 0 {
                        stream.skip((DRAWS - drawn) as u64);
                        break;
                    }
                    let place = members.start + stream.below(members.len() as u64) as usize;
                    absent -= usize::from(list(bucket, self.ring.peer(place), &mut table));
                }
            }
        }
        self.node_mut(node).table = table;
    }

    /// Whether `node` could list `peer`: it can be reached and dialled.
    #[inline]
    fn lists(&self, node: u32, peer: u32) -> bool {
        self.standing(peer).dialable && self.reaches(node, peer)
    }

    /// `node` has heard of `other` from itself: it is listed if it is a server and there is room.
    pub(crate) fn contact(&mut self, node: u32, other: u32) {
        if self.standing(other).server {
            let bucket = bucket_of(self.positions[node as usize], self.positions[other as usize]);
            self.node_mut(node).table.insert(bucket, other);
        }
    }

    /// The table of `node` is about to be used: look it through if it is time.
    pub(crate) fn keep_up(&mut self, node: u32) {
        if self.now < self.node(node).upkeep || !self.node(node).joined {
            return;
        }
        let period = nanos(self.config.upkeep).max(1);
        let behind = (self.now - self.node(node).upkeep) / period + 1;
        let next = self.node(node).upkeep.saturating_add(behind.saturating_mul(period));
        self.node_mut(node).upkeep = next;
        if self.changes > 0 {
            self.look_through(node, next);
        }
    }

    fn look_through(&mut self, node: u32, round: u64) {
        for bucket in 0..Table::BUCKETS {
            let table = &self.node(node).table;
            if table.held(bucket) < K {
                continue;
            }
            let held = table.bucket(bucket).iter().copied();
            let gone: Vec<u32> = held.filter(|peer| !self.reaches(node, *peer)).collect();
            for peer in gone {
                self.node_mut(node).table.remove(bucket, peer);
            }
        }
        let stream = self.seed.stream(Concern::UPKEEP, mix(u64::from(node)) ^ round);
        self.fill_table(node, stream);
    }

    /// Whether `b` is up and nothing between it and `a` is cut.
    #[inline]
    pub(crate) fn reaches(&self, a: u32, b: u32) -> bool {
        self.standing(b).up && !self.links.parts(a, b)
    }

    /// A node joins through a few that it knows, by walking towards itself.
    fn join(&mut self, node: u32) {
        if !self.config.join_walks {
            return self.settle(node);
        }
        let life = u64::from(self.standing(node).life);
        let mut stream = self.seed.stream(Concern::JOIN, mix(u64::from(node) << 32 | life) ^ self.now);
        let target = self.positions[node as usize];
        let identity = mix(mix(u64::from(node) << 32 | life) ^ self.now);
        let mut op = self.new_op(node, Aim::Join, identity, target);
        op.phase = Phase::Walking;
        let mut known = 0;
        for _ in 0..64 {
            if known >= BOOTSTRAP || self.ring.len() == 0 {
                break;
            }
            let peer = self.ring.peer(stream.below(self.ring.len() as u64) as usize);
            if peer != node && self.standing(peer).dialable && self.reaches(node, peer) {
                op.walk.learn(peer, self.positions[peer as usize]);
                // Their addresses are part of its configuration, so it lists them from the first.
                self.contact(node, peer);
                known += 1;
            }
        }
        let slot = self.ops.insert(op);
        self.advance(slot);
    }

    /// A node's walk towards itself is over.
    pub(crate) fn joined(&mut self, node: u32) {
        if self.node(node).table.peers().is_empty() {
            return self.join_later(node);
        }
        self.settle(node);
    }

    /// A node that found nobody will try again.
    fn join_later(&mut self, node: u32) {
        let life = self.standing(node).life;
        let jitter = self.seed.draw(Concern::JOIN, u64::from(node), self.now).wide(0);
        let at = self.now + REJOIN + below(jitter, REJOIN);
        self.push(at, mix(u64::from(node)), What::Rejoin { node, life });
    }

    /// A node fills its table, and is connected to all it lists.
    fn settle(&mut self, node: u32) {
        let life = u64::from(self.standing(node).life);
        let stream = self.seed.stream(Concern::UPKEEP, mix(u64::from(node) << 32 | life) ^ self.now);
        self.fill_table(node, stream);
        if self.node(node).table.peers().is_empty() {
            return self.join_later(node);
        }
        self.node_mut(node).joined = true;
        self.meet(node);
        self.graft(node);
    }

    /// A node's walks through its farther buckets dial whom it lists and is not connected to.
    fn meet(&mut self, node: u32) {
        for peer in self.node(node).table.peers().to_vec() {
            if self.connected(node, peer) {
                continue;
            }
            let meets = self.reaches(node, peer) && self.standing(peer).dialable;
            self.account.dials += 1;
            self.account.failed_dials += u64::from(!meets);
            self.note(TraceEvent::Dialled { from: node, to: peer, connected: meets });
            if meets {
                self.connect_anew(node, peer, None, ANYWHERE);
            }
        }
    }

    /// A node that found nobody tries again.
    pub(crate) fn rejoin(&mut self, node: u32, life: u32) {
        if self.is_up(node) && self.standing(node).life == life && !self.node(node).joined {
            self.join(node);
        }
    }

    /// A node stops, and keeps what `keep` says.
    pub(crate) fn kill(&mut self, node: u32, keep: Keep) {
        self.note(TraceEvent::Killed { node, keep: keep as u8 });
        self.changes += 1;
        self.end_requests(node);
        let now = self.now;
        for (peer, pinned) in self.connections.end_all(node) {
            if pinned {
                self.leave_mesh(peer, node);
            }
            if self.standing(peer).app {
                let identity = mix(u64::from(node) << 32 | u64::from(peer));
                let delay = self.usual_round_trip(node, peer) / 2;
                self.push(now + delay, identity, What::Down { node: peer, peer: node });
            }
        }
        self.standing_mut(node).up = false;
        self.unreachable += 1;
        let life = self.standing(node).life + 1;
        let held = self.node_mut(node);
        held.joined = false;
        held.died = now;
        held.mesh.clear();
        held.table.clear();
        held.providers.clear();
        match keep {
            Keep::All => {}
            Keep::Synced => held.records.crash(now),
            Keep::Nothing => {
                held.records.clear();
                if let Some(responder) = &mut held.responder {
                    responder.forget();
                }
            }
        }
        let Some(app) = &mut held.app else { return };
        let network = app.end_life();
        let disk = {
            let mut disk = app.disk.borrow_mut();
            match keep {
                Keep::All => while disk.store.pending() > 0 && disk.store.sync_next().is_some() {},
                Keep::Synced => {
                    sometimes!(disk.store.pending() > 0, WriteLost);
                    disk.store.crash();
                }
                Keep::Nothing => {
                    reached!(DiskWiped);
                    disk.store.wipe();
                }
            }
            disk.end_life(life)
        };
        for waker in [network, disk].into_iter().flatten() {
            waker.wake();
        }
    }

    /// The requests of a node end without a word, and the questions it was handed break off.
    fn end_requests(&mut self, node: u32) {
        let Some(app) = self.app(node) else { return };
        let requests: Vec<(u32, u32)> = app.requests.values().copied().collect();
        let inbound: Vec<_> = app.inbound.values().copied().collect();
        for (slot, generation) in requests {
            if !self.ops.is(slot, generation) {
                continue;
            }
            if let Some((exchange, generation)) = self.ops.get(slot).and_then(|op| op.exchange) {
                self.forsake(exchange, generation);
            }
            self.free(slot);
        }
        for held in inbound {
            if self.exchanges.is(held.exchange, held.generation) {
                self.answer(held.exchange, self.now, Load::Broken, FRAME);
            }
        }
    }

    /// A node starts again with what it kept.
    pub(crate) fn restart(&mut self, node: u32) {
        self.changes += 1;
        let now = self.now;
        let started = self.started;
        let standing = self.standing_mut(node);
        standing.up = true;
        standing.life += 1;
        let life = standing.life;
        self.unreachable = self.unreachable.saturating_sub(1);
        let held = self.node_mut(node);
        held.busy_until = now;
        if let Some(app) = &held.app {
            app.disk.borrow_mut().life = life;
        }
        self.note(TraceEvent::Restarted { node, life });
        if started {
            self.join(node);
        }
    }

    /// The connection of an application's node to a peer that died is seen to be gone.
    pub(crate) fn down(&mut self, node: u32, peer: u32) {
        if self.is_up(node) && !self.connections.stands(node, peer) {
            let peer = super::peer::SimPeer(peer);
            self.tell(node, crate::network::Event::Peer { peer, change: crate::network::PeerChange::Down });
        }
    }

    /// The servers closest to `position` that are up and can be dialled: where a record belongs.
    pub(crate) fn closest_servers(&self, position: u64, count: usize) -> Vec<u32> {
        self.ring.closest(position, count, |n| self.standing(n).up && self.standing(n).dialable)
    }

    /// Place a record at the servers closest to its key.
    pub(crate) fn place(&mut self, key: &Bytes, value: &Bytes, expires: u64) {
        let Some(number) = self.keys.number(key) else { return };
        let position = self.keys.position(number);
        let (most, wall) = (self.config.limits.records, self.wall());
        for node in self.closest_servers(position, K) {
            let own = self.positions[node as usize];
            let held = Held { key: number, value: value.clone(), expires, synced: 0 };
            let keys = &self.keys;
            let kept = self.nodes[node as usize].records.put(held, most, wall, |k| keys.position(k) ^ own);
            self.note(TraceEvent::Stored { node, from: NONE, key: position, kept });
        }
    }
}
