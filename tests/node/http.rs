//! The HTTP interface: who may use it, what it refuses, and what it never says.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::peer::Silent;
use crate::process::{Node, local, manifest, program, wait_for};

/// The status, and the code of the error, of what is answered to a raw request.
fn raw(node: &Node, head: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(&node.http).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = format!("{head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    // It may close before it has read all.
    let _ = stream.read_to_string(&mut answer);
    let status = answer.split(' ').nth(1).unwrap_or_else(|| panic!("{answer:?}")).parse().unwrap();
    assert!(!answer.to_ascii_lowercase().contains("access-control-"), "{answer}");
    let code = answer.split("\"code\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    (status, code.to_owned())
}

#[test]
fn only_who_may_can_change_something() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("node");
    let config = root.path().join("node.toml");
    fs::write(&config, "http_hosts = [\"packages.example\"]\nlog = \"trace\"\n").unwrap();
    let mut command = program();
    command.args(local(&data)).arg("--config").arg(&config);
    let node = Node::run(&data, command);
    let (host, token) = (node.http.clone(), node.token());
    let good = manifest("a", "1.0.0").to_string();
    let post = |lines: &str| format!("POST /v1/packages HTTP/1.1\r\n{lines}");
    let json = "Content-Type: application/json";
    let refusals = [
        (format!("Host: {host}\r\n{json}"), 401, "unauthorized"),
        (format!("Host: {host}\r\n{json}\r\nAuthorization: Bearer {}", "0".repeat(64)), 401, "unauthorized"),
        (format!("Host: {host}\r\n{json}\r\nAuthorization: Basic {token}"), 401, "unauthorized"),
        (
            format!("Host: {host}\r\nContent-Type: text/plain\r\nAuthorization: Bearer {token}"),
            415,
            "not-json",
        ),
        (
            format!("Host: {host}\r\n{json}\r\nAuthorization: Bearer {token}\r\nOrigin: http://evil.example"),
            403,
            "forbidden",
        ),
        (
            format!("Host: {host}\r\n{json}\r\nAuthorization: Bearer {token}\r\nOrigin: null"),
            403,
            "forbidden",
        ),
        (
            format!("Host: {host}\r\n{json}\r\nAuthorization: Bearer {token}\r\nSec-Fetch-Site: cross-site"),
            403,
            "forbidden",
        ),
        (format!("Host: evil.example\r\n{json}\r\nAuthorization: Bearer {token}"), 403, "forbidden"),
    ];
    for (lines, status, code) in refusals {
        assert_eq!(raw(&node, &post(&lines), &good), (status, code.to_owned()), "{lines}");
    }
    // Reading, too, is not for pages that have this address under a name of their own.
    let get = |host: &str| raw(&node, &format!("GET /v1/node HTTP/1.1\r\nHost: {host}"), "").0;
    let port = host.split(':').nth(1).unwrap();
    for good in
        [&host, "localhost", "[::1]:80", "packages.example", "192.0.2.1:1", &format!("localhost:{port}")]
    {
        assert_eq!(get(good), 200, "{good}");
    }
    for bad in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "packages.example.com"] {
        assert_eq!(get(bad), 403, "{bad}");
    }
    assert_eq!(node.metric("swarmproof_published_total"), 0, "nothing of that was done");
    let whole = format!("Host: {host}\r\n{json}\r\nAuthorization: Bearer {token}");
    assert_eq!(raw(&node, &post(&whole), &good).0, 201);

    let publisher = node.publisher();
    let release = format!("/v1/packages/{publisher}/a/1.0.0");
    let delete = |path: &str, lines: &str| raw(&node, &format!("DELETE {path} HTTP/1.1\r\n{lines}"), "");
    assert_eq!(delete(&release, &format!("Host: {host}")), (401, "unauthorized".to_owned()));
    let stranger = format!("/v1/packages/{}/a/1.0.0", "00".repeat(32));
    assert_eq!(delete(&stranger, &whole), (403, "not-own".to_owned()));
    let other = release.replace("1.0.0", "9.9.9");
    assert_eq!(delete(&other, &whole), (404, "not-published".to_owned()));
    assert_eq!(delete(&release, &whole).0, 200);
    assert_eq!(delete(&release, &whole), (409, "already-yanked".to_owned()));

    // None of it stands in the log, though that told everything.
    let log = node.log();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "the log was not asked for everything");
    let hex: String =
        fs::read(data.join("publisher.key")).unwrap().iter().map(|it| format!("{it:02x}")).collect();
    for secret in [&token, &hex] {
        assert!(!log.contains(secret.as_str()), "a secret stands in the log");
    }
    for name in ["node.key", "publisher.key", "token"] {
        assert_eq!(fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_would_be_right() {
    let root = tempfile::tempdir().unwrap();
    let node = Node::start(&root.path().join("node"), &[]);
    let own = node.publisher();
    let none = "00".repeat(32);
    for (path, status, code, words) in [
        ("/v1/search".to_owned(), 400, "bad-query", "at least one word, category or tag"),
        ("/v1/search?q=a&limit=0".to_owned(), 400, "bad-query", "must be at least 1"),
        ("/v1/search?q=a&limit=many".to_owned(), 400, "bad-query", "whole number"),
        ("/v1/search?query=a".to_owned(), 400, "bad-query", "unknown key \"query\""),
        (format!("/v1/search?q={}", "a".repeat(300)), 400, "bad-query", "at most 256, found 300"),
        ("/v1/packages/me/serde".to_owned(), 400, "bad-name", "64 hexadecimal digits, found \"me\""),
        (format!("/v1/packages/{own}/-x"), 400, "bad-name", "begins with a letter or digit"),
        (format!("/v1/packages/{own}/serde/1"), 400, "bad-name", "such as 1.2.3"),
        (format!("/v1/packages/{own}/%ff"), 400, "bad-name", "UTF-8"),
        ("/v2".to_owned(), 404, "no-such-path", "nothing is served"),
        ("/v1/packages".to_owned(), 405, "no-such-method", "this method"),
        // A node without peers cannot say that something does not exist.
        (format!("/v1/packages/{none}/serde"), 503, "unanswered", "nobody could say"),
        (format!("/v1/versions/{none}/serde"), 503, "unanswered", "nobody could say"),
    ] {
        let (found, body) = node.get(&path);
        let error = &body["error"];
        assert_eq!((found, error["code"].as_str()), (status, Some(code)), "{path}: {body}");
        assert!(error["message"].as_str().unwrap().contains(words), "{path}: {body}");
    }
    type Change = fn(&mut Value);
    let manifests: [(Change, u16, &str, &str); 9] = [
        (|it| it["version"] = json!("1.0"), 422, "bad-manifest", "semantic version such as 1.2.3"),
        (|it| it["name"] = json!("no spaces"), 422, "bad-manifest", "\"name\" of the manifest must be"),
        (|it| it["digest"] = json!("abc"), 422, "bad-manifest", "64 lower-case hexadecimal digits"),
        (|it| it["size"] = json!(-1), 422, "bad-manifest", "invalid value"),
        (|it| it["licnce"] = json!("MIT"), 422, "bad-manifest", "unknown field `licnce`"),
        (|it| it["tags"] = json!(vec!["x"; 40]), 422, "bad-manifest", "at most 32 entries, found 40"),
        (
            |it| it["description"] = json!("x".repeat(9000)),
            422,
            "bad-manifest",
            "at most 8192 bytes, found 9000",
        ),
        // Each field within its limit, and the record over its own.
        (
            |it| {
                it["description"] = json!("x".repeat(8192));
                it["tags"] = json!((0..32).map(|at| format!("{at:064}")).collect::<Vec<_>>());
                it["categories"] = it["tags"].clone();
                it["title"] = json!("x".repeat(256));
                it["licence"] = json!("x".repeat(256));
                it["name"] = json!("x".repeat(64));
            },
            0,
            "",
            "",
        ),
        (|it| it["description"] = json!("x".repeat(70_000)), 413, "too-large", "at most 65536 bytes"),
    ];
    for (change, status, code, words) in manifests {
        let mut made = manifest("fine", "1.0.0");
        change(&mut made);
        let (found, body) = node.try_publish(&made).unwrap();
        if status == 0 {
            // The largest that the fields allow fits into a record: no manifest passes its fields and fails whole.
            assert_eq!(found, 201, "{body}");
            continue;
        }
        let error = &body["error"];
        assert_eq!((found, error["code"].as_str()), (status, Some(code)), "{body}");
        assert!(error["message"].as_str().unwrap().contains(words), "{body}");
    }
    assert_eq!(node.metric("swarmproof_published_total"), 1, "nothing else was published");
    let metrics = node.get_text("/metrics").1;
    assert!(metrics.ends_with("# EOF\n") && metrics.matches("# EOF").count() == 1, "{metrics}");
    for wanted in [
        "swarmproof_query_seconds_bucket",
        "swarmproof_catalogue 1",
        "swarmproof_network_peers 0",
        "swarmproof_store_pending",
        "libp2p_",
    ] {
        assert!(metrics.contains(wanted), "no {wanted} in {metrics}");
    }
}

#[test]
fn what_is_over_a_bound_is_refused_and_what_was_in_flight_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("node");
    let config = root.path().join("node.toml");
    fs::write(&config, "[query]\ntimeout = \"60s\"\n[limits]\nhttp_requests = 2\n").unwrap();
    let mut command = program();
    command.args(local(&data)).arg("--config").arg(&config);
    let node = Node::run(&data, command);
    let silent = Silent::start(&node.join[0]);
    wait_for("the silent peer", || (node.metric("swarmproof_peers_connected") == 1).then_some(()));
    let begin = || {
        let mut stream = TcpStream::connect(&node.http).unwrap();
        let request = format!("GET /v1/search?q=nothing HTTP/1.1\r\nHost: {}\r\n\r\n", node.http);
        stream.write_all(request.as_bytes()).unwrap();
        stream
    };
    let first = begin();
    silent.asked();
    let second = begin();
    silent.asked();
    let (status, body) = node.get("/v1/node");
    assert_eq!((status, body["error"]["code"].as_str()), (503, Some("busy")), "{body}");
    // Whoever watches over the node is to see that it is busy, and not that it is dead.
    for path in ["/health", "/ready", "/metrics"] {
        let (status, body) = node.get_text(path);
        assert_eq!(status, 200, "{path}: {body}");
    }
    drop((first, second));
    wait_for("room", || (node.get("/v1/node").0 == 200).then_some(()));
}
