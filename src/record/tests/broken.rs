//! A good record, broken in one way at a time, and the one reason for which it is refused.

use std::borrow::Cow;

use ed25519_dalek::{Signer, SigningKey};

use super::*;
use crate::network::{Invalid, Validator};
use crate::record::cbor;
use crate::record::codec::{Body, Envelope, ListBody, NoticeBody, ReleaseBody, signed};

fn key() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

/// An envelope whose signature is right, whatever is in it.
fn envelope(body: &[u8]) -> Envelope<'static> {
    Envelope {
        b: Cow::Owned(body.to_vec()),
        k: key().verifying_key().to_bytes(),
        s: key().sign(&signed(body)).to_bytes(),
        v: 1,
    }
}

fn seal(body: &Body<'_>) -> Vec<u8> {
    cbor::encode(&envelope(&cbor::encode(body)))
}

fn body(package: &Package) -> ReleaseBody<'_> {
    ReleaseBody::of(package, 1)
}

/// The record of `package()`, changed, and signed as changed.
fn release(change: impl FnOnce(&mut ReleaseBody<'_>)) -> Vec<u8> {
    let package = package();
    let mut body = body(&package);
    change(&mut body);
    seal(&Body::Release(body))
}

pub(super) fn resigned_by_nobody() -> Vec<u8> {
    let package = package();
    let mut envelope = envelope(&cbor::encode(&Body::Release(body(&package))));
    envelope.s[40] ^= 1;
    cbor::encode(&envelope)
}

/// A list with these entries, however large it is.
pub(super) fn list(package: &PackageId, entries: &[ListEntry]) -> Vec<u8> {
    seal(&Body::List(ListBody::of(package, 1, WallTime::MAX, entries)))
}

fn refused(bytes: &[u8]) -> RecordError {
    Verifier::new(4).check(bytes).unwrap_err()
}

#[test]
fn what_these_tests_break_is_good_before() {
    Verifier::new(0).check(&release(|_| {})).unwrap();
}

#[test]
fn too_large() {
    assert_eq!(refused(&vec![0; MAX_RECORD + 1]), RecordError::TooLarge);
    let labels: Vec<String> = (0..32).map(|n| format!("{n:064}")).collect();
    let id = package().release;
    let notice = NoticeBody::of(&id, 1, Says::Yanked, &labels, &labels);
    assert_eq!(refused(&seal(&Body::Notice(notice))), RecordError::TooLarge);
}

#[test]
fn ill_made_bytes() {
    let good = release(|_| {});
    assert_eq!(refused(&[]), RecordError::Unreadable);
    assert_eq!(refused(b"\x60"), RecordError::Unreadable);
    let trailing = [&good[..], &[0]].concat();
    assert_eq!(refused(&trailing), RecordError::Unreadable);
    assert_eq!(refused(&[0x81; 100]), RecordError::TooDeep);
    assert_eq!(refused(&good[..good.len() / 2]), RecordError::HostileLength);
    assert_eq!(refused(&[0xa4, 0x5b, 0x7f, 255, 255, 255, 255, 255, 255, 255]), RecordError::HostileLength);

    // The version at the end as two bytes where one is enough.
    let (one, head) = good.split_last().unwrap();
    assert_eq!(refused(&[head, &[0x18, *one]].concat()), RecordError::NotCanonical);
    // The body's bytes are held to the same rule, though their signature is right.
    let inner = [&cbor::encode(&Body::Release(body(&package())))[..], &[0]].concat();
    assert_eq!(refused(&cbor::encode(&envelope(&inner))), RecordError::Unreadable);
}

#[test]
fn another_kind_or_field_than_we_know() {
    let unknown = b"\xa1\x66secret\xa0";
    assert_eq!(refused(&cbor::encode(&envelope(unknown))), RecordError::Unreadable);
    let mut two = envelope(&cbor::encode(&Body::Release(body(&package()))));
    two.v = 2;
    assert_eq!(refused(&cbor::encode(&two)), RecordError::UnknownVersion);
}

#[test]
fn every_field_is_held_to_its_limit() {
    let long = |field| RecordError::FieldTooLong { field };
    assert_eq!(refused(&release(|b| b.title = "x".repeat(257).into())), long("title"));
    assert_eq!(refused(&release(|b| b.description = "x".repeat(8193).into())), long("description"));
    assert_eq!(refused(&release(|b| b.licence = "x".repeat(257).into())), long("licence"));
    assert_eq!(refused(&release(|b| b.tags = vec!["x".repeat(65)].into())), long("tags"));
    assert_eq!(
        refused(&release(|b| b.version = format!("1.0.0-{}", "x".repeat(59)).into())),
        long("version")
    );
    let many = RecordError::TooMany { field: "categories" };
    assert_eq!(refused(&release(|b| b.categories = vec!["x".to_owned(); 33].into())), many);
    assert_eq!(
        refused(&release(|b| b.tags = vec!["x".to_owned(); 151].into())),
        RecordError::TooMany { field: "list" }
    );
    let empty = RecordError::EmptyLabel { field: "tags" };
    assert_eq!(refused(&release(|b| b.tags = vec![String::new()].into())), empty);
    assert_eq!(refused(&release(|b| b.name = "a/b".into())), RecordError::BadName);
    for bad in ["1.0", "01.0.0", "1.0.0 ", "v1.0.0", ""] {
        assert_eq!(refused(&release(|b| b.version = bad.into())), RecordError::BadVersion, "{bad:?}");
    }
    assert_eq!(refused(&release(|b| b.number = 0)), RecordError::NumberZero);
}

#[test]
fn lists_ascend_and_begin_at_one() {
    let id = package().release.package;
    let list = |sequence, versions: &[u64]| {
        let entries: Vec<_> = versions.iter().map(|n| entry(Version::new(*n, 0, 0))).collect();
        Verifier::new(0).check(&seal(&Body::List(ListBody::of(&id, sequence, WallTime::MAX, &entries))))
    };
    assert!(list(1, &[1, 2]).is_ok());
    assert_eq!(list(1, &[2, 1]), Err(RecordError::Unordered));
    assert_eq!(list(1, &[1, 1]), Err(RecordError::Unordered));
    assert_eq!(list(0, &[1]), Err(RecordError::NumberZero));
    let many: Vec<u64> = (0..151).collect();
    assert_eq!(list(1, &many), Err(RecordError::TooMany { field: "list" }));
}

#[test]
fn a_record_is_good_under_its_own_key_alone() {
    let verifier = Verifier::new(4);
    let [release, list, notice, _] = one_of_each();
    let own = keys::of(&release).unwrap();
    let under = |key: &[u8], record: &Record| verifier.check_under(key, record.bytes()).map(|_| ());

    let other_name = PackageId { name: PackageName::new("serdf").unwrap(), ..package().release.package };
    let other_version = ReleaseId { version: Version::new(9, 0, 0), ..package().release };
    let other_publisher =
        PackageId { publisher: Publisher::from_seed([4; 32]).id(), ..package().release.package };
    let renamed = ReleaseId { package: other_name.clone(), ..package().release };
    let stolen = ReleaseId { package: other_publisher.clone(), ..package().release };
    for id in [&other_version, &renamed, &stolen] {
        assert_eq!(under(&keys::release(id), &release), Err(RecordError::WrongKey));
    }
    for id in [&other_name, &other_publisher] {
        assert_eq!(under(&keys::list(id), &list), Err(RecordError::WrongKey));
    }
    assert_eq!(verifier.signatures_checked(), 0, "the key comes before the signature");
    assert_eq!(under(&own, &list), Err(RecordError::WrongKind));
    assert_eq!(under(&own, &notice), Err(RecordError::WrongKind));
    assert_eq!(under(b"/pk/abc", &release), Err(RecordError::UnknownKey));
    // Nothing of this is held against the record where it belongs.
    assert_eq!(under(&own, &release), Ok(()));
    assert_eq!(under(&keys::release(&stolen), &release), Err(RecordError::WrongKey), "also when remembered");
}

#[test]
fn a_signature_is_the_publishers_over_this_body_for_this_purpose() {
    assert_eq!(refused(&resigned_by_nobody()), RecordError::BadSignature);
    let package = package();
    let body = cbor::encode(&Body::Release(body(&package)));
    let mut forged = envelope(&body);
    forged.k = Publisher::from_seed([4; 32]).id().as_bytes().to_owned();
    assert_eq!(refused(&cbor::encode(&forged)), RecordError::BadSignature, "another's name on my signature");
    let mut bare = envelope(&body);
    bare.s = key().sign(&body).to_bytes();
    assert_eq!(refused(&cbor::encode(&bare)), RecordError::BadSignature, "signed for another purpose");
    let mut nobody = envelope(&body);
    nobody.k = [2; 32];
    assert_eq!(refused(&cbor::encode(&nobody)), RecordError::BadPublicKey, "no point on the curve");
    // The neutral element: with it some signatures hold for every message.
    let mut weak = envelope(&body);
    weak.k = [0; 32];
    weak.k[0] = 1;
    assert_eq!(refused(&cbor::encode(&weak)), RecordError::BadPublicKey);
}

#[test]
fn announcements_are_small_on_our_topic_and_of_the_right_kind() {
    let verifier = Verifier::new(4);
    let [release, list, notice, yank] = one_of_each();
    let said = |topic: &[u8], bytes: &[u8]| verifier.announcement(topic, bytes, WallTime::EPOCH);
    for good in [&release, &notice, &yank] {
        assert_eq!(said(ANNOUNCE_TOPIC, good.bytes()), Ok(()));
    }
    assert_eq!(said(ANNOUNCE_TOPIC, list.bytes()), Err(RecordError::WrongKind.into()));
    assert_eq!(said(b"/other/1", release.bytes()), Err(RecordError::WrongTopic.into()));
    assert_eq!(said(ANNOUNCE_TOPIC, &resigned_by_nobody()), Err(RecordError::BadSignature.into()));
    let large = Package { description: "x".repeat(4096), ..package() };
    let large = publisher().release(&large, 3).unwrap();
    assert_eq!(said(ANNOUNCE_TOPIC, &large.bytes), Err(RecordError::TooLarge.into()));
}

#[test]
fn each_reason_has_its_own_number_and_word() {
    let field = "f";
    let all = [
        RecordError::TooLarge,
        RecordError::Unreadable,
        RecordError::TooDeep,
        RecordError::HostileLength,
        RecordError::NotCanonical,
        RecordError::UnknownVersion,
        RecordError::FieldTooLong { field },
        RecordError::TooMany { field },
        RecordError::EmptyLabel { field },
        RecordError::BadName,
        RecordError::BadVersion,
        RecordError::Unordered,
        RecordError::NumberZero,
        RecordError::UnknownKey,
        RecordError::WrongKind,
        RecordError::WrongKey,
        RecordError::WrongTopic,
        RecordError::BadPublicKey,
        RecordError::BadSignature,
    ];
    let invalid: Vec<Invalid> = all.iter().map(|error| error.invalid()).collect();
    for (n, one) in invalid.iter().enumerate() {
        assert_eq!(usize::from(one.code), 100 + n);
        assert_eq!((all[n].reason(), all[n].to_string()), (one.reason, one.reason.to_owned()));
        assert!(one.reason.bytes().all(|c| c.is_ascii_lowercase() || c == b'-'));
        assert!(invalid.iter().skip(n + 1).all(|other| other.reason != one.reason));
    }
}
