//! What the driver owns, and the steps that everything in it shares: learning, telling, charging.

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tokio::sync::mpsc;

use crate::engine::{Engine, QueryConfig, QueryId};
use crate::network::{Event, Invalid, Limits, Network, Request, RequestId, Ware};
use crate::package::{PackageId, PackageName};
use crate::record::{ANNOUNCE_TOPIC, Checked, Publisher, Record, Verifier};
use crate::registry::catalogue::{Catalogue, Learned};
use crate::registry::catch_up::CatchUp;
use crate::registry::command::{Command, GetReply, SearchReply};
use crate::registry::config::{PublishConfig, RegistryConfig};
use crate::registry::error::RegistryError;
use crate::registry::handle::P2PRegistry;
use crate::registry::journal::Journal;
use crate::registry::keep;
use crate::registry::link::Link;
use crate::registry::lists::{Lists, Sight};
use crate::registry::observe::{Behalf, Observed, Observer, Rejection, Via};
use crate::registry::publishing::{Publishing, sequence};
use crate::registry::questions::Questions;
use crate::registry::quota::Quotas;
use crate::registry::requests::{Requests, Route};
use crate::registry::responder::RegistryResponder;
use crate::registry::snapshot::Counters;
use crate::registry::upkeep::{Item, Upkeep};
use crate::store::Store;
use crate::time::Timestamp;

/// How long after the start upkeep begins: time to find peers.
const FIRST_UPKEEP: Duration = Duration::from_secs(5);

/// Owns the network, the store and all state of one registry, and does its work while it is polled.
pub struct Driver<N: Network, S: Store> {
    pub(super) network: N,
    pub(super) store: S,
    pub(super) engine: Engine<N::Peer>,
    pub(super) responder: RegistryResponder,
    pub(super) verifier: Verifier,
    pub(super) observer: Option<Box<dyn Observer<N::Peer>>>,
    pub(super) commands: mpsc::Receiver<Command<N::Peer>>,
    pub(super) link: Arc<Link>,
    pub(super) waiters: BTreeMap<QueryId, Waiter>,
    pub(super) requests: Requests<N::Peer>,
    pub(super) publishing: Publishing,
    pub(super) publish: PublishConfig,
    pub(super) upkeep: Upkeep,
    pub(super) catch_up: CatchUp<N::Peer>,
    pub(super) ask_timeout: Duration,
    pub(super) questions: Questions<N::Peer>,
    pub(super) peer_quotas: Quotas<N::Peer>,
    pub(super) publisher_quotas: Quotas<crate::package::PublisherId>,
    pub(super) lists: Lists,
    pub(super) journal: Journal,
    pub(super) saves: Saves,
    pub(super) query: QueryConfig,
    pub(super) next_own_query: u64,
    pub(super) settles_at: Timestamp,
    pub(super) subscribe_at: Option<Timestamp>,
    pub(super) rng: ChaCha8Rng,
    pub(super) counters: Counters,
    /// The last batch that the store was done with could not be made durable.
    pub(super) store_failed: bool,
    /// Something was asked of the network or the store since the network was last polled.
    pub(super) asked: bool,
    pub(super) stopping: bool,
}

/// When it was last saved how peers stand, and after how many deeds.
#[derive(Debug)]
pub(super) struct Saves {
    every: Duration,
    last: Timestamp,
    deeds: u64,
}

/// Who waits for a query.
#[derive(Debug)]
pub(super) enum Waiter {
    Search(SearchReply),
    Get(GetReply),
    /// A publication that needs the newest list.
    OwnList(PackageId),
}

impl<N: Network, S: Store> fmt::Debug for Driver<N, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("peer", &self.network.local_peer())
            .field("waiters", &self.waiters.len())
            .field("stopping", &self.stopping)
            .finish_non_exhaustive()
    }
}

impl<N: Network> P2PRegistry<N> {
    /// A registry on `network` that keeps its state in `store`, and goes on from what an earlier life left
    /// there: a handle, and the driver that must be run for anything to happen.
    pub fn new<S: Store>(
        network: N,
        store: S,
        config: RegistryConfig<N::Peer>,
    ) -> Result<(Self, Driver<N, S>), RegistryError> {
        config.check()?;
        let now = network.now();
        let (sender, commands) = mpsc::channel(config.channel);
        let link = Arc::new(Link::default());
        let mut engine_rng = ChaCha8Rng::from_seed(config.seed);
        engine_rng.set_stream(1);
        let mut rng = ChaCha8Rng::from_seed(config.seed);
        rng.set_stream(2);
        let number = store.get(keep::OWN_NUMBER)?;
        let number = number.and_then(|bytes| bytes.first_chunk::<8>().copied()).map_or(0, u64::from_be_bytes);
        let own_lists = own_lists(&store, &config.verifier)?;
        if let (Some(key), Some((_, list))) = (&config.publisher, own_lists.first())
            && list.publisher() != key.id()
        {
            return Err(RegistryError::OtherKey { stored: list.publisher(), given: key.id() });
        }
        let names: Vec<PackageName> = own_lists.iter().map(|(name, _)| name.clone()).collect();
        let serve = &config.serve;
        let mut catalogue = config.catalogue;
        catalogue.make_room_for(config.publisher.as_ref().map(Publisher::id));
        let mut driver = Driver {
            engine: Engine::new(config.engine, config.verifier.clone(), engine_rng),
            responder: RegistryResponder::new(catalogue, config.verifier.clone()),
            verifier: config.verifier,
            observer: config.observer,
            commands,
            link: Arc::clone(&link),
            waiters: BTreeMap::new(),
            requests: Requests::new(),
            upkeep: Upkeep::new(&config.publish),
            publishing: Publishing::new(config.publisher, config.publish.clone(), number, own_lists),
            settles_at: now.after(config.publish.settle),
            subscribe_at: None,
            publish: config.publish,
            ask_timeout: config.catch_up.request_timeout,
            catch_up: CatchUp::new(config.catch_up, now),
            questions: Questions::new(serve.most_waiting, serve.most_waiting_per_peer),
            peer_quotas: Quotas::new(serve.peer_quota, serve.most_quotas),
            publisher_quotas: Quotas::new(serve.publisher_quota, serve.most_quotas),
            lists: Lists::new(config.most_lists),
            journal: Journal::default(),
            saves: Saves { every: config.save_reputation_every, last: now, deeds: 0 },
            query: config.query.clone(),
            next_own_query: 1 << 63,
            rng,
            counters: Counters::default(),
            store_failed: false,
            asked: false,
            stopping: false,
            network,
            store,
        };
        driver.engine.set_local_peer(driver.network.local_peer());
        driver.load(&names)?;
        driver.subscribe();
        let publisher = driver.publishing.id();
        let handle = Self::at(sender, link, config.query, driver.network.local_peer(), publisher);
        Ok((handle, driver))
    }
}

/// The newest lists of one's own packages, as the store has them.
fn own_lists(store: &impl Store, verifier: &Verifier) -> Result<Vec<(PackageName, Checked)>, RegistryError> {
    let mut lists = Vec::new();
    keep::each(store, keep::OWN_LISTS, |_, bytes| {
        if let Ok(record) = verifier.recall(bytes)
            && let Record::List(list) = &*record
        {
            lists.push((list.package.name.clone(), record.clone()));
        }
    })?;
    Ok(lists)
}

impl<N: Network, S: Store> Driver<N, S> {
    /// Take up what an earlier life left in the store.
    fn load(&mut self, own_lists: &[PackageName]) -> Result<(), RegistryError> {
        let due = self.network.now().after(FIRST_UPKEEP);
        for prefix in [keep::OWN_STATEMENTS, keep::CATALOGUE, keep::SEEN_LISTS] {
            let mut records = Vec::new();
            keep::each(&self.store, prefix, |_, bytes| records.push(bytes.clone()))?;
            for bytes in records {
                match self.verifier.recall(&bytes) {
                    Ok(record) => {
                        if prefix == keep::OWN_STATEMENTS
                            && let Record::Release(release) = &*record
                        {
                            self.upkeep.schedule(Item::Release(release.number), due);
                        }
                        self.learn(&record, Via::Store);
                    }
                    Err(_) => self.counters.unreadable += 1,
                }
            }
        }
        for name in own_lists {
            self.upkeep.schedule(Item::List(name.clone()), due);
            if self.publish.provide {
                self.upkeep.schedule(Item::Provided(name.clone()), due);
            }
            if let Some(list) = self.publishing.list(name).cloned() {
                self.see_list(&list, Via::Own);
            }
        }
        if let Some(bytes) = self.store.get(keep::REPUTATION)? {
            let (now, wall) = (self.network.now(), self.network.wall());
            self.engine.restore_reputation(now, wall, &bytes);
        }
        Ok(())
    }

    /// When it is to be saved how peers stand; `None` while nothing has happened that changed it.
    pub(super) fn reputation_due(&self) -> Option<Timestamp> {
        let changed = self.engine.reputation().deeds() != self.saves.deeds;
        changed.then(|| self.saves.last.after(self.saves.every))
    }

    /// Save how peers stand.
    pub(super) fn save_reputation(&mut self) {
        let (now, wall) = (self.network.now(), self.network.wall());
        (self.saves.last, self.saves.deeds) = (now, self.engine.reputation().deeds());
        let bytes = self.engine.save_reputation(now, wall);
        if !self.journal.note(Bytes::from_static(keep::REPUTATION), Some(bytes.into())) {
            self.counters.unsaved += 1;
        }
    }

    /// Ask to hear announcements.
    pub(super) fn subscribe(&mut self) {
        let request = Request::Subscribe { topic: Bytes::from_static(ANNOUNCE_TOPIC) };
        let deadline = self.network.now().after(self.publish.timeout);
        self.requests.enter(Route::Subscribe, request, Limits { deadline, bytes: 0 });
    }

    /// What this node's catalogue holds.
    pub(super) fn catalogue(&self) -> &Catalogue {
        self.responder.catalogue()
    }

    /// Tell whoever watches.
    pub(super) fn observe(&mut self, what: Observed<'_, N::Peer>) {
        if let Some(observer) = &mut self.observer {
            observer.observe(self.network.now(), what);
        }
    }

    /// A verified record came: let the catalogue know it, keep it, tell of it.
    pub(super) fn learn(&mut self, record: &Checked, via: Via) -> bool {
        if matches!(**record, Record::List(_)) {
            self.see_list(record, via);
            return true;
        }
        if let Some((publisher, number)) = keep::numbered(record)
            && via != Via::Own
            && self.publishing.id() == Some(publisher)
        {
            self.publishing.seen_own(number);
        }
        let wall = self.network.wall();
        match self.responder.catalogue_mut().learn(record, wall) {
            Learned::New => {
                if via != Via::Store {
                    self.counters.learned += 1;
                    self.save(record, via);
                }
                self.observe(Observed::Learned { record, via });
                true
            }
            Learned::Equivocation(proof) => {
                self.counters.equivocations += 1;
                // The catalogue shows a bounded number of proofs; only those are worth keeping.
                if via != Via::Store && self.catalogue().proofs().contains(&proof) {
                    self.save(record, via);
                }
                self.observe(Observed::Equivocation { proof: &proof });
                true
            }
            Learned::Full => {
                self.counters.no_room += 1;
                false
            }
            Learned::Known => true,
        }
    }

    /// Keep a statement of the catalogue's. One's own stands in the store already.
    fn save(&mut self, record: &Checked, via: Via) {
        if via == Via::Own {
            return;
        }
        if let Some(key) = keep::statement(record)
            && !self.journal.note(key, Some(record.bytes().clone()))
        {
            self.counters.unsaved += 1;
        }
    }

    /// A verified list was seen: never again is an older one believed.
    pub(super) fn see_list(&mut self, record: &Checked, via: Via) {
        let Record::List(list) = &**record else { return };
        let wall = self.network.wall();
        if let Learned::Equivocation(proof) = self.responder.catalogue_mut().learn(record, wall) {
            self.counters.equivocations += 1;
            self.observe(Observed::Equivocation { proof: &proof });
        }
        self.publishing.seen_list(record);
        let Sight::Newest(gone) = self.lists.see(&list.package, list.sequence) else { return };
        if let Some(gone) = gone {
            self.journal.note(keep::seen_list(&gone), None);
        }
        if via != Via::Store && !self.journal.note(keep::seen_list(&list.package), Some(list.bytes.clone())) {
            self.counters.unsaved += 1;
        }
        self.observe(Observed::ListSeen { package: &list.package, sequence: list.sequence });
    }

    /// The newest list of `package` that this node has seen.
    pub(super) fn newest_list(&mut self, package: &PackageId) -> Option<Checked> {
        let own = Some(package.publisher) == self.publishing.id();
        let own = if own { self.publishing.list(&package.name).cloned() } else { None };
        let seen = if self.lists.knows(package) {
            self.lists.touch(package);
            let bytes = self.journal.read(&keep::seen_list(package), &self.store);
            bytes.and_then(|bytes| self.verifier.recall(&bytes).ok())
        } else {
            None
        };
        own.into_iter().chain(seen).max_by_key(sequence)
    }

    /// `from` sent something ill-made: it is charged for it, and it is told.
    pub(super) fn reject(&mut self, from: N::Peer, what: Ware, why: Invalid) {
        self.counters.rejected += 1;
        let (now, wall) = (self.network.now(), self.network.wall());
        self.engine.handle_event(now, wall, &Event::Rejected { from, what, why });
        self.observe(Observed::Rejected { from, why: Rejection::Invalid(why.code) });
    }

    /// Hand to the network what waits to go out, and cancel what was given up.
    pub(super) fn send_requests(&mut self) {
        while let Some(out) = self.requests.outgoing() {
            self.observe(Observed::Submitted {
                request: out.id,
                behalf: Behalf::Own(out.purpose),
                what: &out.request,
                limits: out.limits,
            });
            self.submit_request(out.id, out.request, out.limits);
        }
        while let Some(id) = self.requests.given_up() {
            self.cancel_request(id);
        }
    }

    /// Hand a request to the network.
    pub(super) fn submit_request(&mut self, id: RequestId, request: Request<N::Peer>, limits: Limits) {
        self.asked = true;
        self.network.submit(id, request, limits);
    }

    /// Hand what was learned to the store.
    pub(super) fn flush_journal(&mut self) {
        let before = self.store.pending();
        self.counters.unsaved += self.journal.flush(&mut self.store) as u64;
        self.asked |= self.store.pending() != before;
    }

    /// Cancel a request at the network.
    pub(super) fn cancel_request(&mut self, request: RequestId) {
        self.asked = true;
        self.network.cancel(request);
        self.observe(Observed::Cancelled { request });
    }

    /// A number below `n`, from this registry's own generator.
    pub(super) fn draw(rng: &mut ChaCha8Rng, n: u64) -> u64 {
        let wide = u128::from(rng.next_u64()) * u128::from(n);
        u64::try_from(wide >> 64).unwrap_or(0)
    }
}
