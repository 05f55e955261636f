//! From a scenario file to a climate, from a climate and a seed to a plan; and plans as files.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::application::Application;
use crate::scenario::plan::{NetworkPlan, PlannedEvent, Turn, WriteError};
use crate::scenario::{
    Climate as Drawn, Concern, Draws, FileError, MAX_OPERATIONS, MAX_PEERS, MAX_SPAN, NodeSet, Plain,
    Problem, Source, Span, check_events, read_text, written,
};
use crate::testbed::NodeId;

/// The version of plans that this crate makes and reads.
const VERSION: u32 = 1;
/// The most bytes of a plan file.
const MAX_FILE: u64 = 256 << 20;
const WANTED: &str = "a plan of the harness begins with `harness = 1`";

/// What a scenario file says of peers, links, faults and how much is done: the sections `[network]`, `[[fault]]` and
/// `[chaos]` of any scenario, without what is about packages, and `rate`.
#[derive(Clone, Debug)]
pub struct Climate(Plain);

impl Climate {
    /// Read and check this file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, FileError> {
        Plain::read(path.as_ref()).map(Self)
    }

    /// The same from a text; `path` is what it is called.
    pub fn parse(text: &str, path: impl AsRef<Path>) -> Result<Self, FileError> {
        Plain::parse(text, path.as_ref()).map(Self)
    }

    /// The seeds that the file names.
    pub fn seeds(&self) -> Vec<u64> {
        self.0.scenario.seeds()
    }
}

/// Everything that a run does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan<A> {
    /// The version of the format.
    pub harness: u32,
    /// The scenario's file, as it was named.
    pub scenario: String,
    /// The seed: of this plan's draws, and of the network's.
    #[serde(with = "crate::scenario::plan::seed")]
    pub seed: u64,
    /// How long the run lasts.
    pub duration: Span,
    /// How many peers there are.
    pub peers: u32,
    /// How a run of it failed, in a file that was written because it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Peers that serve no DHT.
    #[serde(default)]
    pub clients: NodeSet,
    /// Peers that cannot be dialled.
    #[serde(default)]
    pub undialable: NodeSet,
    /// The links.
    pub network: NetworkPlan,
    /// What happens.
    pub timeline: Timeline<A>,
}

/// What happens, in the order of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeline<A> {
    /// What peers are asked to do.
    pub operations: Vec<Operation<A>>,
    /// What goes wrong, and right again.
    pub events: Vec<PlannedEvent>,
}

/// One thing that a peer is asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation<A> {
    /// When.
    pub at: Span,
    /// Its number, which it keeps when others are taken out.
    pub number: u32,
    /// Who.
    pub node: NodeId,
    /// What. Named `do` in a file.
    #[serde(rename = "do")]
    pub what: A,
}

impl<A> Plan<A> {
    /// What `seed` makes of `climate` for `app`: always the same.
    pub fn make<P: Application<Act = A>>(app: &P, climate: &Climate, seed: u64) -> Self {
        let drawn = Drawn::make(&climate.0, seed);
        let peers = drawn.peers;
        let drawn_for = |concern, number: u32| Draws::new(seed, concern, [ANY, u64::from(number)]);
        let operations = drawn.work.iter().zip(0u32..).map(|(at, number)| Operation {
            at: Span(*at),
            number,
            node: NodeId(drawn_for(Concern::Actor, number).index(peers as usize) as u32),
            what: app.act(number, &mut drawn_for(Concern::Question, number)),
        });
        Self {
            harness: VERSION,
            scenario: climate.0.scenario.path.display().to_string(),
            seed,
            duration: Span(climate.0.scenario.duration),
            peers,
            failure: None,
            clients: drawn.nodes.clients,
            undialable: drawn.nodes.undialable,
            network: drawn.network,
            timeline: Timeline { operations: operations.collect(), events: drawn.events },
        }
    }

    /// Whether it can be run: what is wrong, with its place in the plan.
    pub fn check(&self) -> Result<(), String> {
        let ensure = |good: bool, words: &dyn Fn() -> String| if good { Ok(()) } else { Err(words()) };
        ensure(self.harness == VERSION, &|| {
            format!("this is a plan of version {}; this program runs version {VERSION}", self.harness)
        })?;
        ensure(self.duration.0 <= MAX_SPAN && !self.duration.0.is_zero(), &|| {
            format!("duration must be above 0s and at most 7 days, found {}", self.duration)
        })?;
        ensure((1..=MAX_PEERS).contains(&u64::from(self.peers)), &|| {
            format!("peers must be from 1 to {MAX_PEERS}, found {}", self.peers)
        })?;
        ensure(self.timeline.operations.len() as u64 <= MAX_OPERATIONS, &|| {
            format!("more than {MAX_OPERATIONS} operations")
        })?;
        let (mut before, mut numbers) = (Duration::ZERO, BTreeSet::new());
        for (place, it) in self.timeline.operations.iter().enumerate() {
            let good = it.at.0 >= before
                && it.at <= self.duration
                && it.node.0 < self.peers
                && numbers.insert(it.number);
            ensure(good, &|| {
                format!(
                    "timeline.operations[{place}]: its time must be within the run and not before the last one's, its \
                     node one of {}, its number no other's",
                    self.peers
                )
            })?;
            before = it.at.0;
        }
        let about_packages = |turn: &Turn| {
            matches!(
                turn,
                Turn::Lies { .. } | Turn::Rollback { .. } | Turn::Equivocate { .. } | Turn::Storm { .. }
            )
        };
        ensure(!self.timeline.events.iter().any(|it| about_packages(&it.what)), &|| {
            "timeline.events: there are no packages to lie about".to_owned()
        })?;
        check_events(&self.timeline.events, self.duration, self.peers as usize, |_| true)
    }

    /// The same without these peers. Those that stay are numbered anew, in their order; what only the others did is gone.
    #[must_use]
    pub fn without_peers(&self, gone: &BTreeSet<NodeId>) -> Self
    where
        A: Clone,
    {
        let stay = (0..self.peers).map(NodeId).filter(|node| !gone.contains(node));
        let names: BTreeMap<NodeId, NodeId> = stay.zip((0..).map(NodeId)).collect();
        let renamed =
            |set: &NodeSet| -> NodeSet { set.iter().filter_map(|it| names.get(&it).copied()).collect() };
        let mut plan = self.clone();
        plan.peers = u32::try_from(names.len()).unwrap_or(u32::MAX);
        plan.clients = renamed(&self.clients);
        plan.undialable = renamed(&self.undialable);
        plan.timeline.operations.retain_mut(|it| match names.get(&it.node) {
            Some(name) => {
                it.node = *name;
                true
            }
            None => false,
        });
        plan.timeline.events.retain_mut(|event| {
            let mut sets = event.what.sets_mut();
            sets.iter_mut().for_each(|set| **set = renamed(set));
            sets.iter().all(|set| !set.is_empty())
        });
        plan
    }
}

impl<A: Serialize + DeserializeOwned + Clone> Plan<A> {
    /// The plan as a file, with one line for each operation and event.
    pub fn to_toml(&self) -> Result<String, WriteError> {
        let mut head = self.clone();
        head.timeline = Timeline { operations: Vec::new(), events: Vec::new() };
        written(&head, &self.timeline.operations, &self.timeline.events)
    }

    /// Read a plan file. Errors name the place.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        Self::parse(&read_text(path, MAX_FILE, WANTED)?, &path.display().to_string())
    }

    /// The same from a text; `path` is what errors call it.
    pub fn parse(text: &str, path: &str) -> Result<Self, FileError> {
        #[derive(Deserialize)]
        struct Version {
            harness: Option<u32>,
        }
        let source = Source { path, text };
        let version: Version = toml::from_str(text).map_err(|error| source.toml(&error))?;
        if version.harness != Some(VERSION) {
            return Err(source.error(0, Problem::Contradiction(WANTED.to_owned())));
        }
        let plan: Self = toml::from_str(text).map_err(|error| source.toml(&error))?;
        plan.check().map_err(|words| FileError::new(path, None, Problem::Contradiction(words)))?;
        Ok(plan)
    }
}

/// What stands for an application's operations in the identity of their draws.
const ANY: u64 = 8 << 32 | 1;
