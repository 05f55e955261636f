//! What the crate depends on: that it builds on the Rust version that is promised, under licences that
//! `deny.toml` allows, from one registry.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![cfg(feature = "cli")]

use std::collections::BTreeSet;

use cargo_metadata::{CargoOpt, Metadata, MetadataCommand, Package, semver::Version};

/// The dependency tree as locked, for this platform, with all features.
fn tree() -> Vec<Package> {
    let metadata: Metadata = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .features(CargoOpt::AllFeatures)
        .other_options(vec![
            "--locked".into(),
            "--filter-platform".into(),
            format!("{}-unknown-{}-gnu", std::env::consts::ARCH, std::env::consts::OS),
        ])
        .exec()
        .unwrap();
    let resolved: BTreeSet<_> = metadata.resolve.unwrap().nodes.into_iter().map(|node| node.id).collect();
    metadata.packages.into_iter().filter(|package| resolved.contains(&package.id)).collect()
}

fn allowed() -> BTreeSet<String> {
    let text = include_str!("../deny.toml");
    let deny: toml::Table = text.parse().unwrap();
    deny["licenses"]["allow"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// Whether a licence expression can be met with `allowed`. `/` stands for `OR`, as old manifests have it;
/// `AND` binds closer than `OR`.
fn met(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let held = any(&words, &mut at, allowed);
    assert_eq!(at, words.len(), "cannot read the licence expression {expression:?}");
    held
}

fn any(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut held = all(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        held |= all(words, at, allowed);
    }
    held
}

fn all(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut held = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        held &= one(words, at, allowed);
    }
    held
}

fn one(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let held = any(words, at, allowed);
        assert_eq!(words.get(*at), Some(&")"));
        *at += 1;
        return held;
    }
    if words.get(*at) == Some(&"WITH") {
        let name = format!("{word} WITH {}", words[*at + 1]);
        *at += 2;
        return allowed.contains(&name);
    }
    allowed.contains(*word)
}

#[test]
fn licences_are_allowed() {
    let allowed = allowed();
    let bad: Vec<String> = tree()
        .iter()
        .filter(|package| !package.license.as_deref().is_some_and(|licence| met(licence, &allowed)))
        .map(|package| format!("{} {}: {:?}", package.name, package.version, package.license))
        .collect();
    assert!(bad.is_empty(), "not allowed by deny.toml:\n{}", bad.join("\n"));
}

#[test]
fn licence_expressions_are_judged() {
    let allowed: BTreeSet<String> = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(String::from).into();
    for good in [
        "MIT",
        "GPL-3.0 OR MIT",
        "GPL-3.0/MIT",
        "ISC AND (Apache-2.0 OR MIT)",
        "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
        "GPL-3.0 AND ISC OR MIT",
    ] {
        assert!(met(good, &allowed), "{good}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-3.0", "Apache-2.0", "ISC AND (GPL-3.0 OR Apache-2.0)"] {
        assert!(!met(bad, &allowed), "{bad}");
    }
}

#[test]
fn everything_comes_from_one_registry() {
    for package in tree() {
        let Some(source) = &package.source else {
            assert_eq!(package.name.as_str(), env!("CARGO_PKG_NAME"), "a dependency by path");
            continue;
        };
        assert!(source.is_crates_io(), "{} comes from {source}", package.name);
    }
}

#[test]
fn the_promised_rust_version_is_enough() {
    let promised: Version = format!("{}.0", env!("CARGO_PKG_RUST_VERSION")).parse().unwrap();
    let wanted: Vec<String> = tree()
        .iter()
        .filter_map(|package| Some((package, package.rust_version.clone()?)))
        .filter(|(_, wanted)| *wanted > promised)
        .map(|(package, wanted)| format!("{} {} wants Rust {wanted}", package.name, package.version))
        .collect();
    assert!(wanted.is_empty(), "Cargo.toml promises Rust {promised}, but:\n{}", wanted.join("\n"));
}
