//! A search's answer, line by line.

use std::io::{BufRead as _, BufReader, Read};

use super::error::ClientError;
use super::url::NodeUrl;
use crate::api::SearchLine;

/// The most bytes of one line: a release with every field at its limit, each byte of it escaped.
pub(super) const MAX_LINE: usize = 256 * 1024;
/// The most bytes of a whole answer.
pub(super) const MAX_ANSWER: u64 = 256 * 1024 * 1024;

/// What to search for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// Words.
    pub words: String,
    /// Categories that a package must have.
    pub categories: Vec<String>,
    /// Tags that a package must have.
    pub tags: Vec<String>,
    /// The most results; the node's own limit unless given.
    pub limit: Option<usize>,
}

/// The lines of a search's answer as they come. Ends behind [`SearchLine::End`] or [`SearchLine::Error`], or with an error.
pub struct Search {
    node: NodeUrl,
    reader: BufReader<Box<dyn Read + Send>>,
    over: bool,
}

impl core::fmt::Debug for Search {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Search").field("node", &self.node).field("over", &self.over).finish_non_exhaustive()
    }
}

impl Search {
    /// The lines that `reader` brings from `node`.
    pub(super) fn new(node: NodeUrl, reader: Box<dyn Read + Send>) -> Self {
        Self { node, reader: BufReader::new(reader), over: false }
    }

    fn line(&mut self) -> Result<SearchLine, ClientError> {
        let broke_off = |node: &NodeUrl, cause: String| ClientError::BrokeOff { node: node.clone(), cause };
        let mut line = Vec::new();
        let most = MAX_LINE as u64 + 1;
        let read = (&mut self.reader).take(most).read_until(b'\n', &mut line);
        read.map_err(|cause| broke_off(&self.node, cause.to_string()))?;
        let not_a_node = |why: String| ClientError::NotANode { node: self.node.clone(), why };
        if line.len() > MAX_LINE {
            return Err(not_a_node(format!("a line of more than {MAX_LINE} bytes")));
        }
        if line.last() != Some(&b'\n') {
            return Err(broke_off(&self.node, "it ends without saying how the search ended".to_owned()));
        }
        serde_json::from_slice(&line).map_err(|error| not_a_node(format!("a line of a search: {error}")))
    }
}

impl Iterator for Search {
    type Item = Result<SearchLine, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let line = self.line();
        self.over = !matches!(line, Ok(SearchLine::Hit(_)));
        Some(line)
    }
}
