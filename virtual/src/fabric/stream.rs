//! The handles of a connection and of its streams, as libp2p takes them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};

use super::Shared;
use super::channel::ChannelId;
use super::messages::Found;

/// One end of a connection. It can be dropped at any time; the other end sees it later.
#[derive(Debug)]
pub(super) struct Muxer {
    shared: Arc<Shared>,
    connection: u64,
    side: usize,
}

impl Muxer {
    pub(super) fn new(shared: Arc<Shared>, connection: u64, side: usize) -> Self {
        Self { shared, connection, side }
    }

    fn stream(&self, stream: u32) -> Stream {
        let id = ChannelId { connection: self.connection, stream };
        Stream { shared: Arc::clone(&self.shared), id, side: self.side }
    }

    fn found(&self, stream: io::Result<Option<u32>>) -> Poll<io::Result<Stream>> {
        match stream {
            Ok(Some(stream)) => Poll::Ready(Ok(self.stream(stream))),
            Ok(None) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl StreamMuxer for Muxer {
    type Substream = Stream;
    type Error = io::Error;

    fn poll_inbound(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        self.found(self.shared.with(|state| state.take_stream(self.connection, self.side, cx.waker())))
    }

    fn poll_outbound(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        self.found(self.shared.with(|state| state.open_stream(self.connection, self.side, cx.waker())))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.with(|state| state.close(self.connection, self.side));
        Poll::Ready(Ok(()))
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        self.shared.with(|state| match state.connections.get_mut(&self.connection) {
            Some(connection) if connection.side(self.side).open => {
                connection.side_mut(self.side).waker = Some(cx.waker().clone());
                Poll::Pending
            }
            _ => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
        })
    }
}

impl Drop for Muxer {
    fn drop(&mut self) {
        self.shared.with(|state| state.detach(self.connection, self.side));
    }
}

/// One end of a stream.
#[derive(Debug)]
pub(super) struct Stream {
    shared: Arc<Shared>,
    id: ChannelId,
    side: usize,
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match self.shared.with(|state| state.read(self.id, self.side, buffer, cx.waker())) {
            Found::Bytes(count) => Poll::Ready(Ok(count)),
            Found::Wait => Poll::Pending,
            Found::End => Poll::Ready(Ok(0)),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.shared.with(|state| state.write(self.id, self.side, bytes, cx.waker())) {
            Found::Bytes(count) => Poll::Ready(Ok(count)),
            Found::Wait => Poll::Pending,
            // As yamux says it.
            Found::End => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.with(|state| state.send(self.id, self.side));
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.with(|state| state.finish(self.id, self.side));
        Poll::Ready(Ok(()))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.shared.with(|state| state.let_go(self.id, self.side));
    }
}
