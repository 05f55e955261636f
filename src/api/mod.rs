//! The shapes of a node's HTTP interface, as JSON: what the node writes and its clients read.
//!
//! Plain values without I/O. Names of fields and the codes of errors are stable; a field that is added later is
//! ignored by an older reader, so only what a person writes by hand, the [`Manifest`], refuses keys that it does not know.
//! Spans of time are milliseconds, calendar times milliseconds since the Unix epoch, digests and
//! publishers 64 lower-case hexadecimal digits.
//!
//! | Request | Answer |
//! |---|---|
//! | `GET /v1/search?q=WORDS&limit=N&category=C&tag=T` | [`SearchLine`]s, one a line: hits as they come, then the end |
//! | `GET /v1/packages/{publisher}/{name}` | [`ReleaseView`]: the newest release |
//! | `GET /v1/packages/{publisher}/{name}/{version}` | [`ReleaseView`]: one release |
//! | `GET /v1/versions/{publisher}/{name}` | [`VersionsView`] |
//! | `GET /v1/peers` | [`PeersView`] |
//! | `GET /v1/node` | [`NodeView`] |
//! | `POST /v1/packages`, a [`Manifest`] | 201 and [`PublishedView`] |
//! | `DELETE /v1/packages/{publisher}/{name}/{version}` | [`PublishedView`] of the yank |
//! | `GET /health`, `GET /ready` | [`HealthView`], [`ReadyView`] (503 when it is not) |
//! | `GET /metrics` | Prometheus text |
//!
//! `category` and `tag` may be given several times. `POST` and `DELETE` need `Authorization: Bearer TOKEN`, the
//! token from the node's data folder. Whatever goes wrong is an [`ErrorBody`] with a fitting status.

mod error;
mod manifest;
mod release;
mod search;
mod views;

pub use error::{ErrorBody, ErrorCode, ErrorView};
pub use manifest::{MAX_MANIFEST, Manifest, ManifestError, ManifestProblem};
pub use release::ReleaseView;
pub use search::{CoverageView, EndView, MissingView, OutcomeView, ReasonView, SearchLine};
pub use views::{
    HealthView, NodeView, PeerView, PeersView, PublishedView, ReadyView, StoredView, VersionView,
    VersionsView,
};

/// The port of a node's HTTP interface when none is given.
pub const DEFAULT_HTTP_PORT: u16 = 4800;

/// The most silence of a node that a client sits through: more than a publication takes by a node's own limits.
pub(crate) const SILENT_NODE: core::time::Duration = core::time::Duration::from_secs(180);

/// The media type of a search's answer: one JSON object a line.
pub const NDJSON: &str = "application/x-ndjson";

#[cfg(test)]
mod tests;
