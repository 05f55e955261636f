//! Faults: what is done to the network while it runs.

use std::collections::BTreeSet;

use super::trace::TraceEvent;
use super::world::World;
use crate::testbed::{Fault, NodeId, TestbedError, Way};

impl TraceEvent {
    /// That `fault` is applied.
    pub fn of_fault(fault: &Fault) -> Self {
        let (kind, first, size) = match fault {
            Fault::Kill { node, .. } => (0, node.0, 1),
            Fault::Restart { node } => (1, node.0, 1),
            Fault::Cut { from, to, .. } => (2, from.first().map_or(0, |n| n.0), from.len() + to.len()),
            Fault::Heal { from, to } => (3, from.first().map_or(0, |n| n.0), from.len() + to.len()),
            Fault::Links { nodes, .. } => (4, nodes.first().map_or(0, |n| n.0), nodes.len()),
            Fault::Slow { node, .. } => (5, node.0, 1),
            Fault::Silent { node, .. } => (6, node.0, 1),
            Fault::Stall { node, .. } => (7, node.0, 1),
            Fault::Garbles { node, ways } => (8, node.0, ways.len()),
            Fault::Dialable { node, .. } => (9, node.0, 1),
            Fault::Full { node, .. } => (10, node.0, 1),
            Fault::Forgets { node, .. } => (11, node.0, 1),
            Fault::Late { node, .. } => (12, node.0, 1),
            Fault::Skew { node, .. } => (13, node.0, 1),
            Fault::Announces { node, .. } => (14, node.0, 1),
            Fault::Colludes { node, with } => (15, node.0, with.len()),
        };
        Self::Faulted { kind, first, size: size as u32 }
    }
}

impl World {
    fn existing(&self, node: NodeId) -> Result<u32, TestbedError> {
        if (node.0 as usize) < self.nodes.len() {
            Ok(node.0)
        } else {
            Err(TestbedError::NoSuchNode { node, wanted: "a node of this network" })
        }
    }

    /// Apply a fault now.
    pub(crate) fn apply(&mut self, fault: Fault) -> Result<(), TestbedError> {
        self.note(TraceEvent::of_fault(&fault));
        match fault {
            Fault::Kill { node, keep } => {
                let node = self.existing(node)?;
                if !self.is_up(node) {
                    return Err(TestbedError::NoSuchNode { node: NodeId(node), wanted: "a node that is up" });
                }
                self.kill(node, keep);
            }
            Fault::Restart { node } => {
                let node = self.existing(node)?;
                if self.is_up(node) {
                    return Err(TestbedError::NoSuchNode {
                        node: NodeId(node),
                        wanted: "a node that is down",
                    });
                }
                self.restart(node);
            }
            Fault::Cut { from, to, way } => self.cut(from, to, way)?,
            Fault::Heal { from, to } => {
                self.links.heal(from, to);
                self.changes += 1;
            }
            Fault::Links { nodes, change } => {
                for node in &nodes {
                    self.existing(*node)?;
                }
                for node in nodes {
                    self.links.change(node.0, change);
                }
                self.changed_links = self.ms();
            }
            Fault::Slow { node, factor } => {
                let node = self.existing(node)?;
                self.node_mut(node).slow = factor.max(1);
            }
            Fault::Silent { node, silent } => {
                let node = self.existing(node)?;
                self.node_mut(node).silent = silent;
            }
            Fault::Stall { node, stalled } => {
                let node = self.existing(node)?;
                self.node_mut(node).stalled = stalled;
            }
            Fault::Garbles { node, ways } => {
                let node = self.existing(node)?;
                self.node_mut(node).faults().garbles = ways;
            }
            Fault::Dialable { node, dialable } => {
                let node = self.existing(node)?;
                let before = core::mem::replace(&mut self.standing_mut(node).dialable, dialable);
                match (before, dialable) {
                    (true, false) => self.unreachable += 1,
                    (false, true) => self.unreachable = self.unreachable.saturating_sub(1),
                    _ => {}
                }
            }
            Fault::Full { node, full } => {
                let node = self.existing(node)?;
                self.node_mut(node).faults().full = full;
            }
            Fault::Forgets { node, forgets } => {
                let node = self.existing(node)?;
                self.node_mut(node).faults().forgets = forgets;
            }
            Fault::Skew { node, by, behind } => {
                let node = self.existing(node)?;
                let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
                self.node_mut(node).faults().skew = if behind { -by } else { by };
            }
            Fault::Colludes { node, with } => {
                let node = self.existing(node)?;
                for accomplice in &with {
                    self.existing(*accomplice)?;
                }
                self.node_mut(node).faults().colludes = with.into_iter().map(|it| it.0).collect();
            }
            Fault::Announces { node, topic, payload } => {
                let node = self.existing(node)?;
                if self.standing(node).app {
                    let wanted = "run by the network itself";
                    return Err(TestbedError::NoSuchNode { node: NodeId(node), wanted });
                }
                // Who is down or alone tells nobody; whoever storms does not ask.
                if self.is_up(node) {
                    let _told = self.announce(node, topic, payload);
                }
            }
            Fault::Late { node, by } => {
                let node = self.existing(node)?;
                self.node_mut(node).faults().late = crate::time::nanos(by);
            }
        }
        Ok(())
    }

    /// Traffic between two sets is cut. Cut both ways, the connections between them end at once, and what
    /// is under way is lost. Cut one way, they stand until something is lost on them; what the second set
    /// sends still arrives. Nobody can dial across a cut, as a handshake needs both ways.
    fn cut(&mut self, from: BTreeSet<NodeId>, to: BTreeSet<NodeId>, way: Way) -> Result<(), TestbedError> {
        for node in from.iter().chain(&to) {
            self.existing(*node)?;
        }
        self.changes += 1;
        let connections = &self.connections;
        let connected = |node: u32| connections.peers(node);
        for (node, other) in self.links.cut(from, to, way, connected) {
            self.disconnect(node, other);
        }
        Ok(())
    }
}
