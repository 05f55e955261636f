//! What a node does that the testbed runs itself: it answers with a responder.

use core::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::net::held::Lend;
use crate::net::network::Libp2pNetwork;
use crate::network::{AnswerLimits, Event, Limits, Network, Request, RequestId, Responder};
use crate::time::Timestamp;

/// A responder that can be exchanged while its node runs. Kad asks it for records too, through its store,
/// which must be `Send`.
#[derive(Clone)]
pub(super) struct Part(Arc<Mutex<Box<dyn Responder>>>);

impl Part {
    pub(super) fn new(responder: Box<dyn Responder>) -> Self {
        Self(Arc::new(Mutex::new(responder)))
    }

    /// From now on `responder` plays this part.
    pub(super) fn replace(&self, responder: Box<dyn Responder>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = responder;
    }

    pub(super) fn with<T>(&self, act: impl FnOnce(&mut dyn Responder) -> T) -> T {
        act(self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut())
    }

    /// The records that this part serves, for kad to ask for.
    pub(super) fn lend(&self) -> Lend {
        let part = self.clone();
        Box::new(move |key| part.with(|part| part.record(key)))
    }
}

/// Answer as `part` until the node is stopped. It listens to `topics`.
pub(super) async fn serve(mut network: Libp2pNetwork, part: Part, topics: Vec<Bytes>, answer_bytes: usize) {
    let limits = Limits { deadline: Timestamp::MAX, bytes: 0 };
    for (topic, id) in topics.into_iter().zip(0..) {
        network.submit(RequestId(id), Request::Subscribe { topic }, limits);
    }
    loop {
        match poll_fn(|cx| network.poll_event(cx, None)).await {
            Event::Closed => return,
            Event::Question { to, body, .. } => {
                let limits = AnswerLimits { bytes: answer_bytes, now: network.now(), wall: network.wall() };
                network.reply(to, part.with(|part| part.answer(&body, limits)));
            }
            Event::Announcement { topic, payload, .. } => {
                part.with(|part| part.announced(&topic, &payload, network.wall()));
            }
            _ => {}
        }
    }
}
