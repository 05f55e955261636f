//! The events that wait to be polled.

use std::collections::VecDeque;

use libp2p::PeerId;

use crate::network::{Event, RequestId};

/// A bounded queue of events. The end of a request always fits: there is one for each submit.
#[derive(Debug)]
pub(super) struct Inbox {
    events: VecDeque<Event<PeerId>>,
    limit: usize,
    dropped: u64,
}

impl Inbox {
    pub(super) fn new(limit: usize) -> Self {
        Self { events: VecDeque::new(), limit, dropped: 0 }
    }

    /// Queue `event`, or drop and count it when the queue is full.
    pub(super) fn push(&mut self, event: Event<PeerId>) {
        if self.full() && !matches!(event, Event::Finished { .. }) {
            self.drop_one();
        } else {
            self.events.push_back(event);
        }
    }

    pub(super) fn pop(&mut self) -> Option<Event<PeerId>> {
        self.events.pop_front()
    }

    pub(super) fn full(&self) -> bool {
        self.events.len() >= self.limit
    }

    /// Count something that was dropped before it became an event.
    pub(super) fn drop_one(&mut self) {
        self.dropped = self.dropped.saturating_add(1);
    }

    /// Forget what waits of a cancelled request.
    pub(super) fn forget(&mut self, id: RequestId) {
        self.events.retain(|event| {
            !matches!(event, Event::Progress { id: its, .. } | Event::Finished { id: its, .. } if *its == id)
        });
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Failure, RequestStats};

    #[test]
    fn a_full_inbox_drops_and_counts_but_never_an_end() {
        let mut inbox = Inbox::new(1);
        inbox.push(Event::Deadline);
        inbox.push(Event::Deadline);
        let id = RequestId(7);
        inbox.push(Event::Finished { id, result: Err(Failure::Local), stats: RequestStats::default() });
        assert_eq!((inbox.len(), inbox.dropped()), (2, 1));
        inbox.forget(id);
        assert_eq!(inbox.len(), 1);
    }
}
