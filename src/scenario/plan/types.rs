//! A plan: everything that a run does, explicit, with its times.

use core::time::Duration;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::liveness::LivenessPlan;
use super::turn::Turn;
use crate::engine::{FanOut, QueryConfig};
use crate::package::{PackageName, Version};
use crate::scenario::expect::{Comparison, Measure};
use crate::scenario::listing::Listing;
use crate::scenario::nodes::NodeSet;
use crate::scenario::units::Span;
use crate::scenario::words::Profile;
use crate::testbed::NodeId;

/// The version of plans that this crate makes and reads.
pub const VERSION: u32 = 1;

/// Everything that a run does. Made from a scenario and a seed; written to a file, edited and run again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`VERSION`].
    pub plan: u32,
    /// The scenario's file, as it was named.
    pub scenario: String,
    /// What the scenario proves.
    pub description: String,
    /// The seed: of this plan's draws, and of the network's.
    #[serde(with = "seed")]
    pub seed: u64,
    /// How long the run lasts.
    pub duration: Span,
    /// How a run of it failed, in a file that was written because it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The links.
    pub network: NetworkPlan,
    /// The nodes.
    pub nodes: NodesPlan,
    /// What is published before the start.
    pub catalogue: CataloguePlan,
    /// How registries are configured.
    pub registry: RegistryPlan,
    /// What is asked of the network once nothing goes wrong any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub liveness: Option<LivenessPlan>,
    /// What is expected.
    #[serde(default)]
    pub expect: BTreeMap<Measure, Comparison>,
    /// What happens.
    pub timeline: Timeline,
}

/// The links of the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkPlan {
    /// The profile.
    pub profile: Profile,
    /// One-way delays from each region to each, of an explicit profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delays: Option<Vec<Vec<Span>>>,
    /// The most by which each varies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Span>,
    /// How long serving takes; the network's own figures if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServicePlan>,
}

/// How long serving takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServicePlan {
    /// Mean time for a registry's question.
    pub question: Span,
    /// Mean time for a request of the DHT.
    pub lookup: Span,
    /// What may wait at one peer.
    pub queue: u32,
}

/// The nodes. Node n is the n-th that is spawned: registries first, then modelled peers, then those that
/// join late, in the order of their joining.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodesPlan {
    /// Nodes at the start.
    pub start: u32,
    /// Registries among them: nodes 0 to this.
    pub registries: u32,
    /// Nodes that serve no DHT.
    pub clients: NodeSet,
    /// Nodes that cannot be dialled.
    pub undialable: NodeSet,
    /// Nodes that are names alone, which hostile peers made up: nobody is there, ever.
    #[serde(default, skip_serializing_if = "NodeSet::is_empty")]
    pub nobody: NodeSet,
    /// Nodes whose identities were chosen to stand beside a key of the DHT.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub placed: Vec<Placed>,
}

/// Nodes that stand beside the key of a package's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placed {
    /// Which.
    pub nodes: NodeSet,
    /// The publisher's number.
    pub publisher: u32,
    /// The package.
    pub name: PackageName,
}

/// What is published before the start, and who knows of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CataloguePlan {
    /// How many publishers there are. Publisher `publishers + r` is registry r.
    pub publishers: u32,
    /// The chance with which a modelled peer holds a release at the start.
    pub coverage: f64,
    /// Whether registries hold everything at the start.
    pub registries_full: bool,
    /// Whether the records are in the DHT at the start.
    pub in_dht: bool,
    /// Where the releases come from.
    pub source: SourcePlan,
}

/// Where a catalogue comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SourcePlan {
    /// Made by the generator.
    Synthetic {
        /// The generator's version.
        version: u32,
        /// Its seed.
        #[serde(with = "seed")]
        seed: u64,
        /// Packages.
        packages: u32,
        /// The most versions of each.
        versions: u32,
        /// The share with records over 4 KiB.
        large: f64,
    },
    /// Read from a file.
    File {
        /// The file, relative to where the plan was made, or to the plan's own folder.
        path: String,
        /// SHA-256 of its bytes.
        sha256: String,
        /// The most packages taken from it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        packages: Option<u32>,
    },
}

/// How registries are configured. What is left out is left to the registry's own default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryPlan {
    /// A query ends by then.
    pub timeout: Span,
    /// The most results of a query.
    pub max_results: usize,
    /// Adequate answers that make a search complete.
    pub answers_wanted: u16,
    /// How many peers are asked at once.
    pub fan_out: FanOut,
    /// Whether requests' timeouts are learned.
    pub adaptive_timeout: bool,
    /// The most time given to a request.
    pub request_timeout: Span,
    /// Records fetched at once for one query.
    pub fetch_concurrency: u16,
    /// The most queries in flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queries: Option<u32>,
    /// The most statements that a registry's own catalogue holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<u32>,
    /// How often catalogues are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catch_up: Option<Span>,
    /// How often is republished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub republish: Option<Span>,
    /// How long a list is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity: Option<Span>,
}

impl RegistryPlan {
    /// How queries are run.
    pub fn query(&self) -> QueryConfig {
        // On top of a preset, so that a setting which a plan does not know has a value.
        QueryConfig {
            timeout: self.timeout.0,
            max_results: self.max_results,
            answers_wanted: self.answers_wanted,
            fan_out: self.fan_out,
            adaptive_timeout: self.adaptive_timeout,
            request_timeout: self.request_timeout.0,
            fetch_concurrency: self.fetch_concurrency,
        }
    }
}

/// What happens, in the order of time. At one instant events come before operations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeline {
    /// What the registries do.
    #[serde(default)]
    pub operations: Vec<Operation>,
    /// What goes wrong, and what goes right again.
    #[serde(default)]
    pub events: Vec<PlannedEvent>,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// When it begins.
    pub at: Span,
    /// Its number: each has another.
    pub number: u32,
    /// Which node does it.
    pub node: NodeId,
    /// What it is. Named `do` in a file.
    #[serde(rename = "do")]
    pub what: Act,
}

/// What a registry does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Act {
    /// Search for packages.
    Search {
        /// Words.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        text: String,
        /// Categories.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        categories: Vec<String>,
        /// Tags.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tags: Vec<String>,
        /// The most results wanted.
        limit: u32,
        /// Given up so long after its start.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cancel_after: Option<Span>,
    },
    /// Get one release.
    Get {
        /// The publisher's number.
        publisher: u32,
        /// The package.
        name: PackageName,
        /// The version; the latest if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<Version>,
    },
    /// List a package's versions.
    Versions {
        /// The publisher's number.
        publisher: u32,
        /// The package.
        name: PackageName,
    },
    /// Publish a release. Its publisher is the node's own registry.
    Publish(Listing),
    /// Take a release back that this node published.
    Yank {
        /// The package.
        name: PackageName,
        /// The version.
        version: Version,
    },
    /// The node is spawned now, with an empty catalogue.
    Join {
        /// As a whole registry; otherwise as a modelled peer.
        registry: bool,
        /// Not with an empty catalogue, but with what this one held at the start: it is that peer under a new name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<NodeId>,
    },
}

/// One thing that goes wrong, or right again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedEvent {
    /// When.
    pub at: Span,
    /// What. Named `do` in a file.
    #[serde(rename = "do")]
    pub what: Turn,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeRole {
    /// The registry of this number.
    Registry(u32),
    /// A modelled peer.
    Peer,
}

impl Plan {
    /// The nodes that join late, in the order of their numbers: what each is, and when it joins.
    pub fn late(&self) -> Vec<(NodeId, bool, Duration)> {
        let joins = self.timeline.operations.iter().filter_map(|operation| match operation.what {
            Act::Join { registry, .. } => Some((operation.node, registry, operation.at.0)),
            _ => None,
        });
        let mut late: Vec<_> = joins.collect();
        late.sort();
        late
    }

    /// What each node is: by its number, late ones included.
    pub fn roles(&self) -> Vec<NodeRole> {
        let mut registries = self.nodes.registries;
        let start = (0..self.nodes.start).map(|node| match node < self.nodes.registries {
            true => NodeRole::Registry(node),
            false => NodeRole::Peer,
        });
        let mut roles: Vec<NodeRole> = start.collect();
        for (_, registry, _) in self.late() {
            roles.push(if registry { NodeRole::Registry(registries) } else { NodeRole::Peer });
            registries += u32::from(registry);
        }
        roles
    }

    /// The number, as a publisher, of this registry.
    pub fn publisher_of(&self, registry: u32) -> u32 {
        self.catalogue.publishers.saturating_add(registry)
    }

    /// Whether something goes wrong in it.
    pub fn has_faults(&self) -> bool {
        self.timeline.events.iter().any(|event| event.what.is_bad())
    }
}

/// Seeds as integers where TOML can hold them, and as text where it cannot.
pub(crate) mod seed {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(seed: &u64, to: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(*seed) {
            Ok(small) => to.serialize_i64(small),
            Err(_) => to.serialize_str(&seed.to_string()),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Small(u64),
            Large(String),
        }
        let wrong = || de::Error::custom("a seed is a whole number from 0 to 18446744073709551615");
        match Either::deserialize(from) {
            Ok(Either::Small(seed)) => Ok(seed),
            Ok(Either::Large(text)) => text.parse().map_err(|_| wrong()),
            Err(_) => Err(wrong()),
        }
    }
}
