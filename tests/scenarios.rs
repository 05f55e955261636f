//! Every scenario file as a test of its own: `cargo test --test scenarios churn` runs those under
//! `scenarios/churn`, and a runner can shard them.
//!
//! A test runs each seed that its file names. It asserts that every oracle and every expectation held, and,
//! apart from that, that the stable text of the report is the one in `snapshots/`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use swarmproof::scenario::report::{self, RunReport, Verdict};
use swarmproof::scenario::{Plan, RunOptions, Scenario, run};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join("scenarios"), &mut files);
    files.sort();
    assert!(files.len() >= 16, "found {} scenario files: the tests would pass for want of any", files.len());
    let trials = files
        .into_iter()
        .map(|path| {
            // Tests and reports name a file as a person at the top of the repository would.
            let name = path.strip_prefix(root).unwrap_or(&path).to_path_buf();
            let test = name.with_extension("").components().skip(1).fold(String::new(), |test, part| {
                let part = part.as_os_str().to_string_lossy();
                if test.is_empty() { part.into_owned() } else { format!("{test}::{part}") }
            });
            Trial::test(test, move || check(&name))
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder of scenarios can be read") {
        let path = entry.expect("its entries can be read").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
}

fn check(path: &Path) -> Result<(), Failed> {
    let scenario = Scenario::read(path).map_err(|error| error.to_string())?;
    let mut reports: Vec<RunReport> = Vec::new();
    for seed in scenario.seeds() {
        let plan = Plan::make(&scenario, seed);
        let mut report =
            run(&plan, RunOptions::default()).map_err(|error| format!("seed {seed}: {error}"))?;
        report.replay = format!("swarmproof run {} --seed {seed}", path.display());
        assert_eq!(report.seed, seed);
        assert!(report.searches.add_up(), "{:?}", report.searches);
        assert!(report.messages > 0, "a run in which nobody speaks proves nothing");
        reports.push(report);
    }
    let failures: Vec<String> = reports
        .iter()
        .filter(|report| report.verdict == Verdict::Fail)
        .map(|report| report::failure(report, &report::plain))
        .collect();
    if !failures.is_empty() {
        return Err(failures.join("\n").into());
    }
    let stem = path.with_extension("");
    let name: Vec<_> = stem.iter().skip(1).map(|part| part.to_string_lossy()).collect();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name.join("__"), report::stable(&reports)));
    Ok(())
}
