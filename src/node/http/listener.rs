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
    still: Duration,
    answering: Duration,
}

impl Doors {
    /// Let in at most `connections` at once, and end each that stands still for `still`; one that was read from
    /// last, so that an answer may be in the making, for `answering`.
    pub(in crate::node) fn new(
        listener: TcpListener,
        connections: usize,
        still: Duration,
        answering: Duration,
    ) -> Self {
        Self { listener, room: Arc::new(Semaphore::new(connections)), still, answering }
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
            return (Connection::new(stream, room, self.still, self.answering), address);
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// One connection. It fails when for as long as it may nothing is read from it or written to it.
#[derive(Debug)]
pub(in crate::node) struct Connection {
    stream: TcpStream,
    still: Duration,
    answering: Duration,
    /// When it has stood still for too long.
    over: Pin<Box<Sleep>>,
    _room: OwnedSemaphorePermit,
}

impl Connection {
    #[expect(clippy::disallowed_methods, reason = "a timer of the outermost layer, which no run sees")]
    fn new(stream: TcpStream, room: OwnedSemaphorePermit, still: Duration, answering: Duration) -> Self {
        Self { stream, still, answering, over: Box::pin(tokio::time::sleep(still)), _room: room }
    }

    /// What came of an attempt. Where something moved, it may stand still for `patience` from now on.
    #[expect(clippy::disallowed_methods, reason = "a timer of the outermost layer, which no run sees")]
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        moved: Poll<io::Result<T>>,
        patience: Duration,
    ) -> Poll<io::Result<T>> {
        if moved.is_ready() {
            self.over.as_mut().reset(Instant::now() + patience);
        } else if self.over.as_mut().poll(cx).is_ready() {
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
        let patience = self.answering;
        self.watch(cx, moved, patience)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let moved = Pin::new(&mut self.stream).poll_write(cx, bytes);
        let patience = self.still;
        self.watch(cx, moved, patience)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let moved = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        let patience = self.still;
        self.watch(cx, moved, patience)
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

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Write as _};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::timeout;

    use super::*;

    const STILL: Duration = Duration::from_millis(50);
    const ANSWERING: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn only_a_connection_with_a_request_on_it_is_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        client.write_all(b"asked").unwrap();
        stream.readable().await.unwrap();
        let room = Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap();
        let mut connection = Connection::new(stream, room, STILL, ANSWERING);
        let mut read = [0; 5];
        connection.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"asked");
        let more = timeout(4 * STILL, connection.read(&mut read)).await;
        assert!(more.is_err(), "it was cut while an answer was made: {more:?}");
        connection.write_all(b"answered").await.unwrap();
        let end = connection.read(&mut read).await.unwrap_err();
        assert_eq!(end.kind(), ErrorKind::TimedOut, "nothing is on its way any more");

        // Who connects and says nothing has no request, either.
        let _silent = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let room = Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap();
        let end = Connection::new(stream, room, STILL, ANSWERING).read(&mut read).await.unwrap_err();
        assert_eq!(end.kind(), ErrorKind::TimedOut);
    }
}
