//! What a numbered record says, apart from how it says it.

use crate::package::{PublisherId, ReleaseId};
use crate::record::{Digest, Notice, Record, Release, Says};

/// A publisher's numbered statement about one release. Lists are none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statement<'a> {
    /// Which release it is about.
    pub(super) release: &'a ReleaseId,
    /// Its number.
    pub(super) number: u64,
    /// What it says.
    pub(super) says: Says,
    /// Whether it is the release's record itself.
    pub(super) whole: bool,
}

impl<'a> Statement<'a> {
    /// The statement in `record`, when it is one.
    pub(super) fn of(record: &'a Record) -> Option<Self> {
        match record {
            Record::Release(Release { package, number, digest, .. }) => Some(Self {
                release: &package.release,
                number: *number,
                says: Says::Published(*digest),
                whole: true,
            }),
            Record::Notice(Notice { release, number, says, .. }) => {
                Some(Self { release, number: *number, says: *says, whole: false })
            }
            Record::List(_) => None,
        }
    }

    /// Who says it.
    pub(super) fn publisher(&self) -> PublisherId {
        self.release.package.publisher
    }

    /// Whether it takes the release back.
    pub(super) fn yanks(&self) -> bool {
        self.says == Says::Yanked
    }

    /// Digest of the release's record, when it says that there is one.
    fn published(&self) -> Option<Digest> {
        match self.says {
            Says::Published(digest) => Some(digest),
            Says::Yanked => None,
        }
    }

    /// Whether both say the same, in whatever words.
    pub(super) fn agrees(&self, other: &Statement<'_>) -> bool {
        self.number == other.number && self.says == other.says && self.release == other.release
    }

    /// Whether no honest publisher says both.
    pub(super) fn contradicts(&self, other: &Statement<'_>) -> bool {
        let one_number = self.publisher() == other.publisher() && self.number == other.number;
        if one_number && !self.agrees(other) {
            return true;
        }
        match (self.published(), other.published()) {
            (Some(one), Some(two)) => one != two && self.release == other.release,
            _ => false,
        }
    }
}
