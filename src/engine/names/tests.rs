use super::*;
use crate::package::{PackageId, PackageName, PublisherId, Version};

fn release(name: &str) -> ReleaseId {
    let package = PackageId { publisher: PublisherId::new([1; 32]), name: PackageName::new(name).unwrap() };
    ReleaseId { package, version: Version::new(1, 0, 0) }
}

fn add(names: &mut Names<u32>, name: &'static str, holder: Option<u32>) -> bool {
    names.add(&release(name), Bytes::from(name), holder, true)
}

fn batch(names: &mut Names<u32>) -> Option<(u32, Vec<Bytes>)> {
    names.next_batch().map(|(holder, _, keys)| (holder, keys))
}

#[test]
fn names_of_one_holder_go_in_one_question_in_the_order_told() {
    let mut names = Names::new(10);
    assert!(add(&mut names, "b", Some(1)));
    assert!(add(&mut names, "x", Some(2)));
    assert!(add(&mut names, "a", Some(1)));
    assert!(!add(&mut names, "x", Some(1)), "it is known, and has one more holder");
    assert_eq!(batch(&mut names), Some((1, vec!["b".into(), "x".into(), "a".into()])));
    assert_eq!(batch(&mut names), None, "all are out");
    names.settle(&release("b"), true);
    names.give_back(&release("x"), None);
    names.give_back(&release("b"), None);
    assert_eq!(batch(&mut names), Some((2, vec!["x".into()])));
    assert_eq!((names.resolved(), names.unresolved()), (1, 2));
}

#[test]
fn a_question_has_at_most_a_batch() {
    let mut names = Names::new(10);
    for index in 0..40 {
        let name = format!("p{index}");
        names.add(&release(&name), Bytes::from(name.clone()), Some(1), true);
    }
    assert_eq!(names.next_batch().unwrap().2.len(), BATCH);
    assert_eq!(names.next_batch().unwrap().2.len(), 8);
}

#[test]
fn the_dht_comes_after_the_holders_and_once() {
    let mut names = Names::new(10);
    add(&mut names, "a", Some(1));
    assert_eq!(names.next_lookup(), None, "it has a holder");
    assert!(names.any_waiting());
    batch(&mut names);
    names.give_back(&release("a"), None);
    assert_eq!(batch(&mut names), None);
    assert_eq!(names.next_lookup(), Some((release("a"), "a".into())));
    names.give_back(&release("a"), None);
    assert_eq!(names.next_lookup(), None);
    assert!(!names.any_waiting());
    assert_eq!(names.unresolved(), 1, "lost");
    add(&mut names, "a", Some(1));
    assert_eq!(batch(&mut names), None, "a holder is not asked twice");
    add(&mut names, "a", Some(2));
    assert_eq!(batch(&mut names), Some((2, vec!["a".into()])), "a new holder gives new hope");
}

#[test]
fn a_holder_that_sent_others_is_asked_again() {
    let mut names = Names::new(10);
    add(&mut names, "a", Some(1));
    batch(&mut names);
    names.give_back(&release("a"), Some(1));
    assert_eq!(batch(&mut names), Some((1, vec!["a".into()])));
}

#[test]
fn names_lookups_and_holders_are_bounded() {
    let mut names = Names::new(1);
    for index in 0..40 {
        let name = format!("p{index}");
        let new = names.add(&release(&name), Bytes::from(name.clone()), None, true);
        assert_eq!(new, index < 16);
    }
    assert!(!names.add(&release("late"), Bytes::new(), None, false));
    let lookups = core::iter::from_fn(|| names.next_lookup()).count();
    assert_eq!(lookups, 2, "twice the results");
    for holder in 0..100 {
        names.add(&release("p5"), Bytes::new(), Some(holder), true);
    }
    assert_eq!(names.names[&release("p5")].known.len(), HOLDERS);
}

#[test]
fn what_is_not_wanted_any_more_is_not_counted_as_resolved() {
    let mut names = Names::<u32>::new(5);
    add(&mut names, "a", None);
    names.settle(&release("a"), false);
    names.settle(&release("never"), true);
    assert_eq!((names.resolved(), names.unresolved()), (0, 0));
    assert_eq!(names.next_lookup(), None);
}
