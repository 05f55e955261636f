//! The client, against servers that answer as a node does, and as none should.

mod answers;
mod names;
mod server;
mod sources;
