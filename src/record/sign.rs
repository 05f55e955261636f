//! A publisher's key, and the records that it signs.

use core::fmt;

use bytes::Bytes;
use ed25519_dalek::SigningKey;
use semver::Version;

use super::codec::{Body, ListBody, NoticeBody, ReleaseBody, seal, sealed_len};
use super::kinds::{
    Digest, ListEntry, MAX_ANNOUNCEMENT, MAX_LIST, MAX_RECORD, Notice, Release, ReleaseList, Says,
};
use crate::package::{
    LimitError, MAX_LABEL, MAX_LABELS, Package, PackageId, PublisherId, ReleaseId, check_version,
};
use crate::time::WallTime;

/// A publisher's secret key, wiped from memory when dropped. Its `Debug` shows the public half only.
#[derive(Clone)]
pub struct Publisher(SigningKey);

/// A record cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The package names another publisher.
    #[error("the package names publisher {found}, this key is {own}")]
    NotOwn {
        /// Whom the package names.
        found: PublisherId,
        /// Whose key this is.
        own: PublisherId,
    },
    /// A field is over its limit, in bytes for a text and in entries for a list.
    #[error("{field} may have at most {most}, found {found}")]
    TooLong {
        /// Which field.
        field: &'static str,
        /// Its bound.
        most: usize,
        /// What was found.
        found: usize,
    },
    /// A category or a tag is empty.
    #[error("{field} may not contain an empty one")]
    EmptyLabel {
        /// Which list.
        field: &'static str,
    },
    /// The record would be over its limit.
    #[error("the record has {found} bytes, at most {most} are allowed")]
    TooLarge {
        /// Its bound, in bytes.
        most: usize,
        /// What it would have, in bytes.
        found: usize,
    },
    /// A number or a sequence of zero; both begin at 1.
    #[error("a {field} begins at 1, found 0")]
    Zero {
        /// Which of the two.
        field: &'static str,
    },
    /// A list names one version twice.
    #[error("version {version} is listed twice")]
    ListedTwice {
        /// Which version.
        version: Version,
    },
}

impl From<LimitError> for SignError {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::TooLong { field, most, found } | LimitError::TooMany { field, most, found } => {
                Self::TooLong { field, most, found }
            }
            LimitError::Empty { field } => Self::EmptyLabel { field },
        }
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Publisher({})", self.id())
    }
}

impl Publisher {
    /// The publisher whose secret key is `seed`.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// Its name: the public key.
    pub fn id(&self) -> PublisherId {
        PublisherId::new(self.0.verifying_key().to_bytes())
    }

    /// Sign a release under `number`.
    pub fn release(&self, package: &Package, number: u64) -> Result<Release, SignError> {
        self.own(&package.release.package)?;
        package.check()?;
        not_zero("number", number)?;
        let (digest, bytes) = self.seal(&Body::Release(ReleaseBody::of(package, number)), MAX_RECORD)?;
        Ok(Release { package: package.clone(), number, digest, bytes })
    }

    /// Sign a package's list. Entries are sorted here.
    pub fn list(
        &self,
        package: &PackageId,
        sequence: u64,
        valid_until: WallTime,
        mut entries: Vec<ListEntry>,
    ) -> Result<ReleaseList, SignError> {
        self.own(package)?;
        not_zero("sequence", sequence)?;
        if entries.len() > MAX_LIST {
            return Err(SignError::TooLong { field: "entries", most: MAX_LIST, found: entries.len() });
        }
        entries.iter().try_for_each(|entry| check_version(&entry.version))?;
        entries.sort_by(|a, b| a.version.cmp(&b.version));
        let next = entries.iter().skip(1);
        if let Some((twice, _)) = entries.iter().zip(next).find(|(a, b)| a.version == b.version) {
            return Err(SignError::ListedTwice { version: twice.version.clone() });
        }
        let body = Body::List(ListBody::of(package, sequence, valid_until, &entries));
        let (digest, bytes) = self.seal(&body, MAX_RECORD)?;
        Ok(ReleaseList { package: package.clone(), sequence, valid_until, entries, digest, bytes })
    }

    /// Sign a notice; categories and tags are cut to what fits an announcement: those over the limits of a
    /// label are left out, then tags are, from the last on, then categories.
    pub fn notice(
        &self,
        release: &ReleaseId,
        number: u64,
        says: Says,
        categories: &[String],
        tags: &[String],
    ) -> Result<Notice, SignError> {
        self.own(&release.package)?;
        check_version(&release.version)?;
        not_zero("number", number)?;
        let (mut categories, mut tags) = (fitting(categories), fitting(tags));
        while sealed_len(&Body::Notice(NoticeBody::of(release, number, says, &categories, &tags)))
            > MAX_ANNOUNCEMENT
            && (tags.pop().is_some() || categories.pop().is_some())
        {}
        let body = Body::Notice(NoticeBody::of(release, number, says, &categories, &tags));
        let (digest, bytes) = self.seal(&body, MAX_ANNOUNCEMENT)?;
        Ok(Notice { release: release.clone(), number, says, categories, tags, digest, bytes })
    }

    /// What is announced for `release`: the release itself when it fits, its notice otherwise.
    pub fn announcement(&self, release: &Release) -> Result<Bytes, SignError> {
        self.own(&release.package.release.package)?;
        if release.bytes.len() <= MAX_ANNOUNCEMENT {
            return Ok(release.bytes.clone());
        }
        let package = &release.package;
        let says = Says::Published(release.digest);
        let notice =
            self.notice(&package.release, release.number, says, &package.categories, &package.tags)?;
        Ok(notice.bytes)
    }

    fn own(&self, package: &PackageId) -> Result<(), SignError> {
        let (found, own) = (package.publisher, self.id());
        if found == own { Ok(()) } else { Err(SignError::NotOwn { found, own }) }
    }

    fn seal(&self, body: &Body<'_>, most: usize) -> Result<(Digest, Bytes), SignError> {
        let bytes = seal(&self.0, body);
        if bytes.len() > most {
            return Err(SignError::TooLarge { most, found: bytes.len() });
        }
        Ok((Digest::of(&bytes), bytes))
    }
}

fn fitting(labels: &[String]) -> Vec<String> {
    let fits = |label: &&String| !label.is_empty() && label.len() <= MAX_LABEL;
    labels.iter().filter(fits).take(MAX_LABELS).cloned().collect()
}

fn not_zero(field: &'static str, number: u64) -> Result<(), SignError> {
    if number == 0 { Err(SignError::Zero { field }) } else { Ok(()) }
}
