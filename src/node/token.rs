//! The token that a client shows to publish and yank.

use core::fmt;
use std::io;

use sha2::{Digest as _, Sha256};

use super::secret::{BadSecret, random};

/// 64 hexadecimal digits that nobody guesses. Neither shown nor logged; compared in constant time.
#[derive(Clone)]
pub(super) struct Token {
    digest: [u8; 32],
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Token {
    /// The text of a new one.
    pub(super) fn draw() -> io::Result<Vec<u8>> {
        let mut text: String = random()?.iter().map(|byte| format!("{byte:02x}")).collect();
        text.push('\n');
        Ok(text.into_bytes())
    }

    /// The token that this text is.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, BadSecret> {
        let text = bytes.trim_ascii();
        if text.len() < 32 || !text.iter().all(u8::is_ascii_graphic) {
            return Err(BadSecret::of(bytes, "at least 32 visible characters"));
        }
        Ok(Self { digest: Sha256::digest(text).into() })
    }

    /// Whether it is this one. Digests are compared, every byte of them: the time that takes says nothing of
    /// where they differ.
    pub(super) fn is(&self, shown: &[u8]) -> bool {
        let shown: [u8; 32] = Sha256::digest(shown).into();
        let differs = self.digest.iter().zip(shown).fold(0, |sum, (a, b)| sum | (a ^ b));
        core::hint::black_box(differs) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_text_is_the_token() {
        let text = Token::draw().unwrap();
        let token = Token::read(&text).unwrap();
        assert!(token.is(text.trim_ascii()));
        let mut other = text.trim_ascii().to_vec();
        other[63] ^= 1;
        assert!(!token.is(&other) && !token.is(b"") && !token.is(&text[..63]));
        assert_ne!(Token::draw().unwrap(), text);
        assert!(!format!("{token:?}").contains(std::str::from_utf8(&text[..8]).unwrap()));
    }

    #[test]
    fn what_could_be_guessed_is_no_token() {
        for bad in [&b""[..], b"secret", b"0123456789 0123456789 0123456789 0123"] {
            assert!(Token::read(bad).is_err());
        }
    }
}
