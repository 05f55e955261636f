//! A peer in this process that speaks the real protocols and does what a node would not.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use swarmproof::message::Question;
use swarmproof::net::{Keypair, Libp2pNetwork, NetConfig, PeerAddress, PeerId, Stopper};
use swarmproof::network::{Done, Event, Failure, Limits, Network as _, PeerChange, Request, RequestId};
use swarmproof::record::Verifier;

/// A network of a peer that joined by `address`, and who is there.
pub(crate) fn network(address: &str) -> (Libp2pNetwork, PeerId) {
    let address: PeerAddress = address.parse().unwrap();
    let peer = address.peer;
    let config = NetConfig { questions_to_one: 100, ..NetConfig::default() };
    let network = Libp2pNetwork::builder(Keypair::generate_ed25519(), Arc::new(Verifier::new(16)))
        .config(config)
        .listen("/ip4/127.0.0.1/tcp/0".parse().unwrap())
        .bootstrap(address)
        .build()
        .unwrap();
    (network, peer)
}

/// Do `work` on a runtime of its own.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(work)
}

/// The next event.
pub(crate) async fn event(network: &mut Libp2pNetwork) -> Event<PeerId> {
    poll_fn(|cx| network.poll_event(cx, None)).await
}

/// Until `peer` is up.
pub(crate) async fn joined(network: &mut Libp2pNetwork, peer: PeerId) {
    let up = async {
        while !matches!(event(network).await, Event::Peer { peer: who, change: PeerChange::Up } if who == peer)
        {
        }
    };
    tokio::time::timeout(Duration::from_secs(30), up).await.expect("the node was not reached");
}

/// Ask one question; how it ended.
pub(crate) fn ask(network: &mut Libp2pNetwork, id: u64, peer: PeerId, question: Bytes, patience: Duration) {
    let limits = Limits { deadline: network.now().after(patience), bytes: 1 << 20 };
    network.submit(RequestId(id), Request::Ask { peer, question }, limits);
}

/// How a request ended, when this event is its end.
pub(crate) fn end(event: &Event<PeerId>) -> Option<(RequestId, Result<Done, Failure>)> {
    match event {
        Event::Finished { id, result, .. } => Some((*id, *result)),
        _ => None,
    }
}

/// A peer that takes every question and answers none.
pub(crate) struct Silent {
    stopper: Stopper,
    asked: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Silent {
    /// One that joined by `address`.
    pub(crate) fn start(address: &str) -> Self {
        let address = address.to_owned();
        let (send, stopper) = sync_channel(1);
        let (told, asked) = sync_channel(1024);
        let thread = std::thread::spawn(move || {
            block_on(async {
                let (mut network, peer) = network(&address);
                joined(&mut network, peer).await;
                send.send(network.stopper()).unwrap();
                poll_fn(|cx| {
                    loop {
                        match network.poll_event(cx, None) {
                            Poll::Ready(Event::Closed) => return Poll::Ready(()),
                            // A registry that catches up asks of its own accord.
                            Poll::Ready(Event::Question { body, .. }) => {
                                if matches!(Question::decode(&body), Ok(Question::Search { .. })) {
                                    let _ = told.try_send(());
                                }
                            }
                            Poll::Ready(_) => {}
                            Poll::Pending => return Poll::Pending,
                        }
                    }
                })
                .await;
            });
        });
        let stopper = stopper.recv_timeout(Duration::from_secs(60)).unwrap();
        Self { stopper, asked, thread: Some(thread) }
    }

    /// Until somebody searches.
    pub(crate) fn asked(&self) {
        self.asked.recv_timeout(Duration::from_secs(30)).expect("nobody searched");
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        self.stopper.stop();
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking());
    }
}
