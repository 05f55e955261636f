//! Strategies of fan-out on real nodes: what the model says of them is so, in the same order.
//!
//! Every strategy asks until it has as many adequate answers, among peers of whom some serve a hundred times slower. The
//! figures of each are means over the seeds, in the model and on real libp2p nodes over the same links.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::Command;

use swarmproof::scenario::report::{RunReport, Verdict};
use swarmproof::scenario::{Plan, RunOptions, Scenario, run};

const STRATEGIES: [&str; 3] = ["1", "\"hedged\"", "\"adaptive\""];
const SEEDS: u64 = 3;

fn scenario(strategy: &str) -> String {
    format!(
        r#"description = "A tenth of the peers are slow, and nobody knows which."
duration = "40s"

[network]
peers = 40
registries = 4
profile = "internet"

[network.service]
question = "5ms"

[catalogue]
packages = 60

[registry]
fan_out = {strategy}
answers_wanted = 3
max_results = 60
holds = 10

[[workload]]
search = {{ rate = "8/s", from = "2s", until = "35s", by = "words" }}

[[fault]]
at = "0s"
slow = {{ share = 0.1, factor = 100 }}
"#
    )
}

/// The mean p99 latency in ms, and the mean number of requests for a search.
#[derive(Clone, Copy, Debug)]
struct Figures {
    p99: f64,
    requests: f64,
}

fn mean(reports: &[RunReport]) -> Figures {
    let of = |figure: fn(&RunReport) -> Option<f64>| {
        reports.iter().map(|it| figure(it).expect("searches were made")).sum::<f64>() / reports.len() as f64
    };
    for it in reports {
        assert!(it.searches.started > 150, "{it:?}");
        assert_eq!(it.violations, [], "{it:?}");
    }
    Figures { p99: of(|it| it.latency_ms.p99), requests: of(RunReport::requests_per_search) }
}

fn on_model(text: &str, path: &Path) -> Vec<RunReport> {
    let scenario = Scenario::parse(text, path).unwrap();
    (0..SEEDS).map(|seed| run(&Plan::make(&scenario, seed), RunOptions::default()).unwrap()).collect()
}

fn on_real_nodes(path: &Path) -> Vec<RunReport> {
    let program = env!("CARGO_BIN_EXE_swarmproof-virtual");
    let seeds = format!("0..{SEEDS}");
    let output = Command::new(program)
        .arg("run")
        .arg(path)
        .args(["--seeds", &seeds, "--format", "json"])
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    let reports: Vec<RunReport> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(reports.len() as u64, SEEDS);
    assert!(reports.iter().all(|it| it.network == "virtual" && it.verdict == Verdict::Pass));
    reports
}

#[test]
fn strategies_stand_in_the_same_order_on_real_nodes() {
    let rows: Vec<(&str, Figures, Figures)> = STRATEGIES
        .into_iter()
        .enumerate()
        .map(|(number, strategy)| {
            let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("strategy-{number}.toml"));
            let text = scenario(strategy);
            std::fs::write(&path, &text).unwrap();
            (strategy, mean(&on_model(&text, &path)), mean(&on_real_nodes(&path)))
        })
        .collect();
    for (one, a_model, a_real) in &rows {
        for (other, b_model, b_real) in &rows {
            // What is nearly alike in the model may stand either way.
            if a_model.p99 < 0.85 * b_model.p99 {
                assert!(a_real.p99 < b_real.p99, "latency: {one} before {other} in the model: {rows:?}");
            }
            if a_model.requests < 0.95 * b_model.requests {
                assert!(
                    a_real.requests < b_real.requests,
                    "requests: {one} before {other} in the model: {rows:?}"
                );
            }
        }
    }
    let [(_, _, fixed), (_, _, hedged), (_, _, adaptive)] = rows.as_slice() else { panic!("{rows:?}") };
    assert!(hedged.p99 < 0.7 * fixed.p99 && hedged.requests < 1.1 * fixed.requests, "{rows:?}");
    assert!(adaptive.p99 < fixed.p99, "{rows:?}");
}
