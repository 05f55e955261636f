//! What the registry does of its own accord: publications, upkeep, catching up.

use bytes::Bytes;

use crate::message::MAX_ANSWER;
use crate::network::{Done, Failure, Item as NetworkItem, Limits, Network, Request, RequestId, Ware};
use crate::package::{PackageName, PublisherId};
use crate::record::{ANNOUNCE_TOPIC, Checked, Record, keys};
use crate::registry::catch_up::RoundEnd;
use crate::registry::keep;
use crate::registry::observe::{Observed, Via};
use crate::registry::publishing::{Sent, Signed, Step};
use crate::registry::requests::{Part, Route};
use crate::registry::state::Driver;
use crate::registry::upkeep::Item;
use crate::store::{Store, StoreError, WriteId};
use crate::time::Timestamp;

impl<N: Network, S: Store> Driver<N, S> {
    /// Go on with everything that can go on now.
    pub(super) fn advance(&mut self) {
        let now = self.network.now();
        while let Some((id, route)) = self.requests.overdue(now) {
            self.counters.overdue += 1;
            self.own_ended(id, route, Err(Failure::TimedOut));
        }
        if self.subscribe_at.take_if(|at| *at <= now).is_some() {
            self.subscribe();
        }
        self.advance_catch_up(now);
        self.advance_publications();
        self.advance_upkeep(now);
        if self.reputation_due().is_some_and(|due| due <= now) {
            self.save_reputation();
        }
        self.flush_journal();
        self.send_requests();
    }

    /// Whether it is known which numbers are free to be given.
    fn settled(&self, now: Timestamp) -> bool {
        self.publishing.has_state() || self.catch_up.start_is_over() || now >= self.settles_at
    }

    /// When something is to be done though nothing happens.
    pub(super) fn own_deadline(&self) -> Option<Timestamp> {
        let now = self.network.now();
        let settles = (self.publishing.open() > 0 && !self.settled(now)).then_some(self.settles_at);
        let machines =
            [self.requests.next_deadline(), self.upkeep.next_deadline(), self.catch_up.next_deadline()];
        machines.into_iter().chain([settles, self.subscribe_at, self.reputation_due()]).flatten().min()
    }

    fn advance_publications(&mut self) {
        let settled = self.settled(self.network.now());
        let wall = self.network.wall();
        loop {
            let catalogue = self.responder.catalogue();
            let step = self.publishing.next_step(wall, settled, &self.verifier, |id| catalogue.get(id));
            match step {
                Some(Step::LookUp(package)) => self.look_up_own(package),
                Some(Step::Persist(batch)) => {
                    self.asked = true;
                    let write = self.store.submit(batch);
                    self.publishing.accepted(write);
                }
                None => return,
            }
        }
    }

    /// A batch is durable, or failed to become so.
    pub(super) fn synced(&mut self, write: WriteId, result: &Result<(), StoreError>) {
        self.store_failed = result.is_err();
        self.counters.unsaved += self.journal.synced(write, result.is_ok()) as u64;
        if let Some((signed, number)) = self.publishing.synced(write, result) {
            self.send_signed(signed, number);
        }
    }

    /// What was signed is durable: now others may know it.
    fn send_signed(&mut self, signed: Signed, number: u64) {
        self.counters.published += 1;
        if let Some(statement) = &signed.statement {
            let release = match &**statement {
                Record::Release(release) => Some(&release.package.release),
                Record::Notice(notice) => Some(&notice.release),
                Record::List(_) => None,
            };
            if let Some(release) = release {
                self.observe(Observed::Durable { release, number });
            }
            self.learn(statement, Via::Own);
        }
        self.see_list(&signed.list, Via::Own);
        if let Record::List(list) = &*signed.list {
            self.provide(list.package.name.clone());
        }
        let job = signed.job;
        if let Some(payload) = signed.announcement {
            let request = Request::Announce { topic: Bytes::from_static(ANNOUNCE_TOPIC), payload };
            self.enter(Route::Publication { job, part: Part::Announcement }, request);
        }
        match signed.statement {
            Some(statement) if statement.as_release().is_some() => {
                self.put(Route::Publication { job, part: Part::Release }, &statement);
            }
            _ => {
                self.put(Route::Publication { job, part: Part::List }, &signed.list);
            }
        }
    }

    fn enter(&mut self, route: Route, request: Request<N::Peer>) -> RequestId {
        let deadline = self.network.now().after(self.publish.timeout);
        self.requests.enter(route, request, Limits { deadline, bytes: crate::record::MAX_RECORD })
    }

    /// Store a record where others look for it.
    fn put(&mut self, route: Route, record: &Checked) -> Option<RequestId> {
        let key = match &**record {
            Record::Release(release) => keys::release(&release.package.release),
            Record::List(list) => keys::list(&list.package),
            Record::Notice(_) => return None,
        };
        let (ttl, read_back) = (self.publish.ttl, self.publish.read_back);
        let value = record.bytes().clone();
        Some(self.enter(route, Request::PutRecord { key, value, ttl, read_back }))
    }

    fn part_sent(&mut self, job: u64, part: Part, result: Result<Done, Failure>) {
        let now = self.network.now();
        if let Some((release, list)) = self.publishing.sent_records(job) {
            let good = matches!(result, Ok(Done::Stored { acked: 1.., .. }));
            match (part, release) {
                (Part::Release, Some(number)) => self.upkeep.done(Item::Release(number), now, good),
                (Part::List, _) => self.upkeep.done(Item::List(list), now, good),
                _ => {}
            }
        }
        if let Sent::List(list) = self.publishing.finished(job, part, result) {
            self.put(Route::Publication { job, part: Part::List }, &list);
        }
    }

    /// Be named as a provider of one's own package, unless that is on the schedule.
    fn provide(&mut self, name: PackageName) {
        let item = Item::Provided(name);
        if self.publish.provide && !self.upkeep.knows(&item) {
            self.upkeep.schedule(item, self.network.now());
        }
    }

    fn advance_upkeep(&mut self, now: Timestamp) {
        while let Some(item) = self.upkeep.take_due(now) {
            match &item {
                Item::Release(number) => {
                    let bytes = self.store.get(&keep::own_statement(*number)).ok().flatten();
                    let record = bytes.and_then(|bytes| self.verifier.recall(&bytes).ok());
                    self.refresh(item, record);
                }
                Item::List(name) => {
                    let list = self.publishing.list(name).cloned();
                    let half = self.publish.validity / 2;
                    let wall = self.network.wall();
                    match list.as_deref() {
                        Some(Record::List(held))
                            if held.valid_until.since(wall) < half && self.publishing.id().is_some() =>
                        {
                            // Comes back to the schedule when the new list is stored; until then there
                            // is another try after the interval for failures.
                            self.upkeep.done(item, now, false);
                            self.publishing.renew(held.package.clone());
                            self.advance_publications();
                        }
                        _ => self.refresh(item, list),
                    }
                }
                Item::Provided(name) => match self.publishing.list(name).and_then(|list| list.as_list()) {
                    Some(list) => {
                        let request = Request::Provide { key: keys::list(&list.package) };
                        let id = self.enter(Route::Provide, request);
                        self.upkeep.sent(id, item);
                    }
                    None => self.upkeep.forget(&item),
                },
            }
        }
    }

    fn refresh(&mut self, item: Item, record: Option<Checked>) {
        match record.and_then(|record| self.put(Route::Refresh, &record)) {
            Some(id) => self.upkeep.sent(id, item),
            None => self.upkeep.forget(&item),
        }
    }

    fn advance_catch_up(&mut self, now: Timestamp) {
        let rng = &mut self.rng;
        if let Some((end, out)) = self.catch_up.end(now, |n| Self::draw(rng, n)) {
            match end {
                RoundEnd::Done => self.counters.rounds_done += 1,
                RoundEnd::Failed => self.counters.rounds_failed += 1,
            }
            out.into_iter().for_each(|id| self.requests.give_up(id));
        }
        let rng = &mut self.rng;
        self.catch_up.begin(now, |n| Self::draw(rng, n));
        while let Some((peer, question, ask)) = self.catch_up.next_question(now) {
            let request = Request::Ask { peer, question };
            let limits = Limits { deadline: now.after(self.ask_timeout), bytes: MAX_ANSWER };
            let id = self.requests.enter(Route::CatchUp, request, limits);
            self.catch_up.asked(id, ask);
        }
    }

    /// Progress of one of the registry's own requests.
    pub(super) fn own_progress(&mut self, id: RequestId, from: N::Peer, item: &NetworkItem<N::Peer>) {
        let (Some(Route::CatchUp), NetworkItem::Answer { body }) = (self.requests.route(id), item) else {
            return;
        };
        let catalogue = self.responder.catalogue();
        let held = |publisher: &PublisherId| catalogue.contiguous(*publisher);
        match self.catch_up.answered(id, body, &self.verifier, held) {
            Ok(statements) => {
                for statement in &statements {
                    self.learn(statement, Via::CatchUp);
                }
            }
            Err(why) => {
                self.catch_up.spoilt();
                self.reject(from, Ware::Answer, why);
            }
        }
    }

    /// One of the registry's own requests has ended.
    pub(super) fn own_ended(&mut self, id: RequestId, route: Route, result: Result<Done, Failure>) {
        let now = self.network.now();
        match route {
            Route::Subscribe => {
                if result.is_err() {
                    self.subscribe_at = Some(now.after(self.publish.retry_after));
                }
            }
            Route::Publication { job, part } => self.part_sent(job, part, result),
            Route::Refresh => {
                let good = matches!(result, Ok(Done::Stored { acked: 1.., .. }));
                if good {
                    self.counters.refreshed += 1;
                } else {
                    self.counters.refresh_failed += 1;
                }
                self.upkeep.ended(id, now, good);
            }
            Route::Provide => {
                let good = matches!(result, Ok(Done::Provided { told: 1.. }));
                if good {
                    self.counters.provided += 1;
                } else {
                    self.counters.refresh_failed += 1;
                }
                self.upkeep.ended(id, now, good);
            }
            Route::CatchUp => self.catch_up.ended(id, result.map(|_| ())),
        }
    }
}
