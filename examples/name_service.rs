//! A name service on a DHT under the harness: `cargo run --example name_service`.
//!
//! Peers register names under an address and resolve them. Its own oracle says that whoever has resolved a name never
//! gets an older registration of it later, and never one that nobody made. The service keeps that by remembering the
//! newest registration that it has seen; with `--planted` it forgets to, and takes the first answer that comes. Then the
//! sweep finds it out, makes the plan small, and prints the line that replays it.

#![allow(clippy::print_stdout, reason = "an example tells what it does")]

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use swarmproof::harness::{
    Application, Climate, Deed, Greatest, Input, Life, Plan, Violation, run, shrink, sweep,
};
use swarmproof::network::{Done, Event, Item, Network, Refusal, Request, RequestId, Validator};
use swarmproof::scenario::Draws;
use swarmproof::testbed::LocalTask;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long peers are asked to keep a registration.
const TTL: Duration = Duration::from_secs(86_400);
const NAMES: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// What a peer can be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Act {
    /// Let the name lead to this peer from now on.
    Register(String),
    /// Where does the name lead?
    Resolve(String),
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
enum Told {
    /// The registration was written at so many peers.
    Registered(Registration, u32),
    /// The name leads there.
    Leads(Registration),
    /// Nobody is known to have registered it, or nobody could be asked.
    Unknown,
}

/// A registration. The later one is the greater one, and between two of one time the peer decides. Written with a
/// digest, since bits flip on the way; against who lies a signature would stand there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Registration {
    millis: u64,
    address: u32,
}

impl Registration {
    fn read(value: &[u8]) -> Option<Self> {
        let mut words = core::str::from_utf8(value).ok()?.split(' ');
        let it = Self { millis: words.next()?.parse().ok()?, address: words.next()?.parse().ok()? };
        (it.write() == value).then_some(it)
    }

    fn write(&self) -> Bytes {
        let words = format!("{:015} {:06}", self.millis, self.address);
        let digest = Sha256::digest(words.as_bytes());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{words} {hex}").into()
    }
}

impl fmt::Display for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{} (registered at {} ms)", self.address, self.millis)
    }
}

/// The service, as the harness sees it.
struct NameService {
    /// The planted fault: the first answer is taken, and nothing is remembered.
    planted: bool,
}

/// One peer's service.
struct Service {
    life: Life<Act, Told>,
    planted: bool,
    /// The newest registration that was seen of each name.
    seen: BTreeMap<String, Registration>,
    /// What is under way. As many as the network lets be.
    open: BTreeMap<RequestId, Open>,
}

struct Open {
    operation: u32,
    name: String,
    /// What is registered, if this is no resolving.
    registers: Option<Registration>,
    best: Option<Registration>,
}

impl Service {
    async fn serve(mut self) {
        loop {
            match self.life.next(None).await {
                Input::Asked { operation, act } => self.begin(operation, act),
                Input::Event(Event::Progress { id, item: Item::Record { value }, .. }) => {
                    self.came(id, &value)
                }
                Input::Event(Event::Finished { id, result, .. }) => {
                    if let Some(open) = self.open.remove(&id) {
                        self.end(open, result.ok());
                    }
                }
                Input::Event(Event::Question { to, .. }) => {
                    self.life.network.reply(to, Err(Refusal::NotUnderstood));
                }
                Input::Event(Event::Closed) => return,
                Input::Event(_) => {}
            }
        }
    }

    fn begin(&mut self, operation: u32, act: Act) {
        let (name, registers, request) = match act {
            Act::Register(name) => {
                let (millis, address) = (self.life.network.wall().as_millis(), self.life.node.0);
                let it = Registration { millis, address };
                let (key, value) = (Bytes::from(name.clone()), it.write());
                (name, Some(it), Request::PutRecord { key, value, ttl: TTL, read_back: false })
            }
            Act::Resolve(name) => {
                let key = Bytes::from(name.clone());
                (name, None, Request::GetRecord { key })
            }
        };
        let id = self.life.submit(operation, request, PATIENCE);
        self.open.insert(id, Open { operation, name, registers, best: None });
    }

    fn came(&mut self, id: RequestId, value: &[u8]) {
        if let (Some(open), Some(it)) = (self.open.get_mut(&id), Registration::read(value)) {
            let better = open.best.as_ref().is_none_or(|best| !self.planted && it > *best);
            if better {
                open.best = Some(it);
            }
        }
    }

    fn end(&mut self, open: Open, done: Option<Done>) {
        let told = match open.registers {
            Some(it) => {
                let acked = if let Some(Done::Stored { acked, .. }) = done { acked } else { 0 };
                Told::Registered(it, acked)
            }
            None if self.planted => open.best.map_or(Told::Unknown, Told::Leads),
            None => {
                // What was seen once is not gone back behind.
                let newest = self.seen.get(&open.name).cloned().max(open.best);
                if let Some(newest) = &newest {
                    self.seen.insert(open.name, newest.clone());
                }
                newest.map_or(Told::Unknown, Told::Leads)
            }
        };
        self.life.tell(open.operation, told);
    }
}

impl Application for NameService {
    type Act = Act;
    type Outcome = Told;

    fn validator(&self) -> Arc<dyn Validator> {
        Arc::new(Greatest(|value| Registration::read(value).is_some()))
    }

    fn act(&self, _: u32, draws: &mut Draws) -> Act {
        let name = NAMES[draws.index(NAMES.len())].to_owned();
        if draws.chance(0.1) { Act::Register(name) } else { Act::Resolve(name) }
    }

    fn start(&self, life: Life<Act, Told>) -> LocalTask {
        let service = Service { life, planted: self.planted, seen: BTreeMap::new(), open: BTreeMap::new() };
        Box::pin(service.serve())
    }

    fn judge(&self, deeds: &[Deed<Act, Told>]) -> Vec<Violation> {
        let mut found = Vec::new();
        let resolved = |deed: &Deed<Act, Told>| match (&deed.act, &deed.told) {
            (Act::Resolve(name), Some((at, Told::Leads(it)))) => Some((name.clone(), *at, it.clone())),
            _ => None,
        };
        for (place, deed) in deeds.iter().enumerate() {
            let Some((name, at, it)) = resolved(deed) else { continue };
            let made = deeds.iter().any(|other| {
                other.node.0 == it.address && other.act == Act::Register(name.clone()) && other.at <= at
            });
            if !made {
                found.push(deed.wrong("registered", format!("{name} led to {it}, which nobody registered")));
            }
            // What the same life of the same peer was told before this was asked.
            let before =
                deeds[..place].iter().filter(|other| (other.node, other.life) == (deed.node, deed.life));
            let newer = before
                .filter_map(resolved)
                .find(|(other, told, earlier)| *other == name && *told <= deed.at && *earlier > it);
            if let Some((_, _, earlier)) = newer {
                found.push(deed.wrong("never-back", format!("{name} led to {it}, and to {earlier} before")));
            }
        }
        found
    }

    fn simpler(&self, act: &Act) -> Vec<Act> {
        let first = NAMES[0].to_owned();
        match act {
            Act::Register(name) | Act::Resolve(name) if *name == first => Vec::new(),
            Act::Register(_) => vec![Act::Register(first)],
            Act::Resolve(_) => vec![Act::Resolve(first)],
        }
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let (flags, files): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|it| it.starts_with("--"));
    if let Some(flag) = flags.iter().find(|it| *it != "--planted") {
        return Err(format!("{flag} is unknown: name_service [--planted] [PLAN]").into());
    }
    let app = NameService { planted: !flags.is_empty() };
    // A plan that was kept is run again.
    if let Some(file) = files.first() {
        let report = run(&app, &Plan::read(file)?)?;
        for it in &report.violations {
            println!("{:.3} s  {}: {}", it.at_ms as f64 / 1000.0, it.oracle, it.detail);
        }
        println!("trace {}", report.trace_hash);
        return Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let climate = Climate::parse(include_str!("name_service.toml"), "examples/name_service.toml")?;
    let swept = sweep(&app, &climate, climate.seeds())?;
    println!("{} seeds, each twice; {} operations; {} failed", swept.seeds, swept.asked, swept.failed);
    let Some(first) = swept.failures.first() else { return Ok(ExitCode::SUCCESS) };
    println!("seed {}: {}: {}", first.plan.seed, first.violation.oracle, first.violation.detail);
    let shrunk = shrink(&app, first, 2000);
    let smallest = &shrunk.smallest;
    println!(
        "shrunk from {} peers and {} operations to {} and {}, with {} fault events, in {} runs",
        first.plan.peers,
        first.plan.timeline.operations.len(),
        smallest.peers,
        smallest.timeline.operations.len(),
        smallest.timeline.events.len(),
        shrunk.runs
    );
    let file = PathBuf::from(format!("failures/name_service-{}.toml", smallest.seed));
    std::fs::create_dir_all("failures")?;
    std::fs::write(&file, smallest.to_toml()?)?;
    println!("replay: cargo run --example name_service -- --planted {}", file.display());
    Ok(ExitCode::FAILURE)
}
