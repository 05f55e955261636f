//! The contract of [`Network`](crate::network) as a suite: one body for every implementation.
//!
//! [`clauses`] lists what is promised, each clause a named test that runs on a testbed of its own. A test
//! harness lists them as tests for each [`Testbed`]; each is given a closure that makes the testbed from
//! a [`Setup`]:
//!
//! ```text
//! for clause in swarmproof::conformance::clauses::<MyTestbed>() {
//!     clause.check(|setup| MyTestbed::new(setup.validator, setup.topics))?;
//! }
//! ```
//!
//! # What it needs of a testbed
//!
//! Calm links (a round trip well under 100 ms, no loss, no dead dials) and healthy nodes: the clauses say
//! themselves what is to fail. Of the faults only [`Kill`](crate::testbed::Fault::Kill) and
//! [`Restart`](crate::testbed::Fault::Restart) are used. The clauses take real and virtual time
//! alike: they wait for what is due, with room for a slow machine, and for under a second for what must
//! not come; how late a deadline may be is the testbed's [`tick`](Testbed::tick).
//!
//! # That it can fail
//!
//! [`breaches`] lists ways to break the contract, each with a clause that must notice. [`Breached`] is a
//! testbed whose networks break it in that one way. A suite that passes on one of them proves nothing.

mod announcing;
mod asking;
mod breach;
mod broken;
mod clause;
mod limits;
mod lives;
mod lookups;
mod parts;
mod probe;
mod requests;
mod scene;
mod timing;

pub use breach::{Breach, breaches};
pub use broken::{Breached, BreachedNetwork};
pub use clause::{Clause, Violation};
pub use parts::Setup;

use crate::testbed::Testbed;

/// Every clause of the contract, in the order in which the contract states them. Names are unique.
pub fn clauses<B: Testbed>() -> Vec<Clause<B>> {
    let mut all = requests::clauses();
    all.extend(lookups::clauses());
    all.extend(timing::clauses());
    all.extend(asking::clauses());
    all.extend(announcing::clauses());
    all.extend(limits::clauses());
    all.extend(lives::clauses());
    all
}
