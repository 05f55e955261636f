//! Canonical DAG-CBOR from strangers: the shape is checked before anything is allocated.
//!
//! [`decode`] promises: memory and time bounded by the length of the input, no recursion deeper than
//! the caller's [`Shape`], and that the bytes are the one canonical encoding of the value returned.

use serde::Serialize;
use serde::de::Deserialize;

/// What a message may look like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// How deep lists and maps may be nested; at most [`DEEPEST`].
    pub(crate) depth: usize,
    /// The most items of one list, or pairs of one map.
    pub(crate) items: u64,
}

/// The deepest nesting that any shape may allow.
pub(crate) const DEEPEST: usize = 16;

/// What is wrong with the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Not DAG-CBOR, or not of the expected type.
    Unreadable,
    /// Nested deeper than allowed.
    TooDeep,
    /// A length or a count that is not there.
    HostileLength,
    /// A list or a map with more than is allowed.
    TooMany,
    /// Another encoding of the same value than the canonical one.
    NotCanonical,
}

/// The canonical bytes of `value`.
pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // It fails on types that the format lacks, of which our messages have none, and when memory cannot be
    // reserved; then the empty bytes are refused by every reader.
    serde_ipld_dagcbor::to_vec(value).unwrap_or_default()
}

/// The value whose canonical encoding `bytes` is.
pub(crate) fn decode<'a, T>(bytes: &'a [u8], shape: Shape) -> Result<T, Flaw>
where
    T: Deserialize<'a> + Serialize,
{
    check_shape(bytes, shape)?;
    let value: T = serde_ipld_dagcbor::from_slice(bytes).map_err(|_| Flaw::Unreadable)?;
    if encode(&value) == bytes { Ok(value) } else { Err(Flaw::NotCanonical) }
}

const BYTES: u8 = 2;
const TEXT: u8 = 3;
const LIST: u8 = 4;
const MAP: u8 = 5;
const SIMPLE: u8 = 7;

/// Walk over the heads of all items without building any, and without recursion.
pub(crate) fn check_shape(bytes: &[u8], shape: Shape) -> Result<(), Flaw> {
    // Items still to come at each level; level 0 holds the one item that the message is.
    let mut open = [0_u64; DEEPEST + 1];
    open[0] = 1;
    let mut level = 0;
    let mut rest = bytes;
    loop {
        while open[level] == 0 {
            if level == 0 {
                return if rest.is_empty() { Ok(()) } else { Err(Flaw::Unreadable) };
            }
            level -= 1;
        }
        open[level] -= 1;
        let (major, argument, after) = head(rest)?;
        rest = after;
        match major {
            BYTES | TEXT => {
                let length = usize::try_from(argument).map_err(|_| Flaw::HostileLength)?;
                rest = rest.get(length..).ok_or(Flaw::HostileLength)?;
            }
            LIST | MAP => {
                let items = if major == MAP { argument.saturating_mul(2) } else { argument };
                // Every item has at least one byte.
                if items > rest.len() as u64 {
                    return Err(Flaw::HostileLength);
                }
                if argument > shape.items {
                    return Err(Flaw::TooMany);
                }
                level += 1;
                if level > shape.depth.min(DEEPEST) {
                    return Err(Flaw::TooDeep);
                }
                open[level] = items;
            }
            _ => {}
        }
    }
}

/// The first item's major type and argument, and what follows its head.
fn head(bytes: &[u8]) -> Result<(u8, u64, &[u8]), Flaw> {
    let (first, rest) = bytes.split_first().ok_or(Flaw::Unreadable)?;
    let (major, info) = (first >> 5, first & 0x1f);
    if major == SIMPLE {
        // False, true and null. No message of ours has floats, and DAG-CBOR has nothing else.
        return if (20..=22).contains(&info) { Ok((major, 0, rest)) } else { Err(Flaw::Unreadable) };
    }
    if major == 6 {
        // The only tag of DAG-CBOR is a link, and no message of ours has one.
        return Err(Flaw::Unreadable);
    }
    let width = match info {
        0..=23 => return Ok((major, u64::from(info), rest)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        // Indefinite lengths are CBOR, and never canonical.
        31 => return Err(Flaw::NotCanonical),
        _ => return Err(Flaw::Unreadable),
    };
    let (bytes, rest) = rest.split_at_checked(width).ok_or(Flaw::Unreadable)?;
    let argument = bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let shortest = match width {
        1 => argument >= 24,
        2 => argument > 0xff,
        4 => argument > 0xffff,
        _ => argument > 0xffff_ffff,
    };
    if shortest { Ok((major, argument, rest)) } else { Err(Flaw::NotCanonical) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { depth: 3, items: 4 };

    #[test]
    fn each_flaw_is_told_apart() {
        let cases: [(&[u8], Result<(), Flaw>); 17] = [
            (&[0x01], Ok(())),
            (&[0x83, 1, 0x42, 9, 9, 0xf6], Ok(())),
            (&[0xa1, 0x61, b'a', 0x80], Ok(())),
            (&[0x81, 0x81, 0x80], Ok(())),
            (&[0x81, 0x81, 0x81, 0x80], Err(Flaw::TooDeep)),
            (&[0x85, 1, 1, 1, 1, 1], Err(Flaw::TooMany)),
            (&[0x84, 1, 1, 1], Err(Flaw::HostileLength)),
            (&[0x9b, 255, 255, 255, 255, 255, 255, 255, 255], Err(Flaw::HostileLength)),
            (&[0xbb, 255, 255, 255, 255, 255, 255, 255, 255], Err(Flaw::HostileLength)),
            (&[0x5b, 255, 255, 255, 255, 255, 255, 255, 255, 1], Err(Flaw::HostileLength)),
            (&[0x18, 0x17], Err(Flaw::NotCanonical)),
            (&[0x9f, 0xff], Err(Flaw::NotCanonical)),
            (&[0xc1, 0x01], Err(Flaw::Unreadable)),
            (&[0xf9, 0, 0], Err(Flaw::Unreadable)),
            (&[0x19, 1], Err(Flaw::Unreadable)),
            (&[0x01, 0x01], Err(Flaw::Unreadable)),
            (&[], Err(Flaw::Unreadable)),
        ];
        for (bytes, verdict) in cases {
            assert_eq!(check_shape(bytes, SHAPE), verdict, "{bytes:02x?}");
        }
    }

    #[test]
    fn each_width_of_a_number_begins_where_the_narrower_one_ends() {
        let pairs: [(&[u8], &[u8]); 4] = [
            (&[0x18, 23], &[0x18, 24]),
            (&[0x19, 0, 0xff], &[0x19, 1, 0]),
            (&[0x1a, 0, 0, 0xff, 0xff], &[0x1a, 0, 1, 0, 0]),
            (&[0x1b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], &[0x1b, 0, 0, 0, 1, 0, 0, 0, 0]),
        ];
        for (wide, right) in pairs {
            assert_eq!(check_shape(wide, SHAPE), Err(Flaw::NotCanonical), "{wide:02x?}");
            assert_eq!(check_shape(right, SHAPE), Ok(()), "{right:02x?}");
        }
    }

    #[test]
    fn a_message_of_nothing_but_nesting_is_refused_at_once() {
        let deep = vec![0x81; 1 << 20];
        assert_eq!(check_shape(&deep, Shape { depth: 99, items: 9 }), Err(Flaw::TooDeep));
    }

    #[test]
    fn only_the_canonical_spelling_is_decoded() {
        let decode = |bytes: &[u8]| decode::<Vec<u8>>(bytes, SHAPE);
        assert_eq!(decode(&[0x82, 1, 0x18, 24]), Ok(vec![1, 24]));
        assert_eq!(decode(&[0x82, 1, 0x18, 3]), Err(Flaw::NotCanonical));
        assert_eq!(decode(&[0x61, b'a']), Err(Flaw::Unreadable));
    }
}
