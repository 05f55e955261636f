//! One release as its publisher describes it, its limits, and the words that it is found by.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::id::ReleaseId;
use super::text::{tokens, words};
use crate::time::WallTime;

/// The most bytes of a title.
pub const MAX_TITLE: usize = 256;
/// The most bytes of a description.
pub const MAX_DESCRIPTION: usize = 8 * 1024;
/// The most categories, and the most tags, of a package or a query.
pub const MAX_LABELS: usize = 32;
/// The most bytes of one category or tag.
pub const MAX_LABEL: usize = 64;
/// The most bytes of a licence expression.
pub const MAX_LICENCE: usize = 256;
/// The most bytes of a version, written out.
pub const MAX_VERSION: usize = 64;

/// One release of a package, as its publisher describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Which release of which package.
    pub release: ReleaseId,
    /// One line.
    pub title: String,
    /// As much as fits.
    pub description: String,
    /// Categories, in the publisher's order.
    pub categories: Vec<String>,
    /// Tags, in the publisher's order.
    pub tags: Vec<String>,
    /// An SPDX expression, or whatever the publisher wrote.
    pub licence: String,
    /// SHA-256 of the content.
    pub digest: [u8; 32],
    /// Bytes of the content.
    pub size: u64,
    /// When the publisher says that it was made.
    pub created: WallTime,
}

/// What a word's place in a package is worth. Each is a bit, so that a sum of places is also the set
/// of them, and a place outweighs all below it together.
pub mod weight {
    /// In the name.
    pub const NAME: u8 = 8;
    /// In the title.
    pub const TITLE: u8 = 4;
    /// In a tag.
    pub const TAG: u8 = 2;
    /// In the description.
    pub const DESCRIPTION: u8 = 1;
}

/// A field is outside its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// Too many bytes in a text, or in one of a list's labels.
    #[error("{field} may have at most {most} bytes, found {found}")]
    TooLong {
        /// Which field.
        field: &'static str,
        /// Its bound, in bytes.
        most: usize,
        /// What was found, in bytes.
        found: usize,
    },
    /// Too many labels in a list.
    #[error("{field} may be at most {most}, found {found}")]
    TooMany {
        /// Which list.
        field: &'static str,
        /// Its bound.
        most: usize,
        /// How many were found.
        found: usize,
    },
    /// A category or a tag without a single byte.
    #[error("{field} may not contain an empty one")]
    Empty {
        /// Which list.
        field: &'static str,
    },
}

/// Whether `labels` may be the categories or the tags of something; `field` names them in the error.
pub fn check_labels(field: &'static str, labels: &[String]) -> Result<(), LimitError> {
    if labels.len() > MAX_LABELS {
        return Err(LimitError::TooMany { field, most: MAX_LABELS, found: labels.len() });
    }
    for label in labels {
        if label.is_empty() {
            return Err(LimitError::Empty { field });
        }
        check_length(field, label, MAX_LABEL)?;
    }
    Ok(())
}

/// Whether `version` is short enough for a key. Semantic versions have no bound of their own.
pub fn check_version(version: &Version) -> Result<(), LimitError> {
    let found = version.to_string().len();
    if found > MAX_VERSION {
        return Err(LimitError::TooLong { field: "version", most: MAX_VERSION, found });
    }
    Ok(())
}

fn check_length(field: &'static str, text: &str, most: usize) -> Result<(), LimitError> {
    if text.len() > most {
        return Err(LimitError::TooLong { field, most, found: text.len() });
    }
    Ok(())
}

impl Package {
    /// Whether every field is within its limits.
    pub fn check(&self) -> Result<(), LimitError> {
        check_version(&self.release.version)?;
        check_length("title", &self.title, MAX_TITLE)?;
        check_length("description", &self.description, MAX_DESCRIPTION)?;
        check_labels("categories", &self.categories)?;
        check_labels("tags", &self.tags)?;
        check_length("licence", &self.licence, MAX_LICENCE)
    }

    /// Every word that the package is found by, with the [`weight`]s of the places where it stands.
    pub fn words(&self) -> BTreeMap<String, u8> {
        let mut found = BTreeMap::new();
        for (text, weight) in self.places() {
            for word in tokens(text) {
                *found.entry(word).or_insert(0) |= weight;
            }
        }
        found
    }

    /// The [`weight`]s of the places where `word` stands, added up; 0 when it stands nowhere. Words are
    /// compared without regard to ASCII case.
    pub fn weight_of(&self, word: &str) -> u8 {
        self.places()
            .filter(|(text, _)| words(text).any(|found| found.eq_ignore_ascii_case(word)))
            .fold(0, |sum, (_, weight)| sum | weight)
    }

    /// The texts that words are looked for in.
    fn places(&self) -> impl Iterator<Item = (&str, u8)> {
        let tags = self.tags.iter().map(|tag| (tag.as_str(), weight::TAG));
        [
            (self.release.package.name.as_str(), weight::NAME),
            (self.title.as_str(), weight::TITLE),
            (self.description.as_str(), weight::DESCRIPTION),
        ]
        .into_iter()
        .chain(tags)
    }
}
