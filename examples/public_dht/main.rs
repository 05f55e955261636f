//! Lookups in a network as large as the public IPFS DHT, beside what was measured there:
//! `cargo run --release --example public_dht`.
//!
//! 25,000 servers come and go with the sessions of the public network; after an hour, ten lookups are made each second for
//! another. A number after the command is another size of the network. What is printed beside the figures are those of
//! ProbeLab's reports (RFM7, RFM17, RFM19, RFM21 in `probe-lab/network-measurements`); nothing in the profile was chosen to
//! meet them, and `docs/public-dht.md` says where both differ and why. A second table holds the model's upkeep of routing
//! tables, which sends no messages, against one that sends them all, at 1,000 peers.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example tells what it does")]
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "it tells how long it took")]

mod measure;

use core::time::Duration;
use std::process::ExitCode;
use std::time::Instant;

use measure::{Found, Setting, Upkeep, World, percentile};
use swarmproof::sim::Population;
use swarmproof::testbed::TestbedError;

const HOUR: Duration = Duration::from_secs(3_600);

fn main() -> ExitCode {
    let peers = match std::env::args().nth(1).map(|word| word.parse::<u32>()) {
        None => Population::ipfs().up,
        Some(Ok(peers @ 100..=1_000_000)) => peers,
        Some(_) => {
            eprintln!("error: the size of the network is a number from 100 to 1000000");
            return ExitCode::from(2);
        }
    };
    match report(peers) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn report(peers: u32) -> Result<(), TestbedError> {
    let setting = Setting {
        seed: 1,
        population: Population::ipfs().of(peers),
        before: HOUR,
        lasts: HOUR,
        rate: 10.0,
        upkeep: Upkeep::Modelled,
    };
    let began = Instant::now();
    let mut world = World::new(setting)?;
    world.warm_up()?;
    let (ready, bytes) = (began.elapsed(), world.bytes_a_peer());
    let began = Instant::now();
    let found = world.measure()?;
    let took = began.elapsed();
    println!("{peers} servers, after an hour; 10 lookups a second for another\n");
    beside_published(&found);
    println!(
        "\n{:.1} s for the first hour, {:.1} s for the second ({} messages); {bytes} bytes a modelled peer",
        ready.as_secs_f64(),
        took.as_secs_f64(),
        found.messages,
    );
    let small = Setting { population: Population::ipfs().of(1_000), lasts: HOUR, ..setting };
    let mut rows = Vec::new();
    for upkeep in [Upkeep::Modelled, Upkeep::Walks] {
        let mut world = World::new(Setting { upkeep, ..small })?;
        world.warm_up()?;
        rows.push(world.measure()?);
    }
    println!("\n1,000 servers: upkeep of tables as modelled, and by walks\n");
    println!("{:<44}{:>12}{:>12}", "", "modelled", "by walks");
    for (name, of) in ROWS {
        let cells: Vec<String> = rows.iter().map(of).collect();
        println!("{name:<44}{:>12}{:>12}", cells[0], cells[1]);
    }
    Ok(())
}

/// What is compared, and how it is written.
type Row = (&'static str, fn(&Found) -> String);

const ROWS: [Row; 9] = [
    ("hops of a whole walk, p50 / p90", |found| {
        format!("{} / {}", percentile(&found.hops, 0.5), percentile(&found.hops, 0.9))
    }),
    ("a whole walk, p50", |found| seconds(percentile(&found.walks, 0.5))),
    ("a whole walk, p90", |found| seconds(percentile(&found.walks, 0.9))),
    ("first provider, mean", |found| seconds(mean(&found.first_providers))),
    ("first provider, p90", |found| seconds(percentile(&found.first_providers, 0.9))),
    ("no provider found", |found| {
        let all = found.missed as usize + found.first_providers.len();
        format!("{:.2}%", f64::from(found.missed) * 100.0 / all.max(1) as f64)
    }),
    ("provide, p50", |found| seconds(percentile(&found.provides, 0.5))),
    ("of the 20 closest told, p50 / p5", |found| {
        format!("{} / {}", percentile(&found.told, 0.5), percentile(&found.told, 0.05))
    }),
    ("dials that fail", |found| {
        format!("{:.1}%", found.dials.1 as f64 * 100.0 / found.dials.0.max(1) as f64)
    }),
];

fn beside_published(found: &Found) {
    let provides = [0.05, 0.25, 0.5, 0.75, 0.9]
        .map(|share| format!("{:.1}", percentile(&found.provides, share).as_secs_f64()));
    let hops = |share| percentile(&found.hops, share);
    let dials = found.dials.1 as f64 * 100.0 / found.dials.0.max(1) as f64;
    println!("{:<44}{:>26}{:>26}", "", "published", "here");
    let row = |name: &str, published: &str, here: String| println!("{name:<44}{published:>26}{here:>26}");
    row("hops of a whole walk, p50 / p90", "4 / 6", format!("{} / {}", hops(0.5), hops(0.9)));
    row("a lookup until the first provider, mean", "0.62 s", seconds(mean(&found.first_providers)));
    row("the same, p90", "1.37 to 1.52 s", seconds(percentile(&found.first_providers, 0.9)));
    row("provide, p5 / 25 / 50 / 75 / 90, s", "3.0/7.0/12.6/23.3/49.0", provides.join("/"));
    row(
        "of the 20 closest reached, p50 / p5",
        "18 / 14",
        format!("{} / {}", percentile(&found.told, 0.5), percentile(&found.told, 0.05)),
    );
    row("dials that fail", "3.8 to 15%", format!("{dials:.1}%"));
}

fn seconds(span: Duration) -> String {
    format!("{:.2} s", span.as_secs_f64())
}

fn mean(spans: &[Duration]) -> Duration {
    let count = u32::try_from(spans.len()).unwrap_or(u32::MAX).max(1);
    spans.iter().sum::<Duration>() / count
}
