//! The bounds of what a scenario may ask for.

use core::time::Duration;

use super::declare::Kind;
use crate::engine::QueryConfig;

/// The longest time that a scenario may speak of.
pub(crate) const MAX_SPAN: Duration = Duration::from_secs(7 * 86_400);
/// The most peers at the start.
pub(crate) const MAX_PEERS: u64 = 1_000_000;
/// The most registries: each is whole, with its own event loop.
pub(crate) const MAX_REGISTRIES: u64 = 1_000;
/// The most releases of a catalogue.
pub(crate) const MAX_RELEASES: u64 = 200_000;
/// The most operations of one run.
pub(crate) const MAX_OPERATIONS: u64 = 1_000_000;

/// How long a query, or a request of it, may be given.
pub(crate) const QUERY_SPAN: Kind =
    Kind::Span { least: Duration::from_millis(1), most: QueryConfig::MAX_TIMEOUT };
/// Any span, also none.
pub(crate) const ANY_SPAN: Kind = Kind::Span { least: Duration::ZERO, most: MAX_SPAN };
/// A span that is not none.
pub(crate) const SOME_SPAN: Kind = Kind::Span { least: Duration::from_micros(1), most: MAX_SPAN };
/// The most names that one peer takes one after the other.
pub(crate) const MOST_RENEWALS: u32 = 64;
