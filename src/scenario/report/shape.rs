//! The report's fields, as programs read them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::latency::Latency;
use super::results::Results;

/// What one run was and what came of it. Serialised, it is one line of `--format json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// The scenario, by the path of its file.
    pub scenario: String,
    /// The seed that the plan was made from.
    pub seed: u64,
    /// The network that it ran on: `sim` for the simulated one.
    pub network: String,
    /// Whether all held.
    pub verdict: Verdict,
    /// The hash over everything that happened, in hex.
    pub trace_hash: String,
    /// Peers that took part, whole registries among them.
    pub peers: u64,
    /// Events that the world processed.
    pub events: u64,
    /// Messages delivered between peers.
    pub messages: u64,
    /// Virtual time from start to end, in milliseconds.
    pub virtual_ms: u64,
    /// Wall time that it took, in milliseconds; 0 until it is set by whoever has a clock.
    pub wall_ms: f64,
    /// The mean recall of the searches for which there was something to find; 1 when there was none.
    pub recall: f64,
    /// How many searches `recall` is measured over.
    pub recall_over: u64,
    /// How searches ended.
    pub searches: Endings,
    /// How gets of releases and of lists ended.
    pub gets: Endings,
    /// What publishers did.
    pub publishes: Publishes,
    /// Packages that searches found, in all.
    pub found: u64,
    /// From the asking to the end of each search, in virtual time.
    pub latency_ms: Latency,
    /// From the asking to the end of each get of a release or of a list, in virtual time.
    pub get_latency_ms: Latency,
    /// Requests that queries made of the network, retries and hedges included.
    pub requests: u64,
    /// Those of them that searches made.
    pub search_requests: u64,
    /// What went over the network for them: what two networks are compared by.
    pub traffic: Traffic,
    /// Malformed items, as the hostile peers counted what they sent.
    pub malformed: Malformed,
    /// What oracles found wrong.
    pub violations: Vec<Violation>,
    /// What the scenario expected, and what it got.
    pub expectations: Vec<Expectation>,
    /// For each missed package and each bad ending, the cause in a sentence.
    pub why: Vec<String>,
    /// The command that runs this again; empty until it is set by whoever knows it.
    pub replay: String,
    /// How often the run came to each of the [places that matter](crate::probe::Probe), by name; without those to
    /// which it never came.
    #[serde(default)]
    pub probes: BTreeMap<String, u64>,
    /// What each operation came to, and what was refused. Not serialised: it is for comparing networks and strategies.
    #[serde(skip)]
    pub results: Results,
}

impl RunReport {
    /// Requests for each search, or `None` without searches.
    #[expect(clippy::cast_precision_loss, reason = "counts of one run are far below 2^53")]
    pub fn requests_per_search(&self) -> Option<f64> {
        (self.searches.started > 0).then(|| self.search_requests as f64 / self.searches.started as f64)
    }

    /// How many times faster than real time it ran, or `None` while `wall_ms` is not set.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of one run are far below 2^53")]
    pub fn speed(&self) -> Option<f64> {
        (self.wall_ms > 0.0).then(|| self.virtual_ms as f64 / self.wall_ms)
    }

    /// The verdict that violations and expectations amount to.
    pub fn judge(&self) -> Verdict {
        let held = self.violations.is_empty() && self.expectations.iter().all(|it| it.held);
        if held { Verdict::Pass } else { Verdict::Fail }
    }
}

/// Whether a run held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every oracle and every expectation held.
    Pass,
    /// One did not.
    Fail,
}

impl Verdict {
    /// `pass` or `fail`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
        }
    }
}

/// How the queries of one kind ended.
/// `started = complete + enough + partial + failed + cancelled + in_flight`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endings {
    /// Queries started.
    pub started: u64,
    /// Covered all that they should.
    pub complete: u64,
    /// Reached their limit of results.
    pub enough: u64,
    /// Ended with something missing.
    pub partial: u64,
    /// Found nothing, and nobody could say that there is nothing.
    pub failed: u64,
    /// Given up by the caller.
    pub cancelled: u64,
    /// Not ended when the run did.
    pub in_flight: u64,
}

impl Endings {
    /// Whether what was started is what ended or is in flight.
    pub fn add_up(&self) -> bool {
        let parts = [self.complete, self.enough, self.partial, self.failed, self.cancelled, self.in_flight];
        parts.iter().try_fold(0u64, |sum, part| sum.checked_add(*part)) == Some(self.started)
    }
}

/// What publishers did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publishes {
    /// Releases and yanks that a registry was asked to publish.
    pub started: u64,
    /// Those that the registry said were published.
    pub published: u64,
    /// Those that it refused or could not place.
    pub failed: u64,
}

/// What registries' requests cost the network. Counted alike on every network: at the seam between the two, but for
/// the dials. Of requests that were given up nothing is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// Dials that all nodes began, from the start of the run's time.
    pub dials: u64,
    /// Those of them that failed.
    pub failed_dials: u64,
    /// Virtual milliseconds that requests waited for connections, in all.
    pub dial_ms: f64,
    /// Requests of the DHT that ended: values and providers looked up, records stored, providing told.
    pub lookups: u64,
    /// Messages sent for them and answers to these.
    pub lookup_messages: u64,
    /// Questions to peers that ended.
    pub questions: u64,
    /// Those of them that were answered.
    pub answered: u64,
    /// Messages sent for questions and answers to these, the walks to peers whose address was not known included.
    pub question_messages: u64,
    /// Announcements that registries heard.
    pub announcements: u64,
    /// The mean of the hops of the lookups that anybody answered: see
    /// [`RequestStats::hops`](crate::network::RequestStats::hops). `None` without any.
    pub hops: Option<f64>,
    /// The most hops of a lookup.
    pub most_hops: u32,
}

/// Malformed items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Malformed {
    /// Sent by hostile peers.
    pub sent: u64,
    /// Refused by whoever received them.
    pub rejected: u64,
    /// Delivered to a caller as if they were good.
    pub delivered: u64,
}

/// Something that an oracle found wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The oracle's name.
    pub oracle: String,
    /// When, in virtual milliseconds.
    pub at_ms: u64,
    /// What was found, with the peers and the queries concerned.
    pub detail: String,
}

/// What a scenario expected of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// What is measured: `recall`.
    pub name: String,
    /// What was wanted, as the scenario has it: `>= 0.99`.
    pub wanted: String,
    /// What came of it.
    pub got: String,
    /// Whether it held.
    pub held: bool,
}
