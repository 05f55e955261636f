//! A node's process, and its HTTP interface seen from outside.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The longest that a node may take to come up, on a machine that has much else to do.
const UP: Duration = Duration::from_secs(60);

/// The program.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swarmproof"));
    for variable in ["SWARMPROOF_LOG", "SWARMPROOF_NODE", "SWARMPROOF_TOKEN"] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

/// The arguments of a node on free ports, with its data in `data`.
pub(crate) fn local(data: &Path) -> Vec<String> {
    ["node", "--data", data.to_str().unwrap(), "--listen", "/ip4/127.0.0.1/tcp/0", "--http", "127.0.0.1:0"]
        .map(str::to_owned)
        .to_vec()
}

/// What a command that should end by itself came to, within a deadline.
pub(crate) fn ended(mut command: Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let since = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if since.elapsed() > UP {
            child.kill().unwrap();
            panic!("it did not end by itself: {:?}", child.wait_with_output().unwrap());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

/// Until `done` gives something, but not for ever.
pub(crate) fn wait_for<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(done) = done() {
            return done;
        }
        assert!(since.elapsed() < UP, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A node that is up. Dropping it kills it.
pub(crate) struct Node {
    child: Child,
    /// Its data folder.
    pub(crate) data: PathBuf,
    /// Its HTTP address, `127.0.0.1:PORT`.
    pub(crate) http: String,
    /// What others bootstrap by.
    pub(crate) join: Vec<String>,
    agent: ureq::Agent,
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already; either way nothing is left of it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Node {
    /// A node with its data in `data` that joins by `bootstrap`.
    pub(crate) fn start(data: &Path, bootstrap: &[&Node]) -> Self {
        let mut command = program();
        command.args(local(data));
        for node in bootstrap {
            command.arg("--bootstrap").arg(&node.join[0]);
        }
        Self::run(data, command)
    }

    /// The node that `command` runs. Its log goes into a file beside its data.
    pub(crate) fn run(data: &Path, mut command: Command) -> Self {
        let log = data.with_extension("log");
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(file).spawn().unwrap();
        let (send, line) = sync_channel(1);
        let mut out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = out.read_line(&mut line);
            let _ = send.send(line);
        });
        let line = line.recv_timeout(UP).unwrap_or_default();
        let Some((http, join)) = line
            .strip_prefix("up: HTTP on http://")
            .and_then(|rest| rest.trim_end().split_once(", join by "))
        else {
            let _ = child.kill();
            panic!("it did not come up: {line:?}\n{}", fs::read_to_string(&log).unwrap_or_default());
        };
        let agent =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(UP)).build().into();
        let join = join.split(' ').map(str::to_owned).collect();
        Self { child, data: data.to_owned(), http: http.to_owned(), join, agent }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Send a signal: `TERM`, `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status();
        assert!(sent.unwrap().success());
    }

    /// The exit code, when it has ended within the deadline.
    pub(crate) fn code(&mut self) -> Option<i32> {
        wait_for("the end of a node", || self.child.try_wait().unwrap()).code()
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.data.with_extension("log")).unwrap()
    }

    /// What a client shows.
    pub(crate) fn token(&self) -> String {
        fs::read_to_string(self.data.join("token")).unwrap().trim().to_owned()
    }

    /// `GET path`: the status and the body.
    pub(crate) fn get_text(&self, path: &str) -> (u16, String) {
        let mut answer = self.agent.get(format!("http://{}{path}", self.http)).call().unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }

    /// `GET path`: the status and the JSON.
    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        let (status, text) = self.get_text(path);
        (status, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}")))
    }

    /// A metric's value.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let (status, text) = self.get_text("/metrics");
        assert_eq!(status, 200, "{text}");
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    }

    /// Publish `manifest`; `None` where the node is gone.
    pub(crate) fn try_publish(&self, manifest: &Value) -> Option<(u16, Value)> {
        let token = format!("Bearer {}", self.token());
        let sent = self
            .agent
            .post(format!("http://{}/v1/packages", self.http))
            .header("authorization", &token)
            .header("content-type", "application/json")
            .send(manifest.to_string());
        let mut answer = sent.ok()?;
        let status = answer.status().as_u16();
        Some((status, serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()?))
    }

    /// Publish `manifest`, which must work.
    pub(crate) fn publish(&self, manifest: &Value) -> Value {
        let (status, body) = self.try_publish(manifest).expect("the node is gone");
        assert_eq!(status, 201, "{body}");
        body
    }

    /// Its publisher.
    pub(crate) fn publisher(&self) -> String {
        self.get("/v1/node").1["publisher"].as_str().unwrap().to_owned()
    }

    /// Search: what was found, as `NAME@VERSION`, and the end.
    pub(crate) fn search(&self, words: &str, limit: usize) -> (Vec<String>, Value) {
        let words = words.replace(' ', "+");
        let (status, text) = self.get_text(&format!("/v1/search?q={words}&limit={limit}"));
        assert_eq!(status, 200, "{text}");
        let mut found = Vec::new();
        let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let end = lines.pop().unwrap();
        assert!(end["end"].is_object(), "{text}");
        for line in lines {
            let hit = &line["hit"];
            found.push(format!("{}@{}", hit["name"].as_str().unwrap(), hit["version"].as_str().unwrap()));
        }
        (found, end["end"].clone())
    }
}

/// A manifest that is in order.
pub(crate) fn manifest(name: &str, version: &str) -> Value {
    json!({
        "name": name,
        "version": version,
        "description": format!("The package {name}"),
        "tags": ["test"],
        "licence": "MIT",
        "digest": "ab".repeat(32),
        "size": 7,
    })
}
