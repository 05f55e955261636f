//! Questions and answers on the wire.
//!
//! ```text
//! question   length: u32   patience: u32 (ms)   body
//! answer     length: u32   kind: u8 (0 answer, 1 busy, 2 not understood)   body (empty unless 0)
//! ```
//!
//! Integers are big-endian; a length is the body's. It is checked before anything is allocated, and a
//! buffer grows only with what really comes. A question that does not come whole within [`READING`] is dropped. Patience says how long the asker will wait, so that the
//! asked can forget the question without being told.

use core::time::Duration;
use std::io;

use bytes::Bytes;
use futures::channel::oneshot;
use futures::future::{Either, select};
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response;
use tokio::time::Instant;

use crate::network::{Invalid, Refusal};

/// A question, with what the codec needs to know to wait for its answer.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) body: Bytes,
    /// How long the asker waits. Counted anew when the question is written.
    pub(super) patience: Duration,
    /// Only for a question of this node.
    pub(super) wait: Option<Wait>,
    /// Only for a question of another: it claims to be longer than this side allows, and was not read; or it ended
    /// before it was whole.
    pub(super) ill: Option<Invalid>,
}

/// How long a question may take to be read: until it is, its asker holds memory here and was not counted.
pub(super) const READING: Duration = Duration::from_secs(5);

/// How the answer to a question of this node is waited for.
#[derive(Debug)]
pub(super) struct Wait {
    pub(super) until: Instant,
    /// The most bytes that the answer may have.
    pub(super) bytes: usize,
    /// Ends, by being dropped on the other side, when the question is given up.
    pub(super) given_up: oneshot::Receiver<()>,
}

/// An answer, or a refusal.
pub(super) type Answered = Result<Bytes, Refusal>;

/// What went wrong with an answer that the network above must tell from a broken stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The body is longer than this side allows.
    #[error("too large")]
    TooLarge,
    /// The bytes are not what they should be.
    #[error("unreadable")]
    Unreadable,
    /// This node no longer wants the answer.
    #[error("given up")]
    GivenUp,
}

impl WireError {
    /// The wire error within `error`, if it is one.
    pub(super) fn within(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref::<Self>().copied()
    }
}

impl From<WireError> for io::Error {
    fn from(error: WireError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// Reads and writes questions and answers. A clone serves one stream.
#[derive(Debug)]
pub(super) struct Codec {
    question_bytes: usize,
    wait: Option<Wait>,
}

impl Clone for Codec {
    fn clone(&self) -> Self {
        Self::new(self.question_bytes)
    }
}

impl Codec {
    pub(super) fn new(question_bytes: usize) -> Self {
        Self { question_bytes, wait: None }
    }
}

impl request_response::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Asked;
    type Response = Answered;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Asked>
    where
        T: AsyncRead + Unpin + Send,
    {
        let read = Box::pin(read_question(io, self.question_bytes));
        // An executor that is not tokio's has none of its timers; request-response's own, which is longer, ends it.
        if tokio::runtime::Handle::try_current().is_err() {
            return read.await;
        }
        match tokio::time::timeout(READING, read).await {
            Ok(read) => read,
            // Who is slow is not therefore ill-disposed.
            Err(_slow) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Answered>
    where
        T: AsyncRead + Unpin + Send,
    {
        let Some(wait) = self.wait.take() else { return Err(WireError::Unreadable.into()) };
        let read = Box::pin(read_answer(io, wait.bytes));
        match select(wait.given_up, read).await {
            Either::Left(_) => Err(WireError::GivenUp.into()),
            Either::Right((answer, _)) => answer,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "what is left of the asker's patience is real time")]
    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, asked: Asked) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        let left = asked.wait.as_ref().map_or(asked.patience, |wait| wait.until - Instant::now());
        self.wait = asked.wait;
        let patience = u32::try_from(left.as_millis()).unwrap_or(u32::MAX);
        write_u32(io, length_of(&asked.body)?).await?;
        write_u32(io, patience).await?;
        io.write_all(&asked.body).await?;
        io.flush().await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, answer: Answered) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        let (kind, body) = match answer {
            Ok(body) => (0, body),
            Err(Refusal::Busy) => (1, Bytes::new()),
            Err(Refusal::NotUnderstood) => (2, Bytes::new()),
        };
        write_u32(io, length_of(&body)?).await?;
        io.write_all(&[kind]).await?;
        io.write_all(&body).await?;
        io.flush().await
    }
}

async fn read_question<T: AsyncRead + Unpin>(io: &mut T, limit: usize) -> io::Result<Asked> {
    let length = read_u32(io).await?;
    let patience = Duration::from_millis(read_u32(io).await?.into());
    // An error here would be told to nobody, and so charged to nobody.
    let (body, ill) = match read_body(io, length, limit).await {
        Ok(body) => (body, None),
        Err(error) if WireError::within(&error) == Some(WireError::TooLarge) => {
            (Bytes::new(), Some(Invalid::TOO_LARGE))
        }
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            (Bytes::new(), Some(Invalid::UNREADABLE))
        }
        Err(error) => return Err(error),
    };
    Ok(Asked { body, patience, wait: None, ill })
}

async fn read_answer<T: AsyncRead + Unpin>(io: &mut T, limit: usize) -> io::Result<Answered> {
    let length = read_u32(io).await?;
    let mut kind = [0];
    io.read_exact(&mut kind).await?;
    match (kind, length) {
        ([0], _) => Ok(Ok(read_body(io, length, limit).await?)),
        ([1], 0) => Ok(Err(Refusal::Busy)),
        ([2], 0) => Ok(Err(Refusal::NotUnderstood)),
        _ => Err(WireError::Unreadable.into()),
    }
}

async fn read_body<T: AsyncRead + Unpin>(io: &mut T, length: u32, limit: usize) -> io::Result<Bytes> {
    if usize::try_from(length).map_or(true, |length| length > limit) {
        return Err(WireError::TooLarge.into());
    }
    let mut body = Vec::new();
    io.take(length.into()).read_to_end(&mut body).await?;
    if u32::try_from(body.len()) != Ok(length) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(body.into())
}

async fn read_u32<T: AsyncRead + Unpin>(io: &mut T) -> io::Result<u32> {
    let mut bytes = [0; 4];
    io.read_exact(&mut bytes).await?;
    Ok(u32::from_be_bytes(bytes))
}

async fn write_u32<T: AsyncWrite + Unpin>(io: &mut T, number: u32) -> io::Result<()> {
    io.write_all(&number.to_be_bytes()).await
}

fn length_of(body: &Bytes) -> io::Result<u32> {
    u32::try_from(body.len()).map_err(|_| WireError::TooLarge.into())
}

#[cfg(test)]
mod tests;
