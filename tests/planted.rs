//! The faults of the sketch that this replaces, each planted on purpose, each caught by an oracle; see
//! `tests/planted/README.md`.
//!
//! Nothing of this is in what is shipped. A fault of the network is a wrapper around it, below whatever watches
//! it; a fault of the registry or its engine is a wrapper between the registry and the watched network, which
//! changes what it sees or does, or one around its observer, which changes what it is seen to do. The
//! registry without a fault passes every seed under which a fault was looked for.

#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(missing_docs, missing_debug_implementations, unreachable_pub, reason = "a test is nobody's library")]

#[path = "planted/bed.rs"]
mod bed;
#[path = "planted/faults/mod.rs"]
mod faults;
#[path = "planted/hunt.rs"]
mod hunt;
#[path = "planted/plans.rs"]
mod plans;
#[path = "planted/shown.rs"]
mod shown;
#[path = "planted/small.rs"]
mod small;
#[path = "planted/table.rs"]
mod table;
#[path = "planted/tap.rs"]
mod tap;

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Trial};

use self::hunt::{Hunted, Planted, hunt};

/// A fault, and what came of looking for it, which is looked for once.
struct Case {
    fault: Planted,
    hunted: OnceLock<Hunted>,
}

impl Case {
    fn hunted(&self) -> &Hunted {
        self.hunted.get_or_init(|| hunt(&self.fault))
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let cases: Arc<Vec<Case>> =
        Arc::new(faults::all().into_iter().map(|fault| Case { fault, hunted: OnceLock::new() }).collect());
    let shared = cases.clone();
    let mut trials: Vec<Trial> = (0..cases.len())
        .map(|at| {
            let (cases, name) = (cases.clone(), &cases[at].fault);
            let name = format!("fault::{}::{}", name.number, name.sketch.replace(' ', "_"));
            Trial::test(name, move || {
                let (fault, hunted) = (&cases[at].fault, cases[at].hunted());
                if hunted.caught.contains(&true) {
                    return Ok(());
                }
                let (tried, spoke) = (hunted.caught.len(), &hunted.spoke);
                Err(format!("{} saw nothing in {tried} seeds; who spoke: {spoke:?}", fault.oracle).into())
            })
        })
        .collect();
    trials.push(Trial::test("every_number_of_the_sketch_is_planted", || {
        let planted: std::collections::BTreeSet<u32> = faults::all()
            .iter()
            .map(|fault| fault.number.trim_end_matches(|letter: char| letter.is_ascii_lowercase()))
            .map(|number| number.parse().expect("a number"))
            .collect();
        if planted.is_superset(&(1..=15).collect()) {
            Ok(())
        } else {
            Err(format!("planted are {planted:?}").into())
        }
    }));
    trials.push(Trial::test("the_table_in_the_docs_is_what_was_seen", move || {
        Ok(table::agrees(cases.iter().map(|case| (&case.fault, case.hunted())))?)
    }));
    trials.extend(small::trials());
    let caught = shared.clone();
    trials.push(Trial::test("every_caught_fault_is_on_its_page_with_its_place", move || {
        for case in caught.iter() {
            shown::is_shown(&case.fault, case.hunted())?;
        }
        Ok(())
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}
