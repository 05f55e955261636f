//! A set of nodes, written short: `"0..4, 7"`.

use core::fmt;
use core::str::FromStr;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::units::range;
use crate::testbed::NodeId;

/// The most nodes of one scenario, those that join late included.
pub const MAX_NODES: u32 = 2_000_000;

/// Nodes by number. Written as half-open ranges and single numbers.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeSet(pub BTreeSet<NodeId>);

/// Text is no set of nodes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected nodes such as \"0..4, 7\", each below {MAX_NODES}, found {found:?}")]
pub struct NodeSetError {
    /// What was found, cut to 60 characters.
    pub found: String,
}

impl NodeSet {
    /// The nodes, ascending.
    pub fn iter(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.0.iter().copied()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this node is one of them.
    pub fn contains(&self, node: NodeId) -> bool {
        self.0.contains(&node)
    }
}

impl FromIterator<u32> for NodeSet {
    fn from_iter<I: IntoIterator<Item = u32>>(nodes: I) -> Self {
        Self(nodes.into_iter().map(NodeId).collect())
    }
}

impl FromIterator<NodeId> for NodeSet {
    fn from_iter<I: IntoIterator<Item = NodeId>>(nodes: I) -> Self {
        Self(nodes.into_iter().collect())
    }
}

impl fmt::Display for NodeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for NodeId(node) in self.iter() {
            match ranges.last_mut() {
                Some((_, end)) if *end == node => *end = node.saturating_add(1),
                _ => ranges.push((node, node.saturating_add(1))),
            }
        }
        for (at, (from, to)) in ranges.into_iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            if to - from == 1 {
                write!(f, "{from}")?;
            } else {
                write!(f, "{from}..{to}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for NodeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}

impl FromStr for NodeSet {
    type Err = NodeSetError;

    fn from_str(text: &str) -> Result<Self, NodeSetError> {
        let wrong = || NodeSetError { found: text.chars().take(60).collect() };
        let mut nodes = BTreeSet::new();
        let mut named = 0;
        if text.trim().is_empty() {
            return Ok(Self(nodes));
        }
        for part in text.split(',') {
            let (from, to) = range(part.trim()).ok_or_else(wrong)?;
            let to = u32::try_from(to).ok().filter(|to| *to <= MAX_NODES).ok_or_else(wrong)?;
            let from = u32::try_from(from).map_err(|_| wrong())?;
            // Ranges may overlap, so the set alone does not bound the work.
            named += to - from;
            if named > MAX_NODES {
                return Err(wrong());
            }
            nodes.extend((from..to).map(NodeId));
        }
        Ok(Self(nodes))
    }
}

impl TryFrom<String> for NodeSet {
    type Error = NodeSetError;

    fn try_from(text: String) -> Result<Self, NodeSetError> {
        text.parse()
    }
}

impl From<NodeSet> for String {
    fn from(set: NodeSet) -> Self {
        set.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_are_written_short_and_bounded() {
        let set: NodeSet = [0u32, 1, 2, 3, 7].into_iter().collect();
        assert_eq!(set.to_string(), "0..4, 7");
        assert_eq!("".parse(), Ok(NodeSet::default()));
        for bad in ["0..9999999999", "0..3000000", "4..2", "x", "1,,2", "-1"] {
            assert!(bad.parse::<NodeSet>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(nodes in proptest::collection::btree_set(0u32..500, 0..60)) {
            let set: NodeSet = nodes.into_iter().collect();
            prop_assert_eq!(set.to_string().parse(), Ok(set));
        }
    }
}
