//! What the documents say is so: their links and paths exist, their scenario is sound, their commands run.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![cfg(feature = "sim")]

use std::fs;
use std::path::Path;

use swarmproof::scenario::{Plan, Scenario};

const DOCS: [&str; 7] = [
    "README.md",
    "ARCHITECTURE.md",
    "PROTOCOL.md",
    "HARNESS.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/public-dht.md",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The fenced blocks of `text` in `language`.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let open = format!("```{language}\n");
    text.split(&open).skip(1).map(|rest| rest.split("\n```").next().unwrap_or("").to_owned() + "\n").collect()
}

/// Targets of links in `text` that are neither addresses nor places within it.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets
        .filter(|it| !it.contains("://") && !it.starts_with('#'))
        .map(|it| it.split('#').next().unwrap_or(it))
        .collect()
}

/// Words between backticks that name a file or folder of the repository.
fn paths(text: &str) -> Vec<&str> {
    const TOP: [&str; 7] = ["src/", "tests/", "scenarios/", "benches/", "snapshots/", "examples/", ".ci/"];
    let words = text.split('`').skip(1).step_by(2);
    words
        .filter(|it| TOP.iter().any(|top| it.starts_with(top)) && !it.contains(char::is_whitespace))
        .collect()
}

#[test]
fn links_and_paths_exist() {
    let mut count = 0;
    for name in DOCS {
        let text = text(name);
        let document = root().join(name);
        let folder = document.parent().unwrap_or(root());
        let linked = links(&text).into_iter().map(|target| (folder, target));
        for (from, target) in linked.chain(paths(&text).into_iter().map(|path| (root(), path))) {
            count += 1;
            assert!(from.join(target).exists(), "{name} names {target}, which is not there");
        }
    }
    assert!(count > 20, "only {count} found: are they still written as this test reads them?");
}

#[test]
fn links_and_paths_are_found() {
    let text =
        "See [a](A.md#there), [b](https://x.y/z), [c](#here), `src/lib.rs`, `cargo test`, `tests/x y`.";
    assert_eq!(links(text), ["A.md"]);
    assert_eq!(paths(text), ["src/lib.rs"]);
}

#[test]
fn the_readmes_scenario_is_sound() {
    let scenario = readme_toml("[network]");
    let scenario =
        Scenario::parse(&scenario, &root().join("README.md")).unwrap_or_else(|error| panic!("{error}"));
    assert!(!Plan::make(&scenario, 0).timeline.operations.is_empty());
}

/// The one block of TOML in the README that holds `mark`.
fn readme_toml(mark: &str) -> String {
    let mut found = blocks(&text("README.md"), "toml");
    found.retain(|block| block.contains(mark));
    assert_eq!(found.len(), 1, "{mark}");
    found.remove(0)
}

#[cfg(feature = "node")]
#[test]
fn the_readmes_manifest_is_sound() {
    let manifest: swarmproof::api::Manifest =
        toml::from_str(&readme_toml("content =")).unwrap_or_else(|error| panic!("{error}"));
    let publisher = swarmproof::record::Publisher::from_seed([1; 32]).id();
    // The file is the client's to look up.
    let manifest = manifest.with_content([1; 32], 1);
    manifest.package(publisher, swarmproof::time::WallTime::EPOCH).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn the_readme_has_two_commands_and_they_are_cargos() {
    let readme = text("README.md");
    let marked = readme.split("<!-- the two commands -->\n").nth(1).expect("the mark is gone");
    let commands = blocks(marked, "sh")[0].clone();
    assert_eq!(commands.lines().collect::<Vec<_>>(), ["cargo test", "cargo run --release -- run scenarios"]);
    let ci = text(".ci/run");
    assert!(ci.contains("<!-- the two commands -->"), ".ci/run no longer takes them from the README");
}
