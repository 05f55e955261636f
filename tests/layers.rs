//! The import order: who may know whom. `ARCHITECTURE.md` shows it as a picture.
//!
//! A layer's code may name itself and the layers that its row allows, and no file may import in a circle
//! with others. Re-exports are seen through: `super::Event` counts as an import of the file that holds
//! `Event`. Code under `#[cfg(test)] mod tests` is not held to this.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "layers/imports.rs"]
mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use imports::{Tree, circles};

/// Each layer, from the bottom to the top, and the layers that it may import.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("time", &[]),
    // Marks, counted for a sweep.
    ("probe", &[]),
    // The network tower: bytes.
    ("network", &["time"]),
    ("store", &["time", "network"]),
    ("testbed", &["time", "network", "store"]),
    ("sim", &["probe", "time", "network", "store", "testbed"]),
    ("net", &["time", "network", "store", "testbed"]),
    ("conformance", &["time", "network", "store", "testbed"]),
    // The registry tower: packages.
    ("package", &["time"]),
    // A record proves itself, so it is what an application lends to its network as a validator.
    ("record", &["time", "package", "network"]),
    ("message", &["time", "package", "record", "network"]),
    ("engine", &["probe", "time", "package", "record", "message", "network"]),
    ("registry", &["probe", "time", "package", "record", "message", "network", "store", "engine"]),
    // A registry on a swarm, put together.
    ("embed", &["time", "network", "store", "package", "record", "engine", "registry", "net"]),
    // What an operator runs, and what asks it: they share the shapes of the HTTP interface.
    ("api", &["time", "package"]),
    ("client", &["time", "package", "api"]),
    (
        "node",
        &[
            "time", "network", "store", "package", "record", "message", "engine", "registry", "net", "embed",
            "api",
        ],
    ),
    // Where they meet.
    (
        "oracle",
        &["time", "package", "record", "message", "network", "store", "testbed", "engine", "registry"],
    ),
    (
        "scenario",
        &[
            "probe",
            "time",
            "package",
            "record",
            "message",
            "network",
            "store",
            "testbed",
            "engine",
            "registry",
            "sim",
            "net",
            "conformance",
            "oracle",
        ],
    ),
    // Any application on a network under the same faults: what of the layers that run and check needs no registry.
    ("harness", &["time", "network", "store", "testbed", "sim", "oracle", "scenario"]),
    // What a person types: whatever it needs of the layers that run, check and ask.
    (
        "cli",
        &[
            "probe", "time", "package", "store", "engine", "net", "api", "client", "node", "oracle",
            "scenario",
        ],
    ),
];

/// Crates from outside that only some layers may name. Others are free to all.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("libp2p", &["net", "node"]),
    ("futures", &["net", "node"]),
    ("tokio", &["net", "registry", "embed", "node"]),
    ("redb", &["store"]),
    ("axum", &["node"]),
    ("prometheus_client", &["net", "node"]),
    ("tracing_subscriber", &["node", "cli"]),
    ("getrandom", &["embed", "node"]),
    ("ureq", &["client"]),
    ("futures_core", &["net", "registry", "engine"]),
    ("rand_chacha", &["engine", "registry", "sim", "scenario", "conformance"]),
    ("ed25519_dalek", &["record", "package"]),
    ("toml", &["scenario", "harness", "cli", "node", "client"]),
    ("serde_json", &["sim", "scenario", "harness", "cli", "api", "node", "client"]),
    ("strsim", &["scenario"]),
    ("cargo_metadata", &["scenario", "cli"]),
    ("clap", &["cli"]),
    ("indicatif", &["cli"]),
    ("anstream", &["cli"]),
    ("anstyle", &["cli"]),
    ("ctrlc", &["cli"]),
];

/// The most lines of a file that holds no tests alone.
const MOST_LINES: usize = 650;

/// Everything that is wrong with the order in `tree`.
fn wrongs(tree: &Tree) -> Vec<String> {
    let rows: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let mut wrongs = Vec::new();
    for (file, imports) in &tree.layers {
        let layer = file.layer.as_str();
        let top = ["main", "lib"].contains(&layer);
        if !top && !rows.contains_key(layer) {
            wrongs.push(format!("{}: the layer `{layer}` has no row", file.path));
        }
        for wanted in imports {
            let allowed = rows.get(layer).is_some_and(|row| row.contains(&wanted.as_str()));
            if !top && wanted != layer && !allowed {
                wrongs.push(format!("{}: {layer} may not import {wanted}", file.path));
            }
        }
        for (outside, only) in ONLY_IN {
            if file.outside.contains(*outside) && !only.contains(&layer) && !(top && only.contains(&"cli")) {
                wrongs.push(format!("{}: {layer} may not name {outside}", file.path));
            }
        }
        if file.lines > MOST_LINES {
            wrongs.push(format!("{}: {} lines, at most {MOST_LINES}", file.path, file.lines));
        }
    }
    wrongs
        .extend(circles(&tree.files).into_iter().map(|circle| format!("a circle: {}", circle.join(" -> "))));
    wrongs
}

#[test]
fn imports_go_downward_only() {
    let tree = Tree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(tree.layers.len() > 20, "the tree was not found");
    let wrongs = wrongs(&tree);
    assert!(wrongs.is_empty(), "{} wrongs:\n{}", wrongs.len(), wrongs.join("\n"));
}

#[test]
fn the_table_goes_downward_itself() {
    let mut seen = BTreeSet::new();
    for (layer, row) in MAY_IMPORT {
        for below in *row {
            assert!(seen.contains(below), "{layer} stands before {below}");
        }
        assert!(seen.insert(*layer), "{layer} stands there twice");
    }
}

#[test]
fn lib_holds_docs_modules_and_re_exports() {
    let text = include_str!("../src/lib.rs");
    for line in imports::without_comments(text).lines().map(str::trim).filter(|line| !line.is_empty()) {
        let known = ["pub mod ", "mod ", "pub use ", "#[cfg(", "#[doc", "#![", "}"]
            .iter()
            .any(|it| line.starts_with(it));
        let listed = line.ends_with(',') || line.ends_with("};");
        assert!(known || listed, "lib.rs holds {line:?}");
    }
}

fn made_up(files: &[(&str, &str)]) -> Vec<String> {
    wrongs(&Tree::of(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()))
}

#[test]
fn a_sound_tree_passes() {
    let wrongs = made_up(&[
        ("time.rs", "pub struct Timestamp;"),
        (
            "network/mod.rs",
            "mod event; mod words;\npub use event::Event;\npub use self::words::{Word, More};",
        ),
        ("network/event.rs", "use super::words::Word;\nuse crate::time::Timestamp;"),
        ("network/words.rs", "//! See [`crate::engine`].\n/* crate::sim */ const IT: &str = \"crate::net\";"),
        ("engine/mod.rs", "mod state;\nuse crate::{network::{Event, More}, time::Timestamp};"),
        (
            "engine/state.rs",
            "use crate::network::Word;\n#[cfg(test)]\nmod tests {\n use crate::sim::World; use super::*; }",
        ),
        ("engine/tests.rs", "use crate::sim::World;"),
    ]);
    assert_eq!(wrongs, [] as [String; 0]);
}

#[test]
fn an_import_upward_is_found() {
    for text in [
        "use crate::sim::World;",
        "use crate::{time::Timestamp, sim::World};",
        "use crate::{\n    time::{self, Timestamp},\n    sim,\n};",
        "fn f() -> crate::sim::World { todo!() }",
        "#[cfg(test)]\nfn only_in_tests() {}\nuse super::super::sim::World;",
    ] {
        let wrongs = made_up(&[
            ("engine/mod.rs", "mod state;"),
            ("engine/state.rs", text),
            ("sim/mod.rs", ""),
            ("time.rs", ""),
        ]);
        assert_eq!(wrongs, ["engine/state.rs: engine may not import sim"], "{text}");
    }
}

#[test]
fn an_unknown_layer_is_found() {
    assert_eq!(made_up(&[("extra.rs", "")]), ["extra.rs: the layer `extra` has no row"]);
}

#[test]
fn a_crate_out_of_its_place_is_found() {
    assert_eq!(
        made_up(&[("engine/mod.rs", "use libp2p::PeerId;")]),
        ["engine/mod.rs: engine may not name libp2p"]
    );
    assert_eq!(
        made_up(&[("sim/mod.rs", "fn f() { tokio::spawn(g()); }")]),
        ["sim/mod.rs: sim may not name tokio"]
    );
    assert_eq!(
        made_up(&[("net/mod.rs", "use libp2p::PeerId;"), ("main.rs", "use clap::Parser;")]),
        [] as [String; 0]
    );
}

#[test]
fn a_long_file_is_found_unless_it_holds_tests() {
    let long = "\n".repeat(MOST_LINES + 1);
    assert_eq!(made_up(&[("time.rs", &long)]), ["time.rs: 651 lines, at most 650"]);
    assert_eq!(made_up(&[("time.rs", "mod tests;"), ("time/tests.rs", &long)]), [] as [String; 0]);
}

#[test]
fn a_circle_is_found_also_through_re_exports() {
    let direct = made_up(&[
        ("engine/mod.rs", "mod a; mod b;"),
        ("engine/a.rs", "use super::b::B;"),
        ("engine/b.rs", "use super::a::A;"),
    ]);
    assert_eq!(direct, ["a circle: engine/a.rs -> engine/b.rs -> engine/a.rs"]);
    let hidden = made_up(&[
        ("engine/mod.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
        ("engine/a.rs", "use super::B;"),
        ("engine/b.rs", "use crate::engine::A;"),
    ]);
    assert_eq!(hidden, ["a circle: engine/a.rs -> engine/b.rs -> engine/a.rs"]);
    let parent = made_up(&[
        ("engine/mod.rs", "mod a; use a::A; pub struct Shared;"),
        ("engine/a.rs", "use super::Shared;"),
    ]);
    assert_eq!(parent, ["a circle: engine/a.rs -> engine/mod.rs -> engine/a.rs"]);
}
