//! From words, categories and tags to the entries that have them.

use std::collections::BTreeMap;

use super::bits::Bits;
use crate::package::{Query, tokens, weight};
use crate::record::{Record, Says};

/// Something to be found by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Term {
    Word(String),
    Category(String),
    Tag(String),
}

/// One entry under a term, with the places where the word stands in it; 0 for categories and tags.
#[derive(Clone, Copy, Debug)]
struct Posting {
    entry: u32,
    weight: u8,
}

/// The entries under each term, ascending.
#[derive(Debug, Default)]
pub(super) struct Index(BTreeMap<Term, Vec<Posting>>);

impl Index {
    /// Let `entry` be found by what `record` says.
    pub(super) fn insert(&mut self, entry: u32, record: &Record) {
        for (term, weight) in terms(record) {
            let postings = self.0.entry(term).or_default();
            if let Err(at) = postings.binary_search_by_key(&entry, |posting| posting.entry) {
                postings.insert(at, Posting { entry, weight });
            }
        }
    }

    /// Let `entry`, which was inserted with `record`, no longer be found.
    pub(super) fn remove(&mut self, entry: u32, record: &Record) {
        for (term, _) in terms(record) {
            if let Some(postings) = self.0.get_mut(&term) {
                if let Ok(at) = postings.binary_search_by_key(&entry, |posting| posting.entry) {
                    postings.remove(at);
                }
                if postings.is_empty() {
                    self.0.remove(&term);
                }
            }
        }
    }

    /// The entries of `held` that have every term of `query`, ascending, with the sum of their weights.
    /// Looks at the entries under the rarest term only.
    pub(super) fn find(&self, query: &Query, held: &Bits) -> Vec<(u32, u32)> {
        let words = query.words().into_iter().map(Term::Word);
        let categories = query.categories.iter().map(|label| Term::Category(label.to_ascii_lowercase()));
        let tags = query.tags.iter().map(|label| Term::Tag(label.to_ascii_lowercase()));
        let terms = words.chain(categories).chain(tags);
        let Some(mut lists) = terms.map(|term| self.0.get(&term)).collect::<Option<Vec<_>>>() else {
            return Vec::new();
        };
        lists.sort_by_key(|postings| postings.len());
        let Some((rarest, others)) = lists.split_first() else { return Vec::new() };
        let weight_in = |postings: &[Posting], entry| {
            let at = postings.binary_search_by_key(&entry, |posting| posting.entry).ok()?;
            postings.get(at).map(|posting| u32::from(posting.weight))
        };
        let mut found = Vec::new();
        for posting in rarest.iter().filter(|posting| held.contains(posting.entry)) {
            let sum = others.iter().try_fold(u32::from(posting.weight), |sum, postings| {
                weight_in(postings, posting.entry).map(|weight| sum + weight)
            });
            found.extend(sum.map(|sum| (posting.entry, sum)));
        }
        found
    }

    /// How many terms there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// What `record` is found by. Of a release, all that `Query::matches` looks at; of a notice that one
/// exists, as much of it as it tells; of anything else, nothing.
fn terms(record: &Record) -> BTreeMap<Term, u8> {
    let mut found = BTreeMap::new();
    let (categories, tags) = match record {
        Record::Release(release) => {
            let package = &release.package;
            found.extend(package.words().into_iter().map(|(word, weight)| (Term::Word(word), weight)));
            (&package.categories, &package.tags)
        }
        Record::Notice(notice) if matches!(notice.says, Says::Published(_)) => {
            let mut places = vec![(notice.release.package.name.as_str(), weight::NAME)];
            places.extend(notice.tags.iter().map(|tag| (tag.as_str(), weight::TAG)));
            for (text, weight) in places {
                for word in tokens(text) {
                    *found.entry(Term::Word(word)).or_insert(0) |= weight;
                }
            }
            (&notice.categories, &notice.tags)
        }
        Record::Notice(_) | Record::List(_) => return found,
    };
    found.extend(categories.iter().map(|label| (Term::Category(label.to_ascii_lowercase()), 0)));
    found.extend(tags.iter().map(|label| (Term::Tag(label.to_ascii_lowercase()), 0)));
    found
}
