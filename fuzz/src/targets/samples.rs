//! Good records to begin with: signed once, the same every time.

use std::sync::LazyLock;

use swarmproof::package::{Package, PackageId, PackageName, ReleaseId, Version};
use swarmproof::record::{Checked, ListEntry, Publisher, Record, Says, Verifier};
use swarmproof::time::WallTime;

/// Six releases that the word "widget" finds, one that it does not, and another body for the first.
pub static RELEASES: LazyLock<Vec<Checked>> = LazyLock::new(|| {
    let mut all: Vec<Checked> = (0..6).map(|at| release(&format!("w{at}"), "a widget", at + 1)).collect();
    all.push(release("other", "a gadget", 7));
    all.push(release("w0", "the other widget", 8));
    all
});

/// Lists of `w0`, each newer than the one before it.
pub static LISTS: LazyLock<Vec<Checked>> = LazyLock::new(|| {
    (1..=3)
        .map(|sequence| {
            let digest = RELEASES[0].digest();
            let entry = ListEntry { version: Version::new(1, 0, 0), digest, yanked: sequence == 3 };
            let until = WallTime::from_millis(WALL + 3_600_000);
            let list = publisher().list(&package("w0"), sequence, until, vec![entry]).expect("a good list");
            trusted(Record::List(list))
        })
        .collect()
});

/// The calendar at the start.
pub const WALL: u64 = 1_767_225_600_000;

pub fn publisher() -> Publisher {
    Publisher::from_seed([1; 32])
}

pub fn package(name: &str) -> PackageId {
    PackageId { publisher: publisher().id(), name: PackageName::new(name).expect("a good name") }
}

/// A notice of the first release.
pub fn notice() -> Checked {
    let release = &RELEASES[0];
    let id = ReleaseId { package: package("w0"), version: Version::new(1, 0, 0) };
    let says = Says::Published(release.digest());
    trusted(Record::Notice(
        publisher().notice(&id, 9, says, &[], &["tool".to_owned()]).expect("a good notice"),
    ))
}

fn release(name: &str, title: &str, number: u64) -> Checked {
    let package = Package {
        release: ReleaseId { package: package(name), version: Version::new(1, 0, 0) },
        title: title.to_owned(),
        description: "what it is for".to_owned(),
        categories: vec!["tools".to_owned()],
        tags: vec!["small".to_owned()],
        licence: "MIT".to_owned(),
        digest: [5; 32],
        size: 1,
        created: WallTime::from_millis(WALL),
    };
    trusted(Record::Release(publisher().release(&package, number).expect("a good release")))
}

fn trusted(record: Record) -> Checked {
    Verifier::new(16).trust(record)
}
