//! Which seeds a sweep runs: one after the other, without a list of them, and split among machines.

use std::path::PathBuf;

use crate::cli::job::Job;

/// One of several parts that together are everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// Which, from 0.
    number: u64,
    /// Of how many.
    of: u64,
}

impl Shard {
    /// All of it.
    pub(crate) const WHOLE: Self = Self { number: 0, of: 1 };

    /// How many of `all` are in this part: every `of`-th is.
    fn count(self, all: u64) -> u64 {
        all.saturating_sub(self.number).div_ceil(self.of)
    }

    /// The n-th of this part, among all.
    fn nth(self, n: u64) -> Option<u64> {
        n.checked_mul(self.of)?.checked_add(self.number)
    }
}

impl core::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = || format!("`{text}` is no part such as 2/8, the second of eight");
        let (number, of) = text.split_once('/').ok_or_else(wanted)?;
        let (number, of) =
            (number.parse::<u64>().map_err(|_| wanted())?, of.parse::<u64>().map_err(|_| wanted())?);
        if of == 0 || number == 0 || number > of {
            return Err(format!(
                "`{text}`: there are parts from 1/{of} to {of}/{of}, and this is none of them"
            ));
        }
        Ok(Self { number: number - 1, of })
    }
}

/// The runs of a sweep, by their place.
#[derive(Debug)]
pub(super) struct Queue {
    files: Vec<PathBuf>,
    seeds: Of,
    shard: Shard,
}

#[derive(Debug)]
enum Of {
    /// These of every file; seed after seed, so that a sweep that ends early was fair to all files.
    Each(core::ops::Range<u64>),
    /// A file's place, and one of its own seeds.
    Own(Vec<(usize, u64)>),
}

impl Queue {
    /// The same seeds of every file.
    pub(super) fn each(files: Vec<PathBuf>, seeds: core::ops::Range<u64>, shard: Shard) -> Self {
        Self { files, seeds: Of::Each(seeds), shard }
    }

    /// Each file's own.
    pub(super) fn own(files: Vec<PathBuf>, seeds: Vec<(usize, u64)>, shard: Shard) -> Self {
        Self { files, seeds: Of::Own(seeds), shard }
    }

    /// How many runs there are.
    pub(super) fn len(&self) -> u64 {
        self.shard.count(match &self.seeds {
            Of::Each(range) => (range.end - range.start).saturating_mul(self.files.len() as u64),
            Of::Own(own) => own.len() as u64,
        })
    }

    /// The n-th.
    pub(super) fn get(&self, n: u64) -> Option<Job> {
        if n >= self.len() {
            return None;
        }
        let place = self.shard.nth(n)?;
        let (source, seed) = match &self.seeds {
            Of::Each(range) => {
                let files = self.files.len() as u64;
                let source = usize::try_from(place.checked_rem(files)?).ok()?;
                (source, range.start.checked_add(place.checked_div(files)?)?)
            }
            Of::Own(own) => *own.get(usize::try_from(place).ok()?)?,
        };
        Some(Job { source, file: self.files.get(source)?.clone(), seed })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_part_is_one_of_those_that_there_are() {
        assert_eq!("1/1".parse(), Ok(Shard::WHOLE));
        assert_eq!("8/8".parse(), Ok(Shard { number: 7, of: 8 }));
        for bad in ["9/8", "0/8", "1/0", "0/0", "1", "/", "1/", "/8", "-1/8", "1/8/2", "a/b", "1.5/2"] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
        assert!("9/8".parse::<Shard>().unwrap_err().contains("from 1/8 to 8/8"));
    }

    #[test]
    fn the_parts_together_are_all_seeds_each_once() {
        let files = || vec![PathBuf::from("a.toml"), PathBuf::from("b.toml"), PathBuf::from("c.toml")];
        let own = vec![(0, 5), (0, 6), (2, 1), (2, 2), (2, 3)];
        for of in 1..=13u64 {
            for seeds in [7..8, 0..10, 100..163] {
                let whole = Queue::each(files(), seeds.clone(), Shard::WHOLE);
                assert_eq!(whole.len(), 3 * (seeds.end - seeds.start));
                let (mut seen, mut count) = (BTreeSet::new(), 0);
                for number in 0..of {
                    let part = Queue::each(files(), seeds.clone(), Shard { number, of });
                    count += part.len();
                    seen.extend((0..part.len()).map(|n| part.get(n).unwrap()).map(|it| (it.source, it.seed)));
                    assert!(part.get(part.len()).is_none());
                    assert!(part.len().abs_diff(whole.len() / of) <= 1, "parts are of one size");
                }
                let all = (0..3).flat_map(|source| seeds.clone().map(move |seed| (source, seed)));
                assert_eq!(seen, all.collect());
                assert_eq!(count, whole.len());
            }
            let parts = (0..of).map(|number| Queue::own(files(), own.clone(), Shard { number, of }));
            let mut all: Vec<_> = parts
                .flat_map(|part| (0..part.len()).filter_map(|n| part.get(n)).collect::<Vec<_>>())
                .map(|it| (it.source, it.seed))
                .collect();
            all.sort_unstable();
            assert_eq!(all, own);
        }
    }
}
