//! Each oracle passes a good history, and fails one in which just the thing that it watches is broken.

use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;

use super::*;
use crate::engine::{Cause, Coverage, Found, Lookup, Missing, Outcome, QueryId, QueryOutcome, Reason};
use crate::message::{Answer, AnswerBody, Cursor};
use crate::network::{Done, Failure, RequestId};
use crate::package::{Package, PackageId, PackageName, PublisherId, Query, ReleaseId, Version};
use crate::record::{Checked, Digest, Record, Release, ReleaseList};
use crate::testbed::NodeId;
use crate::time::{Timestamp, WallTime};

const ME: NodeId = NodeId(0);
const PEER: NodeId = NodeId(7);
const OTHER: NodeId = NodeId(8);
const QUERY: QueryId = QueryId(1);
const REQUEST: RequestId = RequestId(5);

fn package(name: &str) -> PackageId {
    PackageId { publisher: PublisherId::new([3; 32]), name: PackageName::new(name).unwrap() }
}

fn release_with(name: &str, digest: u8) -> Checked {
    let id = ReleaseId { package: package(name), version: Version::new(1, 0, 0) };
    let package = Package {
        release: id,
        title: String::new(),
        description: String::new(),
        categories: Vec::new(),
        tags: Vec::new(),
        licence: String::new(),
        digest: [0; 32],
        size: 0,
        created: WallTime::EPOCH,
    };
    let bytes = Bytes::from(format!("signed bytes of {name} {digest}"));
    Arc::new(Record::Release(Release { package, number: 1, digest: Digest([digest; 32]), bytes }))
}

fn release(name: &str) -> Checked {
    release_with(name, 1)
}

fn list(sequence: u64) -> Checked {
    Arc::new(Record::List(ReleaseList {
        package: package("a"),
        sequence,
        valid_until: WallTime::MAX,
        entries: Vec::new(),
        digest: Digest([1; 32]),
        bytes: Bytes::from_static(b"a list"),
    }))
}

fn id(record: &Checked) -> ReleaseId {
    match &**record {
        Record::Release(release) => release.package.release.clone(),
        _ => unreachable!("tests search for releases"),
    }
}

/// A world in which digests of ones are published, `OTHER` is hostile, and `PEER` holds what is expected.
struct World {
    quiet: bool,
    expected: Vec<ReleaseId>,
}

impl Truth for World {
    fn published(&self, _: &ReleaseId, digest: &Digest, _: Timestamp) -> bool {
        digest.0 == [1; 32]
    }
    fn listed(&self, _: &PackageId, digest: &Digest, _: Timestamp) -> bool {
        digest.0 == [1; 32]
    }
    fn hostile(&self, node: NodeId, _: Timestamp) -> bool {
        node == OTHER
    }
    fn quiet(&self) -> bool {
        self.quiet
    }
    fn expected(&self, _: NodeId, _: &Query, _: Timestamp, _: Timestamp) -> Vec<ReleaseId> {
        self.expected.clone()
    }
    fn holds(&self, node: NodeId, _: &ReleaseId) -> Option<bool> {
        Some(node == PEER)
    }
}

fn began() -> Fact {
    let asked = Asked::Search(Query::text("a", 20), 20);
    began_as(QUERY, asked, 100)
}

fn began_as(query: QueryId, asked: Asked, deadline: u64) -> Fact {
    let budget = Budget { questions_at_once: 1, lookups: 1 };
    Fact::Began { query, asked, deadline: Timestamp::from_millis(deadline), budget }
}

fn submitted() -> Fact {
    Fact::Submitted {
        request: REQUEST,
        query: Some(QUERY),
        wanted: Wanted::Answer(PEER),
        question: Bytes::from_static(b"a?"),
        deadline: Timestamp::from_millis(50),
    }
}

fn came(from: NodeId, records: &[&Checked]) -> Fact {
    page(from, records, None)
}

/// A page of an answer; without `next` the last.
fn page(from: NodeId, records: &[&Checked], next: Option<Cursor>) -> Fact {
    let body = AnswerBody::Found {
        held: 9,
        fresh: WallTime::EPOCH,
        records: records.iter().map(|record| record.bytes().clone()).collect(),
        names: Vec::new(),
        next,
    };
    Fact::Came { request: REQUEST, from, item: Answer { to: [0; 8], body }.encode() }
}

fn ended(result: Result<Done, Failure>) -> Fact {
    Fact::Ended { request: REQUEST, result, elapsed: Duration::from_secs(1) }
}

fn delivered(release: &Checked) -> Fact {
    Fact::Delivered { query: QUERY, release: release.clone(), from: Some(PEER) }
}

fn outcome(outcome: Outcome, found: &[&Checked]) -> QueryOutcome {
    QueryOutcome {
        query: QUERY,
        outcome,
        found: Found::Releases(found.iter().map(|&record| record.clone()).collect()),
        coverage: Coverage::default(),
        conflicts: Vec::new(),
        elapsed: Duration::ZERO,
    }
}

fn finished(kind: Outcome, found: &[&Checked]) -> Fact {
    Fact::Finished { query: QUERY, outcome: Box::new(outcome(kind, found)) }
}

fn charged(peer: NodeId, cause: Cause, request: Option<RequestId>) -> Fact {
    Fact::Charged { peer, cause, request }
}

/// A search that asks one peer, is answered, and completes.
fn good() -> Vec<(u64, Fact)> {
    let a = release("a");
    vec![
        (0, began()),
        (0, submitted()),
        (9, came(PEER, &[&a])),
        (9, charged(PEER, Cause::Answered, Some(REQUEST))),
        (9, delivered(&a)),
        (9, ended(Ok(Done::Answered))),
        (9, finished(Outcome::Complete, &[&a])),
    ]
}

fn holding() -> Holding {
    Holding { started: 1, ended: [1, 0, 0, 0, 0], ..Holding::default() }
}

fn world() -> World {
    World { quiet: false, expected: vec![id(&release("a"))] }
}

fn judge(history: Vec<(u64, Fact)>, holdings: &[Holding], world: &World) -> BTreeSet<Oracle> {
    let mut judge = Judge::new(Duration::ZERO);
    for (at, fact) in history {
        judge.observe(&Seen { at: Timestamp::from_millis(at), node: ME, fact }, world);
    }
    let (violations, more, _) = judge.finish(Timestamp::from_millis(1000), holdings);
    assert_eq!(more, 0);
    violations.into_iter().map(|violation| violation.oracle).collect()
}

/// The oracles that speak up when the good history is changed.
fn broken(change: impl FnOnce(&mut Vec<(u64, Fact)>)) -> BTreeSet<Oracle> {
    let mut history = good();
    change(&mut history);
    judge(history, &[], &world())
}

fn only(oracle: Oracle) -> BTreeSet<Oracle> {
    BTreeSet::from([oracle])
}

#[test]
fn a_good_history_passes_every_oracle() {
    assert_eq!(judge(good(), &[holding()], &world()), BTreeSet::new());
}

#[test]
fn own_answers_sees_a_release_of_somebody_elses_answer() {
    let stray = broken(|history| history[2].1 = came(PEER, &[&release("b")]));
    assert_eq!(stray, only(Oracle::OwnAnswers));
}

#[test]
fn own_answers_sees_an_answer_from_a_peer_that_was_not_asked() {
    let found = broken(|history| history.insert(2, (8, came(OTHER, &[]))));
    assert_eq!(found, only(Oracle::OwnAnswers));
}

#[test]
fn own_answers_sees_an_item_for_a_cancelled_request() {
    let found = broken(|history| {
        history.truncate(2);
        history.push((5, Fact::Cancelled { request: REQUEST }));
        history.push((5, finished(Outcome::Cancelled, &[])));
        history.push((6, came(PEER, &[])));
    });
    assert_eq!(found, only(Oracle::OwnAnswers));
}

#[test]
fn a_lookup_shared_between_searches_is_nobodys_stray() {
    let a = release("a");
    let second = QueryId(2);
    let found = broken(|history| {
        history.truncate(1);
        let asked = Asked::Search(Query::text("a", 20), 20);
        history.push((0, began_as(second, asked, 100)));
        let wanted = Wanted::Value(crate::record::keys::release(&id(&a)));
        let deadline = Timestamp::from_millis(50);
        let (query, question) = (Some(QUERY), Bytes::new());
        history.push((0, Fact::Submitted { request: REQUEST, query, wanted, question, deadline }));
        history.push((5, came(PEER, &[&a])));
        history.push((5, Fact::Cancelled { request: REQUEST }));
        history.push((5, delivered(&a)));
        history.push((5, Fact::Delivered { query: second, release: a.clone(), from: Some(PEER) }));
        history.push((5, finished(Outcome::Complete, &[&a])));
        let mut other = outcome(Outcome::Complete, &[&a]);
        other.query = second;
        history.push((5, Fact::Finished { query: second, outcome: Box::new(other) }));
    });
    assert_eq!(found, BTreeSet::new());
}

#[test]
fn ends_once_sees_a_second_ending_a_missing_one_and_a_late_one() {
    let a = release("a");
    let twice = broken(|history| history.push((9, finished(Outcome::Complete, &[&a]))));
    assert!(twice.contains(&Oracle::EndsOnce));
    let never = broken(|history| history.truncate(6));
    assert_eq!(never, only(Oracle::EndsOnce));
    let late = broken(|history| history[6].0 = 101);
    assert_eq!(late, only(Oracle::EndsOnce));
    let at_the_deadline = broken(|history| {
        history.truncate(2);
        history.push((100, Fact::Cancelled { request: REQUEST }));
        history.push((100, finished(Outcome::Failed(Reason::Deadline), &[])));
    });
    assert_eq!(at_the_deadline, BTreeSet::new());
    let delivered_after = broken(|history| history.push((9, delivered(&release("b")))));
    assert!(delivered_after.contains(&Oracle::EndsOnce));
}

#[test]
fn ends_once_sees_requests_that_end_twice_or_late() {
    assert_eq!(broken(|history| history.push((9, ended(Ok(Done::Answered))))), only(Oracle::EndsOnce));
    assert_eq!(broken(|history| history[5].0 = 51), only(Oracle::EndsOnce));
}

#[test]
fn ends_once_sees_a_query_that_waits_for_nothing() {
    assert_eq!(broken(|history| history[6].0 = 10), only(Oracle::EndsOnce));
    let never_asked = |at| {
        broken(|history| {
            history.truncate(1);
            history.push((at, finished(Outcome::Failed(Reason::NoPeers), &[])));
        })
    };
    assert_eq!((never_asked(0), never_asked(1)), (BTreeSet::new(), only(Oracle::EndsOnce)));
}

#[test]
fn a_query_that_waits_for_anothers_request_does_not_wait_for_nothing() {
    let found = broken(|history| {
        let asked = Asked::Search(Query::text("a", 20), 20);
        history.insert(1, (0, began_as(QueryId(2), asked, 100)));
        let mut waited = outcome(Outcome::Failed(Reason::NoPeers), &[]);
        waited.query = QueryId(2);
        history.push((9, Fact::Finished { query: QueryId(2), outcome: Box::new(waited) }));
    });
    assert_eq!(found, BTreeSet::new());
}

#[test]
fn ends_once_sees_a_request_that_times_out_early() {
    let with = |at| {
        broken(|history| {
            history.truncate(2);
            history.push((at, ended(Err(Failure::TimedOut))));
            history.push((at, finished(Outcome::Failed(Reason::NoAnswer), &[])));
        })
    };
    assert_eq!((with(50), with(49)), (BTreeSet::new(), only(Oracle::EndsOnce)));
}

#[test]
fn ends_once_sees_an_ending_that_lay_about_before_it_was_taken_in() {
    let with = |elapsed| {
        let elapsed = Duration::from_millis(elapsed);
        broken(|history| {
            history[5].1 = Fact::Ended { request: REQUEST, result: Ok(Done::Answered), elapsed };
        })
    };
    assert_eq!((with(9), with(8)), (BTreeSet::new(), only(Oracle::EndsOnce)));
}

#[test]
fn within_limits_sees_too_many_questions_and_the_same_one_twice() {
    let with = |peer, question: &'static [u8], most| {
        broken(|history| {
            let second = RequestId(6);
            if let Fact::Began { budget, .. } = &mut history[0].1 {
                budget.questions_at_once = most;
            }
            let more = Fact::Submitted {
                request: second,
                query: Some(QUERY),
                wanted: Wanted::Answer(peer),
                question: Bytes::from_static(question),
                deadline: Timestamp::from_millis(50),
            };
            history.insert(2, (1, more));
            history.insert(7, (9, Fact::Cancelled { request: second }));
        })
    };
    assert_eq!(with(OTHER, b"a?", 2), BTreeSet::new());
    assert_eq!(with(PEER, b"b?", 2), BTreeSet::new());
    assert_eq!(with(OTHER, b"a?", 1), only(Oracle::WithinLimits), "two at once");
    assert_eq!(with(PEER, b"a?", 2), only(Oracle::WithinLimits), "one peer, one question, twice");
}

#[test]
fn within_limits_sees_more_lookups_than_results_are_wanted_for() {
    let with = |lookups: u64| {
        broken(|history| {
            for number in 0..lookups {
                let request = RequestId(10 + number);
                let wanted = Wanted::Value(Bytes::from_static(b"key"));
                let deadline = Timestamp::from_millis(50);
                let (query, question) = (Some(QUERY), Bytes::new());
                history.insert(2, (1, Fact::Submitted { request, query, wanted, question, deadline }));
                history.insert(3, (1, Fact::Cancelled { request }));
            }
        })
    };
    assert_eq!((with(1), with(2)), (BTreeSet::new(), only(Oracle::WithinLimits)));
}

#[test]
fn a_node_that_died_owes_nothing() {
    let found = broken(|history| {
        history.truncate(2);
        history.push((3, Fact::Died));
    });
    assert_eq!(found, BTreeSet::new());
}

#[test]
fn no_duplicates_sees_a_release_delivered_twice_or_twice_in_an_outcome() {
    let a = release("a");
    assert_eq!(broken(|history| history.insert(5, (9, delivered(&a)))), only(Oracle::NoDuplicates));
    let found = broken(|history| history[6].1 = finished(Outcome::Complete, &[&a, &a]));
    assert_eq!(found, only(Oracle::NoDuplicates));
}

#[test]
fn authentic_sees_a_body_that_was_never_published() {
    let forged = release_with("a", 9);
    let found = broken(|history| {
        history[2].1 = came(PEER, &[&forged]);
        history[4].1 = delivered(&forged);
        history[6].1 = finished(Outcome::Complete, &[&forged]);
    });
    assert_eq!(found, only(Oracle::Authentic));
}

#[test]
fn authentic_sees_a_release_told_although_it_is_in_conflict() {
    let a = release("a");
    let found = broken(|history| {
        let mut told = outcome(Outcome::Complete, &[&a]);
        let conflict =
            crate::engine::Conflict { release: id(&a), first: a.clone(), second: release_with("a", 2) };
        told.conflicts.push(conflict);
        history[6].1 = Fact::Finished { query: QUERY, outcome: Box::new(told) };
    });
    assert_eq!(found, only(Oracle::Authentic));
}

#[test]
fn recall_sees_what_an_honest_answerer_told_in_vain() {
    let found = broken(|history| {
        history.remove(4);
        *history.last_mut().unwrap() = (9, finished(Outcome::Complete, &[]));
    });
    assert_eq!(found, only(Oracle::Recall));
}

#[test]
fn who_has_more_to_tell_has_not_told_all_that_it_holds() {
    let found = broken(|history| {
        history[2].1 = page(PEER, &[], Some(Cursor(Bytes::from_static(b"more"))));
        history.remove(4);
        *history.last_mut().unwrap() = (9, finished(Outcome::Complete, &[]));
    });
    assert_eq!(found, BTreeSet::new());
}

#[test]
fn recall_sees_what_was_delivered_and_then_lost_with_the_outcome() {
    let missing = Missing { answers: 1, names: 0, deadline: true };
    let found = broken(|history| history[6].1 = finished(Outcome::Partial(missing), &[]));
    assert_eq!(found, only(Oracle::Recall));
}

#[test]
fn recall_sees_an_outcome_filled_with_what_nobody_asked_for() {
    let b = release("b");
    let found = broken(|history| {
        history[2].1 = came(PEER, &[&b]);
        history[4].1 = delivered(&b);
        history[6].1 = finished(Outcome::Enough, &[&b]);
    });
    assert_eq!(found, only(Oracle::Recall));
}

#[test]
fn recall_must_be_one_in_a_quiet_run_however_the_search_ends() {
    let missing = Missing { answers: 1, names: 0, deadline: true };
    let history = vec![(0, began()), (0, finished(Outcome::Partial(missing), &[]))];
    assert_eq!(judge(history.clone(), &[], &world()), BTreeSet::new(), "faults may take it away");
    assert_eq!(judge(history, &[], &World { quiet: true, ..world() }), only(Oracle::Recall));
}

#[test]
fn recall_counts_over_the_smaller_of_limit_and_truth() {
    let mut judge = Judge::new(Duration::ZERO);
    let world = World { quiet: true, expected: ["a-1", "a-2", "a-3"].map(|name| id(&release(name))).into() };
    let asked = Asked::Search(Query::text("a", 2), 2);
    let (a, c) = (release("a-1"), release("a-3"));
    let local = |release: &Checked| Fact::Delivered { query: QUERY, release: release.clone(), from: None };
    for fact in [began_as(QUERY, asked, 9), local(&a), local(&c), finished(Outcome::Enough, &[&a, &c])] {
        judge.observe(&Seen { at: Timestamp::ZERO, node: ME, fact }, &world);
    }
    let (violations, _, judgement) = judge.finish(Timestamp::ZERO, &[]);
    assert_eq!(violations, []);
    assert_eq!((judgement.searches, judgement.recall()), (1, 1.0));
}

#[test]
fn nothing_left_sees_open_requests_and_held_things() {
    assert_eq!(
        broken(|history| {
            history.remove(5);
        }),
        only(Oracle::NothingLeft)
    );
    for change in [
        (|h: &mut Holding| h.requests = 1) as fn(&mut Holding),
        |h| h.buffered = 1,
        |h| h.gauges.requests = 1,
        |h| h.gauges.questions = 1,
        |h| h.gauges.waiting = 1,
    ] {
        let mut held = holding();
        change(&mut held);
        assert_eq!(judge(good(), &[held], &world()), only(Oracle::NothingLeft));
    }
}

#[test]
fn nothing_left_lets_an_application_do_its_own_work_within_its_time() {
    let with = |deadline| {
        let own = Fact::Submitted {
            request: RequestId(9),
            query: None,
            wanted: Wanted::Answer(PEER),
            question: Bytes::new(),
            deadline: Timestamp::from_millis(deadline),
        };
        broken(|history| history.push((900, own)))
    };
    assert_eq!(with(1001), BTreeSet::new());
    assert_eq!(with(999), only(Oracle::NothingLeft));
}

#[test]
fn metrics_that_do_not_add_up_or_disagree_are_seen() {
    let lost = Holding { started: 2, ..holding() };
    assert_eq!(judge(good(), &[lost], &world()), only(Oracle::MetricsAddUp));
    let miscounted = Holding { ended: [0, 0, 1, 0, 0], ..holding() };
    assert_eq!(judge(good(), &[miscounted], &world()), only(Oracle::MetricsAddUp));
}

#[test]
fn a_sum_of_times_that_was_not_seen_is_seen() {
    let with = |timed| judge(good(), &[Holding { timed, ..holding() }], &world());
    assert_eq!(with(Some((1, 0))), BTreeSet::new());
    assert_eq!(with(Some((2, 0))), only(Oracle::MetricsAddUp));
    assert_eq!(with(Some((1, 7))), only(Oracle::MetricsAddUp));
}

#[test]
fn a_stranger_with_anything_but_a_neutral_reputation_is_seen() {
    let with = |peer, score| judge(good(), &[Holding { scores: vec![(peer, score)], ..holding() }], &world());
    assert_eq!(with(OTHER, 0.5), BTreeSet::new());
    assert_eq!(with(OTHER, 1.0), only(Oracle::FairReputation));
    assert_eq!(with(PEER, 1.0), BTreeSet::new(), "it has answered");
}

#[test]
fn reputation_outside_its_range_or_of_oneself_is_seen() {
    for score in [(PEER, 1.01), (PEER, -0.01), (PEER, f64::NAN), (ME, 0.5)] {
        let held = Holding { scores: vec![score], ..holding() };
        assert_eq!(judge(good(), &[held], &world()), only(Oracle::FairReputation), "{score:?}");
    }
}

#[test]
fn a_charge_whose_cause_is_not_true_is_seen() {
    for (peer, cause) in [
        (PEER, Cause::TimedOut),
        (PEER, Cause::Malformed),
        (PEER, Cause::Forged),
        (OTHER, Cause::Answered),
        (ME, Cause::Answered),
    ] {
        let found = broken(|history| history[3].1 = charged(peer, cause, Some(REQUEST)));
        assert_eq!(found, only(Oracle::FairReputation), "{peer} {cause:?}");
    }
    let hostile = broken(|history| history.push((9, charged(OTHER, Cause::Malformed, None))));
    assert_eq!(hostile, BTreeSet::new());
}

#[test]
fn a_failure_is_charged_as_what_it_was_and_a_local_one_never() {
    let with = |failure, cause| {
        broken(|history| {
            history.truncate(2);
            // Only at its deadline does a request time out.
            let at = if failure == Failure::TimedOut { 50 } else { 9 };
            history.push((at, ended(Err(failure))));
            history.push((at, charged(PEER, cause, Some(REQUEST))));
            let missing = Missing { answers: 3, names: 0, deadline: false };
            history.push((at, finished(Outcome::Partial(missing), &[])));
        })
    };
    assert_eq!(with(Failure::TimedOut, Cause::TimedOut), BTreeSet::new());
    assert_eq!(with(Failure::Unreachable, Cause::Unreachable), BTreeSet::new());
    assert_eq!(with(Failure::Local, Cause::Unreachable), only(Oracle::FairReputation));
    assert_eq!(with(Failure::NotFound, Cause::Unreachable), only(Oracle::FairReputation));
    assert_eq!(with(Failure::TimedOut, Cause::Broken), only(Oracle::FairReputation));
}

#[test]
fn what_is_given_up_as_overdue_is_charged_and_what_is_given_up_before_is_not() {
    let with = |at, peer, cause| {
        broken(|history| {
            history.truncate(2);
            history.push((at, Fact::Cancelled { request: REQUEST }));
            history.push((at, charged(peer, cause, Some(REQUEST))));
            let missing = Missing { answers: 3, names: 0, deadline: false };
            history.push((at, finished(Outcome::Partial(missing), &[])));
        })
    };
    assert_eq!(with(50, PEER, Cause::TimedOut), BTreeSet::new());
    assert_eq!(with(49, PEER, Cause::TimedOut), only(Oracle::FairReputation), "its time was not up");
    assert_eq!(with(50, OTHER, Cause::TimedOut), only(Oracle::FairReputation), "another was asked");
    assert_eq!(with(50, PEER, Cause::Broken), only(Oracle::FairReputation), "nobody said so");
}

#[test]
fn no_rollback_sees_an_older_list_after_a_newer_one() {
    let with = |told: u64| {
        let mut ended = outcome(Outcome::Complete, &[]);
        ended.found = Found::List { list: Some(list(told)), stale: false };
        let asked = Asked::Get(Lookup::List(package("a")));
        let history = vec![
            (0, Fact::ListSeen { package: package("a"), sequence: 4 }),
            (1, began_as(QUERY, asked, 9)),
            (1, Fact::Finished { query: QUERY, outcome: Box::new(ended) }),
        ];
        judge(history, &[], &world())
    };
    assert_eq!(with(4), BTreeSet::new());
    assert_eq!(with(3), only(Oracle::NoRollback));
}

#[test]
fn a_record_stands_in_an_answer_when_all_of_it_does() {
    let record: Vec<u8> = (0..40).flat_map(|n| [n, 7]).collect();
    let answer = |parts: &[&[u8]]| parts.concat();
    let (front, end) = record.split_at(30);
    let not_that_end = [end, end].concat();
    for (item, stands) in [
        (answer(&[&record]), true),
        (answer(&[b"before", &record, b"after"]), true),
        (answer(&[end, &not_that_end, front, &record]), true),
        (answer(&[b"another front, as long as it was", end]), false),
        (answer(&[front, b"-", end]), false),
        (answer(&[front]), false),
        (Vec::new(), false),
    ] {
        assert_eq!(general::stands_in(&record, &item), stands, "{item:?}");
    }
    assert!(general::stands_in(&[1; 40], &[1; 41]) && general::stands_in(&[1; 5], &[1; 6]));
    assert!(!general::stands_in(&[1; 40], &[1; 39]) && !general::stands_in(&[1; 5], &[1; 4]));
}
