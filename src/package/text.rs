//! How text becomes words: the same on every machine and in every version of the language.

/// Whether each byte belongs to a word. Every byte of a non-ASCII character is above all of ASCII: no character need be put
/// together to be told.
const INNER: [bool; 256] = {
    let mut inner = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        inner[byte] = byte >= 128 || (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    inner
};

/// The words of `text` as they are written: maximal runs of ASCII letters and digits and of non-ASCII
/// characters. Other scripts are taken as they are, since case tables change between versions.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let inner = |byte: u8| INNER[usize::from(byte)];
    let mut rest = text;
    core::iter::from_fn(move || {
        let begins = rest.bytes().position(inner)?;
        let from = &rest[begins..];
        let (word, left) = from.split_at(from.bytes().position(|byte| !inner(byte)).unwrap_or(from.len()));
        rest = left;
        Some(word)
    })
}

/// The [`words`] of `text`, ASCII letters lower-cased: the form in which they are compared.
pub fn tokens(text: &str) -> impl Iterator<Item = String> + '_ {
    words(text).map(str::to_ascii_lowercase)
}
