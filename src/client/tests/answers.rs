//! What is asked, and what is made of answers.

use core::time::Duration;
use std::io::Write as _;
use std::net::TcpListener;
use std::sync::mpsc::sync_channel;

use serde_json::json;

use super::super::error::ClientError;
use super::super::requests::Client;
use super::super::search::{MAX_LINE, SearchQuery};
use super::super::token::Token;
use super::server::{Server, always, serve};
use crate::api::{ErrorBody, ErrorCode, Manifest, ReleaseView, SearchLine};
use crate::package::{Package, PackageId, PackageName, PublisherId, ReleaseId, Version};
use crate::time::WallTime;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn package() -> Package {
    let package =
        PackageId { publisher: PublisherId::new([7; 32]), name: PackageName::new("serde").unwrap() };
    Package {
        release: ReleaseId { package, version: "1.0.0-rc.1+x".parse().unwrap() },
        title: "Serialization".to_owned(),
        description: String::new(),
        categories: Vec::new(),
        tags: Vec::new(),
        licence: "MIT".to_owned(),
        digest: [1; 32],
        size: 3,
        created: WallTime::from_millis(9),
    }
}

fn client(server: &Server) -> Client {
    Client::new(server.node.clone())
}

fn with_token(server: &Server) -> Client {
    client(server).with_token(Token::read(SECRET, "here").unwrap())
}

fn hit() -> String {
    let mut line = serde_json::to_string(&SearchLine::Hit(Box::new(ReleaseView::from(&package())))).unwrap();
    line.push('\n');
    line
}

fn end() -> &'static str {
    concat!(
        r#"{"end":{"query":"q1","outcome":"complete","ranked":[],"conflicts":[],"#,
        r#""coverage":{"asked":3,"adequate":3},"elapsed_ms":1.5}}"#,
        "\n"
    )
}

#[test]
fn a_release_is_asked_for_by_its_path_and_without_the_token() {
    let view = serde_json::to_string(&ReleaseView::from(&package())).unwrap();
    let server = always("200 OK", &view);
    let release = package().release;
    assert_eq!(with_token(&server).release(&release).unwrap().release(), release);
    let request = server.requests.recv().unwrap();
    let path = format!("GET /v1/packages/{}/serde/1.0.0-rc.1+x HTTP/1.1\r\n", PublisherId::new([7; 32]));
    assert!(request.head.starts_with(&path), "{}", request.head);
    assert!(!request.head.contains(SECRET), "only who publishes or yanks shows the token");
    assert!(with_token(&server).newest(&release.package).is_ok());
    let path = format!("GET /v1/packages/{} HTTP/1.1\r\n", release.package);
    assert!(server.requests.recv().unwrap().head.starts_with(&path));
}

#[test]
fn whoever_publishes_or_yanks_shows_the_token() {
    let view = json!({
        "publisher": PublisherId::new([7; 32]), "name": "serde", "version": "1.0.0", "yanked": false,
        "number": 4, "sequence": 2, "list_stored": {"acked": 1},
    });
    let server = always("201 Created", &view.to_string());
    let manifest = Manifest { name: "serde".to_owned(), version: "1.0.0".to_owned(), ..Manifest::default() };
    let manifest = manifest.with_content([1; 32], 3);
    let published = with_token(&server).publish(&manifest).unwrap();
    assert_eq!((published.number, published.version), (4, Version::new(1, 0, 0)));
    let request = server.requests.recv().unwrap();
    assert!(request.head.starts_with("POST /v1/packages HTTP/1.1\r\n"), "{}", request.head);
    assert!(request.head.contains(&format!("authorization: Bearer {SECRET}\r\n")), "{}", request.head);
    assert!(request.head.contains("content-type: application/json"), "{}", request.head);
    assert_eq!(serde_json::from_slice::<Manifest>(&request.body).unwrap(), manifest);
    with_token(&server).yank(&package().release).unwrap();
    let request = server.requests.recv().unwrap();
    assert!(request.head.starts_with("DELETE /v1/packages/0707"), "{}", request.head);
    assert!(request.head.contains(SECRET));
    assert!(matches!(client(&server).publish(&manifest), Err(ClientError::NoToken)));
    assert!(server.requests.try_recv().is_err(), "without a token nothing is sent");
}

#[test]
fn a_search_says_what_was_typed_whatever_it_is() {
    let server = always("200 OK", end());
    let query = SearchQuery {
        words: "a b&limit=9 ü+%".to_owned(),
        categories: vec!["x/y".to_owned()],
        tags: vec!["t".to_owned(), "u".to_owned()],
        limit: Some(7),
    };
    assert_eq!(client(&server).search(&query).unwrap().count(), 1);
    let head = server.requests.recv().unwrap().head;
    let path = head.split(' ').nth(1).unwrap();
    let pairs: Vec<&str> = path.strip_prefix("/v1/search?").unwrap().split('&').collect();
    assert_eq!(pairs[0].matches('%').count() + pairs[0].matches('+').count(), 8, "{path}");
    assert!(!pairs[0].contains("limit=9"), "{path}");
    assert_eq!(pairs[1..], ["limit=7", "category=x%2Fy", "tag=t", "tag=u"], "{path}");
}

#[test]
fn hits_are_handed_out_as_they_come() {
    // The order of things: head and first hit, then nothing until the hit was seen, then the rest.
    let (go_on, wait) = sync_channel::<()>(0);
    let server = serve(move |_, stream| {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
        let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
        stream.write_all(format!("{head}{}", chunk(&hit())).as_bytes()).unwrap();
        wait.recv().unwrap();
        stream.write_all(format!("{}0\r\n\r\n", chunk(end())).as_bytes()).unwrap();
    });
    // Whoever waited for the whole answer would wait in vain.
    let client = client(&server).with_patience(Duration::from_secs(10));
    let mut search = client.search(&SearchQuery::default()).unwrap();
    let first = search.next().unwrap().unwrap();
    assert!(matches!(&first, SearchLine::Hit(hit) if hit.name.as_str() == "serde"), "{first:?}");
    go_on.send(()).unwrap();
    assert!(matches!(search.next(), Some(Ok(SearchLine::End(end))) if end.coverage.asked == 3));
    assert!(search.next().is_none(), "nothing comes behind the end");
}

#[test]
fn an_answer_without_an_end_was_broken_off() {
    for rest in [String::new(), end().trim_end().to_owned(), "{\"hit\":".to_owned()] {
        let server = always("200 OK", &format!("{}{rest}", hit()));
        let mut search = client(&server).search(&SearchQuery::default()).unwrap();
        assert!(matches!(search.next(), Some(Ok(SearchLine::Hit(_)))));
        let error = search.next().unwrap().unwrap_err();
        assert!(matches!(error, ClientError::BrokeOff { .. }), "{error}");
        assert!(error.is_unreachable() && search.next().is_none());
    }
    // The connection ends before all was sent that was promised.
    let server = serve(|_, stream| {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n";
        stream.write_all(format!("{head}{}", hit()).as_bytes()).unwrap();
    });
    let mut lines = client(&server).search(&SearchQuery::default()).unwrap().skip(1);
    assert!(matches!(lines.next(), Some(Err(ClientError::BrokeOff { .. }))));
}

#[test]
fn a_search_that_the_node_could_not_end_says_so_and_is_over() {
    let line = json!({"error": {"code": "internal", "message": "lost"}}).to_string();
    let server = always("200 OK", &format!("{line}\n{}", hit()));
    let lines: Vec<_> = client(&server).search(&SearchQuery::default()).unwrap().collect();
    assert_eq!(lines.len(), 1);
    assert!(matches!(&lines[0], Ok(SearchLine::Error(error)) if error.code == ErrorCode::Internal));
}

#[test]
fn no_answer_is_held_beyond_its_limit() {
    let endless = |head: &'static str| {
        serve(move |_, stream| {
            let _gone = stream.write_all(head.as_bytes());
            let part = [b'x'; 64 * 1024];
            while stream.write_all(&part).is_ok() {}
        })
    };
    let server = endless("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
    let error = client(&server).search(&SearchQuery::default()).unwrap().next().unwrap().unwrap_err();
    assert!(error.to_string().contains(&format!("a line of more than {MAX_LINE} bytes")), "{error}");
    let error = client(&server).peers().unwrap_err();
    assert!(error.to_string().contains("an answer of more than 8388608 bytes"), "{error}");
    let server = endless("HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n");
    let error = client(&server).peers().unwrap_err();
    assert!(error.to_string().contains("an answer of more than 8388608 bytes"), "{error}");
    let server = endless("HTTP/1.1 200 OK\r\nx: ");
    let error = client(&server).peers().unwrap_err();
    assert!(matches!(error, ClientError::NotANode { .. }), "{error}");
}

#[test]
fn a_refusal_is_in_the_nodes_words() {
    let refused = |code: ErrorCode, message: &str| {
        let body = serde_json::to_string(&ErrorBody::new(code, message)).unwrap();
        let server = always(&format!("{} Whatever", code.status()), &body);
        client(&server).newest(&package().release.package).unwrap_err()
    };
    let error = refused(ErrorCode::NotFound, "nobody has it");
    assert_eq!((error.to_string().as_str(), error.code()), ("nobody has it", Some(ErrorCode::NotFound)));
    assert!(!error.is_unreachable());
    let error = refused(ErrorCode::Unauthorized, "it stands in `token`").to_string();
    assert_eq!(error, "it stands in `token`; name that file with --token-file");
    let error = refused(ErrorCode::Busy, "\u{1b}[2Jgone\u{202e}").to_string();
    assert_eq!(error, "\u{fffd}[2Jgone\u{fffd}", "what a terminal would obey is taken out");
}

#[test]
fn what_is_no_node_is_told_from_one_that_is_not_there() {
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap()).parse().unwrap()
    };
    let error = Client::new(nobody).peers().unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }) && error.is_unreachable(), "{error}");
    let words = error.to_string();
    assert!(words.contains("swarmproof node") && words.contains("--node"), "{words}");

    for server in [
        always("404 Not Found", "<html>nothing here</html>"),
        always("200 OK", "<html>welcome</html>"),
        always("200 OK", "{\"peers\":7}"),
        serve(|_, stream| stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").unwrap()),
    ] {
        let error = client(&server).peers().unwrap_err();
        assert!(matches!(error, ClientError::NotANode { .. }) && error.is_unreachable(), "{error}");
    }
}

#[test]
fn a_redirection_is_not_followed_and_takes_no_token_along() {
    let other = always("200 OK", "{}");
    let answer = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: {}/v1/packages\r\ncontent-length: 0\r\n\r\n",
        other.node
    );
    let server = serve(move |_, stream| stream.write_all(answer.as_bytes()).unwrap());
    let error = with_token(&server).publish(&Manifest::default()).unwrap_err();
    assert!(matches!(error, ClientError::NotANode { .. }), "{error}");
    assert!(server.requests.try_recv().is_ok() && other.requests.try_recv().is_err());
}

#[test]
fn a_silent_node_is_not_waited_for_without_end() {
    let (hold, held) = sync_channel::<()>(0);
    let server = serve(move |_, _stream| {
        let _never = held.recv();
    });
    let error = client(&server).with_patience(Duration::from_millis(100)).peers().unwrap_err();
    assert!(matches!(error, ClientError::TimedOut { .. }) && error.is_unreachable(), "{error}");
    drop(hold);
}

#[test]
fn an_answer_that_trickles_in_is_not_waited_for_without_end() {
    let (hold, held) = sync_channel::<()>(0);
    let server = serve(move |_, stream| {
        let _gone = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n");
        for _ in 0..500 {
            if stream.write_all(b" ").is_err() {
                return;
            }
            let _pause = held.recv_timeout(Duration::from_millis(20));
        }
    });
    let whole = Duration::from_millis(300);
    let error = client(&server).within(whole).peers().unwrap_err();
    assert!(
        matches!(error, ClientError::TimedOut { after, .. } if after == whole) && error.is_unreachable(),
        "{error}"
    );
    assert!(error.to_string().contains("no whole answer within 300ms"), "{error}");
    drop(hold);
}
