//! A server on the loopback that reads each request and answers what it is told to.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use super::super::url::NodeUrl;

/// A request, as it came.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// The first line and the headers, lower-case names as the client writes them.
    pub(super) head: String,
    /// The body.
    pub(super) body: Vec<u8>,
}

/// A server that handles each connection with `answer`, and what it was asked. It lives as long as the test's process.
pub(super) struct Server {
    pub(super) node: NodeUrl,
    pub(super) requests: Receiver<Request>,
}

/// Serve on a free port.
pub(super) fn serve(answer: impl Fn(&Request, &mut TcpStream) + Send + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let node = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let (heard, requests) = sync_channel(64);
    let serve = move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let Some(request) = read(&mut stream) else { continue };
            if heard.send(request.clone()).is_err() {
                return;
            }
            answer(&request, &mut stream);
        }
    };
    thread::Builder::new().spawn(serve).unwrap();
    Server { node, requests }
}

/// A server that gives everybody this answer.
pub(super) fn always(status: &str, body: &str) -> Server {
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    serve(move |_, stream| {
        let _gone = stream.write_all(answer.as_bytes());
    })
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&part[..count]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |text| text.parse().unwrap());
    let mut body = bytes[end + 4..].to_vec();
    let have = body.len();
    body.resize(length.max(have), 0);
    stream.read_exact(&mut body[have..]).ok()?;
    Some(Request { head, body })
}
