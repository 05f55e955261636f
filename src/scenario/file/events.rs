//! The sections of workloads and faults: what happens in a scenario, and when.

use super::bounds::{ANY_SPAN, MAX_REGISTRIES, SOME_SPAN};
use super::declare::{Key, Kind, Section, default, optional, required};

/// The most operations a second of one workload.
pub(crate) const MAX_RATE: f64 = 100_000.0;
/// The most operations at one instant of one workload.
pub(crate) const MAX_COUNT: u64 = 100_000;

/// What hostile and broken peers do, by bytes.
pub(crate) const BYTE_KINDS: [&str; 8] = [
    "truncated",
    "bit-flipped",
    "noise",
    "oversized",
    "hostile-lengths",
    "hostile-nesting",
    "wrong-key",
    "repeated",
];
/// The same by meaning.
pub(crate) const MEANING_KINDS: [&str; 6] = [
    "bad-signature",
    "forged-publisher",
    "stale-sequence",
    "two-bodies",
    "pointer-to-nothing",
    "another-question",
];
const KINDS: [&str; 14] = {
    let mut all = [""; 14];
    let mut at = 0;
    while at < 14 {
        all[at] = if at < 8 { BYTE_KINDS[at] } else { MEANING_KINDS[at - 8] };
        at += 1;
    }
    all
};

const AT: Key = optional("at", ANY_SPAN, "When, from the start. With `count`, so many at once.");
const RATE: Key = optional("rate", Kind::Rate { most: MAX_RATE }, "How often, instead of `at`.");
const FROM: Key = optional("from", ANY_SPAN, "With `rate`: when the first may come; the start if left out.");
const UNTIL: Key = optional("until", ANY_SPAN, "With `rate`: when the last may come; the end if left out.");
const SPACING: Key = default(
    "spacing",
    Kind::Choice(&["poisson", "even"]),
    "\"poisson\"",
    "With `rate`: independent of one another, or one after the other at equal distances.",
);
const COUNT: Key =
    default("count", Kind::Count { least: 1, most: MAX_COUNT }, "1", "With `at`: how many at once.");
const REGISTRY: Key = optional(
    "registry",
    Kind::Count { least: 0, most: 2 * MAX_REGISTRIES },
    "Which registry does it: 0 is the first; those that join follow. Drawn among the starting ones if left out.",
);
const LIMIT: Key = optional(
    "limit",
    Kind::Count { least: 1, most: 10_000 },
    "The most results wanted; the registry's `max_results` if left out.",
);
const BY: Key = default(
    "by",
    Kind::Choice(&["word", "words", "category", "tag", "name", "new", "missing", "mixed"]),
    "\"mixed\"",
    "What is asked for: one word or two of some package, its category, tag or whole name; the name of one published during the run; what is nowhere; or each of these but new ones by chance.",
);
const TEXT: Key = optional("text", Kind::Text { most: 256 }, "These words, instead of drawn ones.");

/// One workload.
pub(crate) static WORKLOAD: Section = Section {
    name: "[[workload]]",
    doc: "One thing that the registries do, at a time or at a rate.",
    keys: &[
        optional("search", Kind::Table(&SEARCH), "Search for packages."),
        optional("cancel", Kind::Table(&CANCEL), "Search, and give the search up midway."),
        optional("get", Kind::Table(&GET), "Get one package."),
        optional("versions", Kind::Table(&VERSIONS), "List a package's versions."),
        optional("publish", Kind::Table(&PUBLISH), "Publish a package."),
        optional("yank", Kind::Table(&YANK), "Take back something that a publish workload published before."),
        optional("join", Kind::Table(&JOIN), "A node that joins late."),
    ],
    one_of: &["search", "cancel", "get", "versions", "publish", "yank", "join"],
};

static SEARCH: Section = Section {
    name: "search",
    doc: "Searches.",
    keys: &[AT, RATE, FROM, UNTIL, SPACING, COUNT, REGISTRY, LIMIT, BY, TEXT],
    one_of: &["at", "rate"],
};

static CANCEL: Section = Section {
    name: "cancel",
    doc: "Searches that their caller gives up.",
    keys: &[
        AT,
        RATE,
        FROM,
        UNTIL,
        SPACING,
        COUNT,
        REGISTRY,
        LIMIT,
        BY,
        TEXT,
        required("after", ANY_SPAN, "How long after its start a search is given up."),
    ],
    one_of: &["at", "rate"],
};

static GET: Section = Section {
    name: "get",
    doc: "Gets of one package.",
    keys: &[
        AT,
        RATE,
        FROM,
        UNTIL,
        SPACING,
        COUNT,
        REGISTRY,
        default(
            "what",
            Kind::Choice(&["release", "latest", "missing", "mixed"]),
            "\"mixed\"",
            "A named version, the latest, one that does not exist, or each by chance.",
        ),
    ],
    one_of: &["at", "rate"],
};

static VERSIONS: Section = Section {
    name: "versions",
    doc: "Listings of a package's versions.",
    keys: &[
        AT,
        RATE,
        FROM,
        UNTIL,
        SPACING,
        COUNT,
        REGISTRY,
        optional(
            "package",
            Kind::Count { least: 0, most: 1_000_000 },
            "The number of a package in the catalogue; drawn if left out.",
        ),
    ],
    one_of: &["at", "rate"],
};

static PUBLISH: Section = Section {
    name: "publish",
    doc: "Publications, each by the registry that does it, under its own key.",
    keys: &[
        AT,
        RATE,
        FROM,
        UNTIL,
        SPACING,
        COUNT,
        REGISTRY,
        default(
            "packages",
            Kind::Count { least: 0, most: 100_000 },
            "0",
            "How many names each registry publishes under: further ones are new versions. 0: each has a new name.",
        ),
        default(
            "large",
            Kind::Share,
            "0.0",
            "The share whose records exceed 4 KiB, and are announced by notice.",
        ),
    ],
    one_of: &["at", "rate"],
};

static YANK: Section = Section {
    name: "yank",
    doc: "Yanks, each by the registry that published. Each takes back another release; none is left: none is done.",
    keys: &[
        AT,
        RATE,
        FROM,
        UNTIL,
        SPACING,
        COUNT,
        default("age", ANY_SPAN, "\"10s\"", "How long ago it must have been published."),
    ],
    one_of: &["at", "rate"],
};

static JOIN: Section = Section {
    name: "join",
    doc: "Nodes that join late.",
    keys: &[
        AT,
        RATE,
        FROM,
        UNTIL,
        SPACING,
        COUNT,
        default(
            "who",
            Kind::Choice(&["registry", "peer"]),
            "\"registry\"",
            "A whole registry, or a modelled peer. Its catalogue is empty.",
        ),
    ],
    one_of: &["at", "rate"],
};

const AMONG: Key = default(
    "among",
    Kind::Choice(&["peers", "registries", "all"]),
    "\"peers\"",
    "Whom it may strike: modelled peers, registries, or both. Only nodes of the start.",
);
const SHARE: Key = default("share", Kind::Share, "1.0", "The share of them that it strikes.");

/// One fault.
pub(crate) static FAULT: Section = Section {
    name: "[[fault]]",
    doc: "One thing that goes wrong, from a time until a time.",
    keys: &[
        default("at", ANY_SPAN, "\"0s\"", "When it begins."),
        optional("until", ANY_SPAN, "When it ends; the end of the run if left out."),
        optional("for", SOME_SPAN, "How long it lasts, instead of `until`."),
        optional("churn", Kind::Table(&CHURN), "Nodes leave and come back."),
        optional("crash", Kind::Table(&CRASH), "Nodes die at once, and start again when the fault ends."),
        optional("partition", Kind::Table(&PARTITION), "Traffic between two sides is cut."),
        optional("latency", Kind::Table(&LATENCY), "Links become slower."),
        optional("bandwidth", Kind::Table(&BANDWIDTH), "Links become narrower."),
        optional("resets", Kind::Table(&RESETS), "Connections are reset."),
        optional("refused_dials", Kind::Table(&REFUSED), "Dials are refused at once."),
        optional("dead_dials", Kind::Table(&DEAD), "Dials are not answered."),
        optional("slow", Kind::Table(&SLOW), "Nodes serve slower."),
        optional("silent", Kind::Table(&SILENT), "Nodes accept what comes and never answer."),
        optional("stall", Kind::Table(&STALL), "Nodes send the first byte of each answer and then nothing."),
        optional("undialable", Kind::Table(&UNDIALABLE), "Nodes can no longer be dialled."),
        optional(
            "malformed",
            Kind::Table(&MALFORMED),
            "Modelled peers send what is ill-made, by bytes or by meaning.",
        ),
        optional(
            "rollback",
            Kind::Table(&ROLLBACK),
            "A publisher shows an older list of a package's releases again.",
        ),
        optional(
            "equivocate",
            Kind::Table(&EQUIVOCATE),
            "A publisher signs two bodies for one release and number.",
        ),
        optional(
            "store_full",
            Kind::Table(&STORE_FULL),
            "Nodes have no room for what others want to keep with them in the DHT.",
        ),
        optional(
            "lying_acks",
            Kind::Table(&LYING_ACKS),
            "Nodes acknowledge what they do not keep for the DHT.",
        ),
        optional("clock_skew", Kind::Table(&CLOCK_SKEW), "Nodes' calendars are wrong."),
        optional(
            "eclipse",
            Kind::Table(&ECLIPSE),
            "Modelled peers name each other alone to who walks through the DHT, and give no record.",
        ),
        optional(
            "sybil",
            Kind::Table(&SYBIL),
            "Modelled peers that stand beside the key of a package's list, and collude.",
        ),
        optional(
            "false_peers",
            Kind::Table(&FALSE_PEERS),
            "Modelled peers name nobody who exists to who walks through the DHT.",
        ),
        optional("whitewash", Kind::Table(&WHITEWASH), "Modelled peers lie, and come back under new names."),
        optional(
            "framing",
            Kind::Table(&FRAMING),
            "Modelled peers spread releases in two bodies, so that honest ones contradict each other.",
        ),
        optional(
            "storm",
            Kind::Table(&STORM),
            "Modelled peers announce good releases, each signed with a new key: keys cost nothing.",
        ),
        optional("late", Kind::Table(&LATE), "Nodes hold each answer back, as long as others will wait."),
    ],
    one_of: &[
        "churn",
        "crash",
        "partition",
        "latency",
        "bandwidth",
        "resets",
        "refused_dials",
        "dead_dials",
        "slow",
        "silent",
        "stall",
        "undialable",
        "malformed",
        "rollback",
        "equivocate",
        "store_full",
        "lying_acks",
        "late",
        "clock_skew",
        "storm",
        "eclipse",
        "sybil",
        "false_peers",
        "whitewash",
        "framing",
    ],
};

const KEEPS: Kind = Kind::Choice(&["all", "synced", "nothing"]);

static CHURN: Section = Section {
    name: "churn",
    doc: "Nodes leave and come back: sessions and gaps, drawn for each node.",
    keys: &[
        AMONG,
        SHARE,
        default(
            "session",
            Kind::Table(&SPREAD),
            "{ weibull = { shape = 0.615, scale = \"169.5m\" } }",
            "How long a node stays. It is within a session when the fault begins.",
        ),
        default(
            "gap",
            Kind::Table(&SPREAD),
            "{ weibull = { shape = 0.476, scale = \"413.7m\" } }",
            "How long it is away.",
        ),
        default("keep", KEEPS, "\"synced\"", "What it keeps: all, what was synced, or nothing."),
    ],
    one_of: &[],
};

static SPREAD: Section = Section {
    name: "a distribution",
    doc: "How times are distributed.",
    keys: &[
        optional("weibull", Kind::Table(&WEIBULL), "Weibull."),
        optional("exponential", Kind::Table(&EXPONENTIAL), "Exponential."),
        optional("fixed", SOME_SPAN, "Always this."),
    ],
    one_of: &["weibull", "exponential", "fixed"],
};

static WEIBULL: Section = Section {
    name: "weibull",
    doc: "A Weibull distribution.",
    keys: &[
        required("shape", Kind::Positive { most: 100.0 }, "Below 1: many short, few very long."),
        required("scale", SOME_SPAN, "63% are shorter than this."),
    ],
    one_of: &[],
};

static EXPONENTIAL: Section = Section {
    name: "exponential",
    doc: "An exponential distribution.",
    keys: &[required("mean", SOME_SPAN, "Its mean.")],
    one_of: &[],
};

static CRASH: Section = Section {
    name: "crash",
    doc: "Nodes die at once, and start again when the fault ends, if it ends before the run.",
    keys: &[
        AMONG,
        optional("share", Kind::Share, "The share of them."),
        optional("count", Kind::Count { least: 1, most: MAX_COUNT }, "So many of them."),
        optional("registry", Kind::Count { least: 0, most: MAX_REGISTRIES }, "This registry."),
        default("keep", KEEPS, "\"synced\"", "What they keep: all, what was synced, or nothing."),
    ],
    one_of: &["share", "count", "registry"],
};

static PARTITION: Section = Section {
    name: "partition",
    doc: "Traffic between two sides is cut, and connections between them end.",
    keys: &[
        default("share", Kind::Share, "0.0", "The share of modelled peers on the first side."),
        default(
            "registries",
            Kind::Counts { below: MAX_REGISTRIES },
            "[]",
            "The registries on the first side. All others are on the second.",
        ),
        default(
            "way",
            Kind::Choice(&["both", "one-way"]),
            "\"both\"",
            "Both ways, or only what the first side sends.",
        ),
    ],
    one_of: &[],
};

const STRUCK: [Key; 2] = [AMONG_ALL, SHARE];
const AMONG_ALL: Key = default(
    "among",
    Kind::Choice(&["peers", "registries", "all"]),
    "\"all\"",
    "Whose links: modelled peers', registries', or both.",
);

static LATENCY: Section = Section {
    name: "latency",
    doc: "Links become slower.",
    keys: &[
        STRUCK[0],
        STRUCK[1],
        default("extra", ANY_SPAN, "\"0s\"", "Added to each one-way delay."),
        default("jitter", ANY_SPAN, "\"0s\"", "The most by which each one-way delay varies besides."),
    ],
    one_of: &[],
};

static BANDWIDTH: Section = Section {
    name: "bandwidth",
    doc: "Links become narrower.",
    keys: &[
        STRUCK[0],
        STRUCK[1],
        required("per_second", Kind::Size { least: 64, most: 1 << 40 }, "Bytes a second."),
    ],
    one_of: &[],
};

const CHANCE: Key = required("chance", Kind::Share, "With which chance.");

static RESETS: Section = Section {
    name: "resets",
    doc: "A message's connection is reset by chance.",
    keys: &[STRUCK[0], STRUCK[1], CHANCE],
    one_of: &[],
};

static REFUSED: Section = Section {
    name: "refused_dials",
    doc: "A dial is refused at once by chance.",
    keys: &[STRUCK[0], STRUCK[1], CHANCE],
    one_of: &[],
};

static DEAD: Section = Section {
    name: "dead_dials",
    doc: "A dial is not answered by chance.",
    keys: &[STRUCK[0], STRUCK[1], CHANCE],
    one_of: &[],
};

static SLOW: Section = Section {
    name: "slow",
    doc: "Nodes serve slower.",
    keys: &[
        AMONG,
        SHARE,
        required("factor", Kind::Count { least: 1, most: 1_000_000 }, "How many times slower."),
    ],
    one_of: &[],
};

static SILENT: Section = Section {
    name: "silent",
    doc: "Nodes accept what comes and never answer.",
    keys: &[AMONG, SHARE],
    one_of: &[],
};

static STALL: Section = Section {
    name: "stall",
    doc: "Nodes send the first byte of each answer and then nothing.",
    keys: &[AMONG, SHARE],
    one_of: &[],
};

static UNDIALABLE: Section = Section {
    name: "undialable",
    doc: "Nodes can no longer be dialled; connections that stand are kept.",
    keys: &[AMONG, SHARE],
    one_of: &[],
};

static STORE_FULL: Section = Section {
    name: "store_full",
    doc: "Nodes keep no key of the DHT that they do not hold yet. Others are told that it was kept, as Kademlia does.",
    keys: &[AMONG, SHARE],
    one_of: &[],
};

static LYING_ACKS: Section = Section {
    name: "lying_acks",
    doc: "Nodes acknowledge what others ask them to keep for the DHT, records and providers, and keep none of it.",
    keys: &[AMONG, SHARE],
    one_of: &[],
};

static CLOCK_SKEW: Section = Section {
    name: "clock_skew",
    doc: "Nodes' calendars are wrong: what is signed and what expires is judged by them. Timers and deadlines are not touched.",
    keys: &[
        AMONG,
        SHARE,
        optional("ahead", SOME_SPAN, "How far they are ahead."),
        optional("behind", SOME_SPAN, "How far they are behind."),
    ],
    one_of: &["ahead", "behind"],
};

static ECLIPSE: Section = Section {
    name: "eclipse",
    doc: "Modelled peers collude: on a walk through the DHT each names those of the others that are closest, and gives no record. Questions they answer as ever.",
    keys: &[SHARE],
    one_of: &[],
};

static SYBIL: Section = Section {
    name: "sybil",
    doc: "Modelled peers whose identities were chosen to stand beside the key of a package's list, nearer than anybody honest. Until the fault begins they are as others are, and hold what belongs there; then they name each other alone, and give no record.",
    keys: &[PACKAGE, SHARE],
    one_of: &[],
};

static FALSE_PEERS: Section = Section {
    name: "false_peers",
    doc: "Modelled peers name nobody who exists to who walks through the DHT, as many as an answer holds, and give no record. Each name costs whoever believes it a dial.",
    keys: &[
        SHARE,
        default(
            "names",
            Kind::Count { least: 1, most: 100_000 },
            "1000",
            "How many names they made up, all together.",
        ),
    ],
    one_of: &[],
};

static WHITEWASH: Section = Section {
    name: "whitewash",
    doc: "Modelled peers lie in every way that needs no publisher's secret, and shed what is said of them: each leaves and comes back under a new name, with what it held, at most 64 times.",
    keys: &[SHARE, required("every", SOME_SPAN, "How long each name is used.")],
    one_of: &[],
};

static FRAMING: Section = Section {
    name: "framing",
    doc: "Modelled peers spread releases that look like the catalogue's, each in two bodies that are both truly signed: one half of the honest modelled peers is handed the one, the other half the other. Whoever asks both finds them in conflict, and neither to blame.",
    keys: &[SHARE, required("rate", Kind::Count { least: 1, most: 1_000 }, "Releases a second.")],
    one_of: &[],
};

static STORM: Section = Section {
    name: "storm",
    doc: "Modelled peers announce releases without end, each good, and each signed with a key that was made for it. A signature bounds nothing; quotas do.",
    keys: &[
        SHARE,
        required("rate", Kind::Count { least: 1, most: 1_000 }, "Releases a second, from each of them."),
    ],
    one_of: &[],
};

static LATE: Section = Section {
    name: "late",
    doc: "Nodes serve as fast as ever, and hold each answer back: a slow-loris, where this is just under a timeout.",
    keys: &[AMONG, SHARE, required("by", SOME_SPAN, "How much later each answer leaves.")],
    one_of: &[],
};

static MALFORMED: Section = Section {
    name: "malformed",
    doc: "Modelled peers send what is ill-made. Each does all of the kinds, one drawn for each answer.",
    keys: &[SHARE, required("kinds", Kind::Choices(&KINDS), "What they do.")],
    one_of: &[],
};

const PACKAGE: Key = default(
    "package",
    Kind::Count { least: 0, most: 1_000_000 },
    "0",
    "The number of the package in the catalogue.",
);

static ROLLBACK: Section = Section {
    name: "rollback",
    doc: "A publisher shows an older list of a package's releases again: some peers serve the older one.",
    keys: &[PACKAGE, SHARE],
    one_of: &[],
};

static EQUIVOCATE: Section = Section {
    name: "equivocate",
    doc: "A publisher signs two bodies for one release under one number: some peers serve and announce the other.",
    keys: &[PACKAGE, SHARE],
    one_of: &[],
};
