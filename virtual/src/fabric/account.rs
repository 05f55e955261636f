//! What has happened on a fabric, counted.

/// Counts since the fabric was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Things that happened: arrivals, ends of dials and of connections.
    pub events: u64,
    /// Dials begun.
    pub dials: u64,
    /// Dials that failed.
    pub failed_dials: u64,
    /// Connections made.
    pub connections: u64,
    /// Streams opened.
    pub streams: u64,
    /// Messages that arrived: each what was written to a stream until it was flushed.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Messages that were lost: cut off, reset, or for an end that was gone.
    pub lost: u64,
    /// Connections that were reset by a link.
    pub resets: u64,
}
