//! What the engine costs in wall time, from one query in flight to ten thousand.
//!
//! - `engine::collect`: one search, started, answered by three peers with 20 records each, delivered and
//!   ended, while so many others are in flight. Per result (60 records come in). Signatures are remembered,
//!   so this is the cost beside them.
//! - `engine::dedupe`: the same with twenty peers that all tell the same 20 records: of 400 that come in, 380 were told
//!   before. Per record.
//! - `engine::cancel`: one search, started and cancelled, while so many others are in flight.
//! - `engine::verify`: one search whose three answers carry records that nobody has seen yet: what a
//!   signature adds.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use core::time::Duration;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use swarmproof::engine::{
    Action, Command, Engine, EngineConfig, FanOut, Local, Outcome, QueryConfig, QueryId,
};
use swarmproof::message::{Answer, AnswerBody, Question};
use swarmproof::network::{Done, Event, Item, PeerChange, Request, RequestId, RequestStats};
use swarmproof::package::{Package, PackageId, PackageName, Query, ReleaseId, Version};
use swarmproof::record::{Publisher, Verifier};
use swarmproof::time::{Timestamp, WallTime};

const NOW: Timestamp = Timestamp::from_millis(1000);
const WALL: WallTime = WallTime::from_millis(1_767_225_600_000);
const PEERS: u32 = 200;

fn records() -> Vec<Bytes> {
    let publisher = Publisher::from_seed([1; 32]);
    let record = |index: u64| {
        let name = PackageName::new(format!("package-{index}")).unwrap();
        let release = ReleaseId {
            package: PackageId { publisher: publisher.id(), name },
            version: Version::new(1, 0, 0),
        };
        let package = Package {
            release,
            title: "A widget for everybody".to_owned(),
            description: "What it does, in as many words as such things have.".to_owned(),
            categories: vec!["tools".to_owned()],
            tags: vec!["widget".to_owned()],
            licence: "MIT".to_owned(),
            digest: [1; 32],
            size: 1,
            created: WallTime::EPOCH,
        };
        publisher.release(&package, index + 1).unwrap().bytes
    };
    (0..20).map(record).collect()
}

fn settings(answers: u16) -> QueryConfig {
    QueryConfig {
        timeout: Duration::from_secs(600),
        max_results: 50,
        answers_wanted: answers,
        fan_out: FanOut::Fixed(3),
        ..QueryConfig::balanced()
    }
}

/// An engine with so many searches in flight, and the first free name.
fn engine(in_flight: u64, verifier: Verifier) -> (Engine<u32>, u64) {
    let config = EngineConfig { most_queries: 20_000, asks_per_peer: 4096, ..EngineConfig::default() };
    let mut engine = Engine::new(config, verifier, ChaCha8Rng::from_seed([1; 32]));
    for peer in 0..PEERS {
        engine.handle_event(NOW, WALL, &Event::Peer { peer, change: PeerChange::Up });
    }
    for id in 0..in_flight {
        engine.handle_command(NOW, WALL, search(id, 3));
        while engine.poll_action().is_some() {}
    }
    (engine, in_flight)
}

fn search(id: u64, answers: u16) -> Command {
    let query = Query::text("widget", 50);
    Command::Search { id: QueryId(id), query, config: settings(answers), local: Local::default() }
}

/// The questions that were submitted, and how the query ended.
fn drain(engine: &mut Engine<u32>, asked: &mut Vec<(RequestId, u32, Bytes)>) -> Option<Outcome> {
    let mut ended = None;
    while let Some(action) = engine.poll_action() {
        match action {
            Action::Submit { id, request: Request::Ask { peer, question }, .. } => {
                asked.push((id, peer, question));
            }
            Action::Finish { outcome, .. } => ended = Some(outcome.outcome),
            _ => {}
        }
    }
    ended
}

/// One search from its command to its end, with so many answers of the same records.
fn one_search(engine: &mut Engine<u32>, id: u64, records: &[Bytes], answers: u16) {
    let mut asked = Vec::with_capacity(3);
    engine.handle_command(NOW, WALL, search(id, answers));
    drain(engine, &mut asked);
    let mut ended = None;
    while let Some((request, peer, question)) = asked.pop() {
        let body = AnswerBody::Found {
            held: 2000,
            fresh: WALL,
            records: records.to_vec(),
            names: Vec::new(),
            next: None,
        };
        let body = Answer { to: Question::tag(&question), body }.encode();
        let item = Item::Answer { body };
        engine.handle_event(NOW, WALL, &Event::Progress { id: request, from: peer, item });
        let stats = RequestStats::default();
        engine.handle_event(NOW, WALL, &Event::Finished { id: request, result: Ok(Done::Answered), stats });
        ended = ended.or(drain(engine, &mut asked));
    }
    assert_eq!(ended, Some(Outcome::Complete));
}

fn collect(c: &mut Criterion) {
    let records = records();
    let mut group = c.benchmark_group("engine::collect");
    for in_flight in [1, 100, 1000, 10_000] {
        let (mut engine, mut id) = engine(in_flight, Verifier::new(4096));
        group.throughput(Throughput::Elements(3 * records.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("in_flight={in_flight}")), |bencher| {
            bencher.iter(|| {
                id += 1;
                one_search(&mut engine, id, &records, 3);
            });
        });
    }
}

fn dedupe(c: &mut Criterion) {
    const ANSWERS: u16 = 20;
    let records = records();
    let mut group = c.benchmark_group("engine::dedupe");
    for in_flight in [1, 100, 1000, 10_000] {
        let (mut engine, mut id) = engine(in_flight, Verifier::new(4096));
        group.throughput(Throughput::Elements(u64::from(ANSWERS) * records.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("in_flight={in_flight}")), |bencher| {
            bencher.iter(|| {
                id += 1;
                one_search(&mut engine, id, &records, ANSWERS);
            });
        });
    }
}

fn cancel(c: &mut Criterion) {
    let mut group = c.benchmark_group("engine::cancel");
    for in_flight in [1, 100, 1000, 10_000] {
        let (mut engine, mut id) = engine(in_flight, Verifier::new(16));
        let mut asked = Vec::new();
        group.bench_function(BenchmarkId::from_parameter(format!("in_flight={in_flight}")), |bencher| {
            bencher.iter(|| {
                id += 1;
                engine.handle_command(NOW, WALL, search(id, 3));
                engine.handle_command(NOW, WALL, Command::Cancel { id: QueryId(id) });
                asked.clear();
                assert_eq!(drain(&mut engine, &mut asked), Some(Outcome::Cancelled));
            });
        });
    }
}

fn verify(c: &mut Criterion) {
    let records = records();
    let mut group = c.benchmark_group("engine::verify");
    group.throughput(Throughput::Elements(records.len() as u64));
    group.bench_function("first seen", |bencher| {
        bencher.iter_batched(
            || engine(1, Verifier::new(4096)),
            |(mut engine, id)| one_search(&mut engine, id + 1, &records, 3),
            criterion::BatchSize::SmallInput,
        );
    });
}

criterion_group! {
    name = benches;
    // A second each is enough to tell two of them apart, and the comparison of fan-outs is waiting behind them.
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = collect, dedupe, cancel, verify
}
criterion_main!(benches);
