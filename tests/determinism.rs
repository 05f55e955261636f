//! The same plan gives the same trace hash: in two processes, built for debugging and for release.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// Runs every scenario once in a process of its own; the hash of each, by scenario.
fn hashes(program: &PathBuf) -> BTreeMap<String, String> {
    let output = Command::new(program)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["run", "scenarios", "--alone", "--seed", "7", "--format", "json"])
        .output()
        .expect("the command line can be started");
    let text = String::from_utf8(output.stdout).expect("its output is text");
    let hashes: BTreeMap<String, String> = text
        .lines()
        .map(|line| {
            let run: serde_json::Value = serde_json::from_str(line).expect("each line is an object");
            let field = |name: &str| run[name].as_str().expect("the field is text").to_owned();
            (field("scenario"), field("trace_hash"))
        })
        .collect();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(hashes.len() >= 16, "only {} runs:\n{text}\n{errors}", hashes.len());
    hashes
}

#[test]
fn debug_and_release_builds_and_two_processes_agree() {
    let debug = PathBuf::from(env!("CARGO_BIN_EXE_swarmproof"));
    // The release build shares its folder with the one that the README's first command makes.
    let target = debug.parent().and_then(|profile| profile.parent()).expect("target/<profile>/swarmproof");
    let built = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--release", "--locked", "--bin", "swarmproof", "--target-dir"])
        .arg(target)
        .status()
        .expect("cargo can be started");
    assert!(built.success(), "the release build failed");
    let release = target.join("release").join("swarmproof");
    let first = hashes(&debug);
    assert_eq!(first, hashes(&release), "a debug and a release build part");
    assert_eq!(hashes(&release), hashes(&release), "two processes part");
    let different: std::collections::BTreeSet<&String> = first.values().collect();
    assert_eq!(different.len(), first.len(), "two scenarios have one hash: it does not tell runs apart");
}
