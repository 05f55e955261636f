//! The walk towards a key, as libp2p-kad 0.49 does it (`query/peers/closest.rs`): iterative, α at once, until
//! the k closest that answer have answered.
//!
//! Pure: [`Walk::next`] says whom to ask, [`Walk::answered`] and [`Walk::failed`] say what came of it. A
//! peer that is silent for the peer timeout no longer counts against α, but may still answer. An answer brings
//! the walk forward when it names somebody new who is closer than the k-th of those known, or while fewer than k
//! are known; after α answers in a row that do not, k are asked at once.

use super::table::K;

/// Requests at once while a walk comes closer.
pub(crate) const ALPHA: u32 = 3;

/// Candidates remembered. The farthest that was not asked is forgotten first.
const CANDIDATES: usize = 192;

/// The depth of who is in the walk's table and was neither asked nor named yet.
const UNNAMED: u8 = 0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    New,
    Waiting,
    Answered,
    Silent,
    Failed,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    distance: u64,
    peer: u32,
    state: State,
    /// One more than the depth of whose answer named it before it was asked; 1 when it was asked unnamed. That is
    /// what can be seen of a real node's lookup from outside.
    depth: u8,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    /// Its distance, and its number.
    place: (u64, u32),
    /// When it counts as silent.
    until: u64,
}

/// What a walk wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Ask this peer.
    Ask(u32),
    /// Wait for answers; the next silence is due then.
    Wait(u64),
    /// It is over.
    Done,
}

/// A walk.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    target: u64,
    /// By distance.
    candidates: Vec<Candidate>,
    /// Nobody farther than this is entered any more: the distance of the last, once there are plenty.
    reach: u64,
    /// Nobody before this place is yet to be asked.
    first_new: usize,
    /// Who is waited for, by distance. Beside the candidates, as these are moved for each that is entered.
    waiting: Vec<Waiting>,
    /// Before then nobody who is waited for is silent.
    patient_until: u64,
    /// How far the closest stand that answered, at most [`K`] of them, by distance.
    nearest: Vec<(u64, u32)>,
    fruitless: u32,
    stalled: bool,
    seen: Seen,
}

impl Walk {
    /// Start again towards `target`, keeping the memory of an earlier walk.
    pub(crate) fn start(&mut self, target: u64) {
        self.target = target;
        self.candidates.clear();
        self.reach = u64::MAX;
        self.first_new = 0;
        self.waiting.clear();
        self.patient_until = u64::MAX;
        self.nearest.clear();
        self.fruitless = 0;
        self.stalled = false;
        self.seen.clear();
    }

    /// Begin with a peer that the table holds.
    pub(crate) fn learn(&mut self, peer: u32, position: u64) {
        self.enter(peer, position, UNNAMED);
    }

    /// Learn of a peer, from an answer whose giver stands right above `depth`. Returns whether it was not known.
    fn enter(&mut self, peer: u32, position: u64, depth: u8) -> bool {
        if position ^ self.target > self.reach {
            return false;
        }
        match self.seen.insert(peer, depth == UNNAMED) {
            Known::Named => false,
            seen => self.admit(peer, position, depth, seen),
        }
    }

    /// Who stands within reach, and was not named before as far as is remembered, becomes a candidate if it is none.
    fn admit(&mut self, peer: u32, position: u64, depth: u8, seen: Known) -> bool {
        let (at, distance) = self.place(peer, position);
        if let Some(known) = self.candidates.get_mut(at).filter(|c| c.peer == peer) {
            // The table held it, and an answer was first to name it: whoever looks from outside sees no difference.
            if known.depth == UNNAMED && known.state == State::New {
                known.depth = depth;
            }
            return false;
        }
        if seen == Known::Held {
            return false;
        }
        if self.candidates.len() >= CANDIDATES {
            if self.candidates.last().is_none_or(|last| last.state != State::New) || at >= CANDIDATES {
                return false;
            }
            self.candidates.pop();
        }
        self.candidates.insert(at, Candidate { distance, peer, state: State::New, depth });
        self.first_new = self.first_new.min(at);
        if self.candidates.len() >= CANDIDATES {
            self.reach = self.candidates.last().map_or(u64::MAX, |last| last.distance);
        }
        true
    }

    /// Where `peer` stands among the candidates, or would, and how far it is.
    fn place(&self, peer: u32, position: u64) -> (usize, u64) {
        let distance = position ^ self.target;
        // Two at one position are so rare that the search need not look at both fields.
        let first = self.candidates.partition_point(|c| c.distance < distance);
        let before = |c: &&Candidate| c.distance == distance && c.peer < peer;
        let at = first + self.candidates[first..].iter().take_while(before).count();
        (at, distance)
    }

    fn find(&mut self, peer: u32, position: u64) -> Option<&mut Candidate> {
        let (at, _) = self.place(peer, position);
        self.candidates.get_mut(at).filter(|c| c.peer == peer)
    }

    /// A peer answered and named others, of whom those are heard of that are `welcome`. Returns whether it was one that
    /// had been asked, and whose answer or failure was not known yet.
    pub(crate) fn answered(
        &mut self,
        peer: u32,
        named: &[&[u32]],
        welcome: impl Fn(u32) -> bool,
        positions: &[u64],
    ) -> bool {
        let Some(candidate) = self.find(peer, positions[peer as usize]) else { return false };
        if !matches!(candidate.state, State::Waiting | State::Silent) {
            return false;
        }
        candidate.state = State::Answered;
        let (place, deeper) = ((candidate.distance, peer), candidate.depth.saturating_add(1));
        self.wait_no_longer(peer);
        let at = self.nearest.partition_point(|nearer| *nearer < place);
        if at < K {
            self.nearest.truncate(K - 1);
            self.nearest.insert(at, place);
        }
        let mut progress = self.candidates.len() < K;
        let edge = self.candidates.get(K - 1).or(self.candidates.last()).map_or(0, |c| c.distance);
        // Most of those whom an answer names were named before, or stand beyond all. These are sorted out first, without a
        // branch for each, as nothing foretells which they are.
        let mut fresh = [0; K];
        for few in named.iter().flat_map(|list| list.chunks(K)) {
            let mut count = 0;
            for other in few.iter().copied() {
                let within = positions[other as usize] ^ self.target <= self.reach;
                fresh[count] = other;
                count += usize::from(within & !self.seen.names(other));
            }
            for other in fresh[..count].iter().copied().filter(|other| welcome(*other)) {
                let position = positions[other as usize];
                progress |= self.enter(other, position, deeper) && position ^ self.target < edge;
            }
        }
        self.fruitless = if progress { 0 } else { self.fruitless + 1 };
        self.stalled = if self.stalled { !progress } else { self.fruitless >= ALPHA };
        true
    }

    /// A peer could not be reached, or broke off. Returns whether it was being waited for.
    pub(crate) fn failed(&mut self, peer: u32, position: u64) -> bool {
        let Some(candidate) = self.find(peer, position) else { return false };
        if matches!(candidate.state, State::Waiting | State::Silent) {
            candidate.state = State::Failed;
        }
        self.wait_no_longer(peer)
    }

    /// Returns whether `peer` was waited for.
    fn wait_no_longer(&mut self, peer: u32) -> bool {
        let place = self.waiting.iter().position(|waiting| waiting.place.1 == peer);
        place.map(|place| self.waiting.remove(place)).is_some()
    }

    /// What to do at `now`; a peer asked now may be silent for `patience`. Those that have just become
    /// silent are handed to `silent`.
    ///
    /// It is what a look at all candidates by distance would find, up to the first that is yet to be asked: who is
    /// waited for and stands closer than that has become silent or fills one of the places, and the walk is over
    /// when the k closest before any who is waited for have answered.
    pub(crate) fn next(&mut self, now: u64, patience: u64, mut silent: impl FnMut(u32)) -> Step {
        const BEYOND: (u64, u32) = (u64::MAX, u32::MAX);
        let capacity = if self.stalled { K } else { ALPHA as usize };
        let new = self.next_new();
        let new_place = new.map_or(BEYOND, |new| (new.distance, new.peer));
        let enough = self.nearest.get(K - 1).copied().unwrap_or(BEYOND);
        let full = self.waiting.len() >= capacity;
        if now < self.patient_until && (full || new.is_some()) {
            // Mostly nobody falls silent. Who is waited for need not be looked at one by one.
            let first = self.waiting.first().filter(|waiting| waiting.place < new_place);
            if enough < first.map_or(new_place, |waiting| waiting.place) {
                return Step::Done;
            }
            if full {
                return Step::Wait(first.map_or(u64::MAX, |waiting| waiting.until));
            }
            let at = self.waiting.partition_point(|waiting| waiting.place < new_place);
            return self.ask(at, new_place, now.saturating_add(patience));
        }
        let mut soonest = u64::MAX;
        let mut at = 0;
        loop {
            let waiting = self.waiting.get(at).filter(|waiting| waiting.place < new_place).copied();
            let next = waiting.map_or(new_place, |waiting| waiting.place);
            // Whoever is waited for still stands before `at`, and keeps the answers behind it from counting.
            if at == 0 && enough < next {
                return Step::Done;
            }
            match waiting {
                Some(waiting) if now < waiting.until => {
                    soonest = soonest.min(waiting.until);
                    if self.waiting.len() >= capacity {
                        break;
                    }
                    at += 1;
                }
                Some(waiting) => {
                    self.waiting.remove(at);
                    if let Some(candidate) = self.find(waiting.place.1, waiting.place.0 ^ self.target) {
                        candidate.state = State::Silent;
                    }
                    silent(waiting.place.1);
                }
                None if self.waiting.len() >= capacity => break,
                None if new.is_none() => break,
                None => return self.ask(at, new_place, now.saturating_add(patience)),
            }
        }
        self.patient_until = self.waiting.iter().map(|waiting| waiting.until).min().unwrap_or(u64::MAX);
        if self.waiting.is_empty() { Step::Done } else { Step::Wait(soonest) }
    }

    /// Ask the closest that is yet to be asked, which stands at `place`; `at` is where that is among those waited for.
    fn ask(&mut self, at: usize, place: (u64, u32), until: u64) -> Step {
        if let Some(candidate) = self.candidates.get_mut(self.first_new) {
            candidate.state = State::Waiting;
            if candidate.depth == UNNAMED {
                candidate.depth = 1;
            }
        }
        self.waiting.insert(at, Waiting { place, until });
        self.patient_until = self.patient_until.min(until);
        Step::Ask(place.1)
    }

    /// The closest that is yet to be asked.
    fn next_new(&mut self) -> Option<Candidate> {
        let rest = self.candidates.get(self.first_new..)?;
        self.first_new += rest.iter().take_while(|c| c.state != State::New).count();
        self.candidates.get(self.first_new).copied()
    }

    /// The closest `count` that answered, closest first.
    pub(crate) fn closest(&self, count: usize) -> impl Iterator<Item = u32> + '_ {
        self.candidates.iter().filter(|c| c.state == State::Answered).map(|c| c.peer).take(count)
    }

    /// How deep the closest stands that answered: 0 when nobody did.
    pub(crate) fn hops(&self) -> u32 {
        let closest = self.candidates.iter().find(|c| c.state == State::Answered);
        closest.map_or(0, |c| u32::from(c.depth))
    }

    /// Bytes on the heap.
    pub(crate) fn footprint(&self) -> usize {
        self.candidates.capacity() * size_of::<Candidate>()
            + self.waiting.capacity() * size_of::<Waiting>()
            + self.nearest.capacity() * size_of::<(u64, u32)>()
            + self.seen.places.capacity() * 4
    }
}

/// What is remembered of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// Nothing.
    New,
    /// The table held it, and no answer has named it.
    Held,
    /// An answer has named it.
    Named,
}

/// Who was named in a walk: an open-addressed set that is only asked, never walked through. When it is
/// full it forgets to remember, and the search among the candidates decides.
#[derive(Debug, Default)]
struct Seen {
    places: Vec<u32>,
    count: usize,
}

impl Seen {
    const PLACES: usize = 512;
    const SHIFT: u32 = u32::BITS - Self::PLACES.trailing_zeros();
    const MOST: usize = 320;
    /// Added to the number of a peer that no answer has named.
    const HELD: u32 = 1 << 31;

    fn clear(&mut self) {
        if self.count > 0 || self.places.is_empty() {
            self.places.clear();
            self.places.resize(Self::PLACES, u32::MAX);
            self.count = 0;
        }
    }

    /// Where `peer` is looked for first.
    fn first(peer: u32) -> usize {
        (peer.wrapping_mul(0x9e37_79b1) >> Self::SHIFT) as usize
    }

    /// Whether an answer has named `peer`, as far as a look at one place tells.
    fn names(&self, peer: u32) -> bool {
        self.places.get(Self::first(peer)).is_some_and(|held| *held == peer)
    }

    /// Remember `peer`, which the table `holds` or an answer names. Returns what was remembered of it.
    fn insert(&mut self, peer: u32, holds: bool) -> Known {
        let noted = if holds { peer | Self::HELD } else { peer };
        let mut place = Self::first(peer);
        while let Some(held) = self.places.get_mut(place % Self::PLACES) {
            if *held == peer {
                return Known::Named;
            }
            if *held == u32::MAX {
                if self.count < Self::MOST {
                    *held = noted;
                    self.count += 1;
                }
                return Known::New;
            }
            if *held == peer | Self::HELD {
                *held = noted;
                return Known::Held;
            }
            place += 1;
        }
        Known::New
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::rng::mix;

    fn positions(n: u64) -> Vec<u64> {
        (0..n).map(mix).collect()
    }

    fn answer(walk: &mut Walk, peer: u32, named: &[u32], positions: &[u64]) -> bool {
        walk.answered(peer, &[named], |_| true, positions)
    }

    /// Ask on until told to wait.
    fn asked(walk: &mut Walk, now: u64) -> (Vec<u32>, Step) {
        let mut peers = Vec::new();
        loop {
            match walk.next(now, 10, |_| {}) {
                Step::Ask(peer) => peers.push(peer),
                other => return (peers, other),
            }
        }
    }

    fn walk(target: u64, known: &[u32], positions: &[u64]) -> Walk {
        let mut walk = Walk::default();
        walk.start(target);
        for peer in known {
            walk.learn(*peer, positions[*peer as usize]);
        }
        walk
    }

    #[test]
    fn three_at_once_and_the_closest_first() {
        let positions = positions(40);
        let known: Vec<u32> = (0..40).collect();
        let mut walk = walk(7, &known, &positions);
        let mut sorted = known.clone();
        sorted.sort_by_key(|p| positions[*p as usize] ^ 7);
        assert_eq!(asked(&mut walk, 0), (sorted[..3].to_vec(), Step::Wait(10)));
        answer(&mut walk, sorted[1], &[], &positions);
        assert_eq!(asked(&mut walk, 1).0, sorted[3..4]);
    }

    #[test]
    fn it_is_over_when_the_twenty_closest_have_answered_and_not_before() {
        let positions = positions(60);
        let known: Vec<u32> = (0..60).collect();
        let mut walk = walk(9, &known, &positions);
        let mut answered = 0;
        loop {
            let (peers, step) = asked(&mut walk, 0);
            if step == Step::Done {
                break;
            }
            for peer in peers {
                answer(&mut walk, peer, &[], &positions);
                answered += 1;
            }
        }
        let mut sorted = known.clone();
        sorted.sort_by_key(|p| positions[*p as usize] ^ 9);
        assert_eq!(walk.closest(K).collect::<Vec<_>>(), sorted[..K]);
        assert!((K..2 * K).contains(&answered), "{answered}");
    }

    #[test]
    fn the_silent_make_room_and_may_still_answer() {
        let positions = positions(10);
        let mut walk = walk(1, &[0, 1, 2, 3, 4], &positions);
        let (first, _) = asked(&mut walk, 0);
        let mut silent = Vec::new();
        let next = walk.next(10, 10, |p| silent.push(p));
        assert!(matches!(next, Step::Ask(_)));
        assert_eq!(silent, first);
        answer(&mut walk, first[0], &[9], &positions);
        assert!(walk.closest(K).any(|p| p == first[0]));
        assert!(asked(&mut walk, 10).0.contains(&9), "whom it named is asked");
    }

    #[test]
    fn whoever_is_named_before_it_is_asked_stands_deeper() {
        let positions = positions(40);
        let mut sorted: Vec<u32> = (0..40).collect();
        sorted.sort_by_key(|p| positions[*p as usize] ^ 7);
        // The table holds all, but the closest is asked only when it has been named.
        let mut walk = walk(7, &sorted[1..], &positions);
        assert_eq!(asked(&mut walk, 0).0, sorted[1..4]);
        answer(&mut walk, sorted[2], &[sorted[0], sorted[4]], &positions);
        assert_eq!((asked(&mut walk, 1).0, walk.hops()), (vec![sorted[0]], 1));
        answer(&mut walk, sorted[0], &[sorted[5]], &positions);
        assert_eq!(walk.hops(), 2);
        assert_eq!(asked(&mut walk, 2).0, [sorted[4]]);
        let depth = |walk: &Walk, at: usize| walk.candidates[at].depth;
        assert_eq!([4, 5, 6].map(|at| depth(&walk, at)), [2, 3, UNNAMED]);
    }

    #[test]
    fn an_answer_brings_it_forward_that_names_somebody_new_among_the_closest() {
        let positions = positions(60);
        let mut sorted: Vec<u32> = (0..60).collect();
        sorted.sort_by_key(|p| positions[*p as usize] ^ 9);
        // Of the twenty closest it knows all but one, and three beyond.
        let known: Vec<u32> = sorted[..23].iter().copied().filter(|p| *p != sorted[10]).collect();
        let answers = |third: u32| {
            let mut walk = walk(9, &known, &positions);
            let (first, _) = asked(&mut walk, 0);
            answer(&mut walk, first[0], &sorted[..10], &positions);
            answer(&mut walk, first[1], &sorted[30..40], &positions);
            answer(&mut walk, first[2], &[third], &positions);
            assert!(!answer(&mut walk, first[2], &[], &positions), "once");
            let deepest = walk.candidates.iter().map(|c| c.depth).max();
            (asked(&mut walk, 1).0.len(), walk.hops(), deepest)
        };
        assert_eq!(answers(sorted[10]), (ALPHA as usize, 1, Some(2)), "it goes on as it did");
        assert_eq!(answers(sorted[40]), (K, 1, Some(2)), "it asks all at once");
    }

    #[test]
    fn the_failed_are_passed_over_and_nobody_left_ends_it() {
        let positions = positions(4);
        let mut walk = walk(1, &[0, 1, 2, 3], &positions);
        let (first, _) = asked(&mut walk, 0);
        for peer in &first {
            assert!(walk.failed(*peer, positions[*peer as usize]));
            assert!(!walk.failed(*peer, positions[*peer as usize]), "once");
        }
        let (last, _) = asked(&mut walk, 0);
        assert_eq!(last.len(), 1);
        answer(&mut walk, last[0], &first, &positions);
        assert_eq!(asked(&mut walk, 0), (vec![], Step::Done));
        assert_eq!(walk.closest(K).collect::<Vec<_>>(), last);
    }

    #[test]
    fn more_peers_than_it_remembers_leave_the_closest() {
        let positions = positions(1_000);
        let known: Vec<u32> = (0..1_000).collect();
        for target in (0..200).map(mix) {
            let mut walk = walk(target, &known, &positions);
            assert!(!walk.enter(3, positions[3], 2));
            assert_eq!(walk.candidates.len(), CANDIDATES);
            let mut sorted = known.clone();
            sorted.sort_by_key(|p| positions[*p as usize] ^ target);
            let held: Vec<u32> = walk.candidates.iter().map(|c| c.peer).collect();
            assert_eq!(held, sorted[..CANDIDATES], "target {target:x}");
        }
    }

    /// What [`Walk::next`] is to do, found by a look at all candidates. Also who falls silent.
    fn looked_through(walk: &Walk, now: u64) -> (Step, Vec<u32>) {
        let capacity = if walk.stalled { K } else { ALPHA as usize };
        let until = |peer| walk.waiting.iter().find(|waiting| waiting.place.1 == peer).map(|it| it.until);
        let mut waits = walk.waiting.len();
        let (mut answered, mut counting, mut soonest) = (0, true, u64::MAX);
        let mut silent = Vec::new();
        for candidate in &walk.candidates {
            match candidate.state {
                State::Waiting => match until(candidate.peer) {
                    Some(until) if now < until => {
                        soonest = soonest.min(until);
                        counting = false;
                        if waits >= capacity {
                            break;
                        }
                    }
                    _ => {
                        silent.push(candidate.peer);
                        waits -= 1;
                    }
                },
                State::Answered => {
                    answered += 1;
                    if counting && answered >= K {
                        return (Step::Done, silent);
                    }
                }
                State::New if waits >= capacity => break,
                State::New => return (Step::Ask(candidate.peer), silent),
                State::Silent | State::Failed => {}
            }
        }
        (if waits == 0 { Step::Done } else { Step::Wait(soonest) }, silent)
    }

    #[test]
    fn the_next_step_is_what_a_look_at_all_candidates_finds() {
        use crate::sim::rng::{Concern, Seed};
        let positions = positions(600);
        let (mut done, mut stalled, mut silenced) = (0, 0, 0);
        for seed in 0..60 {
            let mut stream = Seed::new(seed).stream(Concern(1000), 0);
            let known: Vec<u32> = (0..20).map(|_| stream.below(600) as u32).collect();
            let mut walk = walk(mix(seed), &known, &positions);
            let mut now = 0;
            for _ in 0..3_000 {
                let mut silent = Vec::new();
                let wanted = looked_through(&walk, now);
                let step = walk.next(now, 10, |peer| silent.push(peer));
                assert_eq!((step, silent.clone()), wanted, "seed {seed} at {now}");
                silenced += silent.len();
                stalled += usize::from(walk.stalled);
                if step == Step::Done {
                    done += 1;
                    break;
                }
                now += stream.below(4);
                let asked = walk.candidates.iter().filter(|c| c.state != State::New).map(|c| c.peer);
                let asked: Vec<u32> = asked.collect();
                let peer = asked[stream.below(asked.len() as u64) as usize];
                match stream.below(4) {
                    0 => drop(walk.failed(peer, positions[peer as usize])),
                    1 => {}
                    _ => {
                        let named: Vec<u32> = (0..20).map(|_| stream.below(600) as u32).collect();
                        answer(&mut walk, peer, &named, &positions);
                    }
                }
            }
        }
        assert!(done > 40 && stalled > 100 && silenced > 100, "{done} {stalled} {silenced}");
    }
}
