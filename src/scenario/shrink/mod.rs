//! Making a failing plan small: delta debugging over whatever can be taken out of it.
//!
//! [`shrink`] works on anything that is [`Shrink`], so an application with plans of its own has it too. [`Plan`] is
//! it here: peers, registries, faults, operations, then sizes, spans and what is simpler. The test is for the caller to
//! give, as is the budget; a step is kept only when the test says of its result that it fails still.
//!
//! ```
//! use swarmproof::scenario::shrink::{Shrink, shrink};
//!
//! /// Numbers, of which some two together are at fault.
//! #[derive(Clone)]
//! struct Numbers(Vec<u32>);
//!
//! impl Shrink for Numbers {
//!     fn axes(&self) -> usize {
//!         1
//!     }
//!     fn parts(&self, _axis: usize) -> usize {
//!         self.0.len()
//!     }
//!     fn keeping(&self, _axis: usize, parts: &[usize]) -> Option<Self> {
//!         Some(Self(parts.iter().filter_map(|part| self.0.get(*part).copied()).collect()))
//!     }
//!     fn simpler(&self) -> Vec<Self> {
//!         Vec::new()
//!     }
//! }
//!
//! let fails = |it: &Numbers| it.0.contains(&7) && it.0.contains(&40);
//! let shrunk = shrink(Numbers((0..60).collect()), fails, || true);
//! assert_eq!(shrunk.smallest.0, [7, 40]);
//! assert!(shrunk.minimal);
//! ```
//!
//! [`Plan`]: crate::scenario::Plan

mod ddmin;
mod plan;
mod simpler;
mod size;
#[cfg(test)]
mod tests;

pub use ddmin::{Shrink, Shrunk, shrink};
pub(crate) use simpler::rounded;
pub use size::PlanSize;
