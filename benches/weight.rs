//! What one node weighs: a real `swarmproof node` process, over TCP on loopback.
//!
//! `cargo bench --bench weight` has other nodes, in this process, publish 20,000 packages, until the node knows all of them and
//! keeps their records; reads its memory from the system; has one peer put 10,000 questions to it as fast as they
//! will go, while somebody else searches over HTTP; and reads its memory again. It ends with 1 when a target is missed.
//! Linux alone: it reads `/proc`.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench")]
#![allow(clippy::print_stdout, reason = "its table is what it is for")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a real node lives in real time")]

#[path = "loopback/nodes.rs"]
#[allow(dead_code, reason = "shared with the bench of twenty nodes")]
mod nodes;
#[path = "loopback/table.rs"]
#[allow(dead_code, reason = "shared with the bench of twenty nodes")]
mod table;

use core::future::poll_fn;
use core::time::Duration;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use swarmproof::client::{Client, SearchQuery};
use swarmproof::net::{Keypair, Libp2pNetwork, PeerAddress};
use swarmproof::network::{Event, Limits, Network as _, Request, RequestId};
use swarmproof::record::Verifier;

use self::table::Table;

const PACKAGES: usize = 20_000;
/// A catalogue takes 10,000 statements of one publisher.
const PUBLISHERS: u8 = 3;
const QUESTIONS: u64 = 10_000;
/// Announcements have quotas, so most of so many are learned by catching up: every five to six minutes.
const LEARNING: Duration = Duration::from_secs(420);
/// Questions that the flood keeps in flight: what one connection lets through.
const AT_ONCE: u64 = 64;

/// The node under measure.
struct Weighed {
    process: Child,
    http: String,
    address: PeerAddress,
    _data: tempfile::TempDir,
}

impl Drop for Weighed {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

impl Weighed {
    fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_swarmproof"))
            .args(["node", "--listen", "/ip4/127.0.0.1/tcp/0", "--http", "127.0.0.1:0", "--data"])
            .arg(data.path())
            .env("SWARMPROOF_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let words: Vec<&str> = line.split([' ', ',', '\n']).collect();
        let word = |start: &str| (*words.iter().find(|word| word.starts_with(start)).unwrap()).to_owned();
        let address = word("/ip4/").parse().unwrap();
        Self { process, http: word("http://"), address, _data: data }
    }

    /// Mebibytes in memory.
    fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    fn client(&self) -> Client {
        Client::new(self.http.parse().unwrap())
    }

    /// Entries in its catalogue.
    async fn catalogue(&self) -> u64 {
        let client = self.client();
        tokio::task::spawn_blocking(move || client.node_view().unwrap().catalogue).await.unwrap()
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> std::process::ExitCode {
    let mut table = Table::default();
    let node = Weighed::start();
    let empty = node.memory();
    let mut publishers = Vec::new();
    for number in 1..=PUBLISHERS {
        publishers.push(nodes::start(number, core::slice::from_ref(&node.address), true).await);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let begun = Instant::now();
    nodes::publish(&publishers, PACKAGES, 48).await;
    let published = begun.elapsed();
    println!("published {PACKAGES} packages in {published:.1?}");
    while node.catalogue().await < PACKAGES as u64 {
        assert!(begun.elapsed() < published + LEARNING, "it does not learn all");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    println!("it knows all of them {:.0?} later", begun.elapsed() - published);
    let full = node.memory();
    println!("{empty:.0} MiB empty, {full:.0} MiB with {PACKAGES} packages and their records");
    table.at_most("memory with 20,000 packages", full, " MiB", 150.0);

    let searching = tokio::task::spawn_blocking({
        let client = node.client();
        move || -> Vec<f64> { (0..200).map(|index| search(&client, index)).collect() }
    });
    let begun = Instant::now();
    let answered = flood(&node.address).await;
    println!("{QUESTIONS} questions from one peer in {:.1?}: {answered} answered", begun.elapsed());
    let times = searching.await.unwrap();
    table.quantiles("a search over HTTP, beside the flood", &times, Some((50.0, 200.0)));
    let after = node.memory();
    table.at_most("memory gained by the flood", after - full, " MiB", 5.0);
    table.print()
}

/// How long a search took, in milliseconds.
fn search(client: &Client, index: usize) -> f64 {
    let begun = Instant::now();
    let query = SearchQuery { words: nodes::words(index), limit: Some(20), ..SearchQuery::default() };
    let found = client.search(&query).unwrap().count();
    assert!(found > 1, "a search that finds nothing measures nothing");
    begun.elapsed().as_secs_f64() * 1000.0
}

/// Put all questions to the node, as fast as it lets them through; how many it answered.
async fn flood(address: &PeerAddress) -> u64 {
    let mut network = Libp2pNetwork::builder(Keypair::generate_ed25519(), Arc::new(Verifier::new(16)))
        .bootstrap(address.clone())
        .build()
        .unwrap();
    let question = swarmproof::message::Question::Heads { after: None }.encode();
    let (mut asked, mut ended, mut answered) = (0, 0, 0);
    while ended < QUESTIONS {
        while asked < QUESTIONS && asked - ended < AT_ONCE {
            let deadline = network.now().after(Duration::from_secs(10));
            let request = Request::Ask { peer: address.peer, question: question.clone() };
            network.submit(RequestId(asked), request, Limits { deadline, bytes: 64 << 10 });
            asked += 1;
        }
        if let Event::Finished { result, .. } = poll_fn(|cx| network.poll_event(cx, None)).await {
            ended += 1;
            answered += u64::from(result.is_ok());
        }
    }
    answered
}
