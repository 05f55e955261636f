//! What an application shows of itself to be put under the harness.

use core::fmt::Debug;
use core::time::Duration;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::deed::Deed;
use super::life::Life;
use crate::network::{Choice, Invalid, Validator};
use crate::scenario::Draws;
use crate::scenario::report::Violation;
use crate::testbed::LocalTask;
use crate::time::WallTime;

/// An application under test. Everything that it does must be a function of what it is given: the same plan, the same run.
pub trait Application {
    /// Something that a node can be asked to do. It stands in plan files, so it is best a small enum.
    type Act: Clone + Debug + PartialEq + Serialize + DeserializeOwned + 'static;
    /// What an operation came to.
    type Outcome: Clone + Debug + Serialize + 'static;

    /// Within which time every operation must be told.
    const WITHIN: Duration = Duration::from_secs(60);

    /// What it says of values and announcements.
    fn validator(&self) -> Arc<dyn Validator>;

    /// Draw what some node is asked to do in operation `number`. Every operation has draws of its own.
    fn act(&self, number: u32, draws: &mut Draws) -> Self::Act;

    /// A node begins a life: the task that is it until it dies. A task that ends leaves its node deaf.
    fn start(&self, life: Life<Self::Act, Self::Outcome>) -> LocalTask;

    /// The application's own oracle: what is wrong with this history? Operations stand in the order in which they were
    /// asked.
    fn judge(&self, deeds: &[Deed<Self::Act, Self::Outcome>]) -> Vec<Violation>;

    /// What is like `act` and simpler, the simplest first, for shrinking. Must come to an end when it is asked of what it
    /// gave.
    fn simpler(&self, _act: &Self::Act) -> Vec<Self::Act> {
        Vec::new()
    }
}

/// A validator for an application that announces nothing: good are values of which this says so, and of two under one
/// key the greater is kept, by its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Greatest(pub fn(value: &[u8]) -> bool);

impl Validator for Greatest {
    fn record(&self, _key: &[u8], value: &[u8], _wall: WallTime) -> Result<(), Invalid> {
        if (self.0)(value) { Ok(()) } else { Err(Invalid::UNREADABLE) }
    }

    fn announcement(&self, _topic: &[u8], _payload: &[u8], _wall: WallTime) -> Result<(), Invalid> {
        Err(Invalid::NOT_ASKED)
    }

    fn select(&self, _key: &[u8], held: &[u8], offered: &[u8]) -> Choice {
        if offered > held { Choice::Offered } else { Choice::Held }
    }
}
