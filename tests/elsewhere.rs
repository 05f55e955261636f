//! The command line with a network that another program brings: each run in a process of its own, and whatever ends
//! such a process told as what it is.
//!
//! The program is this test again, started with a variable set: a command line whose network is the simulated one, and
//! whose seeds from 10 on do what they should not.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "some of these runs are to warn, hang, crash and differ"
)]

#[path = "elsewhere/program.rs"]
mod program;
#[path = "elsewhere/trials.rs"]
mod trials;

use std::process::ExitCode;

use libtest_mimic::Arguments;

/// Set for a process that is to be the program.
const PROGRAM: &str = "SWARMPROOF_TEST_ELSEWHERE";

fn main() -> ExitCode {
    if std::env::var_os(PROGRAM).is_some() {
        return program::main();
    }
    libtest_mimic::run(&Arguments::from_args(), trials::all()).exit_code()
}
