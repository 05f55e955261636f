//! Why bytes are no good record: one variant a reason, with a stable number and word for each.

use super::cbor::Flaw;
use crate::network::Invalid;
use crate::package::LimitError;

/// Why bytes are not a good record. Shown as its [`RecordError::reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("{}", self.reason())]
pub enum RecordError {
    /// More bytes than a record, or than an announcement where it is one, may have.
    TooLarge,
    /// Not DAG-CBOR, or not of a record's type: a field is missing, unknown, or of another type.
    Unreadable,
    /// Lists and maps nested deeper than a record's.
    TooDeep,
    /// A length or a count that claims more than is there; also what a record is that was cut off.
    HostileLength,
    /// Another encoding than the canonical one.
    NotCanonical,
    /// A version of the format that this node does not know.
    UnknownVersion,
    /// A text over its limit.
    FieldTooLong {
        /// Which field.
        field: &'static str,
    },
    /// A list over its limit.
    TooMany {
        /// Which list.
        field: &'static str,
    },
    /// An empty category or tag.
    EmptyLabel {
        /// Which list.
        field: &'static str,
    },
    /// A name that is no package name.
    BadName,
    /// A version that is no semantic version.
    BadVersion,
    /// A list's entries that do not ascend, or name one version twice.
    Unordered,
    /// A number or a sequence of zero; both begin at 1.
    NumberZero,
    /// A key that is none of ours.
    UnknownKey,
    /// A record of a kind that does not belong under this key, or on this topic.
    WrongKind,
    /// A record that belongs under another key: another publisher, name or version.
    WrongKey,
    /// A topic that is not ours.
    WrongTopic,
    /// The publisher's public key is no point on the curve, or one with which anyone can sign.
    BadPublicKey,
    /// The publisher did not sign this.
    BadSignature,
}

impl RecordError {
    /// The reason in kebab case, stable.
    pub const fn reason(self) -> &'static str {
        self.invalid().reason
    }

    /// The number and the word under which the network reports it. Both are stable.
    pub const fn invalid(self) -> Invalid {
        let (code, reason) = match self {
            Self::TooLarge => (100, "record-too-large"),
            Self::Unreadable => (101, "record-unreadable"),
            Self::TooDeep => (102, "record-too-deep"),
            Self::HostileLength => (103, "record-hostile-length"),
            Self::NotCanonical => (104, "record-not-canonical"),
            Self::UnknownVersion => (105, "record-unknown-version"),
            Self::FieldTooLong { .. } => (106, "field-too-long"),
            Self::TooMany { .. } => (107, "list-too-long"),
            Self::EmptyLabel { .. } => (108, "empty-label"),
            Self::BadName => (109, "bad-name"),
            Self::BadVersion => (110, "bad-version"),
            Self::Unordered => (111, "list-unordered"),
            Self::NumberZero => (112, "number-zero"),
            Self::UnknownKey => (113, "unknown-key"),
            Self::WrongKind => (114, "wrong-kind"),
            Self::WrongKey => (115, "wrong-key"),
            Self::WrongTopic => (116, "wrong-topic"),
            Self::BadPublicKey => (117, "bad-public-key"),
            Self::BadSignature => (118, "bad-signature"),
        };
        Invalid { code, reason }
    }
}

impl From<RecordError> for Invalid {
    fn from(error: RecordError) -> Self {
        error.invalid()
    }
}

impl From<Flaw> for RecordError {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Unreadable => Self::Unreadable,
            Flaw::TooDeep => Self::TooDeep,
            Flaw::HostileLength => Self::HostileLength,
            Flaw::TooMany => Self::TooMany { field: "list" },
            Flaw::NotCanonical => Self::NotCanonical,
        }
    }
}

impl From<LimitError> for RecordError {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::TooLong { field, .. } => Self::FieldTooLong { field },
            LimitError::TooMany { field, .. } => Self::TooMany { field },
            LimitError::Empty { field } => Self::EmptyLabel { field },
        }
    }
}
