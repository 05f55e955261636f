//! Clauses on the DHT: records and providers (contract 4, 8, 10).

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::clause::{Clause, Verdict, ensure, violated};
use super::parts::{Part, key, value};
use super::scene::{PATIENCE, PeerOf, QUIET, Scene};
use crate::network::{Done, Failure, Invalid, Item, Limits, Network, Request, Ware};
use crate::testbed::Testbed;

const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn clauses<B: Testbed>() -> Vec<Clause<B>> {
    vec![
        Clause::new(
            "a_lookup_names_each_giver",
            "every holder's value is reported once, under the holder's name, also when they differ",
            a_lookup_names_each_giver,
        ),
        Clause::new(
            "a_refused_value_is_rejected",
            "a value that the validator refuses is charged to who gave it, and never handed over",
            a_refused_value_is_rejected,
        ),
        Clause::new(
            "a_lookup_without_a_value_says_so",
            "what nobody has is not found, for records and for providers, long before the deadline",
            a_lookup_without_a_value_says_so,
        ),
        Clause::new(
            "what_was_put_is_got_elsewhere",
            "a record put by one node is found by another that never spoke to it",
            what_was_put_is_got_elsewhere,
        ),
        Clause::new(
            "a_put_counts_what_was_acknowledged",
            "acked is at least one and at most the others; verified is there only when asked for",
            a_put_counts_what_was_acknowledged,
        ),
        Clause::new(
            "an_ill_made_record_is_not_kept",
            "nobody hands out a record that the validator refuses, though it was put",
            an_ill_made_record_is_not_kept,
        ),
        Clause::new(
            "providers_are_found_in_order",
            "all who provide a key are found, in the order of their names, each once from each teller",
            providers_are_found_in_order,
        ),
        Clause::new(
            "an_oversized_record_is_rejected",
            "a value larger than the request allows is charged to who gave it, and never handed over",
            an_oversized_record_is_rejected,
        ),
    ]
}

/// The values that a lookup brought, with who gave them.
fn given<B: Testbed>(scene: &Scene<'_, B>, id: crate::network::RequestId) -> Vec<(PeerOf<B>, Bytes)> {
    let of = |(from, item)| match item {
        Item::Record { value } => Some((from, value)),
        _ => None,
    };
    scene.probes[0].items(id).into_iter().filter_map(of).collect()
}

fn a_lookup_names_each_giver<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let wanted_key = key("shared");
    let mut wanted = BTreeSet::new();
    for text in ["a", "b", "c", "c"] {
        let held = value(&wanted_key, text);
        let node = scene.served(Part::echo(text).holding(wanted_key.clone(), held.clone()))?;
        wanted.insert((scene.peer(node)?, held));
    }
    scene.crowd(3)?;
    scene.application()?;
    scene.start()?;
    let id = scene.probes[0].submit(Request::GetRecord { key: wanted_key }, PATIENCE);
    let (result, stats) = scene.ended(0, id)?;
    ensure!(result == Ok(Done::Looked), "four hold it, and the lookup ended as {result:?}");
    let got = given(&scene, id);
    let distinct: BTreeSet<_> = got.iter().cloned().collect();
    ensure!(distinct == wanted, "wanted {wanted:?}, got {distinct:?}");
    ensure!(got.len() == distinct.len(), "a peer's value was reported twice: {got:?}");
    let bytes: u64 = got.iter().map(|(_, value)| value.len() as u64).sum();
    ensure!(stats.bytes == bytes, "{bytes} bytes of values came, and {} were counted", stats.bytes);
    Ok(())
}

fn a_refused_value_is_rejected<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let wanted = key("disputed");
    let good = value(&wanted, "good");
    let liar = scene.served(Part::echo("liar").holding(wanted.clone(), "of another key".into()))?;
    let honest = scene.served(Part::echo("honest").holding(wanted.clone(), good.clone()))?;
    scene.crowd(2)?;
    scene.application()?;
    scene.start()?;
    let (liar, honest) = (scene.peer(liar)?, scene.peer(honest)?);
    let id = scene.probes[0].submit(Request::GetRecord { key: wanted }, PATIENCE);
    let (result, _) = scene.ended(0, id)?;
    ensure!(result == Ok(Done::Looked), "one holds a good value, and the lookup ended as {result:?}");
    let got = given(&scene, id);
    ensure!(got == [(honest, good)], "only the good value was to be reported, and {got:?} was");
    let refused = scene.probes[0].rejections(Ware::Record);
    ensure!(
        refused.len() == 1 && refused[0].0 == liar && refused[0].1.code == 100,
        "one rejection of {liar} by the validator was due, and there were {refused:?}"
    );
    Ok(())
}

fn a_lookup_without_a_value_says_so<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    scene.crowd(5)?;
    scene.application()?;
    scene.start()?;
    let record = scene.probes[0].submit(Request::GetRecord { key: key("nowhere") }, PATIENCE);
    let providers = scene.probes[0].submit(Request::GetProviders { key: key("nobody") }, PATIENCE);
    for id in [record, providers] {
        let (result, _) = scene.ended(0, id)?;
        ensure!(result == Err(Failure::NotFound), "nobody has it, and the lookup ended as {result:?}");
        ensure!(scene.probes[0].items(id).is_empty(), "nobody has it, and something came");
    }
    Ok(())
}

fn what_was_put_is_got_elsewhere<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    scene.crowd(6)?;
    scene.application()?;
    scene.application()?;
    scene.start()?;
    let stored = key("stored");
    let wanted = value(&stored, "once and for all");
    let put = Request::PutRecord { key: stored.clone(), value: wanted.clone(), ttl: HOUR, read_back: false };
    let put = scene.probes[1].submit(put, PATIENCE);
    let _any_end = scene.ended(1, put)?;
    let get = scene.probes[0].submit(Request::GetRecord { key: stored }, PATIENCE);
    let (result, _) = scene.ended(0, get)?;
    ensure!(result == Ok(Done::Looked), "it was put, and the lookup ended as {result:?}");
    let got = given(&scene, get);
    ensure!(!got.is_empty(), "the lookup ended well and brought nothing");
    ensure!(got.iter().all(|(_, value)| *value == wanted), "another value came: {got:?}");
    Ok(())
}

fn a_put_counts_what_was_acknowledged<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let others = 6;
    scene.crowd(others)?;
    scene.application()?;
    scene.start()?;
    for (name, read_back) in [("plain", false), ("read back", true)] {
        let stored = key(name);
        let value = value(&stored, "v");
        let put = Request::PutRecord { key: stored, value, ttl: HOUR, read_back };
        let put = scene.probes[0].submit(put, PATIENCE);
        let (result, _) = scene.ended(0, put)?;
        let Ok(Done::Stored { acked, verified }) = result else {
            violated!("storing among healthy peers ended as {result:?}");
        };
        ensure!(acked >= 1, "it was stored and nobody acknowledged");
        ensure!(acked as usize <= others, "{others} others acknowledged {acked} times");
        ensure!(verified.is_some() == read_back, "read back: {read_back}, verified: {verified:?}");
        if let Some(verified) = verified {
            ensure!((1..=acked).contains(&verified), "{acked} acknowledged and {verified} returned it");
        }
    }
    Ok(())
}

fn an_ill_made_record_is_not_kept<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    scene.crowd(5)?;
    scene.application()?;
    scene.application()?;
    scene.start()?;
    let stored = key("ill-made");
    let put =
        Request::PutRecord { key: stored.clone(), value: "no good".into(), ttl: HOUR, read_back: false };
    let put = scene.probes[1].submit(put, PATIENCE);
    let _any_end = scene.ended(1, put)?;
    let get = scene.probes[0].submit(Request::GetRecord { key: stored }, PATIENCE);
    let (result, _) = scene.ended(0, get)?;
    ensure!(
        result == Err(Failure::NotFound),
        "nobody should have kept it, and the lookup ended as {result:?}"
    );
    // Who put it may have offered it to this node too; nobody else can have it.
    let author = scene.probes[1].net.local_peer();
    let served = scene.probes[0].rejections(Ware::Record);
    ensure!(served.iter().all(|(from, _)| *from == author), "it was kept and handed out by {served:?}");
    Ok(())
}

fn providers_are_found_in_order<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    scene.crowd(4)?;
    for _ in 0..5 {
        scene.application()?;
    }
    scene.start()?;
    let provided = key("provided");
    let mut wanted = BTreeSet::new();
    for at in 1..5 {
        wanted.insert(scene.probes[at].net.local_peer());
        let id = scene.probes[at].submit(Request::Provide { key: provided.clone() }, PATIENCE);
        let (result, _) = scene.ended(at, id)?;
        ensure!(matches!(result, Ok(Done::Provided { told: 1.. })), "providing ended as {result:?}");
    }
    // A real network says that it has told its peers before the last of them has heard.
    scene.linger(QUIET)?;
    let id = scene.probes[0].submit(Request::GetProviders { key: provided }, PATIENCE);
    let (result, _) = scene.ended(0, id)?;
    ensure!(result == Ok(Done::Looked), "four provide it, and the lookup ended as {result:?}");
    let mut by_teller: BTreeMap<PeerOf<B>, Vec<PeerOf<B>>> = BTreeMap::new();
    for (teller, item) in scene.probes[0].items(id) {
        let Item::Provider { peer } = item else {
            violated!("a lookup of providers brought {item:?}");
        };
        by_teller.entry(teller).or_default().push(peer);
    }
    let found: BTreeSet<_> = by_teller.values().flatten().copied().collect();
    ensure!(found == wanted, "{wanted:?} provide it, and {found:?} were found");
    for (teller, told) in by_teller {
        ensure!(told.is_sorted_by(|a, b| a < b), "{teller} told of {told:?}, which is not in order");
    }
    Ok(())
}

fn an_oversized_record_is_rejected<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let wanted = key("large");
    let small = value(&wanted, "small");
    let large = value(&wanted, &"x".repeat(2000));
    let heavy = scene.served(Part::echo("heavy").holding(wanted.clone(), large))?;
    let light = scene.served(Part::echo("light").holding(wanted.clone(), small.clone()))?;
    scene.application()?;
    scene.start()?;
    let (heavy, light) = (scene.peer(heavy)?, scene.peer(light)?);
    let limits = Limits { deadline: scene.probes[0].net.now().after(PATIENCE), bytes: 1000 };
    let id = scene.probes[0].submit_within(Request::GetRecord { key: wanted }, limits);
    let (result, _) = scene.ended(0, id)?;
    ensure!(result == Ok(Done::Looked), "a small value is there, and the lookup ended as {result:?}");
    let got = given(&scene, id);
    ensure!(got == [(light, small)], "only the small value was to be reported, and {got:?} was");
    let refused = scene.probes[0].rejections(Ware::Record);
    ensure!(refused == [(heavy, Invalid::TOO_LARGE)], "{heavy} sent too much, and rejected was {refused:?}");
    Ok(())
}
