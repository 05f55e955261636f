//! Messages: round trips, limits, and bytes that are none.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::package::{PublisherId, Query};
use crate::record::{MAX_RECORD, keys};
use crate::time::WallTime;

fn search() -> Question {
    let query = Query { categories: vec!["c".into()], tags: vec!["t".into()], ..Query::text("json", 20) };
    Question::Search { query, after: Some(Cursor(Bytes::from_static(b"here"))) }
}

fn found(records: Vec<Bytes>, names: Vec<Name>) -> Answer {
    let body = AnswerBody::Found { held: 3, fresh: WallTime::MAX, records, names, next: None };
    Answer { to: [1; 8], body }
}

fn bytes(most: usize) -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..most).prop_map(Bytes::from)
}

fn questions() -> impl Strategy<Value = Question> {
    let publisher = any::<[u8; 32]>().prop_map(PublisherId::new);
    let labels = || vec("[a-z]{1,9}", 0..4);
    let query = ("[a-zä ]{0,30}x", labels(), labels(), 1..u32::MAX)
        .prop_map(|(text, categories, tags, limit)| Query { text, categories, tags, limit: limit as usize });
    prop_oneof![
        (query, proptest::option::of(bytes(256)))
            .prop_map(|(query, after)| Question::Search { query, after: after.map(Cursor) }),
        vec(bytes(keys::MAX_KEY), 0..20).prop_map(|keys| Question::Records { keys }),
        proptest::option::of(publisher.clone()).prop_map(|after| Question::Heads { after }),
        (publisher, any::<u64>()).prop_map(|(publisher, from)| Question::Page { publisher, from }),
    ]
}

fn answers() -> impl Strategy<Value = Answer> {
    let names = vec((bytes(keys::MAX_KEY), any::<bool>()).prop_map(|(key, held)| Name { key, held }), 0..6);
    let heads =
        proptest::collection::btree_map(any::<[u8; 32]>().prop_map(PublisherId::new), any::<u64>(), 0..20);
    let next = proptest::option::of(bytes(256).prop_map(Cursor));
    let body = prop_oneof![
        (any::<u64>(), any::<u64>(), vec(bytes(300), 0..9), names, next).prop_map(
            |(held, fresh, records, names, next)| {
                AnswerBody::Found { held, fresh: WallTime::from_millis(fresh), records, names, next }
            }
        ),
        vec(bytes(300), 0..9).prop_map(|records| AnswerBody::Records { records }),
        (heads, any::<bool>())
            .prop_map(|(heads, more)| AnswerBody::Heads { heads: heads.into_iter().collect(), more }),
        (vec(bytes(300), 0..9), any::<bool>())
            .prop_map(|(statements, more)| AnswerBody::Page { statements, more }),
    ];
    (any::<[u8; 8]>(), body).prop_map(|(to, body)| Answer { to, body })
}

proptest! {
    #[test]
    fn questions_round_trip(question in questions()) {
        prop_assert_eq!(Question::decode(&question.encode()), Ok(question));
    }

    #[test]
    fn answers_round_trip(answer in answers()) {
        prop_assert_eq!(Answer::decode(&answer.encode()), Ok(answer));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..500)) {
        let _ = (Question::decode(&bytes), Answer::decode(&bytes));
    }

    #[test]
    fn changed_bytes_never_panic_and_have_one_spelling(question in questions(), answer in answers(), at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let change = |bytes: Bytes| {
            let mut bytes = bytes.to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            bytes
        };
        let (asked, answered) = (change(question.encode()), change(answer.encode()));
        if let Ok(read) = Question::decode(&asked) {
            prop_assert_eq!(read.encode(), asked);
        }
        if let Ok(read) = Answer::decode(&answered) {
            prop_assert_eq!(read.encode(), answered);
        }
    }

    #[test]
    fn a_message_cut_off_is_refused(question in questions(), answer in answers(), at in any::<prop::sample::Index>()) {
        let (asked, answered) = (question.encode(), answer.encode());
        prop_assert!(Question::decode(&asked[..at.index(asked.len())]).is_err());
        prop_assert!(Answer::decode(&answered[..at.index(answered.len())]).is_err());
    }
}

#[test]
fn a_question_is_held_to_every_limit() {
    assert_eq!(Question::decode(&search().encode()), Ok(search()));
    assert_eq!(Question::decode(&vec![0; MAX_QUESTION + 1]), Err(MessageError::TooLarge));
    let key = |length| Question::Records { keys: vec![vec![b'k'; length].into()] }.encode();
    assert!(Question::decode(&key(keys::MAX_KEY)).is_ok());
    assert_eq!(Question::decode(&key(keys::MAX_KEY + 1)), Err(MessageError::OverLimit));
    let many = |count| Question::Records { keys: vec![Bytes::new(); count] }.encode();
    assert!(Question::decode(&many(MAX_ITEMS)).is_ok());
    assert_eq!(Question::decode(&many(MAX_ITEMS + 1)), Err(MessageError::OverLimit));
    let asked = |query: Query, cursor: usize| {
        let after = Some(Cursor(vec![0; cursor].into()));
        Question::decode(&Question::Search { query, after }.encode()).map(|_| ())
    };
    assert_eq!(asked(Query::text("a", 1), Cursor::MAX), Ok(()));
    assert_eq!(asked(Query::text("a", 1), Cursor::MAX + 1), Err(MessageError::OverLimit));
    for bad in [Query::text("", 1), Query::text("a", 0), Query::text("x".repeat(257), 1)] {
        assert_eq!(asked(bad, 1), Err(MessageError::OverLimit));
    }
}

#[test]
fn an_answer_is_held_to_every_limit() {
    let of = |answer: Answer| Answer::decode(&answer.encode()).map(|_| ());
    assert_eq!(Answer::decode(&vec![0; MAX_ANSWER + 1]), Err(MessageError::TooLarge));
    assert_eq!(of(found(vec![vec![0; MAX_RECORD].into()], vec![])), Ok(()));
    assert_eq!(of(found(vec![vec![0; MAX_RECORD + 1].into()], vec![])), Err(MessageError::OverLimit));
    assert_eq!(of(found(vec![Bytes::new(); MAX_ITEMS + 1], vec![])), Err(MessageError::OverLimit));
    let name = |length| Name { key: vec![b'k'; length].into(), held: true };
    assert_eq!(of(found(vec![], vec![name(keys::MAX_KEY)])), Ok(()));
    assert_eq!(of(found(vec![], vec![name(keys::MAX_KEY + 1)])), Err(MessageError::OverLimit));
    let page = |statements| Answer { to: [0; 8], body: AnswerBody::Page { statements, more: false } };
    assert_eq!(of(page(vec![vec![0; MAX_RECORD + 1].into()])), Err(MessageError::OverLimit));
    let heads = |keys: [u8; 2]| {
        let heads = keys.map(|key| (PublisherId::new([key; 32]), 1)).to_vec();
        Answer { to: [0; 8], body: AnswerBody::Heads { heads, more: true } }
    };
    assert_eq!(of(heads([1, 2])), Ok(()));
    assert_eq!(of(heads([2, 1])), Err(MessageError::Unordered));
    assert_eq!(of(heads([1, 1])), Err(MessageError::Unordered));
}

#[test]
fn hostile_shapes_are_told_apart() {
    assert_eq!(Answer::decode(&[0x81; 60_000]), Err(MessageError::TooDeep));
    let lengths = [0x9b, 0x7f, 255, 255, 255, 255, 255, 255, 255];
    assert_eq!(Answer::decode(&lengths), Err(MessageError::HostileLength));
    assert_eq!(Question::decode(&[0xbf, 0xff]), Err(MessageError::NotCanonical));
    assert_eq!(Question::decode(b""), Err(MessageError::Unreadable));
    assert_eq!(Question::decode(&found(vec![], vec![]).encode()), Err(MessageError::Unreadable));
    // An absent field that is written out all the same: `{"heads": {"after": null}}`.
    let written = b"\xa1\x65heads\xa1\x65after\xf6";
    assert_eq!(Question::decode(written), Err(MessageError::NotCanonical));
}

#[test]
fn a_tag_tells_questions_apart() {
    let (one, other) = (search().encode(), Question::Heads { after: None }.encode());
    assert_eq!(Question::tag(&one), Question::tag(&one.clone()));
    assert_ne!(Question::tag(&one), Question::tag(&other));
    assert_eq!(Question::tag(b""), [0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14], "SHA-256 of nothing");
}
