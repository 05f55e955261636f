//! Records: round trips, and one broken record for each way to be refused.

mod bounds;
mod broken;
mod properties;
mod stores;

use std::sync::Arc;

use super::*;
use crate::package::{Package, PackageId, PackageName, ReleaseId, Version};
use crate::time::WallTime;

fn publisher() -> Publisher {
    Publisher::from_seed([3; 32])
}

fn package() -> Package {
    Package {
        release: ReleaseId {
            package: PackageId { publisher: publisher().id(), name: PackageName::new("serde").unwrap() },
            version: Version::parse("1.0.0-rc.1+build.5").unwrap(),
        },
        title: "Serialisation".into(),
        description: "Ünïcode too".into(),
        categories: vec!["encoding".into()],
        tags: vec!["serde".into(), "no_std".into()],
        licence: "MIT OR Apache-2.0".into(),
        digest: [9; 32],
        size: u64::MAX,
        created: WallTime::from_millis(1_767_225_600_000),
    }
}

fn entry(version: Version) -> ListEntry {
    let yanked = version.major % 2 == 1;
    ListEntry { version, digest: Digest([1; 32]), yanked }
}

fn one_of_each() -> [Record; 4] {
    let (publisher, package) = (publisher(), package());
    let entries = vec![entry(Version::new(2, 0, 0)), entry(Version::new(1, 0, 0))];
    let id = &package.release;
    let says = Says::Published(Digest([5; 32]));
    [
        publisher.release(&package, 1).unwrap().into(),
        publisher.list(&id.package, 7, WallTime::MAX, entries).unwrap().into(),
        publisher.notice(id, 2, says, &package.categories, &package.tags).unwrap().into(),
        publisher.notice(id, u64::MAX, Says::Yanked, &[], &[]).unwrap().into(),
    ]
}

#[test]
fn what_is_signed_is_read_back_the_same() {
    let verifier = Verifier::new(9);
    for record in one_of_each() {
        assert_eq!(verifier.check(record.bytes()).as_deref(), Ok(&record));
        assert_eq!(record.digest(), Digest::of(record.bytes()));
        if let Some(key) = keys::of(&record) {
            assert_eq!(verifier.check_under(&key, record.bytes()).as_deref(), Ok(&record));
        }
    }
}

#[test]
fn a_publisher_signs_only_its_own_and_within_the_limits() {
    let (publisher, other) = (publisher(), Publisher::from_seed([4; 32]));
    let package = package();
    let (found, own) = (publisher.id(), other.id());
    assert_eq!(other.release(&package, 1), Err(SignError::NotOwn { found, own }));
    assert_eq!(publisher.release(&package, 0), Err(SignError::Zero { field: "number" }));
    let long = Package { title: "x".repeat(257), ..package.clone() };
    let error = SignError::TooLong { field: "title", most: 256, found: 257 };
    assert_eq!(publisher.release(&long, 1), Err(error));
    let empty = Package { tags: vec![String::new()], ..package.clone() };
    assert_eq!(publisher.release(&empty, 1), Err(SignError::EmptyLabel { field: "tags" }));

    let id = &package.release.package;
    let list = |entries| publisher.list(id, 1, WallTime::MAX, entries);
    let twice = vec![entry(Version::new(1, 0, 0)), entry(Version::new(1, 0, 0))];
    assert_eq!(list(twice), Err(SignError::ListedTwice { version: Version::new(1, 0, 0) }));
    let many: Vec<_> = (0..151).map(|n| entry(Version::new(n, 0, 0))).collect();
    let error = SignError::TooLong { field: "entries", most: 150, found: 151 };
    assert_eq!(list(many.clone()), Err(error));
    assert_eq!(list(many[..150].to_vec()).map(|list| list.entries.len()), Ok(150));
    let wide = Version::parse(&format!("1.0.0-{}", "x".repeat(57))).unwrap();
    let wide = (0..150)
        .map(|n| entry(Version { major: n % 10, minor: n / 10 % 10, patch: n / 100, ..wide.clone() }));
    assert!(matches!(list(wide.collect()), Err(SignError::TooLarge { most: MAX_RECORD, .. })));
}

#[test]
fn a_small_release_is_announced_whole_and_a_large_one_by_its_notice() {
    let publisher = publisher();
    let small = publisher.release(&package(), 1).unwrap();
    assert_eq!(publisher.announcement(&small).unwrap(), small.bytes);

    let labels: Vec<String> = (0..32).map(|n| format!("{n:064}")).collect();
    let text = "x".repeat(8192);
    let package = Package { description: text, categories: labels.clone(), tags: labels, ..package() };
    let large = publisher.release(&package, 2).unwrap();
    let announced = publisher.announcement(&large).unwrap();
    assert!(announced.len() <= MAX_ANNOUNCEMENT);
    let Record::Notice(notice) = (*Verifier::new(0).check(&announced).unwrap()).clone() else {
        panic!("a release of {} bytes is announced by a notice", large.bytes.len());
    };
    assert_eq!((notice.number, notice.says), (2, Says::Published(large.digest)));
    assert_eq!(notice.categories, package.categories, "tags go before categories");
    assert!(package.tags.starts_with(&notice.tags) && !notice.tags.is_empty() && notice.tags.len() < 32);
}

#[test]
fn the_secret_is_never_shown() {
    let shown = format!("{:?}", publisher());
    assert_eq!(shown, format!("Publisher({})", publisher().id()));
    assert!(!shown.contains("0303"));
}

#[test]
fn a_verdict_is_reached_once_and_shared_by_clones() {
    let verifier = Verifier::new(8);
    let record = &one_of_each()[0];
    let first = verifier.check(record.bytes()).unwrap();
    let again = verifier.clone().check(record.bytes()).unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    assert_eq!(verifier.signatures_checked(), 1);

    let mut forged = record.bytes().to_vec();
    *forged.iter_mut().last().unwrap() = 2;
    assert_eq!(verifier.check(&forged), Err(RecordError::UnknownVersion));
    let forged = broken::resigned_by_nobody();
    for _ in 0..3 {
        assert_eq!(verifier.check(&forged), Err(RecordError::BadSignature));
    }
    assert_eq!(verifier.signatures_checked(), 2);
    assert_eq!(format!("{verifier:?}"), "Verifier { good: 1, bad: 2, signatures: 2 }");

    let own = Verifier::new(8);
    own.trust(record.clone());
    own.check(record.bytes()).unwrap();
    assert_eq!(own.signatures_checked(), 0);
}

#[test]
fn forgeries_do_not_push_out_what_is_good() {
    let verifier = Verifier::new(8);
    let good = &one_of_each()[0];
    verifier.check(good.bytes()).unwrap();
    for n in 0..100_u32 {
        assert_eq!(verifier.check(&n.to_be_bytes()), Err(RecordError::Unreadable));
    }
    verifier.check(good.bytes()).unwrap();
    assert_eq!(verifier.signatures_checked(), 1);
}

#[test]
fn a_digest_reads_as_hex_for_people() {
    let digest = Digest([0xab; 32]);
    assert_eq!(digest.to_string(), "ab".repeat(32));
    assert_eq!(format!("{digest:?}"), "ab".repeat(8));
}
