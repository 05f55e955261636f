use core::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;

use super::toy::*;
use crate::network::*;
use crate::sim::*;
use crate::testbed::*;
use crate::time::Timestamp;

/// Delays by who sends what to whom and on whose behalf.
type Draws = BTreeMap<(u32, u32, u8, u64), u64>;

#[derive(Clone, Default)]
struct Tap(Rc<RefCell<Draws>>);

impl TraceSink for Tap {
    fn event(&mut self, _: Timestamp, event: &TraceEvent) {
        if let TraceEvent::Sent { from, to, kind, identity, delay } = *event {
            self.0.borrow_mut().insert((from, to, kind, identity), delay);
        }
    }
}

/// A story of gets, puts and questions; with `extra`, another node makes requests in the midst of it.
fn story(config: SimConfig, extra: bool) -> (u128, Account, Draws) {
    let mut bed = world(config, 3, 250);
    let tap = Tap::default();
    bed.show_trace_to(Box::new(tap.clone()));
    let mut client = Client::of(&mut bed, 0);
    let mut other = Client::of(&mut bed, 1);
    if extra {
        bed.run(
            Some(NodeId(1)),
            Box::pin(async move {
                for i in 0..5 {
                    other.put(&format!("other {i}"), "ok:x").await;
                    other.ask(40 + i, "extra").await;
                }
            }),
        );
    }
    tell(&mut bed, async {
        for i in 0..5 {
            client.put(&format!("mine {i}"), "ok:v").await;
            client.get(&format!("mine {i}")).await;
            client.ask(100 + i, "question").await;
        }
    });
    (bed.trace_hash(), bed.account(), tap.0.take())
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let run = |seed| story(config(seed, Profile::internet()), true);
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).0, run(2).0);
}

#[test]
fn another_order_at_one_instant_is_another_run_that_ends_as_well() {
    let run = |tiebreak| {
        let profile = Profile::explicit(&[vec![core::time::Duration::from_millis(10)]]);
        story(SimConfig { tiebreak, ..config(1, profile) }, true)
    };
    assert_ne!(run(1).0, run(2).0);
}

/// Gets at fixed times by node 0; with `extra`, node 1 gets other things in between.
fn at_fixed_times(extra: bool) -> Draws {
    let mut bed = world(config(3, Profile::internet()), 2, 250);
    let tap = Tap::default();
    bed.show_trace_to(Box::new(tap.clone()));
    for i in 0..40 {
        let value = Bytes::from_static(b"ok:v");
        bed.preload(Bytes::from(format!("key {i}")), value, MINUTE * 60).unwrap();
    }
    for node in 0..if extra { 2 } else { 1 } {
        let mut client = Client::of(&mut bed, node);
        let story = async move {
            for i in 0..20 {
                let key = Bytes::from(format!("key {}", 20 * node + i));
                client.submit(Request::GetRecord { key }, MINUTE);
                client.sleep(core::time::Duration::from_millis(if node == 0 { 700 } else { 450 })).await;
            }
            client.sleep(MINUTE).await;
        };
        bed.run(Some(NodeId(node)), Box::pin(story));
    }
    bed.run_until(Timestamp::from_millis(60_000));
    tap.0.take()
}

#[test]
fn another_node_s_requests_do_not_re_roll_the_links_of_the_others() {
    let (without, with) = (at_fixed_times(false), at_fixed_times(true));
    assert!(without.len() > 700, "{}", without.len());
    assert!(with.len() > without.len() * 3 / 2);
    let mut shared = 0;
    for (message, delay) in &without {
        if let Some(other) = with.get(message) {
            assert_eq!(other, delay, "{message:?}");
            shared += 1;
        }
    }
    // The other node's requests may queue before one of these at a peer, and so change which of two
    // peers a walk asks first at its end.
    assert!(shared * 100 >= without.len() * 95, "{shared} of {}", without.len());
}

#[test]
fn notes_of_the_caller_are_part_of_the_hash() {
    let run = |note: &'static [u8]| {
        let mut bed = world(config(1, Profile::lan()), 0, 10);
        bed.note(7, note);
        bed.trace_hash()
    };
    assert_eq!(run(b"a"), run(b"a"));
    assert_ne!(run(b"a"), run(b"b"));
}

#[test]
fn requests_submitted_before_the_start_begin_with_it() {
    let mut bed = SimTestbed::new(config(1, Profile::lan())).unwrap();
    bed.spawn(NodeSpec::application()).unwrap();
    let mut client = Client::of(&mut bed, 0);
    let id = client.submit(Request::GetRecord { key: Bytes::from_static(b"k") }, MINUTE);
    for _ in 0..40 {
        bed.spawn(NodeSpec::served(Box::new(Echo::default()))).unwrap();
    }
    bed.preload(Bytes::from_static(b"k"), Bytes::from_static(b"ok:v"), MINUTE).unwrap();
    assert_eq!(client.net.gauges().requests, 1);
    assert_eq!(tell(&mut bed, client.wait(id)).result, Ok(Done::Looked));
}
