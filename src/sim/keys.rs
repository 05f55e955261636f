//! The keys that a run has named, each with a number and a position.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::rng::digest;

/// The most keys that one run names. A request for another fails with `Failure::Local`.
const MOST: usize = 1 << 24;

/// The salt of keys' positions: the same in every world, so that a key's place does not depend on a seed.
const SALT: u64 = 0x7377_6172_6d6b_6579;

/// Where `key` stands, in every world.
pub(crate) fn position(key: &[u8]) -> u64 {
    digest(SALT, key)
}

/// Keys by number.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    numbers: BTreeMap<Bytes, u32>,
    keys: Vec<(Bytes, u64)>,
}

impl Keys {
    /// The number of `key`, a new one if it was not named before.
    pub(crate) fn number(&mut self, key: &Bytes) -> Option<u32> {
        if let Some(number) = self.numbers.get(key) {
            return Some(*number);
        }
        if self.keys.len() >= MOST {
            return None;
        }
        let number = self.keys.len() as u32;
        self.keys.push((key.clone(), position(key)));
        self.numbers.insert(key.clone(), number);
        Some(number)
    }

    /// The number of `key` if it was named before.
    pub(crate) fn known(&self, key: &[u8]) -> Option<u32> {
        self.numbers.get(key).copied()
    }

    /// The bytes of a key.
    pub(crate) fn bytes(&self, number: u32) -> &Bytes {
        &self.keys[number as usize].0
    }

    /// The position of a key.
    pub(crate) fn position(&self, number: u32) -> u64 {
        self.keys[number as usize].1
    }
}
