//! The requests that are out: whose they are, and what is expected of them.

use bytes::Bytes;

use super::command::QueryId;
use crate::network::RequestId;
use crate::time::Timestamp;

/// What a request is for, and so whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Ask one peer for a page of its answer to a search.
    Page(QueryId),
    /// Ask one peer for records known by name.
    Records(QueryId),
    /// Look a record known by name up in the DHT.
    Name(QueryId),
    /// A shared lookup of this key, for gets.
    Lookup(Bytes),
}

/// One request that is out.
#[derive(Clone, Debug)]
pub(super) struct Pending<P> {
    /// What for.
    pub(super) purpose: Purpose,
    /// Who is asked; `None` for a lookup in the DHT.
    pub(super) peer: Option<P>,
    /// When it was submitted.
    pub(super) sent: Timestamp,
    /// By when the network ends it.
    pub(super) deadline: Timestamp,
    /// When the engine ends it, should the network not have.
    pub(super) overdue: Timestamp,
    /// When is looked next at whether it is late, if it is.
    pub(super) late: Option<Timestamp>,
    /// When its peer has had all the time that it is given, by what is known of it.
    pub(super) silent: Timestamp,
    /// It is late.
    pub(super) was_late: bool,
    /// The query's deadline left it less time than it should have had, so a timeout says nothing of the peer.
    pub(super) cut_short: bool,
    /// The peer had to be dialled first.
    pub(super) cold: bool,
    /// The tag that its answer must carry.
    pub(super) tag: [u8; 8],
    /// Its answer has come: when.
    pub(super) answered: Option<Timestamp>,
}

/// Something that is due at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A query's deadline.
    Query(QueryId),
    /// A request whose end the network owes.
    Request(RequestId),
    /// A request that is late: another peer may be asked.
    Late(RequestId),
}
