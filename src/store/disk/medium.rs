//! What stands between the database and its file: it can be tried out before anything is written, and it
//! ends for good when it has failed.
//!
//! A [`Medium`] begins *on trial*: what the database writes (a repair after a crash, say) is noted in memory
//! and seen by its reads, and the file stays as it is. [`Medium::go_through`] writes down what was noted, in
//! its order and with its syncs, so that the file passes through the same states as without the trial; from
//! then on everything goes to the file at once. After [`Medium::end`] nothing goes anywhere.

use std::io::{self, ErrorKind};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use redb::StorageBackend;

/// The file itself, or what a test puts in its place.
pub(super) type Base = Arc<dyn StorageBackend>;

#[derive(Debug)]
enum Op {
    Write(u64, Box<[u8]>),
    SetLen(u64),
    Sync,
}

#[derive(Debug)]
enum Phase {
    Trial { log: Vec<Op>, len: u64 },
    Through,
    Ended,
}

#[derive(Debug)]
struct Inner {
    base: Base,
    phase: RwLock<Phase>,
}

/// One life of a database over its file; see the [module](self). Clones are the same one.
#[derive(Clone, Debug)]
pub(super) struct Medium(Arc<Inner>);

impl Medium {
    /// On trial over `base`.
    pub(super) fn on_trial(base: Base) -> io::Result<Self> {
        let len = base.len()?;
        Ok(Self(Arc::new(Inner { base, phase: RwLock::new(Phase::Trial { log: Vec::new(), len }) })))
    }

    /// End the trial: what was noted is written. When that fails it stays on trial.
    pub(super) fn go_through(&self) -> io::Result<()> {
        let mut phase = self.change();
        match &*phase {
            Phase::Through => return Ok(()),
            Phase::Ended => return Err(ended()),
            Phase::Trial { log, .. } => {
                for op in log {
                    match op {
                        Op::Write(offset, data) => self.0.base.write(*offset, data)?,
                        Op::SetLen(len) => self.0.base.set_len(*len)?,
                        Op::Sync => self.0.base.sync_data()?,
                    }
                }
            }
        }
        *phase = Phase::Through;
        Ok(())
    }

    /// Let nothing through any more.
    pub(super) fn end(&self) {
        *self.change() = Phase::Ended;
    }

    fn look(&self) -> RwLockReadGuard<'_, Phase> {
        // A phase is changed in one assignment, so what a poisoned lock guards is whole.
        self.0.phase.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Phase> {
        self.0.phase.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Do `through` on the file, or note `op` when on trial.
    fn either(
        &self,
        through: impl FnOnce(&dyn StorageBackend) -> io::Result<()>,
        op: impl FnOnce() -> Op,
    ) -> io::Result<()> {
        if matches!(*self.look(), Phase::Through) {
            return through(&*self.0.base);
        }
        match &mut *self.change() {
            Phase::Through => through(&*self.0.base),
            Phase::Ended => Err(ended()),
            Phase::Trial { log, len } => {
                let op = op();
                match &op {
                    Op::Write(offset, data) => *len = (*len).max(offset + data.len() as u64),
                    Op::SetLen(to) => *len = *to,
                    Op::Sync => {}
                }
                log.push(op);
                Ok(())
            }
        }
    }
}

fn ended() -> io::Error {
    io::Error::other("this life of the database has ended")
}

/// Copy what of `data`, which stands at `from`, falls into `out`, which stands at `at`.
fn lay_over(out: &mut [u8], at: u64, from: u64, data: &[u8]) {
    let begin = at.max(from);
    let end = (at + out.len() as u64).min(from + data.len() as u64);
    let place = |offset: u64, start: u64| usize::try_from(offset - start).unwrap_or(usize::MAX);
    if begin < end
        && let Some(to) = out.get_mut(place(begin, at)..place(end, at))
        && let Some(of) = data.get(place(begin, from)..place(end, from))
    {
        to.copy_from_slice(of);
    }
}

impl StorageBackend for Medium {
    fn len(&self) -> io::Result<u64> {
        match &*self.look() {
            Phase::Through => self.0.base.len(),
            Phase::Trial { len, .. } => Ok(*len),
            Phase::Ended => Err(ended()),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match &*self.look() {
            Phase::Through => self.0.base.read(offset, out),
            Phase::Ended => Err(ended()),
            Phase::Trial { log, len } => {
                if offset + out.len() as u64 > *len {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                out.fill(0);
                let there = self.0.base.len()?.saturating_sub(offset).min(out.len() as u64);
                if let Some(part) = out.get_mut(..usize::try_from(there).unwrap_or(usize::MAX))
                    && !part.is_empty()
                {
                    self.0.base.read(offset, part)?;
                }
                for op in log {
                    match op {
                        Op::Write(at, data) => lay_over(out, offset, *at, data),
                        Op::SetLen(to) => {
                            let kept = to.saturating_sub(offset).min(out.len() as u64);
                            if let Some(gone) = out.get_mut(usize::try_from(kept).unwrap_or(usize::MAX)..) {
                                gone.fill(0);
                            }
                        }
                        Op::Sync => {}
                    }
                }
                Ok(())
            }
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.either(|base| base.set_len(len), || Op::SetLen(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.either(|base| base.sync_data(), || Op::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.either(|base| base.write(offset, data), || Op::Write(offset, data.into()))
    }

    /// The file stays open, and locked, for the next life.
    fn close(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;

    use super::*;

    fn read(medium: &dyn StorageBackend, offset: u64, len: usize) -> Vec<u8> {
        let mut out = vec![0xee; len];
        medium.read(offset, &mut out).unwrap();
        out
    }

    #[test]
    fn a_trial_is_seen_by_itself_and_leaves_the_file_alone() {
        let base: Base = Arc::new(InMemoryBackend::new());
        base.set_len(8).unwrap();
        base.write(0, b"abcdefgh").unwrap();
        let medium = Medium::on_trial(Arc::clone(&base)).unwrap();
        medium.write(2, b"XY").unwrap();
        medium.set_len(4).unwrap();
        medium.set_len(10).unwrap();
        medium.write(9, b"Z").unwrap();
        assert_eq!(read(&medium, 0, 10), b"abXY\0\0\0\0\0Z");
        assert_eq!(read(&medium, 3, 2), b"Y\0");
        assert!(medium.read(9, &mut [0; 2]).is_err(), "behind the end");
        assert_eq!(read(&*base, 0, 8), b"abcdefgh", "the file is as it was");
        medium.go_through().unwrap();
        assert_eq!(read(&*base, 0, 10), b"abXY\0\0\0\0\0Z");
        medium.write(0, b"!").unwrap();
        assert_eq!(read(&*base, 0, 1), b"!", "from now on at once");
        medium.end();
        assert!(medium.write(0, b"?").is_err() && medium.len().is_err());
        assert_eq!(read(&*base, 0, 1), b"!");
    }
}
