//! What somebody writes to publish a release.
//!
//! A manifest is TOML or JSON with these keys. To a node goes JSON without `content`: a node reads no files of its
//! callers. Who has a file takes its digest and size first, with [`Manifest::with_content`].

use serde::{Deserialize, Serialize};

use super::release::hex;
use crate::package::{
    LimitError, MAX_VERSION, Package, PackageId, PackageName, PublisherId, ReleaseId, Version,
};
use crate::time::WallTime;

/// The most bytes of a manifest, as text.
pub const MAX_MANIFEST: usize = 64 * 1024;

/// One release to be published. [`Manifest::package`] says whether it can be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The package's name.
    pub name: String,
    /// A semantic version.
    pub version: String,
    /// One line; the name, unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// As much as fits.
    #[serde(default)]
    pub description: String,
    /// Categories.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// An SPDX expression.
    #[serde(default)]
    pub licence: String,
    /// A file with the content, as seen from the manifest. Instead of `digest` and `size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// SHA-256 of the content, 64 lower-case hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Bytes of the content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// A manifest cannot be published: which key, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field:?} of the manifest {problem}")]
pub struct ManifestError {
    /// The key.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: ManifestProblem,
}

/// What is wrong with a key of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestProblem {
    /// It is something else than it should be.
    #[error("must be {wanted}, found {found:?}")]
    Wrong {
        /// What would be right.
        wanted: &'static str,
        /// What was found, cut to 80 characters.
        found: String,
    },
    /// It must be there.
    #[error("is missing: {wanted}")]
    Missing {
        /// What it would be.
        wanted: &'static str,
    },
    /// It does not go together with what else is there, or is not for a node.
    #[error("{0}")]
    Unfit(&'static str),
    /// A text over its limit.
    #[error("may have at most {most} bytes, found {found}")]
    TooLong {
        /// The limit, in bytes.
        most: usize,
        /// What was found, in bytes.
        found: usize,
    },
    /// Too many labels.
    #[error("may have at most {most} entries, found {found}")]
    TooMany {
        /// The limit.
        most: usize,
        /// How many were found.
        found: usize,
    },
    /// An empty label.
    #[error("may not contain an empty entry")]
    Empty,
}

impl Manifest {
    /// The same with the digest and the size of its content in place of the file's name.
    #[must_use]
    pub fn with_content(self, digest: [u8; 32], size: u64) -> Self {
        Self { content: None, digest: Some(hex(&digest)), size: Some(size), ..self }
    }

    /// The release that it describes, published by `publisher` and made at `created`. Whether its record
    /// fits as a whole shows when it is signed.
    pub fn package(&self, publisher: PublisherId, created: WallTime) -> Result<Package, ManifestError> {
        let name = PackageName::new(self.name.as_str()).map_err(|_| {
            wrong("name", "1 to 64 of a-z A-Z 0-9 . _ - beginning with a letter or digit", &self.name)
        })?;
        if self.version.len() > MAX_VERSION {
            let problem = ManifestProblem::TooLong { most: MAX_VERSION, found: self.version.len() };
            return Err(ManifestError { field: "version", problem });
        }
        let version = Version::parse(&self.version)
            .map_err(|_| wrong("version", "a semantic version such as 1.2.3 or 2.0.0-rc.1", &self.version))?;
        let (digest, size) = self.content()?;
        let package = Package {
            release: ReleaseId { package: PackageId { publisher, name }, version },
            title: self.title.clone().unwrap_or_else(|| self.name.clone()),
            description: self.description.clone(),
            categories: self.categories.clone(),
            tags: self.tags.clone(),
            licence: self.licence.clone(),
            digest,
            size,
            created,
        };
        package.check().map_err(limit)?;
        Ok(package)
    }

    fn content(&self) -> Result<([u8; 32], u64), ManifestError> {
        let unfit = |field, why| Err(ManifestError { field, problem: ManifestProblem::Unfit(why) });
        match (&self.content, &self.digest, self.size) {
            (Some(_), None, None) => unfit(
                "content",
                "names a file, which a node does not read: send \"digest\" and \"size\" of it instead",
            ),
            (Some(_), ..) => {
                unfit("content", "stands beside \"digest\" or \"size\": give the one or the others")
            }
            (None, Some(digest), Some(size)) => {
                // The same 64 digits as a publisher's, so the same reader.
                let read: Result<PublisherId, _> = digest.parse();
                let read = read.map_err(|_| {
                    wrong("digest", "the SHA-256 of the content in 64 lower-case hexadecimal digits", digest)
                })?;
                Ok((*read.as_bytes(), size))
            }
            (None, None, _) => missing("digest", "the SHA-256 of the content, or \"content\" with a file"),
            (None, Some(_), None) => missing("size", "the bytes of the content, or \"content\" with a file"),
        }
    }
}

fn wrong(field: &'static str, wanted: &'static str, found: &str) -> ManifestError {
    let found = found.chars().take(80).collect();
    ManifestError { field, problem: ManifestProblem::Wrong { wanted, found } }
}

fn missing<T>(field: &'static str, wanted: &'static str) -> Result<T, ManifestError> {
    Err(ManifestError { field, problem: ManifestProblem::Missing { wanted } })
}

fn limit(error: LimitError) -> ManifestError {
    match error {
        LimitError::TooLong { field, most, found } => {
            ManifestError { field, problem: ManifestProblem::TooLong { most, found } }
        }
        LimitError::TooMany { field, most, found } => {
            ManifestError { field, problem: ManifestProblem::TooMany { most, found } }
        }
        LimitError::Empty { field } => ManifestError { field, problem: ManifestProblem::Empty },
    }
}
