//! Which seeds a sweep runs: one after the other, without a list of them, and split among machines.

use std::path::PathBuf;

use super::shard::Shard;
use crate::cli::job::Job;

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

    fn part_of(number: u64, of: u64) -> Shard {
        format!("{}/{of}", number + 1).parse().unwrap()
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
                    let part = Queue::each(files(), seeds.clone(), part_of(number, of));
                    count += part.len();
                    seen.extend((0..part.len()).map(|n| part.get(n).unwrap()).map(|it| (it.source, it.seed)));
                    assert!(part.get(part.len()).is_none());
                    assert!(part.len().abs_diff(whole.len() / of) <= 1, "parts are of one size");
                }
                let all = (0..3).flat_map(|source| seeds.clone().map(move |seed| (source, seed)));
                assert_eq!(seen, all.collect());
                assert_eq!(count, whole.len());
            }
            let parts = (0..of).map(|number| Queue::own(files(), own.clone(), part_of(number, of)));
            let mut all: Vec<_> = parts
                .flat_map(|part| (0..part.len()).filter_map(|n| part.get(n)).collect::<Vec<_>>())
                .map(|it| (it.source, it.seed))
                .collect();
            all.sort_unstable();
            assert_eq!(all, own);
        }
    }
}
