//! A catalogue out of a seed: names, words, categories and tags whose frequencies fall as in real ones.
//!
//! Version 1. The word of rank r is as frequent as 1 / (r + 2), which is close to what package
//! registries' words show. Package n depends on the seed and n alone, so a larger catalogue begins with
//! the smaller one.

use super::draw::{Concern, Draws};
use super::listing::Listing;
use crate::package::{PackageName, Version};

/// The version of this generator, as plans name it.
pub const VERSION: u32 = 1;
/// Words in the vocabulary.
const WORDS: u64 = 1_200;
/// The ordinal from which drawn packages are those published during a run; the catalogue's are below.
const DURING: u64 = 1 << 32;

const CATEGORIES: [&str; 16] = [
    "algorithms",
    "asynchronous",
    "audio",
    "command-line",
    "compression",
    "cryptography",
    "databases",
    "encoding",
    "filesystem",
    "graphics",
    "mathematics",
    "network",
    "parsing",
    "science",
    "testing",
    "web",
];
const LICENCES: [&str; 5] = ["MIT", "Apache-2.0", "MIT OR Apache-2.0", "BSD-3-Clause", "MPL-2.0"];
const ONSETS: [&str; 16] = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "st"];
const VOWELS: [&str; 5] = ["a", "e", "i", "o", "u"];
const CODAS: [&str; 4] = ["", "n", "r", "x"];

/// The word of this rank: two syllables, unlike every other.
fn word(rank: u64) -> String {
    // 320 syllables; a stride that has no divisor in common with their square spreads neighbours in rank.
    let spread = (rank * 7_919 + 13) % (320 * 320);
    let syllable = |n: u64| {
        let pick =
            |parts: &[&'static str], n: u64| parts.get(n as usize % parts.len()).copied().unwrap_or("");
        [pick(&ONSETS, n), pick(&VOWELS, n / 16), pick(&CODAS, n / 80)].concat()
    };
    // The space keeps "ban-a" and "ba-na" apart only where codas differ; see the test on collisions.
    syllable(spread % 320) + &syllable(spread / 320)
}

/// The words, and how often each is drawn.
#[derive(Clone, Debug)]
pub struct Synthetic {
    seed: u64,
    words: Vec<String>,
    /// The sum of the weights up to and including each.
    sums: Vec<u64>,
}

impl Synthetic {
    /// The generator of this seed.
    pub fn new(seed: u64) -> Self {
        let mut seen = std::collections::BTreeSet::new();
        let words: Vec<String> =
            (0..2 * WORDS).map(word).filter(|word| seen.insert(word.clone())).take(WORDS as usize).collect();
        let mut sum = 0;
        let sums = (0..words.len() as u64)
            .map(|rank| {
                sum += 1_000_000 / (rank + 2);
                sum
            })
            .collect();
        Self { seed, words, sums }
    }

    fn draw_word(&self, draws: &mut Draws) -> &str {
        let all = self.sums.last().copied().unwrap_or(0);
        let at = draws.below(all);
        let rank = self.sums.partition_point(|sum| *sum <= at);
        self.words.get(rank).map_or("", String::as_str)
    }

    /// The releases of this many packages: of each 1 to `versions`, ascending. `large` is the share whose
    /// records exceed 4 KiB.
    pub fn listings(&self, packages: u32, versions: u32, publishers: u32, large: f64) -> Vec<Listing> {
        let mut listings = Vec::new();
        for package in 0..packages {
            let mut draws = Draws::new(self.seed, Concern::Synthetic, [u64::from(package), 0]);
            let publisher = u32::try_from(draws.below(u64::from(publishers.max(1)))).unwrap_or(0);
            let releases = 1 + draws.below(u64::from(versions.max(1)));
            for release in 0..releases {
                listings.extend(self.listing(u64::from(package), release, publisher, large));
            }
        }
        listings
    }

    /// Release `release` of the `package`-th package that `publisher` publishes while a run goes on.
    pub fn during(&self, package: u64, release: u64, publisher: u32, large: f64) -> Option<Listing> {
        self.listing(DURING | package, release, publisher, large)
    }

    fn listing(&self, package: u64, release: u64, publisher: u32, large: f64) -> Option<Listing> {
        let mut draws = Draws::new(self.seed, Concern::Synthetic, [package, 1]);
        let title: Vec<&str> = (0..3 + draws.below(5)).map(|_| self.draw_word(&mut draws)).collect();
        // The number makes it the only one of its name; the words make it found.
        let number = package & (DURING - 1);
        let mark = if package >= DURING { "n" } else { "" };
        let name = format!("{}-{}-{mark}{number}", self.draw_word(&mut draws), self.draw_word(&mut draws));
        let tags: Vec<String> = (0..draws.below(5)).map(|_| self.draw_word(&mut draws).to_owned()).collect();
        let mut categories = Vec::new();
        for _ in 0..1 + draws.below(2) {
            let category = CATEGORIES.get(draws.index(CATEGORIES.len())).copied().unwrap_or("web");
            if !categories.iter().any(|known| known == category) {
                categories.push(category.to_owned());
            }
        }
        let licence = LICENCES.get(draws.index(LICENCES.len())).copied().unwrap_or("MIT").to_owned();
        let mut description: String =
            (0..8 + draws.below(17)).map(|_| self.draw_word(&mut draws)).collect::<Vec<_>>().join(" ");
        if draws.chance(large) {
            // Its own words again: larger, and found by no other word.
            let once = format!(" {description}");
            while description.len() + once.len() < 5_000 {
                description.push_str(&once);
            }
        }
        let mut body = Draws::new(self.seed, Concern::Synthetic, [package, 2 + release]);
        let version = Version::new(release / 10, release % 10, body.below(3));
        let version = if release < 10 { Version::new(0, release + 1, version.patch) } else { version };
        let title = title.join(" ");
        Some(Listing {
            publisher,
            name: PackageName::new(name).ok()?,
            version,
            title,
            description,
            categories,
            tags,
            licence,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::package::tokens;

    #[test]
    fn a_catalogue_depends_on_its_seed_and_a_larger_one_begins_with_the_smaller() {
        let first = Synthetic::new(1).listings(50, 3, 7, 0.1);
        let longer = Synthetic::new(1).listings(80, 3, 7, 0.1);
        assert_eq!(first[..], longer[..first.len()]);
        assert_ne!(first, Synthetic::new(2).listings(50, 3, 7, 0.1));
    }

    #[test]
    fn releases_are_within_limits_unique_and_ascending() {
        let listings = Synthetic::new(3).listings(300, 20, 12, 0.2);
        let mut seen = BTreeSet::new();
        for pair in listings.windows(2) {
            if pair[0].name == pair[1].name {
                assert!(pair[0].version < pair[1].version, "{} {}", pair[0].version, pair[1].version);
                assert_eq!(pair[0].publisher, pair[1].publisher);
            }
        }
        for listing in &listings {
            assert_eq!(listing.fault(), None);
            assert!(listing.publisher < 12);
            assert!(seen.insert((listing.name.clone(), listing.version.clone())));
        }
        let large = listings.iter().filter(|listing| listing.description.len() > 4096).count();
        let share = large as f64 / listings.len() as f64;
        assert!((0.1..0.3).contains(&share), "{share}");
    }

    #[test]
    fn some_words_are_common_and_most_are_rare() {
        let listings = Synthetic::new(4).listings(1_000, 1, 12, 0.0);
        let mut counts: std::collections::BTreeMap<String, usize> = Default::default();
        for listing in &listings {
            for word in tokens(&listing.title).collect::<BTreeSet<_>>() {
                *counts.entry(word).or_default() += 1;
            }
        }
        let most = counts.values().max().copied().unwrap_or(0);
        let rare = counts.values().filter(|count| **count <= 5).count();
        assert!(most > 200, "{most}");
        assert!(rare * 2 > counts.len(), "{rare} of {}", counts.len());
        assert_eq!(Synthetic::new(4).words.len(), WORDS as usize);
    }

    #[test]
    fn what_is_published_during_a_run_is_in_no_catalogue() {
        let synthetic = Synthetic::new(5);
        let names: BTreeSet<_> =
            synthetic.listings(500, 1, 3, 0.0).into_iter().map(|listing| listing.name).collect();
        for package in 0..500 {
            let listing = synthetic.during(package, 0, 9, 0.0).unwrap();
            assert!(!names.contains(&listing.name), "{}", listing.name);
        }
    }
}
