//! The registry's own requests at the network: publishing, announcing, catching up.
//!
//! Their ids have the top bit set, the engine's have it clear. A request is entered here before it is
//! handed to the network, and leaves when it has finished or was given up. Should a network break its
//! contract and never finish one, the guard does it some time after the deadline.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::network::{Limits, Request, RequestId};
use crate::time::Timestamp;

/// How long after its deadline a request that the network forgot is given up.
const GUARD: Duration = Duration::from_secs(2);

/// On what behalf the registry itself asks something of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// To hear announcements.
    Subscribe,
    /// To store a release or a list that is being published.
    Publish,
    /// To announce what is being published.
    Announce,
    /// To keep alive what was published before.
    Refresh,
    /// To be named as a provider of a package that was published.
    Provide,
    /// To learn what other catalogues hold.
    CatchUp,
}

/// A step of one publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Storing the release.
    Release,
    /// Storing the list.
    List,
    /// Announcing.
    Announcement,
}

/// Where the end of a request is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// The subscription.
    Subscribe,
    /// A part of a publication.
    Publication { job: u64, part: Part },
    /// Upkeep of what was published before.
    Refresh,
    /// Providing what was published.
    Provide,
    /// The round of catching up.
    CatchUp,
}

impl Route {
    /// What is said of it outside.
    pub(super) const fn purpose(&self) -> Purpose {
        match self {
            Self::Subscribe => Purpose::Subscribe,
            Self::Publication { part: Part::Announcement, .. } => Purpose::Announce,
            Self::Publication { .. } => Purpose::Publish,
            Self::Refresh => Purpose::Refresh,
            Self::Provide => Purpose::Provide,
            Self::CatchUp => Purpose::CatchUp,
        }
    }
}

/// One request, ready to be handed to the network.
#[derive(Debug)]
pub(super) struct Outgoing<P> {
    pub(super) id: RequestId,
    pub(super) purpose: Purpose,
    pub(super) request: Request<P>,
    pub(super) limits: Limits,
}

/// The registry's own requests that have not ended.
#[derive(Debug)]
pub(super) struct Requests<P> {
    next: u64,
    open: BTreeMap<RequestId, (Route, Timestamp)>,
    guards: BTreeSet<(Timestamp, RequestId)>,
    outgoing: VecDeque<Outgoing<P>>,
    given_up: Vec<RequestId>,
}

impl<P> Requests<P> {
    const OWN: u64 = 1 << 63;

    pub(super) fn new() -> Self {
        Self {
            next: Self::OWN,
            open: BTreeMap::new(),
            guards: BTreeSet::new(),
            outgoing: VecDeque::new(),
            given_up: Vec::new(),
        }
    }

    /// Whether `id` is one of the registry's own, ended or not.
    pub(super) const fn is_own(id: RequestId) -> bool {
        id.0 & Self::OWN != 0
    }

    /// Enter a request; it goes out with the next [`Requests::outgoing`].
    pub(super) fn enter(&mut self, route: Route, request: Request<P>, limits: Limits) -> RequestId {
        let id = RequestId(self.next);
        self.next += 1;
        let guard = limits.deadline.after(GUARD);
        let purpose = route.purpose();
        self.open.insert(id, (route, guard));
        self.guards.insert((guard, id));
        self.outgoing.push_back(Outgoing { id, purpose, request, limits });
        id
    }

    /// What is to be handed to the network next.
    pub(super) fn outgoing(&mut self) -> Option<Outgoing<P>> {
        self.outgoing.pop_front()
    }

    /// Where progress of `id` belongs; `None` when it has ended.
    pub(super) fn route(&self, id: RequestId) -> Option<&Route> {
        self.open.get(&id).map(|(route, _)| route)
    }

    /// The request has ended: where its end belongs.
    pub(super) fn end(&mut self, id: RequestId) -> Option<Route> {
        let (route, guard) = self.open.remove(&id)?;
        self.guards.remove(&(guard, id));
        Some(route)
    }

    /// Give `id` up: it is to be cancelled at the network, and nothing is reported for it any more.
    pub(super) fn give_up(&mut self, id: RequestId) {
        if self.end(id).is_some() {
            self.outgoing.retain(|out| out.id != id);
            self.given_up.push(id);
        }
    }

    /// What was given up and is to be cancelled at the network.
    pub(super) fn given_up(&mut self) -> Option<RequestId> {
        self.given_up.pop()
    }

    /// Give up everything.
    pub(super) fn give_up_all(&mut self) {
        let open: Vec<RequestId> = self.open.keys().copied().collect();
        for id in open {
            self.give_up(id);
        }
    }

    /// A request that the network should have finished long ago.
    pub(super) fn overdue(&mut self, now: Timestamp) -> Option<(RequestId, Route)> {
        let (_, id) = self.guards.first().copied().filter(|(guard, _)| *guard <= now)?;
        let route = self.end(id)?;
        self.given_up.push(id);
        Some((id, route))
    }

    /// When the next guard fires.
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.guards.first().map(|(guard, _)| *guard)
    }

    /// How many have not ended.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn enter(requests: &mut Requests<u32>, deadline: u64) -> RequestId {
        let request = Request::Subscribe { topic: Bytes::from_static(b"t") };
        let limits = Limits { deadline: Timestamp::from_millis(deadline), bytes: 0 };
        requests.enter(Route::Subscribe, request, limits)
    }

    #[test]
    fn ids_have_the_top_bit_and_entries_leave_at_the_end() {
        let mut requests = Requests::new();
        let first = enter(&mut requests, 1000);
        let second = enter(&mut requests, 500);
        assert!(Requests::<u32>::is_own(first) && first != second);
        assert!(!Requests::<u32>::is_own(RequestId(7)));
        assert_eq!(requests.end(second), Some(Route::Subscribe));
        assert_eq!(requests.end(second), None);
        assert_eq!((requests.open(), requests.next_deadline()), (1, Some(Timestamp::from_millis(3000))));
    }

    #[test]
    fn the_guard_ends_what_the_network_forgot() {
        let mut requests = Requests::new();
        let id = enter(&mut requests, 1000);
        assert_eq!(requests.overdue(Timestamp::from_millis(2999)), None);
        assert_eq!(requests.overdue(Timestamp::from_millis(3000)), Some((id, Route::Subscribe)));
        assert_eq!((requests.open(), requests.next_deadline()), (0, None));
        assert_eq!(requests.given_up(), Some(id));
    }

    #[test]
    fn what_is_given_up_before_it_went_out_never_goes_out() {
        let mut requests = Requests::new();
        enter(&mut requests, 1000);
        requests.give_up_all();
        assert!(requests.outgoing().is_none());
        assert_eq!(requests.open(), 0);
    }
}
