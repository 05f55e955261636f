//! Five nodes: published on one, found on another, whoever is down.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

use serde_json::{Value, json};
use swarmproof::scenario::catalogue_file::{CatalogueFile, FilePackage};

use crate::process::{Node, manifest, wait_for};

/// The packages that this one is built of.
fn packages() -> Vec<FilePackage> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        // Not offline: a build fetches what its own platform needs, and metadata tells of every platform's.
        .other_options(vec!["--locked".to_owned()])
        .exec()
        .unwrap();
    let (catalogue, _) = CatalogueFile::from_cargo_metadata(&metadata);
    assert!(catalogue.packages.len() > 100, "{}", catalogue.packages.len());
    catalogue.packages
}

fn manifest_of(package: &FilePackage) -> Value {
    let mut made = manifest(package.name.as_str(), &package.version.to_string());
    made["description"] = json!(package.description);
    made["categories"] = json!(package.categories);
    made["tags"] = json!(package.tags);
    made["licence"] = json!(package.licence);
    made
}

/// Do `work` for each item, a few at once.
fn each<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) {
    let next = Mutex::new(items.iter());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let item = next.lock().unwrap().next();
                    match item {
                        Some(item) => work(item),
                        None => return,
                    }
                }
            });
        }
    });
}

/// Those of `packages` that `node` does not find by their name.
fn missed(node: &Node, packages: &[FilePackage]) -> Vec<String> {
    let missed = Mutex::new(Vec::new());
    each(packages, |package| {
        let wanted = format!("{}@{}", package.name, package.version);
        let (found, end) = node.search(package.name.as_str(), 50);
        if !found.contains(&wanted) {
            missed.lock().unwrap().push(format!("{wanted}: {end}"));
        }
    });
    missed.into_inner().unwrap()
}

fn all_found(node: &Node, packages: &[FilePackage]) {
    let missed = missed(node, packages);
    assert!(missed.is_empty(), "{} of {} missed: {missed:#?}", missed.len(), packages.len());
}

#[test]
fn what_one_of_five_publishes_the_others_find_whoever_is_killed() {
    let root = tempfile::tempdir().unwrap();
    let data = |name: &str| root.path().join(name);
    let publisher = Node::start(&data("publisher"), &[]);
    let others: Vec<Node> =
        (1..5).map(|number| Node::start(&data(&format!("other{number}")), &[&publisher])).collect();
    for node in &others {
        wait_for("a node that is ready", || (node.get("/ready").0 == 200).then_some(()));
    }
    let packages = packages();
    each(&packages, |package| {
        let done = publisher.publish(&manifest_of(package));
        assert!(done["release_stored"]["acked"].as_u64().unwrap() > 0, "{done}");
    });
    let count = packages.len() as u64;
    assert_eq!(publisher.metric("swarmproof_published_total"), count);
    all_found(&others[2], &packages);

    // Its publisher is killed: the others go on.
    let (name, join) = (publisher.publisher(), publisher.join.clone());
    publisher.kill();
    let few: Vec<FilePackage> = packages.iter().step_by(9).cloned().collect();
    all_found(&others[3], &few);
    let one = few.first().unwrap();
    let (status, got) = others[0].get(&format!("/v1/packages/{name}/{}/{}", one.name, one.version));
    assert_eq!((status, got["licence"].as_str()), (200, Some(one.licence.as_str())), "{got}");

    // A node that joins now, by another, finds them too.
    let late = Node::start(&data("late"), &[&others[1]]);
    wait_for("the catalogue of a node that joined late", || {
        (late.get("/v1/node").1["catalogue"].as_u64() == Some(count)).then_some(())
    });
    all_found(&late, &few);

    // The publisher comes back: it is who it was, holds what it held, and goes on.
    let again = Node::start(&data("publisher"), &[&others[0]]);
    assert_eq!(again.publisher(), name);
    let peer = |join: &[String]| join[0].split("/p2p/").nth(1).unwrap().to_owned();
    assert_eq!(peer(&again.join), peer(&join));
    assert_eq!(again.get("/v1/node").1["catalogue"].as_u64(), Some(count));
    let (status, body) = again.try_publish(&manifest_of(one)).unwrap();
    assert_eq!((status, body["error"]["code"].as_str()), (409, Some("already-published")), "{body}");
    let done = again.publish(&manifest("after-the-kill", "1.0.0"));
    assert_eq!(done["number"].as_u64(), Some(count + 1), "{done}");
    wait_for("what the publisher published after its restart", || {
        late.search("after-the-kill", 5).0.contains(&"after-the-kill@1.0.0".to_owned()).then_some(())
    });

    // And taken back, it is offered no more, and still there for who depends on it.
    let token = format!("Bearer {}", again.token());
    let path = format!("http://{}/v1/packages/{name}/after-the-kill/1.0.0", again.http);
    let yanked = ureq::delete(path).header("authorization", &token).call().unwrap();
    assert_eq!(yanked.status().as_u16(), 200);
    wait_for("the yank at another node", || {
        let (_, versions) = late.get(&format!("/v1/versions/{name}/after-the-kill"));
        (versions["versions"][0]["yanked"] == true).then_some(())
    });
    assert_eq!(late.search("after-the-kill", 5).0, [] as [String; 0]);
    assert_eq!(late.get(&format!("/v1/packages/{name}/after-the-kill/1.0.0")).0, 200);

    let known: BTreeSet<String> = late.get("/v1/peers").1["peers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|peer| {
            assert!((0.0..=1.0).contains(&peer["score"].as_f64().unwrap()), "{peer}");
            peer["peer"].as_str().unwrap().to_owned()
        })
        .collect();
    assert!(known.contains(&peer(&others[1].join)), "{known:?}");
}
