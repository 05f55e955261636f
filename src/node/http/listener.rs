//! Connections: bounded in number, and none may stand still for ever.

use core::future::Future as _;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// Lets connections in, as many as there is room for.
#[derive(Debug)]
pub(in crate::node) struct Doors {
    listener: TcpListener,
    room: Arc<Semaphore>,
    patience: Duration,
}

impl Doors {
    /// Let in at most `connections` at once, and end each that stands still for `patience`.
    pub(in crate::node) fn new(listener: TcpListener, connections: usize, patience: Duration) -> Self {
        Self { listener, room: Arc::new(Semaphore::new(connections)), patience }
    }
}

impl Listener for Doors {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            // Who comes when there is no room waits in the system's own bounded queue.
            let Ok(room) = Arc::clone(&self.room).acquire_owned().await else { continue };
            let (stream, address) = Listener::accept(&mut self.listener).await;
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "lines of a search may wait to be sent along");
            }
            return (Connection::new(stream, room, self.patience), address);
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// One connection. It fails when for its patience nothing is read from it or written to it.
#[derive(Debug)]
pub(in crate::node) struct Connection {
    stream: TcpStream,
    patience: Duration,
    still: Pin<Box<Sleep>>,
    _room: OwnedSemaphorePermit,
}

impl Connection {
    #[expect(clippy::disallowed_methods, reason = "a timer of the outermost layer, which no run sees")]
    fn new(stream: TcpStream, room: OwnedSemaphorePermit, patience: Duration) -> Self {
        Self { stream, patience, still: Box::pin(tokio::time::sleep(patience)), _room: room }
    }

    /// What came of an attempt. Where something moved, the time that it may stand still begins anew.
    #[expect(clippy::disallowed_methods, reason = "a timer of the outermost layer, which no run sees")]
    fn watch<T>(&mut self, cx: &mut Context<'_>, moved: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if moved.is_ready() {
            self.still.as_mut().reset(Instant::now() + self.patience);
        } else if self.still.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        moved
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let moved = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.watch(cx, moved)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let moved = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, moved)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let moved = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.watch(cx, moved)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
