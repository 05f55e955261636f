//! The queue of what will happen, in the one order in which it happens.
//!
//! Entries leave in the order of (time, tie, sequence). The tie is drawn from the seed and from the
//! identity of what is queued, so that two things at one instant come in an order that belongs to them
//! and not to the order of the code that queued them; the sequence decides what is left.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::wire::Kind;

/// What happens. Numbers name slots; who queues keeps them valid until then, or gives a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The request of an exchange reaches its server.
    Arrive(u32),
    /// The answer of an exchange, or its end, reaches its client.
    Return(u32),
    /// The request in slot `op` learns that what it asked of `server` broke off.
    Broken { op: u32, generation: u32, server: u32, kind: Kind },
    /// A connection was to be reset now.
    Reset { a: u32, b: u32 },
    /// A dial is over.
    Dialed(u32),
    /// An announcement reaches `to` from `from`.
    Heard { announcement: u32, from: u32, to: u32 },
    /// An announcement need no longer be remembered.
    Retire(u32),
    /// A request of an application is due.
    Due { op: u32, generation: u32 },
    /// A peer asked in a walk may have been silent for too long.
    Impatient { op: u32, generation: u32 },
    /// A node's application asked to be woken now.
    Wake(u32),
    /// The oldest batch of a node's store has reached the disk.
    Synced { node: u32, life: u32 },
    /// The asker of a question gave up.
    Withdraw { node: u32, inbound: u32 },
    /// An application's node sees that a peer has died.
    Down { node: u32, peer: u32 },
    /// A member of the mesh has lost neighbours.
    Graft(u32),
    /// A node that found nobody tries to join again.
    Rejoin { node: u32, life: u32 },
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: u64,
    /// The tie in the upper 24 bits, the sequence below.
    order: u64,
    what: What,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// The queue: what happens soon in its order, and slots of what happens later.
///
/// Most entries are for a while from now, and many are for nothing by then (a deadline whose request has
/// ended). They wait unsorted: 64 fine slots of 4.2 ms make one coarse slot of 0.27 s, of which there are
/// 256, 69 s in all, and what lies beyond waits in a heap of its own. A slot is poured out when its time comes.
/// Of these, the entries are sorted once; what is queued for the present slot itself goes through a heap beside them.
#[derive(Debug)]
pub(crate) struct Queue {
    /// The entries that the present slot was poured out with, the first last.
    poured: Vec<Entry>,
    /// Those that were queued for the present slot, or for before, when it had been poured out.
    soon: BinaryHeap<Reverse<Entry>>,
    /// The rest of the present coarse slot, by the lowest bits of the epoch.
    fine: [u32; FINE],
    /// A bit for each fine slot that is not empty.
    fine_filled: u64,
    coarse: [u32; COARSE],
    coarse_filled: [u64; COARSE / 64],
    late: BinaryHeap<Reverse<Entry>>,
    chunks: Vec<Chunk>,
    free: u32,
    /// Entries of this epoch and of those before are in `poured` and `soon`.
    epoch: u64,
    sequence: u64,
    salt: u64,
}

/// Some entries of one slot; a slot is a list of them.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    entries: [Entry; CHUNK],
    len: u32,
    next: u32,
}

const SEQUENCE_BITS: u32 = 40;
/// Nanoseconds of an epoch, as a power of two: 4.2 ms.
const EPOCH_BITS: u32 = 22;
const FINE: usize = 64;
const COARSE: usize = 256;
const CHUNK: usize = 63;
const NO_CHUNK: u32 = u32::MAX;
const NOTHING: Entry = Entry { at: 0, order: 0, what: What::Wake(0) };

impl Queue {
    /// An empty queue whose ties are broken by `salt`.
    pub(crate) fn new(salt: u64) -> Self {
        Self {
            poured: Vec::new(),
            soon: BinaryHeap::new(),
            fine: [NO_CHUNK; FINE],
            fine_filled: 0,
            coarse: [NO_CHUNK; COARSE],
            coarse_filled: [0; COARSE / 64],
            late: BinaryHeap::new(),
            chunks: Vec::new(),
            free: NO_CHUNK,
            epoch: 0,
            sequence: 0,
            salt,
        }
    }

    /// `what` happens at `at`, among others at that instant in the place that `identity` draws.
    pub(crate) fn push(&mut self, at: u64, identity: u64, what: What) {
        let tie = (identity ^ self.salt).wrapping_mul(0x9e37_79b9_7f4a_7c15) & !((1 << SEQUENCE_BITS) - 1);
        let order = tie | self.sequence;
        self.sequence = (self.sequence + 1) & ((1 << SEQUENCE_BITS) - 1);
        self.place(Entry { at, order, what });
    }

    fn place(&mut self, entry: Entry) {
        let epoch = entry.at >> EPOCH_BITS;
        let (block, present) = (epoch / FINE as u64, self.epoch / FINE as u64);
        if epoch <= self.epoch {
            self.soon.push(Reverse(entry));
        } else if block == present {
            let slot = epoch as usize % FINE;
            self.fine[slot] = self.put(self.fine[slot], entry);
            self.fine_filled |= 1 << slot;
        } else if block - present < COARSE as u64 {
            let slot = block as usize % COARSE;
            self.coarse[slot] = self.put(self.coarse[slot], entry);
            self.coarse_filled[slot / 64] |= 1 << (slot % 64);
        } else {
            self.late.push(Reverse(entry));
        }
    }

    /// Put an entry into the slot that begins with chunk `head`; returns with which it begins now.
    fn put(&mut self, head: u32, entry: Entry) -> u32 {
        if let Some(chunk) = self.chunks.get_mut(head as usize)
            && let Some(place) = chunk.entries.get_mut(chunk.len as usize)
        {
            *place = entry;
            chunk.len += 1;
            return head;
        }
        let mut made = Chunk { entries: [NOTHING; CHUNK], len: 1, next: head };
        made.entries[0] = entry;
        match self.chunks.get_mut(self.free as usize) {
            Some(free) => {
                let index = core::mem::replace(&mut self.free, free.next);
                *free = made;
                index
            }
            None => {
                self.chunks.push(made);
                (self.chunks.len() - 1) as u32
            }
        }
    }

    /// Take the entries of the fine slot that begins with chunk `head` for the present ones, of which none is left.
    fn pour_out(&mut self, mut head: u32) {
        while let Some(chunk) = self.chunks.get_mut(head as usize) {
            self.poured.extend_from_slice(&chunk.entries[..chunk.len as usize]);
            head = core::mem::replace(&mut chunk.next, core::mem::replace(&mut self.free, head));
        }
        self.poured.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// Place the entries of the slot that begins with chunk `head` again.
    fn pour(&mut self, mut head: u32) {
        while let Some(chunk) = self.chunks.get_mut(head as usize) {
            let poured = *chunk;
            chunk.next = core::mem::replace(&mut self.free, head);
            for entry in &poured.entries[..poured.len as usize] {
                self.place(*entry);
            }
            head = poured.next;
        }
    }

    /// The first coarse slot after the present one that is not empty, as a number of blocks from the start.
    fn next_block(&self) -> Option<u64> {
        let present = self.epoch / FINE as u64;
        let first = (present as usize + 1) % COARSE;
        let words = COARSE / 64;
        for step in 0..=words {
            let word = (first / 64 + step) % words;
            let mut bits = self.coarse_filled[word];
            if step == 0 {
                bits &= u64::MAX << (first % 64);
            } else if step == words {
                bits &= !(u64::MAX << (first % 64));
            }
            if bits != 0 {
                let slot = word * 64 + bits.trailing_zeros() as usize;
                return Some(present + 1 + ((slot + COARSE - first) % COARSE) as u64);
            }
        }
        None
    }

    /// Move on to the next epoch in which something happens, if nothing happens soon.
    fn advance(&mut self) {
        while self.poured.is_empty() && self.soon.is_empty() {
            if self.fine_filled != 0 {
                let slot = self.fine_filled.trailing_zeros() as usize;
                self.fine_filled &= self.fine_filled - 1;
                self.epoch = self.epoch / FINE as u64 * FINE as u64 + slot as u64;
                let head = core::mem::replace(&mut self.fine[slot], NO_CHUNK);
                self.pour_out(head);
                continue;
            }
            let beyond = self.late.peek().map(|entry| (entry.0.at >> EPOCH_BITS) / FINE as u64);
            let block = match (self.next_block(), beyond) {
                (Some(a), Some(b)) => a.min(b),
                (Some(only), None) | (None, Some(only)) => only,
                (None, None) => return,
            };
            self.epoch = block * FINE as u64;
            let slot = block as usize % COARSE;
            self.coarse_filled[slot / 64] &= !(1 << (slot % 64));
            let head = core::mem::replace(&mut self.coarse[slot], NO_CHUNK);
            self.pour(head);
            while let Some(entry) = self.late.peek()
                && ((entry.0.at >> EPOCH_BITS) / FINE as u64) - block < COARSE as u64
            {
                if let Some(entry) = self.late.pop() {
                    self.place(entry.0);
                }
            }
        }
    }

    /// When the next thing happens.
    pub(crate) fn next_at(&mut self) -> Option<u64> {
        self.advance();
        let (poured, soon) = (self.poured.last(), self.soon.peek());
        let at = [poured, soon.map(|entry| &entry.0)].into_iter().flatten().map(|entry| entry.at);
        at.min()
    }

    /// The next thing.
    pub(crate) fn pop(&mut self) -> Option<(u64, What)> {
        self.advance();
        let next = match (self.poured.last(), self.soon.peek()) {
            (Some(poured), Some(soon)) if soon.0 < *poured => self.soon.pop().map(|entry| entry.0),
            (None, _) => self.soon.pop().map(|entry| entry.0),
            (Some(_), _) => self.poured.pop(),
        };
        next.map(|entry| (entry.at, entry.what))
    }

    /// Bytes of memory held.
    pub(crate) fn footprint(&self) -> usize {
        (self.poured.capacity() + self.soon.capacity() + self.late.capacity()) * size_of::<Entry>()
            + self.chunks.capacity() * size_of::<Chunk>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(mut queue: Queue) -> Vec<(u64, What)> {
        core::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn time_goes_first_and_equal_identities_keep_their_sequence() {
        let mut queue = Queue::new(3);
        for (at, slot) in [(5, 0), (1, 1), (5, 2), (1, 3), (0, 4)] {
            queue.push(at, 77, What::Wake(slot));
        }
        let order = drain(queue);
        assert_eq!(order, [4, 1, 3, 0, 2].map(|slot| ([5, 1, 5, 1, 0][slot as usize], What::Wake(slot))));
    }

    #[test]
    fn ties_follow_identity_and_salt_and_not_the_order_of_pushes() {
        let order = |salt, ids: &[u32]| {
            let mut queue = Queue::new(salt);
            for id in ids {
                queue.push(9, crate::sim::rng::mix(u64::from(*id)), What::Wake(*id));
            }
            drain(queue)
        };
        assert_eq!(order(1, &[1, 2, 3, 4, 5]), order(1, &[5, 3, 1, 2, 4]));
        assert_ne!(order(1, &[1, 2, 3, 4, 5]), order(2, &[1, 2, 3, 4, 5]));
    }

    #[test]
    fn near_and_far_come_in_the_order_of_one_heap() {
        use crate::sim::rng::{Concern, Seed};
        // From an instant to hours ahead; and so close that a slot holds hundreds, and more is queued for it while it lasts.
        for (longest, beside) in [(44, false), (u64::from(EPOCH_BITS) + 3, true)] {
            let mut stream = Seed::new(5).stream(Concern(1000), 0);
            let mut queue = Queue::new(1);
            let mut plain: BinaryHeap<Reverse<(u64, u32)>> = BinaryHeap::new();
            let (mut now, mut both) = (0, 0);
            for i in 0..60_000u32 {
                let span = if beside { 1 << longest } else { 1 << stream.below(longest) };
                let at = now + stream.below(span);
                queue.push(at, 0, What::Wake(i));
                plain.push(Reverse((at, i)));
                if beside && plain.len() > 1_000 || stream.below(2) == 0 {
                    let Some(Reverse((wanted, _))) = plain.pop() else { continue };
                    assert_eq!(queue.next_at(), Some(wanted));
                    both += u32::from(!queue.poured.is_empty() && !queue.soon.is_empty());
                    let Some((at, What::Wake(_))) = queue.pop() else { panic!("{i}") };
                    assert_eq!(at, wanted);
                    now = at;
                }
            }
            assert!(!beside || both > 5_000, "{both} times there was something of either kind");
            while let Some(Reverse((wanted, i))) = plain.pop() {
                assert_eq!(queue.pop(), Some((wanted, What::Wake(i))));
            }
            assert_eq!(queue.next_at(), None);
        }
    }

    #[test]
    fn entries_are_small() {
        assert_eq!(size_of::<Entry>(), 32);
    }
}
