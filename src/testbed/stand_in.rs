//! The least that a testbed can be given where it matters only what the network does: a validator and responders without
//! an application behind them.
//!
//! For benches, examples and tests of a network by itself. No application has these: they believe everything.

use bytes::Bytes;

use crate::network::{AnswerLimits, Choice, Invalid, Refusal, Responder, Validator};
use crate::time::WallTime;

/// Finds every record and every announcement good. Of two records under one key the held or the offered one is better,
/// as this says.
#[derive(Clone, Copy, Debug)]
pub struct AcceptAll(pub Choice);

impl Validator for AcceptAll {
    fn record(&self, _: &[u8], _: &[u8], _: WallTime) -> Result<(), Invalid> {
        Ok(())
    }

    fn announcement(&self, _: &[u8], _: &[u8], _: WallTime) -> Result<(), Invalid> {
        Ok(())
    }

    fn select(&self, _: &[u8], _: &[u8], _: &[u8]) -> Choice {
        self.0
    }
}

/// A peer of the DHT and nothing else: understands no question, and holds no record but those it was asked to keep.
#[derive(Clone, Copy, Debug)]
pub struct Deaf;

impl Responder for Deaf {
    fn answer(&mut self, _: &[u8], _: AnswerLimits) -> Result<Bytes, Refusal> {
        Err(Refusal::NotUnderstood)
    }

    fn announced(&mut self, _: &[u8], _: &Bytes, _: WallTime) {}

    fn record(&mut self, _: &[u8]) -> Option<Bytes> {
        None
    }

    fn forget(&mut self) {}
}

/// Answers every question with the question.
#[derive(Clone, Copy, Debug)]
pub struct Echo;

impl Responder for Echo {
    fn answer(&mut self, question: &[u8], _: AnswerLimits) -> Result<Bytes, Refusal> {
        Ok(Bytes::copy_from_slice(question))
    }

    fn announced(&mut self, _: &[u8], _: &Bytes, _: WallTime) {}

    fn record(&mut self, _: &[u8]) -> Option<Bytes> {
        None
    }

    fn forget(&mut self) {}
}
