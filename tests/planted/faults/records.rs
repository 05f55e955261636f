//! Faults 10 and 13: which records are believed.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use swarmproof::engine::Found;
use swarmproof::message::{Answer, AnswerBody};
use swarmproof::network::{Event, Item};
use swarmproof::oracle::Oracle;
use swarmproof::package::PackageId;
use swarmproof::record::{Checked, Verifier};
use swarmproof::registry::Observed;
use swarmproof::scenario::Outfit;
use swarmproof::sim::SimPeer;
use swarmproof::time::Timestamp;

use crate::bed::Plant;
use crate::hunt::Planted;
use crate::plans;
use crate::tap::{Meddle, overhear, tap};

pub fn faults() -> Vec<Planted> {
    vec![
        Planted {
            number: "10",
            sketch: "duplicates are judged by id alone, so an old copy hides a new one",
            planted: "of a package's lists the one that came last is told, whatever its sequence",
            scenario: ("rollback", plans::ROLLBACK),
            oracle: Oracle::NoRollback,
            plant: || Box::new(TellsTheLast),
        },
        Planted {
            number: "13a",
            sketch: "unsigned records",
            planted: "the engine takes records in answers without looking at their signatures",
            scenario: ("unsigned", plans::UNSIGNED),
            oracle: Oracle::Authentic,
            plant: || Box::new(BelievesAnswers),
        },
        Planted {
            number: "13b",
            sketch: "announcements are stored unverified",
            planted: "announcements are altered on the way, and stored without looking at their signatures",
            scenario: ("publishing", plans::PUBLISHING),
            oracle: Oracle::Authentic,
            plant: || Box::new(BelievesAnnouncements),
        },
    ]
}

struct TellsTheLast;

impl Plant for TellsTheLast {
    fn outfit(&self, mut outfit: Outfit<SimPeer>) -> Outfit<SimPeer> {
        let verifier = outfit.config.verifier.clone();
        let mut last: BTreeMap<PackageId, Checked> = BTreeMap::new();
        overhear(&mut outfit, move |ear, now, what| match what {
            Observed::Received { item: Item::Record { value }, .. } => {
                if let Ok(record) = verifier.check(value)
                    && let Some(list) = record.as_list()
                {
                    last.insert(list.package.clone(), record.clone());
                }
                ear.tell(now, what);
            }
            Observed::Finished { outcome } => {
                let mut told = outcome.clone();
                if let Found::List { list: Some(list), .. } = &mut told.found
                    && let Some(other) = list.as_list().and_then(|list| last.get(&list.package))
                {
                    *list = other.clone();
                }
                ear.tell(now, Observed::Finished { outcome: &told });
            }
            what => ear.tell(now, what),
        });
        outfit
    }
}

struct BelievesAnswers;

impl Plant for BelievesAnswers {
    fn outfit(&self, mut outfit: Outfit<SimPeer>) -> Outfit<SimPeer> {
        outfit.network = tap(outfit.network, Credulous(outfit.config.verifier.clone()));
        outfit
    }
}

struct Credulous(Verifier);

impl Meddle for Credulous {
    fn event(&mut self, _: Timestamp, event: Event<SimPeer>, out: &mut VecDeque<Event<SimPeer>>) {
        if let Event::Progress { item: Item::Answer { body }, .. } = &event
            && let Ok(Answer { body: AnswerBody::Found { records, .. }, .. }) = Answer::decode(body)
        {
            for record in &records {
                // Everything but the signature is checked, and the verdict remembered.
                drop(self.0.recall(record));
            }
        }
        out.push_back(event);
    }
}

struct BelievesAnnouncements;

impl Plant for BelievesAnnouncements {
    fn outfit(&self, mut outfit: Outfit<SimPeer>) -> Outfit<SimPeer> {
        outfit.network = tap(outfit.network, Altered(outfit.config.verifier.clone()));
        outfit
    }
}

struct Altered(Verifier);

impl Altered {
    /// `payload` with one bit changed where that leaves a record, but for its signature.
    fn alter(&self, payload: &Bytes) -> Option<Bytes> {
        (0..payload.len()).rev().find_map(|at| {
            let mut altered = payload.to_vec();
            altered[at] ^= 1;
            self.0.recall(&altered).is_ok().then(|| altered.into())
        })
    }
}

impl Meddle for Altered {
    fn event(&mut self, _: Timestamp, event: Event<SimPeer>, out: &mut VecDeque<Event<SimPeer>>) {
        out.push_back(match event {
            Event::Announcement { from, topic, payload } => {
                let payload = self.alter(&payload).unwrap_or(payload);
                Event::Announcement { from, topic, payload }
            }
            event => event,
        });
    }
}
