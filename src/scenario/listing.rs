//! A release as catalogues and plans describe it: everything but whose key signs it.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::package::{Package, PackageId, PackageName, PublisherId, ReleaseId, Version};
use crate::time::WallTime;

/// One release, by the number of its publisher.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// The number of its publisher: a catalogue's are 0 and up, those of registries follow.
    pub publisher: u32,
    /// Its name.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// One line.
    pub title: String,
    /// More lines.
    pub description: String,
    /// Categories.
    pub categories: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Its licence.
    pub licence: String,
}

impl Listing {
    /// The package that it describes. There is no content: its digest is the SHA-256 of `name@version`,
    /// and its size zero.
    pub fn package(&self, publisher: PublisherId, created: WallTime) -> Package {
        let mut digest = [0; 32];
        digest.copy_from_slice(&Sha256::digest(format!("{}@{}", self.name, self.version)));
        Package {
            release: ReleaseId {
                package: PackageId { publisher, name: self.name.clone() },
                version: self.version.clone(),
            },
            title: self.title.clone(),
            description: self.description.clone(),
            categories: self.categories.clone(),
            tags: self.tags.clone(),
            licence: self.licence.clone(),
            digest,
            size: 0,
            created,
        }
    }

    /// What keeps it from being signed, in words; `None` when nothing does.
    pub fn fault(&self) -> Option<String> {
        let package = self.package(PublisherId::new([0; 32]), WallTime::EPOCH);
        package.check().err().map(|error| error.to_string())
    }
}

/// `text` cut to at most `most` bytes, at a character.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
