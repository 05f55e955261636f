//! Clauses on topics and announcements.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::clause::{Clause, Verdict, ensure};
use super::parts::{Part, TOPIC};
use super::scene::{PATIENCE, QUIET, Scene};
use crate::network::{Done, Network, Request, Ware};
use crate::testbed::Testbed;

pub(super) fn clauses<B: Testbed>() -> Vec<Clause<B>> {
    vec![
        Clause::new(
            "subscribers_hear_announcements",
            "a good announcement reaches every subscriber once, and nobody else, nor the announcer",
            subscribers_hear_announcements,
        ),
        Clause::new(
            "an_ill_made_announcement_goes_nowhere",
            "what the validator refuses is neither handed up nor passed on, and is charged to who sent it",
            an_ill_made_announcement_goes_nowhere,
        ),
    ]
}

/// Spawn six nodes that listen, and `count` applications, of which all but the last subscribe.
fn audience<B: Testbed>(
    scene: &mut Scene<'_, B>,
    count: usize,
) -> Result<Vec<super::parts::Heard>, super::clause::Violation> {
    let mut heard = Vec::new();
    for n in 0..6 {
        let part = Part::echo(format!("listener {n}"));
        heard.push(part.heard());
        scene.served(part)?;
    }
    for _ in 0..count {
        scene.application()?;
    }
    scene.start()?;
    for at in 0..count - 1 {
        let id = scene.probes[at].submit(Request::Subscribe { topic: TOPIC }, PATIENCE);
        let (result, _) = scene.ended(at, id)?;
        ensure!(result == Ok(Done::Subscribed), "subscribing ended as {result:?}");
    }
    // Neighbours hear of a subscription a moment after it holds here.
    scene.linger(QUIET)?;
    Ok(heard)
}

fn subscribers_hear_announcements<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let heard = audience(&mut scene, 4)?;
    let payload = Bytes::from_static(b"good news");
    let announce = Request::Announce { topic: TOPIC, payload: payload.clone() };
    let id = scene.probes[0].submit(announce, PATIENCE);
    let (result, _) = scene.ended(0, id)?;
    ensure!(matches!(result, Ok(Done::Announced { to: 1.. })), "announcing ended as {result:?}");
    let told = |at: usize, probes: &mut super::scene::Probes<B>| !probes[at].announcements().is_empty();
    scene.need("both other subscribers to hear", |probes| told(1, probes) && told(2, probes))?;
    scene.need("every listener to hear", |_| heard.iter().all(|heard| !heard.all().is_empty()))?;
    scene.linger(QUIET)?;
    for (at, times) in [(0, 0), (1, 1), (2, 1), (3, 0)] {
        let got = scene.probes[at].announcements();
        ensure!(got.len() == times, "subscriber {at} was to hear it {times} times, and heard {got:?}");
        let myself = scene.probes[at].net.local_peer();
        ensure!(
            got.iter().all(|(from, topic, said)| *from != myself && *topic == TOPIC && *said == payload),
            "subscriber {at} heard {got:?}"
        );
    }
    for heard in &heard {
        ensure!(heard.all() == [payload.clone()], "a listener heard {:?}", heard.all());
    }
    Ok(())
}

fn an_ill_made_announcement_goes_nowhere<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let heard = audience(&mut scene, 8)?;
    let announcer = scene.probes[0].net.local_peer();
    let announce = Request::Announce { topic: TOPIC, payload: "no good".into() };
    let id = scene.probes[0].submit(announce, PATIENCE);
    let (result, _) = scene.ended(0, id)?;
    scene.linger(QUIET * 3)?;
    for (at, probe) in scene.probes.iter().enumerate() {
        let got = probe.announcements();
        ensure!(got.is_empty(), "application {at} was handed {got:?}");
    }
    ensure!(heard.iter().all(|heard| heard.all().is_empty()), "a listener was handed it");
    // Each that rejects it can only have it from its author: nobody passes it on.
    let charged: BTreeSet<_> = scene
        .probes
        .iter()
        .flat_map(|probe| probe.rejections(Ware::Announcement))
        .map(|(from, why)| (from, why.code))
        .collect();
    ensure!(
        charged.iter().all(|charge| *charge == (announcer, 101)),
        "only {announcer} said it, and charged were {charged:?}"
    );
    if matches!(result, Ok(Done::Announced { to: 1.. })) {
        // Otherwise this node's network did not let it out, which is as good.
        let silent: Vec<_> =
            scene.probes.iter().filter(|p| !p.rejections(Ware::Announcement).is_empty()).collect();
        let listeners_only = silent.is_empty();
        ensure!(!listeners_only, "it was sent, and no subscriber rejected it");
    }
    Ok(())
}
