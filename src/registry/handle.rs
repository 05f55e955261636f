//! [`P2PRegistry`]: the handle that callers hold.

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::engine::{ConfigError, Found, Lookup, Outcome, QueryConfig, QueryMetrics, QueryOutcome, Reason};
use crate::network::Network;
use crate::package::{Package, PackageId, PublisherId, Query, ReleaseId};
use crate::record::Record;
use crate::registry::api::Registry;
use crate::registry::command::{Command, GetReply, SearchReply};
use crate::registry::error::{PublishError, RegistryError, Unanswered};
use crate::registry::link::{Ended, Interest, Link};
use crate::registry::outcome::{Hit, Metadata, Published, QueryHandle, SearchOutcome, Versions};
use crate::registry::snapshot::Snapshot;

/// A handle to one registry: cheap to clone, and free to go to any thread whatever its network is.
///
/// Everything it is asked goes through a bounded channel to the driver, which owns the network: when the
/// channel is full a caller waits for room. When the last handle is dropped the driver ends what is in
/// flight and stops; a [`QueryHandle`] does not keep it going.
pub struct P2PRegistry<N: Network> {
    commands: mpsc::Sender<Command<N::Peer>>,
    link: Arc<Link>,
    query: Arc<QueryConfig>,
    peer: N::Peer,
    publisher: Option<PublisherId>,
    network: PhantomData<fn() -> N>,
}

impl<N: Network> Clone for P2PRegistry<N> {
    fn clone(&self) -> Self {
        Self {
            commands: self.commands.clone(),
            link: Arc::clone(&self.link),
            query: Arc::clone(&self.query),
            peer: self.peer,
            publisher: self.publisher,
            network: PhantomData,
        }
    }
}

impl<N: Network> fmt::Debug for P2PRegistry<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("P2PRegistry")
            .field("peer", &self.peer)
            .field("publisher", &self.publisher)
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}

impl<N: Network> P2PRegistry<N> {
    /// The handle of the driver at the other end of `commands`.
    pub(super) fn at(
        commands: mpsc::Sender<Command<N::Peer>>,
        link: Arc<Link>,
        query: QueryConfig,
        peer: N::Peer,
        publisher: Option<PublisherId>,
    ) -> Self {
        Self { commands, link, query: Arc::new(query), peer, publisher, network: PhantomData }
    }

    /// This node's name on the network.
    pub const fn local_peer(&self) -> N::Peer {
        self.peer
    }

    /// Whose key this registry publishes with.
    pub const fn publisher(&self) -> Option<PublisherId> {
        self.publisher
    }

    /// How this handle's queries are run.
    pub fn query_config(&self) -> &QueryConfig {
        &self.query
    }

    /// A handle to the same registry whose queries are run like this.
    pub fn with_query_config(&self, query: QueryConfig) -> Result<Self, ConfigError> {
        query.check()?;
        Ok(Self { query: Arc::new(query), ..self.clone() })
    }

    /// Look one thing up and tell how that went: what the methods of [`Registry`] that get something are
    /// made of.
    pub async fn lookup(&self, what: Lookup) -> Result<QueryOutcome, RegistryError> {
        let (outcome, ended_outcome) = oneshot::channel();
        let (id, ended) = (self.link.next_query(), Ended::default());
        let to = GetReply { outcome, ended: ended.clone() };
        self.send(Command::Get { id, what, config: (*self.query).clone(), to }).await?;
        let _interest = Interest::new(id, ended, Arc::clone(&self.link));
        ended_outcome.await.map_err(|_| RegistryError::Closed)
    }

    /// The counters of all queries of this registry, whichever handle they came from.
    pub async fn query_metrics(&self) -> Result<QueryMetrics, RegistryError> {
        let (reply, metrics) = oneshot::channel();
        self.send(Command::Metrics { reply }).await?;
        metrics.await.map_err(|_| RegistryError::Closed)
    }

    /// What the registry holds right now.
    pub async fn inspect(&self) -> Result<Snapshot<N::Peer>, RegistryError> {
        let (reply, snapshot) = oneshot::channel();
        self.send(Command::Inspect { reply }).await?;
        snapshot.await.map_err(|_| RegistryError::Closed)
    }

    async fn send(&self, command: Command<N::Peer>) -> Result<(), RegistryError> {
        self.commands.send(command).await.map_err(|_| RegistryError::Closed)
    }

    async fn start_search(&self, query: Query) -> Result<QueryHandle, RegistryError> {
        query.check()?;
        let room = query.limit.min(self.query.max_results).max(1);
        let (results, found) = mpsc::channel(room);
        let (outcome, ended_outcome) = oneshot::channel();
        let (id, ended) = (self.link.next_query(), Ended::default());
        let to = SearchReply { results, outcome, ended: ended.clone() };
        self.send(Command::Search { id, query, config: (*self.query).clone(), to }).await?;
        let interest = Interest::new(id, ended, Arc::clone(&self.link));
        Ok(QueryHandle::new(interest, found, ended_outcome))
    }

    async fn change(
        &self,
        command: Command<N::Peer>,
        changed: oneshot::Receiver<Result<Published, PublishError>>,
    ) -> Result<Published, PublishError> {
        if self.publisher.is_none() {
            return Err(PublishError::NoKey);
        }
        self.send(command).await.map_err(|_| PublishError::Closed)?;
        changed.await.map_err(|_| PublishError::Closed)?
    }

    async fn get(&self, what: Lookup) -> Result<Option<Hit>, RegistryError> {
        let ended = self.lookup(what).await?;
        match (&ended.found, answer(&ended)) {
            (Found::Release(Some(found)), _) => Ok(Hit::new(Arc::clone(found))),
            (_, known) => known.map(|()| None),
        }
    }

    async fn versions(&self, package: &PackageId) -> Result<Option<Versions>, RegistryError> {
        let ended = self.lookup(Lookup::List(package.clone())).await?;
        if let Found::List { list: Some(list), stale } = &ended.found
            && let Record::List(list) = &**list
        {
            return Ok(Some(Versions::new(list, *stale)));
        }
        answer(&ended).map(|()| None)
    }

    async fn describe(&self, package: &PackageId) -> Result<Option<Metadata>, RegistryError> {
        let Some(versions) = self.versions(package).await? else { return Ok(None) };
        let latest = match versions.current().next() {
            Some(_) => match self.get(Lookup::Latest(package.clone())).await {
                Err(RegistryError::Unanswered(_)) => None,
                latest => latest?,
            },
            None => None,
        };
        Ok(Some(Metadata { versions, latest }))
    }
}

/// Whether a get that found nothing says that there is nothing.
fn answer(ended: &QueryOutcome) -> Result<(), RegistryError> {
    if let Some(conflict) = ended.conflicts.first() {
        return Err(RegistryError::Conflict(conflict.release.clone()));
    }
    match ended.outcome {
        Outcome::Complete | Outcome::Enough | Outcome::Failed(Reason::NotFound) => Ok(()),
        Outcome::Failed(reason) => {
            Err(Unanswered::from_reason(reason).map_or(RegistryError::Cancelled, RegistryError::Unanswered))
        }
        Outcome::Partial(missing) if missing.deadline => Err(RegistryError::Unanswered(Unanswered::Deadline)),
        Outcome::Partial(_) => Err(RegistryError::Unanswered(Unanswered::NoAnswer)),
        Outcome::Cancelled => Err(RegistryError::Cancelled),
    }
}

impl<N: Network> Registry for P2PRegistry<N> {
    async fn search(&self, query: Query) -> Result<SearchOutcome, RegistryError> {
        self.start_search(query).await?.await
    }

    fn search_stream(&self, query: Query) -> impl Future<Output = Result<QueryHandle, RegistryError>> + Send {
        self.start_search(query)
    }

    fn get_package(
        &self,
        package: &PackageId,
    ) -> impl Future<Output = Result<Option<Hit>, RegistryError>> + Send {
        self.get(Lookup::Latest(package.clone()))
    }

    fn get_package_version(
        &self,
        release: &ReleaseId,
    ) -> impl Future<Output = Result<Option<Hit>, RegistryError>> + Send {
        self.get(Lookup::Release(release.clone()))
    }

    fn list_versions(
        &self,
        package: &PackageId,
    ) -> impl Future<Output = Result<Option<Versions>, RegistryError>> + Send {
        self.versions(package)
    }

    fn publish(&self, package: Package) -> impl Future<Output = Result<Published, PublishError>> + Send {
        let (reply, published) = oneshot::channel();
        self.change(Command::Publish { package: Box::new(package), reply }, published)
    }

    fn delete(&self, release: &ReleaseId) -> impl Future<Output = Result<Published, PublishError>> + Send {
        let (reply, yanked) = oneshot::channel();
        self.change(Command::Yank { release: release.clone(), reply }, yanked)
    }

    async fn exists(&self, package: &PackageId) -> Result<bool, RegistryError> {
        Ok(self.versions(package).await?.is_some_and(|versions| versions.current().next().is_some()))
    }

    fn metadata(
        &self,
        package: &PackageId,
    ) -> impl Future<Output = Result<Option<Metadata>, RegistryError>> + Send {
        self.describe(package)
    }
}
