//! What people are shown.

use crate::api::{EndView, PeerView, PublishedView, ReleaseView, VersionsView};
use crate::scenario::report::Tone;
use serde_json::json;

use super::show;

fn plain(_: Tone, text: &str) -> String {
    text.to_owned()
}

fn release() -> serde_json::Value {
    json!({
        "publisher": "ab".repeat(32), "name": "serde", "version": "1.0.219",
        "title": "A serialization framework", "description": "A serialization framework\n\nFast.\u{1b}[31m",
        "categories": ["encoding"], "tags": ["no_std", "serde"], "licence": "MIT OR Apache-2.0",
        "digest": "cd".repeat(32), "size": 78_983, "created_ms": 1_700_000_000_000_u64,
    })
}

fn view() -> ReleaseView {
    serde_json::from_value(release()).unwrap()
}

#[test]
fn a_release_is_shown_with_all_that_is_told_of_it() {
    let text = show::release(&view(), plain);
    insta::assert_snapshot!(text, @r"
    serde 1.0.219
    A serialization framework

    release     abababababababababababababababababababababababababababababababab/serde@1.0.219
    licence     MIT OR Apache-2.0
    categories  encoding
    tags        no_std, serde
    content     78,983 bytes, SHA-256 cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd
    created     2023-11-14 22:13:20 UTC

    A serialization framework

    Fast.�[31m
    ");
    assert!(!text.contains('\u{1b}'), "nothing that a terminal would obey");
    let name = text.lines().find_map(|line| line.strip_prefix("release")).unwrap().trim();
    assert_eq!(name.parse::<crate::client::Wanted>().unwrap().release().unwrap(), view().release());
}

#[test]
fn a_hit_is_told_by_the_name_that_get_takes() {
    let mut hit = view();
    hit.title = "two\nlines \u{202e}turned".to_owned();
    let text = show::hit(&hit, plain);
    assert_eq!(text, format!("serde 1.0.219  two lines \u{fffd}turned\n    {}\n", hit.release()));
    let painted = show::hit(&hit, |tone, text| format!("<{tone:?} {text}>"));
    assert!(painted.starts_with("<Heading serde 1.0.219>"), "{painted}");
}

#[test]
fn how_a_search_ended_is_said_in_words() {
    let end = |changes: serde_json::Value| {
        let mut end = json!({
            "query": "q1", "outcome": "complete", "ranked": [], "conflicts": [], "elapsed_ms": 12.3,
            "coverage": {"asked": 3, "adequate": 2, "inadequate": 1},
        });
        end.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let end: EndView = serde_json::from_value(end).unwrap();
        move |hits| show::end(&end, hits, plain)
    };
    assert_eq!(end(json!({}))(2), "2 found, complete; 3 peers asked, 3 answered, 12 ms\n");
    assert_eq!(
        end(json!({"elapsed_ms": 1.25}))(0),
        "nothing found, complete; 3 peers asked, 3 answered, 1.2 ms\n"
    );
    let partial = end(json!({
        "outcome": "partial", "missing": {"answers": 1, "names": 2, "deadline": true}, "elapsed_ms": 10_000.0,
    }));
    assert_eq!(
        partial(1),
        "1 found, partial: 1 answer short of what was wanted, 2 releases known by name only, the time was up; \
         3 peers asked, 3 answered, 10.0 s\n"
    );
    let failed = end(json!({"outcome": "failed", "reason": "no-peers", "coverage": {}}));
    assert!(
        failed(0).starts_with("nothing found, failed: the node knows no peer; 0 peers asked"),
        "{}",
        failed(0)
    );
    let name = format!("{}/x@1.0.0", "ab".repeat(32));
    let conflict = end(json!({"conflicts": [name]}));
    assert!(conflict(1).starts_with(&format!("{name}: its publisher signed two different records")));
    assert!(end(json!({"outcome": "enough"}))(5).contains("there may be more"));
}

#[test]
fn versions_are_a_table_with_the_newest_first() {
    let mut list = json!({
        "publisher": "ab".repeat(32), "name": "serde", "sequence": 3, "valid_until_ms": 1_700_000_000_000_u64,
        "stale": false, "versions": [
            {"version": "1.0.0", "yanked": true, "record": "0123"},
            {"version": "1.10.0-rc.1", "yanked": false, "record": "4567"},
        ],
    });
    let text = |list: &serde_json::Value| {
        show::versions(&serde_json::from_value::<VersionsView>(list.clone()).unwrap(), plain)
    };
    insta::assert_snapshot!(text(&list), @r"
    version      state   record
    1.10.0-rc.1          4567
    1.0.0        yanked  0123
    ");
    let rows: Vec<String> = text(&list).lines().map(str::to_owned).collect();
    assert!(rows[1].starts_with("1.10.0-rc.1") && rows[2].contains("yanked"));
    list["stale"] = json!(true);
    assert!(
        text(&list)
            .ends_with("this list was valid until 2023-11-14 22:13:20 UTC: a newer one may be held back\n")
    );
}

#[test]
fn peers_are_a_table_with_their_reputation() {
    let peer = |peer: &str, score, latency_ms| PeerView { peer: peer.to_owned(), score, latency_ms };
    let peers = [peer("12D3KooWA", 0.987, Some(3.21)), peer("12D3KooWLonger", 0.5, None)];
    let text = show::peers(&peers, plain);
    insta::assert_snapshot!(text, @r"
    peer            reputation  latency
    12D3KooWA             0.99   3.2 ms
    12D3KooWLonger        0.50        –

    2 peers
    ");
    assert!(text.lines().all(|line| line.trim_end() == line));
    assert_eq!(show::peers(&[], plain), "the node knows no peer\n");
}

#[test]
fn a_publication_says_who_has_it() {
    let text = |changes: serde_json::Value| {
        let mut view = json!({
            "publisher": "ab".repeat(32), "name": "serde", "version": "1.0.0", "yanked": false, "number": 1,
            "sequence": 1, "release_stored": {"acked": 3}, "list_stored": {"acked": 2}, "announced": 4,
        });
        view.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        show::published(&serde_json::from_value::<PublishedView>(view).unwrap(), plain)
    };
    let name = format!("{}/serde@1.0.0", "ab".repeat(32));
    assert_eq!(text(json!({})), format!("published {name}\n  stored with 3 peers, announced to 4\n"));
    let alone = text(json!({"release_stored": {"acked": 0, "failure": "unreachable"}, "announced": null}));
    assert_eq!(
        alone,
        format!("published {name}\n  held by this node alone so far (unreachable); it is tried again\n")
    );
    let yanked = text(json!({"yanked": true, "release_stored": null}));
    assert_eq!(yanked, format!("yanked {name}\n  stored with 2 peers, announced to 4\n"));
}

#[test]
fn failures_are_listed_with_their_reasons() {
    let failures =
        [("a@1.0.0".to_owned(), "too\nmuch".to_owned()), ("longer@2.0.0".to_owned(), "no".to_owned())];
    assert_eq!(
        show::failures(&failures, plain),
        "not published  why\na@1.0.0        too much\nlonger@2.0.0   no\n"
    );
    assert_eq!(show::failures(&[], plain), "");
}

#[test]
fn numbers_are_grouped() {
    let shown = [0, 999, 1000, 1_234_567].map(show::number);
    assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
}
