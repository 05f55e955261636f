//! Announcements: a mesh in which each peer passes on what it hears for the first time.
//!
//! As libp2p-gossipsub 0.50 shows itself: who announces something hands it to all that are connected and listen
//! (`flood_publish`); each member has 6 to 12 neighbours, to whom it passes on at once what it hears; and it
//! tells two others of its table within a heartbeat of a second, which is what carries an announcement
//! over a mesh that had parted. Those listen whom the world runs, and the applications that subscribed. What the
//! validator refuses is not passed on. Within a minute the same payload is passed on once.

use bytes::Bytes;

use super::announcement::Announcement;
use super::conns::ANYWHERE;
use super::event::What;
use super::peer::SimPeer;
use super::rng::{Concern, below, digest, mix};
use super::trace::TraceEvent;
use super::wire::{ANNOUNCEMENT, FRAME, Loss};
use super::world::World;
use crate::network::{Event, Failure, Ware};

/// Fewest neighbours, those aimed at, and most: gossipsub's defaults are 5 (or 6), 6 and 12.
const FEWEST: usize = 6;
const WANTED: usize = 8;
const MOST: usize = 12;
/// Others that are told of an announcement at the next heartbeat.
const GOSSIP: u64 = 2;
/// A heartbeat, in ns.
const HEARTBEAT: u64 = 1_000_000_000;
/// How long an announcement is remembered after it was last passed on, in ns.
const REMEMBERED: u64 = 60_000_000_000;

impl World {
    /// Give each of the members its neighbours.
    pub(crate) fn weave(&mut self, members: &[u32]) {
        for node in members {
            let mut stream = self.seed.stream(Concern::MESH, u64::from(*node));
            for _ in 0..8 * WANTED {
                if self.node(*node).mesh.len() >= WANTED.min(members.len().saturating_sub(1)) {
                    break;
                }
                let other = members[stream.below(members.len() as u64) as usize];
                self.join_hands(*node, other);
            }
        }
    }

    /// A member that has too few neighbours takes some of its table.
    pub(crate) fn graft(&mut self, node: u32) {
        if self.node(node).mesh.len() >= FEWEST {
            return;
        }
        let table = self.node(node).table.peers().to_vec();
        let mut stream = self.seed.stream(Concern::MESH, mix(u64::from(node)) ^ self.now);
        for _ in 0..8 * WANTED {
            if self.node(node).mesh.len() >= WANTED.min(table.len()) {
                break;
            }
            let other = table[stream.below(table.len() as u64) as usize];
            self.join_hands(node, other);
        }
    }

    /// `node` is no longer connected to `other`. If they were neighbours and too few are left, it takes
    /// others at its next heartbeat.
    pub(crate) fn leave_mesh(&mut self, node: u32, other: u32) {
        let mesh = &mut self.node_mut(node).mesh;
        let Some(place) = mesh.iter().position(|p| *p == other) else { return };
        mesh.remove(place);
        if self.standing(node).up && self.node(node).mesh.len() < FEWEST {
            let draw = self.seed.draw(Concern::GOSSIP, u64::from(node), self.now);
            let at = self.now.saturating_add(below(draw.wide(0), HEARTBEAT));
            self.push(at, mix(u64::from(node)), What::Graft(node));
        }
    }

    /// Two members become neighbours if both can.
    fn join_hands(&mut self, a: u32, b: u32) {
        let fits = a != b
            && self.standing(a).up
            && self.standing(b).up
            && (self.standing(a).dialable || self.standing(b).dialable)
            && self.node(b).mesh.len() < MOST
            && !self.node(a).mesh.contains(&b)
            && self.reaches(a, b)
            // Gossipsub grafts whom it is connected to. Where connections are reset, one that was just lost would
            // otherwise come back for nothing, and each loss would bring more.
            && (self.connected(a, b) || !self.links.may_reset(a, b));
        if fits {
            self.connect(a, b, None, ANYWHERE);
            self.connections.pin(a, b);
            for (node, other) in [(a, b), (b, a)] {
                self.node_mut(node).mesh.push(other);
            }
        }
    }

    /// Whether `node` listens to `topic`.
    fn listens(&self, node: u32, topic: &Bytes) -> bool {
        self.node(node).app.as_ref().is_none_or(|app| app.subscriptions.contains(topic))
    }

    /// An application announces something. Returns how many connected peers it was handed to.
    pub(crate) fn announce(&mut self, node: u32, topic: Bytes, payload: Bytes) -> Result<u32, Failure> {
        let identity = digest(digest(0, &topic), &payload);
        if self.announced.contains_key(&identity) {
            return Ok(0);
        }
        if self.announcements.len() >= self.config.limits.announcements {
            return Err(Failure::Local);
        }
        self.note(TraceEvent::Announced { node, announcement: identity });
        let mut made =
            Announcement { topic, payload, identity, seen: Vec::new(), verdict: None, under_way: 0 };
        made.hear(node);
        let slot = self.announcements.insert(made);
        self.announced.insert(identity, slot);
        let to = self.pass_on(slot, node, None);
        self.rest(slot);
        if to == 0 { Err(Failure::Unreachable) } else { Ok(to) }
    }

    /// Push an announcement that `node` heard `from` another to its neighbours, or its own to all that are connected.
    fn pass_on(&mut self, slot: u32, node: u32, from: Option<u32>) -> u32 {
        let neighbours = self.node(node).mesh.clone();
        for neighbour in neighbours {
            if !self.reaches(node, neighbour) {
                self.disconnect(node, neighbour);
            }
        }
        self.graft(node);
        let Some(announcement) = self.announcements.get(slot) else { return 0 };
        let (identity, bytes) = (announcement.identity, FRAME + announcement.payload.len());
        let pushed: Vec<u32> = match from {
            Some(from) => self.node(node).mesh.iter().copied().filter(|peer| *peer != from).collect(),
            None if self.config.datagrams => self.node(node).mesh.clone(),
            None => {
                let topic = &announcement.topic;
                let mut peers = self.connections.peers(node);
                peers.retain(|peer| self.listens(*peer, topic));
                peers
            }
        };
        let handed = pushed.len() as u32;
        for peer in pushed {
            self.hand(slot, node, peer, identity, bytes, false);
        }
        let table = self.node(node).table.peers();
        if !table.is_empty() {
            let draw = self.seed.draw(Concern::GOSSIP, identity, u64::from(node));
            let others: Vec<u32> = (0..GOSSIP)
                .map(|i| table[below(draw.wide(2 * i as usize), table.len() as u64) as usize])
                .collect();
            for other in others {
                if self.reaches(node, other) {
                    self.hand(slot, node, other, identity, bytes, true);
                }
            }
        }
        handed
    }

    fn hand(&mut self, slot: u32, from: u32, to: u32, identity: u64, bytes: usize, gossip: bool) {
        let draw = self.seed.draw(Concern::ANNOUNCE, identity, u64::from(from) << 32 | u64::from(to));
        let mut delay = self.delay(from, to, bytes, draw.wide(0), draw.word(2));
        if gossip {
            // Told at a heartbeat, asked for, and given: three ways instead of one.
            delay = delay.saturating_mul(3).saturating_add(below(draw.wide(4), HEARTBEAT));
        }
        if let Some(announcement) = self.announcements.get_mut(slot) {
            announcement.under_way += 1;
        }
        self.note(TraceEvent::Sent { from, to, kind: ANNOUNCEMENT, identity, delay });
        let tie = mix(identity ^ (u64::from(from) << 32 | u64::from(to)));
        self.push(self.now.saturating_add(delay), tie, What::Heard { announcement: slot, from, to });
    }

    /// An announcement reaches `to` from `from`.
    pub(crate) fn heard(&mut self, slot: u32, from: u32, to: u32) {
        self.hear(slot, from, to);
        if let Some(announcement) = self.announcements.get_mut(slot) {
            announcement.under_way -= 1;
        }
        self.rest(slot);
    }

    /// An announcement that is no longer under way is remembered for a while.
    fn rest(&mut self, slot: u32) {
        let Some(announcement) = self.announcements.get(slot) else { return };
        if announcement.under_way == 0 {
            let identity = announcement.identity;
            self.push(self.now.saturating_add(REMEMBERED), identity, What::Retire(slot));
        }
    }

    /// An announcement need no longer be remembered.
    pub(crate) fn retire(&mut self, slot: u32) {
        if let Some(announcement) = self.announcements.remove(slot) {
            self.announced.remove(&announcement.identity);
        }
    }

    fn hear(&mut self, slot: u32, from: u32, to: u32) {
        let Some(announcement) = self.announcements.get(slot) else { return };
        let (identity, bytes) = (announcement.identity, FRAME + announcement.payload.len());
        let why = if !self.is_up(to) {
            Some(Loss::Gone)
        } else if self.is_cut(from, to) {
            Some(Loss::Cut)
        } else if self.blocks(to, from) {
            Some(Loss::Blocked)
        } else {
            None
        };
        if let Some(why) = why {
            return self.lose(from, to, ANNOUNCEMENT, identity, why);
        }
        self.delivered(from, to, ANNOUNCEMENT, identity, bytes, ANYWHERE);
        let (wall, skewed) = (self.wall_at(to), self.wall_at(to) != self.wall_time());
        let Some(announcement) = self.announcements.get_mut(slot) else { return };
        if !announcement.hear(to) {
            return;
        }
        let topic = announcement.topic.clone();
        if !self.listens(to, &topic) || self.node(to).silent {
            return;
        }
        let Some(announcement) = self.announcements.get_mut(slot) else { return };
        let validator = &self.config.validator;
        let judge = || validator.announcement(&announcement.topic, &announcement.payload, wall);
        // Who has the same calendar comes to the same verdict.
        let verdict = if skewed { judge() } else { *announcement.verdict.get_or_insert_with(judge) };
        let payload = announcement.payload.clone();
        if let Err(why) = verdict {
            return self.reject(to, from, Ware::Announcement, why);
        }
        self.note(TraceEvent::Heard { node: to, from, announcement: identity });
        if let Some(responder) = &mut self.node_mut(to).responder {
            responder.announced(&topic, &payload, wall);
        } else {
            self.tell(to, Event::Announcement { from: SimPeer(from), topic, payload });
        }
        self.pass_on(slot, to, Some(from));
    }
}
