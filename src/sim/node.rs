//! One node as plain data: what it is, what it holds, and what faults have made of it.

use core::cell::RefCell;
use core::task::Waker;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use bytes::Bytes;

use super::alarm::Alarm;
use super::disk::Disk;
use super::few::Few;
use super::kad::Table;
use super::peer::SimPeer;
use super::records::{Providers, Records};
use crate::network::{Event, RequestId, Responder};
use crate::testbed::Garble;

/// What others ask of a node before anything else. Apart from the rest, so that it stays in the cache for all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    /// Rises with each restart.
    pub(crate) life: u32,
    pub(crate) up: bool,
    pub(crate) server: bool,
    pub(crate) dialable: bool,
    /// Whether an application is on it.
    pub(crate) app: bool,
}

/// A node, beside its [`Standing`].
///
/// In a large network each use of a node waits for the memory. What a request needs is in the first lines of 64 bytes: when
/// it is served, and the table that answers.
#[repr(C, align(64))]
pub(crate) struct Node {
    /// Until when it serves what it has accepted.
    pub(crate) busy_until: u64,
    /// When it looks its table through again.
    pub(crate) upkeep: u64,
    /// How many times slower than usual it serves.
    pub(crate) slow: u32,
    pub(crate) silent: bool,
    pub(crate) stalled: bool,
    /// Whether its table was filled once in this life.
    pub(crate) joined: bool,
    pub(crate) table: Table,
    pub(crate) faults: Option<Box<Faults>>,
    pub(crate) responder: Option<Box<dyn Responder>>,
    pub(crate) records: Records,
    pub(crate) providers: Providers,
    pub(crate) app: Option<Box<App>>,
    pub(crate) mesh: Vec<u32>,
    /// When the last life ended.
    pub(crate) died: u64,
}

/// What faults have made of a node.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) garbles: Vec<Garble>,
    /// The last answer it gave, to be given again where another belongs.
    pub(crate) last: Bytes,
    /// Whether it keeps no further keys for the DHT.
    pub(crate) full: bool,
    /// Whether it keeps nothing of what it acknowledges.
    pub(crate) forgets: bool,
    /// How much later its answers leave, in ns.
    pub(crate) late: u64,
    /// Whom alone it names to who walks through the DHT; nobody: it is honest.
    pub(crate) colludes: Vec<u32>,
    /// How far its calendar is ahead, in ms.
    pub(crate) skew: i64,
}

/// A question that an application was handed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inbound {
    pub(crate) client: u32,
    pub(crate) exchange: u32,
    pub(crate) generation: u32,
}

/// What the world holds for an application's node.
#[derive(Debug)]
pub(crate) struct App {
    /// The life in which the network was taken.
    pub(crate) network_taken: Option<u32>,
    pub(crate) store_taken: Option<u32>,
    pub(crate) inbox: VecDeque<Event<SimPeer>>,
    /// The task that waits for the next event.
    pub(crate) alarm: Alarm,
    /// When it is woken next; `u64::MAX` when nothing is planned.
    pub(crate) wake_at: u64,
    /// Slots and generations of its requests in flight.
    pub(crate) requests: Few<RequestId, (u32, u32)>,
    pub(crate) running: usize,
    pub(crate) waiting: VecDeque<(u32, u32)>,
    pub(crate) asking: Few<u32, u32>,
    pub(crate) inbound: Few<u32, Inbound>,
    pub(crate) blocked: BTreeMap<u32, u64>,
    pub(crate) subscriptions: BTreeSet<Bytes>,
    pub(crate) addresses: BTreeSet<u32>,
    pub(crate) dropped: u64,
    pub(crate) disk: Rc<RefCell<Disk>>,
}

impl App {
    pub(crate) fn new(disk: Rc<RefCell<Disk>>) -> Self {
        Self {
            network_taken: None,
            store_taken: None,
            inbox: VecDeque::new(),
            alarm: Alarm::default(),
            wake_at: u64::MAX,
            requests: Few::default(),
            running: 0,
            waiting: VecDeque::new(),
            asking: Few::default(),
            inbound: Few::default(),
            blocked: BTreeMap::new(),
            subscriptions: BTreeSet::new(),
            addresses: BTreeSet::new(),
            dropped: 0,
            disk,
        }
    }

    /// Forget everything of a life that has ended, but for the disk.
    pub(crate) fn end_life(&mut self) -> Option<Waker> {
        let waker = self.alarm.take();
        let (network_taken, store_taken) = (self.network_taken, self.store_taken);
        let (disk, dropped) = (Rc::clone(&self.disk), self.dropped);
        *self = Self { network_taken, store_taken, dropped, ..Self::new(disk) };
        waker
    }
}

impl Node {
    pub(crate) fn new() -> Self {
        Self {
            silent: false,
            stalled: false,
            joined: false,
            died: 0,
            busy_until: 0,
            slow: 1,
            upkeep: 0,
            table: Table::default(),
            mesh: Vec::new(),
            records: Records::default(),
            providers: Providers::default(),
            faults: None,
            responder: None,
            app: None,
        }
    }

    pub(crate) fn faults(&mut self) -> &mut Faults {
        self.faults.get_or_insert_default()
    }

    /// Bytes on the heap beside records and the application.
    pub(crate) fn footprint(&self) -> usize {
        self.table.footprint()
            + self.mesh.capacity() * 4
            + self.faults.as_ref().map_or(0, |f| size_of::<Faults>() + f.garbles.capacity())
    }
}
