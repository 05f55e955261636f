//! Questions and answers: what is read has one spelling, and is within its limits.

use swarmproof::message::{Answer, AnswerBody, MAX_ANSWER, MAX_ITEMS, MAX_QUESTION, Question};

pub fn run(data: &[u8]) {
    if let Ok(question) = Question::decode(data) {
        assert!(data.len() <= MAX_QUESTION);
        assert_eq!(&question.encode()[..], data, "a question has one spelling");
        match &question {
            Question::Search { query, .. } => assert!(query.check().is_ok(), "{query:?}"),
            Question::Records { keys } => assert!(keys.len() <= MAX_ITEMS),
            Question::Heads { .. } | Question::Page { .. } => {}
        }
    }
    if let Ok(answer) = Answer::decode(data) {
        assert!(data.len() <= MAX_ANSWER);
        assert_eq!(&answer.encode()[..], data, "an answer has one spelling");
        let items = match &answer.body {
            AnswerBody::Found { records, names, .. } => records.len().max(names.len()),
            AnswerBody::Records { records } => records.len(),
            AnswerBody::Heads { heads, .. } => heads.len(),
            AnswerBody::Page { statements, .. } => statements.len(),
        };
        assert!(items <= MAX_ITEMS, "{items} items");
    }
}
