//! Faults 9 and 14: who is charged, who is known.

use std::collections::VecDeque;

use swarmproof::engine::{Cause, Charge};
use swarmproof::network::{Event, Failure, Network as _};
use swarmproof::oracle::Oracle;
use swarmproof::registry::{Observed, Snapshot};
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
            number: "9a",
            sketch: "reputation goes to the local peer",
            planted: "every charge names the registry's own node",
            scenario: ("quiet", plans::QUIET),
            oracle: Oracle::FairReputation,
            plant: || Box::new(ChargesItself),
        },
        Planted {
            number: "9b",
            sketch: "reputation goes to an unauthenticated publisher field",
            planted: "an answer is charged to another peer than the one that gave it",
            scenario: ("quiet", plans::QUIET),
            oracle: Oracle::FairReputation,
            plant: || Box::new(ChargesAnother),
        },
        Planted {
            number: "9c",
            sketch: "not found counts as failure",
            planted: "a lookup that finds nothing is charged as broken to the peer that was last heard of",
            scenario: ("quiet", plans::QUIET),
            oracle: Oracle::FairReputation,
            plant: || Box::new(ChargesForNothing),
        },
        Planted {
            number: "9d",
            sketch: "strangers start with full marks",
            planted: "a peer with the neutral score is given 1",
            scenario: ("many", plans::MANY),
            oracle: Oracle::FairReputation,
            plant: || Box::new(TrustsStrangers),
        },
        Planted {
            number: "14",
            sketch: "bootstrap addresses are filed under one's own peer id",
            planted: "news of any peer names the registry's own node",
            scenario: ("quiet", plans::QUIET),
            oracle: Oracle::Recall,
            plant: || Box::new(KnowsOnlyItself),
        },
    ]
}

struct ChargesItself;

impl Plant for ChargesItself {
    fn outfit(&self, mut outfit: Outfit<SimPeer>) -> Outfit<SimPeer> {
        let own = outfit.network.local_peer();
        overhear(&mut outfit, move |ear, now, what| match what {
            Observed::Charged(charge) => ear.tell(now, Observed::Charged(Charge { peer: own, ..charge })),
            what => ear.tell(now, what),
        });
        outfit
    }
}

struct ChargesAnother;

impl Plant for ChargesAnother {
    fn outfit(&self, mut outfit: Outfit<SimPeer>) -> Outfit<SimPeer> {
        overhear(&mut outfit, move |ear, now, what| match what {
            Observed::Charged(charge) => {
                // The network has at least this many peers beside the registries.
                let peer = SimPeer(2 + (charge.peer.0 + 1) % 8);
                ear.tell(now, Observed::Charged(Charge { peer, ..charge }));
            }
            what => ear.tell(now, what),
        });
        outfit
    }
}

struct ChargesForNothing;

impl Plant for ChargesForNothing {
    fn outfit(&self, mut outfit: Outfit<SimPeer>) -> Outfit<SimPeer> {
        let mut last = None;
        overhear(&mut outfit, move |ear, now, what| {
            ear.tell(now, what);
            match what {
                Observed::Received { from, .. } => last = Some(from),
                Observed::Ended { request, result: Err(Failure::NotFound), .. } => {
                    if let Some(peer) = last {
                        let charge = Charge { peer, cause: Cause::Broken, request: Some(request) };
                        ear.tell(now, Observed::Charged(charge));
                    }
                }
                _ => {}
            }
        });
        outfit
    }
}

struct TrustsStrangers;

impl Plant for TrustsStrangers {
    fn account(&self, mut snapshot: Snapshot<SimPeer>) -> Snapshot<SimPeer> {
        for known in snapshot.peers.iter_mut().filter(|known| (known.score - 0.5).abs() < 1e-9) {
            known.score = 1.0;
        }
        snapshot
    }
}

struct KnowsOnlyItself;

impl Plant for KnowsOnlyItself {
    fn below(&self, network: Net) -> Net {
        let own = network.local_peer();
        tap(network, Misfiled(own))
    }
}

struct Misfiled(SimPeer);

impl Meddle for Misfiled {
    fn event(&mut self, _: Timestamp, event: Event<SimPeer>, out: &mut VecDeque<Event<SimPeer>>) {
        out.push_back(match event {
            Event::Peer { change, .. } => Event::Peer { peer: self.0, change },
            event => event,
        });
    }
}
