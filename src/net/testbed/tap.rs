//! Listens in on a stream that the node itself opened: when it is a step of a lookup that is measured, its
//! [`Depths`](super::Depths) learn of it. Nothing is changed.

use bytes::Bytes;
use libp2p::PeerId;

use super::depths::{Depths, Moment};
use super::frame::{Answer, Choice, MOST, Speech};

/// The ear at one stream.
#[derive(Debug)]
pub(super) struct Tap {
    peer: PeerId,
    depths: Depths,
    opened: Moment,
    hearing: Hearing,
}

#[derive(Debug)]
enum Hearing {
    /// A protocol is being chosen: what this side says, and what the other.
    Choice { own: Choice, theirs: Choice },
    /// The request is being written.
    Request { written: Vec<u8>, theirs: Choice },
    /// The choice has yet to be confirmed behind which the answer comes.
    Confirmed { key: Bytes, theirs: Choice },
    /// The answer is being read.
    Answer { key: Bytes, read: Vec<u8> },
    /// Nothing more is of interest.
    Over,
}

impl Tap {
    /// An ear at a stream to `peer` that is opened now.
    pub(super) fn new(peer: PeerId, depths: Depths) -> Self {
        let hearing = Hearing::Choice { own: Choice::default(), theirs: Choice::default() };
        let opened = depths.moment();
        Self { peer, depths, opened, hearing }
    }

    /// The node wrote `bytes`. `speech` tells what a protocol is by its name.
    pub(super) fn wrote(&mut self, bytes: &[u8], speech: impl Fn(&str) -> Speech) {
        self.hearing = match core::mem::replace(&mut self.hearing, Hearing::Over) {
            Hearing::Choice { mut own, theirs } => match own.heard(bytes) {
                None => Hearing::Choice { own, theirs },
                Some(name) if speech(&name) == Speech::Dht => self.request(own.rest(), theirs),
                Some(_) => Hearing::Over,
            },
            Hearing::Request { mut written, theirs } => {
                written.extend_from_slice(bytes);
                self.request(written, theirs)
            }
            other => other,
        };
    }

    fn request(&self, mut written: Vec<u8>, theirs: Choice) -> Hearing {
        match Answer::take(Speech::Dht, &mut written) {
            None if written.len() > MOST => Hearing::Over,
            None => Hearing::Request { written, theirs },
            Some(request) => match request.walks_to() {
                Some(key) if self.depths.asked(&key, self.peer, self.opened) => {
                    Hearing::Confirmed { key, theirs }
                }
                _ => Hearing::Over,
            },
        }
    }

    /// The node read `bytes`.
    pub(super) fn read(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.hearing = match core::mem::replace(&mut self.hearing, Hearing::Over) {
            Hearing::Choice { own, mut theirs } => {
                theirs.overheard(bytes);
                Hearing::Choice { own, theirs }
            }
            Hearing::Request { written, mut theirs } => {
                theirs.overheard(bytes);
                Hearing::Request { written, theirs }
            }
            Hearing::Confirmed { key, mut theirs } => match theirs.heard(bytes) {
                Some(_) => self.answer(key, theirs.rest()),
                None => Hearing::Confirmed { key, theirs },
            },
            Hearing::Answer { key, mut read } => {
                read.extend_from_slice(bytes);
                self.answer(key, read)
            }
            Hearing::Over => Hearing::Over,
        };
    }

    fn answer(&self, key: Bytes, mut read: Vec<u8>) -> Hearing {
        match Answer::take(Speech::Dht, &mut read) {
            None if read.len() > MOST => Hearing::Over,
            None => Hearing::Answer { key, read },
            Some(answer) => {
                let closer = answer.closer().into_iter().filter_map(|id| PeerId::from_bytes(id).ok());
                self.depths.answered(&key, self.peer, closer);
                Hearing::Over
            }
        }
    }
}
