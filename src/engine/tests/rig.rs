//! A rig that plays the network for an engine by hand, and checks after every step what must always hold.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::engine::{
    Action, Charge, Command, Engine, EngineConfig, FanOut, InFlight, Local, Lookup, Outcome, QueryConfig,
    QueryId, QueryOutcome,
};
use crate::message::{Answer, AnswerBody, Cursor, Name, Question};
use crate::network::{
    Done, Event, Failure, Invalid, Item, Limits, PeerChange, Request, RequestId, RequestStats, Ware,
};
use crate::package::{Package, PackageId, PackageName, Query, ReleaseId, Version};
use crate::record::{Checked, Digest, ListEntry, Publisher, Record, Verifier, keys};
use crate::time::{Timestamp, WallTime};

/// What the rig saw of one query.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) limit: usize,
    pub(super) deadline: Timestamp,
    pub(super) delivered: Vec<(Checked, Option<u32>)>,
    pub(super) outcome: Option<QueryOutcome>,
}

/// An engine, and the network that it believes in.
pub(super) struct Rig {
    pub(super) engine: Engine<u32>,
    pub(super) now: Timestamp,
    pub(super) wall: WallTime,
    pub(super) out: BTreeMap<RequestId, (QueryId, Request<u32>, Limits)>,
    pub(super) submitted: u64,
    pub(super) cancelled: BTreeSet<RequestId>,
    pub(super) charges: Vec<Charge<u32>>,
    pub(super) blocks: Vec<(u32, Timestamp)>,
    pub(super) learned: Vec<(Checked, u32)>,
    pub(super) seen: BTreeMap<QueryId, Seen>,
    next_query: u64,
}

impl Rig {
    pub(super) fn new(config: EngineConfig) -> Self {
        let engine = Engine::new(config, Verifier::new(4096), ChaCha8Rng::from_seed([7; 32]));
        Self {
            engine,
            now: Timestamp::from_millis(1000),
            wall: WallTime::from_millis(1_767_225_600_000),
            out: BTreeMap::new(),
            submitted: 0,
            cancelled: BTreeSet::new(),
            charges: Vec::new(),
            blocks: Vec::new(),
            learned: Vec::new(),
            seen: BTreeMap::new(),
            next_query: 0,
        }
    }

    /// An engine that knows the peers 1 to `peers`, all connected.
    pub(super) fn with_peers(peers: u32) -> Self {
        let mut rig = Self::new(EngineConfig { explore_permille: 0, ..EngineConfig::default() });
        for peer in 1..=peers {
            rig.event(Event::Peer { peer, change: PeerChange::Up });
        }
        rig
    }

    pub(super) fn event(&mut self, event: Event<u32>) -> bool {
        if let Event::Finished { id, .. } = &event {
            self.out.remove(id);
        }
        let used = self.engine.handle_event(self.now, self.wall, &event);
        self.drain();
        used
    }

    pub(super) fn command(&mut self, command: Command) {
        self.engine.handle_command(self.now, self.wall, command);
        self.drain();
    }

    pub(super) fn search_with(&mut self, query: Query, config: QueryConfig, local: Local) -> QueryId {
        let id = self.next();
        let limit = query.limit.min(config.max_results);
        let deadline = self.now.after(config.timeout);
        self.seen.insert(id, Seen { limit, deadline, ..Seen::default() });
        self.command(Command::Search { id, query, config, local });
        id
    }

    pub(super) fn search(&mut self, config: QueryConfig) -> QueryId {
        self.search_with(Query::text("widget", 10), config, Local::default())
    }

    pub(super) fn get_with(&mut self, what: Lookup, config: QueryConfig, local: Vec<Checked>) -> QueryId {
        let id = self.next();
        let deadline = self.now.after(config.timeout);
        self.seen.insert(id, Seen { deadline, ..Seen::default() });
        self.command(Command::Get { id, what, config, local });
        id
    }

    pub(super) fn get(&mut self, what: Lookup) -> QueryId {
        self.get_with(what, config(3, 3), Vec::new())
    }

    pub(super) fn cancel(&mut self, id: QueryId) {
        self.command(Command::Cancel { id });
    }

    fn next(&mut self) -> QueryId {
        self.next_query += 1;
        QueryId(self.next_query)
    }

    /// Let time pass, with every deadline kept to the instant.
    pub(super) fn advance(&mut self, span: Duration) {
        let until = self.now.after(span);
        while let Some(deadline) = self.engine.next_deadline().filter(|deadline| *deadline <= until) {
            assert!(deadline >= self.now, "a deadline in the past was left over");
            self.now = deadline;
            self.engine.handle_deadline(self.now, self.wall);
            self.drain();
            assert!(
                self.engine.next_deadline().is_none_or(|next| next > deadline),
                "a deadline was not worked off"
            );
        }
        self.now = until;
    }

    pub(super) fn ms(&mut self, millis: u64) {
        self.advance(Duration::from_millis(millis));
    }

    /// The questions that are out.
    pub(super) fn asks(&self) -> Vec<(RequestId, u32, Question)> {
        let ask = |(id, (_, request, _)): (&RequestId, &(QueryId, Request<u32>, Limits))| match request {
            Request::Ask { peer, question } => Some((*id, *peer, Question::decode(question).unwrap())),
            _ => None,
        };
        self.out.iter().filter_map(ask).collect()
    }

    /// The lookups that are out.
    pub(super) fn lookups(&self) -> Vec<(RequestId, Bytes)> {
        let look = |(id, (_, request, _)): (&RequestId, &(QueryId, Request<u32>, Limits))| match request {
            Request::GetRecord { key } => Some((*id, key.clone())),
            _ => None,
        };
        self.out.iter().filter_map(look).collect()
    }

    /// The one lookup that is out.
    pub(super) fn lookup(&self) -> RequestId {
        let lookups = self.lookups();
        assert_eq!(lookups.len(), 1, "lookups out");
        lookups[0].0
    }

    pub(super) fn peer_of(&self, id: RequestId) -> u32 {
        match self.out.get(&id) {
            Some((_, Request::Ask { peer, .. }, _)) => *peer,
            other => panic!("{id} asks nobody: {other:?}"),
        }
    }

    /// The tag that an answer to this request carries.
    pub(super) fn tag(&self, id: RequestId) -> [u8; 8] {
        match self.out.get(&id) {
            Some((_, Request::Ask { question, .. }, _)) => Question::tag(question),
            other => panic!("{id} asks nobody: {other:?}"),
        }
    }

    /// Only the bytes of an answer come; the request is still out.
    pub(super) fn bytes_come(&mut self, id: RequestId, from: u32, body: Bytes) {
        self.event(Event::Progress { id, from, item: Item::Answer { body } });
    }

    /// An answer comes, and the request ends.
    pub(super) fn answer(&mut self, id: RequestId, body: AnswerBody) {
        let (from, to) = (self.peer_of(id), self.tag(id));
        self.bytes_come(id, from, Answer { to, body }.encode());
        if self.out.contains_key(&id) {
            self.end(id, Ok(Done::Answered));
        }
    }

    pub(super) fn end(&mut self, id: RequestId, result: Result<Done, Failure>) {
        let stats = RequestStats { sent: 1, answered: 1, ..RequestStats::default() };
        self.event(Event::Finished { id, result, stats });
    }

    pub(super) fn end_lookup(&mut self, id: RequestId, result: Result<Done, Failure>, answered: u32) {
        let stats = RequestStats { sent: answered, answered, ..RequestStats::default() };
        self.event(Event::Finished { id, result, stats });
    }

    pub(super) fn value(&mut self, id: RequestId, from: u32, record: &Checked) {
        let value = record.bytes().clone();
        self.event(Event::Progress { id, from, item: Item::Record { value } });
    }

    pub(super) fn reject(&mut self, from: u32, code: u16) {
        let why = Invalid { code, reason: "made-up" };
        self.event(Event::Rejected { from, what: Ware::Answer, why });
    }

    /// How a query ended.
    pub(super) fn outcome(&self, id: QueryId) -> &QueryOutcome {
        self.seen[&id].outcome.as_ref().unwrap_or_else(|| panic!("{id} has not ended"))
    }

    pub(super) fn ended(&self, id: QueryId) -> bool {
        self.seen[&id].outcome.is_some()
    }

    /// The names of the packages that a query found, in its order.
    pub(super) fn names(&self, id: QueryId) -> Vec<String> {
        self.outcome(id).found.packages().map(|package| package.release.package.name.to_string()).collect()
    }

    pub(super) fn charged(&self) -> Vec<(u32, crate::engine::Cause)> {
        self.charges.iter().map(|charge| (charge.peer, charge.cause)).collect()
    }

    /// Nothing is left of anything.
    pub(super) fn assert_idle(&self) {
        assert_eq!(self.engine.in_flight(), InFlight::default());
        assert_eq!(self.engine.next_deadline(), None);
        assert!(self.out.is_empty(), "requests left at the network: {:?}", self.out);
    }

    /// Take out every action, and check it and the books.
    pub(super) fn drain(&mut self) {
        while let Some(action) = self.engine.poll_action() {
            match action {
                Action::Submit { id, query, request, limits } => {
                    assert_eq!(id.0, self.submitted, "names count up in steps of one");
                    self.submitted += 1;
                    let seen = &self.seen[&query];
                    assert!(seen.outcome.is_none(), "a request for {query}, which has ended");
                    assert!(limits.deadline <= seen.deadline || matches!(request, Request::GetRecord { .. }));
                    assert!(self.out.insert(id, (query, request, limits)).is_none());
                }
                Action::Cancel { id } => {
                    assert!(self.out.remove(&id).is_some(), "{id} was cancelled, and was not out");
                    self.cancelled.insert(id);
                }
                Action::Deliver { query, release, from } => {
                    let seen = self.seen.get_mut(&query).unwrap();
                    assert!(seen.outcome.is_none(), "a result for {query}, which has ended");
                    let new = release_id(&release);
                    let again = seen.delivered.iter().any(|(old, _)| release_id(old) == new);
                    assert!(!again, "{query} was given {new} twice");
                    seen.delivered.push((release, from));
                    assert!(seen.delivered.len() <= seen.limit, "{query} was given more than its limit");
                }
                Action::Finish { query, outcome } => self.finished(query, outcome),
                Action::Learned { record, from } => self.learned.push((record, from)),
                Action::Charged(charge) => self.charges.push(charge),
                Action::Block { peer, until } => self.blocks.push((peer, until)),
            }
        }
        let in_flight = self.engine.in_flight();
        let live = self.seen.values().filter(|seen| seen.outcome.is_none()).count();
        assert_eq!(in_flight.queries, live, "queries in flight");
        assert_eq!(in_flight.requests, self.out.len(), "requests in flight");
        let metrics = self.engine.metrics();
        let ended = metrics.complete + metrics.enough + metrics.partial + metrics.failed + metrics.cancelled;
        assert_eq!(metrics.started, ended + live as u64);
        assert_eq!(metrics.in_flight(), live as u64);
        assert_eq!(metrics.latency.count(), ended - metrics.busy);
        assert_eq!(metrics.results.count(), ended - metrics.busy);
        assert_eq!(metrics.requests_per_query.count(), ended - metrics.busy);
        assert_eq!(metrics.requests, self.submitted);
        let out = self.out.len() as u64;
        assert_eq!(metrics.requests, metrics.requests_finished + metrics.requests_cancelled + out);
        let earliest =
            self.seen.values().filter(|seen| seen.outcome.is_none()).map(|seen| seen.deadline).min();
        assert!(earliest.is_none_or(|at| self.engine.next_deadline().is_some_and(|next| next <= at)));
        for (peer, _) in self.engine.reputation().peers() {
            assert!((0.0..=1.0).contains(&self.engine.reputation().score(self.now, peer)));
        }
    }

    fn finished(&mut self, query: QueryId, outcome: QueryOutcome) {
        let coverage = &outcome.coverage;
        let ends = coverage.adequate
            + coverage.inadequate
            + coverage.failed
            + coverage.timed_out
            + coverage.refused
            + coverage.abandoned;
        assert_eq!(coverage.asked, ends, "{query}: {coverage:?}");
        let seen = self.seen.get_mut(&query).unwrap();
        assert!(seen.outcome.is_none(), "{query} ended twice");
        assert!(self.now <= seen.deadline, "{query} ended after its deadline");
        assert_eq!(outcome.query, query);
        let in_conflict: BTreeSet<_> = outcome.conflicts.iter().map(|c| c.release.clone()).collect();
        if let crate::engine::Found::Releases(found) = &outcome.found {
            let found: BTreeSet<_> = found.iter().map(release_id).collect();
            assert!(found.is_disjoint(&in_conflict), "a release in conflict was told as truth");
            let delivered: BTreeSet<_> =
                seen.delivered.iter().map(|(record, _)| release_id(record)).collect();
            let expected: BTreeSet<_> = delivered.difference(&in_conflict).cloned().collect();
            assert_eq!(found, expected, "{query}: found is what was delivered, without conflicts");
        }
        match outcome.outcome {
            Outcome::Enough => assert_eq!(seen.delivered.len(), seen.limit),
            Outcome::Failed(_) => assert!(outcome.found.is_empty()),
            _ => {}
        }
        seen.outcome = Some(outcome);
    }
}

/// `answers_wanted` and `fan_out`; 10 s, 1 s a request, fixed.
pub(super) fn config(wanted: u16, fan_out: u16) -> QueryConfig {
    QueryConfig {
        answers_wanted: wanted,
        fan_out: FanOut::Fixed(fan_out),
        adaptive_timeout: false,
        request_timeout: Duration::from_secs(1),
        ..QueryConfig::balanced()
    }
}

pub(super) fn publisher() -> Publisher {
    Publisher::from_seed([1; 32])
}

pub(super) fn package_id(name: &str) -> PackageId {
    PackageId { publisher: publisher().id(), name: PackageName::new(name).unwrap() }
}

pub(super) fn id_of(name: &str, version: &str) -> ReleaseId {
    ReleaseId { package: package_id(name), version: Version::parse(version).unwrap() }
}

fn package(name: &str, version: &str, title: &str) -> Package {
    Package {
        release: id_of(name, version),
        title: title.to_owned(),
        description: String::new(),
        categories: Vec::new(),
        tags: Vec::new(),
        licence: "MIT".to_owned(),
        digest: [0; 32],
        size: 1,
        created: WallTime::EPOCH,
    }
}

/// A release that the query "widget" matches.
pub(super) fn widget(name: &str) -> Checked {
    release(name, "1.0.0", "a widget", 1)
}

pub(super) fn release(name: &str, version: &str, title: &str, number: u64) -> Checked {
    Checked::new(Record::Release(publisher().release(&package(name, version, title), number).unwrap()))
}

/// A list of `name` with these releases, each with whether it is yanked.
pub(super) fn list(name: &str, sequence: u64, entries: &[(&Checked, bool)]) -> Checked {
    let entry = |(record, yanked): &(&Checked, bool)| ListEntry {
        version: release_id(record).version,
        digest: digest(record),
        yanked: *yanked,
    };
    let until = WallTime::from_millis(1_767_225_600_000 + 3_600_000);
    let list = publisher().list(&package_id(name), sequence, until, entries.iter().map(entry).collect());
    Checked::new(Record::List(list.unwrap()))
}

pub(super) fn digest(record: &Checked) -> Digest {
    record.digest()
}

pub(super) fn release_id(record: &Checked) -> ReleaseId {
    record.as_release().unwrap().package.release.clone()
}

/// An answer to a search.
pub(super) fn found(held: u64, records: &[&Checked]) -> AnswerBody {
    found_with(held, records, Vec::new(), None)
}

pub(super) fn found_with(
    held: u64,
    records: &[&Checked],
    names: Vec<Name>,
    next: Option<&'static str>,
) -> AnswerBody {
    AnswerBody::Found {
        held,
        fresh: WallTime::EPOCH,
        records: records.iter().map(|record| record.bytes().clone()).collect(),
        names,
        next: next.map(|next| Cursor(Bytes::from(next))),
    }
}

/// A name, as an answer carries it.
pub(super) fn name(record: &Checked, held: bool) -> Name {
    Name { key: keys::release(&release_id(record)), held }
}

/// An answer to a question for records.
pub(super) fn records(records: &[&Checked]) -> AnswerBody {
    AnswerBody::Records { records: records.iter().map(|record| record.bytes().clone()).collect() }
}
