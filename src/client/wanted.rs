//! `PUBLISHER/NAME[@VERSION]`: what somebody asks for by name.

use core::str::FromStr;

use crate::package::{NameError, PackageId, PackageName, PublisherIdError, ReleaseId, Version};

/// A package, or one release of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Which package.
    pub package: PackageId,
    /// Which version; the newest unless given.
    pub version: Option<Version>,
}

/// A text names nothing that could be asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WantedError {
    /// It has no slash.
    #[error(
        "a package is named PUBLISHER/NAME or PUBLISHER/NAME@VERSION; found {found:?}, in which there is no slash"
    )]
    NoSlash {
        /// What was found, cut to 200 characters.
        found: String,
    },
    /// The part before the slash is no publisher.
    #[error(transparent)]
    Publisher(#[from] PublisherIdError),
    /// The part behind the slash is no name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The part behind the `@` is no version.
    #[error("a version is a semantic version such as 1.2.3 or 2.0.0-rc.1, found {found:?}: {why}")]
    Version {
        /// What was found, cut to 80 characters.
        found: String,
        /// What is wrong with it.
        why: String,
    },
    /// A release is wanted, and no version is named.
    #[error("a release is named PUBLISHER/NAME@VERSION; {package} has no version behind it")]
    NoVersion {
        /// The package.
        package: PackageId,
    },
}

impl Wanted {
    /// The release, when a version is named.
    pub fn release(self) -> Result<ReleaseId, WantedError> {
        match self.version {
            Some(version) => Ok(ReleaseId { package: self.package, version }),
            None => Err(WantedError::NoVersion { package: self.package }),
        }
    }
}

impl FromStr for Wanted {
    type Err = WantedError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (publisher, rest) = text
            .split_once('/')
            .ok_or_else(|| WantedError::NoSlash { found: text.chars().take(200).collect() })?;
        // A name has no `@` in it.
        let (name, version) = match rest.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (rest, None),
        };
        let package = PackageId { publisher: publisher.parse()?, name: PackageName::new(name)? };
        let version = version.map(|text| {
            Version::parse(text).map_err(|error| WantedError::Version {
                found: text.chars().take(80).collect(),
                why: error.to_string(),
            })
        });
        Ok(Self { package, version: version.transpose()? })
    }
}
