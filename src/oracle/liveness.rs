//! Oracle 11: after the faults heal, the network works again within a bound.
//!
//! It is told once what each registry is owed, with the time by which it must have found it; then what each has found; then the end.
//! What was owed and not found is one violation a registry, at the time when it was due.

use std::collections::{BTreeMap, BTreeSet};

use super::verdict::{Oracle, Violation};
use crate::package::ReleaseId;
use crate::testbed::NodeId;
use crate::time::Timestamp;

/// The most releases that are named in one violation.
const MOST_NAMED: usize = 3;

/// What is owed to whom, and what of it is still to come.
#[derive(Debug)]
pub struct Liveness {
    due: Timestamp,
    owed: BTreeMap<NodeId, BTreeSet<ReleaseId>>,
    found: u64,
}

impl Liveness {
    /// Each of these is owed to that registry, by `due`.
    pub fn new(due: Timestamp, owed: BTreeMap<NodeId, BTreeSet<ReleaseId>>) -> Self {
        Self { due, owed, found: 0 }
    }

    /// By when all must be found.
    pub const fn due(&self) -> Timestamp {
        self.due
    }

    /// What `node` has not found yet.
    pub fn missing(&self, node: NodeId) -> Vec<ReleaseId> {
        self.owed.get(&node).into_iter().flatten().cloned().collect()
    }

    /// Whether nothing is owed any more.
    pub fn is_settled(&self) -> bool {
        self.owed.values().all(BTreeSet::is_empty)
    }

    /// What was owed and is found.
    pub const fn found(&self) -> u64 {
        self.found
    }

    /// At `at`, `node` has found `release`, or need not any more. Too late is not found.
    pub fn found_by(&mut self, node: NodeId, at: Timestamp, release: &ReleaseId) {
        if at <= self.due && self.owed.get_mut(&node).is_some_and(|owed| owed.remove(release)) {
            self.found += 1;
        }
    }

    /// The time is up: what is still owed, in the words of a violation for each registry.
    pub fn finish(self) -> Vec<Violation> {
        let unpaid = self.owed.into_iter().filter(|(_, owed)| !owed.is_empty());
        unpaid
            .map(|(node, owed)| {
                let named: Vec<String> = owed.iter().take(MOST_NAMED).map(ToString::to_string).collect();
                let more = owed.len().saturating_sub(MOST_NAMED);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                Violation {
                    oracle: Oracle::Liveness,
                    at: self.due,
                    detail: format!(
                        "{node} has not found {}{more} by {}, when nothing stood in its way any more",
                        named.join(", "),
                        self.due
                    ),
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::{PackageId, PackageName, PublisherId, Version};

    fn release(name: &str) -> ReleaseId {
        let package =
            PackageId { publisher: PublisherId::new([7; 32]), name: PackageName::new(name).unwrap() };
        ReleaseId { package, version: Version::new(1, 0, 0) }
    }

    fn owing() -> Liveness {
        let owed = BTreeSet::from([release("one"), release("two")]);
        Liveness::new(Timestamp::from_millis(60_000), BTreeMap::from([(NodeId(3), owed)]))
    }

    #[test]
    fn what_was_found_in_time_is_owed_no_more() {
        let mut liveness = owing();
        for name in ["one", "two", "two", "never-owed"] {
            liveness.found_by(NodeId(3), Timestamp::from_millis(60_000), &release(name));
        }
        assert!(liveness.is_settled());
        assert_eq!(liveness.found(), 2);
        assert!(liveness.finish().is_empty());
    }

    #[test]
    fn what_was_not_found_or_too_late_or_by_another_is_a_violation_that_names_it() {
        let mut liveness = owing();
        liveness.found_by(NodeId(3), Timestamp::from_millis(59_000), &release("one"));
        liveness.found_by(NodeId(3), Timestamp::from_millis(61_000), &release("two"));
        liveness.found_by(NodeId(4), Timestamp::from_millis(1_000), &release("two"));
        let found = liveness.finish();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].oracle, found[0].at), (Oracle::Liveness, Timestamp::from_millis(60_000)));
        assert!(found[0].detail.contains("n3") && found[0].detail.contains("/two@1.0.0"), "{found:?}");
        assert!(!found[0].detail.contains("/one@"), "{found:?}");
    }
}
