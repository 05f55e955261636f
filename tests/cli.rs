//! The built command line, end to end.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![cfg(feature = "cli")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A scenario that is small and sound.
const GOOD: &str = r#"description = "Small and sound."
seeds = "0..2"
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

fn swarmproof(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swarmproof"));
    command.current_dir(folder).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").stdin(Stdio::null());
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    swarmproof(folder).args(args).output().unwrap()
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

/// A folder with one sound scenario, `good.toml`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good.toml"), GOOD).unwrap();
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_good_scenario_runs_and_is_told_in_order() {
    let folder = folder();
    let output = run(folder.path(), &["run", "."]);
    assert_eq!(code(&output), 0, "{}{}", out(&output), err(&output));
    let text = out(&output);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("pass ./good.toml seed 0: recall 1.000"), "{text}");
    assert!(lines[1].starts_with("pass ./good.toml seed 1: "), "{text}");
    for column in
        ["scenario", "seed", "verdict", "recall", "p50", "p95", "p99", "req/search", "rejected", "trace"]
    {
        assert!(lines[3].contains(column), "{column} is not in {:?}", lines[3]);
    }
    assert!(text.ends_with("2 runs, all held\n"), "{text}");
    assert_eq!(err(&output), "", "nothing to say beside the report");
}

#[test]
fn json_is_one_object_a_line_with_every_field() {
    let folder = folder();
    let output = run(folder.path(), &["run", "good.toml", "--seeds", "3..6", "--format", "json"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let reports: Vec<Value> = out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seeds: Vec<u64> = reports.iter().map(|it| it["seed"].as_u64().unwrap()).collect();
    assert_eq!(seeds, [3, 4, 5]);
    for report in &reports {
        assert_eq!(report["scenario"], "good.toml");
        assert_eq!(report["network"], "sim");
        assert_eq!(report["verdict"], "pass");
        let hash = report["trace_hash"].as_str().unwrap();
        assert!(hash.len() >= 16 && hash.bytes().all(|it| it.is_ascii_hexdigit()), "{hash}");
        assert_eq!(report["peers"], 8);
        for field in ["events", "messages", "virtual_ms", "requests"] {
            assert!(report[field].as_u64().unwrap() > 0, "{field}: {report}");
        }
        assert!(report["wall_ms"].as_f64().unwrap() > 0.0);
        assert_eq!(report["recall"], 1.0);
        let searches = &report["searches"];
        let sum: u64 = ["complete", "enough", "partial", "failed", "cancelled", "in_flight"]
            .iter()
            .map(|it| searches[it].as_u64().unwrap())
            .sum();
        assert!(sum > 0 && searches["started"] == sum, "{searches}");
        let latency = |quantile: &str| report["latency_ms"][quantile].as_f64().unwrap();
        assert!(latency("p50") <= latency("p95") && latency("p95") <= latency("p99"));
        assert!(latency("p99") <= latency("max"));
        for field in ["sent", "rejected", "delivered"] {
            assert_eq!(report["malformed"][field], 0);
        }
        assert_eq!(report["violations"], Value::Array(vec![]));
        let expected = &report["expectations"][0];
        assert_eq!(expected["name"], "recall");
        assert_eq!(expected["held"], true);
        assert!(expected["wanted"].is_string() && expected["got"].is_string());
    }
    let hashes: std::collections::BTreeSet<&str> =
        reports.iter().map(|it| it["trace_hash"].as_str().unwrap()).collect();
    assert_eq!(hashes.len(), 3, "each seed is a run of its own");
}

#[test]
fn two_processes_and_one_thread_or_two_give_one_hash() {
    let folder = folder();
    let stable = |args: &[&str]| {
        let output = run(folder.path(), &[&["run", "good.toml", "--format", "json"], args].concat());
        assert_eq!(code(&output), 0, "{}", err(&output));
        let strip = |line: &str| {
            let mut report: Value = serde_json::from_str(line).unwrap();
            assert!(report.as_object_mut().unwrap().remove("wall_ms").is_some());
            report
        };
        out(&output).lines().map(strip).collect::<Vec<Value>>()
    };
    let first = stable(&["--jobs", "1"]);
    assert_eq!(first.len(), 2);
    assert_eq!(first, stable(&["--jobs", "2"]));
}

#[test]
fn an_expectation_that_fails_is_1_and_says_how_to_replay() {
    let folder = folder();
    let wanting = GOOD.replace("recall = \">= 0.99\"", "recall = \"< 0.5\"");
    fs::write(folder.path().join("wants too little.toml"), wanting).unwrap();
    let output = run(folder.path(), &["run", "wants too little.toml", "--seed", "7"]);
    assert_eq!(code(&output), 1, "{}", err(&output));
    let text = out(&output);
    assert!(text.contains("  expected recall < 0.5, got 1"), "{text}");
    let replay = "swarmproof run 'wants too little.toml' --seed 7";
    assert!(text.contains(&format!("  replay   {replay}\n")), "{text}");
    assert!(text.ends_with("1 run, 1 failed\n"), "{text}");
    // The command that it prints does what it says.
    let program = env!("CARGO_BIN_EXE_swarmproof");
    let shell = replay.replacen("swarmproof", &format!("'{program}'"), 1);
    let again = Command::new("sh").args(["-c", &shell]).current_dir(folder.path()).output().unwrap();
    assert_eq!(code(&again), 1);
    let traces = |text: &str| text.split("(trace ").nth(1).unwrap().split(')').next().unwrap().to_owned();
    assert_eq!(traces(text), traces(out(&again)));
}

/// Bad files: a name, what is changed about the good one, and what the error must name.
const BAD: &[(&str, &str, &str, &str)] = &[
    ("unknown-key", "peers = 8", "peers = 8\nregistires = 2", ":7:1: "),
    ("unknown-section", "[expect]", "[expectt]", ":17:2: "),
    ("wrong-unit", "duration = \"20s\"", "duration = \"20KiB\"", ":3:12: "),
    ("no-unit", "duration = \"20s\"", "duration = 20", ":3:12: "),
    ("negative-share", "profile = \"lan\"", "undialable = -0.1", ":8:14: "),
    ("share-over-one", "profile = \"lan\"", "undialable = 1.5", ":8:14: "),
    ("rate-too-high", "\"1/s\"", "\"1000000000000/s\"", ":15:19: "),
    ("rate-in-exponents", "\"1/s\"", "\"1e12/s\"", ":15:19: "),
    ("too-many-peers", "peers = 8", "peers = 1000000000", ":6:9: "),
    ("more-registries-than-peers", "registries = 2", "registries = 9", ":7:"),
    (
        "fault-ends-before-it-begins",
        "[expect]",
        "[[fault]]\nat = \"5s\"\nuntil = \"4s\"\nlatency = { extra = \"1s\" }\n\n[expect]",
        ":19:",
    ),
    ("missing-catalogue", "packages = 20", "source = \"file\"\npath = \"none.jsonl\"", "none.jsonl"),
    ("not-toml", "[network]", "[network", ":5:"),
];

#[test]
fn bad_files_end_with_2_name_their_place_and_leave_nothing() {
    for (name, from, to, place) in BAD {
        let folder = folder();
        assert!(GOOD.contains(from), "{name} changes nothing");
        fs::write(folder.path().join("bad.toml"), GOOD.replacen(from, to, 1)).unwrap();
        for args in [
            &["run", "bad.toml"][..],
            &["run", "good.toml", "bad.toml"],
            &["run", "bad.toml", "--seed", "1", "--trace", "trace"],
            &["check", "."],
            &["plan", "bad.toml", "--seed", "1"],
        ] {
            let output = run(folder.path(), args);
            assert_eq!(code(&output), 2, "{name} {args:?}: {}{}", out(&output), err(&output));
            assert!(
                err(&output).contains("bad.toml") && err(&output).contains(place),
                "{name}: {}",
                err(&output)
            );
            assert!(!out(&output).contains("pass"), "{name}: something was run");
            assert_eq!(names(folder.path()), ["bad.toml", "good.toml"], "{name}: something was written");
        }
    }
}

#[test]
fn a_file_without_text_ends_with_2() {
    let folder = folder();
    let many: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for (name, bytes) in [("empty", &b""[..]), ("blank", b"\n \n"), ("binary", &many), ("zeros", &[0; 64])] {
        fs::write(folder.path().join("bad.toml"), bytes).unwrap();
        for command in ["run", "check"] {
            let output = run(folder.path(), &[command, "bad.toml"]);
            assert_eq!(code(&output), 2, "{name}: {}", err(&output));
            assert!(err(&output).contains("bad.toml"), "{name}: {}", err(&output));
            assert_eq!(out(&output), "", "{name}");
        }
    }
}

#[test]
fn an_unknown_key_is_told_with_what_was_meant() {
    let folder = folder();
    fs::write(folder.path().join("bad.toml"), GOOD.replace("peers = 8", "perrs = 8")).unwrap();
    let output = run(folder.path(), &["check", "bad.toml"]);
    let text = err(&output);
    assert!(text.contains("perrs") && text.contains("did you mean \"peers\"?"), "{text}");
    assert!(text.contains("registries"), "what is allowed is not listed: {text}");
}

#[test]
fn every_bad_file_of_a_folder_is_told_at_once() {
    let folder = folder();
    for name in ["a", "b"] {
        fs::write(folder.path().join(format!("{name}.toml")), "nonsense = 1\n").unwrap();
    }
    let output = run(folder.path(), &["run", "."]);
    assert_eq!(code(&output), 2);
    assert!(
        err(&output).contains("./a.toml:1:1: ") && err(&output).contains("./b.toml:1:1: "),
        "{}",
        err(&output)
    );
}

#[test]
fn wrong_usage_ends_with_2() {
    let folder = folder();
    for args in [
        &[][..],
        &["run"],
        &["walk"],
        &["run", "none.toml"],
        &["run", "good.toml", "--seed", "x"],
        &["run", "good.toml", "--seed", "-1"],
        &["run", "good.toml", "--seed", "1", "--seeds", "1..2"],
        &["run", "good.toml", "--seeds", "5..5"],
        &["run", "good.toml", "--seeds", "0..18446744073709551615"],
        &["run", "good.toml", "--format", "xml"],
        &["run", "good.toml", "--jobs", "0"],
        &["run", "good.toml", "--trace", "t"],
        &["run", "good.toml", "--seed", "1", "--trace", "no/such/folder/t"],
        &["plan", "good.toml"],
        &["catalogue"],
        &["catalogue", "--from-cargo-metadata", "--manifest-path", "none/Cargo.toml"],
    ] {
        let output = run(folder.path(), args);
        assert_eq!(code(&output), 2, "{args:?}: {}", out(&output));
        assert!(!err(&output).is_empty(), "{args:?} says nothing");
        assert_eq!(names(folder.path()), ["good.toml"], "{args:?} wrote something");
    }
    let empty = tempfile::tempdir().unwrap();
    let output = run(empty.path(), &["run", "."]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("no scenario files"), "{}", err(&output));
}

#[test]
fn a_plan_is_printed_and_runs_to_the_same_hash() {
    let folder = folder();
    let plan = run(folder.path(), &["plan", "good.toml", "--seed", "5"]);
    assert_eq!(code(&plan), 0, "{}", err(&plan));
    assert!(out(&plan).parse::<toml::Table>().unwrap().contains_key("plan"));
    assert_eq!(out(&plan), out(&run(folder.path(), &["plan", "good.toml", "--seed", "5"])));
    fs::write(folder.path().join("plan.toml"), out(&plan)).unwrap();
    let hash = |args: &[&str]| {
        let output = run(folder.path(), args);
        assert_eq!(code(&output), 0, "{}", err(&output));
        let report: Value = serde_json::from_str(out(&output)).unwrap();
        assert_eq!(report["seed"], 5);
        (report["trace_hash"].clone(), report["replay"].clone())
    };
    let (made, replay) = hash(&["run", "good.toml", "--seed", "5", "--format", "json"]);
    assert_eq!(replay, "swarmproof run good.toml --seed 5");
    let (printed, replay) = hash(&["run", "plan.toml", "--format", "json"]);
    assert_eq!(replay, "swarmproof run plan.toml");
    assert_eq!(made, printed);
    let output = run(folder.path(), &["run", "plan.toml", "--seed", "1"]);
    assert_eq!(code(&output), 2, "a plan has its seed");
}

#[test]
fn a_trace_is_written_for_one_run() {
    let folder = folder();
    let output = run(folder.path(), &["run", "good.toml", "--seed", "1", "--trace", "trace"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let trace = fs::read_to_string(folder.path().join("trace")).unwrap();
    assert!(trace.lines().count() > 100, "{} lines", trace.lines().count());
    let output = run(folder.path(), &["run", "good.toml", "--seed", "1", "--trace", "again"]);
    assert_eq!(code(&output), 0);
    assert_eq!(trace, fs::read_to_string(folder.path().join("again")).unwrap());
}

#[test]
fn a_run_within_is_told_to_the_process_that_asked_for_it() {
    let folder = folder();
    let within = ["run", "--within", "--alone", "--format=json", "--seed=1"];
    let output = run(folder.path(), &[&within[..], &["--trace=trace", "--", "good.toml"]].concat());
    assert_eq!((code(&output), err(&output)), (0, ""));
    let reports: Vec<Value> = out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((reports.len(), &reports[0]["verdict"]), (1, &"pass".into()));
    assert!(fs::read_to_string(folder.path().join("trace")).unwrap().lines().count() > 100);
    // One process, one run; and the option is nobody else's to see.
    assert_eq!(code(&run(folder.path(), &["run", "--within", "good.toml"])), 2);
    let help = run(folder.path(), &["run", "--help"]);
    assert!(out(&help).starts_with("Run scenarios, or plans, and report\n\nUsage: "), "{}", out(&help));
    assert!(!out(&help).contains("--within"));
}

#[test]
fn the_schema_is_json_that_knows_the_sections() {
    let folder = folder();
    let output = run(folder.path(), &["schema"]);
    assert_eq!(code(&output), 0);
    let schema: Value = serde_json::from_str(out(&output)).unwrap();
    assert!(schema["$schema"].as_str().unwrap().contains("2020-12"));
    for section in [
        "description",
        "seeds",
        "duration",
        "network",
        "catalogue",
        "registry",
        "workload",
        "fault",
        "expect",
    ] {
        assert!(schema["properties"][section].is_object(), "{section}");
    }
}

#[test]
fn check_reads_without_running() {
    let folder = folder();
    let output = run(folder.path(), &["check", "."]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert_eq!(out(&output), "./good.toml: good, a scenario of 2 seeds\n");
}

#[test]
fn a_catalogue_is_made_from_cargo_metadata_and_runs() {
    let folder = folder();
    let project = folder.path().join("project");
    fs::create_dir_all(project.join("src")).unwrap();
    fs::write(project.join("src/lib.rs"), "").unwrap();
    let manifest = "[package]\nname = \"weather-vane\"\nversion = \"1.2.3\"\nedition = \"2024\"\n\
                    description = \"Tells where the wind blows.\"\nlicense = \"MIT\"\n\
                    keywords = [\"wind\"]\ncategories = [\"science\"]\n";
    fs::write(project.join("Cargo.toml"), manifest).unwrap();
    let args = ["catalogue", "--from-cargo-metadata", "--manifest-path", "project/Cargo.toml"];
    let printed = run(folder.path(), &args);
    assert_eq!(code(&printed), 0, "{}", err(&printed));
    for word in ["weather-vane", "1.2.3", "Tells where the wind blows.", "\"wind\"", "\"science\"", "\"MIT\""]
    {
        assert!(out(&printed).contains(word), "{word} is not in {}", out(&printed));
    }
    let written = run(folder.path(), &[&args[..], &["-o", "made.jsonl"]].concat());
    assert_eq!((code(&written), out(&written)), (0, ""));
    assert_eq!(fs::read_to_string(folder.path().join("made.jsonl")).unwrap(), out(&printed));
    let scenario = GOOD
        .replace("packages = 20\npublishers = 3", "source = \"file\"\npath = \"made.jsonl\"\npublishers = 1");
    fs::write(folder.path().join("own.toml"), scenario).unwrap();
    let output = run(folder.path(), &["run", "own.toml", "--seed", "0"]);
    assert_eq!(code(&output), 0, "{}{}", out(&output), err(&output));
}

#[test]
fn a_pipe_gets_no_colours_unless_they_are_forced() {
    let folder = folder();
    let args = ["run", "good.toml", "--seed", "0"];
    let plain = swarmproof(folder.path()).args(args).output().unwrap();
    assert!(!out(&plain).contains('\u{1b}') && !err(&plain).contains('\u{1b}'));
    let forced = swarmproof(folder.path()).args(args).env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(out(&forced).contains('\u{1b}'), "without this the check above could not fail");
    let banned = swarmproof(folder.path()).args(args).env("NO_COLOR", "1").output().unwrap();
    assert!(!out(&banned).contains('\u{1b}'));
    let bad = swarmproof(folder.path()).args(["run", "none.toml"]).output().unwrap();
    assert!(!err(&bad).contains('\u{1b}'));
}

#[cfg(unix)]
#[test]
fn an_interrupt_reports_what_has_finished_and_ends_with_130() {
    use std::io::{BufRead as _, BufReader, Read as _};

    let folder = folder();
    // The first file is done at once; the second has seeds enough for minutes.
    fs::write(folder.path().join("many.toml"), GOOD.replace("0..2", "0..100000")).unwrap();
    let mut child = swarmproof(folder.path())
        .args(["run", "good.toml", "many.toml"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    output.read_line(&mut first).unwrap();
    assert!(first.starts_with("pass good.toml seed 0"), "{first}");
    let told = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(told.success());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    let last = rest.lines().last().unwrap();
    assert!(last.contains("not finished") && !last.contains("all held"), "{last}");
    assert!(rest.contains("\nscenario "), "the table is missing: {rest}");
}

#[cfg(unix)]
#[test]
fn output_that_cannot_be_written_is_not_success() {
    let folder = folder();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = swarmproof(folder.path()).args(["run", "good.toml"]).stdout(full).output().unwrap();
    assert_eq!(code(&output), 3);
    assert!(err(&output).contains("cannot write"), "{}", err(&output));
}

#[cfg(feature = "net")]
mod swarm {
    use super::*;

    /// `GOOD`, short enough for real time, with something more.
    fn short(more: &str) -> String {
        GOOD.replace("20s", "3s").replace("10s", "2s").replace("0..2", "0..1") + more
    }

    #[test]
    fn a_short_scenario_runs_on_real_swarms_over_each_wire() {
        let folder = folder();
        fs::write(folder.path().join("short.toml"), short("")).unwrap();
        for (wire, flags) in [("memory", &[][..]), ("tcp", &["--wire", "tcp"]), ("quic", &["--wire", "quic"])]
        {
            let args = ["run", "--network", "swarm", "--format", "json", "short.toml"];
            let output = run(folder.path(), &[&args[..], flags].concat());
            assert_eq!(code(&output), 0, "{wire}: {}{}", out(&output), err(&output));
            let report: Value = serde_json::from_str(out(&output)).unwrap();
            assert_eq!((&report["network"], &report["verdict"]), (&"swarm".into(), &"pass".into()), "{wire}");
            assert_eq!(report["trace_hash"], "", "there is no trace to hash");
            let replay = format!("swarmproof run short.toml --seed 0 --network swarm --wire {wire}");
            assert_eq!(report["replay"], replay);
            assert!(
                report["searches"]["started"].as_u64() > Some(0) && report["messages"].as_u64() > Some(0)
            );
            assert!(report["wall_ms"].as_f64() >= Some(3000.0), "{wire}: real time is waited for");
            assert!(
                err(&output).contains("the delays of network profiles are not applied"),
                "{}",
                err(&output)
            );
        }
    }

    #[test]
    fn what_real_swarms_cannot_run_is_refused_by_file_before_anything_runs() {
        let folder = folder();
        let put = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
        put("good.toml", short(""));
        put("cut.toml", short("[[fault]]\nat = \"1s\"\npartition = { share = 0.5 }\n"));
        put("line.toml", short("[[fault]]\nat = \"1s\"\nlatency = { extra = \"1s\" }\n"));
        put("large.toml", short("").replace("peers = 8", "peers = 65"));
        put("long.toml", short("").replace("3s", "121s"));
        let output = run(folder.path(), &["run", "--network", "swarm", "."]);
        assert_eq!((code(&output), out(&output)), (2, ""), "{}", err(&output));
        for (file, why) in [
            ("cut.toml", "a partition"),
            ("line.toml", "a fault of links"),
            ("large.toml", "65 nodes"),
            ("long.toml", "121 s"),
        ] {
            let line = err(&output).lines().find(|line| line.contains(file)).unwrap_or_default();
            assert!(line.contains(why), "{file}: {}", err(&output));
        }
        assert!(!err(&output).contains("good.toml"), "{}", err(&output));
    }

    #[test]
    fn options_of_one_network_are_refused_on_the_other() {
        let folder = folder();
        for args in [&["--wire", "tcp"][..], &["--network", "swarm", "--trace", "t.jsonl", "--seed", "0"]] {
            let output = run(folder.path(), &[&["run", "good.toml"], args].concat());
            assert_eq!((code(&output), out(&output)), (2, ""), "{args:?}: {}", err(&output));
        }
        assert_eq!(names(folder.path()), ["good.toml"]);
    }
}
