//! What is asked of a network once nothing goes wrong any more.
//!
//! At the end of a plan some nodes, its *core*, are freed of all that was done to them: cuts are healed, links are as the
//! profile has them, who is down starts again. Everybody else stays as he is, down, silent or hostile. By then the core
//! works again within a bound, or the run fails by the oracle
//! [`Liveness`](crate::oracle::Oracle::Liveness).

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::scenario::nodes::NodeSet;
use crate::scenario::units::Span;

/// A round of catching up takes at most so long where somebody answers, and the next one begins so much later.
const ROUND: Duration = Duration::from_secs(10);
/// How often a registry compares its catalogue where nothing is said: the longest that its default allows.
const CATCH_UP: Duration = Duration::from_secs(360);
/// With a smaller chance than this, drawn partners alone keep a registry from what it is owed.
const NEGLIGIBLE: f64 = 1e-9;

/// Who has to work again, and by when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LivenessPlan {
    /// The core: registries and modelled peers, none of them ever hostile.
    pub core: NodeSet,
    /// How long after the end of the plan the core may take to find what it is owed.
    pub within: Span,
}

impl LivenessPlan {
    /// Whether a registry that, every `catch_up`, compares its catalogue with one of `nodes` peers surely meets one of `holders`
    /// in time: the chance that it does not, `(1 - holders / nodes)` to the number of rounds, is negligible.
    pub fn owes(&self, catch_up: Option<Span>, holders: usize, nodes: usize) -> bool {
        let every = catch_up.map_or(CATCH_UP, |every| every.0);
        let rounds = self.within.0.as_secs_f64() / every.saturating_add(ROUND).as_secs_f64();
        let missed = 1.0 - (holders as f64 / nodes.max(1) as f64).min(1.0);
        holders > 0 && libm::pow(missed, libm::floor(rounds)) < NEGLIGIBLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owed_is_only_what_chance_alone_surely_brings() {
        let liveness = |minutes: u64| LivenessPlan {
            core: NodeSet::default(),
            within: Span(Duration::from_secs(60 * minutes)),
        };
        let every = Some(Span(Duration::from_secs(20)));
        // Two rounds a minute: of ten nodes five hold it, and half of all rounds miss them. 2^-30 is 9.3e-10.
        assert!(liveness(15).owes(every, 5, 10) && !liveness(14).owes(every, 5, 10));
        assert!(liveness(1).owes(every, 10, 10), "everybody holds it");
        assert!(!liveness(10_000).owes(every, 0, 10), "nobody does");
        assert!(!liveness(0).owes(every, 10, 10), "there is no round in no time");
        // Where nothing is said of rounds they are six minutes apart.
        assert!(!liveness(15).owes(None, 5, 10));
    }
}
