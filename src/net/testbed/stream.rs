//! One stream of a connection, with the node's line in between of what it answers.
//!
//! What the node reads is untouched. What it writes is passed on until a protocol is agreed on, and then as
//! the line's manner is at that moment. A stream on which something was held back is never closed: whoever
//! waits at its other end is to wait, so it goes to the connection's yard when the node lets go of it.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::muxing::SubstreamBox;
use tokio::time::Sleep;

use super::frame::{Answer, Choice, MOST, Speech};
use super::line::{Line, Manner};
use crate::net::config::NetConfig;

/// The most streams of one connection that are kept open after their node let go of them; the oldest ends
/// when there are more.
const KEPT: usize = 128;

/// The streams of one connection that are kept open.
#[derive(Clone, Debug, Default)]
pub(super) struct Yard(Arc<Mutex<VecDeque<Inner>>>);

type Inner = Pin<Box<SubstreamBox>>;

impl Yard {
    fn keep(&self, stream: Inner) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(stream);
    }
}

/// The names of the protocols that are looked into.
#[derive(Clone, Debug)]
pub(super) struct Names {
    ask: String,
    dht: String,
}

impl Names {
    pub(super) fn of(config: &NetConfig) -> Self {
        Self { ask: config.protocols.ask.clone(), dht: config.protocols.dht.clone() }
    }

    fn speech(&self, name: &str) -> Speech {
        match () {
            () if name == self.ask => Speech::Ask,
            () if name == self.dht => Speech::Dht,
            () => Speech::Other,
        }
    }
}

enum Phase {
    Choosing(Choice),
    Speaking(Speech),
}

/// A stream with a line in between.
pub(super) struct Lined {
    /// `None` only while it is dropped.
    inner: Option<Inner>,
    line: Line,
    names: Names,
    yard: Yard,
    phase: Phase,
    /// Answers are held back from now on.
    mute: bool,
    /// What is written next begins an answer.
    fresh: bool,
    /// What was written and is no whole answer yet.
    written: Vec<u8>,
    /// What goes out instead, and how much of it has.
    out: Vec<u8>,
    gone: usize,
    wait: Option<Pin<Box<Sleep>>>,
}

impl Lined {
    /// A stream that the peer opened, whose answers the line is in between of.
    pub(super) fn theirs(inner: SubstreamBox, line: Line, names: Names, yard: Yard) -> Self {
        Self::new(inner, line, names, yard, Phase::Choosing(Choice::default()))
    }

    /// A stream that the node itself opened: nothing is done to it.
    pub(super) fn own(inner: SubstreamBox, line: Line, names: Names, yard: Yard) -> Self {
        Self::new(inner, line, names, yard, Phase::Speaking(Speech::Other))
    }

    fn new(inner: SubstreamBox, line: Line, names: Names, yard: Yard, phase: Phase) -> Self {
        Self {
            inner: Some(Box::pin(inner)),
            line,
            names,
            yard,
            phase,
            mute: false,
            fresh: true,
            written: Vec::new(),
            out: Vec::new(),
            gone: 0,
            wait: None,
        }
    }

    fn inner(&mut self) -> io::Result<Pin<&mut SubstreamBox>> {
        self.inner.as_mut().map(Pin::as_mut).ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }

    /// Wait as long as the line's manner says, once for each answer.
    #[expect(clippy::disallowed_methods, reason = "a slow node is slow in real time")]
    fn poll_wait(&mut self, cx: &mut Context<'_>, manner: Manner) -> Poll<()> {
        if manner.delay.is_zero() && self.wait.is_none() {
            return Poll::Ready(());
        }
        let wait = self.wait.get_or_insert_with(|| Box::pin(tokio::time::sleep(manner.delay)));
        wait.as_mut().poll(cx)
    }

    /// Send what is to go out instead.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.gone < self.out.len() {
            let rest = self.out.get(self.gone..).unwrap_or_default().to_vec();
            match self.inner()?.poll_write(cx, &rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(sent)) => self.gone = self.gone.saturating_add(sent),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        self.out.clear();
        self.gone = 0;
        Poll::Ready(Ok(()))
    }

    /// Write of an answer, as the manner of the line is.
    fn poll_answer(&mut self, cx: &mut Context<'_>, buf: &[u8], speech: Speech) -> Poll<io::Result<usize>> {
        let manner = self.line.manner();
        if self.mute || manner.silent {
            self.mute = true;
            return Poll::Ready(Ok(buf.len()));
        }
        core::task::ready!(self.poll_wait(cx, manner));
        if manner.stalled {
            let Some(first) = buf.get(..1) else { return Poll::Ready(Ok(0)) };
            let sent = core::task::ready!(self.inner()?.poll_write(cx, first));
            self.mute = true;
            return Poll::Ready(sent);
        }
        if core::mem::replace(&mut self.fresh, false) {
            self.line.message();
        }
        if !manner.garbles && self.written.is_empty() {
            return self.inner()?.poll_write(cx, buf);
        }
        self.written.extend_from_slice(buf);
        while let Some(answer) = Answer::take(speech, &mut self.written) {
            let ruined = self.line.ruin(&answer);
            self.out.extend_from_slice(ruined.as_deref().unwrap_or(answer.frame()));
        }
        if self.written.len() > MOST {
            self.out.append(&mut self.written);
        }
        Poll::Ready(Ok(buf.len()))
    }
}

impl AsyncRead for Lined {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.inner()?.poll_read(cx, buf)
    }
}

impl AsyncWrite for Lined {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        core::task::ready!(self.poll_out(cx))?;
        match &mut self.phase {
            Phase::Speaking(Speech::Other) => self.inner()?.poll_write(cx, buf),
            Phase::Speaking(speech) => {
                let speech = *speech;
                self.poll_answer(cx, buf, speech)
            }
            Phase::Choosing(_) => {
                let sent = core::task::ready!(self.inner()?.poll_write(cx, buf))?;
                if let Phase::Choosing(choice) = &mut self.phase
                    && let Some(name) = choice.heard(buf.get(..sent).unwrap_or_default())
                {
                    let speech = self.names.speech(&name);
                    if speech != Speech::Other {
                        self.line.message();
                    }
                    self.phase = Phase::Speaking(speech);
                }
                Poll::Ready(Ok(sent))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        core::task::ready!(self.poll_out(cx))?;
        self.wait = None;
        self.fresh = true;
        self.inner()?.poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.mute {
            return self.poll_flush(cx);
        }
        core::task::ready!(self.poll_out(cx))?;
        self.inner()?.poll_close(cx)
    }
}

impl Drop for Lined {
    fn drop(&mut self) {
        if self.mute
            && let Some(inner) = self.inner.take()
        {
            self.yard.keep(inner);
        }
    }
}
