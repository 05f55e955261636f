//! Clauses on requests as such: their ids, their ends, their cancelling (contract 1, 2, 3).

use core::time::Duration;

use bytes::Bytes;

use super::clause::{Clause, Verdict, ensure};
use super::parts::{Part, TOPIC, key, value};
use super::probe::ROOM;
use super::scene::{PATIENCE, QUIET, Scene};
use crate::network::{Done, Event, Failure, Item, Limits, Network, Request, RequestId};
use crate::testbed::{Fault, Keep, Testbed};

pub(super) fn clauses<B: Testbed>() -> Vec<Clause<B>> {
    vec![
        Clause::new(
            "request_ids_are_kept_apart",
            "of many questions in flight to several peers, each gets its own peer's answer to itself",
            request_ids_are_kept_apart,
        ),
        Clause::new(
            "every_request_ends_once",
            "each kind of request, startable or not, ends exactly once, by its deadline",
            every_request_ends_once,
        ),
        Clause::new(
            "a_passed_deadline_ends_at_once",
            "a request whose deadline has passed when it is submitted ends too, and badly",
            a_passed_deadline_ends_at_once,
        ),
        Clause::new(
            "a_silent_peer_times_out",
            "a question that nobody answers ends as timed out, at its deadline and not much before",
            a_silent_peer_times_out,
        ),
        Clause::new(
            "nothing_follows_a_cancelled_question",
            "once cancel has returned, no answer and no end are reported",
            nothing_follows_a_cancelled_question,
        ),
        Clause::new(
            "nothing_follows_a_cancelled_lookup",
            "the same for lookups, before their first value and after it",
            nothing_follows_a_cancelled_lookup,
        ),
        Clause::new(
            "cancelling_what_is_not_there_is_harmless",
            "cancelling an ended, a cancelled and a never submitted id changes nothing for the others",
            cancelling_what_is_not_there_is_harmless,
        ),
    ]
}

fn ask<P>(peer: P, question: impl Into<Bytes>) -> Request<P> {
    Request::Ask { peer, question: question.into() }
}

fn request_ids_are_kept_apart<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let names = ["first", "second", "third"];
    let mut peers = Vec::new();
    for name in names {
        let node = scene.served(Part::echo(name))?;
        peers.push(scene.peer(node)?);
    }
    scene.application()?;
    scene.start()?;
    let asked: Vec<_> = (0..12)
        .map(|n| (n % 3, scene.probes[0].submit(ask(peers[n % 3], format!("question {n}")), PATIENCE)))
        .collect();
    scene.need("twelve answers", |probes| probes[0].idle())?;
    for (n, (which, id)) in asked.into_iter().enumerate() {
        let items = scene.probes[0].items(id);
        let wanted = Item::Answer { body: Bytes::from(format!("{}:question {n}", names[which])) };
        ensure!(items == [(peers[which], wanted.clone())], "{id} wanted {wanted:?}, got {items:?}");
    }
    Ok(())
}

fn every_request_ends_once<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let held = key("every request");
    let holder = scene.served(Part::echo("holder").holding(held.clone(), value(&held, "v")))?;
    let absent = scene.crowd(3)?[2];
    scene.application()?;
    scene.application()?;
    scene.start()?;
    scene.bed.apply(Fault::Kill { node: absent, keep: Keep::All })?;
    let (holder, absent) = (scene.peer(holder)?, scene.peer(absent)?);
    let deaf = scene.probes[1].net.local_peer();
    let probe = &mut scene.probes[0];
    let myself = probe.net.local_peer();
    let brief = Duration::from_secs(2);
    let fresh = key("fresh");
    probe.submit(Request::GetRecord { key: held }, brief);
    probe.submit(Request::GetRecord { key: key("nowhere") }, brief);
    let put = Request::PutRecord {
        key: fresh.clone(),
        value: value(&fresh, "v"),
        ttl: brief * 60,
        read_back: true,
    };
    probe.submit(put, brief);
    probe.submit(Request::GetProviders { key: key("nobody") }, brief);
    probe.submit(Request::Provide { key: key("mine") }, brief);
    probe.submit(ask(holder, "well"), brief);
    probe.submit(ask(absent, "are you there"), brief);
    probe.submit(ask(deaf, "say something"), brief);
    probe.submit(ask(myself, "who am I"), brief);
    probe.submit(Request::Subscribe { topic: TOPIC }, brief);
    probe.submit(Request::Announce { topic: TOPIC, payload: "good morning".into() }, brief);
    probe.submit(Request::Announce { topic: "/unheard".into(), payload: "good night".into() }, brief);
    scene.need("all to have ended", |probes| probes[0].idle())?;
    scene.linger(QUIET)?;
    for n in 0..12 {
        ensure!(scene.probes[0].end(RequestId(n)).is_some(), "r{n} never ended");
    }
    Ok(())
}

fn a_passed_deadline_ends_at_once<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let node = scene.crowd(3)?[0];
    scene.application()?;
    scene.start()?;
    let peer = scene.peer(node)?;
    let begin = scene.probes[0].net.now();
    let limits = Limits { deadline: begin, bytes: ROOM };
    let get = scene.probes[0].submit_within(Request::GetRecord { key: key("late") }, limits);
    let question = scene.probes[0].submit_within(ask(peer, "late"), limits);
    for id in [get, question] {
        let (result, _) = scene.ended(0, id)?;
        ensure!(
            matches!(result, Err(Failure::TimedOut | Failure::Local)),
            "{id} was submitted too late and ended as {result:?}"
        );
    }
    let took = scene.probes[0].net.now().since(begin);
    ensure!(took <= scene.bed.tick() * 2, "it took {took:?} to say that there was no time");
    Ok(())
}

fn a_silent_peer_times_out<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    scene.crowd(3)?;
    scene.application()?;
    scene.application()?;
    scene.start()?;
    let deaf = scene.probes[1].net.local_peer();
    let begin = scene.probes[0].net.now();
    let span = Duration::from_millis(1500);
    let id = scene.probes[0].submit(ask(deaf, "say something"), span);
    let (result, _) = scene.ended(0, id)?;
    ensure!(result == Err(Failure::TimedOut), "silence ended as {result:?}");
    let took = scene.probes[0].net.now().since(begin);
    ensure!(took * 2 >= span, "given {span:?}, it was given up after {took:?}");
    ensure!(scene.probes[1].questions().len() == 1, "the question was not put");
    Ok(())
}

fn nothing_follows_a_cancelled_question<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let node = scene.crowd(3)?[0];
    scene.application()?;
    scene.application()?;
    scene.start()?;
    let peer = scene.peer(node)?;
    let other = scene.probes[1].net.local_peer();
    let early = scene.probes[0].submit(ask(peer, "cancelled at once"), PATIENCE);
    scene.probes[0].cancel(early);
    let midway = scene.probes[0].submit(ask(other, "cancelled midway"), PATIENCE);
    scene.need("the question", |probes| !probes[1].questions().is_empty())?;
    let (to, ..) = scene.probes[1].questions()[0];
    scene.probes[1].net.reply(to, Ok("too late".into()));
    scene.probes[0].cancel(midway);
    let expiring = scene.probes[0].submit(ask(other, "cancelled, then due"), Duration::from_millis(200));
    scene.probes[0].cancel(expiring);
    scene.linger(QUIET)?;
    let left = scene.probes[0].net.gauges().requests;
    ensure!(left == 0, "all were cancelled, and {left} are still counted");
    // What is not reported for these must not be because nothing works.
    let id = scene.probes[0].submit(ask(peer, "and now"), PATIENCE);
    let (result, _) = scene.ended(0, id)?;
    ensure!(result == Ok(Done::Answered), "a question after the cancelled ones ended as {result:?}");
    Ok(())
}

fn nothing_follows_a_cancelled_lookup<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let held = key("held by many");
    for n in 0..6 {
        scene.served(Part::echo("holder").holding(held.clone(), value(&held, &n.to_string())))?;
    }
    scene.application()?;
    scene.start()?;
    let early = scene.probes[0].submit(Request::GetRecord { key: held.clone() }, PATIENCE);
    scene.probes[0].cancel(early);
    let midway = scene.probes[0].submit(Request::GetRecord { key: held.clone() }, PATIENCE);
    let mut cancelled = false;
    scene.need("the first value", |probes| {
        let probe = &mut probes[0];
        if !cancelled && probe.log().iter().any(|e| matches!(e, Event::Progress { id, .. } if *id == midway))
        {
            probe.cancel(midway);
            cancelled = true;
        }
        cancelled || probe.end(midway).is_some()
    })?;
    let expiring = scene.probes[0].submit(Request::GetRecord { key: held }, Duration::from_millis(200));
    scene.probes[0].cancel(expiring);
    scene.linger(QUIET)?;
    let left = scene.probes[0].net.gauges().requests;
    ensure!(left == 0, "nothing is in flight, and {left} requests are still counted");
    Ok(())
}

fn cancelling_what_is_not_there_is_harmless<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let node = scene.crowd(3)?[0];
    scene.application()?;
    scene.start()?;
    let peer = scene.peer(node)?;
    let ended = scene.probes[0].submit(ask(peer, "one"), PATIENCE);
    let _any_end = scene.ended(0, ended)?;
    let running = scene.probes[0].submit(ask(peer, "two"), PATIENCE);
    for id in [ended, ended, RequestId(1 << 40), RequestId(u64::MAX)] {
        scene.probes[0].cancel(id);
    }
    let (result, _) = scene.ended(0, running)?;
    ensure!(result == Ok(Done::Answered), "a bystander ended as {result:?}");
    let left = scene.probes[0].net.gauges().requests;
    ensure!(left == 0, "{left} requests are counted and none is there");
    Ok(())
}
