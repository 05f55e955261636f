//! Clauses on questions and answers (contract 2, 3, 7, 10, 12).

use core::time::Duration;

use bytes::Bytes;

use super::clause::{Clause, Verdict, ensure};
use super::parts::Part;
use super::scene::{PATIENCE, QUIET, Scene};
use crate::network::{
    Done, Event, Failure, Invalid, Item, Limits, Network, PeerChange, Refusal, Request, Ware,
};
use crate::testbed::{Fault, Keep, Testbed};

pub(super) fn clauses<B: Testbed>() -> Vec<Clause<B>> {
    vec![
        Clause::new(
            "a_question_is_answered",
            "the asked peer's answer is the only item, and its cost is counted",
            a_question_is_answered,
        ),
        Clause::new(
            "a_busy_peer_refuses",
            "a peer's refusal ends the question as refused by the peer, with the peer's reason",
            a_busy_peer_refuses,
        ),
        Clause::new(
            "a_stranger_is_found_through_the_dht",
            "a peer that this node was never connected to can be asked",
            a_stranger_is_found_through_the_dht,
        ),
        Clause::new(
            "an_absent_peer_fails_by_the_deadline",
            "asking a peer that is gone fails, as the peer's and not as this node's own failure",
            an_absent_peer_fails_by_the_deadline,
        ),
        Clause::new(
            "an_oversized_answer_is_rejected",
            "an answer larger than the request allows is charged to who sent it, and never handed over",
            an_oversized_answer_is_rejected,
        ),
        Clause::new(
            "an_application_answers_once",
            "a question reaches an application with its asker's name; only the first reply counts",
            an_application_answers_once,
        ),
        Clause::new(
            "a_question_given_up_is_withdrawn",
            "the asked learns that the asker waits no longer, by the asker's deadline; a reply then is ignored",
            a_question_given_up_is_withdrawn,
        ),
        Clause::new(
            "a_blocked_peer_is_left_alone",
            "while a peer is blocked it is not asked and not heard, and afterwards it is again",
            a_blocked_peer_is_left_alone,
        ),
    ]
}

fn ask<P>(peer: P, question: impl Into<Bytes>) -> Request<P> {
    Request::Ask { peer, question: question.into() }
}

fn a_question_is_answered<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let node = scene.served(Part::echo("oracle"))?;
    scene.crowd(2)?;
    scene.application()?;
    scene.start()?;
    let peer = scene.peer(node)?;
    let id = scene.probes[0].submit(ask(peer, "why"), PATIENCE);
    let (result, stats) = scene.ended(0, id)?;
    ensure!(result == Ok(Done::Answered), "it ended as {result:?}");
    let items = scene.probes[0].items(id);
    ensure!(items == [(peer, Item::Answer { body: "oracle:why".into() })], "the answer was {items:?}");
    ensure!(
        stats.sent >= 1 && stats.answered >= 1 && stats.failed == 0 && stats.bytes == 10,
        "one peer answered with ten bytes, and counted was {stats:?}"
    );
    ensure!(stats.elapsed <= PATIENCE, "it took {:?}, more than there was", stats.elapsed);
    Ok(())
}

fn a_busy_peer_refuses<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let node = scene.served(Part::busy())?;
    scene.crowd(2)?;
    scene.application()?;
    scene.application()?;
    scene.start()?;
    let peer = scene.peer(node)?;
    let id = scene.probes[0].submit(ask(peer, "have you time"), PATIENCE);
    let (result, _) = scene.ended(0, id)?;
    ensure!(result == Err(Failure::Refused(Refusal::Busy)), "a busy peer's refusal ended as {result:?}");
    let other = scene.probes[1].net.local_peer();
    let id = scene.probes[0].submit(ask(other, "gibberish"), PATIENCE);
    scene.need("the question", |probes| !probes[1].questions().is_empty())?;
    let (to, ..) = scene.probes[1].questions()[0];
    scene.probes[1].net.reply(to, Err(Refusal::NotUnderstood));
    let (result, _) = scene.ended(0, id)?;
    ensure!(result == Err(Failure::Refused(Refusal::NotUnderstood)), "its refusal ended as {result:?}");
    ensure!(scene.probes[0].items(id).is_empty(), "a refusal was reported as an answer");
    Ok(())
}

fn a_stranger_is_found_through_the_dht<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let crowd = scene.crowd(24)?;
    let early = scene.bed.now().after(QUIET);
    scene.bed.run_until(early);
    scene.application()?;
    scene.start()?;
    // Whoever was never up is a stranger. A newcomer that is connected to all of them has none.
    let mut strangers = Vec::new();
    for node in crowd {
        let peer = scene.peer(node)?;
        let known = |e: &Event<_>| matches!(e, Event::Peer { peer: p, change: PeerChange::Up } if *p == peer);
        if !scene.probes[0].log().iter().any(known) {
            strangers.push(peer);
        }
    }
    ensure!(!strangers.is_empty(), "this node is connected to all others, so nothing can be shown");
    for peer in strangers.into_iter().rev().take(3) {
        let id = scene.probes[0].submit(ask(peer, "who are you"), PATIENCE);
        let (result, _) = scene.ended(0, id)?;
        ensure!(result == Ok(Done::Answered), "asking the stranger {peer} ended as {result:?}");
    }
    Ok(())
}

fn an_absent_peer_fails_by_the_deadline<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let crowd = scene.crowd(4)?;
    scene.application()?;
    scene.start()?;
    scene.bed.apply(Fault::Kill { node: crowd[3], keep: Keep::All })?;
    let peer = scene.peer(crowd[3])?;
    let id = scene.probes[0].submit(ask(peer, "are you there"), Duration::from_secs(3));
    let (result, _) = scene.ended(0, id)?;
    ensure!(
        matches!(result, Err(Failure::Unreachable | Failure::TimedOut | Failure::Broken)),
        "asking a peer that is gone ended as {result:?}"
    );
    Ok(())
}

fn an_oversized_answer_is_rejected<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let node = scene.served(Part::large(5000))?;
    scene.crowd(2)?;
    scene.application()?;
    scene.start()?;
    let peer = scene.peer(node)?;
    let deadline = scene.probes[0].net.now().after(PATIENCE);
    let id = scene.probes[0].submit_within(ask(peer, "briefly"), Limits { deadline, bytes: 4999 });
    let (result, _) = scene.ended(0, id)?;
    ensure!(result == Err(Failure::Broken), "an answer over the limit ended as {result:?}");
    ensure!(scene.probes[0].items(id).is_empty(), "an answer over the limit was handed over");
    let refused = scene.probes[0].rejections(Ware::Answer);
    ensure!(refused == [(peer, Invalid::TOO_LARGE)], "{peer} sent too much, and rejected was {refused:?}");
    let id = scene.probes[0].submit_within(ask(peer, "briefly"), Limits { deadline, bytes: 5000 });
    let (result, _) = scene.ended(0, id)?;
    ensure!(result == Ok(Done::Answered), "an answer at the limit ended as {result:?}");
    Ok(())
}

fn an_application_answers_once<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    scene.crowd(3)?;
    scene.application()?;
    scene.application()?;
    scene.start()?;
    let (asker, asked) = (scene.probes[0].net.local_peer(), scene.probes[1].net.local_peer());
    let id = scene.probes[0].submit(ask(asked, "what is it"), PATIENCE);
    scene.need("the question", |probes| !probes[1].questions().is_empty())?;
    let questions = scene.probes[1].questions();
    let (to, from, body) = questions[0].clone();
    ensure!(questions.len() == 1 && from == asker && body == "what is it", "asked was {questions:?}");
    ensure!(
        scene.probes[1].net.gauges().questions == 1,
        "one question is open: {:?}",
        scene.probes[1].net.gauges()
    );
    scene.probes[1].net.reply(to, Ok("it is this".into()));
    scene.probes[1].net.reply(to, Ok("it is that".into()));
    scene.probes[1].net.reply(to, Err(Refusal::Busy));
    let (result, _) = scene.ended(0, id)?;
    scene.linger(QUIET)?;
    let items = scene.probes[0].items(id);
    ensure!(result == Ok(Done::Answered), "it ended as {result:?}");
    ensure!(items == [(asked, Item::Answer { body: "it is this".into() })], "the answer was {items:?}");
    ensure!(
        scene.probes[1].net.gauges().questions == 0,
        "all is answered: {:?}",
        scene.probes[1].net.gauges()
    );
    let withdrawn = scene.probes[1].log().iter().any(|e| matches!(e, Event::Withdrawn { .. }));
    ensure!(!withdrawn, "a question was answered and then withdrawn");
    Ok(())
}

fn a_question_given_up_is_withdrawn<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    scene.crowd(3)?;
    scene.application()?;
    scene.application()?;
    scene.start()?;
    let asked = scene.probes[1].net.local_peer();
    let span = Duration::from_secs(2);
    let cancelled = scene.probes[0].submit(ask(asked, "never mind"), span);
    let expired = scene.probes[0].submit(ask(asked, "hurry"), span);
    let due = scene.probes[0].net.now().after(span);
    scene.need("the questions", |probes| probes[1].questions().len() == 2)?;
    scene.probes[0].cancel(cancelled);
    let count = |e: &&Event<_>| matches!(e, Event::Withdrawn { .. });
    scene.need("the withdrawals", |probes| probes[1].log().iter().filter(count).count() == 2)?;
    // It may take a one-way delay to say so, or the asked may count the time itself.
    let slack = scene.bed.tick() + Duration::from_secs(1);
    let now = scene.probes[1].net.now();
    ensure!(now <= due.after(slack), "the asker waited until {due}, and the asked heard so at {now}");
    let open = scene.probes[1].net.gauges().questions;
    ensure!(open == 0, "all were withdrawn, and {open} are still counted");
    for (to, ..) in scene.probes[1].questions() {
        scene.probes[1].net.reply(to, Ok("too late".into()));
    }
    scene.linger(QUIET)?;
    let (result, _) = scene.ended(0, expired)?;
    ensure!(result == Err(Failure::TimedOut), "a question that was not answered ended as {result:?}");
    ensure!(scene.probes[0].items(expired).is_empty(), "a reply to what was withdrawn was handed over");
    Ok(())
}

fn a_blocked_peer_is_left_alone<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    scene.crowd(3)?;
    scene.application()?;
    scene.application()?;
    scene.start()?;
    let (blocker, blocked) = (scene.probes[0].net.local_peer(), scene.probes[1].net.local_peer());
    let until = scene.probes[0].net.now().after(Duration::from_secs(2));
    scene.probes[0].net.block(blocked, until);
    let to_it = scene.probes[0].submit(ask(blocked, "no"), Duration::from_secs(1));
    let from_it = scene.probes[1].submit(ask(blocker, "hello?"), Duration::from_secs(1));
    let (result, _) = scene.ended(0, to_it)?;
    ensure!(result == Err(Failure::Local), "asking a blocked peer ended as {result:?}");
    let (result, _) = scene.ended(1, from_it)?;
    ensure!(result.is_err(), "a blocked peer was answered: {result:?}");
    ensure!(scene.probes[0].questions().is_empty(), "a blocked peer's question was handed up");
    ensure!(scene.probes[1].questions().is_empty(), "a blocked peer was asked");
    scene.linger(Duration::from_secs(2))?;
    let id = scene.probes[1].submit(ask(blocker, "and now?"), PATIENCE);
    scene.need("the question", |probes| !probes[0].questions().is_empty())?;
    let (to, ..) = scene.probes[0].questions()[0];
    scene.probes[0].net.reply(to, Ok("yes".into()));
    let (result, _) = scene.ended(1, id)?;
    ensure!(result == Ok(Done::Answered), "after the block a question ended as {result:?}");
    Ok(())
}
