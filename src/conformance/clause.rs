//! What a clause is, how it is run, and what it says when it does not hold.

use core::fmt;

use super::parts::{Setup, setup};
use crate::testbed::{Testbed, TestbedError};

/// How a network broke the contract, or why a clause could not be tried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The contract was broken.
    #[error("{0}")]
    Broken(String),
    /// The testbed could not do what the clause needs. That is a failure too: nothing was shown.
    #[error("the clause could not be tried: {0}")]
    Untried(#[from] TestbedError),
}

/// What a clause's body says.
pub(super) type Verdict = Result<(), Violation>;

/// One clause of the contract, tried on a testbed of its own.
pub struct Clause<B> {
    /// A name that is unique in the suite, in snake case.
    pub name: &'static str,
    /// What holding it proves.
    pub proves: &'static str,
    body: fn(&mut B) -> Verdict,
}

impl<B: Testbed> Clause<B> {
    pub(super) fn new(name: &'static str, proves: &'static str, body: fn(&mut B) -> Verdict) -> Self {
        Self { name, proves, body }
    }

    /// Try the clause on a fresh testbed that `make` gives.
    pub fn check(&self, make: impl FnOnce(Setup) -> Result<B, TestbedError>) -> Result<(), Violation> {
        let mut bed = make(setup())?;
        (self.body)(&mut bed)
    }
}

impl<B> fmt::Debug for Clause<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clause")
            .field("name", &self.name)
            .field("proves", &self.proves)
            .finish_non_exhaustive()
    }
}

/// Leave the clause with a violation.
macro_rules! violated {
    ($($why:tt)+) => {
        return Err($crate::conformance::clause::Violation::Broken(format!($($why)+)))
    };
}
pub(super) use violated;

/// Leave the clause with a violation unless the condition holds.
macro_rules! ensure {
    ($holds:expr, $($why:tt)+) => {
        match $holds {
            true => {}
            false => return Err($crate::conformance::clause::Violation::Broken(format!($($why)+))),
        }
    };
}
pub(super) use ensure;
