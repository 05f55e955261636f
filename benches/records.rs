//! What records and catalogues cost: signatures, remembered verdicts, searches, thousands of holders.
//!
//! Names read `catalogue::search/2000`.

#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]
#![expect(clippy::expect_used, reason = "a bench that cannot set up its input has nothing to measure")]

use core::time::Duration;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use swarmproof::message::{Answer, MAX_ANSWER, Question};
use swarmproof::network::{AnswerLimits, Responder};
use swarmproof::package::{Package, PackageId, PackageName, Query, ReleaseId, Version};
use swarmproof::record::{Checked, Publisher, Verifier};
use swarmproof::registry::catalogue::{Bounds, Catalogue, EntryId, Pool};
use swarmproof::registry::responder::RegistryResponder;
use swarmproof::time::{Timestamp, WallTime};

const WORDS: [&str; 16] = [
    "json", "parser", "async", "http", "client", "server", "fast", "small", "tree", "graph", "hash", "map",
    "log", "time", "test", "tool",
];

/// 2,000 releases of 120 publishers, each with six of the words.
fn releases() -> Vec<Checked> {
    let publishers: Vec<Publisher> = (0..120).map(|n| Publisher::from_seed([n; 32])).collect();
    let mut made = Vec::new();
    for (n, publisher) in (0_usize..2000).zip(publishers.iter().cycle()) {
        let word = |k: usize| WORDS[(n * 7 + k * k * 5 + n / 16) % WORDS.len()];
        let name = PackageName::new(format!("{}-{n}", word(0))).expect("a name");
        let package = PackageId { publisher: publisher.id(), name };
        let package = Package {
            release: ReleaseId { package, version: Version::new(1, 0, n as u64) },
            title: format!("A {} {}", word(1), word(2)),
            description: format!("{} and {} for {}. ", word(3), word(4), word(5)).repeat(4),
            categories: vec!["encoding".into()],
            tags: vec![word(1).into(), word(4).into()],
            licence: "MIT".into(),
            digest: [0; 32],
            size: 1000,
            created: WallTime::EPOCH,
        };
        let release = publisher.release(&package, n as u64 / 120 + 1).expect("within the limits");
        made.push(Arc::new(release.into()));
    }
    made
}

fn full(releases: &[Checked]) -> Catalogue {
    let mut own = Catalogue::new(Pool::new(), Bounds::default());
    for release in releases {
        own.learn(release, WallTime::EPOCH);
    }
    own
}

fn records(c: &mut Criterion) {
    let releases = releases();
    let bytes = releases[0].bytes();
    c.bench_function("record::check/first", |b| {
        let verifier = Verifier::new(0);
        b.iter(|| verifier.check(black_box(bytes)))
    });
    c.bench_function("record::check/remembered", |b| {
        let verifier = Verifier::new(4096);
        for release in &releases {
            verifier.trust((**release).clone());
        }
        b.iter(|| verifier.check(black_box(bytes)))
    });
}

fn catalogues(c: &mut Criterion) {
    let releases = releases();
    c.bench_function("catalogue::learn/2000", |b| b.iter(|| full(black_box(&releases))));
    let own = full(&releases);
    let ids: Vec<EntryId> = own.statements().into_iter().map(|(id, _)| id).collect();
    c.bench_function("catalogue::holding/500x2000", |b| {
        b.iter(|| {
            let one = |_| {
                Catalogue::holding(
                    own.pool().clone(),
                    Bounds::default(),
                    ids.iter().copied(),
                    WallTime::EPOCH,
                )
            };
            (0..500).map(one).collect::<Vec<_>>()
        });
    });
    c.bench_function("catalogue::clone/500x2000", |b| b.iter(|| vec![own.clone(); 500]));
    for (name, text) in [("one-word", "json"), ("two-words", "json parser"), ("one-name", "tree-1")] {
        let query = Query::text(text, 20);
        c.bench_function(&format!("catalogue::search/2000/{name}"), |b| {
            b.iter(|| own.search(black_box(&query), None, 20));
        });
    }
    let mut responder = RegistryResponder::new(own, Verifier::new(0));
    let question = Question::Search { query: Query::text("json parser", 20), after: None }.encode();
    let limits = AnswerLimits { bytes: MAX_ANSWER, now: Timestamp::ZERO, wall: WallTime::EPOCH };
    c.bench_function("responder::answer/search", |b| {
        b.iter(|| responder.answer(black_box(&question), limits))
    });
    let answer = responder.answer(&question, limits).expect("an answer");
    c.bench_function("message::decode/answer", |b| b.iter(|| Answer::decode(black_box(&answer))));
}

criterion_group! {
    name = benches;
    // A second each is enough to tell two of them apart, and the comparison of fan-outs is waiting behind them.
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = records, catalogues
}
criterion_main!(benches);
