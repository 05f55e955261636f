//! `PROTOCOL.md` says what the code does. Its examples are taken out of it, read, verified and made anew; its
//! names and limits are the code's.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![cfg(all(feature = "net", feature = "cli"))]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;
use swarmproof::engine::EngineConfig;
use swarmproof::message::{
    Answer, AnswerBody, Cursor, MAX_ANSWER, MAX_ITEMS, MAX_QUESTION, MessageError, Name, Question,
};
use swarmproof::net::{ASK_PROTOCOL, DHT_PROTOCOL, FAMILY, NetConfig};
use swarmproof::package::{
    MAX_DESCRIPTION, MAX_LABEL, MAX_LABELS, MAX_LICENCE, MAX_TITLE, MAX_VERSION, Package, PackageId,
    PackageName, PublisherId, Query, ReleaseId, Version,
};
use swarmproof::record::{
    ANNOUNCE_TOPIC, Digest, MAX_ANNOUNCEMENT, MAX_LIST, MAX_RECORD, Publisher, Record, RecordError, Says,
    Verifier, keys,
};
use swarmproof::registry::{Quota, ServeConfig};
use swarmproof::time::WallTime;

fn text() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("PROTOCOL.md")).unwrap()
}

/// The one fenced block that opens with these words.
fn block(opens: &str) -> String {
    let text = text();
    let fence = format!("```{opens}\n");
    let mut found = text.split(&fence).skip(1);
    let block = found.next().unwrap_or_else(|| panic!("PROTOCOL.md has no block `{opens}`"));
    assert!(found.next().is_none(), "PROTOCOL.md has two blocks `{opens}`");
    block.split("\n```").next().unwrap().to_owned()
}

/// The bytes that a block of hexadecimal digits spells. What follows a `#` is a remark.
fn hex(name: &str) -> Vec<u8> {
    lines_of_hex(name).concat()
}

fn lines_of_hex(name: &str) -> Vec<Vec<u8>> {
    let block = block(&format!("hex {name}"));
    let digits = block.lines().map(|line| line.split('#').next().unwrap().trim());
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let lines = digits.map(|line| {
        assert_eq!(line.len() % 2, 0, "{name}: {line}");
        line.as_bytes().chunks_exact(2).map(byte).collect()
    });
    lines.collect()
}

/// The rows of the table under a heading, as they are written.
fn rows(heading: &str) -> Vec<String> {
    let text = text();
    let section = text.split(&format!("\n## {heading}\n")).nth(1).unwrap_or_else(|| panic!("no {heading}"));
    let section = section.split("\n## ").next().unwrap();
    section.lines().filter(|line| line.starts_with('|')).skip(2).map(str::to_owned).collect()
}

fn cells(row: &str) -> Vec<String> {
    row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// The cells of the table under a heading, without backticks.
fn table(heading: &str) -> Vec<Vec<String>> {
    rows(heading).iter().map(|row| cells(&row.replace('`', ""))).collect()
}

fn publisher() -> Publisher {
    Publisher::from_seed(hex("seed").try_into().unwrap())
}

/// A record's example, verified under its key, or as what it is where it has none.
fn verified(name: &str, key: Option<&str>) -> Record {
    let verifier = Verifier::new(0);
    let bytes = hex(name);
    let checked = match key {
        Some(key) => verifier.check_under(block(&format!("key {key}")).as_bytes(), &bytes),
        None => verifier.check(&bytes),
    };
    let checked = checked.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(verifier.signatures_checked(), 1);
    (*checked).clone()
}

#[test]
fn names_are_the_codes() {
    let topic = std::str::from_utf8(ANNOUNCE_TOPIC).unwrap();
    let names = [
        ("Kademlia protocol", DHT_PROTOCOL),
        ("Question protocol", ASK_PROTOCOL),
        ("Protocol family, as identify says it", FAMILY),
        ("Announcement topic", topic),
        ("Namespace of keys", keys::NAMESPACE),
    ];
    assert_eq!(table("Names"), names.map(|(what, name)| vec![what.to_owned(), name.to_owned()]));
}

/// The table, each bound tried: the value itself passes, one more is refused, by the reader that a stranger meets.
#[test]
fn limits_are_the_codes() {
    let limits = [
        ("A record", MAX_RECORD),
        ("An announcement, and a notice", MAX_ANNOUNCEMENT),
        ("Nesting of maps and lists: an envelope", deepest(record_is_too_deep_outside)),
        ("Nesting of maps and lists: a body", deepest(record_is_too_deep_inside)),
        ("A key", keys::MAX_KEY),
        ("A name", PackageName::MAX),
        ("A version", MAX_VERSION),
        ("A title", MAX_TITLE),
        ("A description", MAX_DESCRIPTION),
        ("Categories, and tags", MAX_LABELS),
        ("One category or tag", MAX_LABEL),
        ("A licence", MAX_LICENCE),
        ("Entries of a list of releases", MAX_LIST),
        ("A question", MAX_QUESTION),
        ("An answer", MAX_ANSWER),
        ("Nesting of maps and lists: a question or an answer", deepest(message_is_too_deep)),
        ("Items of any list in a question or an answer", MAX_ITEMS),
        ("The text of a search", Query::MAX_TEXT),
        ("A cursor", Cursor::MAX),
    ];
    assert_eq!(table("Limits"), limits.map(|(what, most)| vec![what.to_owned(), most.to_string()]));
    let net = NetConfig::default();
    assert_eq!((net.record_bytes, net.announcement_bytes), (MAX_RECORD, MAX_ANNOUNCEMENT));
    assert!(net.key_bytes >= keys::MAX_KEY && net.question_bytes >= MAX_QUESTION);
    assert_eq!(net.answer_bytes, MAX_ANSWER);
    assert_eq!(net.stored_for.as_secs(), 48 * 3600, "PROTOCOL.md says how long a record is kept");
}

#[test]
fn bounds_for_one_peer_are_the_defaults() {
    let (net, serve, engine) = (NetConfig::default(), ServeConfig::default(), EngineConfig::default());
    let rate = |quota: Quota| (1.0 / quota.every.as_secs_f64()).round() as u64;
    let bounds = [
        ("Connections", u64::from(net.connections_with_one)),
        ("Questions in flight", net.questions_from_one as u64),
        (
            "Bytes a second: questions, their answers, records and announcements, and 512 more for each",
            net.bytes_from_one,
        ),
        ("Such bytes at once, after a silence", net.burst_from_one),
        ("Announcements a second, whoever published", rate(serve.peer_quota)),
        ("Such announcements at once, after a silence", serve.peer_quota.burst.into()),
        ("Announcements a second of one publisher", rate(serve.publisher_quota)),
        ("Such announcements at once, after a silence", serve.publisher_quota.burst.into()),
        ("Seconds in which a ping must be answered, or its connection is closed", net.ping.as_secs()),
        ("Seconds in which what it did wrong comes to count half", engine.half_life.as_secs()),
        (
            "Ill-made things for which it is blocked; a forgery counts twice",
            engine.malformed_threshold.into(),
        ),
        ("Seconds that it is blocked", engine.block_for.as_secs()),
    ];
    let told = table("What a node lets one peer do");
    assert_eq!(told, bounds.map(|(what, most)| vec![what.to_owned(), most.to_string()]));
}

/// How many lists may stand in one another before `too_deep` says so.
fn deepest(too_deep: impl Fn(&[u8]) -> bool) -> usize {
    let nested = |depth: usize| [vec![0x81; depth - 1], vec![0x80]].concat();
    (1..20).find(|depth| too_deep(&nested(*depth))).unwrap() - 1
}

fn record_is_too_deep_outside(nested: &[u8]) -> bool {
    Verifier::new(0).check(nested) == Err(RecordError::TooDeep)
}

fn record_is_too_deep_inside(nested: &[u8]) -> bool {
    Verifier::new(0).check(&envelope(nested, &[0; 32], &[0; 64])) == Err(RecordError::TooDeep)
}

fn message_is_too_deep(nested: &[u8]) -> bool {
    Question::decode(nested) == Err(MessageError::TooDeep)
}

/// The envelope as PROTOCOL.md describes it, put together by hand.
fn envelope(body: &[u8], key: &[u8], signature: &[u8]) -> Vec<u8> {
    let length = match body.len() {
        length @ 0..24 => vec![0x40 | u8::try_from(length).unwrap()],
        length => vec![0x58, u8::try_from(length).unwrap()],
    };
    let parts: [&[u8]; 9] =
        [b"\xa4\x61b", &length, body, b"\x61k\x58\x20", key, b"\x61s\x58\x40", signature, b"\x61v", &[1]];
    parts.concat()
}

#[test]
fn the_example_of_a_release_is_what_its_publisher_signs() {
    let Record::Release(release) = verified("release", Some("release")) else { panic!("no release") };
    assert_eq!(release.digest.0.to_vec(), hex("release-digest"));
    let told: Value = serde_json::from_str(&block("json release")).unwrap();
    let list = |key: &str| -> Vec<String> { serde_json::from_value(told[key].clone()).unwrap() };
    let word = |key: &str| told[key].as_str().unwrap().to_owned();
    let digest: PublisherId = word("digest").parse().unwrap();
    let package = Package {
        release: ReleaseId {
            package: PackageId {
                publisher: PublisherId::new(hex("publisher").try_into().unwrap()),
                name: PackageName::new(word("name")).unwrap(),
            },
            version: word("version").parse().unwrap(),
        },
        title: word("title"),
        description: word("description"),
        categories: list("categories"),
        tags: list("tags"),
        licence: word("licence"),
        digest: *digest.as_bytes(),
        size: told["size"].as_u64().unwrap(),
        created: WallTime::from_millis(told["created"].as_u64().unwrap()),
    };
    assert_eq!(release.package, package);
    assert_eq!(Digest::of(b"hello\n").0, package.digest, "the digest is that of some content");
    let number = told["number"].as_u64().unwrap();
    assert_eq!(publisher().release(&package, number).unwrap(), release);
    assert_eq!(keys::release(&package.release), block("key release"));
    assert_eq!(told.as_object().unwrap().len(), 11);
}

#[test]
fn the_signature_is_over_the_prefix_and_the_body_and_nothing_else() {
    let record = hex("release");
    let (body, rest) = record[5..].split_at(usize::from(record[4]));
    let (key, signature) = (&rest[4..36], &rest[40..104]);
    assert_eq!(envelope(body, key, signature), record, "the envelope is as it is described");
    assert_eq!(key, hex("publisher"));
    let prefix = hex("prefix");
    assert_eq!((prefix.as_slice(), prefix.len()), (&b"swarmproof record v1\0"[..], 21));
    let key = VerifyingKey::from_bytes(key.try_into().unwrap()).unwrap();
    let signature = Signature::from_bytes(signature.try_into().unwrap());
    assert!(key.verify_strict(&[&prefix, body].concat(), &signature).is_ok());
    assert!(key.verify_strict(body, &signature).is_err());
}

#[test]
fn not_one_bit_of_an_example_can_be_changed() {
    for name in ["release", "list", "notice"] {
        let good = hex(name);
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(Verifier::new(0).check(&bad).is_err(), "{name}: byte {at}");
        }
    }
}

#[test]
fn the_example_of_a_list_holds_the_release() {
    let Record::List(list) = verified("list", Some("list")) else { panic!("no list") };
    assert_eq!(keys::list(&list.package), block("key list"));
    let [entry] = list.entries.as_slice() else { panic!("one entry") };
    assert_eq!((entry.digest.0.to_vec(), entry.yanked), (hex("release-digest"), false));
    let again = publisher().list(&list.package, list.sequence, list.valid_until, list.entries.clone());
    assert_eq!(again.unwrap(), list);
}

#[test]
fn the_example_of_a_notice_takes_the_release_back() {
    let Record::Notice(notice) = verified("notice", None) else { panic!("no notice") };
    let Record::Release(release) = verified("release", Some("release")) else { panic!("no release") };
    assert_eq!((&notice.release, notice.says), (&release.package.release, Says::Yanked));
    assert_eq!(notice.number, release.number + 1);
    let again =
        publisher().notice(&notice.release, notice.number, Says::Yanked, &notice.categories, &notice.tags);
    assert_eq!(again.unwrap(), notice);
    // The other thing that a notice can say, as the table spells it.
    let says = Says::Published(release.digest);
    let other = publisher().notice(&notice.release, 3, says, &[], &[]).unwrap();
    let spelt = [b"\x64says\xa1\x69published\x58\x20".as_slice(), &release.digest.0].concat();
    assert!(other.bytes.windows(spelt.len()).any(|window| window == spelt));
}

#[test]
fn the_examples_of_questions_and_answers_are_what_is_said() {
    let question = hex("question");
    let asked = Question::decode(&question).unwrap();
    assert_eq!(asked, Question::Search { query: Query::text("hello", 20), after: None });
    assert_eq!(asked.encode(), question);
    let answer = Answer::decode(&hex("answer")).unwrap();
    let name = Name { key: block("key release").into(), held: true };
    let AnswerBody::Found { held: 1, names, records, next: None, .. } = &answer.body else {
        panic!("{answer:?}")
    };
    assert_eq!((names.as_slice(), records.len()), (&[name][..], 0));
    assert_eq!((answer.to, answer.encode().to_vec()), (Question::tag(&question), hex("answer")));

    let question = hex("heads");
    assert_eq!(Question::decode(&question), Ok(Question::Heads { after: None }));
    let answer = Answer::decode(&hex("heads-answer")).unwrap();
    let body = AnswerBody::Heads { heads: vec![(publisher().id(), 2)], more: false };
    assert_eq!(answer, Answer { to: Question::tag(&question), body });
    assert_eq!(answer.encode(), hex("heads-answer"));
}

/// The frames are tried on the wire by `tests/js`; here, that they fit the bodies they stand before.
#[test]
fn the_frames_have_the_lengths_of_their_bodies() {
    let frames = [("question-frame", "question"), ("answer-frame", "answer")];
    for (frame, body) in frames {
        let length: [u8; 4] = hex(frame)[..4].try_into().unwrap();
        assert_eq!(u32::from_be_bytes(length) as usize, hex(body).len(), "{frame}");
    }
    assert_eq!(hex("question-frame")[4..], 10_000_u32.to_be_bytes());
    assert_eq!(hex("answer-frame")[4..], [0]);
}

/// The questions and answers of the table, each with the keys that the code writes.
#[test]
fn the_table_of_questions_names_every_key() {
    let publisher = publisher().id();
    let cursor = || Some(Cursor(vec![1].into()));
    let questions = [
        Question::Search { query: Query::text("x", 1), after: cursor() },
        Question::Records { keys: vec![] },
        Question::Heads { after: Some(publisher) },
        Question::Page { publisher, from: 1 },
    ];
    let name = Name { key: vec![1].into(), held: true };
    let answers = [
        AnswerBody::Found {
            held: 1,
            fresh: WallTime::EPOCH,
            records: vec![],
            names: vec![name],
            next: cursor(),
        },
        AnswerBody::Records { records: vec![] },
        AnswerBody::Heads { heads: vec![], more: true },
        AnswerBody::Page { statements: vec![], more: true },
    ];
    let rows = rows("Questions and answers");
    assert_eq!(rows.len(), 4);
    for ((question, answer), row) in questions.iter().zip(answers).zip(rows) {
        let [asked, told, kind, fields] = cells(&row).try_into().unwrap();
        let answer = Answer { to: [0; 8], body: answer }.encode();
        let mut written = keys_in(&question.encode());
        written.sort();
        assert_eq!(written, ticked(&[asked, told]));
        let mut written = keys_in(&answer);
        // What stands around every answer, and in a name, is told in the text.
        written.retain(|key| !["to", "body", "key"].contains(&key.as_str()));
        written.sort();
        written.dedup();
        assert_eq!(written, ticked(&[kind, fields]));
    }
}

/// The words between backticks, in order, each once.
fn ticked(cells: &[String]) -> Vec<String> {
    let words = cells.iter().flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let mut words: Vec<String> = words.map(str::to_owned).collect();
    words.sort();
    words.dedup();
    words
}

/// The keys of all maps in `bytes`.
fn keys_in(bytes: &[u8]) -> Vec<String> {
    fn walk(value: &cbor::Value, keys: &mut Vec<String>) {
        match value {
            cbor::Value::Map(pairs) => {
                for (key, value) in pairs {
                    keys.push(key.clone());
                    walk(value, keys);
                }
            }
            cbor::Value::List(items) => items.iter().for_each(|item| walk(item, keys)),
            cbor::Value::Leaf => {}
        }
    }
    let mut keys = Vec::new();
    walk(&cbor::read(bytes), &mut keys);
    assert!(!keys.is_empty());
    keys
}

#[path = "protocol/cbor.rs"]
mod cbor;

#[test]
fn the_weak_points_are_weak_and_no_record_can_be_signed_with_them() {
    let listed = lines_of_hex("small-order");
    assert_eq!(listed.len(), 7);
    for point in listed {
        for highest in [0, 0x80] {
            let mut key: [u8; 32] = point.clone().try_into().unwrap();
            key[31] ^= highest;
            let weak = VerifyingKey::from_bytes(&key).is_ok_and(|key| key.is_weak());
            let none = VerifyingKey::from_bytes(&key).is_err();
            assert!(weak || none, "{key:02x?}");
            let record = hex("release");
            let body = &record[5..5 + usize::from(record[4])];
            // With the neutral point for R and zero for S such a signature would verify without the check.
            let mut signature = [0; 64];
            signature[0] = 1;
            let forged = envelope(body, &key, &signature);
            assert_eq!(Verifier::new(0).check(&forged).unwrap_err(), RecordError::BadPublicKey, "{key:02x?}");
        }
    }
}

#[test]
fn versions_are_in_the_order_that_is_told() {
    let block = block("versions");
    let versions: Vec<Version> = block.split_whitespace().map(|it| it.parse().unwrap()).collect();
    assert!(versions.len() > 10 && versions.is_sorted_by(|a, b| a < b), "{versions:?}");
    let entry = |version: &Version| swarmproof::record::ListEntry {
        version: version.clone(),
        digest: Digest([0; 32]),
        yanked: false,
    };
    let package = PackageId { publisher: publisher().id(), name: PackageName::new("x").unwrap() };
    let backwards: Vec<_> = versions.iter().rev().map(entry).collect();
    let list = publisher().list(&package, 1, WallTime::EPOCH, backwards).unwrap();
    assert_eq!(list.entries.iter().map(|it| it.version.clone()).collect::<Vec<_>>(), versions);
    assert!(Verifier::new(0).check(&list.bytes).is_ok());
}

/// The keys of every kind of record stand in the tables, and no others.
#[test]
fn the_tables_of_records_name_every_key() {
    let mut told: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (kind, heading) in [
        ("envelope", "### The envelope\n"),
        ("release", "### A release\n"),
        ("list", "### A list of releases\n"),
        ("notice", "### A notice\n"),
    ] {
        let text = text();
        let section = text.split(heading).nth(1).unwrap().split("\n##").next().unwrap().to_owned();
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        told.insert(kind, rows.map(|row| row.split('`').nth(1).unwrap().to_owned()).collect());
    }
    for (kind, within) in
        [("release", vec![]), ("list", vec!["version", "digest", "yanked"]), ("notice", vec![])]
    {
        let record = hex(kind);
        let mut outside = keys_in(&record);
        outside.sort();
        assert_eq!(outside, told["envelope"], "the envelope of a {kind}");
        let mut inside = keys_in(&record[5..5 + usize::from(record[4])]);
        let mut wanted = [told[kind].clone(), vec![kind.to_owned()]].concat();
        wanted.extend(within.into_iter().map(str::to_owned));
        // A list's entries have keys of their own, described in words below its table.
        wanted.sort();
        inside.sort();
        assert_eq!(inside, wanted, "the body of a {kind}");
    }
}
