//! What can go wrong for a caller of the registry: one enum for asking, one for publishing.

use crate::engine::{ConfigError, Reason};
use crate::package::{PackageId, PublisherId, QueryError, ReleaseId};
use crate::record::SignError;
use crate::store::StoreError;

/// Why a registry could not be made, or could not say what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The driver has stopped, or its network has.
    #[error("the registry has stopped")]
    Closed,
    /// The question cannot be asked.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A setting is out of its range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// What was kept could not be read at the start.
    #[error("what the registry had stored cannot be read: {0}")]
    Store(#[from] StoreError),
    /// What is stored was published with another key than the one given.
    #[error("the store belongs to publisher {stored}, the key given is {given}'s")]
    OtherKey {
        /// Whose lists are stored.
        stored: PublisherId,
        /// Whose key was given.
        given: PublisherId,
    },
    /// Whether it exists could not be found out.
    #[error("nobody could say: {0}")]
    Unanswered(Unanswered),
    /// Two different records, both validly signed, exist for it. Neither is told as truth.
    #[error("its publisher signed two different records for {0}")]
    Conflict(ReleaseId),
    /// The query was given up before it had an answer.
    #[error("the query was cancelled")]
    Cancelled,
}

/// Why nobody could say whether something exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// No peer is known.
    #[error("no peer is known")]
    NoPeers,
    /// Every peer that was asked failed, refused or was silent.
    #[error("no peer answered")]
    NoAnswer,
    /// The deadline came first.
    #[error("the deadline came first")]
    Deadline,
    /// Too many queries are in flight; this one was never started.
    #[error("too many queries are in flight")]
    Busy,
}

impl Unanswered {
    /// The reason for a failed query, unless that reason is an answer in itself.
    pub(super) const fn from_reason(reason: Reason) -> Option<Self> {
        match reason {
            Reason::NoPeers => Some(Self::NoPeers),
            Reason::NoAnswer => Some(Self::NoAnswer),
            Reason::Deadline => Some(Self::Deadline),
            Reason::Busy => Some(Self::Busy),
            Reason::NotFound | Reason::Conflict => None,
        }
    }
}

/// Why a release was not published, or not taken back. Nothing was sent in any of these cases.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The driver has stopped, or its network has. What was already durable is sent after the next start.
    #[error("the registry has stopped")]
    Closed,
    /// The registry was made without a publisher's key.
    #[error("this registry has no publisher's key")]
    NoKey,
    /// The record cannot be signed as it is.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// This version exists; a release never changes.
    #[error("{0} is already published")]
    AlreadyPublished(ReleaseId),
    /// There is no such release to take back.
    #[error("{0} was never published")]
    NotPublished(ReleaseId),
    /// It was taken back before.
    #[error("{0} is already yanked")]
    AlreadyYanked(ReleaseId),
    /// The package's newest list could not be found out, and this node's own state does not tell it.
    #[error("the list of {package} could not be looked up: {why}")]
    ListUnknown {
        /// Whose list.
        package: PackageId,
        /// Why not.
        why: Unanswered,
    },
    /// Too many publications are waiting.
    #[error("too many publications are waiting: at most {most}")]
    Busy {
        /// The bound.
        most: usize,
    },
    /// It could not be made durable.
    #[error("the publication could not be stored: {0}")]
    Store(StoreError),
}
