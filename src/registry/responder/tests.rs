//! Questions, their answers, and what fits into them.

use proptest::prelude::*;

use super::*;
use crate::message::Cursor;
use crate::package::{Package, PackageId, PackageName, ReleaseId, Version};
use crate::record::{MAX_ANNOUNCEMENT, Publisher, Record};
use crate::registry::catalogue::{Bounds, Pool};
use crate::time::Timestamp;

fn publisher(seed: u8) -> Publisher {
    Publisher::from_seed([seed; 32])
}

fn package(number: u64, description: usize) -> Package {
    let name = PackageName::new(format!("json-{number}")).unwrap();
    let package = PackageId { publisher: publisher(1).id(), name };
    Package {
        release: ReleaseId { package, version: Version::new(1, 0, 0) },
        title: String::new(),
        description: "x ".repeat(description / 2),
        categories: Vec::new(),
        tags: Vec::new(),
        licence: String::new(),
        digest: [0; 32],
        size: 0,
        created: WallTime::EPOCH,
    }
}

/// Holds `count` releases with descriptions of so many bytes.
fn responder(count: u64, description: usize) -> RegistryResponder {
    let verifier = Verifier::new(1000);
    let mut catalogue = Catalogue::new(Pool::new(), Bounds::default());
    for number in 1..=count {
        let release = publisher(1).release(&package(number, description), number).unwrap();
        catalogue.learn(&verifier.trust(release.into()), WallTime::from_millis(number));
    }
    RegistryResponder::new(catalogue, verifier)
}

fn limits(bytes: usize) -> AnswerLimits {
    AnswerLimits { bytes, now: Timestamp::ZERO, wall: WallTime::EPOCH }
}

fn ask(responder: &mut RegistryResponder, question: &Question, bytes: usize) -> AnswerBody {
    let asked = question.encode();
    let answer = responder.answer(&asked, limits(bytes)).unwrap();
    assert!(answer.len() <= bytes, "{} bytes of {bytes}", answer.len());
    let read = Answer::decode(&answer).unwrap();
    assert_eq!(read.to, Question::tag(&asked));
    read.body
}

fn search(limit: usize, after: Option<Cursor>) -> Question {
    Question::Search { query: Query::text("json", limit), after }
}

/// Everything that a search brings, followed to its end: names of records, names of names, answers.
fn all(responder: &mut RegistryResponder, limit: usize, bytes: usize) -> (Vec<String>, Vec<String>, usize) {
    let (mut whole, mut named, mut after, mut answers) = (Vec::new(), Vec::new(), None, 0);
    loop {
        let AnswerBody::Found { held, records, names, next, .. } =
            ask(responder, &search(limit, after), bytes)
        else {
            panic!("a search is answered by what was found");
        };
        assert_eq!(held, responder.catalogue().held());
        assert!(records.len() + names.len() <= limit);
        for record in records {
            let record = Verifier::new(0).check(&record).unwrap();
            whole.push(record.as_release().unwrap().package.release.to_string());
        }
        for name in names {
            let Some(keys::KeyName::Release(id)) = keys::parse(&name.key) else { panic!("a release's key") };
            assert!(name.held);
            named.push(id.to_string());
        }
        answers += 1;
        match next {
            Some(cursor) => after = Some(cursor),
            None => return (whole, named, answers),
        }
    }
}

#[test]
fn a_search_is_answered_with_whole_records_in_pages() {
    let mut own = responder(50, 10);
    let (whole, named, answers) = all(&mut own, 20, MAX_ANSWER);
    assert_eq!((whole.len(), named.len(), answers), (50, 0, 3));
    let mut sorted = whole.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), 50, "each once");
    let AnswerBody::Found { fresh, .. } = ask(&mut own, &search(1, None), MAX_ANSWER) else { panic!() };
    assert_eq!(fresh, WallTime::from_millis(50));
}

#[test]
fn what_does_not_fit_is_listed_by_name_and_can_be_asked_for() {
    let mut own = responder(30, 8000);
    let (whole, named, answers) = all(&mut own, 30, MAX_ANSWER);
    assert_eq!((whole.len() + named.len(), answers), (30, 1));
    assert!((6..=8).contains(&whole.len()), "{}", whole.len());
    let keys: Vec<Bytes> = (1..=30).map(|n| keys::release(&package(n, 0).release)).collect();
    let AnswerBody::Records { records } =
        ask(&mut own, &Question::Records { keys: keys[..10].to_vec() }, MAX_ANSWER)
    else {
        panic!("records");
    };
    assert_eq!(records.len(), 7, "as many as fit");
    let last = Question::Records { keys: vec![Bytes::from_static(b"/no/key"), keys[29].clone()] };
    let AnswerBody::Records { records } = ask(&mut own, &last, MAX_ANSWER) else { panic!("records") };
    assert_eq!(records.len(), 1);
    let (whole, named, answers) = all(&mut responder(500, 4000), 512, LEAST_BYTES);
    assert_eq!(whole.len() + named.len(), 500);
    assert!(answers > 3);
}

#[test]
fn heads_and_pages_are_answered_within_the_limit() {
    let mut own = responder(40, 2000);
    let AnswerBody::Heads { heads, more } = ask(&mut own, &Question::Heads { after: None }, LEAST_BYTES)
    else {
        panic!("heads");
    };
    assert_eq!((heads, more), (vec![(publisher(1).id(), 40)], false));
    let (mut from, mut got) = (1, Vec::new());
    loop {
        let question = Question::Page { publisher: publisher(1).id(), from };
        let AnswerBody::Page { statements, more } = ask(&mut own, &question, LEAST_BYTES) else {
            panic!("page")
        };
        for bytes in &statements {
            let Record::Release(release) = (*Verifier::new(0).check(bytes).unwrap()).clone() else {
                panic!()
            };
            got.push(release.number);
        }
        from = got.last().unwrap() + 1;
        if !more {
            break;
        }
    }
    assert_eq!(got, (1..=40).collect::<Vec<_>>());
}

#[test]
fn many_heads_come_in_parts_that_fit() {
    let mut catalogue = Catalogue::new(Pool::new(), Bounds::default());
    let seed = |n: u16| {
        let mut seed = [7; 32];
        seed[..2].copy_from_slice(&n.to_be_bytes());
        seed
    };
    let seeds: Vec<[u8; 32]> = (0..712).map(seed).collect();
    for seed in &seeds {
        let publisher = Publisher::from_seed(*seed);
        let mut package = package(1, 0);
        package.release.package.publisher = publisher.id();
        let release = publisher.release(&package, u64::MAX).unwrap();
        catalogue.learn(&std::sync::Arc::new(release.into()), WallTime::EPOCH);
    }
    let mut own = RegistryResponder::new(catalogue, Verifier::new(0));
    let (mut after, mut got, mut answers) = (None, 0, 0);
    loop {
        let AnswerBody::Heads { heads, more } = ask(&mut own, &Question::Heads { after }, LEAST_BYTES) else {
            panic!("heads");
        };
        (got, answers) = (got + heads.len(), answers + 1);
        after = heads.last().map(|(publisher, _)| *publisher);
        if !more {
            break;
        }
    }
    assert_eq!((got, answers), (own.catalogue().len(), 2));
    assert_eq!(got, seeds.len());
}

#[test]
fn hostile_questions_are_refused() {
    let mut own = responder(3, 10);
    let mut refused = |question: &[u8]| own.answer(question, limits(MAX_ANSWER)).unwrap_err();
    assert_eq!(refused(b""), Refusal::NotUnderstood);
    assert_eq!(refused(&[0x81; 8000]), Refusal::NotUnderstood);
    assert_eq!(refused(&vec![0; 9000]), Refusal::NotUnderstood);
    for cursor in [&b""[..], b"abc", b"0000/swarmproof/", &[0; 256]] {
        let after = Some(Cursor(Bytes::copy_from_slice(cursor)));
        assert_eq!(refused(&search(9, after).encode()), Refusal::NotUnderstood);
    }
    let list = [&[0; 4][..], &keys::list(&package(1, 0).release.package)].concat();
    assert_eq!(refused(&search(9, Some(Cursor(list.into()))).encode()), Refusal::NotUnderstood);
    assert_eq!(own.answer(&search(9, None).encode(), limits(LEAST_BYTES - 1)), Err(Refusal::Busy));
}

#[test]
fn announcements_are_checked_and_learned() {
    let mut own = responder(0, 0);
    let release = publisher(1).release(&package(1, 10), 1).unwrap();
    let key = keys::release(&release.package.release);
    let mut forged = release.bytes.to_vec();
    forged[100] ^= 1;
    own.announced(ANNOUNCE_TOPIC, &forged.into(), WallTime::EPOCH);
    own.announced(b"/other", &release.bytes, WallTime::EPOCH);
    assert!(own.catalogue().is_empty() && own.record(&key).is_none());
    own.announced(ANNOUNCE_TOPIC, &release.bytes, WallTime::from_millis(3));
    assert_eq!((own.catalogue().held(), own.catalogue().fresh()), (1, WallTime::from_millis(3)));
    assert_eq!(own.record(&key), Some(release.bytes));
    assert_eq!(own.record(b"/swarmproof/x"), None);

    let large = publisher(1).release(&package(2, 2 * MAX_ANNOUNCEMENT), 2).unwrap();
    let notice = publisher(1).announcement(&large).unwrap();
    own.announced(ANNOUNCE_TOPIC, &notice, WallTime::EPOCH);
    let AnswerBody::Found { records, names, .. } = ask(&mut own, &search(9, None), MAX_ANSWER) else {
        panic!()
    };
    assert_eq!(records.len(), 1);
    assert_eq!(names, [Name { key: keys::release(&large.package.release), held: false }]);
    own.forget();
    assert!(own.catalogue().is_empty() && own.record(&key).is_none());
}

#[test]
fn a_list_is_served_under_its_key() {
    let mut own = responder(1, 0);
    let id = package(1, 0).release.package;
    let list = publisher(1).list(&id, 1, WallTime::MAX, Vec::new()).unwrap();
    own.catalogue_mut().learn(&std::sync::Arc::new(list.clone().into()), WallTime::EPOCH);
    assert_eq!(own.record(&keys::list(&id)), Some(list.bytes));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_search_is_answered_whole_whatever_the_sizes(sizes in proptest::collection::vec(0..8000_usize, 1..24), limit in 1..40_usize, bytes in LEAST_BYTES..MAX_ANSWER) {
        let mut own = responder(0, 0);
        for (number, size) in (1..).zip(&sizes) {
            let release = publisher(1).release(&package(number, *size), number).unwrap();
            own.catalogue_mut().learn(&std::sync::Arc::new(release.into()), WallTime::EPOCH);
        }
        let (mut whole, named, _) = all(&mut own, limit, bytes);
        whole.extend(named);
        whole.sort();
        whole.dedup();
        prop_assert_eq!(whole.len(), sizes.len());
    }

    #[test]
    fn arbitrary_questions_never_panic(question in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = responder(1, 0).answer(&question, limits(MAX_ANSWER));
    }
}
