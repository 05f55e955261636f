//! A node's transport with its line in between: what comes in is let in or not, and its streams are lined.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;

use libp2p::core::muxing::{StreamMuxer, StreamMuxerBox, StreamMuxerEvent};
use libp2p::core::transport::{DialOpts, ListenerId, TransportError, TransportEvent};
use libp2p::{Multiaddr, PeerId, Transport};

use super::line::Line;
use super::stream::{Lined, Names, Yard};
use super::tap::Tap;
use crate::net::transport::BoxedTransport;

/// `transport` with `line` in between.
pub(super) fn lined(transport: BoxedTransport, line: &Line, names: &Names) -> BoxedTransport {
    let (line, names) = (line.clone(), names.clone());
    let gate = Gate { inner: transport, line: line.clone() };
    gate.map(move |(peer, muxer), _| {
        let muxer = Muxer { inner: muxer, peer, line, names, yard: Yard::default() };
        (peer, StreamMuxerBox::new(muxer))
    })
    .boxed()
}

/// Lets nobody in while its node cannot be dialled, and counts whom it dials.
struct Gate {
    inner: BoxedTransport,
    line: Line,
}

impl Transport for Gate {
    type Output = (PeerId, StreamMuxerBox);
    type Error = <BoxedTransport as Transport>::Error;
    type ListenerUpgrade = <BoxedTransport as Transport>::ListenerUpgrade;
    type Dial = Pin<Box<dyn Future<Output = Result<Self::Output, Self::Error>> + Send>>;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<Self::Error>> {
        self.inner.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        options: DialOpts,
    ) -> Result<Self::Dial, TransportError<Self::Error>> {
        let dial = self.inner.dial(address, options)?;
        let line = self.line.clone();
        line.dials();
        Ok(Box::pin(async move { dial.await.inspect_err(|_| line.dial_failed()) }))
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        loop {
            match core::task::ready!(Pin::new(&mut self.inner).poll(cx)) {
                // Dropping it ends the connection before anybody has said who they are.
                TransportEvent::Incoming { .. } if !self.line.dialable() => {}
                event => return Poll::Ready(event),
            }
        }
    }
}

/// A connection whose streams are lined.
struct Muxer {
    inner: StreamMuxerBox,
    peer: PeerId,
    line: Line,
    names: Names,
    yard: Yard,
}

impl StreamMuxer for Muxer {
    type Substream = Lined;
    type Error = io::Error;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Lined>> {
        let stream = core::task::ready!(Pin::new(&mut self.inner).poll_inbound(cx))?;
        Poll::Ready(Ok(Lined::theirs(stream, self.line.clone(), self.names.clone(), self.yard.clone())))
    }

    fn poll_outbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Lined>> {
        let stream = core::task::ready!(Pin::new(&mut self.inner).poll_outbound(cx))?;
        let tap = Tap::new(self.peer, self.line.depths().clone());
        Poll::Ready(Ok(Lined::own(stream, tap, self.line.clone(), self.names.clone(), self.yard.clone())))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        Pin::new(&mut self.inner).poll(cx)
    }
}
