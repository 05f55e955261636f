//! What others ask of this node and tell it: questions, announcements, news.

use crate::message::MAX_ANSWER;
use crate::network::{
    AnswerLimits, Event, InboundId, Invalid, Network, PeerChange, Refusal, Responder, Ware,
};
use crate::probe::reached;
use crate::registry::observe::{Observed, Rejection, Via};
use crate::registry::questions::Waiting;
use crate::registry::requests::Requests;
use crate::registry::state::Driver;
use crate::store::Store;

impl<N: Network, S: Store> Driver<N, S> {
    /// Take in what the network reports. `false` when the network has closed.
    pub(super) fn take_in(&mut self, event: Event<N::Peer>) -> bool {
        let (now, wall) = (self.network.now(), self.network.wall());
        match event {
            Event::Closed => return false,
            Event::Deadline => self.engine.handle_deadline(now, wall),
            Event::Progress { id, from, ref item } => {
                self.observe(Observed::Received { request: id, from, item });
                if Requests::<N::Peer>::is_own(id) {
                    self.own_progress(id, from, item);
                } else {
                    self.engine.handle_event(now, wall, &event);
                }
            }
            Event::Finished { id, result, stats } => {
                self.observe(Observed::Ended { request: id, result, stats });
                if !Requests::<N::Peer>::is_own(id) {
                    self.engine.handle_event(now, wall, &event);
                } else if let Some(route) = self.requests.end(id) {
                    self.own_ended(id, route, result);
                }
            }
            Event::Question { to, from, body } => {
                if let Err(refused) = self.questions.push(Waiting { to, from, body }) {
                    self.answer(to, refused.from, Err(Refusal::Busy));
                }
            }
            Event::Withdrawn { to } => self.questions.withdraw(to),
            Event::Announcement { from, topic, payload } => self.announced(from, &topic, &payload),
            Event::Rejected { from, what, why } => self.reject(from, what, why),
            Event::Peer { peer, change } => {
                match change {
                    PeerChange::Up => self.catch_up.up(peer),
                    PeerChange::Down => self.catch_up.down(&peer),
                    PeerChange::RoundTrip(_) => {}
                }
                self.engine.handle_event(now, wall, &event);
            }
        }
        true
    }

    /// Answer the question that waits longest. `false` when none waits.
    pub(super) fn answer_next(&mut self) -> bool {
        let Some(Waiting { to, from, body }) = self.questions.pop() else { return false };
        let limits = AnswerLimits { bytes: MAX_ANSWER, now: self.network.now(), wall: self.network.wall() };
        let answer = self.responder.answer(&body, limits);
        if answer == Err(Refusal::NotUnderstood) {
            self.reject(from, Ware::Question, Invalid::UNREADABLE);
        }
        self.answer(to, from, answer);
        true
    }

    fn answer(&mut self, to: InboundId, peer: N::Peer, answer: Result<bytes::Bytes, Refusal>) {
        let result = answer.as_ref().map(bytes::Bytes::len).map_err(|why| *why);
        match result {
            Ok(_) => self.counters.questions_answered += 1,
            Err(_) => self.counters.questions_refused += 1,
        }
        self.observe(Observed::Answered { to: peer, result });
        self.asked = true;
        self.network.reply(to, answer);
    }

    /// Refuse every question that waits.
    pub(super) fn refuse_questions(&mut self) {
        while let Some(Waiting { to, from, .. }) = self.questions.pop() {
            self.answer(to, from, Err(Refusal::Busy));
        }
    }

    /// Hear an announcement: who passes it on, and then who signed it, must be within their quotas.
    fn announced(&mut self, from: N::Peer, topic: &[u8], payload: &bytes::Bytes) {
        let (now, wall) = (self.network.now(), self.network.wall());
        if !self.peer_quotas.take(from, now) {
            reached!(QuotaRefused);
            self.counters.over_peer_quota += 1;
            self.observe(Observed::Rejected { from, why: Rejection::PeerQuota });
            return;
        }
        let good = crate::network::Validator::announcement(&self.verifier, topic, payload, wall);
        let checked = good.and_then(|()| self.verifier.check(payload).map_err(Invalid::from));
        let record = match checked {
            Ok(record) => record,
            Err(why) => return self.reject(from, Ware::Announcement, why),
        };
        if !self.publisher_quotas.take(record.publisher(), now) {
            reached!(QuotaRefused);
            self.counters.over_publisher_quota += 1;
            self.observe(Observed::Rejected { from, why: Rejection::PublisherQuota });
            return;
        }
        self.counters.announcements_heard += 1;
        if !self.learn(&record, Via::Announcement) {
            self.observe(Observed::Rejected { from, why: Rejection::Full });
        }
    }
}
