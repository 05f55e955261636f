//! Ways to ruin bytes, each with a name, so that a check knows what was sent.

use bytes::Bytes;

use super::Garble;
use super::draw::{below, mix};

/// What is left of good bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Garbled {
    /// These bytes, within the limit. They may be the good ones where there is nothing to ruin.
    Bytes(Bytes),
    /// More than any limit lets through. They are never made: a length is enough to be refused.
    Oversized,
}

/// Heads that claim a length that is not there: CBOR byte string, text, list and map of 2^62 and more,
/// a 9-byte varint, a 4-byte big-endian length.
const HEADS: [&[u8]; 6] = [
    &[0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0x7b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    &[0xff, 0xff, 0xff, 0xff],
];

/// Ruin `body` in `way`, to at most `most` bytes. [`Garble::WrongKey`] needs another value and is for the
/// caller.
pub(crate) fn garble(way: Garble, body: &Bytes, most: usize, draw: u64) -> Garbled {
    let len = body.len();
    match way {
        Garble::Truncated => Garbled::Bytes(body.slice(..below(draw, len as u64) as usize)),
        Garble::BitFlipped => {
            let mut bytes = body.to_vec();
            let bit = below(draw, len as u64 * 8);
            if let Some(byte) = bytes.get_mut((bit / 8) as usize) {
                *byte ^= 1 << (bit % 8);
            }
            Garbled::Bytes(bytes.into())
        }
        Garble::Noise => {
            let noise = (0..len as u64).map(|i| mix(draw.wrapping_add(i)) as u8);
            Garbled::Bytes(noise.collect())
        }
        Garble::Oversized => Garbled::Oversized,
        Garble::HostileLengths => {
            let head = HEADS[below(draw, HEADS.len() as u64) as usize];
            let keep = len.min(most.saturating_sub(head.len()));
            Garbled::Bytes([head, &body[..keep]].concat().into())
        }
        Garble::HostileNesting => Garbled::Bytes(vec![0x81; most].into()),
        Garble::WrongKey => Garbled::Bytes(body.clone()),
        Garble::Repeated => {
            let fit = most.checked_div(len).unwrap_or(0);
            let times = fit.min(2 + below(draw, 7) as usize).max(1);
            Garbled::Bytes(body.repeat(times).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAYS: [Garble; 6] = [
        Garble::Truncated,
        Garble::BitFlipped,
        Garble::Noise,
        Garble::HostileLengths,
        Garble::HostileNesting,
        Garble::Repeated,
    ];

    #[test]
    fn every_way_ruins_and_stays_within_the_limit() {
        let body = Bytes::from(vec![7; 300]);
        for way in WAYS {
            for draw in (0..50).map(mix) {
                let Garbled::Bytes(bytes) = garble(way, &body, 1000, draw) else { panic!("{way:?}") };
                assert_ne!(bytes, body, "{way:?}");
                assert!(bytes.len() <= 1000, "{way:?}: {}", bytes.len());
            }
        }
        assert_eq!(garble(Garble::Oversized, &body, 1000, 1), Garbled::Oversized);
    }

    #[test]
    fn nothing_to_ruin_is_no_panic() {
        for way in WAYS {
            garble(way, &Bytes::new(), 10, u64::MAX);
        }
    }

    #[test]
    fn one_flipped_bit_is_one() {
        let body = Bytes::from(vec![0; 64]);
        let Garbled::Bytes(bytes) = garble(Garble::BitFlipped, &body, 64, u64::MAX) else { panic!() };
        assert_eq!(bytes.iter().map(|b| b.count_ones()).sum::<u32>(), 1);
    }
}
