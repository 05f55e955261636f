//! The operations of a plan: each workload's times, actors and questions, drawn apart from one another.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::packages;
use super::joining::Joining;
use super::types::{Act, Operation};
use crate::package::{PackageName, Version, tokens};
use crate::scenario::draw::{Concern, Draws, scaled};
use crate::scenario::file::bounds::MAX_OPERATIONS;
use crate::scenario::file::model::{Scenario, When, Work, Workload};
use crate::scenario::listing::{Listing, cut};
use crate::scenario::synthetic::Synthetic;
use crate::scenario::units::Span;
use crate::scenario::words::{By, Wanted};
use crate::testbed::NodeId;

/// How long after its publication something may be asked for as new.
const SETTLED: Duration = Duration::from_secs(10);

/// All operations, in the order of time; of the same time, in the order of the workloads.
pub(super) fn operations(
    scenario: &Scenario,
    seed: u64,
    listings: &[Listing],
    joining: &[Joining],
) -> Vec<Operation> {
    let mut maker = Maker {
        scenario,
        seed,
        listings,
        packages: packages(listings),
        synthetic: Synthetic::new(seed),
        late: joining.iter().filter(|it| it.registry).map(|it| (it.node, it.at)).collect(),
        published: Vec::new(),
    };
    let mut all: Vec<(Duration, NodeId, Act)> = joining.iter().map(Joining::act).collect();
    // Publications first: yanks and searches for what is new refer to them.
    let is_publish = |workload: &&(u64, &Workload)| matches!(workload.1.what, Work::Publish { .. });
    let is_join = |workload: &&(u64, &Workload)| matches!(workload.1.what, Work::Join { .. });
    let known = identities(&scenario.workloads);
    for (identity, workload) in known.iter().filter(is_publish) {
        maker.publish(*identity, workload, &mut all);
    }
    maker.published.sort_by_key(|published| (published.at, published.node));
    for (identity, workload) in known.iter().filter(|item| !is_publish(item) && !is_join(item)) {
        maker.others(*identity, workload, &mut all);
    }
    all.sort_by_key(|(at, ..)| *at);
    let numbered = all.into_iter().zip(0..);
    numbered.map(|((at, node, what), number)| Operation { at: Span(at), number, node, what }).collect()
}

/// The times of a workload's operations.
pub(super) fn times(seed: u64, identity: u64, when: When) -> Vec<Duration> {
    match when {
        When::At { at, count } => vec![at; count as usize],
        When::Rate { rate, from, until, even } => {
            let mean = Duration::from_secs_f64((1.0 / rate).min(1e9));
            let mut times = Vec::new();
            let mut at = from;
            let mut n = 0;
            while n < MAX_OPERATIONS {
                at = match even {
                    true => from.saturating_add(scaled(Duration::from_secs(1), n as f64 / rate)),
                    false => {
                        let mut draws = Draws::new(seed, Concern::Schedule, [identity, n]);
                        at.saturating_add(draws.exponential(mean))
                    }
                };
                if at >= until {
                    break;
                }
                times.push(at);
                n += 1;
            }
            times
        }
    }
}

/// Each workload with its identity: what it does, and the how-many-th of that it is. So another one behind it,
/// or of another kind anywhere, leaves its draws as they were.
fn identities(workloads: &[Workload]) -> Vec<(u64, &Workload)> {
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    let identity = |workload: &Workload| match &workload.what {
        Work::Search { cancel_after: None, .. } => 1,
        Work::Search { .. } => 2,
        Work::Get { .. } => 3,
        Work::Versions { .. } => 4,
        Work::Publish { .. } => 5,
        Work::Yank { .. } => 6,
        Work::Join { .. } => 7,
    };
    let numbered = workloads.iter().map(|workload| {
        let kind = identity(workload);
        let count = counts.entry(kind).or_default();
        *count += 1;
        (kind << 32 | *count, workload)
    });
    numbered.collect()
}

/// What is published during the run.
struct Published {
    at: Duration,
    node: NodeId,
    listing: Listing,
}

struct Maker<'s> {
    scenario: &'s Scenario,
    seed: u64,
    listings: &'s [Listing],
    packages: Vec<&'s Listing>,
    synthetic: Synthetic,
    /// Registries that join late: node and time, by number.
    late: Vec<(NodeId, Duration)>,
    published: Vec<Published>,
}

impl<'s> Maker<'s> {
    /// The node of this registry, or of a drawn one; `None` when it has not joined by then.
    fn actor(&self, identity: u64, n: u64, registry: Option<u32>, at: Duration) -> Option<(NodeId, u32)> {
        let starting = self.scenario.network.registries;
        let registry = registry.unwrap_or_else(|| {
            let drawn = Draws::new(self.seed, Concern::Actor, [identity, n]).below(u64::from(starting));
            u32::try_from(drawn).unwrap_or(0)
        });
        match registry.checked_sub(starting) {
            None => Some((NodeId(registry), registry)),
            Some(late) => {
                let (node, joined) = self.late.get(late as usize)?;
                (*joined <= at).then_some((*node, registry))
            }
        }
    }

    fn publish(&mut self, identity: u64, workload: &Workload, all: &mut Vec<(Duration, NodeId, Act)>) {
        let Work::Publish { registry, packages, large } = &workload.what else { return };
        let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
        for (at, n) in times(self.seed, identity, workload.when).into_iter().zip(0..) {
            let Some((node, actor)) = self.actor(identity, n, *registry, at) else { continue };
            let count = counts.entry(actor).or_default();
            let (package, release) = match packages {
                0 => (*count, 0),
                names => (*count % u64::from(*names), *count / u64::from(*names)),
            };
            *count += 1;
            let publisher = self.scenario.catalogue.publishers.saturating_add(actor);
            // One number for each workload, registry and package: names are never shared.
            let ordinal = (identity & 0xff) << 24 | (u64::from(actor) & 0x3ff) << 14 | (package & 0x3fff);
            let Some(listing) = self.synthetic.during(ordinal, release, publisher, *large) else { continue };
            self.published.push(Published { at, node, listing: listing.clone() });
            all.push((at, node, Act::Publish(listing)));
        }
    }

    fn others(&mut self, identity: u64, workload: &Workload, all: &mut Vec<(Duration, NodeId, Act)>) {
        let mut yanked: BTreeSet<usize> = BTreeSet::new();
        for (at, n) in times(self.seed, identity, workload.when).into_iter().zip(0..) {
            let mut draws = Draws::new(self.seed, Concern::Question, [identity, n]);
            let made = match &workload.what {
                Work::Search { registry, limit, by, text, cancel_after } => {
                    let limit = limit.unwrap_or_else(|| {
                        u32::try_from(self.scenario.registry.query.max_results).unwrap_or(u32::MAX)
                    });
                    let question = self.question(*by, text.as_deref(), at, &mut draws);
                    self.actor(identity, n, *registry, at).map(|(node, _)| {
                        let cancel_after = cancel_after.map(Span);
                        let (text, categories, tags) = question;
                        (node, Act::Search { text, categories, tags, limit, cancel_after })
                    })
                }
                Work::Get { registry, what } => {
                    let act = self.get(*what, &mut draws);
                    self.actor(identity, n, *registry, at).map(|(node, _)| node).zip(act)
                }
                Work::Versions { registry, package } => {
                    let at_package =
                        package.map_or_else(|| draws.index(self.packages.len()), |package| package as usize);
                    let act = self.packages.get(at_package).map(|listing| Act::Versions {
                        publisher: listing.publisher,
                        name: listing.name.clone(),
                    });
                    self.actor(identity, n, *registry, at).map(|(node, _)| node).zip(act)
                }
                Work::Yank { age } => self.yank(*age, at, &mut yanked, &mut draws),
                Work::Publish { .. } | Work::Join { .. } => None,
            };
            all.extend(made.map(|(node, act)| (at, node, act)));
        }
    }

    /// Words, categories and tags to look for.
    fn question(
        &self,
        by: By,
        text: Option<&str>,
        at: Duration,
        draws: &mut Draws,
    ) -> (String, Vec<String>, Vec<String>) {
        if let Some(text) = text {
            return (text.to_owned(), Vec::new(), Vec::new());
        }
        let by = match by {
            By::Mixed => match draws.below(100) {
                0..40 => By::Word,
                40..65 => By::Words,
                65..75 => By::Category,
                75..90 => By::Tag,
                90..95 => By::Name,
                _ => By::Missing,
            },
            by => by,
        };
        let settled = self.published.partition_point(|published| published.at.saturating_add(SETTLED) <= at);
        let fresh = self.published.get(draws.index(settled)).filter(|_| by == By::New && settled > 0);
        let drawn = self.listings.get(draws.index(self.listings.len()));
        let Some(listing) = fresh.map(|published| &published.listing).or(drawn) else {
            return ("nothing".to_owned(), Vec::new(), Vec::new());
        };
        let words: Vec<String> =
            tokens(&listing.title).chain(listing.tags.iter().flat_map(|tag| tokens(tag))).collect();
        let word = |draws: &mut Draws| match words.get(draws.index(words.len())) {
            Some(word) => word.clone(),
            None => listing.name.to_string(),
        };
        let only =
            |text: String| (cut(&text, crate::package::Query::MAX_TEXT).to_owned(), Vec::new(), Vec::new());
        match by {
            By::Category if !listing.categories.is_empty() => {
                let category = listing.categories.get(draws.index(listing.categories.len())).cloned();
                (String::new(), category.into_iter().collect(), Vec::new())
            }
            By::Tag if !listing.tags.is_empty() => {
                let tag = listing.tags.get(draws.index(listing.tags.len())).cloned();
                (String::new(), Vec::new(), tag.into_iter().collect())
            }
            By::Name | By::New => only(listing.name.to_string()),
            By::Missing => only(format!("qq{:x}", draws.bits())),
            By::Words => {
                let (first, second) = (word(draws), word(draws));
                only(if first == second { first } else { format!("{first} {second}") })
            }
            By::Word | By::Category | By::Tag | By::Mixed => only(word(draws)),
        }
    }

    fn get(&self, what: Wanted, draws: &mut Draws) -> Option<Act> {
        let what = match what {
            Wanted::Mixed => match draws.below(10) {
                0..5 => Wanted::Release,
                5..9 => Wanted::Latest,
                _ => Wanted::Missing,
            },
            what => what,
        };
        let listing = self.listings.get(draws.index(self.listings.len()))?;
        let (publisher, name) = (listing.publisher, listing.name.clone());
        Some(match what {
            Wanted::Latest => Act::Get { publisher, name, version: None },
            Wanted::Missing if draws.chance(0.5) => {
                Act::Get { publisher, name, version: Some(Version::new(999, 0, 0)) }
            }
            Wanted::Missing => {
                let name = PackageName::new(format!("qq{:x}", draws.bits())).ok()?;
                Act::Get { publisher, name, version: None }
            }
            Wanted::Release | Wanted::Mixed => {
                Act::Get { publisher, name, version: Some(listing.version.clone()) }
            }
        })
    }

    fn yank(
        &self,
        age: Duration,
        at: Duration,
        yanked: &mut BTreeSet<usize>,
        draws: &mut Draws,
    ) -> Option<(NodeId, Act)> {
        let ripe = self.published.partition_point(|published| published.at.saturating_add(age) <= at);
        let first = draws.index(ripe);
        let found = (first..ripe).chain(0..first).find(|index| !yanked.contains(index))?;
        yanked.insert(found);
        let published = self.published.get(found)?;
        let Listing { name, version, .. } = &published.listing;
        Some((published.node, Act::Yank { name: name.clone(), version: version.clone() }))
    }
}
