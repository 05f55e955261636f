//! For all inputs: no panic, no second spelling, nothing that was changed still verifies.

use proptest::prelude::*;

use super::*;
use crate::package::PublisherId;
use keys::{KeyName, parse};

fn versions() -> impl Strategy<Value = Version> {
    let parts = (0..100_u64, any::<u64>(), 0..9_u64, "(0|[1-9a-z][0-9a-z-]{0,5}x)?", "[0-9a-zA-Z]{0,5}");
    parts.prop_filter_map("a version", |(major, minor, patch, pre, build)| {
        let mut version = Version::new(major, minor, patch);
        version.pre = semver::Prerelease::new(&pre).ok()?;
        version.build = semver::BuildMetadata::new(&build).ok()?;
        Some(version)
    })
}

fn packages() -> impl Strategy<Value = Package> {
    let labels = || proptest::collection::vec("[a-zä]{1,9}", 0..6);
    let texts = (".{0,40}", ".{0,400}", "[A-Z0-9. -]{0,20}");
    let numbers = (any::<[u8; 32]>(), any::<u64>(), any::<u64>());
    ("[a-zA-Z0-9][a-zA-Z0-9._-]{0,20}", versions(), texts, labels(), labels(), numbers).prop_map(
        |(name, version, (title, description, licence), categories, tags, (digest, size, created))| {
            let name = PackageName::new(name).unwrap();
            let package = PackageId { publisher: publisher().id(), name };
            let created = WallTime::from_millis(created);
            let release = ReleaseId { package, version };
            Package { release, title, description, categories, tags, licence, digest, size, created }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn records_round_trip(package in packages(), number in 1..u64::MAX, until in any::<u64>()) {
        let verifier = Verifier::new(0);
        let release: Record = publisher().release(&package, number).unwrap().into();
        let id = &package.release;
        let says = Says::Published(release.digest());
        let notice: Record = publisher().notice(id, number, says, &package.categories, &package.tags).unwrap().into();
        let entries = vec![entry(id.version.clone())];
        let list: Record = publisher().list(&id.package, number, WallTime::from_millis(until), entries).unwrap().into();
        for record in [release, notice, list] {
            prop_assert!(record.bytes().len() <= MAX_RECORD);
            let read = verifier.check(record.bytes());
            prop_assert_eq!(read.as_deref(), Ok(&record));
        }
    }

    #[test]
    fn a_changed_byte_never_verifies(which in 0..4_usize, at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let record = &one_of_each()[which];
        let mut bytes = record.bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(Verifier::new(0).check(&bytes).is_err(), "byte {} of {:?}", at, record);
    }

    #[test]
    fn a_record_cut_off_or_spliced_never_verifies(which in 0..4_usize, at in any::<prop::sample::Index>(), more in proptest::collection::vec(any::<u8>(), 0..20)) {
        let bytes = one_of_each()[which].bytes().clone();
        let mut spliced = bytes[..at.index(bytes.len())].to_vec();
        spliced.extend(more);
        prop_assume!(spliced != bytes);
        prop_assert!(Verifier::new(0).check(&spliced).is_err());
    }

    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Verifier::new(2).check(&bytes).is_err());
    }

    #[test]
    fn keys_and_names_are_one_to_one(key in any::<[u8; 32]>(), name in "[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}", version in versions()) {
        let package = PackageId { publisher: PublisherId::new(key), name: PackageName::new(name).unwrap() };
        let release = ReleaseId { package: package.clone(), version };
        prop_assert!(keys::release(&release).len() <= keys::MAX_KEY);
        prop_assert_eq!(parse(&keys::release(&release)), Some(KeyName::Release(release)));
        prop_assert_eq!(parse(&keys::list(&package)), Some(KeyName::List(package)));
    }

    #[test]
    fn a_key_that_is_read_is_written_the_same(text in "/swarmproof/[0-9a-fA-F]{62,64}/[a-z./-]{0,4}(/[0-9v.+a -]{0,9})?(/x)?") {
        match parse(text.as_bytes()) {
            Some(KeyName::Release(id)) => prop_assert_eq!(keys::release(&id), text),
            Some(KeyName::List(id)) => prop_assert_eq!(keys::list(&id), text),
            None => {}
        }
    }

    #[test]
    fn arbitrary_bytes_are_no_key(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(parse(&bytes), None);
    }
}

#[test]
fn a_key_has_one_spelling() {
    let key = String::from_utf8(keys::release(&package().release).to_vec()).unwrap();
    assert!(parse(key.as_bytes()).is_some());
    let hex = publisher().id().to_string();
    let long = format!("{key}{}", "x".repeat(64));
    let bad = [
        key.replace(&hex, &hex.to_ascii_uppercase()),
        key.replace("1.0.0", "01.0.0"),
        key.replace("1.0.0", "1.0"),
        key.replace("/serde/", "//"),
        format!("{key}/"),
        format!("{key}/x"),
        format!(" {key}"),
        key.replace("/swarmproof/", "/Swarmproof/"),
        format!("/swarmproof/{hex}"),
        format!("/swarmproof/{hex}/"),
        format!("/swarmproof/{hex}/serde/"),
        long,
    ];
    for bad in bad {
        assert_eq!(parse(bad.as_bytes()), None, "{bad}");
    }
}
