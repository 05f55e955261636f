//! A testbed, and the nodes that a clause put on it.
//!
//! A clause spawns its nodes, calls [`Scene::start`], and then alternates between what it does through
//! the probes and [`Scene::drive`], which polls all of them. Nothing else waits.

use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;

use super::clause::{Verdict, Violation, ensure};
use super::parts::Part;
use super::probe::{End, Probe};
use crate::network::{Network, RequestId};
use crate::testbed::{NodeId, NodeSpec, Testbed, TestbedError};

/// The time in which a healthy network does what is asked, also on a machine that has much else to do. Only a
/// broken one takes it all.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// The time for which a clause goes on listening to see that nothing follows.
pub(super) const QUIET: Duration = Duration::from_millis(600);

/// The name of a peer on a testbed.
pub(super) type PeerOf<B> = <<B as Testbed>::Network as Network>::Peer;

/// The application nodes of a testbed, as the suite holds them.
pub(super) type Probes<B> = [Probe<<B as Testbed>::Network>];

/// A testbed with a clause's nodes.
pub(super) struct Scene<'a, B: Testbed> {
    pub(super) bed: &'a mut B,
    /// The application nodes, in the order in which they were spawned.
    pub(super) probes: Vec<Probe<B::Network>>,
    applications: Vec<NodeId>,
}

impl<'a, B: Testbed> Scene<'a, B> {
    pub(super) fn new(bed: &'a mut B) -> Self {
        Self { bed, probes: Vec::new(), applications: Vec::new() }
    }

    /// Spawn a node that the testbed runs.
    pub(super) fn served(&mut self, part: Part) -> Result<NodeId, Violation> {
        Ok(self.bed.spawn(NodeSpec::served(Box::new(part)))?)
    }

    /// Spawn `count` nodes that echo, so that there is a network at all.
    pub(super) fn crowd(&mut self, count: usize) -> Result<Vec<NodeId>, Violation> {
        (0..count).map(|n| self.served(Part::echo(format!("crowd {n}")))).collect()
    }

    /// Spawn an application node. Its probe has the place in `probes` at which it was spawned.
    pub(super) fn application(&mut self) -> Result<NodeId, Violation> {
        let node = self.bed.spawn(NodeSpec::application())?;
        self.applications.push(node);
        Ok(node)
    }

    /// Take the networks of the application nodes that were spawned and not yet taken.
    pub(super) fn start(&mut self) -> Verdict {
        for node in self.applications.drain(..) {
            let net = self.bed.network(node).ok_or(TestbedError::NoSuchNode { node, wanted: "takeable" })?;
            self.probes.push(Probe::new(net, self.bed.tick()));
        }
        Ok(())
    }

    /// The name of a node.
    pub(super) fn peer(&self, node: NodeId) -> Result<PeerOf<B>, Violation> {
        Ok(self.bed.peer(node).ok_or(TestbedError::NoSuchNode { node, wanted: "a node" })?)
    }

    /// Poll every probe until `done` says so or `span` has passed; says which.
    pub(super) fn drive(
        &mut self,
        span: Duration,
        mut done: impl FnMut(&mut Probes<B>) -> bool,
    ) -> Result<bool, Violation> {
        let until = self.bed.now().after(span);
        if self.probes.iter().all(Probe::closed) {
            self.bed.run_until(until);
            return Ok(done(&mut self.probes));
        }
        let probes = &mut self.probes;
        let limit = span.saturating_add(self.bed.tick()).saturating_add(Duration::from_secs(1));
        let mut all_closed = false;
        let ended = self.bed.block_on(
            limit,
            poll_fn(|cx| {
                loop {
                    if done(probes) {
                        return Poll::Ready(Ok(true));
                    }
                    let (mut moved, mut due) = (false, false);
                    for probe in probes.iter_mut().filter(|probe| !probe.closed()) {
                        match probe.poll(cx, Some(until)) {
                            Poll::Ready(Err(broken)) => return Poll::Ready(Err(broken)),
                            Poll::Ready(Ok(Some(()))) => moved = true,
                            Poll::Ready(Ok(None)) => due = true,
                            Poll::Pending => {}
                        }
                    }
                    all_closed = probes.iter().all(Probe::closed);
                    if due || all_closed {
                        return Poll::Ready(Ok(done(probes)));
                    }
                    if !moved {
                        return Poll::Pending;
                    }
                }
            }),
        );
        match ended {
            Some(Ok(false)) if all_closed => {
                // Nobody is left to report the deadline.
                self.bed.run_until(until);
                Ok(done(&mut self.probes))
            }
            Some(ended) => ended,
            None => Err(Violation::Broken(format!("nothing was reported by the deadline {until}"))),
        }
    }

    /// Drive until `done`; that it does not come about is a violation.
    pub(super) fn need(&mut self, what: &str, done: impl FnMut(&mut Probes<B>) -> bool) -> Verdict {
        let came = self.drive(PATIENCE, done)?;
        ensure!(came, "{what}: it did not come about within {PATIENCE:?}");
        Ok(())
    }

    /// Drive for a while, to see that nothing follows.
    pub(super) fn linger(&mut self, span: Duration) -> Verdict {
        self.drive(span, |_| false).map(|_| ())
    }

    /// Drive until the request `id` of probe `at` has ended.
    pub(super) fn ended(&mut self, at: usize, id: RequestId) -> Result<End, Violation> {
        let mut end = None;
        self.need(&format!("the end of {id}"), |probes| {
            end = probes[at].end(id);
            end.is_some()
        })?;
        end.ok_or_else(|| Violation::Broken(format!("{id} has not ended")))
    }
}
