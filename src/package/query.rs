//! A question about packages, and what it matches.

use core::cmp::Reverse;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::entry::{LimitError, Package, check_labels};
use super::id::{PackageId, PackageName, ReleaseId};
use super::text::{tokens, words};

/// What a search looks for. A package matches when *every* word of the text, *every* category and
/// *every* tag matches; at least one of the three must be given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Query {
    /// Words, looked for in name, title, description and tags; see [`tokens`](super::tokens).
    pub text: String,
    /// Categories that the package must have.
    pub categories: Vec<String>,
    /// Tags that the package must have.
    pub tags: Vec<String>,
    /// The most results wanted; the registry's own `max_results` bounds it too.
    pub limit: usize,
}

/// A question cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Neither a word nor a category nor a tag.
    #[error("a search needs at least one word, category or tag")]
    Empty,
    /// A limit of zero.
    #[error("a search's limit must be at least 1")]
    NoLimit,
    /// Text, or a list, over its bound.
    #[error("a search's {field} may have at most {most}, found {found}")]
    TooLong {
        /// Which field.
        field: &'static str,
        /// Its bound.
        most: usize,
        /// What was found.
        found: usize,
    },
    /// A category or a tag is empty.
    #[error("a search's {field} may not contain an empty one")]
    EmptyLabel {
        /// Which list.
        field: &'static str,
    },
}

/// Where a release stands among the answers to one query: ascending is best first. Higher scores come
/// first, then packages by publisher and name, then the newest version. A total order over releases,
/// the same on every node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank {
    score: Reverse<u32>,
    package: PackageId,
    version: Reverse<Version>,
}

impl Rank {
    /// The rank of `release` when its score is `score`.
    pub fn new(score: u32, release: &ReleaseId) -> Self {
        Self {
            score: Reverse(score),
            package: release.package.clone(),
            version: Reverse(release.version.clone()),
        }
    }

    /// The score in it.
    pub fn score(&self) -> u32 {
        self.score.0
    }

    /// The release in it.
    pub fn release(&self) -> ReleaseId {
        ReleaseId { package: self.package.clone(), version: self.version.0.clone() }
    }
}

impl Query {
    /// The most bytes of text.
    pub const MAX_TEXT: usize = 256;

    /// A search for these words, at most `limit` results.
    pub fn text(text: impl Into<String>, limit: usize) -> Self {
        Self { text: text.into(), categories: Vec::new(), tags: Vec::new(), limit }
    }

    /// What a text that is exactly the package's name adds to the score: more than all words together.
    pub const EXACT_NAME: u32 = 1 << 20;

    /// Whether the question can be asked.
    pub fn check(&self) -> Result<(), QueryError> {
        if self.text.len() > Self::MAX_TEXT {
            let found = self.text.len();
            return Err(QueryError::TooLong { field: "text", most: Self::MAX_TEXT, found });
        }
        for (field, labels) in [("categories", &self.categories), ("tags", &self.tags)] {
            check_labels(field, labels).map_err(|error| match error {
                LimitError::Empty { field } => QueryError::EmptyLabel { field },
                LimitError::TooLong { field, most, found } | LimitError::TooMany { field, most, found } => {
                    QueryError::TooLong { field, most, found }
                }
            })?;
        }
        if words(&self.text).next().is_none() && self.categories.is_empty() && self.tags.is_empty() {
            return Err(QueryError::Empty);
        }
        if self.limit == 0 {
            return Err(QueryError::NoLimit);
        }
        Ok(())
    }

    /// The words looked for, in order, each once.
    pub fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = tokens(&self.text).collect();
        words.sort();
        words.dedup();
        words
    }

    /// Whether `package` is an answer. The truth that indices and peers are held to.
    ///
    /// Words are whole words; words and labels are compared without regard to ASCII case. A question that
    /// [`Query::check`] refuses as empty matches nothing.
    pub fn matches(&self, package: &Package) -> bool {
        let mut asked = words(&self.text).map(|word| package.weight_of(word) > 0);
        let anything =
            words(&self.text).next().is_some() || !self.categories.is_empty() || !self.tags.is_empty();
        anything && asked.all(|found| found) && self.labels_match(&package.categories, &package.tags)
    }

    /// Whether a release of which only this much is known is worth fetching: every category and tag is
    /// there, and every word stands in the name or in a tag. Never true of more than [`Query::matches`]
    /// would be, once the record is there.
    pub fn matches_known(&self, name: &PackageName, categories: &[String], tags: &[String]) -> bool {
        let stands = |word: &str| {
            let within = |text: &str| words(text).any(|found| found.eq_ignore_ascii_case(word));
            within(name.as_str()) || tags.iter().any(|tag| within(tag))
        };
        let anything =
            words(&self.text).next().is_some() || !self.categories.is_empty() || !self.tags.is_empty();
        anything && words(&self.text).all(stands) && self.labels_match(categories, tags)
    }

    /// How well a package that matches fits: higher is better. Integer, so that every node agrees.
    ///
    /// For each different word of the text, the [`weight`](super::weight)s of the places where it stands:
    /// name, then title, then tags, then description. A text that is exactly the name beats all others.
    pub fn score(&self, package: &Package) -> u32 {
        let words = self.words();
        let places: u32 = words.iter().map(|word| u32::from(package.weight_of(word))).sum();
        places + self.name_bonus(&package.release.package.name)
    }

    /// [`Query::EXACT_NAME`] when the text is `name`, without regard to ASCII case; otherwise 0.
    pub fn name_bonus(&self, name: &PackageName) -> u32 {
        if self.text.trim().eq_ignore_ascii_case(name.as_str()) { Self::EXACT_NAME } else { 0 }
    }

    /// Where `package` stands among the answers.
    pub fn rank_of(&self, package: &Package) -> Rank {
        Rank::new(self.score(package), &package.release)
    }

    /// Put answers in order, best first; `package` says which package an answer is about.
    pub fn rank<T>(&self, answers: &mut [T], package: impl Fn(&T) -> &Package) {
        answers.sort_by_cached_key(|answer| self.rank_of(package(answer)));
    }

    fn labels_match(&self, categories: &[String], tags: &[String]) -> bool {
        let within = |wanted: &String, labels: &[String]| {
            labels.iter().any(|label| label.eq_ignore_ascii_case(wanted))
        };
        self.categories.iter().all(|wanted| within(wanted, categories))
            && self.tags.iter().all(|wanted| within(wanted, tags))
    }
}
