//! One plan, two networks: each scenario of `scenarios/real` is run on the simulated network and on real
//! swarms, and what must agree is compared. One test for each file, and one for each way to be malformed:
//! `cargo test --test differential churn`.
//!
//! What must agree: that all oracles and expectations hold; which operations were told an outcome; how each
//! search ended; what it found, where it ended well; whether each get was right and each publication
//! acknowledged; and why what was malformed was refused. What cannot agree is listed at each comparison that
//! leaves something out.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use swarmproof::net::Wire;
use swarmproof::package::ReleaseId;
use swarmproof::record::Publisher;
use swarmproof::scenario::plan::{Act, Operation, Turn};
use swarmproof::scenario::report::{self, Ending, Refused, RunReport, Told, Verdict};
use swarmproof::scenario::{Lie, Measure, Plan, RunOptions, Scenario, Span, run, run_on_swarms, unfit};
use swarmproof::testbed::Garble;

/// How long something that was published takes to be everywhere, as the truth of every run has it.
const PROPAGATION: Duration = Duration::from_secs(10);
/// How long the runs of one way to be malformed are.
const SHORT: Duration = Duration::from_secs(7);

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // The tests mostly wait: real time is waited for.
    arguments.test_threads = arguments.test_threads.or(Some(8));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/real");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of scenarios can be read")
        .map(|entry| entry.expect("its entries can be read").path())
        .collect();
    files.sort();
    assert!(files.len() >= 8, "found {} scenario files", files.len());
    let file = |path: PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Trial::test(name, move || compare(&path))
    };
    let mut trials: Vec<Trial> = files.into_iter().map(file).collect();
    for (way, allowed) in GARBLES {
        trials.push(Trial::test(format!("garble::{way:?}"), move || compare_way(Way::Garble(way), allowed)));
    }
    for (lie, allowed) in LIES {
        trials.push(Trial::test(format!("lie::{lie:?}"), move || compare_way(Way::Lie(lie), allowed)));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A plan of the scenario at `path`, and the file's name as a person at the top of the repository has it.
fn plan_of(path: &Path) -> Result<(Plan, String), Failed> {
    let scenario = Scenario::read(path).map_err(|error| error.to_string())?;
    let seed = *scenario.seeds().first().expect("a scenario has a seed");
    let file = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(path).display();
    Ok((Plan::make(&scenario, seed), file.to_string()))
}

/// The plan's report of the simulated network, and that of real swarms.
fn both(plan: &Plan) -> Result<(RunReport, RunReport), Failed> {
    unfit(plan).map_err(|why| why.to_string())?;
    let options = RunOptions { why: true, ..RunOptions::default() };
    let real = run_on_swarms(plan, Wire::Memory, &options).map_err(|error| error.to_string())?;
    let simulated = run(plan, options).map_err(|error| error.to_string())?;
    Ok((simulated, real))
}

fn compare(path: &Path) -> Result<(), Failed> {
    let (plan, file) = plan_of(path)?;
    let (simulated, real) = both(&plan)?;
    let mut apart = differences(&plan, &simulated, &real);
    apart.extend(failures(&[&simulated, &real]));
    if apart.is_empty() {
        return Ok(());
    }
    let seed = plan.seed;
    apart.push(format!("simulation: swarmproof run {file} --seed {seed} --why"));
    apart.push(format!("real swarms: swarmproof run {file} --seed {seed} --why --network swarm"));
    Err(apart.join("\n").into())
}

fn failures(reports: &[&RunReport]) -> Vec<String> {
    let failed = reports.iter().filter(|report| report.verdict == Verdict::Fail);
    failed.map(|it| format!("on {}: {}", it.network, report::failure(it, &report::plain))).collect()
}

/// Where the two runs do not agree, a sentence each.
fn differences(plan: &Plan, simulated: &RunReport, real: &RunReport) -> Vec<String> {
    let mut apart = Vec::new();
    let mut compared = 0;
    for operation in &plan.timeline.operations {
        let told = |report: &RunReport| report.results.told.get(&operation.number).cloned();
        let (sim, swarm) = (told(simulated), told(real));
        let mut differ = |how: String| {
            let Operation { number, at, node, what } = operation;
            apart.push(format!("operation {number} at {at} by {node} ({what:?}): {how}"));
        };
        match (&sim, &swarm) {
            (
                Some(Told::Search { ending: one, found: here }),
                Some(Told::Search { ending: other, found: there }),
            ) => {
                if one != other && !may_lack(plan, *one, *other) {
                    differ(format!("{one:?} in the simulation, {other:?} on real swarms"));
                } else if *one == Ending::Enough && here.len() != there.len() {
                    // Which of many matches fill the limit is whoever answers first.
                    differ(format!(
                        "{} results in the simulation, {} on real swarms",
                        here.len(),
                        there.len()
                    ));
                } else if (*one, *other) == (Ending::Complete, Ending::Complete) {
                    compared += 1;
                    let strange: Vec<&ReleaseId> = here
                        .symmetric_difference(there)
                        .filter(|it| !unsettled(plan, operation, it))
                        .collect();
                    if !strange.is_empty() {
                        differ(format!("only on one of the networks: {strange:?}"));
                    }
                }
            }
            (one, other) if one == other => compared += 1,
            // What was under way when its registry died was or was not told, within the time that it takes.
            (None, Some(_)) | (Some(_), None) if dies_soon(plan, operation) => {}
            (one, other) => differ(format!("{one:?} in the simulation, {other:?} on real swarms")),
        }
    }
    if compared < plan.timeline.operations.len() / 3 {
        apart.push(format!(
            "only {compared} of {} operations could be compared",
            plan.timeline.operations.len()
        ));
    }
    apart
}

/// Whether one of two endings may be partial: a peer that names what is nowhere makes a search wait for records
/// that cannot come, and which peers are asked is drawn on each network by itself.
fn may_lack(plan: &Plan, one: Ending, other: Ending) -> bool {
    let names_nothing = plan.timeline.events.iter().any(
        |event| matches!(&event.what, Turn::Lies { kinds, .. } if kinds.contains(&Lie::PointerToNothing)),
    );
    let good = [Ending::Complete, Ending::Partial];
    names_nothing && good.contains(&one) && good.contains(&other)
}

/// Whether it is open if `release` is found by `operation`: it was published or taken back so shortly before that
/// some know of it and others do not, or two bodies were signed for it, and who has seen both tells neither.
fn unsettled(plan: &Plan, operation: &Operation, release: &ReleaseId) -> bool {
    let key = |publisher: u32| Publisher::from_seed(plan.publisher_secret(publisher)).id();
    let fresh = plan.timeline.operations.iter().any(|other| {
        let (name, version) = match &other.what {
            Act::Publish(listing) => (&listing.name, &listing.version),
            Act::Yank { name, version } => (name, version),
            _ => return false,
        };
        let within = other.at.0 <= operation.at.0.saturating_add(plan.registry.timeout.0)
            && other.at.0.saturating_add(PROPAGATION) > operation.at.0;
        within && *name == release.package.name && *version == release.version
    });
    let contradicted = plan.timeline.events.iter().any(|event| match &event.what {
        Turn::Equivocate { publisher, name, version, .. } => {
            *name == release.package.name
                && *version == release.version
                && key(*publisher) == release.package.publisher
        }
        _ => false,
    });
    fresh || contradicted
}

/// Whether the node of `operation` is killed before the operation must have ended.
fn dies_soon(plan: &Plan, operation: &Operation) -> bool {
    plan.timeline.events.iter().any(|event| match &event.what {
        Turn::Kill { nodes, .. } => {
            let until = operation.at.0.saturating_add(plan.registry.timeout.0);
            nodes.contains(operation.node) && event.at.0 >= operation.at.0 && event.at.0 <= until
        }
        _ => false,
    })
}

/// One way to be malformed.
#[derive(Clone, Copy, Debug)]
enum Way {
    Garble(Garble),
    Lie(Lie),
}

/// Each way to ruin bytes, and the reasons for which it may be refused; the first of them is seen in each run.
const GARBLES: [(Garble, &[&str]); 8] = [
    (Garble::Truncated, &["malformed", "forged", "record record-hostile-length", "record record-unreadable"]),
    // One bit may be anywhere, and make a record wrong in any way.
    (Garble::BitFlipped, &["forged", "malformed", "record *"]),
    (
        Garble::Noise,
        &[
            "malformed",
            "forged",
            "record record-unreadable",
            "record record-not-canonical",
            "record record-hostile-length",
            "record record-too-deep",
            "record list-too-long",
        ],
    ),
    (Garble::Oversized, &["malformed", "answer too-large", "record too-large"]),
    (
        Garble::HostileLengths,
        &["malformed", "forged", "record record-hostile-length", "record record-unreadable"],
    ),
    (Garble::HostileNesting, &["malformed", "forged", "record record-too-deep"]),
    // What a peer said before stands in for what it should say: an answer to another question, or records of
    // another. Which of the two comes is which question came before, and who is asked is drawn on each network.
    (Garble::WrongKey, &["malformed|forged", "record wrong-key", "record wrong-kind"]),
    (Garble::Repeated, &["malformed", "forged", "record record-unreadable"]),
];

/// Each lie of a peer's own, and the reasons for which it may be refused; the first of them is seen in each run.
/// A name of nothing is no fault that can be seen: it may have been forgotten since.
const LIES: [(Lie, &[&str]); 4] = [
    (Lie::BadSignature, &["forged"]),
    (Lie::ForgedPublisher, &["forged"]),
    (Lie::AnotherQuestion, &["malformed"]),
    (Lie::PointerToNothing, &[]),
];

/// What is wrong with the reasons for which things were refused in a run.
fn unfounded(report: &RunReport, allowed: &[&str]) -> Vec<String> {
    let reason = |refused: &Refused| match refused {
        Refused::Malformed => "malformed".to_owned(),
        Refused::Forged => "forged".to_owned(),
        Refused::AtTheNetwork(ware, why) => format!("{ware:?} {why}").to_ascii_lowercase(),
    };
    let seen: Vec<String> = report.results.refused.keys().map(reason).collect();
    let is = |seen: &String, wanted: &str| wanted.split('|').any(|it| it == seen);
    let may = |seen: &String| {
        allowed
            .iter()
            .any(|it| is(seen, it) || it.strip_suffix('*').is_some_and(|head| seen.starts_with(head)))
    };
    let mut wrong = Vec::new();
    let strange: Vec<&String> = seen.iter().filter(|it| !may(it)).collect();
    if !strange.is_empty() {
        wrong.push(format!(
            "on {}: refused as {strange:?}, which is to be one of {allowed:?}",
            report.network
        ));
    }
    if let Some(first) = allowed.first()
        && !seen.iter().any(|it| is(it, first))
    {
        wrong.push(format!("on {}: nothing was refused as {first}, only as {seen:?}", report.network));
    }
    // Registries verify once more what their network let pass, so this has to be seen by itself.
    if allowed.iter().any(|it| it.starts_with("record")) && !seen.iter().any(|it| it.starts_with("record")) {
        wrong.push(format!("on {}: the network itself refused no record, only {seen:?}", report.network));
    }
    if report.malformed.sent == 0 {
        wrong.push(format!("on {}: nothing malformed was sent", report.network));
    }
    wrong
}

/// Runs the plan with peers that are malformed in this way alone, and compares why they were refused.
fn compare_way(way: Way, allowed: &[&str]) -> Result<(), Failed> {
    let file = match way {
        Way::Garble(_) => "malformed-by-bytes.toml",
        Way::Lie(_) => "malformed-by-meaning.toml",
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/real").join(file);
    let (mut plan, _) = plan_of(&path)?;
    plan.duration = Span(SHORT);
    plan.timeline.operations.retain(|operation| operation.at.0 < SHORT);
    plan.expect.retain(|measure, _| *measure != Measure::MalformedRejected);
    for event in &mut plan.timeline.events {
        match (&mut event.what, way) {
            (Turn::Garbles { ways, .. }, Way::Garble(way)) => *ways = vec![way],
            (Turn::Lies { kinds, .. }, Way::Lie(lie)) => *kinds = vec![lie],
            (other, _) => panic!("{} has a fault of another kind: {other:?}", path.display()),
        }
    }
    let (simulated, real) = both(&plan)?;
    let mut apart = differences(&plan, &simulated, &real);
    apart.extend(failures(&[&simulated, &real]));
    for report in [&simulated, &real] {
        apart.extend(unfounded(report, allowed));
    }
    if apart.is_empty() {
        return Ok(());
    }
    let plan_file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{way:?}.toml"));
    std::fs::write(&plan_file, plan.to_toml().map_err(|error| error.to_string())?)?;
    apart.push(format!("simulation: swarmproof run '{}' --why", plan_file.display()));
    apart.push(format!("real swarms: swarmproof run '{}' --why --network swarm", plan_file.display()));
    Err(apart.join("\n").into())
}
