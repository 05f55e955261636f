//! What the engine asks of its caller.

use super::command::QueryId;
use super::outcome::QueryOutcome;
use crate::network::{Limits, Request, RequestId};
use crate::record::Checked;
use crate::time::Timestamp;

/// One thing for the caller to do, in the order in which they come.
#[derive(Clone, Debug)]
pub enum Action<P> {
    /// Hand this to the network. The engine already expects its events.
    Submit {
        /// The request's name.
        id: RequestId,
        /// The query on whose behalf; of several that share the request, the first.
        query: QueryId,
        /// What.
        request: Request<P>,
        /// Within which bounds.
        limits: Limits,
    },
    /// Cancel this at the network. The engine no longer expects its events.
    Cancel {
        /// The request's name.
        id: RequestId,
    },
    /// A search has a result. At most `max_results` of these come for one query, before its `Finish`.
    Deliver {
        /// The query.
        query: QueryId,
        /// A verified release.
        release: Checked,
        /// The peer it came from; `None` from the local catalogue.
        from: Option<P>,
    },
    /// A query has ended. Comes exactly once for each.
    Finish {
        /// The query.
        query: QueryId,
        /// How, with everything it found.
        outcome: QueryOutcome,
    },
    /// A verified record came in that the caller's catalogue may want.
    Learned {
        /// The record.
        record: Checked,
        /// Who gave it.
        from: P,
    },
    /// A peer's reputation changed. For the record: the engine has already counted it.
    Charged(Charge<P>),
    /// Have nothing to do with this peer until then.
    Block {
        /// The peer.
        peer: P,
        /// Until when.
        until: Timestamp,
    },
}

/// One entry in a peer's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge<P> {
    /// Whose reputation.
    pub peer: P,
    /// Why.
    pub cause: Cause,
    /// The request in which it happened; `None` for what a peer sent unasked.
    pub request: Option<RequestId>,
}

/// Why a reputation changes. A local failure or an honest "not found" is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Answered well.
    Answered,
    /// Could not be reached.
    Unreachable,
    /// Did not answer in time.
    TimedOut,
    /// Broke off.
    Broken,
    /// Reached, and refused as busy.
    Busy,
    /// Sent what could not be read, was over a limit, or answered another question.
    Malformed,
    /// Sent a record whose signature, key or content is wrong.
    Forged,
}
