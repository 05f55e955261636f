//! One release, as the interface shows it.

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::package::{Package, PackageId, PackageName, PublisherId, ReleaseId};
use crate::time::WallTime;

/// One release of a package. Its publisher's signature was verified by the node that tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseView {
    /// Who publishes it.
    pub publisher: PublisherId,
    /// The package's name.
    pub name: PackageName,
    /// Which version of it.
    pub version: Version,
    /// One line.
    pub title: String,
    /// As much as its publisher wrote.
    pub description: String,
    /// Categories, in the publisher's order.
    pub categories: Vec<String>,
    /// Tags, in the publisher's order.
    pub tags: Vec<String>,
    /// An SPDX expression, or whatever the publisher wrote.
    pub licence: String,
    /// SHA-256 of the content, 64 hexadecimal digits.
    pub digest: String,
    /// Bytes of the content.
    pub size: u64,
    /// When the publisher says that it was made, in milliseconds since the Unix epoch.
    pub created_ms: WallTime,
}

impl ReleaseView {
    /// Which release it is.
    pub fn release(&self) -> ReleaseId {
        let package = PackageId { publisher: self.publisher, name: self.name.clone() };
        ReleaseId { package, version: self.version.clone() }
    }
}

impl From<&Package> for ReleaseView {
    fn from(package: &Package) -> Self {
        let ReleaseId { package: PackageId { publisher, name }, version } = package.release.clone();
        Self {
            publisher,
            name,
            version,
            title: package.title.clone(),
            description: package.description.clone(),
            categories: package.categories.clone(),
            tags: package.tags.clone(),
            licence: package.licence.clone(),
            digest: hex(&package.digest),
            size: package.size,
            created_ms: package.created,
        }
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(*DIGITS.get(usize::from(value)).unwrap_or(&b'0'));
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
