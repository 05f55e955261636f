//! The model's upkeep of routing tables, which sends no messages, beside one that sends them all: lookups come out alike.
//!
//! `cargo run --release --example public_dht` shows both at 1,000 peers.

#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "the example tells more of what is found")]

#[path = "../examples/public_dht/measure.rs"]
mod measure;

use core::time::Duration;

use measure::{Found, Setting, Upkeep, World, percentile};
use swarmproof::sim::Population;

fn found(upkeep: Upkeep) -> Found {
    let mut world = World::new(Setting {
        seed: 1,
        population: Population::ipfs().of(400),
        before: Duration::from_secs(900),
        lasts: Duration::from_secs(600),
        rate: 3.0,
        upkeep,
    })
    .unwrap();
    world.warm_up().unwrap();
    world.measure().unwrap()
}

#[test]
fn lookups_come_out_alike_whether_upkeep_is_modelled_or_walked() {
    let (modelled, walked) = (found(Upkeep::Modelled), found(Upkeep::Walks));
    // Ten minutes of three a second, a third of each kind; providers are not looked up in the first minute.
    for it in [&modelled, &walked] {
        assert_eq!((it.walks.len(), it.provides.len()), (600, 600));
        assert!((500..=600).contains(&(it.first_providers.len() + it.missed as usize)));
        assert!(it.missed <= 5, "{} found no provider", it.missed);
    }
    let alike = |name: &str, a: Duration, b: Duration| {
        let (less, more) = (a.min(b), a.max(b));
        assert!(more < less.mul_f64(1.5), "{name}: {a:?} modelled, {b:?} by walks");
    };
    let median =
        |of: fn(&Found) -> &[Duration]| (percentile(of(&modelled), 0.5), percentile(of(&walked), 0.5));
    let (a, b) = median(|it| &it.walks);
    alike("a whole walk", a, b);
    let (a, b) = median(|it| &it.provides);
    alike("a provision", a, b);
    let (a, b) = median(|it| &it.first_providers);
    alike("the first provider", a, b);
    let hops = [&modelled, &walked].map(|it| percentile(&it.hops, 0.5));
    assert!(hops[0].abs_diff(hops[1]) <= 1, "{hops:?}");
    // Walks cost messages, or this would compare nothing.
    assert!(walked.messages > 2 * modelled.messages, "{} and {}", walked.messages, modelled.messages);
}
