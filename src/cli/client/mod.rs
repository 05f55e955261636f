//! The commands that ask a running node: what they are told is shown as text for people, or as JSON, one object a
//! line, for programs.
//!
//! Texts of packages come from strangers, so [`show`] takes out what a terminal would obey before any of them is
//! written as text.

pub(crate) mod args;
mod connect;
pub(crate) mod get;
pub(crate) mod peers;
pub(crate) mod publish;
pub(crate) mod search;
mod show;
pub(crate) mod yank;

#[cfg(test)]
mod tests;
