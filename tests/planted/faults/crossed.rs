//! Fault 1: a record found for one query is delivered to every query in flight.

use std::collections::{BTreeSet, VecDeque};

use swarmproof::network::{Event, Limits, Request, RequestId};
use swarmproof::oracle::Oracle;
use swarmproof::registry::{Asked, Observed};
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
            number: "1a",
            sketch: "a record found for one query goes to every query in flight",
            planted: "what a search delivers, every other running search delivers too",
            scenario: ("busy", plans::BUSY),
            oracle: Oracle::OwnAnswers,
            plant: || Box::new(DeliveredToAll),
        },
        Planted {
            number: "1b",
            sketch: "an answer for one request is reported under every other",
            planted: "the network reports each item again under every open question",
            scenario: ("busy", plans::BUSY),
            oracle: Oracle::OwnAnswers,
            plant: || Box::new(ReportedToAll),
        },
    ]
}

struct DeliveredToAll;

impl Plant for DeliveredToAll {
    fn outfit(&self, mut outfit: Outfit<SimPeer>) -> Outfit<SimPeer> {
        let mut running = BTreeSet::new();
        overhear(&mut outfit, move |ear, now, what| {
            match &what {
                Observed::QueryStarted { query, asked: Asked::Search(_), .. } => {
                    running.insert(*query);
                }
                Observed::Finished { outcome } => {
                    running.remove(&outcome.query);
                }
                _ => {}
            }
            ear.tell(now, what);
            if let Observed::Delivered { query, release, from: from @ Some(_) } = what {
                for other in running.iter().filter(|other| **other != query) {
                    ear.tell(now, Observed::Delivered { query: *other, release, from });
                }
            }
        });
        outfit
    }
}

struct ReportedToAll;

impl Plant for ReportedToAll {
    fn below(&self, network: Net) -> Net {
        tap(network, Echo::default())
    }
}

#[derive(Default)]
struct Echo {
    questions: BTreeSet<RequestId>,
}

impl Meddle for Echo {
    fn submit(&mut self, net: &mut Net, id: RequestId, request: Request<SimPeer>, limits: Limits) {
        if matches!(request, Request::Ask { .. }) {
            self.questions.insert(id);
        }
        net.submit(id, request, limits);
    }

    fn cancel(&mut self, net: &mut Net, id: RequestId) {
        self.questions.remove(&id);
        net.cancel(id);
    }

    fn event(&mut self, _: Timestamp, event: Event<SimPeer>, out: &mut VecDeque<Event<SimPeer>>) {
        match &event {
            Event::Progress { id, from, item } => {
                for other in self.questions.iter().filter(|other| *other != id) {
                    out.push_back(Event::Progress { id: *other, from: *from, item: item.clone() });
                }
            }
            Event::Finished { id, .. } => {
                self.questions.remove(id);
            }
            _ => {}
        }
        out.push_back(event);
    }
}
