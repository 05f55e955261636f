//! What a store that asks the verifier keeps.

use super::*;
use crate::network::{Choice, Validator};

fn list(sequence: u64, until: WallTime, major: u64) -> ReleaseList {
    let id = package().release.package;
    publisher().list(&id, sequence, until, vec![entry(Version::new(major, 0, 0))]).unwrap()
}

fn select(held: &[u8], offered: &[u8]) -> Choice {
    Verifier::new(9).select(&keys::list(&package().release.package), held, offered)
}

#[test]
fn the_higher_sequence_wins_also_when_it_is_stale() {
    let old = list(1, WallTime::MAX, 1);
    let new = list(2, WallTime::EPOCH, 1);
    assert_eq!(select(&old.bytes, &new.bytes), Choice::Offered);
    assert_eq!(select(&new.bytes, &old.bytes), Choice::Held);
}

#[test]
fn two_lists_with_one_sequence_come_to_the_same_one_everywhere() {
    let (a, b) = (list(1, WallTime::MAX, 1), list(1, WallTime::MAX, 2));
    let (low, high) = if a.digest < b.digest { (a, b) } else { (b, a) };
    assert_eq!(select(&low.bytes, &high.bytes), Choice::Held);
    assert_eq!(select(&high.bytes, &low.bytes), Choice::Offered);
    assert_eq!(select(&low.bytes, &low.bytes), Choice::Held);
}

#[test]
fn a_release_is_kept_and_what_is_not_good_loses() {
    let (good, bad) = (list(1, WallTime::MAX, 1).bytes, broken::resigned_by_nobody());
    assert_eq!(select(&good, &bad), Choice::Held);
    assert_eq!(select(&bad, &good), Choice::Offered);
    let key = keys::release(&package().release);
    let one = publisher().release(&package(), 1).unwrap();
    let two = publisher().release(&Package { title: "other".into(), ..package() }, 1).unwrap();
    for (held, offered) in [(&one, &two), (&two, &one)] {
        assert_eq!(Verifier::new(9).select(&key, &held.bytes, &offered.bytes), Choice::Held);
    }
}

#[test]
fn an_expired_list_is_still_good_to_store() {
    let old = list(1, WallTime::EPOCH, 1);
    let key = keys::list(&old.package);
    assert_eq!(Verifier::new(9).record(&key, &old.bytes, WallTime::MAX), Ok(()));
    let forged = broken::resigned_by_nobody();
    let key = keys::release(&package().release);
    assert_eq!(
        Verifier::new(9).record(&key, &forged, WallTime::EPOCH),
        Err(RecordError::BadSignature.into()),
        "and what is not good is not"
    );
}
