//! Faults 7, 8 and 11: settings that nobody reads, and limits that are counted wrongly.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use swarmproof::engine::{FanOut, Found, Outcome, QueryConfig, QueryId};
use swarmproof::network::{Event, Limits, Network as _, Request, RequestId};
use swarmproof::oracle::Oracle;
use swarmproof::package::Query;
use swarmproof::record::{Checked, Record, keys};
use swarmproof::registry::{Asked, Behalf, Observed};
use swarmproof::scenario::Outfit;
use swarmproof::sim::SimPeer;
use swarmproof::time::Timestamp;

use crate::bed::{Net, Plant};
use crate::hunt::Planted;
use crate::plans;
use crate::tap::{Ear, Meddle, open, overhear, tap};

pub fn faults() -> Vec<Planted> {
    vec![
        Planted {
            number: "7",
            sketch: "every known package is looked up, whatever the query asks",
            planted: "with its first question a search also looks up every package of the catalogue in the DHT",
            scenario: ("many", plans::MANY),
            oracle: Oracle::WithinLimits,
            plant: || Box::new(Also::LooksEverythingUp),
        },
        Planted {
            number: "8",
            sketch: "results are counted towards the limit before they are filtered, and cut in hash order",
            planted: "an outcome is the first results of all that is known, by digest, and of these what matches",
            scenario: ("quiet", plans::QUIET),
            oracle: Oracle::Recall,
            plant: || Box::new(CountsBeforeFiltering),
        },
        Planted {
            number: "11a",
            sketch: "fan_out is configured and never read",
            planted: "the engine asks sixteen at once, whatever the registry was configured with",
            scenario: ("many", plans::MANY),
            oracle: Oracle::WithinLimits,
            plant: || Box::new(NeverReadsFanOut),
        },
        Planted {
            number: "11b",
            sketch: "the parallel query asks the same question three times",
            planted: "each question goes to its peer three times",
            scenario: ("many", plans::MANY),
            oracle: Oracle::WithinLimits,
            plant: || Box::new(Also::AsksThreeTimes),
        },
    ]
}

/// Requests of the registry's that are none of the engine's own.
const OWN: u64 = 1 << 62;

/// What a registry sends beside what its engine wants.
enum Also {
    LooksEverythingUp,
    AsksThreeTimes,
}

type Queries = Arc<Mutex<BTreeMap<RequestId, QueryId>>>;

impl Plant for Also {
    fn outfit(&self, mut outfit: Outfit<SimPeer>) -> Outfit<SimPeer> {
        let known = match self {
            Self::AsksThreeTimes => None,
            Self::LooksEverythingUp => {
                let statements = outfit.config.catalogue.statements();
                let key = |(_, record): &(_, Checked)| {
                    record.as_release().map(|it| keys::release(&it.package.release))
                };
                Some(statements.iter().filter_map(key).collect())
            }
        };
        let queries = Queries::default();
        let noted = queries.clone();
        let ear = overhear(&mut outfit, move |ear, now, what| {
            if let Observed::Submitted { request, behalf: Behalf::Query(query), .. } = what {
                open(&noted).insert(request, query);
            }
            ear.tell(now, what);
        });
        outfit.network = tap(
            outfit.network,
            More { known, queries, ear, begun: BTreeSet::new(), twins: BTreeMap::new(), next: OWN },
        );
        outfit
    }
}

/// Sends more for each question of a query.
struct More {
    /// The keys to look up; otherwise the question is repeated.
    known: Option<Vec<Bytes>>,
    queries: Queries,
    ear: Ear,
    begun: BTreeSet<QueryId>,
    twins: BTreeMap<RequestId, Vec<RequestId>>,
    next: u64,
}

impl More {
    fn send(
        &mut self,
        net: &mut Net,
        query: QueryId,
        request: Request<SimPeer>,
        limits: Limits,
    ) -> RequestId {
        let id = RequestId(self.next);
        self.next += 1;
        let behalf = Behalf::Query(query);
        self.ear.tell(net.now(), Observed::Submitted { request: id, behalf, what: &request, limits });
        net.submit(id, request, limits);
        id
    }
}

impl Meddle for More {
    fn submit(&mut self, net: &mut Net, id: RequestId, request: Request<SimPeer>, limits: Limits) {
        let query = open(&self.queries).get(&id).copied();
        let asks = matches!(request, Request::Ask { .. });
        net.submit(id, request.clone(), limits);
        let Some(query) = query.filter(|_| asks) else { return };
        match self.known.clone() {
            Some(keys) => {
                if self.begun.insert(query) {
                    for key in keys {
                        self.send(net, query, Request::GetRecord { key }, limits);
                    }
                }
            }
            None => {
                let twins = [0; 2].map(|_| self.send(net, query, request.clone(), limits));
                self.twins.insert(id, twins.to_vec());
            }
        }
    }

    fn cancel(&mut self, net: &mut Net, id: RequestId) {
        net.cancel(id);
        for twin in self.twins.remove(&id).into_iter().flatten() {
            net.cancel(twin);
            self.ear.tell(net.now(), Observed::Cancelled { request: twin });
        }
    }

    fn event(&mut self, _: Timestamp, event: Event<SimPeer>, out: &mut VecDeque<Event<SimPeer>>) {
        match &event {
            Event::Progress { id, .. } | Event::Finished { id, .. } if id.0 & OWN != 0 && id.0 >> 63 == 0 => {
            }
            _ => out.push_back(event),
        }
    }
}

struct CountsBeforeFiltering;

impl Plant for CountsBeforeFiltering {
    fn outfit(&self, mut outfit: Outfit<SimPeer>) -> Outfit<SimPeer> {
        let mut known: BTreeMap<[u8; 32], Checked> = BTreeMap::new();
        let mut searches: BTreeMap<QueryId, (Query, usize)> = BTreeMap::new();
        overhear(&mut outfit, move |ear, now, what| match what {
            Observed::QueryStarted { query, asked: Asked::Search(asked), config } => {
                searches.insert(query, (asked.clone(), asked.limit.min(config.max_results)));
                ear.tell(now, what);
            }
            Observed::Learned { record, .. } => {
                if let Record::Release(release) = &**record {
                    known.insert(release.digest.0, record.clone());
                }
                ear.tell(now, what);
            }
            Observed::Finished { outcome } => {
                let mut told = outcome.clone();
                if let (Some((query, limit)), Found::Releases(found), false) =
                    (searches.remove(&outcome.query), &outcome.found, outcome.outcome == Outcome::Cancelled)
                {
                    let mut pool = known.clone();
                    for record in found {
                        pool.insert(record.digest().0, record.clone());
                    }
                    let matches = |record: &Checked| {
                        record.as_release().is_some_and(|release| query.matches(&release.package))
                    };
                    told.found = Found::Releases(pool.into_values().take(limit).filter(matches).collect());
                }
                ear.tell(now, Observed::Finished { outcome: &told });
            }
            what => ear.tell(now, what),
        });
        outfit
    }
}

struct NeverReadsFanOut;

impl Plant for NeverReadsFanOut {
    fn outfit(&self, mut outfit: Outfit<SimPeer>) -> Outfit<SimPeer> {
        let configured = outfit.config.query.fan_out;
        outfit.config.query.fan_out = FanOut::Fixed(16);
        overhear(&mut outfit, move |ear, now, what| match what {
            Observed::QueryStarted { query, asked, config } => {
                let config = QueryConfig { fan_out: configured, ..config.clone() };
                ear.tell(now, Observed::QueryStarted { query, asked, config: &config });
            }
            what => ear.tell(now, what),
        });
        outfit
    }
}
