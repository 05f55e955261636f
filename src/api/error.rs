//! What the node says when it does not do what it was asked.

use serde::{Deserialize, Serialize};

/// The body of every answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorView,
}

/// What went wrong: for programs and for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorView {
    /// For programs. Stable.
    pub code: ErrorCode,
    /// For people: what was found and what would be right.
    pub message: String,
}

impl ErrorBody {
    /// The error `code`, in these words.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { error: ErrorView { code, message: message.into() } }
    }
}

/// The kinds of error, with the status that each goes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorCode {
    /// 400: the request is not well-formed.
    BadRequest,
    /// 400: the search cannot be asked: no word, a limit of zero, too long.
    BadQuery,
    /// 400: a publisher, a package's name or a version in the path is none.
    BadName,
    /// 422: the manifest cannot be published as it is.
    BadManifest,
    /// 413: the package's record, or the request, is over its limit.
    TooLarge,
    /// 415: a body that is not JSON.
    NotJson,
    /// 401: the token is missing, or is another one.
    Unauthorized,
    /// 403: the request comes from a web page, or for another host.
    Forbidden,
    /// 403: the release belongs to another publisher than this node.
    NotOwn,
    /// 404: peers were asked, and nobody has it.
    NotFound,
    /// 404: nothing is served under this path.
    NoSuchPath,
    /// 405: the path is served, but not with this method.
    NoSuchMethod,
    /// 409: this version exists; a release never changes.
    AlreadyPublished,
    /// 404: there is no such release to take back.
    NotPublished,
    /// 409: it was taken back before.
    AlreadyYanked,
    /// 409: its publisher signed two different records for it. Neither is told.
    Conflict,
    /// 503: nobody could say whether it exists.
    Unanswered,
    /// 503: too much is in flight; try again.
    Busy,
    /// 408: the request did not come in whole in time.
    TimedOut,
    /// 503: the node is stopping.
    Stopping,
    /// 507: it could not be made durable: the disk is full, or the store is.
    Storage,
    /// 500: a fault of the node's own.
    Internal,
    /// A code that this version does not know, from a newer node.
    #[serde(other)]
    Other,
}

impl ErrorCode {
    /// The HTTP status that goes with it.
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest | Self::BadQuery | Self::BadName => 400,
            Self::Unauthorized => 401,
            Self::Forbidden | Self::NotOwn => 403,
            Self::NotFound | Self::NoSuchPath | Self::NotPublished => 404,
            Self::NoSuchMethod => 405,
            Self::TimedOut => 408,
            Self::AlreadyPublished | Self::AlreadyYanked | Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::NotJson => 415,
            Self::BadManifest => 422,
            Self::Internal | Self::Other => 500,
            Self::Unanswered | Self::Busy | Self::Stopping => 503,
            Self::Storage => 507,
        }
    }
}
