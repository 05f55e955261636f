//! Names: publishers, packages and releases.

use core::fmt;
use core::str::FromStr;

use semver::Version;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A publisher: its ed25519 public key. Shown, and written in formats for people, as 64 lower-case
/// hexadecimal digits; in binary formats it is its 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublisherId([u8; 32]);

/// A string is no publisher.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a publisher is 64 hexadecimal digits, found {found:?}")]
pub struct PublisherIdError {
    /// What was found, cut to 80 characters.
    pub found: String,
}

impl PublisherId {
    /// The publisher with this public key. Whether the bytes are a point on the curve shows when a
    /// signature is checked.
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The public key.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for PublisherId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PublisherId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublisherId({self})")
    }
}

impl FromStr for PublisherId {
    type Err = PublisherIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || PublisherIdError { found: text.chars().take(80).collect() };
        let bytes = text.as_bytes();
        if bytes.len() != 64 {
            return Err(wrong());
        }
        let mut key = [0; 32];
        for (byte, pair) in key.iter_mut().zip(bytes.chunks_exact(2)) {
            let digit = |c: u8| match c {
                b'0'..=b'9' => Some(c - b'0'),
                b'a'..=b'f' => Some(c - b'a' + 10),
                _ => None,
            };
            *byte = match pair {
                [high, low] => digit(*high).ok_or_else(wrong)? << 4 | digit(*low).ok_or_else(wrong)?,
                _ => return Err(wrong()),
            };
        }
        Ok(Self(key))
    }
}

impl Serialize for PublisherId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for PublisherId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
        } else {
            serde_bytes::deserialize(deserializer).map(Self)
        }
    }
}

/// A package's name: 1 to 64 of `a-z A-Z 0-9 . _ -`, beginning with a letter or a digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PackageName(String);

/// A string is no package name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a package name is 1 to 64 of a-z A-Z 0-9 . _ - and begins with a letter or digit, found {found:?}")]
pub struct NameError {
    /// What was found, cut to 80 characters.
    pub found: String,
}

impl PackageName {
    /// The most bytes of a name.
    pub const MAX: usize = 64;

    /// The name, if it is one.
    pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
        let name = name.into();
        let inner = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
        let good = name.len() <= Self::MAX
            && name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
            && name.bytes().all(inner);
        if good { Ok(Self(name)) } else { Err(NameError { found: name.chars().take(80).collect() }) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PackageName {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        Self::new(name)
    }
}

impl From<PackageName> for String {
    fn from(name: PackageName) -> Self {
        name.0
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A package: who publishes it, and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PackageId {
    /// Who publishes it.
    pub publisher: PublisherId,
    /// Its name, unique within the publisher.
    pub name: PackageName,
}

impl fmt::Display for PackageId {
    /// `<publisher>/<name>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.publisher, self.name)
    }
}

/// One release of a package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReleaseId {
    /// Which package.
    pub package: PackageId,
    /// Which version of it.
    pub version: Version,
}

impl fmt::Display for ReleaseId {
    /// `<publisher>/<name>@<version>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.package, self.version)
    }
}
