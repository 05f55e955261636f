//! What a node knows: the signed statements of publishers that it has learned, indexed for searching.
//!
//! # Contract
//!
//! - A [`Catalogue`] takes in verified records ([`Catalogue::learn`]) and says what came of each. It trusts
//!   that they are verified, and nothing else about them.
//! - Two different statements under one number, or two different records of one release, are an
//!   **equivocation**: both are kept as proof and passed on in pages, so that others see it too, and none of
//!   them is ever found, got or counted as truth. That depends on what is held alone, not on the order in
//!   which it came.
//! - A **yank** hides its release from searches. Its record can still be got by name.
//! - Searches look only at the entries under their rarest term, never through the catalogue, and
//!   agree with `Query::matches`. Their order, and that of pages and heads, is one of contents: two
//!   catalogues that hold the same answer the same.
//! - Memory is bounded by [`Bounds`]. What comes when they are reached is [`Learned::Full`], and nothing is
//!   forgotten for it; only a proof, a yank of what is held, and the record of what was known by name are
//!   still taken, of which there can be no more than entries.
//!
//! Catalogues that hold the same statements can share them through a [`Pool`]: then each costs a bit for
//! each statement. An entry leaves the pool when the last catalogue that holds it lets it go.

mod bits;
mod find;
mod index;
mod own;
mod pool;
mod statement;

pub use find::{Match, Place};
pub use own::{Bounds, Catalogue, Learned, Page, Proof};
pub use pool::{EntryId, Pool};

#[cfg(test)]
mod tests;
