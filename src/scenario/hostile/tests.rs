use super::*;
use crate::message::MAX_ANSWER;
use crate::package::Query;
use crate::record::{ListEntry, RecordError};
use crate::registry::catalogue::{Bounds, Catalogue, Pool};
use crate::registry::responder::RegistryResponder;
use crate::scenario::synthetic::Synthetic;
use crate::time::Timestamp;

const WALL: WallTime = WallTime::from_millis(1_767_225_600_000);

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Checked>>>);

impl Confidant for Heard {
    fn signed(&self, record: &Checked) {
        self.0.lock().unwrap().push(record.clone());
    }
}

struct World {
    releases: Vec<Checked>,
    list: Checked,
    honest: RegistryResponder,
    forger: Forger,
    heard: Heard,
    told: Told,
}

fn world() -> World {
    let publisher = Publisher::from_seed([1; 32]);
    let verifier = Verifier::new(1000);
    let mut catalogue = Catalogue::new(Pool::new(), Bounds::default());
    let mut releases = Vec::new();
    for (listing, number) in Synthetic::new(1).listings(1, 1, 1, 0.0).into_iter().cycle().take(3).zip(1..) {
        let mut package = listing.package(publisher.id(), WALL);
        package.release.version = Version::new(number, 0, 0);
        "common".clone_into(&mut package.title);
        let record = verifier.trust(Record::Release(publisher.release(&package, number).unwrap()));
        catalogue.learn(&record, WALL);
        releases.push(record);
    }
    let entries = releases.iter().map(|record| match &**record {
        Record::Release(release) => ListEntry {
            version: release.package.release.version.clone(),
            digest: release.digest,
            yanked: false,
        },
        _ => unreachable!(),
    });
    let Record::Release(first) = &*releases[0] else { unreachable!() };
    let list = publisher.list(&first.package.release.package, 4, WALL, entries.collect()).unwrap();
    let list = verifier.trust(Record::List(list));
    let heard = Heard::default();
    World {
        releases,
        forger: Forger::new(verifier.clone(), [publisher], [list.clone()], 9, Box::new(heard.clone())),
        list,
        honest: RegistryResponder::new(catalogue, verifier),
        heard,
        told: Told::default(),
    }
}

impl World {
    fn liar(&self, kinds: &[Lie]) -> Liar {
        let honest = Box::new(self.honest.clone());
        Liar::new(honest, self.forger.clone(), kinds.to_vec(), self.told.clone(), 7, NodeId(3))
    }
}

fn limits() -> AnswerLimits {
    AnswerLimits { bytes: MAX_ANSWER, now: Timestamp::ZERO, wall: WALL }
}

fn ask(responder: &mut dyn Responder, question: &Question) -> Answer {
    Answer::decode(&responder.answer(&question.encode(), limits()).unwrap()).unwrap()
}

fn search() -> Question {
    Question::Search { query: Query::text("common", 10), after: None }
}

fn found(answer: &Answer) -> (&[Bytes], &[Name]) {
    match &answer.body {
        AnswerBody::Found { records, names, .. } => (records, names),
        other => panic!("{other:?}"),
    }
}

/// A judge that has seen none of it before.
fn verdict(record: &Bytes) -> Result<Checked, RecordError> {
    Verifier::new(0).check(record)
}

#[test]
fn each_lie_is_what_it_says_and_nothing_else() {
    let world = world();
    for lie in [Lie::BadSignature, Lie::ForgedPublisher] {
        let answer = ask(&mut world.liar(&[lie]), &search());
        assert_eq!(found(&answer).0.len(), 3);
        for record in found(&answer).0 {
            assert_eq!(verdict(record), Err(RecordError::BadSignature), "{lie:?}");
        }
        assert_eq!(answer.to, Question::tag(&search().encode()));
        assert_eq!(world.told.of(lie), 1);
    }
    let answer = ask(&mut world.liar(&[Lie::TwoBodies]), &search());
    let true_answer = ask(&mut world.honest.clone(), &search());
    for (other, record) in found(&answer).0.iter().zip(found(&true_answer).0) {
        let (Record::Release(other), Record::Release(record)) =
            (&*verdict(other).unwrap(), &*verdict(record).unwrap())
        else {
            panic!("releases")
        };
        assert_eq!((&other.package.release, other.number), (&record.package.release, record.number));
        assert_ne!(other.digest, record.digest);
    }
    assert_eq!(world.heard.0.lock().unwrap().len(), 3, "the truth hears of each second body once");
    let answer = ask(&mut world.liar(&[Lie::PointerToNothing]), &search());
    assert_eq!(found(&answer).0, found(&true_answer).0);
    for name in found(&answer).1 {
        assert!(name.held && world.honest.catalogue().under(&name.key).is_none());
    }
    assert_eq!(found(&answer).1.len(), 3);
    let answer = ask(&mut world.liar(&[Lie::AnotherQuestion]), &search());
    assert_ne!(answer.to, Question::tag(&search().encode()));
    assert_eq!(world.told.in_all(), 5);
}

#[test]
fn an_older_list_is_one_that_its_publisher_signed() {
    let world = world();
    let key = keys::of(&world.list).unwrap();
    let told = world.liar(&[Lie::StaleSequence]).record(&key).unwrap();
    let Record::List(older) = &*verdict(&told).unwrap() else { panic!("a list") };
    assert_eq!((older.sequence, older.entries.len()), (3, 2));
    assert_eq!(world.told.of(Lie::StaleSequence), 1);
    let forged = world.liar(&[Lie::ForgedPublisher]).record(&key).unwrap();
    assert_eq!(verdict(&forged), Err(RecordError::BadSignature));
}

#[test]
fn what_no_lie_applies_to_stays_honest_and_is_not_counted() {
    let world = world();
    let mut liar = world.liar(&[Lie::StaleSequence]);
    assert_eq!(ask(&mut liar, &search()), ask(&mut world.honest.clone(), &search()));
    let heads = Question::Heads { after: None };
    let mut liar = world.liar(&[Lie::BadSignature, Lie::TwoBodies]);
    assert_eq!(ask(&mut liar, &heads), ask(&mut world.honest.clone(), &heads));
    assert_eq!(liar.record(b"/swarmproof/none"), None);
    assert!(liar.answer(b"no question", limits()).is_err());
    assert_eq!(world.told.in_all(), 0);
    let mut none = world.liar(&[]);
    assert_eq!(ask(&mut none, &search()), ask(&mut world.honest.clone(), &search()));
    assert_eq!(world.told.in_all(), 0);
}

#[test]
fn lies_take_turns_by_chance_and_the_same_each_time() {
    let tell = || {
        let world = world();
        let mut liar = world.liar(&Lie::ALL);
        let answers: Vec<Answer> = (0..60).map(|_| ask(&mut liar, &search())).collect();
        let told: Vec<u64> = Lie::ALL.iter().map(|lie| world.told.of(*lie)).collect();
        (answers, told)
    };
    let (answers, told) = tell();
    assert_eq!((answers, told.clone()), tell());
    // In a search's answer there is no list to be stale.
    assert_eq!(told[2], 0);
    assert!([0, 1, 3, 4, 5].iter().all(|at| told[*at] > 3), "{told:?}");
}

#[test]
fn what_is_insisted_on_is_always_told() {
    let world = world();
    let key = keys::of(&world.releases[1]).unwrap();
    let other = world.forger.forge(Lie::TwoBodies, world.releases[1].bytes()).unwrap();
    let mut liar = world.liar(&[]).insisting_on(key.clone(), Lie::TwoBodies, other.clone());
    assert_eq!(liar.record(&key), Some(other.clone()));
    let answer = ask(&mut liar, &search());
    let told = found(&answer).0;
    assert_eq!(told.iter().filter(|record| **record == other).count(), 1);
    assert!(!told.contains(world.releases[1].bytes()));
    assert!(told.contains(world.releases[0].bytes()));
    let publisher = match &*world.releases[0] {
        Record::Release(release) => release.package.release.package.publisher,
        _ => unreachable!(),
    };
    let page = ask(&mut liar, &Question::Page { publisher, from: 1 });
    assert!(matches!(page.body, AnswerBody::Page { statements, .. } if statements.contains(&other)));
    assert_eq!(world.told.of(Lie::TwoBodies), 3);
}
