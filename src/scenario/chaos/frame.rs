//! From a frame and a seed to a scenario.

use core::time::Duration;

use super::dice::{Dice, Topic};
use super::families::faults;
use crate::engine::{FanOut, QueryConfig};
use crate::scenario::file::model::{
    CatalogueSettings, ChaosSettings, LivenessSettings, NetworkSettings, RegistrySettings, Scenario, Source,
    When, Work, Workload,
};
use crate::scenario::words::{By, Profile, Wanted};

/// The fewest peers of a drawn network.
const FEWEST_PEERS: u32 = 3;
/// How many rounds of catching up a network is given to work again.
const ROUNDS: u32 = 100;
/// Between two of them where nothing is said of it.
const LONGEST_CATCH_UP: Duration = Duration::from_secs(360);
/// The first operations come when the network stands.
const FROM: Duration = Duration::from_secs(1);

/// What `seed` makes of the frame. A scenario without chaos is its own.
pub(crate) fn concrete(frame: &Scenario, seed: u64) -> Scenario {
    let Some(chaos) = &frame.chaos else { return frame.clone() };
    let mut mood = Dice::new(seed, Topic::Mood, 0);
    let (quiet, steady) = (mood.chance(chaos.quiet), mood.chance(chaos.steady));
    let network = network(&frame.network, chaos.fixed_sizes, seed);
    let catalogue = catalogue(&frame.catalogue, seed);
    let packages = match &catalogue.source {
        Source::Synthetic { packages, .. } => *packages,
        Source::File { file, packages } => file.names().min(packages.unwrap_or(u32::MAX)),
    };
    let until = calm_from(frame.duration, chaos);
    let mut all = frame.faults.clone();
    if !quiet {
        let on = chaos.families.iter().filter(|family| !(steady && family.restarts()));
        all.extend(on.flat_map(|family| faults(*family, seed, until, network.registries, packages)));
    }
    let registry = registry(&frame.registry, seed);
    Scenario {
        liveness: frame.liveness.or_else(|| liveness(registry.catch_up, seed)),
        registry,
        workloads: workloads(&frame.workloads, frame.duration, network.registries, seed),
        faults: all,
        network,
        catalogue,
        chaos: None,
        ..frame.clone()
    }
}

/// For every other seed, what must work again when all is over: a drawn part of the nodes, in the time of so many rounds of
/// catching up.
fn liveness(catch_up: Option<Duration>, seed: u64) -> Option<LivenessSettings> {
    let mut dice = Dice::new(seed, Topic::Liveness, 0);
    let (on, core) = (dice.coin(), dice.log(0.2, 1.0));
    let within = catch_up.unwrap_or(LONGEST_CATCH_UP).saturating_mul(ROUNDS);
    on.then_some(LivenessSettings { core, within })
}

/// Since when every drawn fault is over.
fn calm_from(duration: Duration, chaos: &ChaosSettings) -> Duration {
    duration.saturating_sub(chaos.calm).max(Duration::from_millis(1))
}

fn network(frame: &NetworkSettings, fixed: bool, seed: u64) -> NetworkSettings {
    let mut dice = Dice::new(seed, Topic::Network, 0);
    let registries = dice.log_count(1, frame.registries).min(frame.registries);
    let peers = dice.log_count(FEWEST_PEERS.min(frame.peers), frame.peers).max(registries);
    let lan = dice.chance(0.3);
    let undialable = if dice.coin() { dice.log(0.02, 0.6) } else { 0.0 };
    let clients = if dice.coin() { dice.log(0.02, 0.6) } else { 0.0 };
    let profile = match frame.profile {
        Profile::Explicit => Profile::Explicit,
        _ if lan => Profile::Lan,
        _ => Profile::Internet,
    };
    let (peers, registries) = if fixed { (frame.peers, frame.registries) } else { (peers, registries) };
    NetworkSettings { peers, registries, profile, undialable, clients, ..frame.clone() }
}

fn catalogue(frame: &CatalogueSettings, seed: u64) -> CatalogueSettings {
    let mut dice = Dice::new(seed, Topic::Catalogue, 0);
    let coverage = if dice.coin() { 1.0 } else { dice.log(0.05, 1.0) };
    let (registries_full, in_dht) = (dice.coin(), dice.coin());
    let publishers = dice.log_count(1, frame.publishers);
    let source = match &frame.source {
        Source::Synthetic { packages, versions, seed, .. } => Source::Synthetic {
            packages: dice.log_count(1, *packages),
            versions: dice.between(1, *versions),
            large: if dice.chance(0.3) { dice.log(0.02, 0.5) } else { 0.0 },
            seed: *seed,
        },
        file @ Source::File { .. } => file.clone(),
    };
    CatalogueSettings { source, publishers, coverage, registries_full, in_dht }
}

fn registry(frame: &RegistrySettings, seed: u64) -> RegistrySettings {
    let mut dice = Dice::new(seed, Topic::Registry, 0);
    let mut query = match dice.between(0, 2) {
        0 => QueryConfig::balanced(),
        1 => QueryConfig::low_latency(),
        _ => QueryConfig::high_throughput(),
    };
    query.answers_wanted = u16::try_from(dice.log_count(1, 8)).unwrap_or(1);
    query.fan_out = match dice.between(0, 3) {
        0 => FanOut::Hedged,
        1 => FanOut::Adaptive,
        _ => FanOut::Fixed(u16::try_from(dice.log_count(1, 16)).unwrap_or(1)),
    };
    query.adaptive_timeout = dice.coin();
    query.max_results = usize::try_from(dice.log_count(1, 60)).unwrap_or(1);
    query.fetch_concurrency = u16::try_from(dice.log_count(1, 32)).unwrap_or(1);
    let holds = dice.chance(0.3).then(|| dice.log_count(1, 200));
    let queries = dice.chance(0.1).then(|| dice.log_count(1, 64));
    let catch_up = dice.coin().then(|| dice.log_span(Duration::from_secs(1), Duration::from_secs(60)));
    RegistrySettings {
        query,
        queries: frame.queries.or(queries),
        holds: frame.holds.or(holds),
        catch_up: frame.catch_up.or(catch_up),
        ..frame.clone()
    }
}

/// The frame's alphabet, or one of all kinds; without those that a seed leaves out.
fn workloads(frame: &[Workload], duration: Duration, registries: u32, seed: u64) -> Vec<Workload> {
    let built_in = alphabet(duration);
    let alphabet = if frame.is_empty() { &built_in } else { frame };
    let mut kept = Vec::new();
    for (which, workload) in (0..).zip(alphabet) {
        let mut dice = Dice::new(seed, Topic::Workload, which);
        // What runs first is what there is always some of, or a seed could do nothing at all.
        let on = dice.coin() || which == 0;
        let factor = dice.log(0.25, 4.0);
        let mut workload = workload.clone();
        if let When::Rate { rate, .. } = &mut workload.when {
            *rate *= factor;
        }
        // Whoever is named must be there.
        let named = match &workload.what {
            Work::Search { registry, .. }
            | Work::Get { registry, .. }
            | Work::Versions { registry, .. }
            | Work::Publish { registry, .. } => *registry,
            Work::Yank { .. } | Work::Join { .. } => None,
        };
        if on && named.is_none_or(|registry| registry < registries) {
            kept.push(workload);
        }
    }
    // What is yanked must have been published.
    if !kept.iter().any(|workload| matches!(workload.what, Work::Publish { .. })) {
        kept.retain(|workload| !matches!(workload.what, Work::Yank { .. }));
    }
    kept
}

fn alphabet(duration: Duration) -> Vec<Workload> {
    let at = |rate: f64| When::Rate { rate, from: FROM, until: duration, even: false };
    let search =
        |by, cancel_after| Work::Search { registry: None, limit: None, by, text: None, cancel_after };
    let third = duration / 3;
    vec![
        Workload { what: search(By::Mixed, None), when: at(1.0) },
        Workload { what: search(By::New, None), when: at(0.3) },
        Workload { what: search(By::Word, Some(Duration::from_millis(40))), when: at(0.3) },
        Workload { what: Work::Get { registry: None, what: Wanted::Mixed }, when: at(0.5) },
        Workload { what: Work::Versions { registry: None, package: None }, when: at(0.2) },
        Workload { what: Work::Publish { registry: None, packages: 3, large: 0.1 }, when: at(0.3) },
        Workload { what: Work::Yank { age: Duration::from_secs(2) }, when: at(0.1) },
        Workload { what: Work::Join { registry: false }, when: When::At { at: third, count: 2 } },
        Workload { what: Work::Join { registry: true }, when: When::At { at: third, count: 1 } },
        Workload { what: search(By::Words, None), when: When::At { at: third, count: 20 } },
    ]
}
