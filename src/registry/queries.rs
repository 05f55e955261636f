//! Queries: from a caller to the engine, and from the engine to the network and back to the caller.

use tokio::sync::mpsc::error::TrySendError;

use crate::engine::{
    Action, Command as EngineCommand, Conflict, Found, Local, Lookup, Outcome, QueryId, QueryOutcome, Reason,
};
use crate::network::Network;
use crate::package::{PackageId, Query, ReleaseId};
use crate::probe::reached;
use crate::record::{Checked, Record};
use crate::registry::command::{GetReply, SearchReply};
use crate::registry::error::Unanswered;
use crate::registry::observe::{Asked, Behalf, Observed, Via};
use crate::registry::outcome::{Hit, SearchOutcome};
use crate::registry::state::{Driver, Waiter};
use crate::store::Store;

impl<N: Network, S: Store> Driver<N, S> {
    /// Hand a caller's search to the engine.
    pub(super) fn start_search(
        &mut self,
        id: QueryId,
        query: Query,
        config: crate::engine::QueryConfig,
        to: SearchReply,
    ) {
        if to.outcome.is_closed() {
            return; // Given up while it waited in the channel.
        }
        let local = self.local(&query, config.max_results);
        self.observe(Observed::QueryStarted { query: id, asked: Asked::Search(&query), config: &config });
        self.waiters.insert(id, Waiter::Search(to));
        let command = EngineCommand::Search { id, query, config, local };
        self.engine.handle_command(self.network.now(), self.network.wall(), command);
    }

    /// Hand a caller's get to the engine.
    pub(super) fn start_get(
        &mut self,
        id: QueryId,
        what: Lookup,
        config: crate::engine::QueryConfig,
        to: GetReply,
    ) {
        if to.outcome.is_closed() {
            return;
        }
        self.observe(Observed::QueryStarted { query: id, asked: Asked::Get(&what), config: &config });
        self.waiters.insert(id, Waiter::Get(to));
        let local = self.held(&what);
        let command = EngineCommand::Get { id, what, config, local };
        self.engine.handle_command(self.network.now(), self.network.wall(), command);
    }

    /// Look the newest list of one's own package up, for a publication.
    pub(super) fn look_up_own(&mut self, package: PackageId) {
        let id = QueryId(self.next_own_query);
        self.next_own_query += 1;
        let config = self.query.clone();
        self.observe(Observed::QueryStarted { query: id, asked: Asked::OwnList(&package), config: &config });
        self.waiters.insert(id, Waiter::OwnList(package.clone()));
        let what = Lookup::List(package);
        let local = self.held(&what);
        let command = EngineCommand::Get { id, what, config, local };
        self.engine.handle_command(self.network.now(), self.network.wall(), command);
    }

    /// What this node's catalogue says to a search. What it holds two different records of is no answer,
    /// wherever a third comes from.
    fn local(&self, query: &Query, most: usize) -> Local {
        let mut local = self.catalogue().local(query, most.min(query.limit));
        for proof in self.catalogue().proofs() {
            let sides = [&proof.first, &proof.second];
            local.yanked.extend(sides.into_iter().filter_map(|side| release_of(side)).cloned());
        }
        local
    }

    /// What this node holds that may answer a get.
    fn held(&mut self, what: &Lookup) -> Vec<Checked> {
        match what {
            Lookup::Release(release) => self.catalogue().get(release).into_iter().collect(),
            Lookup::List(package) => self.newest_list(package).into_iter().collect(),
            Lookup::Latest(package) => {
                let list = self.newest_list(package);
                let mut held: Vec<Checked> = Vec::new();
                for entry in list.iter().filter_map(|list| list.as_list()).flat_map(|list| &list.entries) {
                    if !entry.yanked {
                        let (package, version) = (package.clone(), entry.version.clone());
                        held.extend(self.catalogue().get(&ReleaseId { package, version }));
                    }
                }
                held.extend(list);
                held
            }
        }
    }

    /// Nobody waits for the query any more.
    pub(super) fn cancel_query(&mut self, id: QueryId) {
        if self.waiters.contains_key(&id) {
            reached!(HandleDropped);
            let command = EngineCommand::Cancel { id };
            self.engine.handle_command(self.network.now(), self.network.wall(), command);
        }
    }

    /// Do what the engine asks for, until it asks for nothing.
    pub(super) fn do_actions(&mut self) {
        while let Some(action) = self.engine.poll_action() {
            match action {
                Action::Submit { id, query, request, limits } => {
                    let behalf = Behalf::Query(query);
                    self.observe(Observed::Submitted { request: id, behalf, what: &request, limits });
                    self.submit_request(id, request, limits);
                }
                Action::Cancel { id } => self.cancel_request(id),
                Action::Deliver { query, release, from } => self.deliver(query, release, from),
                Action::Finish { query, outcome } => self.finish(query, outcome),
                Action::Learned { record, from: _ } => {
                    self.learn(&record, Via::Query);
                }
                Action::Charged(charge) => self.observe(Observed::Charged(charge)),
                Action::Block { peer, until } => {
                    self.asked = true;
                    self.network.block(peer, until);
                }
            }
        }
    }

    /// The engine knows what came for its queries; the catalogue may know that the publisher signed
    /// something else as well. Then neither is told as truth.
    fn without_contradicted(&self, mut ended: QueryOutcome) -> QueryOutcome {
        if let Found::Release(Some(found)) = &ended.found
            && let Some(release) = release_of(found)
            && let Some(proof) = self.catalogue().conflict(release)
        {
            let (first, second) = (proof.first, proof.second);
            ended.conflicts.push(Conflict { release: release.clone(), first, second });
            ended.found = Found::Release(None);
            ended.outcome = Outcome::Failed(Reason::Conflict);
        }
        ended
    }

    fn deliver(&mut self, query: QueryId, release: Checked, from: Option<N::Peer>) {
        let Some(hit) = Hit::new(release) else { return };
        self.observe(Observed::Delivered { query, release: &hit, from });
        if let Some(Waiter::Search(to)) = self.waiters.get(&query) {
            match to.results.try_send(hit) {
                // Whoever dropped the handle has left word, or only wants the outcome.
                Ok(()) | Err(TrySendError::Closed(_)) => {}
                Err(TrySendError::Full(_)) => {
                    debug_assert!(false, "the engine delivered more than the limit of {query}");
                }
            }
        }
    }

    fn finish(&mut self, query: QueryId, outcome: QueryOutcome) {
        self.observe(Observed::Finished { outcome: &outcome });
        if let Found::List { list: Some(list), .. } = &outcome.found {
            self.see_list(&list.clone(), Via::Query);
        }
        match self.waiters.remove(&query) {
            Some(Waiter::Search(SearchReply { outcome: to, ended, .. })) => {
                ended.set();
                // Sent before the stream ends, since the sender of results is dropped after it.
                let _ = to.send(SearchOutcome::from(outcome));
            }
            Some(Waiter::Get(GetReply { outcome: to, ended })) => {
                ended.set();
                let _ = to.send(self.without_contradicted(outcome));
            }
            Some(Waiter::OwnList(package)) => {
                self.publishing.looked_up(&package, found_list(outcome));
            }
            None => {}
        }
    }
}

/// Which release a statement is about.
fn release_of(record: &Record) -> Option<&ReleaseId> {
    match record {
        Record::Release(release) => Some(&release.package.release),
        Record::Notice(notice) => Some(&notice.release),
        Record::List(_) => None,
    }
}

/// The list that was found, or that there is none, or why neither can be said.
fn found_list(ended: QueryOutcome) -> Result<Option<Checked>, Unanswered> {
    if let Found::List { list: Some(list), .. } = ended.found {
        return Ok(Some(list));
    }
    match ended.outcome {
        Outcome::Complete | Outcome::Enough | Outcome::Failed(Reason::NotFound | Reason::Conflict) => {
            Ok(None)
        }
        Outcome::Failed(reason) => Err(Unanswered::from_reason(reason).unwrap_or(Unanswered::NoAnswer)),
        Outcome::Partial(missing) if missing.deadline => Err(Unanswered::Deadline),
        Outcome::Partial(_) | Outcome::Cancelled => Err(Unanswered::NoAnswer),
    }
}
