//! Each limit from both sides: what is exactly as large as allowed is good, and one byte more is not.

use super::*;
use crate::network::Validator;
use crate::package::{MAX_LABEL, MAX_VERSION};
use crate::record::keys::{KeyName, parse};

/// Texts of 30 to 64 bytes each, so that each byte more is one byte more in CBOR; `more` in all above 30.
fn lengths(count: usize, mut more: usize) -> Vec<usize> {
    let lengths = (0..count).map(|_| {
        let own = more.min(34);
        more -= own;
        30 + own
    });
    let lengths = lengths.collect();
    assert_eq!(more, 0, "too few texts");
    lengths
}

fn version(major: u64, length: usize) -> Version {
    let start = format!("{major}.0.0-");
    Version::parse(&format!("{start}{}", "x".repeat(length - start.len()))).unwrap()
}

fn entries(more: usize) -> Vec<ListEntry> {
    let lengths = lengths(130, more).into_iter().zip(0..);
    lengths.map(|(length, major)| entry(version(major, length))).collect()
}

fn list(more: usize) -> Result<ReleaseList, SignError> {
    publisher().list(&package().release.package, 1, WallTime::MAX, entries(more))
}

fn labels(more: usize) -> Vec<String> {
    lengths(62, more).into_iter().map(|length| "x".repeat(length)).collect()
}

fn notice(more: usize) -> Notice {
    let (labels, says) = (labels(more), Says::Published(Digest([5; 32])));
    publisher().notice(&package().release, 1, says, &labels[..31], &labels[31..]).unwrap()
}

#[test]
fn a_record_may_have_all_the_bytes_there_are_and_not_one_more() {
    let spare = MAX_RECORD - list(0).unwrap().bytes.len();
    let full = list(spare).unwrap();
    assert_eq!(full.bytes.len(), MAX_RECORD);
    let record = Record::from(full);
    assert_eq!(Verifier::new(0).check(record.bytes()).as_deref(), Ok(&record));
    assert_eq!(Verifier::new(0).recall(record.bytes()).as_deref(), Ok(&record));

    let found = MAX_RECORD + 1;
    assert_eq!(list(spare + 1), Err(SignError::TooLarge { most: MAX_RECORD, found }));
    let over = broken::list(&package().release.package, &entries(spare + 1));
    assert_eq!(over.len(), found);
    assert_eq!(Verifier::new(0).check(&over), Err(RecordError::TooLarge));
    assert_eq!(Verifier::new(0).recall(&over), Err(RecordError::TooLarge), "also from the own store");
}

#[test]
fn a_notice_that_fits_an_announcement_exactly_loses_nothing() {
    let spare = MAX_ANNOUNCEMENT - notice(0).bytes.len();
    let full = notice(spare);
    assert_eq!(full.bytes.len(), MAX_ANNOUNCEMENT);
    assert_eq!((full.categories.len(), full.tags.len()), (31, 31));
    assert_eq!(Verifier::new(0).announcement(ANNOUNCE_TOPIC, &full.bytes, WallTime::EPOCH), Ok(()));
    let over = notice(spare + 1);
    assert_eq!((over.categories.len(), over.tags.len()), (31, 30), "one byte more costs a tag");
}

#[test]
fn a_notice_leaves_out_labels_that_no_record_may_have() {
    let longest = "y".repeat(MAX_LABEL);
    let labels = [String::new(), "x".repeat(MAX_LABEL + 1), "good".into(), longest.clone()];
    let notice = publisher().notice(&package().release, 1, Says::Yanked, &labels, &labels).unwrap();
    assert_eq!(notice.categories, ["good".to_owned(), longest.clone()]);
    assert_eq!(notice.tags, ["good".to_owned(), longest]);
}

#[test]
fn the_longest_name_and_version_make_the_longest_key() {
    let name = PackageName::new("n".repeat(PackageName::MAX)).unwrap();
    let id = ReleaseId {
        package: PackageId { publisher: publisher().id(), name },
        version: version(1, MAX_VERSION),
    };
    let key = keys::release(&id);
    assert_eq!(key.len(), keys::MAX_KEY);
    assert_eq!(parse(&key), Some(KeyName::Release(id.clone())));
    let record = Record::from(publisher().release(&Package { release: id, ..package() }, 1).unwrap());
    assert_eq!(Verifier::new(0).check_under(&key, record.bytes()).as_deref(), Ok(&record));
    assert_eq!(parse(&[&key[..], b"x"].concat()), None);
}
