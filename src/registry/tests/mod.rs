//! The registry against a scripted network: every poll is made by hand, nothing runs by itself.

mod catch_up;
mod harness;
mod keeping;
mod publish;
mod queries;
mod serve;
