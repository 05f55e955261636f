//! What registries ask of one another, and what they answer: the payloads of `Ask`.
//!
//! Canonical DAG-CBOR. A decoded message is within every limit below; nothing else about it is
//! checked here: records in it are bytes until a `Verifier` has seen them. What is encoded is not
//! checked: whoever builds a message keeps to the limits, or its reader refuses it.

mod codec;
mod kinds;

pub use codec::MessageError;
pub use kinds::{Answer, AnswerBody, Cursor, MAX_ANSWER, MAX_ITEMS, MAX_QUESTION, Name, Question};

#[cfg(test)]
mod tests;
