//! What all queries share: requests, timers, actions, reputation, timeouts, counters.
//!
//! A query's own state machine works on its own state and on the desk, and on no other query. The desk is
//! where the books are kept: a request enters when its `Submit` is queued and leaves exactly once, by
//! [`Desk::close`] when the network ended it or by [`Desk::cancel`], and the count of requests to its peer
//! goes down there and nowhere else.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;

use super::action::{Action, Cause, Charge};
use super::cache::Memory;
use super::command::QueryId;
use super::config::{EngineConfig, FanOut, QueryConfig};
use super::held::HeldSizes;
use super::metrics::QueryMetrics;
use super::outcome::{Conflict, QueryOutcome};
use super::pace::{Pace, Terms};
use super::reputation::{Reputation, Standing};
use super::requests::{Pending, Purpose, Timer};
use super::timeouts::{Pools, grant};
use crate::message::{MAX_ANSWER, Question};
use crate::network::{Done, Failure, Limits, Peer, Request, RequestId};
use crate::package::ReleaseId;
use crate::probe::{reached, sometimes};
use crate::record::{Checked, MAX_RECORD, Record, RecordError, Verifier};
use crate::time::Timestamp;

/// What all queries share; see the [module](self).
pub(super) struct Desk<P: Peer> {
    pub(super) config: EngineConfig,
    pub(super) reputation: Reputation<P>,
    pub(super) metrics: QueryMetrics,
    /// How many entries peers say they hold.
    pub(super) held: HeldSizes<P>,
    /// Releases of which two different records turned up.
    pub(super) conflicts: Memory<ReleaseId, Conflict>,
    /// The network has shut down: nothing more is submitted.
    pub(super) closed: bool,
    verifier: Verifier,
    rng: ChaCha8Rng,
    pools: Pools,
    /// What strategies of fan-out learn.
    pub(super) pace: Pace,
    requests: BTreeMap<RequestId, Pending<P>>,
    timers: BTreeSet<(Timestamp, Timer)>,
    actions: VecDeque<Action<P>>,
    next_request: u64,
    /// Searches that wait for a peer to have fewer questions, longest first.
    waiting: BTreeSet<(u64, QueryId)>,
    next_place: u64,
    /// A question ended since the queue was last served.
    freed: bool,
}

/// A query that asks peers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker<'a> {
    pub(super) query: QueryId,
    pub(super) config: &'a QueryConfig,
    pub(super) deadline: Timestamp,
}

impl<P: Peer> Desk<P> {
    pub(super) fn new(config: EngineConfig, verifier: Verifier, rng: ChaCha8Rng) -> Self {
        Self {
            reputation: Reputation::new(&config),
            metrics: QueryMetrics::default(),
            held: HeldSizes::default(),
            conflicts: Memory::new(config.remembered_conflicts),
            closed: false,
            verifier,
            rng,
            pools: Pools::default(),
            pace: Pace::default(),
            requests: BTreeMap::new(),
            timers: BTreeSet::new(),
            actions: VecDeque::new(),
            next_request: 0,
            waiting: BTreeSet::new(),
            next_place: 0,
            freed: false,
            config,
        }
    }

    // Actions and timers.

    pub(super) fn act(&mut self, action: Action<P>) {
        self.actions.push_back(action);
    }

    pub(super) fn next_action(&mut self) -> Option<Action<P>> {
        self.actions.pop_front()
    }

    pub(super) fn actions_waiting(&self) -> usize {
        self.actions.len()
    }

    pub(super) fn set_timer(&mut self, at: Timestamp, timer: Timer) {
        self.timers.insert((at, timer));
    }

    pub(super) fn clear_timer(&mut self, at: Timestamp, timer: Timer) {
        self.timers.remove(&(at, timer));
    }

    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// The first timer that is due, taken out; with `strictly`, only one that was due before `now`.
    pub(super) fn due(&mut self, now: Timestamp, strictly: bool) -> Option<Timer> {
        let (at, _) = self.timers.first()?;
        let due = if strictly { *at < now } else { *at <= now };
        if due { self.timers.pop_first().map(|(_, timer)| timer) } else { None }
    }

    // Requests.

    /// Put `question` to `peer`.
    pub(super) fn ask(
        &mut self,
        now: Timestamp,
        asker: &Asker<'_>,
        peer: P,
        question: &Question,
        purpose: Purpose,
    ) -> RequestId {
        let config = asker.config;
        let question = question.encode();
        let tag = Question::tag(&question);
        let standing = self.reputation.touch(now, peer);
        let cold = standing.as_ref().is_none_or(|standing| !standing.connected);
        let own = standing.map(|standing| {
            standing.in_flight += 1;
            standing.answers
        });
        let usual = if !config.adaptive_timeout {
            config.request_timeout
        } else if cold {
            grant(None, &self.pools.cold, self.config.timeout_floor, config.request_timeout)
        } else {
            grant(own.as_ref(), &self.pools.warm, self.config.timeout_floor, config.request_timeout)
        };
        sometimes!(usual < config.request_timeout, TimeoutLearned);
        let hedges = config.fan_out.hedges() && matches!(purpose, Purpose::Page(_));
        // Who hedges asks another where others would give up, and goes on waiting for both.
        let wanted = now.after(if hedges { config.request_timeout } else { usual });
        let deadline = wanted.min(asker.deadline);
        let late = hedges.then(|| {
            let permille = self.terms(config.fan_out).late_permille;
            now.after(self.pace.late_after(cold, permille, config.request_timeout).min(usual))
        });
        let request = Request::Ask { peer, question };
        let pending = Pending {
            purpose,
            peer: Some(peer),
            sent: now,
            deadline,
            overdue: deadline.after(self.config.overdue),
            late: late.filter(|late| *late < deadline),
            silent: now.after(usual),
            was_late: false,
            cut_short: deadline < wanted,
            cold,
            tag,
            answered: None,
        };
        self.submit(asker.query, request, pending, MAX_ANSWER)
    }

    /// On which terms `strategy` hedges now.
    pub(super) fn terms(&self, strategy: FanOut) -> Terms {
        let (late_permille, budget_permille) =
            (self.config.hedge_after_permille, self.config.hedge_budget_permille);
        self.pace.terms(strategy, Terms { late_permille, budget_permille })
    }

    /// Look `key` up in the DHT.
    pub(super) fn look(
        &mut self,
        now: Timestamp,
        query: QueryId,
        key: Bytes,
        purpose: Purpose,
        deadline: Timestamp,
    ) -> RequestId {
        let pending = Pending {
            purpose,
            peer: None,
            sent: now,
            deadline,
            overdue: deadline.after(self.config.overdue),
            late: None,
            silent: deadline,
            was_late: false,
            cut_short: false,
            cold: false,
            tag: [0; 8],
            answered: None,
        };
        self.submit(query, Request::GetRecord { key }, pending, MAX_RECORD)
    }

    fn submit(
        &mut self,
        query: QueryId,
        request: Request<P>,
        pending: Pending<P>,
        bytes: usize,
    ) -> RequestId {
        // The top bit belongs to the caller's own requests; who counts from zero never comes to it.
        let id = RequestId(self.next_request);
        self.next_request += 1;
        self.metrics.requests += 1;
        self.set_timer(pending.overdue, Timer::Request(id));
        if let Some(late) = pending.late {
            self.set_timer(late, Timer::Late(id));
        }
        let limits = Limits { deadline: pending.deadline, bytes };
        // Entered before it is submitted: an answer cannot come too early to be known.
        self.requests.insert(id, pending);
        self.act(Action::Submit { id, query, request, limits });
        id
    }

    /// The question `id` is late. Whether it has had all the time that is given to its peer: then it may be replaced; if
    /// not, it is looked at again when it has.
    pub(super) fn late(&mut self, now: Timestamp, id: RequestId) -> bool {
        let Some(pending) = self.requests.get_mut(&id) else { return false };
        pending.was_late = true;
        let silent = pending.silent <= now;
        let again = (!silent && pending.silent < pending.deadline).then_some(pending.silent);
        pending.late = again;
        if let Some(again) = again {
            self.set_timer(again, Timer::Late(id));
        }
        silent
    }

    pub(super) fn pending_mut(&mut self, id: RequestId) -> Option<&mut Pending<P>> {
        self.requests.get_mut(&id)
    }

    pub(super) fn pending(&self, id: RequestId) -> Option<&Pending<P>> {
        self.requests.get(&id)
    }

    pub(super) fn requests_out(&self) -> usize {
        self.requests.len()
    }

    /// Every request that is out, in the order in which they were made.
    pub(super) fn all_requests(&self) -> Vec<RequestId> {
        self.requests.keys().copied().collect()
    }

    /// The network has ended the request: it leaves the books. `None` when it is not there.
    pub(super) fn close(&mut self, id: RequestId) -> Option<Pending<P>> {
        let pending = self.leave(id)?;
        self.metrics.requests_finished += 1;
        Some(pending)
    }

    /// Give the request up: it leaves the books, and nothing more of it is expected.
    pub(super) fn cancel(&mut self, id: RequestId) -> Option<Pending<P>> {
        let pending = self.leave(id)?;
        self.metrics.requests_cancelled += 1;
        self.act(Action::Cancel { id });
        Some(pending)
    }

    fn leave(&mut self, id: RequestId) -> Option<Pending<P>> {
        let pending = self.requests.remove(&id)?;
        self.clear_timer(pending.overdue, Timer::Request(id));
        if let Some(late) = pending.late {
            self.clear_timer(late, Timer::Late(id));
        }
        if let Some(standing) = pending.peer.and_then(|peer| self.reputation.known(&peer)) {
            standing.in_flight = standing.in_flight.saturating_sub(1);
            self.freed = true;
        }
        Some(pending)
    }

    // Peers.

    pub(super) fn charge(&mut self, now: Timestamp, peer: P, cause: Cause, request: Option<RequestId>) {
        if self.reputation.is_local(&peer) {
            return;
        }
        let block = self.reputation.charge(now, peer, cause);
        self.act(Action::Charged(Charge { peer, cause, request }));
        if let Some(until) = block {
            reached!(PeerBlocked);
            self.act(Action::Block { peer, until });
        }
    }

    /// Have the network block those who are still blocked from an earlier life.
    pub(super) fn block_again(&mut self) {
        while let Some((peer, until)) = self.reputation.met_blocked() {
            self.act(Action::Block { peer, until });
        }
    }

    /// A question of a search whose strategy learns has ended: how long it took, and whether it came to something.
    pub(super) fn learned_pace(
        &mut self,
        now: Timestamp,
        pending: &Pending<P>,
        good: bool,
        result: Result<Done, Failure>,
    ) {
        let timed_out = result == Err(Failure::TimedOut) && !pending.cut_short;
        if good || timed_out {
            self.pace.took(pending.cold, pending.answered.unwrap_or(now).since(pending.sent));
        }
        // What failed here says nothing of the network.
        let ours = !good && (pending.cut_short || result == Err(Failure::Local));
        if !ours {
            self.pace.came_to(good);
        }
    }

    /// Give a question up that another peer has made needless. If it was late, it has taken its peer at least so long,
    /// and that is remembered: or who is slow would be asked for ever, and never found out.
    pub(super) fn abandon(&mut self, now: Timestamp, id: RequestId) {
        let Some(pending) = self.cancel(id) else { return };
        if !pending.was_late {
            return;
        }
        let took = now.since(pending.sent);
        self.pace.given_up(pending.cold, took, self.config.hedge_after_permille);
        if let (false, Some(standing)) =
            (pending.cold, pending.peer.and_then(|peer| self.reputation.known(&peer)))
        {
            reached!(CensoredSample);
            standing.answers.took_at_least(took);
        }
    }

    /// A peer's answer was good: it took until now.
    pub(super) fn answered_well(&mut self, now: Timestamp, id: RequestId, pending: &Pending<P>) {
        let Some(peer) = pending.peer else { return };
        let took = pending.answered.unwrap_or(now).since(pending.sent);
        if pending.cold {
            self.pools.cold.answered(took);
        } else {
            self.pools.warm.answered(took);
            if let Some(standing) = self.reputation.known(&peer) {
                standing.answers.answered(took);
            }
        }
        self.charge(now, peer, Cause::Answered, Some(id));
    }

    /// A question ended without an answer.
    pub(super) fn failed(&mut self, now: Timestamp, id: RequestId, pending: &Pending<P>, failure: Failure) {
        let Some(peer) = pending.peer else { return };
        match failure {
            // Ours, or no fault at all.
            Failure::Local | Failure::NotFound => {}
            Failure::Unreachable => self.charge(now, peer, Cause::Unreachable, Some(id)),
            Failure::Broken => self.charge(now, peer, Cause::Broken, Some(id)),
            Failure::TimedOut if pending.cut_short => {}
            Failure::TimedOut => {
                reached!(TimeoutGrew);
                if pending.cold {
                    self.pools.cold.timed_out();
                } else {
                    if let Some(standing) = self.reputation.known(&peer) {
                        standing.answers.timed_out();
                    }
                    self.pools.warm.timed_out();
                }
                self.charge(now, peer, Cause::TimedOut, Some(id));
            }
            Failure::Refused(crate::network::Refusal::Busy) => {
                reached!(BusyRefusal);
                self.charge(now, peer, Cause::Busy, Some(id));
            }
            // It speaks another language: no fault, and no use.
            Failure::Unsupported | Failure::Refused(crate::network::Refusal::NotUnderstood) => {
                self.reputation.avoid(now, peer);
            }
        }
    }

    /// At most `limit` peers to ask, best first.
    pub(super) fn choose(
        &mut self,
        now: Timestamp,
        min: f64,
        limit: usize,
        location: Option<&[u8; 32]>,
    ) -> Vec<P> {
        if self.closed {
            return Vec::new();
        }
        self.reputation.select(now, min, limit, location, &mut self.rng, |_, _| false)
    }

    /// At most `limit` peers for a search that has asked `asked`, best first, without those that have their
    /// fill of questions, and with `known` of those alone that were tried before; and, if there are none, whether there would be some but for their fill.
    pub(super) fn choose_next(
        &mut self,
        now: Timestamp,
        limit: usize,
        asked: &BTreeSet<P>,
        known: bool,
    ) -> (Vec<P>, bool) {
        if self.closed {
            return (Vec::new(), false);
        }
        let most = self.config.asks_per_peer;
        let mut busy = false;
        let skip = |peer: &P, standing: &Standing| {
            asked.contains(peer) || standing.in_flight >= most || (known && !standing.tried())
        };
        let chosen = self.reputation.select(now, 0.0, limit, None, &mut self.rng, skip);
        if chosen.is_empty() {
            busy = (self.reputation.peers()).any(|(peer, standing)| {
                standing.in_flight >= most && standing.askable(now) && !asked.contains(peer)
            });
        }
        (chosen, busy)
    }

    /// Whether `peer` may be asked now, and has not its fill of questions.
    pub(super) fn askable(&self, now: Timestamp, peer: &P) -> bool {
        let standing = self.reputation.get(peer);
        let fit = |s: &Standing| s.askable(now) && s.in_flight < self.config.asks_per_peer;
        !self.closed && standing.is_none_or(fit)
    }

    // Queries.

    /// A query is refused: it was never started, so it says nothing of how long queries take.
    pub(super) fn refuse(&mut self, outcome: QueryOutcome) {
        self.metrics.failed += 1;
        reached!(QueryLimit);
        self.metrics.busy += 1;
        self.act(Action::Finish { query: outcome.query, outcome });
    }

    /// `query` waits until some peer has fewer questions. Its place in the queue, for [`Desk::leave_queue`].
    pub(super) fn queue(&mut self, query: QueryId) -> u64 {
        self.next_place += 1;
        self.waiting.insert((self.next_place, query));
        self.next_place
    }

    /// `query` does not wait any more.
    pub(super) fn leave_queue(&mut self, place: u64, query: QueryId) {
        self.waiting.remove(&(place, query));
    }

    /// The query that waits longest, if a question to some peer has ended.
    pub(super) fn next_waiting(&mut self) -> Option<QueryId> {
        if !self.freed {
            return None;
        }
        self.waiting.first().map(|(_, query)| *query)
    }

    /// Whoever could be served was served.
    pub(super) fn served(&mut self) {
        self.freed = false;
    }

    /// A query that made `requests` has ended; its deadline was `deadline`.
    pub(super) fn finish(&mut self, deadline: Timestamp, outcome: QueryOutcome, requests: u32) {
        self.clear_timer(deadline, Timer::Query(outcome.query));
        self.metrics.ended(&outcome, requests);
        self.act(Action::Finish { query: outcome.query, outcome });
    }

    // Records.

    /// Check what a peer sent as a record, under `key` where one was asked for.
    pub(super) fn check(&mut self, key: Option<&[u8]>, bytes: &[u8]) -> Result<Checked, RecordError> {
        let checked = match key {
            Some(key) => self.verifier.check_under(key, bytes),
            None => self.verifier.check(bytes),
        };
        if checked.is_ok() {
            self.metrics.verified += 1;
        }
        checked
    }

    /// Two different records of one release: remembered, and never told as truth again.
    pub(super) fn conflict(&mut self, release: &ReleaseId, first: &Checked, second: &Checked) -> Conflict {
        let conflict = Conflict {
            release: release.clone(),
            first: Checked::clone(first),
            second: Checked::clone(second),
        };
        if self.conflicts.get(release).is_none() {
            reached!(RecordsInConflict);
            self.metrics.conflicts += 1;
            self.conflicts.insert(release.clone(), conflict.clone());
        }
        conflict
    }

    pub(super) fn learned(&mut self, record: &Checked, from: P) {
        self.act(Action::Learned { record: Checked::clone(record), from });
    }
}

/// The release in a record, if it is one.
pub(super) fn release_of(record: &Record) -> Option<&crate::record::Release> {
    match record {
        Record::Release(release) => Some(release),
        Record::List(_) | Record::Notice(_) => None,
    }
}

/// The list in a record, if it is one.
pub(super) fn list_of(record: &Record) -> Option<&crate::record::ReleaseList> {
    match record {
        Record::List(list) => Some(list),
        Record::Release(_) | Record::Notice(_) => None,
    }
}
