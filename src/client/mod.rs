//! What asks a node over its HTTP interface: blocking, one [`Client`] for any number of threads.
//!
//! # Contract
//!
//! - A node is named by a [`NodeUrl`], and nothing else is ever asked: no proxy is used and no redirection followed, so a
//!   [`Token`] goes to that node or nowhere.
//! - Every wait has an end, and every answer a limit of bytes; what is over it is refused without being held.
//! - An answer is a value of [`api`](crate::api), or a [`ClientError`] that tells a node that cannot be reached from one
//!   that refused, and both from something that is no node.
//! - A [`Search`] hands out each line as it comes. It ends with the line that says how the search ended; an answer
//!   that breaks off before that is an error.
//!
//! Texts in answers come from strangers. They are handed on as they are: whoever shows them takes out what a
//! terminal would obey, with [`visible`].

mod error;
mod requests;
mod search;
mod source;
mod token;
mod url;
mod wanted;

pub use error::{ClientError, visible};
pub use requests::Client;
pub use search::{Search, SearchQuery};
pub use source::{SourceError, read_manifest};
pub use token::{Token, TokenError};
pub use url::{NodeUrl, NodeUrlError};
pub use wanted::{Wanted, WantedError};

#[cfg(test)]
mod tests;
