//! What the program is asked, and what it must say.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::PROGRAM;
use crate::program::{self, BEEN, HANGS_IN};

/// A scenario that is small and sound.
const GOOD: &str = r#"description = "Small and sound."
seeds = "0..3"
duration = "20s"

[network]
peers = 8
registries = 2
profile = "lan"

[catalogue]
packages = 20
publishers = 3

[[workload]]
search = { rate = "1/s", from = "1s", until = "10s" }

[expect]
recall = ">= 0.99"
"#;

pub(crate) fn all() -> Vec<Trial> {
    let trials: &[(&str, fn())] = &[
        ("runs_are_told_as_by_the_command_itself", runs_are_told_as_by_the_command_itself),
        ("the_options_reach_the_process_of_a_run", the_options_reach_the_process_of_a_run),
        ("a_plan_runs_with_its_own_seed", a_plan_runs_with_its_own_seed),
        ("what_does_not_hold_fails", what_does_not_hold_fails),
        ("the_last_words_of_a_process_are_the_cause", the_last_words_of_a_process_are_the_cause),
        ("a_process_that_ends_well_without_a_report_broke", a_process_that_ends_well_without_a_report_broke),
        ("a_crash_after_the_report_is_no_pass", a_crash_after_the_report_is_no_pass),
        ("others_go_on_beside_a_crash", others_go_on_beside_a_crash),
        ("what_a_process_warns_of_is_passed_on", what_a_process_warns_of_is_passed_on),
        ("what_does_not_fit_is_refused_before_anything_runs", what_does_not_fit_is_refused),
        ("a_process_makes_one_run", a_process_makes_one_run),
        ("an_interrupt_ends_the_processes_of_runs", an_interrupt_ends_the_processes_of_runs),
        ("traces_are_shown_where_they_part", traces_are_shown_where_they_part),
        ("traces_that_do_not_part_are_said_not_to", traces_that_do_not_part_are_said_not_to),
        ("only_the_first_that_differ_are_traced", only_the_first_that_differ_are_traced),
        ("workers_that_crash_or_hang_are_failures_and_are_replaced", workers_that_crash_or_hang_are_replaced),
        ("a_sweep_ends_after_the_first_crash_unless_told_to_go_on", a_sweep_ends_after_the_first_crash),
        ("a_second_process_that_breaks_is_told", a_second_process_that_breaks_is_told),
    ];
    let trial = |(name, test): (&str, fn())| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    trials.iter().copied().map(trial).collect()
}

/// A folder with one sound scenario, `good.toml`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good.toml"), GOOD).unwrap();
    folder
}

fn program(folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.current_dir(folder).env(PROGRAM, "1").env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command.stdin(Stdio::null());
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    program(folder).args(args).output().unwrap()
}

/// `good.toml` with this seed.
fn seed(folder: &Path, seed: u64, more: &[&str]) -> Output {
    run(folder, &[&["run", "good.toml", "--seed", &seed.to_string()], more].concat())
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// What it says beside the report, but for the note on the network.
fn beside(output: &Output) -> &str {
    err(output).strip_prefix("this network is a test's\n").expect("the note comes first, and once")
}

fn reports(output: &Output) -> Vec<Value> {
    out(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn runs_are_told_as_by_the_command_itself() {
    let folder = folder();
    let output = run(folder.path(), &["run", ".", "--jobs", "2"]);
    assert_eq!(code(&output), 0, "{}{}", out(&output), err(&output));
    let lines: Vec<&str> = out(&output).lines().collect();
    for (seed, line) in lines.iter().take(3).enumerate() {
        assert!(line.starts_with(&format!("pass ./good.toml seed {seed}: recall 1.000")), "{line}");
    }
    assert!(lines[4].contains("req/search"), "the table is missing: {lines:?}");
    assert_eq!(lines.last(), Some(&"3 runs, all held"));
    assert_eq!(beside(&output), "");

    let output = run(folder.path(), &["run", "good.toml", "--format", "json"]);
    assert_eq!((code(&output), beside(&output)), (0, ""));
    let hashes: Vec<String> = reports(&output).iter().map(|it| it["trace_hash"].to_string()).collect();
    assert_eq!(hashes.len(), 3);
    for (seed, report) in reports(&output).iter().enumerate() {
        assert_eq!(report["replay"], format!("elsewhere run good.toml --seed {seed}"));
        assert_eq!((&report["scenario"], &report["seed"]), (&"good.toml".into(), &seed.into()));
        assert_eq!(report["network"], "elsewhere");
        assert!(report["wall_ms"].as_f64() > Some(0.0));
        assert_eq!(report["why"], Value::Array(vec![]));
    }
    let again = run(folder.path(), &["run", "good.toml", "--format", "json", "--alone", "--jobs", "1"]);
    let others: Vec<String> = reports(&again).iter().map(|it| it["trace_hash"].to_string()).collect();
    assert_eq!(hashes, others);
}

fn the_options_reach_the_process_of_a_run() {
    let folder = folder();
    // Files that a careless command line would take for options.
    fs::rename(folder.path().join("good.toml"), folder.path().join("--seed.toml")).unwrap();
    let output = run(folder.path(), &["run", "--seed", "1", "--trace=-trace", "--why", "--", "--seed.toml"]);
    assert_eq!((code(&output), beside(&output)), (0, ""), "{}", out(&output));
    let trace = fs::read_to_string(folder.path().join("-trace")).unwrap();
    assert!(trace.lines().count() > 100 && trace.ends_with("}\n"), "{} lines", trace.lines().count());

    // Registry 0 is alone and finds nothing: that is explained only when asked for.
    let alone =
        GOOD.replace("[expect]", "[[fault]]\nat = \"500ms\"\npartition = { registries = [0] }\n[expect]");
    let alone = alone.replace("recall = \">= 0.99\"", "recall = \">= 0\"");
    fs::write(folder.path().join("alone.toml"), alone).unwrap();
    for (more, told) in [(&[][..], false), (&["--why"], true)] {
        let args = ["run", "alone.toml", "--seed", "1", "--format", "json"];
        let output = run(folder.path(), &[&args[..], more].concat());
        assert_eq!(code(&output), 0, "{}{}", out(&output), err(&output));
        let why = reports(&output)[0]["why"].as_array().unwrap().len();
        assert_eq!(why > 0, told, "{more:?}: {why} reasons");
    }
}

fn a_plan_runs_with_its_own_seed() {
    let folder = folder();
    let scenario = swarmproof::scenario::Scenario::read(folder.path().join("good.toml")).unwrap();
    let plan = swarmproof::scenario::Plan::make(&scenario, 5).to_toml().unwrap();
    fs::write(folder.path().join("plan.toml"), plan).unwrap();
    let output = run(folder.path(), &["run", "plan.toml", "--format", "json"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let (made, scenario) = (reports(&output), seed(folder.path(), 5, &["--format", "json"]));
    assert_eq!(made[0]["replay"], "elsewhere run plan.toml");
    assert_eq!(made[0]["seed"], 5);
    assert_eq!(made[0]["trace_hash"], reports(&scenario)[0]["trace_hash"]);
}

fn what_does_not_hold_fails() {
    let folder = folder();
    fs::write(folder.path().join("low.toml"), GOOD.replace(">= 0.99", "< 0.5")).unwrap();
    let output = run(folder.path(), &["run", "low.toml", "--seed", "1"]);
    assert_eq!((code(&output), beside(&output)), (1, ""));
    assert!(out(&output).contains("  expected recall < 0.5, got 1"), "{}", out(&output));
    assert!(out(&output).contains("  replay   elsewhere run low.toml --seed 1\n"), "{}", out(&output));
}

/// The cause that is told of a run that broke; nothing else may be told.
fn cause(output: &Output) -> String {
    assert_eq!((code(output), out(output)), (3, ""), "{}", err(output));
    let text = beside(output).strip_prefix("broke good.toml seed ").expect("it broke");
    let (told, replay) =
        text.split_once("\n  replay   elsewhere run good.toml --seed ").expect("it can be replayed");
    assert_eq!(replay.lines().count(), 1, "{replay}");
    told.split_once(": ").expect("a cause").1.to_owned()
}

fn the_last_words_of_a_process_are_the_cause() {
    let folder = folder();
    let told = cause(&seed(folder.path(), program::PANICS, &[]));
    assert!(told.contains("thread 'simulation'") && told.contains("the sky fell"), "{told}");
    assert!(told.contains("program.rs:") && told.ends_with("(its process ended, exit status: 3)"), "{told}");
    let told = cause(&seed(folder.path(), program::CRASHES, &[]));
    assert!(told.starts_with("these were its last words (its process ended, signal: 6 (SIGABRT)"), "{told}");
    let told = cause(&seed(folder.path(), program::BREAKS, &["--format", "json"]));
    assert_eq!(told, "the plan cannot be followed: it leads nowhere (its process ended, exit status: 3)");
}

fn a_process_that_ends_well_without_a_report_broke() {
    let told = cause(&seed(folder().path(), program::LEAVES, &[]));
    assert_eq!(told, "its process ended without a report, exit status: 0");
}

fn a_crash_after_the_report_is_no_pass() {
    let told = cause(&seed(folder().path(), program::CRASHES_LATE, &[]));
    assert!(told.starts_with("its process told a report and then ended, signal: 6"), "{told}");
}

fn others_go_on_beside_a_crash() {
    let folder = folder();
    let seeds = format!("{}..{}", program::CRASHES, program::CRASHES_LATE + 1);
    let output = run(folder.path(), &["run", "good.toml", "--seeds", &seeds, "--jobs", "2"]);
    assert_eq!((code(&output), out(&output)), (3, ""), "three broke, and nothing was left to report");
    assert_eq!(beside(&output).lines().filter(|line| line.starts_with("broke ")).count(), 3);
    let seeds = format!("{}..{}", program::WARNS, program::LEAVES + 1);
    let output = run(folder.path(), &["run", "good.toml", "--seeds", &seeds]);
    assert_eq!(code(&output), 3);
    assert!(out(&output).ends_with("1 run, 1 broke\n"), "{}", out(&output));
}

/// The detail of the one violation of the one report: that a run was not what it was before.
fn not_repeatable(output: &Output) -> String {
    let reports = reports(output);
    assert_eq!((code(output), reports.len()), (1, 1), "{}", err(output));
    assert_eq!(reports[0]["verdict"], "fail");
    let violations = reports[0]["violations"].as_array().unwrap();
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert_eq!(violations[0]["oracle"], "repeatable");
    violations[0]["detail"].as_str().unwrap().to_owned()
}

fn traces_are_shown_where_they_part() {
    let folder = folder();
    // Where temporary files go, so that it can be seen that none is left.
    let temporary = tempfile::tempdir().unwrap();
    let asked = |more: &[&str]| {
        let mut command = program(folder.path());
        command.args(["run", "good.toml", "--seed", &program::DIFFERS.to_string()]).args(more);
        command.env("TMPDIR", temporary.path()).output().unwrap()
    };
    let output = asked(&["--format", "json"]);
    let detail = not_repeatable(&output);
    assert!(detail.starts_with("in another process its trace hash is "), "{detail}");
    let parts = "; two more runs part at event 4: `0.000000000 s  noted kind=8 digest=";
    assert!(detail.contains(parts), "{detail}");
    let page = beside(&output).to_owned();
    let line = |number: u32| {
        let number = format!("{number} ");
        page.lines().find(|line| line.trim_start().starts_with(&number)).unwrap_or_default().to_owned()
    };
    assert!(page.starts_with("good.toml seed 10: made twice more, it parts at event 4\n"), "{page}");
    // Three notes are the same; the fourth holds the process; what follows is the same again.
    for number in [1, 2, 3] {
        assert_eq!(line(number).matches("noted kind=7").count(), 1, "{page}");
    }
    let (one, other) =
        line(4).split_once(" | ").map(|(a, b)| (a.to_owned(), b.to_owned())).expect("two columns");
    let digest = |it: &str| it.split_once("noted kind=8 digest=").expect("the note").1.trim().to_owned();
    assert_ne!(digest(&one), digest(&other));
    assert!(line(5).matches("spawned").count() == 2 && !line(5).contains('|'), "{page}");
    assert!(page.contains("reads a clock, draws at random, spawns threads, walks a hash map"), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 160), "{page}");

    let output = asked(&[]);
    assert_eq!((code(&output), beside(&output)), (1, ""));
    for told in ["1 violation", "made twice more, it parts at event 4\n", "  violated repeatable at "] {
        assert_eq!(out(&output).matches(told).count(), 1, "{told}: {}", out(&output));
    }
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0, "traces were left behind");
    // Nobody compares, nobody traces.
    assert_eq!(code(&asked(&["--alone"])), 0);
}

fn traces_that_do_not_part_are_said_not_to() {
    let output = seed(folder().path(), program::DIFFERS_UNSEEN, &["--format", "json"]);
    let detail = not_repeatable(&output);
    let many = detail.split_once("; two more runs had the same ").expect(&detail).1;
    let many: u64 = many.strip_suffix(" events").expect(&detail).parse().unwrap();
    assert!(many > 100, "{detail}");
    assert!(beside(&output).contains("it had the same ") && beside(&output).contains("now and then"));
}

fn only_the_first_that_differ_are_traced() {
    let folder = folder();
    // Plans that were edited have names of their own and the seed that differs.
    let scenario = swarmproof::scenario::Scenario::read(folder.path().join("good.toml")).unwrap();
    let plan = swarmproof::scenario::Plan::make(&scenario, program::DIFFERS).to_toml().unwrap();
    for name in 0..5 {
        fs::write(folder.path().join(format!("{name}.toml")), &plan).unwrap();
    }
    let output = run(folder.path(), &["run", "0.toml", "1.toml", "2.toml", "3.toml", "4.toml"]);
    assert_eq!((code(&output), beside(&output)), (1, ""));
    assert_eq!(out(&output).matches("  violated repeatable at ").count(), 5, "{}", out(&output));
    assert_eq!(out(&output).matches("made twice more, it parts at event 4").count(), 3, "{}", out(&output));
}

fn a_second_process_that_breaks_is_told() {
    let folder = folder();
    let been = folder.path().join("been");
    let mut command = program(folder.path());
    command.args(["run", "good.toml", "--format", "json", "--seed", &program::BREAKS_LATER.to_string()]);
    let output = command.env(BEEN, &been).output().unwrap();
    let detail = not_repeatable(&output);
    let told =
        "another process did not bring the same run to its end: the plan cannot be followed: once was enough";
    assert!(detail.starts_with(told), "{detail}");
}

fn what_a_process_warns_of_is_passed_on() {
    let output = seed(folder().path(), program::WARNS, &["--alone"]);
    assert_eq!((code(&output), beside(&output)), (0, "warning: a thread was left behind\n"));
}

fn what_does_not_fit_is_refused() {
    let folder = folder();
    fs::write(folder.path().join("large.toml"), GOOD.replace("peers = 8", "peers = 31")).unwrap();
    for command in ["run", "check"] {
        let output = run(folder.path(), &[command, "."]);
        assert_eq!((code(&output), out(&output)), (2, ""));
        let told = "error: ./large.toml: cannot be run by elsewhere: it has more than 30 nodes\n";
        assert_eq!(err(&output), told, "once for all its seeds, and nothing of the other file");
    }
    let output = run(folder.path(), &["check", "good.toml"]);
    assert_eq!((code(&output), out(&output)), (0, "good.toml: good, a scenario of 3 seeds\n"));
    let output = seed(folder.path(), 1, &["--trace", "no/such/folder"]);
    assert_eq!((code(&output), out(&output)), (2, ""), "{}", err(&output));
}

fn a_process_makes_one_run() {
    let folder = folder();
    let output = run(folder.path(), &["run", "--within", "good.toml"]);
    assert_eq!((code(&output), out(&output)), (2, ""), "{}", err(&output));
    let output = seed(folder.path(), 1, &["--within", "--format", "json"]);
    assert_eq!((code(&output), err(&output)), (0, ""), "the note is told by whoever started it");
    assert_eq!(reports(&output).len(), 1);
}

fn an_interrupt_ends_the_processes_of_runs() {
    let folder = folder();
    let process = folder.path().join("process");
    let mut command = program(folder.path());
    command.args(["run", "good.toml", "--seed", &program::HANGS.to_string()]).env(HANGS_IN, &process);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let hangs = within_half_a_minute(|| fs::read_to_string(&process).ok().filter(|it| !it.is_empty()));
    let hangs = hangs.expect("the run begins");
    assert!(Path::new("/proc").join(&hangs).exists(), "it hangs");
    // The parent alone is told, as by a supervisor; it must end what it started.
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let ended = within_half_a_minute(|| child.try_wait().unwrap());
    assert_eq!(ended.and_then(|it| it.code()), Some(130));
    assert!(!Path::new("/proc").join(&hangs).exists(), "process {hangs} was left behind");
}

fn within_half_a_minute<T>(mut come: impl FnMut() -> Option<T>) -> Option<T> {
    (0..600).find_map(|_| {
        std::thread::sleep(Duration::from_millis(50));
        come()
    })
}

fn workers_that_crash_or_hang_are_replaced() {
    let folder = folder();
    let hangs = folder.path().join("hangs");
    let args = ["sweep", "good.toml", "--seeds", "11..18", "--keep-going", "--limit", "8s", "--jobs", "2"];
    let output = program(folder.path()).args(args).env(HANGS_IN, &hangs).output().unwrap();
    let text = out(&output);
    assert_eq!(code(&output), 3, "{text}{}", err(&output));
    assert!(text.contains("crashed good.toml seed 12: these were its last words; "), "{text}");
    assert!(text.contains("SIGABRT"), "{text}");
    assert!(
        text.contains("broke good.toml seed 13: the plan cannot be followed: it leads nowhere"),
        "{text}"
    );
    assert!(text.contains("hung good.toml seed 15: it did not end within 8s"), "{text}");
    // The process of 17 ends as if all were well, and without a report.
    let line = text.lines().find(|line| line.starts_with("crashed good.toml seed 17: ")).unwrap();
    assert!(line.ends_with("its process ended, exit status: 0"), "{text}");
    assert!(text.contains("7 of 7 seeds ran in "), "{text}");
    let counts = ": 2 passed, 0 failed, 2 crashed, 1 hung, 2 broke, 0 not run\n";
    assert!(text.ends_with(counts), "{text}");
    assert!(text.contains("elsewhere run good.toml --seed 12\n"), "{text}");
    // Nothing is left of the one that hung.
    let process = fs::read_to_string(&hangs).unwrap();
    assert!(!Path::new("/proc").exists() || !Path::new(&format!("/proc/{process}")).exists());
    let plan = fs::read_to_string(folder.path().join("failures/good-12.toml")).unwrap();
    assert!(plan.contains("[failure]\noracle = \"crashed\"\nkind = \"crash\""), "{plan}");
}

fn a_sweep_ends_after_the_first_crash() {
    let folder = folder();
    let args = ["sweep", "good.toml", "--seeds", "12..100", "--jobs", "1"];
    let output = program(folder.path()).args(args).output().unwrap();
    assert_eq!(code(&output), 3, "{}", err(&output));
    let text = out(&output);
    assert!(text.contains("crashed good.toml seed 12: "), "{text}");
    assert!(text.contains("crashed, ") && !text.contains(", 0 not run"), "{text}");
}
