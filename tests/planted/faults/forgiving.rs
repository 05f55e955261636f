//! Beyond the sketch: what shows only when everything is well again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use swarmproof::network::{Event, Failure, Limits, Request, RequestId};
use swarmproof::oracle::Oracle;
use swarmproof::sim::SimPeer;
use swarmproof::time::Timestamp;

use crate::bed::{Net, Plant};
use crate::hunt::Planted;
use crate::plans;
use crate::tap::{Meddle, tap};

pub fn faults() -> Vec<Planted> {
    vec![Planted {
        number: "16",
        sketch: "beyond the sketch: who failed once is never reached again",
        planted: "the network fails every question to a peer that has failed before, without sending it",
        scenario: ("cut", plans::CUT),
        oracle: Oracle::Liveness,
        plant: || Box::new(NeverForgives),
    }]
}

struct NeverForgives;

impl Plant for NeverForgives {
    fn below(&self, network: Net) -> Net {
        tap(network, Grudge::default())
    }
}

#[derive(Default)]
struct Grudge {
    asked: BTreeMap<RequestId, SimPeer>,
    failed: BTreeSet<SimPeer>,
    refused: BTreeSet<RequestId>,
}

impl Meddle for Grudge {
    fn submit(&mut self, net: &mut Net, id: RequestId, request: Request<SimPeer>, mut limits: Limits) {
        if let Request::Ask { peer, .. } = &request {
            self.asked.insert(id, *peer);
            if self.failed.contains(peer) {
                self.refused.insert(id);
                limits.deadline = net.now();
            }
        }
        net.submit(id, request, limits);
    }

    fn event(&mut self, _: Timestamp, event: Event<SimPeer>, out: &mut VecDeque<Event<SimPeer>>) {
        let Event::Finished { id, result, stats } = event else { return out.push_back(event) };
        let Some(peer) = self.asked.remove(&id) else {
            return out.push_back(Event::Finished { id, result, stats });
        };
        let refused = self.refused.remove(&id);
        if matches!(result, Err(Failure::Unreachable | Failure::TimedOut | Failure::Broken)) {
            self.failed.insert(peer);
        }
        let result = if refused { Err(Failure::Unreachable) } else { result };
        out.push_back(Event::Finished { id, result, stats });
    }
}
