//! One search: local first, then peers until enough adequate answers are in, names resolved, results streamed.
//!
//! # The life of a search
//!
//! 1. What the local catalogue matches is delivered at once.
//! 2. Peers are asked, best first, as [`fan_out`](super::fan_out) says, each once. A peer that has more is
//!    asked for the next page as long as the limit is not reached; its answer is in when its last page is.
//! 3. Names are resolved: from peers that said they hold the record, many in one question; from the DHT when
//!    everybody who is asked has answered.
//! 4. Every record is verified, then filtered by the query, then deduplicated, then counted.
//!
//! # How it ends
//!
//! - `Enough`: the limit is delivered. What is out is cancelled.
//! - `Complete`: `answers_wanted` adequate answers are in, or everybody there is answered adequately, and
//!   no name is left without its record.
//! - `Partial`: nobody is left to ask, or the deadline has come, and something is missing.
//! - `Failed`: as `Partial`, with no result and no adequate answer.
//!
//! # What an answer does to its peer
//!
//! An answer that cannot be read, is to another question, or holds releases that do not match or names that
//! are none is charged as malformed; one with a record that does not verify as forged. Each answer is
//! charged at most once for each. Its other records are used, since each proves itself; but it is
//! inadequate, and no further page is asked for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use super::action::Cause;
use super::collected::{Collected, Taken};
use super::command::{Local, QueryId};
use super::config::QueryConfig;
use super::desk::{Asker, Desk, release_of};
use super::fan_out::{Standing, launches};
use super::names::Names;
use super::outcome::{Coverage, Found, Missing, Outcome, QueryOutcome, Reason};
use super::requests::{Pending, Purpose};
use crate::message::{Answer, AnswerBody, Cursor, MAX_ITEMS, Question};
use crate::network::{Done, Failure, Peer, RequestId, RequestStats};
use crate::package::{Query, ReleaseId};
use crate::probe::{reached, sometimes};
use crate::record::keys::{self, KeyName};
use crate::time::Timestamp;

/// A peer that is being asked.
#[derive(Debug)]
struct Asking<P> {
    peer: P,
    /// Pages asked for, this one included.
    pages: u32,
    /// New names that it told.
    names: usize,
    cursor: Option<Cursor>,
    reply: Reply,
    late: Late,
}

/// Whether a question is late, where that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Late {
    /// It is in time.
    No,
    /// It is late, and there was no credit to ask another peer.
    Alone,
    /// It is late, and another peer may be asked in its place.
    Hedged,
}

/// What came for the page that is out.
#[derive(Debug)]
enum Reply {
    None,
    Ill,
    Good { held: u64, next: Option<Cursor> },
}

/// Names that are asked of one holder.
#[derive(Debug)]
struct Fetching<P> {
    peer: P,
    releases: Vec<ReleaseId>,
    brought: u32,
    ill: bool,
}

/// One search in flight; see the [module](self).
#[derive(Debug)]
pub(super) struct Search<P: Peer> {
    id: QueryId,
    query: Query,
    config: QueryConfig,
    started: Timestamp,
    pub(super) deadline: Timestamp,
    collected: Collected,
    names: Names<P>,
    asked: BTreeSet<P>,
    queue: VecDeque<P>,
    /// Nobody was left to ask when this many peers had arrived.
    exhausted_at: Option<u64>,
    /// Its place among the searches that wait for a peer to have fewer questions.
    place: Option<u64>,
    asking: BTreeMap<RequestId, Asking<P>>,
    fetching: BTreeMap<RequestId, Fetching<P>>,
    looking: BTreeMap<RequestId, ReleaseId>,
    /// What well-made answers said of the size of their catalogues.
    sizes: Vec<u64>,
    coverage: Coverage,
    requests: u32,
}

impl<P: Peer> Search<P> {
    /// Begin: deliver what is known locally.
    pub(super) fn start(
        desk: &mut Desk<P>,
        now: Timestamp,
        id: QueryId,
        query: Query,
        config: QueryConfig,
        local: Local,
    ) -> Self {
        let limit = query.limit.min(config.max_results).min(QueryConfig::MAX_RESULTS);
        let mut search = Self {
            id,
            deadline: now.after(config.timeout),
            started: now,
            collected: Collected::new(limit, local.yanked),
            names: Names::new(limit),
            asked: BTreeSet::new(),
            queue: VecDeque::new(),
            exhausted_at: None,
            place: None,
            asking: BTreeMap::new(),
            fetching: BTreeMap::new(),
            looking: BTreeMap::new(),
            sizes: Vec::new(),
            coverage: Coverage::default(),
            requests: 0,
            query,
            config,
        };
        for record in &local.releases {
            if release_of(record).is_some_and(|release| search.query.matches(&release.package)) {
                search.collected.take(desk, id, record, None);
            }
        }
        for key in local.names {
            search.name(key, None, true);
        }
        search
    }

    /// Results held: what is buffered for the outcome.
    pub(super) fn buffered(&self) -> usize {
        self.collected.len()
    }

    /// A peer's answer came, for the request `id`.
    pub(super) fn answered(
        &mut self,
        desk: &mut Desk<P>,
        now: Timestamp,
        id: RequestId,
        from: P,
        tag: [u8; 8],
        body: &[u8],
    ) {
        let answer = Answer::decode(body).ok().filter(|answer| answer.to == tag).map(|answer| answer.body);
        let ill = match (answer, self.asking.contains_key(&id)) {
            (Some(AnswerBody::Found { held, records, names, next, .. }), true) => {
                let fruitful = !records.is_empty() || !names.is_empty();
                let mut ill = self.records(desk, from, &records, None);
                ill.malformed |= self.names_from(id, from, names);
                self.replied(id, ill, held, next.filter(|_| fruitful));
                ill
            }
            (Some(AnswerBody::Records { records }), false) => self.records(desk, from, &records, Some(id)),
            _ => Ill { malformed: true, forged: false },
        };
        if ill.forged {
            reached!(ForgedRecord);
            desk.metrics.forged += 1;
            desk.charge(now, from, Cause::Forged, Some(id));
        }
        if ill.malformed {
            reached!(IllAnswer);
            desk.metrics.malformed += 1;
            desk.charge(now, from, Cause::Malformed, Some(id));
        }
        if ill.any() {
            if let Some(asking) = self.asking.get_mut(&id) {
                asking.reply = Reply::Ill;
            }
            if let Some(fetching) = self.fetching.get_mut(&id) {
                fetching.ill = true;
            }
        }
    }

    fn replied(&mut self, id: RequestId, ill: Ill, held: u64, next: Option<Cursor>) {
        if let Some(asking) = self.asking.get_mut(&id) {
            // A cursor that does not move leads nowhere.
            let next = next.filter(|next| asking.cursor.as_ref() != Some(next));
            asking.reply = if ill.any() { Reply::Ill } else { Reply::Good { held, next } };
        }
    }

    /// Take in records that a peer sent: to a search's question, or to the question for records `fetch`.
    fn records(&mut self, desk: &mut Desk<P>, from: P, records: &[Bytes], fetch: Option<RequestId>) -> Ill {
        let mut ill = Ill::default();
        for bytes in records {
            if self.collected.full() {
                break;
            }
            let Ok(record) = desk.check(None, bytes) else {
                ill.forged = true;
                continue;
            };
            let Some(release) = release_of(&record) else {
                ill.malformed = true;
                continue;
            };
            let release_id = release.package.release.clone();
            if let Some(fetching) = fetch.and_then(|id| self.fetching.get_mut(&id)) {
                if !fetching.releases.contains(&release_id) {
                    ill.malformed = true;
                    continue;
                }
                fetching.brought += 1;
            }
            if !self.query.matches(&release.package) {
                // A name promises less than a record shows: a release fetched by name may turn out not to
                // match, and that is nobody's fault.
                ill.malformed |= fetch.is_none();
                self.names.settle(&release_id, fetch.is_some());
                continue;
            }
            if self.collected.take(desk, self.id, &record, Some(from)) != Taken::Full {
                self.names.settle(&release_id, true);
            }
        }
        ill
    }

    /// Take in names that `from` told. Whether one of them is none.
    fn names_from(&mut self, id: RequestId, from: P, names: Vec<crate::message::Name>) -> bool {
        let quota = self.config.max_results;
        let mut told = self.asking.get(&id).map_or(0, |asking| asking.names);
        let mut ill = false;
        for name in names.into_iter().take(MAX_ITEMS) {
            let holder = name.held.then_some(from);
            match self.name(name.key, holder, told < quota) {
                Some(new) => told += usize::from(new),
                None => ill = true,
            }
        }
        if let Some(asking) = self.asking.get_mut(&id) {
            asking.names = told;
        }
        ill
    }

    /// Whether the name is new; `None` when it names no release.
    fn name(&mut self, key: Bytes, holder: Option<P>, may_be_new: bool) -> Option<bool> {
        let Some(KeyName::Release(release)) = keys::parse(&key) else { return None };
        if self.collected.settled(&release) {
            return Some(false);
        }
        Some(self.names.add(&release, key, holder, may_be_new))
    }

    /// The DHT brought a value for the name that `id` looks up. Whether the lookup has done its work.
    pub(super) fn looked(
        &mut self,
        desk: &mut Desk<P>,
        now: Timestamp,
        id: RequestId,
        from: P,
        value: &[u8],
    ) -> bool {
        let Some(release) = self.looking.get(&id) else { return false };
        let key = keys::release(release);
        let Ok(record) = desk.check(Some(&key), value) else {
            desk.metrics.forged += 1;
            desk.charge(now, from, Cause::Forged, Some(id));
            return false;
        };
        let Some(found) = release_of(&record) else { return false };
        if self.query.matches(&found.package) {
            self.collected.take(desk, self.id, &record, Some(from));
        }
        self.names.settle(&found.package.release, true);
        true
    }

    /// The lookup `id` is done with, and was cancelled.
    pub(super) fn looked_enough(&mut self, id: RequestId) {
        self.looking.remove(&id);
    }

    /// The network has ended the request `id`.
    pub(super) fn finished(
        &mut self,
        desk: &mut Desk<P>,
        now: Timestamp,
        id: RequestId,
        pending: &Pending<P>,
        result: Result<Done, Failure>,
        stats: RequestStats,
    ) {
        self.coverage.messages = self.coverage.messages.saturating_add(stats.sent);
        if let Some(asking) = self.asking.remove(&id) {
            self.page_ended(desk, now, id, pending, asking, result);
        } else if let Some(fetching) = self.fetching.remove(&id) {
            match result {
                _ if pending.answered.is_some() && !fetching.ill => desk.answered_well(now, id, pending),
                Err(failure) if pending.answered.is_none() => desk.failed(now, id, pending, failure),
                _ => {}
            }
            // Who brought some may have had no room for the others; who brought none has none.
            let again = (fetching.brought > 0 && !fetching.ill).then_some(fetching.peer);
            for release in &fetching.releases {
                self.names.give_back(release, again);
            }
        } else if let Some(release) = self.looking.remove(&id) {
            self.names.give_back(&release, None);
        }
    }

    fn page_ended(
        &mut self,
        desk: &mut Desk<P>,
        now: Timestamp,
        id: RequestId,
        pending: &Pending<P>,
        asking: Asking<P>,
        result: Result<Done, Failure>,
    ) {
        if self.config.fan_out.hedges() {
            let good = matches!(asking.reply, Reply::Good { .. });
            desk.learned_pace(now, pending, good, result);
        }
        match (asking.reply, result) {
            (Reply::Good { held, next }, _) => {
                desk.answered_well(now, id, pending);
                desk.held.said(asking.peer, held);
                match next {
                    Some(next)
                        if asking.pages < desk.config.pages_per_answer
                            && !self.collected.full()
                            && !desk.closed =>
                    {
                        reached!(FurtherPage);
                        self.ask(desk, now, asking.peer, asking.pages + 1, asking.names, Some(next));
                    }
                    _ => self.sizes.push(held),
                }
            }
            (Reply::Ill, _) => self.coverage.inadequate += 1,
            (Reply::None, Ok(_)) => self.coverage.failed += 1,
            (Reply::None, Err(failure)) => {
                match failure {
                    Failure::TimedOut => self.coverage.timed_out += 1,
                    Failure::Refused(_) => self.coverage.refused += 1,
                    _ => self.coverage.failed += 1,
                }
                desk.failed(now, id, pending, failure);
            }
        }
    }

    /// Answers that count, as far as is known by now of what is adequate.
    fn adequate(&self, desk: &Desk<P>) -> u32 {
        let bar = desk.held.bar();
        u32::try_from(self.sizes.iter().filter(|held| **held >= bar).count()).unwrap_or(u32::MAX)
    }

    /// Do what can be done now. `Some` when the search is over.
    pub(super) fn pump(&mut self, desk: &mut Desk<P>, now: Timestamp) -> Option<Outcome> {
        if self.collected.full() {
            reached!(LimitReached);
            return Some(Outcome::Enough);
        }
        self.leave_queue(desk);
        self.launch(desk, now);
        if self.adequate(desk) >= u32::from(self.config.answers_wanted) {
            // Who was asked only to be faster is not waited for.
            for id in self.asking.keys().copied().collect::<Vec<_>>() {
                reached!(AskedForSpeedAlone);
                desk.abandon(now, id);
                self.coverage.abandoned += 1;
            }
            self.asking.clear();
        }
        self.resolve(desk, now);
        let idle = self.asking.is_empty() && self.fetching.is_empty() && self.looking.is_empty();
        (idle && !self.waits()).then(|| self.verdict(desk, false))
    }

    /// Ask as many peers as the strategy says.
    fn launch(&mut self, desk: &mut Desk<P>, now: Timestamp) {
        loop {
            let hedged = self.asking.values().filter(|asking| asking.late == Late::Hedged).count();
            let in_flight = self.asking.len();
            let standing = Standing {
                asked: self.coverage.asked,
                in_flight: u32::try_from(in_flight).unwrap_or(u32::MAX),
                hedged: u32::try_from(hedged).unwrap_or(u32::MAX),
                adequate: self.adequate(desk),
                wanted: u32::from(self.config.answers_wanted),
            };
            let wanted = launches(self.config.fan_out, standing, &desk.pace);
            if wanted == 0 || standing.asked >= desk.config.asks_per_query {
                return;
            }
            // In the place of one that is late goes one of whom something is known.
            let Some(peer) = self.next_peer(desk, now, hedged > 0) else { return };
            self.asked.insert(peer);
            self.coverage.asked += 1;
            desk.pace.earn(desk.terms(self.config.fan_out).budget_permille);
            self.ask(desk, now, peer, 1, 0, None);
        }
    }

    /// The question `id` is late: another peer may be asked, if there is credit for it, or if its peer has had its time.
    pub(super) fn late(&mut self, desk: &mut Desk<P>, now: Timestamp, id: RequestId) {
        let silent = desk.late(now, id);
        if let Some(asking) = self.asking.get_mut(&id).filter(|asking| asking.late != Late::Hedged) {
            let first = asking.late == Late::No;
            let hedged = !silent && first && desk.pace.spend();
            asking.late = if silent || hedged { Late::Hedged } else { Late::Alone };
            sometimes!(hedged, HedgeFired);
            sometimes!(first && asking.late == Late::Alone, HedgeWithoutCredit);
            desk.metrics.hedges += u64::from(hedged);
        }
    }

    /// The next peer to ask, with `known` one that was tried before if there is any; `None` when nobody is left, or everybody left has its fill of questions: then
    /// the search waits.
    fn next_peer(&mut self, desk: &mut Desk<P>, now: Timestamp, known: bool) -> Option<P> {
        if known {
            // Chosen by what is known now, and not when the others were.
            let (chosen, _) = desk.choose_next(now, 1, &self.asked, true);
            if let Some(peer) = chosen.first() {
                self.queue.retain(|it| it != peer);
                return Some(*peer);
            }
        }
        while let Some(peer) = self.queue.pop_front() {
            if desk.askable(now, &peer) {
                return Some(peer);
            }
        }
        let arrivals = desk.reputation.arrivals();
        if self.exhausted_at == Some(arrivals) {
            return None;
        }
        let limit = usize::from(self.config.answers_wanted) * 2;
        let (chosen, busy) = desk.choose_next(now, limit, &self.asked, false);
        if busy {
            reached!(WaitedForPeers);
            self.place = Some(desk.queue(self.id));
        } else if chosen.is_empty() {
            reached!(NobodyLeftToAsk);
            self.exhausted_at = Some(arrivals);
        }
        self.queue.extend(chosen);
        self.queue.pop_front()
    }

    /// Whether it waits for a peer to have fewer questions.
    pub(super) const fn waits(&self) -> bool {
        self.place.is_some()
    }

    fn leave_queue(&mut self, desk: &mut Desk<P>) {
        if let Some(place) = self.place.take() {
            desk.leave_queue(place, self.id);
        }
    }

    fn ask(
        &mut self,
        desk: &mut Desk<P>,
        now: Timestamp,
        peer: P,
        pages: u32,
        names: usize,
        after: Option<Cursor>,
    ) {
        let question = Question::Search { query: self.query.clone(), after: after.clone() };
        let purpose = Purpose::Page(self.id);
        let asker = Asker { query: self.id, config: &self.config, deadline: self.deadline };
        let id = desk.ask(now, &asker, peer, &question, purpose);
        self.requests += 1;
        let asking = Asking { peer, pages, names, cursor: after, reply: Reply::None, late: Late::No };
        self.asking.insert(id, asking);
    }

    /// Ask for the records of names.
    fn resolve(&mut self, desk: &mut Desk<P>, now: Timestamp) {
        let most = usize::from(self.config.fetch_concurrency.max(1));
        while self.names.any_waiting() && self.fetching.len() + self.looking.len() < most && !desk.closed {
            if let Some((peer, releases, keys)) = self.names.next_batch() {
                reached!(FetchedFromHolder);
                let question = Question::Records { keys };
                let purpose = Purpose::Records(self.id);
                let asker = Asker { query: self.id, config: &self.config, deadline: self.deadline };
                let id = desk.ask(now, &asker, peer, &question, purpose);
                self.requests += 1;
                self.fetching.insert(id, Fetching { peer, releases, brought: 0, ill: false });
                continue;
            }
            // The DHT is the last path: an answer that is still out may bring the record, or a holder.
            if !self.asking.is_empty() {
                return;
            }
            let Some((release, key)) = self.names.next_lookup() else { return };
            reached!(FetchFellThrough);
            self.coverage.lookups += 1;
            self.requests += 1;
            let id = desk.look(now, self.id, key, Purpose::Name(self.id), self.deadline);
            self.looking.insert(id, release);
        }
    }

    /// How it ends with what there is.
    pub(super) fn verdict(&self, desk: &Desk<P>, deadline: bool) -> Outcome {
        let adequate = self.adequate(desk);
        let wanted = u32::from(self.config.answers_wanted);
        let everybody = !deadline && adequate > 0 && adequate == self.coverage.asked;
        let answers = if everybody { 0 } else { wanted.saturating_sub(adequate) };
        let names = self.names.unresolved();
        if answers == 0 && names == 0 {
            return Outcome::Complete;
        }
        if adequate == 0 && self.collected.len() == 0 {
            reached!(SearchFailed);
            return Outcome::Failed(match (deadline, self.coverage.asked) {
                (true, _) => Reason::Deadline,
                (false, 0) => Reason::NoPeers,
                (false, _) => Reason::NoAnswer,
            });
        }
        sometimes!(deadline, PartialByDeadline);
        sometimes!(!deadline, PartialByPeers);
        Outcome::Partial(Missing { answers, names, deadline })
    }

    /// The end: what is out is cancelled, and what was found is handed over, with the requests it took.
    pub(super) fn end(mut self, desk: &mut Desk<P>, now: Timestamp, outcome: Outcome) -> (QueryOutcome, u32) {
        self.leave_queue(desk);
        let well_made = u32::try_from(self.sizes.len()).unwrap_or(u32::MAX);
        self.coverage.adequate = self.adequate(desk);
        sometimes!(well_made > self.coverage.adequate, InadequateAnswer);
        self.coverage.inadequate += well_made - self.coverage.adequate;
        self.coverage.abandoned += u32::try_from(self.asking.len()).unwrap_or(u32::MAX);
        self.coverage.resolved = self.names.resolved();
        self.coverage.unresolved = self.names.unresolved();
        let out = self.asking.keys().chain(self.fetching.keys()).chain(self.looking.keys());
        for id in out {
            desk.abandon(now, *id);
        }
        let (found, conflicts) = self.collected.finish(&self.query);
        let outcome = QueryOutcome {
            query: self.id,
            outcome,
            found: Found::Releases(found),
            coverage: self.coverage,
            conflicts,
            elapsed: now.since(self.started),
        };
        (outcome, self.requests)
    }
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, Default)]
struct Ill {
    malformed: bool,
    forged: bool,
}

impl Ill {
    const fn any(self) -> bool {
        self.malformed || self.forged
    }
}
