//! Gets: a release, a package's list of releases, or its latest release, by name.
//!
//! A get is answered by what the caller holds, else by the cache, else by a lookup in the DHT that it shares
//! with equal gets ([`flight`](super::flight)).
//!
//! - A release ends at the first record that verifies, since a release does not change.
//! - A list takes the highest sequence of three distinct peers, or of all that have one. It is never
//!   older than the newest that this engine ever saw verified, or that the caller holds: if the network only
//!   has older ones, the newest seen is given.
//! - The latest release is chosen by the list, and must have the digest that the list gives it; a release
//!   with another is an equivocation of its publisher, and is not served.
//! - "Not found" is `Failed(NotFound)` when at least one peer said so, and is cached only after three did.
//!
//! # How a get ends
//!
//! `Complete` with a result that is sound; `Partial` with one that fewer than three peers confirmed, or, for
//! the latest release, without one when the list names a release that nobody has; `Failed` otherwise.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::action::Cause;
use super::cache::{Memory, TtlCache};
use super::command::{Lookup, QueryId};
use super::config::{EngineConfig, QueryConfig};
use super::desk::{Desk, list_of, release_of};
use super::flight::{Flight, Landing, SOUND, Wanted, better};
use super::outcome::{Conflict, Coverage, Found, Missing, Outcome, QueryOutcome, Reason};
use super::requests::{Purpose, Timer};
use crate::network::{Done, Failure, Peer, RequestId, RequestStats};
use crate::package::{PackageId, ReleaseId};
use crate::probe::{reached, sometimes};
use crate::record::{Checked, Digest, ReleaseList};
use crate::time::{Timestamp, WallTime};

/// One get in flight.
#[derive(Debug)]
struct Get {
    what: Lookup,
    started: Timestamp,
    deadline: Timestamp,
    local: Vec<Checked>,
    wanted: Wanted,
    /// For the latest release: the list that chose it, and the digest that it gives.
    chosen: Option<(Checked, Digest)>,
    /// Answers that the list lacked.
    short: u32,
    coverage: Coverage,
    conflicts: Vec<Conflict>,
}

/// All gets, their shared lookups, and what is remembered of earlier ones; see the [module](self).
#[derive(Debug)]
pub(super) struct Gets<P> {
    gets: BTreeMap<QueryId, Get>,
    flights: BTreeMap<Bytes, Flight<P>>,
    releases: TtlCache<ReleaseId, Checked>,
    lists: TtlCache<PackageId, Checked>,
    absences: TtlCache<Bytes, ()>,
    /// The newest list of a package that was ever seen verified.
    highest: Memory<PackageId, Checked>,
}

impl<P: Peer> Gets<P> {
    pub(super) fn new(config: &EngineConfig) -> Self {
        Self {
            gets: BTreeMap::new(),
            flights: BTreeMap::new(),
            releases: TtlCache::new(config.cached_releases, config.release_ttl),
            lists: TtlCache::new(config.cached_lists, config.list_ttl),
            absences: TtlCache::new(config.cached_absences, config.absence_ttl),
            highest: Memory::new(config.remembered_lists),
        }
    }

    /// How many are in flight.
    pub(super) fn len(&self) -> usize {
        self.gets.len()
    }

    pub(super) fn contains(&self, id: QueryId) -> bool {
        self.gets.contains_key(&id)
    }

    /// Records held for gets in flight.
    pub(super) fn buffered(&self) -> usize {
        self.flights.values().filter(|flight| flight.best.is_some()).count()
    }

    /// Take a get in.
    #[expect(clippy::too_many_arguments, reason = "the parts of a command, the desk and the two clocks")]
    pub(super) fn start(
        &mut self,
        desk: &mut Desk<P>,
        now: Timestamp,
        wall: WallTime,
        id: QueryId,
        what: Lookup,
        config: &QueryConfig,
        local: Vec<Checked>,
    ) {
        let wanted = match &what {
            Lookup::Release(id) => Wanted::Release(id.clone()),
            Lookup::List(id) | Lookup::Latest(id) => Wanted::List(id.clone()),
        };
        for record in &local {
            self.saw_list(record);
        }
        let deadline = now.after(config.timeout);
        let (coverage, conflicts) = (Coverage::default(), Vec::new());
        let get =
            Get { what, started: now, deadline, local, wanted, chosen: None, short: 0, coverage, conflicts };
        self.gets.insert(id, get);
        desk.set_timer(deadline, Timer::Query(id));
        self.step(desk, now, wall, id);
    }

    /// Remember the newest list of a package.
    fn saw_list(&mut self, record: &Checked) {
        if let Some(list) = list_of(record) {
            let best = match self.highest.get(&list.package) {
                Some(seen) => {
                    sometimes!(
                        list_of(seen).is_some_and(|seen| seen.sequence > list.sequence),
                        RollbackRefused
                    );
                    better(Checked::clone(seen), Checked::clone(record))
                }
                None => Checked::clone(record),
            };
            self.highest.insert(list.package.clone(), best);
        }
    }

    /// The newest list of `package` among `found`, what the caller holds and what was ever seen.
    fn newest(&self, get: &Get, package: &PackageId, found: Option<Checked>) -> Option<Checked> {
        let held =
            get.local.iter().filter(|record| list_of(record).is_some_and(|list| list.package == *package));
        let seen = self.highest.get(package);
        held.chain(seen).cloned().chain(found).reduce(better)
    }

    /// Answer the get from what is at hand, or have it wait on a lookup.
    fn step(&mut self, desk: &mut Desk<P>, now: Timestamp, wall: WallTime, id: QueryId) {
        let Some(get) = self.gets.get(&id) else { return };
        let wanted = get.wanted.clone();
        let key = wanted.key();
        let at_hand = match &wanted {
            Wanted::List(package) => (self.lists.get(now, package)).map(|list| Landing::List {
                best: Checked::clone(list),
                answers: SOUND,
                sound: true,
            }),
            Wanted::Release(release) => {
                if let Some(conflict) = desk.conflicts.get(release) {
                    let conflict = conflict.clone();
                    return self.fail_conflict(desk, now, id, conflict);
                }
                let is_it = |record: &&Checked| {
                    release_of(record).is_some_and(|found| found.package.release == *release)
                };
                let held = get.local.iter().find(is_it);
                let cached = self.releases.get(now, release);
                if let (Some(held), Some(cached)) = (held, cached)
                    && held.bytes() != cached.bytes()
                {
                    let conflict = desk.conflict(release, held, cached);
                    return self.fail_conflict(desk, now, id, conflict);
                }
                held.or(cached).map(|found| Landing::Release(Checked::clone(found)))
            }
        };
        if let Some(landing) = at_hand {
            desk.metrics.cache_hits += 1;
            return self.land(desk, now, wall, id, &landing);
        }
        if self.absences.get(now, &key).is_some() {
            reached!(NotFoundFromCache);
            desk.metrics.absence_hits += 1;
            return self.land(desk, now, wall, id, &Landing::Absent { answers: SOUND });
        }
        if desk.closed {
            return self.land(desk, now, wall, id, &Landing::Silent);
        }
        let Some(get) = self.gets.get_mut(&id) else { return };
        get.coverage.lookups += 1;
        if let Some(flight) = self.flights.get_mut(&key) {
            reached!(LookupShared);
            desk.metrics.joined += 1;
            flight.waiters.insert(id);
            return;
        }
        let request = desk.look(now, id, key.clone(), Purpose::Lookup(key.clone()), get.deadline);
        self.flights.insert(key, Flight::new(request, get.deadline, id));
    }

    /// A lookup brought a value.
    #[expect(clippy::too_many_arguments, reason = "the parts of an event, the desk and the two clocks")]
    pub(super) fn progress(
        &mut self,
        desk: &mut Desk<P>,
        now: Timestamp,
        wall: WallTime,
        key: &Bytes,
        request: RequestId,
        from: P,
        value: &[u8],
    ) {
        let Some(flight) = self.flights.get_mut(key) else { return };
        let Ok(record) = desk.check(Some(key), value) else {
            reached!(ForgedRecord);
            desk.metrics.forged += 1;
            desk.charge(now, from, Cause::Forged, Some(request));
            return;
        };
        if let Some(release) = release_of(&record) {
            desk.learned(&record, from);
            self.releases.insert(now, release.package.release.clone(), Checked::clone(&record));
            desk.cancel(request);
            self.landed(desk, now, wall, key, &Landing::Release(record));
            return;
        }
        let Some(list) = list_of(&record) else { return };
        if !desk.reputation.is_local(&from) {
            flight.answerers.insert(from);
        }
        let seen = flight.best.as_ref().is_some_and(|best| best.bytes() == record.bytes());
        if seen {
            desk.metrics.duplicates += 1;
        } else {
            desk.learned(&record, from);
        }
        let best = match flight.best.take() {
            Some(best) => better(best, Checked::clone(&record)),
            None => Checked::clone(&record),
        };
        flight.best = Some(best);
        let enough = flight.answerers.len() >= SOUND;
        let (landing, package) = (flight.landing(true), list.package.clone());
        self.saw_list(&record);
        if enough {
            desk.cancel(request);
            self.cache_list(now, &package);
            self.landed(desk, now, wall, key, &landing);
        }
    }

    /// The newest list seen answers for a while.
    fn cache_list(&mut self, now: Timestamp, package: &PackageId) {
        if let Some(newest) = self.highest.get(package).cloned() {
            self.lists.insert(now, package.clone(), newest);
        }
    }

    /// The network has ended a lookup.
    pub(super) fn finished(
        &mut self,
        desk: &mut Desk<P>,
        now: Timestamp,
        wall: WallTime,
        key: &Bytes,
        result: Result<Done, Failure>,
        stats: RequestStats,
    ) {
        let Some(flight) = self.flights.get(key) else { return };
        for waiter in &flight.waiters {
            if let Some(get) = self.gets.get_mut(waiter) {
                get.coverage.messages = get.coverage.messages.saturating_add(stats.sent);
            }
        }
        let all_asked = matches!(result, Ok(_) | Err(Failure::NotFound));
        let answers = usize::try_from(stats.answered).unwrap_or(usize::MAX);
        let landing = match (flight.landing(all_asked), result) {
            (Landing::Silent, Err(Failure::NotFound)) => Landing::Absent { answers },
            (landing, _) => landing,
        };
        match &landing {
            Landing::Absent { answers } if *answers >= SOUND => {
                reached!(NotFoundCached);
                self.absences.insert(now, key.clone(), ());
            }
            Landing::List { best, sound: true, .. } => {
                if let Some(package) = list_of(best).map(|list| list.package.clone()) {
                    self.cache_list(now, &package);
                }
            }
            _ => {}
        }
        if result == Err(Failure::TimedOut) && self.again(desk, now, wall, key, &landing) {
            return;
        }
        self.landed(desk, now, wall, key, &landing);
    }

    /// A lookup timed out: start it again for those who have more time than it had. Whether it was.
    fn again(
        &mut self,
        desk: &mut Desk<P>,
        now: Timestamp,
        wall: WallTime,
        key: &Bytes,
        landing: &Landing,
    ) -> bool {
        let Some(flight) = self.flights.get_mut(key) else { return false };
        let waiting: Vec<_> =
            flight.waiters.iter().filter_map(|id| Some((*id, self.gets.get(id)?.deadline))).collect();
        let over = flight.deadline.max(now);
        let longest = waiting.iter().map(|(_, deadline)| *deadline).max();
        let Some(deadline) = longest.filter(|deadline| *deadline > over && !desk.closed) else {
            return false;
        };
        flight.waiters = waiting.iter().filter(|(_, deadline)| *deadline > over).map(|(id, _)| *id).collect();
        let Some(first) = flight.waiters.first().copied() else { return false };
        reached!(LookupAgain);
        flight.request = desk.look(now, first, key.clone(), Purpose::Lookup(key.clone()), deadline);
        flight.deadline = deadline;
        for id in &flight.waiters {
            if let Some(get) = self.gets.get_mut(id) {
                get.coverage.lookups += 1;
            }
        }
        for (id, _) in waiting.into_iter().filter(|(_, deadline)| *deadline <= over) {
            self.land(desk, now, wall, id, landing);
        }
        true
    }

    /// A lookup is over for everybody.
    fn landed(&mut self, desk: &mut Desk<P>, now: Timestamp, wall: WallTime, key: &Bytes, landing: &Landing) {
        if let Some(flight) = self.flights.remove(key) {
            for id in flight.waiters {
                self.land(desk, now, wall, id, landing);
            }
        }
    }

    /// What the get `id` waited for has come, or will not.
    fn land(&mut self, desk: &mut Desk<P>, now: Timestamp, wall: WallTime, id: QueryId, landing: &Landing) {
        let Some(get) = self.gets.get(&id) else { return };
        match &get.wanted {
            Wanted::Release(release) => {
                let release = release.clone();
                self.land_release(desk, now, id, &release, landing);
            }
            Wanted::List(package) => {
                let package = package.clone();
                self.land_list(desk, now, wall, id, &package, landing);
            }
        }
    }

    fn land_release(
        &mut self,
        desk: &mut Desk<P>,
        now: Timestamp,
        id: QueryId,
        release: &ReleaseId,
        landing: &Landing,
    ) {
        let Some(get) = self.gets.get(&id) else { return };
        let outcome = match landing {
            Landing::Release(found) => {
                if let Some((list, digest)) = &get.chosen
                    && release_of(found).is_none_or(|found| found.digest != *digest)
                {
                    let conflict = desk.conflict(release, list, found);
                    self.releases.remove(release);
                    return self.fail_conflict(desk, now, id, conflict);
                }
                let outcome = match get.short {
                    0 => Outcome::Complete,
                    short => Outcome::Partial(Missing { answers: short, names: 0, deadline: false }),
                };
                return self.end(desk, now, id, outcome, Found::Release(Some(Checked::clone(found))));
            }
            Landing::Absent { .. } if get.chosen.is_some() => {
                Outcome::Partial(Missing { answers: get.short, names: 1, deadline: false })
            }
            Landing::Absent { answers } if *answers > 0 => Outcome::Failed(Reason::NotFound),
            Landing::Absent { .. } | Landing::List { .. } | Landing::Silent => {
                Outcome::Failed(silence(get, now))
            }
        };
        self.end(desk, now, id, outcome, Found::Release(None));
    }

    fn land_list(
        &mut self,
        desk: &mut Desk<P>,
        now: Timestamp,
        wall: WallTime,
        id: QueryId,
        package: &PackageId,
        landing: &Landing,
    ) {
        let Some(get) = self.gets.get(&id) else { return };
        let (found, answers, sound) = match landing {
            Landing::List { best, answers, sound } => (Some(Checked::clone(best)), *answers, *sound),
            Landing::Absent { answers } => (None, *answers, *answers >= SOUND),
            Landing::Release(_) | Landing::Silent => (None, 0, false),
        };
        let short = if sound { 0 } else { u32::try_from(SOUND.saturating_sub(answers)).unwrap_or(0) };
        let latest = matches!(get.what, Lookup::Latest(_));
        let empty = if latest { Found::Release(None) } else { Found::List { list: None, stale: false } };
        let Some(list) = self.newest(get, package, found) else {
            let reason = if answers > 0 { Reason::NotFound } else { silence(get, now) };
            return self.end(desk, now, id, Outcome::Failed(reason), empty);
        };
        if !latest {
            let outcome = match short {
                0 => Outcome::Complete,
                answers => Outcome::Partial(Missing { answers, names: 0, deadline: now >= get.deadline }),
            };
            return self.end(desk, now, id, outcome, listed(list, wall));
        }
        let choice = list_of(&list).and_then(latest_of);
        let Some((release, digest)) = choice else {
            return self.end(desk, now, id, Outcome::Failed(Reason::NotFound), empty);
        };
        if let Some(get) = self.gets.get_mut(&id) {
            get.wanted = Wanted::Release(release);
            get.chosen = Some((list, digest));
            get.short = short;
        }
        self.step(desk, now, wall, id);
    }

    fn fail_conflict(&mut self, desk: &mut Desk<P>, now: Timestamp, id: QueryId, conflict: Conflict) {
        if let Some(get) = self.gets.get_mut(&id) {
            get.conflicts.push(conflict);
        }
        self.end(desk, now, id, Outcome::Failed(Reason::Conflict), Found::Release(None));
    }

    /// The get's deadline has come (or, without `deadline`, its caller gave it up): it ends with what there is.
    pub(super) fn stop(
        &mut self,
        desk: &mut Desk<P>,
        now: Timestamp,
        wall: WallTime,
        id: QueryId,
        deadline: bool,
    ) {
        let Some(get) = self.gets.get(&id) else { return };
        let flight = self.flights.get(&get.wanted.key());
        let (best, answers) =
            flight.map_or((None, 0), |flight| (flight.best.clone(), flight.answerers.len()));
        let found = match &get.what {
            Lookup::List(package) => match self.newest(get, package, best) {
                Some(list) => listed(list, wall),
                None => Found::List { list: None, stale: false },
            },
            Lookup::Release(_) | Lookup::Latest(_) => Found::Release(None),
        };
        let answers = u32::try_from(SOUND.saturating_sub(answers)).unwrap_or(0);
        let outcome = match (deadline, found.is_empty()) {
            (false, _) => Outcome::Cancelled,
            (true, true) => Outcome::Failed(Reason::Deadline),
            (true, false) => Outcome::Partial(Missing { answers, names: 0, deadline }),
        };
        self.end(desk, now, id, outcome, found);
    }

    /// A get is over. A lookup that nobody waits on any more is cancelled.
    fn end(&mut self, desk: &mut Desk<P>, now: Timestamp, id: QueryId, outcome: Outcome, found: Found) {
        let Some(get) = self.gets.remove(&id) else { return };
        let key = get.wanted.key();
        if let Some(flight) = self.flights.get_mut(&key) {
            flight.waiters.remove(&id);
            if flight.waiters.is_empty() {
                desk.cancel(flight.request);
                self.flights.remove(&key);
            }
        }
        let requests = get.coverage.lookups;
        let outcome = QueryOutcome {
            query: id,
            outcome,
            found,
            coverage: get.coverage,
            conflicts: get.conflicts,
            elapsed: now.since(get.started),
        };
        desk.finish(get.deadline, outcome, requests);
    }
}

/// Why a get that nobody answered failed.
fn silence(get: &Get, now: Timestamp) -> Reason {
    if now >= get.deadline { Reason::Deadline } else { Reason::NoAnswer }
}

fn listed(list: Checked, wall: WallTime) -> Found {
    let stale = list_of(&list).is_some_and(|list| wall > list.valid_until);
    Found::List { list: Some(list), stale }
}

/// The newest release that is not yanked and no pre-release; failing that, the newest pre-release.
fn latest_of(list: &ReleaseList) -> Option<(ReleaseId, Digest)> {
    let held = list.entries.iter().filter(|entry| !entry.yanked);
    let entry = held
        .max_by(|a, b| (a.version.pre.is_empty(), &a.version).cmp(&(b.version.pre.is_empty(), &b.version)))?;
    let release = ReleaseId { package: list.package.clone(), version: entry.version.clone() };
    Some((release, entry.digest))
}
