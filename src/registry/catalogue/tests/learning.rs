//! What comes of a record that is handed in.

use super::*;
use crate::package::Query;
use crate::record::Digest;

fn found(catalogue: &Catalogue, text: &str) -> Vec<String> {
    let (found, _) = catalogue.search(&Query::text(text, 9), None, 9);
    let name = |it: &Match| {
        let id = it.release().unwrap();
        format!("{}@{}{}", id.package.name, id.version.major, if it.is_whole() { "" } else { "?" })
    };
    found.iter().map(name).collect()
}

fn is_equivocation(learned: &Learned, first: &Checked, second: &Checked) -> bool {
    *learned == Learned::Equivocation(Proof { first: first.clone(), second: second.clone() })
}

#[test]
fn a_release_is_learned_once_and_found() {
    let mut own = empty();
    let one = release(1, 1, "json", 1, "");
    assert_eq!(own.learn(&one, at(5)), Learned::New);
    assert_eq!(own.learn(&one, at(9)), Learned::Known);
    assert_eq!((own.held(), own.len(), own.fresh()), (1, 1, at(5)));
    assert_eq!(found(&own, "JSON"), ["json@1"]);
    assert_eq!(own.get(&id(1, "json", 1)), Some(one));
    assert!(!own.contains(&id(1, "json", 2)) && !own.contains(&id(2, "json", 1)));
}

#[test]
fn a_record_takes_the_place_of_its_notice_and_not_the_reverse() {
    let mut own = empty();
    let whole = release(1, 1, "json", 1, "parser");
    let notice = notice_of(1, &whole);
    assert_eq!(own.learn(&notice, at(1)), Learned::New);
    assert_eq!((own.held(), own.len()), (0, 1));
    assert_eq!(found(&own, "json"), ["json@1?"]);
    assert!(found(&own, "parser").is_empty(), "a notice tells no title");
    assert_eq!(own.get(&id(1, "json", 1)), None);
    assert_eq!(own.learn(&whole, at(2)), Learned::New);
    assert_eq!((own.held(), own.len(), own.pool().len()), (1, 1, 1));
    assert_eq!(found(&own, "parser"), ["json@1"]);
    assert_eq!(own.learn(&notice, at(3)), Learned::Known);
    assert_eq!((own.len(), own.fresh()), (1, at(2)));
}

#[test]
fn a_yank_hides_a_release_whenever_it_comes() {
    for yank_first in [false, true] {
        let mut own = empty();
        let mut both = [release(1, 1, "json", 1, ""), yank(1, 2, "json", 1)];
        if yank_first {
            both.reverse();
        }
        for record in &both {
            assert_eq!(own.learn(record, at(1)), Learned::New);
        }
        own.learn(&release(1, 3, "json", 2, ""), at(1));
        assert_eq!(found(&own, "json"), ["json@2"]);
        assert!(own.is_yanked(&id(1, "json", 1)) && !own.is_yanked(&id(1, "json", 2)));
        assert_eq!(own.yanked(), [id(1, "json", 1)]);
        assert!(own.contains(&id(1, "json", 1)), "who asks for it by name still gets it");
        let local = own.local(&Query::text("json", 9), 9);
        assert_eq!((local.releases.len(), local.names.len(), local.yanked.len()), (1, 0, 1));
    }
}

#[test]
fn a_yank_of_another_publisher_hides_nothing() {
    let mut own = empty();
    own.learn(&release(1, 1, "json", 1, ""), at(1));
    own.learn(&yank(2, 1, "json", 1), at(1));
    assert_eq!(found(&own, "json"), ["json@1"]);
}

#[test]
fn two_statements_under_one_number_are_kept_and_not_believed() {
    let (one, other, third) =
        (release(1, 1, "json", 1, ""), release(1, 1, "yaml", 1, ""), release(1, 1, "toml", 1, ""));
    let mut own = empty();
    own.learn(&one, at(1));
    own.learn(&release(1, 2, "xml", 1, ""), at(1));
    assert!(is_equivocation(&own.learn(&other, at(2)), &one, &other));
    assert!(found(&own, "json").is_empty() && found(&own, "yaml").is_empty());
    assert!(!own.contains(&id(1, "json", 1)) && !own.contains(&id(1, "yaml", 1)));
    assert_eq!(found(&own, "xml"), ["xml@1"], "what is not contradicted stands");
    assert_eq!(own.proofs(), [Proof { first: one.clone(), second: other.clone() }]);
    let conflict = own.conflict(&id(1, "yaml", 1)).unwrap();
    assert_eq!((conflict.first, conflict.second), (other.clone(), one.clone()));
    assert_eq!(own.conflict(&id(1, "xml", 1)), None);

    assert!(matches!(own.learn(&third, at(3)), Learned::Equivocation(_)));
    assert_eq!(own.len(), 3, "two are proof enough");
    assert!(found(&own, "toml").is_empty());
    assert_eq!(own.learn(&one, at(3)), Learned::Known);
    assert_eq!(own.fresh(), at(1), "nothing was learned of packages");
    let page = own.page(publisher(1).id(), 1, 9, 1 << 20);
    assert_eq!(page.statements.len(), 3, "the proof is passed on");
}

#[test]
fn two_bodies_of_one_release_are_not_believed_also_by_notice() {
    let (one, other) = (release(1, 1, "json", 1, "a"), release(1, 2, "json", 1, "b"));
    let mut own = empty();
    own.learn(&one, at(1));
    assert!(is_equivocation(&own.learn(&other, at(2)), &one, &other));
    assert!(found(&own, "json").is_empty() && own.get(&id(1, "json", 1)).is_none());

    let mut own = empty();
    own.learn(&one, at(1));
    let notice = notice_of(1, &other);
    assert!(is_equivocation(&own.learn(&notice, at(2)), &one, &notice));
    assert!(found(&own, "json").is_empty());
    let says = Says::Published(Digest([1; 32]));
    let later = publisher(1).notice(&id(1, "json", 2), 2, says, &[], &[]).unwrap();
    assert!(matches!(own.learn(&shared(later), at(3)), Learned::Equivocation(_)), "2 is taken");
}

#[test]
fn the_same_statement_in_other_words_is_no_equivocation() {
    let mut own = empty();
    own.learn(&yank(1, 1, "json", 1), at(1));
    let again = publisher(1).notice(&id(1, "json", 1), 1, Says::Yanked, &["c".into()], &[]).unwrap();
    assert_eq!(own.learn(&shared(again), at(2)), Learned::Known);
    assert_eq!(own.learn(&yank(1, 2, "json", 1), at(2)), Learned::New, "a number of its own");
    assert_eq!(own.yanked().len(), 1);
    assert!(own.proofs().is_empty());
}

#[test]
fn lists_only_go_forward() {
    let list = |sequence, until| {
        shared(publisher(1).list(&id(1, "json", 1).package, sequence, at(until), Vec::new()).unwrap())
    };
    let mut own = empty();
    assert_eq!(own.learn(&list(2, 1), at(1)), Learned::New);
    assert_eq!(own.learn(&list(1, 1), at(1)), Learned::Known);
    assert_eq!(own.learn(&list(2, 1), at(1)), Learned::Known);
    let held = |own: &Catalogue| own.list(&id(1, "json", 1).package).cloned();
    assert_eq!(held(&own), Some(list(2, 1)));
    let (low, high) = if list(2, 1).digest() < list(2, 9).digest() {
        (list(2, 1), list(2, 9))
    } else {
        (list(2, 9), list(2, 1))
    };
    for order in [[&low, &high], [&high, &low]] {
        let mut own = empty();
        own.learn(order[0], at(1));
        assert!(is_equivocation(&own.learn(order[1], at(1)), order[0], order[1]));
        assert_eq!(held(&own), Some(low.clone()), "the same everywhere");
    }
    assert_eq!(own.learn(&list(3, 1), at(1)), Learned::New);
    assert_eq!(held(&own), Some(list(3, 1)));
    assert_eq!(own.len(), 0, "a list is no statement");
}

#[test]
fn bounds_are_held_and_say_so() {
    let bounds = Bounds { entries: 3, per_publisher: 2, lists: 1, proofs: 1 };
    let mut own = Catalogue::new(Pool::new(), bounds);
    assert_eq!(own.learn(&release(1, 1, "a", 1, ""), at(1)), Learned::New);
    let second = release(1, 2, "b", 1, "");
    assert_eq!(own.learn(&notice_of(1, &second), at(1)), Learned::New);
    assert_eq!(own.learn(&release(1, 3, "c", 1, ""), at(1)), Learned::Full, "the publisher's share");
    assert_eq!(own.learn(&release(2, 1, "d", 1, ""), at(1)), Learned::New);
    assert_eq!(own.learn(&release(3, 1, "e", 1, ""), at(1)), Learned::Full, "the whole");
    assert!(found(&own, "e").is_empty());
    // What still comes in makes nothing more of it.
    assert_eq!(own.learn(&second, at(1)), Learned::New, "in place of its notice");
    assert_eq!(own.len(), 3);
    assert_eq!(own.learn(&yank(1, 9, "a", 1), at(1)), Learned::New, "what is held is taken back");
    assert_eq!(own.learn(&yank(1, 10, "a", 1), at(1)), Learned::Full, "once");
    assert_eq!(own.learn(&yank(3, 1, "e", 1), at(1)), Learned::Full, "and not what is not held");
    let proof = |name: &str| matches!(release(2, 1, name, 1, ""), record if matches!(own.clone().learn(&record, at(1)), Learned::Equivocation(_)));
    assert!(proof("x"));
    for name in ["x", "y", "z"] {
        assert!(matches!(own.learn(&release(2, 1, name, 1, ""), at(1)), Learned::Equivocation(_)));
    }
    assert_eq!((own.len(), own.proofs().len()), (5, 1));
    assert!(found(&own, "d").is_empty());
    let list = |name| shared(publisher(1).list(&id(1, name, 1).package, 1, at(1), Vec::new()).unwrap());
    assert_eq!(own.learn(&list("a"), at(1)), Learned::New);
    assert_eq!(own.learn(&list("b"), at(1)), Learned::Full);
}

#[test]
fn the_bound_of_a_publisher_counts_what_is_held_here_alone() {
    let pool = Pool::new();
    let bounds = Bounds { per_publisher: 2, ..Bounds::default() };
    let mut rich = Catalogue::new(pool.clone(), Bounds::default());
    for number in 1..9 {
        rich.learn(&release(1, number, "a", number, ""), at(1));
    }
    let mut poor = Catalogue::new(pool, bounds);
    assert_eq!(poor.learn(&release(1, 1, "a", 1, ""), at(1)), Learned::New);
    assert_eq!(poor.learn(&release(1, 2, "a", 2, ""), at(1)), Learned::New);
    assert_eq!(poor.learn(&release(1, 3, "a", 3, ""), at(1)), Learned::Full);
}
