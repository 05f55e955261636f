//! Draws that depend on what they are for, never on what was drawn before.
//!
//! A draw is a function of the seed, of a [`Concern`] and of a causal identity of two numbers (which link,
//! which request, which hop). There is no stream that is shared, so another peer or another search does not
//! re-roll anyone's dice. One block of ChaCha with 8 rounds (D. J. Bernstein, 2008; the variant with a
//! 64-bit counter and a 64-bit nonce) gives 16 words, which are sliced into fields.
//!
//! The mapping is version 1. A change of any constant here changes every recorded run.

use xxhash_rust::xxh3::xxh3_64_with_seed;

pub use crate::testbed::draw::{below, mix};

const ROUNDS: usize = 8;
const VERSION: u64 = 1;

/// What a draw is for. Numbers below 1,000 belong to the simulator; those above to whoever drives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Concern(pub u32);

impl Concern {
    pub(crate) const POSITION: Self = Self(1);
    pub(crate) const PEER: Self = Self(2);
    pub(crate) const TABLE: Self = Self(3);
    pub(crate) const MESH: Self = Self(4);
    pub(crate) const LINK: Self = Self(5);
    pub(crate) const ANNOUNCE: Self = Self(6);
    pub(crate) const UPKEEP: Self = Self(7);
    pub(crate) const JOIN: Self = Self(8);
    pub(crate) const DISK: Self = Self(9);
    pub(crate) const GOSSIP: Self = Self(10);
    pub(crate) const RESET: Self = Self(11);
    pub(crate) const POPULATION: Self = Self(12);
}

/// The seed of a run, expanded into a ChaCha key.
#[derive(Clone, Copy, Debug)]
pub struct Seed {
    key: [u32; 8],
}

impl Seed {
    /// The key for `seed`: four outputs of [`mix`] in counter mode.
    pub fn new(seed: u64) -> Self {
        let mut key = [0; 8];
        for (i, pair) in key.chunks_exact_mut(2).enumerate() {
            let word = mix(mix(seed ^ VERSION.rotate_left(32)).wrapping_add(i as u64));
            pair[0] = word as u32;
            pair[1] = (word >> 32) as u32;
        }
        Self { key }
    }

    /// The 16 words for `concern` and the identity (`a`, `b`).
    pub fn draw(&self, concern: Concern, a: u64, b: u64) -> Draw {
        let mut key = self.key;
        key[7] ^= concern.0;
        Draw { words: block(&key, b, a) }
    }

    /// A sequence of draws for `concern` and the identity `a`, for what needs more than one block.
    pub fn stream(&self, concern: Concern, a: u64) -> Stream {
        Stream { seed: *self, concern, a, drawn: 0, block: 0, draw: self.draw(concern, a, 0) }
    }
}

/// Fields of 64 bits in a block.
const FIELDS: u64 = 8;

/// One block of draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    words: [u32; 16],
}

impl Draw {
    /// The 32-bit field at `slot`, from 0 to 15.
    pub fn word(&self, slot: usize) -> u32 {
        self.words[slot & 15]
    }

    /// The 64-bit field made of the slots `slot` and `slot + 1`.
    pub fn wide(&self, slot: usize) -> u64 {
        u64::from(self.word(slot)) | u64::from(self.word(slot + 1)) << 32
    }
}

/// Draws one after another under one identity.
#[derive(Clone, Debug)]
pub struct Stream {
    seed: Seed,
    concern: Concern,
    a: u64,
    /// Fields that were drawn or passed over so far.
    drawn: u64,
    /// Which block `draw` is.
    block: u64,
    draw: Draw,
}

impl Stream {
    /// The next 64 bits.
    pub fn wide(&mut self) -> u64 {
        let block = self.drawn / FIELDS;
        if block != self.block {
            self.block = block;
            self.draw = self.seed.draw(self.concern, self.a, block);
        }
        let wide = self.draw.wide(2 * (self.drawn % FIELDS) as usize);
        self.drawn += 1;
        wide
    }

    /// Pass over the next `count` times 64 bits, without the work of drawing them.
    pub fn skip(&mut self, count: u64) {
        self.drawn = self.drawn.saturating_add(count);
    }

    /// A number below `n`; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        below(self.wide(), n)
    }
}

/// A digest of bytes for identities and positions: the same in every run and on every platform.
pub fn digest(salt: u64, bytes: &[u8]) -> u64 {
    xxh3_64_with_seed(bytes, salt)
}

fn quarter(s: &mut [u32; 16], a: usize, b: usize, c: usize, d: usize) {
    s[a] = s[a].wrapping_add(s[b]);
    s[d] = (s[d] ^ s[a]).rotate_left(16);
    s[c] = s[c].wrapping_add(s[d]);
    s[b] = (s[b] ^ s[c]).rotate_left(12);
    s[a] = s[a].wrapping_add(s[b]);
    s[d] = (s[d] ^ s[a]).rotate_left(8);
    s[c] = s[c].wrapping_add(s[d]);
    s[b] = (s[b] ^ s[c]).rotate_left(7);
}

fn block(key: &[u32; 8], counter: u64, nonce: u64) -> [u32; 16] {
    let mut start = [0u32; 16];
    start[..4].copy_from_slice(&[0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574]);
    start[4..12].copy_from_slice(key);
    start[12] = counter as u32;
    start[13] = (counter >> 32) as u32;
    start[14] = nonce as u32;
    start[15] = (nonce >> 32) as u32;
    let mut s = start;
    for _ in 0..ROUNDS / 2 {
        quarter(&mut s, 0, 4, 8, 12);
        quarter(&mut s, 1, 5, 9, 13);
        quarter(&mut s, 2, 6, 10, 14);
        quarter(&mut s, 3, 7, 11, 15);
        quarter(&mut s, 0, 5, 10, 15);
        quarter(&mut s, 1, 6, 11, 12);
        quarter(&mut s, 2, 7, 8, 13);
        quarter(&mut s, 3, 4, 9, 14);
    }
    for (word, first) in s.iter_mut().zip(start) {
        *word = word.wrapping_add(first);
    }
    s
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn blocks_are_those_of_the_reference_implementation() {
        let key: [u32; 8] = core::array::from_fn(|i| 0x0102_0304u32.wrapping_mul(i as u32 + 1));
        let mut bytes = [0; 32];
        for (chunk, word) in bytes.chunks_exact_mut(4).zip(key) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        for (counter, nonce) in [(0, 0), (1, 7), (0x1_0000_0003, 0xdead_beef_0000_0001)] {
            let mut reference = ChaCha8Rng::from_seed(bytes);
            reference.set_stream(nonce);
            reference.set_word_pos(u128::from(counter) * 16);
            let wanted: [u32; 16] = core::array::from_fn(|_| reference.next_u32());
            assert_eq!(block(&key, counter, nonce), wanted, "block {counter} of stream {nonce}");
        }
    }

    #[test]
    fn what_is_skipped_is_what_would_have_been_drawn() {
        let stream = || Seed::new(1).stream(Concern(1), 2);
        let mut whole = stream();
        let drawn: [u64; 40] = core::array::from_fn(|_| whole.wide());
        for (before, skipped) in [(0, 0), (0, 8), (3, 4), (3, 5), (8, 1), (5, 30)] {
            let mut stream = stream();
            (0..before).for_each(|_| _ = stream.wide());
            stream.skip(skipped);
            assert_eq!(stream.wide(), drawn[before + skipped as usize], "{skipped} after {before}");
        }
    }

    #[test]
    fn a_draw_depends_on_every_part_of_its_identity() {
        let seed = Seed::new(1);
        let base = seed.draw(Concern(1), 2, 3);
        assert_eq!(base, Seed::new(1).draw(Concern(1), 2, 3));
        for other in [
            Seed::new(2).draw(Concern(1), 2, 3),
            seed.draw(Concern(2), 2, 3),
            seed.draw(Concern(1), 3, 3),
            seed.draw(Concern(1), 2, 4),
            seed.draw(Concern(1), 3, 2),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn below_reaches_every_value_and_no_other() {
        let mut stream = Seed::new(7).stream(Concern(1), 0);
        let mut counts = [0u32; 5];
        for _ in 0..5_000 {
            counts[stream.below(5) as usize] += 1;
        }
        assert!(counts.iter().all(|c| (850..1150).contains(c)), "{counts:?}");
        assert_eq!(below(u64::MAX, 0), 0);
        assert_eq!(below(u64::MAX, 9), 8);
    }
}
