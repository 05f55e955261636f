//! The engine itself: takes in commands, events and deadlines, and hands each to the query it is for.
//!
//! No step costs more for there being other queries: a request knows its query, timers are ordered.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;

use super::action::{Action, Cause};
use super::command::Lookup;
use super::command::{Command, Local, QueryId};
use super::config::{EngineConfig, QueryConfig};
use super::desk::Desk;
use super::get::Gets;
use super::metrics::QueryMetrics;
use super::outcome::{Conflict, Coverage, Found, Outcome, QueryOutcome, Reason};
use super::reputation::Reputation;
use super::requests::{Pending, Purpose, Timer};
use super::search::Search;
use crate::network::{Done, Event, Failure, Item, Peer, PeerChange, RequestId, RequestStats};
use crate::package::Query;
use crate::probe::reached;
use crate::record::Verifier;
use crate::time::{Timestamp, WallTime};

/// The top bit of a request's name: set on the caller's own requests, never on the engine's.
const CALLERS: u64 = 1 << 63;

/// Codes of [`Invalid`](crate::network::Invalid) from here on are an application's: a record is wrong, and
/// not only unreadable.
const APPLICATION_CODES: u16 = 100;

/// How many waiting searches are looked at in vain before the rest is left to wait.
const MOST_IN_VAIN: u32 = 8;

/// What is in flight. All zero when all is done and every action was polled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InFlight {
    /// Queries without an end.
    pub queries: usize,
    /// Requests at the network, neither ended nor cancelled.
    pub requests: usize,
    /// Actions not yet polled, and results held for outcomes.
    pub buffered: usize,
}

/// The query-collection engine; the [module](super) says how it is called.
pub struct Engine<P: Peer> {
    desk: Desk<P>,
    searches: BTreeMap<QueryId, Search<P>>,
    gets: Gets<P>,
    now: Timestamp,
}

impl<P: Peer> core::fmt::Debug for Engine<P> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Engine")
            .field("now", &self.now)
            .field("in_flight", &self.in_flight())
            .field("peers", &self.desk.reputation.len())
            .finish_non_exhaustive()
    }
}

impl<P: Peer> Engine<P> {
    /// An engine that knows nobody. `config` has been checked; `rng` is used for nothing but the choice
    /// among peers.
    pub fn new(config: EngineConfig, verifier: Verifier, rng: ChaCha8Rng) -> Self {
        Self {
            gets: Gets::new(&config),
            desk: Desk::new(config, verifier, rng),
            searches: BTreeMap::new(),
            now: Timestamp::ZERO,
        }
    }

    /// This is the node itself: it is never asked, never charged and never counted as an answerer. To be
    /// called before anything else, since the network reports values from the node's own store under it.
    pub fn set_local_peer(&mut self, local: P) {
        self.desk.reputation.set_local(local);
    }

    // What comes in.

    /// Take in a command. A query under a name that is in flight is ignored.
    pub fn handle_command(&mut self, now: Timestamp, wall: WallTime, command: Command) {
        let now = self.tick(now, wall);
        match command {
            Command::Search { id, query, config, local } => self.search(now, id, query, config, local),
            Command::Get { id, what, config, local } => {
                if self.admit(id, || match &what {
                    Lookup::List(_) => Found::List { list: None, stale: false },
                    Lookup::Release(_) | Lookup::Latest(_) => Found::Release(None),
                }) {
                    self.gets.start(&mut self.desk, now, wall, id, what, &config, local);
                }
            }
            Command::Cancel { id } => {
                if self.searches.contains_key(&id) {
                    self.end_search(now, id, Outcome::Cancelled);
                } else {
                    self.gets.stop(&mut self.desk, now, wall, id, false);
                }
            }
        }
        self.serve_waiting(now);
    }

    /// Take in an event. `true` when it was about one of the engine's requests, or news of a peer that the
    /// engine keeps; questions and announcements are noted and left to the caller.
    pub fn handle_event(&mut self, now: Timestamp, wall: WallTime, event: &Event<P>) -> bool {
        let now = self.tick(now, wall);
        let used = self.event(now, wall, event);
        self.desk.block_again();
        self.serve_waiting(now);
        used
    }

    fn event(&mut self, now: Timestamp, wall: WallTime, event: &Event<P>) -> bool {
        match event {
            Event::Deadline => {
                self.handle_deadline(now, wall);
                false
            }
            Event::Closed => {
                self.close(now, wall);
                false
            }
            Event::Progress { id, .. } | Event::Finished { id, .. } if id.0 & CALLERS != 0 => false,
            Event::Progress { id, from, item } => {
                self.progress(now, wall, *id, *from, item);
                true
            }
            Event::Finished { id, result, stats } => {
                match self.desk.close(*id) {
                    Some(pending) => self.finished(now, wall, *id, &pending, *result, *stats),
                    None => self.desk.metrics.stray_events += 1,
                }
                true
            }
            Event::Rejected { from, why, .. } => {
                let forged = why.code >= APPLICATION_CODES;
                let cause = if forged { Cause::Forged } else { Cause::Malformed };
                self.desk.charge(now, *from, cause, None);
                true
            }
            Event::Peer { peer, change } => {
                match change {
                    PeerChange::Up => self.desk.reputation.up(now, *peer),
                    PeerChange::RoundTrip(took) => self.desk.reputation.round_trip(now, *peer, *took),
                    PeerChange::Down => self.desk.reputation.down(peer),
                }
                true
            }
            Event::Question { from, .. } | Event::Announcement { from, .. } => {
                self.desk.reputation.touch(now, *from);
                false
            }
            Event::Withdrawn { .. } => false,
        }
    }

    /// Do what is due at `now`: to be called by [`Engine::next_deadline`] at the latest.
    pub fn handle_deadline(&mut self, now: Timestamp, wall: WallTime) {
        let now = self.tick(now, wall);
        self.expire(now, wall, false);
        self.serve_waiting(now);
    }

    // What goes out.

    /// The next thing to do, in order; `None` when there is none.
    pub fn poll_action(&mut self) -> Option<Action<P>> {
        self.desk.next_action()
    }

    /// By when [`Engine::handle_deadline`] must be called; `None` when nothing is in flight.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.desk.next_timer()
    }

    /// At most `limit` known peers with a score of at least `min`, best first: see
    /// [`Reputation`]. With a `location`, the nearest to it come first. Peers that are blocked are left out.
    pub fn select_best_peers(&mut self, min: f64, limit: usize, location: Option<&[u8; 32]>) -> Vec<P> {
        self.desk.choose(self.now, min, limit, location)
    }

    // What can be seen.

    /// What was counted.
    pub fn metrics(&self) -> &QueryMetrics {
        &self.desk.metrics
    }

    /// What is known of peers.
    pub fn reputation(&self) -> &Reputation<P> {
        &self.desk.reputation
    }

    /// What is known of peers, as bytes that [`Engine::restore_reputation`] of a later life takes: at most
    /// 64 KiB and 9 bytes.
    pub fn save_reputation(&self, now: Timestamp, wall: WallTime) -> Vec<u8> {
        self.desk.reputation.save(now, wall)
    }

    /// Take up what [`Engine::save_reputation`] of an earlier life has given, at the start. A peer that is met
    /// again stands as it did then, faded by the time that has passed by the calendar. What cannot be read
    /// is as good as nothing.
    pub fn restore_reputation(&mut self, now: Timestamp, wall: WallTime, bytes: &[u8]) {
        self.desk.reputation.restore(now, wall, bytes);
    }

    /// Releases of which two different records turned up, as far as they are remembered.
    pub fn conflicts(&self) -> impl Iterator<Item = &Conflict> {
        self.desk.conflicts.values()
    }

    /// What is in flight.
    pub fn in_flight(&self) -> InFlight {
        let results: usize = self.searches.values().map(Search::buffered).sum();
        InFlight {
            queries: self.searches.len() + self.gets.len(),
            requests: self.desk.requests_out(),
            buffered: self.desk.actions_waiting() + results + self.gets.buffered(),
        }
    }

    // Inside.

    /// Let searches go on that waited for a peer to have fewer questions. One that must wait on does so
    /// behind the others; after a few of these the rest would too, most likely, and is left to the next
    /// question's end. There is one: who waits, waits for somebody who is being asked.
    fn serve_waiting(&mut self, now: Timestamp) {
        let mut in_vain = 0;
        while in_vain < MOST_IN_VAIN {
            let Some(id) = self.desk.next_waiting() else { break };
            self.pump(now, id);
            in_vain += u32::from(self.searches.get(&id).is_some_and(Search::waits));
        }
        self.desk.served();
    }

    /// Time as the engine knows it: never back. What was due before `now` is done first, so that a caller
    /// who is late changes nothing about who was in time.
    fn tick(&mut self, now: Timestamp, wall: WallTime) -> Timestamp {
        self.now = self.now.max(now);
        self.expire(self.now, wall, true);
        self.now
    }

    fn expire(&mut self, now: Timestamp, wall: WallTime, strictly: bool) {
        while let Some(timer) = self.desk.due(now, strictly) {
            match timer {
                Timer::Query(id) => match self.searches.get(&id) {
                    Some(search) => {
                        let outcome = search.verdict(&self.desk, true);
                        self.end_search(now, id, outcome);
                    }
                    None => self.gets.stop(&mut self.desk, now, wall, id, true),
                },
                Timer::Late(id) => {
                    let late = self.desk.pending(id).map(|pending| pending.purpose.clone());
                    if let Some(Purpose::Page(query)) = late {
                        if let Some(search) = self.searches.get_mut(&query) {
                            search.late(&mut self.desk, now, id);
                        }
                        self.pump(now, query);
                    }
                }
                Timer::Request(id) => {
                    // The network owes an end: it is given up there, and counts as silence here.
                    if let Some(pending) = self.desk.cancel(id) {
                        self.desk.metrics.requests_overdue += 1;
                        let silence = Err(Failure::TimedOut);
                        self.finished(now, wall, id, &pending, silence, RequestStats::default());
                    }
                }
            }
        }
    }

    /// Whether a new query may start; one that may not ends here, or is ignored.
    fn admit(&mut self, id: QueryId, nothing: impl FnOnce() -> Found) -> bool {
        if self.searches.contains_key(&id) || self.gets.contains(id) {
            self.desk.metrics.stray_events += 1;
            return false;
        }
        self.desk.metrics.started += 1;
        if self.searches.len() + self.gets.len() < self.desk.config.most_queries {
            return true;
        }
        let outcome = QueryOutcome {
            query: id,
            outcome: Outcome::Failed(Reason::Busy),
            found: nothing(),
            coverage: Coverage::default(),
            conflicts: Vec::new(),
            elapsed: core::time::Duration::ZERO,
        };
        self.desk.refuse(outcome);
        false
    }

    fn search(&mut self, now: Timestamp, id: QueryId, query: Query, config: QueryConfig, local: Local) {
        if self.admit(id, || Found::Releases(Vec::new())) {
            let search = Search::start(&mut self.desk, now, id, query, config, local);
            self.desk.set_timer(search.deadline, Timer::Query(id));
            self.searches.insert(id, search);
            self.pump(now, id);
        }
    }

    fn pump(&mut self, now: Timestamp, id: QueryId) {
        let over = self.searches.get_mut(&id).and_then(|search| search.pump(&mut self.desk, now));
        if let Some(outcome) = over {
            self.end_search(now, id, outcome);
        }
    }

    fn end_search(&mut self, now: Timestamp, id: QueryId, outcome: Outcome) {
        if let Some(search) = self.searches.remove(&id) {
            let deadline = search.deadline;
            let (outcome, requests) = search.end(&mut self.desk, now, outcome);
            self.desk.finish(deadline, outcome, requests);
        }
    }

    fn progress(&mut self, now: Timestamp, wall: WallTime, id: RequestId, from: P, item: &Item<P>) {
        let Some(pending) = self.desk.pending_mut(id) else {
            reached!(LateAnswer);
            self.desk.metrics.stray_events += 1;
            return;
        };
        match (pending.purpose.clone(), item) {
            (Purpose::Page(query) | Purpose::Records(query), Item::Answer { body })
                if pending.peer == Some(from) && pending.answered.is_none() =>
            {
                pending.answered = Some(now);
                let tag = pending.tag;
                self.desk.reputation.touch(now, from);
                if let Some(search) = self.searches.get_mut(&query) {
                    search.answered(&mut self.desk, now, id, from, tag, body);
                }
                self.pump(now, query);
            }
            (Purpose::Name(query), Item::Record { value }) => {
                self.desk.reputation.touch(now, from);
                if let Some(search) = self.searches.get_mut(&query)
                    && search.looked(&mut self.desk, now, id, from, value)
                {
                    self.desk.cancel(id);
                    search.looked_enough(id);
                }
                self.pump(now, query);
            }
            (Purpose::Lookup(key), Item::Record { value }) => {
                self.desk.reputation.touch(now, from);
                self.gets.progress(&mut self.desk, now, wall, &key, id, from, value);
            }
            _ => self.desk.metrics.stray_events += 1,
        }
    }

    /// A request has left the books.
    fn finished(
        &mut self,
        now: Timestamp,
        wall: WallTime,
        id: RequestId,
        pending: &Pending<P>,
        result: Result<Done, Failure>,
        stats: RequestStats,
    ) {
        match &pending.purpose {
            Purpose::Page(query) | Purpose::Records(query) | Purpose::Name(query) => {
                if let Some(search) = self.searches.get_mut(query) {
                    search.finished(&mut self.desk, now, id, pending, result, stats);
                }
                self.pump(now, *query);
            }
            Purpose::Lookup(key) => self.gets.finished(&mut self.desk, now, wall, key, result, stats),
        }
    }

    /// The network has shut down: every request ends, and with it every query, with what it has.
    fn close(&mut self, now: Timestamp, wall: WallTime) {
        self.desk.closed = true;
        for id in self.desk.all_requests() {
            if let Some(pending) = self.desk.close(id) {
                self.finished(now, wall, id, &pending, Err(Failure::Local), RequestStats::default());
            }
        }
    }
}
