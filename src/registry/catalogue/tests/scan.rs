//! What the index finds is what a scan with the query's own words would find.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::package::{Query, Rank};
use crate::record::Notice;

/// What one signed statement is drawn from.
#[derive(Clone, Debug)]
struct Drawn {
    kind: u8,
    seed: u8,
    number: u64,
    name: String,
    major: u64,
    title: String,
    tags: Vec<String>,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let name = "[ab](-[ab])?";
    (0..6_u8, 1..3_u8, 1..9_u64, name, 1..3_u64, "[abAB]( [ab])?", vec("[abAB]", 0..2)).prop_map(
        |(kind, seed, number, name, major, title, tags)| Drawn {
            kind,
            seed,
            number,
            name,
            major,
            title,
            tags,
        },
    )
}

fn sign(drawn: &Drawn) -> Checked {
    let Drawn { kind, seed, number, name, major, title, tags } = drawn;
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    let package = package(id(*seed, name, *major), title, &tags);
    let release = publisher(*seed).release(&package, *number).unwrap();
    match kind {
        0 => yank(*seed, *number, name, *major),
        1 => notice_of(*seed, &shared(release)),
        _ => shared(release),
    }
}

fn queries() -> impl Strategy<Value = Query> {
    (vec("[abAB]", 0..3), vec("(encoding|Encoding|other)", 0..2), vec("[abAB]", 0..2)).prop_map(
        |(words, categories, tags)| Query {
            text: words.join(if words.len() > 1 { "-" } else { " " }),
            categories,
            tags,
            limit: 9,
        },
    )
}

/// A notice as the package that it tells of.
fn told(notice: &Notice) -> Package {
    let categories = notice.categories.clone();
    Package { categories, tags: notice.tags.clone(), ..package(notice.release.clone(), "", &[]) }
}

/// The release, number and published digest of a statement.
fn content(record: &Record) -> (&ReleaseId, u64, Option<crate::record::Digest>) {
    match record {
        Record::Release(it) => (&it.package.release, it.number, Some(it.digest)),
        Record::Notice(it) => match it.says {
            Says::Published(digest) => (&it.release, it.number, Some(digest)),
            Says::Yanked => (&it.release, it.number, None),
        },
        Record::List(_) => panic!("no list is drawn"),
    }
}

/// The answers, by reading everything and comparing everything with everything.
fn scan(held: &[Checked], query: &Query) -> Vec<Rank> {
    let contradicts = |a: &Record, b: &Record| {
        let (one, other) = (content(a), content(b));
        let number = a.publisher() == b.publisher() && one.1 == other.1 && one != other;
        let body = one.0 == other.0 && one.2.is_some() && other.2.is_some() && one.2 != other.2;
        number || body
    };
    let mut found = Vec::new();
    for record in held {
        let (release, number, published) = content(record);
        let about = || held.iter().filter(|other| content(other).0 == release);
        let order = |it: &Checked| (it.as_release().is_none(), content(it).1, it.digest());
        let hidden = published.is_none()
            || about().any(|other| content(other).2.is_none())
            || about().any(|other| order(other) < (record.as_release().is_none(), number, record.digest()))
            || held.iter().any(|other| contradicts(record, other));
        let package = match &**record {
            Record::Release(it) => it.package.clone(),
            Record::Notice(it) => told(it),
            Record::List(_) => continue,
        };
        if !hidden && query.matches(&package) {
            found.push(query.rank_of(&package));
        }
    }
    found.sort();
    found
}

fn ranks(found: &[Match]) -> Vec<Rank> {
    found.iter().map(|it| Rank::new(it.score, it.release().unwrap())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn the_index_agrees_with_a_scan_page_by_page(world in vec(drawn(), 0..14), asked in vec(queries(), 1..4), limit in 1..4_usize) {
        let mut records: Vec<Checked> = world.iter().map(sign).collect();
        records.sort_by_key(|record| record.digest());
        records.dedup();
        let pool = Pool::new();
        let (own, _others) = holding(&pool, &records);
        prop_assert_eq!(own.len(), records.len());
        // The same in another pool, under other ids.
        let reversed: Vec<Checked> = records.iter().rev().cloned().collect();
        let (other, _others) = holding(&Pool::new(), &reversed);
        for query in asked {
            let expected = scan(&records, &query);
            let (found, more) = own.search(&query, None, 100);
            prop_assert_eq!(ranks(&found), expected.clone());
            prop_assert!(!more);
            prop_assert_eq!(other.search(&query, None, 100).0, found);

            let (mut paged, mut place) = (Vec::new(), None);
            loop {
                let (found, more) = own.search(&query, place.as_ref(), limit);
                prop_assert!(found.len() <= limit && (found.len() == limit || !more));
                place = found.last().and_then(Match::place).map(|place| Place::from_cursor(&place.to_cursor()).unwrap());
                paged.extend(ranks(&found));
                if !more {
                    break;
                }
            }
            prop_assert_eq!(paged, expected);
        }
    }

    #[test]
    fn what_is_learned_in_any_order_is_found_as_a_scan_would(world in vec(drawn(), 0..14), query in queries()) {
        let mut own = empty();
        for drawn in &world {
            own.learn(&sign(drawn), at(1));
        }
        let held: Vec<Checked> = own.statements().into_iter().map(|(_, record)| record).collect();
        prop_assert_eq!(ranks(&own.search(&query, None, 100).0), scan(&held, &query));
        prop_assert_eq!(own.held(), held.iter().filter(|it| it.as_release().is_some()).count() as u64);
        prop_assert_eq!(own.len(), held.len());
        own.clear();
        prop_assert!(own.pool().is_empty() && own.search(&query, None, 9).0.is_empty());
        prop_assert_eq!(own.pool().entries().index.len(), 0, "no term is left behind");
    }
}
