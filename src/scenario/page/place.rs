//! Which span of a history a sentence speaks of.
//!
//! Oracles name what they speak of as people read it: `n3: q12 ended …`, `n3 sent r40 for q12 …`.

use crate::scenario::history::{History, Query};

/// What a sentence names first: a node, a query and a request of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) node: Option<u32>,
    pub(super) query: Option<u64>,
    pub(super) request: Option<u64>,
}

/// Read the names out of a sentence.
pub(super) fn named(sentence: &str) -> Named {
    let mut named = Named::default();
    for word in sentence.split(|letter: char| !letter.is_ascii_alphanumeric()) {
        let Some((letter, number)) = word.split_at_checked(1) else { continue };
        let Ok(number) = number.parse::<u64>() else { continue };
        match letter {
            "n" if named.node.is_none() => named.node = u32::try_from(number).ok(),
            "q" if named.query.is_none() => named.query = Some(number),
            "r" if named.request.is_none() => named.request = Some(number),
            _ => {}
        }
    }
    named
}

/// The place of the query that is meant, told of at `at` microseconds: of several lives' the last that had begun.
pub(super) fn span(named: &Named, at: u64, history: &History) -> Option<usize> {
    let node = named.node?;
    // Violations are told in whole milliseconds.
    let begun = |begun: crate::time::Timestamp| begun.as_nanos() / 1_000_000 <= at / 1000;
    if let Some(id) = named.query {
        let is = |query: &Query| query.node.0 == node && query.id.0 == id && begun(query.begun);
        return history.queries.iter().rposition(is);
    }
    let id = named.request?;
    let requests = history.requests.iter().rev();
    requests.filter(|it| it.node.0 == node && it.id.0 == id && begun(it.begun)).find_map(|it| it.query)
}

/// The place of the query that a sentence of the report explains: it has its beginning or its end in it.
pub(super) fn of_sentence(sentence: &str, history: &History) -> Option<usize> {
    let Named { node: Some(node), query: Some(id), .. } = named(sentence) else { return None };
    let told = |query: &Query| {
        let mut times = [Some(query.begun), query.ended.map(|(at, _)| at)].into_iter().flatten();
        times.any(|at| sentence.contains(&format!(" at {at}")))
    };
    history.queries.iter().position(|it| it.node.0 == node && it.id.0 == id && told(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_wherever_they_stand() {
        let of = |node, query, request| Named { node, query, request };
        assert_eq!(named("n3: q12 never ended; its deadline was 4.000s"), of(Some(3), Some(12), None));
        assert_eq!(named("n3 sent r40 for q12, which is not running"), of(Some(3), Some(12), Some(40)));
        assert_eq!(named("n1 charged n2 with Forged: r7 had ended well"), of(Some(1), None, Some(7)));
        assert_eq!(named("3 callers still wait; nothing, q, r-1"), Named::default());
    }
}
