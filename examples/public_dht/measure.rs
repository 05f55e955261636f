//! Lookups in a large network whose peers come and go, as one node after another does them.
//!
//! A [`World`] is made, run for a while without any lookup so that tables hold who has left too, and then measured. Every
//! lookup is of one kind: a record that nobody holds, so that a whole walk is done; the provision of a new key; the
//! providers of a key that was provided before, until the first is told.

use core::future::poll_fn;
use core::time::Duration;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use swarmproof::network::{
    Choice, Done, Event, Item, Limits, Network, Refusal, Request, RequestId, RequestStats,
};
use swarmproof::sim::{Change, Population, Profile, SimConfig, SimNetwork, SimPeer, SimTestbed, mix};
use swarmproof::testbed::stand_in::{AcceptAll, Deaf};
use swarmproof::testbed::{Fault, Keep, NodeId, NodeSpec, Testbed, TestbedError};
use swarmproof::time::Timestamp;

/// Nodes that look up. They are clients, as whoever only asks is.
const ASKERS: u32 = 20;
/// Longer than any lookup takes.
const PATIENCE: Duration = Duration::from_secs(300);

/// How peers keep their tables fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upkeep {
    /// As the model does it: without messages, that of who comes or comes back too.
    Modelled,
    /// By walks, each a row of messages: towards themselves when they come, and from then on towards themselves and
    /// towards ten keys every five minutes.
    Walks,
}

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// The seed of everything.
    pub(crate) seed: u64,
    /// Who is there.
    pub(crate) population: Population,
    /// How long the network runs before anything is looked up.
    pub(crate) before: Duration,
    /// How long lookups are made.
    pub(crate) lasts: Duration,
    /// Lookups a second.
    pub(crate) rate: f64,
    /// How tables are kept.
    pub(crate) upkeep: Upkeep,
}

/// What lookups came to. Each list is sorted.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Whole walks: how long each took.
    pub(crate) walks: Vec<Duration>,
    /// The depth at which the closest peer stands.
    pub(crate) hops: Vec<u32>,
    /// Provisions: how long each took, to the last peer that was told.
    pub(crate) provides: Vec<Duration>,
    /// Peers told by each provision, of twenty.
    pub(crate) told: Vec<u32>,
    /// Until the first provider was told.
    pub(crate) first_providers: Vec<Duration>,
    /// Lookups of providers that found none.
    pub(crate) missed: u32,
    /// Dials, and those of them that failed, while lookups were made.
    pub(crate) dials: (u64, u64),
    /// Messages delivered meanwhile.
    pub(crate) messages: u64,
}

impl Found {
    fn sort(&mut self) {
        self.walks.sort();
        self.hops.sort_unstable();
        self.provides.sort();
        self.told.sort_unstable();
        self.first_providers.sort();
    }
}

/// The value below which such a share of `sorted` lies; the default of an empty list.
pub(crate) fn percentile<T: Copy + Default>(sorted: &[T], share: f64) -> T {
    let at = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

/// A network with its population, at some time.
pub(crate) struct World {
    bed: SimTestbed,
    changes: std::vec::IntoIter<Change>,
    next: Option<Change>,
    setting: Setting,
    found: Rc<RefCell<Found>>,
}

impl World {
    /// Everybody is made, and who is up has met the others.
    pub(crate) fn new(setting: Setting) -> Result<Self, TestbedError> {
        let config = SimConfig::new(setting.seed, Profile::ipfs(), Arc::new(AcceptAll(Choice::Held)));
        let config = match setting.upkeep {
            Upkeep::Modelled => SimConfig { join_walks: false, ..config },
            // Never within a run.
            Upkeep::Walks => SimConfig { upkeep: Duration::from_secs(1 << 30), ..config },
        };
        let mut bed = SimTestbed::new(config).map_err(|error| TestbedError::Start(error.to_string()))?;
        let lasts = setting.before + setting.lasts;
        for number in 0..setting.population.members(lasts) {
            let key = Bytes::from(own_key(number));
            let node = bed.spawn(match setting.upkeep {
                Upkeep::Modelled => NodeSpec::served(Box::new(Deaf)),
                // So that it can walk towards itself.
                Upkeep::Walks => NodeSpec { near: Some(key), ..NodeSpec::application() },
            })?;
            if !setting.population.up(node) {
                bed.apply(Fault::Kill { node, keep: Keep::All })?;
            }
        }
        let found: Rc<RefCell<Found>> = Rc::default();
        for number in 0..ASKERS {
            let node = bed.spawn(NodeSpec { server: false, ..NodeSpec::application() })?;
            let net = taken(&mut bed, node)?;
            let asker = Asker { number, setting, found: Rc::clone(&found) };
            bed.run(Some(node), Box::pin(asker.run(net)));
        }
        if setting.upkeep == Upkeep::Walks {
            for number in 0..setting.population.up {
                let net = taken(&mut bed, NodeId(number))?;
                bed.run(Some(NodeId(number)), Box::pin(keep_up(net, number)));
            }
        }
        let mut changes = setting.population.changes(setting.seed, lasts).into_iter();
        let next = changes.next();
        Ok(Self { bed, changes, next, setting, found })
    }

    /// Run until the lookups begin.
    pub(crate) fn warm_up(&mut self) -> Result<(), TestbedError> {
        self.run_until(Timestamp::ZERO.after(self.setting.before))
    }

    /// Run while they are made, and until the last has ended.
    pub(crate) fn measure(mut self) -> Result<Found, TestbedError> {
        let before = self.bed.account();
        self.run_until(Timestamp::ZERO.after(self.setting.before + self.setting.lasts))?;
        let after = self.bed.account();
        self.bed.run_until(self.bed.now().after(PATIENCE));
        let mut found = self.found.take();
        found.sort();
        found.dials = (after.dials - before.dials, after.failed_dials - before.failed_dials);
        found.messages = after.messages - before.messages;
        Ok(found)
    }

    /// Bytes of memory that the model holds for one peer, beside its records.
    pub(crate) fn bytes_a_peer(&self) -> u64 {
        let footprint = self.bed.footprint();
        footprint.peers / footprint.nodes.max(1)
    }

    fn run_until(&mut self, until: Timestamp) -> Result<(), TestbedError> {
        while let Some(change) = self.next.filter(|change| Timestamp::ZERO.after(change.at) < until) {
            self.bed.run_until(Timestamp::ZERO.after(change.at));
            let node = change.node;
            if change.up {
                self.bed.apply(Fault::Restart { node })?;
                if self.setting.upkeep == Upkeep::Walks {
                    let net = taken(&mut self.bed, node)?;
                    self.bed.run(Some(node), Box::pin(keep_up(net, node.0)));
                }
            } else {
                self.bed.apply(Fault::Kill { node, keep: Keep::All })?;
            }
            self.next = self.changes.next();
        }
        self.bed.run_until(until);
        Ok(())
    }
}

fn taken(bed: &mut SimTestbed, node: NodeId) -> Result<SimNetwork, TestbedError> {
    bed.network(node).ok_or(TestbedError::NoSuchNode { node, wanted: "an application that is up" })
}

fn own_key(number: u32) -> String {
    format!("own {number}")
}

/// Submit a request that may take as long as it needs.
fn submit(net: &mut SimNetwork, id: u64, request: Request<SimPeer>) {
    let deadline = net.now().after(PATIENCE);
    net.submit(RequestId(id), request, Limits { deadline, bytes: 65_536 });
}

/// A server that walks as libp2p-kad's periodic bootstrap does: towards itself, and towards keys anywhere, for the buckets.
async fn keep_up(mut net: SimNetwork, number: u32) {
    const EVERY: Duration = Duration::from_secs(300);
    const WALKS: u64 = 10;
    let life = net.now().as_nanos();
    let phase = EVERY.mul_f64(mix(u64::from(number) ^ life) as f64 / u64::MAX as f64);
    let mut next = net.now().after(phase);
    let mut id = 0;
    loop {
        match poll_fn(|cx| net.poll_event(cx, Some(next))).await {
            Event::Closed => return,
            Event::Question { to, .. } => net.reply(to, Err(Refusal::NotUnderstood)),
            _ => {}
        }
        if net.now() >= next {
            next = net.now().after(EVERY);
            let anywhere = (0..WALKS).map(|walk| format!("{number} {life} {} {walk}", next.as_nanos()));
            for key in core::iter::once(own_key(number)).chain(anywhere) {
                submit(&mut net, id, Request::GetRecord { key: Bytes::from(key) });
                id += 1;
            }
        }
    }
}

/// One who looks up.
struct Asker {
    number: u32,
    setting: Setting,
    found: Rc<RefCell<Found>>,
}

/// What a lookup is.
#[derive(Clone, Copy)]
enum Kind {
    Walk,
    Provide,
    Providers,
}

impl Asker {
    /// Each asks in turn, so that all together reach the rate. The n-th key is provided by whose turn it is, and its
    /// providers are looked up by the next asker, a minute later.
    async fn run(self, mut net: SimNetwork) {
        let Setting { before, lasts, rate, .. } = self.setting;
        let every = Duration::from_secs_f64(f64::from(ASKERS) / rate);
        let begin = Timestamp::ZERO.after(before + every.mul_f64(f64::from(self.number) / f64::from(ASKERS)));
        let end = Timestamp::ZERO.after(before + lasts);
        let mut open: BTreeMap<RequestId, (Kind, Timestamp)> = BTreeMap::new();
        let (mut turn, mut next) = (0u64, begin);
        loop {
            let due = (next < end).then_some(next);
            match poll_fn(|cx| net.poll_event(cx, due)).await {
                Event::Closed => return,
                Event::Question { to, .. } => net.reply(to, Err(Refusal::NotUnderstood)),
                Event::Progress { id, item: Item::Provider { .. }, .. } => {
                    // The lookup has what it was for.
                    if let Some((Kind::Providers, since)) = open.get(&id).copied() {
                        open.remove(&id);
                        net.cancel(id);
                        self.found.borrow_mut().first_providers.push(net.now().since(since));
                    }
                }
                Event::Finished { id, result, stats } => {
                    if let Some((kind, _)) = open.remove(&id) {
                        self.ended(kind, &result.ok(), &stats);
                    }
                }
                _ => {}
            }
            while next < end && net.now() >= next {
                let kind = [Kind::Walk, Kind::Provide, Kind::Providers][(turn % 3) as usize];
                if let Some(key) = self.key(kind, turn, every) {
                    let request = match kind {
                        Kind::Walk => Request::GetRecord { key },
                        Kind::Provide => Request::Provide { key },
                        Kind::Providers => Request::GetProviders { key },
                    };
                    open.insert(RequestId(turn), (kind, net.now()));
                    submit(&mut net, turn, request);
                }
                turn += 1;
                next = next.after(every);
            }
        }
    }

    fn key(&self, kind: Kind, turn: u64, every: Duration) -> Option<Bytes> {
        let provided = |number: u32, turn: u64| Some(Bytes::from(format!("provided {number} {turn}")));
        match kind {
            Kind::Walk => Some(Bytes::from(format!("nowhere {} {turn}", self.number))),
            Kind::Provide => provided(self.number, turn),
            Kind::Providers => {
                // A minute ago or more, and a turn at which a key was provided: the one before one like this.
                let ago = ((60.0 / every.as_secs_f64()).ceil() as u64).next_multiple_of(3) + 1;
                provided((self.number + 1) % ASKERS, turn.checked_sub(ago)?)
            }
        }
    }

    fn ended(&self, kind: Kind, done: &Option<Done>, stats: &RequestStats) {
        let found = &mut *self.found.borrow_mut();
        match kind {
            Kind::Walk => {
                found.walks.push(stats.elapsed);
                found.hops.push(stats.hops);
            }
            Kind::Provide => {
                found.provides.push(stats.elapsed);
                let told = if let Some(Done::Provided { told }) = done { *told } else { 0 };
                found.told.push(told);
            }
            Kind::Providers => found.missed += 1,
        }
    }
}
