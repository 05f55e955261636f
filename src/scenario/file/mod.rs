//! Scenario files: TOML, parsed with the place of everything, and checked against declarations.
//!
//! [`Scenario::read`](model::Scenario::read) gives a scenario or a [`FileError`] that names file, line,
//! column, what was found and what is allowed. No input makes it panic.

pub(crate) mod bounds;
pub(crate) mod declare;
pub(crate) mod error;
mod events;
pub mod model;
pub(crate) mod plain;
mod read;
mod read_faults;
mod read_workloads;
pub(crate) mod sections;
#[cfg(test)]
mod tests;
mod validate;
mod value;
mod word;

pub use error::{FileError, Place, Problem};
pub(crate) use validate::wanted;
