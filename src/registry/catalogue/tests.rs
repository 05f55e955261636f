//! The catalogue against a plain scan, and what it does with yanks, contradictions and bounds.

mod learning;
mod pages;
mod scan;

use std::sync::Arc;

use super::*;
use crate::package::{Package, PackageId, PackageName, ReleaseId, Version};
use crate::record::{Checked, Publisher, Record, Says};
use crate::time::WallTime;

fn publisher(seed: u8) -> Publisher {
    Publisher::from_seed([seed; 32])
}

fn id(seed: u8, name: &str, major: u64) -> ReleaseId {
    let package = PackageId { publisher: publisher(seed).id(), name: PackageName::new(name).unwrap() };
    ReleaseId { package, version: Version::new(major, 0, 0) }
}

fn package(release: ReleaseId, title: &str, tags: &[&str]) -> Package {
    Package {
        release,
        title: title.into(),
        description: String::new(),
        categories: vec!["Encoding".into()],
        tags: tags.iter().map(ToString::to_string).collect(),
        licence: String::new(),
        digest: [0; 32],
        size: 0,
        created: WallTime::EPOCH,
    }
}

fn shared(record: impl Into<Record>) -> Checked {
    Arc::new(record.into())
}

/// The record of `name` at `major`, with `title`, as number `number` of publisher `seed`.
fn release(seed: u8, number: u64, name: &str, major: u64, title: &str) -> Checked {
    shared(publisher(seed).release(&package(id(seed, name, major), title, &["tag"]), number).unwrap())
}

fn notice_of(seed: u8, record: &Checked) -> Checked {
    let found = record.as_release().unwrap();
    let (says, package) = (Says::Published(found.digest), &found.package);
    let signed =
        publisher(seed).notice(&package.release, found.number, says, &package.categories, &package.tags);
    shared(signed.unwrap())
}

fn yank(seed: u8, number: u64, name: &str, major: u64) -> Checked {
    shared(publisher(seed).notice(&id(seed, name, major), number, Says::Yanked, &[], &[]).unwrap())
}

fn empty() -> Catalogue {
    Catalogue::new(Pool::new(), Bounds::default())
}

fn at(millis: u64) -> WallTime {
    WallTime::from_millis(millis)
}

/// A catalogue over `pool` that holds exactly these, whatever they say; others that hold each alone.
fn holding(pool: &Pool, records: &[Checked]) -> (Catalogue, Vec<Catalogue>) {
    let alone = records.iter().map(|record| {
        let mut own = Catalogue::new(pool.clone(), Bounds::default());
        own.learn(record, at(1));
        own
    });
    let alone: Vec<Catalogue> = alone.collect();
    let ids = alone.iter().flat_map(Catalogue::statements).map(|(id, _)| id);
    (Catalogue::holding(pool.clone(), Bounds::default(), ids, at(1)), alone)
}
