//! Catching up: asking another catalogue what it holds, and for what is missing here.
//!
//! A pure machine. A round has one partner. It asks for *heads* (publishers, and the highest number of
//! each), and for each publisher of whom the partner knows more, for *pages* of signed statements from the
//! first number on that is not held here. A round is bounded in time, in pages and in questions out at
//! once; what is left over comes with the next one. Statements are verified here before anyone sees them;
//! a partner that sends what was not asked for ends the round.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use crate::message::{Answer, AnswerBody, Question};
use crate::network::{Failure, Invalid, Peer, RequestId};
use crate::package::PublisherId;
use crate::probe::{reached, sometimes};
use crate::record::{Checked, Verifier};
use crate::registry::config::CatchUpConfig;
use crate::registry::keep;
use crate::time::Timestamp;

/// Failed questions after which a round is given up.
const MOST_FAILURES: u32 = 3;
/// The most heads taken in during one round.
const MOST_HEADS: usize = 16 * 1024;

/// What a question asked.
#[derive(Clone, Debug)]
enum Out {
    Heads,
    Page { publisher: PublisherId, from: u64 },
}

#[derive(Debug)]
struct Pending {
    out: Out,
    tag: [u8; 8],
    answered: bool,
}

#[derive(Debug)]
struct Round<P> {
    partner: P,
    ends_by: Timestamp,
    /// Questions to put, in their order.
    to_ask: VecDeque<Out>,
    heads_after: Option<PublisherId>,
    heads: usize,
    pending: BTreeMap<RequestId, Pending>,
    pages_left: u32,
    failures: u32,
}

/// How a round ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RoundEnd {
    /// Everything that was to be asked was answered.
    Done,
    /// The partner was silent, refused or sent what is ill-made; or time was up.
    Failed,
}

/// The rounds; see the [module](self).
#[derive(Debug)]
pub(super) struct CatchUp<P> {
    config: CatchUpConfig,
    peers: BTreeSet<P>,
    /// Partners of the rounds at the start.
    first_partners: BTreeSet<P>,
    first_rounds: u32,
    next_at: Timestamp,
    round: Option<Round<P>>,
    any_done: bool,
}

impl<P: Peer> CatchUp<P> {
    /// The first round begins as soon as a peer is known.
    pub(super) fn new(config: CatchUpConfig, now: Timestamp) -> Self {
        Self {
            first_rounds: config.at_start,
            config,
            peers: BTreeSet::new(),
            first_partners: BTreeSet::new(),
            next_at: now,
            round: None,
            any_done: false,
        }
    }

    /// `peer` can be a partner from now on.
    pub(super) fn up(&mut self, peer: P) {
        if self.peers.len() < self.config.most_peers {
            self.peers.insert(peer);
        }
    }

    /// `peer` is gone.
    pub(super) fn down(&mut self, peer: &P) {
        self.peers.remove(peer);
    }

    /// How many peers can be partners now.
    pub(super) fn partners(&self) -> usize {
        self.peers.len()
    }

    /// Whether the rounds at the start are over, and one of them was gone through: what others know of this node's own past
    /// is known. One partner alone may know as little as this node.
    pub(super) const fn start_is_over(&self) -> bool {
        self.any_done && self.first_rounds == 0
    }

    /// Whether `draw(n)`, a number below `n`, chose a partner for a round that begins now.
    pub(super) fn begin(&mut self, now: Timestamp, mut draw: impl FnMut(u64) -> u64) -> bool {
        if self.round.is_some() || now < self.next_at {
            return false;
        }
        let fresh: Vec<P> = self.peers.difference(&self.first_partners).copied().collect();
        let first = self.first_rounds > 0 && !fresh.is_empty();
        let from = if first { fresh } else { self.peers.iter().copied().collect() };
        if from.is_empty() {
            return false;
        }
        let at = usize::try_from(draw(from.len() as u64)).unwrap_or(0);
        let Some(partner) = from.get(at).copied() else { return false };
        if first {
            self.first_partners.insert(partner);
        }
        self.round = Some(Round {
            partner,
            ends_by: now.after(self.config.round_timeout),
            to_ask: VecDeque::from([Out::Heads]),
            heads_after: None,
            heads: 0,
            pending: BTreeMap::new(),
            pages_left: self.config.most_pages,
            failures: 0,
        });
        true
    }

    /// The next question to put, to whom, if another one may be out.
    pub(super) fn next_question(&mut self, now: Timestamp) -> Option<(P, Bytes, NextAsk)> {
        let round = self.round.as_mut()?;
        if round.pending.len() >= self.config.at_once || now >= round.ends_by {
            return None;
        }
        let out = round.to_ask.pop_front()?;
        let question = match &out {
            Out::Heads => Question::Heads { after: round.heads_after },
            Out::Page { publisher, from } => {
                reached!(CatchUpPaged);
                round.pages_left = round.pages_left.saturating_sub(1);
                Question::Page { publisher: *publisher, from: *from }
            }
        };
        let body = question.encode();
        let tag = Question::tag(&body);
        Some((round.partner, body, NextAsk(Pending { out, tag, answered: false })))
    }

    /// The question that [`CatchUp::next_question`] gave is out as `id`.
    pub(super) fn asked(&mut self, id: RequestId, ask: NextAsk) {
        if let Some(round) = &mut self.round {
            round.pending.insert(id, ask.0);
        }
    }

    /// An answer came. The statements in it that are good, or why it is not; `held` tells the number up to
    /// which every statement of a publisher is held here.
    pub(super) fn answered(
        &mut self,
        id: RequestId,
        body: &[u8],
        verifier: &Verifier,
        held: impl Fn(&PublisherId) -> u64,
    ) -> Result<Vec<Checked>, Invalid> {
        let Some(round) = &mut self.round else { return Ok(Vec::new()) };
        let Some(pending) = round.pending.get_mut(&id).filter(|pending| !pending.answered) else {
            return Ok(Vec::new());
        };
        pending.answered = true;
        let answer = Answer::decode(body).map_err(|_| Invalid::UNREADABLE)?;
        if answer.to != pending.tag {
            return Err(Invalid::NOT_ASKED);
        }
        match (pending.out.clone(), answer.body) {
            (Out::Heads, AnswerBody::Heads { heads, more }) => {
                let mut last = round.heads_after;
                for (publisher, number) in heads {
                    if last.is_some_and(|last| publisher <= last) {
                        return Err(Invalid::NOT_ASKED);
                    }
                    last = Some(publisher);
                    round.heads += 1;
                    let from = held(&publisher).saturating_add(1);
                    if number >= from {
                        round.to_ask.push_back(Out::Page { publisher, from });
                    }
                }
                if more && last > round.heads_after && round.heads < MOST_HEADS {
                    round.heads_after = last;
                    round.to_ask.push_front(Out::Heads);
                }
                Ok(Vec::new())
            }
            (Out::Page { publisher, from }, AnswerBody::Page { statements, more }) => {
                let mut good = Vec::with_capacity(statements.len());
                let mut last = from.saturating_sub(1);
                for bytes in &statements {
                    let record = verifier.check(bytes).map_err(Invalid::from)?;
                    match keep::numbered(&record) {
                        // Two statements under one number are a publisher's fault, and both are wanted.
                        Some((whose, number)) if whose == publisher && number >= last.max(from) => {
                            last = number;
                            good.push(record);
                        }
                        _ => return Err(Invalid::NOT_ASKED),
                    }
                }
                if more && last >= from {
                    round.to_ask.push_back(Out::Page { publisher, from: last.saturating_add(1) });
                }
                Ok(good)
            }
            _ => Err(Invalid::NOT_ASKED),
        }
    }

    /// A question has ended; `good` when its answer came and was well made.
    pub(super) fn ended(&mut self, id: RequestId, result: Result<(), Failure>) {
        if let Some(round) = &mut self.round
            && round.pending.remove(&id).is_some()
            && result.is_err()
        {
            round.failures += 1;
        }
    }

    /// The partner sent what is ill-made: the round is over.
    pub(super) fn spoilt(&mut self) {
        if let Some(round) = &mut self.round {
            round.failures = MOST_FAILURES;
        }
    }

    /// Whether the round is over: how it ended, and which questions are to be given up. Later rounds come
    /// after the interval, which `draw(n)`, a number below `n`, varies.
    pub(super) fn end(
        &mut self,
        now: Timestamp,
        mut draw: impl FnMut(u64) -> u64,
    ) -> Option<(RoundEnd, Vec<RequestId>)> {
        let round = self.round.as_mut()?;
        if round.pages_left == 0 {
            round.to_ask.clear();
        }
        let through = round.to_ask.is_empty() && round.pending.is_empty();
        let failed = round.failures >= MOST_FAILURES
            || (round.failures > 0 && round.heads == 0 && round.pending.is_empty())
            || now >= round.ends_by;
        if !through && !failed {
            return None;
        }
        sometimes!(failed, CatchUpFailed);
        let round = self.round.take()?;
        self.first_rounds = self.first_rounds.saturating_sub(u32::from(!failed));
        self.any_done |= !failed;
        let more_at_start = self.first_rounds > 0 && !self.peers.is_subset(&self.first_partners);
        self.next_at = if more_at_start {
            now
        } else {
            self.first_rounds = 0;
            let jitter = crate::time::nanos(self.config.jitter);
            let jitter = core::time::Duration::from_nanos(draw(jitter.saturating_add(1)));
            // While nothing at all was learned the interval would be a long time to wait.
            let every = if self.any_done { self.config.every } else { self.config.request_timeout };
            now.after(every).after(jitter)
        };
        let end = if failed { RoundEnd::Failed } else { RoundEnd::Done };
        Some((end, round.pending.into_keys().collect()))
    }

    /// When something is to be done though nothing happens.
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        match &self.round {
            Some(round) => Some(round.ends_by),
            None if self.peers.is_empty() => None,
            None => Some(self.next_at),
        }
    }

    /// How many questions are out.
    pub(super) fn out(&self) -> usize {
        self.round.as_ref().map_or(0, |round| round.pending.len())
    }

    /// The registry stops.
    pub(super) fn stop(&mut self) {
        self.round = None;
        self.peers.clear();
    }
}

/// A question that is going out.
#[derive(Debug)]
pub(super) struct NextAsk(Pending);
