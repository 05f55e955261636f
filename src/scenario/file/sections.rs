//! The sections of a scenario file.

use super::bounds::{ANY_SPAN, MAX_PEERS, MAX_REGISTRIES, MAX_RELEASES, QUERY_SPAN, SOME_SPAN};
use super::declare::{Key, Kind, Section, default, optional, required};
use super::events::{FAULT, WORKLOAD};
use crate::engine::QueryConfig;
use crate::scenario::expect::{Measure, Scale};
use crate::scenario::words::Family;

/// The whole file.
pub(crate) static SCENARIO: Section = Section {
    name: "the scenario",
    doc: "A scenario: a network, what is published in it, what is asked, what goes wrong, what is expected.",
    keys: &[
        required("description", Kind::Text { most: 2_000 }, "What the scenario proves."),
        default(
            "seeds",
            Kind::Seeds,
            "\"0..3\"",
            "The seeds that run when none is named on the command line.",
        ),
        required("duration", SOME_SPAN, "How long a run lasts, in virtual time."),
        required("network", Kind::Table(&NETWORK), "The peers and the links between them."),
        required("catalogue", Kind::Table(&CATALOGUE), "What is published before the start."),
        default("registry", Kind::Table(&REGISTRY), "{}", "How the registries are configured."),
        optional("workload", Kind::Tables(&WORKLOAD), "What the registries do; each by itself."),
        optional("fault", Kind::Tables(&FAULT), "What goes wrong; each by itself."),
        optional("chaos", Kind::Table(&CHAOS), "Each seed draws a scenario of its own within this one."),
        optional(
            "liveness",
            Kind::Table(&LIVENESS),
            "What is asked of the network after the end, when nothing goes wrong any more.",
        ),
        default("expect", Kind::Table(&EXPECT), "{}", "What is expected of each run, beside the oracles."),
    ],
    one_of: &[],
};

static CHAOS: Section = Section {
    name: "[chaos]",
    doc: "Each seed draws a scenario of its own: sizes, links, settings, workloads and any mix of faults. [network] peers and registries and [catalogue] packages are the most; workloads are the alphabet, all kinds if there are none; faults in the file hold besides.",
    keys: &[
        optional(
            "families",
            Kind::Choices(&Family::NAMES),
            "The families of faults to draw from, each off with a chance of a half; all unless given.",
        ),
        default("quiet", Kind::Share, "0.1", "The share of seeds without any drawn fault."),
        default(
            "steady",
            Kind::Share,
            "0.25",
            "The share of seeds in which nothing is stopped or started again.",
        ),
        default(
            "sizes",
            Kind::Choice(&["drawn", "fixed"]),
            "\"drawn\"",
            "Whether [network] peers and registries are the most, or are so many in each run.",
        ),
        default("calm", ANY_SPAN, "\"10s\"", "Every drawn fault is over so long before the end."),
    ],
    one_of: &[],
};

static LIVENESS: Section = Section {
    name: "[liveness]",
    doc: "After the end a random core of the nodes is freed of all that was done to them: cuts are healed, who is down starts again. All others stay down, silent or hostile. Each registry of the core must then find what is there, or the oracle `liveness` fails the run.",
    keys: &[
        default("core", Kind::Share, "0.7", "The share of the nodes that were never hostile."),
        required(
            "within",
            SOME_SPAN,
            "How long they may take. Owed is what so many of the core hold that a registry surely compares its catalogue with one of them in that time.",
        ),
    ],
    one_of: &[],
};

static NETWORK: Section = Section {
    name: "[network]",
    doc: "The peers and the links between them.",
    keys: &[
        required(
            "peers",
            Kind::Count { least: 1, most: MAX_PEERS },
            "Nodes at the start, registries among them.",
        ),
        required(
            "registries",
            Kind::Count { least: 1, most: MAX_REGISTRIES },
            "Whole registries among the peers: nodes 0 to this. The others are modelled.",
        ),
        default(
            "profile",
            Kind::Choice(&["internet", "mobile", "ipfs", "lan", "explicit"]),
            "\"internet\"",
            "Delays and dials: between regions and homes, between phones, within one building, or as [network.explicit] says.",
        ),
        optional("explicit", Kind::Table(&EXPLICIT), "Regions and the delays between them."),
        default("undialable", Kind::Share, "0.0", "The share of modelled peers that cannot be dialled."),
        default("clients", Kind::Share, "0.0", "The share of modelled peers that only ask and serve no DHT."),
        optional(
            "service",
            Kind::Table(&SERVICE),
            "How long serving takes; the network's own figures if left out.",
        ),
    ],
    one_of: &[],
};

static EXPLICIT: Section = Section {
    name: "[network.explicit]",
    doc: "Regions and the delays between them. Peers are spread over the regions evenly.",
    keys: &[
        required("delays", Kind::Delays, "One-way delays: a row for each region, a column for each region."),
        default("jitter", ANY_SPAN, "\"0s\"", "The most by which each one-way delay varies."),
    ],
    one_of: &[],
};

static SERVICE: Section = Section {
    name: "[network.service]",
    doc: "How long a peer works on what it is asked. Peers serve one thing at a time; the rest waits.",
    keys: &[
        default("question", ANY_SPAN, "\"2ms\"", "Mean time to answer a registry's question."),
        default("lookup", ANY_SPAN, "\"500us\"", "Mean time to answer a request of the DHT."),
        default(
            "queue",
            Kind::Count { least: 1, most: 100_000 },
            "128",
            "What may wait at one peer; more is refused as busy.",
        ),
    ],
    one_of: &[],
};

static CATALOGUE: Section = Section {
    name: "[catalogue]",
    doc: "What is published before the start, and who knows of it.",
    keys: &[
        default(
            "source",
            Kind::Choice(&["synthetic", "file"]),
            "\"synthetic\"",
            "Made from a seed, or read from a file.",
        ),
        optional(
            "path",
            Kind::Text { most: 1_000 },
            "The catalogue file, relative to the scenario's folder.",
        ),
        optional(
            "packages",
            Kind::Count { least: 1, most: MAX_RELEASES },
            "Packages of a synthetic catalogue; the first so many of a file's.",
        ),
        default(
            "publishers",
            Kind::Count { least: 1, most: 100_000 },
            "20",
            "Publishers that the packages are spread over.",
        ),
        default(
            "versions",
            Kind::Count { least: 1, most: 100 },
            "1",
            "The most versions of a synthetic package; each has 1 to this many.",
        ),
        optional(
            "seed",
            Kind::Count { least: 0, most: u64::MAX },
            "Fixes the synthetic catalogue; otherwise each run's seed makes its own.",
        ),
        default(
            "large",
            Kind::Share,
            "0.0",
            "The share of synthetic packages whose records exceed 4 KiB, and are announced by notice.",
        ),
        default(
            "coverage",
            Kind::Share,
            "1.0",
            "The chance with which a modelled peer holds a release at the start; at least one peer holds each.",
        ),
        default(
            "registries_start",
            Kind::Choice(&["full", "empty"]),
            "\"full\"",
            "Whether registries have caught up before the start.",
        ),
        default("in_dht", Kind::Flag, "true", "Whether the records are stored in the DHT at the start."),
    ],
    one_of: &[],
};

static REGISTRY: Section = Section {
    name: "[registry]",
    doc: "How the registries are configured: a preset, and what differs from it.",
    keys: &[
        default(
            "preset",
            Kind::Choice(&["balanced", "low-latency", "high-throughput"]),
            "\"balanced\"",
            "The preset.",
        ),
        optional("timeout", QUERY_SPAN, "A query ends by then, with what it has."),
        optional(
            "max_results",
            Kind::Count { least: 1, most: QueryConfig::MAX_RESULTS as u64 },
            "The most results of one query.",
        ),
        optional(
            "answers_wanted",
            Kind::Count { least: 1, most: 256 },
            "How many adequate answers make a search complete: its coverage.",
        ),
        optional(
            "fan_out",
            Kind::CountOr { least: 1, most: 256, words: &["hedged", "adaptive"] },
            "How many peers are asked at once: its speed. Always so many; or as many as answers are wanted, and one more for each that is late, within a budget; or more besides where answers get lost.",
        ),
        optional(
            "adaptive_timeout",
            Kind::Flag,
            "Whether the time given to one request is learned from answers.",
        ),
        optional("request_timeout", QUERY_SPAN, "The most time given to one request."),
        optional(
            "fetch_concurrency",
            Kind::Count { least: 1, most: 256 },
            "How many records are fetched at once for one query.",
        ),
        optional(
            "queries",
            Kind::Count { least: 1, most: 1_000_000 },
            "The most queries in flight at one registry.",
        ),
        optional(
            "holds",
            Kind::Count { least: 1, most: 1_000_000 },
            "The most statements that a registry's own catalogue holds; what is beyond it must be asked for.",
        ),
        optional("catch_up", SOME_SPAN, "How often a registry compares its catalogue with a random peer's."),
        optional("republish", SOME_SPAN, "How often a registry republishes what it published."),
        optional("validity", SOME_SPAN, "How long a release list is valid after it is signed."),
    ],
    one_of: &[],
};

const fn expectation(at: usize) -> Key {
    let (_, name, scale, doc) = Measure::ALL[at];
    optional(name, Kind::Compare(scale), doc)
}

const EXPECTATIONS: [Key; Measure::ALL.len()] = {
    let mut keys = [optional("", Kind::Compare(Scale::Number), ""); Measure::ALL.len()];
    let mut at = 0;
    while at < keys.len() {
        keys[at] = expectation(at);
        at += 1;
    }
    keys
};

static EXPECT: Section = Section {
    name: "[expect]",
    doc: "What is expected of each run, beside the oracles, which hold always.",
    keys: &EXPECTATIONS,
    one_of: &[],
};
