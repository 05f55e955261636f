//! The commands that ask a node, against real nodes in processes of their own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "processes run in real time")]
#![cfg(all(feature = "node", feature = "cli"))]

#[path = "node/process.rs"]
#[allow(dead_code, reason = "shared with the tests of the node, which use the rest")]
mod process;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;

use process::{Node, ended, program, wait_for};
use serde_json::Value;

/// A command's end: exit code, standard output, standard error.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    /// Each line as JSON.
    fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// `swarmproof ARGS --node NODE`.
fn ask(node: &Node, args: &[&str]) -> Said {
    let mut command = program();
    command.args(args).args(["--node", &format!("http://{}", node.http)]);
    ended(command).into()
}

/// The same, with the node's token.
fn ask_as_its_owner(node: &Node, args: &[&str]) -> Said {
    let token = node.data.join("token");
    ask(node, &[args, &["--token-file", token.to_str().unwrap()]].concat())
}

fn good(said: Said) -> Said {
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    said
}

/// A manifest with content beside it.
fn manifest(folder: &Path, name: &str, text: &str) -> String {
    fs::write(folder.join("content.txt"), "content").unwrap();
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

const HELLO: &str = "name = \"hello\"\nversion = \"1.0.0\"\ntitle = \"Says hello\"\ndescription = \"A package that greets.\"\n\
                     tags = [\"greeting\"]\nlicence = \"MIT\"\ncontent = \"content.txt\"\n";

/// Nodes that know one another.
fn nodes(folder: &Path, count: usize) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    for number in 0..count {
        let joined: Vec<&Node> = nodes.first().into_iter().collect();
        let node = Node::start(&folder.join(format!("node-{number}")), &joined);
        nodes.push(node);
    }
    for node in &nodes {
        wait_for("the nodes to know one another", || {
            let peers = ask(node, &["peers", "--format", "json"]);
            (good(peers).lines().len() >= count - 1).then_some(())
        });
    }
    nodes
}

#[test]
fn a_package_is_published_found_got_and_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = nodes(folder.path(), 3);
    let file = manifest(folder.path(), "hello.toml", HELLO);
    let published = good(ask_as_its_owner(&nodes[0], &["publish", &file]));
    let release = published.out.lines().next().unwrap().strip_prefix("published ").unwrap().to_owned();
    let (package, version) = release.split_once('@').unwrap();
    assert!(package.ends_with("/hello") && version == "1.0.0", "{release}");
    assert!(published.out.contains("stored with 2 peers"), "{}", published.out);

    // From another node, as people and as programs are told.
    let found = wait_for("the release to be found from another node", || {
        let said = ask(&nodes[1], &["search", "greets"]);
        (said.code == 0).then_some(said)
    });
    assert_eq!(found.out.lines().next(), Some("hello 1.0.0  Says hello"));
    assert!(
        found.out.contains(&format!("    {release}\n")) && found.out.contains("1 found, complete"),
        "{}",
        found.out
    );
    let lines = good(ask(&nodes[2], &["search", "--tag", "greeting", "--format", "json"])).lines();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["hit"]["title"], "Says hello");
    assert_eq!(lines[1]["end"]["outcome"], "complete");
    assert_eq!(lines[1]["end"]["ranked"][0], release.as_str());

    let shown = good(ask(&nodes[2], &["get", package]));
    assert!(
        shown
            .out
            .contains("7 bytes, SHA-256 ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73")
    );
    assert!(shown.out.contains("\nversion  state  record\n1.0.0 "), "{}", shown.out);
    let lines = good(ask(&nodes[1], &["get", &release, "--format", "json"])).lines();
    assert_eq!((lines.len(), &lines[0]["release"]["licence"]), (1, &Value::from("MIT")));

    let none = ask(&nodes[1], &["get", &format!("{package}-s")]);
    assert!(none.code == 1 && none.err.contains("/hello-s"), "nobody has it: {}", none.err);

    let again = good(ask_as_its_owner(&nodes[0], &["publish", &file]));
    assert_eq!(again.out, "hello@1.0.0 is already published\n");

    let yanked = good(ask_as_its_owner(&nodes[0], &["yank", &release]));
    assert!(yanked.out.starts_with(&format!("yanked {release}\n")), "{}", yanked.out);
    wait_for("nobody to be offered it any more", || {
        let said = ask(&nodes[1], &["search", "greets"]);
        assert!(said.code == 0 || said.out.starts_with("nothing found, complete"), "{}", said.out);
        (said.code == 1).then_some(())
    });
    let still = good(ask(&nodes[1], &["get", &release]));
    assert!(still.out.starts_with("hello 1.0.0\n"), "who depends on it still gets it: {}", still.out);
    let gone = ask_as_its_owner(&nodes[0], &["yank", &release]);
    assert_eq!(gone.code, 1, "{}", gone.err);
}

#[test]
fn all_that_cargo_lists_is_published_once() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..20).map(|number| format!("crate-{number}")).collect();
    for name in &names {
        let source = folder.path().join(name).join("src");
        fs::create_dir_all(&source).unwrap();
        fs::write(source.join("lib.rs"), "").unwrap();
        let text = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.3.0\"\nkeywords = [\"shared\"]\ndescription = \"Number {name}.\"\n"
        );
        fs::write(folder.path().join(name).join("Cargo.toml"), text).unwrap();
    }
    let workspace = format!("[workspace]\nresolver = \"2\"\nmembers = {names:?}\n");
    let manifest_path = folder.path().join("Cargo.toml");
    fs::write(&manifest_path, workspace).unwrap();
    let nodes = nodes(folder.path(), 2);
    let publish = ["publish", "--from-cargo-metadata", "--manifest-path", manifest_path.to_str().unwrap()];
    let first = good(ask_as_its_owner(&nodes[0], &publish));
    assert_eq!(first.out, "20 published\n");
    let second =
        good(ask_as_its_owner(&nodes[0], &[&publish[..], &["--format", "json", "--jobs", "3"]].concat()));
    let lines = second.lines();
    assert_eq!(lines.len(), 21);
    assert!(lines[..20].iter().all(|line| line["skipped"]["version"] == "0.3.0"), "{}", second.out);
    assert_eq!(lines[20]["summary"]["skipped"], 20);
    assert_eq!(lines[20]["summary"]["published"], 0);
    let found = wait_for("all of them to be found from the other node", || {
        let said = ask(&nodes[1], &["search", "shared", "--limit", "50", "--format", "json"]);
        let lines = said.lines();
        (lines.len() == 21).then_some(lines)
    });
    let mut titles: Vec<&str> =
        found[..20].iter().map(|line| line["hit"]["title"].as_str().unwrap()).collect();
    titles.sort_unstable();
    titles.dedup();
    assert_eq!(titles.len(), 20, "each once");
    let few = good(ask(&nodes[1], &["search", "shared", "--limit", "3"]));
    assert!(few.out.contains("3 found, as many as were asked for"), "{}", few.out);
}

#[test]
fn what_is_wrong_is_told_with_what_to_do_and_the_exit_code_says_whose_fault_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"), &[]);
    let file = manifest(folder.path(), "hello.toml", HELLO);
    let publisher = "ab".repeat(32);

    // The node is not there, or is none.
    let mut command = program();
    command.args(["peers", "--node", "http://127.0.0.1:1"]);
    let said = Said::from(ended(command));
    assert!(
        said.code == 4 && said.err.contains("start one with `swarmproof node`"),
        "{}: {}",
        said.code,
        said.err
    );
    let mut command = program();
    command.args(["peers", "--node", "127.0.0.1:4800"]);
    let said = Said::from(ended(command));
    assert!(said.code == 2 && said.err.contains("does not begin with http://"), "{}", said.err);

    // The token is another one, or is not there.
    let other = folder.path().join("other");
    fs::write(&other, "0".repeat(64)).unwrap();
    let said = ask(&node, &["publish", &file, "--token-file", other.to_str().unwrap()]);
    assert!(said.code == 2 && said.err.contains("name that file with --token-file"), "{}", said.err);
    assert_eq!(said.out, "", "the error says it all");
    let said = ask(&node, &["publish", &file, "--token-file", "/none/token"]);
    assert!(said.code == 2 && said.err.contains("/none/token: there is no token here"), "{}", said.err);

    // Manifests that cannot be: all are named, and not even the good one is sent.
    let version = manifest(folder.path(), "version.toml", &HELLO.replace("1.0.0", "1.0"));
    let long = manifest(folder.path(), "long.toml", &HELLO.replace("Says hello", &"x".repeat(300)));
    let said = ask_as_its_owner(&node, &["publish", &file, &version, &long]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(
        said.err.contains("version.toml: \"version\" of the manifest must be a semantic version"),
        "{}",
        said.err
    );
    assert!(said.err.contains("long.toml: \"title\" of the manifest may have at most 256 bytes, found 300"));
    let said = ask(&node, &["search", "hello"]);
    assert!(said.code == 1 && said.out.starts_with("nothing found"), "{}", said.out);

    // A node that knows no peer cannot say; names that are none.
    let said = ask(&node, &["get", &format!("{publisher}/hello")]);
    assert!(said.code == 1 && said.err.contains("nobody could say"), "{}: {}", said.code, said.err);
    let said = ask(&node, &["get", "hello"]);
    assert!(said.code == 2 && said.err.contains("PUBLISHER/NAME@VERSION"), "{}", said.err);
    let said = ask(&node, &["search", &"x".repeat(300)]);
    assert!(said.code == 2 && said.err.contains("256"), "{}", said.err);
    let said = ask_as_its_owner(&node, &["yank", &format!("{publisher}/hello@1.0.0")]);
    assert_eq!(said.code, 2, "another's release: {}", said.err);
}

/// A command that publishes 400 packages, of which the first is published, or was in an earlier one. It cannot come to its end before its output
/// is read on: that is several times what a pipe holds.
fn much(node: &Node, folder: &Path, again: bool) -> (Child, BufReader<ChildStdout>) {
    let files: Vec<String> = (0..400)
        .map(|number| {
            let text = HELLO.replace("hello\"\nversion", &format!("hello-{number}\"\nversion"));
            manifest(folder, &format!("{number}.toml"), &text)
        })
        .collect();
    let token = node.data.join("token");
    let mut command = program();
    command.args(["publish", "--format", "json", "--token-file", token.to_str().unwrap(), "--node"]);
    command.arg(format!("http://{}", node.http)).args(&files);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    let wanted = if again { "{\"skipped\":" } else { "{\"published\":" };
    assert!(first.starts_with(wanted), "{first}");
    (child, out)
}

/// The command's exit code, what it said was wrong, and the counts in its last line.
fn rest(child: Child, mut out: BufReader<ChildStdout>) -> (i32, String, Value) {
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    let last: Value = serde_json::from_str(rest.lines().last().unwrap()).unwrap();
    let summary = last["summary"].clone();
    let counts = ["published", "skipped", "failed", "not-tried"].map(|what| summary[what].as_u64().unwrap());
    assert_eq!(counts.iter().sum::<u64>(), 400, "each came to one end: {summary}");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap(), summary)
}

#[test]
fn a_node_that_is_killed_while_much_is_published_ends_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"), &[]);
    let (child, out) = much(&node, folder.path(), false);
    node.kill();
    let (code, err, summary) = rest(child, out);
    assert!(code == 4 && err.contains("no node answers"), "{code}: {err}");
    let failed = summary["failed"].as_u64().unwrap();
    assert!((1..=8).contains(&failed), "those that were on their way, and no more: {summary}");
}

#[test]
fn a_command_that_is_interrupted_says_what_it_came_to_and_can_be_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"), &[]);
    let (child, out) = much(&node, folder.path(), false);
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    // Its output is full, so it goes no further in the time that the signal takes to be heard.
    std::thread::sleep(Duration::from_millis(500));
    let (code, err, first) = rest(child, out);
    assert_eq!((code, err.as_str()), (130, ""), "{first}");
    let (published, left) = (first["published"].as_u64().unwrap(), first["not-tried"].as_u64().unwrap());
    assert!(published > 0 && left > 0, "{first}");
    let (child, out) = much(&node, folder.path(), true);
    let (code, _, second) = rest(child, out);
    assert_eq!(
        (code, second["skipped"].as_u64(), second["published"].as_u64()),
        (0, Some(published), Some(left))
    );
}

#[test]
fn without_any_option_the_node_of_this_user_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program();
    command.env("XDG_DATA_HOME", folder.path());
    command.args(["node", "--listen", "/ip4/127.0.0.1/tcp/0", "--http", "127.0.0.1:0"]);
    let data = folder.path().join("swarmproof");
    let node = Node::run(&data, command);
    let file = manifest(folder.path(), "hello.toml", HELLO);
    let mut command = program();
    command.env("XDG_DATA_HOME", folder.path()).env("SWARMPROOF_NODE", format!("http://{}", node.http));
    command.args(["publish", &file]);
    let said = good(ended(command).into());
    // Its token is for nobody else, whatever --node names.
    let stranger = TcpListener::bind("0.0.0.0:0").unwrap();
    stranger.set_nonblocking(true).unwrap();
    let mut command = program();
    command.env("XDG_DATA_HOME", folder.path());
    let url = format!("http://0.0.0.0:{}", stranger.local_addr().unwrap().port());
    command.args(["publish", &file, "--node", &url]);
    let refused = Said::from(ended(command));
    assert!(refused.code == 2 && refused.err.contains("--token-file"), "{}: {}", refused.code, refused.err);
    assert!(stranger.accept().is_err(), "it was spoken with");
    assert!(
        said.out.starts_with("published ") && said.out.contains("by this node alone so far"),
        "{}",
        said.out
    );
}
