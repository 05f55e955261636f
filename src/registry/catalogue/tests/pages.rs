//! Heads, pages and gaps, and what a pool keeps.

use super::*;
use crate::package::PublisherId;

fn numbers(page: &Page) -> Vec<u64> {
    let number = |record: &Checked| match &**record {
        Record::Release(it) => it.number,
        Record::Notice(it) => it.number,
        Record::List(it) => it.sequence,
    };
    page.statements.iter().map(number).collect()
}

#[test]
fn heads_come_in_the_order_of_publishers_and_in_parts() {
    let mut own = empty();
    for seed in 1..=5 {
        for number in [1, 2, 10 + u64::from(seed)] {
            own.learn(&release(seed, number, "a", number, ""), at(1));
        }
    }
    let mut expected: Vec<(PublisherId, u64)> =
        (1..=5).map(|seed| (publisher(seed).id(), 10 + u64::from(seed))).collect();
    expected.sort();
    assert_eq!(own.heads(None, 9), (expected.clone(), false));
    let (first, more) = own.heads(None, 2);
    assert_eq!((first.as_slice(), more), (&expected[..2], true));
    assert_eq!(own.heads(Some(expected[1].0), 3), (expected[2..].to_vec(), false));
    let (nobody, _) = Catalogue::new(own.pool().clone(), Bounds::default()).heads(None, 9);
    assert!(nobody.is_empty(), "what others hold is not told as one's own");
}

#[test]
fn pages_go_on_where_the_last_one_ended() {
    let mut own = empty();
    for number in [1, 2, 3, 5, 8] {
        own.learn(&release(1, number, "a", number, ""), at(1));
    }
    own.learn(&release(1, 3, "b", 9, ""), at(1));
    let of = publisher(1).id();
    let all = own.page(of, 0, 99, 1 << 20);
    assert_eq!((numbers(&all), all.more), (vec![1, 2, 3, 3, 5, 8], false));
    let three = own.page(of, 1, 3, 1 << 20);
    assert_eq!((numbers(&three), three.more), (vec![1, 2], true), "one number is not parted");
    let rest = own.page(of, 3, 3, 1 << 20);
    assert_eq!((numbers(&rest), rest.more), (vec![3, 3, 5], true));
    assert_eq!(numbers(&own.page(of, 9, 3, 1 << 20)), [0u64; 0]);
    let size = all.statements[0].bytes().len() + 5;
    assert_eq!(numbers(&own.page(of, 1, 9, 2 * size)), [1, 2]);
    assert_eq!(numbers(&own.page(of, 1, 9, 2 * size - 1)), [1]);
    let page = own.page(of, 1, 9, size - 1);
    assert!(page.statements.is_empty() && page.more);
    assert!(own.page(publisher(2).id(), 1, 9, 1 << 20).statements.is_empty());
}

#[test]
fn gaps_are_what_is_missing_below_the_head() {
    let mut own = empty();
    let of = publisher(1).id();
    assert_eq!((own.contiguous(of), own.gaps(of, 9)), (0, vec![]));
    for number in [1, 2, 5, 9, u64::MAX] {
        own.learn(&release(1, number, "a", number, ""), at(1));
    }
    assert_eq!(own.contiguous(of), 2);
    assert_eq!(own.gaps(of, 9), [3..=4, 6..=8, 10..=u64::MAX - 1]);
    assert_eq!(own.gaps(of, 1), [3..=4]);
    let mut whole = empty();
    for number in 1..=4 {
        whole.learn(&release(1, number, "a", number, ""), at(1));
    }
    assert_eq!((whole.contiguous(of), whole.gaps(of, 9)), (4, vec![]));
    let mut late = empty();
    late.learn(&release(1, 2, "a", 1, ""), at(1));
    assert_eq!(late.contiguous(of), 0);
}

#[test]
fn an_entry_leaves_the_pool_with_its_last_holder_and_its_id_is_used_again() {
    let pool = Pool::new();
    let mut one = Catalogue::new(pool.clone(), Bounds::default());
    one.learn(&release(1, 1, "a", 1, ""), at(1));
    let kept = one.statements()[0].0;
    let two = one.clone();
    let three = Catalogue::holding(pool.clone(), Bounds::default(), [kept, kept], at(7));
    assert_eq!((three.len(), three.held(), three.fresh()), (1, 1, at(7)));
    assert_eq!(pool.len(), 1);
    one.clear();
    assert!(one.is_empty() && !one.contains(&id(1, "a", 1)) && two.contains(&id(1, "a", 1)));
    drop(three);
    assert_eq!(pool.len(), 1);
    drop(two);
    assert!(pool.is_empty());
    assert_eq!(Catalogue::holding(pool.clone(), Bounds::default(), [kept], at(1)).len(), 0, "it is gone");
    one.learn(&release(1, 2, "b", 1, ""), at(1));
    assert_eq!(one.statements()[0].0, kept);
    let bounds = Bounds { entries: 0, ..Bounds::default() };
    assert_eq!(Catalogue::holding(pool, bounds, [kept], at(1)).len(), 0);
}

#[test]
fn thousands_of_catalogues_share_one_pool() {
    let pool = Pool::new();
    let mut full = Catalogue::new(pool.clone(), Bounds::default());
    for number in 1..=2000 {
        full.learn(&release(1, number, "a", number, ""), at(1));
    }
    assert_eq!(full.held(), 2000);
    let ids: Vec<EntryId> = full.statements().into_iter().map(|(id, _)| id).collect();
    let every = |n: usize| ids.iter().skip(n % 3).step_by(1 + n % 3).copied();
    let peers: Vec<Catalogue> =
        (0..500).map(|n| Catalogue::holding(pool.clone(), Bounds::default(), every(n), at(1))).collect();
    assert_eq!(pool.len(), 2000);
    let most = peers.iter().map(Catalogue::own_bytes).max().unwrap();
    assert!(most < 1024, "a peer's catalogue has {most} bytes");
    drop(full);
    drop(peers);
    assert!(pool.is_empty());
}
