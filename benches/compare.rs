//! How many peers to ask, and what it costs: strategies of fan-out compared in **virtual time**.
//!
//! The scenarios of `scenarios/compare` are run under each strategy with twenty seeds, and each seed is one sample:
//!
//! - `fan_out::latency`: the p99 of the seed's searches, in virtual time;
//! - `fan_out::requests`: the requests that a search made.
//!
//! The same code gives the same samples on any machine, so where criterion finds a change, the code has changed. Then
//! come the tables of `swarmproof compare`, pooled over the seeds, and the targets; it ends with 1 when one is missed.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench, whose tables are what it is for"
)]

use core::cell::Cell;
use core::time::Duration;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use criterion::measurement::{Measurement, ValueFormatter};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use swarmproof::engine::FanOut;
use swarmproof::scenario::compare::{Comparison, LEGEND, Pool, Row, table};
use swarmproof::scenario::report::{RunReport, plain};
use swarmproof::scenario::{Plan, RunOptions, Scenario, run};

const PROFILES: [&str; 3] = ["internet", "mobile", "lan"];
const STRATEGIES: [FanOut; 7] = [
    FanOut::Fixed(1),
    FanOut::Fixed(2),
    FanOut::Fixed(3),
    FanOut::Fixed(5),
    FanOut::Fixed(8),
    FanOut::Hedged,
    FanOut::Adaptive,
];
const SEEDS: usize = 20;

/// A figure of a run, instead of the time that it took. Nothing is measured here: what a bench returns was.
struct Figure {
    unit: &'static str,
    /// How many of these are one of the unit.
    each: f64,
}

impl ValueFormatter for Figure {
    fn scale_values(&self, _: f64, values: &mut [f64]) -> &'static str {
        values.iter_mut().for_each(|value| *value /= self.each);
        self.unit
    }

    fn scale_throughputs(&self, typical: f64, _: &Throughput, values: &mut [f64]) -> &'static str {
        self.scale_values(typical, values)
    }

    fn scale_for_machines(&self, values: &mut [f64]) -> &'static str {
        self.scale_values(0.0, values)
    }
}

impl Measurement for Figure {
    type Intermediate = ();
    type Value = f64;

    fn start(&self) {}

    fn end(&self, (): ()) -> f64 {
        0.0
    }

    fn add(&self, a: &f64, b: &f64) -> f64 {
        a + b
    }

    fn zero(&self) -> f64 {
        0.0
    }

    fn to_f64(&self, value: &f64) -> f64 {
        *value
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        self
    }
}

fn main() -> ExitCode {
    let reports = run_all();
    let of = |profile: usize, strategy: usize| {
        let first = (profile * STRATEGIES.len() + strategy) * SEEDS;
        &reports[first..first + SEEDS]
    };
    let nanos = |report: &RunReport| report.latency_ms.p99.unwrap() * 1e6;
    tell("latency", Figure { unit: "virtual ms", each: 1e6 }, of, nanos);
    let requests = |report: &RunReport| report.requests_per_search().unwrap();
    tell("requests", Figure { unit: "requests", each: 1.0 }, of, requests);

    println!();
    let mut missed = 0;
    for (profile, name) in PROFILES.iter().enumerate() {
        let pools = STRATEGIES.iter().enumerate().map(|(strategy, what)| {
            let mut pool = Pool::new(*what);
            of(profile, strategy).iter().for_each(|report| pool.add(report));
            pool
        });
        let compared = Comparison::of(file(name), SEEDS as u64, (3, 3), pools.collect());
        println!("{}", table(&compared, &plain));
        let violations: usize = (0..STRATEGIES.len())
            .flat_map(|strategy| of(profile, strategy))
            .map(|report| report.violations.len())
            .sum();
        missed += targets(name, &compared, violations);
        println!();
    }
    println!("{LEGEND}");
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn file(profile: &str) -> String {
    format!("scenarios/compare/{profile}.toml")
}

/// One sample a seed, of each profile and strategy.
fn tell<'a>(
    group: &str,
    figure: Figure,
    of: impl Fn(usize, usize) -> &'a [RunReport],
    value: impl Fn(&RunReport) -> f64,
) {
    // One call to warm up, whose result is not used, then one for each sample, with any count: the value is known already.
    let instant = Duration::from_nanos(1);
    let any = Duration::from_millis(100);
    let mut criterion = Criterion::default()
        .configure_from_args()
        .with_measurement(figure)
        .warm_up_time(instant)
        .measurement_time(any)
        .nresamples(2_000)
        .sample_size(SEEDS);
    let mut group = criterion.benchmark_group(format!("fan_out::{group}"));
    group.sampling_mode(SamplingMode::Flat);
    for (profile, name) in PROFILES.iter().enumerate() {
        for (place, strategy) in STRATEGIES.iter().enumerate() {
            let values: Vec<f64> = of(profile, place).iter().map(&value).collect();
            let next = Cell::new(0);
            let id = BenchmarkId::from_parameter(format!("strategy={strategy},profile={name}"));
            group.bench_function(id, |bencher| {
                bencher.iter_custom(|count| {
                    let call = next.get();
                    next.set(call + 1);
                    values[call % values.len()] * count as f64
                });
            });
        }
    }
    group.finish();
}

/// Every run, by profile, strategy and seed.
fn run_all() -> Vec<RunReport> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scenarios = PROFILES.map(|name| Scenario::read(root.join(file(name)).as_path()).unwrap());
    let count = PROFILES.len() * STRATEGIES.len() * SEEDS;
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(count)));
    let threads = std::thread::available_parallelism().map_or(1, core::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    let (rest, seed) = (index / SEEDS, index % SEEDS);
                    let mut plan = Plan::make(&scenarios[rest / STRATEGIES.len()], seed as u64);
                    plan.registry.fan_out = STRATEGIES[rest % STRATEGIES.len()];
                    let report = run(&plan, RunOptions::default()).unwrap();
                    done.lock().unwrap().push((index, report));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, report)| report).collect()
}

/// Print what is to hold, and whether it does. How many do not.
fn targets(profile: &str, compared: &Comparison, violations: usize) -> usize {
    let row = |strategy| compared.row(strategy).unwrap();
    let (one, three) = (row(FanOut::Fixed(1)), row(FanOut::Fixed(3)));
    let (hedged, adaptive) = (row(FanOut::Hedged), row(FanOut::Adaptive));
    let ratio = |of: fn(&Row) -> Option<f64>| of(hedged).unwrap() / of(one).unwrap();
    let (late, cost) = (ratio(|row| row.p99_ms), ratio(|row| row.requests_per_search));
    let mut lines = vec![
        ("no oracle found anything wrong".to_owned(), violations == 0),
        ("adaptive is on the front".to_owned(), adaptive.on_front),
        (format!("recall of hedged at least that of 3: {:.5}", hedged.recall), hedged.recall >= three.recall),
        (
            format!("recall of adaptive at least that of 3: {:.5}", adaptive.recall),
            adaptive.recall >= three.recall,
        ),
        (format!("requests of hedged at most 1.1 of those of 1: {cost:.3}"), cost <= 1.1),
    ];
    if profile != "lan" {
        lines.push((format!("p99 of hedged at most 0.5 of that of 1: {late:.3}"), late <= 0.5));
    }
    for (what, met) in &lines {
        println!("{}  {what}", if *met { "met   " } else { "MISSED" });
    }
    lines.iter().filter(|(_, met)| !met).count()
}
