//! Faults 4 and 5: what is counted, and how often.

use std::collections::{BTreeSet, VecDeque};

use swarmproof::engine::Histogram;
use swarmproof::network::{Event, Gauges, Limits, Request, RequestId};
use swarmproof::oracle::Oracle;
use swarmproof::registry::Snapshot;
use swarmproof::sim::SimPeer;
use swarmproof::time::Timestamp;

use crate::bed::{Net, Plant};
use crate::hunt::Planted;
use crate::plans;
use crate::tap::{Meddle, tap};

pub fn faults() -> Vec<Planted> {
    vec![
        Planted {
            number: "4",
            sketch: "in-flight counts go down twice and wrap",
            planted: "the network counts its own requests: down when one is cancelled, and again for its query",
            scenario: ("cancelled", plans::CANCELLED),
            oracle: Oracle::NothingLeft,
            plant: || Box::new(GoesDownTwice),
        },
        Planted {
            number: "5a",
            sketch: "a timeout is counted twice",
            planted: "the metrics count each partial query twice",
            scenario: ("silent", plans::SILENT),
            oracle: Oracle::MetricsAddUp,
            plant: || Box::new(CountsTimeoutsTwice),
        },
        Planted {
            number: "5b",
            sketch: "an average is the last value",
            planted: "the metrics hold the longest time of a query as many times as there were queries",
            scenario: ("quiet", plans::QUIET),
            oracle: Oracle::MetricsAddUp,
            plant: || Box::new(AveragesOneValue),
        },
    ]
}

struct GoesDownTwice;

impl Plant for GoesDownTwice {
    fn below(&self, network: Net) -> Net {
        tap(network, Counter::default())
    }
}

#[derive(Default)]
struct Counter {
    open: BTreeSet<RequestId>,
    in_flight: usize,
}

impl Meddle for Counter {
    fn submit(&mut self, net: &mut Net, id: RequestId, request: Request<SimPeer>, limits: Limits) {
        self.open.insert(id);
        self.in_flight = self.in_flight.wrapping_add(1);
        net.submit(id, request, limits);
    }

    fn cancel(&mut self, net: &mut Net, id: RequestId) {
        if self.open.remove(&id) {
            self.in_flight = self.in_flight.wrapping_sub(2);
        }
        net.cancel(id);
    }

    fn event(&mut self, _: Timestamp, event: Event<SimPeer>, out: &mut VecDeque<Event<SimPeer>>) {
        if let Event::Finished { id, .. } = &event
            && self.open.remove(id)
        {
            self.in_flight = self.in_flight.wrapping_sub(1);
        }
        out.push_back(event);
    }

    fn gauges(&self, gauges: Gauges) -> Gauges {
        Gauges { requests: self.in_flight, ..gauges }
    }
}

struct CountsTimeoutsTwice;

impl Plant for CountsTimeoutsTwice {
    fn account(&self, mut snapshot: Snapshot<SimPeer>) -> Snapshot<SimPeer> {
        snapshot.queries_so_far.partial *= 2;
        snapshot
    }
}

struct AveragesOneValue;

impl Plant for AveragesOneValue {
    fn account(&self, mut snapshot: Snapshot<SimPeer>) -> Snapshot<SimPeer> {
        let true_ = &snapshot.queries_so_far.latency;
        let mut one_value = Histogram::default();
        for _ in 0..true_.count() {
            one_value.add(true_.most().unwrap_or(0));
        }
        snapshot.queries_so_far.latency = one_value;
        snapshot
    }
}
