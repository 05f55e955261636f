//! Ten thousand questions of one peer, while another is served.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use swarmproof::message::Question;
use swarmproof::net::PeerId;
use swarmproof::network::{Event, Failure, Refusal};
use swarmproof::package::Query;

use crate::peer;
use crate::process::{Node, manifest};

/// Questions of the hostile peer.
const FLOOD: u64 = 10_000;
/// How many of them are out at once.
const WINDOW: u64 = 100;

/// The memory that a process has in use, in KiB.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}

/// What came of the flood.
#[derive(Debug, Default)]
struct Flooded {
    answered: u64,
    refused: u64,
    late: u64,
}

impl Flooded {
    fn all(&self) -> u64 {
        self.answered + self.refused + self.late
    }
}

async fn flood(address: &str, question: &bytes::Bytes) -> Flooded {
    let (mut network, node) = peer::network(address);
    peer::joined(&mut network, node).await;
    let (mut sent, mut came) = (0, Flooded::default());
    while came.all() < FLOOD {
        while sent < FLOOD && sent - came.all() < WINDOW {
            sent += 1;
            peer::ask(&mut network, sent, node, question.clone(), Duration::from_secs(20));
        }
        match peer::end(&peer::event(&mut network).await) {
            Some((_, Ok(_))) => came.answered += 1,
            Some((_, Err(Failure::Refused(Refusal::Busy)))) => came.refused += 1,
            Some((_, Err(Failure::TimedOut))) => came.late += 1,
            Some((id, Err(other))) => panic!("question {id:?}: {other:?}"),
            None => {}
        }
    }
    came
}

/// Ask one question after another until told to stop; how long each took.
async fn ask_on(address: &str, question: &bytes::Bytes, stop: &AtomicBool) -> Vec<Duration> {
    let (mut network, node) = peer::network(address);
    peer::joined(&mut network, node).await;
    let mut took = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let id = took.len() as u64 + 1;
        let since = Instant::now();
        peer::ask(&mut network, id, node, question.clone(), Duration::from_secs(20));
        loop {
            let event: Event<PeerId> = peer::event(&mut network).await;
            if let Some((_, result)) = peer::end(&event) {
                assert!(result.is_ok(), "question {id} of the peer that does no harm: {result:?}");
                break;
            }
        }
        took.push(since.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    took
}

#[test]
fn a_flood_of_one_peer_takes_nothing_from_another() {
    let root = tempfile::tempdir().unwrap();
    let node = Node::start(&root.path().join("node"), &[]);
    for number in 0..50 {
        node.publish(&manifest(&format!("package-{number}"), "1.0.0"));
    }
    let question = Question::Search { query: Query::text("package", 20), after: None }.encode();
    let (address, stop) = (&node.join[0], AtomicBool::new(false));
    let before = resident(node.pid());
    let (floods, mut took, mut searches) = std::thread::scope(|scope| {
        let honest = scope.spawn(|| peer::block_on(ask_on(address, &question, &stop)));
        let searcher = scope.spawn(|| {
            let mut took = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let since = Instant::now();
                assert_eq!(node.search("package", 20).0.len(), 20);
                took.push(since.elapsed());
                std::thread::sleep(Duration::from_millis(50));
            }
            took
        });
        let flooding = scope.spawn(|| {
            // Twice, so that what one of them leaves behind shows in the other.
            [(); 2].map(|()| {
                let flooded = peer::block_on(async {
                    tokio::time::timeout(Duration::from_secs(90), flood(address, &question)).await
                });
                (flooded.expect("the flood did not end"), resident(node.pid()))
            })
        });
        let floods = flooding.join();
        // Whatever became of them, the others end.
        stop.store(true, Ordering::Relaxed);
        let (honest, searcher) = (honest.join(), searcher.join());
        (floods.unwrap(), honest.unwrap(), searcher.unwrap())
    });
    let [(_, after), (_, again)] = floods;
    for (flooded, _) in &floods {
        assert!(flooded.answered > 0, "who asks too much is answered what everybody may ask: {flooded:?}");
        assert!(flooded.refused > 0, "{flooded:?}");
        assert_eq!(flooded.answered + flooded.refused, FLOOD, "all else is refused as busy: {flooded:?}");
    }
    took.sort();
    searches.sort();
    assert!(took.len() >= 3 && searches.len() >= 3, "{} {}", took.len(), searches.len());
    let (slowest, search) = (took[took.len() - 1], searches[searches.len() - 1]);
    eprintln!(
        "flood: {floods:?}; {} questions of another, median {:?}, slowest {slowest:?}; {} searches, slowest {search:?}; {before} -> {after} -> {again} KiB",
        took.len(),
        took[took.len() / 2],
        searches.len()
    );
    assert!(took[took.len() / 2] < Duration::from_secs(1), "median {:?}", took[took.len() / 2]);
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    assert!(after < before + 64 * 1024, "it grew from {before} to {after} KiB");
    assert!(again < after + 8 * 1024, "it grows with each flood: {before}, {after}, {again} KiB");
    assert_eq!(node.metric("swarmproof_questions_waiting"), 0, "nothing of it is left");
    assert_eq!(node.get("/health").0, 200);
}
