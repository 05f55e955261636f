//! Scenario files for an application that is no registry: the sections that know no package.
//!
//! `[network]` without registries, `[[fault]]` and `[chaos]` without what is done to packages, and in place of
//! workloads a `rate`: what is done at it is the application's own. Every peer runs the application, so a fault
//! strikes among all.

use core::time::Duration;
use std::path::Path;

use super::declare::{Key, Kind, Section, default, optional, required};
use super::events::{BYTE_KINDS, FAULT, MAX_RATE};
use super::model::{
    CatalogueSettings, ChaosSettings, FaultSetting, NetworkSettings, RegistrySettings, Scenario,
    Source as Origin, When,
};
use super::sections::SCENARIO;
use super::value::Table;
use crate::engine::QueryConfig;
use crate::scenario::words::Family;

/// What a network goes through, whatever runs on it.
#[derive(Clone, Debug)]
pub(crate) struct Plain {
    /// The network and its faults. It has no registries, no catalogue and no workload.
    pub(crate) scenario: Scenario,
    /// When something is done.
    pub(crate) work: When,
}

/// The first is asked to do something when the network stands.
const FROM: Duration = Duration::from_secs(1);
/// Keys of [`FAULT`] that are about packages, or need nodes that run no application.
const OF_PACKAGES: [&str; 7] =
    ["rollback", "equivocate", "storm", "sybil", "false_peers", "whitewash", "framing"];
/// Families of faults that are about packages, or need nodes that run no application.
const FAMILIES_OF_PACKAGES: [&str; 8] =
    ["lies", "rollback", "equivocation", "storm", "sybil", "false-peers", "whitewash", "framing"];

/// The whole file.
pub(super) static PLAIN: Section = Section {
    name: "the scenario",
    doc: "A scenario for any application: a network, how much is done in it, what goes wrong.",
    keys: &[
        of(&SCENARIO, "description"),
        of(&SCENARIO, "seeds"),
        of(&SCENARIO, "duration"),
        default(
            "rate",
            Kind::Rate { most: MAX_RATE },
            "\"1/s\"",
            "How often some peer is asked to do something.",
        ),
        required("network", Kind::Table(&NETWORK), "The peers and the links between them."),
        optional("fault", Kind::Tables(&PLAIN_FAULT), "What goes wrong; each by itself."),
        optional(
            "chaos",
            Kind::Table(&CHAOS),
            "Each seed draws its own network and mix of faults within this one.",
        ),
    ],
    one_of: &[],
};

static NETWORK: Section = {
    let all = inner(&SCENARIO, "network");
    Section { name: all.name, doc: all.doc, keys: &NETWORK_KEYS, one_of: all.one_of }
};
static NETWORK_KEYS: [Key; 6] = {
    let all = inner(&SCENARIO, "network");
    [
        required("peers", of(all, "peers").kind, "How many there are. Each runs the application."),
        of(all, "profile"),
        of(all, "explicit"),
        default("undialable", Kind::Share, "0.0", "The share of peers that cannot be dialled."),
        default("clients", Kind::Share, "0.0", "The share of peers that only ask and serve no DHT."),
        of(all, "service"),
    ]
};

static PLAIN_FAULT: Section =
    Section { name: FAULT.name, doc: FAULT.doc, keys: &FAULT_KEYS, one_of: &FAULT_KINDS };
static FAULT_KEYS: [Key; FAULT.keys.len() - OF_PACKAGES.len()] = {
    let mut keys = [FAULT.keys[0]; FAULT.keys.len() - OF_PACKAGES.len()];
    let (mut from, mut to) = (0, 0);
    while from < FAULT.keys.len() {
        let key = FAULT.keys[from];
        if !among(&OF_PACKAGES, key.name) {
            keys[to] = if same(key.name, "malformed") {
                optional("malformed", Kind::Table(&MALFORMED), "Peers send what is ill-made by its bytes.")
            } else {
                key
            };
            to += 1;
        }
        from += 1;
    }
    keys
};
static FAULT_KINDS: [&str; FAULT.one_of.len() - OF_PACKAGES.len()] = {
    let mut kinds = [""; FAULT.one_of.len() - OF_PACKAGES.len()];
    let (mut from, mut to) = (0, 0);
    while from < FAULT.one_of.len() {
        if !among(&OF_PACKAGES, FAULT.one_of[from]) {
            kinds[to] = FAULT.one_of[from];
            to += 1;
        }
        from += 1;
    }
    kinds
};
static MALFORMED: Section = Section {
    name: "malformed",
    doc: "Peers send what is ill-made. Each does all of the kinds, one drawn for each answer.",
    keys: &[
        default("share", Kind::Share, "1.0", "The share of peers that do."),
        required("kinds", Kind::Choices(&BYTE_KINDS), "What they do."),
    ],
    one_of: &[],
};

static CHAOS: Section = {
    let all = inner(&SCENARIO, "chaos");
    Section {
        name: all.name,
        doc: "Each seed draws its own network and mix of faults.",
        keys: &CHAOS_KEYS,
        one_of: &[],
    }
};
static CHAOS_KEYS: [Key; 4] = {
    let all = inner(&SCENARIO, "chaos");
    let families = optional(
        "families",
        Kind::Choices(&FAMILIES),
        "The families of faults to draw from, each off with a chance of a half; all of these unless given.",
    );
    [families, of(all, "quiet"), of(all, "steady"), of(all, "calm")]
};
/// The families that strike any application, as they are named.
static FAMILIES: [&str; Family::NAMES.len() - FAMILIES_OF_PACKAGES.len()] = {
    let mut names = [""; Family::NAMES.len() - FAMILIES_OF_PACKAGES.len()];
    let (mut from, mut to) = (0, 0);
    while from < Family::NAMES.len() {
        if !among(&FAMILIES_OF_PACKAGES, Family::NAMES[from]) {
            names[to] = Family::NAMES[from];
            to += 1;
        }
        from += 1;
    }
    names
};

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

const fn among(all: &[&str], name: &str) -> bool {
    let mut at = 0;
    while at < all.len() {
        if same(all[at], name) {
            return true;
        }
        at += 1;
    }
    false
}

/// The key of this name, when the program is compiled.
const fn of(section: &Section, name: &str) -> Key {
    let mut at = 0;
    while !same(section.keys[at].name, name) {
        at += 1;
    }
    section.keys[at]
}

/// The section under the key of this name.
const fn inner(section: &Section, name: &str) -> &'static Section {
    match of(section, name).kind {
        Kind::Table(inner) => inner,
        _ => panic!("this key holds no table"),
    }
}

/// A scenario of this file, which was found good, with what its sections were read as.
pub(super) fn plain(
    file: &Table,
    path: &Path,
    network: NetworkSettings,
    faults: Vec<FaultSetting>,
    mut chaos: Option<ChaosSettings>,
) -> Plain {
    if let Some(chaos) = &mut chaos {
        chaos.families.retain(|family| FAMILIES.contains(&Family::NAMES[*family as usize]));
    }
    let query = QueryConfig::balanced();
    let duration = file.span("duration");
    let scenario = Scenario {
        path: path.to_owned(),
        description: file.text("description").to_owned(),
        seeds: file.counts("seeds").to_vec(),
        duration,
        network,
        catalogue: no_catalogue(),
        registry: RegistrySettings {
            query,
            queries: None,
            holds: None,
            catch_up: None,
            republish: None,
            validity: None,
        },
        workloads: Vec::new(),
        faults,
        expect: Vec::new(),
        liveness: None,
        chaos,
    };
    let work = When::Rate { rate: file.number("rate"), from: FROM, until: duration, even: false };
    Plain { scenario, work }
}

/// What is said of packages where there are none.
pub(super) fn no_catalogue() -> CatalogueSettings {
    CatalogueSettings {
        source: Origin::Synthetic { packages: 0, versions: 1, large: 0.0, seed: Some(0) },
        publishers: 1,
        coverage: 1.0,
        registries_full: true,
        in_dht: false,
    }
}
