//! The trait that a registry of packages implements, whatever stands behind it.

use core::future::Future;

use crate::package::{Package, PackageId, Query, ReleaseId};
use crate::registry::error::{PublishError, RegistryError};
use crate::registry::outcome::{Hit, Metadata, Published, QueryHandle, SearchOutcome, Versions};

/// A registry of packages.
///
/// "Not found" is an answer, not an error: `Ok(None)` says that peers were asked and nobody has it, while
/// [`RegistryError::Unanswered`] says that it could not be found out.
///
/// Dropping any of these futures gives the work up at the network, except that a publication which is
/// already durable is carried through.
pub trait Registry {
    /// Find packages, and wait for the end of the search.
    fn search(&self, query: Query) -> impl Future<Output = Result<SearchOutcome, RegistryError>> + Send;

    /// Find packages, and get the results as they come.
    fn search_stream(&self, query: Query) -> impl Future<Output = Result<QueryHandle, RegistryError>> + Send;

    /// The newest release of a package that is not yanked and no pre-release; failing that, the newest
    /// pre-release.
    fn get_package(
        &self,
        package: &PackageId,
    ) -> impl Future<Output = Result<Option<Hit>, RegistryError>> + Send;

    /// One release. Yanked releases are found too: who depends on one must still get it.
    fn get_package_version(
        &self,
        release: &ReleaseId,
    ) -> impl Future<Output = Result<Option<Hit>, RegistryError>> + Send;

    /// All releases of a package, from the newest list that could be found.
    fn list_versions(
        &self,
        package: &PackageId,
    ) -> impl Future<Output = Result<Option<Versions>, RegistryError>> + Send;

    /// Sign a release with this registry's key and publish it. Done when it was sent to whom it should go.
    fn publish(&self, package: Package) -> impl Future<Output = Result<Published, PublishError>> + Send;

    /// Take a release of one's own back: a signed yank. Nobody is offered it any more; its record stays.
    fn delete(&self, release: &ReleaseId) -> impl Future<Output = Result<Published, PublishError>> + Send;

    /// Whether the package has a release that is not taken back.
    fn exists(&self, package: &PackageId) -> impl Future<Output = Result<bool, RegistryError>> + Send;

    /// A package's releases, and its newest one.
    fn metadata(
        &self,
        package: &PackageId,
    ) -> impl Future<Output = Result<Option<Metadata>, RegistryError>> + Send;
}
