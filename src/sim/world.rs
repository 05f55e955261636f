//! The world: everything that a run holds, and the few things that every part of it needs.
//!
//! What happens is in the sibling files, by subject: `membership` (who is there), `transport` (dials and
//! messages), `serve` (what a peer does when asked), `requests` (what a node asks), `mesh`
//! (announcements), `weather` (faults), `step` (the next thing). They are methods on [`World`], which is
//! borrowed for one call at a time.

use bytes::Bytes;
use std::collections::BTreeMap;

use super::account::{Account, Footprint};
use super::announcement::Announcement;
use super::config::SimConfig;
use super::connections::Connections;
use super::dialling::DialIndex;
use super::event::{Queue, What};
use super::kad::Ring;
use super::keys::Keys;
use super::links::Links;
use super::node::{App, Node, Standing};
use super::op::Op;
use super::peer::SimPeer;
use super::rng::{Seed, mix};
use super::slab::Slab;
use super::trace::{Trace, TraceEvent};
use super::wire::{Dial, Exchange};
use crate::network::{Event, Gauges, Invalid, Limits, Request, RequestId, Ware};
use crate::time::WallTime;

/// Calendar time at the start of every run: 2026-01-01T00:00:00Z, in ms.
pub(crate) const START_OF_WALL: u64 = 1_767_225_600_000;

/// Everything that a run holds.
pub(crate) struct World {
    pub(crate) config: SimConfig,
    pub(crate) seed: Seed,
    pub(crate) links: Links,
    pub(crate) now: u64,
    pub(crate) started: bool,
    pub(crate) queue: Queue,
    pub(crate) nodes: Vec<Node>,
    pub(crate) connections: Connections,
    pub(crate) standings: Vec<Standing>,
    pub(crate) positions: Vec<u64>,
    pub(crate) ring: Ring,
    pub(crate) keys: Keys,
    pub(crate) exchanges: Slab<Exchange>,
    pub(crate) dials: Slab<Dial>,
    pub(crate) dialling: DialIndex,
    /// Connections that will be reset, by the lower and the higher number of their ends, and when.
    pub(crate) doomed: BTreeMap<(u32, u32), u64>,
    /// Milliseconds of the run at which links were last changed.
    pub(crate) changed_links: u32,
    pub(crate) ops: Slab<Op>,
    /// Walks whose memory is used again.
    pub(crate) spare_walks: Vec<super::kad::Walk>,
    pub(crate) announcements: Slab<Announcement>,
    pub(crate) announced: BTreeMap<u64, u32>,
    /// Rises when a node dies, starts, or is cut off: what makes tables stale.
    pub(crate) changes: u64,
    /// Nodes that are down, and nodes that cannot be dialled; one that is both counts twice.
    pub(crate) unreachable: u32,
    pub(crate) next_inbound: u32,
    pub(crate) trace: Trace,
    pub(crate) account: Account,
    /// Requests submitted before the start.
    pub(crate) early: Vec<(u32, RequestId, Request<SimPeer>, Limits)>,
    /// Records placed before the start: key, value, wall time in ms at which they expire.
    pub(crate) preloads: Vec<(Bytes, Bytes, u64)>,
}

impl World {
    pub(crate) fn new(config: SimConfig) -> Self {
        Self {
            seed: Seed::new(config.seed),
            links: Links::new(&config.profile),
            now: 0,
            started: false,
            queue: Queue::new(mix(config.tiebreak ^ mix(config.seed))),
            nodes: Vec::new(),
            connections: Connections::default(),
            standings: Vec::new(),
            positions: Vec::new(),
            ring: Ring::default(),
            keys: Keys::default(),
            exchanges: Slab::default(),
            dials: Slab::default(),
            dialling: DialIndex::default(),
            doomed: BTreeMap::new(),
            changed_links: 0,
            ops: Slab::default(),
            spare_walks: Vec::new(),
            announcements: Slab::default(),
            announced: BTreeMap::new(),
            changes: 0,
            unreachable: 0,
            next_inbound: 0,
            trace: Trace::default(),
            account: Account::default(),
            early: Vec::new(),
            preloads: Vec::new(),
            config,
        }
    }

    /// Calendar time in ms.
    pub(crate) fn wall(&self) -> u64 {
        START_OF_WALL + self.now / 1_000_000
    }

    pub(crate) fn wall_time(&self) -> WallTime {
        WallTime::from_millis(self.wall())
    }

    /// Calendar time as `node` has it.
    pub(crate) fn wall_at(&self, node: u32) -> WallTime {
        let skew = self.node(node).faults.as_ref().map_or(0, |faults| faults.skew);
        WallTime::from_millis(self.wall().saturating_add_signed(skew))
    }

    /// Milliseconds of the run, as connections count them.
    pub(crate) fn ms(&self) -> u32 {
        (self.now / 1_000_000).min(u64::from(super::conns::LATEST)) as u32
    }

    pub(crate) fn node(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }

    pub(crate) fn node_mut(&mut self, node: u32) -> &mut Node {
        &mut self.nodes[node as usize]
    }

    /// What is held for the application of this node.
    pub(crate) fn gauges(&mut self, node: u32) -> Gauges {
        let early = self.early.iter().filter(|(of, ..)| *of == node).count();
        let Some(app) = self.app(node) else { return Gauges::default() };
        Gauges {
            requests: app.requests.len() + early,
            questions: app.inbound.len(),
            waiting: app.inbox.len(),
            dropped: app.dropped,
        }
    }

    pub(crate) fn app(&mut self, node: u32) -> Option<&mut App> {
        if !self.standings.get(node as usize)?.app {
            return None;
        }
        self.nodes.get_mut(node as usize)?.app.as_deref_mut()
    }

    pub(crate) fn is_up(&self, node: u32) -> bool {
        self.standings.get(node as usize).is_some_and(|standing| standing.up)
    }

    pub(crate) fn standing(&self, node: u32) -> Standing {
        self.standings[node as usize]
    }

    pub(crate) fn standing_mut(&mut self, node: u32) -> &mut Standing {
        &mut self.standings[node as usize]
    }

    #[inline(always)]
    pub(crate) fn note(&mut self, event: TraceEvent) {
        self.trace.add(self.now, event);
    }

    pub(crate) fn push(&mut self, at: u64, identity: u64, what: What) {
        self.queue.push(at, identity, what);
    }

    /// Whether what `from` sends to `to` is cut.
    pub(crate) fn is_cut(&self, from: u32, to: u32) -> bool {
        self.links.is_cut(from, to)
    }

    /// Whether the application of `node` will have nothing to do with `peer` now.
    pub(crate) fn blocks(&self, node: u32, peer: u32) -> bool {
        if !self.standing(node).app {
            return false;
        }
        let Some(app) = &self.node(node).app else { return false };
        !app.blocked.is_empty() && app.blocked.get(&peer).is_some_and(|until| *until > self.now)
    }

    /// Hand an event to the application of `node`, which is woken. Endings always fit; what else is over
    /// the limit is dropped and counted. Returns whether it fitted.
    pub(crate) fn tell(&mut self, node: u32, event: Event<SimPeer>) -> bool {
        let limit = self.config.limits.inbox;
        let Some(app) = self.app(node) else { return false };
        let fits = app.inbox.len() < limit || matches!(event, Event::Finished { .. });
        if fits {
            app.inbox.push_back(event);
        } else {
            app.dropped += 1;
        }
        app.alarm.ring();
        if !fits {
            self.account.dropped += 1;
            self.note(TraceEvent::Dropped { node });
        }
        fits
    }

    /// `node` refused something ill-made from `from`.
    pub(crate) fn reject(&mut self, node: u32, from: u32, what: Ware, why: Invalid) {
        self.account.rejected += 1;
        self.note(TraceEvent::Rejected { node, from, ware: what as u8, code: why.code });
        if self.standing(node).app {
            self.tell(node, Event::Rejected { from: SimPeer(from), what, why });
        }
    }

    /// Something of an application was dropped.
    pub(crate) fn drop_for(&mut self, node: u32) {
        self.account.dropped += 1;
        if let Some(app) = self.app(node) {
            app.dropped += 1;
        }
        self.note(TraceEvent::Dropped { node });
    }

    pub(crate) fn footprint(&self) -> Footprint {
        let nodes = self.nodes.len() as u64;
        let heap: usize = self.nodes.iter().map(Node::footprint).sum();
        let own = self.nodes.capacity() * size_of::<Node>()
            + self.standings.capacity() * size_of::<Standing>()
            + self.positions.capacity() * 8
            + self.connections.footprint()
            + self.links.footprint();
        let records: usize = self.nodes.iter().map(|n| n.records.footprint() + n.providers.footprint()).sum();
        let rest = self.queue.footprint()
            + self.exchanges.footprint()
            + self.ops.footprint()
            + self.ops.iter().map(|(_, op)| op.walk.footprint()).sum::<usize>()
            + self.announcements.iter().map(|(_, a)| a.footprint()).sum::<usize>();
        Footprint {
            nodes,
            peers: (heap + own + self.ring.footprint()) as u64,
            records: records as u64,
            rest: rest as u64,
        }
    }
}
