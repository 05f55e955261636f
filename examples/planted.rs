//! `swarmproof` on a network with a fault in it: find it, replay it, make it small, look at it.
//!
//! ```sh
//! cargo run --release --example planted -- sweep scenarios/chaos/fifty-peers.toml --seeds 0..10
//! cargo run --release --example planted -- replay failures/fifty-peers-0.toml --until violation
//! cargo run --release --example planted -- shrink failures/fifty-peers-0.toml
//! cargo run --release --example planted -- report failures/fifty-peers-0-small.toml
//! ```
//!
//! The fault is one of those of `tests/planted/README.md`; `PLANTED=12` in the environment takes another than the first. It
//! is also how a program of one's own brings its network, or its changed registry, under these commands: an [`Elsewhere`],
//! and [`main_elsewhere`].

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "an example that cannot go on has nothing to show"
)]
#![allow(
    dead_code,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    reason = "shared with a test"
)]

#[path = "../tests/planted/bed.rs"]
mod bed;
#[path = "../tests/planted/faults/mod.rs"]
mod faults;
#[path = "../tests/planted/hunt.rs"]
mod hunt;
#[path = "../tests/planted/plans.rs"]
mod plans;
#[path = "../tests/planted/tap.rs"]
mod tap;

use std::process::ExitCode;

use swarmproof::cli::{Elsewhere, main_elsewhere};

use self::hunt::{Planted, follow_with};

/// The fault that is planted unless the environment names another: what one query asked for, every other gets too.
const FAULT: &str = "1a";

fn planted() -> Option<Planted> {
    let number = std::env::var("PLANTED").unwrap_or_else(|_| FAULT.to_owned());
    faults::all().into_iter().find(|fault| fault.number == number)
}

fn main() -> ExitCode {
    if planted().is_none() {
        let numbers: Vec<&str> = faults::all().iter().map(|fault| fault.number).collect();
        eprintln!("PLANTED names no fault; there are {}", numbers.join(", "));
        return ExitCode::from(2);
    }
    main_elsewhere(&Elsewhere {
        program: "planted",
        note: None,
        unfit: |_| None,
        run: |plan, options| {
            let fault = planted().expect("looked up before");
            follow_with(plan, (fault.plant)(), options)
        },
    })
}
