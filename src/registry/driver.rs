//! The event loop: one future that owns the network and does everything while it is polled.
//!
//! It waits for four things at once and for nothing else: dropped queries, commands, the store, and the
//! network with the next deadline. No lock is held while it waits, and nothing is looked at on a timer. In
//! one poll it takes a bounded number of each; if there was more it wakes itself, so that whoever shares
//! its thread gets a turn and a flood of one kind starves no other.

use core::future::{Future, poll_fn};
use core::task::{Context, Poll};

use crate::engine::{Command as EngineCommand, QueryId};
use crate::network::{Event, Network};
use crate::registry::command::Command;
use crate::registry::snapshot::{KnownPeer, Snapshot};
use crate::registry::state::Driver;
use crate::store::Store;
use crate::time::Timestamp;

/// The most commands taken in one poll.
const COMMANDS: usize = 64;
/// The most batches heard of in one poll.
const SYNCS: usize = 64;
/// The most events taken in one poll.
const EVENTS: usize = 256;
/// The most questions answered in one poll.
const ANSWERS: usize = 64;

/// What is left of what one poll may do.
struct Budget {
    commands: usize,
    syncs: usize,
    events: usize,
    answers: usize,
}

impl<N: Network, S: Store> Driver<N, S> {
    /// Run until the network closes or the last handle is dropped.
    ///
    /// Before it ends, every query in flight has ended with what it had found, every request was given up,
    /// and what was handed to the store is durable. It is [`Send`] when network and store are.
    pub fn run(mut self) -> impl Future<Output = ()> + use<N, S> {
        poll_fn(move |cx| self.poll(cx))
    }

    /// Run it with `spawn`: `registry.spawn_event_loop(|task| executor.spawn(task))`.
    pub fn spawn_event_loop<T>(
        self,
        spawn: impl FnOnce(core::pin::Pin<Box<dyn Future<Output = ()> + Send>>) -> T,
    ) -> T
    where
        N: Send + 'static,
        S: Send + 'static,
    {
        spawn(Box::pin(self.run()))
    }

    /// Run it as a task of the present tokio runtime.
    #[cfg(feature = "net")]
    pub fn spawn(self) -> tokio::task::JoinHandle<()>
    where
        N: Send + 'static,
        S: Send + 'static,
    {
        tokio::spawn(self.run())
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut left = Budget { commands: COMMANDS, syncs: SYNCS, events: EVENTS, answers: ANSWERS };
        loop {
            if self.stopping {
                return self.poll_stopped(cx);
            }
            self.asked = false;
            // News before commands: a search must not miss the peers whose coming is already told.
            let mut idle = self.poll_dropped(cx);
            let polled_for = self.poll_network(cx, &mut left);
            idle &= self.poll_store(cx, &mut left);
            idle &= self.poll_commands(cx, &mut left);
            self.settle();
            while left.answers > 0 && self.answer_next() {
                left.answers -= 1;
                self.settle();
            }
            if self.stopping {
                continue;
            }
            let spent = left.commands == 0 || left.syncs == 0 || left.events == 0 || left.answers == 0;
            if spent {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            // Network and store need not wake whoever asks them something: what was asked of them since, or
            // another deadline, is another pass.
            if idle && !self.asked && polled_for == Some(self.next_deadline()) {
                return Poll::Pending;
            }
        }
    }

    fn next_deadline(&self) -> Option<Timestamp> {
        self.engine.next_deadline().into_iter().chain(self.own_deadline()).min()
    }

    /// Do everything that follows from what was taken in.
    fn settle(&mut self) {
        self.do_actions();
        self.advance();
        // What went on may have asked the engine for a lookup, or charged a peer.
        self.do_actions();
    }

    fn poll_dropped(&mut self, cx: &Context<'_>) -> bool {
        let dropped = self.link.take_dropped(cx.waker());
        for query in &dropped {
            self.cancel_query(*query);
        }
        if !dropped.is_empty() {
            self.settle();
        }
        dropped.is_empty()
    }

    fn poll_commands(&mut self, cx: &mut Context<'_>, left: &mut Budget) -> bool {
        let mut idle = true;
        while left.commands > 0 && !self.stopping {
            match self.commands.poll_recv(cx) {
                Poll::Ready(Some(command)) => {
                    left.commands -= 1;
                    idle = false;
                    self.obey(command);
                    self.do_actions();
                }
                Poll::Ready(None) => self.stop(false),
                Poll::Pending => break,
            }
        }
        idle
    }

    fn poll_store(&mut self, cx: &mut Context<'_>, left: &mut Budget) -> bool {
        let mut idle = true;
        while left.syncs > 0
            && let Poll::Ready((write, result)) = self.store.poll_synced(cx)
        {
            left.syncs -= 1;
            idle = false;
            self.synced(write, &result);
        }
        idle
    }

    /// With which deadline the network was polled when nothing was left to take in.
    fn poll_network(&mut self, cx: &mut Context<'_>, left: &mut Budget) -> Option<Option<Timestamp>> {
        while left.events > 0 && !self.stopping {
            let deadline = self.next_deadline();
            self.asked = false;
            let Poll::Ready(event) = self.network.poll_event(cx, deadline) else { return Some(deadline) };
            left.events -= 1;
            if self.take_in(event) {
                self.settle();
            } else {
                self.stop(true);
            }
        }
        None
    }

    fn obey(&mut self, command: Command<N::Peer>) {
        match command {
            Command::Search { id, query, config, to } => self.start_search(id, query, config, to),
            Command::Get { id, what, config, to } => self.start_get(id, what, config, to),
            Command::Publish { package, reply } => self.publishing.publish(package, reply),
            Command::Yank { release, reply } => self.publishing.yank(release, reply),
            // Whoever asked may have stopped waiting.
            Command::Metrics { reply } => drop(reply.send(self.engine.metrics().clone())),
            Command::Inspect { reply } => drop(reply.send(self.snapshot())),
        }
    }

    fn snapshot(&self) -> Snapshot<N::Peer> {
        let now = self.network.now();
        let in_flight = self.engine.in_flight();
        let reputation = self.engine.reputation();
        let peers = reputation.peers().map(|(peer, standing)| KnownPeer {
            peer: *peer,
            score: reputation.score(now, peer),
            latency: standing.latency(),
        });
        Snapshot {
            now,
            wall: self.network.wall(),
            queries: in_flight.queries,
            waiters: self.waiters.len(),
            requests: in_flight.requests,
            own_requests: self.requests.open() - self.catch_up.out() - self.upkeep.out(),
            catching_up: self.catch_up.out(),
            upkeep: self.upkeep.out(),
            buffered: in_flight.buffered,
            questions: self.questions.len(),
            publications: self.publishing.open(),
            unsynced: self.store.pending(),
            store_failed: self.store_failed,
            connected: self.catch_up.partners(),
            network: self.network.gauges(),
            catalogue: self.catalogue().held(),
            equivocations: self.catalogue().proofs().to_vec(),
            peers: peers.collect(),
            queries_so_far: self.engine.metrics().clone(),
            counters: self.counters,
        }
    }

    /// End everything, because the network has closed or the last handle is gone: callers get what was found so far, or are told that the registry has stopped.
    fn stop(&mut self, closed: bool) {
        self.stopping = true;
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            drop(command);
        }
        if closed {
            self.engine.handle_event(self.network.now(), self.network.wall(), &Event::Closed);
            self.do_actions();
        }
        let waiting: Vec<QueryId> = self.waiters.keys().copied().collect();
        for id in waiting {
            let command = EngineCommand::Cancel { id };
            self.engine.handle_command(self.network.now(), self.network.wall(), command);
        }
        self.do_actions();
        self.waiters.clear();
        if self.reputation_due().is_some() {
            self.save_reputation();
        }
        self.refuse_questions();
        self.publishing.stop();
        self.upkeep.stop();
        self.catch_up.stop();
        self.requests.give_up_all();
        self.send_requests();
    }

    /// Wait until what was learned is durable.
    fn poll_stopped(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.flush_journal();
            if self.journal.is_idle() && self.store.pending() == 0 {
                return Poll::Ready(());
            }
            match self.store.poll_synced(cx) {
                Poll::Ready((write, result)) => {
                    self.counters.unsaved += self.journal.synced(write, result.is_ok()) as u64;
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
