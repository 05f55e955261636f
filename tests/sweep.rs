//! Finding, replaying and shrinking what fails: the built command line, end to end.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![cfg(feature = "cli")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A scenario that is small and sound.
const GOOD: &str = r#"description = "Small and sound."
seeds = "0..4"
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

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swarmproof"));
    command.current_dir(folder).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").stdin(Stdio::null());
    command
}

fn run(folder: &Path, args: &[&str]) -> (i32, String, String) {
    told(&command(folder).args(args).output().unwrap())
}

fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// A folder with `good.toml`, and `bad.toml`, which wants at most two searches and makes more.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good.toml"), GOOD).unwrap();
    let bad = GOOD.replace("recall = \">= 0.99\"", "recall = \">= 0.99\"\nsearches = \"<= 2\"");
    fs::write(folder.path().join("bad.toml"), bad).unwrap();
    folder
}

fn failures(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder.join("failures")) else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_sweep_that_finds_nothing_says_how_many_seeds_ran_and_leaves_nothing_behind() {
    let folder = folder();
    let (code, out, err) = run(folder.path(), &["sweep", "good.toml", "--seeds", "0..12"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("12 of 12 seeds ran in "), "{out}");
    assert!(out.ends_with(": 12 passed, 0 failed, 0 crashed, 0 hung, 0 broke, 0 not run\n"), "{out}");
    assert!(!folder.path().join("failures").exists());
    // The file's own seeds, when none are given.
    let (_, out, _) = run(folder.path(), &["sweep", "good.toml"]);
    assert!(out.contains("4 of 4 seeds ran in "), "{out}");
}

#[test]
fn each_failing_plan_is_kept_and_replays_the_same() {
    let folder = folder();
    let (code, out, err) = run(folder.path(), &["sweep", "bad.toml", "--seeds", "3..6", "--keep-going"]);
    assert_eq!(code, 1, "{out}{err}");
    assert_eq!(failures(folder.path()), ["bad-3.toml", "bad-4.toml", "bad-5.toml"]);
    let row = out.lines().find(|line| line.starts_with("expect.searches")).unwrap();
    assert_eq!(
        row.split_whitespace().collect::<Vec<_>>(),
        ["expect.searches", "expectation", "3", "3,", "4,", "5"]
    );
    for wanted in [
        "fail bad.toml seed 4: expect.searches",
        "swarmproof replay failures/bad-4.toml",
        "swarmproof shrink failures/bad-4.toml",
    ] {
        assert!(out.contains(wanted), "{wanted} is not in {out}");
    }
    let (code, out, err) = run(folder.path(), &["replay", "failures/bad-4.toml", "--trace", "trace"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("the same: expect.searches failed at "), "{out}");
    assert!(fs::read_to_string(folder.path().join("trace")).unwrap().lines().count() > 100);
    // `run` takes it too.
    let (code, out, _) = run(folder.path(), &["run", "failures/bad-4.toml", "--alone"]);
    assert_eq!(code, 1);
    assert!(out.contains("expected searches <= 2, got "), "{out}");
}

#[test]
fn a_sweep_ends_after_the_first_failure_unless_told_to_go_on() {
    let folder = folder();
    let (code, out, _) = run(folder.path(), &["sweep", "bad.toml", "--seeds", "0..400", "--jobs", "2"]);
    assert_eq!(code, 1, "{out}");
    assert!((1..=8).contains(&failures(folder.path()).len()), "{:?}", failures(folder.path()));
    assert!(!out.contains(", 0 not run"), "{out}");
}

#[test]
fn shards_together_are_all_seeds_and_each_once() {
    let folder = folder();
    let mut all = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let to = format!("to-{}", &shard[..1]);
        let args =
            ["sweep", "bad.toml", "--seeds", "0..7", "--keep-going", "--shard", shard, "--failures", &to];
        assert_eq!(run(folder.path(), &args).0, 1);
        let kept = fs::read_dir(folder.path().join(&to)).unwrap();
        all.extend(kept.map(|it| it.unwrap().file_name().into_string().unwrap()));
    }
    all.sort();
    assert_eq!(all, (0..7).map(|seed| format!("bad-{seed}.toml")).collect::<Vec<_>>());
}

#[test]
fn what_cannot_be_is_refused_before_anything_runs() {
    let folder = folder();
    fs::write(folder.path().join("file"), "").unwrap();
    let refused: [(&[&str], &str); 9] = [
        (&["sweep", "good.toml", "--shard", "9/8"], "there are parts from 1/8 to 8/8"),
        (&["sweep", "good.toml", "--shard", "0/8"], "there are parts from 1/8 to 8/8"),
        (&["sweep", "good.toml", "--seeds", "5..5"], "holds no seed"),
        (&["sweep", "good.toml", "--seeds", "0..2", "--shard", "3/3"], "this part holds no seed"),
        (&["sweep", "good.toml", "--failures", "file/x"], "file/x: cannot be written"),
        (&["sweep", "none.toml"], "none.toml"),
        (&["sweep", "good.toml", "--time", "10"], "a duration with its unit"),
        (&["replay", "good.toml"], "is a scenario"),
        (&["explore", "--shard", "2/1"], "there are parts from 1/1 to 1/1"),
    ];
    for (args, wanted) in refused {
        let (code, out, err) = run(folder.path(), args);
        assert_eq!(code, 2, "{args:?}: {out}{err}");
        assert!(err.contains(wanted), "{args:?}: {err}");
        assert_eq!(out, "", "{args:?}");
    }
    assert!(!folder.path().join("failures").exists());
}

#[test]
fn a_failure_that_is_not_what_it_was_is_said_to_be_another() {
    let folder = folder();
    assert_eq!(run(folder.path(), &["sweep", "bad.toml", "--seeds", "1..2"]).0, 1);
    let kept = folder.path().join("failures/bad-1.toml");
    let good = fs::read_to_string(&kept).unwrap();
    let with = |text: &str, args: &[&str]| {
        fs::write(&kept, text).unwrap();
        let (code, out, err) = run(folder.path(), args);
        assert_eq!(code, 2, "{out}{err}");
        err
    };
    let replay = ["replay", "failures/bad-1.toml"];
    // Another plan, which fails all the same.
    let edited = good.replacen("packages = 20", "packages = 21", 1);
    assert_ne!(edited, good);
    let err = with(&edited, &replay);
    assert!(err.contains("this is not the run that failed (expect.searches failed here at "), "{err}");
    // Another hash.
    let hash = good.find("trace_hash = \"").unwrap() + "trace_hash = \"".len();
    let mut other = good.clone();
    other.replace_range(hash..hash + 4, "0bad");
    assert!(with(&other, &replay).contains(" was expected: this is not the run that failed"), "{other}");
    // Another version of plans.
    let err = with(&good.replacen("plan = 1", "plan = 7", 1), &replay);
    assert!(err.contains("this is a plan of version 7; this program runs version 1"), "{err}");
    // Cut in the middle.
    let err = with(&good[..good.len() / 2], &replay);
    assert!(err.contains("failures/bad-1.toml:"), "{err}");
    let place = err.split("failures/bad-1.toml:").nth(1).unwrap();
    assert!(place.starts_with(|it: char| it.is_ascii_digit()), "a line is named: {err}");
    // Without how it failed.
    let from = good.find("[failure]").unwrap();
    let to = good[from..].find("\n[").unwrap() + from + 1;
    let without = format!("{}{}", &good[..from], &good[to..]);
    for verb in ["replay", "shrink"] {
        assert!(with(&without, &[verb, "failures/bad-1.toml"]).contains("has no [failure]"));
    }
    // Of an oracle that does not fail here.
    let err = with(
        &good.replace("oracle = \"expect.searches\"", "oracle = \"own-answers\""),
        &["shrink", "failures/bad-1.toml"],
    );
    assert!(err.contains("own-answers does not fail here"), "{err}");
    assert_eq!(failures(folder.path()), ["bad-1.toml"], "nothing was written");
}

#[test]
fn a_replay_stops_before_an_event_and_tells_how_queries_stand() {
    let folder = folder();
    let slow = GOOD
        .replace("profile = \"lan\"", "profile = \"internet\"")
        .replace("recall = \">= 0.99\"", "latency_max = \"<= 1ms\"");
    fs::write(folder.path().join("slow.toml"), slow).unwrap();
    assert_eq!(run(folder.path(), &["sweep", "slow.toml", "--seeds", "1..2"]).0, 1);
    let file = "failures/slow-1.toml";
    run(folder.path(), &["replay", file, "--trace", "trace"]);
    let trace = fs::read_to_string(folder.path().join("trace")).unwrap();
    // In the middle of the first question of a query: requests of the registry itself have large numbers.
    let lines: Vec<&str> = trace.lines().collect();
    let question = |line: &&str| {
        line.contains("\"submitted\"") && line.contains("\"kind\":4") && !line.contains("\"request\":92233")
    };
    let asked = lines.iter().position(question).unwrap();
    let until = (asked + 3).to_string();
    let (code, out, err) = run(folder.path(), &["replay", file, "--until", &until, "--trace", "part"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains(&format!("after event {}: ", asked + 2)), "{out}");
    for wanted in ["search (", "begun at ", "to end by ", "outstanding", "asked n", "nothing came"] {
        assert!(out.contains(wanted), "{wanted} is not in {out}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("part")).unwrap().lines().count(), asked + 2);
    let (code, out, err) = run(folder.path(), &["replay", file, "--until", "violation"]);
    assert_eq!(code, 0, "{out}{err}");
    for (bad, wanted) in [
        ("0", "is neither the number of an event"),
        ("x", "nor `violation`"),
        ("99999999", "the run ended before that"),
    ] {
        let (code, _, err) = run(folder.path(), &["replay", file, "--until", bad]);
        assert_eq!(code, 2, "{bad}: {err}");
        assert!(err.contains(wanted), "{bad}: {err}");
    }
}

#[test]
fn a_failing_plan_shrinks_to_what_it_needs_and_replays() {
    let folder = folder();
    assert_eq!(run(folder.path(), &["sweep", "bad.toml", "--seeds", "1..2"]).0, 1);
    let (code, out, err) = run(folder.path(), &["shrink", "failures/bad-1.toml", "--time", "5m"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        out.contains("to       1 peer (1 registry among them), 3 operations, 0 fault events, 1 package"),
        "{out}"
    );
    let small = fs::read_to_string(folder.path().join("failures/bad-1-small.toml")).unwrap();
    assert!(
        small.starts_with("# Shrunk by swarmproof ")
            && small.contains(" runs; nothing more can be taken from it."),
        "{small}"
    );
    assert!(!small.contains("recall"), "what else was expected is gone: {small}");
    let (code, out, err) = run(folder.path(), &["replay", "failures/bad-1-small.toml"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("the same: expect.searches failed at "), "{out}");
    // Where it goes is told.
    let args = ["shrink", "failures/bad-1.toml", "-o", "none/x.toml"];
    let (code, _, err) = run(folder.path(), &args);
    assert_eq!(code, 2);
    assert!(err.contains("none/x.toml: cannot be written"), "{err}");
}

#[test]
fn time_that_is_up_counts_nothing_that_did_not_run() {
    let folder = folder();
    let args = ["sweep", "good.toml", "--seeds", "0..1000000", "--time", "2s"];
    let (code, out, err) = run(folder.path(), &args);
    assert_eq!(code, 0, "{out}{err}");
    let end = out.lines().last().unwrap();
    let number = |word: &str| -> u64 {
        let before = end.split(word).next().unwrap();
        before.split_whitespace().last().unwrap().parse().unwrap()
    };
    assert!(number(" passed") > 0, "{end}");
    assert_eq!(number(" passed") + number(" not run"), 1_000_000, "{end}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_reports_what_ran_and_keeps_what_failed() {
    use std::io::{BufRead as _, BufReader, Read as _};

    let folder = folder();
    let args = ["sweep", "bad.toml", "--seeds", "0..1000000", "--keep-going"];
    let mut child =
        command(folder.path()).args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    assert!(first.starts_with("fail bad.toml seed "), "{first}");
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    let told = 1 + rest.lines().filter(|it| it.starts_with("fail bad.toml seed ")).count();
    assert_eq!(failures(folder.path()).len(), told, "{rest}");
    assert!(rest.contains(&format!("{told} of 1000000 seeds ran in ")), "{rest}");
    assert!(rest.contains(&format!("0 passed, {told} failed, 0 crashed, 0 hung")), "{rest}");
}

#[test]
fn exploring_needs_no_file() {
    let folder = folder();
    let (code, out, err) = run(folder.path(), &["explore", "--seeds", "0..3"]);
    assert!(out.contains("seeds ran in "), "{out}{err}");
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn a_failing_plan_is_shown_on_a_page() {
    let folder = folder();
    assert_eq!(run(folder.path(), &["sweep", "bad.toml", "--seeds", "1..2"]).0, 1);
    // Beside a plan, unless told.
    let (code, out, err) = run(folder.path(), &["report", "failures/bad-1.toml"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.starts_with("failures/bad-1.html: "), "{out}");
    assert_eq!(failures(folder.path()), ["bad-1.html", "bad-1.toml"]);
    let page = fs::read_to_string(folder.path().join("failures/bad-1.html")).unwrap();
    for wanted in ["expect.searches", "swarmproof replay failures/bad-1.toml", "was expected, and "] {
        assert!(page.contains(wanted), "{wanted}");
    }
    // Of a scenario here, by its seed; two in one.
    for (args, file) in [
        (vec!["report", "good.toml"], "good-0.html"),
        (vec!["report", "good.toml", "--seed", "7"], "good-7.html"),
        (vec!["report", "good.toml", "failures/bad-1.toml", "-o", "two.html"], "two.html"),
        (vec!["report", "good.toml", "--against", "bad.toml", "-o", "other.html"], "other.html"),
        (vec!["report", "good.toml", "--against-seed", "9"], "report.html"),
    ] {
        let (code, out, err) = run(folder.path(), &args);
        assert_eq!(code, 0, "{args:?}: {out}{err}");
        let page = fs::read_to_string(folder.path().join(file)).unwrap();
        assert_eq!(page.contains("\"parting\":{"), file.starts_with(['t', 'o', 'r']), "{file}");
        assert!(!folder.path().join(format!("{file}.part")).exists());
    }
}

#[test]
fn a_page_that_cannot_be_is_refused() {
    let folder = folder();
    fs::write(folder.path().join("file"), "").unwrap();
    assert_eq!(run(folder.path(), &["sweep", "bad.toml", "--seeds", "1..2"]).0, 1);
    let kept = fs::read_to_string(folder.path().join("failures/bad-1.toml")).unwrap();
    let edited = kept.replacen("packages = 20", "packages = 21", 1);
    assert_ne!(edited, kept);
    fs::write(folder.path().join("edited.toml"), edited).unwrap();
    let refused: [(&[&str], &str); 6] = [
        (&["report", "good.toml", "-o", "file/x.html"], "file/x.html: cannot be written"),
        (&["report", "good.toml", "-o", "none/x.html"], "none/x.html: cannot be written"),
        (&["report", "good.toml", "-o", "failures"], "failures: cannot be written"),
        (&["report", "none.toml"], "none.toml"),
        (&["report", "failures/bad-1.toml", "--seed", "3"], "is a plan, which has its seed in it"),
        (&["report", "edited.toml"], "this is not the run that failed"),
    ];
    for (args, wanted) in refused {
        let (code, out, err) = run(folder.path(), args);
        assert_eq!(code, 2, "{args:?}: {out}{err}");
        assert!(err.contains(wanted), "{args:?}: {err}");
    }
    let left = fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
    assert_eq!(left.filter(|it| it.contains(".html")).count(), 0);
}
