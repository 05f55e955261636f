//! An application to put under the harness, sound or with one fault: peers that say back what they are asked.
//!
//! Each operation asks two others and takes the first answer that is right.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use swarmproof::harness::{Application, Deed, Greatest, Input, Life, Violation};
use swarmproof::network::{Event, Item, Network, Request, RequestId, Validator};
use swarmproof::scenario::Draws;
use swarmproof::sim::SimPeer;
use swarmproof::testbed::LocalTask;

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    Nothing,
    /// The second request is given an hour, and not cancelled.
    Leaks,
    /// An answer is taken for another operation that is open.
    Foreign,
    /// Whatever comes is taken for right.
    Believes,
    /// What came of an operation is told again when the second request ends.
    TellsTwice,
    /// Where nobody answers, nothing is told.
    Forgets,
    /// A wrong answer is thought impossible.
    Panics,
    /// Whom it asks depends on what the process did before.
    Remembers,
    /// What it tells depends on it, and nothing that it does.
    MakesUp,
    /// It looks at nothing any more once it is asked something.
    Stops,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    Say(u64),
}

#[derive(Clone, Copy, Debug)]
pub struct Toy(pub Fault);

struct Open {
    word: Bytes,
    out: Vec<RequestId>,
}

struct Peer {
    life: Life<Act, Option<Bytes>>,
    fault: Fault,
    of: BTreeMap<RequestId, u32>,
    open: BTreeMap<u32, Open>,
}

static BEFORE: AtomicU64 = AtomicU64::new(0);

impl Peer {
    async fn serve(mut self) {
        loop {
            match self.life.next(None).await {
                Input::Asked { operation, act: Act::Say(word) } => self.begin(operation, word),
                Input::Event(Event::Question { .. }) if self.fault == Fault::Stops => {
                    core::future::pending::<()>().await;
                }
                Input::Event(Event::Question { to, body, .. }) => self.life.network.reply(to, Ok(body)),
                Input::Event(Event::Progress { id, from, item: Item::Answer { body } }) => {
                    self.answered(id, from, &body);
                }
                Input::Event(Event::Finished { id, .. }) => self.ended(id),
                Input::Event(Event::Closed) => return,
                Input::Event(_) => {}
            }
        }
    }

    fn begin(&mut self, operation: u32, word: u64) {
        let bytes = Bytes::from(word.to_string());
        let before = BEFORE.fetch_add(1, Ordering::Relaxed);
        let first = if self.fault == Fault::Remembers { before * before / 5 } else { word };
        let mut out = Vec::new();
        for (place, further) in [1, 5].into_iter().enumerate() {
            // One of the others, if there is one.
            let others = u64::from(self.life.peers.saturating_sub(1).max(1));
            let whom =
                (u64::from(self.life.node.0) + 1 + (first + further) % others) % u64::from(self.life.peers);
            let long = place == 1 && self.fault == Fault::Leaks;
            let within = Duration::from_secs(if long { 3600 } else { 10 });
            let request = Request::Ask { peer: SimPeer(whom as u32), question: bytes.clone() };
            let id = self.life.submit(operation, request, within);
            self.of.insert(id, operation);
            out.push(id);
        }
        self.open.insert(operation, Open { word: bytes, out });
    }

    fn answered(&mut self, id: RequestId, from: SimPeer, body: &Bytes) {
        let Some(mut operation) = self.of.get(&id).copied() else { return };
        if self.fault == Fault::Foreign {
            operation = self.open.keys().next().copied().unwrap_or(operation);
        }
        let Some(open) = self.open.get(&operation) else { return };
        let right = *body == open.word;
        assert!(right || self.fault != Fault::Panics, "a wrong answer");
        if right || self.fault == Fault::Believes || self.fault == Fault::Foreign {
            self.life.took(operation, from, body);
            self.tell(operation, Some(body.clone()));
        }
    }

    fn tell(&mut self, operation: u32, mut outcome: Option<Bytes>) {
        if self.fault == Fault::MakesUp {
            outcome = Some(BEFORE.fetch_add(1, Ordering::Relaxed).to_string().into());
        }
        self.life.tell(operation, outcome);
        for id in self.open.remove(&operation).map(|open| open.out).unwrap_or_default() {
            if !matches!(self.fault, Fault::Leaks | Fault::TellsTwice) {
                self.of.remove(&id);
                self.life.network.cancel(id);
            }
        }
    }

    fn ended(&mut self, id: RequestId) {
        let Some(operation) = self.of.remove(&id) else { return };
        match self.open.get_mut(&operation) {
            Some(open) => {
                open.out.retain(|it| *it != id);
                if open.out.is_empty() && self.fault != Fault::Forgets {
                    self.tell(operation, None);
                }
            }
            None if self.fault == Fault::TellsTwice => self.life.tell(operation, None),
            None => {}
        }
    }
}

impl Application for Toy {
    type Act = Act;
    type Outcome = Option<Bytes>;

    fn validator(&self) -> Arc<dyn Validator> {
        Arc::new(Greatest(|_| true))
    }

    fn act(&self, _: u32, draws: &mut Draws) -> Act {
        Act::Say(draws.below(1000))
    }

    fn start(&self, life: Life<Act, Option<Bytes>>) -> LocalTask {
        Box::pin(Peer { life, fault: self.0, of: BTreeMap::new(), open: BTreeMap::new() }.serve())
    }

    fn judge(&self, deeds: &[Deed<Act, Option<Bytes>>]) -> Vec<Violation> {
        let wrong = |deed: &Deed<Act, Option<Bytes>>| {
            let (Act::Say(word), (_, Some(answer))) = (&deed.act, deed.told.as_ref()?) else { return None };
            let right = *answer == word.to_string();
            (!right).then(|| deed.wrong("says-back", format!("said {word} and was told {answer:?}")))
        };
        deeds.iter().filter_map(wrong).collect()
    }

    fn simpler(&self, act: &Act) -> Vec<Act> {
        let Act::Say(word) = act;
        [0, word / 2].into_iter().filter(|it| it < word).map(Act::Say).collect()
    }
}
