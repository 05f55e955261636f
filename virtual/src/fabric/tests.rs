#![allow(clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::future::join;
use futures::{AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _};
use libp2p::core::Endpoint;
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerExt as _, SubstreamBox};
use libp2p::core::transport::{Boxed, DialOpts, ListenerId, PortUse, TransportEvent};
use swarmproof::sim::{Dist, Seed};
use swarmproof::testbed::Way;

use super::channel::HELD;
use super::*;
use crate::control::Control;

const MS: Duration = Duration::from_millis(1);
const US: Duration = Duration::from_micros(1);

type Wire = Boxed<(PeerId, StreamMuxerBox)>;

/// Run `body` as a simulation's thread does, but any number of times in this process.
fn on_fabric<T, F>(profile: Profile, body: impl FnOnce(Fabric) -> F + Send + 'static) -> T
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let thread = std::thread::Builder::new().spawn(move || {
        let _control = Control::begin(&Seed::new(1)).unwrap();
        let fabric = Fabric::new(1, &profile, Arc::default()).unwrap();
        let runtime = fabric.runtime().unwrap();
        let value = runtime.block_on(body(fabric.clone()));
        fabric.rest();
        value
    });
    thread.unwrap().join().unwrap()
}

/// One region with this delay, and nothing else.
fn constant(one_way: Duration) -> Profile {
    Profile::flat(Dist::Constant(one_way))
}

fn at(fabric: &Fabric) -> Duration {
    Duration::from_nanos(fabric.now().as_nanos())
}

#[expect(clippy::disallowed_methods, reason = "virtual time passes by being waited for")]
async fn pause(span: Duration) {
    tokio::time::sleep(span).await;
}

/// A node that listens.
fn node(fabric: &Fabric) -> (NodeId, Wire) {
    let node = fabric.spawn(None, true).unwrap();
    (node, listening(fabric, node))
}

fn listening(fabric: &Fabric, node: NodeId) -> Wire {
    let mut wire = fabric.transport(node).unwrap();
    wire.listen_on(ListenerId::next(), fabric.address(node)).unwrap();
    wire
}

async fn dial(fabric: &Fabric, from: &mut Wire, to: NodeId) -> io::Result<(PeerId, StreamMuxerBox)> {
    let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::Reuse };
    from.dial(fabric.address(to), options).unwrap().await
}

async fn accept(wire: &mut Wire) -> (PeerId, StreamMuxerBox) {
    let upgrade = poll_fn(|cx| match Pin::new(&mut *wire).poll(cx) {
        Poll::Ready(TransportEvent::Incoming { upgrade, .. }) => Poll::Ready(Some(upgrade)),
        Poll::Ready(_) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    });
    match upgrade.await {
        Some(upgrade) => upgrade.await.unwrap(),
        None => Box::pin(accept(wire)).await,
    }
}

/// Two nodes and a connection between them.
async fn pair(fabric: &Fabric) -> (StreamMuxerBox, StreamMuxerBox) {
    let ((a, mut from), (b, mut to)) = (node(fabric), node(fabric));
    let (dialled, taken) = join(dial(fabric, &mut from, b), accept(&mut to)).await;
    let (dialled, taken) = (dialled.unwrap(), taken);
    assert_eq!((Some(dialled.0), Some(taken.0)), (fabric.peer(b), fabric.peer(a)));
    // Listeners may go while connections stand.
    (dialled.1, taken.1)
}

async fn open(muxer: &mut StreamMuxerBox) -> SubstreamBox {
    poll_fn(|cx| muxer.poll_outbound_unpin(cx)).await.unwrap()
}

async fn taken(muxer: &mut StreamMuxerBox) -> SubstreamBox {
    poll_fn(|cx| muxer.poll_inbound_unpin(cx)).await.unwrap()
}

/// When the next `count` bytes have come.
async fn arrival(fabric: &Fabric, stream: &mut SubstreamBox, count: usize) -> Duration {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).await.unwrap();
    at(fabric)
}

async fn say(stream: &mut SubstreamBox, bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
    stream.flush().await.unwrap();
}

/// Whether the end of a connection has been seen.
fn is_over(muxer: &mut StreamMuxerBox) -> bool {
    matches!(muxer.poll_unpin(&mut Context::from_waker(Waker::noop())), Poll::Ready(Err(_)))
}

#[test]
fn arrivals_are_exact_between_the_ticks_of_the_timer() {
    on_fabric(constant(150 * US), |fabric| async move {
        let (mut a, mut b) = pair(&fabric).await;
        // Two round trips of 0.3 ms.
        assert_eq!(at(&fabric), 600 * US);
        let mut there = open(&mut a).await;
        say(&mut there, b"one").await;
        let mut here = taken(&mut b).await;
        assert_eq!(arrival(&fabric, &mut here, 3).await, 750 * US);
        say(&mut here, b"back").await;
        assert_eq!(arrival(&fabric, &mut there, 4).await, 900 * US);
        // Timers are due on whole milliseconds, also when time stands between two.
        pause(MS).await;
        assert_eq!(at(&fabric), 2 * MS);
        say(&mut there, b"more").await;
        assert_eq!(arrival(&fabric, &mut here, 4).await, 2150 * US);
        pause(Duration::from_secs(5)).await;
        assert_eq!(at(&fabric), 5003 * MS);
    });
}

#[test]
fn two_deliveries_a_tenth_of_a_millisecond_apart_arrive_so() {
    on_fabric(constant(7 * MS), |fabric| async move {
        let (mut a, mut b) = pair(&fabric).await;
        let (mut c, mut d) = pair(&fabric).await;
        fabric
            .change_links(NodeId(2), LinkChange { extra_delay: 100 * US, ..LinkChange::default() })
            .unwrap();
        let begun = at(&fabric);
        let (mut late, mut early) = (open(&mut c).await, open(&mut a).await);
        say(&mut late, &[1]).await;
        say(&mut early, &[2]).await;
        let (mut early, mut late) = (taken(&mut b).await, taken(&mut d).await);
        assert_eq!(arrival(&fabric, &mut late, 1).await, begun + 7 * MS + 100 * US);
        // It has been there for as long; read now.
        assert_eq!(arrival(&fabric, &mut early, 1).await, begun + 7 * MS + 100 * US);
        let times =
            fabric.shared.with(|state| state.nodes.iter().map(|node| node.last.0).collect::<Vec<_>>());
        assert_eq!(times[3] - times[1], 100_000);
    });
}

#[test]
fn timers_and_arrivals_come_in_the_order_of_time() {
    let order = on_fabric(constant(2500 * US), |fabric| async move {
        let (mut a, mut b) = pair(&fabric).await;
        let begun = at(&fabric);
        let mut stream = open(&mut a).await;
        say(&mut stream, &[0]).await;
        let arrives = async {
            let mut stream = taken(&mut b).await;
            (arrival(&fabric, &mut stream, 1).await - begun, "arrival")
        };
        let timer = |ms: u32| {
            let fabric = &fabric;
            async move {
                pause(ms * MS).await;
                (at(fabric) - begun, "timer")
            }
        };
        let ((early, late), arrived) = join(join(timer(2), timer(3)), arrives).await;
        let mut all = vec![late, arrived, early];
        all.sort();
        all
    });
    assert_eq!(order, [(2 * MS, "timer"), (2500 * US, "arrival"), (3 * MS, "timer")]);
}

#[test]
fn what_is_not_flushed_is_sent_when_nothing_else_can_happen() {
    on_fabric(constant(MS), |fabric| async move {
        let (mut a, mut b) = pair(&fabric).await;
        let begun = at(&fabric);
        let mut stream = open(&mut a).await;
        stream.write_all(b"unflushed").await.unwrap();
        let mut other = taken(&mut b).await;
        assert_eq!(arrival(&fabric, &mut other, 9).await, begun + MS);
        assert_eq!(fabric.account().messages, 1);
    });
}

/// When messages are due, in the order in which they were sent, and when they came.
#[derive(Clone, Default)]
struct Ways(Arc<std::sync::Mutex<(Vec<u64>, Vec<u64>)>>);

impl TraceSink for Ways {
    fn event(&mut self, at: Timestamp, event: &TraceEvent) {
        let mut ways = self.0.lock().unwrap();
        match event {
            TraceEvent::Sent { delay, .. } => ways.0.push(at.as_nanos() + delay),
            TraceEvent::Delivered { .. } => ways.1.push(at.as_nanos()),
            _ => {}
        }
    }
}

#[test]
fn messages_of_a_stream_never_overtake_one_another() {
    on_fabric(Profile::flat(Dist::Uniform(MS, 50 * MS)), |fabric| async move {
        let (mut a, mut b) = pair(&fabric).await;
        let ways = Ways::default();
        fabric.show_trace_to(Box::new(ways.clone()));
        let mut stream = open(&mut a).await;
        for byte in 0..50 {
            say(&mut stream, &[byte]).await;
            pause(MS).await;
        }
        let mut other = taken(&mut b).await;
        let mut bytes = [0; 50];
        other.read_exact(&mut bytes).await.unwrap();
        assert!(bytes.iter().copied().eq(0..50), "{bytes:?}");
        let (due, came) = ways.0.lock().unwrap().clone();
        assert_eq!((due.len(), &due), (50, &came), "each arrives when it is due, and none before its time");
        assert!(came.is_sorted());
    });
}

#[test]
fn an_end_of_a_stream_comes_with_its_last_message_and_a_drop_as_a_reset() {
    on_fabric(Profile::flat(Dist::Uniform(MS, 50 * MS)), |fabric| async move {
        let (mut a, mut b) = pair(&fabric).await;
        let mut stream = open(&mut a).await;
        say(&mut stream, b"last").await;
        stream.close().await.unwrap();
        let mut other = taken(&mut b).await;
        let came = arrival(&fabric, &mut other, 4).await;
        assert_eq!(other.read(&mut [0; 9]).await.unwrap(), 0);
        assert_eq!(at(&fabric), came);
        // The other way is open until it is closed too.
        say(&mut other, b"yes").await;
        arrival(&fabric, &mut stream, 3).await;
        drop(stream);
        let mut gone = open(&mut a).await;
        say(&mut gone, b"x").await;
        let mut other = taken(&mut b).await;
        drop(gone);
        arrival(&fabric, &mut other, 1).await;
        assert_eq!(other.read(&mut [0; 9]).await.unwrap(), 0);
        assert_eq!(other.write(b"no").await.unwrap_err().kind(), io::ErrorKind::WriteZero);
    });
}

#[test]
fn a_stream_that_nobody_reads_takes_so_much_and_no_more() {
    on_fabric(constant(MS), |fabric| async move {
        let (mut a, mut b) = pair(&fabric).await;
        let mut stream = open(&mut a).await;
        let mut written = 0;
        loop {
            let chunk = [0; 10_000];
            let wrote = poll_fn(|cx| Poll::Ready(Pin::new(&mut stream).poll_write(cx, &chunk))).await;
            let Poll::Ready(count) = wrote.map(Result::unwrap) else { break };
            written += count;
        }
        assert_eq!(written, HELD);
        let mut other = taken(&mut b).await;
        let (more, _) = join(stream.write_all(&[1; 10]), arrival(&fabric, &mut other, HELD)).await;
        more.unwrap();
        assert_eq!(fabric.account().messages, HELD.div_ceil(64 << 10) as u64);
    });
}

#[test]
fn who_writes_to_nobody_is_not_held_up() {
    on_fabric(constant(MS), |fabric| async move {
        let (mut a, mut b) = pair(&fabric).await;
        let mut stream = open(&mut a).await;
        say(&mut stream, b"x").await;
        let mut other = taken(&mut b).await;
        // It has said all that it has to say, so there is nothing to reset.
        other.close().await.unwrap();
        drop(other);
        let much = vec![0; 5 * HELD];
        tokio::time::timeout(Duration::from_secs(1), stream.write_all(&much)).await.unwrap().unwrap();
        drop(stream);
        pause(5 * MS).await;
        assert_eq!(
            fabric.shared.with(|state| state.connections.values().map(|c| c.channels.len()).sum::<usize>()),
            0
        );
    });
}

#[test]
fn streams_have_a_limit_and_wait_for_a_place() {
    on_fabric(constant(MS), |fabric| async move {
        let (mut a, mut b) = pair(&fabric).await;
        let mut streams = Vec::new();
        for _ in 0..connections::STREAMS {
            streams.push(open(&mut a).await);
        }
        let mut cx = Context::from_waker(Waker::noop());
        assert!(a.poll_outbound_unpin(&mut cx).is_pending());
        // A place is free when both ends have let go.
        streams.pop();
        let (next, other) = join(open(&mut a), async {
            drop(taken(&mut b).await);
            pause(MS).await;
        })
        .await;
        drop((next, other));
    });
}

#[test]
fn dials_fail_as_the_model_s_do() {
    on_fabric(constant(10 * MS), |fabric| async move {
        let (a, mut from) = node(&fabric);
        let (b, _to) = node(&fabric);
        let mut tried = async |to: NodeId| {
            let begun = at(&fabric);
            let error = dial(&fabric, &mut from, to).await.map(|_| ()).unwrap_err().to_string();
            (error, at(&fabric) - begun)
        };
        let dead = ("timed out".to_owned(), Duration::from_secs(5));
        assert_eq!(tried(NodeId(77)).await, dead, "nobody's address");
        fabric.apply(&Fault::Dialable { node: b, dialable: false }).unwrap();
        assert_eq!(tried(b).await, dead);
        fabric.apply(&Fault::Dialable { node: b, dialable: true }).unwrap();
        fabric.change_links(b, LinkChange { refused_dials: 1.0, ..LinkChange::default() }).unwrap();
        assert_eq!(tried(b).await, ("connection refused".to_owned(), 20 * MS));
        fabric.change_links(b, LinkChange::default()).unwrap();
        fabric.apply(&Fault::Cut { from: [a].into(), to: [b].into(), way: Way::OneWay }).unwrap();
        assert_eq!(tried(b).await, dead);
        fabric.kill(b, Keep::All).unwrap();
        fabric.apply(&Fault::Heal { from: [a].into(), to: [b].into() }).unwrap();
        assert_eq!(tried(b).await, dead);
        let account = fabric.account();
        assert_eq!((account.dials, account.failed_dials, account.connections), (5, 5, 0));
    });
}

#[test]
fn a_cut_both_ways_ends_connections_at_once_and_a_heal_lets_dial() {
    on_fabric(constant(10 * MS), |fabric| async move {
        let ((a, mut from), (b, mut to)) = (node(&fabric), node(&fabric));
        let (one, other) = join(dial(&fabric, &mut from, b), accept(&mut to)).await;
        let (mut one, mut other) = (one.unwrap().1, other.1);
        assert!(fabric.connected(a, b) && !is_over(&mut one) && !is_over(&mut other));
        fabric.apply(&Fault::Cut { from: [b].into(), to: [a].into(), way: Way::Both }).unwrap();
        assert!(!fabric.connected(a, b) && is_over(&mut one) && is_over(&mut other));
        assert!(!fabric.reaches(a, b));
        fabric.apply(&Fault::Heal { from: [b].into(), to: [a].into() }).unwrap();
        let (again, _) = join(dial(&fabric, &mut from, b), accept(&mut to)).await;
        assert!(again.is_ok() && fabric.reaches(a, b));
    });
}

#[test]
fn a_cut_one_way_ends_a_connection_when_something_is_lost_on_it() {
    on_fabric(constant(10 * MS), |fabric| async move {
        let (mut a, mut b) = pair(&fabric).await;
        let (mut there, mut back) = (open(&mut a).await, open(&mut b).await);
        let cut = Fault::Cut { from: [NodeId(0)].into(), to: [NodeId(1)].into(), way: Way::OneWay };
        fabric.apply(&cut).unwrap();
        say(&mut back, b"heard").await;
        let mut heard = taken(&mut a).await;
        arrival(&fabric, &mut heard, 5).await;
        assert!(!is_over(&mut a) && !is_over(&mut b));
        say(&mut there, b"lost").await;
        pause(11 * MS).await;
        assert!(is_over(&mut a) && is_over(&mut b));
        assert_eq!(fabric.account().lost, 1);
    });
}

#[test]
fn a_reset_ends_the_connection_of_its_message() {
    on_fabric(constant(10 * MS), |fabric| async move {
        let (mut a, mut b) = pair(&fabric).await;
        let mut stream = open(&mut a).await;
        fabric.change_links(NodeId(0), LinkChange { resets: 1.0, ..LinkChange::default() }).unwrap();
        say(&mut stream, b"lost").await;
        assert!(is_over(&mut a) && is_over(&mut b));
        let account = fabric.account();
        assert_eq!((account.resets, account.lost, account.messages), (1, 1, 0));
    });
}

#[test]
fn a_death_is_seen_after_half_a_round_trip_and_the_address_is_used_again() {
    on_fabric(constant(10 * MS), |fabric| async move {
        let ((_, mut from), (b, mut to)) = (node(&fabric), node(&fabric));
        let (one, other) = join(dial(&fabric, &mut from, b), accept(&mut to)).await;
        let (mut one, mut other) = (one.unwrap().1, other.1);
        fabric.kill(b, Keep::Synced).unwrap();
        assert!(!fabric.is_up(b) && is_over(&mut other) && !is_over(&mut one));
        assert!(fabric.kill(b, Keep::Synced).is_err() && fabric.transport(b).is_err());
        pause(9 * MS).await;
        assert!(!is_over(&mut one));
        pause(2 * MS).await;
        assert!(is_over(&mut one));
        fabric.restart(b).unwrap();
        assert!(fabric.restart(b).is_err());
        // The transport of the last life is of no use to this one.
        assert!(to.listen_on(ListenerId::next(), fabric.address(b)).is_err());
        let mut next = listening(&fabric, b);
        let (again, taken) = join(dial(&fabric, &mut from, b), accept(&mut next)).await;
        assert_eq!(Some(again.unwrap().0), fabric.peer(b));
        assert_eq!(Some(taken.0), fabric.peer(NodeId(0)));
    });
}

#[test]
fn closing_reaches_the_other_end_after_what_was_written() {
    on_fabric(constant(10 * MS), |fabric| async move {
        let (mut a, mut b) = pair(&fabric).await;
        let mut stream = open(&mut a).await;
        stream.write_all(b"farewell").await.unwrap();
        drop(a);
        let mut other = taken(&mut b).await;
        let mut text = String::new();
        other.read_to_string(&mut text).await.unwrap();
        assert_eq!((text.as_str(), is_over(&mut b)), ("farewell", true));
    });
}

#[test]
fn listening_is_for_one_s_own_address_once_until_it_is_given_up() {
    on_fabric(constant(10 * MS), |fabric| async move {
        let (a, mut wire) = node(&fabric);
        let (first, second) = (ListenerId::next(), ListenerId::next());
        assert!(wire.listen_on(second, fabric.address(a)).is_err());
        let b = fabric.spawn(None, true).unwrap();
        let mut unheard = fabric.transport(b).unwrap();
        assert!(unheard.listen_on(first, fabric.address(a)).is_err());
        assert!(unheard.listen_on(first, "/ip4/127.0.0.1/tcp/1".parse().unwrap()).is_err());
        unheard.listen_on(first, "/memory/0".parse().unwrap()).unwrap();
        assert!(unheard.remove_listener(first) && !unheard.remove_listener(first));
        let mut cx = Context::from_waker(Waker::noop());
        let mut told = Vec::new();
        while let Poll::Ready(event) = Pin::new(&mut unheard).poll(&mut cx) {
            told.push(match event {
                TransportEvent::NewAddress { listen_addr, .. } => format!("new {listen_addr}"),
                TransportEvent::AddressExpired { listen_addr, .. } => format!("expired {listen_addr}"),
                TransportEvent::ListenerClosed { .. } => "closed".to_owned(),
                other => format!("{other:?}"),
            });
        }
        assert_eq!(told, ["new /memory/2", "expired /memory/2", "closed"]);
        assert!(dial(&fabric, &mut wire, b).await.is_err());
    });
}

#[test]
fn nothing_is_kept_of_connections_that_are_gone() {
    on_fabric(constant(MS), |fabric| async move {
        for _ in 0..3 {
            let (mut a, mut b) = pair(&fabric).await;
            let mut stream = open(&mut a).await;
            say(&mut stream, b"x").await;
            let other = taken(&mut b).await;
            let untaken = open(&mut b).await;
            drop((a, stream));
            pause(5 * MS).await;
            drop((b, other, untaken));
            pause(5 * MS).await;
        }
        fabric.shared.with(|state| {
            assert_eq!((state.connections.len(), state.dials.len()), (0, 0), "{state:?}");
            assert!(state.nodes.iter().all(|node| node.connections.is_empty() && node.incoming.is_empty()));
        });
    });
}

#[test]
fn keys_and_hashes_follow_the_seed_and_the_content() {
    let run = |text: &'static [u8]| {
        on_fabric(Profile::internet(), move |fabric| async move {
            let (mut a, mut b) = pair(&fabric).await;
            let mut stream = open(&mut a).await;
            say(&mut stream, text).await;
            arrival(&fabric, &mut taken(&mut b).await, text.len()).await;
            (fabric.trace_hash(), fabric.peer(NodeId(1)))
        })
    };
    let once = run(b"content");
    assert_eq!(once, run(b"content"));
    let other = run(b"CONTENT");
    assert_eq!(once.1, other.1);
    assert_ne!(once.0, other.0);
    let seed = |seed| state::keypair(&Seed::new(seed), NodeId(1)).public();
    assert_eq!(seed(3), seed(3));
    assert_ne!(seed(3), seed(4));
}
