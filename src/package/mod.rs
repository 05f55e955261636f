//! What the registry is about: packages, their names, and questions about them.
//!
//! Pure values: no I/O, no clock, no signature. Names are within their limits by construction; a
//! [`Package`] and a [`Query`] can be filled with anything, and whoever takes one from outside calls
//! their `check` before anything else.

mod entry;
mod id;
mod query;
mod text;

pub use entry::{
    LimitError, MAX_DESCRIPTION, MAX_LABEL, MAX_LABELS, MAX_LICENCE, MAX_TITLE, MAX_VERSION, Package,
    check_labels, check_version, weight,
};
pub use id::{NameError, PackageId, PackageName, PublisherId, PublisherIdError, ReleaseId};
pub use query::{Query, QueryError, Rank};
pub use semver::Version;
pub use text::{tokens, words};

#[cfg(test)]
mod tests;
