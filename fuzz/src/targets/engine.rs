//! The engine: sequences of commands, events and time, late, repeated, foreign and contradictory ones among them. The
//! books are checked after each step, and at the end nothing is left.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use swarmproof::engine::{
    Action, Command, Engine, EngineConfig, FanOut, InFlight, Local, Lookup, Outcome, QueryConfig, QueryId,
};
use swarmproof::message::{Answer, AnswerBody, Name, Question};
use swarmproof::network::{
    Done, Event, Failure, Invalid, Item, PeerChange, Refusal, Request, RequestId, RequestStats, Ware,
};
use swarmproof::package::{Query, ReleaseId, Version};
use swarmproof::record::{Verifier, keys};
use swarmproof::time::{Timestamp, WallTime};

use super::samples::{LISTS, RELEASES, WALL, package};

/// The most steps of one input: what is longer finds nothing that these do not.
const MOST_STEPS: usize = 200;

/// Reads numbers from the input; zeros when it is at its end.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n.max(1)
    }
}

struct Asked {
    limit: usize,
    deadline: Timestamp,
    delivered: BTreeSet<ReleaseId>,
    ended: bool,
}

struct Play {
    engine: Engine<u32>,
    now: Timestamp,
    queries: BTreeMap<QueryId, Asked>,
    out: BTreeMap<RequestId, (QueryId, Request<u32>)>,
    /// Requests that are over, for what comes late.
    over: Vec<RequestId>,
    submitted: u64,
}

pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let config = EngineConfig { most_queries: 6, ..EngineConfig::default() };
    let mut play = Play {
        engine: Engine::new(config, Verifier::new(64), ChaCha8Rng::from_seed([input.byte(); 32])),
        now: Timestamp::from_millis(1000),
        queries: BTreeMap::new(),
        out: BTreeMap::new(),
        over: Vec::new(),
        submitted: 0,
    };
    for peer in 1..=u32::from(input.byte() % 8) {
        play.event(Event::Peer { peer, change: PeerChange::Up });
    }
    for _ in 0..MOST_STEPS {
        if input.0.is_empty() {
            break;
        }
        play.step(&mut input);
    }
    // Whatever happened, everything ends by its deadline.
    play.advance(Duration::from_secs(3600));
    assert!(play.queries.values().all(|query| query.ended), "a query never ended");
    assert!(play.out.is_empty(), "requests are left: {:?}", play.out);
    assert_eq!(play.engine.in_flight(), InFlight::default());
    assert_eq!(play.engine.next_deadline(), None);
}

impl Play {
    fn wall(&self) -> WallTime {
        WallTime::from_millis(WALL + self.now.as_millis())
    }

    fn step(&mut self, input: &mut Input<'_>) {
        match input.below(12) {
            0 | 1 => self.search(input),
            2 => self.get(input),
            3 => {
                let id = QueryId(input.below(self.queries.len() + 2) as u64);
                self.command(Command::Cancel { id });
            }
            4 | 5 => self.answer(input),
            6 => {
                let from = 1 + input.byte() as u32 % 9;
                let Some(id) = self.some_request(input) else { return };
                let value = some_record(input);
                self.event(Event::Progress { id, from, item: Item::Record { value } });
            }
            7 => {
                let Some(id) = self.some_request(input) else { return };
                self.end(id, input);
            }
            8 => {
                let peer = 1 + input.byte() as u32 % 9;
                let change = match input.below(3) {
                    0 => PeerChange::Up,
                    1 => PeerChange::Down,
                    _ => PeerChange::RoundTrip(Duration::from_millis(u64::from(input.byte()))),
                };
                self.event(Event::Peer { peer, change });
            }
            9 => {
                let from = 1 + input.byte() as u32 % 9;
                let why = Invalid { code: u16::from(input.byte()), reason: "made-up" };
                self.event(Event::Rejected { from, what: Ware::Answer, why });
            }
            10 => {
                let millis = u64::from(input.byte()) * u64::from(input.byte());
                self.advance(Duration::from_millis(millis));
            }
            // To the very instant of a deadline, which is not handled yet.
            _ => {
                if let Some(deadline) = self.engine.next_deadline() {
                    self.now = self.now.max(deadline);
                }
            }
        }
    }

    fn config(input: &mut Input<'_>) -> QueryConfig {
        let timeout = Duration::from_millis(1 + 20 * u64::from(input.byte()));
        QueryConfig {
            timeout,
            max_results: 1 + input.below(6),
            answers_wanted: 1 + input.byte() as u16 % 5,
            fan_out: match input.below(6) {
                0 => FanOut::Hedged,
                1 => FanOut::Adaptive,
                n => FanOut::Fixed(n as u16 - 1),
            },
            adaptive_timeout: input.below(2) == 0,
            request_timeout: timeout.min(Duration::from_millis(1 + 4 * u64::from(input.byte()))),
            fetch_concurrency: 1 + input.byte() as u16 % 4,
        }
    }

    fn begin(&mut self, limit: usize, config: &QueryConfig) -> QueryId {
        let id = QueryId(self.queries.len() as u64);
        let deadline = self.now.after(config.timeout);
        self.queries.insert(id, Asked { limit, deadline, delivered: BTreeSet::new(), ended: false });
        id
    }

    fn search(&mut self, input: &mut Input<'_>) {
        let config = Self::config(input);
        if config.check().is_err() {
            return;
        }
        let mut local = Local::default();
        let held = input.byte();
        for (at, record) in RELEASES.iter().take(6).enumerate() {
            if held & (1 << at) != 0 {
                local.releases.push(record.clone());
            }
        }
        if held & 0x40 != 0 {
            local.names.push(keys::release(&some_release(input)));
        }
        if held & 0x80 != 0 {
            local.yanked.push(some_release(input));
        }
        let query = Query::text("widget", 1 + input.below(8));
        let id = self.begin(query.limit.min(config.max_results), &config);
        self.command(Command::Search { id, query, config, local });
    }

    fn get(&mut self, input: &mut Input<'_>) {
        let config = Self::config(input);
        if config.check().is_err() {
            return;
        }
        let what = match input.below(3) {
            0 => Lookup::Release(some_release(input)),
            1 => Lookup::List(package("w0")),
            _ => Lookup::Latest(package("w0")),
        };
        let local = match input.below(3) {
            0 => vec![LISTS[input.below(LISTS.len())].clone()],
            _ => Vec::new(),
        };
        let id = self.begin(usize::MAX, &config);
        self.command(Command::Get { id, what, config, local });
    }

    /// A request that is out, one that is over, or one that never was.
    fn some_request(&self, input: &mut Input<'_>) -> Option<RequestId> {
        let which = input.below(self.out.len() + 2);
        let out = self.out.keys().nth(which).copied();
        out.or_else(|| match input.below(2) {
            0 => self.over.get(input.below(self.over.len())).copied(),
            _ => Some(RequestId(self.submitted + 1 + u64::from(input.byte()))),
        })
    }

    fn answer(&mut self, input: &mut Input<'_>) {
        let Some(id) = self.some_request(input) else { return };
        let (to, from) = match self.out.get(&id) {
            Some((_, Request::Ask { peer, question })) => (Question::tag(question), *peer),
            _ => ([input.byte(); 8], 1),
        };
        let from = if input.below(8) == 0 { 1 + input.byte() as u32 % 9 } else { from };
        let body = match input.below(5) {
            0 => Bytes::copy_from_slice(
                &input.0[..input.0.len().min(usize::from(input.0.first().copied().unwrap_or(0)))],
            ),
            kind => {
                let records = (0..input.below(5)).map(|_| some_record(input)).collect();
                let body = if kind < 4 {
                    let names = (0..input.below(3))
                        .map(|_| Name { key: keys::release(&some_release(input)), held: input.below(2) == 0 })
                        .collect();
                    let (held, fresh) = (u64::from(input.byte()), self.wall());
                    AnswerBody::Found { held, fresh, records, names, next: None }
                } else {
                    AnswerBody::Records { records }
                };
                Answer { to, body }.encode()
            }
        };
        self.event(Event::Progress { id, from, item: Item::Answer { body } });
        if input.below(3) > 0 {
            self.end_with(id, Ok(Done::Answered));
        }
    }

    fn end(&mut self, id: RequestId, input: &mut Input<'_>) {
        let result = match input.below(8) {
            0 | 1 => Ok(Done::Answered),
            2 => Err(Failure::NotFound),
            3 => Err(Failure::TimedOut),
            4 => Err(Failure::Unreachable),
            5 => Err(Failure::Broken),
            6 => Err(Failure::Refused(Refusal::Busy)),
            _ => Ok(Done::Looked),
        };
        self.end_with(id, result);
    }

    fn end_with(&mut self, id: RequestId, result: Result<Done, Failure>) {
        let stats = RequestStats { sent: 3, answered: 2, ..RequestStats::default() };
        self.event(Event::Finished { id, result, stats });
    }

    fn advance(&mut self, span: Duration) {
        let until = self.now.after(span);
        while let Some(deadline) = self.engine.next_deadline().filter(|deadline| *deadline <= until) {
            self.now = self.now.max(deadline);
            self.engine.handle_deadline(self.now, self.wall());
            self.drain();
            assert!(
                self.engine.next_deadline().is_none_or(|next| next > self.now),
                "a deadline was not worked off"
            );
        }
        self.now = until;
    }

    fn command(&mut self, command: Command) {
        self.engine.handle_command(self.now, self.wall(), command);
        self.drain();
    }

    fn event(&mut self, event: Event<u32>) {
        if let Event::Finished { id, .. } = &event
            && self.out.remove(id).is_some()
        {
            self.over.push(*id);
        }
        self.engine.handle_event(self.now, self.wall(), &event);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(action) = self.engine.poll_action() {
            match action {
                Action::Submit { id, query, request, .. } => {
                    self.submitted += 1;
                    assert!(!self.queries[&query].ended, "a request for {query}, which has ended");
                    assert!(self.out.insert(id, (query, request)).is_none(), "{id} is used twice");
                }
                Action::Cancel { id } => {
                    assert!(self.out.remove(&id).is_some(), "{id} was cancelled, and was not out");
                    self.over.push(id);
                }
                Action::Deliver { query, release, .. } => {
                    let seen = self.queries.get_mut(&query).expect("it was begun");
                    assert!(!seen.ended, "a result for {query}, which has ended");
                    let release = release.as_release().expect("only releases are delivered");
                    let new = seen.delivered.insert(release.package.release.clone());
                    assert!(new, "{query} was given {} twice", release.package.release);
                    assert!(release.package.title.contains("widget"), "{query} did not ask for this");
                    assert!(seen.delivered.len() <= seen.limit, "{query} was given more than its limit");
                }
                Action::Finish { query, outcome } => {
                    let seen = self.queries.get_mut(&query).expect("it was begun");
                    assert!(!seen.ended, "{query} ended twice");
                    assert!(self.now <= seen.deadline, "{query} ended after its deadline");
                    if outcome.outcome == Outcome::Enough {
                        assert_eq!(seen.delivered.len(), seen.limit);
                    }
                    seen.ended = true;
                }
                Action::Learned { .. } | Action::Charged(_) | Action::Block { .. } => {}
            }
        }
        let live = self.queries.values().filter(|query| !query.ended).count();
        let in_flight = self.engine.in_flight();
        assert_eq!((in_flight.queries, in_flight.requests), (live, self.out.len()), "in flight");
        let metrics = self.engine.metrics();
        let ended = metrics.complete + metrics.enough + metrics.partial + metrics.failed + metrics.cancelled;
        assert_eq!(metrics.started, ended + live as u64);
        let out = self.out.len() as u64;
        assert_eq!(metrics.requests, metrics.requests_finished + metrics.requests_cancelled + out);
        for (peer, _) in self.engine.reputation().peers() {
            assert!((0.0..=1.0).contains(&self.engine.reputation().score(self.now, peer)));
        }
    }
}

fn some_release(input: &mut Input<'_>) -> ReleaseId {
    let name = format!("w{}", input.below(8));
    ReleaseId { package: package(&name), version: Version::new(1, 0, 0) }
}

/// A good record, or one that is not.
fn some_record(input: &mut Input<'_>) -> Bytes {
    let which = input.below(RELEASES.len() + LISTS.len() + 1);
    match RELEASES.iter().chain(LISTS.iter()).nth(which) {
        Some(record) => record.bytes().clone(),
        None => Bytes::from(vec![input.byte(); input.below(40)]),
    }
}
