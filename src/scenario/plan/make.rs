//! From a scenario and a seed to a plan.

use core::time::Duration;
use std::collections::BTreeSet;

use super::joining::{joinings, renewals};
use super::liveness::LivenessPlan;
use super::operations::{operations, times};
use super::types::{
    CataloguePlan, NetworkPlan, NodeRole, NodesPlan, Plan, PlannedEvent, RegistryPlan, ServicePlan,
    SourcePlan, Timeline, VERSION,
};
use super::weather::{events, placed};
use crate::scenario::chaos::concrete;
use crate::scenario::draw::{Concern, share_of, strike};
use crate::scenario::file::model::{
    CatalogueSettings, LivenessSettings, NetworkSettings, RegistrySettings, Scenario, Source,
};
use crate::scenario::file::plain::Plain;
use crate::scenario::listing::Listing;
use crate::scenario::nodes::NodeSet;
use crate::scenario::synthetic::{self, Synthetic};
use crate::scenario::units::Span;
use crate::testbed::NodeId;

/// The workload of an application that is no registry, beside those in `operations`.
const OF_ANY: u64 = 8 << 32 | 1;

impl Plan {
    /// What `seed` makes of `scenario`: always the same.
    pub fn make(scenario: &Scenario, seed: u64) -> Self {
        let drawn = scenario.chaos.is_some().then(|| concrete(scenario, seed));
        let scenario = drawn.as_ref().unwrap_or(scenario);
        let listings = listings(&scenario.catalogue, seed);
        let joining = joinings(scenario, seed);
        let operations = operations(scenario, seed, &listings, &joining);
        let events = events(scenario, seed, &listings, renewals(&joining, scenario.duration));
        let plan = Self {
            plan: VERSION,
            scenario: scenario.path.display().to_string(),
            description: scenario.description.clone(),
            seed,
            duration: Span(scenario.duration),
            failure: None,
            network: network(&scenario.network),
            nodes: NodesPlan { placed: placed(scenario, seed, &listings), ..nodes(scenario, seed) },
            catalogue: catalogue(&scenario.catalogue, seed),
            registry: registry(&scenario.registry),
            liveness: None,
            expect: scenario
                .expect
                .iter()
                .map(|expectation| (expectation.measure, expectation.wanted))
                .collect(),
            timeline: Timeline { operations, events },
        };
        let liveness = scenario.liveness.as_ref().and_then(|wanted| liveness(&plan, wanted));
        Self { liveness, ..plan }
    }
}

/// A core of nodes that are never hostile, a registry among them; nothing where there is none.
fn liveness(plan: &Plan, wanted: &LivenessSettings) -> Option<LivenessPlan> {
    let hostile: BTreeSet<NodeId> = plan
        .timeline
        .events
        .iter()
        .filter_map(|event| event.what.hostile())
        .flat_map(NodeSet::iter)
        .collect();
    let roles = plan.roles();
    let nobody = &plan.nodes.nobody;
    let honest: Vec<u32> = (0u32..)
        .zip(&roles)
        .map(|(node, _)| node)
        .filter(|node| !hostile.contains(&NodeId(*node)) && !nobody.contains(NodeId(*node)))
        .collect();
    let core = strike(plan.seed, Concern::Core, 0, &honest, share_of(wanted.core, honest.len()));
    let registry = |node: &&u32| matches!(roles.get(**node as usize), Some(NodeRole::Registry(_)));
    let one = core.iter().chain(&honest).find(registry).copied()?;
    Some(LivenessPlan { core: core.into_iter().chain([one]).collect(), within: Span(wanted.within) })
}

/// What a seed makes of a network and of what goes wrong in it, whatever runs there.
#[derive(Clone, Debug)]
pub(crate) struct Climate {
    pub(crate) peers: u32,
    pub(crate) network: NetworkPlan,
    pub(crate) nodes: NodesPlan,
    pub(crate) events: Vec<PlannedEvent>,
    /// When somebody is asked to do something.
    pub(crate) work: Vec<Duration>,
}

impl Climate {
    /// What `seed` makes of `plain`: always the same.
    pub(crate) fn make(plain: &Plain, seed: u64) -> Self {
        let scenario = concrete(&plain.scenario, seed);
        Self {
            peers: scenario.network.peers,
            network: network(&scenario.network),
            nodes: nodes(&scenario, seed),
            events: events(&scenario, seed, &[], Vec::new()),
            work: times(seed, OF_ANY, plain.work),
        }
    }
}

fn listings(settings: &CatalogueSettings, seed: u64) -> Vec<Listing> {
    match &settings.source {
        Source::Synthetic { packages, versions, large, seed: fixed } => {
            Synthetic::new(fixed.unwrap_or(seed)).listings(*packages, *versions, settings.publishers, *large)
        }
        Source::File { file, packages } => file.listings(settings.publishers, *packages),
    }
}

fn network(settings: &NetworkSettings) -> NetworkPlan {
    let spans = |rows: &Vec<Vec<_>>| rows.iter().map(|row| row.iter().copied().map(Span).collect()).collect();
    NetworkPlan {
        profile: settings.profile,
        delays: settings.explicit.as_ref().map(|(delays, _)| spans(delays)),
        jitter: settings.explicit.as_ref().map(|(_, jitter)| Span(*jitter)),
        service: settings.service.map(|service| ServicePlan {
            question: Span(service.question),
            lookup: Span(service.lookup),
            queue: service.queue,
        }),
    }
}

fn nodes(scenario: &Scenario, seed: u64) -> NodesPlan {
    let settings = &scenario.network;
    let peers: Vec<u32> = (settings.registries..settings.peers).collect();
    let struck =
        |concern, share| strike(seed, concern, 0, &peers, share_of(share, peers.len())).into_iter().collect();
    NodesPlan {
        start: settings.peers.saturating_add(scenario.made_up()),
        registries: settings.registries,
        clients: struck(Concern::Client, settings.clients),
        undialable: struck(Concern::Undialable, settings.undialable),
        nobody: (settings.peers..settings.peers.saturating_add(scenario.made_up())).collect(),
        placed: Vec::new(),
    }
}

fn catalogue(settings: &CatalogueSettings, seed: u64) -> CataloguePlan {
    CataloguePlan {
        publishers: settings.publishers,
        coverage: settings.coverage,
        registries_full: settings.registries_full,
        in_dht: settings.in_dht,
        source: match &settings.source {
            Source::Synthetic { packages, versions, large, seed: fixed } => SourcePlan::Synthetic {
                version: synthetic::VERSION,
                seed: fixed.unwrap_or(seed),
                packages: *packages,
                versions: *versions,
                large: *large,
            },
            Source::File { file, packages } => {
                SourcePlan::File { path: file.path.clone(), sha256: file.sha256.clone(), packages: *packages }
            }
        },
    }
}

fn registry(settings: &RegistrySettings) -> RegistryPlan {
    let query = &settings.query;
    RegistryPlan {
        timeout: Span(query.timeout),
        max_results: query.max_results,
        answers_wanted: query.answers_wanted,
        fan_out: query.fan_out,
        adaptive_timeout: query.adaptive_timeout,
        request_timeout: Span(query.request_timeout),
        fetch_concurrency: query.fetch_concurrency,
        queries: settings.queries,
        holds: settings.holds,
        catch_up: settings.catch_up.map(Span),
        republish: settings.republish.map(Span),
        validity: settings.validity.map(Span),
    }
}
