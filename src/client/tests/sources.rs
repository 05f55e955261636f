//! Manifests in files, good and bad.

use std::fs;

use super::super::source::{SourceError, read_manifest};

const GOOD: &str = "name = \"hello\"\nversion = \"1.0.0\"\ntags = [\"greeting\"]\ncontent = \"hello.txt\"\n";

/// What comes of a file of this name with this text, beside which a `hello.txt` lies.
fn read(name: &str, text: &str) -> Result<crate::api::Manifest, (SourceError, String)> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("hello.txt"), "hello\n").unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    read_manifest(&path).map_err(|error| {
        let words = error.to_string().replace(&folder.path().display().to_string(), "DIR");
        (error, words)
    })
}

#[test]
fn content_is_digested_and_its_name_stays_here() {
    let manifest = read("a.toml", GOOD).unwrap();
    let digest = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    assert_eq!((manifest.digest.as_deref(), manifest.size), (Some(digest), Some(6)));
    assert_eq!((manifest.content, manifest.tags), (None, vec!["greeting".to_owned()]));
    let json = format!("{{\"name\":\"hello\",\"version\":\"1.0.0\",\"digest\":\"{digest}\",\"size\":6}}");
    assert_eq!(read("a.json", &json).unwrap().size, Some(6));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let cases: [(&str, String, &str); 10] = [
        ("a.toml", GOOD.replace("tags", "tgas"), "DIR/a.toml:3:1: unknown field `tgas`, expected one of"),
        ("a.toml", GOOD.replace("\"1.0.0\"", "1.0"), "DIR/a.toml:2:11: invalid type: floating point"),
        ("a.toml", GOOD.replace("= \"hello\"", "= hello"), "DIR/a.toml:1:"),
        (
            "a.json",
            "{\"name\": \"x\",\n \"vresion\": 1}".to_owned(),
            "DIR/a.json:2:10: unknown field `vresion`",
        ),
        ("a.json", "{}".to_owned(), "DIR/a.json:1:2: missing field `name`"),
        (
            "a.toml",
            GOOD.replace("1.0.0", "1.0"),
            "DIR/a.toml: \"version\" of the manifest must be a semantic version such as 1.2.3 or 2.0.0-rc.1, found \"1.0\"",
        ),
        ("a.toml", GOOD.replace("hello.txt", "none.txt"), "DIR/none.txt: cannot be read: No such file"),
        (
            "a.toml",
            format!("{GOOD}description = \"{}\"\n", "x".repeat(8193)),
            "DIR/a.toml: \"description\" of the manifest may have at most 8192 bytes, found 8193",
        ),
        ("a.toml", "#".repeat(70_000), "DIR/a.toml: a manifest may have at most 65536 bytes"),
        ("Cargo.toml", GOOD.to_owned(), "--from-cargo-metadata --manifest-path DIR/Cargo.toml"),
    ];
    for (name, text, wanted) in cases {
        let (_, words) = read(name, &text).unwrap_err();
        assert!(words.contains(wanted), "{wanted}\nis not what was said:\n{words}");
    }
    let both = format!("{GOOD}size = 3\n");
    assert!(matches!(read("a.toml", &both), Err((SourceError::Manifest { .. }, _))), "one or the other");
}
