//! Plans: a text is a plan that is read back from what is written of it, or an error that names the file.

use swarmproof::scenario::Plan;

pub fn run(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    match Plan::parse(text, "fuzzed.toml") {
        Err(error) => {
            let words = error.to_string();
            assert!(words.starts_with("fuzzed.toml"), "{words}");
        }
        Ok(plan) => {
            assert!(plan.check().is_ok(), "what is read is good");
            let written = plan.to_toml().expect("a plan can be written");
            let again = Plan::parse(&written, "written.toml").unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(again, plan, "what is written is read back");
        }
    }
}
