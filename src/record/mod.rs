//! Signed records: what publishers say, and how it is told true.
//!
//! Three kinds, each canonical DAG-CBOR signed with the publisher's ed25519 key:
//!
//! - a [`Release`]: one package version, immutable, with the number its publisher gave it;
//! - a [`ReleaseList`]: a package's releases and yanks, with a sequence and an end of validity;
//! - a [`Notice`]: "my number n is this", small enough to announce, for a release or a yank.
//!
//! A record proves by itself that it belongs under its key ([`keys`]). [`Verifier`] checks bytes from
//! strangers in this order, cheapest first: size, shape, content, key, signature; and remembers verdicts by
//! digest. A [`Publisher`] makes records; what it signs is always within the limits that the
//! verifier holds others to.

pub(crate) mod cbor;
mod codec;
mod error;
pub mod keys;
mod kinds;
mod memo;
mod sign;
mod verify;

pub use error::RecordError;
pub use kinds::{
    ANNOUNCE_TOPIC, Digest, ListEntry, MAX_ANNOUNCEMENT, MAX_LIST, MAX_RECORD, Notice, Record, Release,
    ReleaseList, Says,
};
pub use sign::{Publisher, SignError};
pub use verify::{Checked, Verifier};

#[cfg(test)]
mod tests;
