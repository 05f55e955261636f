//! What a search answers, line by line.

use serde::{Deserialize, Serialize};

use super::error::ErrorView;
use super::release::ReleaseView;

/// One line of a search's answer: `{"hit":{…}}` for each result as it comes, and `{"end":{…}}` last. An
/// answer without an end was broken off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchLine {
    /// A result.
    Hit(Box<ReleaseView>),
    /// How the search ended. Nothing comes after it.
    End(Box<EndView>),
    /// The node could not bring the search to an end. Nothing comes after it.
    Error(ErrorView),
}

/// How a search ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndView {
    /// The node's name for the search, as in its log.
    pub query: String,
    /// How it ended.
    pub outcome: OutcomeView,
    /// What a partial outcome lacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingView>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonView>,
    /// The results that stand at the end, best first, each as `PUBLISHER/NAME@VERSION`. One that came as a
    /// hit is missing here when it was contradicted afterwards.
    pub ranked: Vec<String>,
    /// Releases of which two different signed records turned up, each as `PUBLISHER/NAME@VERSION`.
    pub conflicts: Vec<String>,
    /// Who was asked, and what came of it.
    pub coverage: CoverageView,
    /// From the question to the end.
    pub elapsed_ms: f64,
}

/// How a query ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeView {
    /// All that it should cover is covered.
    Complete,
    /// The limit of results was reached.
    Enough,
    /// Something is missing; `missing` says what.
    Partial,
    /// Nothing was found, and nobody could say that there is nothing; `reason` says why.
    Failed,
    /// It was given up.
    Cancelled,
}

/// What a partial outcome lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingView {
    /// Adequate answers short of those wanted.
    pub answers: u32,
    /// Releases known by name whose records did not come.
    pub names: u32,
    /// Whether the deadline ended it; otherwise nobody was left to ask.
    pub deadline: bool,
}

/// Why a query failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonView {
    /// No peer is known.
    NoPeers,
    /// Every peer that was asked failed, refused or was silent.
    NoAnswer,
    /// The deadline came before any adequate answer.
    Deadline,
    /// What it looked for does not exist.
    NotFound,
    /// Two different records for one release.
    Conflict,
    /// Too many queries were in flight.
    Busy,
}

/// Who was asked, and what came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CoverageView {
    /// Questions put to peers.
    pub asked: u32,
    /// Answers that count.
    pub adequate: u32,
    /// Answers from catalogues too empty, or ill-made.
    pub inadequate: u32,
    /// Peers that could not be reached or broke off.
    pub failed: u32,
    /// Peers that were silent.
    pub timed_out: u32,
    /// Peers that refused.
    pub refused: u32,
    /// Questions still out when the search ended.
    pub abandoned: u32,
    /// Releases first known by name whose record came.
    pub resolved: u32,
    /// Releases known by name whose record did not come.
    pub unresolved: u32,
    /// Lookups in the DHT.
    pub lookups: u32,
    /// Messages that all of it sent, as far as the network told.
    pub messages: u32,
}
