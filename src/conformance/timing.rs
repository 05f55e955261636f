//! Clauses on time and on polling (contract 5, 6).

use core::future::poll_fn;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Arc, Mutex};
use std::task::Wake;

use super::clause::{Clause, Verdict, ensure, violated};
use super::parts::{Part, key, value};
use super::probe::ROOM;
use super::scene::{PATIENCE, Scene};
use crate::network::{Event, Limits, Network, Request};
use crate::testbed::Testbed;

pub(super) fn clauses<B: Testbed>() -> Vec<Clause<B>> {
    vec![
        Clause::new(
            "now_never_goes_back",
            "time, read often while the network works, never goes back, and moves on",
            now_never_goes_back,
        ),
        Clause::new(
            "a_deadline_is_kept",
            "Deadline comes no earlier than the deadline and at most a tick after it",
            a_deadline_is_kept,
        ),
        Clause::new(
            "a_due_deadline_comes_first",
            "a deadline that is due is reported before events that wait, and loses none of them",
            a_due_deadline_comes_first,
        ),
        Clause::new(
            "a_dropped_poll_loses_nothing",
            "polls that are given up and repeated with other wakers lose no event and no wake-up",
            a_dropped_poll_loses_nothing,
        ),
    ]
}

fn now_never_goes_back<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let node = scene.crowd(3)?[0];
    scene.application()?;
    scene.start()?;
    let peer = scene.peer(node)?;
    let begin = scene.probes[0].net.now();
    for n in 0..20 {
        let ask = Request::Ask { peer, question: format!("{n}").into() };
        let id = scene.probes[0].submit(ask, PATIENCE);
        let _any_end = scene.ended(0, id)?;
        for _ in 0..50 {
            scene.probes[0].watch_clock()?;
        }
    }
    scene.linger(Duration::from_millis(50))?;
    let passed = scene.probes[0].net.now().since(begin);
    ensure!(passed >= Duration::from_millis(50), "after waiting for 50 ms only {passed:?} had passed");
    Ok(())
}

fn a_deadline_is_kept<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    scene.crowd(3)?;
    scene.application()?;
    scene.start()?;
    let tick = scene.bed.tick();
    for millis in [0, 1, 40, 250, 7] {
        let due = scene.probes[0].net.now().after(Duration::from_millis(millis));
        // `drive` polls with this very deadline, and the probe checks that it is not early.
        let probe = &mut scene.probes[0];
        let limit = Duration::from_millis(millis).saturating_add(tick).saturating_add(Duration::from_secs(1));
        let reported = scene.bed.block_on(
            limit,
            poll_fn(|cx| {
                loop {
                    match probe.poll(cx, Some(due)) {
                        Poll::Ready(Ok(Some(()))) => {}
                        Poll::Ready(Ok(None)) => return Poll::Ready(Ok(probe.net.now())),
                        Poll::Ready(Err(broken)) => return Poll::Ready(Err(broken)),
                        Poll::Pending => return Poll::Pending,
                    }
                }
            }),
        );
        let Some(at) = reported.transpose()? else { violated!("the deadline {due} was not reported") };
        ensure!(at <= due.after(tick), "the deadline {due} was reported at {at}, a tick is {tick:?}");
    }
    Ok(())
}

fn a_due_deadline_comes_first<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    scene.crowd(3)?;
    scene.application()?;
    scene.start()?;
    scene.linger(Duration::from_millis(300))?;
    let probe = &mut scene.probes[0];
    let now = probe.net.now();
    for n in 0..5 {
        let limits = Limits { deadline: now, bytes: ROOM };
        probe.submit_within(Request::GetRecord { key: key(&format!("late {n}")) }, limits);
    }
    let first = scene.bed.block_on(PATIENCE, poll_fn(|cx| probe.poll(cx, Some(now))));
    match first.transpose()? {
        Some(None) => {}
        Some(Some(())) => violated!("the deadline was due, and {:?} came first", probe.log().last()),
        None => violated!("the deadline was due, and nothing came"),
    }
    scene.need("the five that waited", |probes| probes[0].idle())
}

fn a_dropped_poll_loses_nothing<B: Testbed>(bed: &mut B) -> Verdict {
    let mut scene = Scene::new(bed);
    let held = key("polled often");
    let mut peers = Vec::new();
    for n in 0..5 {
        let part = Part::echo("holder").holding(held.clone(), value(&held, &n.to_string()));
        let node = scene.served(part)?;
        peers.push(scene.peer(node)?);
    }
    scene.application()?;
    scene.start()?;
    let get = scene.probes[0].submit(Request::GetRecord { key: held }, PATIENCE);
    for n in 0..40 {
        let ask = Request::Ask { peer: peers[n % 5], question: format!("{n}").into() };
        scene.probes[0].submit(ask, PATIENCE);
    }
    let probe = &mut scene.probes[0];
    let until = probe.net.now().after(PATIENCE);
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(bell.clone());
    let done = scene.bed.block_on(
        PATIENCE + Duration::from_secs(1),
        poll_fn(|cx| {
            if !bell.rang(cx) {
                return Poll::Pending;
            }
            loop {
                if probe.idle() {
                    return Poll::Ready(Ok(true));
                }
                // A poll that somebody gave up: its waker leads nowhere, its deadline was another.
                let mut nobody = Context::from_waker(Waker::noop());
                let later = until.after(Duration::from_secs(60));
                let mut came = probe.poll(&mut nobody, Some(later));
                if came.is_pending() {
                    came = probe.poll(&mut Context::from_waker(&waker), Some(until));
                }
                match came {
                    Poll::Ready(Ok(Some(()))) => {}
                    Poll::Ready(Ok(None)) => return Poll::Ready(Ok(false)),
                    Poll::Ready(Err(broken)) => return Poll::Ready(Err(broken)),
                    Poll::Pending => return Poll::Pending,
                }
            }
        }),
    );
    ensure!(done.transpose()? == Some(true), "events or wake-ups were lost: not all requests ended");
    let answers = probe.log().iter().filter(|e| matches!(e, Event::Progress { .. })).count();
    let values = probe.items(get).len();
    ensure!(values == 5, "five values were there to be found, and {values} were");
    ensure!(answers - values == 40, "forty questions were answered {} times", answers - values);
    Ok(())
}

/// A waker that knows whether it was called. A runtime may poll a task that nobody woke; what is polled
/// only when the bell rang shows whether the network called the waker it was given.
#[derive(Default)]
struct Bell {
    quiet: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Bell {
    /// Whether the bell rang since it was last asked; it counts as rung at first.
    fn rang(&self, cx: &Context<'_>) -> bool {
        if let Ok(mut task) = self.task.lock() {
            *task = Some(cx.waker().clone());
        }
        !self.quiet.swap(true, Ordering::SeqCst)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.quiet.store(false, Ordering::SeqCst);
        if let Ok(mut task) = self.task.lock()
            && let Some(task) = task.take()
        {
            task.wake();
        }
    }
}
