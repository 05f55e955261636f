//! Signals, and callers that go away.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::peer::Silent;
use crate::process::{Node, local, manifest, program, wait_for};

/// A search whose answer is not read yet.
fn begin_search(node: &Node, words: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&node.http).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let request = format!("GET /v1/search?q={words}&limit=20 HTTP/1.1\r\nHost: {}\r\n\r\n", node.http);
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// A node that asks a silent peer and has time to wait for it.
fn patient(root: &std::path::Path) -> Node {
    let config = root.join("node.toml");
    std::fs::write(&config, "[query]\ntimeout = \"60s\"\n").unwrap();
    let data = root.join("node");
    let mut command = program();
    command.args(local(&data)).arg("--config").arg(&config);
    Node::run(&data, command)
}

#[test]
fn on_a_signal_a_search_in_flight_ends_with_what_it_has() {
    for signal in ["TERM", "INT"] {
        let root = tempfile::tempdir().unwrap();
        let mut node = patient(root.path());
        node.publish(&manifest("held", "1.0.0"));
        let silent = Silent::start(&node.join[0]);
        wait_for("the silent peer", || (node.metric("swarmproof_peers_connected") == 1).then_some(()));
        let mut answer = BufReader::new(begin_search(&node, "held"));
        let mut line = String::new();
        while !line.starts_with("{\"hit\"") {
            line.clear();
            assert_ne!(answer.read_line(&mut line).unwrap(), 0, "the hit must come while the search goes on");
        }
        silent.asked();
        let since = Instant::now();
        node.signal(signal);
        let mut rest = String::new();
        answer.read_to_string(&mut rest).unwrap();
        let end = rest.lines().find(|line| line.starts_with("{\"end\"")).unwrap_or_else(|| panic!("{rest}"));
        let end: Value = serde_json::from_str(end).unwrap();
        let outcome = end["end"]["outcome"].as_str().unwrap();
        assert_eq!(outcome, "partial", "{end}");
        assert_eq!(end["end"]["ranked"].as_array().unwrap().len(), 1, "{end}");
        assert_eq!(node.code(), Some(0));
        assert!(since.elapsed() < Duration::from_secs(3), "it took {:?}", since.elapsed());
        let log = node.log();
        assert!(log.contains(&format!("SIG{signal}")) && log.contains("stopped"), "{log}");
        let again = Node::start(&node.data, &[]);
        assert_eq!(again.search("held", 5).0, ["held@1.0.0"]);
    }
}

#[test]
fn a_search_whose_caller_goes_away_is_cancelled() {
    let root = tempfile::tempdir().unwrap();
    let node = patient(root.path());
    let silent = Silent::start(&node.join[0]);
    wait_for("the silent peer", || (node.metric("swarmproof_peers_connected") == 1).then_some(()));
    let before = node.metric("swarmproof_queries_cancelled_total");
    let search = begin_search(&node, "nothing");
    silent.asked();
    assert_eq!(node.metric("swarmproof_queries_in_flight"), 1);
    let since = Instant::now();
    drop(search);
    wait_for("the search to be cancelled", || {
        (node.metric("swarmproof_queries_in_flight") == 0).then_some(())
    });
    assert!(since.elapsed() < Duration::from_secs(20), "it went on for {:?}", since.elapsed());
    assert_eq!(node.metric("swarmproof_queries_cancelled_total"), before + 1);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let root = tempfile::tempdir().unwrap();
    let mut node = Node::start(&root.path().join("node"), &[]);
    // A request that is not whole keeps a stop waiting, for a while.
    let mut stuck = TcpStream::connect(&node.http).unwrap();
    let head = format!(
        "POST /v1/packages HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{",
        node.http,
        node.token()
    );
    stuck.write_all(head.as_bytes()).unwrap();
    // Answered behind it, so the node has read what came before.
    assert_eq!(node.get("/health").0, 200);
    std::thread::sleep(Duration::from_millis(200));
    let since = Instant::now();
    node.signal("TERM");
    wait_for("the first signal to be heard", || node.log().contains("SIGTERM").then_some(()));
    node.signal("TERM");
    assert_eq!(node.code(), Some(130));
    assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
}
