//! The next thing that happens.

use super::event::What;
use super::trace::TraceEvent;
use super::world::World;

impl World {
    /// Let the next thing happen if it does so by `until`. Returns whether something did.
    pub(crate) fn step(&mut self, until: u64) -> bool {
        if self.queue.next_at().is_none_or(|at| at > until) {
            return false;
        }
        let Some((at, what)) = self.queue.pop() else { return false };
        self.now = self.now.max(at);
        self.account.events += 1;
        match what {
            What::Arrive(slot) => self.arrive(slot),
            What::Return(slot) => self.return_to_client(slot),
            What::Broken { op, generation, server, kind } => {
                if self.ops.is(op, generation) {
                    self.broken(op, server, kind);
                }
            }
            What::Reset { a, b } => self.reset_due(a, b),
            What::Dialed(slot) => self.dialed(slot),
            What::Heard { announcement, from, to } => self.heard(announcement, from, to),
            What::Retire(slot) => self.retire(slot),
            What::Due { op, generation } => {
                if self.ops.is(op, generation) {
                    self.due(op);
                }
            }
            What::Impatient { op, generation } => {
                if self.ops.is(op, generation) {
                    self.impatient(op);
                }
            }
            What::Wake(node) => self.wake(node),
            What::Synced { node, life } => self.synced(node, life),
            What::Withdraw { node, inbound } => self.withdraw(node, inbound),
            What::Down { node, peer } => self.down(node, peer),
            What::Graft(node) => {
                if self.is_up(node) {
                    self.graft(node);
                }
            }
            What::Rejoin { node, life } => self.rejoin(node, life),
        }
        true
    }

    /// The deadline of a node's application may have come.
    fn wake(&mut self, node: u32) {
        let now = self.now;
        if let Some(app) = self.app(node)
            && app.wake_at <= now
        {
            app.wake_at = u64::MAX;
            app.alarm.ring();
        }
    }

    /// The oldest batch of a node's store has reached the disk.
    fn synced(&mut self, node: u32, life: u32) {
        if self.standing(node).life != life || !self.is_up(node) {
            return;
        }
        let write = self.app(node).and_then(|app| app.disk.borrow_mut().sync_next());
        if let Some(write) = write {
            self.note(TraceEvent::Synced { node, write: write.0 });
        }
    }
}
