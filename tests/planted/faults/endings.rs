//! Faults 2, 3, 6, 12, 15, and the timeout of 11: how things end, and when that is noticed.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use swarmproof::engine::{Found, Outcome};
use swarmproof::network::{Event, Limits, Request, RequestId};
use swarmproof::oracle::Oracle;
use swarmproof::registry::Observed;
use swarmproof::scenario::Outfit;
use swarmproof::sim::SimPeer;
use swarmproof::time::Timestamp;

use crate::bed::{Net, Plant};
use crate::hunt::Planted;
use crate::plans;
use crate::tap::{Meddle, overhear, tap};

pub fn faults() -> Vec<Planted> {
    vec![
        Planted {
            number: "2",
            sketch: "a query never notices that nothing is outstanding and waits out its timeout",
            planted: "the registry hears of the end of a question only at the question's deadline",
            scenario: ("quiet", plans::QUIET),
            oracle: Oracle::EndsOnce,
            plant: || Box::new(WaitsItOut),
        },
        Planted {
            number: "3",
            sketch: "results collected before a timeout are lost with the cancelled future",
            planted: "a query that its deadline ends tells an outcome without results",
            scenario: ("silent", plans::SILENT),
            oracle: Oracle::Recall,
            plant: || Box::new(LosesAtTheDeadline),
        },
        Planted {
            number: "6",
            sketch: "events are drained by a 10 ms poll",
            planted: "the network is looked at every 10 ms and not when something comes",
            scenario: ("quiet", plans::QUIET),
            oracle: Oracle::EndsOnce,
            plant: || Box::new(PollsOnATimer),
        },
        Planted {
            number: "11c",
            sketch: "extending a timeout can shorten it",
            planted: "the network is told a tenth of the time that was granted",
            scenario: ("silent", plans::SILENT),
            oracle: Oracle::EndsOnce,
            plant: || Box::new(ShortensTimeouts),
        },
        Planted {
            number: "12",
            sketch: "a caller that gives up leaves the DHT query running",
            planted: "a cancelled request is not cancelled at the network; what still comes is thrown away",
            scenario: ("cancelled", plans::CANCELLED),
            oracle: Oracle::EndsOnce,
            plant: || Box::new(NeverCancels),
        },
        Planted {
            number: "15",
            sketch: "a request is registered after it was sent, so a fast answer is lost",
            planted: "what comes for a request within 2 ms of its submit is not expected, and dropped",
            scenario: ("quiet", plans::QUIET),
            oracle: Oracle::EndsOnce,
            plant: || Box::new(RegistersLate),
        },
    ]
}

struct WaitsItOut;

impl Plant for WaitsItOut {
    fn outfit(&self, mut outfit: Outfit<SimPeer>) -> Outfit<SimPeer> {
        outfit.network = tap(outfit.network, HeldBack::default());
        outfit
    }
}

#[derive(Default)]
struct HeldBack {
    questions: BTreeMap<RequestId, Timestamp>,
    held: BTreeMap<(Timestamp, RequestId), Event<SimPeer>>,
}

impl Meddle for HeldBack {
    fn submit(&mut self, net: &mut Net, id: RequestId, request: Request<SimPeer>, limits: Limits) {
        if matches!(request, Request::Ask { .. }) {
            self.questions.insert(id, limits.deadline);
        }
        net.submit(id, request, limits);
    }

    fn cancel(&mut self, net: &mut Net, id: RequestId) {
        self.questions.remove(&id);
        self.held.retain(|(_, held), _| *held != id);
        net.cancel(id);
    }

    fn event(&mut self, _: Timestamp, event: Event<SimPeer>, out: &mut VecDeque<Event<SimPeer>>) {
        if let Event::Finished { id, .. } = &event
            && let Some(deadline) = self.questions.remove(id)
        {
            self.held.insert((deadline, *id), event);
        } else {
            out.push_back(event);
        }
    }

    fn due(&self) -> Option<Timestamp> {
        self.held.first_key_value().map(|((at, _), _)| *at)
    }

    fn ripe(&mut self, now: Timestamp, out: &mut VecDeque<Event<SimPeer>>) {
        while let Some(first) = self.held.first_entry().filter(|first| first.key().0 <= now) {
            out.push_back(first.remove());
        }
    }
}

struct LosesAtTheDeadline;

impl Plant for LosesAtTheDeadline {
    fn outfit(&self, mut outfit: Outfit<SimPeer>) -> Outfit<SimPeer> {
        overhear(&mut outfit, |ear, now, what| match what {
            Observed::Finished { outcome } if matches!(outcome.outcome, Outcome::Partial(missing) if missing.deadline) =>
            {
                let mut lost = outcome.clone();
                lost.found = Found::Releases(Vec::new());
                ear.tell(now, Observed::Finished { outcome: &lost });
            }
            what => ear.tell(now, what),
        });
        outfit
    }
}

struct PollsOnATimer;

impl Plant for PollsOnATimer {
    fn below(&self, network: Net) -> Net {
        tap(network, Drained::default())
    }
}

/// The end of the poll's interval in which `now` lies.
fn next_poll(now: Timestamp) -> Timestamp {
    const EVERY: u64 = 10_000_000;
    Timestamp::from_nanos(now.as_nanos().div_ceil(EVERY) * EVERY)
}

#[derive(Default)]
struct Drained {
    waiting: VecDeque<Event<SimPeer>>,
    next: Option<Timestamp>,
}

impl Meddle for Drained {
    fn cancel(&mut self, net: &mut Net, id: RequestId) {
        self.waiting.retain(|event| {
            !matches!(event, Event::Progress { id: of, .. } | Event::Finished { id: of, .. } if *of == id)
        });
        net.cancel(id);
    }

    fn event(&mut self, now: Timestamp, event: Event<SimPeer>, _: &mut VecDeque<Event<SimPeer>>) {
        self.waiting.push_back(event);
        self.next = Some(next_poll(now));
    }

    fn due(&self) -> Option<Timestamp> {
        self.next.filter(|_| !self.waiting.is_empty())
    }

    fn ripe(&mut self, now: Timestamp, out: &mut VecDeque<Event<SimPeer>>) {
        if self.next.is_some_and(|next| next <= now) {
            out.append(&mut self.waiting);
            self.next = None;
        }
    }
}

struct ShortensTimeouts;

impl Plant for ShortensTimeouts {
    fn outfit(&self, mut outfit: Outfit<SimPeer>) -> Outfit<SimPeer> {
        outfit.network = tap(outfit.network, Shortened);
        outfit
    }
}

struct Shortened;

impl Meddle for Shortened {
    fn submit(&mut self, net: &mut Net, id: RequestId, request: Request<SimPeer>, mut limits: Limits) {
        let now = net.now();
        limits.deadline = now.after(limits.deadline.since(now) / 10);
        net.submit(id, request, limits);
    }
}

struct NeverCancels;

impl Plant for NeverCancels {
    fn outfit(&self, mut outfit: Outfit<SimPeer>) -> Outfit<SimPeer> {
        outfit.network = tap(outfit.network, Unheard::default());
        outfit
    }
}

#[derive(Default)]
struct Unheard {
    given_up: BTreeSet<RequestId>,
}

impl Meddle for Unheard {
    fn cancel(&mut self, _: &mut Net, id: RequestId) {
        self.given_up.insert(id);
    }

    fn event(&mut self, _: Timestamp, event: Event<SimPeer>, out: &mut VecDeque<Event<SimPeer>>) {
        match &event {
            Event::Progress { id, .. } if self.given_up.contains(id) => {}
            Event::Finished { id, .. } if self.given_up.remove(id) => {}
            _ => out.push_back(event),
        }
    }
}

struct RegistersLate;

impl Plant for RegistersLate {
    fn outfit(&self, mut outfit: Outfit<SimPeer>) -> Outfit<SimPeer> {
        outfit.network = tap(outfit.network, Unregistered::default());
        outfit
    }
}

/// How long after the submit a request is in the map.
const REGISTERED_AFTER: Duration = Duration::from_millis(2);

#[derive(Default)]
struct Unregistered {
    submitted: BTreeMap<RequestId, Timestamp>,
}

impl Meddle for Unregistered {
    fn submit(&mut self, net: &mut Net, id: RequestId, request: Request<SimPeer>, limits: Limits) {
        if matches!(request, Request::Ask { .. }) {
            self.submitted.insert(id, net.now());
        }
        net.submit(id, request, limits);
    }

    fn event(&mut self, now: Timestamp, event: Event<SimPeer>, out: &mut VecDeque<Event<SimPeer>>) {
        let early = match &event {
            Event::Progress { id, .. } | Event::Finished { id, .. } => {
                self.submitted.get(id).is_some_and(|submitted| now.since(*submitted) < REGISTERED_AFTER)
            }
            _ => false,
        };
        if !early {
            out.push_back(event);
        }
    }
}
