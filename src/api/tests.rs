//! The shapes as they go over the wire.

use serde_json::{Value, json};

use super::error::{ErrorBody, ErrorCode};
use super::manifest::{Manifest, ManifestProblem};
use super::release::{ReleaseView, hex};
use super::search::{CoverageView, EndView, MissingView, OutcomeView, SearchLine};
use crate::package::{PublisherId, Version};
use crate::time::WallTime;

const OWN: PublisherId = PublisherId::new([7; 32]);

fn manifest() -> Manifest {
    Manifest {
        name: "serde".to_owned(),
        version: "1.0.219".to_owned(),
        description: "A serialization framework".to_owned(),
        tags: vec!["no_std".to_owned()],
        licence: "MIT".to_owned(),
        ..Manifest::default()
    }
    .with_content([0xab; 32], 77)
}

#[test]
fn a_manifest_becomes_the_package_that_it_describes_and_is_shown_again() {
    let package = manifest().package(OWN, WallTime::from_millis(5)).unwrap();
    assert_eq!(package.title, "serde", "the name stands in for a title");
    assert_eq!((package.digest, package.size), ([0xab; 32], 77));
    let view = ReleaseView::from(&package);
    assert_eq!(view.release(), package.release);
    let shown = serde_json::to_value(&view).unwrap();
    assert_eq!(shown["publisher"], OWN.to_string());
    assert_eq!(shown["version"], "1.0.219");
    assert_eq!(shown["digest"], "ab".repeat(32));
    assert_eq!(shown["created_ms"], 5);
    assert_eq!(serde_json::from_value::<ReleaseView>(shown).unwrap(), view);
}

#[test]
fn what_is_wrong_with_a_manifest_is_said_by_its_key() {
    type Change = fn(&mut Manifest);
    let cases: [(Change, &str, &str); 11] = [
        (|it| it.name = "-x".to_owned(), "name", "found \"-x\""),
        (|it| it.name = "x".repeat(65), "name", "1 to 64"),
        (|it| it.version = "1.0".to_owned(), "version", "such as 1.2.3 or 2.0.0-rc.1, found \"1.0\""),
        (|it| it.version = format!("1.0.0-{}", "a".repeat(70)), "version", "at most 64 bytes, found 76"),
        (|it| it.digest = Some("AB".repeat(32)), "digest", "64 lower-case hexadecimal digits"),
        (|it| it.digest = None, "digest", "is missing"),
        (|it| it.size = None, "size", "is missing"),
        (|it| it.content = Some("x.tar".to_owned()), "content", "stands beside"),
        (|it| it.description = "x".repeat(8193), "description", "at most 8192 bytes, found 8193"),
        (|it| it.tags = vec!["x".to_owned(); 33], "tags", "at most 32 entries, found 33"),
        (|it| it.categories = vec![String::new()], "categories", "an empty entry"),
    ];
    for (change, field, words) in cases {
        let mut changed = manifest();
        change(&mut changed);
        let error = changed.package(OWN, WallTime::EPOCH).unwrap_err();
        assert_eq!(error.field, field);
        let text = error.to_string();
        assert!(text.contains(words) && text.starts_with(&format!("{field:?} of the manifest")), "{text}");
    }
    let mut file = manifest();
    (file.content, file.digest, file.size) = (Some("x.tar".to_owned()), None, None);
    let error = file.package(OWN, WallTime::EPOCH).unwrap_err();
    assert!(matches!(error.problem, ManifestProblem::Unfit(why) if why.contains("does not read")), "{error}");
}

#[test]
fn an_unknown_key_of_a_manifest_is_refused_by_name() {
    let error = serde_json::from_value::<Manifest>(json!({"name": "a", "version": "1.0.0", "licnce": "MIT"}));
    let text = error.unwrap_err().to_string();
    assert!(text.contains("licnce") && text.contains("licence"), "{text}");
}

#[test]
fn lines_of_a_search_are_told_apart_by_their_key() {
    let package = manifest().package(OWN, WallTime::EPOCH).unwrap();
    let hit = SearchLine::Hit(Box::new(ReleaseView::from(&package)));
    let shown = serde_json::to_value(&hit).unwrap();
    assert_eq!(shown["hit"]["name"], "serde", "{shown}");
    let end = SearchLine::End(Box::new(EndView {
        query: "q3".to_owned(),
        outcome: OutcomeView::Partial,
        missing: Some(MissingView { answers: 1, names: 0, deadline: true }),
        reason: None,
        ranked: vec![package.release.to_string()],
        conflicts: Vec::new(),
        coverage: CoverageView { asked: 3, adequate: 2, ..CoverageView::default() },
        elapsed_ms: 12.5,
    }));
    let text = serde_json::to_string(&end).unwrap();
    assert!(!text.contains("reason") && !text.contains('\n'), "{text}");
    let shown: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(shown["end"]["outcome"], "partial");
    assert_eq!(shown["end"]["missing"]["deadline"], true);
    assert_eq!(serde_json::from_str::<SearchLine>(&text).unwrap(), end);
}

#[test]
fn errors_have_stable_codes_and_a_status() {
    let body = ErrorBody::new(ErrorCode::AlreadyPublished, "it is");
    let shown = serde_json::to_value(&body).unwrap();
    assert_eq!(shown, json!({"error": {"code": "already-published", "message": "it is"}}));
    assert_eq!(ErrorCode::AlreadyPublished.status(), 409);
    assert_eq!(ErrorCode::Unauthorized.status(), 401);
    let newer = json!({"error": {"code": "not-yet-invented", "message": "so"}});
    assert_eq!(serde_json::from_value::<ErrorBody>(newer).unwrap().error.code, ErrorCode::Other);
}

#[test]
fn a_newer_node_may_say_more() {
    let package = manifest().package(OWN, WallTime::EPOCH).unwrap();
    let mut shown = serde_json::to_value(ReleaseView::from(&package)).unwrap();
    shown["later"] = json!(1);
    let read: ReleaseView = serde_json::from_value(shown).unwrap();
    assert_eq!(read.version, Version::new(1, 0, 219));
}

#[test]
fn hexadecimal_has_two_digits_a_byte() {
    assert_eq!(hex(&[0, 0x1f, 0xff]), "001fff");
}
