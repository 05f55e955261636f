//! Why a node did not do what it was asked.

use core::time::Duration;

use super::url::NodeUrl;
use crate::api::{ErrorCode, ErrorView};

/// Why a node did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers at this address.
    #[error(
        "no node answers at {node}: {cause}; start one with `swarmproof node`, or name another with --node or \
         SWARMPROOF_NODE"
    )]
    Unreachable {
        /// Where it should be.
        node: NodeUrl,
        /// In the system's words.
        cause: String,
    },
    /// It took too long.
    #[error("the node at {node} took too long: no {what} within {after:?}; it may be overloaded or stopped")]
    TimedOut {
        /// Which node.
        node: NodeUrl,
        /// What was waited for.
        what: &'static str,
        /// For how long.
        after: Duration,
    },
    /// The answer began well and broke off.
    #[error("the node at {node} broke off in the middle of its answer: {cause}")]
    BrokeOff {
        /// Which node.
        node: NodeUrl,
        /// What happened.
        cause: String,
    },
    /// Something answers there that is no swarmproof node, or one of another version.
    #[error("what answers at {node} does not speak as a swarmproof node of this version does: {why}")]
    NotANode {
        /// Which address.
        node: NodeUrl,
        /// What was wrong with the answer.
        why: String,
    },
    /// The node refused, and says why.
    #[error("{}", refusal(error, *status))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// In the node's words.
        error: ErrorView,
    },
    /// This client has no token, and the node wants to see one.
    #[error("a node publishes and yanks only for who shows its token, and none was given")]
    NoToken,
}

impl ClientError {
    /// The node's code, when it was the node that refused.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused { error, .. } => Some(error.code),
            _ => None,
        }
    }

    /// Whether no node could be spoken with: nobody there, or nobody who makes sense.
    pub fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::BrokeOff { .. } | Self::NotANode { .. }
        )
    }
}

/// The node's words, and what to do about it where the client knows better than the node.
fn refusal(error: &ErrorView, status: u16) -> String {
    let words = visible(&error.message);
    match error.code {
        ErrorCode::Unauthorized => format!("{words}; name that file with --token-file"),
        ErrorCode::Other => format!("{words} (HTTP status {status}, a code that this version does not know)"),
        _ => words,
    }
}

/// `text` without what a terminal would obey: control characters, and those that turn the direction of writing.
pub fn visible(text: &str) -> String {
    let obeyed = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if obeyed(c) { '\u{fffd}' } else { c }).collect()
}
