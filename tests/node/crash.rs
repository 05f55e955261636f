//! Killed at any moment, and a disk that is full: what was acknowledged is there.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::process::{Node, local, manifest, program, wait_for};

/// How often the node is killed.
const KILLS: u32 = 100;

/// A number below `n`, of a fixed sequence.
fn draw(state: &mut u64, n: u64) -> u64 {
    // xorshift64*, which is enough to spread moments.
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    state.wrapping_mul(0x2545_f491_4f6c_dd1d) % n
}

#[test]
fn killed_a_hundred_times_nothing_that_was_acknowledged_is_lost() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("node");
    let mut state = 0x5eed_0003;
    let mut acknowledged: Vec<String> = Vec::new();
    let mut numbers = BTreeSet::new();
    let mut tried: usize = 0;
    let mut publisher = None;
    for life in 0..KILLS {
        if life % 4 == 0 {
            // Killed while it starts, the first time while it makes its folder.
            let mut command = program();
            let mut starting =
                command.args(local(&data)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(draw(&mut state, 100)));
            starting.kill().unwrap();
            starting.wait().unwrap();
        }
        let node = Node::start(&data, &[]);
        let own = node.publisher();
        assert_eq!(publisher.get_or_insert_with(|| own.clone()), &own, "life {life}");
        let catalogue = node.get("/v1/node").1["catalogue"].as_u64().unwrap();
        assert!(catalogue >= acknowledged.len() as u64, "life {life}: {catalogue} of {}", acknowledged.len());
        // Several at once, so that the kill finds some of them on their way.
        let (enough, later) = (draw(&mut state, 15) as usize, Duration::from_millis(draw(&mut state, 20)));
        let until = Instant::now() + Duration::from_secs(10);
        let (heard, next) = (Mutex::new(Vec::new()), Mutex::new(&mut tried));
        std::thread::scope(|scope| {
            let (node, heard, next) = (&node, &heard, &next);
            for _ in 0..3 {
                scope.spawn(move || {
                    while Instant::now() < until {
                        let number = {
                            let mut next = next.lock().unwrap();
                            **next += 1;
                            **next
                        };
                        let name = format!("package-{number}");
                        match node.try_publish(&manifest(&name, "1.0.0")) {
                            Some((201, done)) => heard.lock().unwrap().push((name, done["number"].as_u64())),
                            Some((status, body)) => panic!("life {life}: {status} {body}"),
                            None => return,
                        }
                    }
                });
            }
            while heard.lock().unwrap().len() < enough && Instant::now() < until {
                std::thread::sleep(Duration::from_micros(200));
            }
            std::thread::sleep(later);
            let killed = Command::new("kill").arg("-KILL").arg(node.pid().to_string()).status().unwrap();
            assert!(killed.success());
        });
        for (name, number) in heard.into_inner().unwrap() {
            assert!(numbers.insert(number.unwrap()), "the number {number:?} was given twice");
            acknowledged.push(name);
        }
    }
    let node = Node::start(&data, &[]);
    let publisher = publisher.unwrap();
    let is_lost = |name: &&String| node.get(&format!("/v1/packages/{publisher}/{name}/1.0.0")).0 != 200;
    let lost: Vec<&String> = acknowledged.iter().filter(is_lost).collect();
    assert!(lost.is_empty(), "{} of {} lost: {lost:?}", lost.len(), acknowledged.len());
    assert_eq!(node.metric("swarmproof_statements_unreadable_total"), 0);
    eprintln!("crash: {KILLS} kills, {} of {tried} publications acknowledged", acknowledged.len());
    // It would prove nothing if hardly anything had been published, or nothing had been cut off.
    assert!(acknowledged.len() > KILLS as usize, "{} of {tried} acknowledged", acknowledged.len());
    assert!(tried > acknowledged.len(), "no publication was on its way when the node was killed");
}

#[test]
fn a_full_disk_refuses_and_loses_nothing() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("node");
    drop(Node::start(&data, &[]));
    let size = std::fs::metadata(data.join("swarmproof.redb")).unwrap().len();
    // A file may grow by 256 KiB and no further; where it would, the system says so instead of ending the process.
    let mut command = Command::new("sh");
    let blocks = size / 512 + 512;
    command.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"")).arg("sh");
    command.arg(env!("CARGO_BIN_EXE_swarmproof")).args(local(&data));
    let node = Node::run(&data, command);
    let mut acknowledged = Vec::new();
    let mut tried = 0;
    let mut publish = || {
        let name = format!("package-{tried}");
        tried += 1;
        assert!(tried < 3000, "the disk was never full");
        let mut made = manifest(&name, "1.0.0");
        made["description"] = serde_json::json!("x".repeat(4000));
        let (status, body) = node.try_publish(&made).unwrap();
        if status == 201 {
            acknowledged.push(name);
            return None;
        }
        Some((status, body))
    };
    let (status, body) = wait_for("a disk that is full", &mut publish);
    assert_eq!((status, body["error"]["code"].as_str()), (507, Some("storage")), "{body}");
    // What is small may still find room, and then the store is well again.
    let ready = wait_for("a node that says so", || {
        publish()?;
        let (status, ready) = node.get("/ready");
        (status == 503).then_some(ready)
    });
    assert!(!acknowledged.is_empty());
    assert_eq!(ready["ready"].as_bool(), Some(false), "{ready}");
    assert!(ready["missing"][0].as_str().unwrap().contains("store"), "{ready}");
    assert_eq!(node.get("/health").0, 200, "the process is well");
    let publisher = node.publisher();
    let there = |node: &Node| {
        for name in &acknowledged {
            assert_eq!(node.get(&format!("/v1/packages/{publisher}/{name}/1.0.0")).0, 200, "{name}");
        }
    };
    there(&node);
    node.kill();
    let node = Node::start(&data, &[]);
    there(&node);
    let done = node.publish(&manifest("there-is-room-again", "1.0.0"));
    assert_eq!(done["number"].as_u64(), Some(acknowledged.len() as u64 + 1), "{done}");
    assert_eq!(node.get("/ready").0, 200);
}
