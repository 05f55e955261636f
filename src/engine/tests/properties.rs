//! Arbitrary sequences of commands, events and time: late, repeated, reordered, contradictory, after a
//! cancel, at the very instant of a deadline. The rig checks the books after each step; here it is checked
//! besides that only good things are delivered and only the guilty are charged.

use core::time::Duration;
use std::sync::LazyLock;

use bytes::Bytes;
use proptest::prelude::*;

use super::rig::*;
use crate::engine::{
    Cause, EngineConfig, FanOut, Found, Local, Lookup, Outcome, QueryConfig, QueryId, Reason,
};
use crate::message::{Answer, AnswerBody, Question};
use crate::network::{Done, Event, Failure, Item, PeerChange, Refusal, Request, RequestId, RequestStats};
use crate::package::Query;
use crate::record::{Checked, keys};

/// Records that match "widget": eight packages, and a second, different record for the last.
static WIDGETS: LazyLock<Vec<Checked>> = LazyLock::new(|| {
    let mut records: Vec<_> = (0..8).map(|index| widget(&format!("w{index}"))).collect();
    records.push(release("w7", "1.0.0", "the other widget", 2));
    records
});

/// Lists of `w0` with sequences 1 to 4.
static LISTS: LazyLock<Vec<Checked>> =
    LazyLock::new(|| (1..=4).map(|sequence| list("w0", sequence, &[(&WIDGETS[0], false)])).collect());

/// A record that does not match.
static OTHER: LazyLock<Checked> = LazyLock::new(|| release("other", "1.0.0", "a gadget", 3));

#[derive(Clone, Debug)]
enum Body {
    Found {
        held: u8,
        records: Vec<u8>,
        names: Vec<(u8, bool)>,
        next: bool,
    },
    Records(Vec<u8>),
    /// What no honest peer sends, as an answer to anything.
    Ill(u8),
}

#[derive(Clone, Debug)]
enum Step {
    Search {
        wanted: u16,
        fan_out: FanOut,
        limit: usize,
        millis: u64,
        local: u8,
        adaptive: bool,
    },
    Get {
        what: u8,
        millis: u64,
        local: bool,
    },
    Cancel(u8),
    Answer {
        request: u8,
        honest_peer: bool,
        body: Body,
        end: bool,
    },
    Value {
        request: u8,
        from: u32,
        what: u8,
    },
    End {
        request: u8,
        how: u8,
    },
    Peer {
        peer: u32,
        how: u8,
    },
    Reject {
        peer: u32,
        code: u16,
    },
    Wait(u64),
    /// To the instant of the next deadline, before it is handled.
    ToDeadline,
    Deadline,
}

fn body() -> impl Strategy<Value = Body> {
    let records = || prop::collection::vec(0u8..9, 0..6);
    let names = prop::collection::vec((0u8..9, any::<bool>()), 0..4);
    prop_oneof![
        5 => (any::<u8>(), records(), names, any::<bool>())
            .prop_map(|(held, records, names, next)| Body::Found { held, records, names, next }),
        2 => records().prop_map(Body::Records),
        2 => (0u8..6).prop_map(Body::Ill),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let fan_out = prop_oneof![
        2 => (1u16..6).prop_map(FanOut::Fixed),
        1 => Just(FanOut::Hedged),
        1 => Just(FanOut::Adaptive),
    ];
    let search = (1u16..5, fan_out, 1usize..6, 1u64..3000, any::<u8>(), any::<bool>()).prop_map(
        |(wanted, fan_out, limit, millis, local, adaptive)| Step::Search {
            wanted,
            fan_out,
            limit,
            millis,
            local,
            adaptive,
        },
    );
    prop_oneof![
        3 => search,
        3 => (any::<u8>(), 1u64..3000, any::<bool>()).prop_map(|(what, millis, local)| Step::Get { what, millis, local }),
        1 => any::<u8>().prop_map(Step::Cancel),
        8 => (any::<u8>(), prop::bool::weighted(0.9), body(), prop::bool::weighted(0.8))
            .prop_map(|(request, honest_peer, body, end)| Step::Answer { request, honest_peer, body, end }),
        5 => (any::<u8>(), 1u32..12, any::<u8>()).prop_map(|(request, from, what)| Step::Value { request, from, what }),
        3 => (any::<u8>(), any::<u8>()).prop_map(|(request, how)| Step::End { request, how }),
        2 => (1u32..12, any::<u8>()).prop_map(|(peer, how)| Step::Peer { peer, how }),
        1 => (1u32..12, 95u16..105).prop_map(|(peer, code)| Step::Reject { peer, code }),
        2 => (0u64..800).prop_map(Step::Wait),
        1 => Just(Step::ToDeadline),
        1 => Just(Step::Deadline),
    ]
}

/// A rig with a memory of every request that was ever made.
struct Play {
    rig: Rig,
    past: Vec<(RequestId, Request<u32>)>,
    /// Who may have been charged as malformed or forged.
    guilty: Vec<u32>,
    highest: u64,
}

impl Play {
    fn new() -> Self {
        let rig = Rig::new(EngineConfig {
            most_queries: 6,
            most_peers: 8,
            asks_per_peer: 2,
            ..EngineConfig::default()
        });
        Self { rig, past: Vec::new(), guilty: Vec::new(), highest: 0 }
    }

    /// A request: mostly one that is out, sometimes any that ever was, or never.
    fn request(&self, pick: u8) -> Option<(RequestId, Option<Request<u32>>)> {
        let (pick, kind) = (usize::from(pick / 4), pick % 4);
        if kind == 0 {
            let past = self.past.get(pick % self.past.len().max(1))?;
            return Some((past.0, Some(past.1.clone())));
        }
        let out: Vec<_> = self.rig.out.iter().collect();
        match out.get(pick % out.len().max(1)) {
            Some((id, (_, request, _))) => Some((**id, Some(request.clone()))),
            None => Some((RequestId(1000 + u64::from(pick as u8)), None)),
        }
    }

    fn play(&mut self, step: Step) {
        match step {
            Step::Search { wanted, fan_out, limit, millis, local, adaptive } => {
                let settings = QueryConfig {
                    timeout: Duration::from_millis(millis),
                    max_results: 4,
                    adaptive_timeout: adaptive,
                    fan_out,
                    ..config(wanted, 1)
                };
                let pick = usize::from(local % 8);
                let yanked = if local % 3 == 0 { vec![release_id(&WIDGETS[7 - pick])] } else { Vec::new() };
                let releases = if local % 2 == 0 { vec![WIDGETS[pick].clone()] } else { Vec::new() };
                let names = if local % 5 == 0 { vec![name(&WIDGETS[pick], false).key] } else { Vec::new() };
                let local = Local { releases, names, yanked: yanked.clone() };
                let id = self.rig.search_with(Query::text("widget", limit), settings, local);
                for (record, _) in &self.rig.seen[&id].delivered {
                    assert!(!yanked.contains(&release_id(record)), "yanked, and delivered");
                }
            }
            Step::Get { what, millis, local } => {
                let settings = QueryConfig { timeout: Duration::from_millis(millis), ..config(1, 1) };
                let pick = usize::from(what / 3) % 9;
                let (what, held) = match what % 3 {
                    0 => (Lookup::Release(release_id(&WIDGETS[pick])), WIDGETS[pick].clone()),
                    1 => (Lookup::List(package_id("w0")), LISTS[pick % 4].clone()),
                    _ => (Lookup::Latest(package_id("w0")), LISTS[pick % 4].clone()),
                };
                let local = if local { vec![held] } else { Vec::new() };
                let id = self.rig.get_with(what, settings, local.clone());
                let outcome = self.rig.seen[&id].outcome.as_ref().map(|outcome| outcome.outcome);
                // What comes with a query that is refused is not taken in.
                if outcome != Some(Outcome::Failed(Reason::Busy)) {
                    local.iter().for_each(|held| self.saw(held));
                }
            }
            Step::Cancel(pick) => {
                let count = self.rig.seen.len() as u64;
                self.rig.cancel(QueryId(u64::from(pick) % (count + 2)));
            }
            Step::Answer { request, honest_peer, body, end } => self.answer(request, honest_peer, body, end),
            Step::Value { request, from, what } => {
                let Some((id, request)) = self.request(request) else { return };
                let record = if what % 2 == 0 {
                    &WIDGETS[usize::from(what / 2) % 9]
                } else {
                    &LISTS[usize::from(what / 2) % 4]
                };
                match request {
                    Some(Request::GetRecord { key }) if keys::of(record).as_ref() == Some(&key) => {
                        if self.rig.out.contains_key(&id) {
                            self.saw(record);
                        }
                    }
                    _ => self.guilty.push(from),
                }
                self.rig.value(id, from, record);
            }
            Step::End { request, how } => {
                let Some((id, _)) = self.request(request) else { return };
                let ends = [
                    Ok(Done::Looked),
                    Ok(Done::Answered),
                    Err(Failure::Local),
                    Err(Failure::Unreachable),
                    Err(Failure::Unsupported),
                    Err(Failure::TimedOut),
                    Err(Failure::Broken),
                    Err(Failure::Refused(Refusal::Busy)),
                    Err(Failure::Refused(Refusal::NotUnderstood)),
                    Err(Failure::NotFound),
                ];
                let stats =
                    RequestStats { sent: 2, answered: u32::from(how / 50), ..RequestStats::default() };
                let result = ends[usize::from(how) % ends.len()];
                self.rig.event(Event::Finished { id, result, stats });
            }
            Step::Peer { peer, how } => {
                let change = match how % 3 {
                    0 => PeerChange::Up,
                    1 => PeerChange::Down,
                    _ => PeerChange::RoundTrip(Duration::from_millis(u64::from(how))),
                };
                self.rig.event(Event::Peer { peer, change });
            }
            Step::Reject { peer, code } => {
                self.guilty.push(peer);
                self.rig.reject(peer, code);
            }
            Step::Wait(millis) => self.rig.ms(millis),
            Step::ToDeadline => {
                if let Some(deadline) = self.rig.engine.next_deadline() {
                    self.rig.now = self.rig.now.max(deadline);
                }
            }
            Step::Deadline => {
                self.rig.event(Event::Deadline);
            }
        }
    }

    fn saw(&mut self, record: &Checked) {
        if let Some(list) = record.as_list() {
            self.highest = self.highest.max(list.sequence);
        }
    }

    fn answer(&mut self, request: u8, honest_peer: bool, body: Body, end: bool) {
        let Some((id, Some(Request::Ask { peer, question }))) = self.request(request) else { return };
        let from = if honest_peer { peer } else { peer + 1 };
        let to = Question::tag(&question);
        let pick = |picks: &[u8]| picks.iter().map(|pick| &WIDGETS[usize::from(*pick)]).collect::<Vec<_>>();
        let good = match (&body, Question::decode(&question).unwrap()) {
            (Body::Found { .. }, Question::Search { .. }) => true,
            (Body::Records(picks), Question::Records { keys }) => {
                pick(picks).iter().all(|record| keys.contains(&name(record, true).key))
            }
            _ => false,
        };
        let bytes = match body {
            Body::Found { held, records, names, next } => {
                let names = names.into_iter().map(|(pick, held)| name(&WIDGETS[usize::from(pick)], held));
                let next = next.then_some(if held % 2 == 0 { "even" } else { "odd" });
                let body = found_with(u64::from(held), &pick(&records), names.collect(), next);
                Answer { to, body }.encode()
            }
            Body::Records(picks) => Answer { to, body: records(&pick(&picks)) }.encode(),
            Body::Ill(0) => Bytes::from_static(b"noise"),
            Body::Ill(1) => Answer { to: [0; 8], body: found(9, &[&WIDGETS[0]]) }.encode(),
            Body::Ill(2) => Answer { to, body: found(9, &[&OTHER]) }.encode(),
            Body::Ill(3) => Answer { to, body: found(9, &[&LISTS[0]]) }.encode(),
            Body::Ill(4) => {
                Answer { to, body: AnswerBody::Page { statements: Vec::new(), more: false } }.encode()
            }
            Body::Ill(_) => Answer { to, body: found_bytes_broken() }.encode(),
        };
        if !good {
            self.guilty.push(from);
        }
        self.rig.event(Event::Progress { id, from, item: Item::Answer { body: bytes } });
        if end {
            self.rig.end(id, Ok(Done::Answered));
        }
    }

    /// What must hold whatever happened.
    fn check(&mut self) {
        for (id, (_, request, _)) in &self.rig.out {
            if self.past.last().is_none_or(|(last, _)| last < id) {
                self.past.push((*id, request.clone()));
            }
        }
        for charge in self.rig.charges.drain(..) {
            if matches!(charge.cause, Cause::Malformed | Cause::Forged) {
                assert!(self.guilty.contains(&charge.peer), "charged without guilt: {charge:?}");
            }
        }
        for seen in self.rig.seen.values() {
            for (record, _) in &seen.delivered {
                assert!(WIDGETS.contains(record), "delivered what does not match");
            }
        }
        assert!(self.rig.engine.reputation().len() <= 8);
    }
}

fn found_bytes_broken() -> AnswerBody {
    let mut bytes = WIDGETS[0].bytes().to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    AnswerBody::Found {
        held: 9,
        fresh: crate::time::WallTime::EPOCH,
        records: vec![bytes.into()],
        names: Vec::new(),
        next: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 4000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_the_books_are_right(steps in prop::collection::vec(step(), 1..120)) {
        let mut play = Play::new();
        for peer in 1..=5 {
            play.rig.event(Event::Peer { peer, change: PeerChange::Up });
        }
        for step in steps {
            let ended: Vec<QueryId> =
                play.rig.seen.iter().filter(|(_, seen)| seen.outcome.is_some()).map(|(id, _)| *id).collect();
            play.play(step);
            play.check();
            // A list is never older than any that was seen verified before its query ended.
            for (id, seen) in play.rig.seen.iter().filter(|(id, _)| !ended.contains(id)) {
                if let Some(Found::List { list: Some(list), .. }) = seen.outcome.as_ref().map(|o| &o.found) {
                    let sequence = list.as_list().unwrap().sequence;
                    prop_assert_eq!(sequence, play.highest, "{} went back", id);
                }
            }
        }
        play.rig.ms(4000);
        play.check();
        play.rig.assert_idle();
        for seen in play.rig.seen.values() {
            prop_assert!(seen.outcome.is_some());
        }
    }

    #[test]
    fn the_same_sequence_gives_the_same_actions(steps in prop::collection::vec(step(), 1..60)) {
        let run = || {
            let mut play = Play::new();
            for step in steps.clone() {
                play.play(step);
                play.check();
            }
            let outcomes: Vec<Option<(Outcome, usize)>> = (play.rig.seen.values())
                .map(|seen| seen.outcome.as_ref().map(|outcome| (outcome.outcome, outcome.found.len())))
                .collect();
            (play.past, outcomes)
        };
        prop_assert_eq!(run(), run());
    }
}
