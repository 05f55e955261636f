//! What one node sees of a peer-to-peer network: the trait [`Network`] and its words.
//!
//! The words carry bytes and know no package: keys, values, questions, answers and announcements are
//! opaque here. What they mean an application lends to the network as a [`Validator`] and a
//! [`Responder`].
//!
//! # The contract
//!
//! Every implementation holds the following, and `swarmproof::conformance` checks it, one body for all:
//!
//! 1. The caller makes the [`RequestId`]s and never uses one twice. The implementation keeps the map
//!    from them to its own ids and shows its own to nobody.
//! 2. For each submitted id come any number of [`Event::Progress`], then exactly one
//!    [`Event::Finished`], at the latest one tick after the deadline in its [`Limits`]. A request that
//!    cannot even start finishes too, with the reason.
//! 3. Once [`Network::cancel`] has returned, nothing more is reported for that id, and its work at the
//!    network ends. Cancelling what has ended, or was never submitted, does nothing.
//! 4. A lookup reports a value once for each peer that returned it, and names that peer; which of
//!    several values wins is for the caller to say. A value that the validator refuses is not reported
//!    as progress but as [`Event::Rejected`].
//! 5. [`Network::now`] never goes back. [`Event::Deadline`] comes neither before the deadline nor more
//!    than a tick after it, and, when it is due, before anything else that waits.
//! 6. [`Network::poll_event`] is the only place that waits. A caller needs no timer and no runtime of
//!    its own: in the simulator, waiting there is what moves the virtual clock.
//! 7. Asking a peer whose address is not known finds it through the DHT first.
//! 8. Items arrive in a defined order: what a library hands over as a set is sorted first.
//! 9. Every queue has a capacity. What is over it is refused ([`Refusal::Busy`], [`Failure::Local`]), or
//!    dropped and counted in [`Gauges::dropped`]. One peer's questions never take all the room: beyond its
//!    share they are refused, and others are served.
//! 10. An item larger than `Limits::bytes` is never handed over: it is rejected, and charged to who sent it.
//! 11. After [`Event::Closed`] nothing else is reported, not even a deadline; every later submit is
//!     forgotten.
//! 12. A question whose asker has given up is withdrawn, at the latest a second after the deadline that
//!     its asker set for it. Until then its silence is nothing that the asker could take for a break.
//!
//! # Order of calls
//!
//! `submit`, `cancel`, `reply` and `block` may be called at any time between polls and never wait.
//! `poll_event` is called until it is pending; it must be called again after its waker fired, and may be
//! called at any time before.

mod event;
mod peers;
mod request;
mod traits;

pub use event::{Done, Event, Failure, Gauges, Invalid, Item, PeerChange, Refusal, RequestStats, Ware};
pub use peers::Peer;
pub use request::{InboundId, Limits, Request, RequestId};
pub use traits::{AnswerLimits, Choice, Network, Responder, Validator};
