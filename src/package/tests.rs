//! Names, limits, words, and what a query matches.

use proptest::prelude::*;

use super::*;
use crate::time::WallTime;

fn package(name: &str, title: &str, tags: &[&str], description: &str) -> Package {
    Package {
        release: ReleaseId {
            package: PackageId {
                publisher: PublisherId::new([7; 32]),
                name: PackageName::new(name).unwrap(),
            },
            version: Version::new(1, 2, 3),
        },
        title: title.into(),
        description: description.into(),
        categories: vec!["Parser-Implementations".into()],
        tags: tags.iter().map(ToString::to_string).collect(),
        licence: "MIT".into(),
        digest: [0; 32],
        size: 1,
        created: WallTime::EPOCH,
    }
}

#[test]
fn names_are_what_they_say() {
    for good in ["a", "0", "serde_json", "A.b-C", &"x".repeat(64)] {
        assert_eq!(PackageName::new(good).unwrap().as_str(), good);
    }
    for bad in ["", ".a", "-a", "_", "a/b", "a b", "ä", "a\0", &"x".repeat(65)] {
        assert!(PackageName::new(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn publishers_are_written_one_way() {
    let publisher = PublisherId::new([0xab; 32]);
    let text = publisher.to_string();
    assert_eq!(text.parse(), Ok(publisher));
    for bad in [text.to_ascii_uppercase(), text[1..].to_owned(), format!("{text}0"), text.replace('a', "g")] {
        assert!(bad.parse::<PublisherId>().is_err(), "{bad:?}");
    }
}

#[test]
fn words_are_runs_of_letters_and_digits() {
    let found: Vec<String> = tokens("HTTP/2 server—für Ärzte, no_std 3.5").collect();
    assert_eq!(found, ["http", "2", "server—für", "Ärzte", "no", "std", "3", "5"]);
    assert_eq!(tokens(" ,;\n").count(), 0);
}

#[test]
fn every_limit_of_a_package_is_held() {
    let good = package("a", "", &[], "");
    assert_eq!(good.check(), Ok(()));
    let long = |field, most| Err(LimitError::TooLong { field, most, found: most + 1 });
    let with = |change: &dyn Fn(&mut Package)| {
        let mut package = good.clone();
        change(&mut package);
        package.check()
    };
    assert_eq!(with(&|p| p.title = "x".repeat(257)), long("title", MAX_TITLE));
    assert_eq!(with(&|p| p.description = "x".repeat(8193)), long("description", MAX_DESCRIPTION));
    assert_eq!(with(&|p| p.licence = "x".repeat(257)), long("licence", MAX_LICENCE));
    assert_eq!(with(&|p| p.tags = vec!["x".repeat(65)]), long("tags", MAX_LABEL));
    assert_eq!(with(&|p| p.categories = vec![String::new()]), Err(LimitError::Empty { field: "categories" }));
    let many = LimitError::TooMany { field: "tags", most: 32, found: 33 };
    assert_eq!(with(&|p| p.tags = vec!["x".into(); 33]), Err(many));
    let version = Version::parse(&format!("1.0.0-{}", "x".repeat(59))).unwrap();
    assert_eq!(with(&|p| p.release.version = version.clone()), long("version", MAX_VERSION));
}

#[test]
fn a_query_that_cannot_be_asked_says_why() {
    assert_eq!(Query::text("a", 1).check(), Ok(()));
    assert_eq!(Query::text(" -- ", 1).check(), Err(QueryError::Empty));
    assert_eq!(Query::text("a", 0).check(), Err(QueryError::NoLimit));
    let long = QueryError::TooLong { field: "text", most: 256, found: 257 };
    assert_eq!(Query::text("x".repeat(257), 1).check(), Err(long));
    let labels = |tags: Vec<String>| Query { tags, ..Query::text("", 1) }.check();
    assert_eq!(labels(vec!["t".into()]), Ok(()));
    assert_eq!(labels(vec![String::new()]), Err(QueryError::EmptyLabel { field: "tags" }));
    let many = QueryError::TooLong { field: "tags", most: 32, found: 33 };
    assert_eq!(labels(vec!["t".into(); 33]), Err(many));
}

#[test]
fn all_words_categories_and_tags_must_match() {
    let json = package("serde_json", "A JSON format", &["encoding"], "Reads and writes text.");
    let query = |text: &str, categories: &[&str], tags: &[&str]| Query {
        text: text.into(),
        categories: categories.iter().map(ToString::to_string).collect(),
        tags: tags.iter().map(ToString::to_string).collect(),
        limit: 9,
    };
    assert!(query("Serde FORMAT encoding writes", &[], &[]).matches(&json));
    assert!(query("json", &["parser-implementations"], &["ENCODING"]).matches(&json));
    assert!(query("", &[], &["encoding"]).matches(&json));
    assert!(!query("jso", &[], &[]).matches(&json), "words are whole");
    assert!(!query("json yaml", &[], &[]).matches(&json));
    assert!(!query("json", &["text"], &[]).matches(&json));
    assert!(!query("parser", &[], &[]).matches(&json), "categories are no text");
    assert!(!query("", &[], &[]).matches(&json), "nothing asked, nothing found");
}

#[test]
fn the_name_counts_most_and_the_order_is_total() {
    let query = Query::text("json", 9);
    let mut found = vec![
        package("b", "", &[], "json"),
        package("b", "", &["json"], ""),
        package("a", "", &["json"], ""),
        package("b", "Json", &[], ""),
        package("serde_json", "", &[], ""),
        package("JSON", "", &[], ""),
    ];
    found[2].release.version = Version::new(0, 1, 0);
    found.push(Package {
        release: ReleaseId { version: Version::new(0, 2, 0), ..found[2].release.clone() },
        ..found[2].clone()
    });
    query.rank(&mut found, |package| package);
    let scores: Vec<u32> = found.iter().map(|package| query.score(package)).collect();
    assert_eq!(scores, [Query::EXACT_NAME + 8, 8, 4, 2, 2, 2, 1]);
    let tied: Vec<String> =
        found[3..6].iter().map(|p| format!("{}@{}", p.release.package.name, p.release.version)).collect();
    assert_eq!(tied, ["a@0.2.0", "a@0.1.0", "b@1.2.3"], "by name, then the newest version first");
    assert_eq!(query.rank_of(&found[0]).release(), found[0].release);
    assert_eq!(query.rank_of(&found[0]).score(), Query::EXACT_NAME + 8);
}

proptest! {
    #[test]
    fn words_and_weights_agree(name in "[a-c][a-c-]{0,4}", title in "[a-c ]{0,8}", tag in "[a-cA-C]{1,3}", text in "[a-cA-C ]{1,6}") {
        let package = package(&name, &title, &[&tag], "b");
        let words = package.words();
        let query = Query::text(text, 1);
        for word in query.words() {
            prop_assert_eq!(words.get(&word).copied().unwrap_or(0), package.weight_of(&word));
        }
        let all = !query.words().is_empty() && query.words().iter().all(|word| words.contains_key(word));
        prop_assert_eq!(query.matches(&package), all);
        let known = query.matches_known(&package.release.package.name, &package.categories, &package.tags);
        prop_assert!(!known || query.matches(&package));
    }

    #[test]
    fn words_are_what_splitting_by_characters_finds(text in "[a-cA-C0-1 ,.é漢\u{80}\u{10ffff}😀-]{0,24}") {
        let outside = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric();
        let split: Vec<&str> = text.split(outside).filter(|word| !word.is_empty()).collect();
        prop_assert_eq!(words(&text).collect::<Vec<_>>(), split);
    }

    #[test]
    fn arbitrary_text_is_no_danger(text in any::<String>()) {
        let query = Query::text(text.clone(), 1);
        let _ = (query.check(), PackageName::new(text.clone()), text.parse::<PublisherId>());
        prop_assert_eq!(tokens(&text).count(), words(&text).count());
    }
}
