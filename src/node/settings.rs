//! Settings of a node that are values of their own.

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// Bounds of a node, beside those of its parts that cannot be set from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeLimits {
    /// The most queries in flight.
    pub queries: usize,
    /// The most releases and notices in the catalogue.
    pub catalogue: usize,
    /// The most records that are kept for others.
    pub held_records: usize,
    /// The most HTTP requests in flight; one more is refused as busy.
    pub http_requests: usize,
    /// The most HTTP connections; one more waits.
    pub http_connections: usize,
}

impl Default for NodeLimits {
    fn default() -> Self {
        Self {
            queries: 1024,
            catalogue: 100_000,
            held_records: 20_000,
            http_requests: 256,
            http_connections: 512,
        }
    }
}
