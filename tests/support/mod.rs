//! Testbeds that are made of real things.

pub(crate) mod swarm;
