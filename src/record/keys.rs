//! The names under which records are stored: self-proving, and in a namespace of their own.
//!
//! - a release: `/swarmproof/<publisher>/<name>/<version>`
//! - a package's list of releases: `/swarmproof/<publisher>/<name>`
//!
//! [`parse`] reads exactly what [`release`] and [`list`] write for names within their limits, so a
//! record has one key, spelt one way.

use bytes::Bytes;
use semver::Version;

use super::kinds::Record;
use crate::package::{MAX_VERSION, PackageId, PackageName, PublisherId, ReleaseId};

/// The namespace that all keys begin with.
pub const NAMESPACE: &str = "/swarmproof/";
/// The most bytes of a key: namespace, 64 digits, name, version and the slashes between.
pub const MAX_KEY: usize = NAMESPACE.len() + 64 + 1 + PackageName::MAX + 1 + MAX_VERSION;

/// What a key names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyName {
    /// One release.
    Release(ReleaseId),
    /// A package's list of releases.
    List(PackageId),
}

/// The key of a release.
pub fn release(id: &ReleaseId) -> Bytes {
    format!("{NAMESPACE}{}/{}/{}", id.package.publisher, id.package.name, id.version).into()
}

/// The key of a package's list of releases.
pub fn list(id: &PackageId) -> Bytes {
    format!("{NAMESPACE}{}/{}", id.publisher, id.name).into()
}

/// The key that `record` belongs under; a notice has none.
pub fn of(record: &Record) -> Option<Bytes> {
    match record {
        Record::Release(found) => Some(release(&found.package.release)),
        Record::List(found) => Some(list(&found.package)),
        Record::Notice(_) => None,
    }
}

/// What `key` names, or `None` when it is not one of ours.
pub fn parse(key: &[u8]) -> Option<KeyName> {
    if key.len() > MAX_KEY {
        return None;
    }
    let mut parts = core::str::from_utf8(key).ok()?.strip_prefix(NAMESPACE)?.split('/');
    let publisher: PublisherId = parts.next()?.parse().ok()?;
    let name = PackageName::new(parts.next()?).ok()?;
    let package = PackageId { publisher, name };
    let Some(version) = parts.next() else { return Some(KeyName::List(package)) };
    if parts.next().is_some() {
        return None;
    }
    Some(KeyName::Release(ReleaseId { package, version: parse_version(version)? }))
}

/// The version that `text` spells, when it is spelt the one way and short enough.
pub(crate) fn parse_version(text: &str) -> Option<Version> {
    if text.len() > MAX_VERSION {
        return None;
    }
    Version::parse(text).ok().filter(|version| version.to_string() == text)
}
