//! Scenario files: a text is a scenario whose plan is good, or an error that names the file and a place in it.

use core::time::Duration;
use std::path::Path;

use swarmproof::scenario::{Plan, Scenario};

/// A plan is made of what is small enough to be made thousands of times: so long a run, and no number of more digits.
const LONGEST: Duration = Duration::from_secs(60);
const MOST_DIGITS: usize = 3;

pub fn run(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    match Scenario::parse(text, Path::new("fuzzed.toml")) {
        Err(error) => {
            let words = error.to_string();
            assert!(words.starts_with("fuzzed.toml"), "{words}");
        }
        Ok(scenario) if scenario.duration > LONGEST || has_large_number(text) => {}
        Ok(scenario) => {
            let plan = Plan::make(&scenario, 1);
            let text = plan.to_toml().expect("a plan can be written");
            let read = Plan::parse(&text, "plan.toml").unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(read, plan, "what is written is read back");
        }
    }
}

fn has_large_number(text: &str) -> bool {
    text.split(|it: char| !it.is_ascii_digit()).any(|digits| digits.len() > MOST_DIGITS)
}
