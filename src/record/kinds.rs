//! The three kinds of record, once verified, and their limits.

use core::fmt;

use bytes::Bytes;
use semver::Version;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::package::{Package, PackageId, PublisherId, ReleaseId};
use crate::time::WallTime;

/// The most bytes of a record: kad's packets hold 16 KiB with their headers.
pub const MAX_RECORD: usize = 14 * 1024;
/// The most bytes of an announcement.
pub const MAX_ANNOUNCEMENT: usize = 4 * 1024;
/// The most releases in one list.
pub const MAX_LIST: usize = 150;

/// The topic that releases and yanks are announced on.
pub const ANNOUNCE_TOPIC: &[u8] = b"/swarmproof/announce/1";

/// SHA-256 of a record's bytes. Shown, and written in formats for people, as 64 lower-case hexadecimal
/// digits; in binary formats it is its 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    /// The first eight bytes, which tell digests apart for a reader.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            // The same 64 digits as a publisher's, so the same reader.
            let text = String::deserialize(deserializer)?;
            let read: Result<PublisherId, _> = text.parse();
            read.map(|id| Self(*id.as_bytes()))
                .map_err(|_| D::Error::custom("a digest is 64 hexadecimal digits"))
        } else {
            serde_bytes::deserialize(deserializer).map(Self)
        }
    }
}

/// A verified release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// What it describes.
    pub package: Package,
    /// The number that its publisher gave it among all that it published, from 1.
    pub number: u64,
    /// Digest of the signed bytes.
    pub digest: Digest,
    /// The signed bytes.
    pub bytes: Bytes,
}

/// A verified list of a package's releases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseList {
    /// Which package.
    pub package: PackageId,
    /// Rises with each change.
    pub sequence: u64,
    /// After this, the list is stale: someone may be holding back a newer one.
    pub valid_until: WallTime,
    /// The releases, in ascending order of version.
    pub entries: Vec<ListEntry>,
    /// Digest of the signed bytes.
    pub digest: Digest,
    /// The signed bytes.
    pub bytes: Bytes,
}

/// One release in a list.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ListEntry {
    /// Its version.
    pub version: Version,
    /// Digest of its signed release.
    pub digest: Digest,
    /// Whether it was taken back.
    pub yanked: bool,
}

/// A verified notice: what a publisher's number stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Which release it is about.
    pub release: ReleaseId,
    /// The publisher's number for this statement, from 1.
    pub number: u64,
    /// What it says.
    pub says: Says,
    /// Categories, as far as they fit.
    pub categories: Vec<String>,
    /// Tags, as far as they fit.
    pub tags: Vec<String>,
    /// Digest of the signed bytes.
    pub digest: Digest,
    /// The signed bytes.
    pub bytes: Bytes,
}

/// What a notice says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// The release exists; this is the digest of its record.
    Published(Digest),
    /// The release is taken back.
    Yanked,
}

/// A verified record of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A release.
    Release(Release),
    /// A list of releases.
    List(ReleaseList),
    /// A notice.
    Notice(Notice),
}

impl Record {
    /// Who signed it.
    pub fn publisher(&self) -> PublisherId {
        match self {
            Self::Release(release) => release.package.release.package.publisher,
            Self::List(list) => list.package.publisher,
            Self::Notice(notice) => notice.release.package.publisher,
        }
    }

    /// Digest of the signed bytes.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Release(Release { digest, .. })
            | Self::List(ReleaseList { digest, .. })
            | Self::Notice(Notice { digest, .. }) => *digest,
        }
    }

    /// The release in it, when it is one.
    pub fn as_release(&self) -> Option<&Release> {
        match self {
            Self::Release(release) => Some(release),
            Self::List(_) | Self::Notice(_) => None,
        }
    }

    /// The list in it, when it is one.
    pub fn as_list(&self) -> Option<&ReleaseList> {
        match self {
            Self::List(list) => Some(list),
            Self::Release(_) | Self::Notice(_) => None,
        }
    }

    /// The signed bytes.
    pub fn bytes(&self) -> &Bytes {
        match self {
            Self::Release(Release { bytes, .. })
            | Self::List(ReleaseList { bytes, .. })
            | Self::Notice(Notice { bytes, .. }) => bytes,
        }
    }
}

impl From<Release> for Record {
    fn from(release: Release) -> Self {
        Self::Release(release)
    }
}

impl From<ReleaseList> for Record {
    fn from(list: ReleaseList) -> Self {
        Self::List(list)
    }
}

impl From<Notice> for Record {
    fn from(notice: Notice) -> Self {
        Self::Notice(notice)
    }
}
