//! A scenario, read and checked: what a file says, in types.

use core::time::Duration;
use std::path::PathBuf;
use std::sync::Arc;

use crate::engine::QueryConfig;
use crate::scenario::catalogue_file::CatalogueFile;
use crate::scenario::expect::Expectation;
use crate::scenario::words::{Among, By, Family, Lie, Profile, Wanted};
use crate::testbed::{Garble, Keep, LinkChange, Way};

/// A scenario. Made by reading a file; a plan is made from it and a seed.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file, as it was named.
    pub path: PathBuf,
    /// What it proves.
    pub description: String,
    /// The seeds that run when none is named elsewhere.
    pub seeds: Vec<u64>,
    /// How long a run lasts.
    pub duration: Duration,
    /// The peers and the links.
    pub network: NetworkSettings,
    /// What is published before the start.
    pub catalogue: CatalogueSettings,
    /// How the registries are configured.
    pub registry: RegistrySettings,
    /// What the registries do.
    pub workloads: Vec<Workload>,
    /// What goes wrong.
    pub faults: Vec<FaultSetting>,
    /// What is asked of the network once nothing goes wrong any more.
    pub liveness: Option<LivenessSettings>,
    /// What is expected.
    pub expect: Vec<Expectation>,
    /// Whether each seed draws a scenario of its own, and within what: see `chaos/`.
    pub chaos: Option<ChaosSettings>,
}

/// What is asked of the network once nothing goes wrong any more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LivenessSettings {
    /// The share of the nodes that were never hostile which are freed of all that was done to them.
    pub core: f64,
    /// How long they may take to find what is there.
    pub within: Duration,
}

/// What each seed may draw.
#[derive(Clone, Debug, PartialEq)]
pub struct ChaosSettings {
    /// The families of faults that are drawn from.
    pub families: Vec<Family>,
    /// The share of seeds without any drawn fault.
    pub quiet: f64,
    /// The share of seeds in which nothing is stopped or started again.
    pub steady: f64,
    /// Whether peers and registries are as many as the frame says; otherwise that is the most.
    pub fixed_sizes: bool,
    /// Every drawn fault is over so long before the end.
    pub calm: Duration,
}

/// The peers and the links between them.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkSettings {
    /// Nodes at the start, registries among them.
    pub peers: u32,
    /// Whole registries among them: the first ones.
    pub registries: u32,
    /// Delays and dials.
    pub profile: Profile,
    /// One-way delays between regions, and jitter, of an explicit profile.
    pub explicit: Option<(Vec<Vec<Duration>>, Duration)>,
    /// The share of modelled peers that cannot be dialled.
    pub undialable: f64,
    /// The share of modelled peers that are DHT clients.
    pub clients: f64,
    /// How long serving takes, if the scenario says.
    pub service: Option<ServiceSettings>,
}

/// How long serving takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceSettings {
    /// Mean time for a registry's question.
    pub question: Duration,
    /// Mean time for a request of the DHT.
    pub lookup: Duration,
    /// What may wait at one peer.
    pub queue: u32,
}

/// What is published before the start.
#[derive(Clone, Debug)]
pub struct CatalogueSettings {
    /// Made from a seed, or from a file.
    pub source: Source,
    /// Publishers that packages are spread over.
    pub publishers: u32,
    /// The chance with which a modelled peer holds a release.
    pub coverage: f64,
    /// Whether registries have caught up before the start.
    pub registries_full: bool,
    /// Whether the records are in the DHT at the start.
    pub in_dht: bool,
}

/// Where a catalogue comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Made from a seed.
    Synthetic {
        /// Packages.
        packages: u32,
        /// The most versions of each.
        versions: u32,
        /// The share with records over 4 KiB.
        large: f64,
        /// The seed, if it is not the run's.
        seed: Option<u64>,
    },
    /// Read from a file, which is already read.
    File {
        /// The file.
        file: Arc<CatalogueFile>,
        /// The most packages taken from it.
        packages: Option<u32>,
    },
}

/// How registries are configured. What is `None` is left to the registry's own default.
#[derive(Clone, Debug, PartialEq)]
pub struct RegistrySettings {
    /// How queries are run.
    pub query: QueryConfig,
    /// The most queries in flight.
    pub queries: Option<u32>,
    /// The most statements that a registry's own catalogue holds.
    pub holds: Option<u32>,
    /// How often catalogues are compared.
    pub catch_up: Option<Duration>,
    /// How often is republished.
    pub republish: Option<Duration>,
    /// How long a list is valid.
    pub validity: Option<Duration>,
}

/// One workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// What is done.
    pub what: Work,
    /// When.
    pub when: When,
}

/// When a workload's operations happen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// So many at once.
    At {
        /// From the start.
        at: Duration,
        /// How many.
        count: u32,
    },
    /// At a rate.
    Rate {
        /// Operations a second.
        rate: f64,
        /// The first comes after this.
        from: Duration,
        /// The last comes before this.
        until: Duration,
        /// At equal distances; otherwise independent of one another.
        even: bool,
    },
}

/// What a workload does.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// Searches.
    Search {
        /// Which registry; drawn if `None`.
        registry: Option<u32>,
        /// The most results wanted; the registry's if `None`.
        limit: Option<u32>,
        /// What is asked for.
        by: By,
        /// These words instead.
        text: Option<String>,
        /// Given up so long after its start.
        cancel_after: Option<Duration>,
    },
    /// Gets of one package.
    Get {
        /// Which registry; drawn if `None`.
        registry: Option<u32>,
        /// What is asked for.
        what: Wanted,
    },
    /// Listings of a package's versions.
    Versions {
        /// Which registry; drawn if `None`.
        registry: Option<u32>,
        /// The number of the package; drawn if `None`.
        package: Option<u32>,
    },
    /// Publications.
    Publish {
        /// Which registry; drawn if `None`.
        registry: Option<u32>,
        /// Names that each registry publishes under; 0: always a new one.
        packages: u32,
        /// The share with records over 4 KiB.
        large: f64,
    },
    /// Yanks of what was published.
    Yank {
        /// How long ago it was published at least.
        age: Duration,
    },
    /// Nodes that join late.
    Join {
        /// A whole registry, or a modelled peer.
        registry: bool,
    },
}

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultSetting {
    /// When it begins.
    pub at: Duration,
    /// When it ends; the end of the run is no end that anyone sees.
    pub until: Duration,
    /// What it is.
    pub what: Weather,
}

/// Whom a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Whom {
    /// Among these.
    pub among: Among,
    /// This share of them.
    pub share: f64,
}

/// How times are distributed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spread {
    /// Weibull.
    Weibull {
        /// Its shape.
        shape: f64,
        /// Its scale.
        scale: Duration,
    },
    /// Exponential, with this mean.
    Exponential(Duration),
    /// Always this.
    Fixed(Duration),
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Weather {
    /// Nodes leave and come back.
    Churn {
        /// Whom.
        whom: Whom,
        /// How long they stay.
        session: Spread,
        /// How long they are away.
        gap: Spread,
        /// What they keep.
        keep: Keep,
    },
    /// Nodes die at once.
    Crash {
        /// Whom.
        whom: Victims,
        /// What they keep.
        keep: Keep,
    },
    /// Two sides are cut.
    Partition {
        /// The share of modelled peers on the first side.
        share: f64,
        /// The registries on the first side.
        registries: Vec<u32>,
        /// Which way.
        way: Way,
    },
    /// Links change.
    Links {
        /// Whose.
        whom: Whom,
        /// How.
        change: LinkChange,
    },
    /// Nodes serve slower.
    Slow {
        /// Whom.
        whom: Whom,
        /// How many times.
        factor: u32,
    },
    /// Nodes never answer.
    Silent(Whom),
    /// Nodes stop after the first byte.
    Stall(Whom),
    /// Nodes can no longer be dialled.
    Undialable(Whom),
    /// Modelled peers send what is ill-made.
    Malformed {
        /// The share of modelled peers.
        share: f64,
        /// By bytes.
        garbles: Vec<Garble>,
        /// By meaning.
        lies: Vec<Lie>,
    },
    /// An older list is shown again.
    Rollback {
        /// The number of the package.
        package: u32,
        /// The share of modelled peers that serve it.
        share: f64,
    },
    /// Two bodies for one release.
    Equivocate {
        /// The number of the package.
        package: u32,
        /// The share of modelled peers that serve the other.
        share: f64,
    },
    /// Nodes have no room for further keys of the DHT.
    StoreFull(Whom),
    /// Nodes acknowledge what they do not keep.
    LyingAcks(Whom),
    /// Nodes' calendars are wrong.
    ClockSkew {
        /// Whom.
        whom: Whom,
        /// By how much.
        by: Duration,
        /// Whether they are behind.
        behind: bool,
    },
    /// Modelled peers name each other alone to who walks through the DHT: the share of them that do.
    Eclipse(f64),
    /// Modelled peers whose identities were chosen to stand beside the key of a package's list, and that collude.
    Sybil {
        /// The number of the package.
        package: u32,
        /// The share of the modelled peers that do.
        share: f64,
    },
    /// Modelled peers name peers that do not exist to who walks through the DHT.
    FalsePeers {
        /// The share of the modelled peers that do.
        share: f64,
        /// How many names they made up.
        names: u32,
    },
    /// Modelled peers lie in every way that needs no publisher's secret, and come back under a new name each time.
    Whitewash {
        /// The share of the modelled peers that do.
        share: f64,
        /// How long each name is used.
        every: Duration,
    },
    /// Modelled peers spread releases in two bodies, each to one half of the honest ones.
    Framing {
        /// The share of the modelled peers that do.
        share: f64,
        /// Releases a second.
        rate: u32,
    },
    /// Modelled peers announce releases that are signed with new keys.
    Storm {
        /// The share of the modelled peers that do.
        share: f64,
        /// Releases a second, each.
        rate: u32,
    },
    /// Nodes hold each answer back.
    Late {
        /// Whom.
        whom: Whom,
        /// How much later it leaves.
        by: Duration,
    },
}

/// Whom a crash strikes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Victims {
    /// A share.
    Whom(Whom),
    /// So many among these.
    Count(Among, u32),
    /// This registry.
    Registry(u32),
}

impl Scenario {
    /// The seeds that the file names, in its order.
    pub fn seeds(&self) -> Vec<u64> {
        self.seeds.clone()
    }

    /// Names that hostile peers made up: nodes that are never there, numbered after the peers.
    pub fn made_up(&self) -> u32 {
        let names = self.faults.iter().map(|fault| match fault.what {
            Weather::FalsePeers { names, .. } => names,
            _ => 0,
        });
        names.max().unwrap_or(0)
    }

    /// Registries that join late.
    pub fn late_registries(&self) -> u32 {
        self.workloads
            .iter()
            .map(|workload| match (&workload.what, workload.when) {
                (Work::Join { registry: true }, When::At { count, .. }) => count,
                _ => 0,
            })
            .sum()
    }
}
