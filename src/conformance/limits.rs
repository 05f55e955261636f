//! Clauses on capacities and on what is left when all is done (contract 9).

use core::time::Duration;

use bytes::Bytes;

use super::clause::{Clause, Verdict, ensure};
use super::parts::{Part, TOPIC, key, value};
use super::scene::{PATIENCE, Probes, QUIET, Scene};
use crate::network::{Done, Failure, Network, Refusal, Request};
use crate::testbed::Testbed;

/// More than any node should have in flight.
const FLOOD: usize = 20_000;

/// More than any node should let one peer ask it at once.
const GREED: usize = 500;

pub(super) fn clauses<B: Testbed>() -> Vec<Clause<B>> {
    vec![
        Clause::new(
            "nothing_is_left_behind",
            "when all requests have ended, well or badly or cancelled, every gauge is zero",
            nothing_is_left_behind,
        ),
        Clause::new(
            "too_many_questions_are_refused_here",
            "questions over a node's own capacity fail as local, each once, and others are not harmed",
            too_many_questions_are_refused_here,
        ),
        Clause::new(
            "one_asker_does_not_take_all_room",
            "questions of one peer over what it is allowed are refused as busy, and another peer is served",
            one_asker_does_not_take_all_room,
        ),
        Clause::new(
            "too_many_lookups_are_refused_here",
            "lookups over a node's own capacity fail as local, each once, and those within are done",
            too_many_lookups_are_refused_here,
        ),
        Clause::new(
            "what_is_too_large_is_not_sent",
            "a huge record, question or announcement fails as local before anybody is troubled with it",
            what_is_too_large_is_not_sent,
        ),
    ]
}

fn nothing_is_left_behind<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let held = key("left behind");
    let node = scene.served(Part::echo("holder").holding(held.clone(), value(&held, "v")))?;
    scene.crowd(3)?;
    scene.application()?;
    scene.application()?;
    scene.start()?;
    let peer = scene.peer(node)?;
    let asked = scene.probes[1].net.local_peer();
    let probe = &mut scene.probes[0];
    for n in 0..4 {
        probe.submit(Request::Ask { peer, question: format!("{n}").into() }, PATIENCE);
        probe.submit(Request::GetRecord { key: held.clone() }, PATIENCE);
        let cancelled = probe.submit(Request::GetRecord { key: held.clone() }, PATIENCE);
        probe.cancel(cancelled);
    }
    let brief = Duration::from_millis(700);
    probe.submit(Request::Ask { peer: asked, question: "unanswered".into() }, brief);
    probe.submit(Request::GetProviders { key: held.clone() }, PATIENCE);
    probe.submit(Request::Provide { key: held.clone() }, PATIENCE);
    let put =
        Request::PutRecord { key: held.clone(), value: value(&held, "w"), ttl: PATIENCE, read_back: true };
    probe.submit(put, PATIENCE);
    let gauges = probe.net.gauges();
    ensure!(gauges.requests >= 1, "twelve requests were submitted, and none is counted");
    scene.need("all to have ended", |probes| probes[0].idle())?;
    scene.linger(QUIET * 2)?;
    for (at, probe) in scene.probes.iter().enumerate() {
        let gauges = probe.net.gauges();
        let left = (gauges.requests, gauges.questions, gauges.waiting);
        ensure!(left == (0, 0, 0), "nothing is in flight, and application {at} still counts {gauges:?}");
        ensure!(gauges.dropped == 0, "nothing was over a capacity, and {} was dropped", gauges.dropped);
    }
    Ok(())
}

fn too_many_questions_are_refused_here<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let node = scene.crowd(3)?[0];
    scene.application()?;
    scene.application()?;
    scene.start()?;
    let peer = scene.peer(node)?;
    let deaf = scene.probes[1].net.local_peer();
    let span = Duration::from_secs(3);
    let mut ids = Vec::with_capacity(FLOOD);
    for n in 0..FLOOD {
        ids.push(scene.probes[0].submit(Request::Ask { peer: deaf, question: format!("{n}").into() }, span));
    }
    scene.need("the flood to end", |probes| probes[0].idle())?;
    let mut here = 0;
    for id in ids {
        match scene.probes[0].end(id) {
            Some((Err(Failure::Local), _)) => here += 1,
            // A peer that lets everything wait may run out of room too, and say so or drop.
            Some((Err(Failure::TimedOut | Failure::Broken | Failure::Refused(Refusal::Busy)), _)) => {}
            other => ensure!(false, "nobody answers, and {id} ended as {other:?}"),
        }
    }
    ensure!(here > 0, "{FLOOD} questions at once, and this node found none too many");
    ensure!(here < FLOOD, "not one of {FLOOD} questions was put");
    scene.linger(QUIET)?;
    let id = scene.probes[0].submit(Request::Ask { peer, question: "still there?".into() }, PATIENCE);
    let (result, _) = scene.ended(0, id)?;
    ensure!(result == Ok(Done::Answered), "after the flood a question ended as {result:?}");
    Ok(())
}

fn one_asker_does_not_take_all_room<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    scene.crowd(3)?;
    for _ in 0..3 {
        scene.application()?;
    }
    scene.start()?;
    let (greedy, asked) = (scene.probes[0].net.local_peer(), scene.probes[1].net.local_peer());
    let ask = |question: String| Request::Ask { peer: asked, question: question.into() };
    let ids: Vec<_> = (0..GREED).map(|n| scene.probes[0].submit(ask(format!("{n}")), PATIENCE)).collect();
    let busy = |probes: &Probes<B>| {
        let refused = |id| matches!(probes[0].end(id), Some((Err(Failure::Refused(Refusal::Busy)), _)));
        ids.iter().any(|id| refused(*id))
    };
    scene.need("a refusal for who asks too much", |probes| busy(probes))?;
    // Nothing of the flood is answered, so its room is taken as long as this takes.
    let id = scene.probes[2].submit(ask("may I".to_owned()), PATIENCE);
    let mut to = None;
    scene.need("the question of somebody else", |probes| {
        let others = probes[1].questions().into_iter().find(|(_, from, _)| *from != greedy);
        to = others.map(|(to, ..)| to);
        to.is_some()
    })?;
    if let Some(to) = to {
        scene.probes[1].net.reply(to, Ok("you may".into()));
    }
    let (result, _) = scene.ended(2, id)?;
    ensure!(result == Ok(Done::Answered), "beside a flood a question ended as {result:?}");
    Ok(())
}

fn too_many_lookups_are_refused_here<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    scene.crowd(4)?;
    scene.application()?;
    scene.start()?;
    let get = |n: usize| Request::GetRecord { key: key(&format!("flood {n}")) };
    let mut ids = Vec::with_capacity(FLOOD);
    for n in 0..FLOOD {
        ids.push(scene.probes[0].submit(get(n), PATIENCE / 2));
    }
    scene.need("the flood to end", |probes| probes[0].idle())?;
    let (mut here, mut looked) = (0, 0);
    for id in ids {
        match scene.probes[0].end(id) {
            Some((Err(Failure::Local), _)) => here += 1,
            Some((Err(Failure::NotFound), _)) => looked += 1,
            Some((Err(Failure::TimedOut), _)) => {}
            other => ensure!(false, "nobody holds it, and {id} ended as {other:?}"),
        }
    }
    ensure!(here > 0, "{FLOOD} lookups at once, and this node found none too many");
    ensure!(looked > 0, "not one of {FLOOD} lookups was done");
    Ok(())
}

fn what_is_too_large_is_not_sent<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    scene.crowd(3)?;
    scene.application()?;
    scene.application()?;
    scene.start()?;
    let asked = scene.probes[1].net.local_peer();
    let heavy = Bytes::from(vec![b'x'; 4 << 20]);
    let held = key("heavy");
    let value = value(&held, &"x".repeat(1 << 20));
    let probe = &mut scene.probes[0];
    let huge = [
        probe.submit(Request::Ask { peer: asked, question: heavy.clone() }, PATIENCE),
        probe.submit(Request::PutRecord { key: held, value, ttl: PATIENCE, read_back: false }, PATIENCE),
        probe.submit(
            Request::Announce { topic: TOPIC, payload: [b"good", &heavy[..]].concat().into() },
            PATIENCE,
        ),
    ];
    for id in huge {
        let (result, _) = scene.ended(0, id)?;
        ensure!(
            result == Err(Failure::Local),
            "{id} is larger than anything allowed, and ended as {result:?}"
        );
    }
    ensure!(scene.probes[1].questions().is_empty(), "four megabytes were asked");
    Ok(())
}
