//! The fuzz targets, without a fuzzer: the corpus, and seeded changes of it, the same every time.

#![cfg(feature = "sim")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "../fuzz/src/targets/mod.rs"]
mod targets;

use std::path::Path;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Changes that are tried of each target's corpus.
const CHANGES: u64 = 2_000;
/// The longest input.
const LONGEST: usize = 8 * 1024;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).expect("the corpus").map(|it| it.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| std::fs::read(file).expect("an input")).collect()
}

/// `input`, changed in one to eight places.
fn changed(input: &[u8], other: &[u8], dice: &mut ChaCha8Rng) -> Vec<u8> {
    let mut below = |n: usize| (dice.next_u64() % n.max(1) as u64) as usize;
    let mut bytes = input.to_vec();
    for _ in 0..=below(8) {
        let at = below(bytes.len() + 1);
        match below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << below(8),
            1 if at < bytes.len() => bytes[at] = below(256) as u8,
            2 => bytes.insert(at, below(256) as u8),
            3 if at < bytes.len() => drop(bytes.drain(at..(at + 1 + below(8)).min(bytes.len()))),
            4 => bytes.truncate(at),
            _ => {
                // A piece of another input.
                let from = below(other.len() + 1);
                let piece = &other[from..(from + below(64)).min(other.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
        }
    }
    bytes.truncate(LONGEST);
    bytes
}

fn fuzz(target: &str) {
    let (_, run) = targets::ALL.into_iter().find(|(name, _)| *name == target).expect("a target");
    let corpus = corpus(target);
    assert!(corpus.len() >= 3, "the corpus of {target} has {} inputs", corpus.len());
    for input in &corpus {
        run(input);
    }
    for seed in 0..CHANGES {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let pick = |dice: &mut ChaCha8Rng| &corpus[(dice.next_u64() % corpus.len() as u64) as usize];
        let (one, other) = (pick(&mut dice), pick(&mut dice));
        let input = changed(one, other, &mut dice);
        let ran = std::panic::catch_unwind(|| run(&input));
        assert!(ran.is_ok(), "{target}: change {seed} breaks it: {input:?}");
    }
}

#[test]
fn records() {
    fuzz("record");
}

#[test]
fn messages() {
    fuzz("message");
}

#[test]
fn scenarios() {
    fuzz("scenario");
}

#[test]
fn plans() {
    fuzz("plan");
}

#[test]
fn engine() {
    fuzz("engine");
}

/// An input that is read is worth more than one that is not: each kind has some.
#[test]
fn the_corpus_is_read_as_what_it_is() {
    use swarmproof::message::{Answer, Question};
    use swarmproof::record::Verifier;
    let good = |target: &str, is: &dyn Fn(&[u8]) -> bool| corpus(target).iter().filter(|it| is(it)).count();
    assert!(good("record", &|it| Verifier::new(0).check(it).is_ok()) >= 3);
    assert!(good("message", &|it| Question::decode(it).is_ok()) >= 4);
    assert!(good("message", &|it| Answer::decode(it).is_ok()) >= 4);
    let text = |it: &[u8]| String::from_utf8(it.to_vec()).unwrap_or_default();
    let scenario = |it: &[u8]| swarmproof::scenario::Scenario::parse(&text(it), Path::new("x")).is_ok();
    assert!(good("scenario", &scenario) >= 3);
    assert!(good("plan", &|it| swarmproof::scenario::Plan::parse(&text(it), "x").is_ok()) >= 3);
}
