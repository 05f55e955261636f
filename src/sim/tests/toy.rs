//! A small application to drive a world with.

use core::future::poll_fn;
use core::time::Duration;
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use crate::network::*;
use crate::sim::*;
use crate::testbed::*;
use crate::time::{Timestamp, WallTime};

/// Good values begin with `ok:`; the greater one wins.
#[derive(Debug)]
pub(crate) struct Prefix;

pub(crate) const BAD: Invalid = Invalid { code: 100, reason: "not-ok" };

impl Validator for Prefix {
    fn record(&self, _: &[u8], value: &[u8], _: WallTime) -> Result<(), Invalid> {
        if value.starts_with(b"ok:") { Ok(()) } else { Err(BAD) }
    }

    fn announcement(&self, _: &[u8], payload: &[u8], _: WallTime) -> Result<(), Invalid> {
        if payload.starts_with(b"ok:") { Ok(()) } else { Err(BAD) }
    }

    fn select(&self, _: &[u8], held: &[u8], offered: &[u8]) -> Choice {
        if offered > held { Choice::Offered } else { Choice::Held }
    }
}

/// Answers with what it was asked, and counts what it hears.
#[derive(Clone, Debug, Default)]
pub(crate) struct Echo {
    pub(crate) heard: Arc<Mutex<Vec<Bytes>>>,
}

impl Responder for Echo {
    fn answer(&mut self, question: &[u8], _: AnswerLimits) -> Result<Bytes, Refusal> {
        Ok([b"ok:", question].concat().into())
    }

    fn announced(&mut self, _: &[u8], payload: &Bytes, _: WallTime) {
        self.heard.lock().unwrap().push(payload.clone());
    }

    fn record(&mut self, key: &[u8]) -> Option<Bytes> {
        (key == b"only-here").then(|| Bytes::from_static(b"ok:served"))
    }

    fn forget(&mut self) {
        self.heard.lock().unwrap().clear();
    }
}

pub(crate) fn config(seed: u64, profile: Profile) -> SimConfig {
    SimConfig::new(seed, profile, Arc::new(Prefix))
}

/// A world of `apps` applications (the first nodes) and `peers` served peers.
pub(crate) fn world(config: SimConfig, apps: usize, peers: usize) -> SimTestbed {
    let mut bed = SimTestbed::new(config).unwrap();
    for _ in 0..apps {
        bed.spawn(NodeSpec::application()).unwrap();
    }
    for _ in 0..peers {
        bed.spawn(NodeSpec::served(Box::new(Echo::default()))).unwrap();
    }
    bed
}

/// One application's network, used one request at a time.
pub(crate) struct Client {
    pub(crate) net: SimNetwork,
    next: u64,
    /// Events that belonged to no request.
    pub(crate) others: Vec<Event<SimPeer>>,
}

/// What a request brought.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) items: Vec<(SimPeer, Item<SimPeer>)>,
    pub(crate) result: Result<Done, Failure>,
    pub(crate) stats: RequestStats,
    pub(crate) at: Timestamp,
}

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

impl Client {
    pub(crate) fn of(bed: &mut SimTestbed, node: u32) -> Self {
        Self { net: bed.network(NodeId(node)).unwrap(), next: 0, others: Vec::new() }
    }

    pub(crate) async fn event(&mut self, deadline: Option<Timestamp>) -> Event<SimPeer> {
        poll_fn(|cx| self.net.poll_event(cx, deadline)).await
    }

    pub(crate) fn submit(&mut self, request: Request<SimPeer>, within: Duration) -> RequestId {
        let id = RequestId(self.next);
        self.next += 1;
        let deadline = self.net.now().after(within);
        self.net.submit(id, request, Limits { deadline, bytes: 1 << 16 });
        id
    }

    pub(crate) async fn wait(&mut self, wanted: RequestId) -> Outcome {
        let mut items = Vec::new();
        loop {
            match self.event(None).await {
                Event::Progress { id, from, item } if id == wanted => items.push((from, item)),
                Event::Finished { id, result, stats } if id == wanted => {
                    return Outcome { items, result, stats, at: self.net.now() };
                }
                Event::Closed => panic!("closed"),
                other => self.others.push(other),
            }
        }
    }

    pub(crate) async fn request(&mut self, request: Request<SimPeer>) -> Outcome {
        let id = self.submit(request, MINUTE);
        self.wait(id).await
    }

    pub(crate) async fn get(&mut self, key: &str) -> Outcome {
        self.request(Request::GetRecord { key: Bytes::copy_from_slice(key.as_bytes()) }).await
    }

    pub(crate) async fn put(&mut self, key: &str, value: &str) -> Outcome {
        self.request(Request::PutRecord {
            key: Bytes::copy_from_slice(key.as_bytes()),
            value: Bytes::copy_from_slice(value.as_bytes()),
            ttl: Duration::from_secs(86_400),
            read_back: true,
        })
        .await
    }

    pub(crate) async fn ask(&mut self, peer: u32, question: &str) -> Outcome {
        let question = Bytes::copy_from_slice(question.as_bytes());
        self.request(Request::Ask { peer: SimPeer(peer), question }).await
    }

    pub(crate) async fn sleep(&mut self, span: Duration) {
        let until = self.net.now().after(span);
        loop {
            match self.event(Some(until)).await {
                Event::Deadline => return,
                other => self.others.push(other),
            }
        }
    }
}

/// Run one client's story to its end.
pub(crate) fn tell<T>(bed: &mut SimTestbed, story: impl Future<Output = T>) -> T {
    bed.block_on(Duration::from_secs(3600), story).expect("the story ends within an hour")
}
