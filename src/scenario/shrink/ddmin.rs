//! Delta debugging: from a thing that fails to a smaller one that fails still.
//!
//! Knows nothing of plans. What can be taken away comes as [`Shrink::axes`] of parts; what can only be made simpler
//! comes as [`Shrink::simpler`]. A step is kept only if the test says of its very result that it fails still.

/// Something that can be made smaller.
pub trait Shrink: Clone {
    /// How many axes of parts it has. An axis is one kind of part: peers, operations, faults.
    fn axes(&self) -> usize;

    /// How many parts it has along this axis.
    fn parts(&self, axis: usize) -> usize;

    /// The same with these of its parts alone along this axis, ascending by number. `None` where that is nothing that
    /// could be tried.
    fn keeping(&self, axis: usize, parts: &[usize]) -> Option<Self>;

    /// What is like it and simpler, the simplest first. Each must be strictly simpler by some measure that cannot go
    /// down for ever, or shrinking would not end before its budget does.
    fn simpler(&self) -> Vec<Self>;
}

/// What shrinking came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk<T> {
    /// The smallest that failed.
    pub smallest: T,
    /// How often the test was asked.
    pub runs: u64,
    /// Whether nothing more can be taken from it: no single part, and nothing simpler fails. Otherwise the time was up.
    pub minimal: bool,
}

/// The smallest that can be found from `first`, which fails, of what `fails`. `go_on` is asked before each test.
pub fn shrink<T: Shrink>(
    first: T,
    mut fails: impl FnMut(&T) -> bool,
    mut go_on: impl FnMut() -> bool,
) -> Shrunk<T> {
    let mut search = Search { smallest: first, runs: 0, fails: &mut fails, go_on: &mut go_on };
    let minimal = search.all().is_some();
    Shrunk { smallest: search.smallest, runs: search.runs, minimal }
}

struct Search<'a, T> {
    smallest: T,
    runs: u64,
    fails: &'a mut dyn FnMut(&T) -> bool,
    go_on: &'a mut dyn FnMut() -> bool,
}

impl<T: Shrink> Search<'_, T> {
    /// Until a whole round takes nothing away. `None` when the budget was spent first.
    fn all(&mut self) -> Option<()> {
        loop {
            // What is simpler first: sizes decide how long every later run takes.
            let mut smaller = self.simplify()?;
            for axis in 0..self.smallest.axes() {
                smaller |= self.along(axis)?;
            }
            if !smaller {
                return Some(());
            }
        }
    }

    /// Zeller's ddmin along one axis: chunks are taken out, ever finer, until no single part can be. Whether it came out
    /// smaller. That nothing is needed at all is tried first, since mostly one axis is not what it is about.
    fn along(&mut self, axis: usize) -> Option<bool> {
        let before = self.smallest.parts(axis);
        if before == 0 {
            return Some(false);
        }
        if self.keep(axis, &[])? {
            return Some(true);
        }
        let mut chunk = before.div_ceil(2);
        loop {
            let mut from = 0;
            let mut any = false;
            while from < self.smallest.parts(axis) {
                let len = self.smallest.parts(axis);
                let rest: Vec<usize> =
                    (0..len).filter(|part| *part < from || *part >= from.saturating_add(chunk)).collect();
                // That nothing is needed was tried already.
                if !rest.is_empty() && self.keep(axis, &rest)? {
                    // What stood behind the chunk stands here now.
                    any = true;
                } else {
                    from = from.saturating_add(chunk);
                }
            }
            if chunk == 1 {
                if !any {
                    return Some(self.smallest.parts(axis) < before);
                }
                // What one part needed may have gone with a later one.
                continue;
            }
            chunk = chunk.div_ceil(2);
        }
    }

    fn simplify(&mut self) -> Option<bool> {
        let mut any = false;
        loop {
            let (mut at, mut smaller) = (0, false);
            // What did not help before is not tried again at once: after a step the list is gone on with where it was.
            while let Some(candidate) = self.smallest.simpler().into_iter().nth(at) {
                if self.attempt(candidate)? {
                    smaller = true;
                } else {
                    at += 1;
                }
            }
            if !smaller {
                return Some(any);
            }
            any = true;
        }
    }

    fn keep(&mut self, axis: usize, parts: &[usize]) -> Option<bool> {
        let len = self.smallest.parts(axis);
        match self.smallest.keeping(axis, parts) {
            // Something that is no smaller would be tried for ever.
            Some(candidate) if candidate.parts(axis) < len => self.attempt(candidate),
            _ => Some(false),
        }
    }

    fn attempt(&mut self, candidate: T) -> Option<bool> {
        if !(self.go_on)() {
            return None;
        }
        self.runs += 1;
        let fails = (self.fails)(&candidate);
        if fails {
            self.smallest = candidate;
        }
        Some(fails)
    }
}
