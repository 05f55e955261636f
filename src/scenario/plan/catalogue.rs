//! What a plan's catalogue holds, whose keys sign it, and who knows of it.

use std::collections::BTreeMap;
use std::path::Path;

use super::types::{Plan, SourcePlan};
use crate::package::PackageName;
use crate::scenario::catalogue_file::CatalogueFile;
use crate::scenario::draw::{Concern, Draws};
use crate::scenario::file::FileError;
use crate::scenario::listing::Listing;
use crate::scenario::synthetic::Synthetic;
use crate::testbed::NodeId;
use crate::time::WallTime;

/// When everything in a catalogue was made: a day before a run's calendar begins.
pub const CREATED: WallTime = WallTime::from_millis(1_767_139_200_000);

/// A plan's catalogue cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is another than the one that the plan was made with.
    #[error("{path}: is not the catalogue that the plan was made with: its SHA-256 is {found}, not {wanted}")]
    Changed {
        /// The file.
        path: String,
        /// What the plan says.
        wanted: String,
        /// What it is.
        found: String,
    },
}

/// A release of the catalogue, with the number that its publisher gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Released {
    /// The release.
    pub listing: Listing,
    /// From 1, for each publisher in the order of the catalogue.
    pub number: u64,
}

impl Plan {
    /// The releases of the catalogue: each package's together, ascending by version.
    pub fn releases(&self) -> Result<Vec<Released>, CatalogueError> {
        let publishers = self.catalogue.publishers;
        let listings = match &self.catalogue.source {
            SourcePlan::Synthetic { seed, packages, versions, large, .. } => {
                Synthetic::new(*seed).listings(*packages, *versions, publishers, *large)
            }
            SourcePlan::File { path, sha256, packages } => {
                let file = CatalogueFile::read(Path::new(path))?;
                if file.sha256 != *sha256 {
                    let (path, wanted, found) = (path.clone(), sha256.clone(), file.sha256);
                    return Err(CatalogueError::Changed { path, wanted, found });
                }
                file.listings(publishers, *packages)
            }
        };
        let mut numbers: BTreeMap<u32, u64> = BTreeMap::new();
        let numbered = listings.into_iter().map(|listing| {
            let number = numbers.entry(listing.publisher).or_default();
            *number += 1;
            Released { number: *number, listing }
        });
        Ok(numbered.collect())
    }

    /// The secret of this publisher's key. A catalogue's publishers keep theirs as long as the catalogue
    /// is the same; those of registries are of this seed.
    pub fn publisher_secret(&self, publisher: u32) -> [u8; 32] {
        match publisher.checked_sub(self.catalogue.publishers) {
            Some(registry) => Draws::new(self.seed, Concern::Key, [1, u64::from(registry)]).bytes(),
            None => {
                let seed = match &self.catalogue.source {
                    SourcePlan::Synthetic { seed, .. } => *seed,
                    SourcePlan::File { .. } => 0,
                };
                Draws::new(seed, Concern::Key, [0, u64::from(publisher)]).bytes()
            }
        }
    }

    /// Which of the catalogue's first `releases` releases this modelled peer holds at the start, in their
    /// order.
    pub fn held_by(&self, peer: NodeId, releases: usize) -> impl Iterator<Item = bool> + use<> {
        let coverage = self.catalogue.coverage;
        let nobody = u64::try_from(self.nodes.nobody.len()).unwrap_or(0);
        let peers = u64::from(self.nodes.start - self.nodes.registries).saturating_sub(nobody).max(1);
        let mut draws = Draws::new(self.seed, Concern::Coverage, [u64::from(peer.0), 0]);
        let place = u64::from(peer.0.saturating_sub(self.nodes.registries));
        (0..releases as u64).map(move |release| {
            let drawn = coverage >= 1.0 || draws.chance(coverage);
            // Each release has a holder, whatever was drawn.
            drawn || release % peers == place
        })
    }
}

/// The packages of a catalogue, by number: the first release of each in `listings`.
pub(super) fn packages(listings: &[Listing]) -> Vec<&Listing> {
    let mut before: Option<(u32, &PackageName)> = None;
    let mut first = Vec::new();
    for listing in listings {
        let this = (listing.publisher, &listing.name);
        if before != Some(this) {
            first.push(listing);
        }
        before = Some(this);
    }
    first
}
