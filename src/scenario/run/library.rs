//! Everything that is published before the start, signed, and who holds what of it.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::error::RunError;
use super::truth::RunTruth;
use crate::package::{Package, PackageId, PackageName, ReleaseId, Version};
use crate::record::{Checked, Digest, ListEntry, Publisher, Record, ReleaseList, SignError, Verifier, keys};
use crate::registry::catalogue::{Bounds, Catalogue, EntryId, Pool};
use crate::scenario::plan::{CREATED, Plan};
use crate::testbed::NodeId;
use crate::time::{Timestamp, WallTime};

/// The signed catalogue of a plan.
pub(super) struct Library {
    /// What all modelled peers' catalogues share.
    pub(super) pool: Pool,
    whole: Catalogue,
    /// By the number of the release in the plan.
    ids: Vec<EntryId>,
    releases: Vec<Checked>,
    lists: BTreeMap<PackageId, Checked>,
    valid_until: WallTime,
}

impl Library {
    /// Sign everything that `plan` has published before its start. What this process signed itself
    /// `verifier` need not verify again.
    pub(super) fn sign(plan: &Plan, verifier: &Verifier) -> Result<Self, RunError> {
        let refuse = |error: SignError| RunError::Sign(error.to_string());
        let pool = Pool::new();
        let mut whole = Catalogue::new(pool.clone(), Bounds::default());
        let mut publishers: BTreeMap<u32, Publisher> = BTreeMap::new();
        let mut packages: BTreeMap<PackageId, (u32, Vec<ListEntry>)> = BTreeMap::new();
        let mut releases = Vec::new();
        let validity = plan.registry.validity.map_or(DEFAULT_VALIDITY, |span| span.0);
        let valid_until = CREATED.after(validity).after(plan.duration.0);
        for released in plan.releases()? {
            let number = released.listing.publisher;
            let publisher = publishers
                .entry(number)
                .or_insert_with(|| Publisher::from_seed(plan.publisher_secret(number)));
            let package = released.listing.package(publisher.id(), CREATED);
            let release = publisher.release(&package, released.number).map_err(refuse)?;
            let entry =
                ListEntry { version: package.release.version.clone(), digest: release.digest, yanked: false };
            packages
                .entry(package.release.package.clone())
                .or_insert_with(|| (number, Vec::new()))
                .1
                .push(entry);
            let checked = verifier.trust(Record::Release(release));
            whole.learn(&checked, CREATED);
            releases.push(checked);
        }
        let mut lists = BTreeMap::new();
        for (package, (number, entries)) in packages {
            let Some(publisher) = publishers.get(&number) else { continue };
            let sequence = entries.len() as u64 + 1;
            let list = publisher.list(&package, sequence, valid_until, entries).map_err(refuse)?;
            lists.insert(package, verifier.trust(Record::List(list)));
        }
        let by_digest: BTreeMap<Digest, EntryId> = whole
            .statements()
            .into_iter()
            .filter_map(|(id, record)| match &*record {
                Record::Release(release) => Some((release.digest, id)),
                Record::List(_) | Record::Notice(_) => None,
            })
            .collect();
        let ids = releases
            .iter()
            .filter_map(|record| match &**record {
                Record::Release(release) => by_digest.get(&release.digest).copied(),
                Record::List(_) | Record::Notice(_) => None,
            })
            .collect();
        Ok(Self { pool, whole, ids, releases, lists, valid_until })
    }

    /// How many releases there are.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The release of this number.
    pub(super) fn release(&self, number: usize) -> Option<&Package> {
        match self.releases.get(number).map(|record| &**record) {
            Some(Record::Release(release)) => Some(&release.package),
            _ => None,
        }
    }

    /// A registry's catalogue, as if it had caught up: everything, or as much as `holds` allows, each
    /// registry another part of it.
    pub(super) fn registry_shelf(&self, node: NodeId, holds: Option<u32>) -> Catalogue {
        let Some(holds) = holds.map(|holds| holds as usize) else { return self.whole.clone() };
        let ids = self.part(node, holds).filter_map(|at| self.ids.get(at).copied());
        let bounds = Bounds { entries: holds, ..Bounds::default() };
        Catalogue::holding(self.pool.clone(), bounds, ids, CREATED)
    }

    /// The releases of that part.
    pub(super) fn registry_part(&self, node: NodeId, holds: u32) -> Vec<ReleaseId> {
        self.part(node, holds as usize)
            .filter_map(|at| match self.releases.get(at).map(|record| &**record) {
                Some(Record::Release(release)) => Some(release.package.release.clone()),
                _ => None,
            })
            .collect()
    }

    /// The numbers of the releases of that part.
    fn part(&self, node: NodeId, holds: usize) -> impl Iterator<Item = usize> + use<> {
        let all = self.ids.len().max(1);
        let first = (node.0 as usize).wrapping_mul(holds) % all;
        (0..holds.min(self.ids.len())).map(move |at| (first + at) % all)
    }

    /// A catalogue that holds these of the releases, in their order.
    pub(super) fn shelf(&self, held: impl Iterator<Item = bool>) -> Catalogue {
        let ids = self.ids.iter().copied().zip(held).filter_map(|(id, held)| held.then_some(id));
        Catalogue::holding(self.pool.clone(), Bounds::default(), ids, CREATED)
    }

    /// A catalogue that holds nothing, and no more than `holds` ever.
    pub(super) fn nothing(&self, holds: Option<u32>) -> Catalogue {
        let default = Bounds::default();
        let entries = holds.map_or(default.entries, |holds| holds as usize);
        Catalogue::new(self.pool.clone(), Bounds { entries, ..default })
    }

    /// Every record, under its key.
    pub(super) fn records(&self) -> Vec<(Bytes, Bytes)> {
        self.releases
            .iter()
            .chain(self.lists.values())
            .filter_map(|record| {
                let key = match &**record {
                    Record::Release(release) => keys::release(&release.package.release),
                    Record::List(list) => keys::list(&list.package),
                    Record::Notice(_) => return None,
                };
                Some((key, record.bytes().clone()))
            })
            .collect()
    }

    /// The newest list of each package.
    pub(super) fn lists(&self) -> Vec<Checked> {
        self.lists.values().cloned().collect()
    }

    /// All of this is true from the start.
    pub(super) fn tell(&self, truth: &mut RunTruth) {
        for record in self.releases.iter().chain(self.lists.values()) {
            match &**record {
                Record::Release(release) => {
                    truth.publish(release, Timestamp::ZERO, true);
                }
                Record::List(list) => truth.list(list),
                Record::Notice(_) => {}
            }
        }
    }

    /// The list of a package as its publisher had it before the newest release.
    pub(super) fn older_list(
        &self,
        plan: &Plan,
        publisher: u32,
        name: &PackageName,
        verifier: &Verifier,
    ) -> Result<ReleaseList, RunError> {
        let key = Publisher::from_seed(plan.publisher_secret(publisher));
        let package = PackageId { publisher: key.id(), name: name.clone() };
        let known = self.lists.get(&package).map(|record| &**record);
        let Some(Record::List(newest)) = known else {
            return Err(RunError::Plan(format!("package {package} is not in its catalogue")));
        };
        let mut entries = newest.entries.clone();
        entries.pop();
        let sequence = newest.sequence.saturating_sub(1);
        let list = key
            .list(&package, sequence, self.valid_until, entries)
            .map_err(|error| RunError::Sign(error.to_string()))?;
        verifier.trust(Record::List(list.clone()));
        Ok(list)
    }

    /// Another body that its publisher signs for a release, under the number of the first.
    pub(super) fn other_body(
        &self,
        plan: &Plan,
        publisher: u32,
        name: &PackageName,
        version: &Version,
        verifier: &Verifier,
    ) -> Result<Checked, RunError> {
        let key = Publisher::from_seed(plan.publisher_secret(publisher));
        let package = PackageId { publisher: key.id(), name: name.clone() };
        let id = ReleaseId { package, version: version.clone() };
        let Some(Record::Release(first)) =
            self.releases.iter().map(|record| &**record).find(|record| match record {
                Record::Release(release) => release.package.release == id,
                Record::List(_) | Record::Notice(_) => false,
            })
        else {
            return Err(RunError::Plan(format!("release {id} is not in its catalogue")));
        };
        let mut package = first.package.clone();
        // The same words, so that it matches what the first one matches; another content.
        package.digest.iter_mut().for_each(|byte| *byte = !*byte);
        let other = key.release(&package, first.number).map_err(|error| RunError::Sign(error.to_string()))?;
        Ok(verifier.trust(Record::Release(other)))
    }
}

/// A list's validity where the plan does not say.
const DEFAULT_VALIDITY: core::time::Duration = core::time::Duration::from_secs(7 * 86_400 + 86_400);
