//! Clauses on a node's lives: its end, its restart, what it keeps (contract 11, and the testbed's own).

use core::future::poll_fn;
use core::time::Duration;

use bytes::Bytes;

use super::clause::{Clause, Verdict, Violation, ensure, violated};
use super::parts::{Part, key};
use super::scene::{PATIENCE, QUIET, Scene};
use crate::network::{Done, Event, Network, Request};
use crate::store::{Batch, Store};
use crate::testbed::{Fault, Keep, NodeId, Testbed, TestbedError};

pub(super) fn clauses<B: Testbed>() -> Vec<Clause<B>> {
    vec![
        Clause::new(
            "nothing_follows_closed",
            "a node that is shut down says Closed once; later submits are forgotten",
            nothing_follows_closed,
        ),
        Clause::new(
            "a_restarted_node_keeps_its_name",
            "a node that dies and comes back has its name, and can be asked and can ask again",
            a_restarted_node_keeps_its_name,
        ),
        Clause::new(
            "a_network_is_taken_once_in_a_life",
            "an application's network is given out once a life, and one that the testbed runs never",
            a_network_is_taken_once_in_a_life,
        ),
        Clause::new(
            "a_store_keeps_what_was_synced",
            "a crash keeps what was synced and no half of a batch, a clean stop keeps all, a new disk nothing",
            a_store_keeps_what_was_synced,
        ),
    ]
}

fn nothing_follows_closed<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let crowd = scene.crowd(3)?;
    let node = scene.application()?;
    scene.start()?;
    let peer = scene.peer(crowd[0])?;
    scene.linger(Duration::from_millis(100))?;
    scene.probes[0].submit(Request::Ask { peer, question: "unheard".into() }, PATIENCE);
    scene.probes[0].submit(Request::GetRecord { key: key("unfound") }, PATIENCE);
    scene.bed.apply(Fault::Kill { node, keep: Keep::All })?;
    scene.need("Closed", |probes| probes[0].closed())?;
    let probe = &mut scene.probes[0];
    let due = probe.net.now().after(QUIET);
    probe.submit(Request::Ask { peer, question: "from beyond".into() }, QUIET / 2);
    probe.cancel(crate::network::RequestId(0));
    let after = scene.bed.block_on(QUIET * 3, poll_fn(|cx| probe.net.poll_event(cx, Some(due))));
    ensure!(after.is_none(), "after Closed came {after:?}");
    let closings = scene.probes[0].log().iter().filter(|e| matches!(e, Event::Closed)).count();
    ensure!(closings == 1, "Closed came {closings} times");
    Ok(())
}

fn a_restarted_node_keeps_its_name<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    scene.crowd(3)?;
    let served = scene.served(Part::echo("phoenix"))?;
    scene.application()?;
    let second = scene.application()?;
    scene.start()?;
    let (served_peer, second_peer) = (scene.peer(served)?, scene.peer(second)?);
    ensure!(scene.probes[1].net.local_peer() == second_peer, "a node and its testbed differ over its name");
    scene.linger(Duration::from_millis(100))?;
    for node in [served, second] {
        scene.bed.apply(Fault::Kill { node, keep: Keep::All })?;
    }
    scene.need("Closed", |probes| probes[1].closed())?;
    scene.linger(QUIET)?;
    ensure!(scene.bed.network(second).is_none(), "a node that is down gave out its network");
    for node in [served, second] {
        scene.bed.apply(Fault::Restart { node })?;
    }
    ensure!(scene.peer(served)? == served_peer, "{served_peer} came back as {}", scene.peer(served)?);
    ensure!(scene.peer(second)? == second_peer, "{second_peer} came back as {}", scene.peer(second)?);
    let Some(net) = scene.bed.network(second) else { violated!("a restarted node has no network") };
    ensure!(net.local_peer() == second_peer, "{second_peer} calls itself {} now", net.local_peer());
    let tick = scene.bed.tick();
    scene.probes[1] = super::probe::Probe::new(net, tick);
    scene.linger(QUIET)?;
    for at in [0, 1] {
        let ask = Request::Ask { peer: served_peer, question: "again".into() };
        let id = scene.probes[at].submit(ask, PATIENCE);
        let (result, _) = scene.ended(at, id)?;
        ensure!(result == Ok(Done::Answered), "asking a restarted node ended as {result:?}");
    }
    Ok(())
}

fn a_network_is_taken_once_in_a_life<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let served = scene.crowd(3)?[0];
    let node = scene.application()?;
    scene.start()?;
    ensure!(scene.bed.network(node).is_none(), "the network was given out twice");
    ensure!(scene.bed.network(served).is_none(), "a served node's network was given out");
    ensure!(scene.bed.network(NodeId(999)).is_none(), "the network of nobody was given out");
    Ok(())
}

fn a_store_keeps_what_was_synced<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    scene.crowd(2)?;
    let node = scene.application()?;
    scene.start()?;
    let mut store = store(&mut scene, node)?;
    write(&mut scene, &mut store, &[("a", "1"), ("b", "1")], true)?;
    write(&mut scene, &mut store, &[("b", "2"), ("c", "2")], false)?;
    let mut store = next_life(&mut scene, node, store, Keep::Synced)?;
    ensure!(read(&store, "a")? == "1", "a crash lost what was synced");
    let lost = (read(&store, "b")?, read(&store, "c")?);
    ensure!(lost == ("1".into(), Bytes::new()), "a crash left {lost:?} of a batch that was not synced");
    write(&mut scene, &mut store, &[("d", "3")], false)?;
    let store = next_life(&mut scene, node, store, Keep::All)?;
    let kept = (read(&store, "a")?, read(&store, "d")?);
    ensure!(kept == ("1".into(), "3".into()), "a clean stop kept only {kept:?}");
    let store = next_life(&mut scene, node, store, Keep::Nothing)?;
    let kept = (read(&store, "a")?, read(&store, "d")?);
    ensure!(kept == (Bytes::new(), Bytes::new()), "a new disk holds {kept:?}");
    Ok(())
}

fn store<B: Testbed>(scene: &mut Scene<'_, B>, node: NodeId) -> Result<B::Store, Violation> {
    Ok(scene.bed.store(node).ok_or(TestbedError::NoSuchNode { node, wanted: "a node with a store" })?)
}

/// Kill `node` at this instant, keeping `keep`, restart it and take its network and its store.
fn next_life<B: Testbed>(
    scene: &mut Scene<'_, B>,
    node: NodeId,
    store_before: B::Store,
    keep: Keep,
) -> Result<B::Store, Violation> {
    scene.bed.apply(Fault::Kill { node, keep })?;
    drop(store_before);
    scene.linger(QUIET)?;
    scene.bed.apply(Fault::Restart { node })?;
    let Some(net) = scene.bed.network(node) else { violated!("a restarted node has no network") };
    let tick = scene.bed.tick();
    scene.probes[0] = super::probe::Probe::new(net, tick);
    store(scene, node)
}

/// Write pairs as one batch; wait until it is durable, or do not let any time pass.
fn write<B: Testbed>(
    scene: &mut Scene<'_, B>,
    store: &mut B::Store,
    pairs: &[(&'static str, &'static str)],
    sync: bool,
) -> Verdict {
    let mut batch = Batch::new();
    for (key, value) in pairs {
        batch.put(*key, *value);
    }
    let id = store.submit(batch).map_err(|error| Violation::Broken(format!("a small batch: {error}")))?;
    for (key, value) in pairs {
        ensure!(read(store, key)? == *value, "an accepted write of {key} is not visible");
    }
    if sync {
        let synced = scene.bed.block_on(PATIENCE, poll_fn(|cx| store.poll_synced(cx)));
        ensure!(synced == Some((id, Ok(()))), "wanted {id:?} to be durable, got {synced:?}");
        ensure!(store.pending() == 0, "all is durable, and {} batches wait", store.pending());
    }
    Ok(())
}

/// The value under `key`, or nothing.
fn read<S: Store>(store: &S, key: &str) -> Result<Bytes, Violation> {
    match store.get(key.as_bytes()) {
        Ok(value) => Ok(value.unwrap_or_default()),
        Err(error) => violated!("reading {key}: {error}"),
    }
}
