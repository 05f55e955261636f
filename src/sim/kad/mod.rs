//! Kademlia as libp2p-kad 0.49 shows itself to a caller: tables, walks, and who is closest.
//!
//! Positions have 64 bits here and 256 there; with a million peers two share their first 40 bits at
//! most, so no decision of a walk looks beyond.

mod ring;
mod table;
mod walk;

pub(crate) use ring::Ring;
pub(crate) use table::{K, Table, bucket_of};
pub(crate) use walk::{Step, Walk};
